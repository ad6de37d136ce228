"""How grave it is that a metadata field tells the class: what the field is, how sure the interval, and how it was read.

And what a report shows of them: the table of all, histograms of the strongest, what was not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from auditor.statistics.coding import partition
from auditor.statistics.contingency import Contingency, histogram_chart
from auditor.statistics.derived import Gate, allowing, sure_of
from auditor.statistics.intervals import detectable_auc
from auditor.statistics.question import Question
from auditor.statistics.screening import Measured, Screening, closer_interval, measured_for
from auditor.statistics.unnamed import Reading, images_per_patient, low_of_records, read_without_ids
from auditor.values.fields import BYTES, Field, follows_picture, is_set_in_few
from auditor.values.results import Chart, Column, Coverage, Severity, Table

FEW_SIZES = 4
"""Pictures of so many sizes (windows, slopes) at most were written so; more follow what is shown. A missing one counts too."""
_PLAINEST = ("container.bit_depth", "container.format", "container.channels", "container.photometric", "path.extension")
"""Which of several fields that say the same is named, before all others."""


@dataclass(frozen=True, kw_only=True)
class JudgedField:
    """One field and what became of it.

    Args:
        measured: for the class that it is named for.
        low, high: 95 % interval of the AUC over patients.
        severity: None where it does not tell the class.
        reading: how sure it is where patients are not known; None where they are, or where the field is no way of writing.
        same: other fields that part the records in the same way.
        eased: the size of files that are written alike, which follows what they show.
        of_records: lower end of the AUC if every record were a patient of its own, of a way of writing where patients are not
            known; None elsewhere.
    """

    measured: Measured
    field: Field
    low: float
    high: float
    severity: Severity | None = None
    reading: Reading | None = None
    same: tuple[str, ...] = ()
    eased: bool = False
    of_records: float | None = None

    @property
    def verdict(self) -> str:
        """The severity as a word, or `passed`."""
        return self.severity.value if self.severity is not None else "passed"


def judge_fields(
    screening: Screening, question: Question, *, gate: Gate, max_auc: float, loss_told: bool, seed: int
) -> tuple[JudgedField, ...]:
    """Every field that was screened, in the same order.

    Args:
        gate: when a field tells the class.
        max_auc: a way of writing files is an error when the interval begins here or above.
        loss_told: nothing was lost on writing, or the headers say how much (`loss_is_told`).
        seed: of the bootstrap.
    """
    known = {field.name: field for field in question.fields}
    measured = [(one, known[one.coded.name]) for one in screening.measured]
    # Encoding fields that part the records differently, for each class: so many chances of an accident.
    made = list({partition(one.coded): one.coded for one, field in measured if _is_made(one, field)}.values())
    families = max(1, len(made)) * len(question.targets.names)
    images = 0.0 if question.clusters.usable else images_per_patient(made, question)
    found = []
    for one, field in measured:
        judged = JudgedField(measured=one, field=field, low=one.low, high=one.high)
        if gate.lets(one, within=field.kind in ("acquisition", "provenance")):
            judged = _look_closer(judged, question, screening, seed=seed)
            if judged.low > 0.5:
                if not question.clusters.usable and _is_made(one, field):
                    judged = _look_closer(
                        _for_surest_class(judged, question, screening, images), question, screening, seed=seed
                    )
                severity = _severity(judged, families, max_auc=max_auc, max_q=gate.max_q)
                if severity is Severity.WARNING and not _is_sure(judged, question, families, len(measured), gate.max_q):
                    severity = Severity.INFO
                low = judged.low
                if judged.reading is not None and severity is Severity.ERROR:
                    low = min(low, judged.reading.low)
                judged = replace(judged, severity=severity, low=low)
        if not question.clusters.usable and judged.severity is not Severity.ERROR and _is_made(one, field):
            judged = _by_records(judged, question, screening, images, max_auc=max_auc)
        found.append(judged)
    return tuple(_without_bytes(found, gate.max_q) if loss_told else found)


def _without_bytes(found: Sequence[JudgedField], max_q: float) -> list[JudgedField]:
    """How many bytes a file has, as information, where no other way of writing has to do with the class, however little."""
    if any(one.field.kind == "encoding" and one.field.name not in BYTES and one.measured.q <= max_q for one in found):
        return list(found)
    return [
        replace(one, severity=Severity.INFO, eased=True) if one.severity is not None and one.field.name in BYTES else one
        for one in found
    ]


def told_alike(judged: Sequence[JudgedField]) -> list[JudgedField]:
    """Fields of one kind that tell and part the records alike, as one: the gravest and plainest, naming the others."""
    groups: dict[tuple[str, str], list[JudgedField]] = {}
    for one in judged:
        if one.severity is not None:
            groups.setdefault((one.field.kind, partition(one.measured.coded)), []).append(one)
    return [
        replace(members[0], same=tuple(one.field.name for one in members[1:]))
        for members in (sorted(group, key=_plainness) for group in groups.values())
    ]


def is_no_input(field: Field) -> bool:
    """No model reads it: declared so, and not visible in the decoded pixels either."""
    return not field.is_input and not field.survives_decoding


def _plainness(one: JudgedField) -> tuple[int, int]:
    assert one.severity is not None
    name = one.field.name
    return -one.severity.rank, _PLAINEST.index(name) if name in _PLAINEST else len(_PLAINEST)


def _is_made(one: Measured, field: Field) -> bool:
    """How the file was written, and nothing that the picture itself decides."""
    few = is_set_in_few(field.name) and one.coded.size <= FEW_SIZES
    return field.kind == "encoding" and (few or not follows_picture(field.name))


def _by_records(judged: JudgedField, question: Question, screening: Screening, images: float, *, max_auc: float) -> JudgedField:
    """A way of writing that goes with the class record by record is told, however few patients may stand behind it: whether
    they explain it nobody can say, and a network will find it all the same."""
    one = judged.measured
    low = low_of_records(one.coded, question, one.target, screening.record_fold)
    if low < max_auc:
        return judged
    reading = judged.reading or read_without_ids(one.coded, question, one.target, screening.record_fold, images=images)
    return replace(judged, of_records=low, severity=judged.severity or Severity.INFO, reading=reading)


def _look_closer(judged: JudgedField, question: Question, screening: Screening, *, seed: int) -> JudgedField:
    low, high = closer_interval(judged.measured, question, screening, resamples=400, seed=seed)
    return replace(judged, low=low, high=high)


def _for_surest_class(judged: JudgedField, question: Question, screening: Screening, images: float) -> JudgedField:
    """For the class, of those that the field tells without patient ids, whose interval begins highest."""
    one, classes = judged.measured, range(len(question.targets.names))
    found = [read_without_ids(one.coded, question, target, screening.record_fold, images=images) for target in classes]
    target = max(classes, key=lambda t: (found[t].low, t == one.target))
    if target == one.target or found[target].low <= found[one.target].low:
        return replace(judged, reading=found[one.target])
    return replace(judged, measured=measured_for(one, question, screening, target), reading=found[target])


def _is_sure(judged: JudgedField, question: Question, families: int, tests: int, max_q: float) -> bool:
    """It would tell the class, too, if so many images were one patient's as the ways of writing show."""
    reading = judged.reading
    if reading is not None and reading.low > 0.5 and reading.p * families <= max_q:
        return True
    if follows_picture(judged.field.name):
        question = replace(question, clusters=allowing(question.clusters))
    return sure_of(judged.measured.auc, judged.measured.target, question, families if reading is not None else tests)


