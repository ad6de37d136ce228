"""Dataset: the one immutable table of records, and what the stages add to it.

Every frame is indexed by record id (strings, unique, the same order everywhere). Stages return a new Dataset
(`dataclasses.replace`); nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.labels.review import Review
from auditor.evidence.likeness.sketches import Sketches
from auditor.values.fields import Field
from auditor.values.mask_scores import MaskScores
from auditor.values.predicted_objects import PredictedObjects
from auditor.values.privacy import Privacy, TableLook
from auditor.values.results import DatasetSummary, Guess

Task = Literal["none", "single", "multi", "ordinal", "continuous"]

ROLES: tuple[str, ...] = (
    "path", "label", "split", "patient", "lesion", "study", "series", "site", "fold", "time", "rater", "mask", "box",
)  # fmt: skip
"""Roles a column or a folder can have. `path`, `label`, `rater`, `box` are consumed; the others are columns of `records`."""

RECORD_COLUMNS: tuple[str, ...] = (
    "path", "item", "line", "split", "patient", "lesion", "study", "series", "site", "fold", "time", "mask",
)  # fmt: skip
"""Columns of `Dataset.records`: text (missing = NA), except `line` (1-based line of the label table, 0 = none).

`path` is relative to the root, with forward slashes. `item` names one image inside a file of many
(`train_images:12` in an npz); empty where the file is the record.
"""


class State(IntEnum):
    """What a table says about one class of one record (multi-label). Only the first two are labels."""

    NEGATIVE = 0
    POSITIVE = 1
    UNCERTAIN = -1
    NOT_MENTIONED = -2
    NOT_ASSESSED = -3


@dataclass(frozen=True, kw_only=True)
class OneClass:
    """One class against the rest: `known` and `positive` are boolean, shape (records,)."""

    name: str
    known: npt.NDArray[np.bool_]
    positive: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labels of the records.

    Args:
        task: `none` where there is no label.
        values: single, ordinal: class name per record (missing = NA); continuous: the number as float; multi: joined text.
        states: multi only: int8 frame (records × classes) of `State`.
        classes: class names; sorted for single and multi, in grade order for ordinal; empty for continuous.
        level: what one label speaks about.
        origin: where it came from: `class folder`, or the column name(s). That field is never called a leak.
    """

    task: Task
    values: pd.Series
    states: pd.DataFrame | None = None
    classes: tuple[str, ...] = ()
    level: Literal["image", "series", "study", "lesion", "eye", "patient"] = "image"
    origin: str = ""

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Class index per record, −1 where unlabelled; shape (records,). For single and ordinal labels."""
        return pd.Categorical(self.values, categories=list(self.classes)).codes.astype(np.int64)

    def one_vs_rest(self) -> Iterator[OneClass]:
        """Every class against the rest, for single, ordinal and multi-label alike; of two classes, the rarer alone."""
        if self.task == "multi":
            assert self.states is not None
            for name in self.classes:
                column = self.states[name].to_numpy()
                yield OneClass(name=name, known=column >= 0, positive=column == State.POSITIVE)
        elif self.task in ("single", "ordinal"):
            codes = self.codes
            known = codes >= 0
            present = [i for i in range(len(self.classes)) if (codes == i).any()]
            if len(present) == 2:
                present = [min(present, key=lambda i: int((codes == i).sum()))]
            for i in present:
                yield OneClass(name=self.classes[i], known=known, positive=codes == i)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A file or row that could not be used. `kind` as in `UnreadableFile`, or `missing`, `unlisted`, `outside-root`."""

    kind: str
    path: str
    reason: str
    record: str | None = None
    line: int | None = None


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Class probabilities of every record by a model that did not train on it.

    Args:
        probabilities: float32, shape (records, classes), rows aligned with `Dataset.records`; NaN rows = not predicted. Of a
            continuous label the predicted number, in one column called `value`.
        classes: names of the columns.
        origin: `built-in probe`, or the file name.
        out_of_fold: False when declared in-sample.
        margins: float32, shape (records,): how far networks were ahead with the given label while they learnt from it (logit of
            that class less the largest other, mean over the first half of the epochs and all folds that held the record);
            NaN = not learnt from. None where nothing was trained for the scan, and for labels that are not exclusive classes.
        remembered: what several checks derive from these numbers, kept so that it is computed once; no part of the value.
    """

    probabilities: npt.NDArray[np.float32]
    classes: tuple[str, ...]
    origin: str
    out_of_fold: bool = True
    folds: int = 0
    margins: npt.NDArray[np.float32] | None = None
    remembered: dict[str, object] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Design:
    """`[design]` of medaudit.toml: how the collection was made, and what a model will read."""

    kind: Literal["", "consecutive", "case-control", "screening", "multi-site", "temporal", "external-test"] = ""
    strata: tuple[str, ...] = ()
    inputs: tuple[str, ...] | None = None
    splits: Literal["", "random", "by-site", "by-time", "official"] = ""
    pseudonyms: str = ""


@dataclass(frozen=True, kw_only=True)
class Known:
    """Another collection that was looked for in this dataset (`auditor.stages.known`).

    Args:
        name: of the file of its hashes.
        images: how many it holds.
        evidence: per record `bytes` or `pixels` where it is one of them, `looks` where it looks like one of them (a candidate:
            compared by keyed words, never on pixels), else NA.
        shared: per record how many spots it has in common with the image most like it; None where the file has no words.
    """

    name: str
    images: int
    evidence: pd.Series
    shared: pd.Series | None = None


def empty_frame(index: pd.Index) -> pd.DataFrame:
    """A frame without columns on `index`."""
    return pd.DataFrame(index=index)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One dataset at some stage of a scan.

    Layouts fill the first block; `extract`, `link` and `predict` the second.

    Args:
        root: the folder that `path` is relative to.
        summary: name, layout, counts that add up, guesses of roles.
        records: indexed by record id; columns `RECORD_COLUMNS`.
        labels: the labels, aligned with `records`.
        annotations: one row per reading: `record`, `rater`, `label` [, `time`, `session`, `seconds`, `position`]; text
            columns; empty if none.
        boxes: `record`, `label`, `x0`, `y0`, `x1`, `y1` (pixels, float), `path`, `line` [, `rater`].
        points: marks without extent, by rater: `record`, `rater`, `label`, `x`, `y` (pixels, float; NaN: nothing was marked).
        metadata: one column per field (`container.bit_depth`, `dicom.Manufacturer`, `table.View Position`, `path.extension`);
            numbers stay numbers, everything else is text; identifying values are hashed.
        fields: description of each metadata column.
        problems: files and rows that could not be used.
        rater_masks: masks by several raters: `record`, `rater`, `path`, `problem` (why it is not compared; empty: it is); empty
            where there is one mask per record at most. `auditor.evidence.raters.mask_readings` adds `sensitivity`,
            `specificity`.
        mask_pairs: how far two raters' masks of one record agree: `record`, `rater_a`, `rater_b`, `dice`, `hd95_pixels`.
        masks: one row per record and mask, see `auditor.evidence.masks.mask_facts.MASK_COLUMNS`; empty before `extract`.
        checksums: one row per declared checksum, see `auditor.evidence.quality.checksums.CHECKSUM_COLUMNS`; empty where there
            is none.
        facts: one row per record: what the files say about themselves beyond the fields (`auditor.values.image.Header.facts`).

        features: float32 columns named `<feature module>.<name>`; NaN where there are no pixels.
        fingerprints: `bytes`, `pixels` (hex digests; missing = NA), `constant` (bool).
        thumbnails: record → WebP bytes, longest side ≤ 96.
        fronts: record → what tells whether a face can be seen (`auditor.evidence.privacy.face.face_facts`); CT and MR alone.
        texts: words of the free texts in the header (descriptions, comments), lower case, per record; text, NA where there are
            none; empty when no header has any. May identify: checks look into it and show none of it.
        sketches: what near-duplicates are looked for with; None before `extract`.
        links: pairs: `record_a`, `record_b`, `evidence` (see auditor.stages.link.EVIDENCE), `score`, `how` (what was done, in
            words).
        predictions: out-of-fold probabilities, or None.
        mask_scores: drawn masks beside predicted ones, or None where no masks were predicted.
        predicted_objects: boxes or points that a model saw, or None where none were predicted.
        reviews: what people answered about some of the labels.
        known: other collections that were looked for in this one.
        design: declared by the user.
        privacy: what the user declares to be no identifier.
        exposure: which identifying fields each file holds, never their values (`auditor.evidence.privacy.exposure.KINDS`).
        tables: what the tables that lie there seem to tell of people.
    """

    root: Path
    summary: DatasetSummary
    records: pd.DataFrame
    labels: Labels
    annotations: pd.DataFrame
    boxes: pd.DataFrame
    metadata: pd.DataFrame
    fields: Mapping[str, Field]
    problems: tuple[Problem, ...] = ()

    points: pd.DataFrame = field(default_factory=pd.DataFrame)
    rater_masks: pd.DataFrame = field(default_factory=pd.DataFrame)
    mask_pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    masks: pd.DataFrame = field(default_factory=pd.DataFrame)
    facts: pd.DataFrame = field(default_factory=pd.DataFrame)
    checksums: pd.DataFrame = field(default_factory=pd.DataFrame)
    features: pd.DataFrame = field(default_factory=pd.DataFrame)
    fingerprints: pd.DataFrame = field(default_factory=pd.DataFrame)
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    fronts: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    texts: pd.Series = field(default_factory=lambda: pd.Series(dtype="string"))
    sketches: Sketches | None = None
    links: pd.DataFrame = field(default_factory=pd.DataFrame)
    predictions: Predictions | None = None
    mask_scores: MaskScores | None = None
    predicted_objects: PredictedObjects | None = None
    reviews: tuple[Review, ...] = ()
    known: tuple[Known, ...] = ()
    design: Design = Design()
    privacy: Privacy = field(default_factory=Privacy)
    exposure: pd.DataFrame = field(default_factory=pd.DataFrame)
    tables: tuple[TableLook, ...] = ()

    @property
    def size(self) -> int:
        """Number of records."""
        return len(self.records)

    def has(self, role: str) -> bool:
        """True when the column `role` of `records` holds at least one value."""
        return role in self.records.columns and bool(self.records[role].notna().any())

    def guess(self, role: str) -> Guess | None:
        """How `role` was found, or None."""
        return next((g for g in self.summary.guesses if g.role == role), None)
