"""The scan of a copy beside that of its dataset: under the names that records have there, and which files it looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Finding, ScanResult
from trainers.copying.applied import Applied
from trainers.copying.beside import BOXES

WHOLE = frozenset(("boxes", "outlines", "marks", "readings"))
"""Parts that no strategy changes: not one may be missing."""


def renamed_images(applied: Applied) -> dict[str, tuple[str, str]]:
    """Path in the copy → record id and path in the dataset."""
    moved = [e.correction for e in applied.entries if e.applied and e.correction.field == "path"]
    return {c.new: (c.record, c.old) for c in moved}


def under_old_names(result: ScanResult, renamed: Mapping[str, tuple[str, str]]) -> ScanResult:
    """The scan of a copy with its records under the names that they have in the dataset, so that findings can be matched."""

    def old(text: Cell, *, record: bool) -> Cell:
        return renamed[text][0 if record else 1] if isinstance(text, str) and text in renamed else text

    def finding(found: Finding) -> Finding:
        where = replace(found.where, path=old(found.where.path, record=False), record=old(found.where.record, record=True))  # type: ignore[arg-type]
        evidence = {key: old(value, record=True) for key, value in found.evidence.items()}
        return replace(found, where=where, subject=str(old(found.subject, record=False)), evidence=evidence)

    outcomes = tuple(
        o if o.verdict is None else replace(o, verdict=replace(o.verdict, findings=tuple(map(finding, o.verdict.findings))))
        for o in result.outcomes
    )
    thumbnails = {str(old(record, record=True)): picture for record, picture in result.thumbnails.items()}
    return replace(result, outcomes=outcomes, thumbnails=thumbnails) if renamed else result


def named_as(after: ScanResult, before: ScanResult, boxes: Mapping[str, str] = {}) -> ScanResult:
    """The second scan under the name of the first: it is the same dataset, wherever the copy lies.

    Args:
        boxes: record → the file that holds its boxes in the dataset, where the copy has them in a table of its own
            (`files_of_boxes`): what is found of them there is found of the same box.
    """

    def finding(found: Finding) -> Finding:
        file = boxes.get(found.where.record or "") if found.where.path == BOXES else None
        return found if file is None else replace(found, where=replace(found.where, path=file, line=None))

    outcomes = tuple(
        o if o.verdict is None else replace(o, verdict=replace(o.verdict, findings=tuple(map(finding, o.verdict.findings))))
        for o in after.outcomes
    )
    return replace(after, dataset=replace(after.dataset, name=before.dataset.name), outcomes=outcomes)


def files_of_boxes(dataset: Dataset) -> dict[str, str]:
    """Record → the one file that holds its boxes; records with boxes in several are left out."""
    if not len(dataset.boxes):
        return {}
    files = dataset.boxes.groupby("record", sort=False)["path"].agg(["nunique", "first"])
    return {str(record): str(path) for record, many, path in files.itertuples() if many == 1}


def looked_at(dataset: Dataset, copy: Dataset, applied: Applied) -> set[str]:
    """The files, by their names in the dataset, that the scan of its copy looked at, and those of the records that left.

    What is no longer found in any other file is not mended: nobody looked.
    """
    renamed = renamed_images(applied)
    gone = {r.record for r in applied.removals if r.applied}
    seen = {renamed[path][1] if path in renamed else path for path in files_of(copy)}
    return seen | files_of(dataset, only=gone) | {path.name for path in applied.output.iterdir()}


def parts_lost(dataset: Dataset, copy: Dataset, applied: Applied) -> tuple[str, ...]:
    """What the records that stay had and the scan of the copy did not see, in words: where less is seen, less is found."""
    gone = {r.record for r in applied.removals if r.applied}
    had, has = parts_of(dataset, without=gone), parts_of(copy)
    return tuple(words for words, many in had.items() if has[words] < (many if words in WHOLE else min(many, 1)))


def parts_of(dataset: Dataset, *, without: Collection[str] = ()) -> dict[str, int]:
    """How many of each part the records have.

    Args:
        without: records that do not count.
    """
    stay = ~dataset.records.index.isin(list(without))
    frames = {
        "boxes": dataset.boxes, "outlines": dataset.shapes, "marks": dataset.points, "readings": dataset.annotations,
        "masks of several readers": dataset.rater_masks, "further channels": dataset.channels,
    }  # fmt: skip
    found = {words: int((~frame["record"].isin(list(without))).sum()) if len(frame) else 0 for words, frame in frames.items()}
    found["labels"] = int(dataset.labels.values[stay].notna().sum()) if dataset.labels.task != "none" else 0
    for words, role in (("splits", "split"), ("patients", "patient"), ("masks", "mask")):
        found[words] = int(dataset.records[role][stay].notna().sum()) if role in dataset.records.columns else 0
    return found


def files_of(dataset: Dataset, only: Collection[str] | None = None) -> set[str]:
    """The files that a scan looked at, of all records or some of them, and those that it spoke of as amiss.

    Args:
        only: records.
    """
    frames = [(dataset.records.assign(record=dataset.records.index), name) for name in ("path", "mask")]
    frames += [(frame, "path") for frame in (dataset.rater_masks, dataset.channels) if "path" in frame]
    found: set[str] = set()
    for frame, name in frames:
        found |= set((frame if only is None else frame[frame["record"].isin(only)])[name].dropna().astype(str))
    return found | {p.path for p in dataset.problems if only is None or (p.record is not None and p.record in only)}