def _severity(judged: JudgedField, families: int, *, max_auc: float, max_q: float) -> Severity:
    if judged.field.kind == "clinical" or is_no_input(judged.field):
        return Severity.INFO
    reading, sure = judged.reading, judged.low >= max_auc
    if reading is not None:
        sure = sure and reading.low >= max_auc and reading.p * families <= max_q
    return Severity.ERROR if _is_made(judged.measured, judged.field) and sure else Severity.WARNING


_CHARTS = 8


def judged_table(judged: Sequence[JudgedField], question: Question) -> Table:
    """Every field, strongest first: kind, the class it tells best, AUC with interval, p, q, verdict."""
    rows = sorted(judged, key=lambda one: (-one.measured.auc, one.field.name))
    found = [one.measured for one in rows]
    notes = [_note(one) for one in rows]
    columns = [
        Column(name="field", kind="text", title="Field", values=[one.field.name for one in rows]),
        Column(name="kind", kind="text", title="Kind", values=[one.field.kind for one in rows]),
        Column(name="class", kind="class", title="Class told best", values=[question.targets.names[m.target] for m in found]),
        Column(name="auc", kind="fraction", title="AUC", values=[m.auc for m in found]),
        Column(name="low", kind="fraction", title="from", values=[one.low for one in rows]),
        Column(name="high", kind="fraction", title="to", values=[one.high for one in rows]),
        Column(name="p", kind="number", title="p", values=[m.p for m in found]),
        Column(name="q", kind="number", title="q", values=[m.q for m in found]),
        Column(name="verdict", kind="text", title="Verdict", values=[one.verdict for one in rows]),
        Column(name="macro_auc", kind="fraction", title="Mean AUC", values=[m.macro for m in found]),
        Column(name="values", kind="integer", title="Values", values=[m.coded.size for m in found]),
        Column(name="note", kind="text", title="Note", values=notes),
    ]
    if question.strata is not None:
        columns += [
            Column(name="within_auc", kind="fraction", title="AUC within strata", values=[m.inside_auc for m in found]),
            Column(name="within_q", kind="number", title="q within strata", values=[m.inside_q for m in found]),
        ]
    return Table(name="fields", title="Every field tested", columns=tuple(columns))


def strongest_histograms(contingencies: Sequence[Contingency], judged: Sequence[JudgedField]) -> list[Chart]:
    """One overlaid histogram for each of the gravest and strongest flagged fields."""
    by_name = {one.field.name: one for one in judged}
    rank = {"error": 0, "warning": 1, "info": 2}
    ordered = sorted(contingencies, key=lambda c: (rank[by_name[c.field].verdict], -by_name[c.field].measured.auc, c.field))
    return [histogram_chart(one) for one in ordered[:_CHARTS]]


def seen_from(screening: Screening, *, min_auc: float) -> tuple[float, float]:
    """Smallest AUC that would have been found, for the class with most and with fewest patients on its smaller side."""
    order = np.argsort(screening.sides.min(axis=1))
    tests = max(1, len(screening.measured))
    commonest, rarest = (
        max(min_auc, detectable_auc(int(screening.sides[c, 0]), int(screening.sides[c, 1]), tests=tests))
        for c in (order[-1], order[0])
    )
    return commonest, rarest


def screening_coverage(total: int, question: Question, screening: Screening) -> Coverage:
    """Labelled records of all, and which classes and fields were not asked for."""
    reasons = []
    if question.labelled < total:
        reasons.append(f"{total - question.labelled:,} records have no label")
    if question.few:
        reasons.append(f"{len(question.few)} classes have too few records or patients")
    if question.label_source:
        reasons.append(f"{len(question.label_source)} columns are the label itself")
    if screening.constant:
        reasons.append(f"{len(screening.constant)} fields hold one value")
    return Coverage(evaluated=question.labelled, total=total, unit="records", reason="; ".join(reasons))


def _note(one: JudgedField) -> str:
    return "not an input" if is_no_input(one.field) else "survives decoding" if one.field.survives_decoding else ""
