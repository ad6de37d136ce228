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


def told(root: Path) -> dict[str, str]:
    """Path → kind, of labels that lie there and are not read."""
    return {problem.path: problem.kind for problem in opened(root).problems if problem.kind in ("unused-table", "table-aside")}


def test_lesions_of_a_second_table_are_joined_to_the_classes_of_the_first(tmp_path: Path) -> None:
    """ISIC 2019: classes one column each, lesions in the metadata."""
    kit = Kit(tmp_path)
    truth, about = [], []
    for number in range(24):
        kit.picture(f"ISIC_2019_Training_Input/ISIC_{number:07d}.jpg")
        truth.append((f"ISIC_{number:07d}", *(float(number // 3 % 3 == kind) for kind in range(3))))
        about.append((f"ISIC_{number:07d}", 40 + number, f"MSK4_{number // 3:07d}", "male"))
    kit.table("ISIC_2019_Training_GroundTruth.csv", "image,MEL,NV,BCC", truth)
    kit.table("ISIC_2019_Training_Metadata.csv", "image,age_approx,lesion_id,sex", about)
    dataset = opened(tmp_path)
    assert dataset.labels.classes == ("BCC", "MEL", "NV")
    assert dataset.records["lesion"].nunique() == 8
    assert any("lesion_id: joined from" in note for note in dataset.summary.notes)
    assert not told(tmp_path)


def test_the_split_of_one_table_and_the_findings_of_another_are_joined_by_study(tmp_path: Path) -> None:
    """MIMIC-CXR: metadata and split of images, findings of studies."""
    kit = Kit(tmp_path)
    about, splits, findings = [], [], []
    for number in range(24):
        person, study = 10000032 + number // 4, 50414267 + number // 2
        name = f"d{number:04d}-4e5f"
        kit.picture(f"files/p10/p{person}/s{study}/{name}.jpg")
        about.append((name, person, study, "PA"))
        splits.append((name, study, person, ("train", "validate", "test")[number // 4 % 3]))
        if number % 2:
            findings.append((person, study, "1.0" if study % 3 else "", "1.0" if study % 3 == 0 else "", "0.0"))
    kit.table("metadata.csv", "dicom_id,subject_id,study_id,ViewPosition", about)
    kit.table("split.csv", "dicom_id,study_id,subject_id,split", splits)
    kit.table("chexpert.csv", "subject_id,study_id,Edema,Pneumonia,Fracture", findings)
    dataset = opened(tmp_path)
    assert dataset.records["split"].value_counts().to_dict() == {"train": 8, "val": 8, "test": 8}
    assert (dataset.records["patient"].nunique(), dataset.records["study"].nunique()) == (6, 12)
    assert dataset.labels.classes == ("Edema", "Fracture", "Pneumonia")


def test_predictions_beside_a_table_are_joined_to_nothing(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    for number in range(12):
        kit.picture(f"images/x{number:03d}a.png")
    kit.table("a.csv", "image,diagnosis", [(f"x{n:03d}a", "ab"[n % 2]) for n in range(12)])
    kit.table("predictions.csv", "image,patient_id", [(f"x{n:03d}a", n // 2) for n in range(12)])
    assert not opened(tmp_path).has("patient")


@pytest.mark.parametrize(
    "names", [("train_val_list.txt", "test_list.txt"), ("Data-split/trainCT_COVID.txt", "Data-split/testCT_COVID.txt")]
)
def test_lists_of_images_say_the_split(tmp_path: Path, names: tuple[str, str]) -> None:
    """NIH ChestX-ray14; COVID-CT."""
    kit = Kit(tmp_path)
    paths = [kit.picture(f"{('covid', 'normal')[n % 2]}/{n:08d}_000.png") for n in range(24)]
    for name, part in zip(names, (paths[:16], paths[16:]), strict=True):
        kit.text(name, "\n".join(path.rpartition("/")[2] for path in part))
    assert opened(tmp_path).records["split"].value_counts().to_dict() == {"train": 16, "test": 8}


def test_a_text_of_names_and_classes_is_a_table(tmp_path: Path) -> None:
    """DDR: `train.txt` with `007-2890-100.jpg 0`; COVIDx parts four cells by spaces."""
    kit = Kit(tmp_path)
    truth = {}
    for split, count in (("train", 18), ("test", 12)):
        lines = []
        for number in range(count):
            name = f"007-{2890 + kit.count}-100.jpg"
            truth[kit.picture(f"DR_grading/{split}/{name}")] = str(number % 3)
            lines.append(f"{name} {number % 3}")
        kit.text(f"DR_grading/{split}.txt", "\n".join(lines))
    dataset = opened(tmp_path)
    assert dataset.labels.values is not None
    assert dict(zip(dataset.records["path"], dataset.labels.values, strict=True)) == truth
    assert dataset.records["split"].value_counts().to_dict() == {"train": 18, "test": 12}


def test_what_lies_beside_the_cases_and_is_not_read_is_told_and_no_pass(tmp_path: Path) -> None:
    """ACDC: the group of each patient stands in its `Info.cfg`; nobody says so else."""
    kit = Kit(tmp_path)
    for case in range(1, 9):
        stem = f"training/patient{case:03d}/patient{case:03d}_frame01"
        kit.picture(f"{stem}.nii.gz")
        kit.drawing(f"{stem}_gt.nii.gz")
        kit.text(f"training/patient{case:03d}/Info.cfg", f"ED: 1\nES: 12\nGroup: {('NOR', 'DCM')[case % 2]}\n")
    assert told(tmp_path) == {"training/patient001/Info.cfg": "unused-table"}


def test_run_lengths_are_told_and_no_pass(tmp_path: Path) -> None:
    """SIIM pneumothorax, HuBMAP."""
    kit = Kit(tmp_path)
    for number in range(12):
        kit.picture(f"train/x{number:03d}a.png")
    rows = [(f"x{n:03d}a", "100 5 24 6 24 7" if n % 2 else "-1") for n in range(12)]
    kit.table("train-rle.csv", "ImageId,EncodedPixels", rows)
    assert told(tmp_path)["train-rle.csv"] == "unused-table"


def test_outlines_that_are_called_after_the_images_are_told(tmp_path: Path) -> None:
    """SIPaKMeD: `CROPPED/001_01_cyt.dat`; PAPILA: `RET002OD_cup_exp1.txt`."""
    kit = Kit(tmp_path)
    for number in range(24):
        stem = f"{('glaucoma', 'normal')[number % 2]}/r{number:03d}"
        kit.picture(f"{stem}.png")
        kit.text(f"{stem}_cup.dat", "1.0,2.0\n3.0,4.0\n")
    assert set(told(tmp_path).values()) == {"unused-table"}


def test_folders_of_one_word_and_a_number_are_asked_about(tmp_path: Path) -> None:
    """MosMed: CT-0 to CT-4 are grades; `fold0` to `fold4` would be parts."""
    kit = Kit(tmp_path)
    for number in range(20):
        kit.picture(f"studies/CT-{number % 5}/study_{number:04d}.png")
    assert told(tmp_path) == {"CT-0": "unused-table"}


def test_parts_of_a_split_that_nnunet_does_not_know_are_read(tmp_path: Path) -> None:
    """AMOS: `imagesVa` and `labelsVa`."""
    kit = Kit(tmp_path)
    for part, first in (("Tr", 1), ("Va", 8)):
        for number in range(first, first + 4):
            kit.picture(f"images{part}/amos_{number:04d}.nii.gz")
            kit.drawing(f"labels{part}/amos_{number:04d}.nii.gz")
    kit.text("dataset.json", '{"modality": {"0": "CT"}, "labels": {"0": "background", "1": "spleen"}, "numTraining": 4}')
    dataset = opened(tmp_path)
    assert dataset.records["split"].value_counts().to_dict() == {"train": 4, "val": 4}
    assert len(masks_of(dataset)) == 8


def test_a_row_of_numbers_with_zeros_in_front_is_no_header(tmp_path: Path) -> None:
    """MRNet: `train-acl.csv` begins with `0000,0`."""
    kit = Kit(tmp_path)
    for number in range(12):
        kit.picture(f"train/{number:04d}.png")
    kit.table("train-acl.csv", None, [(f"{n:04d}", n % 2) for n in range(12)])
    dataset = opened(tmp_path)
    assert (dataset.size, dataset.labels.classes) == (12, ("0", "1"))
