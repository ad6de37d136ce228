"""From the columns that a layout found to a Dataset: one place that makes the frames, in the same order and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from auditor.naming.lexicon import NOT_A_LABEL, words
from auditor.placement.claims import Claims
from auditor.placement.unused import unused_tables
from auditor.values.dataset import RECORD_COLUMNS, Dataset, Problem
from auditor.values.errors import DatasetError
from auditor.values.fields import Field
from auditor.values.labels import Labels, State
from auditor.values.results import DatasetSummary, Guess

ANNOTATION_COLUMNS = ("record", "rater", "label")
OUTLINE = ("outline", "drawn_height", "drawn_width")
"""Columns of boxes that have outlines: these, packed (`auditor.containers.outline`), and the size of the picture that they were
drawn on, where it is said."""
BOX_COLUMNS = ("record", "label", "x0", "y0", "x1", "y1", "path", "line")
MAX_SHOWN_CLASSES = 20
SHOWN_NAMES, MOST_VALUES = 4, 10
"""Columns and classes that a note names; values of a column that may be the label."""
SHOWN_PER_CLASS = 4
_NUMBERS = ("x0", "y0", "x1", "y1")

COUNTS: Mapping[str, str] = {
    "files": "files listed = images + containers + masks + tables + annotations + left_out + other",
    "images": "image files that are records, or that the label table does not list",
    "containers": "npz and npy files that hold many images",
    "masks": "image files that are masks of others",
    "tables": "tables, read or not",
    "annotations": "files of boxes and lists of splits",
    "left_out": "files that are known and are no part of the dataset on purpose",
    "other": "everything else",
    "refused": "listed as problems, not among the files: links out of the dataset, devices, unreadable folders",
    "rows": "rows of the label table = rows_used + rows_malformed",
    "rows_used": "rows that became records, readings or boxes",
    "rows_malformed": "rows that do not fit the header",
    "items": "images inside containers",
    "unlisted": "image files that the label table does not list",
    "missing": "records whose file is not there",
    "outlines": "outlines of objects (polygons, run lengths), beside their boxes",
    "records": "records of the dataset",
}
"""What the keys of `DatasetSummary.counts` mean; only those that apply are there."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a layout found, before it is a Dataset.

    Args:
        claims: what each file was taken for; files are counted from it, and from nothing else.
        ids: record ids, unique.
        columns: columns of `records` (one value per id, None = missing).
        metadata: columns with their description.
        channels: channel → path per record (None: it has no such channel), the first as in `columns["path"]`; empty where a
            record is one file.
        mask_names: value in the masks → what it stands for.
        counts: rows, items, missing and unlisted files: what is no use of a file.
    """

    root: Path
    name: str
    claims: Claims
    ids: Sequence[str]
    labels: Labels
    columns: Mapping[str, Sequence[object] | pd.Series] = field(default_factory=dict)
    metadata: Mapping[str, pd.Series] = field(default_factory=dict)
    fields: Mapping[str, Field] = field(default_factory=dict)
    annotations: pd.DataFrame | None = None
    boxes: pd.DataFrame | None = None
    points: pd.DataFrame | None = None
    rater_masks: pd.DataFrame | None = None
    channels: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    mask_names: Mapping[int, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    guesses: tuple[Guess, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def text_column(values: Sequence[object] | pd.Series, index: pd.Index) -> pd.Series:
    """Text aligned with `index`; None, NA and the empty string are missing."""
    column = pd.Series(np.asarray(values, dtype=object), index=index, dtype=object)
    column = column.where(column.notna() & (column != ""), None)
    return column.astype("str")


def empty_annotations() -> pd.DataFrame:
    """No readings."""
    return pd.DataFrame({name: pd.Series(dtype="str") for name in ANNOTATION_COLUMNS})


def box_frame(rows: Mapping[str, Sequence[object] | pd.Series] | None = None) -> pd.DataFrame:
    """Boxes with the right types; no argument: no boxes."""
    given = rows or {name: [] for name in BOX_COLUMNS}
    frame = pd.DataFrame({name: given[name] for name in BOX_COLUMNS})
    types = {name: "float64" if name in _NUMBERS else "int64" if name == "line" else "str" for name in BOX_COLUMNS}
    return frame.astype(types).reset_index(drop=True)


def with_outlines(boxes: pd.DataFrame, packed: Sequence[bytes], sizes: Sequence[tuple[int, int] | None] = ()) -> pd.DataFrame:
    """Boxes with the outline of each (`OUTLINE`), from which `build` makes `Dataset.shapes`; as they are where none has one.

    Args:
        packed: outline of each box, empty where it has none.
        sizes: height and width of the picture of each, where that is said.
    """
    if not any(packed):
        return boxes
    stated = np.array([size or (np.nan, np.nan) for size in sizes or [None] * len(boxes)], np.float64)
    outlined = boxes.copy(deep=False)
    outlined[OUTLINE[0]] = pd.Series(list(packed), index=boxes.index, dtype=object)
    outlined[OUTLINE[1]], outlined[OUTLINE[2]] = stated.T
    return outlined


def _shapes(boxes: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`Dataset.boxes` and `Dataset.shapes`."""
    boxes = box_frame() if boxes is None else boxes.reset_index(drop=True)
    if OUTLINE[0] not in boxes.columns:
        return boxes, pd.DataFrame()
    has = np.flatnonzero(boxes[OUTLINE[0]].map(lambda packed: isinstance(packed, bytes) and bool(packed)).to_numpy(bool))
    shapes = boxes.iloc[has][["record", *OUTLINE]].rename(columns={OUTLINE[0]: "packed"}).assign(box=has)
    return boxes.drop(columns=list(OUTLINE)), shapes.reset_index(drop=True) if len(has) else pd.DataFrame()


