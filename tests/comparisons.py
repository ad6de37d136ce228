"""Made-up comparisons for the tests of the reports: improved with every kind of arm, harmed, no change, two bare scans.

from comparisons import improved, harmed, no_change, two_scans
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from auditor.values.corrections import Arm, Comparison, ComparisonVerdict, Correction, Evaluation, Measured, Proposal
from auditor.values.results import (
    SCHEMA_VERSION,
    Cell,
    Chart,
    Column,
    ColumnKind,
    DatasetSummary,
    Finding,
    Gate,
    Location,
    Outcome,
    Run,
    ScanResult,
    Severity,
    Table,
    Verdict,
)
from reports.compare import compare_results, differences

RUN = Run(started="2026-11-22T10:00:00Z", seconds=412.5, host="example", stages={"scan": 21.0, "train": 380.0})
HOW = "Labels that the pictures contradict.\n\n## How to fix\n\nHave the listed records read again (`medaudit review`)."
ADVICE = {"LN001": HOW, "LN002": HOW, "SP002": "Copies.\n\n## How to fix\n\nKeep one of them.", "IQ001": "Blank images."}


def picture(seed: int) -> bytes:
    """A blurred blob of 32 × 32 pixels, as WebP."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    image = 40 + 170 * np.exp(-(((x - rng.uniform(-0.4, 0.4)) / 0.5) ** 2) - (y / rng.uniform(0.4, 0.8)) ** 2)
    stream = io.BytesIO()
    Image.fromarray(np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)).save(stream, "WEBP", quality=50)
    return stream.getvalue()


def table(name: str, title: str, **columns: tuple[ColumnKind, Sequence[Cell]]) -> Table:
    return Table(
        name=name,
        title=title,
        columns=tuple(
            Column(name=key, kind=kind, values=tuple(values), title=key.replace("_", " ").capitalize())
            for key, (kind, values) in columns.items()
        ),
    )


def finding(code: str, severity: Severity, message: str, record: str | None = None, waived: str | None = None) -> Finding:
    path = f"images/{record}.png" if record else None
    return Finding(code=code, severity=severity, message=message, where=Location(path=path, record=record), waived=waived)


def scanned(
    findings: Sequence[Finding],
    *,
    records: int = 5856,
    skipped: Sequence[str] = (),
    thumbnails: Mapping[str, bytes] | None = None,
    name: str = "chest-xray-pneumonia",
) -> ScanResult:
    """A scan with these findings; the checks LN001, LN002, SP002, LK001 and IQ001 were carried out but for `skipped`."""
    codes = sorted({"LN001", "LN002", "SP002", "LK001", "IQ001"} | {f.code for f in findings})
    outcomes = tuple(
        Outcome(code=code, name=code.lower(), title=f"Check {code}", status="skipped", reason="no column of patients")
        if code in skipped
        else Outcome(
            code=code,
            name=code.lower(),
            title=f"Check {code}",
            status="failed" if (own := tuple(f for f in findings if f.code == code)) else "passed",
            verdict=Verdict(summary=f"{len(own)} found.", findings=own),
        )
        for code in codes
    )
    failed = any(f.severity is Severity.ERROR and f.waived is None for f in findings)
    return ScanResult(
        schema_version=SCHEMA_VERSION,
        tool_version="0.1.0",
        dataset=DatasetSummary(
            name=name, layout="table", task="single", classes=("normal", "pneumonia"), counts={"images": records}, guesses=()
        ),
        records=records,
        outcomes=outcomes,
        gate=Gate(verdict="failed" if failed else "passed", exit_code=int(failed), fail_on="error"),
        configuration={"fail_on": "error", "seed": 0},
        documentation=ADVICE,
        thumbnails=thumbnails or {},
        run=RUN,
    )


NOISE = finding("LN001", Severity.WARNING, "About 6.2 % of the labels look wrong (95 % interval 5.1–7.4 %).")
LESS_NOISE = finding("LN001", Severity.WARNING, "About 1.1 % of the labels look wrong (95 % interval 0.5–1.9 %).")
COPIES = tuple(
    finding("SP002", Severity.ERROR, f"The same picture is in train and in test: images/r{k}.png. Keep one.", f"r{k}")
    for k in range(4)
)
SUSPECTS = tuple(
    finding("LN002", Severity.WARNING, "The picture looks like pneumonia, not normal. Have it read again.", f"r{k:03d}")
    for k in range(10, 30)
)
BLANK = finding("IQ001", Severity.WARNING, "This image is blank. Take it out, or get it again.", "r099")
LEAK = finding("LK001", Severity.INFO, "Field Rows is associated with the label: AUC 0.56.")
PICTURES = {f"r{k:03d}": picture(k) for k in range(10, 40)}


