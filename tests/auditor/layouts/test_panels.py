"""Tables of readers: what they read, who they are, and what they said."""

import random

import pytest

from auditor.layout import Options, open_dataset


def written(path, header, rows):
    path.write_text("\n".join(",".join(map(str, row)) for row in (header, *rows)) + "\n")
    return path


def opened(path):
    return open_dataset(path, Options(workers=0))


def panel(key, cell="p{:04d}/study1", raters=8, records=100):
    chance = random.Random(3)
    rows = [(cell.format(i), f"bc{r}", chance.randint(0, 1)) for r in range(raters) for i in range(records)]
    return (key, "rater", "label"), rows


@pytest.mark.parametrize("key", ["Study", "Image", "Case", "Accession", "StudyInstanceUID", "exam_id"])
def test_a_panel_is_grouped_by_whatever_everybody_read(tmp_path, key):
    dataset = opened(written(tmp_path / "readings.csv", *panel(key)))
    assert dataset.size == 100
    assert len(dataset.annotations) == 800
    assert dataset.annotations["rater"].nunique() == 8


@pytest.mark.parametrize("names", [("reader_i", "reader_ii", "reader_iii"), ("Reader I", "Reader II", "Reader IV")])
def test_readers_may_be_counted_in_roman_numbers(tmp_path, names):
    chance = random.Random(4)
    rows = [(i, *(chance.choice(["benign", "malignant"]) for _ in names)) for i in range(40)]
    dataset = opened(written(tmp_path / "wide.csv", ("id", *names), rows))
    assert sorted(dataset.annotations["rater"].unique()) == sorted(names)


@pytest.mark.parametrize("cells", [("YES", "NO"), ("1", "0"), ("positive", "negative")])
def test_several_findings_of_readers_are_several_labels_and_a_nodule_is_no_id(tmp_path, cells):
    chance = random.Random(5)
    rows = [(f"s{i}", f"r{r}", *(chance.choice(cells) for _ in range(3))) for i in range(40) for r in range(3)]
    dataset = opened(written(tmp_path / "findings.csv", ("study_id", "reader", "Pneumonia", "Effusion", "Nodule"), rows))
    assert len(dataset.annotations) == 120
    assert dataset.records["lesion"].isna().all()
    said = {part for label in dataset.annotations["label"] for part in label.split("|")}
    assert said == {"Pneumonia", "Effusion", "Nodule", "none"}


def test_val_and_test_of_readers_are_no_training_split(tmp_path):
    header, rows = panel("case")
    rows = [(*row, "val" if int(row[0][1:5]) < 50 else "test") for row in rows]
    dataset = opened(written(tmp_path / "readings.csv", (*header, "split"), rows))
    assert dataset.records["split"].isna().all()
    assert any("no training split" in note for note in dataset.summary.notes)


def test_states_of_the_work_are_unlabelled_and_told(tmp_path):
    words = ["nodule", "normal", "todo", "Unknown", "n/a", "no finding yet", "NA"]
    rows = [(f"{i}.png", words[i % 7]) for i in range(70)]
    dataset = opened(written(tmp_path / "labels.csv", ("file", "finding"), rows))
    assert dataset.labels.classes == ("NA", "nodule", "normal")
    assert int(dataset.labels.values.isna().sum()) == 40
    assert any("states of the work" in note for note in dataset.summary.notes)


def test_a_comma_joins_labels_that_stand_alone_elsewhere_and_parts_no_phrase(tmp_path):
    joined = [(f"{i}.png", ["COVID-19", "ARDS", '"COVID-19, ARDS"', "SARS"][i % 4]) for i in range(40)]
    dataset = opened(written(tmp_path / "joined.csv", ("file", "finding"), joined))
    assert dataset.labels.classes == ("ARDS", "COVID-19", "SARS")
    phrases = [(f"{i}.png", ['"carcinoma, ductal"', '"carcinoma, lobular"', "normal"][i % 3]) for i in range(40)]
    dataset = opened(written(tmp_path / "phrase.csv", ("file", "diagnosis"), phrases))
    assert dataset.labels.classes == ("carcinoma, ductal", "carcinoma, lobular", "normal")


