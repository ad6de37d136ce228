"""Dataset: the one immutable table of records, and what the stages add to it.

Every frame is indexed by record id (strings, unique, the same order everywhere). Stages return a new Dataset
(`dataclasses.replace`); nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.drawings import Drawings
from auditor.values.fields import Field
from auditor.values.judgements import Judgements
from auditor.values.label_rows import LabelRows
from auditor.values.labels import Labels
from auditor.values.mask_scores import MaskScores
from auditor.values.predicted_objects import PredictedObjects
from auditor.values.predictions import Predictions
from auditor.values.privacy import Privacy, TableLook
from auditor.values.results import DatasetSummary, Guess
from auditor.values.reviews import Review
from auditor.values.sketches import Sketched

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


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A file or row that could not be used. `kind` as in `UnreadableFile`, or `missing`, `unlisted`, `outside-root`."""

    kind: str
    path: str
    reason: str
    record: str | None = None
    line: int | None = None


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
        shapes: outlines of objects, not drawn: `record`, `box` (position in `boxes`), `packed` (bytes,
            `auditor.containers.outline`), `drawn_height`, `drawn_width` (as the annotations say; NaN: they do not); empty
            where there is none.
        points: marks without extent, by rater: `record`, `rater`, `label`, `x`, `y` (pixels, float; NaN: nothing was marked).
        metadata: one column per field (`container.bit_depth`, `dicom.Manufacturer`, `table.View Position`, `path.extension`);
            numbers stay numbers, everything else is text; identifying values are hashed.
        fields: description of each metadata column.
        problems: files and rows that could not be used.
        rater_masks: masks by several raters: `record`, `rater`, `path`, `problem` (why it is not compared; empty: it is); empty
            where there is one mask per record at most. `auditor.evidence.raters.mask_overlap` adds `sensitivity`,
            `specificity`.
        channels: of records that are several files (T1, FLAIR): `record`, `name`, `path`, a row per channel, the first of which
            is `records.path`; `extract` adds `problem`, `bytes`, `pixels`, `frames`, `height`, `width`
            (`auditor.measuring.channels`). A report names the record once.
        mask_names: value in the masks → what it stands for, where the dataset says it; empty otherwise.
        mask_pairs: how far two raters' masks of one record agree: `record`, `rater_a`, `rater_b`, `dice`, `hd95_pixels`.
        masks: one row per record and mask, see `auditor.evidence.masks.mask_facts.MASK_COLUMNS`; empty before `extract`.
        rows: the label table by row, for whoever writes into it; None where there is none or nobody asked for it.
        checksums: one row per declared checksum, see `auditor.evidence.quality.checksums.CHECKSUM_COLUMNS`; empty where there
            is none.
        facts: one row per record: what the files say about themselves beyond the fields (`auditor.values.image.Header.facts`).

        features: float32 columns named `<feature module>.<name>`; NaN where there are no pixels.
        fingerprints: `bytes`, `pixels` (hex digests; missing = NA), `constant` (bool).
        thumbnails: record → JPEG bytes, longest side ≤ 96.
        outlines: path of a mask of one frame → its outlines (`auditor.evidence.masks.outlines`), PNG, longest side ≤ 96; of
            outlines that were drawn, path of the annotations, `\\x1f` and record.
        drawings: what `shapes` are once drawn; None before that stage, or without any.
        fronts: record → what tells whether a face can be seen (`auditor.evidence.privacy.face.face_facts`); CT and MR alone.
        texts: words of the free texts in the header (descriptions, comments), lower case, per record; text, NA where there are
            none; empty when no header has any. May identify: checks look into it and show none of it.
        sketches: what near-duplicates are looked for with; None before `extract`.
        links: pairs: `record_a`, `record_b`, `evidence` (see auditor.values.links.EVIDENCE), `score`, `how` (what was done, in
            words).
        predictions: out-of-fold probabilities, or None.
        judgements: the labels judged by the predictions, for whoever asks; None before that stage.
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

    shapes: pd.DataFrame = field(default_factory=pd.DataFrame)
    points: pd.DataFrame = field(default_factory=pd.DataFrame)
    rater_masks: pd.DataFrame = field(default_factory=pd.DataFrame)
    channels: pd.DataFrame = field(default_factory=pd.DataFrame)
    mask_names: Mapping[int, str] = field(default_factory=dict)
    mask_pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    masks: pd.DataFrame = field(default_factory=pd.DataFrame)
    facts: pd.DataFrame = field(default_factory=pd.DataFrame)
    rows: LabelRows | None = None
    checksums: pd.DataFrame = field(default_factory=pd.DataFrame)
    features: pd.DataFrame = field(default_factory=pd.DataFrame)
    fingerprints: pd.DataFrame = field(default_factory=pd.DataFrame)
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    outlines: Mapping[str, bytes] = field(default_factory=dict)
    drawings: Drawings | None = None
    fronts: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    texts: pd.Series = field(default_factory=lambda: pd.Series(dtype="string"))
    sketches: Sketched | None = None
    links: pd.DataFrame = field(default_factory=pd.DataFrame)
    predictions: Predictions | None = None
    judgements: Judgements | None = None
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
