"""Columns that may be the patients: codes that recur, and none of what everybody knows."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.evidence.kin.recurring_columns import are_codes, recurring_columns

N = 180
Make = Callable[[int], str]


def column(make: Make, distinct: int, *, n: int = N, seed: int = 0) -> pd.Series:
    drawn = np.random.default_rng(seed).integers(0, distinct, n)
    return pd.Series([make(int(value)) for value in drawn], dtype="string")


@pytest.mark.parametrize(
    ("make", "distinct"),
    [
        (lambda v: f"K-{v:03d}", 60),
        (lambda v: f"{10417 + 7 * v}", 60),
        (lambda v: f"MRI {v:04d}/a", 90),
        (lambda v: f"x{v * 977 % 65536:04x}", 60),
    ],
)
def test_codes_that_recur_may_be_patients(make: Make, distinct: int) -> None:
    assert are_codes(column(make, distinct), 2)


@pytest.mark.parametrize(
    ("make", "distinct", "why"),
    [
        (lambda v: str(20 + v), 70, "ages"),
        (lambda v: f"{v} mg", 60, "doses"),
        (lambda v: f"C{30 + v % 10}.{v // 10}", 60, "diagnoses"),
        (lambda v: f"{'CDIJ'[v % 4]}{10 + v}", 60, "diagnoses"),
        (lambda v: f"{'ABCDEFGH'[v % 8]}{1 + v // 8:02d}", 60, "wells"),
        (lambda v: f"{20190101 + v}", 28, "dates"),
        (lambda v: f"Haus {'abcdefghijklmnopq'[v]}", 17, "no digit"),
        (lambda v: f"K-{v:03d}", 8, "too many images of each"),
        (lambda v: f"K-{v:03d}", 5, "too few"),
        (lambda v: f"batch_{v}", 40, "batches"),
    ],
)
def test_what_everybody_knows_is_no_id(make: Make, distinct: int, why: str) -> None:
    assert not are_codes(column(make, distinct), 2), why


def test_the_column_of_which_fewest_cross_is_told_and_none_where_one_never_does() -> None:
    splits = ["train", "test"] * (N // 2)
    often = [f"B-{i % 45:03d}" for i in range(N)]  # 45 is odd: each stands in both
    seldom = [f"A-{i % 90 if i < 120 else i % 45:03d}" for i in range(N)]
    dealt = [f"D-{i % 90:03d}" for i in range(N)]  # 90 is even: none does
    dataset = make_dataset(n=N, splits=splits, metadata={"table.b": often, "table.a": seldom})
    found = recurring_columns(dataset, pd.Series(splits, index=dataset.records.index))
    assert found is not None
    assert found[0] == "table.a"
    assert 0 < found[1].share < 1
    with_dealt = make_dataset(n=N, splits=splits, metadata={"table.b": often, "table.d": dealt})
    assert recurring_columns(with_dealt, pd.Series(splits, index=with_dealt.records.index)) is None


def test_whole_numbers_with_gaps_are_read_without_a_point() -> None:
    splits = ["train", "test"] * (N // 2)
    numbers = [None if i == 0 else 10417.0 + i % 45 for i in range(N)]
    dataset = make_dataset(n=N, splits=splits, metadata={"table.ref": numbers})
    found = recurring_columns(dataset, pd.Series(splits, index=dataset.records.index))
    assert found is not None
    assert found[0] == "table.ref"
    assert "10418" in set(found[1].ids.dropna())
