import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.checks.sp001 import PatientAcrossSplits
from auditor.evidence.kin.components import components
from auditor.splits.split import NewSplit, split
from auditor.splits.split_file import told, written
from auditor.splits.wish import Wish
from auditor.stages.link import link
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError


def clinic(seed: int = 0, *, patients: int = 120, mixed: float = 0.2, splits: bool = True) -> Dataset:
    """Patients of one to four images, some in two splits, with copies under other patients."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    n = len(person)
    home = np.array(["train", "train", "train", "val", "test"])[np.arange(patients) % 5][person]
    strays = rng.random(n) < mixed
    home[strays] = rng.choice(["train", "val", "test"], int(strays.sum()))
    pixels = [f"p{i}" for i in range(n)]
    for one, other in rng.integers(0, n, (6, 2)).tolist():
        pixels[one] = pixels[other]
    return link(
        make_dataset(
            labels=rng.choice(["benign", "malignant"], patients, p=[0.7, 0.3])[person].tolist(),
            patients=[f"CANARY{p}" for p in person],
            splits=home.tolist() if splits else None,
            sites=rng.choice(["north", "south"], patients)[person].tolist(),
            same_pixels=pixels,
        )
    )


def status(new: NewSplit) -> dict[str, str]:
    return {one.code: one.status for one in new.proof}


def largest_part(dataset: Dataset) -> int:
    """The fewest records that must move for every component to stand in one split."""
    parts = pd.crosstab(components(dataset).to_numpy(), dataset.records["split"].to_numpy())
    return int((parts.sum(axis=1) - parts.max(axis=1)).sum())


def test_the_new_split_parts_no_group_and_is_proven() -> None:
    dataset = clinic()
    new = split(dataset, Wish(stratify=("label", "site"), sizes=(0.7, 0.15, 0.15)))
    assert new.table["split"].groupby(components(dataset).to_numpy()).nunique().max() == 1
    assert new.proven
    assert status(new) == {"SP001": "passed", "SP002": "passed", "SP004": "not evaluated", "SP005": "not evaluated"}
    shares = new.table["split"].value_counts(normalize=True)
    assert shares["train"] == pytest.approx(0.7, abs=0.02)
    malignant = (new.table["label"] == "malignant").groupby(new.table["split"]).mean()
    assert malignant.max() - malignant.min() < 0.08


def test_it_moves_what_must_and_hardly_more() -> None:
    dataset = clinic()
    must = largest_part(dataset)
    new = split(dataset, Wish())
    assert must <= new.moved <= must + 0.02 * dataset.size
    assert (new.table["split"] != new.table["old_split"]).sum() == new.moved


def test_a_clean_split_stays_as_it_is() -> None:
    dataset = clinic(mixed=0.0)
    dataset = link(make_dataset(patients=dataset.records["patient"].tolist(), splits=dataset.records["split"].tolist()))
    new = split(dataset, Wish())
    assert new.moved == 0
    assert new.old_crossing == 0


def test_a_kept_split_stays_record_by_record_and_its_groups_go_nowhere_else() -> None:
    dataset = clinic()
    new = split(dataset, Wish(keep=("test",)))
    old = dataset.records["split"]
    assert ((new.table["split"] == "test") == (old == "test")).all()
    groups = components(dataset)
    touched = groups.isin(groups[old == "test"]) & (old != "test")
    assert touched.any()
    assert (new.table.loc[touched, "split"] == "excluded").all()
    assert new.excluded == touched.sum()
    assert new.proven
    assert any("excluded" in note for note in new.notes)


def test_two_kept_splits_with_one_patient_cannot_be_proven() -> None:
    dataset = link(make_dataset(patients=list("aabbcc"), splits=["val", "test", "train", "train", "train", "test"]))
    new = split(dataset, Wish(keep=("val", "test")))
    assert status(new)["SP001"] == "failed"
    assert not new.proven


def test_without_a_split_one_is_made() -> None:
    new = split(clinic(splits=False), Wish(stratify=("label",)))
    assert new.names == ("train", "val", "test")
    assert new.sizes == (0.7, 0.15, 0.15)
    assert new.assigned == len(new.table)
    assert new.moved == 0
    assert new.proven


def test_the_same_seed_gives_the_same_table() -> None:
    wish = Wish(stratify=("label",), sizes=(0.5, 0.3, 0.2), seed=4)
    pd.testing.assert_frame_equal(split(clinic(), wish).table, split(clinic(), wish).table)


@pytest.mark.parametrize(
    ("patients", "columns", "words"),
    [
        (None, {}, "no patient ids: patient overlap cannot be told"),
        (None, {"lesion": [str(i // 2) for i in range(30)]}, "lesion ids but no patient ids"),
        ([f"i{i}" for i in range(30)], {}, "every image has its own patient id"),
    ],
)
def test_where_patient_overlap_cannot_be_told_it_says_so(
    patients: list[str | None] | None, columns: dict[str, list[str]], words: str
) -> None:
    new = split(link(make_dataset(n=30, patients=patients, columns=columns)), Wish())
    assert words in new.notes[0]
    assert status(new)["SP001"] == "not evaluated" if "lesion" not in columns else True
    assert new.proven
    if "lesion" in columns:
        assert new.table["split"].groupby(np.arange(30) // 2).nunique().max() == 1


def test_a_group_larger_than_its_split_is_told() -> None:
    dataset = link(make_dataset(patients=["a"] * 40 + [f"b{i // 2}" for i in range(20)]))
    new = split(dataset, Wish(sizes=(0.8, 0.2)))
    assert any("one group of 40 records is larger than test" in note for note in new.notes)


def test_split_by_study_lets_patients_cross_and_says_so() -> None:
    rng = np.random.default_rng(0)
    person = np.arange(200) // 10
    study = [f"1.2.840.99.{i // 2}" for i in range(200)]
    splits = rng.choice(["train", "test"], 200).tolist()
    dataset = link(make_dataset(patients=[f"p{p}" for p in person], splits=splits, columns={"study": study}))
    new = split(dataset, Wish(by="study"))
    assert status(new)["SP005"] == "passed"
    assert "SP001" not in status(new)
    assert "one patient may stand in several splits" in " ".join(new.notes)
    assert new.table["split"].groupby(study).nunique().max() == 1


def test_the_result_passes_a_scan_of_the_new_table() -> None:
    dataset = clinic()
    new = split(dataset, Wish(keep=("test",)))
    again = make_dataset(patients=dataset.records["patient"].tolist(), splits=new.table["split"].tolist())
    assert PatientAcrossSplits().run(again).findings == ()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(by="eye"), "--by eye"),
        (Wish(stratify=("hospital",)), "--stratify hospital: there is no such column; there are: label, site"),
        (Wish(sizes=(0.5, 0.2)), "--names|shares"),
        (Wish(sizes=(0.5, 0.2, 0.2)), "sum to 1"),
        (Wish(sizes=(0.7, 0.3), names=("a", "b", "c")), "2 shares for 3 splits"),
        (Wish(sizes=(0.4, 0.3, 0.2, 0.1)), "--names"),
        (Wish(names=("a", "b", "c", "d")), "--sizes is needed"),
        (Wish(names=("a", "a")), "different names"),
        (Wish(names=("a", "excluded")), "excluded"),
        (Wish(keep=("holdout",)), "--keep holdout: the dataset has no such split; there are: train, val, test"),
        (Wish(keep=("train", "val", "test")), "every split"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(wish: Wish, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        split(clinic(), wish)


def test_numbers_and_multi_labels_are_strata() -> None:
    rng = np.random.default_rng(0)
    age = rng.normal(60, 10, 300)
    dataset = link(make_dataset(states={"p": rng.integers(0, 2, 300).tolist()}, metadata={"table.age": age.tolist()}))
    new = split(dataset, Wish(stratify=("label", "age"), sizes=(0.5, 0.5), names=("a", "b")))
    mean = pd.Series(age).groupby(new.table["split"].to_numpy()).mean()
    assert abs(mean["a"] - mean["b"]) < 2
    positive = (dataset.labels.states["p"] == 1).groupby(new.table["split"]).sum()  # type: ignore[index]
    assert abs(positive["a"] - positive["b"]) <= 4


def test_the_files_hold_the_table_and_the_proof_and_no_patient_id() -> None:
    new = split(clinic(), Wish())
    files = written(new, Path("out/labels-split.csv"))
    assert [path.name for path in files] == ["labels-split.csv", "labels-split-proof.json"]
    assert all(b"CANARY" not in content for content in files.values())
    assert "CANARY" not in "\n".join(told(new))
    table, proof = files.values()
    assert table.decode().splitlines()[0] == "path,label,group,split,old_split"
    assert json.loads(proof)["proven"] is True
    assert [p["code"] for p in json.loads(proof)["proof"]] == ["SP001", "SP002", "SP004", "SP005"]
    with pytest.raises(ConfigError, match="csv"):
        written(new, Path("labels.xlsx"))
