from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from auditor.degrade.flaws import (
    Truth,
    flip_by_difficulty,
    flip_by_map,
    flip_by_site,
    flip_uniform,
    mix_patients,
    rate,
    read_truth,
    write_truth,
)
from auditor.values.errors import DatasetError


def series(values: list[str | None], name: str = "r") -> pd.Series:
    return pd.Series(values, index=[f"{name}{i:04d}" for i in range(len(values))], dtype="str")


def labels(n: int = 1000, classes: str = "abcd") -> pd.Series:
    return series([classes[i % len(classes)] for i in range(n)])


def changes(before: pd.Series, after: pd.Series) -> dict[str, tuple[str, str]]:
    """Record → (old, new), found by comparison alone: the oracle for the truth rows."""
    pairs = zip(before.index, before, after, strict=True)
    return {r: (b, a) for r, b, a in pairs if not (pd.isna(b) and pd.isna(a)) and b != a}


def told(truth: list[Truth]) -> dict[str, tuple[str, str]]:
    return {row.record: (row.old, row.new) for row in truth}


def test_uniform_flips_are_as_many_as_asked_and_all_in_the_truth():
    before = labels()
    kept = before.copy()
    after, truth = flip_uniform(before, 0.2, seed=1)
    assert len(truth) == 200
    assert changes(before, after) == told(truth)
    pd.testing.assert_series_equal(before, kept)


def test_uniform_flips_reach_every_other_class_about_equally():
    _, truth = flip_uniform(labels(8000), 0.5, seed=3)
    counts = Counter((row.old, row.new) for row in truth)
    assert len(counts) == 12
    assert all(260 <= count <= 410 for count in counts.values()), counts  # 4000 / 12 = 333, sd 17


