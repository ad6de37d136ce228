"""A name in every place × every command × every format: none is found. `pytest -m slow` on this file prints the matrix."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import auditor.scan
from medaudit.cli import main
from reports.format import formats
from tests.medaudit.canary_places import PLACES, Planted, plant, traces
from trainers.values.recipe import Recipe

COPY = ("labels.csv", "medaudit.toml", "state.json", "original", ".dcm", "labels-split.csv", "p.csv")
"""Files of the dataset itself, corrected, and those in which its own ids lead programs to its records (a split, predictions):
they hold what it holds. What is written *about* it is searched."""
EVERY = [part for name in formats() for part in ("-o", f"{name}:r.{name}")]


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planted:
    planted = plant(tmp_path / "data")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    return planted


class Told:
    """Runs a command and looks through what it said and wrote."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.capfd = capfd

    def __call__(self, *words: str) -> tuple[int, dict[str, list[str]]]:
        before = {path: path.stat().st_mtime_ns for path in Path().rglob("*") if path.is_file()}
        code = main(list(words))
        said = self.capfd.readouterr()
        found = {"terminal": traces((said.out + said.err).encode())}
        for path in sorted(Path().rglob("*")):
            if path.is_file() and before.get(path) != path.stat().st_mtime_ns and not any(part in str(path) for part in COPY):
                found[path.suffix or path.name] = traces(path.name.encode() + path.read_bytes())
        return code, found


def nothing(found: Mapping[str, list[str]]) -> bool:
    return not any(found.values())


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Told:
    return Told(capfd)


def test_a_scan_shows_headers_sites_notes_and_splits_by_their_place_in_every_format(planted: Planted, told: Told) -> None:
    code, found = told("scan", str(planted.root), "--workers", "0", "--select", "LK,PH,SP", *EVERY)
    assert code == 1
    assert len(found) == len(formats()) + 1
    assert nothing(found), found
    result = Path("r.json").read_text("utf-8")
    assert "column 6" in result
    assert "site 1" in result


def test_a_wrong_role_names_ordinary_columns_and_numbers_the_others(planted: Planted, told: Told) -> None:
    code, found = told("scan", str(planted.root / "labels.csv"), "--label", "nosuch")
    assert code == 2
    assert nothing(found)


def test_a_reader_is_told_by_a_number_and_a_file_of_findings_holds_no_control_character(planted: Planted, told: Told) -> None:
    code, found = told("scan", str(planted.readings), "--workers", "0", "-o", "r.json", "-o", "r.csv")
    assert code in (0, 1)
    assert nothing(found)
    assert "reader 1" in Path("r.json").read_text("utf-8")
    assert not any(byte < 32 and byte not in b"\r\n" for byte in Path("r.csv").read_bytes())


def test_the_oracle_sees_every_name_that_was_planted(planted: Planted) -> None:
    files = [path for path in planted.root.parent.rglob("*") if path.is_file()]
    content = b"".join(str(path).encode() + path.read_bytes() for path in files)
    assert sorted(traces(content)) == sorted(PLACES)


