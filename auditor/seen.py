"""How much of a dataset a scan could look at: the questions that matter most, and what keeps silence from being a pass.

A list of 79 checks tells nobody whether the few were asked on which a dataset stands or falls. Which of them a dataset calls
for follows from what lies there (a table without pictures has no copies to look for); which of them this scan was to ask, from
the checks that were selected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from auditor.checks.in001 import BROKEN, UNDECODED
from auditor.evidence.kin.identity import can_tell, identity
from auditor.evidence.masks.undrawn import with_mask, without_mask
from auditor.evidence.objects.outline_verdict import hardly_drawn, undrawn
from auditor.evidence.quality.slides import slides_told
from auditor.gate import Seen, looked
from auditor.naming.suffixes import suffix_of
from auditor.tables.tables import table_format
from auditor.unsure import undecided
from auditor.values.dataset import Dataset
from auditor.values.results import Outcome, Question

NO_PIXELS = "pixels were not read (--no-pixels)"
"""Why a check was left out where the user wanted headers alone: it keeps the verdict from being a pass."""
UNUSED_TABLE = "unused-table"
"""Kind of a problem: a table or another file of labels that lies there, and that nothing reads."""
UNREAD_KINDS = frozenset((*BROKEN, *UNDECODED, "unread"))
"""Kinds of problems that leave a file unseen; `unread`: of an image format without a reader, and named by nothing."""
MIN_FAMILY = 3
"""So many files of one suffix, or `MIN_SHARE` of all, are a family that must not be overlooked."""
MIN_SHARE = 0.1
NO_LABEL = "neither a table nor folders nor masks say what the records show"
MIN_LABELLED = 0.5
"""A smaller share of records with a label, or of images with a mask, is told in the verdict."""
LEFT_OUT = 0.1
"""Where so many of the image files are named by nothing, most of a dataset may lie outside the audit."""


def is_any(dataset: Dataset) -> bool:  # noqa: ARG001
    """Every dataset calls for it."""
    return True


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One question: the codes (or prefixes) of the checks that ask it, when a dataset calls for it, and what it lacks."""

    subject: str
    codes: tuple[str, ...]
    lacks: Callable[[Dataset, Sequence[Outcome]], str]
    fits: Callable[[Dataset], bool] = is_any


def seen_of(dataset: Dataset, outcomes: Iterable[Outcome]) -> Seen:
    """What was seen of a dataset by checks that have run.

    Args:
        dataset: as the checks saw it.
        outcomes: of the selected checks, waivers marked.
    """
    outcomes = tuple(outcomes)
    questions = tuple(_questions(dataset, outcomes))
    unlabelled = [q for q in questions if q.subject == "labels" and not q.asked]
    unread, families = _unread(dataset, _waived(outcomes))
    unused = sorted({p.path for p in dataset.problems if p.kind == UNUSED_TABLE})
    gaps = [f"{'no label was found' if q.why == NO_LABEL else 'few labels'}: {q.why}" for q in unlabelled]
    if unread:
        whole = f", among them all of {', '.join(families)}" if families else ""
        gaps.append(f"{unread:,} of {_files(dataset):,} image files could not be read{whole}")
    left = _unnamed(dataset, _waived(outcomes))
    every = max(_files(dataset), dataset.size) + left  # a file may hold many images
    if left >= LEFT_OUT * every and left:
        gaps.append(f"{left:,} of {every:,} images are named by nothing, and were not looked at")
    files = [path for path in unused if suffix_of(path)]
    if files:
        named = ", ".join(files[:3]) + (f" and {len(files) - 3:,} more" if len(files) > 3 else "")
        gaps.append(f"{len(files):,} label {'file lies' if len(files) == 1 else 'files lie'} there unused: {named}")
    gaps += _unread_places([path for path in unused if not suffix_of(path)])
    if any(q.subject == "files" and not q.asked for q in questions) and not unread:
        gaps.append("not one of the image files that are named was there to be looked at")
    gaps += [
        f"outlines: {q.why}" for q in questions if q.subject == "outlines" and not q.asked and hardly_drawn(dataset, LEFT_OUT)
    ]
    blind = sum(outcome.reason == NO_PIXELS for outcome in outcomes)
    if blind:
        gaps.append(f"{blind} checks look at pictures, and {NO_PIXELS}")
    missing = [q.subject for q in questions if not q.asked]
    if 2 * len(missing) > len(questions):
        gaps.append("most of the questions that matter could not be asked")
    gaps += [*undecided(outcomes), *filter(None, [slides_told(dataset)])]
    if not gaps and not any(looked(o) for o in outcomes if not o.code.startswith("MA")):
        gaps.append("no check could look at anything")
    return Seen(questions=questions, gaps=tuple(gaps), grave=bool(families or unused))


