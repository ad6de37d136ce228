"""Folders beside one another: which are classes, and which hold drawings of the same pictures."""

import numpy as np
import pytest
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.values.results import SURE

SIDE = 48


def photo(rng):
    return rng.integers(0, 256, (SIDE, SIDE)).astype(np.uint8)


def drawing(rng):
    y, x = np.mgrid[:SIDE, :SIDE]
    centre = rng.integers(15, 33, 2)
    return (((y - centre[0]) ** 2 + (x - centre[1]) ** 2 < 90) * 255).astype(np.uint8)


def make(root, folders, numbers=range(21, 31)):
    """folders: pattern with `{}` for the number → photo or drawing."""
    rng = np.random.default_rng(7)
    for number in numbers:
        for pattern, kind in folders.items():
            path = root / pattern.format(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(kind(rng)).save(path)
    return root


def opened(root, **options):
    return open_dataset(root, Options(workers=0, **options))


@pytest.mark.parametrize(
    "folders",
    [
        {"images/{}_training.tif": photo, "1st_manual/{}_manual1.gif": drawing, "2nd_manual/{}_manual2.gif": drawing},
        {"images/{}.png": photo, "1st_manual/{}.png": drawing, "2nd_manual/{}.png": drawing},
        {"Image_{}L.png": photo, "Image_{}L_1stHO.png": drawing, "Image_{}L_2ndHO.png": drawing},
        {"im00{}.png": photo, "im00{}.ah.png": drawing, "im00{}.vk.png": drawing},
        {"test/images/{}_test.tif": photo, "test/rater1/{}_r1.png": drawing, "test/rater2/{}_r2.png": drawing},
    ],
)
def test_two_experts_drawings_are_raters_and_no_classes(tmp_path, folders):
    dataset = opened(make(tmp_path, folders))
    assert dataset.labels.task == "none"
    assert dataset.size == 10
    assert dataset.rater_masks["rater"].nunique() == 2
    assert len(dataset.rater_masks) == 20


@pytest.mark.parametrize(
    "folders",
    [
        {"skin/lesion_{}.png": photo, "border/lesion_{}.png": drawing},
        {"skin/lesion_{}.jpg": photo, "border/lesion_{}.jpg": drawing},
        {"train/fundus/{}.png": photo, "train/vessels/{}.png": drawing},
        {"images/{}_dr.png": photo, "manual1/{}_dr.tif": drawing},
    ],
)
def test_few_values_under_the_same_names_are_masks_whatever_the_folder_is_called(tmp_path, folders):
    dataset = opened(make(tmp_path, folders))
    assert dataset.labels.task == "none"
    assert dataset.size == 10
    assert int(dataset.records["mask"].notna().sum()) == 10


@pytest.mark.parametrize(
    "folders",
    [
        {"CXR_png/MCU_{}.png": photo, "ManualMask/leftMask/MCU_{}.png": drawing, "ManualMask/rightMask/MCU_{}.png": drawing},
        {"case{}/images/whole.png": photo, "case{}/masks/cell1.png": drawing, "case{}/masks/cell2.png": drawing},
    ],
)
def test_masks_of_parts_belong_to_their_image(tmp_path, folders):
    dataset = opened(make(tmp_path, folders))
    assert dataset.labels.task == "none"
    assert dataset.size == 10
    assert int(dataset.records["mask"].notna().sum()) == 10


@pytest.mark.parametrize(
    "folders",
    [
        {"benign/{}.png": photo, "malignant/{}.png": photo},
        {"circle/{}.png": drawing, "square/{}.png": drawing},
        {"benign/benign ({}).png": photo, "malignant/malignant ({}).png": photo},
    ],
)
def test_classes_that_count_their_pictures_alike_stay_classes(tmp_path, folders):
    dataset = opened(make(tmp_path, folders))
    assert len(dataset.labels.classes) == 2
    assert next(g for g in dataset.summary.guesses if g.role == "label").confidence >= SURE


def test_classes_called_after_a_mask_of_cloth_are_no_drawings(tmp_path):
    dataset = opened(make(tmp_path, {"with_mask/{}.png": photo, "without_mask/{}.png": photo, "half_worn/{}.png": photo}))
    assert dataset.labels.classes == ("half_worn", "with_mask", "without_mask")


def test_classes_whose_masks_lie_in_one_folder_stay_classes(tmp_path):
    make(tmp_path, {"benign/b{}.png": photo, "masks/b{}.png": drawing})
    make(tmp_path, {"malignant/m{}.png": photo, "masks/m{}.png": drawing}, numbers=range(60, 70))
    dataset = opened(tmp_path)
    assert dataset.labels.classes == ("benign", "malignant")
    assert int(dataset.records["mask"].notna().sum()) == 20


def test_the_same_ids_in_every_folder_make_the_class_doubtful_and_a_pin_settles_it(tmp_path):
    make(tmp_path, {"one/{}.png": photo, "two/{}.png": photo}, numbers=[13, 571, 2044, 8121, 9004])
    guess = next(g for g in opened(tmp_path).summary.guesses if g.role == "label")
    assert guess.confidence < SURE
    assert "same names" in guess.why
    pinned = next(g for g in opened(tmp_path, roles={"label": "folder:1"}).summary.guesses if g.role == "label")
    assert (pinned.confidence, pinned.pinned) == (1.0, True)


def test_a_folder_of_drawings_with_other_names_makes_the_class_doubtful(tmp_path):
    make(tmp_path, {"one/a{}.png": photo})
    make(tmp_path, {"two/b{}.png": drawing}, numbers=range(60, 70))
    guess = next(g for g in opened(tmp_path).summary.guesses if g.role == "label")
    assert guess.confidence < SURE


def test_the_summary_shows_records_of_every_class(tmp_path):
    make(tmp_path, {"benign/{}.png": photo, "malignant/{}.png": photo})
    samples = opened(tmp_path).summary.samples
    assert set(samples) == {"benign", "malignant"}
    assert all(record.startswith(f"{name}/") for name, records in samples.items() for record in records)
    assert all(2 <= len(records) <= 4 for records in samples.values())


def test_folders_called_by_findings_are_classes_whatever_their_files_are_called(tmp_path):
    make(tmp_path, {"benign/{}.png": photo, "malignant/{}.png": photo}, numbers=[13, 571, 2044, 8121, 9004])
    guess = next(g for g in opened(tmp_path).summary.guesses if g.role == "label")
    assert guess.confidence >= SURE
