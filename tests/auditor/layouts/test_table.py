import numpy as np
import pandas as pd
import pytest

from auditor.layout import Options, open_dataset
from auditor.values.errors import DatasetError
from auditor.values.labels import State


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def table(*rows):
    return "\n".join(",".join(map(str, row)) for row in rows) + "\n"


def opened(target, **options):
    dataset = open_dataset(target, Options(**options))
    counts = dataset.summary.counts
    parts = ("images", "containers", "masks", "tables", "annotations", "other")
    assert counts["files"] == sum(counts.get(part, 0) for part in parts)
    assert counts["rows"] == counts["rows_used"] + counts["rows_malformed"]
    assert dataset.records.index.is_unique
    return dataset


def images(root, *names):
    for name in names:
        write(root, name, "x")


def kinds(dataset):
    return sorted((p.kind, p.path) for p in dataset.problems)


def test_a_table_beside_its_images_names_records_labels_and_lines(tmp_path):
    images(tmp_path, *(f"img/{i}.png" for i in range(4)))
    rows = [("filename", "label", "patient"), *((f"{i}.png", "NA" if i % 2 else "x", f"00{i // 2}") for i in range(4))]
    write(tmp_path, "labels.csv", table(*rows))
    dataset = opened(tmp_path)
    assert dataset.summary.layout == "table"
    assert dataset.records["path"].tolist() == [f"img/{i}.png" for i in range(4)]
    assert dataset.records["line"].tolist() == [2, 3, 4, 5]
    assert dataset.labels.values.tolist() == ["x", "NA", "x", "NA"]
    assert dataset.records["patient"].tolist() == ["000", "000", "001", "001"]
    assert dataset.problems == ()


def test_missing_and_unlisted_files_are_problems_and_masks_are_not(tmp_path):
    images(tmp_path, "a.png", "b.png", "b_mask.png", "extra.png")
    write(tmp_path, "labels.csv", table(("file", "label"), ("a.png", "x"), ("b.png", "y"), ("gone.png", "x")))
    dataset = opened(tmp_path)
    assert kinds(dataset) == [("missing", "gone.png"), ("unlisted", "extra.png")]
    missing = next(p for p in dataset.problems if p.kind == "missing")
    assert (missing.record, missing.line) == ("gone.png", 4)
    assert dataset.size == 3
    assert dataset.records.loc["b.png", "mask"] == "b_mask.png"
    assert dataset.summary.counts["missing"] == dataset.summary.counts["unlisted"] == 1


def test_without_any_image_nothing_is_missing_and_a_note_says_so(tmp_path):
    path = write(tmp_path, "labels.csv", table(("file", "label"), *((f"{i}.png", "ab"[i % 2]) for i in range(6))))
    dataset = opened(path)
    assert dataset.problems == ()
    assert dataset.size == 6
    assert any("only the table is audited" in note for note in dataset.summary.notes)


def test_images_of_another_root_are_found_by_the_option(tmp_path):
    images(tmp_path, "pictures/deep/a.png", "pictures/deep/b.png")
    path = write(tmp_path, "tables/labels.csv", table(("id", "label"), ("a", "x"), ("b", "y")))
    dataset = opened(path, root=tmp_path / "pictures", roles={"path": "id"})
    assert dataset.records["path"].tolist() == ["deep/a.png", "deep/b.png"]
    assert dataset.root == (tmp_path / "pictures").resolve()
    assert dataset.summary.counts["tables"] == 1


def test_paths_out_of_the_root_are_never_opened(tmp_path):
    images(tmp_path, "d/a.png", "secret.png")
    write(tmp_path, "d/labels.csv", table(("file", "label"), ("a.png", "x"), ("../secret.png", "y"), ("/etc/passwd.png", "x")))
    dataset = opened(tmp_path / "d")
    assert [p.kind for p in dataset.problems] == ["outside-root", "outside-root"]
    assert dataset.records["path"].dropna().tolist() == ["a.png"]


