"""What checks saw and could not decide, and what a person must decide before a scan may be called passed."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.values.results import Finding, Outcome, Severity

PARTING = 0.99
"""Area under the curve from which a field is said to part the classes."""
PARTING_MARK = 0.9
"""The same of what was drawn into pictures: where letters run together, or the ground is as bright, some marks are not seen."""
MANY_SPELLED = 2
"""Patients whose ids differ in their spelling and stand in several splits; a single one may be two people."""
DOUBT = 0.03
"""Where so many labels at least would be wrong if disagreement meant error, "cannot tell" is no pass."""
_SOURCES = ("LK001", "LK003", "LK007", "LK008")
_PARTS = {"LK001": "a field parts", "LK005": "a property of the pixels parts", "LK006": "what lies outside the middle parts"}


def undecided(outcomes: Sequence[Outcome]) -> list[str]:
    """What keeps these outcomes from being a pass, a sentence each."""
    parted = [
        f"{what} the classes ({code}): without patient ids nobody can say whether a few patients explain it"
        for code, what in _PARTS.items()
        if any(_parts(f) for o in outcomes if o.code == code and o.verdict for f in o.verdict.findings)
    ]
    return [*parted, *_sourced(outcomes), *_doubted(outcomes), *_crossing(outcomes), *_spelled(outcomes)]


def _parts(finding: Finding) -> bool:
    """A way of writing, a size or what the pixels hold all but parts the classes, and is no error only because patients, or
    anatomy and artefact, cannot be told apart. What follows the picture and reaches no model (bytes, the length of a name)
    does not count."""
    evidence = finding.evidence
    if finding.waived is not None or finding.severity is Severity.ERROR or evidence.get("patients", "") is not None:
        return False
    if "low_of_records" in evidence:
        return True
    drawn = evidence.get("group") is not None and "low_without_ids" in evidence
    if (finding.score or 0.0) < (PARTING_MARK if drawn else PARTING):
        return False
    written = "low_without_ids" in evidence or evidence.get("survives_decoding") is True
    return finding.code != "LK001" or (evidence.get("kind") == "encoding" and written)


def _sourced(outcomes: Sequence[Outcome]) -> list[str]:
    """Where, when or by which machine pictures were taken, or a word in their headers, all but parts the classes. It may be how
    the disease is cared for; a network scores by it all the same, and nobody but those who collected the pictures can say."""
    codes = [
        outcome.code
        for outcome in outcomes
        if outcome.code in _SOURCES and outcome.verdict and any(map(_is_source, outcome.verdict.findings))
    ]
    if not codes:
        return []
    return [
        f"where, when or how the pictures were taken all but parts the classes ({', '.join(codes)}): a network that reads this "
        "alone would score as well as one that sees the disease"
    ]


def _is_source(finding: Finding) -> bool:
    if finding.code == "LK003" and (finding.where.field or "").startswith(("file name", "folder")):
        return False  # what files are called: many sets write the class there, and no network reads it
    told = finding.waived is None and finding.severity is Severity.WARNING and (finding.score or 0.0) >= PARTING
    return told and "auc" in finding.evidence and finding.evidence.get("kind", "") != "encoding"


def _doubted(outcomes: Sequence[Outcome]) -> list[str]:
    """A model contradicts more labels than a model errs by itself, and LN001 cannot tell whose error it is."""
    measured = [o.verdict.metrics for o in outcomes if o.code == "LN001" and o.status == "skipped" and o.verdict is not None]
    shares = [(found.get("label_noise_fraction_low"), found.get("label_noise_fraction_high")) for found in measured]
    return [
        f"whether labels are wrong cannot be told (LN001), and {low:.0%} to {high:.0%} of them may be"
        for low, high in shares
        if isinstance(low, float) and isinstance(high, float) and low > DOUBT
    ]


def _crossing(outcomes: Sequence[Outcome]) -> list[str]:
    """Numbers that recur in several splits, in file names or a column, and nobody says whether they are patients (SP006)."""
    told = [f for o in outcomes if o.code == "SP006" and o.verdict for f in o.verdict.findings if f.waived is None]
    return [
        f"{f.evidence['in_several_splits']:,} of {f.evidence['leading_ids']:,} "
        f"{'numbers that file names hold' if f.where.field == 'path' else 'codes in a column of the table'} stand in several "
        "splits: if they are patients, the splits share them (SP006)"
        for f in told
        if "in_several_splits" in f.evidence
    ]


def _spelled(outcomes: Sequence[Outcome]) -> list[str]:
    """Ids of patients that are written in one way in one split and in another way in the next (SP007)."""
    told = [f for o in outcomes if o.code == "SP007" and o.verdict for f in o.verdict.findings if f.waived is None]
    counts = [found.evidence.get("spelled_across_splits") for found in told]
    return [
        f"{count:,} groups of patient ids that differ in their spelling alone stand in several splits: if each is one person, "
        "the splits share them (SP007)"
        for count in counts
        if isinstance(count, int) and count >= MANY_SPELLED
    ]
