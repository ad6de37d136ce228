import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from builders import write_folder
from PIL import Image

from auditor.degrade.encode import write_image
from auditor.degrade.phantom import radiograph
from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.errors import DatasetError
from trainers.decoding.pictures import read_pictures, take_place
from trainers.values.pictures import Pictures

Image8 = npt.NDArray[np.uint8]


def read(root: Path, work: Path, **options: object) -> Pictures:
    dataset, _ = extract(open_dataset(root, Options()), Pass(workers=0))
    return read_pictures(dataset, work=work, workers=0, **options)  # type: ignore[arg-type]


def noise(seed: int, shape: tuple[int, ...] = (24, 20)) -> Image8:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def test_small_pictures_of_one_8_bit_format_keep_their_values(tmp_path: Path) -> None:
    images = [noise(i) for i in range(6)]
    write_folder(tmp_path / "set", {"a": images[:3], "b": images[3:]})
    pictures = read(tmp_path / "set", tmp_path / "work")
    assert pictures.array.dtype == np.uint8
    assert pictures.shape == (24, 20)
    assert pictures.channels == 1
    assert pictures.readable.all()
    np.testing.assert_array_equal(pictures.array[:, 0], np.stack(images))


def test_container_and_depth_cannot_be_read_off_the_pixels(tmp_path: Path) -> None:
    plane = radiograph(3, 0, opacity=True, side=64)
    root = tmp_path / "set" / "a"
    root.mkdir(parents=True)
    (tmp_path / "set" / "b").mkdir()
    for i, kind in enumerate(("png8", "png16", "dicom8", "dicom12", "dicom16", "tiff16", "nifti16")):
        suffix = {"dicom": ".dcm", "nifti": ".nii.gz"}.get(kind.rstrip("0123456789"), ".png" if "png" in kind else ".tif")
        write_image(root / f"{i}{suffix}", plane, kind, seed=i)
    tags = {"PhotometricInterpretation": "MONOCHROME1"}
    write_image(tmp_path / "set" / "b" / "7.dcm", 1 - plane, "dicom16", seed=7, tags=tags)
    pictures = read(tmp_path / "set", tmp_path / "work")
    assert pictures.readable.all()
    assert pictures.array.dtype == np.uint8  # not every file is deeper than 8 bits
    low, high = np.percentile(plane, (1, 99))
    expected = np.rint(np.clip((plane - low) / (high - low), 0, 1) * 255)
    assert np.abs(pictures.array[:, 0] - expected[None]).max() <= 2
    assert np.ptp(pictures.array.mean(axis=(1, 2, 3))) < 0.6