@pytest.mark.slow
def test_no_name_of_any_place_is_in_any_output_of_any_command(
    planted: Planted, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, tree, readings = str(planted.root), str(planted.tree), str(planted.readings)
    earlier = tmp_path / "earlier"
    shutil.copytree(root, earlier)
    table = (earlier / "labels.csv").read_text().splitlines()
    (earlier / "labels.csv").write_text("\n".join([table[0], *table[5:30], *(r.replace("train", "test") for r in table[30:])]))
    monkeypatch.setattr("trainers.engine.bench.automatic", lambda *_: Recipe(epochs=1, batch=16, width=4))
    private = str(tmp_path / "private" / "crosswalk.json")
    key = tmp_path / "secret.key"
    key.write_bytes(bytes(range(32)))

    def crash(*arguments: object) -> object:
        raise ValueError(" ".join(PLACES.values()))

    runs: list[tuple[str, tuple[str, ...], set[int]]] = [
        ("scan", ("scan", root, *EVERY), {1}),
        ("scan, workers", ("scan", root, "--workers", "2", "--no-cache", *EVERY), {1}),
        ("scan, DICOM", ("scan", tree, *EVERY), {0, 1}),
        ("scan, all said", ("scan", root, "--verbose", "--select", "LK,PH,SP", "-o", "v.json"), {1}),
        ("scan, DICOM, all said", ("scan", tree, "--verbose", "-o", "v.json"), {0, 1}),
        ("scan, no settings", ("scan", root, "--config", "none", "--select", "PH,MA", "-o", "v.json"), {1}),
        ("scan, crosswalk", ("scan", root, "--select", "PH007", "-o", "v.json", "--crosswalk", private), {1}),
        ("scan, readings", ("scan", readings, "--rater", "rater", "--label", "label", *EVERY), {0, 1}),
        ("scan, wrong role", ("scan", root, "--label", "nosuch"), {2}),
        ("scan, wrong column", ("scan", root, "--site", "remark"), {2}),
        ("scan again for a result", ("scan", root, "-o", "r.json"), {1}),
        ("review", ("review", "r.json", "-o", "review.html", "-o", "queue.csv"), {0}),
        ("report", ("report", "r.json", "-o", "s.html", "-o", "s.csv"), {0}),
        ("compare", ("compare", "r.json", "r.json", "-o", "c.html", "-o", "c.json"), {0}),
        ("split", ("split", root, "--stratify", "site", "-o", "s/labels-split.csv"), {0, 1}),
        ("split, wrong", ("split", root, "--stratify", "nosuch"), {2}),
        ("split, wrong name", ("split", root, "--keep", "nosuch"), {2}),
        ("consensus", ("consensus", readings, "-o", "consensus.csv"), {0}),
        ("consensus, wrong", ("consensus", readings, "--label", "nosuch"), {2}),
        ("diff", ("diff", root, str(earlier)), {1}),
        ("diff, JSON", ("diff", root, str(earlier), "--format", "json", "-o", "diff.json"), {1}),
        ("fingerprint", ("fingerprint", root, "--key", str(key), "-o", "hashes.parquet"), {0}),
        ("fix", ("fix", root, "--strategy", "resplit", "-o", "fixed"), {0}),
        ("fix --check", ("fix", root, "--check"), {0, 1}),
        ("fix, DICOM", ("fix", tree, "--strategy", "deidentify", "-o", "clean"), {0, 1}),
        ("fix, a network", ("fix", root, "--strategy", "robust", "--seeds", "1", "--force", "-o", "trained"), {0, 1}),
        ("predict", ("predict", "trained", root, "-o", "p.csv"), {0}),
        ("predict, no model", ("predict", "fixed", root, "-o", "p.csv"), {2}),
    ]
    matrix: dict[str, dict[str, list[str]]] = {}
    for name, words, codes in runs:
        code, matrix[name] = told(*words)
        assert code in codes, (name, code)
    assert sorted(traces(Path(private).read_bytes())), "the crosswalk leads back"
    monkeypatch.setattr(auditor.scan, "judged", crash)
    for name, words in (("scan, crash", ("scan", root, "--rehash", "-o", "x.json")), ("fix, crash", ("fix", root, "-o", "x"))):
        code, matrix[name] = told(*words)
        assert code == 3, name
    monkeypatch.setattr("auditor.scan.gather", crash)
    monkeypatch.setattr("auditor.diff.gather", crash)
    for name, words in (
        ("split, crash", ("split", root)), ("diff, crash", ("diff", root, str(earlier))),
        ("fingerprint, crash", ("fingerprint", root, "--key", str(key))), ("predict, crash", ("predict", "trained", root)),
    ):  # fmt: skip
        code, matrix[name] = told(*words)
        assert code == 3, name
    with told.capfd.disabled():
        sys.stdout.write(drawn(matrix) + "\n")
    assert not {name: found for name, found in matrix.items() if not nothing(found)}


def drawn(matrix: Mapping[str, Mapping[str, list[str]]]) -> str:
    """Two tables: command × format with the places found in each, and place × command with the formats it was found in."""
    kinds = sorted({kind for found in matrix.values() for kind in found})
    cell: Callable[[str, str], str] = lambda name, kind: str(len(matrix[name][kind])) if kind in matrix[name] else ""  # noqa: E731
    lines = [f"{len(PLACES)} places: {', '.join(PLACES)}", " | ".join(["command", *kinds])]
    lines += [" | ".join([name, *(cell(name, kind) for kind in kinds)]) for name in matrix]
    lines += ["", " | ".join(["place", *matrix]), " | ".join(["(outputs)", *(str(len(found)) for found in matrix.values())])]
    for place in PLACES:
        lines.append(" | ".join([place, *(str(sum(place in told for told in found.values())) for found in matrix.values())]))
    return "\n".join(lines)
