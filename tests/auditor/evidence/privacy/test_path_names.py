"""Names of people in names of files and folders; every name here is invented."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditor.evidence.privacy.path_names import named_parts, names_person
from medaudit.cli import main

PEOPLE = [
    "MUELLER_ANNA_1", "Smith, Jane", "Smith,Jane", "SMITH JANE", "smith_john_01", "john_smith", "Müller_Jürgen",
    "Jansen, P.", "DUPONT Marie", "Kowalski_Piotr", "patient_Jane_Doe", "JaneDoe", "MuellerAnna", "van der Berg, Kees",
    "Weber_Stefanie_Thorax", "Yilmaz_Mehmet", "O'Brien, Mary", "smith.john", "Garcia Lopez Maria",
]  # fmt: skip
NOBODY = [
    "Lung_Opacity-12", "Viral Pneumonia-1", "Squamous_Cell", "Very_Mild_Demented", "Adipose_Tissue", "Victoria_Blue",
    "Congo_Red", "Hodgkin_Lymphoma", "Gleason_Score", "Parkinson_Disease", "Marie_Curie_Institute", "Saint_Mary",
    "San_Luis", "Max_Projection", "Sam_Mask", "Iris_Left", "Art_Venous", "Siemens_Skyra", "BraTS20_Training_001",
    "ISIC_0024310", "COVID-19, ARDS", "Left, Right", "Test_Image", "Scan_Rescan", "IMG_0001", "AlexNet",
    "fused_adam_utils", "julia.config", "Frank_Breech", "train_normal",
]  # fmt: skip


@pytest.mark.parametrize("stem", PEOPLE)
def test_a_full_name_is_found(stem: str) -> None:
    assert names_person(stem)


@pytest.mark.parametrize("stem", NOBODY)
def test_anatomy_classes_and_projects_are_nobody(stem: str) -> None:
    assert not names_person(stem)


def test_they_are_nobody_together_either() -> None:
    assert named_parts(f"{stem}.png" for stem in NOBODY) == frozenset()


def test_names_that_no_list_holds_are_found_among_others_of_their_build() -> None:
    """Three of nine are sure; a tenth that is built otherwise is none."""
    sure = ["Smith_John_1.png", "Weber_Klaus_2.png", "Rossi_Mario_1.png"]
    rare = [f"{word}_{word[::-1].title()}_3.png" for word in ("Zimbrak", "Oduyel", "Tregonw", "Ubaldun", "Kvistal", "Wroclen")]
    assert named_parts([*sure, *rare, "Lung_Opacity_3.png"]) == {*sure, *rare}
    assert named_parts(rare) == frozenset()
    assert named_parts([*sure[:2], *rare]) == set(sure[:2])


@pytest.mark.parametrize(
    "pattern", ["{label}/{name}_{number}.png", "{name}/{label}_{number}.png", "{label}/{name}/{number}.png"]
)
def test_no_output_repeats_a_name(pattern: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names = ["Zwickelmann, Jane", "ZWICKELMANN_PIOTR", "john_zwickelmann", "Zwickelmann^Kees"]
    g = np.random.default_rng(0)
    root = tmp_path / "set"
    for at in range(24):
        label = ("benign", "malignant")[at % 2]
        path = root / pattern.format(label=label, name=names[at % 4], number=at)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(g.integers(0, 255, (24, 24), dtype=np.uint8)).save(path)
    outputs = [tmp_path / name for name in ("result.json", "report.html", "out.sarif", "out.md", "out.csv")]
    assert main(["scan", str(root), "--select", "PH007,LK,SP,IN", *(part for one in outputs for part in ("-o", str(one)))]) == 1
    told = json.loads(outputs[0].read_text("utf-8"))
    found = [f for o in told["outcomes"] if o["code"] == "PH007" for f in o["findings"] if f["subject"] == "name"]
    assert len(found) == 1
    texts = [path.read_bytes().decode("utf-8", "replace") for path in outputs] + list(capfd.readouterr())
    assert not any("zwickelmann" in text.casefold() for text in texts)
