from dataclasses import replace

import numpy as np
import pandas as pd
from builders import make_dataset

from auditor.degrade.phantom import radiograph
from auditor.evidence.kin.components import components, near_groups
from auditor.evidence.likeness.near import NearPair, near_pairs, starred
from auditor.evidence.likeness.perceptual import TOO_SMALL, sketch_of
from auditor.evidence.likeness.sketches import Sketches
from auditor.stages.link import link
from auditor.values.dataset import Dataset
from auditor.values.links import Evidence

A, B = (radiograph(p, 0, opacity=False, side=128).astype(np.float32) for p in (1, 2))


def sketched(dataset: Dataset, pictures: list[np.ndarray | None]) -> Dataset:
    book = Sketches()
    for record, picture in zip(dataset.records.index, pictures, strict=True):
        packed = TOO_SMALL if picture is None else sketch_of([picture], frames=1, levels=255)
        book.add(str(record), packed)
    return replace(dataset, sketches=book)


def pair(a: int, b: int) -> NearPair:
    return NearPair(first=a, second=b, score=0.9, how="")


def never(a: int, b: int) -> bool:
    return False


def held(pairs: list[NearPair]) -> set[tuple[int, int]]:
    return {(p.first, p.second) for p in pairs if p.held}


def test_a_copy_is_linked_with_its_score_and_what_was_done() -> None:
    dataset = link(sketched(make_dataset(same_pixels=["a", "b", "c"]), [A, B, A[:, ::-1] ** 1.3]))
    (row,) = dataset.links.to_dict("records")
    assert (row["record_a"], row["record_b"], row["evidence"]) == ("r0000", "r0002", "near")
    assert 0.9 < row["score"] <= 1
    assert row["how"] == "flipped left to right"
    assert components(dataset).tolist() == [0, 1, 0]
    assert near_groups(dataset).tolist() == [0, -1, 0]


def test_of_identical_images_only_the_first_is_compared_and_all_are_in_the_group() -> None:
    dataset = link(sketched(make_dataset(same_pixels=["a", "b", "a", "a"]), [A, A**1.3, A, A]))
    near = dataset.links[dataset.links["evidence"] == "near"]
    assert near[["record_a", "record_b"]].to_numpy().tolist() == [["r0000", "r0001"]]
    assert near_groups(dataset).tolist() == [0, 0, 0, 0]


def test_identical_images_alone_are_no_group_of_near_copies() -> None:
    dataset = link(sketched(make_dataset(same_pixels=["a", "a", "b"]), [A, A, B]))
    assert near_groups(dataset).tolist() == [-1, -1, -1]


def test_two_instances_of_one_series_are_not_compared() -> None:
    series = ["1.2.3.4", "1.2.3.4", "1.2.3.5"]
    dataset = make_dataset(same_pixels=["a", "b", "c"], columns={"series": series})
    marks = dataset.fingerprints.assign(instance=pd.array(["1.9.1", "1.9.2", "1.9.3"], dtype="string"))
    dataset = link(sketched(replace(dataset, fingerprints=marks), [A, A**1.2, A**1.3]))
    near = dataset.links[dataset.links["evidence"] == "near"]
    assert near[["record_a", "record_b"]].to_numpy().tolist() == [["r0000", "r0002"], ["r0001", "r0002"]]


def test_one_scene_taken_twice_is_a_candidate() -> None:
    wide = radiograph(3, 0, opacity=False, side=300).astype(np.float32)
    dataset = link(sketched(make_dataset(same_pixels=["a", "b"]), [wide[:, :255], wide[:, 35:]]))
    (row,) = dataset.links.to_dict("records")
    assert row["evidence"] == Evidence.CANDIDATE
    assert row["how"].startswith("taken twice: ")
    assert components(dataset).tolist() == [0, 1]


def test_without_sketches_there_are_no_near_pairs() -> None:
    assert near_pairs(make_dataset(n=3), np.full(3, -1, np.int64)) == []
    assert near_pairs(sketched(make_dataset(n=2), [None, None]), np.full(2, -1, np.int64)) == []


def test_a_chain_of_copies_is_cut() -> None:
    chain = [pair(i, i + 1) for i in range(6)]
    kept = held(starred(chain, alike=never))
    assert kept < {(i, i + 1) for i in range(6)}
    # no component of what is held is larger than a star: three images of a chain
    runs = [len(run) for run in "".join("x" if (i, i + 1) in kept else " " for i in range(6)).split()]
    assert max(runs) <= 2


def test_stars_whose_centres_are_copies_are_joined() -> None:
    chain = [pair(i, i + 1) for i in range(6)]
    asked: list[tuple[int, int]] = []

    def always(a: int, b: int) -> bool:
        asked.append((a, b))
        return True

    assert held(starred(chain, alike=always)) == {(i, i + 1) for i in range(6)}
    assert len(asked) == len(set(asked))


def test_all_pairs_of_a_family_are_held_without_asking() -> None:
    family = [pair(a, b) for a in range(5) for b in range(a + 1, 5)]
    assert all(p.held for p in starred(family, alike=never))


def test_crops_of_one_original_hang_on_it() -> None:
    star = [pair(0, i) for i in range(1, 8)]
    assert all(p.held for p in starred(star, alike=never))