def test_decimal_commas_are_numbers(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("file;label;dose\n" + "".join(f"{i}.png;{'ab'[i % 2]};{i},5\n" for i in range(30)))
    assert opened(path).metadata["table.dose"].tolist() == [i + 0.5 for i in range(30)]


@pytest.mark.parametrize("word", ["todo", "k.A.", "not read", "?", "-"])
def test_a_reader_who_has_not_read_yet_has_said_nothing(tmp_path, word):
    chance = random.Random(6)
    cell = [[word if chance.random() < 0.2 else chance.choice(["benign", "malignant"]) for _ in range(3)] for _ in range(30)]
    unread = sum(line.count(word) for line in cell)
    wide = opened(written(tmp_path / "wide.csv", ("id", "r1", "r2", "r3"), [(i, *line) for i, line in enumerate(cell)]))
    rows = [(i, f"r{r}", answer) for i, line in enumerate(cell) for r, answer in enumerate(line)]
    long = opened(written(tmp_path / "long.csv", ("case", "Befunder", "label"), rows))
    for dataset in (wide, long):
        assert len(dataset.annotations) == 90 - unread
        assert set(dataset.annotations["label"]) == {"benign", "malignant"}
        assert any("no readings but states of the work" in note for note in dataset.summary.notes)


@pytest.mark.parametrize("unread", ["todo", "pending", "9", "unklar", "not read"])
def test_findings_that_nobody_has_read_yet_are_no_answer(tmp_path, unread):
    cells = (
        [("yes", "no", unread)[i % 3] for i in range(120)] if unread != "9" else [("1", "0", "9")[i % 3] for i in range(120)]
    )
    table = [(f"s{i}", f"r{r}", *[cells[i + r]] * 3) for i in range(30) for r in range(3)]
    dataset = opened(written(tmp_path / "readers.csv", ("study_id", "reader", "Pneumonia", "Effusion", "Mass"), table))
    assert len(dataset.annotations) == 60
    rows = [(f"{i}.png", *[cells[i]] * 3) for i in range(60)]
    dataset = opened(written(tmp_path / "labels.csv", ("file", "Pneumonia", "Effusion", "Mass"), rows))
    assert dataset.labels.classes == ("Effusion", "Mass", "Pneumonia")
    assert int((dataset.labels.states < 0).all(axis=1).sum()) == 20
    assert unread in dataset.labels.left_out


def test_ticked_boxes_are_yes_and_empty_ones_no(tmp_path):
    rows = [(f"{i}.png", *("x" if (i >> k) & 1 else "" for k in range(3))) for i in range(16)]
    dataset = opened(written(tmp_path / "ticks.csv", ("file", "Pneumonia", "Effusion", "Mass"), rows))
    assert dataset.labels.states.to_numpy().min() == 0
    assert any("an empty one is read as no" in guess.why for guess in dataset.summary.guesses)


@pytest.mark.parametrize("mark", ["; ", "+", " + ", " & ", "/", " and ", " und ", "、", "，", "；"])
def test_labels_joined_by_any_mark_that_stand_alone_elsewhere(tmp_path, mark):
    cells = ["Pneumonia", "Effusion", "No Finding", f"Pneumonia{mark}Effusion"]
    dataset = opened(written(tmp_path / "joined.csv", ("file", "finding"), [(f"{i}.png", cells[i % 4]) for i in range(40)]))
    assert dataset.labels.classes == ("Effusion", "Pneumonia")


@pytest.mark.parametrize(
    ("name", "cells"),
    [("diagnosis", ["3+4", "3+3", "4+3"]), ("stage", ["I", "II", "I/II"]), ("finding", ["I", "II", "I/II"]),
     ("diagnosis", ["mass/nodule", "normal", "cyst"]), ("finding", ["head and neck", "lung", "normal"])],
)  # fmt: skip
def test_signs_that_join_no_labels(tmp_path, name, cells):
    dataset = opened(written(tmp_path / "one.csv", ("file", name), [(f"{i}.png", cells[i % 3]) for i in range(45)]))
    assert dataset.labels.classes == tuple(sorted(cells))


def test_grades_and_numbers_keep_their_kind_beside_a_missing_one(tmp_path):
    grades = [(f"{i}.png", ["0", "1", "2", "k.A.", "99"][i % 5]) for i in range(50)]
    dataset = opened(written(tmp_path / "grades.csv", ("file", "grade"), grades))
    assert (dataset.labels.task, dataset.labels.classes) == ("ordinal", ("0", "1", "2"))
    ages = [(f"{i}.png", ["n/a", "-999", i][min(i, 2)]) for i in range(100)]
    dataset = opened(written(tmp_path / "ages.csv", ("file", "boneage"), ages))
    assert dataset.labels.task == "continuous"
    assert dataset.labels.left_out == ("-999", "n/a")
    assert dataset.labels.values.min() == 2


def test_two_readers_called_by_name_are_no_key_of_records(tmp_path):
    rows = [(f"c{i}", i % 2, (i + 1) % 2) for i in range(40)]
    dataset = opened(written(tmp_path / "named.csv", ("id", "annotator_alice", "annotator_bob"), rows))
    assert dataset.size == 40


@pytest.mark.parametrize(
    ("name", "cells", "ids"),
    [("Nodule", "0123", False), ("lesion", ("cyst", "solid", "mixed"), False), ("lesion_id", "1234", False),
     ("Nodule", ("yes", "no", "unknown"), False), ("lesion_id", [f"L{i:02d}" for i in range(12)], True),
     ("lesion", [str(i) for i in range(90, 120)], True)],
)  # fmt: skip
def test_a_lesion_id_tells_lesions_apart(tmp_path, name, cells, ids):
    rows = [(f"{i}.png", cells[i % len(cells)], "ab"[i % 2]) for i in range(60)]
    dataset = opened(written(tmp_path / "lesions.csv", ("file", name, "label"), rows))
    assert bool(dataset.records["lesion"].notna().all()) is ids
    assert (f"table.{name}" in dataset.metadata) is not ids


def test_answers_to_a_second_question_are_told(tmp_path):
    names = ("reader1_pneumonia", "reader2_pneumonia", "reader1_effusion", "reader2_effusion")
    chance = random.Random(7)
    rows = [(i, *(chance.choice("01") for _ in names)) for i in range(40)]
    dataset = opened(written(tmp_path / "two.csv", ("id", *names), rows))
    assert sorted(dataset.annotations["rater"].unique()) == ["reader1_pneumonia", "reader2_pneumonia"]
    assert any("reader1_effusion, reader2_effusion" in note for note in dataset.summary.notes)


@pytest.mark.parametrize(("yes", "no", "unread"), [("ja", "nein", "unklar"), ("POS", "NEG", "pending"), ("1", "0", "9")])
def test_a_single_column_called_like_a_disease_is_a_label(tmp_path, yes, no, unread):
    cells = (yes, no, unread)
    rows = [(f"{i}.png", cells[i % 3], "mf"[i % 2]) for i in range(60)]
    dataset = opened(written(tmp_path / "one.csv", ("file", "covid_status", "sex"), rows))
    assert dataset.labels.origin == "covid_status"
    assert {yes, no} <= set(dataset.labels.classes)


@pytest.mark.parametrize("mark", ["; ", ";", ", ", " + ", "|"])
def test_several_labels_of_one_reading_are_a_set_whatever_joins_them(tmp_path, mark):
    cells = ["Pneumonia", "Effusion", f"Pneumonia{mark}Effusion", f"Effusion{mark}Pneumonia", "No Finding"]
    chance = random.Random(8)
    rows = [(i, *(f'"{chance.choice(cells)}"' for _ in range(3))) for i in range(50)]
    dataset = opened(written(tmp_path / "wide.csv", ("id", "r1", "r2", "r3"), rows))
    assert set(dataset.annotations["label"]) == {"Pneumonia", "Effusion", "Effusion|Pneumonia", "No Finding"}
    assert len(dataset.annotations) == 150


def test_measurements_with_decimal_commas_are_no_sets(tmp_path):
    rows = [(i, *(f'"{(i + r) % 4},5"' if i % 3 else i % 4 for r in range(2))) for i in range(40)]
    dataset = opened(written(tmp_path / "grades.csv", ("id", "reader1", "reader2"), rows))
    assert not dataset.annotations["label"].str.contains("|", regex=False).any()
