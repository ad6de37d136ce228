"""What `medaudit fix --check` prints: what each strategy would change, how sure it is, what is left and why, what to do next.

At most `MOST_LINES` lines, so that all of it stands on one screen; where that is too few, examples give way first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from auditor.values.cells import visible
from auditor.values.corrections import Arm, Correction, Proposal
from auditor.values.dataset import Dataset
from trainers.attempt import Attempt
from trainers.copying.decide import MOST_REMOVED, removal_notes
from trainers.fix import Fixed

MOST_LINES = 25
EXAMPLES, PAIRS, WIDTH = 3, 3, 40
"""Records that are named, kinds of changes that are counted apart, and characters of a name that are shown."""
INDENT = " " * 13


def pending_lines(fixed: Fixed) -> list[str]:
    """The lines of `--check`; `fixed.arms` hold the names as they may be shown."""
    arms = list(zip(fixed.corrected.attempts, fixed.arms, strict=True))
    ready = any(arm.proposal is not None for _, arm in arms)
    head = [f"{fixed.corrected.dataset.size:,} records were looked at; nothing was written."]
    if not arms:
        head.append("no change recommended: the audit found nothing that a strategy corrects")
    tail = [
        "Next: the same command without --check writes a corrected copy with all changes in corrections.csv and removed.csv; "
        "the dataset itself is only read. --strategy NAME does one alone."
    ] if ready else ["Next: nothing to do with fix; `medaudit scan` says what a person should look at."]  # fmt: skip
    for examples in (True, False):
        done = [line for attempt, arm in arms for line in arm_lines(attempt, arm, fixed.corrected.dataset, examples)]
        room = MOST_LINES - len(head) - len(done) - len(tail)
        left = left_lines(fixed)
        if len(left) <= room:
            break
    return [*head, *done, *shortened(left, max(1, room)), *tail]


def shortened(lines: list[str], most: int) -> list[str]:
    """So many lines at most, the last of which says how many are not shown."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"{'left':12} and {len(lines) - most + 1:,} more: `medaudit fix` lists them in its report"]


def arm_lines(attempt: Attempt, arm: Arm, dataset: Dataset, examples: bool) -> list[str]:
    """One strategy: why, how many records change and which, and whether that is certain."""
    if arm.skipped or arm.proposal is None:
        return [visible(f"{arm.strategy:12} not applicable: {arm.skipped}")]
    leaving = leave(attempt.proposal or arm.proposal, dataset)
    lines = [f"{arm.strategy:12} {arm.why}", f"{INDENT}{changes(arm.proposal, dataset.size, leaving)}"]
    if examples and (named := records_of(arm.proposal)):
        more = f", ... ({len(named):,} in all)" if len(named) > EXAMPLES else ""
        lines.append(f"{INDENT}records: {', '.join(cut(name) for name in named[:EXAMPLES])}{more}")
    if attempt.strategy.trains:
        lines.append(f"{INDENT}not certain yet: networks are trained first, and it is applied only where they show no harm")
    return [visible(line) for line in lines]


def changes(proposal: Proposal, size: int, leaving: str) -> str:
    """`3 of 16 records change (label a → b 2, ...): 2 by itself, 1 for a person to decide; confidence 0.86 to 0.91`."""
    parts = [corrected(proposal.corrections, size)] if proposal.corrections else []
    parts += [leaving] if leaving else []
    weighed = sum(weight != 1 for weight in proposal.weights.values())
    parts += [f"{weighed:,} of {size:,} records weigh less or more in training"] if weighed else []
    parts += [f"{len(proposal.files):,} files are written anew"] if proposal.files else []
    return "; ".join(parts) or proposal.summary or "no value of the table changes"


def leave(proposal: Proposal, dataset: Dataset) -> str:
    """How many records leave, and how many of those wait for a person, and why: as the copy would decide it."""
    if not proposal.removed:
        return ""
    places = {str(record): place for place, record in enumerate(dataset.records.index)}
    wanted = [(proposal.strategy, places.get(record, -1)) for record in proposal.removed]
    held = [note for note in removal_notes(dataset, wanted, MOST_REMOVED) if note]
    why = f", {len(held):,} for a person to decide ({Counter(held).most_common(1)[0][0]})" if held else ""
    return f"{len(wanted):,} of {dataset.size:,} records leave: {len(wanted) - len(held):,} by itself{why}"


def corrected(corrections: Sequence[Correction], size: int) -> str:
    """How many records get another value, which ones, who decides, and how sure."""
    records = len({c.record for c in corrections})
    kinds = Counter(kind_of(c) for c in corrections).most_common()
    rest = sum(count for _, count in kinds[PAIRS:])
    named = ", ".join(f"{kind} {count:,}" for kind, count in kinds[:PAIRS]) + (f", others {rest:,}" if rest else "")
    safe = sum(c.safe for c in corrections)
    waiting = len(corrections) - safe
    who = f"{safe:,} by itself" + (f", {waiting:,} for a person to decide" if waiting else "")
    sure = [c.confidence for c in corrections if c.confidence is not None and c.field != "path"]
    told = f"; confidence {min(sure):.2f} to {max(sure):.2f}" if sure else ""
    return f"{records:,} of {size:,} records change ({named}): {who}{told}"


def kind_of(correction: Correction) -> str:
    """The field, and for labels and splits what becomes of them; names of files are as many as there are records."""
    if correction.field in ("path", "mask"):
        return correction.field
    return f"{correction.field} {cut(correction.old) or 'blank'} → {cut(correction.new) or 'blank'}"


def records_of(proposal: Proposal) -> list[str]:
    """The records that change or leave; none where files are written anew, which is all of them."""
    if proposal.files:
        return list(proposal.removed)
    return list(dict.fromkeys([*(c.record for c in proposal.corrections), *proposal.removed]))


def cut(text: str) -> str:
    """A name that fits beside others."""
    return text if len(text) <= WIDTH else f"{text[: WIDTH // 2]}…{text[-WIDTH // 2 :]}"


def left_lines(fixed: Fixed) -> list[str]:
    """What `--strategy auto` left, why, and what would mend it, checks with the same answer in one line; no notes."""
    table = fixed.corrected.answers
    if table is None:
        return []
    values = {column.name: column.values for column in table.columns}
    rows = zip(*(values[name] for name in ("check", "severity", "field", "chosen", "mends", "why")), strict=True)
    answers: dict[tuple[str, str], list[str]] = {}
    for code, severity, field, chosen, mends, why in rows:
        if chosen == "left" and severity != "info" and why != "it is waived":
            answers.setdefault((str(why), str(mends)), []).append(f"{code} ({field})" if field else str(code))
    return [
        visible(f"{'left':12} {told(names)}: {why}; what would mend it: {mends}") for (why, mends), names in answers.items()
    ]


def told(codes: Sequence[str]) -> str:
    """`LK001 (3), IQ008`."""
    return ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in Counter(codes).items())
