import pytest

from auditor.tables.label_table import categorical
from auditor.tables.profiles import profile
from auditor.tables.rater_columns import rater_columns


def found(columns):
    profiles = {name: profile(name, categorical(cells)) for name, cells in columns.items()}
    groups = rater_columns(profiles, list(profiles))
    return groups[0].names if groups else ()


@pytest.mark.parametrize(
    "names",
    [
        ("R1", "R2", "R3"), ("Reader 01", "Reader 02"), ("reader i", "reader ii", "reader iii"), ("Rad A", "Rad B"),
        ("Radiologist #1", "Radiologist #2"), ("Dr. A", "Dr. B"), ("Befunder 1", "Befunder 2"), ("lecteur1", "lecteur2"),
        ("evaluador_1", "evaluador_2"), ("1st reader", "2nd reader"), ("first_reader", "second_reader"), ("医生1", "医生2"),
        ("reader1_label", "reader2_label"), ("label_r1", "label_r2"), ("diagnosis (reader 1)", "diagnosis (reader 2)"),
        ("Reader1: label", "Reader2: label"), ("医師A", "医師B"), ("врач1", "врач2"), ("annotator_alice", "annotator_bob"),
        ("R1/R2", "R2/R3", "R1/R3"), ("ReaderA", "ReaderB"), ("Dr. Adams", "Dr. Baker", "Dr. Cole"),
        ("Prof. Weiss", "Prof. Roth"),
    ],
)  # fmt: skip
def test_readers_as_people_call_them(names):
    assert found({name: ["benign", "malignant"] * 4 for name in names}) == names


def test_what_else_is_said_of_readers_is_no_reader():
    cells = {
        "reader1": ["a", "b"], "reader2": ["b", "a"], "reader1_confidence": ["80", "60"], "reader2_confidence": ["70", "90"],
    }  # fmt: skip
    assert found(cells) == ("reader1", "reader2")
    assert found({"reader_pneumonia": ["yes", "no"], "reader_effusion": ["no", "yes"]}) == ()
    assert found({"reader_left": ["a", "b"], "reader_right": ["a", "b"]}) == ()
    assert found({"lesion_1": ["a", "b"], "lesion_2": ["a", "b"]}) == ()
    assert found({"DR 1": ["a", "b"], "DR 2": ["a", "b"]}) == ()
    assert found({"DR grade": ["a", "b"], "DR stage": ["a", "b"]}) == ()


def test_doctors_who_say_yes_and_no_are_readers():
    assert found({"Dr. Adams": ["0", "1"], "Dr. Baker": ["1", "0"]}) == ("Dr. Adams", "Dr. Baker")
