"""What the documented structures of public collections mean, where a misread would be silent: classes that are none, masks of
the wrong kind, labels of the wrong column. Each general rule has collections of several fields behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

import medaudit
from auditor.layout import Options, open_dataset
from auditor.naming.acquisition import acquisition_kind, are_sites
from auditor.naming.folder_names import splits_among
from auditor.values.dataset import Dataset
from tests.auditor.layouts.public_kit import Kit


def opened(root: Path) -> Dataset:
    return open_dataset(root, Options(workers=0))


def masks_of(dataset: Dataset) -> dict[str, str]:
    return dataset.records.set_index("path")["mask"].dropna().to_dict()


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("axial", "coronal", "sagittal"), "view"),
        (("CT", "MR"), "modality"),
        (("IXI-T1", "IXI-T2", "IXI-PD"), "sequence"),
        (("arterial", "portal-venous", "delayed"), "phase"),
        (("Bosch", "Forus", "Remidio"), "device"),
        (("GE3T", "GE1.5T", "Philips_VU"), None),
        (("GE3T", "GE1.5T"), "device"),
        (("InPhase", "OutPhase"), "sequence"),
        (("CT_COVID", "CT_NonCOVID"), None),
        (("CT-0", "CT-1", "CT-2"), None),
        (("cardiomegaly", "normal"), None),
        (("MR", "AS", "normal"), None),
    ],
)
def test_names_say_how_pictures_were_taken_or_what_they_show(names: tuple[str, ...], kind: str | None) -> None:
    assert acquisition_kind(names) == kind


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (("Utrecht", "Singapore", "Amsterdam"), True),
        (("Hospital_A", "Hospital_B"), True),
        (("Leuven", "Basel", "Xyz"), True),
        (("benign", "malignant"), False),
        (("nevus", "melanoma", "Paris"), False),
    ],
)
def test_towns_and_hospitals_are_sites(names: tuple[str, ...], places: bool) -> None:
    assert are_sites(names) is places


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("TrainingData", "TestData"), ["train", "test"]),
        (("ISIC2018_Task1-2_Training_Input", "ISIC2018_Task1-2_Test_Input"), ["train", "test"]),
        (("train_benign", "test_benign"), ["train", "test"]),
        (("benign", "test"), []),
    ],
)
def test_splits_are_read_beside_words_that_all_folders_share(names: tuple[str, ...], splits: list[str]) -> None:
    assert list(splits_among(names).values()) == splits


@pytest.mark.parametrize("folders", [("axial", "coronal"), ("Siemens", "GE"), ("venous", "arterial"), ("Utrecht", "Basel")])
def test_folders_of_views_scanners_phases_and_towns_are_no_classes(tmp_path: Path, folders: tuple[str, str]) -> None:
    kit = Kit(tmp_path)
    for number in range(24):
        kit.picture(f"{folders[number % 2]}/{number * 17:04d}.png")
    dataset = opened(tmp_path)
    assert dataset.labels.task == "none"
    assert dataset.has("site") or any("--label folder:1" in note for note in dataset.summary.notes)
    assert medaudit.scan(tmp_path, workers=0, cache=False).gate.verdict == "not enough seen"
    assert open_dataset(tmp_path, Options(workers=0, roles={"label": "folder:1"})).labels.classes == tuple(sorted(folders))


def test_classes_below_towns_are_read_with_their_site(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    for number in range(24):
        kit.picture(f"{('Guangzhou', 'Leuven')[number % 2]}/{('benign', 'malignant')[number // 2 % 2]}/x{number:03d}.png")
    dataset = opened(tmp_path)
    assert dataset.labels.classes == ("benign", "malignant")
    assert set(dataset.records["site"]) == {"Guangzhou", "Leuven"}


def test_cases_that_are_numbered_anew_at_each_site_are_as_many_patients(tmp_path: Path) -> None:
    """WMH: `Utrecht/0/pre/FLAIR` beside `Amsterdam/GE3T/100/pre/FLAIR`, the mask above `pre`."""
    kit = Kit(tmp_path)
    drawn = {}
    for site, first in (("Utrecht", 0), ("Singapore", 50), ("Amsterdam/GE3T", 100), ("Amsterdam/GE1T5", 0)):
        for case in range(first, first + 4):
            place = f"training/{site}/{case}"
            mask = kit.drawing(f"{place}/wmh.nii.gz")
            drawn |= {kit.picture(f"{place}/pre/{name}.nii.gz"): mask for name in ("FLAIR", "T1")}
    dataset = opened(tmp_path)
    assert dataset.labels.task == "none"
    assert masks_of(dataset).items() <= drawn.items()
    people = dataset.records[["path", "patient"]].dropna()
    assert people.assign(case=people["path"].str.rpartition("/pre/")[0]).groupby("case")["patient"].nunique().max() == 1
    assert people["patient"].nunique() >= 12


def test_a_drawing_is_told_by_what_it_holds_where_its_ending_says_nothing(tmp_path: Path) -> None:
    """Herlev: `149143370-001.BMP` and `149143370-001-d.bmp`, in folders of classes."""
    kit = Kit(tmp_path)
    drawn = {}
    for number in range(24):
        stem = f"{('normal_columnar', 'carcinoma_in_situ')[number % 2]}/{149143370 + number}-001"
        picture = kit.picture(f"{stem}.BMP")
        drawn[picture] = kit.drawing(f"{stem}-d.bmp", values=3)
    dataset = opened(tmp_path)
    assert masks_of(dataset) == drawn
    assert dataset.labels.classes == ("carcinoma_in_situ", "normal_columnar")


def test_a_second_picture_that_ends_otherwise_stays_a_record(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    for number in range(24):
        stem = f"{('benign', 'malignant')[number % 2]}/{number * 31:05d}"
        kit.picture(f"{stem}.png")
        kit.picture(f"{stem}-r.png")
    assert opened(tmp_path).size == 48


def test_of_several_masks_the_one_of_what_is_sought_is_taken_before_the_field_of_view(tmp_path: Path) -> None:
    """DRIVE: `1st_manual` beside `mask`, in the test part also `2nd_manual`."""
    kit = Kit(tmp_path)
    drawn = {}
    for split, tail, first in (("training", "training", 21), ("test", "test", 1)):
        for number in range(first, first + 6):
            picture = kit.picture(f"{split}/images/{number:02d}_{tail}.tif")
            drawn[picture] = kit.drawing(f"{split}/1st_manual/{number:02d}_manual1.gif")
            kit.drawing(f"{split}/mask/{number:02d}_{tail}_mask.gif")
            if split == "test":
                kit.drawing(f"{split}/2nd_manual/{number:02d}_manual2.gif")
    assert masks_of(opened(tmp_path)) == drawn


def test_drawings_in_the_folder_of_a_case_are_those_of_its_phases(tmp_path: Path) -> None:
    """CHAOS: one drawing for in and out of phase; of CT, names that share a number alone; CT and MR are no classes."""
    kit = Kit(tmp_path)
    drawn = {}
    for case in range(1, 4):
        for number in range(1, 4):
            mask = f"MR/{case}/T1DUAL/Ground/IMG-0004-{number:05d}.png"
            for phase in ("InPhase", "OutPhase"):
                drawn[kit.picture(f"MR/{case}/T1DUAL/DICOM_anon/{phase}/IMG-0004-{number:05d}.dcm")] = kit.drawing(mask)
            mask = f"MR/{case}/T2SPIR/Ground/IMG-0004-{number:05d}.png"
            drawn[kit.picture(f"MR/{case}/T2SPIR/DICOM_anon/IMG-0004-{number:05d}.dcm")] = kit.drawing(mask)
            mask = f"CT/{case}/Ground/liver_GT_{number:03d}.png"
            drawn[kit.picture(f"CT/{case}/DICOM_anon/i{number:04d},0000b.dcm")] = kit.drawing(mask)
    dataset = opened(tmp_path)
    assert dataset.labels.task == "none"
    assert masks_of(dataset) == drawn


def test_tables_of_a_test_split_without_labels_go_on_where_those_of_training_end(tmp_path: Path) -> None:
    """APTOS: `train.csv` (id_code, diagnosis) and `test.csv` (id_code)."""
    kit = Kit(tmp_path)
    for split, count in (("train", 20), ("test", 6)):
        names = [kit.picture(f"{split}_images/{split}{n:04d}a.png") for n in range(count)]
        rows = [(name.rpartition("/")[2][:-4], n % 5)[: 2 if split == "train" else 1] for n, name in enumerate(names)]
        kit.table(f"{split}.csv", "id_code,diagnosis" if split == "train" else "id_code", rows)
    kit.table("sample_submission.csv", "id_code,diagnosis", [(f"test{n:04d}a", 0) for n in range(6)])
    dataset = opened(tmp_path)
    assert dataset.records["split"].value_counts().to_dict() == {"train": 20, "test": 6}
    assert dataset.labels.task == "ordinal"
    assert dataset.labels.values is not None
    assert dataset.labels.values[dataset.records["split"] == "test"].isna().all()
    assert [problem.kind for problem in dataset.problems if problem.path == "sample_submission.csv"] == ["table-aside"]


def test_places_in_an_image_label_the_place_and_not_the_image(tmp_path: Path) -> None:
    """LUNA16: `candidates.csv` has a class for each place in world coordinates."""
    kit = Kit(tmp_path)
    names = [kit.picture(f"subset{n % 3}/1.3.6.1.{100225 + n}.nii.gz") for n in range(12)]
    rows = [(name.rpartition("/")[2][:-7], -56.1 - n, 67.8, -311.9, int(n == 0)) for name in names for n in range(4)]
    kit.table("candidates.csv", "seriesuid,coordX,coordY,coordZ,class", rows)
    dataset = opened(tmp_path)
    assert (dataset.size, dataset.labels.task) == (12, "none")


def test_coordinates_are_no_labels_and_folders_say_the_class(tmp_path: Path) -> None:
    """REFUGE: `Fovea_location` beside folders of classes."""
    kit = Kit(tmp_path)
    rows = []
    for number in range(24):
        name = f"{'gn'[number % 2]}{number:04d}.jpg"
        kit.picture(f"Training400/{('Glaucoma', 'Non-Glaucoma')[number % 2]}/{name}")
        rows.append((number, name, 12.5 + number, 11.25))
    kit.table("Fovea_location.csv", "ID,ImgName,Fovea_X,Fovea_Y", rows)
    assert opened(tmp_path).labels.classes == ("Glaucoma", "Non-Glaucoma")


def test_a_column_called_like_a_disease_is_the_label_before_a_property_of_the_picture(tmp_path: Path) -> None:
    """RSNA breast: `cancer` beside `density`."""
    kit = Kit(tmp_path)
    rows = []
    for number in range(24):
        kit.picture(f"train_images/{10006 + number // 2}/{462822612 + number}.png")
        rows.append((10006 + number // 2, 462822612 + number, "LR"[number % 2], int(number % 5 == 0), "ABCD"[number % 4]))
    kit.table("train.csv", "patient_id,image_id,laterality,cancer,density", rows)
    labels = opened(tmp_path).labels
    assert (labels.origin, labels.classes) == ("cancer", ("0", "1"))


def test_of_two_tables_of_the_same_images_the_one_with_boxes_is_read(tmp_path: Path) -> None:
    """RSNA pneumonia: `train_labels` (a row per box) beside `detailed_class_info`."""
    kit = Kit(tmp_path)
    boxes, classes = [], []
    for number in range(18):
        name, sick = f"a{number:07d}-44e6", number % 3 == 0
        kit.picture(f"stage_2_train_images/{name}.dcm")
        boxes += [(name, *((2.0, 3.0, 8.0, 9.0) if sick else ("", "", "", "")), int(sick))] * (2 if sick else 1)
        classes.append((name, "Lung Opacity" if sick else "Normal"))
    kit.table("stage_2_train_labels.csv", "patientId,x,y,width,height,Target", boxes)
    kit.table("stage_2_detailed_class_info.csv", "patientId,class", classes)
    dataset = opened(tmp_path)
    assert (len(dataset.boxes), dataset.labels.classes) == (12, ("0", "1"))


@pytest.mark.parametrize("stem", ["9{:06d}{}", "Image_{:02d}{}", "RET{:03d}O{}"])
def test_both_sides_of_one_number_are_one_patient(tmp_path: Path, stem: str) -> None:
    kit = Kit(tmp_path)
    for number in range(12):
        for side in ("D", "S") if stem.startswith("RET") else ("L", "R"):
            kit.picture(f"{('normal', 'glaucoma')[number % 2]}/{stem.format(number + 1, side)}.png")
    assert opened(tmp_path).records["patient"].nunique() == 12
