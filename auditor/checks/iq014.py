"""IQ014: fields are missing, or hold impossible values, more often in one class than in another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.statistics.distributions import chi2
from auditor.statistics.multiplicity import benjamini_hochberg
from auditor.values.dataset import Dataset
from auditor.values.fields import spoken
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict

SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0)
"""Numbers that people write for "unknown"; only where they stand apart from all other values of the field."""


@dataclass(frozen=True, kw_only=True)
class MissingFields(Check):
    """Fields are missing or hold impossible values, above all in one class.

    ## What it does

    For each field of the table and of the headers, counts missing values, numbers that stand for "unknown" (−1, 99, 999 …, if
    they lie far from all other values) and ages that cannot be (negative, above 120). A field is flagged when its missing or
    impossible values differ between classes: a test that counts patients (one vote per patient and class), false discovery
    rate of 1 %, and a difference of at least `min_difference`. Impossible values are flagged in any case, and so is a field
    that a few records alone lack. Header fields that belong to one format only are left out.

    ## Why is this bad?

    "Missing" is a value that a model can read: an empty age because healthy volunteers were not asked is the label. A 999 among
    ages moves every mean.

    ## How to fix

    Fetch what is missing; write unknown values as empty, not as numbers; leave the field out of the inputs.

    ## Options

    * `min_difference`: difference of the missing share between two classes that counts.
    * `max_missing_fraction`: a field that so few records lack is told in one line (0 = never).
    * `max_findings`: so many fields get a finding; the table `fields` lists all.

    ## References

    * Rubin: Inference and missing data. Biometrika 1976 (missing not at random).
    * Little & Rubin: Statistical analysis with missing data. 2019.
    """

    code: ClassVar[str] = "IQ014"
    name: ClassVar[str] = "missing-fields"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset()

    min_difference: float = 0.1
    max_missing_fraction: float = 0.02
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Count, test, report."""
        names = [n for n in dataset.metadata.columns if n.startswith(("table.", "dicom.", "nifti.", "name."))]
        if not names:
            raise SkipCheck("there are no fields beside the pictures")
        applies = _applies(dataset)
        codes = dataset.labels.codes if dataset.labels.task in ("single", "ordinal") else np.full(dataset.size, -1)
        patients = pd.factorize(dataset.records["patient"])[0] if dataset.has("patient") else np.arange(dataset.size)
        rows: list[tuple[str, float, int, float, str, float]] = []
        for name in names:
            inside = applies if name.startswith("dicom.") else np.ones(dataset.size, bool)
            values = dataset.metadata[name]
            missing = values.isna().to_numpy(dtype=bool) & inside
            wrong = impossible(values, is_age=spoken(name).lower().split()[-1:] == ["age"]) & inside
            bad = missing | wrong
            if not bad.any() or not inside.any():
                continue
            difference, worst, p = _by_class(bad, codes, patients, inside, dataset.labels.classes)
            rows.append((name, float(missing.sum() / inside.sum()), int(wrong.sum()), difference, worst, p))
        tested = [r for r in rows if np.isfinite(r[5])]
        q = dict(zip([r[0] for r in tested], benjamini_hochberg(np.array([r[5] for r in tested])), strict=True))
        findings = [f for r in rows for f in self._findings(r, q.get(r[0], 1.0), dataset.size)][: self.max_findings]
        table = Table(
            name="fields",
            title="Fields with missing or impossible values",
            columns=(
                Column(name="field", kind="text", values=[r[0] for r in rows], title="Field"),
                Column(name="missing", kind="fraction", values=[round(r[1], 6) for r in rows], title="Missing"),
                Column(name="impossible", kind="integer", values=[r[2] for r in rows], title="Impossible values"),
                Column(name="difference", kind="fraction", values=[round(r[3], 6) for r in rows], title="Between classes"),
                Column(name="class", kind="class", values=[r[4] or None for r in rows], title="Most in class"),
                Column(name="q", kind="fraction", values=[round(float(q.get(r[0], 1.0)), 6) for r in rows], title="q"),
            ),
        )
        by_class = sum(f.subject == "by class" for f in findings)
        return Verdict(
            summary=f"{len(rows):,} of {len(names):,} fields have gaps; {by_class:,} of them differ between classes",
            metrics={"fields": len(names), "fields_with_gaps": len(rows), "fields_missing_by_class": by_class},
            findings=tuple(findings),
            tables=(table,) if rows else (),
            coverage=Coverage(evaluated=len(names), total=len(names), unit="fields"),
        )

    def _findings(self, row: tuple[str, float, int, float, str, float], q: float, size: int) -> list[Finding]:
        name, missing, wrong, difference, worst, _ = row
        found = []
        if q <= 0.01 and difference >= self.min_difference:
            message = (
                f"{spoken(name).capitalize()} is missing or impossible in one class more than in another: "
                f"{100 * difference:.0f} points, most in {worst!r}. Fetch it, or leave the field out of the inputs"
            )
            evidence = {"difference": round(difference, 6), "missing": round(missing, 6), "q": round(q, 6)}
            found.append(self._finding(name, "by class", message, round(difference, 6), evidence))
        if wrong:
            message = (
                f"{spoken(name).capitalize()} holds {wrong:,} impossible values or stand-ins for unknown. Leave them empty"
            )
            found.append(self._finding(name, "impossible", message, wrong / size, {"records": wrong}))
        if 0 < missing <= self.max_missing_fraction and not found:
            message = f"{spoken(name).capitalize()} is missing in {missing:.2%} of the records. Fetch it"
            found.append(self._finding(name, "few missing", message, round(missing, 6), {"missing": round(missing, 6)}))
        return found

    def _finding(self, name: str, subject: str, message: str, score: float, evidence: dict[str, float]) -> Finding:
        level = Severity.INFO if subject == "few missing" else Severity.WARNING
        return Finding(
            code=self.code, severity=level, message=message, where=Location(field=name), subject=subject, score=score,
            evidence=dict(evidence),
        )  # fmt: skip


