import os
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import installed
from PIL import Image

import auditor.unchanged.index as index
import auditor.unchanged.program as program
import medaudit
from auditor.plan import Plan
from auditor.reading.losses import LOSSES
from medaudit import earlier as module
from medaudit.earlier import Earlier, earlier
from medaudit.keywords import ScanOptions, read_keywords
from medaudit.scanning import plan_of


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(index, "SETTLED_NS", -(10**9))  # files of a test are seconds old at best
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "private"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for name in ("a/1.png", "a/2.png", "b/3.png", "b/4.png", "masks/1.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(len(name) + ord(name[-5]))
        Image.fromarray(rng.integers(0, 255, (40, 40)).astype(np.uint8)).save(root / name)
    (root / "labels.csv").write_text("image,label\na/1.png,x\na/2.png,y\nb/3.png,x\nb/4.png,y\n")
    (root / "link.csv").symlink_to("labels.csv")
    return root


def of(target: Path, **options: Any) -> bytes | None:
    told = read_keywords(options, ScanOptions, "scan")
    found = earlier(target, told, lambda: plan_of(target, told))
    return None if found is None else found.of


def rewritten(path: Path) -> None:
    """Another content of the same size, and the time of the file as it was."""
    told, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))


def led_elsewhere(link: Path) -> None:
    link.unlink()
    link.symlink_to("a/1.png")


