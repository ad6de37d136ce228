from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
from builders import make_dataset
from hypothesis import given
from hypothesis import strategies as st

from auditor.evidence.kin.groups import is_test, is_training, location, members, partition, split_names, spread


def test_folds_stand_in_where_there_is_no_split() -> None:
    assert partition(make_dataset(n=2)) is None
    folds = partition(make_dataset(n=2, columns={"fold": ["0", "1"]}))
    assert folds is not None
    assert folds.tolist() == ["0", "1"]


def test_one_value_and_hundreds_of_values_are_no_splits() -> None:
    assert partition(make_dataset(splits=["train"] * 5)) is None
    assert partition(make_dataset(splits=[str(i) for i in range(300)])) is None


def test_training_stands_before_validation_before_test() -> None:
    assert split_names(pd.Series(["test", "Train", "extra", "val", None])) == ("Train", "val", "test", "extra")
    assert is_training("Training")
    assert is_test("TEST")
    assert not is_test("train")


@given(st.lists(st.tuples(st.integers(-1, 5), st.sampled_from(["train", "val", "test", None])), max_size=50))
def test_crossings_are_those_of_a_count_by_hand(rows: list[tuple[int, str | None]]) -> None:
    groups = np.array([g for g, _ in rows], np.int64)
    lies = spread(groups, pd.Series([s for _, s in rows], dtype="str"))
    count = Counter((g, s) for g, s in rows if g >= 0 and s is not None)
    for a, b in combinations(["train", "val", "test"], 2):
        shared = {g for g, _ in rows if count[g, a] and count[g, b]}
        found = [c for c in lies.crossings if (c.split_a, c.split_b) == (a, b)]
        assert len(found) == bool(shared)
        for c in found:
            assert c.groups == len(shared)
            assert c.records_a == sum(count[g, a] for g in shared)
            assert c.records_b == sum(count[g, b] for g in shared)
            assert c.groups_b == len({g for (g, s) in count if s == b})
            assert c.fraction == len(shared) / c.groups_b
    for code, row in zip(lies.codes.tolist(), lies.counts.tolist(), strict=True):
        assert row == [count[code, s] for s in lies.splits]
        assert sum(n > 0 for n in row) > 1


def test_members_come_group_by_group_in_the_wanted_order() -> None:
    positions, ranks = members(np.array([3, 1, -1, 3, 2, 1]), np.array([1, 3]))
    assert positions.tolist() == [1, 5, 0, 3]
    assert ranks.tolist() == [0, 0, 1, 1]


def test_a_location_leaves_out_what_is_not_known() -> None:
    dataset = make_dataset(paths=["a.png", None], columns={"line": [7, 0]})
    first, second = location(dataset, 0), location(dataset, 1)
    assert (first.path, first.line, first.record) == ("a.png", 7, "r0000")
    assert (second.path, second.line, second.record) == (None, None, "r0001")
