import numpy as np
import pytest
from PIL import Image

from auditor.layout import Options, detect, list_files, open_dataset


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def opened(root, **options):
    dataset = open_dataset(root, Options(**options))
    counts = dataset.summary.counts
    parts = ("images", "containers", "masks", "tables", "annotations", "other")
    assert counts["files"] == sum(counts.get(part, 0) for part in parts)
    assert dataset.records.index.is_unique
    return dataset


def column(dataset, name):
    return dataset.records[name].tolist()


def test_class_folders_are_the_label(tmp_path):
    make(tmp_path, *(f"{c}/{i}.png" for c in ("benign", "malignant") for i in range(3)))
    dataset = opened(tmp_path)
    assert dataset.summary.layout == "folders"
    assert dataset.labels.classes == ("benign", "malignant")
    assert dataset.labels.origin == "class folder"
    assert dataset.labels.values.tolist() == ["benign"] * 3 + ["malignant"] * 3
    assert dataset.labels.values.index.equals(dataset.records.index)


@pytest.mark.parametrize("pattern", ["{s}/{c}/{i}.jpg", "{c}/{s}/{i}.jpg", "data/{s}/images/{c}/{i}.jpg"])
def test_splits_and_classes_are_told_apart_in_any_order(tmp_path, pattern):
    names = [
        pattern.format(s=s, c=c, i=i) for s in ("train", "valid", "test") for c in ("NORMAL", "PNEUMONIA") for i in range(3)
    ]
    dataset = opened(make(tmp_path, *names))
    assert set(column(dataset, "split")) == {"train", "val", "test"}
    assert dataset.labels.classes == ("NORMAL", "PNEUMONIA")


def test_a_test_split_without_class_folders_is_unlabelled(tmp_path):
    names = [f"train/{c}/{i}.png" for c in "ab" for i in range(4)] + [f"test/{i}.png" for i in range(4)]
    dataset = opened(make(tmp_path, *names))
    assert column(dataset, "split") == ["test"] * 4 + ["train"] * 8
    assert dataset.labels.values.isna().tolist() == [True] * 4 + [False] * 8
    assert any("unlabelled" in note for note in dataset.summary.notes)


def test_the_class_na_and_numbered_grades_are_classes(tmp_path):
    make(tmp_path, *(f"{c}/{i}.png" for c in ("NA", "0", "007") for i in range(3)))
    assert opened(tmp_path).labels.classes == ("0", "007", "NA")


def test_patient_folders_are_no_classes(tmp_path):
    make(tmp_path, *(f"patient{p:03d}/{i}.png" for p in range(12) for i in range(3)))
    dataset = opened(tmp_path)
    assert dataset.labels.task == "none"
    assert dataset.records["patient"].nunique() == 12


def test_a_patient_level_above_crossed_classes_is_a_patient(tmp_path):
    make(tmp_path, *(f"{10250 + p}/{c}/{i}.png" for p in range(12) for c in "01" for i in range(2)))
    dataset = opened(tmp_path)
    assert dataset.labels.classes == ("0", "1")
    assert dataset.records["patient"].nunique() == 12


def test_a_site_level_above_classes_is_a_site(tmp_path):
    make(tmp_path, *(f"hospital_{h}/{c}/{i}.png" for h in "AB" for c in ("covid", "normal") for i in range(3)))
    dataset = opened(tmp_path)
    assert set(column(dataset, "site")) == {"hospital_A", "hospital_B"}
    assert dataset.labels.classes == ("covid", "normal")


def test_storage_folders_are_no_classes(tmp_path):
    make(tmp_path, *(f"images_{part:03d}/{i}.png" for part in range(3) for i in range(4)))
    assert opened(tmp_path).labels.task == "none"


def test_sibling_folders_of_one_stem_are_images_and_masks(tmp_path):
    make(tmp_path, *(f"{kind}/{i}.png" for kind in ("image", "label") for i in range(5)))
    dataset = opened(tmp_path)
    assert dataset.size == 5
    assert column(dataset, "mask") == [f"label/{i}.png" for i in range(5)]
    assert dataset.labels.task == "none"
    assert dataset.summary.counts["masks"] == 5


def test_masks_named_after_images_are_no_records(tmp_path):
    names = [f"{c}/{c} ({i}){end}.png" for c in ("benign", "normal") for i in range(3) for end in ("", "_mask")]
    make(tmp_path, *names, "benign/benign (0)_mask_1.png")
    dataset = opened(tmp_path)
    assert dataset.size == 6
    assert dataset.labels.classes == ("benign", "normal")
    assert dataset.records.loc["benign/benign (0).png", "mask"] == "benign/benign (0)_mask.png"
    assert dataset.summary.counts["masks"] == 7
    assert any("several masks" in note for note in dataset.summary.notes)


