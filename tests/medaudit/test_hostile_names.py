"""Names of files made to break outputs are harmless in all of them, through the real command line."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from auditor.degrade.encode import png
from medaudit.cli import main
from reports.format import formats

NAMES = (
    "<script>alert(1)<&>.png",
    "\"><img src=x onerror=alert(1)>.png",
    "=cmd|'calc'!A0.png",
    "+1+1.png",
    "-2+3.png",
    "@SUM(A1).png",
    "\ttab.png",
    "\rreturn.png",
    "two\nlines.png",
    "\x1b[31mred\x1b[0m.png",
    "\x1b]0;title\x07.png",
    "gnp.\u202egpj.png",
    "\u2066isolate\u2069.png",
    "zero\u200bwidth.png",
    "n" * 251 + ".png",
    "{{7*7}}{%x%}.png",
    "..\\..\\x.png",
    "%2e%2e%2fx.png",
    "::error::x.png",
    "[red]rich[bold].png",
    "a]b[c.png",
    "'; DROP TABLE x; --.png",
)  # fmt: skip


class Page(HTMLParser):
    """Tags of a page, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> dict[str, bytes]:
    """A set whose every hostile name is in a finding (unreadable, or a copy of another), scanned into every format."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(NAMES):
        folder = tmp_path / "set" / ("<b>ill" if number % 2 else "=well")
        folder.mkdir(parents=True, exist_ok=True)
        content = png(rng.integers(0, 255, (24, 24)).astype(np.uint8))
        (folder / name).write_bytes(content[: 60 if number % 3 == 0 else None])
        (folder / f"{number}-{name}"[-80:].replace("/", "_")).write_bytes(content)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    arguments = [part for name in formats() for part in ("-o", f"{name}:r.{name}")]
    assert main(["scan", str(tmp_path / "set"), "--workers", "1", *arguments]) in (0, 1)
    told = capfd.readouterr()
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    return written | {"terminal": told.out.encode(), "progress": told.err.encode()}


def test_hostile_names_are_safe_in_every_output(outputs: dict[str, bytes]) -> None:
    page = Page()
    page.feed(outputs["r.html"].decode())
    assert not any("onerror" in attributes or attributes.get("src") == "x" for _, attributes in page.tags)
    assert b"<script>alert" not in outputs["r.html"]
    assert b"<b>ill" not in outputs["r.html"]

    result = json.loads(outputs["r.json"])
    told = json.dumps(result, ensure_ascii=False)
    assert "<script>alert(1)" in told, "the names are in the result"
    assert b"</script" not in outputs["r.html"].split(b"alert(1)")[1][:20]

    tables = {name: content for name, content in outputs.items() if name.endswith(".csv")}
    assert tables
    cells = [c for content in tables.values() for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for c in row]
    assert any("cmd|" in cell for cell in cells)
    for cell in cells:
        assert not re.match(r"[=+@\t\r]|-(?![\d.]+(e-?\d+)?$)", cell), cell

    for where in ("terminal", "progress", "r.rich"):
        text = re.sub(r"\x1b\[[0-9;]*m", "", outputs[where].decode()) if where == "r.rich" else outputs[where].decode()
        odd = {c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\r"}
        assert not odd, f"{odd!r} in {where}"


def test_paths_that_leave_the_folder_are_refused_and_nothing_outside_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "set"
    root.mkdir()
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(np.eye(24, dtype=np.uint8) * 255))
    rng = np.random.default_rng(1)
    rows = ["image,label"]
    for i in range(8):
        (root / f"{i}.png").write_bytes(png(rng.integers(0, 255, (24, 24)).astype(np.uint8)))
        rows.append(f"{i}.png,{'ab'[i % 2]}")
    (root / "link.png").symlink_to(secret)
    rows += ["../secret.png,a", f"{secret},b", "link.png,a", "x/../../secret.png,b"]
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    assert main(["scan", str(root / "labels.csv"), "--workers", "0", "-q", "-o", "r.json"]) == 1
    result = json.loads((tmp_path / "r.json").read_text())
    found = [f for o in result["outcomes"] if o["code"] == "IN002" for f in o["findings"]]
    assert sum(f["subject"] == "outside-root" for f in found) >= 3
    read = next(o for o in result["outcomes"] if o["code"] == "SP002")
    assert "secret" not in json.dumps(read)
