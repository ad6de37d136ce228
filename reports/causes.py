"""What was found, cause by cause: in words, the worst first, each with what to do about it and the command.

One cause is told once: checks that say of the same class that it can be told without the disease are parts of one cause. Causes
are ordered by severity, and within one by harm times the share of the records that they touch. Nothing is measured here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from auditor.values.fields import spoken
from auditor.values.remedies import answered_by, encoding, mend
from auditor.values.results import Cell, Finding, Outcome, ScanResult, Severity
from reports.cell import shown
from reports.wording import counted, plain_names

SHORTCUTS = ("LK001", "LK003", "LK002", "LK005", "LK006")
"""Checks that ask whether a class can be told without the disease; what explains most comes first."""
HARM: Mapping[str, float] = {"LK": 4, "SP": 4, "PH": 4, "IN": 3, "LN": 3, "ED": 2, "MA": 2, "SZ": 1, "IQ": 1}
"""By letters: how far figures of a model, or people, are harmed where all records are touched."""
MOST_WORDS = 140
_COUNTED: Mapping[str, tuple[str, ...]] = {
    "SP002": ("records",), "SP004": ("records",), "SP003": ("records_contradicting",), "IQ": ("images_flagged",),
    "IN001": ("files_unreadable",),
}  # fmt: skip
"""Code or letters → measures that count the records; findings of many records may be cut short."""
_COUNTS = ("records", "images", "files")
_SHARES = ("fraction", "label_noise_fraction")
_TELLS = re.compile(r"^(?P<what>[^;:]+?)(?: alone)? tells? .+? from the rest")
_LISTED = re.compile(r"[\d,]+ \w+, listed in the table")
"""A finding that stands for many, whose summary says what they are."""
_NOUNS = {"LK001": "field", "LK003": "word", "LK002": "class", "LK005": "property", "LK006": "part"}
_OPTIONS = ("label", "patient", "split", "site", "path", "mask")
_PARTS = {"centre masked": "the picture without its middle", "border": "the border alone",
          "outside the body": "what lies outside the body"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One thing to mend.

    Args:
        title: in words.
        parts: the checks that found it, what explains most first.
        severity: of its gravest finding.
        records: how many records it touches, of `total`.
        action: what would mend it, in words.
        command: the next command; `medaudit explain CODE` where a person has to decide.
    """

    title: str
    parts: tuple[Outcome, ...]
    severity: Severity
    records: int
    total: int
    action: str
    command: str

    @property
    def weight(self) -> float:
        """Harm times the share of records."""
        return HARM.get(self.parts[0].code[:2], 1) * self.records / max(1, self.total)

    @property
    def codes(self) -> tuple[str, ...]:
        """Of its checks."""
        return tuple(part.code for part in self.parts)

    @property
    def extent(self) -> str:
        """`26 of 780 records`."""
        return f"{self.records:,} of {counted(self.total, 'record')}"


def causes(result: ScanResult) -> tuple[Cause, ...]:
    """The causes of all failed checks, the worst first."""
    failed = [o for o in result.outcomes if o.status == "failed" and live(o)]
    found = [_cause((o,), result) for o in failed if o.code not in SHORTCUTS]
    for parts in _sharing([o for o in failed if o.code in SHORTCUTS]):
        found.append(_cause(parts, result))
    return tuple(sorted(found, key=lambda c: (-c.severity.rank, -c.weight, c.codes)))


def places(found: Sequence[Cause]) -> dict[str, int]:
    """Code → place of its first cause."""
    ranked: dict[str, int] = {}
    for place, cause in enumerate(found):
        for code in cause.codes:
            ranked.setdefault(code, place)
    return ranked


def live(outcome: Outcome) -> list[Finding]:
    """Findings above a note that nobody waived, the gravest first."""
    findings = outcome.verdict.findings if outcome.verdict else ()
    kept = [f for f in findings if f.waived is None and f.severity is not Severity.INFO]
    return sorted(kept, key=lambda f: -f.severity.rank)


def telling(finding: Finding) -> tuple[int, bool, float]:
    """Sorts the gravest first; how files were written explains more than a field that may follow what is shown."""
    return -finding.severity.rank, not encoding(finding), -(finding.score or 0.0)


def _sharing(outcomes: Iterable[Outcome]) -> list[tuple[Outcome, ...]]:
    """The checks that tell the same class, together; one that tells several classes goes with the first that shares one."""
    groups: list[tuple[set[Cell], list[Outcome]]] = []
    for outcome in sorted(outcomes, key=lambda o: SHORTCUTS.index(o.code)):
        told = {f.evidence.get("class") for f in live(outcome)}
        near = next((group for group in groups if group[0] & told), None)
        if near is None:
            groups.append((told, [outcome]))
        else:
            near[0].update(told)
            near[1].append(outcome)
    return [tuple(parts) for _, parts in groups]


def _cause(parts: tuple[Outcome, ...], result: ScanResult) -> Cause:
    worst = sorted((f for part in parts for f in live(part)), key=telling)[0]
    total = max(1, result.records)
    return Cause(
        title=_title(parts, result), parts=parts, severity=worst.severity,
        records=max(_touched(part, total) for part in parts), total=total, action=mend(worst.code),
        command=_command(worst, result),
    )  # fmt: skip


