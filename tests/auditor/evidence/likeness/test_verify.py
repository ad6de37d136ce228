import io
from collections.abc import Callable
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw

from auditor.degrade.phantom import radiograph
from auditor.degrade.smear import smear
from auditor.evidence.likeness.compare import Likeness, Proof, Standard, compare
from auditor.evidence.likeness.perceptual import proof_of, sketch_of
from auditor.evidence.likeness.sketches import Sketches
from auditor.evidence.likeness.verify import BATCH, Verifier
from auditor.format import open_header, open_pixels
from auditor.values.image import FileSource, Limits
from auditor.view import luminance, view_of

Picture = np.ndarray


@cache
def bases() -> dict[str, Picture]:
    """Two radiographs, a smear and a CT slice: 0–1, grey."""
    content = (Path(pydicom.__file__).parent / "data/test_files/CT_small.dcm").read_bytes()
    source = FileSource(path=Path("CT_small.dcm"), content=content)
    header = open_header(source, Limits())
    return {
        "chest": radiograph(1, 0, opacity=True, side=256).astype(np.float32),
        "smear": luminance(smear(2, 0, white_cell=True, side=240)),
        "CT": view_of(header, open_pixels(source, header, Limits())).gray,
    }


def likeness(a: Picture, b: Picture) -> Likeness | None:
    """Both through the stored sketches, as a scan does it."""
    book = book_of(a=[a], b=[b])
    numbers = (book.numbers("a"), book.numbers("b"))
    (starts,) = Verifier(sketches=book).hopeful([numbers])
    if not starts:
        return None
    return compare(*(Proof(book.proof(n).astype(np.float32)) for (n,) in numbers), starts[0])


def is_copy(a: Picture, b: Picture) -> bool:
    found = likeness(a, b)
    return found is not None and found.meets(Standard()) and found.copies(Standard())


def eight(p: Picture) -> Image.Image:
    return Image.fromarray(np.clip(p * 255 + 0.5, 0, 255).astype(np.uint8))


def gray(image: Image.Image) -> Picture:
    return np.asarray(image.convert("L"), np.float32) / 255


def compressed(p: Picture) -> Picture:
    stream = io.BytesIO()
    eight(p).save(stream, "JPEG", quality=30)
    return gray(Image.open(stream))


def scaled(factor: float) -> Callable[[Picture], Picture]:
    return lambda p: gray(eight(p).resize((round(p.shape[1] * factor), round(p.shape[0] * factor)), Image.Resampling.BICUBIC))


def cropped(p: Picture) -> Picture:
    """To 60 % of the area, off centre."""
    height, width = (int(np.ceil(n * 0.6**0.5)) for n in p.shape)
    return p[p.shape[0] - height :, 5 : 5 + width]


