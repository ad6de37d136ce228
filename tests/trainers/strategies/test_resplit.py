"""resplit: SP001 is green afterwards, and what cannot be told is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from copies import case_of, picture, scanned
from PIL import Image

from trainers.strategies.resplit import Resplit
from trainers.strategy import NotApplicable


def write(data: Path, *, patients: bool = True, crossing: bool = True, copies: int = 0) -> Path:
    """Sixty pictures of twenty patients; every fourth patient stands in training and test."""
    (data / "images").mkdir(parents=True)
    lines = ["file,subject,label,fold_set" if patients else "file,label,fold_set"]
    for i in range(60):
        patient = i // 3
        split = "Training" if patient % 5 < 3 else "Testing"
        if crossing and patient % 4 == 0 and i % 3 == 0:
            split = "Testing" if split == "Training" else "Training"
        seed = i - 3 if copies and i >= 60 - copies else i
        Image.fromarray(picture(seed)).save(data / "images" / f"{i:03d}.png")
        cells = [f"{i:03d}.png", *([f"S{patient:02d}"] if patients else []), f"{'NA' if patient % 2 else '007'}", split]
        lines.append(",".join(cells))
    (data / "labels.csv").write_text("\n".join(lines) + "\n")
    return data


def codes(result: object) -> set[str]:
    return {f.code for f in result.findings if f.severity.value == "error"}  # type: ignore[attr-defined]


def test_sp001_is_green_on_a_scan_of_the_copy(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data"), select=["SP001", "SP002", "SP005"])
    assert "SP001" in codes(seen.result)
    proposal = Resplit().propose(case_of(seen, tmp_path / "work"))
    assert proposal.metrics["groups_across_splits_before"] == 5
    assert proposal.metrics["proven"] is True
    assert len(proposal.corrections) == 5, "only the one record of each patient that stood apart moves"
    assert all(c.field == "split" and c.code == "SP001" and c.safe for c in proposal.corrections)
    applied = seen.apply(tmp_path / "fixed", proposal)
    assert applied.corrected == len(proposal.corrections)
    again = scanned(tmp_path / "fixed", select=["SP001", "SP002", "SP005"])
    assert {o.code: o.status for o in again.result.outcomes}["SP001"] == "passed"
    assert not codes(again.result)
    rows = (tmp_path / "fixed" / "labels.csv").read_text().splitlines()
    assert rows[0] == "file,subject,label,fold_set,fold_set_corrected"
    assert {row.rpartition(",")[2] for row in rows[1:]} == {"Training", "Testing"}, "the user's words for the splits"


def test_every_split_holds_its_share_of_the_classes_when_asked_for(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data"), select=["SP001"])
    proposal = Resplit(stratify="label").propose(case_of(seen, tmp_path / "work"))
    assert proposal.metrics["proven"] is True
    with pytest.raises(NotApplicable, match="nowhere"):
        Resplit(stratify="nowhere").propose(case_of(seen, tmp_path / "work"))


def test_no_reason_names_a_patient(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data"), select=["SP001"])
    proposal = Resplit().propose(case_of(seen, tmp_path / "work"))
    assert not any("S0" in c.reason or "S1" in c.reason for c in proposal.corrections)


def test_a_split_that_is_clean_has_nothing_to_mend(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data", crossing=False), select=["SP001"])
    with pytest.raises(NotApplicable, match="no patient, acquisition or picture"):
        Resplit().propose(case_of(seen, tmp_path / "work"))


def test_without_patients_and_links_it_says_that_nothing_can_be_told(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data", patients=False), select=["SP001"])
    with pytest.raises(NotApplicable, match="cannot be told"):
        Resplit().propose(case_of(seen, tmp_path / "work"))


def test_without_patients_copies_are_kept_together(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data", patients=False, copies=12), select=["SP002"])
    split = np.array(seen.dataset.records["split"])
    assert (split[48:51] != split[45:48]).any() or "SP002" in codes(seen.result)
    proposal = Resplit().propose(case_of(seen, tmp_path / "work"))
    assert {c.code for c in proposal.corrections} == {"SP002"}
    seen.apply(tmp_path / "fixed", proposal)
    assert "SP002" not in codes(scanned(tmp_path / "fixed", select=["SP002"]).result)
    assert any("cannot be told" in note for note in proposal.notes)


def test_a_dataset_without_a_split_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "a").mkdir(parents=True)
    (data / "b").mkdir()
    for i in range(8):
        Image.fromarray(picture(i)).save(data / "ab"[i % 2] / f"{i}.png")
    with pytest.raises(NotApplicable, match="no split"):
        Resplit().propose(case_of(scanned(data, select=["SP001"]), tmp_path / "work"))


def test_a_kept_split_stays_and_the_rest_of_its_groups_is_excluded(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data"), select=["SP001"])
    proposal = Resplit(keep="test").propose(case_of(seen, tmp_path / "work"))
    assert {(c.old, c.new) for c in proposal.corrections} == {("train", "excluded")}
    seen.apply(tmp_path / "fixed", proposal)
    again = scanned(tmp_path / "fixed", select=["SP001"])
    assert {o.code: o.status for o in again.result.outcomes}["SP001"] == "passed"
    with pytest.raises(NotApplicable, match="no such split"):
        Resplit(keep="nowhere").propose(case_of(seen, tmp_path / "work"))
