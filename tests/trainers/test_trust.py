"""Who may be believed, and that nothing that evaluates has a relative in training."""

import numpy as np
import pytest
from builders import make_dataset

from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from trainers.trust import trust_of
from trainers.values.trust import Trust

N = 400


def people(**more: object) -> Dataset:
    """400 records of 100 patients; every record has pixels of its own."""
    given: dict[str, object] = {
        "labels": ["ab"[i // 4 % 2] for i in range(N)],
        "patients": [f"p{i // 4}" for i in range(N)],
        "same_pixels": [f"x{i}" for i in range(N)],
    }
    return make_dataset(**{**given, **more})


def assert_apart(dataset: Dataset, trust: Trust) -> None:
    parts = (trust.trusted, trust.validation, trust.evaluation)
    assert not any((a & b).any() for i, a in enumerate(parts) for b in parts[i + 1 :])
    assert not (trust.training & (trust.validation | trust.evaluation)).any()
    assert not (trust.trusted & ~trust.training).any()
    patients = dataset.records["patient"].to_numpy(str)
    for part in (trust.validation, trust.evaluation):
        assert not set(patients[part]) & set(patients[trust.training])


def test_a_column_of_yes_and_no_is_trusted_and_divided_by_patient():
    trusted = ["yes" if i < 200 else "no" for i in range(N)]
    dataset = people(metadata={"table.checked": trusted})
    trust = trust_of(dataset, trusted="checked")
    assert_apart(dataset, trust)
    believed = trust.trusted | trust.validation | trust.evaluation
    assert np.flatnonzero(believed).tolist() == list(range(200))
    assert not trust.self_graded
    assert 60 <= trust.evaluation.sum() <= 100
    assert 20 <= trust.validation.sum() <= 40
    codes = dataset.labels.codes
    for part in (trust.trusted, trust.validation, trust.evaluation):
        assert {0, 1} == set(codes[part])


def test_what_evaluate_names_evaluates_and_its_patients_train_nothing():
    dataset = people(metadata={"table.gold": [1.0 if i % 16 == 0 else 0.0 for i in range(N)]})
    trust = trust_of(dataset, evaluate="gold")
    assert np.flatnonzero(trust.evaluation).tolist() == list(range(0, N, 16))
    assert_apart(dataset, trust)
    assert not trust.self_graded
    # the other three images of an evaluated patient are in no part
    assert trust.training.sum() + trust.validation.sum() <= N - 4 * 25


def test_a_file_of_paths_or_ids_is_read(tmp_path):
    listed = tmp_path / "gold.csv"
    listed.write_text("note,path\n" + "".join(f"x,r{i:04d}.png\n" for i in range(0, 80)))
    ids = tmp_path / "gold.txt"
    ids.write_text("".join(f"r{i:04d}\n" for i in range(0, 80)))
    one, two = (trust_of(people(), evaluate=str(path)) for path in (listed, ids))
    assert np.array_equal(one.evaluation, two.evaluation)
    assert np.flatnonzero(one.evaluation).tolist() == list(range(80))


def test_the_declared_test_split_evaluates_and_never_trains():
    dataset = people(splits=["test" if i >= 300 else "train" for i in range(N)], metadata={"table.ok": ["yes"] * N})
    trust = trust_of(dataset, trusted="ok")
    assert np.flatnonzero(trust.evaluation).tolist() == list(range(300, 400))
    assert_apart(dataset, trust)


def test_copies_of_evaluated_pictures_and_verified_links_do_not_train():
    links = [("r0000", "r0399", "near-duplicate", 1.0), ("r0004", "r0390", "candidate", 1.0)]
    dataset = people(metadata={"table.gold": [1 if i < 40 else 0 for i in range(N)]}, links=links)
    trust = trust_of(dataset, evaluate="gold")
    assert not trust.training[396:400].any(), "the patient of a verified copy is kin"
    assert (trust.training | trust.validation)[388:392].all(), "a candidate is no evidence"


def test_labels_that_all_raters_share_are_believed():
    readings = {"x": ["a"] * N, "y": ["a" if i % 2 else "b" for i in range(N)]}
    dataset = people(labels=["a" if i < 300 else "b" for i in range(N)], readings=readings)
    trust = trust_of(dataset)
    believed = trust.trusted | trust.validation | trust.evaluation
    assert np.flatnonzero(believed).tolist() == [i for i in range(300) if i % 2]
    assert not trust.self_graded
    assert "raters" in trust.origin


def test_without_anybody_the_model_is_believed_and_that_is_said():
    codes = np.array([i // 4 % 2 for i in range(N)])
    p = np.where(np.arange(N) % 5 == 0, 0.1, 0.9)
    probabilities = np.stack([np.where(codes == 0, p, 1 - p), np.where(codes == 1, p, 1 - p)], axis=1)
    trust = trust_of(people(probabilities=probabilities))
    believed = trust.trusted | trust.validation | trust.evaluation
    assert np.flatnonzero(believed).tolist() == [i for i in range(N) if i % 5]
    assert trust.self_graded


@pytest.mark.parametrize(
    ("more", "spec", "words"),
    [
        ({}, "absent", "no such column"),
        ({"metadata": {"table.checked": ["maybe"] * N}}, "checked", "neither yes nor no"),
        ({"metadata": {"table.checked": ["no"] * N}}, "checked", "no record says yes"),
        ({"patients": ["p"] * 399 + ["q"], "metadata": {"table.checked": ["yes"] * N}}, "checked", "too few"),
    ],
)
def test_what_cannot_be_trusted_is_a_clear_error(more, spec, words):
    with pytest.raises(ConfigError, match=words):
        trust_of(people(**more), trusted=spec)


def test_the_same_seed_deals_the_same_parts():
    dataset = people(metadata={"table.checked": ["yes"] * N})
    a, b, c = (trust_of(dataset, trusted="checked", seed=s) for s in (1, 1, 2))
    assert np.array_equal(a.evaluation, b.evaluation)
    assert not np.array_equal(a.evaluation, c.evaluation)


@pytest.mark.parametrize("patients", [3, 4, 7, 8, 14, 19])
def test_a_handful_of_trusted_patients_leaves_no_part_empty(patients):
    checked = ["yes" if i < 4 * patients else "no" for i in range(N)]
    dataset = people(metadata={"table.checked": checked, "table.gold": ["yes" if i >= 320 else "no" for i in range(N)]})
    alone = trust_of(dataset, trusted="checked")
    beside = trust_of(dataset, trusted="checked", evaluate="gold")
    assert_apart(dataset, alone)
    assert_apart(dataset, beside)
    assert alone.evaluation.any()
    for trust in (alone, beside):
        assert trust.trusted.any()
        assert trust.validation.any()
    assert beside.validation.sum() <= beside.trusted.sum()


def test_whoever_the_user_names_is_remembered_whatever_part_they_are_dealt_to():
    dataset = people(metadata={"table.checked": ["yes" if i < 200 else "no" for i in range(N)]})
    found = trust_of(dataset, trusted="checked")
    assert found.named is not None
    assert np.flatnonzero(found.named).tolist() == list(range(200))
    assert trust_of(dataset).named is None


def test_kin_of_what_evaluates_is_told_to_be_set_aside():
    dataset = people(metadata={"table.gold": [1.0 if i % 16 == 0 else 0.0 for i in range(N)]})
    trust = trust_of(dataset, evaluate="gold")
    aside = N - int((trust.training | trust.validation | trust.evaluation).sum())
    assert f"({aside:,} more of the same patients or pictures are set aside)" in trust.origin
    whole = people(metadata={"table.gold": [1.0 if i % 16 < 4 else 0.0 for i in range(N)]})
    assert "set aside" not in trust_of(whole, evaluate="gold").origin


@pytest.mark.parametrize("content", ["", "\n\n", "path\n"])
def test_a_file_that_names_nobody_is_told_in_plain_words(content, tmp_path):
    listed = tmp_path / "empty.csv"
    listed.write_text(content)
    with pytest.raises(ConfigError, match=r"--trusted empty\.csv: the file names no record; write the ids"):
        trust_of(people(), trusted=str(listed))


def test_where_all_that_are_trusted_evaluate_nobody_else_is_and_that_is_said():
    said = ["yes" if i < 80 else "no" for i in range(N)]
    trust = trust_of(people(metadata={"table.gold": said}), trusted="gold", evaluate="gold")
    assert not (trust.trusted | trust.validation).any()
    assert trust.origin.startswith("nobody: all 80 records that --trusted names evaluate")


def test_where_all_others_are_kin_of_those_that_evaluate_the_error_says_so():
    with pytest.raises(ConfigError, match="100 records evaluate and 0 train: the other 300 show the same patients or pictures"):
        trust_of(people(metadata={"table.gold": [1.0 if i % 4 == 0 else 0.0 for i in range(N)]}), evaluate="gold")