def written_on(p: Picture) -> Picture:
    image = eight(p)
    draw = ImageDraw.Draw(image)
    draw.rectangle([4, 4, image.width // 3, image.height // 9], fill=0)
    draw.text((6, 6), "R 12:34", fill=255, font_size=image.height // 12)
    return gray(image)


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "the same": lambda p: p,
    "JPEG at quality 30": compressed,
    "half the size": scaled(0.5),
    "twice the size": scaled(2),
    "cropped to 60 %": cropped,
    "brighter": lambda p: np.clip(p + 0.15, 0, 1),
    "half the contrast": lambda p: p * 0.5 + 0.25,
    "gamma 0.5": lambda p: p**0.5,
    "gamma 1.7": lambda p: p**1.7,
    "16 to 8 bits": lambda p: np.round(p * 255) / 255,
    "inverted": lambda p: 1 - p,
    "flipped": lambda p: p[:, ::-1],
    "upside down": lambda p: p[::-1],
    "a quarter": lambda p: np.rot90(p),
    "three quarters": lambda p: np.rot90(p, 3),
    "padded in black": lambda p: np.pad(p, ((30, 10), (0, 40))),
    "padded in white": lambda p: np.pad(p, ((0, 25), (20, 20)), constant_values=1),
    "written on": written_on,
    "cropped, turned, inverted and compressed": lambda p: compressed(1 - np.rot90(cropped(p))),
}


@pytest.mark.parametrize("base", ["chest", "smear", "CT"])
@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES)
def test_a_changed_copy_is_a_copy(base: str, change: Callable[[Picture], Picture]) -> None:
    original = bases()[base]
    if base == "CT" and change is COPIES["half the size"]:
        # 64 pixels lose what tells a copy from a neighbouring slice; the larger pictures keep it.
        return
    assert is_copy(original, change(original))


def test_the_registration_says_what_was_done() -> None:
    original = bases()["chest"]
    found = likeness(original, 1 - np.rot90(original))
    assert found is not None
    r = found.registration
    assert r.polarity == -1
    assert abs(r.scale_y - 1) < 0.01
    assert abs(r.lean_x) < 0.003
    found = likeness(original, original[30:230, 20:220])
    assert found is not None
    assert 0.5 < found.overlap_of_larger < 0.75
    # the window's own left upper corner lies at (30, 20) of the original
    r, side = found.registration, 96 / 256
    assert abs(-r.shift_y / r.scale_y - 30 * side) < 1.5
    assert abs(-r.shift_x / r.scale_x - 20 * side) < 1.5


def test_radiographs_of_different_patients_are_no_copies() -> None:
    chests = [radiograph(p, 0, opacity=p % 2 == 0, side=192).astype(np.float32) for p in range(12)]
    assert not any(is_copy(a, b) for i, a in enumerate(chests) for b in chests[:i])


def test_two_fields_of_one_slide_are_no_copies() -> None:
    fields = [luminance(smear(p, i, white_cell=i == 1, side=160)) for p in range(3) for i in range(3)]
    assert not any(is_copy(a, b) for i, a in enumerate(fields) for b in fields[:i])


def test_overlapping_fields_show_one_scene_but_are_no_copies() -> None:
    field = luminance(smear(5, 0, white_cell=True, side=300))
    left, right = field[:, :250], field[:, 45:295]
    found = likeness(left, right)
    assert found is not None
    assert found.meets(Standard())
    assert not found.copies(Standard())


def test_a_picture_turned_by_two_degrees_is_no_copy() -> None:
    image = eight(bases()["chest"]).rotate(2, Image.Resampling.BICUBIC)
    turned = gray(image)[20:-20, 20:-20]
    assert not is_copy(bases()["chest"], turned)


def test_blank_tiles_with_noise_of_their_own_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    assert not is_copy(rng.normal(0.5, 0.1, (128, 128)), rng.normal(0.5, 0.1, (128, 128)))


def test_a_shared_caption_makes_no_copies() -> None:
    def captioned(seed: int) -> Picture:
        rng = np.random.default_rng(seed)
        image = eight(np.clip(rng.normal(0.5, 0.02, (200, 260)), 0, 1))
        draw = ImageDraw.Draw(image)
        draw.text((5, 150), "University Hospital  R  12:34", fill=255, font_size=16)
        draw.text((5, 170), "Figure 3. Chest, supine, AP", fill=255, font_size=16)
        return gray(image)

    assert not is_copy(captioned(1), captioned(2))


def test_a_shared_ruler_makes_no_copies() -> None:
    def with_ruler(seed: int) -> Picture:
        skin = luminance(smear(seed, 0, white_cell=False, side=240)) * 0.8
        skin[-24:] = 1.0
        for x in range(0, 240, 6):
            skin[-24 : -24 + (16 if x % 30 == 0 else 8), x : x + 2] = 0
        return skin

    assert not is_copy(with_ruler(1), with_ruler(2))


def test_neighbouring_slices_are_no_copies() -> None:
    """A volume of drifting blobs: neighbours share their low frequencies."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:128, :128].astype(float)
    centres, drift = rng.uniform(0, 128, (120, 2)), rng.normal(0, 1.5, (120, 2))
    radius = rng.uniform(2, 9, 120)
    slices = []
    for z in range(3):
        blobs = [
            np.exp(-(((y - c[0] - z * d[0]) ** 2 + (x - c[1] - z * d[1]) ** 2) / r**2))
            for c, d, r in zip(centres, drift, radius, strict=True)
        ]
        slices.append(np.sum(blobs, axis=0) / 3)
    assert not is_copy(slices[0], slices[1])
    assert not is_copy(slices[1], slices[2])
    assert is_copy(slices[0], slices[0] ** 1.2)


def test_neighbouring_slices_of_electron_microscopy_are_no_copies(real_data: Path) -> None:
    files = sorted((real_data / "images/em_membrane/image").iterdir())[:12]
    slices = [gray(Image.open(f)) for f in files]
    assert not any(is_copy(a, b) for a, b in pairwise(slices))


def book_of(**stacks: list[Picture]) -> Sketches:
    book = Sketches()
    for name, frames in stacks.items():
        book.add(name, sketch_of([f.astype(np.float32) for f in frames], frames=len(frames), levels=255))
    return book


def test_stacks_are_compared_whole_and_may_be_reversed() -> None:
    a, b, c, d = (radiograph(p, 0, opacity=False, side=128) for p in range(4))
    changed = [x[:, ::-1] ** 1.2 for x in (a, b, c)]
    book = book_of(one=[a, b, c], again=changed, back=[c, b, a], other=[a, b, d], two=[a, b])
    verifier = Verifier(sketches=book)
    again = verifier.verify("one", "again")
    assert again is not None
    assert again.copy
    assert again.how == "flipped left to right"
    back = verifier.verify("one", "back")
    assert back is not None
    assert back.how == "the same view, frames reversed"
    assert verifier.verify("one", "other") is None
    assert verifier.verify("one", "two") is None


def test_frames_that_lie_differently_are_no_copy_of_a_stack() -> None:
    a, b, c = (radiograph(p, 0, opacity=False, side=128) for p in range(3))
    verifier = Verifier(sketches=book_of(one=[a, b, c], mixed=[a, b[:, ::-1], c]))
    assert verifier.verify("one", "mixed") is None


def test_many_pairs_get_the_answers_that_each_gets_alone_whatever_the_threads() -> None:
    chests = {f"r{p}": [radiograph(p, 0, opacity=False, side=96)] for p in range(13)}
    chests |= {f"copy{p}": [radiograph(p, 0, opacity=False, side=96)[:, ::-1] ** 1.2] for p in range(4)}
    book = book_of(**chests)
    pairs = list(combinations(chests, 2))
    assert len(pairs) > BATCH
    alone = [Verifier(sketches=book).verify(*pair) for pair in pairs]
    assert sum(same is not None for same in alone) == 4
    for threads in (1, 3):
        assert list(Verifier(sketches=book, threads=threads).verify_all(pairs)) == alone
    assert list(Verifier(sketches=book).verify_all([])) == []


def test_a_picture_without_detail_matches_nothing() -> None:
    y, x = np.mgrid[:128, :128] / 128
    assert likeness((x + y) / 2, (x + y) / 2) is None
    assert isinstance(proof_of(np.zeros((64, 64), np.float32)), bytes)


def test_a_file_that_a_table_lists_often_is_kept_once_and_answers_for_each_of_its_records() -> None:
    rng = np.random.default_rng(5)
    one, other = (sketch_of([rng.random((90, 90)).astype(np.float32)], frames=1, levels=99) for _ in range(2))
    apart, shared = Sketches(), Sketches()
    apart.add("a", one)
    shared.add("a", one)
    shared.add("a#2", bytes(bytearray(one)))
    for sketches in (apart, shared):
        sketches.add("b", other)
    assert shared.frames == {"a": 1, "a#2": 1, "b": 1}
    assert shared.numbers("a#2") == shared.numbers("a") == range(0, 1)
    assert shared.numbers("b") == apart.numbers("b") == range(1, 2)
    wanted = apart.words_of(["a", "a", "b"])
    assert [words.tolist() for words in shared.words_of(["a", "a#2", "b"])] == [words.tolist() for words in wanted]
