from collections import defaultdict
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset
from hypothesis import given
from hypothesis import strategies as st

from auditor.evidence.kin.components import components, identical_groups
from auditor.evidence.kin.identity import can_tell, identity
from auditor.stages.link import link, pairs_of
from auditor.values.dataset import Dataset
from auditor.values.links import EVIDENCE, Evidence


def linked(dataset: Dataset) -> list[tuple[str, str, str]]:
    links = link(dataset).links
    return list(zip(links["record_a"], links["record_b"], links["evidence"], strict=True))


def with_instances(dataset: Dataset, instances: list[str | None]) -> Dataset:
    marks = dataset.fingerprints.assign(instance=pd.array(instances, dtype="string"))
    return replace(dataset, fingerprints=marks)


def test_evidence_is_ranked_from_bytes_to_candidates() -> None:
    assert [e.value for e in EVIDENCE] == ["bytes", "pixels", "instance", "series", "study", "patient", "near", "candidate"]
    assert Evidence.BYTES.rank == 0
    assert Evidence.PATIENT.rank < Evidence.NEAR.rank < Evidence.CANDIDATE.rank


def test_each_pair_stands_once_with_its_strongest_evidence_in_the_order_of_records() -> None:
    dataset = make_dataset(
        same_bytes=["x", "y", "x", "z", "z2"],
        same_pixels=["p", "p", "p", "q", "q2"],
    )
    dataset = with_instances(dataset, [None, None, None, "1.2.3", "1.2.3"])
    assert linked(dataset) == [
        ("r0000", "r0001", "pixels"),
        ("r0000", "r0002", "bytes"),
        ("r0001", "r0002", "pixels"),
        ("r0003", "r0004", "instance"),
    ]
    assert link(dataset).links["score"].tolist() == [1.0] * 4


def test_pictures_of_one_value_form_no_link() -> None:
    dataset = make_dataset(same_bytes=["x", "x"], same_pixels=["p", "p"], constant=[True, True])
    assert linked(dataset) == []


def test_items_of_one_npz_are_not_the_same_for_sharing_its_bytes() -> None:
    dataset = make_dataset(
        paths=["a.npz"] * 3,
        columns={"item": ["train:0", "train:1", "train:2"]},
        same_bytes=["x"] * 3,
        same_pixels=["p", "q", "p"],
    )
    assert linked(dataset) == [("r0000", "r0002", "pixels")]


def test_a_file_that_is_listed_twice_is_linked_without_any_fingerprint() -> None:
    assert linked(make_dataset(paths=["a.png", "b.png", "a.png"])) == [("r0000", "r0002", "bytes")]


def test_unread_files_and_missing_paths_form_no_link() -> None:
    dataset = make_dataset(paths=[None, None, "", ""], same_bytes=[None] * 4, same_pixels=[None] * 4)  # type: ignore[list-item]
    assert linked(dataset) == []


def test_linking_changes_nothing_else() -> None:
    dataset = make_dataset(same_pixels=["p", "p"])
    before = dataset.records.copy()
    result = link(dataset)
    assert dataset.links.empty
    pd.testing.assert_frame_equal(result.records, before)
    pd.testing.assert_frame_equal(link(result).links, result.links)


@given(st.lists(st.integers(-1, 6), max_size=40))
def test_pairs_are_those_of_a_double_loop(codes: list[int]) -> None:
    first, second = pairs_of(np.array(codes, np.int64), all_pairs_up_to=100)
    expected = {(i, j) for i, j in combinations(range(len(codes)), 2) if codes[i] == codes[j] >= 0}
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == expected
    assert len(first) == len(expected)


@given(st.lists(st.integers(-1, 4), max_size=60), st.integers(2, 8))
def test_a_large_group_gives_a_star_that_holds_it_together(codes: list[int], limit: int) -> None:
    groups = defaultdict(list)
    for position, code in enumerate(codes):
        if code >= 0:
            groups[code].append(position)
    expected = {
        pair
        for g in groups.values()
        for pair in (combinations(g, 2) if len(g) <= limit else ((g[0], other) for other in g[1:]))
    }
    first, second = pairs_of(np.array(codes, np.int64), all_pairs_up_to=limit)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == expected


