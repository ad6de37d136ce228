from pathlib import Path

import numpy as np
import pytest
from builders import make_dataset
from PIL import Image

import medaudit
from auditor.check import SkipCheck
from auditor.checks.in015 import TurnedByTag
from auditor.values.results import Finding, Severity


def picture(seed: int, side: tuple[int, int] = (64, 96)) -> Image.Image:
    g = np.random.default_rng(seed)
    return Image.fromarray(g.integers(0, 256, side, dtype=np.uint8))


def save(path: Path, image: Image.Image, tag: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = tag
    image.save(path, **({"tiffinfo": {274: tag}} if path.suffix == ".tif" else {"exif": exif}))


def told(folder: Path, *codes: str) -> list[Finding]:
    result = medaudit.scan(folder, select=list(codes), workers=1)
    return [f for o in result.outcomes if o.verdict for f in o.verdict.findings]


def test_a_mask_that_fits_the_turned_picture_alone_is_told_with_its_cause(tmp_path: Path) -> None:
    for i, tag in enumerate((6, 8, 1, 3)):
        save(tmp_path / "images" / f"{i}.jpg", picture(i), tag)
        upright = (96, 64) if tag in (6, 8) else (64, 96)
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(np.eye(*upright, dtype=np.uint8) * 255).save(tmp_path / "masks" / f"{i}.png")
    found = told(tmp_path, "IN006", "IN015")
    sizes = [f for f in found if f.code == "IN006"]
    assert [f.where.path for f in sizes] == ["masks/0.png", "masks/1.png"]
    assert "the EXIF orientation 6 of the image says that it is to be turned by 90° clockwise" in sizes[0].message
    (tags,) = [f for f in found if f.code == "IN015"]
    assert tags.severity is Severity.WARNING
    assert tags.message.startswith("3 of 4 pictures have an EXIF orientation other than 1")


def test_a_mask_of_another_size_is_not_blamed_on_the_tag(tmp_path: Path) -> None:
    save(tmp_path / "images" / "0.jpg", picture(0), 6)
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.eye(50, dtype=np.uint8) * 255).save(tmp_path / "masks" / "0.png")
    (size,) = told(tmp_path, "IN006")
    assert "EXIF" not in size.message


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_a_tag_without_drawing_is_information_in_every_format(tmp_path: Path, suffix: str) -> None:
    for i in range(4):
        save(tmp_path / "ab"[i % 2] / f"{i}.{suffix}", picture(i), 8 if i == 0 else 1)
    (found,) = told(tmp_path, "IN015")
    assert found.severity is Severity.INFO
    assert "8 (turned by 270° clockwise)" in found.message


def test_copies_in_two_splits_that_differ_by_the_tag_alone_are_copies_and_told_so(tmp_path: Path) -> None:
    for i in range(4):
        save(tmp_path / "train" / "ab"[i % 2] / f"{i}.png", picture(i), 1)
        save(tmp_path / "test" / "ab"[i % 2] / f"{i}t.png", picture(i if i == 0 else 10 + i), 6)
    found = told(tmp_path, "SP002")
    assert found[0].severity is Severity.ERROR
    assert any("their EXIF orientation differs (1, 6)" in f.message for f in found)


def test_files_as_they_lie_are_silent_and_none_at_all_is_skipped() -> None:
    read = {"container.width": [9.0] * 3, "container.exif_orientation": [1.0, None, 77.0]}
    assert TurnedByTag().run(make_dataset(n=3, metadata=read)).findings == ()
    with pytest.raises(SkipCheck, match="no file was read"):
        TurnedByTag().run(make_dataset(n=3))
