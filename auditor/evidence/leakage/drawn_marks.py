"""Frames, padding and writing: what was laid over a picture or left at its edge, not what was imaged.

How bright a border is may be anatomy. Whether lines of one value stand at the edge, or letters in a corner, is how a file was
written, as its bit depth is: a network finds it, whoever the patients are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from auditor.features.lettering import BURNED
from auditor.statistics.coding import CodedField, code_field, partition
from auditor.statistics.derived import Answer, Told
from auditor.statistics.question import Question
from auditor.statistics.unnamed import Reading, images_per_patient, read_without_ids
from auditor.values.dataset import Dataset
from auditor.values.fields import follows_picture
from auditor.values.results import Severity

FEW_WIDTHS = 4
"""Padding of so many widths at most was added; more of them follow what is shown."""
MARK_STEPS = 0.005
"""Share of strong steps in a corner: most pictures of one side have more where a mark stands there, most of the other fewer. A
letter makes .01 to .1, noise next to none."""
QUIET_CORNERS = 2
"""Marks stand in one place. Where three corners tell the class, or all, it may be what is shown that has sharper edges."""

PADDED, WRITTEN = "border.padded", "lettering.written"
_CORNERS = "border.corner_text_"
_PADDING = "border.padding_"

MARKS: Mapping[str, str] = {
    PADDED: "whether lines of one value stand at the edge",
    WRITTEN: "whether a row of letters stands in the outer part",
}
"""Column → what it is; each is 1 or 0, NaN where the picture was not measured."""
NEEDS = ("border", "lettering")


@dataclass(frozen=True, kw_only=True)
class JudgedMark:
    """A column that tells the class, and how grave that is.

    Args:
        drawn: it can only be how the pictures were written.
        reading: how sure it is where patients are not known; None where they are, or where it is not drawn.
    """

    row: Told
    severity: Severity
    drawn: bool = False
    reading: Reading | None = None


def marks_of(features: pd.DataFrame) -> pd.DataFrame:
    """One column for each of `MARKS` that the pixel features allow; Float64, aligned with the records."""
    found = {}
    for name, source, most in ((PADDED, "border.padding_fraction", 0), (WRITTEN, "lettering.line_letters", BURNED - 1)):
        if source in features.columns:
            values = features[source].to_numpy(dtype=np.float64)
            found[name] = np.where(np.isfinite(values), (values > most).astype(np.float64), np.nan)
    return pd.DataFrame(found, index=features.index)


def encodings_of(dataset: Dataset, question: Question) -> tuple[CodedField, ...]:
    """How the files were written, in ways that no picture decides; those that part the records alike once."""
    names = [
        field.name
        for field in dataset.fields.values()
        if field.kind == "encoding" and not follows_picture(field.name) and field.name in dataset.metadata.columns
    ]
    coded = (code_field(dataset.metadata[name], question.clusters.index) for name in names)
    return tuple({partition(one): one for one in coded if one is not None}.values())


def judge_marks(
    found: Answer, features: pd.DataFrame, encodings: Sequence[CodedField], *, max_auc: float, max_q: float
) -> dict[str, JudgedMark]:
    """Every column that tells, by name: an error where it was drawn and its interval begins at `max_auc` or above.

    Without patient ids the interval is that of LK001's encodings, of groups that names tell or of every ten images as one
    patient's; what would then tell nothing is information. All else warns, where it is sure.

    Args:
        encodings: how the files were written (`encodings_of`). Where they hang together with a mark inside a class, more than
            ten images are taken for one patient's.
    """
    question = found.question
    made = {row.name: row for row in found.rows if _is_drawn(row, found, features)}
    parts = {partition(row.measured.coded): row.measured.coded for row in made.values()}
    families = max(1, len(parts)) * len(question.targets.names)
    judged = {}
    for row in found.told:
        if row.name not in made:
            judged[row.name] = JudgedMark(row=row, severity=Severity.WARNING if row.sure else Severity.INFO)
        elif question.clusters.usable:
            severity = Severity.ERROR if row.low >= max_auc else Severity.WARNING
            judged[row.name] = JudgedMark(row=row, severity=severity, drawn=True)
        else:
            reading = _read(row, found, encodings)
            beyond_chance = reading.p * families <= max_q
            sure = row.sure or (beyond_chance and reading.low > 0.5)
            error = beyond_chance and min(row.low, reading.low) >= max_auc
            severity = Severity.ERROR if error else Severity.WARNING if sure else Severity.INFO
            judged[row.name] = JudgedMark(row=row, severity=severity, drawn=True, reading=reading)
    return judged


def ids_in_words(one: JudgedMark, question: Question) -> str:
    """How sure a drawn mark is where patients are not known; empty where they are."""
    if one.reading is None:
        return f"; {question.clusters.note}" if question.clusters.note else ""
    named = question.clusters.guessed == "names"
    units = "for the groups that the names tell" if named else f"if every {one.reading.images:.0f} images are one patient's"
    if one.severity is Severity.ERROR:
        return f"; no usable patient ids, the interval holds even {units}"
    return f"; {question.clusters.note} ({units} it begins at {one.reading.low:.2f})"


def gravest(judged: Sequence[JudgedMark]) -> JudgedMark:
    """The one to tell first: by severity, then what was drawn, then by area under the curve."""
    return max(judged, key=lambda one: (one.severity.rank, one.drawn, one.row.measured.auc))


def _read(row: Told, found: Answer, encodings: Sequence[CodedField]) -> Reading:
    # One mark at a time: those of one thing that was drawn (both upper corners) hang together whoever the patients are.
    one = row.measured
    images = images_per_patient((one.coded, *encodings), found.question)
    return read_without_ids(one.coded, found.question, one.target, found.screening.record_fold, images=images)


def _is_drawn(row: Told, found: Answer, features: pd.DataFrame) -> bool:
    if row.name.startswith(_PADDING):
        return row.measured.coded.size <= FEW_WIDTHS
    return row.name in MARKS or (row.name.startswith(_CORNERS) and _is_mark(row, found, features))


def _is_mark(row: Told, found: Answer, features: pd.DataFrame) -> bool:
    """Most pictures of one side have a mark in this corner, most of the other have none, and in other corners neither has."""
    targets, target = found.question.targets, row.measured.target
    positive, known = targets.positive[:, target], targets.known[:, target]
    corners = [name for name in features.columns if str(name).startswith(_CORNERS)]
    steps = features[[row.name, *corners]].to_numpy(dtype=np.float64)
    marked = np.array([np.nanmedian(steps[side], axis=0) >= MARK_STEPS for side in (positive, known & ~positive)])
    return bool(marked[0, 0] != marked[1, 0]) and int((~marked[:, 1:].any(axis=0)).sum()) >= QUIET_CORNERS