def test_groups_of_identical_images_are_numbered_in_the_order_of_records() -> None:
    dataset = link(make_dataset(same_pixels=["a", "b", "c", "b", "a", *["d"] * 30]))
    assert identical_groups(dataset).tolist() == [0, 1, -1, 1, 0, *[2] * 30]
    assert len(dataset.links) == 2 + 29


def test_patient_ids_are_compared_exactly() -> None:
    dataset = make_dataset(patients=["007", "7", "007", " 7", None])
    codes = identity(dataset, "patient").tolist()
    assert codes == [0, 1, 0, 2, -1]


@pytest.mark.parametrize("nobody", ["Anonymous", " ANONYMIZED ", "unknown", "", "n/a"])
def test_a_placeholder_is_no_patient(nobody: str) -> None:
    codes = identity(make_dataset(patients=[nobody, nobody, "A", "A"]), "patient").tolist()
    assert codes == [-1, -1, 0, 0]


def test_a_patient_called_na_is_a_patient() -> None:
    assert identity(make_dataset(patients=["NA", "NA", "0"]), "patient").tolist() == [0, 0, 1]


def test_a_study_number_counts_within_its_patient_but_a_uid_everywhere() -> None:
    uid = "1.2.840.113619.2.55"
    dataset = make_dataset(
        patients=["A", "A", "B", "A", "B", None], columns={"study": ["study1", "study1", "study1", uid, uid, "study1"]}
    )
    assert identity(dataset, "study").tolist() == [0, 0, 1, 2, 2, 3]


def test_an_id_per_image_owns_no_lesion() -> None:
    dataset = make_dataset(patients=["i1", "i2", "i3"], columns={"lesion": ["L1", "L1", "L2"]})
    assert identity(dataset, "lesion").tolist() == [0, 0, 1]


def test_ids_tell_only_when_a_patient_has_several_images() -> None:
    def tells(patients: list[str | None], paths: list[str] | None = None) -> bool:
        dataset = make_dataset(patients=patients, paths=paths)
        return can_tell(dataset, identity(dataset, "patient"))

    assert tells(["a", "a", "b"])
    assert not tells(["a", "b", "c"])
    assert not tells(["a", "a", "a"])
    assert not tells([None, None, None])
    assert not tells(["a", "b", "b"], paths=["1.png", "2.png", "2.png"])


def test_components_join_links_and_ids_of_the_wanted_grades() -> None:
    dataset = link(
        make_dataset(
            patients=["A", "A", None, "B", "C", None],
            columns={"study": [None, None, "1.2.3.4.5", "1.2.3.4.5", None, None]},
            same_pixels=["p", "q", "q", "r", "s", "t"],
        )
    )
    assert components(dataset).tolist() == [0, 0, 0, 0, 1, 2]
    assert components(dataset, grades={Evidence.PATIENT}).tolist() == [0, 0, 1, 2, 3, 4]
    assert components(dataset, grades={Evidence.PIXELS}).tolist() == [0, 1, 1, 2, 3, 4]
    assert components(dataset, grades={Evidence.STUDY}).tolist() == [0, 1, 2, 2, 3, 4]
    assert components(dataset, grades=()).tolist() == [0, 1, 2, 3, 4, 5]
    assert components(dataset).index.tolist() == dataset.records.index.tolist()


def test_candidates_join_nothing_unless_they_are_named() -> None:
    dataset = make_dataset(n=3, links=[("r0000", "r0002", "candidate", 0.7)])
    assert components(dataset).tolist() == [0, 1, 2]
    assert components(dataset, grades=EVIDENCE).tolist() == [0, 1, 0]


def test_an_empty_dataset_has_no_links_and_no_components() -> None:
    dataset = link(make_dataset(n=0))
    assert dataset.links.columns.tolist() == ["record_a", "record_b", "evidence", "score", "how"]
    assert len(dataset.links) == 0
    assert len(components(dataset)) == 0