def measured(metric: str, title: str, before: float, gain: float, half: float, verdict: ComparisonVerdict) -> Measured:
    after = before - gain if metric == "brier" else before + gain
    return Measured(
        metric=metric, title=title, before=before, after=after, difference=gain, low=gain - half, high=gain + half,
        p=min(1.0, max(0.0004, (half / abs(gain)) ** 3 * 0.03 if gain else 1.0)), verdict=verdict,
    )  # fmt: skip


def evaluated(
    arm: str, gain: float, half: float, verdict: ComparisonVerdict, summary: str, *, brier: ComparisonVerdict = "not worse",
    self_graded: bool = False,
) -> Evaluation:  # fmt: skip
    """Metrics, classes, trivial predictors and calibration as `trainers.grading.evaluate` lays them out."""
    metrics = (
        measured("balanced_accuracy", "Balanced accuracy", 0.842, gain, half, verdict),
        measured("auc", "AUC", 0.921, gain * 0.6, half * 0.7, verdict),
        measured("mcc", "MCC", 0.688, gain * 1.4, half * 1.6, verdict),
        measured("brier", "Brier score", 0.114, 0.004 if brier != "harmed" else -0.021, 0.009, brier),
    )
    shown = table(
        "differences",
        "Difference between after and before; right of 0 is better",
        metric=("text", [m.title for m in metrics]),
        difference=("number", [m.difference for m in metrics]),
        low=("number", [m.low for m in metrics]),
        high=("number", [m.high for m in metrics]),
    )
    classes = table(
        "per_class",
        "Recall per class",
        **{
            "class": ("class", ["normal", "pneumonia"]),
            "records": ("integer", [234, 390]),
            "before": ("fraction", [0.791, 0.893]),
            "after": ("fraction", [0.791 + 1.6 * gain, 0.893 + 0.4 * gain]),
            "difference": ("number", [1.6 * gain, 0.4 * gain]),
            "low": ("number", [1.6 * gain - half, 0.4 * gain - half]),
            "high": ("number", [1.6 * gain + half, 0.4 * gain + half]),
        },
    )
    trivial = table(
        "trivial_predictors",
        "Beside predictors that never looked at an image",
        predictor=("text", ["none", arm, "always the commonest class", "random by the prior"]),
        balanced_accuracy=("number", [0.842, 0.842 + gain, 0.5, 0.497]),
        brier_score=("number", [0.114, 0.110, 0.375, 0.469]),
    )
    sure = [0.55, 0.65, 0.75, 0.85, 0.95]
    calibration = table(
        "calibration",
        "Calibration: how often right against how sure",
        arm=("text", ["perfect", "perfect", *["none"] * 5, *[arm] * 5]),
        confidence=("fraction", [0.0, 1.0, *sure, *sure]),
        right=("fraction", [0.0, 1.0, 0.51, 0.58, 0.66, 0.74, 0.88, 0.54, 0.64, 0.73, 0.83, 0.94]),
    )
    return Evaluation(
        arm=arm,
        baseline="none",
        verdict=verdict,
        summary=summary,
        metrics=metrics,
        records=624,
        patients=412,
        seeds=3,
        margin=0.01,
        self_graded=self_graded,
        tables=(classes, trivial),
        charts=(
            Chart(
                name="differences", title=shown.title, kind="intervals", table=shown, label="metric", value="difference",
                low="low", high="high", reference={"no change": 0.0, "margin": -0.01},
            ),
            Chart(
                name="calibration", title=calibration.title, kind="lines", table=calibration, label="confidence",
                value="right", group="arm",
            ),
        ),
        notes=("412 patients of 624 records: intervals over patients.",),
    )  # fmt: skip


def corrections(count: int, safe: int, strategy: str) -> tuple[Correction, ...]:
    """The first `safe` of them may be applied unasked."""
    return tuple(
        Correction(
            record=f"r{k:03d}",
            field="label",
            old="normal",
            new="pneumonia",
            code="LN002",
            strategy=strategy,
            reason="5 of 5 models out of fold say pneumonia" if k < 10 + safe else "4 of 5 models out of fold say pneumonia",
            confidence=0.985 - 0.004 * (k - 10),
            safe=k < 10 + safe,
        )
        for k in range(10, 10 + count)
    )


