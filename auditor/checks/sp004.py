"""SP004: nearly the same image more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.components import near_groups
from auditor.evidence.kin.duplicates import Wording, copy_findings, copy_metrics, pairs_table, plural
from auditor.evidence.kin.groups import partition, spread
from auditor.values.dataset import Dataset
from auditor.values.links import Evidence
from auditor.values.results import Coverage, Finding, Severity, Verdict

NOT_SOUGHT = "copies turned by some degrees (not by quarters), or under much added noise, would not be found"

WORDING = Wording(
    code="SP004",
    again="again as near-copies",
    more_than_once="more than once as near-copies",
    copy="A near-copy of the image",
    subject="near-copy",
)


ONLY_JUST = 0.90
"""Of the fine structure, of which a copy has .88 or more: below it two smears of one field, one out of focus, were found."""


@dataclass(frozen=True, kw_only=True)
class NearDuplicate(Check):
    """Nearly the same image stands in the dataset more than once.

    ## What it does
    Finds copies that were cropped (60 % of the area or more left), resized, recompressed, windowed, inverted, flipped, turned
    by quarters, padded or written on. Pairs that share details are laid over each other, and are copies when their fine
    structure agrees nearly everywhere, one lies within the other, and neither leans. Slices of one series, fields of one
    slide and two radiographs of one chest are no copies; pictures that show the same scene without being copies (the same
    cells photographed again, a second exposure) are an info finding, the table `scenes`, and join nothing. A stack of
    frames is compared as a whole with stacks of as many frames. **Not looked for: copies turned by other angles than
    quarters**, as augmentation by rotation makes them (up to one degree they are shown as scenes, from four on they are not
    found), **and copies whose fine structure drowns in added noise**. Groups in more than one split are an error, one finding
    per pair of splits; groups within one split a warning. Not compared: images shorter than 48 pixels on a side (too small to
    tell), blank ones, masks, stripes. Identical images are SP002; a group here holds their copies too.

    ## Why is this bad?
    A test image whose crop or flip was trained on is remembered, not recognised, and the score is too high. Such copies come
    from augmentation before the split, from merging collections that share a source, and from figures cut out of papers;
    no comparison of bytes finds them.

    ## How to fix
    Look at the pairs. Keep the original of each group and remove the others with their rows. When a group stands in several
    splits, keep it in the test split or move the whole group, with everything else of its patient, into one split; then
    check again. Augment after the split, in training only.

    ## Options
    * `max_findings`: so many groups get a finding of their own, beside those that count them all. The table `pairs` lists all
      pairs, with the correlation of the fine structure as the score and what was done to the copy, as far as a picture of
      96 × 96 pixels tells. Phantoms scanned twice cannot be told from copies.

    ## References
    Barz & Denzler 2020, Do we train on test data? (ciFAIR); Cassidy et al. 2022, Medical Image Analysis 75 (copies in ISIC);
    Lowe 2004, International Journal of Computer Vision 60 (keypoints); Lv et al. 2007, VLDB (multi-probe hashing).
    """

    code: ClassVar[str] = "SP004"
    name: ClassVar[str] = "near-duplicate"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints", "links", "sketches"})

    max_findings: int = 200

    def run(self, dataset: Dataset) -> Verdict:
        """Judge the links of near-duplicates."""
        groups = near_groups(dataset)
        compared = compared_records(dataset) | (groups >= 0)
        evaluated = int(compared.sum())
        if evaluated < 2:
            raise SkipCheck(why_none(dataset))
        splits = partition(dataset)
        lies = None if splits is None else spread(groups, splits)
        count = int(groups.max(initial=-1)) + 1
        links = dataset.links[dataset.links["evidence"] == Evidence.NEAR.value]
        across = 0 if lies is None else len(lies.codes)
        where = f", {across:,} of them in more than one split" if splits is not None else ""
        summary = (
            f"{plural(count, 'group')} of near-copies ({plural(int((groups >= 0).sum()), 'record')}){where}"
            if count
            else f"No near-copy among the {evaluated:,} images that could be compared; a crop to 60 % would have been seen"
        )
        summary += f"{_only_just(links)}; {NOT_SOUGHT}{_beside_stacks(dataset)}"
        table = pairs_table(dataset, links, groups, title="Pairs of near-copies", other="Near-copy of")
        scenes = offered(dataset)
        scene_table = pairs_table(dataset, scenes, groups, title="The same scene taken twice", other="Again in", name="scenes")
        return Verdict(
            summary=summary,
            metrics={**copy_metrics(groups, lies, evaluated), "pairs": len(links), "scene_pairs": len(scenes)},
            findings=(
                *copy_findings(dataset, groups, lies, WORDING, severity=self.severity, limit=self.max_findings),
                *contradicting_findings(dataset, links),
                *scene_findings(len(scenes)),
            ),
            tables=(*((table,) if count else ()), *((scene_table,) if len(scenes) else ())),
            coverage=Coverage(evaluated=evaluated, total=dataset.size, reason=why_left(dataset, evaluated)),
        )


def contradicting_findings(dataset: Dataset, links: pd.DataFrame) -> tuple[Finding, ...]:
    """One warning where near-copies have different labels, which SP003 asks of identical images."""
    labels, index = dataset.labels, dataset.records.index
    if labels.task not in ("single", "ordinal", "multi") or labels.level == "lesion":
        return ()
    first, second = (index.get_indexer(pd.Index(links[name])) for name in ("record_a", "record_b"))
    if labels.states is not None:
        one, two = labels.states.to_numpy()[first], labels.states.to_numpy()[second]
        differ = (((one == 1) & (two == 0)) | ((one == 0) & (two == 1))).any(axis=1)
    else:
        a, b = labels.values.iloc[first], labels.values.iloc[second]
        differ = a.notna().to_numpy() & b.notna().to_numpy() & (a.astype("str").to_numpy() != b.astype("str").to_numpy())
    pairs = int(differ.sum())
    if not pairs:
        return ()
    where = ", ".join(str(index[at]) for at in first[differ][:3])
    return (
        Finding(
            code=WORDING.code,
            severity=Severity.WARNING,
            message=(
                f"{plural(pairs, 'pair')} of near-copies {'have' if pairs > 1 else 'has'} different labels ({where}"
                f"{' and others' if pairs > 3 else ''}): one of the two is wrong. Show the picture to a reader, keep one row"
            ),
            subject="labels",
            evidence={"pairs": pairs},
        ),
    )


def _beside_stacks(dataset: Dataset) -> str:
    """Says so where pictures lie beside stacks whose slices they may be."""
    frames = dataset.facts["frames"].to_numpy(dtype=np.float64) if "frames" in dataset.facts.columns else np.zeros(0)
    if not ((frames > 1).any() and (frames == 1).any()):
        return ""
    return ", nor would a slice of a stack that lies there as a picture of its own"


def _only_just(links: pd.DataFrame) -> str:
    """Says where "copy" may be too strong a word: the same field at another focus can agree as a poor copy does."""
    count = int((links["score"] < ONLY_JUST).sum()) if len(links) else 0
    if not count:
        return ""
    what = "agrees only just and may be one field" if count == 1 else "agree only just and may be fields"
    return f"; {plural(count, 'pair')} {what} photographed again, which leaks all the same"


def offered(dataset: Dataset) -> pd.DataFrame:
    """Links of alike pictures that join nothing."""
    links = dataset.links
    if "how" not in links:
        return links.iloc[:0]
    return links[(links["evidence"] == Evidence.CANDIDATE.value) & (links["how"] != "")]


def scene_findings(count: int) -> tuple[Finding, ...]:
    """One info finding where the same scene was taken twice."""
    if not count:
        return ()
    return (
        Finding(
            code=WORDING.code,
            severity=Severity.INFO,
            message=(
                f"{plural(count, 'pair')} of images {'show' if count > 1 else 'shows'} one scene in two pictures (a field "
                "photographed again, a second exposure). Look at them: they belong to one patient, so to one split"
            ),
            subject="scenes",
            evidence={"pairs": count},
        ),
    )


def compared_records(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Records that have a sketch; shape (records,)."""
    sketches = dataset.sketches
    if sketches is None:
        return np.zeros(dataset.size, bool)
    return np.fromiter((str(record) in sketches for record in dataset.records.index), bool, dataset.size)


def why_left(dataset: Dataset, evaluated: int) -> str:
    """Why records were not compared; empty where all were."""
    if evaluated == dataset.size:
        return ""
    reasons = {} if dataset.sketches is None else dict(dataset.sketches.reasons())
    parts = [f"{plural(count, 'image')} {reason}" for reason, count in reasons.items()]
    unread = dataset.size - evaluated - sum(reasons.values())
    if unread > 0:
        parts.append(f"{plural(unread, 'record')} whose image was not read")
    return "; ".join(parts) or "an image that is listed twice counts once"


def why_none(dataset: Dataset) -> str:
    """Why there is nothing to compare."""
    if dataset.sketches is None or not (len(dataset.sketches) or dataset.sketches.refused):
        return "no image was read: there is nothing to compare"
    left = why_left(dataset, len(dataset.sketches))
    return "fewer than two images can be compared" + (f": {left}" if left else "")
