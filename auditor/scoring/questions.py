"""Which check answers for which planted harm, and what of its outcome counts as an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from auditor.degrade.flaws import Truth
from auditor.values.results import Cell, Outcome, Severity, Table

Unit = Literal["records", "copies", "patients", "objects", "readers", "dataset"]
Flagged = Callable[[Outcome, Sequence[Truth]], "Answer"]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a check says of one kind of harm.

    Args:
        planted, found: how many units were planted, and found of them.
        others, alarms: units that are none, and flagged of them; None where there is no such count.
        reason: why it says nothing; empty where it does.
        among: what the alarms are a share of, in words.
    """

    planted: int = 0
    found: int = 0
    others: int | None = None
    alarms: int | None = None
    reason: str = ""
    among: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A kind of harm, the check that answers for it, and how."""

    kind: str
    code: str
    unit: Unit
    answer: Flagged


def rows_of(outcome: Outcome, name: str) -> Iterator[Mapping[str, Cell]]:
    """The rows of a table of a check; none where it has none of that name."""
    table = _table(outcome, name)
    if table is not None:
        names = [column.name for column in table.columns]
        for row in zip(*(column.values for column in table.columns), strict=True):
            yield dict(zip(names, row, strict=True))


def _table(outcome: Outcome, name: str) -> Table | None:
    tables = outcome.verdict.tables if outcome.verdict is not None else ()
    return next((table for table in tables if table.name == name), None)


def evaluated(outcome: Outcome) -> int:
    """How many units the check looked at."""
    coverage = outcome.verdict.coverage if outcome.verdict is not None else None
    return coverage.evaluated if coverage is not None else 0


def by_record(table: str, mark: Callable[[Mapping[str, Cell]], bool] = lambda row: True, *, needs: str = "") -> Flagged:  # noqa: ARG005
    """Records that a table lists and `mark` takes, or a finding names; `needs`: a metric without which nobody looked."""

    def answer(outcome: Outcome, rows: Sequence[Truth]) -> Answer:
        assert outcome.verdict is not None
        if needs and needs not in outcome.verdict.metrics:
            return Answer(reason="it was given no predicted objects to compare with (--predictions)")
        planted = {row.record for row in rows}
        flagged = {str(row["record"]) for row in rows_of(outcome, table) if mark(row)}
        if not needs:
            flagged |= {f.where.record for f in outcome.verdict.findings if f.where.record and f.severity is not Severity.INFO}
        total = max(evaluated(outcome) if outcome.verdict.coverage and outcome.verdict.coverage.unit == "records" else 0, 0)
        return Answer(
            planted=len(planted), found=len(planted & flagged),
            others=max(total - len(planted), 0) if total else None,
            alarms=len(flagged - planted) if total else None, among="other records",
        )  # fmt: skip

    return answer


def by_pair(outcome: Outcome, rows: Sequence[Truth]) -> Answer:
    """Pairs of a copy and its original; alarms are records in pairs that nobody planted."""
    planted = {frozenset((row.old, row.new)) for row in rows}
    pairs = {frozenset((str(row["record_a"]), str(row["record_b"]))) for row in rows_of(outcome, "pairs")}
    touched = frozenset().union(*planted)
    wrong = frozenset().union(*(pair for pair in pairs if not pair & touched))
    return Answer(
        planted=len(planted), found=len(planted & pairs), others=max(evaluated(outcome) - len(touched), 0),
        alarms=len(wrong), among="other records",
    )  # fmt: skip


def by_patient(outcome: Outcome, rows: Sequence[Truth]) -> Answer:
    """Patients, by the pseudonyms under which their records are listed."""
    assert outcome.verdict is not None
    planted = {row.record for row in rows}
    of: dict[str, set[str]] = {}
    for row in rows_of(outcome, "records"):
        of.setdefault(str(row["patient"]), set()).add(str(row["record"]))
    hit = {record for records in of.values() for record in records} & planted
    wrong = sum(not records & planted for records in of.values())
    patients = outcome.verdict.metrics.get("patients")
    others = max(int(patients) - len(planted), 0) if isinstance(patients, int) else None
    return Answer(planted=len(planted), found=len(hit), others=others, alarms=wrong, among="other patients")


def by_place(table: str, metric: str, middle: Callable[[Mapping[str, Cell]], tuple[float, float] | None]) -> Flagged:
    """Objects: one is found where the middle of a listed one of its record lies in its box. Alarms are listed ones in none."""

    def answer(outcome: Outcome, rows: Sequence[Truth]) -> Answer:
        assert outcome.verdict is not None
        if metric not in outcome.verdict.metrics:
            return Answer(reason="it was given no predictions to compare with (--predictions)")
        boxes: dict[str, list[list[float]]] = {}
        for row in rows:
            boxes.setdefault(row.record, []).append([float(part) for part in row.old.split()])
        hit: set[tuple[str, int]] = set()
        listed = wrong = 0
        for line in rows_of(outcome, table):
            place = middle(line)
            if place is None:
                continue
            listed += 1
            own = boxes.get(str(line["record"]), [])
            inside = [i for i, (x0, y0, x1, y1) in enumerate(own) if x0 <= place[0] <= x1 and y0 <= place[1] <= y1]
            hit |= {(str(line["record"]), i) for i in inside}
            wrong += not inside
        return Answer(planted=len(rows), found=len(hit), others=listed, alarms=wrong, among="listed objects")

    return answer


def by_reader(outcome: Outcome, rows: Sequence[Truth]) -> Answer:
    """Readers that a finding names."""
    assert outcome.verdict is not None
    planted = {row.new for row in rows}
    named = {str(f.evidence["rater"]) for f in outcome.verdict.findings if f.evidence.get("rater") is not None}
    named |= {f.subject.partition(" ")[2] for f in outcome.verdict.findings if f.subject.startswith("rater ")}
    readers = {str(row["rater"]) for row in rows_of(outcome, "raters")}
    others = readers - planted
    return Answer(
        planted=len(planted), found=len(planted & named), others=len(others), alarms=len(others & named), among="other readers"
    )


def by_field(field: str) -> Flagged:
    """One question of the whole dataset: a finding about this field that is a warning at least."""

    def answer(outcome: Outcome, rows: Sequence[Truth]) -> Answer:  # noqa: ARG001
        assert outcome.verdict is not None
        told = [f for f in outcome.verdict.findings if f.severity is not Severity.INFO]
        return Answer(planted=1, found=int(any(field in (f.where.field or field) for f in told)))

    return answer


def _middle_of_mask(row: Mapping[str, Cell]) -> tuple[float, float] | None:
    return float(row["column"] or 0), float(row["row"] or 0)


def _middle_of_box(row: Mapping[str, Cell]) -> tuple[float, float] | None:
    if row["kind"] != "overlooked":
        return None
    return (float(row["x0"] or 0) + float(row["x1"] or 0)) / 2, (float(row["y0"] or 0) + float(row["y1"] or 0)) / 2


ROUGH = ("object-deformed", "object-simplified", "object-boxed")
QUESTIONS: tuple[Question, ...] = (
    Question(kind="label-flip", code="LN002", unit="records", answer=by_record("label_scores", lambda r: bool(r["flagged"]))),
    Question(kind="contradicting-copy", code="SP003", unit="records", answer=by_record("groups")),
    Question(
        kind="missing-object", code="LN005", unit="objects", answer=by_place("missing_objects", "scored_masks", _middle_of_mask)
    ),
    Question(kind="missing-object", code="LN005", unit="records", answer=by_record("masks")),
    *(Question(kind=kind, code="LN005", unit="records", answer=by_record("masks")) for kind in ROUGH),
    Question(
        kind="missing-box", code="LN006", unit="objects",
        answer=by_place("beside_predictions", "overlooked_objects", _middle_of_box),
    ),
    *(
        Question(
            kind=kind, code="LN006", unit="records",
            answer=by_record("beside_predictions", lambda row, word=word: row["kind"] == word, needs="overlooked_objects"),  # type: ignore[misc]
        )
        for kind, word in (("box-deformed", "badly placed"), ("box-flip", "another class"))
    ),
    Question(kind="bit-depth", code="LK001", unit="dataset", answer=by_field("container.bit_depth")),
    Question(kind="patient-across-splits", code="SP001", unit="patients", answer=by_patient),
    Question(kind="near-copy", code="SP004", unit="copies", answer=by_pair),
    Question(kind="exact-copy", code="SP002", unit="copies", answer=by_pair),
    Question(kind="poor-rater", code="ED001", unit="readers", answer=by_reader),
    Question(kind="poor-rater", code="ED002", unit="readers", answer=by_reader),
    Question(kind="fatigue", code="ED004", unit="dataset", answer=by_field("")),
)  # fmt: skip
"""In the order of the table."""
PLACED = frozenset(question.kind for question in QUESTIONS if question.unit == "objects")
"""Kinds of harm whose truth says where: x0 y0 x1 y1."""
ASIDE = frozenset(("severity", "dataset", "misread", "misread-late", "rater"))
"""Rows of a truth that tell of the copy, or of what another row sums up: nothing is asked about them."""
