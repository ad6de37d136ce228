"""What LN005 says of masks that were laid beside predicted ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.masks.missing_objects import MissingObjects, judge_missing
from auditor.values.mask_scores import MaskScores
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict

MIN_RECORDS = 20
"""From so many scored masks on one can be unlike the others."""
SCORE_FLOOR = 0.5
"""Least spread taken for granted, on the log-odds of the mean self-confidence."""
NEAREST = 1e-4

Doubles = npt.NDArray[np.float64]


def deviations(values: Doubles, floor: float) -> Doubles:
    """Distance from the median in robust standard deviations (1.4826 × median absolute deviation, at least `floor`)."""
    middle = np.median(values)
    return np.asarray((values - middle) / max(1.4826 * float(np.median(np.abs(values - middle))), floor))


def judge_masks(
    scores: MaskScores,
    *,
    code: str,
    severity: Severity,
    max_false: float,
    max_p: float,
    max_deviations: float,
    max_findings: int,
) -> Verdict:
    """Missing objects by record, masks that the model doubts far more than the others, and a table of all, worst first."""
    table = scores.records
    scored = table[table["problem"] == ""]
    missing = judge_missing(scores.objects, max_false=max_false, max_p=max_p)
    doubted = _doubted(scored, max_deviations)
    rows = _rows(scored, scores, missing, doubted)
    chosen = rows[(rows["missing"] > 0) | rows["doubted"]] if missing.cut is not None else rows[rows["doubted"]]
    left = table.loc[table["problem"] != "", "problem"].value_counts()
    # whoever learnt from the drawn objects overlooks fewer of them: the decoys are too few
    level = severity if scores.out_of_fold else Severity.INFO
    return Verdict(
        summary=_summary(scores, missing, rows),
        metrics={
            "scored_masks": len(scored),
            "missing_objects": len(missing.listed),
            "masks_with_missing_objects": int((rows["missing"] > 0).sum()),
            "missing_objects_false_fraction": missing.false_fraction if missing.cut is not None else None,
            "missing_objects_confidence": missing.cut,
            "invented_objects": missing.invented,
            "overlooked_objects": missing.overlooked,
            "missing_objects_p_value": missing.p_value,
            "doubted_masks": int(rows["doubted"].sum()),
            "clearest_objects_probability": scores.ruler.sure,
            "predictions": scores.origin,
            "predictions_out_of_fold": scores.out_of_fold,
        },
        findings=tuple(_finding(row, code, level, missing) for row in dicts(chosen.head(max_findings))),
        tables=(_table(rows), *_objects(scores, missing)),
        coverage=Coverage(
            evaluated=len(scored), total=len(table), unit="records",
            reason="; ".join(f"{problem}: {count:,}" for problem, count in left.head(3).items()),
        ),
    )  # fmt: skip


def _doubted(scored: pd.DataFrame, most: float) -> npt.NDArray[np.bool_]:
    confidence = np.clip(scored["self_confidence"].to_numpy(dtype=np.float64), NEAREST, 1 - NEAREST)
    if len(confidence) < MIN_RECORDS:
        return np.zeros(len(confidence), np.bool_)
    return np.asarray(deviations(np.log(confidence / (1 - confidence)), SCORE_FLOOR) < -most)


def _rows(scored: pd.DataFrame, scores: MaskScores, missing: MissingObjects, doubted: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """The scored records with `missing`, `confidence` of the surest, `invented`, `unsupported` and `doubted`, worst first."""
    objects = scores.objects
    listed = objects.iloc[missing.listed]
    counts = {
        "missing": listed.groupby("record").size(),
        "invented": objects[objects["missing"]].groupby("record").size(),
        "unsupported": objects[~objects["missing"]].groupby("record").size(),
    }
    filled = {name: scored["record"].map(count).fillna(0).astype("int64") for name, count in counts.items()}
    surest = scored["record"].map(listed.groupby("record")["confidence"].max())
    rows = scored.assign(**filled, confidence=surest, doubted=doubted)
    return rows.sort_values(["missing", "doubted", "score"], ascending=[False, False, True], kind="stable")


def _summary(scores: MaskScores, missing: MissingObjects, rows: pd.DataFrame) -> str:
    learnt = (
        ""
        if scores.out_of_fold
        else " The model learnt from these masks: it may have learnt to miss what they miss, and it overlooks fewer of the "
        "drawn objects than elsewhere, so its mistakes are underrated."
    )
    doubted = int(rows["doubted"].sum())
    more = f" {doubted:,} masks are doubted far more than the others." if doubted else ""
    if missing.cut is not None:
        return (
            f"{len(missing.listed):,} objects seem missing from {int((rows['missing'] > 0).sum()):,} of {len(rows):,} masks; "
            f"about {missing.false_fraction:.0%} of them may be mistakes of the model.{more}{learnt}"
        )
    return (
        f"No evidence that objects are missing from {len(rows):,} masks: the model sees {missing.invented:,} objects where "
        f"none is drawn, and overlooks {missing.overlooked:,} drawn ones as surely.{more}{learnt}"
    )


def _finding(row: dict[str, object], code: str, severity: Severity, missing: MissingObjects) -> Finding:
    count = int(str(row["missing"]))
    if count:
        number = "an object" if count == 1 else f"{count:,} objects"
        message = (
            f"the prediction shows {number} where nothing is drawn (confidence up to {row['confidence']:.2f}; of such objects "
            f"about {missing.false_fraction:.0%} may be mistakes of the model); look at the mask beside its image"
        )
    else:
        message = (
            f"the prediction fits this mask far worse than others (mean self-confidence {row['self_confidence']:.2f}, "
            f"Dice {row['dice']:.2f}); look whether it belongs to its image"
        )
    return Finding(
        code=code, severity=severity, message=message, subject="missing objects" if count else "fit of the prediction",
        where=Location(path=str(row["path"]), record=str(row["record"])), score=float(str(row["score"])),
        evidence={
            "missing_objects": count, "unsupported_objects": int(str(row["unsupported"])), "objects": int(str(row["objects"])),
        },
    )  # fmt: skip


def dicts(rows: pd.DataFrame) -> list[dict[str, object]]:
    """One per row."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _table(rows: pd.DataFrame) -> Table:
    whole = {
        "objects": "Objects drawn",
        "missing": "Missing",
        "invented": "Predicted, not drawn",
        "unsupported": "Not predicted",
    }
    parts = {"score": "Score", "self_confidence": "Mean self-confidence", "dice": "Dice"}
    return Table(
        name="mask_scores", title="Masks beside their predictions, most doubtful first",
        columns=(
            Column(name="record", kind="record", values=rows["record"].tolist(), title="Record"),
            Column(name="path", kind="path", values=rows["path"].tolist(), title="Mask"),
            *(Column(name=n, kind="fraction", values=[round(float(v), 6) for v in rows[n]], title=t) for n, t in parts.items()),
            *(Column(name=n, kind="integer", values=[int(v) for v in rows[n]], title=t) for n, t in whole.items()),
            Column(name="doubted", kind="boolean", values=[bool(v) for v in rows["doubted"]], title="Unlike the others"),
        ),
    )  # fmt: skip


def _objects(scores: MaskScores, missing: MissingObjects) -> tuple[Table, ...]:
    listed = scores.objects.iloc[missing.listed]
    if listed.empty:
        return ()
    return (
        Table(
            name="missing_objects", title="Objects that seem to be missing, surest first",
            columns=(
                Column(name="record", kind="record", values=listed["record"].tolist(), title="Record"),
                Column(name="confidence", kind="fraction", values=listed["confidence"].round(6).tolist(), title="Confidence"),
                Column(name="area", kind="integer", values=[int(v) for v in listed["area"]], title="Pixels"),
                Column(name="row", kind="number", values=listed["row"].round(1).tolist(), title="Row"),
                Column(name="column", kind="number", values=listed["column"].round(1).tolist(), title="Column"),
            ),
        ),
    )  # fmt: skip
