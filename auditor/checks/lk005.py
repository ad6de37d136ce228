"""LK005: cheap properties of the pixels give the class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Need, SkipCheck
from auditor.evidence.leakage.column_check import ColumnCheck
from auditor.evidence.leakage.drawn_marks import (
    MARKS,
    NEEDS,
    PADDED,
    JudgedMark,
    encodings_of,
    gravest,
    ids_in_words,
    judge_marks,
    marks_of,
)
from auditor.feature import feature_needs
from auditor.statistics.contingency import contingency_table, histogram_chart
from auditor.statistics.derived import Answer, drawn
from auditor.statistics.told import (
    contingency,
    coverage_of,
    evidence_of,
    fields_table,
    figures_in_words,
    independence_note,
    intervals_chart,
    none_told,
)
from auditor.values.dataset import Dataset
from auditor.values.fields import Field
from auditor.values.results import Cell, Finding, Severity, Verdict

_BRIGHTNESS = "brightness"
_CONTRAST = "contrast"
_COLOUR = "colour"
_LEVELS = "grey levels"
_CLIPPING = "clipping"
_BORDER = "border and padding"
_TEXT = "marks and text"
_TRACES = "compression traces"

PROPERTIES: Mapping[str, tuple[str, str]] = {
    "intensity.mean": (_BRIGHTNESS, "mean brightness"),
    **{f"intensity.p{p:02d}": (_BRIGHTNESS, f"{p}th percentile of brightness") for p in (1, 5, 10, 25, 50, 75, 90, 95, 99)},
    "intensity.sd": (_CONTRAST, "standard deviation of brightness"),
    "intensity.skewness": (_CONTRAST, "skewness of the histogram"),
    "intensity.entropy_bits": (_CONTRAST, "entropy of the histogram"),
    "intensity.red_mean": (_COLOUR, "mean red"),
    "intensity.green_mean": (_COLOUR, "mean green"),
    "intensity.blue_mean": (_COLOUR, "mean blue"),
    "traces.colour_fraction": (_COLOUR, "share of coloured pixels"),
    "intensity.stored_levels": (_LEVELS, "number of distinct stored grey levels"),
    "intensity.range_used_fraction": (_LEVELS, "share of the stored range in use"),
    "traces.level_gap_fraction": (_LEVELS, "share of grey levels left out"),
    "traces.level_step": (_LEVELS, "step between stored grey levels"),
    "intensity.at_min_fraction": (_CLIPPING, "share of pixels at the smallest value"),
    "intensity.at_max_fraction": (_CLIPPING, "share of pixels at the largest value"),
    "border.mean": (_BORDER, "mean brightness of the border"),
    "border.sd": (_BORDER, "contrast of the border"),
    "border.padding_top_fraction": (_BORDER, "padding at the top"),
    "border.padding_bottom_fraction": (_BORDER, "padding at the bottom"),
    "border.padding_left_fraction": (_BORDER, "padding on the left"),
    "border.padding_right_fraction": (_BORDER, "padding on the right"),
    "border.padding_fraction": (_BORDER, "padded share of the area"),
    "border.padding_level": (_BORDER, "brightness of the padding"),
    "border.corner_text_top_left": (_TEXT, "strong steps in the top left corner"),
    "border.corner_text_top_right": (_TEXT, "strong steps in the top right corner"),
    "border.corner_text_bottom_left": (_TEXT, "strong steps in the bottom left corner"),
    "border.corner_text_bottom_right": (_TEXT, "strong steps in the bottom right corner"),
    "traces.blockiness": (_TRACES, "blockiness on an 8 × 8 grid"),
    "traces.dct_zero_fraction": (_TRACES, "share of frequencies that are nought"),
}
"""Feature column → its group and what it is. One finding per group: percentiles of one histogram say the same thing."""

SHARES: Mapping[str, tuple[str, str]] = {
    "colour.red_share": (_COLOUR, "share of red in the colour"),
    "colour.blue_share": (_COLOUR, "share of blue in the colour"),
}
"""Made of the means: how bright a picture is hides a cast that a stain, a lamp or a white balance gives a whole class."""

_PLACED: Mapping[str, tuple[str, str]] = {
    **PROPERTIES,
    **SHARES,
    **{name: (_BORDER if name == PADDED else _TEXT, what) for name, what in MARKS.items()},
}
"""Every column that is asked, the yes and no of `MARKS` among them."""

_REMEDY: Mapping[str, str] = {
    _BRIGHTNESS: "normalise the brightness of all records alike (calibrated values are lost)",
    _CONTRAST: "normalise the contrast of all records alike (calibrated values are lost)",
    _COLOUR: "normalise colour or stain, or write all records in grey (colour as a sign of disease is lost)",
    _LEVELS: "export all records from their originals at one depth and one range",
    _CLIPPING: "export all records with one window, wide enough to clip none",
    _BORDER: "crop borders and padding away, in all records alike (what stands there is lost)",
    _TEXT: "remove burned-in marks and text, in all records alike",
    _TRACES: "export all records from their originals with one codec and quality",
}


@dataclass(frozen=True, kw_only=True)
class CheapPixels(ColumnCheck):
    """Cheap properties of the pixels give the class.

    ## What it does

    Asks of each of about thirty numbers that need no understanding of the picture how well it alone tells every class from
    the rest: percentiles of brightness, mean colour and its cast, number of grey levels and gaps between them, share of the
    stored range, clipping, padding, brightness of the border, strong steps in the corners (writing), blocks and missing
    frequencies of an earlier compression. Folds never part a patient; AUC, interval and test are those of LK001. Reports
    one finding per group of properties when the false discovery rate is at most `max_q` and the AUC at least `min_auc`.
    Declared strata (`[design]`) must be passed within as well. Pictures that could not be read take no part.

    What was laid over the pictures or left at their edge is judged as LK001 judges an encoding: whether lines of one value
    stand at the edge (or padding of at most four widths), whether a row of letters stands in the outer part, whether a mark
    stands in a corner while two other corners have none. That is an error where the interval begins at `max_auc`; without
    usable patient ids it must begin there with every ten images taken for one patient's (about 50 images in each of two
    classes).

    ## Why is this bad?

    A model takes the easiest way. Where the mean colour alone tells a tissue class, or the number of grey levels a diagnosis,
    a high accuracy proves little. But a disease may be bright, and a machine may make it so: no test on pixels can tell
    anatomy from artefact. So this warns and shows. A frame, a ruler or a marker of one class alone is no disease: that blocks.

    ## How to fix

    Look at pictures of both classes with low and high values side by side. If it is an artefact: export again from the
    originals in one way, normalise, or crop (at the price of the information that goes with it); balance the property
    between the classes (the prevalence changes); or collect the missing combinations. If it is the disease: waive the finding
    with that reason, and report what the property alone reaches beside the model's result.

    ## Options

    * `min_auc` (0.70): smallest AUC that is reported.
    * `max_auc` (0.75): what was drawn is an error when its interval's lower end is at or above this.
    * `max_q` (0.05): false discovery rate over the properties.
    * `min_records` (10), `min_patients` (3): what a class needs, on either side.
    * `max_records` (100000): whole patients up to about this many records are used.
    * `draws` (2000): most permutations per level. `test_records` (30000): records that the test uses, whole patients.
    * `folds` (5), `seed` (0).

    ## References

    Ignatov & Malivenko 2024, arXiv:2409.11546 (mean colour tells tissue in NCT-CRC-HE). Wang, Sheikh & Bovik 2002, ICIP
    (blockiness). Winkler et al. 2019, JAMA Dermatology 155:1135 (marks on skin). Zech et al. 2018, PLoS Med 15:e1002683.
    """

    code: ClassVar[str] = "LK005"
    name: ClassVar[str] = "cheap-pixels"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = feature_needs(*sorted({name.partition(".")[0] for name in PROPERTIES} | {*NEEDS}))

    min_auc: float = 0.70
    max_auc: float = 0.75
    max_records: int = 100_000

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every property. Raises SkipCheck: no label, one class, no picture read."""
        whole, dataset = dataset, drawn(dataset, records=self.max_records, seed=self.seed, needs=self.needs)
        names = [name for name in PROPERTIES if name in dataset.features.columns]
        if dataset.labels.task != "none" and not names:
            raise SkipCheck("there are no pixel features: no image was read")
        frame = pd.concat([dataset.features[names], colour_shares(dataset.features), marks_of(dataset.features)], axis=1)
        names = list(frame.columns)
        seen = np.asarray(frame.notna().any(axis=1).to_numpy(dtype=bool)) if names else np.zeros(dataset.size, bool)
        if names and not seen.any():
            raise SkipCheck("there are no pixel features: no image was read")
        fields = {name: Field(name=name, kind="acquisition", survives_decoding=True) for name in names}
        found = self.answered(dataset, frame.apply(_column, seen=seen), fields, seen=seen, pixels=True)
        question = found.question
        encodings = () if question.clusters.usable else encodings_of(dataset, question)
        judged = judge_marks(found, dataset.features, encodings, max_auc=self.max_auc, max_q=self.max_q)
        groups: dict[str, list[JudgedMark]] = {}
        for row in found.told:
            groups.setdefault(_PLACED[row.name][0], []).append(judged[row.name])
        findings = tuple(self._finding(found, group, members) for group, members in groups.items())
        heads = [gravest(members).row for members in groups.values()]
        shown = [contingency(found, row, fields[row.name]) for row in heads]
        table = fields_table(
            found,
            {name: what for name, (_, what) in _PLACED.items()},
            name="properties",
            title="Every pixel property tested",
        )
        unseen = int((~seen).sum())
        return Verdict(
            summary=self._summary(found, findings),
            metrics=self._metrics(found, findings),
            findings=findings,
            tables=(table, contingency_table(shown)) if shown else (table,),
            charts=(
                intervals_chart(
                    table,
                    {"warning": self.min_auc, "error": self.max_auc},
                    title="How well each property tells its best class (AUC, 95 % interval)",
                ),
                *(histogram_chart(one) for one in shown),
            ),
            coverage=coverage_of(whole, question, (f"{unseen:,} records have no pixels",) if unseen else ()),
        )

    def _finding(self, found: Answer, group: str, members: list[JudgedMark]) -> Finding:
        head = gravest(members)
        best, question = head.row, found.question
        more = len(members) - 1
        others = f"; so {'does 1 more property' if more == 1 else f'do {more} more properties'} of {group}" if more else ""
        what = _PLACED[best.name][1]
        told = f"{what}{'' if best.name in MARKS else ' alone'} {figures_in_words(found, best)}{others}"
        if head.drawn:
            message = (
                f"{told}{ids_in_words(head, question)}; how the pictures were written, not what they show: {_REMEDY[group]}"
            )
        else:
            message = (
                f"{told}{independence_note(question)}; anatomy or artefact, no test on pixels can tell: compare the classes "
                f"by eye, then {_REMEDY[group]}, balance it between the classes (the prevalence changes), or waive it with "
                "a reason"
            )
        evidence: dict[str, Cell] = {"group": group, "properties_told": len(members), **evidence_of(found, best)}
        if head.reading is not None:
            evidence["low_without_ids"] = round(head.reading.low, 4)
        return replace(self.finding_of(best, message, evidence, field=best.name, subject=group), severity=head.severity)

    def _summary(self, found: Answer, findings: tuple[Finding, ...]) -> str:
        note = found.question.clusters.sentence
        if not found.rows:
            return f"All pixel properties hold one value: none can tell the class.{note}"
        if findings:
            best = found.told[0]
            what = f"{_PLACED[best.name][1].capitalize()}{'' if best.name in MARKS else ' alone'}"
            return (
                f"{what} {figures_in_words(found, best)}; "
                f"{len(found.told)} of {len(found.rows)} pixel properties tell a class.{note}"
            )
        return f"{none_told(found, 'pixel properties')}.{note}"

    def _metrics(self, found: Answer, findings: tuple[Finding, ...]) -> dict[str, Cell]:
        return {
            "properties_tested": len(found.rows),
            "properties_told": len(found.told),
            "groups_told": len(findings),
            "largest_auc": round(found.rows[0].measured.auc, 4) if found.rows else None,
            "detectable_auc": round(found.detectable, 4),
            "rows_assumed_independent": found.question.clusters.independent,
        }


def colour_shares(features: pd.DataFrame) -> pd.DataFrame:
    """Red and blue over the sum of all three means; NaN for grey and for black pictures. Columns of `SHARES`, or none."""
    channels = [f"intensity.{colour}_mean" for colour in ("red", "green", "blue")]
    if not set(channels) <= set(features.columns):
        return pd.DataFrame(index=features.index)
    red, green, blue = (features[name].to_numpy(dtype=np.float64) for name in channels)
    total = red + green + blue
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {name: np.where(total > 0, part / total, np.nan) for name, part in zip(SHARES, (red, blue), strict=True)}
    return pd.DataFrame(shares, index=features.index).round(5)


def _column(column: pd.Series, seen: np.ndarray) -> pd.Series:
    """Float64; an unread picture takes the median, so that being unreadable is no value (its label is not asked either)."""
    values = column.to_numpy(dtype=np.float64)
    finite = values[seen & np.isfinite(values)]
    return pd.Series(np.where(seen, values, np.median(finite) if finite.size else np.nan), index=column.index, name=column.name)
