"""A name in every place of every form of data set × every format of report: none is found.

`pytest -s` on this file prints the matrix; with `-m slow` that of the other commands too.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from medaudit.cli import main
from reports.format import formats
from tests.medaudit.canary_documents import FORMS

EVERY = [part for name in formats() for part in ("-o", f"{name}:r.{name}")]
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "scan --verbose": ("scan", "{root}", "--verbose", "-o", "v.json"),
    "scan, workers": ("scan", "{root}", "--workers", "2", "-o", "w.json", "-o", "w.html"),
    "wrong role": ("scan", "{root}", "--label", "nosuch"),
    "review": ("review", "r.json", "-o", "review.html"),
    "compare": ("compare", "r.json", "r.json", "-o", "c.html", "-o", "c.json"),
    "diff": ("diff", "{root}", "{root}", "--format", "json", "-o", "d.json"),
    "fix --check": ("fix", "{root}", "--check"),
}


def planted_in(content: bytes, names: Mapping[str, str]) -> set[str]:
    """Places whose name is in the bytes, in any case, in UTF-8 or UTF-16."""
    lower = content.lower()
    return {
        place for place, name in names.items() if any(name.lower().encode(code) in lower for code in ("utf-8", "utf-16-le"))
    }


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


def scanned(form: str, root: Path, capfd: pytest.CaptureFixture[str]) -> dict[str, set[str]]:
    """Format → places whose name it shows, after a scan into every format."""
    chosen = FORMS[form]
    chosen.write(root, chosen.names)
    there = b"".join(str(path).encode() + path.read_bytes() for path in root.rglob("*") if path.is_file())
    if form != "xlsx":  # packed; that its cells are read is asked below
        assert planted_in(there, chosen.names) == set(chosen.places), "the oracle sees what was planted"
    assert main(["scan", str(root), "--workers", "0", *EVERY]) in (0, 1)
    said = capfd.readouterr()
    found = {"terminal": planted_in((said.out + said.err).encode(), chosen.names)}
    for name in formats():
        found[name] = set()
        for path in Path().glob(f"r.{name}*"):
            found[name] |= planted_in(path.name.encode() + path.read_bytes(), chosen.names)
    assert f'"layout": "{ {"xlsx": "table", "Croissant": "table"}.get(form, form.lower()) }"' in Path("r.json").read_text(
        "utf-8"
    )
    return found


@pytest.mark.parametrize("form", FORMS)
def test_no_name_of_a_document_is_in_any_format(form: str, ready: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = scanned(form, ready, capfd)
    with capfd.disabled():
        sys.stdout.write(drawn(form, found))
    assert not any(found.values()), found


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_no_name_of_a_document_is_said_by_any_command(form: str, ready: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = scanned(form, ready, capfd)
    for name, words in COMMANDS.items():
        before = set(Path().rglob("*"))
        code = main([word.format(root=ready) for word in words])
        assert code in (0, 1, 2), (name, code)
        said = capfd.readouterr()
        content = (said.out + said.err).encode()
        content += b"".join(path.read_bytes() for path in set(Path().rglob("*")) - before if path.is_file())
        found[name] = planted_in(content, FORMS[form].names)
    with capfd.disabled():
        sys.stdout.write(drawn(form, found))
    assert not any(found.values()), found


def drawn(form: str, found: Mapping[str, set[str]]) -> str:
    """One table: place × output, 1 where it was found."""
    lines = [" | ".join([form, *found])]
    lines += [" | ".join([place, *(str(int(place in shown)) for shown in found.values())]) for place in FORMS[form].places]
    return "\n" + "\n".join(lines) + f"\n{len(FORMS[form].places)} places, {sum(map(len, found.values()))} found\n"
