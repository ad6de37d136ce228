import re

import numpy as np
import pandas as pd
import pytest

from auditor.tables.label_table import categorical
from auditor.tables.roles import find_roles
from auditor.values.errors import DatasetError


def frame(**columns):
    return pd.DataFrame({name.replace("__", " "): categorical(map(str, values)) for name, values in columns.items()})


def roles(table, resolving=None, **options):
    return find_roles(table, pins=options.pop("pins", {}), where="t.csv", resolving=resolving, **options)


N = 60
FILES = [f"img_{i:03d}.png" for i in range(N)]


def test_unknown_headers_are_scored_by_name_and_content():
    table = frame(
        bild=FILES, subject_no=[i // 3 for i in range(N)], kind=["normal", "tumour"] * 30, usage=["train"] * 40 + ["test"] * 20,
        hospital=["A", "B", "C"] * 20, age=range(N), sex=["f", "m"] * 30,
    )  # fmt: skip
    found = roles(table)
    assert found.columns == {"path": "bild", "patient": "subject_no", "split": "usage", "site": "hospital"}
    assert found.labels == ("kind",)
    assert found.style == "single"
    for guess in found.guesses:
        assert 0.5 <= guess.confidence <= 1
        assert guess.why
        assert guess.column == guess.value


def test_age_and_sex_are_never_the_label():
    found = roles(frame(file=FILES, age=["40", "50"] * 30, sex=["f", "m"] * 30))
    assert found.labels == ()
    assert found.style == "none"


def test_a_path_column_must_name_files():
    table = frame(image=["a", "b"] * 30, scan=[f"s{i}" for i in range(N)], label=["x", "y"] * 30)
    assert roles(table, resolving={"scan": 1.0}).columns["path"] == "scan"


def test_one_patient_per_row_is_told_with_less_confidence():
    found = roles(frame(file=FILES, patient_id=range(N), label=["x", "y"] * 30))
    guess = next(g for g in found.guesses if g.role == "patient")
    assert guess.confidence == 0.5
    assert "another value in every row" in guess.why


def test_pins_go_before_guesses_and_forgive_case_and_punctuation():
    found = roles(frame(File=FILES, Label=["x", "y"] * 30, Other=["1", "2"] * 30), pins={"label": "other", "path": "file"})
    assert found.labels == ("Other",)
    assert found.columns["path"] == "File"
    assert all(g.pinned for g in found.guesses)


def test_a_mistyped_column_gets_the_nearest_names_in_one_line():
    with pytest.raises(DatasetError, match=r"no column is called 'lable'.*Label") as caught:
        roles(frame(File=FILES, Label=["x", "y"] * 30), pins={"label": "lable"})
    assert "\n" not in str(caught.value)


def test_one_hot_columns_are_one_label():
    truth = np.eye(3, dtype=int)[np.arange(N) % 3]
    found = roles(frame(image=FILES, MEL=truth[:, 0], NV=truth[:, 1], BCC=truth[:, 2]))
    assert found.labels == ("MEL", "NV", "BCC")
    assert found.style == "columns"


def test_a_single_flag_is_no_label():
    found = roles(frame(image=FILES, smoker=["0", "1"] * 30, diabetes_history=["0", "1"] * 30))
    assert found.labels == ()


@pytest.mark.parametrize("mark", ["|", ";"])
def test_joined_labels_are_seen_by_their_separator(mark):
    values = ["Mass", f"Mass{mark}Nodule", "No Finding", "Nodule"] * 15
    found = roles(frame(image=FILES, findings=values))
    assert (found.style, found.separator) == ("joined", mark)


def test_grades_are_ordinal_and_measurements_continuous():
    assert roles(frame(image=FILES, kl_grade=[i % 5 for i in range(N)])).style == "ordinal"
    assert roles(frame(image=FILES, severity=[f"{i * 0.37:.2f}" for i in range(N)])).style == "continuous"
    assert roles(frame(image=FILES, label=["0", "1"] * 30)).style == "single"


def test_wide_raters_share_a_name_and_their_values():
    values = ["a", "b", "c"] * 20
    found = roles(frame(file=FILES, reader_1=values, reader_2=values[::-1], reader_3=values, consensus=values))
    assert found.raters == ("reader_1", "reader_2", "reader_3")
    assert found.labels == ("consensus",)


def test_columns_of_one_name_with_other_values_are_no_raters():
    found = roles(frame(file=FILES, reader_1=["a", "b"] * 30, reader_2=["5", "6"] * 30))
    assert found.raters == ()


def test_a_long_table_of_answers_has_records_raters_and_no_label():
    rows = [(q, w, (q + w) % 3) for q in range(40) for w in range(5)]
    found = roles(frame(question=[r[0] for r in rows], worker=[r[1] for r in rows], answer=[r[2] for r in rows]))
    assert found.columns == {"item": "question", "rater": "worker", "answer": "answer"}
    assert found.labels == ()


def test_a_consensus_in_a_long_table_is_the_label():
    rows = [(q, w, (q + w) % 3, q % 3) for q in range(40) for w in range(5)]
    columns = [list(c) for c in zip(*rows, strict=True)]
    found = roles(frame(question=columns[0], worker=columns[1], answer=columns[2], truth=columns[3]))
    assert found.labels == ("truth",)
    assert found.columns["answer"] == "answer"


def test_a_truth_that_differs_within_a_record_is_no_label():
    rows = [(q, w, (q + w) % 3) for q in range(40) for w in range(5)]
    columns = [list(c) for c in zip(*rows, strict=True)]
    found = roles(frame(question=columns[0], worker=columns[1], label=columns[2]))
    assert found.labels == ()
    assert found.columns["answer"] == "label"


def test_a_column_that_repeats_the_label_in_other_words_is_a_twin():
    codes = ["0", "1", "2"] * 20
    table = frame(
        file=FILES, label=codes, label_name=[["a", "b", "c"][int(c)] for c in codes], bit_depth=["8", "16", "12"] * 20
    )
    found = roles(table)
    assert found.labels == ("label",)
    assert found.twins == ("label_name",)


KNOWN = {
    "NIH ChestX-ray14": ("Image Index,Finding Labels,Follow-up #,Patient ID", {"path": "Image Index", "patient": "Patient ID"}),
    "HAM10000": ("lesion_id,image_id,dx,dx_type,age,sex,localization", {"lesion": "lesion_id", "path": "image_id"}),
    "RSNA pneumonia": ("patientId,x,y,width,height,Target", {"path": "patientId"}),
    "VinDr boxes": (
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max",
        {"path": "image_id", "rater": "rad_id", "answer": "class_name"},
    ),
    "EyePACS": ("image,level", {"path": "image"}),
    "APTOS": ("id_code,diagnosis", {"path": "id_code"}),
    "MIMIC-CXR": ("dicom_id,study_id,subject_id,split", {"path": "dicom_id", "patient": "subject_id", "study": "study_id"}),
    "ISIC": (
        "image_name,patient_id,sex,age_approx,diagnosis,benign_malignant,target",
        {"path": "image_name", "patient": "patient_id"},
    ),
}


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_headers_are_recognised(name):
    header, expected = KNOWN[name]
    table = pd.DataFrame({column: categorical([str(i % 7) for i in range(20)]) for column in header.split(",")})
    found = roles(table)
    assert found.known is not None
    assert found.known.name == name
    assert {role: found.columns[role] for role in expected} == expected


def test_the_lesion_of_ham10000_is_no_patient():
    table = pd.DataFrame({c: categorical([str(i % 7) for i in range(20)]) for c in ["lesion_id", "image_id", "dx", "dx_type"]})
    found = roles(table)
    assert "patient" not in found.columns
    assert any(re.search("no patient id", note) for note in found.notes)


def test_chexpert_takes_the_states_behind_ap_pa():
    table = frame(Path=FILES, Sex=["F"] * N, Age=["50"] * N)
    for name, values in {
        "Frontal/Lateral": ["F"],
        "AP/PA": ["AP"],
        "Edema": ["1.0", "-1.0", ""],
        "Fracture": ["0.0", "", "1.0"],
    }.items():
        table[name] = categorical((values * N)[:N])
    found = roles(table)
    assert found.labels == ("Edema", "Fracture")
    assert found.style == "columns"


@pytest.mark.parametrize("name", ["Case", "case_no", "Fall", "donor", "animal_id", "individual"])
def test_a_case_of_several_images_is_taken_for_the_patient(name):
    found = roles(frame(file=FILES, **{name: [f"K{i // 3:03d}" for i in range(N)]}, label=["x", "y"] * 30))
    assert found.columns["patient"] == name
    assert next(g for g in found.guesses if g.role == "patient").confidence == 0.75


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("case", [f"K{i:03d}" for i in range(N)]),  # one for each image
        ("case", [f"K{i % 5}" for i in range(N)]),  # so few are examples
        ("case", ["mild", "grave", "fatal"] * 20),
        ("tray", [f"K{i // 3:03d}" for i in range(N)]),
    ],
)
def test_what_only_looks_like_a_case_is_no_patient(name, values):
    assert "patient" not in roles(frame(file=FILES, **{name: values}, label=["x", "y"] * 30)).columns


def test_a_patient_goes_before_a_case():
    cases = [f"K{i // 2:03d}" for i in range(N)]
    found = roles(frame(file=FILES, case=cases, patient=[f"P{i // 4:03d}" for i in range(N)], label=["x", "y"] * 30))
    assert found.columns["patient"] == "patient"


def test_a_column_is_pinned_by_the_place_that_is_shown_for_its_header():
    table = frame(file=FILES, Kowalski=["x", "y"] * 30, note=["p", "q"] * 30)
    assert roles(table, pins={"label": "column 2"}).labels == ("Kowalski",)
    with pytest.raises(DatasetError, match="no column is called 'column 3'"):
        roles(table, pins={"label": "column 3"})  # `note` is shown by its name


@pytest.mark.parametrize("name", ["Beurteilung", "Hauptdiagnose", "Bildbefund"])
def test_german_words_for_a_reading_are_labels(name):
    assert roles(frame(file=FILES, **{name: ["o.B.", "Läsion"] * 30}, Kohorte=["A"] * 40 + ["B"] * 20)).labels == (name,)