def test_windows_paths_and_leading_folders_are_resolved(tmp_path):
    images(tmp_path, "train/patient1/v1.png", "train/patient2/v1.png")
    rows = (("Path", "label"), ("CheX-small\\train\\patient1\\v1.png", "x"), ("CheX-small/train/patient2/v1.png", "y"))
    write(tmp_path, "labels.csv", table(*rows))
    dataset = opened(tmp_path)
    assert dataset.records["path"].tolist() == ["train/patient1/v1.png", "train/patient2/v1.png"]


def test_a_name_that_several_files_fit_is_never_guessed(tmp_path):
    images(tmp_path, "a/1.png", "b/1.png", "b/2.png", "b/3.png")
    write(tmp_path, "labels.csv", table(("file", "label"), ("1.png", "x"), ("2.png", "y"), ("3.png", "x")))
    dataset = opened(tmp_path)
    reason = next(p.reason for p in dataset.problems if p.path == "1.png")
    assert "several files" in reason


def test_a_second_row_of_an_image_is_a_record_of_its_own(tmp_path):
    path = write(tmp_path, "t.csv", table(("file", "label"), *((f"{i}.png", "xy"[i % 2]) for i in range(20)), ("0.png", "y")))
    dataset = opened(path)
    assert dataset.records.index[-1] == "0.png#2"
    assert dataset.records["path"].iloc[-1] == "0.png"
    assert dataset.labels.values.iloc[[0, -1]].tolist() == ["x", "y"]


def test_one_finding_per_row_becomes_one_record_with_several_classes(tmp_path):
    rows = [(f"{i}.png", finding) for i in range(6) for finding in (("Mass", "Nodule") if i % 2 else ("Mass",))]
    dataset = opened(write(tmp_path, "t.csv", table(("file", "finding"), *rows)))
    assert dataset.size == 6
    assert dataset.labels.task == "multi"
    assert dataset.labels.states is not None
    assert dataset.labels.states["Nodule"].tolist() == [0, 1, 0, 1, 0, 1]


def test_joined_labels_have_states_and_no_finding_is_no_class(tmp_path):
    rows = [(f"{i}.png", ("Mass|Edema", "No Finding", "", "Mass")[i % 4]) for i in range(12)]
    dataset = opened(write(tmp_path, "t.csv", table(("file", "Finding Labels"), *rows)))
    assert dataset.labels.classes == ("Edema", "Mass")
    states = dataset.labels.states
    assert states is not None
    assert states.iloc[:4].to_numpy().tolist() == [
        [State.POSITIVE, State.POSITIVE],
        [State.NEGATIVE, State.NEGATIVE],
        [State.NOT_ASSESSED, State.NOT_ASSESSED],
        [State.NEGATIVE, State.POSITIVE],
    ]


def test_chexpert_states_patients_and_studies(tmp_path):
    header = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "Edema", "Fracture")
    rows = [
        (f"CheXpert-v1.0/train/patient{p:05d}/study{s}/view1_frontal.jpg", "Male", 60 + p, "Frontal", "AP", edema, fracture)
        for p in range(4)
        for s, edema, fracture in ((1, "1.0", ""), (2, "-1.0", "0.0"), (3, "", "1.0"))
    ]
    dataset = opened(write(tmp_path, "train.csv", table(header, *rows)))
    assert dataset.records["patient"].iloc[0] == "patient00000"
    assert dataset.records["study"].iloc[1] == "patient00000/study2"
    states = dataset.labels.states
    assert states is not None
    assert states["Edema"].tolist()[:3] == [State.POSITIVE, State.UNCERTAIN, State.NOT_MENTIONED]
    assert states["Fracture"].tolist()[:3] == [State.NOT_MENTIONED, State.NEGATIVE, State.POSITIVE]
    assert set(dataset.metadata.columns) == {"table.Sex", "table.Age", "table.Frontal/Lateral", "table.AP/PA"}


