"""Classes that no picture of a split shows."""

from auditor.evidence.masks.split_classes import Lacking, lacking

COMMON, ALL = frozenset((1, 2)), frozenset((1, 2, 3))


def test_a_class_of_most_pictures_that_one_split_lacks_is_told():
    assert lacking([ALL] * 30 + [COMMON] * 10, ["train"] * 30 + ["test"] * 10) == [
        Lacking(held=3, split="test", pictures=10, holders=30, others=30)
    ]


def test_a_rare_class_a_small_split_and_pictures_of_no_split_tell_nothing():
    rare = [ALL] * 6 + [COMMON] * 54
    assert lacking(rare + [COMMON] * 10, ["train"] * 60 + ["test"] * 10) == []
    assert lacking([ALL] * 10 + [COMMON] * 20 + [COMMON] * 3, ["train"] * 30 + ["test"] * 3) == []
    assert lacking([ALL] * 30 + [COMMON] * 10, ["train"] * 30 + [None] * 10) == []
    assert lacking([ALL] * 4 + [COMMON] * 10, ["train"] * 4 + ["test"] * 10) == []
