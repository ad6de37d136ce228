"""The verdict on masks of several raters: agreement of every two, who draws unlike the others, disputed records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.raters.agreement import Coefficient, bootstrap_interval
from auditor.evidence.raters.boxes import box_chart, box_table, point_pairs
from auditor.evidence.raters.readings import patients_of
from auditor.statistics.distributions import t
from auditor.statistics.multiplicity import holm
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

Doubles = npt.NDArray[np.float64]
REPEATS = 500
MIN_PATIENTS = 6
"""Fewer independent records tell nothing of one rater."""


@dataclass(frozen=True, kw_only=True)
class MaskRater:
    """One rater against the others on the records that three or more drew.

    Args:
        name, masks: the rater, and how many masks were compared.
        dice: mean Dice with the others, over all records.
        deficit: how much lower it is than the others' among themselves (mean over records of three raters; NaN without).
        q: chance of such a deficit were all alike (one-sided t over patients), after Holm over the raters; 1 where unknown.
        sensitivity, specificity: STAPLE, means over records.
    """

    name: str
    masks: int
    dice: float
    deficit: float
    q: float
    sensitivity: float
    specificity: float


@dataclass(frozen=True, kw_only=True)
class MaskAgreement:
    """Agreement of all masks.

    Args:
        dice: mean over records of the mean of their pairs, interval over patients.
        raters: by name.
        records: one row per record: `record`, `raters`, `dice`, `lowest`, `hd95_pixels` (the worst pair).
        pairs: `rater_a`, `rater_b`, `records`, `dice`, `hd95_pixels` (median), both directions.
        left_out: masks that were not compared.
    """

    dice: Coefficient
    raters: tuple[MaskRater, ...]
    records: pd.DataFrame
    pairs: pd.DataFrame
    left_out: int


def mask_agreement(dataset: Dataset, *, seed: int) -> MaskAgreement | None:
    """Of `Dataset.mask_pairs`; None where no two masks of one record were compared."""
    pairs = dataset.mask_pairs
    if pairs.empty:
        return None
    both = pd.concat([pairs, pairs.rename(columns={"rater_a": "rater_b", "rater_b": "rater_a"})], ignore_index=True)
    drawn = dataset.rater_masks.dropna(subset=["sensitivity"])
    grouped = pairs.groupby("record", sort=False)
    records = pd.DataFrame({
        "raters": drawn.groupby("record").size().reindex(list(grouped.groups)),
        "dice": grouped["dice"].mean(),
        "lowest": grouped["dice"].min(),
        "hd95_pixels": grouped["hd95_pixels"].max(),
    }).rename_axis("record").reset_index()  # fmt: skip
    patient = patients_of(dataset, pd.Index(records["record"]))
    sums = np.column_stack([records["dice"].to_numpy(np.float64), np.ones(len(records))])
    value = float(records["dice"].mean())

    def mean(total: Doubles) -> Doubles:
        return np.asarray(total[:, 0] / total[:, 1])

    low, high = bootstrap_interval(sums, mean, value=value, cluster=patient, repeats=REPEATS, seed=seed)
    between = both.groupby(["rater_a", "rater_b"])
    table = pd.DataFrame({
        "records": between.size(), "dice": between["dice"].mean(), "hd95_pixels": between["hd95_pixels"].median()
    }).reset_index()  # fmt: skip
    return MaskAgreement(
        dice=Coefficient(value=value, low=low, high=high),
        raters=_raters(both, drawn, records, patient),
        records=records,
        pairs=table,
        left_out=int((dataset.rater_masks["problem"] != "").sum()),
    )


def _raters(
    both: pd.DataFrame, drawn: pd.DataFrame, records: pd.DataFrame, patient: npt.NDArray[np.int64]
) -> tuple[MaskRater, ...]:
    own = both.groupby(["record", "rater_a"], sort=False)["dice"].mean().rename_axis(["record", "rater"]).reset_index()
    about = records.assign(patient=patient).set_index("record")
    size = about["raters"].reindex(own["record"]).to_numpy(np.float64)
    usual = about["dice"].reindex(own["record"]).to_numpy(np.float64)
    # Of n(n−1)/2 pairs n−1 are the rater's; the others have (n−1)(n−2)/2 among themselves.
    with np.errstate(divide="ignore", invalid="ignore"):
        others = (usual * size - 2 * own["dice"].to_numpy(np.float64)) / (size - 2)
    own["deficit"] = np.where(size > 2, others - own["dice"].to_numpy(np.float64), np.nan)
    own["patient"] = about["patient"].reindex(own["record"]).to_numpy()
    names = sorted(own["rater"].unique())
    found = []
    for name in names:
        rows = own[own["rater"] == name]
        each = rows.dropna(subset=["deficit"]).groupby("patient")["deficit"].mean().to_numpy(np.float64)
        p = 1.0
        if len(each) >= MIN_PATIENTS:
            spread = float(each.std(ddof=1)) / np.sqrt(len(each))
            p = float(t.sf(each.mean() / spread, len(each) - 1)) if spread > 0 else float(each.mean() <= 0)
        found.append((rows, float(each.mean()) if len(each) else float("nan"), p))
    q = holm(np.array([p for *_, p in found]))
    staple = drawn.groupby("rater")
    sensitivity, specificity = staple["sensitivity"].mean(), staple["specificity"].mean()
    return tuple(
        MaskRater(
            name=str(name), masks=len(rows), dice=float(rows["dice"].mean()), deficit=deficit, q=float(corrected),
            sensitivity=float(sensitivity[name]), specificity=float(specificity[name]),
        )
        for name, (rows, deficit, _), corrected in zip(names, found, q, strict=True)
    )  # fmt: skip


def mask_tables(found: MaskAgreement, *, poor: Sequence[bool], floor: float, longest: int) -> tuple[Table, Table, Table]:
    """Every two raters, every rater, and the records from the least agreement on."""
    raters, pairs = found.raters, found.pairs
    sensitivity, specificity = _cells([r.sensitivity for r in raters]), _cells([r.specificity for r in raters])
    ranked = found.records.sort_values(["dice", "record"], kind="stable").head(longest)
    return (
        Table(
            name="masks", title="Masks of every two raters",
            columns=(
                Column(name="rater_a", kind="text", values=pairs["rater_a"].tolist(), title="Rater"),
                Column(name="rater_b", kind="text", values=pairs["rater_b"].tolist(), title="With"),
                Column(name="records", kind="integer", values=pairs["records"].tolist(), title="Records of both"),
                Column(name="dice", kind="fraction", values=_cells(pairs["dice"]), title="Mean Dice"),
                Column(name="hd95_pixels", kind="number", values=_cells(pairs["hd95_pixels"]), title="Median HD95, pixels"),
            ),
        ),
        Table(
            name="mask_raters", title="Raters who drew masks, against the others on the same records",
            columns=(
                Column(name="rater", kind="text", values=[r.name for r in raters], title="Rater"),
                Column(name="masks", kind="integer", values=[r.masks for r in raters], title="Masks compared"),
                Column(name="dice", kind="fraction", values=_cells([r.dice for r in raters]), title="Mean Dice with others"),
                Column(name="deficit", kind="number", values=_cells([r.deficit for r in raters]), title="Below the others by"),
                Column(name="sensitivity", kind="fraction", values=sensitivity, title="Sensitivity (STAPLE)"),
                Column(name="specificity", kind="fraction", values=specificity, title="Specificity (STAPLE)"),
                Column(name="q", kind="number", values=[r.q for r in raters], title="p over all raters"),
                Column(name="flagged", kind="boolean", values=list(poor), title="Stands apart"),
            ),
        ),
        Table(
            name="mask_records", title="Records by the agreement of their masks",
            columns=(
                Column(name="record", kind="record", values=ranked["record"].tolist(), title="Record"),
                Column(name="raters", kind="integer", values=[int(n) for n in ranked["raters"]], title="Raters"),
                Column(name="dice", kind="fraction", values=_cells(ranked["dice"]), title="Mean Dice"),
                Column(name="lowest", kind="fraction", values=_cells(ranked["lowest"]), title="Lowest Dice"),
                Column(name="hd95_pixels", kind="number", values=_cells(ranked["hd95_pixels"]), title="Worst HD95, pixels"),
                Column(name="disputed", kind="boolean", values=[bool(d < floor) for d in ranked["dice"]], title="Disputed"),
            ),
        ),
    )  # fmt: skip


def mask_chart(table: Table) -> Chart:
    """Heat map of the pairs."""
    return Chart(
        name="masks", title="Masks of every two raters (Dice)", kind="matrix", table=table,
        label="rater_a", group="rater_b", value="dice",
    )  # fmt: skip


def mask_metrics(found: MaskAgreement, *, poor: int, disputed: int) -> dict[str, Cell]:
    """For `Verdict.metrics`."""
    worst = found.records["hd95_pixels"].dropna()
    return {
        "mask_raters": len(found.raters),
        "mask_records": len(found.records),
        "mask_dice": found.dice.value,
        "mask_dice_low": found.dice.low,
        "mask_dice_high": found.dice.high,
        "mask_hd95_median_pixels": float(worst.median()) if len(worst) else None,
        "mask_poor_raters": poor,
        "mask_disputed_records": disputed,
        "masks_not_compared": found.left_out,
    }


def _cells(values: Sequence[float] | pd.Series) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


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