def test_folders_called_label_without_partners_are_no_masks(tmp_path):
    make(tmp_path, *(f"labels/a{i}.png" for i in range(4)), *(f"images/b{i}.png" for i in range(4)))
    assert opened(tmp_path).size == 8


def test_breakhis_names_say_label_patient_and_magnification(tmp_path):
    slides = [f"SOB_{kind}-14-{slide}" for kind in ("B_A", "M_DC") for slide in ("22549AB", "9461")]
    names = [f"{slide}-{m}-{i:03d}.png" for slide in slides for m in (40, 400) for i in range(2)]
    dataset = opened(make(tmp_path, *names))
    assert dataset.labels.classes == ("benign", "malignant")
    assert set(column(dataset, "patient")) == {"14-22549AB", "14-9461"}
    assert set(dataset.metadata["name.magnification"]) == {"40", "400"}
    assert dataset.fields["name.magnification"].kind == "acquisition"


def test_kermany_names_say_the_patient_and_the_folder_says_the_class(tmp_path):
    names = [
        f"{s}/{c}/{c}-{p}-{i}.jpeg" for s in ("train", "test") for c in ("CNV", "DME") for p in (1001, 2002) for i in range(2)
    ]
    dataset = opened(make(tmp_path, *names))
    assert dataset.labels.classes == ("CNV", "DME")
    assert set(column(dataset, "patient")) == {"1001", "2002"}
    assert set(column(dataset, "split")) == {"train", "test"}


@pytest.mark.parametrize(
    "name",
    ["person{p}_{k}.jpg", "person{p}_bacteria_{k}.jpg", "P{p:03d}_{c}_{k}.jpg", "P{p:03d}-L CC ({k}).jpg",
     "subject_{p}_{k}.jpg",
     "scan_proband{p}_{k}.jpg"],
)  # fmt: skip
def test_a_word_for_a_person_with_a_number_is_the_patient(tmp_path, name):
    names = [
        f"{s}/{c}/" + name.format(p=p, k=k, c=c) for s in ("train", "test") for c in "xy" for p in range(6) for k in range(2)
    ]
    dataset = opened(make(tmp_path, *names))
    assert dataset.records["patient"].nunique() == 6


def test_names_that_count_pictures_are_no_patients(tmp_path):
    names = [f"{s}/{c}/{stem}{i}.jpg" for s in ("train", "test") for c in "xy" for i in range(9) for stem in ("P", "img_")]
    assert not opened(make(tmp_path, *names)).has("patient")


def test_tcga_barcodes_say_patient_and_site(tmp_path):
    patients = [f"TCGA-{site}-{patient}" for site in ("A6", "AA") for patient in ("2671", "3502")]
    names = [f"{c}/{patient}-01Z-00-DX1_{i}.png" for c in ("MSI", "MSS") for patient in patients for i in range(2)]
    dataset = opened(make(tmp_path, *names))
    assert set(column(dataset, "patient")) == {"TCGA-A6-2671", "TCGA-A6-3502", "TCGA-AA-2671", "TCGA-AA-3502"}
    assert set(column(dataset, "site")) == {"A6", "AA"}


def test_a_text_file_called_png_is_a_record_and_a_readme_is_not(tmp_path):
    make(tmp_path, "a.png", "README", "notes.txt", "Thumbs.db")
    dataset = opened(tmp_path)
    assert dataset.records.index.tolist() == ["a.png"]
    assert dataset.summary.counts["other"] == 3


def test_one_named_image_is_a_dataset(tmp_path):
    make(tmp_path, "a.png", "b.png")
    assert opened(tmp_path / "a.png").records.index.tolist() == ["a.png"]


def test_detection_never_calls_storage_a_class_with_confidence(tmp_path):
    make(tmp_path, *(f"{i}.png" for i in range(3)))
    assert [(d.layout, d.confidence) for d in detect(list_files(tmp_path), Options())] == [("folders", 0.3)]


@pytest.mark.parametrize(
    ("folder", "records", "masks"), [("skimage", 11, 0), ("em_membrane", 30, 30), ("cleanvision_tests", 10, 0)]
)
def test_real_folders_without_classes_have_no_label(real_data, folder, records, masks):
    dataset = opened(real_data / "images" / folder)
    assert dataset.size == records
    assert dataset.labels.task == "none"
    assert int(dataset.records["mask"].notna().sum()) == masks


def test_channels_in_class_folders_are_cases_with_the_class_of_their_folder(tmp_path):
    for number in range(8):
        for tail in ("t1", "t2"):
            path = tmp_path / f"{'ab'[number % 2]}/case{number:02d}_{tail}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.full((8, 8), number, np.uint8)).save(path)
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.size == 8
    assert dataset.labels.values.tolist() == ["a"] * 4 + ["b"] * 4
    assert len(dataset.channels) == 16