def _unread_places(places: Sequence[str]) -> list[str]:
    """Folders, and files whose name says no more than a folder's does (DICOM: `IM0001`): which of them, and how many."""
    if not places:
        return []
    named = ", ".join(places[:3]) + (f" and {len(places) - 3:,} more places" if len(places) > 3 else "")
    return [f"labels may lie unread in {named} (IN014)"]


def _questions(dataset: Dataset, outcomes: Sequence[Outcome]) -> Iterator[Question]:
    for asked in QUESTIONS:
        own = [o for o in outcomes if o.code.startswith(asked.codes)]
        if own and asked.fits(dataset):
            why = asked.lacks(dataset, own)
            yield Question(subject=asked.subject, asked=not why, why=why)


def has_images(dataset: Dataset) -> bool:
    """Files of images are named, whether they can be read or not."""
    return dataset.has("path") or bool(dataset.summary.counts.get("images"))


def has_classes(dataset: Dataset) -> bool:
    """The records have labels, or nothing else that could be learnt."""
    return dataset.labels.task != "none" or not is_drawn(dataset)


def is_drawn(dataset: Dataset) -> bool:
    """Masks, boxes or points are what is learnt."""
    return dataset.has("mask") or not all(frame.empty for frame in (dataset.boxes, dataset.points, dataset.rater_masks))


def has_masks(dataset: Dataset) -> bool:
    """Masks are there, of the images or of readers."""
    return dataset.has("mask") or not dataset.rater_masks.empty


def has_marks(dataset: Dataset) -> bool:
    """Boxes or points are there."""
    return not (dataset.boxes.empty and dataset.points.empty)


def has_outlines(dataset: Dataset) -> bool:
    """Objects have outlines (polygons, run lengths)."""
    return bool(dataset.summary.counts.get("outlines"))


def is_read(dataset: Dataset) -> bool:
    """Several people read the same: labels, masks or boxes."""
    raters = dataset.annotations["rater"] if "rater" in dataset.annotations.columns else ()
    return len(set(raters)) > 1 or not dataset.rater_masks.empty


def _unlabelled(dataset: Dataset, outcomes: Sequence[Outcome]) -> str:  # noqa: ARG001
    if is_drawn(dataset) or not dataset.annotations.empty:
        return _hardly_masked(dataset)
    states, values = dataset.labels.states, dataset.labels.values
    known = int(((states >= 0).any(axis=1) if states is not None else values.notna()).sum())
    if dataset.labels.task == "none" or not known:
        return NO_LABEL
    if known < MIN_LABELLED * dataset.size:
        return f"{known:,} of {dataset.size:,} records have one"
    return ""


def _hardly_masked(dataset: Dataset) -> str:
    """Masks are all there is to learn, and half of the images or more have none: what is drawn there was not looked at."""
    drawn, bare = int(with_mask(dataset).sum()), int(without_mask(dataset).sum())
    few = bare > 0 and drawn <= MIN_LABELLED * (drawn + bare)
    return f"{drawn:,} of {drawn + bare:,} images have a mask" if few else ""


def _strangers(dataset: Dataset, outcomes: Sequence[Outcome]) -> str:  # noqa: ARG001
    """Patients are told apart by ids that recur; an id per record tells nobody apart, unless every patient has one image."""
    codes = identity(dataset, "patient")
    if not (codes >= 0).any():
        return "cannot be told"
    declared = dataset.guess("patient")
    if can_tell(dataset, codes) or (declared is not None and len(set(codes[codes >= 0])) > 1):
        return ""
    return "one id for all"


def _unsplit(dataset: Dataset, outcomes: Sequence[Outcome]) -> str:  # noqa: ARG001
    named = dataset.records["split"].dropna().nunique() if dataset.has("split") else 0
    return {0: "none declared", 1: "only one is there"}.get(named, "")


def _silent(words: str) -> Callable[[Dataset, Sequence[Outcome]], str]:
    """Not one of the checks came to a verdict on something."""

    def lacks(dataset: Dataset, outcomes: Sequence[Outcome]) -> str:  # noqa: ARG001
        return "" if any(looked(o) for o in outcomes) else words

    return lacks


