"""Public collections by name and documented structure: each is read as the table in docs/layouts.md says, or asks there.

The table holds what was read and found right by what the collections document; where it is less (LIDC, M&Ms), the page says so.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.layout import Options, open_dataset
from tests.auditor.layouts.public_kit import Kit

DOCS = Path(__file__).parents[3] / "docs"


def ham(k: Kit) -> None:
    for i in range(24):
        k.picture(f"HAM10000_images_part_{1 + i // 12}/ISIC_{24306 + i:07d}.jpg")
    k.table(
        "HAM10000_metadata.csv",
        "lesion_id,image_id,dx,dx_type,age,sex,localization",
        [
            [
                f"HAM_{118 + i // 2:07d}",
                f"ISIC_{24306 + i:07d}",
                ["nv", "mel", "bkl"][i // 2 % 3],
                "histo",
                50 + i,
                "male",
                "back",
            ]
            for i in range(24)
        ],
    )


def isic(k: Kit) -> None:
    for i in range(20):
        k.picture(f"ISIC_2019_Training_Input/ISIC_{i:07d}.jpg")
    k.table(
        "ISIC_2019_Training_GroundTruth.csv",
        "image,MEL,NV,BCC,AK",
        [[f"ISIC_{i:07d}", *[float(i % 4 == c) for c in range(4)]] for i in range(20)],
    )
    k.table(
        "ISIC_2019_Training_Metadata.csv",
        "image,age_approx,anatom_site_general,lesion_id,sex",
        [[f"ISIC_{i:07d}", 40 + i, "torso", f"MSK4_{i // 2:05d}", "male"] for i in range(20)],
    )


def panda(k: Kit) -> None:
    for i in range(20):
        k.picture(f"train_images/{i * 7919:032x}.tiff")
        k.drawing(f"train_label_masks/{i * 7919:032x}_mask.tiff", 3)
    k.table(
        "train.csv",
        "image_id,data_provider,isup_grade,gleason_score",
        [
            [f"{i * 7919:032x}", ["karolinska", "radboud"][i % 2], i % 6, ["0+0", "3+3", "3+4", "4+3", "4+4", "4+5"][i % 6]]
            for i in range(20)
        ],
    )


def mura(k: Kit) -> None:
    for sp in ("train", "valid"):
        rows = []
        for p in range(8):
            pid = p + (0 if sp == "train" else 100)
            lab = ["negative", "positive"][p % 2]
            d = f"MURA-v1.1/{sp}/XR_WRIST/patient{pid:05d}/study1_{lab}"
            for n in (1, 2):
                k.picture(f"{d}/image{n}.png")
            rows.append([d + "/", p % 2])
        k.table(f"MURA-v1.1/{sp}_labeled_studies.csv", None, rows)


def chexpert(k: Kit) -> None:
    for sp in ("train", "valid"):
        rows = []
        for p in range(10):
            pid = p + (0 if sp == "train" else 64540)
            f = f"CheXpert-v1.0-small/{sp}/patient{pid:05d}/study1/view1_frontal.jpg"
            k.picture(f)
            rows.append([f, "Female", 68, "Frontal", "AP", 1.0 * (p % 2), "" if p % 3 else -1.0, 0.0, ""])
        k.table(
            f"CheXpert-v1.0-small/{sp}.csv", "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly,Edema,Fracture", rows
        )


def vindr(k: Kit) -> None:
    for i in range(12):
        k.picture(f"train/{i * 104729:032x}.png")
    k.table(
        "train.csv",
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max",
        [
            [
                f"{i * 104729:032x}",
                *(["No finding", 14] if i % 2 else ["Cardiomegaly", 3]),
                f"R{r + 8}",
                *([""] * 4 if i % 2 else [3, 4, 15, 16 + r % 2]),
            ]
            for i in range(12)
            for r in range(3)
        ],
    )


def rsna(k: Kit) -> None:
    for i in range(12):
        k.picture(f"stage_2_train_images/{i * 15485863:08x}-aaaa.png")
    k.table(
        "stage_2_train_labels.csv",
        "patientId,x,y,width,height,Target",
        [[f"{i * 15485863:08x}-aaaa", *([3.0, 4.0, 9.0, 8.0, 1] if i % 2 else ["", "", "", "", 0])] for i in range(12)],
    )
    k.table(
        "stage_2_detailed_class_info.csv",
        "patientId,class",
        [[f"{i * 15485863:08x}-aaaa", "Lung Opacity" if i % 2 else "Normal"] for i in range(12)],
    )


def eyepacs(k: Kit) -> None:
    for i in range(12):
        for s in ("left", "right"):
            k.picture(f"train/{10 + i}_{s}.jpeg")
    k.table("trainLabels.csv", "image,level", [[f"{10 + i}_{s}", i % 5] for i in range(12) for s in ("left", "right")])


def odir(k: Kit) -> None:
    for i in range(12):
        for s in ("left", "right"):
            k.picture(f"ODIR-5K_Training_Dataset/{i}_{s}.jpg")
    k.table(
        "data.csv",
        "ID,Patient Age,Patient Sex,Left-Fundus,Right-Fundus,Left-Diagnostic Keywords,Right-Diagnostic Keywords,N,D,G,C",
        [
            [
                i,
                50 + i,
                "Male",
                f"{i}_left.jpg",
                f"{i}_right.jpg",
                "normal fundus",
                "cataract",
                *[int(i % 4 == c) for c in range(4)],
            ]
            for i in range(12)
        ],
    )


def breakhis(k: Kit) -> None:
    for i in range(16):
        kind, tissue, code, of = (("benign", "adenosis", "A", "B"), ("malignant", "ductal_carcinoma", "DC", "M"))[i % 2]
        slide = f"14-{2200 + i // 2}"
        for m in (40, 100):
            folder = f"breast/{kind}/SOB/{tissue}/SOB_{of}_{code}_{slide}/{m}X"
            k.picture(f"{folder}/SOB_{of}_{code}-{slide}-{m}-{i + 1:03d}.png")


def clinicdb(k: Kit) -> None:
    for i in range(1, 13):
        k.picture(f"Original/{i}.tif")
        k.drawing(f"Ground Truth/{i}.tif")


def kvasir(k: Kit) -> None:
    for i in range(1, 13):
        k.picture(f"kvasir-seg/images/cju{i:022d}.jpg")
        k.drawing(f"kvasir-seg/masks/cju{i:022d}.jpg")
    k.text(
        "kvasir-seg/kavsir_bboxes.json",
        json.dumps(
            {
                f"cju{i:022d}": {
                    "height": 24,
                    "width": 24,
                    "bbox": [{"label": "polyp", "xmin": 2, "ymin": 2, "xmax": 9, "ymax": 9}],
                }
                for i in range(1, 13)
            }
        ),
    )


def kvasir2(k: Kit) -> None:
    for c in ("dyed-lifted-polyps", "esophagitis", "normal-z-line"):
        for i in range(8):
            k.picture(f"kvasir-dataset-v2/{c}/{c[:3]}{i:04x}-77.jpg")


def mnms(k: Kit) -> None:
    rows = []
    for i in range(10):
        c = f"A{i}S{i}V9"
        k.picture(f"Training/Labeled/{c}/{c}_sa.nii.gz")
        k.drawing(f"Training/Labeled/{c}/{c}_sa_gt.nii.gz", 3)
        rows.append(
            [i, c, ["Siemens", "Philips"][i % 2], "AB"[i % 2], i % 3 + 1, 0, 9, 50, ["HCM", "DCM", "NOR"][i % 3], "M", 170, 70]
        )
    k.table("dataset_information.csv", ",External code,VendorName,Vendor,Centre,ED,ES,Age,Pathology,Sex,Height,Weight", rows)


def lidc(k: Kit) -> None:
    for i in range(1, 7):
        for s in range(3):
            k.picture(f"LIDC-IDRI/LIDC-IDRI-{i:04d}/01-01-2000-30178/3000566-03192/1-{s:03d}.png")
        k.text(
            f"LIDC-IDRI/LIDC-IDRI-{i:04d}/01-01-2000-30178/3000566-03192/069.xml",
            '<?xml version="1.0"?><LidcReadMessage xmlns="http://www.nih.gov"><readingSession><unblindedReadNodule><noduleID>1</noduleID></unblindedReadNodule></readingSession></LidcReadMessage>',
        )


def adni(k: Kit) -> None:
    rows = []
    for i in range(12):
        s = f"{i // 2 % 3:03d}_S_{1000 + i // 2}"
        im = f"I{300 + i}"
        k.picture(f"ADNI/{s}/MPRAGE/2010-0{1 + i % 2}-02_10_00_00.0/{im}/ADNI_{s}_MR_MPRAGE_br_raw_20100101_{i}_S1_{im}.nii.gz")
        rows.append(
            [im, s, ["CN", "AD"][i // 2 % 2], "M", 70 + i, i % 2, "MRI", "MPRAGE", "Original", "1/02/2010", "NiFTI", ""]
        )
    k.table(
        "ADNI1_1_02_2022.csv",
        "Image Data ID,Subject,Group,Sex,Age,Visit,Modality,Description,Type,Acq Date,Format,Downloaded",
        rows,
    )


def oai(k: Kit) -> None:
    for first, split in enumerate(("train", "val", "test")):
        for grade in range(3):
            for i in range(4):
                k.picture(f"kneeKL224/{split}/{grade}/{9000000 + first * 100000 + grade * 1000 + i * 31}{'LR'[i % 2]}.png")


def ukb(k: Kit) -> None:
    rows = []
    for i in range(12):
        e = 1000000 + i * 17
        k.picture(f"{e}_21015_0_0.png")
        rows.append([e, i % 2, 60 + i % 5, "M"])
    k.table("ukb.csv", "eid,131286-0.0,21003-0.0,31-0.0", rows)


SETS: dict[str, Callable[[Kit], None]] = {
    "HAM10000": ham,
    "ISIC 2019": isic,
    "PANDA": panda,
    "MURA": mura,
    "CheXpert": chexpert,
    "VinDr-CXR": vindr,
    "RSNA Pneumonia": rsna,
    "EyePACS": eyepacs,
    "ODIR-5K": odir,
    "BreakHis": breakhis,
    "CVC-ClinicDB": clinicdb,
    "Kvasir-SEG": kvasir,
    "Kvasir v2": kvasir2,
    "M&Ms": mnms,
    "LIDC-IDRI as PNG": lidc,
    "ADNI-like": adni,
    "OAI (KL grades)": oai,
    "UK-Biobank-like": ukb,
}


def documented() -> dict[str, list[str]]:
    """Name → cells of the table in the page."""
    spec = importlib.util.spec_from_file_location("make_pages", DOCS / "make_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lines = [line for line in module.DOCUMENTED.splitlines() if line.startswith("| ")][1:]
    return {cells[0]: cells[1:] for line in lines for cells in [[cell.strip() for cell in line.strip("|").split("|")]]}


def test_the_table_speaks_of_these_sets() -> None:
    assert list(documented()) == list(SETS)


@pytest.mark.parametrize("name", SETS)
def test_it_is_read_as_the_table_says(name: str, tmp_path: Path) -> None:
    SETS[name](Kit(tmp_path))
    dataset = open_dataset(tmp_path, Options(workers=0))
    records, summary = dataset.records, dataset.summary
    splits = records["split"].value_counts().sort_index()
    read = [
        str(dataset.size),
        ", ".join(summary.classes),
        ", ".join(f"{split} {count}" for split, count in splits.items()),
        str(records["patient"].nunique() or ""),
        str(int(records["mask"].notna().sum()) or ""),
        str(len(dataset.boxes) or ""),
        str(len(dataset.annotations) or ""),
        str(len({problem.path for problem in dataset.problems}) or ""),
    ]
    assert read == documented()[name]
