"""Folders as people keep them: versions of splits, classes in text files or in the last letter of a name, other scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.layout import Options, open_dataset
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError


def opened(root: Path, **options: object) -> Dataset:
    return open_dataset(root, Options(workers=0, **options))  # type: ignore[arg-type]


def write(root: Path, name: str, text: str = "x") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    "names",
    [("Train", "val2"), ("train_new", "Test (copy)"), ("training final", "validation v2"), ("Trainingsdaten", "Testdaten"),
     ("train2017", "val2017"), ("entrenamiento", "prueba")],
)  # fmt: skip
def test_folders_of_splits_may_count_their_versions(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        for i in range(6):
            write(tmp_path, f"data/{name}/{('cat', 'dog')[i % 2]}/{name}{i}.png")
    dataset = opened(tmp_path)
    assert set(dataset.records["split"]) == {"train", "val" if "val" in names[1] else "test"}
    assert dataset.labels.classes == ("cat", "dog")


@pytest.mark.parametrize("names", [("dev1", "dev2"), ("test tube", "flask"), ("testis", "ovary"), ("training dog", "cat")])
def test_folders_that_begin_like_splits_are_none(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        for i in range(6):
            write(tmp_path, f"{name}/{i}.png")
    assert opened(tmp_path).records["split"].isna().all()


@pytest.mark.parametrize("names", [("正常", "肺炎"), ("здоров", "болен"), ("unauffällig", "bösartig"), ("υγιής", "καρκίνος")])
def test_classes_may_be_called_in_any_script(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        for i in range(8):
            write(tmp_path, f"{name}/{i}.png")
    assert opened(tmp_path).labels.classes == tuple(sorted(names))


@pytest.mark.parametrize("words", [("benign", "tumor"), ("0", "1"), ("kein Befund", "Befund")])
def test_the_class_may_stand_in_a_text_beside_each_image(tmp_path: Path, words: tuple[str, str]) -> None:
    for i in range(12):
        write(tmp_path, f"images/img_{i}.png")
        write(tmp_path, f"images/img_{i}.txt", words[i % 2] + "\n")
    dataset = opened(tmp_path)
    assert dataset.labels.classes == tuple(sorted(words))
    assert [dataset.labels.values[f"images/img_{i}.png"] for i in range(4)] == [words[0], words[1]] * 2  # type: ignore[index]
    assert dataset.problems == ()
    assert dataset.summary.counts["annotations"] == 12


@pytest.mark.parametrize(
    "text", ["0 0.5 0.5 0.1 0.1", "the left lower lobe shows a consolidation", "two\nlines", "another {i}"]
)
def test_a_text_that_is_no_class_is_told_and_not_read(tmp_path: Path, text: str) -> None:
    for i in range(12):
        write(tmp_path, f"img_{i}.png")
        write(tmp_path, f"img_{i}.txt", text.format(i=i) + "\n")
    dataset = opened(tmp_path, layout="folders")
    assert dataset.labels.task == "none"
    assert [problem.kind for problem in dataset.problems] == ["unused-table"]


def _by_nurse(root: Path, ends: tuple[str, str]) -> None:
    for n, nurse in enumerate(("Anna", "Petra", "Jens")):
        for i in range(10):
            write(root, f"ward {nurse}/IMG_{n}{i:03d}_{ends[(i + n) % 2]}.jpg")


@pytest.mark.parametrize("ends", [("m", "b"), ("mal", "ben"), ("krank", "gesund")])
def test_endings_that_cross_the_folders_are_asked_about_and_can_be_taken(tmp_path: Path, ends: tuple[str, str]) -> None:
    """Folders by nurse are no classes, and nobody but the user knows."""
    _by_nurse(tmp_path, ends)
    dataset = opened(tmp_path)
    (guess,) = (guess for guess in dataset.summary.guesses if guess.role == "label")
    assert guess.confidence < 0.5
    assert ["--label name:end" in problem.reason for problem in dataset.problems] == [True]
    told = opened(tmp_path, roles={"label": "name:end", "site": "folder:1"})
    assert told.labels.classes == tuple(sorted(ends))
    assert told.records["site"].nunique() == 3
    assert told.problems == ()
    folders = opened(tmp_path, roles={"label": "folder:1"})
    assert len(folders.labels.classes) == 3
    assert folders.problems == ()


def test_a_place_in_names_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    _by_nurse(tmp_path, ("m", "b"))
    with pytest.raises(DatasetError, match="name:begin or at name:end"):
        opened(tmp_path, roles={"label": "name:middle"})


@pytest.mark.parametrize("ends", [("left", "right"), ("cc", "mlo"), ("train", "test"), ("t1", "t2"), ("l", "r")])
def test_sides_views_and_splits_at_the_end_of_names_raise_no_doubt(tmp_path: Path, ends: tuple[str, str]) -> None:
    for name in ("alpha", "beta"):
        for i in range(10):
            write(tmp_path, f"{name}/{i:03d}_{ends[i % 2]}.png")
    assert opened(tmp_path).problems == ()


def test_views_of_one_thing_and_clinical_folders_raise_no_doubt(tmp_path: Path) -> None:
    for name in ("alpha", "beta"):
        for i in range(10):
            write(tmp_path, f"views/{name}/{i:03d}_a.png")
            write(tmp_path, f"views/{name}/{i:03d}_b.png")
    for name in ("benign", "malignant"):
        for i in range(10):
            write(tmp_path, f"named/{name}/{i:03d}_{'pq'[i % 2]}.png")
    assert opened(tmp_path / "views").problems == ()
    assert opened(tmp_path / "named").problems == ()


def test_a_third_modality_is_a_channel_of_its_case(tmp_path: Path) -> None:
    for i in range(6):
        for kind in ("CT", "MR", "PET") if i else ("CT", "MR"):
            write(tmp_path, f"Pat_{i:03d}/{kind}.nii.gz")
    dataset = opened(tmp_path)
    assert dataset.size == 6
    assert set(dataset.channels["name"]) == {"ct", "mr", "pet"}
    assert "6 cases have several files, which are their channels: ct, mr, pet; not there: pet of 1" in dataset.summary.notes


def test_blank_answers_and_classes_that_nobody_lacks_are_told(tmp_path: Path) -> None:
    rows = ["bild,Infiltrat,Erguss,Kardiomegalie"]
    for i in range(12):
        write(tmp_path, f"img/{i}.png")
        rows.append(f"{i}.png,{i % 2},{('1', '')[i % 3 == 0]},{('', '1')[i % 2]}")
    write(tmp_path, "liste.csv", "\n".join(rows) + "\n")
    (told,) = (note for note in opened(tmp_path).summary.notes if "blank" in note)
    assert told.startswith("10 of 36 answers are blank: read as unknown, not as no; nobody lacks Erguss, Kardiomegalie")


def test_columns_that_may_be_the_label_are_named_where_none_was_found(tmp_path: Path) -> None:
    rows = ["bild,alpha,age,sex,text"]
    for i in range(12):
        write(tmp_path, f"img/{i}.png")
        rows.append(f"{i}.png,{'uvw'[i % 3]},{30 + i % 4},{'MF'[i % 2]},words {i}")
    write(tmp_path, "liste.csv", "\n".join(rows) + "\n")
    dataset = opened(tmp_path)
    assert dataset.labels.task == "none"
    assert [note for note in dataset.summary.notes if "--label" in note] == [
        "no column was taken for the label; of few values are 'alpha': say --label and its name or place if one is the label"
    ]