def _title(parts: tuple[Outcome, ...], result: ScanResult) -> str:
    first = parts[0]
    found = live(first)
    if first.code in SHORTCUTS:
        return _shortcut(parts, result)
    metrics = first.verdict.metrics if first.verdict else {}
    if first.code == "SP003":
        count = metrics.get("groups_contradicting")
        several = f"{count:,} pictures carry labels that contradict each other" if isinstance(count, int) else ""
        return "One picture carries two labels" if count == 1 else several or sentence(found[0].message)
    if first.code == "SP001" and isinstance(count := metrics.get("patients_shared"), int) and count:
        return f"{counted(count, 'patient')} {'stands' if count == 1 else 'stand'} in more than one split"
    if first.code in ("SP002", "SP004") and isinstance(count := metrics.get("groups"), int) and count:
        what = "more than once" if first.code == "SP002" else "again, slightly altered"
        across = metrics.get("groups_across_splits")
        splits = ""
        if isinstance(across, int) and across:
            splits = f", {'' if across == count else f'{across:,} of them '}in several splits"
        return f"{counted(count, 'picture')} {'is' if count == 1 else 'are'} there {what}{splits}"
    if first.code[:2] == "LK" and (told := _TELLS.match(plain_names(shown(found[0].message)))):
        what = told["what"]
        return f"The class can be told from {what[:1].lower()}{what[1:]}"
    if first.verdict and (len(found) > 1 or _LISTED.match(found[0].message)):
        return sentence(first.verdict.summary)
    # of one record the figures stand below, beside its picture
    return sentence(found[0].message.partition(": ")[0] if found[0].where.record else found[0].message)


def _shortcut(parts: tuple[Outcome, ...], result: ScanResult) -> str:
    """`The class can be told from the bit depth (and 3 other things)`, without the disease."""
    found = sorted(live(parts[0]), key=telling)
    named = list(dict.fromkeys(_source(f) for f in found))
    several = len({f.evidence.get("class") for f in found}) > 1
    target = found[0].evidence.get("class")
    binary = len(result.dataset.classes) == 2 or several or target is None
    who = "The class" if binary else f"Class {shown(target)}"
    more = len(named) - 1
    rest = counted(more, f"more {_NOUNS[parts[0].code]}", "more properties" if parts[0].code == "LK005" else "")
    return f"{who} can be told from {named[0]}" + (f" and {rest}" if more else "")


def _source(finding: Finding) -> str:
    """What tells the class, in words."""
    field, evidence = finding.where.field, finding.evidence
    if finding.code == "LK002":
        return "metadata fields together"
    if finding.code == "LK006":
        part = str(evidence.get("part", ""))
        return _PARTS.get(part, "a part of the picture without the disease")
    if finding.code == "LK005":
        return f"{shown(evidence.get('group') or 'pixels')}"
    if finding.code == "LK003":
        return "words in names, paths or headers"
    words = [word if word.isupper() else word.lower() for word in spoken(field or "").split()]
    return f"the {' '.join(words)}" if words else "one metadata field"


def sentence(message: str) -> str:
    """The first clause of a message, without raw field names and figures of tests, at most `MOST_WORDS` characters."""
    told = re.sub(r" \([^()]*\bp [=<][^()]*\)", "", plain_names(shown(message)))
    words = re.split(r"(?<=[^\d]); |\. (?=[A-Z])", told, maxsplit=1)[0].rstrip(".")
    if len(words) > MOST_WORDS:
        words = words[: words.rfind(" ", 0, MOST_WORDS)]
        if words.count("(") > words.count(")"):  # half a bracket tells nothing
            words = words[: words.rfind("(")].rstrip()
        words += " …"
    return words[:1].upper() + words[1:]


def _touched(outcome: Outcome, total: int) -> int:
    """How many records it touches, as far as findings and measures say; all where a finding is about the whole dataset."""
    findings, metrics = live(outcome), outcome.verdict.metrics if outcome.verdict else {}
    for key in _COUNTED.get(outcome.code, _COUNTED.get(outcome.code[:2], ())):
        if isinstance(value := metrics.get(key), int) and value:
            return min(total, value)
    if outcome.code[:2] == "LK":
        return total
    named = {f.where.record or f.where.path for f in findings if f.where.record or f.where.path}
    if any("records_a" in f.evidence for f in findings) and (listed := _listed(outcome)):
        return min(total, listed)  # pairs of three splits count a record twice
    amounts = [_amount(f.evidence, total) for f in findings if not (f.where.record or f.where.path)]
    return total if 0 in amounts else max(1, min(total, len(named) + sum(amounts)))


def _listed(outcome: Outcome) -> int:
    """Rows of its table of records; 0: it has none."""
    tables = outcome.verdict.tables if outcome.verdict else ()
    return next((table.length for table in tables if table.name == "records"), 0)


def _amount(evidence: Mapping[str, Cell], total: int) -> int:
    pair = [value for key in ("records_a", "records_b") if isinstance(value := evidence.get(key), int)]
    if pair:
        return sum(pair)
    for key in _COUNTS:
        if isinstance(value := evidence.get(key), int) and not isinstance(value, bool):
            return value
    for key in _SHARES:
        if isinstance(value := evidence.get(key), float):
            return round(value * total)
    return 0


def _command(finding: Finding, result: ScanResult) -> str:
    """The next command; roles that the user named are named again."""
    if finding.code in ("LN001", "LN002"):
        return "medaudit review medaudit-out/result.json -o review.html"
    strategies = answered_by(finding)
    if not strategies:
        return f"medaudit explain {finding.code}"
    if strategies == ("consensus",) and result.dataset.task == "none":
        return "medaudit consensus TABLE -o labels.csv"  # nothing was released that could be corrected
    named = [
        f"--{guess.role} {shlex.quote(guess.column)}"
        for guess in result.dataset.guesses
        if guess.pinned and guess.column and guess.role in _OPTIONS
    ]
    target = shlex.quote(shown(result.dataset.name))
    return " ".join(["medaudit fix", target, "--strategy", strategies[0], *named])
