"""A datasheet in Markdown: headings of data documentation, filled where the audit knows and marked open where it cannot.

The headings follow METRIC (Schwabe et al. 2024, npj Digital Medicine 7:203), STANDING Together (2024) and CLAIM (2024 update)
as far as an audit touches them. `open` is for people to fill; nothing is guessed. `-o datasheet:DATASHEET.md`.
"""

from __future__ import annotations

from collections.abc import Mapping

from auditor.values.results import ScanResult
from reports.audited import told
from reports.formats.markdown import escaped
from reports.headline import why
from reports.wording import VERDICT, counted

SUFFIXES: tuple[str, ...] = ()
OPEN = "**open**: to be filled by the authors"
FOUND = "As the audit found it"
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Motivation and intended use", "", ("purpose, intended users and uses, uses to avoid",)),
    ("Composition", "composition", ("population, inclusion and exclusion, age, sex, origin and their shares",)),
    ("Collection", "", ("sites, period, devices, protocol, consent and ethics approval",)),
    ("Integrity and completeness", "integrity", ("known missing data, and why they are missing",)),
    (
        "Reference labels and readers",
        "annotation",
        ("who read, with what training and information, and how ties were settled",),
    ),
    ("Splits, patients and duplicates", "splits", ("how the parts were drawn, and the unit that was drawn",)),
    ("Bias and shortcuts", "biases", ("groups that are under-represented, and steps taken",)),
    ("Quality and limitations", "limitations", ("limits that the authors know",)),
    ("Privacy", "personal", ("legal ground, method of de-identification, risk that is left",)),
    ("Distribution and maintenance", "", ("licence, access, version, contact, how errors are reported",)),
)
"""Heading, topic of the audit (empty: it knows nothing of it), what people must add."""


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """The datasheet as Markdown; no side file."""
    verdict = f"Audited with medaudit {escaped(result.tool_version)}: **{VERDICT[result.gate.verdict]}**."
    lines = [f"# Datasheet: {escaped(result.dataset.name)}", "", f"{verdict} {escaped(why(result))}"]
    for title, topic, asked in SECTIONS:
        lines += ["", f"## {title}", ""]
        if topic:
            lines += [f"{FOUND}:", "", *(f"- {escaped(line)}" for line in _said(result, topic)), ""]
        lines += [f"- {OPEN}: {what}" for what in asked]
    return {name: ("\n".join(lines) + "\n").encode()}


def _said(result: ScanResult, topic: str) -> tuple[str, ...]:
    return _composition(result) if topic == "composition" else told(result, topic)


def _composition(result: ScanResult) -> tuple[str, ...]:
    dataset = result.dataset
    counts = [f"{number:,} {use.replace('_', ' ')}" for use, number in dataset.counts.items() if number and use != "records"]
    read = [f"{guess.role}: {guess.value} ({'given' if guess.pinned else f'guessed, {guess.confidence:.0%} sure'})"
            for guess in dataset.guesses]  # fmt: skip
    classes = ", ".join(dataset.classes) if dataset.classes else "none found"
    return (counted(result.records, "record"), *counts, f"layout: {dataset.layout}", f"task: {dataset.task or 'none found'}",
            f"classes: {classes}", *read, *dataset.notes)  # fmt: skip
