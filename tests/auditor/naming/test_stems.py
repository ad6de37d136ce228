import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import medaudit
from auditor.naming.stems import classes_in_stems

CLASSES = {
    "cat_{i:03}|dog_{i:03}": (("cat", "dog"), 0.4),
    "malignant-{i}|benign-{i}": (("malignant", "benign"), 0.75),
    "benign ({i})|malignant ({i})|normal ({i})": (("benign", "malignant", "normal"), 0.75),
    "COVID-{i}|Viral Pneumonia-{i}": (("COVID", "Viral Pneumonia"), 0.75),
    "Melanoma{i}|Nevus{i}": (("Melanoma", "Nevus"), 0.75),
    "{i:04}_tumor|{i:04}_normal": (("tumor", "normal"), 0.75),
    "subject{i:02}.glasses|subject{i:02}.happy": (("glasses", "happy"), 0.4),
    "patient{i}_benign_0|patient{i}_malignant_1": (("benign", "malignant"), 0.75),
    "train_ill_{i}|test_healthy_{i}": (("ill", "healthy"), 0.75),
    "grade0_{i}|grade1_{i}|grade2_{i}": (("grade0", "grade1", "grade2"), 0.75),
}


def names(forms: str, each: int = 12) -> list[str]:
    return [f"{form.format(i=i)}.png" for i, form in itertools.product(range(each), forms.split("|"))]


@pytest.mark.parametrize("forms", CLASSES)
def test_a_word_that_all_names_share_with_many_others_is_their_class(forms: str) -> None:
    found = classes_in_stems(names(forms))
    assert found is not None
    assert (set(found.counts), found.confidence) == (set(CLASSES[forms][0]), CLASSES[forms][1])
    assert found.values[0] == CLASSES[forms][0][0]


NO_CLASSES = ["P{i:03}_L_CC|P{i:03}_R_MLO", "left_{i}|right_{i}", "siteA_{i}|siteB_{i}", "img_{i}", "{i}_t1|{i}_t2",
              "0_{i}|1_{i}", "IM-{i:04}-0001", "hospital_{i}|clinic_{i}", "train_{i}|test_{i}"]  # fmt: skip


@pytest.mark.parametrize("forms", NO_CLASSES)
def test_places_views_machines_counts_and_splits_are_no_classes(forms: str) -> None:
    assert classes_in_stems(names(forms)) is None


def test_names_at_random_and_a_word_of_two_files_are_none() -> None:
    g = np.random.default_rng(0)
    assert classes_in_stems([f"{int(v):08x}.png" for v in g.integers(0, 1 << 31, 200)]) is None
    assert classes_in_stems([*names("cat_{i}"), "dog_1.png", "dog_2.png"]) is None


def written(folder: Path, files: Sequence[str]) -> Path:
    folder.mkdir()
    for i, name in enumerate(files):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / name)
    return folder


def test_a_flat_folder_gets_its_labels_from_the_names_and_says_so(tmp_path: Path) -> None:
    dataset = medaudit.open_dataset(written(tmp_path / "flat", names("cat_{i:03}|dog_{i:03}", 6)))
    (guess,) = [g for g in dataset.summary.guesses if g.role == "label"]
    assert (dataset.summary.classes, guess.confidence) == (("cat", "dog"), 0.4)
    assert any("may be none" in note for note in dataset.summary.notes)


def test_series_of_one_export_are_no_class_of_a_known_collection(tmp_path: Path) -> None:
    dataset = medaudit.open_dataset(written(tmp_path / "flat", [f"IM-{i // 3:04}-{i % 3:04}.png" for i in range(12)]))
    assert dataset.labels.task == "none"
    assert dataset.records["patient"].nunique() == 4
