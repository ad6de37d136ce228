"""Writes docs/checks.md and docs/strategies.md from the docstrings: `python docs/make_pages.py`."""

from __future__ import annotations

import inspect
from pathlib import Path

from auditor.check import check_classes
from auditor.check import title as title_of_check
from trainers.strategy import strategy_classes
from trainers.strategy import title as title_of_strategy

CHECKS = """\
# Checks

Written by `docs/make_pages.py` from the checks themselves; `medaudit explain CODE` prints the same text. Severity is the most severe level that a
check's findings have by default; `[severity]` in `medaudit.toml` changes it, thresholds stand under `[checks.CODE]`.

"""
STRATEGIES = """\
# Strategies

Written by `docs/make_pages.py` from the strategies themselves; `medaudit explain NAME` prints the same text. Strategies that change the same thing (the
column *answers*) compete in a run of `medaudit fix`; the others follow each other.

"""


def checks_page() -> str:
    """Of all checks."""
    checks = check_classes()
    rows = [f"| [{c.code}](#{c.code.lower()}) | {c.name} | {c.severity.value} | {title_of_check(c)} |" for c in checks]
    table = "\n".join(["| code | name | severity | what |", "|---|---|---|---|", *rows])
    return CHECKS + table + "\n\n" + "\n".join(section(c.code, f"**{c.name}**: ", c) for c in checks)


def strategies_page() -> str:
    """Of all strategies."""
    kinds = strategy_classes()
    rows = [f"| [{k.name}](#{k.name}) | {k.answers} | {'yes' if k.trains else 'no'} | {title_of_strategy(k)} |" for k in kinds]
    table = "\n".join(["| name | answers | trains | what |", "|---|---|---|---|", *rows])
    return STRATEGIES + table + "\n\n" + "\n".join(section(k.name, "", k) for k in kinds)


def section(heading: str, lead: str, kind: type) -> str:
    """One of them: its docstring, with the headings one level down."""
    text = (inspect.getdoc(kind) or "").replace("\n## ", "\n### ")
    return f"## {heading}\n\n{lead}{text}\n"


if __name__ == "__main__":
    folder = Path(__file__).parent
    (folder / "checks.md").write_text(checks_page(), "utf-8")
    (folder / "strategies.md").write_text(strategies_page(), "utf-8")
