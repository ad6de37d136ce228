"""Whether raters who drew agree: the verdict on their masks, and on their points."""

from __future__ import annotations

import numpy as np

from auditor.evidence.raters.boxes import box_chart, box_table, point_pairs
from auditor.evidence.raters.drawings import mask_agreement, mask_chart, mask_metrics, mask_tables
from auditor.values.dataset import Dataset
from auditor.values.results import Coverage, Finding, Location, Severity, Verdict

MAX_MASK_ROWS = 1_000


def judge_masks(
    dataset: Dataset,
    *,
    code: str,
    severity: Severity,
    max_p: float,
    min_deficit: float,
    min_dice: float,
    min_record_dice: float,
    max_findings: int,
    seed: int,
) -> Verdict | None:
    """What ED001 says of masks by several raters; None where there are none."""
    found = mask_agreement(dataset, seed=seed)
    if found is None:
        return None
    poor = [rater.q <= max_p and rater.deficit >= min_deficit for rater in found.raters]
    disputed = int((found.records["dice"] < min_record_dice).sum())
    tables = mask_tables(found, poor=poor, floor=min_record_dice, longest=MAX_MASK_ROWS)
    whole, total = found.dice, int(dataset.rater_masks["record"].nunique())
    spoken = f"{whole.value:.2f} ({whole.low:.2f} to {whole.high:.2f})"
    findings = []
    if whole.value < min_dice:
        findings.append(Finding(
            code=code, severity=severity, where=Location(), subject="masks", score=whole.value,
            message=(
                f"the masks of two raters agree with a mean Dice of {spoken}, below the floor of {min_dice}; "
                f"{disputed:,} of {len(found.records):,} records are disputed: have them drawn again, by one written rule"
            ),
            evidence={"dice": whole.value, "disputed_records": disputed, "records": len(found.records)},
        ))  # fmt: skip
    apart = sorted((r for r, bad in zip(found.raters, poor, strict=True) if bad), key=lambda r: -r.deficit)
    findings += [
        Finding(
            code=code, severity=severity, where=Location(), subject=f"masks of rater {rater.name}",
            score=rater.dice,
            message=(
                f"the masks of rater {rater.name} agree with the others' with a mean Dice of {rater.dice:.2f}, "
                f"{rater.deficit:.2f} less than these among themselves (p = {rater.q:.1g} over all raters; STAPLE "
                f"sensitivity {rater.sensitivity:.2f}): look at these masks before they become labels"
            ),
            evidence={"rater": rater.name, "masks": rater.masks, "q": rater.q, "deficit": rater.deficit},
        )
        for rater in apart[: max_findings]
    ]  # fmt: skip
    return Verdict(
        summary=(
            f"Masks by {len(found.raters)} raters: mean Dice {spoken}; {sum(poor)} draw clearly unlike the others; "
            f"{disputed:,} of {len(found.records):,} records are disputed."
        ),
        metrics=mask_metrics(found, poor=sum(poor), disputed=disputed),
        findings=tuple(findings),
        tables=tables,
        charts=(mask_chart(tables[0]),),
        coverage=Coverage(
            evaluated=len(found.records), total=total,
            reason="" if len(found.records) == total else "fewer than two masks that can be compared",
        ),
    )  # fmt: skip


def judge_points(dataset: Dataset, *, radius: float, seed: int) -> Verdict | None:
    """What ED001 says of points by several raters (one within `radius` pixels); None where no record has two raters."""
    pairs = point_pairs(dataset, radius=radius, seed=seed)
    if not pairs:
        return None
    table = box_table(pairs, radius=radius)
    mean = float(np.mean([pair.f1.value for pair in pairs]))
    read = dataset.points.groupby("record")["rater"].nunique()
    several = int((read >= 2).sum())
    return Verdict(
        summary=f"Points of every two raters match with a mean F1 of {mean:.2f} (within {radius:g} pixels).",
        metrics={"point_f1": mean, "point_records": several, "point_rater_pairs": len(pairs)},
        tables=(table,),
        charts=(box_chart(table),),
        coverage=Coverage(
            evaluated=several, total=len(read), reason="" if several == len(read) else "marked by one rater only"
        ),
    )
