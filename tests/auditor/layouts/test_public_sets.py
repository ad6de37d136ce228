"""The documented structures of public collections (names and folders alone): roles, cases, channels, masks and splits."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

import medaudit
from auditor.layout import Options, open_dataset

Write = Callable[[str, int], None]


def writer(root: Path) -> Write:
    """Writes a small image under a path: the suffix says of which kind, the number parts its pixels from those of others."""

    def write(name: str, number: int) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        values = np.full((6, 6), number % 250, np.uint8)
        if ".nii" in name:
            path.write_bytes(nibabel.Nifti1Image(np.stack([values] * 3, axis=-1), np.eye(4)).to_bytes())
        else:
            stream = io.BytesIO()
            Image.fromarray(values).save(stream, "PNG")
            path.write_bytes(stream.getvalue())

    return write


def bids(root: Path, write: Write) -> None:
    for subject in range(1, 9):
        for session in ("ses-01", "ses-02"):
            stem = f"sub-{subject:02d}/{session}/anat/sub-{subject:02d}_{session}"
            write(f"{stem}_T1w.nii", subject)
            write(f"derivatives/lesions/{stem}_desc-lesion_mask.nii", 200)
    rows = [f"sub-{n:02d}\t{30 + n}\t{'patient' if n % 2 else 'control'}\n" for n in range(1, 9)]
    (root / "participants.tsv").write_text("participant_id\tage\tgroup\n" + "".join(rows))
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.8.0"}')


def brats(root: Path, write: Write) -> None:
    for case in range(1, 6):
        for number, tail in enumerate(("t1", "t1ce", "t2", "flair", "seg")):
            write(f"BraTS20_Training_{case:03d}/BraTS20_Training_{case:03d}_{tail}.nii", number)


def kits(root: Path, write: Write) -> None:
    for case in range(6):
        write(f"case_{case:05d}/imaging.nii.gz", case)
        write(f"case_{case:05d}/segmentation.nii.gz", 200)
    told = [{"case_id": f"case_{n:05d}", "age": 50 + n, "malignant": bool(n % 2)} for n in range(6)]
    (root / "kits.json").write_text(json.dumps(told))


def totalsegmentator(root: Path, write: Write) -> None:
    for case in range(4):
        write(f"s{case:04d}/ct.nii.gz", case)
        for organ in ("liver", "spleen"):
            write(f"s{case:04d}/segmentations/{organ}.nii.gz", 200)
    rows = [f"s{n:04d};5{n};{'train' if n < 3 else 'test'}\n" for n in range(4)]
    (root / "meta.csv").write_text("image_id;age;split\n" + "".join(rows))


def hugging_face(root: Path, write: Write) -> None:
    for split in ("train", "test"):
        for number in range(6):
            write(f"{split}/{number:04d}.png", number)
        rows = [json.dumps({"file_name": f"{n:04d}.png", "label": "ab"[n % 2]}) + "\n" for n in range(6)]
        (root / split / "metadata.jsonl").write_text("".join(rows))


def lc25000(root: Path, write: Write) -> None:
    for name in ("colon_aca", "colon_n", "lung_aca"):
        for number in range(6):
            write(f"{name.partition('_')[0]}_image_sets/{name}/{name.replace('_', '')}{number}.jpeg", number)


def numbered_splits(root: Path, write: Write) -> None:
    for folder, count in (("a. Training Set", 8), ("b. Testing Set", 4)):
        for number in range(count):
            write(f"1. Original Images/{folder}/{folder[0]}_{number:03d}.jpg", number)


def camelyon16(root: Path, write: Write) -> None:
    for number in range(6):
        write(f"training/normal/normal_{number:03d}.png", number)
        write(f"training/tumor/tumor_{number:03d}.png", number + 20)
        write(f"testing/images/test_{number:03d}.png", number + 40)


def idrid_segmentation(root: Path, write: Write) -> None:
    for folder, count in (("a. Training Set", 8), ("b. Testing Set", 4)):
        for number in range(count):
            write(f"A. Segmentation/1. Original Images/{folder}/IDRiD_{number:02d}.png", number)
            drawn = f"A. Segmentation/2. All Segmentation Groundtruths/{folder}/1. Microaneurysms"
            write(f"{drawn}/IDRiD_{number:02d}_MA.png", 200)


def hugging_face_bytes(root: Path, write: Write) -> None:
    for split, count in (("train", 8), ("test", 4)):
        images = [{"bytes": bytes([number]), "path": f"{number}.png"} for number in range(count)]
        table = pa.table({"image": images, "label": [number % 2 for number in range(count)]})
        parquet.write_table(table, root / f"{split}-00000-of-00001.parquet")


def refuge(root: Path, write: Write) -> None:
    for number in range(12):
        name = f"{('Glaucoma', 'Non-Glaucoma')[number % 2]}/{'gn'[number % 2]}{number:04d}"
        write(f"Training400/{name}.png", number)
        write(f"Annotation-Training400/Disc_Cup_Masks/{name}.bmp", 200)


def lits(root: Path, write: Write) -> None:
    for number in range(6):
        write(f"Training Batch {1 + number % 2}/volume-{number}.nii", number)
        write(f"Training Batch {1 + number % 2}/segmentation-{number}.nii", 200)


def ph2(root: Path, write: Write) -> None:
    for number in range(6):
        case = f"images/IMD{number:03d}/IMD{number:03d}"
        write(f"{case}_Dermoscopic_Image/IMD{number:03d}.png", number)
        write(f"{case}_lesion/IMD{number:03d}_lesion.png", 200)
        write(f"{case}_roi/IMD{number:03d}_R1_Label1.png", 201)


def wmh(root: Path, write: Write) -> None:
    for number in range(6):
        write(f"{number + 50}/pre/FLAIR.nii.gz", number)
        write(f"{number + 50}/wmh.nii.gz", 200)


def montgomery(root: Path, write: Write) -> None:
    for number in range(6):
        write(f"CXR_png/MCUCXR_{number:04d}_0.png", number)
        for side in ("left", "right"):
            write(f"ManualMask/{side}Mask/MCUCXR_{number:04d}_0.png", 200)


def vessels(root: Path, write: Write) -> None:
    for number in range(12):
        name = f"{('glaucoma', 'normal')[number % 2]}/{number}"
        write(f"Fundus/{name}.png", number)
        write(f"VesselMasks/{name}.png", 200)


def prefixes(root: Path, write: Write) -> None:
    for number in range(6):
        write(f"png/img{number:03d}.png", number)
        write(f"png_drawn/mask{number:03d}.png", 200)


def chaos(root: Path, write: Write) -> None:
    for case in range(1, 5):
        for number in range(2):
            write(f"CT/{case}/DICOM_anon/i{number:04d},0000b.png", case * 3 + number)
            write(f"CT/{case}/Ground/liver_GT_{number:03d}.png", 200)


SETS: dict[str, tuple[Callable[[Path, Write], None], dict[str, Any]]] = {
    "bids": (bids, {"layout": "table", "records": 16, "classes": ("control", "patient"), "patients": 8, "masks": 16}),
    "brats": (brats, {"layout": "folders", "records": 5, "classes": (), "patients": 5, "masks": 5, "channels": 20}),
    "kits": (kits, {"layout": "table", "records": 6, "classes": ("false", "true"), "patients": 6, "masks": 6}),
    "totalsegmentator": (
        totalsegmentator, {"layout": "table", "records": 4, "classes": (), "masks": 4, "splits": {"train": 3, "test": 1}},
    ),
    "hugging face": (
        hugging_face, {"layout": "table", "records": 12, "classes": ("a", "b"), "splits": {"train": 6, "test": 6}},
    ),
    "lc25000": (lc25000, {"layout": "folders", "records": 18, "classes": ("colon_aca", "colon_n", "lung_aca")}),
    "camelyon16": (
        camelyon16,
        {"layout": "folders", "records": 18, "classes": ("normal", "tumor"), "splits": {"train": 12, "test": 6}},
    ),
    "idrid segmentation": (idrid_segmentation, {"classes": (), "masks": 12, "splits": {"train": 8, "test": 4}}),
    "refuge": (refuge, {"records": 12, "classes": ("Glaucoma", "Non-Glaucoma"), "masks": 12}),
    "lits": (lits, {"records": 6, "classes": (), "masks": 6}),
    "ph2": (ph2, {"records": 6, "classes": (), "masks": 6, "patients": 6}),
    "wmh": (wmh, {"records": 6, "classes": (), "masks": 6}),
    "montgomery": (montgomery, {"records": 6, "classes": (), "masks": 6}),
    "vessels": (vessels, {"records": 12, "classes": ("glaucoma", "normal"), "masks": 12}),
    "prefixes": (prefixes, {"records": 6, "classes": (), "masks": 6}),
    "chaos": (chaos, {"classes": (), "patients": 4}),
    "hugging face bytes": (hugging_face_bytes, {"records": 12, "classes": ("0", "1"), "splits": {"train": 8, "test": 4}}),
    "numbered splits": (
        numbered_splits, {"layout": "folders", "records": 12, "classes": (), "splits": {"train": 8, "test": 4}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_the_structure_is_read_as_documented(name: str, tmp_path: Path) -> None:
    make, expected = SETS[name]
    make(tmp_path, writer(tmp_path))
    dataset = open_dataset(tmp_path, Options(workers=0))
    records = dataset.records
    told = {
        "layout": dataset.summary.layout,
        "records": dataset.size,
        "classes": dataset.summary.classes,
        "patients": int(records["patient"].nunique()),
        "masks": int(records["mask"].notna().sum()),
        "channels": len(dataset.channels),
        "splits": records["split"].value_counts().to_dict(),
    }
    assert {key: told[key] for key in expected} == expected


def test_pictures_in_the_bytes_of_a_table_are_told_and_no_pass(tmp_path: Path) -> None:
    hugging_face_bytes(tmp_path, writer(tmp_path))
    result = medaudit.scan(tmp_path, workers=0, cache=False)
    assert (result.gate.verdict, result.gate.exit_code) == ("not enough seen", 3)
    problems = open_dataset(tmp_path, Options(workers=0)).problems
    assert [problem.kind for problem in problems] == ["unread", "unread"]
    assert all("bytes" in problem.reason for problem in problems)


@pytest.mark.parametrize("folders", [("images", "masks"), ("Original", "Ground_Truths_groundtruth"), ("data", "annotations")])
def test_folders_of_drawings_are_no_classes(tmp_path: Path, folders: tuple[str, str]) -> None:
    write = writer(tmp_path)
    for number in range(6):
        write(f"{folders[0]}/{number}.png", number)
        write(f"{folders[1]}/drawn{number}_{number}.png", 200)
    assert open_dataset(tmp_path, Options(workers=0)).labels.task == "none"


def test_drawings_whose_images_are_called_otherwise_are_no_class_and_told(tmp_path: Path) -> None:
    write = writer(tmp_path)
    for number in range(12):
        write(f"{('benign', 'malignant')[number % 2]}/{number}.png", number)
        write(f"lesion_masks/{'abcdefghijkl'[number]}z.png", 200)
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.labels.classes == ("benign", "malignant")
    assert any("lesion_masks sound like drawings" in note for note in dataset.summary.notes)


def test_with_and_without_a_mask_are_classes(tmp_path: Path) -> None:
    write = writer(tmp_path)
    for number in range(12):
        write(f"{('with_mask', 'without_mask')[number % 2]}/{number}.png", number)
    assert open_dataset(tmp_path, Options(workers=0)).labels.classes == ("with_mask", "without_mask")


def test_a_table_whose_names_stand_in_two_folders_is_given_to_neither(tmp_path: Path) -> None:
    write = writer(tmp_path)
    for folder in ("a. Training Set", "b. Testing Set"):
        for number in range(1, 7):
            write(f"images/{folder}/IDRiD_{number:03d}.jpg", number)
    rows = [f"IDRiD_{n:03d},{n % 3}\n" for n in range(1, 7)]
    (tmp_path / "Labels.csv").write_text("Image name,Retinopathy grade\n" + "".join(rows))
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert not dataset.records["path"].isin(
        [p for p in dataset.records["path"].dropna() if (tmp_path / p).is_file()]
    ).any() or (dataset.labels.task == "none")


def test_a_case_without_images_is_missing_and_an_image_without_a_case_unlisted(tmp_path: Path) -> None:
    write = writer(tmp_path)
    for case in range(5):
        write(f"case_{case:05d}/imaging.nii.gz", case)
    rows = [f"case_{n:05d},{'ab'[n % 2]}\n" for n in (0, 1, 2, 3, 9)]
    (tmp_path / "cases.csv").write_text("case_id,diagnosis\n" + "".join(rows))
    told = {(problem.kind, problem.path) for problem in open_dataset(tmp_path, Options(workers=0)).problems}
    assert {("missing", "case_00009"), ("unlisted", "case_00004/imaging.nii.gz")} <= told


def test_ages_beside_numbered_folders_call_no_case(tmp_path: Path) -> None:
    write = writer(tmp_path)
    for number in range(30, 38):
        write(f"images/{number}/view.png", number)
    (tmp_path / "people.csv").write_text("age,diagnosis\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(30, 38)))
    assert open_dataset(tmp_path, Options(workers=0)).labels.task == "none"


def test_slices_that_are_called_by_numbers_are_no_channels(tmp_path: Path) -> None:
    write = writer(tmp_path)
    for patient in range(3):
        for number in range(4):
            write(f"patient{patient}/slice_{number}.png", number)
    assert open_dataset(tmp_path, Options(workers=0)).size == 12


@pytest.mark.parametrize(("column", "grave"), [("sex", False), ("outcome", True)])
def test_a_table_of_patients_does_not_take_the_place_of_class_folders(tmp_path: Path, column: str, grave: bool) -> None:
    """What became of a patient is no label of the images that lie in `covid` and `normal`; it is told, and not read."""
    write = writer(tmp_path)
    for patient in range(12):
        for view in range(2):
            write(f"{('covid', 'normal')[patient % 2]}/patient{patient:03d}_{view}.png", patient)
    rows = [f"patient{n:03d},{40 + n},{('died', 'alive')[n % 3 == 0]}\n" for n in range(12)]
    (tmp_path / "clinical.csv").write_text(f"patient_id,age,{column}\n" + "".join(rows))
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.labels.classes == ("covid", "normal")
    told = [problem for problem in dataset.problems if problem.path == "clinical.csv"]
    assert [problem.kind == "unused-table" for problem in told] == [grave]


@pytest.mark.parametrize("names", [("a. Training Labels", "b. Testing Labels"), ("train", "test")])
def test_tables_of_splits_that_call_their_images_alike_are_joined_to_their_own(tmp_path: Path, names: tuple[str, str]) -> None:
    write = writer(tmp_path)
    for folder, name, count in (("a. Training Set", names[0], 8), ("b. Testing Set", names[1], 6)):
        for number in range(count):
            write(f"images/{folder}/{number:03d}.png", number)
        rows = [f"{n:03d},{'ab'[n % 2 if count == 8 else 1]}\n" for n in range(count)]
        (tmp_path / f"{name}.csv").write_text("image,diagnosis\n" + "".join(rows))
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.records["split"].value_counts().to_dict() == {"train": 8, "test": 6}
    assert dataset.labels.values is not None
    of_test = dataset.labels.values[dataset.records["split"] == "test"]
    assert set(of_test) == {"b"}
    assert not dataset.problems


@pytest.mark.parametrize(
    ("head", "tails"),
    [
        ("ID,Left-Fundus,Right-Fundus,Left-Diagnostic Keywords,Right-Diagnostic Keywords", ("left", "right")),
        ("patient_id,od_file,os_file,od_grade,os_grade", ("OD", "OS")),
        ("study,image_cc,image_mlo,finding_cc,finding_mlo", ("cc", "mlo")),
        ("Patient,Bild links,Bild rechts,Diagnose links,Diagnose rechts", ("links", "rechts")),
        ("patient,œil_gauche,œil_droite,diagnostic_gauche,diagnostic_droite", ("gauche", "droite")),
        ("paciente,imagenIzquierda,imagenDerecha,diagnosticoIzquierda,diagnosticoDerecha", ("izq", "der")),
    ],
)
def test_a_row_of_two_images_is_two_records_each_with_its_own_label(tmp_path: Path, head: str, tails: tuple[str, str]) -> None:
    write = writer(tmp_path)
    rows = []
    for person in range(6):
        for number, tail in enumerate(tails):
            write(f"pictures/{person}_{tail}.png", person * 2 + number)
        rows.append(f"{person},{person}_{tails[0]}.png,{person}_{tails[1]}.png,normal,{('cataract', 'normal')[person % 2]}\n")
    (tmp_path / "data.csv").write_text(head + "\n" + "".join(rows))
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert (dataset.size, dataset.labels.classes) == (12, ("cataract", "normal"))
    assert dataset.labels.values is not None
    assert {name for name, label in dataset.labels.values.items() if label == "cataract"} == {
        f"pictures/{person}_{tails[1]}.png" for person in (0, 2, 4)
    }
    kin = dataset.records["patient"] if dataset.has("patient") else dataset.records["study"]
    assert kin.nunique() == 6
    assert not dataset.problems


@pytest.mark.parametrize(
    ("head", "box"),
    [
        ("image,xmin,ymin,xmax,ymax,label", "1,1,3,3,mass"),
        ("image,x,y,width,height", "1,1,2,2"),
        ("Image Index,Finding Label,Bbox [x,y,w,h]", "mass,1,1,2,2"),
    ],
)
def test_boxes_of_a_table_beside_the_classes_are_read(tmp_path: Path, head: str, box: str) -> None:
    write = writer(tmp_path)
    for number in range(12):
        write(f"pictures/x{number:03d}.png", number)
    rows = [f"x{n:03d}.png,{('benign', 'malignant')[n % 2]}\n" for n in range(12)]
    (tmp_path / "classes.csv").write_text("image,diagnosis\n" + "".join(rows))
    (tmp_path / "boxes.csv").write_text(head + "\n" + "".join(f"x{n:03d}.png,{box}\n" for n in (1, 3, 5, 7)))
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.labels.classes == ("benign", "malignant")
    assert dataset.boxes[["record", "x0", "y0", "x1", "y1"]].to_numpy().tolist() == [
        [f"pictures/x{n:03d}.png", 1.0, 1.0, 3.0, 3.0] for n in (1, 3, 5, 7)
    ]


@pytest.mark.parametrize("word", ["removed", "ANON", "unknown"])
def test_a_word_for_nobody_is_no_patient_and_the_name_of_the_file_is_asked(tmp_path: Path, word: str) -> None:
    write = writer(tmp_path)
    rows = []
    for number in range(12):
        write(f"AllDICOMs/{22580000 + number}_{number // 2:016x}_MG_{'LR'[number % 2]}_CC_ANON.png", number)
        rows.append(f"{word};{22580000 + number}_{number // 2:016x}_MG_{'LR'[number % 2]}_CC_ANON;{1 + number % 5}\n")
    (tmp_path / "t.csv").write_text("Patient ID;File Name;Bi-Rads\n" + "".join(rows))
    assert open_dataset(tmp_path, Options(workers=0)).records["patient"].nunique() == 6


@pytest.mark.parametrize(
    ("names", "count"), [(("CN", "MCI", "AD"), 12), (("HC", "PD"), 60), (("CN", "EMCI", "LMCI", "AD"), 60)]
)
def test_groups_of_studies_of_the_brain_are_labels(tmp_path: Path, names: tuple[str, ...], count: int) -> None:
    write = writer(tmp_path)
    for number in range(count):
        write(f"scans/I{40000 + number}.png", number)
    rows = [f"I{40000 + n},{n:03d}_S_{n},{names[n % len(names)]},M\n" for n in range(count)]
    (tmp_path / "t.csv").write_text("Image Data ID,Subject,Group,Sex\n" + "".join(rows))
    assert open_dataset(tmp_path, Options(workers=0)).labels.classes == tuple(sorted(names))


def test_a_class_of_one_word_beside_states_is_one_of_several_findings(tmp_path: Path) -> None:
    write = writer(tmp_path)
    for number in range(12):
        write(f"{number:03d}.png", number)
    rows = [f"{n:03d}.png,{'1' if n % 2 else ''},{('1', '0', '-1', '')[n % 4]}\n" for n in range(12)]
    (tmp_path / "t.csv").write_text("Path,No Finding,Edema\n" + "".join(rows))
    assert open_dataset(tmp_path, Options(workers=0)).labels.classes == ("Edema", "No Finding")


@pytest.mark.parametrize("first", ["Annotations MicronsPerPixel='0.2'", "ASAP_Annotations", "LidcReadMessage"])
def test_outlines_in_xml_without_a_reader_are_told_and_no_pass(tmp_path: Path, first: str) -> None:
    write = writer(tmp_path)
    for number in range(12):
        write(f"tissue/{('benign', 'malignant')[number % 2]}/{number}.png", number)
        path = tmp_path / "outlines" / f"{number}.xml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"<?xml version='1.0'?><{first}><Region/></{first.partition(' ')[0]}>")
    told = [problem for problem in open_dataset(tmp_path, Options(workers=0)).problems if problem.path == "outlines"]
    assert [problem.kind for problem in told] == ["unused-table"]
    assert "12 XML files" in told[0].reason


def test_a_pinned_column_of_one_side_stays_what_it_is(tmp_path: Path) -> None:
    write = writer(tmp_path)
    for person in range(6):
        write(f"{person}_left.png", person)
        write(f"{person}_right.png", person + 20)
    rows = [f"{person},{person}_left.png,{person}_right.png,{'ab'[person % 2]}\n" for person in range(6)]
    (tmp_path / "t.csv").write_text("ID,Left-Fundus,Right-Fundus,label\n" + "".join(rows))
    dataset = open_dataset(tmp_path, Options(workers=0, roles={"path": "Left-Fundus"}))
    assert sorted(dataset.records["path"]) == [f"{person}_left.png" for person in range(6)]
