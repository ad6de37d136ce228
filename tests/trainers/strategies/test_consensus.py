"""consensus: unanimous readers correct the released label; the rest waits for a person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from copies import Scanned, case_of, picture, scanned
from PIL import Image

from trainers.strategies.consensus import FromConsensus
from trainers.strategy import NotApplicable


def readings(data: Path) -> Scanned:
    """Forty records read by four people; records 0 and 1 are released against all of them, record 2 against three of four."""
    (data / "images").mkdir(parents=True)
    lines = ["file,label,reader_1,reader_2,reader_3,reader_4"]
    for i in range(40):
        truth = ("NA", "007")[i % 2]
        other = ("007", "NA")[i % 2]
        said = [truth] * 4
        if i == 2 or i % 8 == 7:
            said[i % 4] = other
        released = other if i in (0, 1, 2) else truth
        Image.fromarray(picture(i)).save(data / "images" / f"{i:02d}.png")
        lines.append(",".join([f"{i:02d}.png", released, *said]))
    (data / "labels.csv").write_text("\n".join(lines) + "\n")
    return scanned(data, select=["ED006"], roles={"label": "label", "rater": "reader_1,reader_2,reader_3,reader_4"})


def test_unanimous_readers_correct_and_others_propose(tmp_path: Path) -> None:
    seen = readings(tmp_path / "data")
    proposal = FromConsensus(min_confidence=0.7).propose(case_of(seen, tmp_path / "work"))
    found = {c.record.rpartition("/")[2]: (c.old, c.new, c.safe) for c in proposal.corrections}
    assert found == {"00.png": ("007", "NA", True), "01.png": ("NA", "007", True), "02.png": ("007", "NA", False)}
    applied = seen.apply(tmp_path / "fixed", proposal)
    assert (applied.corrected, applied.proposed) == (2, 1)
    again = scanned(tmp_path / "fixed", select=["ED006"])
    assert len(again.dataset.annotations) == len(seen.dataset.annotations), "the readings are read again"
    left = {f.where.record for f in again.result.findings if f.where.record}
    assert left <= {"images/02.png"}


def test_records_that_judge_networks_wait_for_a_person(tmp_path: Path) -> None:
    seen = readings(tmp_path / "data")
    case = case_of(seen, tmp_path / "work")
    judging = np.zeros(seen.dataset.size, dtype=np.bool_)
    judging[0] = True
    case = replace(case, trust=replace(case.trust, evaluation=judging))
    safe = {c.record: c.safe for c in FromConsensus().propose(case).corrections}
    assert safe["images/00.png"] is False
    assert safe["images/01.png"] is True


def test_without_readings_it_says_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for i in range(8):
        (data / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(i)).save(data / "ab"[i % 2] / f"{i}.png")
    with pytest.raises(NotApplicable, match="reading"):
        FromConsensus().propose(case_of(scanned(data, select=["ED006"]), tmp_path / "work"))
