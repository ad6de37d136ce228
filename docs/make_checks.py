"""Writes docs/checks.md from the checks' docstrings: `python docs/make_checks.py`."""

from __future__ import annotations

import inspect
from pathlib import Path

from auditor.check import Check, check_classes, title

HEAD = """\
# Checks

Written by `docs/make_checks.py` from the checks themselves; `medaudit explain CODE` prints the same text. Severity is the most severe level that a
check's findings have by default; `[severity]` in `medaudit.toml` changes it, thresholds stand under `[checks.CODE]`.

"""


def page() -> str:
    """The whole page."""
    checks = check_classes()
    rows = [f"| [{c.code}](#{c.code.lower()}) | {c.name} | {c.severity.value} | {title(c)} |" for c in checks]
    table = "\n".join(["| code | name | severity | what |", "|---|---|---|---|", *rows])
    parts = [section(c) for c in checks]
    return HEAD + table + "\n\n" + "\n".join(parts)


def section(check: type[Check]) -> str:
    """One check: its docstring, with the headings one level down."""
    text = (inspect.getdoc(check) or "").replace("\n## ", "\n### ")
    return f"## {check.code}\n\n**{check.name}**: {text}\n"


if __name__ == "__main__":
    Path(__file__).with_name("checks.md").write_text(page(), "utf-8")
