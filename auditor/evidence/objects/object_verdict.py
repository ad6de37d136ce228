"""What LN006 says of annotated boxes or points that were laid beside predicted ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from auditor.evidence.masks.mask_verdict import dicts
from auditor.evidence.masks.missing_objects import MissingObjects
from auditor.evidence.objects.object_judgement import Judgement, judge_sides, one_reader_each
from auditor.evidence.objects.object_match import Match, match_objects
from auditor.values.predicted_objects import COLUMNS, PredictedObjects
from auditor.values.results import Cell, Column, Coverage, Finding, Location, Severity, Table, Verdict

OVERLOOKED, MISPLACED, SWAPPED, UNSUPPORTED = "overlooked", "badly placed", "another class", "not predicted"


def judge_objects(
    found: PredictedObjects,
    annotated: pd.DataFrame,
    *,
    code: str,
    severity: Severity,
    reach: float,
    max_false: float,
    max_p: float,
    max_deviations: float,
    max_findings: int,
) -> Verdict:
    """Overlooked, badly placed and swapped objects, and a table of all, with those that have no support."""
    names = list(COLUMNS[found.shape])
    drawn = annotated.dropna(subset=names).reset_index(drop=True)
    seen = found.objects.reset_index(drop=True)
    known = pd.Index(pd.unique(pd.concat([drawn["record"], seen["record"]])))
    images, told = (known.get_indexer(pd.Index(frame["record"])).astype(np.int64) for frame in (drawn, seen))
    # two readers' marks of one object are one object
    alone = one_reader_each(drawn, images, drawn[names].to_numpy(dtype=np.float64), reach)
    drawn, images = drawn.iloc[alone].reset_index(drop=True), images[alone]
    score = seen["score"].to_numpy(dtype=np.float64)
    match = match_objects(images, drawn[names].to_numpy(np.float64), told, seen[names].to_numpy(np.float64), score, reach=reach)
    judged = judge_sides(drawn, seen, match, images, found.shape == "boxes", (max_false, max_p, max_deviations))
    rows = _rows(drawn, seen, match, judged)
    listed = rows[rows["kind"] != UNSUPPORTED].head(max_findings)
    missing = judged.missing
    counts = {kind: int((rows["kind"] == kind).sum()) for kind in (OVERLOOKED, MISPLACED, SWAPPED, UNSUPPORTED)}
    # whoever learnt from the annotated objects overlooks fewer of them: the decoys are too few
    level = severity if found.out_of_fold else Severity.INFO
    return Verdict(
        summary=_summary(found, judged, counts, len(drawn)),
        metrics={
            "overlooked_objects": counts[OVERLOOKED],
            "overlooked_objects_false_fraction": missing.false_fraction if missing.cut is not None else None,
            "overlooked_objects_confidence": missing.cut,
            "overlooked_objects_p_value": missing.p_value,
            "objects_predicted_elsewhere": missing.invented,
            "objects_without_support": missing.overlooked,
            "swapped_labels": counts[SWAPPED],
            "swapped_labels_verdict": judged.swaps.verdict if judged.swaps is not None else None,
            "badly_placed_boxes": counts[MISPLACED],
            "clearest_objects_score": judged.sure,
            "predictions": found.origin,
            "predictions_out_of_fold": found.out_of_fold,
        },
        findings=tuple(_finding(row, code, level, missing) for row in dicts(listed)),
        tables=(_table(rows),) if len(rows) else (),
        coverage=Coverage(
            evaluated=len(drawn), total=len(annotated), unit=found.shape,
            reason="marks of several readers on one object count once" if len(drawn) < len(annotated) else "",
        ),
    )  # fmt: skip


def _rows(drawn: pd.DataFrame, seen: pd.DataFrame, match: Match, judged: Judgement) -> pd.DataFrame:
    """One per suspect: `kind`, `record`, `path`, `line`, `label`, `predicted`, `confidence`, `shared`, place, surest first."""
    places = [name for name in (*COLUMNS["boxes"], *COLUMNS["points"]) if name in seen.columns]
    listed = judged.candidates[judged.missing.listed]
    score = seen["score"].to_numpy(dtype=np.float64)
    beside = seen.iloc[listed]
    parts = [
        beside[["record", *places]].assign(
            kind=OVERLOOKED, path="", line=0, label="", predicted=beside["label"],
            confidence=np.minimum(score[listed] / judged.sure, 1.0), shared=np.nan,
        )
    ]  # fmt: skip
    for kind, chosen in ((SWAPPED, judged.swapped), (MISPLACED, judged.misplaced), (UNSUPPORTED, judged.unsupported)):
        own = drawn.iloc[chosen]
        other = match.partner[chosen]
        labels = seen["label"].to_numpy(dtype=object)
        part = own[["record", "label", *places]].assign(
            kind=kind, path=own.get("path", ""), line=own.get("line", 0),
            predicted=[str(labels[i]) if i >= 0 else "" for i in other], confidence=judged.confidence[chosen],
            shared=np.where(other >= 0, match.shared[chosen], np.nan),
        )  # fmt: skip
        parts.append(part.sort_values("confidence", ascending=False, kind="stable"))
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return rows.astype({"line": "int64"})


def _summary(found: PredictedObjects, judged: Judgement, counts: dict[str, int], drawn: int) -> str:
    missing = judged.missing
    if missing.cut is not None:
        first = (
            f"{counts[OVERLOOKED]:,} objects seem overlooked beside {drawn:,} annotated {found.shape}; about "
            f"{missing.false_fraction:.0%} of them may be mistakes of the model."
        )
    else:
        first = (
            f"No evidence of overlooked objects beside {drawn:,} annotated {found.shape}: the model sees {missing.invented:,} "
            f"where none is annotated, and misses {missing.overlooked:,} annotated ones as surely."
        )
    if judged.swaps is None:
        second = "Classes were not compared."
    elif judged.swaps.verdict == "cannot tell":
        second = f"Whether classes are swapped cannot be told: {judged.swaps.reason}."
    else:
        second = f"{counts[SWAPPED]:,} seem to have another class." if counts[SWAPPED] else "No evidence of swapped classes."
    third = f" {counts[MISPLACED]:,} boxes are placed far worse than the others." if counts[MISPLACED] else ""
    learnt = "" if found.out_of_fold else " The model learnt from these annotations, so its mistakes are underrated."
    return f"{first} {second}{third}{learnt}"


def _finding(row: dict[str, object], code: str, severity: Severity, missing: MissingObjects) -> Finding:
    kind, label, told = str(row["kind"]), str(row["label"]), str(row["predicted"])
    sure = float(str(row["confidence"]))
    if kind == OVERLOOKED:
        middle = _middle(row)
        message = (
            f"the prediction shows {_called(told)} around x {middle[0]:.0f}, y {middle[1]:.0f} where nothing is annotated "
            f"(confidence {sure:.2f}; of such objects about {missing.false_fraction:.0%} may be its mistakes); look there"
        )
    elif kind == SWAPPED:
        message = f"annotated as {label!r}, predicted as {told!r} (confidence {sure:.2f}); look which it is"
    else:
        message = (
            f"the box of {_called(label)} and the predicted one share {float(str(row['shared'])):.0%} of their area, far less "
            "than others do; look at its corners"
        )
    evidence: dict[str, Cell] = {"kind": kind, "label": label, "predicted_label": told, "confidence": round(sure, 4)}
    place = " ".join(f"{float(str(row[name])):.1f}" for name in ("x0", "y0", "x1", "y1", "x", "y") if name in row)
    return Finding(
        code=code, severity=severity, message=message, subject=f"{kind} {place}", score=sure, evidence=evidence,
        where=Location(path=str(row["path"]) or None, line=int(str(row["line"])) or None, record=str(row["record"])),
    )  # fmt: skip


def _called(label: str) -> str:
    return repr(label) if label else "an object"


def _middle(row: dict[str, object]) -> tuple[float, float]:
    at = {name: float(str(row[name])) for name in ("x0", "y0", "x1", "y1", "x", "y") if name in row}
    return (at["x"], at["y"]) if "x" in at else ((at["x0"] + at["x1"]) / 2, (at["y0"] + at["y1"]) / 2)


def _table(rows: pd.DataFrame) -> Table:
    texts = {"kind": "What", "label": "Annotated as", "predicted": "Predicted as"}
    places = [name for name in (*COLUMNS["boxes"], *COLUMNS["points"]) if name in rows]
    return Table(
        name="beside_predictions", title="Objects beside their predictions: suspects, and those that are not predicted",
        columns=(
            Column(name="record", kind="record", values=rows["record"].tolist(), title="Record"),
            Column(name="path", kind="path", values=[str(v) or None for v in rows["path"]], title="Annotation"),
            Column(name="line", kind="integer", values=[int(v) or None for v in rows["line"]], title="Line"),
            *(Column(name=n, kind="text", values=[str(v) for v in rows[n]], title=t) for n, t in texts.items()),
            Column(name="confidence", kind="fraction", values=rows["confidence"].round(6).tolist(), title="Confidence"),
            Column(
                name="shared", kind="fraction", title="Shared",
                values=[None if np.isnan(v) else round(float(v), 4) for v in rows["shared"]],
            ),
            *(Column(name=n, kind="number", values=rows[n].tolist(), title=n) for n in places),
        ),
    )  # fmt: skip