def test_the_same_seed_gives_the_same_flips_and_another_seed_others():
    first, again, other = (flip_uniform(labels(), 0.1, seed=s)[1] for s in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_missing_label_is_never_flipped_and_the_class_NA_is_a_class():
    before = series(["NA", "a", None] * 100)
    after, truth = flip_uniform(before, 1.0, seed=0)
    assert len(truth) == 200
    assert after[2::3].isna().all()
    assert set(after[0::3]) == {"a"}
    assert set(after[1::3]) == {"NA"}


def test_one_class_alone_cannot_be_flipped():
    with pytest.raises(ValueError, match="two classes"):
        flip_uniform(series(["a"] * 10), 0.5, seed=0)


@pytest.mark.parametrize("fraction", [-0.1, 1.1])
def test_a_fraction_outside_0_to_1_is_refused(fraction):
    with pytest.raises(ValueError, match="0 to 1"):
        flip_uniform(labels(), fraction, seed=0)


def test_asymmetric_flips_follow_the_map_and_spare_other_classes():
    before = labels()
    after, truth = flip_by_map(before, {"a": "b", "c": "d"}, {"a": 0.4, "c": 0.1}, seed=2)
    assert Counter((row.old, row.new) for row in truth) == {("a", "b"): 100, ("c", "d"): 25}
    assert changes(before, after) == told(truth)


def test_flips_by_difficulty_fall_near_the_boundary():
    n = 2000
    before = labels(n, "ab")
    difficulty = np.linspace(0, 1, n)
    after, truth = flip_by_difficulty(before, difficulty, 0.1, seed=4)
    rows = [before.index.get_loc(row.record) for row in truth]
    assert len(rows) == 200
    assert changes(before, after) == told(truth)
    assert np.mean(difficulty[rows]) == pytest.approx(2 / 3, abs=0.05)  # mean of a weight ∝ x on 0–1


def test_zero_difficulty_is_never_flipped_and_runner_up_names_the_new_class():
    before = labels(400, "abcd")
    difficulty = (np.arange(400) < 100).astype(float)
    after, truth = flip_by_difficulty(before, difficulty, 0.5, seed=4, runner_up=["a"] * 400)
    assert len(truth) == 75  # 100 open records, 25 of them are class a already
    assert {row.new for row in truth} == {"a"}
    assert (after[100:] == before[100:]).all()


def test_flips_by_site_keep_to_the_rate_of_each_site():
    before, sites = labels(), series(["north", "south", "west", "south"] * 250)
    after, truth = flip_by_site(before, sites, {"north": 0.4, "south": 0.02}, seed=9)
    assert Counter(sites[row.record] for row in truth) == {"north": 100, "south": 10}
    assert changes(before, after) == told(truth)


def test_mixed_patients_stand_in_two_splits_and_no_one_else_does():
    patients = series([f"{i // 3:03d}" for i in range(300)])
    splits = series([("train", "test")[i // 3 % 2] for i in range(300)])
    after, truth = mix_patients(splits, patients, 12, seed=0)
    both = after.groupby(patients).nunique()
    assert set(both.index[both > 1]) == {row.detail for row in truth}
    assert len({row.detail for row in truth}) == 12
    assert changes(splits, after) == told(truth)


def test_patients_with_one_image_cannot_be_mixed():
    with pytest.raises(ValueError, match="0 have several images"):
        mix_patients(series(["train", "test"]), series(["007", "7"]), 1, seed=0)


def test_raters_are_as_good_as_asked_and_every_wrong_reading_is_in_the_truth():
    true = labels(4000, "abc")
    table, truth = rate(true, {"good": 0.95, "poor": 0.6}, seed=7, missing=0.1)
    joined = table.assign(true=true.loc[table["record"]].to_numpy())
    wrong = joined[joined["label"] != joined["true"]]
    misread = {(row.record, row.detail, row.old, row.new) for row in truth if row.kind == "misread"}
    assert misread == set(wrong[["record", "rater", "true", "label"]].itertuples(index=False, name=None))
    right = (joined["label"] == joined["true"]).groupby(joined["rater"]).mean()
    assert right["good"] == pytest.approx(0.95, abs=0.02)
    assert right["poor"] == pytest.approx(0.60, abs=0.04)
    assert {row.new: float(row.detail) for row in truth if row.kind == "rater"} == pytest.approx(right.to_dict(), abs=1e-4)
    assert len(table) == pytest.approx(7200, abs=120)


def test_a_rater_can_have_a_confusion_of_her_own():
    table, _ = rate(labels(1000, "ab"), {"blind to b": {"a": {"a": 1.0}, "b": {"a": 0.7, "b": 0.3}}}, seed=1)
    counts = table.groupby([labels(1000, "ab").loc[table["record"]].to_numpy(), "label"]).size()
    assert counts["a", "a"] == 500
    assert counts["b", "a"] == pytest.approx(350, abs=40)


def test_truth_comes_back_from_its_file_as_it_was(tmp_path: Path):
    rows = [
        Truth(record="images/ä,1.png", kind="label-flip", old="NA", new='say "b"', detail="two\nlines"),
        Truth(record="", kind="x"),
    ]
    write_truth(tmp_path / "truth.csv", rows)
    assert read_truth(tmp_path / "truth.csv") == rows
    assert (tmp_path / "truth.csv").read_bytes().startswith(b"record,kind,old,new,detail\n")


HEAD = "record,kind,old,new,detail\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "columns"),
        (b"record,kind\nr,k\n", "columns"),
        (HEAD.encode() + b"r,k,o\n", "row 1"),
        (HEAD.encode() + b"r,k,o,n,d\nr,k,o,n,d,MEIER\n", "row 2"),
        (HEAD.encode() + b"MEIER,,o,n,d\n", "row 1"),
        (HEAD.encode() + b"\xff\xfe,k,o,n,d\n", "UTF-8"),
        (HEAD.encode() + b'r,"k"x,o,n,d\n', "expected"),
        (HEAD.encode() + b"r,k,o,n," + b"x" * 140_000 + b"\n", "field"),
    ],
)
def test_another_table_in_the_place_of_truth_is_one_line_without_values(tmp_path: Path, content: bytes, why: str):
    (tmp_path / "truth.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=why) as error:
        read_truth(tmp_path / "truth.csv")
    assert "MEIER" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_of_truth_is_bounded_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("auditor.degrade.flaws.MOST_TRUTH", 20)
    write_truth(tmp_path / "truth.csv", [Truth(record="r", kind="k")])
    with pytest.raises(DatasetError, match="larger than 20 bytes"):
        read_truth(tmp_path / "truth.csv")
    with pytest.raises(DatasetError, match="no table"):
        read_truth(tmp_path)
