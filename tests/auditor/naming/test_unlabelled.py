import pytest

from auditor.naming.labels import are_states, are_ticks, state_of
from auditor.naming.unlabelled import is_state_of_work, unlabelled_words
from auditor.values.labels import State

STATES = [
    "todo", "To_Do", "TO-DO", "(todo)", "todo!", "pending", "[Pending]", "pending?", "biopsy pending", "awaiting report", "TBC",
    "k.A.", "k. A.", "keine Angabe", "unklar", "noch offen", "ausstehend", "nicht befundet", "noch nicht gelesen",
    "not read", "NOT READ YET", "not-read", "not yet graded", "ungraded", "unsure", "no label yet", "no finding yet", "no data",
    "to be reviewed", "needs second reading", "n/a", "N.A.", "N/D", "s.o.", "<NA>", "#N/A", "NaN", "(blank)", "<empty>",
    "-", "–", "---", "?", "…", "*", "non lu", "en attente", "à faire", "A FAIRE", "pas encore annoté", "no disponible",
    "pendiente de lectura", "sin etiqueta", "da refertare", "non disponibile", "não avaliado", "pendente", "onbekend", "n.v.t.",
    "niet beoordeeld", "okänd", "ukjent", "brak danych", "nie oceniono", "неизвестно", "не указано", "待定", "未标注", "不确定",
    "未読", "미정", "알 수 없음", "άγνωστο",
]  # fmt: skip
CLASSES = [
    "NA", "None", "other", "indeterminate", "equivocal", "ungradable", "not assessable", "no finding", "No Findings", "normal",
    "rejected", "benign", "+", "++", "±", "x", "1", "9", "Pneumonia?", "unclassified lymphoma", "unknown primary tumour",
    "nodule", "negative", "no tumour", "non-small cell", "pending fracture of the left femoral neck", "offene Fraktur", "无",
    "正常",
]  # fmt: skip


@pytest.mark.parametrize("word", STATES)
def test_states_of_the_work_are_known_in_any_case_and_with_any_punctuation(word):
    assert is_state_of_work(word)


@pytest.mark.parametrize("word", CLASSES)
def test_what_a_reader_concluded_is_a_class(word):
    assert not is_state_of_work(word)


@pytest.mark.parametrize(
    ("classes", "unlabelled"),
    [
        ({"nodule", "normal", "-"}, {"-"}),
        ({"+", "-"}, set()),
        ({"ER+", "-", "?"}, {"?"}),
        ({"a", "b", "9"}, {"9"}),
        ({"a", "b", "-1"}, {"-1"}),
        ({"a", "b", "7"}, set()),
        ({"0", "1", "9"}, set()),
        ({"0", "1", "-9"}, {"-9"}),
        ({"0", "1", "-1.0"}, {"-1.0"}),
        ({"-1", "1"}, set()),
        ({"-2", "-1", "0"}, set()),
        ({"0", "1", "2", "99"}, {"99"}),
        ({"0", "50", "99"}, set()),
        ({"todo", "pending"}, set()),
    ],
)
def test_missing_codes_and_dashes_are_judged_by_what_stands_beside_them(classes, unlabelled):
    assert unlabelled_words(classes) == unlabelled


@pytest.mark.parametrize(
    ("yes", "no"),
    [("YES", "NO"), ("TRUE", "FALSE"), ("1.0", "0.0"), ("P", "N"), ("ja", "Nein"), ("oui", "non"), ("Sí", "No"), ("sim", "não"),
     ("да", "нет"), ("有", "无"), ("present", "absent"), ("detected", "not detected"), ("Positiv", "Negativ"),
     ("abnormal", "normal")],
)  # fmt: skip
def test_yes_and_no_in_many_words(yes, no):
    assert (state_of(yes), state_of(no)) == (State.POSITIVE, State.NEGATIVE)
    assert are_states([yes, no])
    assert are_states([yes, no, "todo"])
    assert not are_states([yes, no, "nodule"])


def test_a_nine_is_missing_beside_both_answers_and_a_number_elsewhere():
    assert are_states(["0", "1", "9"])
    assert not are_states(["1", "9"])
    assert not are_states(["todo", "?"])
    assert not are_states([])


def test_boxes_that_were_ticked():
    assert are_ticks(["x", "X", ""])
    assert not are_ticks(["x", "1"])
    assert not are_ticks(["1", ""])
    assert not are_ticks([""])