def arms() -> tuple[Arm, ...]:
    """Applied without a network, improved, harmed, cannot tell, and two that were skipped."""
    return (
        Arm(
            strategy="deduplicate",
            title="Keeps one of several copies of a picture",
            why="SP002: the same picture counts more than once",
            proposal=Proposal(
                strategy="deduplicate",
                summary="4 copies leave the collection.",
                removed={f"r{k}": "same pixels as another record of the same patient" for k in range(4)},
            ),
        ),
        Arm(
            strategy="confident",
            title="Suspect labels weigh less, and are queued for review",
            why="LN001, LN002: suspect labels weigh less, and are queued for review",
            proposal=Proposal(
                strategy="confident",
                summary="14 labels are rewritten, 6 more are proposed; 210 records weigh less in training.",
                corrections=corrections(20, 14, "confident"),
                weights={f"r{k:03d}": 0.25 for k in range(200, 410)},
                metrics={"precision_low_fraction": 0.957, "verified_count": 118},
                notes=("The precision of the flags was measured on 118 records that an expert read.",),
            ),
            evaluation=evaluated(
                "confident", 0.029, 0.018, "improved",
                "Balanced accuracy rose from 0.842 to 0.871: the 95 % interval, 0.011 to 0.047, lies above 0.",
                brier="harmed",
            ),
        ),
        Arm(
            strategy="robust",
            title="Trains with a loss that follows wrong labels less",
            why="LN001: training that follows wrong labels less",
            proposal=Proposal(strategy="robust", summary="No label is changed."),
            evaluation=evaluated("robust", 0.012, 0.021, "cannot tell", "The interval reaches from a loss to a gain."),
        ),
        Arm(
            strategy="mixup",
            title="Trains on mixtures of pictures",
            why="asked for",
            proposal=Proposal(strategy="mixup", summary="No label is changed."),
            evaluation=evaluated("mixup", -0.034, 0.019, "harmed", "Balanced accuracy fell: the interval lies below 0."),
        ),
        Arm(
            strategy="teacher",
            title="Trusted records teach, and the others are read by what they taught",
            why="LN001: trusted records teach",
            skipped="of 118 trusted records 41 are left to train on; at least 50 are needed",
        ),
        Arm(strategy="weak", title="Masks that miss objects", why="asked for", skipped="the dataset has no masks"),
    )  # fmt: skip


def removed() -> tuple[Table, ...]:
    return (
        table(
            "class", "Removed, per class",
            **{"class": ("class", ["normal", "pneumonia"]), "records": ("integer", [1583, 4273]),
               "removed": ("integer", [3, 1]), "share": ("fraction", [3 / 1583, 1 / 4273])},
        ),
        table(
            "sex", "Removed, per sex",
            sex=("text", ["F", "M", "unknown"]), records=("integer", [2610, 3104, 142]), removed=("integer", [2, 2, 0]),
            share=("fraction", [2 / 2610, 2 / 3104, 0.0]),
        ),
    )  # fmt: skip


def improved() -> Comparison:
    """`confident` and `deduplicate` applied; one finding introduced, one unclear."""
    return compare_results(
        scanned([*COPIES, NOISE, *SUSPECTS, LEAK], skipped=(), thumbnails=PICTURES),
        scanned([LESS_NOISE, *SUSPECTS[14:], BLANK], records=5852, skipped=("LK001",)),
        verdict="improved",
        summary="14 labels were corrected and 4 copies removed; a network trained on the copy is better by 2.9 points of "
        "balanced accuracy (95 % interval 1.1 to 4.7) on records that no correction touched.",
        arms=arms(),
        applied=("deduplicate", "confident"),
        chosen="confident",
        trust="118 records that an expert confirmed in review. 41 of them train teachers, 35 validate; 624 records of the "
        "declared test split evaluate, and no strategy has seen them.",
        changes={"labels rewritten": 14, "labels proposed": 6, "records removed": 4, "weights below 1": 210},
        removed=removed(),
        configuration={"strategy": "auto", "seeds": 3, "seed": 0, "device": "cpu", "margin": 0.01},
        run=RUN,
    )


def harmed(*, self_graded: bool = False) -> Comparison:
    """One strategy, worse than doing nothing; nothing applied."""
    arm = Arm(
        strategy="robust",
        title="Trains with a loss that follows wrong labels less",
        why="LN001: training that follows wrong labels less",
        proposal=Proposal(strategy="robust", summary="6 labels would change.", corrections=corrections(6, 0, "robust")),
        evaluation=evaluated(
            "robust", -0.041, 0.02, "harmed", "Balanced accuracy fell from 0.842 to 0.801.", self_graded=self_graded
        ),
    )
    scan = scanned([NOISE, *SUSPECTS], thumbnails=PICTURES)
    return compare_results(
        scan, scan, verdict="harmed", arms=(arm,), chosen="robust", run=RUN,
        summary="A network trained this way is worse by 4.1 points of balanced accuracy; nothing was applied.",
        trust="No record is trusted: those on which out-of-fold predictions agree with the label were taken.",
    )  # fmt: skip


def no_change() -> Comparison:
    """The scan found nothing that a strategy answers."""
    scan = scanned([LEAK])
    return compare_results(
        scan, scan, verdict="no change", summary="The audit found nothing to correct: no change is recommended.", run=RUN
    )


def two_scans() -> Comparison:
    """Two results without a correction between them, of datasets that may differ."""
    before = scanned([*COPIES, NOISE], thumbnails=PICTURES)
    after = replace(scanned([NOISE, BLANK, LEAK], name="chest-xray-pneumonia-v2"), tool_version="0.2.0")
    return compare_results(before, after, notes=differences(before, after))
