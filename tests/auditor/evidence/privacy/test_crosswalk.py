"""The private file leads from every place in a report back to what stood there, and lies where nobody is given it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from copies import scanned

import auditor.files
from auditor.evidence.privacy.crosswalk import check_crosswalk, rows_of, write_crosswalk
from auditor.evidence.privacy.withhold import withheld_names, withhold
from auditor.plan import plan_for
from auditor.scan import opened_dataset
from auditor.values.errors import ConfigError, MedauditError
from medaudit.cli import main
from tests.medaudit.canary_places import PLACES, plant

SHOWN = re.compile(r"withheld-\d+(?:\.\w{1,6})?|(?:withheld )?column \d+|(?:site|split|reader|value) \d+")


def test_every_place_leads_back_to_what_it_stands_for(tmp_path: Path) -> None:
    planted = plant(tmp_path / "data", images=12)
    dataset = scanned(planted.root, select=["PH007"]).dataset
    names, rows = withheld_names(dataset), rows_of(dataset)
    for row in rows:
        assert withhold(row["value"], names) == row["shown"], row["of"]
    found = " ".join(row["value"] for row in rows)
    for place in ("header", "header of text", "table name", "folder name", "site", "note", "split name", "sheet of another"):
        assert PLACES[place] in found, place
    (site,) = [row for row in rows if row["value"] == PLACES["site"]]
    assert (site["shown"], site["of"]) == ("site 1", "site")


def test_it_is_for_its_owner_alone_and_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = opened_dataset(plan_for(plant(tmp_path / "data", images=12).root, cache=False, workers=0))
    goal = tmp_path / "private" / "crosswalk.json"
    write_crosswalk(goal, {"set": dataset})
    assert goal.stat().st_mode & 0o777 == 0o600
    before = goal.read_bytes()
    assert json.loads(before)["datasets"][0]["name"] == "set"
    seen: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: seen.append(os.fstat(handle).st_mode & 0o777))
    write_crosswalk(goal, {"set": dataset})
    assert seen == [0o600], "not even the temporary file is readable by others"

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(auditor.files.os, "fsync", full)
    with pytest.raises(MedauditError, match="nothing was replaced"):
        write_crosswalk(goal, {"set": dataset})
    assert goal.read_bytes() == before
    assert [path.name for path in goal.parent.iterdir()] == ["crosswalk.json"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("data/set/c.json", "folder of the data"), ("data/set/deep/er/c.json", "folder of the data"),
        ("out/c.json", "beside an output"), ("medaudit-out/private/c.json", "beside an output"), ("notes.txt", "no crosswalk"),
        ("link/c.json", "folder of the data"),
    ],
)  # fmt: skip
def test_places_that_would_be_given_away_are_refused(tmp_path: Path, path: str, why: str) -> None:
    (tmp_path / "data" / "set").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data" / "set")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=why):
        check_crosswalk(tmp_path / path, [tmp_path / "data"], [tmp_path / "out" / "report.html"])
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_scan_and_a_consensus_write_it_beside_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    planted = plant(tmp_path / "data", images=12)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    scan = (
        "scan",
        str(planted.root),
        "--workers",
        "0",
        "--select",
        "PH007",
        "-o",
        "out/r.json",
        "--crosswalk",
        "own/scan.json",
    )
    assert main(list(scan)) in (0, 1)
    assert main(["consensus", str(planted.readings), "-o", "out/c.csv", "--crosswalk", "own/readings.json"]) == 0
    assert "keep it apart" in capfd.readouterr().err
    for name in ("scan", "readings"):
        assert (tmp_path / "own" / f"{name}.json").stat().st_mode & 0o777 == 0o600
    known = {row["shown"] for row in json.loads((tmp_path / "own" / "scan.json").read_text())["datasets"][0]["shown"]}
    assert set(SHOWN.findall((tmp_path / "out" / "r.json").read_text())) & known
    readers = json.loads((tmp_path / "own" / "readings.json").read_text())["datasets"][0]["shown"]
    assert {"shown": "reader 1", "of": "rater", "value": PLACES["reader"]} in readers
    assert main([*scan[:-1], "out/own.json"]) == 2
    assert main([*scan[:-1], "data/set/own.json"]) == 2