def unique_ids(names: Sequence[str]) -> list[str]:
    """Record ids: the name itself, `name#2` for its second row, and so on."""
    column = pd.Series(np.asarray(names, dtype=object))
    nth = column.groupby(column, sort=False).cumcount().to_numpy()
    if not nth.any():
        return list(names)
    taken = set(names)
    ids: list[str] = []
    for name, count in zip(names, nth.tolist(), strict=True):
        number = count + 1
        candidate = name if count == 0 else f"{name}#{number}"
        while count and candidate in taken:
            number += 1
            candidate = f"{name}#{number}"
        taken.add(candidate)
        ids.append(candidate)
    return ids


def build(draft: Draft) -> Dataset:
    """The Dataset of a draft. Records keep the order of `draft.ids`."""
    index = pd.Index(list(draft.ids), name="record", dtype="str")
    columns: dict[str, pd.Series] = {}
    for name in RECORD_COLUMNS:
        values = draft.columns.get(name)
        if name == "line":
            lines = np.zeros(len(index), np.int64) if values is None else np.asarray(values, dtype=np.int64)
            columns[name] = pd.Series(lines, index=index)
        elif values is None:
            columns[name] = pd.Series(None, index=index, dtype=object).astype("str")
        else:
            columns[name] = text_column(values, index)
    # Not consolidated: for a million records that would hold every number twice.
    metadata = pd.DataFrame({name: column.set_axis(index) for name, column in draft.metadata.items()}, index=index, copy=False)
    boxes, shapes = _shapes(draft.boxes)
    counts = _counts(draft, columns["path"], outlines=len(shapes))
    summary = DatasetSummary(
        name=draft.name,
        layout=draft.claims.layout,
        task=draft.labels.task,
        classes=draft.labels.classes,
        counts=counts,
        guesses=draft.guesses,
        notes=(*draft.notes, *_states_told(draft.labels), *_blanks_told(draft.labels), *_perhaps_labels(draft)),
        samples=samples_of(draft.labels),
    )
    return Dataset(
        root=draft.root,
        summary=summary,
        records=pd.DataFrame(columns, index=index),
        labels=draft.labels,
        annotations=empty_annotations() if draft.annotations is None else draft.annotations,
        boxes=boxes,
        shapes=shapes,
        points=pd.DataFrame() if draft.points is None else draft.points,
        rater_masks=pd.DataFrame() if draft.rater_masks is None else draft.rater_masks,
        channels=_channel_frame(draft),
        mask_names=draft.mask_names,
        metadata=metadata,
        fields=draft.fields,
        problems=(*draft.problems, *_unused(draft, columns["path"])),
    )


def _states_told(labels: Labels) -> list[str]:
    """Which words were taken for states of the work and no classes."""
    if not labels.left_out:
        return []
    words = ", ".join(repr(word) for word in labels.left_out[:6])
    return [f"no classes but states of the work, read as unlabelled: {words}"]