def test_minus_one_in_a_single_label_is_no_class(tmp_path):
    dataset = opened(write(tmp_path, "t.csv", table(("file", "label"), *((f"{i}.png", i % 3 - 1) for i in range(30)))))
    assert dataset.labels.classes == ("0", "1")
    assert int(dataset.labels.values.isna().sum()) == 10


def test_rsna_rows_are_boxes_of_images_and_the_target_is_the_label(tmp_path):
    rows = [("a", 1, 2, 10, 20, 1), ("a", 5, 6, 10, 20, 1), ("b", "", "", "", "", 0), ("c", "", "", "", "", 0)]
    dataset = opened(write(tmp_path, "t.csv", table(("patientId", "x", "y", "width", "height", "Target"), *rows)))
    assert dataset.records.index.tolist() == ["a", "b", "c"]
    assert dataset.labels.values.tolist() == ["1", "0", "0"]
    assert not dataset.has("patient")
    assert dataset.boxes[["record", "x0", "y0", "x1", "y1", "line"]].to_numpy().tolist() == [
        ["a", 1.0, 2.0, 11.0, 22.0, 2],
        ["a", 5.0, 6.0, 15.0, 26.0, 3],
    ]


def test_vindr_rows_are_readings_of_several_raters(tmp_path):
    header = ("image_id", "class_name", "class_id", "rad_id", "x_min", "y_min", "x_max", "y_max")
    rows = [
        ("a", "Nodule", 1, "R1", 1, 2, 3, 4), ("a", "Mass", 2, "R1", 1, 2, 3, 4), ("a", "Nodule", 1, "R2", 1, 2, 3, 4),
        ("b", "No finding", 14, "R1", "", "", "", ""), ("b", "No finding", 14, "R2", "", "", "", ""),
    ]  # fmt: skip
    dataset = opened(write(tmp_path, "t.csv", table(header, *rows)))
    assert dataset.labels.task == "none"
    assert dataset.annotations.to_numpy().tolist() == [
        ["a", "R1", "Mass|Nodule"], ["a", "R2", "Nodule"], ["b", "R1", "No finding"], ["b", "R2", "No finding"],
    ]  # fmt: skip
    assert len(dataset.boxes) == 3


def test_wide_raters_become_readings_and_blank_cells_are_none(tmp_path):
    rows = [(f"{i}.png", "ab"[i % 2], "ba"[i % 2] if i else "", "ab"[i % 2]) for i in range(6)]
    dataset = opened(write(tmp_path, "t.csv", table(("file", "reader_1", "reader_2", "consensus"), *rows)))
    assert dataset.labels.origin == "consensus"
    assert len(dataset.annotations) == 11
    assert set(dataset.annotations["rater"]) == {"reader_1", "reader_2"}
    assert dataset.metadata.columns.empty


def test_crowd_answers_are_one_record_per_question(tmp_path):
    rows = [(q, w, (q + w) % 3, 1000 + q) for q in range(40) for w in range(5)]
    dataset = opened(write(tmp_path, "t.csv", table(("question", "worker", "answer", "seconds"), *rows)))
    assert dataset.size == 40
    assert dataset.labels.task == "none"
    assert list(dataset.annotations.columns) == ["record", "rater", "label", "seconds"]
    assert len(dataset.annotations) == 200
    assert dataset.records["path"].isna().all()


def test_train_and_test_tables_of_one_header_are_one_dataset(tmp_path):
    images(tmp_path, *(f"{i}.png" for i in range(8)))
    for name, some in (("train.csv", range(5)), ("test.csv", range(5, 8))):
        write(tmp_path, name, table(("file", "label"), *((f"{i}.png", "ab"[i % 2]) for i in some)))
    dataset = opened(tmp_path)
    assert dataset.records["split"].value_counts().to_dict() == {"train": 5, "test": 3}
    assert dataset.summary.counts["tables"] == 2


