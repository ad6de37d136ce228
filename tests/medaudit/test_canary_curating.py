"""The canary in the commands that make data sets: what they print, and what they write about one, names nobody.

`init`, `degrade`, `score`, `unpack`, `fix --check` and the strategy that trains site by site, over the places of
`canary_places` and over archives whose members, shards and own names are people's. Files that *are* a data set (its
copy, its truth by record, its unpacked members) hold what it holds, and are not searched.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from auditor.degrade.encode import png
from medaudit.cli import main
from tests.medaudit.canary_places import PLACES, Planted, plant
from tests.medaudit.test_canary_matrix import Told, nothing
from trainers.values.recipe import Recipe

NAMES = tuple(word for name in PLACES.values() for word in name.replace("_", " ").split() if word != "Maria")
PICTURE = png(np.random.default_rng(0).integers(0, 255, (16, 16)).astype(np.uint8))


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planted:
    planted = plant(tmp_path / "data")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    return planted


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Told:
    return Told(capfd)


RUNS: Mapping[str, tuple[tuple[str, ...], int]] = {
    "init": (("init", "{root}", "-o", "i/settings.toml"), 0),
    "init, readings": (("init", "{readings}", "-o", "i/readings.toml"), 0),
    "init, DICOM": (("init", "{tree}", "-o", "i/tree.toml"), 0),
    "degrade, flips by site": (("degrade", "{root}", "--label-flips", ".2:site", "-o", "worse/a"), 0),
    "degrade, patients": (("degrade", "{root}", "--mix-patients", ".2", "-o", "worse/b"), 2),
    "degrade, copies": (("degrade", "{root}", "--near-copies", ".2", "-o", "worse/c"), 0),
    "degrade, readers": (("degrade", "{readings}", "--rater-noise", ".3", "-o", "worse/d"), 0),
    "degrade, fatigue": (("degrade", "{readings}", "--fatigue", ".3", "-o", "worse/e"), 0),
    "degrade, no such label": (("degrade", "{root}", "--label-flips", ".2", "--label", "nosuch", "-o", "worse/f"), 2),
    "degrade, no such class": (("degrade", "{root}", "--bit-depth", "nosuch=8", "-o", "worse/g"), 2),
    "degrade, no such reader": (("degrade", "{readings}", "--rater-noise", "nosuch=.3", "-o", "worse/h"), 2),
    "degrade, no such patient": (("degrade", "{root}", "--mix-patients", ".2", "--patient", "nosuch", "-o", "worse/i"), 2),
    "degrade, no masks": (("degrade", "{root}", "--missing", ".5", "-o", "worse/j"), 2),
    "fix --check": (("fix", "{root}", "--check"), 0),
    "fix --check, each alone": (("fix", "{root}", "--check", "--strategy", "deduplicate,resplit,confident"), 0),
    "fix --check, DICOM": (("fix", "{tree}", "--check", "--strategy", "deidentify"), 1),
    "fix --check, sites": (("fix", "{root}", "--check", "--strategy", "federated", "--site", "site"), 0),
    "fix --check, sites that are notes": (("fix", "{root}", "--check", "--strategy", "federated", "--site", "note"), 0),
    "fix --check, no such site": (("fix", "{root}", "--check", "--strategy", "federated", "--site", "nosuch"), 2),
}


@pytest.mark.parametrize("name", RUNS)
def test_no_command_that_makes_a_data_set_names_anybody(name: str, planted: Planted, told: Told) -> None:
    words, expected = RUNS[name]
    where = {"root": str(planted.root), "readings": str(planted.readings), "tree": str(planted.tree)}
    if "{readings}" in words and words[0] == "degrade":
        words = (*words, "--rater", "rater", "--label", "label")
    code, found = told(*(word.format(**where) for word in words))
    assert code == expected
    shown = {kind: places for kind, places in found.items() if kind == "terminal" or words[0] != "degrade"}
    assert nothing(shown), shown


def test_a_score_names_nobody_whatever_the_truth_says(planted: Planted, told: Told) -> None:
    assert main(["scan", str(planted.root), "--workers", "0", "-q", "-o", "r.json"]) == 1
    assert main(["degrade", str(planted.root), "--label-flips", ".2", "-o", "worse"]) == 0
    told.capfd.readouterr()
    truth = Path("worse/truth.csv")
    code, found = told("score", "r.json", str(truth), "-o", "score.json")
    assert code in (0, 2)
    assert nothing(found), found
    rows = list(csv.reader(io.StringIO(truth.read_text("utf-8"))))
    for column in range(len(rows[0])):
        changed = [rows[0], *([*row[:column], NAMES[n % len(NAMES)], *row[column + 1 :]] for n, row in enumerate(rows[1:]))]
        for header in (rows[0], [*rows[0][:column], NAMES[column], *rows[0][column + 1 :]]):
            with Path("t.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([header, *changed[1:]])
            code, found = told("score", "r.json", "t.csv", "-o", "score.json")
            assert code in (0, 2), (code, column)
            assert nothing({kind: places for kind, places in found.items() if kind != ".csv"}), (column, found)


@pytest.mark.slow
def test_a_network_that_is_trained_site_by_site_names_no_site(
    planted: Planted, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.engine.bench.automatic", lambda *_: Recipe(epochs=2, batch=8, width=4))
    code, found = told("fix", str(planted.root), "--strategy", "federated", "--site", "site", "--seeds", "1", "--force",
                       "-o", "fed")  # fmt: skip
    assert code in (0, 1)
    assert Path("fed/report.html").is_file()
    pages = ("report.html", "comparison.json", "result-before.json", "result-after.json")
    assert nothing({"terminal": found["terminal"]}), found
    content = b"".join(Path("fed", page).read_bytes() for page in pages).lower()
    assert [name for name in NAMES if name.lower().encode() in content] == []


def tar_of(members: Mapping[str, bytes], *more: tarfile.TarInfo) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info)
    return stream.getvalue()


def zip_of(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a name that is there twice
                archive.writestr(name, content)
    return stream.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def shard(number: int) -> dict[str, bytes]:
    said = json.dumps({"reader": NAMES[0], NAMES[1]: NAMES[2], "label": number % 2}).encode()
    return {f"{NAMES[number % 13]}_{number}.png": PICTURE, f"{NAMES[number % 13]}_{number}.json": said}


ARCHIVES: dict[str, Callable[[], Mapping[str, bytes]]] = {
    "members": lambda: {f"{NAMES[0]}.zip": zip_of(*((f"{name}/{name}.png", PICTURE) for name in NAMES))},
    "one name twice": lambda: {f"{NAMES[0]}.zip": zip_of(*((f"{NAMES[1]}.png", PICTURE),) * 2, ("b.png", PICTURE))},
    "names that differ in case": lambda: {"a.zip": zip_of((f"{NAMES[1]}.png", b"1"), (f"{NAMES[1].upper()}.png", b"2"))},
    "ways out": lambda: {"a.tar": tar_of({f"../{NAMES[2]}.png": PICTURE, f"/{NAMES[3]}.png": PICTURE, "b.png": PICTURE})},
    "links": lambda: {
        "a.tar": tar_of({"b.png": PICTURE}, link(NAMES[4], f"/{NAMES[5]}"), link(NAMES[6], NAMES[7], tarfile.LNKTYPE))
    },
    "devices": lambda: {"a.tar": tar_of({"b.png": PICTURE}, link(NAMES[4], "", tarfile.FIFOTYPE))},
    "long": lambda: {"a.tar": tar_of({f"{NAMES[8] * 300}.png": PICTURE, "b.png": PICTURE})},
    "an archive in it": lambda: {"a.zip": zip_of((f"{NAMES[9]}.zip", zip_of(("b.png", PICTURE))), ("b.png", PICTURE))},
    "cut off": lambda: {f"{NAMES[10]}.tar": tar_of({f"{NAMES[11]}.png": PICTURE * 20})[:700]},
    "damaged": lambda: {f"{NAMES[10]}.zip": zip_of((f"{NAMES[11]}.png", PICTURE))[:-10]},
    "no archive": lambda: {f"{NAMES[10]}.zip": b"PK\x03\x04" + bytes(100)},
    "shards": lambda: {
        f"{NAMES[12]}-{n}.tar": tar_of({k: v for i in range(n * 8, n * 8 + 8) for k, v in shard(i).items()}) for n in range(2)
    },
    "shards of two kinds": lambda: {
        "d-000000.tar": tar_of({**shard(0), f"{NAMES[3]}.txt": b"x"}), "d-000001.tar": tar_of({f"{NAMES[5]}.cls": b"1" * 9999})
    },
    "a password": lambda: {f"{NAMES[7]}.zip": zip_of((f"{NAMES[2]}.png", PICTURE)).replace(b"\x14\0\0\0", b"\x14\0\1\0")},
}  # fmt: skip


@pytest.mark.parametrize("name", ARCHIVES)
def test_unpacking_names_nobody(name: str, tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "data"
    source.mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    for file, content in ARCHIVES[name]().items():
        (source / file).write_bytes(content)
    code, found = told("unpack", str(source), "-o", "new")
    assert code in (0, 1, 2)
    assert found["terminal"] == []
    assert not list(tmp_path.glob("*.png"))
