"""`--strategy auto`: from the findings of a scan to strategies, and why. Nothing found, nothing recommended.

And finding by finding: what would mend it, what was chosen for it, what was left, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from auditor.values.fields import BYTES
from auditor.values.remedies import answered_by, encoding, header_text, mend
from auditor.values.results import Cell, Column, Finding, ScanResult, Severity, Table
from trainers.values.trust import Trust

MUCH_NOISE = 0.30
"""From this estimated share of wrong labels on, a teacher on trusted records goes before robust training: on digits with
100 trusted records robust training leads at 20 % uniform noise, the teacher at 40 % asymmetric and at 50 %."""


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A strategy to try, and the findings it answers, in words."""

    strategy: str
    why: str


def recommended(result: ScanResult, trust: Trust | None, *, unlabelled: bool) -> tuple[Pick, ...]:
    """The strategies that the findings call for, in the order in which they are applied; empty = no change recommended.

    Args:
        result: of the scan. Waived findings call for nothing, and of the info findings only those of SZ001.
        trust: None where no record can be evaluated: then only corrections that no network proves are picked.
        unlabelled: there are pictures without labels.
    """
    found = [f for f in result.findings if f.waived is None]
    serious = [f for f in found if f.severity is not Severity.INFO]
    picks: list[Pick] = []

    def pick(strategy: str, findings: Sequence[Finding], what: str) -> None:
        if findings:
            codes = ", ".join(sorted({f.code for f in findings}))
            picks.append(Pick(strategy=strategy, why=f"{codes}: {what}"))

    pick("deidentify", [f for f in serious if f.code in ("PH001", "PH002", "PH003", "PH009")], "files tell of a person")
    across = [f for f in serious if f.severity is Severity.ERROR and f.code in ("SP001", "SP002", "SP004", "SP005")]
    pick("resplit", across, "patients, acquisitions or copies stand in several splits")
    within = [f for f in serious if f.severity is Severity.WARNING and f.code in ("SP002", "SP004")]
    pick("deduplicate", within, "the same picture counts more than once")
    pick("harmonise", [f for f in serious if encoding(f)], "how a file was written tells the class")
    readers = [f for f in serious if f.code in ("ED001", "ED006")] + [f for f in found if f.code == "ED005"]
    if any(f.code != "ED005" for f in readers):
        pick("consensus", readers, "several readers do not say what the released label says")
    if trust is None:
        return tuple(picks)
    noisy = [f for f in serious if f.code in ("LN001", "LN002")]
    if not noisy and trust.named is not None and noise_untold(result):
        # the model of the audit could not tell; records that a person vouches for can
        for name, what in label_strategies(result, trust, unlabelled=unlabelled):
            picks.append(Pick(strategy=name, why=f"LN001 cannot tell whether labels are wrong, and records are named: {what}"))
    for name, what in label_strategies(result, trust, unlabelled=unlabelled):
        pick(name, noisy, what)
    pick("weak", [f for f in serious if f.code == "LN005" and answered_by(f)], "masks miss objects")
    if not picks:
        pick("augment", [f for f in found if f.code == "SZ001"], "a class has few patients")
    return tuple(picks)


def label_strategies(result: ScanResult, trust: Trust, *, unlabelled: bool) -> tuple[tuple[str, str], ...]:
    """Strategies against label noise, the one to prefer where validation cannot tell them apart first."""
    robust = ("robust", "training that follows wrong labels less")
    confident = ("confident", "suspect labels weigh less, and are queued for review")
    if trust.self_graded:
        return (robust, confident)
    teacher = ("teacher", "trusted records teach, and the others are read by what they taught")
    return (teacher, robust, confident) if unlabelled or noise_of(result) >= MUCH_NOISE else (robust, teacher, confident)


def noise_untold(result: ScanResult) -> bool:
    """Whether LN001 looked and could not tell, for the labels or for one of the classes."""
    outcome = next((o for o in result.outcomes if o.code == "LN001"), None)
    if outcome is None or outcome.verdict is None:
        return False
    return outcome.status == "skipped" or any(f.severity is Severity.INFO for f in outcome.verdict.findings)


def noise_of(result: ScanResult) -> float:
    """The share of wrong labels that LN001 estimated; 0 where it could not."""
    for outcome in result.outcomes:
        if outcome.code == "LN001" and outcome.verdict is not None:
            value: Cell = outcome.verdict.metrics.get("label_noise_fraction")
            return float(value) if isinstance(value, int | float) else 0.0
    return 0.0


def answers(result: ScanResult, picks: Sequence[Pick], *, believed: bool) -> Table:
    """One row per check and severity that found something.

    Args:
        believed: records were there that a network could be evaluated on.
    """
    groups: dict[tuple[str, str, str, str, str], int] = {}
    for finding in result.findings:
        answering = ("harmonise",) if finding.code == "LK001" and finding.where.field in BYTES else answered_by(finding)
        chosen = [pick.strategy for pick in picks if pick.strategy in answering]
        field = finding.where.field or "" if finding.code in ("LK001", "LK003") else ""
        why = "" if chosen else left_because(finding, believed=believed)
        key = (finding.code, finding.severity.value, field, ", ".join(chosen), why)
        groups[key] = groups.get(key, 0) + 1
    rows = sorted(groups.items(), key=lambda item: (-Severity(item[0][1]).rank, item[0]))
    text: Callable[[str, str, Iterable[str]], Column] = lambda name, title, values: Column(  # noqa: E731
        name=name, kind="text", title=title, values=list(values)
    )
    return Table(
        name="answers", title="What would mend each finding, and what was chosen",
        columns=(
            text("check", "Check", (k[0] for k, _ in rows)),
            text("severity", "Severity", (k[1] for k, _ in rows)),
            text("field", "Field", (k[2] for k, _ in rows)),
            Column(name="findings", kind="integer", title="Findings", values=[n for _, n in rows]),
            text("mends", "What would mend it", (mend(k[0]) for k, _ in rows)),
            text("chosen", "Chosen", (k[3] or "left" for k, _ in rows)),
            text("why", "Why it was left", (k[4] for k, _ in rows)),
        ),
    )  # fmt: skip


def left_because(finding: Finding, *, believed: bool) -> str:
    """Why nothing was chosen for a finding."""
    named = answered_by(finding)
    if finding.waived is not None:
        return "it is waived"
    if finding.code in ("LK001", "LK003"):
        return leak_left(finding)
    if finding.severity is Severity.INFO:
        return "a note calls for nothing"
    if not named:
        return "no strategy does this: it needs a person, or other data"
    if not believed and finding.code.startswith("LN"):
        return "no record is there that a network could be evaluated on: name some with --trusted and --evaluate"
    return f"ask for it by name: --strategy {named[0]}"


def leak_left(finding: Finding) -> str:
    """Why a leak was left."""
    field = finding.where.field or ""
    if finding.severity is Severity.INFO:
        return "a note calls for nothing"
    if field.startswith("path.") or (finding.code == "LK003" and not header_text(field)):
        return (
            "names and columns are read by no network, and no picture changes with them: to rename all files all the same, ask "
            "for harmonise"
        )
    return "it follows what is shown or how it was taken: writing files alike would not remove it"