def test_metadata_are_numbers_text_or_days_and_identifiers_are_hashed_or_gone(tmp_path):
    n = 60
    frame = pd.DataFrame(
        {
            "file": [f"{i}.png" for i in range(n)],
            "label": ["x", "y"] * (n // 2),
            "kvp": [80 + i % 3 for i in range(n)],
            "code": [f"00{i % 3}" for i in range(n)],
            "Physician Name": ["CANARY^Jane", "CANARY^Joe"] * (n // 2),
            "note": [f"CANARY {i}" for i in range(n)],
            "study_date": [f"2020-01-{1 + i % 28:02d}" for i in range(n)],
            "hospital": ["A", "B"] * (n // 2),
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    dataset = opened(tmp_path / "t.csv")
    assert dataset.metadata["table.kvp"].tolist()[:3] == [80.0, 81.0, 82.0]
    assert dataset.metadata["table.code"].tolist()[:2] == ["000", "001"]
    assert dataset.metadata["table.study_date"].tolist()[:3] == [0.0, 1.0, 2.0]
    assert dataset.metadata["table.study_date weekday"].iloc[0] == 2  # 1 January 2020 was a Wednesday
    assert "table.note" not in dataset.metadata.columns
    assert dataset.fields["table.Physician Name"].identifying
    assert dataset.fields["table.kvp"].kind == "acquisition"
    assert not dataset.metadata.astype(str).apply(lambda c: c.str.contains("CANARY")).any().any()
    assert dataset.records["site"].tolist()[:2] == ["A", "B"]


def test_an_unknown_column_is_one_line_with_the_nearest(tmp_path):
    path = write(tmp_path, "t.csv", table(("file", "label"), ("a.png", "x"), ("b.png", "y")))
    with pytest.raises(DatasetError, match=r"t\.csv: no column is called 'labell'.*label"):
        opened(path, roles={"label": "labell"})


def test_pins_name_several_label_columns(tmp_path):
    rows = [(f"{i}.png", i % 2, 1, (i + 1) % 2) for i in range(10)]
    path = write(tmp_path, "t.csv", table(("file", "a", "b", "c"), *rows))
    dataset = opened(path, roles={"label": "a, c"})
    assert dataset.labels.classes == ("a", "c")
    assert dataset.labels.task == "single"
    assert dataset.guess("label").pinned


def test_a_table_of_patients_without_images_is_labelled_by_patient(tmp_path):
    dataset = opened(write(tmp_path, "t.csv", table(("patient_id", "diagnosis"), *((f"p{i}", "ab"[i % 2]) for i in range(10)))))
    assert dataset.labels.level == "patient"
    assert dataset.records.index.tolist() == [f"p{i}" for i in range(10)]


def test_grades_of_eyes_are_ordered_and_eyes_share_a_patient(tmp_path):
    rows = [(f"{i // 2}_{'left' if i % 2 == 0 else 'right'}", i % 5) for i in range(20)]
    dataset = opened(write(tmp_path, "t.csv", table(("image", "level"), *rows)))
    assert dataset.labels.task == "ordinal"
    assert dataset.labels.classes == ("0", "1", "2", "3", "4")
    assert dataset.labels.level == "eye"
    assert dataset.records["patient"].nunique() == 10


def test_a_mask_column_names_masks_that_are_no_records(tmp_path):
    images(tmp_path, *(f"i{k}.png" for k in range(3)), *(f"m{k}.png" for k in range(3)))
    write(tmp_path, "t.csv", table(("image", "mask", "label"), *((f"i{k}.png", f"m{k}.png", "ab"[k % 2]) for k in range(3))))
    dataset = opened(tmp_path)
    assert dataset.records["mask"].tolist() == ["m0.png", "m1.png", "m2.png"]
    assert dataset.problems == ()
    assert dataset.summary.counts["masks"] == 3


def test_the_real_nih_table_is_opened_whole(real_data):
    dataset = opened(real_data / "tables/nih_chestxray14/Data_Entry_2017_v2020.csv.gz")
    assert dataset.size == dataset.summary.counts["rows"] == 112_120
    assert len(dataset.labels.classes) == 14
    assert dataset.records["patient"].nunique() == 30_805  # the number that NIH states
    states = dataset.labels.states
    assert states is not None
    assert int((states["Hernia"] == State.POSITIVE).sum()) == 227  # as published with the collection
    assert dataset.fields["table.View Position"].kind == "acquisition"


@pytest.mark.parametrize(("name", "records", "readings"), [("crowd_dog", 807, 8070), ("crowd_duck", 108, 4212)])
def test_real_crowd_tables_become_readings(real_data, name, records, readings):
    dataset = opened(real_data / f"tables/{name}/answer.csv")
    assert (dataset.size, len(dataset.annotations)) == (records, readings)
    assert np.array_equal(np.unique(dataset.annotations["record"]), np.unique(dataset.records.index))


@pytest.mark.parametrize(
    "header",
    ["pat", "Pat_Nr", "PatNr.", "PATIENTENNUMMER", "Probanden-ID", "subj", "ptno", "patient_num", "id_patient", "pat_code"],
)
def test_a_column_of_patients_is_known_however_it_is_shortened(tmp_path, header):
    images(tmp_path, *(f"{i}.png" for i in range(12)))
    rows = [("datei", header, "befund"), *((f"{i}.png", f"{i // 2:04d}", "ab"[i % 2]) for i in range(12))]
    write(tmp_path, "liste.csv", table(*rows))
    assert opened(tmp_path).records["patient"].tolist() == [f"{i // 2:04d}" for i in range(12)]


@pytest.mark.parametrize("header", ["pattern", "pathology_no", "path", "patch_id", "patella", "fallzahl", "examiner_no"])
def test_a_column_that_begins_like_one_of_patients_is_none(tmp_path, header):
    images(tmp_path, *(f"{i}.png" for i in range(12)))
    rows = [("datei", header, "befund"), *((f"{i}.png", f"{i // 2:04d}", "ab"[i % 2]) for i in range(12))]
    write(tmp_path, "liste.csv", table(*rows))
    dataset = opened(tmp_path)
    assert "patient" not in dataset.records.columns or dataset.records["patient"].isna().all()


@pytest.mark.parametrize("tail", ["one", "two", "case"])
def test_a_column_that_is_in_no_file_is_neither_given_nor_to_be_pinned(tmp_path, tail):
    """The next command would name a column that the table has not."""
    if tail == "case":
        images(tmp_path, *(f"videos/vid_{v:02d}/{k}.png" for v in range(6) for k in range(3)))
        rows = [("video", "label"), *((f"vid_{v:02d}", "ab"[v % 2]) for v in range(6))]
        write(tmp_path, "labels.csv", table(*rows))
    elif tail == "two":
        images(tmp_path, *(f"{v}_{side}.png" for v in range(6) for side in ("links", "rechts")))
        rows = [
            ("pat", "bild_links", "bild_rechts", "diagnose_links", "diagnose_rechts"),
            *((v, f"{v}_links.png", f"{v}_rechts.png", "a", "ab"[v % 2]) for v in range(6)),
        ]
        write(tmp_path, "labels.csv", table(*rows))
    else:
        images(tmp_path, *(f"{v}.png" for v in range(12)))
        for split, some in (("train", range(8)), ("test", range(8, 12))):
            write(tmp_path, f"{split}.csv", table(("file", "label"), *((f"{v}.png", "ab"[v % 2]) for v in some)))
    guesses = opened(tmp_path).summary.guesses
    made = [guess for guess in guesses if guess.value in ("image of the row", "split (table name)", "study id of the row")]
    assert made
    assert not any(guess.pinned or guess.column for guess in made)
