"""`medaudit init` asks about what it is not sure of: what each folder level and column was taken for, with counts and examples.

Nothing that could be a person is shown: of patients, studies and sites the number alone, of classes and splits their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from auditor.values.dataset import Dataset
from auditor.values.results import Guess

ASKED = 0.85
"""What is less sure than this is asked, or told as to be confirmed."""
SHOWN = 4
_TOLD = ("unused-table", "table-aside", "unread", "unsupported")
_FOLDER = re.compile(r"level (?P<number>\d+)$")


@dataclass(frozen=True, kw_only=True)
class Interview:
    """What was found, and what a person said.

    Args:
        lines: what is told of each role, a line each.
        unsure: what is to be confirmed, a line each.
        pins: role → column or `folder:N`, as confirmed or given.
    """

    lines: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)


def interview(dataset: Dataset, ask: Callable[[str, str], str] | None) -> Interview:
    """Tell what each role was taken from, and ask about the doubtful ones.

    Args:
        dataset: opened.
        ask: question, proposed answer → answer (empty: none of them); None where nobody can be asked.
    """
    lines, doubtful, pins = [], [], {}
    for guess in dataset.summary.guesses:
        told = f"{guess.role}: {guess.value}{_counted(dataset, guess.role)} ({guess.confidence:.0%} sure: {guess.why})"
        lines.append(told)
        proposed = _pin(guess)
        if guess.confidence >= ASKED or not proposed:
            continue
        if ask is None:
            doubtful.append(f'{guess.role} = "{proposed}"? {guess.confidence:.0%} sure: {guess.why}')
            continue
        answer = ask(f"{told}\nWhich column, or folder:N, is the {guess.role}? (- for none)", proposed).strip()
        if answer and answer != "-":
            pins[guess.role] = answer
        else:
            doubtful.append(f"{guess.role}: not {proposed}, as was said; name another")
    doubtful += [note for note in dataset.summary.notes if "say --" in note or "could be" in note]
    unread = [problem for problem in dataset.problems if problem.kind in _TOLD]
    doubtful += [f"{problem.path}: {problem.reason}" for problem in unread[:SHOWN]]
    if len(unread) > SHOWN:
        doubtful.append(f"and {len(unread) - SHOWN:,} more files that are not read")
    if dataset.labels.task == "none":
        doubtful.append("no label was found: name its column, or its folder level (folder:N)")
    return Interview(lines=tuple(lines), unsure=tuple(dict.fromkeys(doubtful)), pins=pins)


def _pin(guess: Guess) -> str:
    """What the user would write to keep the guess; empty where it cannot be pinned."""
    if guess.column:
        return guess.column
    level = _FOLDER.search(guess.value)
    return f"folder:{level['number']}" if level is not None and guess.role in ("label", "split", "patient", "site") else ""


def _counted(dataset: Dataset, role: str) -> str:
    """How many different values, and of classes and splits which."""
    if role == "label" and dataset.labels.classes:
        return _named(dataset.labels.classes)
    if role not in dataset.records.columns or not dataset.has(role) or role in ("path", "mask"):
        return ""
    values = dataset.records[role].dropna()
    if role == "split":
        return _named(sorted(set(map(str, values))))
    return f", {values.nunique():,} different"


def _named(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f", {len(names):,}: {', '.join(names[:SHOWN])}{more}"