def impossible(values: pd.Series, *, is_age: bool) -> npt.NDArray[np.bool_]:
    """Stand-ins for unknown that lie apart from the rest (three times its range away), and impossible ages; (records,)."""
    wrong = np.zeros(len(values), dtype=np.bool_)
    if not pd.api.types.is_numeric_dtype(values):
        return wrong
    numbers = values.to_numpy(dtype=np.float64)
    others = numbers[np.isfinite(numbers) & ~np.isin(numbers, SENTINELS)]
    if is_age:
        wrong |= np.isfinite(numbers) & ((numbers < 0) | (numbers > 120))
    if others.size < 20:
        return wrong
    low, high = np.percentile(others, (0.5, 99.5))
    room = max(high - low, 1e-9)
    for sentinel in SENTINELS:
        if sentinel > high + room or (sentinel < 0 <= low and sentinel < low - 0.01 * room):
            wrong |= numbers == sentinel
    return wrong


def _applies(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Records that could have DICOM fields at all."""
    if "container.format" not in dataset.metadata.columns:
        return np.ones(dataset.size, bool)
    return np.asarray((dataset.metadata["container.format"] == "dicom").fillna(False).to_numpy(dtype=bool))


def _by_class(
    bad: npt.NDArray[np.bool_],
    codes: npt.NDArray[np.int64],
    patients: npt.NDArray[np.int64],
    inside: npt.NDArray[np.bool_],
    classes: tuple[str, ...],
) -> tuple[float, str, float]:
    """(largest difference of the shares, class with the highest, p); one vote per patient and class, 10 votes a class."""
    rows = np.flatnonzero((codes >= 0) & inside)
    if not len(rows):
        return 0.0, "", float("nan")
    frame = pd.DataFrame({"class": codes[rows], "patient": patients[rows], "bad": bad[rows].astype(float)})
    votes = frame.groupby(["class", "patient"], sort=True)["bad"].mean().round().reset_index()
    shares = votes.groupby("class")["bad"].agg(["mean", "sum", "count"])
    shares = shares[shares["count"] >= 10]
    if len(shares) < 2:
        return 0.0, "", float("nan")
    count, hits = shares["count"].to_numpy(float), shares["sum"].to_numpy(float)
    overall = hits.sum() / count.sum()
    if overall in (0.0, 1.0):
        return 0.0, "", float("nan")
    statistic = float(((hits - count * overall) ** 2 / (count * overall * (1 - overall))).sum())
    means = shares["mean"].to_numpy(float)
    return (
        float(means.max() - means.min()),
        classes[int(shares.index.to_numpy()[means.argmax()])],
        float(chi2.sf(statistic, len(shares) - 1)),
    )
