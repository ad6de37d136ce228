from pathlib import Path

import numpy as np
from builders import write_folder
from PIL import Image

from auditor.evidence.masks.mask_facts import MASK_COLUMNS, NUMBERS, mask_numbers
from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.image import Header, Pixels


def facts_of(array: np.ndarray) -> dict[str, float]:
    header = Header(format="png", shape=array.shape)
    return dict(zip(NUMBERS, mask_numbers(header, Pixels(array=array[None])).tolist(), strict=False))


def test_shape_values_and_objects_are_counted() -> None:
    mask = np.zeros((40, 50), np.uint8)
    mask[2:8, 2:8] = 1
    mask[20:30, 20:30] = 2
    found = facts_of(mask)
    assert (found["height"], found["width"], found["distinct"], found["components"]) == (40, 50, 3, 2)
    assert found["foreground_fraction"] == np.float32(136 / 2000)


def test_a_mask_saved_in_colour_is_one_of_one_channel() -> None:
    mask = np.zeros((20, 20, 3), np.uint8)
    mask[3:5, 3:5] = 255
    assert facts_of(mask)["distinct"] == 2


def test_the_pass_measures_masks_and_remembers_them(tmp_path: Path) -> None:
    images = [np.random.default_rng(i).integers(0, 255, (32, 32)).astype(np.uint8) for i in range(4)]
    write_folder(tmp_path / "data" / "images", {"a": images})
    for i in range(4):
        folder = tmp_path / "data" / "masks" / "a"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(((images[i] > 128) * 255).astype(np.uint8)).save(folder / f"{i:03d}.png")
    (tmp_path / "data" / "masks" / "a" / "003.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    dataset = open_dataset(tmp_path / "data", Options())
    how = Pass(workers=0, cache=tmp_path / "cache")
    first, counts = extract(dataset, how)
    assert counts == {"decoded": 7, "cached": 0}
    assert tuple(first.masks.columns) == MASK_COLUMNS
    assert first.masks["values"].tolist()[:3] == ["0 255"] * 3
    assert [p.path for p in first.problems] == ["masks/a/003.png"]
    second, counts = extract(dataset, how)
    assert counts == {"decoded": 0, "cached": 7}
    assert second.masks.equals(first.masks)
    assert set(second.thumbnails) == set(map(str, dataset.records.index))


def test_a_mask_outside_the_dataset_is_not_opened(tmp_path: Path) -> None:
    write_folder(tmp_path / "data", {"a": [np.zeros((8, 8), np.uint8)]})
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "secret.png")
    dataset = open_dataset(tmp_path / "data", Options())
    dataset.records["mask"] = "../secret.png"
    assert extract(dataset, Pass(workers=0))[0].masks["problem"].tolist() == ["missing"]
