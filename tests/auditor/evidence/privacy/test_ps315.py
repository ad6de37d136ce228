"""The table of the basic profile: complete, well-formed, and the same as what the standard's dictionary knows."""

from __future__ import annotations

import csv
import re

import pytest
from pydicom.datadict import keyword_for_tag

from auditor.evidence.privacy.ps315 import TABLE, entry_of, profile

ACTIONS = {"X", "Z", "D", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"}


def test_the_table_has_655_entries_and_private_attributes() -> None:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 656
    assert {row["action"] for row in rows} == ACTIONS
    assert len({row["tag"] for row in rows}) == len(rows)
    assert all(re.fullmatch(r"[0-9A-F]{8}|50xxxxxx|60xx[34]000|odd", row["tag"]) for row in rows)
    assert all(row["keyword"] for row in rows)


def test_keywords_are_those_of_the_dictionary() -> None:
    known = {tag: keyword_for_tag(tag) for tag in profile()}
    assert [e.keyword for t, e in profile().items() if known[t] and known[t] != e.keyword and t >> 24 not in (0x50, 0x60)] == []
    assert sum(1 for keyword in known.values() if not keyword) < 30, "elements newer than the installed dictionary"


@pytest.mark.parametrize(
    ("tag", "keyword", "action", "tier"),
    [
        (0x00100010, "PatientName", "Z", "person"),
        (0x00080050, "AccessionNumber", "Z", "person"),
        (0x00080020, "StudyDate", "Z", "date"),
        (0x00080018, "SOPInstanceUID", "U", None),
        (0x00101010, "PatientAge", "X", None),
        (0x0008103E, "SeriesDescription", "X", "text"),
        (0x60023000, "OverlayData", "X", None),
        (0x50040010, "CurveData", "X", None),
    ],
)
def test_elements_have_their_action_and_tier(tag: int, keyword: str, action: str, tier: str | None) -> None:
    entry = entry_of(tag)
    assert entry is not None
    assert (entry.keyword, entry.action, entry.tier) == (keyword, action, tier)


def test_technical_elements_are_in_no_table() -> None:
    assert entry_of(0x00280010) is None
    assert entry_of(0x7FE00010) is None