CHANGES: dict[str, Callable[[Path], object]] = {
    "an image": lambda root: rewritten(root / "a/1.png"),
    "a mask": lambda root: rewritten(root / "masks/1.png"),
    "a table": lambda root: rewritten(root / "labels.csv"),
    "a time": lambda root: os.utime(root / "a/1.png", (1, 1)),
    "one more": lambda root: (root / "a/5.png").write_bytes((root / "a/1.png").read_bytes()),
    "one hidden": lambda root: (root / ".more").write_bytes(b""),
    "an empty folder": lambda root: (root / "c").mkdir(),
    "one less": lambda root: (root / "a/1.png").unlink(),
    "a name": lambda root: (root / "a/1.png").rename(root / "a/9.png"),
    "rights": lambda root: (root / "a/1.png").chmod(0o640),
    "rights of a folder": lambda root: (root / "a").chmod(0o750),
    "a link": lambda root: led_elsewhere(root / "link.csv"),
    "settings": lambda root: (root / "medaudit.toml").write_text("[scan]\nrequire = ['IN']\n"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("target", [".", "labels.csv"])
def test_whatever_changes_in_the_folder_is_another_question(folder: Path, change: str, target: str) -> None:
    before = of(folder / target)
    assert before == of(folder / target) is not None
    CHANGES[change](folder)
    assert of(folder / target) != before


def test_an_output_is_no_change_and_what_is_swapped_is_one(folder: Path) -> None:
    before = of(folder)
    (folder / "medaudit-out").mkdir()
    (folder / "medaudit-out" / "report.html").write_text("r")
    assert of(folder) == before
    one, two = folder / "a/1.png", folder / "a/2.png"
    one.rename(folder / "x")
    two.rename(one)
    (folder / "x").rename(two)
    assert of(folder) != before


@pytest.mark.parametrize(
    "options",
    [
        {"select": "IN"}, {"ignore": "LK"}, {"require": "IN"}, {"fail_on": "warning"}, {"strict": True}, {"pixels": False},
        {"seed": 1}, {"label": "label"}, {"patient": "image"}, {"workers": 1}, {"config": "none"}, {"strict": False},
    ],
)  # fmt: skip
def test_every_word_is_another_question(folder: Path, options: dict[str, Any]) -> None:
    assert of(folder, **options) not in (None, of(folder))


@pytest.mark.parametrize("word", ["predictions", "reviewed", "known", "key", "config", "root"])
def test_files_outside_that_a_word_names_belong_to_the_question(folder: Path, tmp_path: Path, word: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    file = outside / "file.toml"
    file.write_text("[scan]\nseed = 1\n")
    options = {word: outside if word == "root" else file, **({"key": file} if word == "known" else {})}
    before = of(folder / "labels.csv", **options)
    assert before == of(folder / "labels.csv", **options) is not None
    file.write_text("[scan]\nseed = 2\n")
    assert of(folder / "labels.csv", **options) != before


def test_files_outside_that_the_settings_name_belong_to_the_question(folder: Path, tmp_path: Path) -> None:
    settings, predictions, images = tmp_path / "own.toml", tmp_path / "p.csv", tmp_path / "images"
    settings.write_text('[scan]\npredictions = "p.csv"\n[dataset]\nroot = "images"\nleft-out = "left.csv"\n')
    images.mkdir()
    seen = [of(folder, config=settings)]
    for path in (predictions, images / "1.png", tmp_path / "left.csv"):
        path.write_text("x")
        seen.append(of(folder, config=settings))
    assert None not in seen
    assert len(set(seen)) == len(seen)


def test_another_baseline_is_another_question(folder: Path, tmp_path: Path) -> None:
    settings, baseline = tmp_path / "own.toml", tmp_path / "base.json"
    settings.write_text('[scan]\nbaseline = "base.json"\n')
    seen = []
    for version in (1, 0):
        baseline.write_text(f'{{"schema_version": {version}, "outcomes": []}}')
        seen.append(of(folder, config=settings))
    assert None not in seen
    assert seen[0] != seen[1]


def test_every_path_of_a_plan_is_one_that_was_thought_of() -> None:
    plan = {f.name for f in fields(Plan) if "Path" in str(f.type)}
    assert plan == {"file", "predictions", "reviewed", "known", "key", "cache", "crosswalk", "baseline", "target"}
    options = {f.name for f in fields(type(Plan().options)) if "Path" in str(f.type)}
    assert options == {"root", "left_out"}


def test_another_program_day_place_or_language_is_another_question(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [of(folder)]
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    seen.append(of(folder))
    monkeypatch.setattr(program.time, "localtime", lambda: (2031, 1, 2))
    seen.append(of(folder))
    packages = tmp_path / "packages"
    (packages / "codecs-1.0.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    seen.append(of(folder))
    (packages / "codecs-1.0.dist-info").rename(packages / "codecs-1.1.dist-info")
    seen.append(of(folder))
    own = tmp_path / "auditor"
    own.mkdir()
    (own / "check.py").write_text("1")
    monkeypatch.setattr(program, "ROOMS", (*program.ROOMS, str(own)))
    seen.append(of(folder))
    (own / "check.py").write_text("2")
    seen.append(of(folder))
    monkeypatch.chdir(tmp_path)
    seen.append(of(folder))
    assert None not in seen
    assert len(set(seen)) == len(seen)


def test_with_a_plug_in_of_others_nobody_knows(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with installed(tmp_path / "site", "[medaudit.checks]\nXX001 = foreign_plugin:Rule\n", "Rule = 1\n"):
        assert of(folder) is None
    assert of(folder) is not None


def test_what_writes_beside_the_result_or_keeps_nothing_is_not_asked_for(folder: Path, tmp_path: Path) -> None:
    assert of(folder, cache=False) is None
    assert of(folder, crosswalk=tmp_path / "w.json") is None
    assert of(folder / "no such folder") is None


def test_too_much_is_not_looked_through(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST_ENTRIES", 5)
    assert of(folder) is None


def scanned(folder: Path, **options: Any) -> medaudit.ScanResult:
    return medaudit.scan(folder, select="IN,ED", workers=0, **options)


def test_the_second_scan_is_the_first_and_says_so(folder: Path) -> None:
    first, second = scanned(folder), scanned(folder)
    assert (first.run.unchanged_since, second.run.unchanged_since) == ("", first.run.started)
    assert replace(second, run=first.run, outcomes=()) == replace(first, outcomes=())
    assert [replace(o, seconds=0.0, verdict=None) for o in first.outcomes] == [
        replace(o, verdict=None) for o in second.outcomes
    ]
    assert [f.fingerprint for f in second.findings] == [f.fingerprint for f in first.findings]
    assert scanned(folder, rehash=True).run.unchanged_since == ""
    assert scanned(folder, cache=False).run.unchanged_since == ""
    rewritten(folder / "a/1.png")
    assert scanned(folder).run.unchanged_since == ""


def refuse_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "SETTLED_NS", 10**12)


def lose_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Earlier.keep

    def losing(self: Earlier, examined: Any) -> None:
        LOSSES.count += 1
        kept(self, examined)

    monkeypatch.setattr(module.Earlier, "keep", losing)


def meddle(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Earlier.keep

    def meddling(self: Earlier, examined: Any) -> None:
        rewritten(examined.dataset.root / "a/1.png")
        kept(self, examined)

    monkeypatch.setattr(module.Earlier, "keep", meddling)


@pytest.mark.parametrize("trouble", [refuse_to_settle, lose_a_worker, meddle])
def test_what_may_be_of_the_moment_is_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[pytest.MonkeyPatch], None]
) -> None:
    trouble(monkeypatch)
    scanned(folder)
    assert scanned(folder).run.unchanged_since == ""