def test_a_collection_deeper_than_8_bits_stays_so(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(32, 32)
    write_folder(tmp_path / "set", {"a": [ramp], "b": [ramp[::-1]]}, formats="png16")
    pictures = read(tmp_path / "set", tmp_path / "work")
    assert pictures.array.dtype == np.uint16
    assert pictures.top == 65535
    assert len(np.unique(pictures.array[0])) > 900


def test_a_second_run_decodes_nothing_and_changed_content_is_read_anew(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", {"a": [noise(0)], "b": [noise(1)]})
    first = read(tmp_path / "set", tmp_path / "work")
    again = read(tmp_path / "set", tmp_path / "work")
    assert (first.decoded, again.decoded) == (2, 0)
    np.testing.assert_array_equal(first.array, again.array)
    write_image(tmp_path / "set" / "a" / "000.png", noise(2), "png8")
    changed = read(tmp_path / "set", tmp_path / "work")
    assert changed.decoded == 2
    np.testing.assert_array_equal(changed.array[0, 0], noise(2))
    assert (tmp_path / "work").stat().st_mode & 0o777 == 0o700


def test_an_unreadable_file_is_marked_and_the_others_are_read(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", {"a": [noise(0), noise(1)], "b": [noise(2)]})
    broken = tmp_path / "set" / "a" / "001.png"
    broken.write_bytes(broken.read_bytes()[:60])
    pictures = read(tmp_path / "set", tmp_path / "work")
    assert pictures.readable.tolist() == [True, False, True]
    assert not pictures.array[1].any()
    np.testing.assert_array_equal(pictures.array[2, 0], noise(2))


def test_a_file_that_breaks_after_the_scan_is_marked(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", {"a": [noise(0), noise(1)], "b": [noise(2)]})
    dataset, _ = extract(open_dataset(tmp_path / "set", Options()), Pass(workers=0))
    (tmp_path / "set" / "a" / "001.png").write_bytes(b"")
    pictures = read_pictures(dataset, work=tmp_path / "work", workers=0)
    assert pictures.readable.tolist() == [True, False, True]


def test_workers_give_the_same_as_this_process(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", {"a": [noise(i) for i in range(4)], "b": [noise(9)]})
    dataset, _ = extract(open_dataset(tmp_path / "set", Options()), Pass(workers=0))
    here = read_pictures(dataset, work=tmp_path / "here", workers=0)
    there = read_pictures(dataset, work=tmp_path / "there", workers=1)
    assert there.decoded == 5
    np.testing.assert_array_equal(here.array, there.array)


def test_items_of_an_npz_are_pictures(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 28, 28)).astype(np.uint8)
    root = tmp_path / "set"
    root.mkdir()
    np.savez(root / "some.npz", train_images=images, train_labels=np.arange(7)[:, None] % 2)
    pictures = read(root, tmp_path / "work")
    assert pictures.decoded == 7
    np.testing.assert_array_equal(pictures.array[:, 0], images)


def test_colour_is_kept_only_where_channels_differ(tmp_path: Path) -> None:
    grey = np.repeat(noise(0)[..., None], 3, axis=2)
    colour = noise(1, (24, 20, 3))
    write_folder(tmp_path / "grey", {"a": [grey], "b": [grey[::-1]]})
    assert read(tmp_path / "grey", tmp_path / "work").channels == 1
    write_folder(tmp_path / "mixed", {"a": [grey], "b": [colour]})
    pictures = read(tmp_path / "mixed", tmp_path / "work")
    assert pictures.channels == 3
    np.testing.assert_array_equal(pictures.array[0], np.moveaxis(grey, 2, 0))
    np.testing.assert_array_equal(pictures.array[1], np.moveaxis(colour, 2, 0))


def test_large_pictures_shrink_by_area_and_an_array_over_the_budget_is_mapped(tmp_path: Path) -> None:
    image = noise(0, (128, 256))
    write_folder(tmp_path / "set", {"a": [image], "b": [image[::-1]]})
    pictures = read(tmp_path / "set", tmp_path / "work", most=64, memory_bytes=1)
    assert pictures.shape == (32, 64)
    assert isinstance(pictures.array, np.memmap)
    blocks = image.reshape(32, 4, 64, 4).mean(axis=(1, 3))
    assert np.abs(pictures.array[0, 0].astype(float) - blocks).max() <= 1


def test_volumes_stay_volumes_and_single_frames_beside_them_make_pictures(tmp_path: Path) -> None:
    volume = np.random.default_rng(0).integers(0, 256, (6, 16, 16)).astype(np.uint8)
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        np.save(tmp_path / "set" / name / "v.npy", volume)
    pictures = read(tmp_path / "set", tmp_path / "work")
    assert pictures.shape == (6, 16, 16)
    np.testing.assert_array_equal(pictures.array[0, 0], volume)
    np.save(tmp_path / "set" / "a" / "w.npy", volume[0])
    flat = read(tmp_path / "set", tmp_path / "work")
    assert flat.shape == (16, 16)
    np.testing.assert_array_equal(flat.array[0, 0], volume[3])


def masked_set(root: Path, white: int) -> list[Image8]:
    """Three pictures, masks for the first two."""
    (root / "masks").mkdir(parents=True)
    (root / "images").mkdir()
    drawn = []
    for i in range(3):
        Image.fromarray(noise(i, (32, 32))).save(root / "images" / f"{i}.png")
        mask = np.zeros((32, 32), np.uint8)
        mask[4 : 12 + i, 6:20] = white
        drawn.append(mask)
        if i < 2:
            Image.fromarray(mask).save(root / "masks" / f"{i}.png")
    rows = ["image,mask", *(f"images/{i}.png,{f'masks/{i}.png' if i < 2 else ''}" for i in range(3))]
    (root / "table.csv").write_text("\n".join(rows) + "\n")
    return drawn


def test_masks_are_class_maps_in_the_geometry_of_the_pictures(tmp_path: Path) -> None:
    drawn = masked_set(tmp_path / "set", 255)
    dataset, _ = extract(open_dataset(tmp_path / "set", Options()), Pass(workers=0))
    assert dataset.records["mask"].notna().tolist() == [True, True, False]
    pictures = read_pictures(dataset, work=tmp_path / "work", workers=0, masks=True)
    assert pictures.masks is not None
    assert pictures.masked is not None
    assert pictures.mask_values == (0, 255)
    assert pictures.masked.tolist() == [True, True, False]
    for i in range(2):
        np.testing.assert_array_equal(pictures.masks[i], drawn[i] // 255)
    assert (pictures.masks[2] == 255).all()  # nobody knows
    half = read_pictures(dataset, work=tmp_path / "work", workers=0, masks=True, side=16)
    assert half.masks is not None
    np.testing.assert_array_equal(half.masks[0], drawn[0][1::2, 1::2] // 255)


def test_masks_are_wanted_and_there_are_none(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", {"a": [noise(0)], "b": [noise(1)]})
    with pytest.raises(DatasetError, match="mask"):
        read(tmp_path / "set", tmp_path / "work", masks=True)


def test_another_collection_is_decoded_alike_and_comes_after(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", {"a": [noise(0)], "b": [noise(1)]})
    write_folder(tmp_path / "pool", {"x": [noise(2), noise(3)]}, formats="dicom16")
    one, two = (
        extract(open_dataset(tmp_path / name, Options()), Pass(workers=0))[0] for name in ("set", "pool")
    )  # fmt: skip
    alone = read_pictures(one, work=tmp_path / "work", workers=0)
    both = read_pictures(one, more=[two], work=tmp_path / "work", workers=0)
    assert len(alone.array) == 2
    assert len(both.array) == 4
    assert both.readable.all()
    assert both.array.dtype == np.uint8
    # two containers now: all pictures are windowed alike
    low, high = np.percentile(noise(2), (1, 99))
    expected = np.clip((noise(2) - low) / (high - low), 0, 1) * 255
    assert np.abs(both.array[2, 0] - expected).max() <= 1.5


def test_a_dataset_without_readable_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    pd.DataFrame({"image": ["a.png", "b.png"], "label": ["x", "y"]}).to_csv(tmp_path / "set" / "labels.csv", index=False)
    with pytest.raises(DatasetError, match="no picture"):
        read(tmp_path / "set", tmp_path / "work")


def test_two_processes_that_decode_the_same_do_not_hinder_each_other(tmp_path: Path) -> None:
    draft, done = tmp_path / "draft", tmp_path / "done"
    for folder in (draft, done):
        folder.mkdir()
        np.save(folder / "readable.npy", np.ones(1, bool))
    take_place(draft, done)
    assert (done / "readable.npy").is_file()
    (done / "readable.npy").rename(done / "other.npy")
    with pytest.raises(OSError):
        take_place(draft, done)


def test_proportions_are_kept_with_bars_and_masks_know_nothing_there(tmp_path: Path) -> None:
    for kind in ("images", "masks"):
        (tmp_path / "set" / kind).mkdir(parents=True)
    for i, (height, width) in enumerate([(20, 40), (20, 40), (20, 40), (40, 40), (40, 10)]):
        Image.fromarray(np.full((height, width), 200, np.uint8)).save(tmp_path / "set" / "images" / f"{i}.png")
        Image.fromarray(np.full((height, width), 255, np.uint8)).save(tmp_path / "set" / "masks" / f"{i}.png")
    pictures = read(tmp_path / "set", tmp_path / "work", masks=True, side=40)
    assert pictures.shape == (20, 40)
    assert (pictures.array[:3] == 200).all()
    for row, columns in ((3, slice(10, 30)), (4, slice(17, 22))):
        inside = np.zeros((20, 40), bool)
        inside[:, columns] = True
        assert ((pictures.array[row, 0] == 200) == inside).all()
        assert pictures.masks is not None
        assert (pictures.masks[row] == np.where(inside, 1, 255)).all()


HUGE = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,), }"


@pytest.mark.parametrize("name", ["array.npy", "readable.npy", "masks.npy", "masked.npy"])
@pytest.mark.parametrize(
    "make",
    [
        lambda old: b"",
        lambda old: old[:-1],
        lambda old: old.replace(b"'descr': '|", b"'descr': '<", 1)[:64],
        lambda old: (
            b"\x93NUMPY\x01\x00v\x00"
            + b"{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,), }".ljust(117)
            + b"\n"
        ),
        lambda old: b"PK\x05\x06" + bytes(18),
        lambda old: b"\x80\x04N.",
        lambda old: saved(np.zeros((3, 2), np.float64)),
        lambda old: saved(np.array([{}, []], object)),
    ],
    ids=["empty", "cut off", "a header alone", "a terabyte", "a zip", "a pickle", "of other numbers", "of objects"],
)
def test_what_an_interrupted_run_left_is_taken_up_whole_or_decoded_anew(
    tmp_path: Path, name: str, make: Callable[[bytes], bytes]
) -> None:
    masked_set(tmp_path / "set", 255)
    whole = read(tmp_path / "set", tmp_path / "work", masks=True)
    assert read(tmp_path / "set", tmp_path / "work", masks=True).decoded == 0
    kept = next((tmp_path / "work").rglob(name))
    kept.write_bytes(make(kept.read_bytes()))
    again = read(tmp_path / "set", tmp_path / "work", masks=True)
    assert again.decoded == whole.decoded
    for one, other in ((again.array, whole.array), (again.readable, whole.readable), (again.masks, whole.masks)):
        np.testing.assert_array_equal(one, other)
    assert len(list((tmp_path / "work").iterdir())) == 1


def test_a_run_that_was_killed_while_it_tidied_up_hinders_no_other(tmp_path: Path) -> None:
    masked_set(tmp_path / "set", 255)
    read(tmp_path / "set", tmp_path / "work", masks=True)
    next((tmp_path / "work").rglob("array.npy")).unlink()
    assert read(tmp_path / "set", tmp_path / "work", masks=True).decoded > 0


def saved(array: npt.NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()