def _blanks_told(labels: Labels) -> list[str]:
    """How many answers are blank, and which classes nobody is said to lack: a blank may have meant no."""
    if labels.states is None or not (blank := int((labels.states == State.NOT_ASSESSED).to_numpy().sum())):
        return []
    told = f"{blank:,} of {labels.states.size:,} answers are blank: read as unknown, not as no"
    denied = (labels.states == State.NEGATIVE).any()
    only = [str(name) for name in labels.classes if not denied[name]]
    more = "" if len(only) <= SHOWN_NAMES else f" and {len(only) - SHOWN_NAMES} more"
    return [f"{told}; nobody lacks {', '.join(only[:SHOWN_NAMES])}{more}: where a blank means no, write 0" if only else told]


def _perhaps_labels(draft: Draft) -> list[str]:
    """Columns of few values, where nothing was taken for the label: the user knows whether one of them is."""
    if draft.labels.task != "none" or draft.annotations is not None or draft.boxes is not None or "mask" in draft.columns:
        return []
    named = {name.removeprefix("table."): values for name, values in draft.metadata.items() if name.startswith("table.")}
    few = [n for n, values in named.items() if 2 <= values.nunique() <= MOST_VALUES and not set(words(n)) & NOT_A_LABEL]
    if not few:
        return []
    told = ", ".join(repr(name) for name in few[:SHOWN_NAMES])
    return [
        f"no column was taken for the label; of few values are {told}: say --label and its name or place if one is the label"
    ]


def _unused(draft: Draft, paths: pd.Series) -> tuple[Problem, ...]:
    """Tables and other files of labels that the layout did not read; none where the user named the table."""
    claims = draft.claims
    if claims.listing is None:
        return ()
    images = paths.dropna().unique().tolist()
    return unused_tables(claims.listing, claims.read, claims.known, images, labelled=draft.labels.task != "none")


def samples_of(labels: Labels) -> dict[str, tuple[str, ...]]:
    """A few records of each class, evenly chosen; none where there are no classes or more than a person would look at."""
    if labels.task not in ("single", "ordinal", "multi") or not 0 < len(labels.classes) <= MAX_SHOWN_CLASSES:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for name in labels.classes:
        inside = labels.values.eq(name) if labels.states is None else labels.states[name].eq(State.POSITIVE)
        ids = [str(record) for record in labels.values.index[inside.fillna(False).to_numpy(bool)]]
        found[str(name)] = tuple(ids[:: max(-(-len(ids) // SHOWN_PER_CLASS), 1)][:SHOWN_PER_CLASS])
    return found


def _channel_frame(draft: Draft) -> pd.DataFrame:
    """`Dataset.channels` of the records that have several."""
    rows = [
        (record, name, paths[i])
        for i, record in enumerate(draft.ids)
        if sum(paths[i] is not None for paths in draft.channels.values()) > 1
        for name, paths in draft.channels.items()
        if paths[i] is not None
    ]
    return pd.DataFrame(rows, columns=["record", "name", "path"]).astype("str") if rows else pd.DataFrame()


def _counts(draft: Draft, paths: pd.Series, *, outlines: int = 0) -> dict[str, int]:
    """Everything that is counted, in the order of `COUNTS`.

    Raises:
        DatasetError: it does not add up: the layout is wrong.
    """
    draft.claims.check_records(paths.dropna().unique().tolist())
    files = draft.claims.counts
    found = {**files, **draft.counts, **({"outlines": outlines} if outlines else {}), "records": len(draft.ids)}
    wrong = [key for key, count in found.items() if key not in COUNTS or count < 0]
    wrong += [key for key in draft.counts if key in files]
    if found.get("rows", 0) != found.get("rows_used", 0) + found.get("rows_malformed", 0):
        wrong.append("rows")
    if wrong:
        raise DatasetError(
            f"the layout {draft.claims.layout} counts what does not add up ({', '.join(wrong)}); mend the layout"
        )
    return {key: int(found[key]) for key in COUNTS if key in found}


def no_labels(ids: Sequence[str]) -> Labels:
    """Labels of records that have none."""
    index = pd.Index(list(ids), name="record", dtype="str")
    return Labels(task="none", values=pd.Series(None, index=index, dtype=object).astype("str"))