def _unplaced(*metrics: str) -> Callable[[Dataset, Sequence[Outcome]], str]:
    """No check came to know whether what was drawn lies on what it shows: none of these metrics was worked out."""

    def lacks(dataset: Dataset, outcomes: Sequence[Outcome]) -> str:  # noqa: ARG001
        known = any(o.verdict.metrics.get(name) is not None for o in outcomes if o.verdict and looked(o) for name in metrics)
        return "" if known else "cannot be told without predictions of a model"

    return lacks


def _untold(dataset: Dataset, outcomes: Sequence[Outcome]) -> str:
    """Not one of the checks could tell: for want of classes, or of records and patients that tell them apart."""
    words = "no class to be given away" if dataset.labels.task == "none" else "cannot be told"
    return _silent(words)(dataset, outcomes)


SHORTCUTS = ("LK001", "LK002", "LK005", "LK006", "LK007")
"""Fields and pixels; words in a path, twins of the label and drift are further questions, which alone answer nothing."""
WRONG_LABELS = ("LN001", "LN002", "LN005", "LN006")
"""What tells wrong labels, masks or boxes. Pairs of classes, ambiguous records, groups that are worse than others, spellings
and rules between columns alone do not."""
QUESTIONS: tuple[_Asked, ...] = (
    _Asked(subject="files", codes=("IN001",), fits=has_images, lacks=_silent("none could be read")),
    _Asked(subject="labels", codes=("LK", "LN", "SP003", "SP008", "SZ001", "SZ002"), lacks=_unlabelled),
    _Asked(subject="patients", codes=("SP001", "SP006"), lacks=_strangers),
    _Asked(subject="splits", codes=("SP001", "SP006", "SP008"), lacks=_unsplit, fits=lambda d: has_images(d) or not is_read(d)),
    _Asked(subject="copies", codes=("SP002", "SP004"), fits=has_images, lacks=_silent("no picture to compare")),
    _Asked(subject="shortcuts", codes=SHORTCUTS, fits=has_classes, lacks=_untold),
    _Asked(subject="wrong labels", codes=WRONG_LABELS, fits=has_classes, lacks=_silent("cannot be told")),
    _Asked(subject="masks", codes=("IN006", "IN010", "IN012"), fits=has_masks, lacks=_silent("none could be compared")),
    _Asked(subject="wrong masks", codes=("LN005",), fits=has_masks, lacks=_unplaced("masks_on_edges", "scored_masks")),
    _Asked(subject="wrong boxes", codes=("LN006",), fits=has_marks, lacks=_unplaced("predictions")),
    _Asked(subject="outlines", codes=("LN006",), fits=has_outlines, lacks=lambda dataset, _: undrawn(dataset)),
    _Asked(subject="wrong outlines", codes=("LN005",), fits=has_outlines, lacks=_unplaced("masks_on_edges", "scored_masks")),
    _Asked(subject="readers", codes=("ED",), fits=is_read, lacks=_silent("no two read the same")),
    _Asked(subject="privacy", codes=("PH",), lacks=_silent("nothing to look at")),
)
"""The questions that matter most, in the order of telling."""


def _waived(outcomes: Iterable[Outcome]) -> frozenset[str]:
    """Files that somebody accepted as they are."""
    return frozenset(
        f.where.path for o in outcomes if o.verdict for f in o.verdict.findings if f.waived is not None and f.where.path
    )


def _unread(dataset: Dataset, accepted: frozenset[str]) -> tuple[int, list[str]]:
    """How many files could not be read, and the suffixes of which not one could, where they are many."""
    unread = {p.path for p in dataset.problems if p.kind in UNREAD_KINDS} - accepted
    every = _paths(dataset)
    lost, total = Counter(map(suffix_of, unread)), Counter(map(suffix_of, every | unread))
    whole = [
        f"the .{suffix} files" if suffix else "the files without a suffix"
        for suffix, number in sorted(lost.items())
        if number == total[suffix] and (number >= MIN_FAMILY or number >= MIN_SHARE * len(every | unread))
    ]
    return len(unread), whole


def _unnamed(dataset: Dataset, accepted: frozenset[str]) -> int:
    """How many image files are no record because nothing names them; none where the user named the table: its rows are asked
    about, and no others."""
    if table_format(dataset.summary.name) is not None:
        return 0
    there = {p.path for p in dataset.problems if p.kind == "unlisted"} - accepted
    return len(there - _paths(dataset))


def _paths(dataset: Dataset) -> set[str]:
    """The files of images: those of records, and those that cannot be read."""
    return set(dataset.records["path"].dropna().astype(str)) | {p.path for p in dataset.problems if p.kind in UNREAD_KINDS}


def _files(dataset: Dataset) -> int:
    return len(_paths(dataset))
