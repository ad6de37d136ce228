"""IQ015: a page, frame or slice inside an image shows nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import Need, SkipCheck
from auditor.evidence.quality.image_check import ImageCheck, Judgement, feature
from auditor.feature import feature_needs
from auditor.values.dataset import Dataset
from auditor.values.results import Coverage, Verdict


@dataclass(frozen=True, kw_only=True)
class BlankPage(ImageCheck):
    """A page, frame or slice inside an image shows nothing.

    ## What it does

    Looks at every page of an image that has several (TIFF pages, DICOM frames, slices of a volume or of an array) for those of
    one value or colour everywhere, and lists images in which one lies between pages with content, or in which the page is
    blank that all other checks of pictures look at, the middle one. TIFF pages of another size than the others, or without
    pixels, are told where they lie between the others or are as many: of these nothing is read. The first and last slices of a
    volume may be air, also where equal volumes follow each other in one file; of a NIfTI series each volume has its own ends.
    Items of an npz or HDF5 file with more than 15 planes are volumes (slices, height, width). Images of at most 16 values are
    drawings, as a volume of labels is, and are not judged; masks never are.

    ## Why is this bad?

    A slice that was lost in an export leaves a hole in the organ, and the label speaks of what is not there. A network that
    reads volumes learns the hole.

    ## How to fix

    Export the image again; where the page was empty from the start, leave it out and correct the distance of the slices.

    ## Options

    * `max_findings`: up to so many images get a finding each (1); more are one finding, and the table `images` lists them.

    ## References

    * DICOM PS3.3 C.7.6.6 (Multi-frame module); TIFF 6.0, section 2 (several images in one file).
    """

    code: ClassVar[str] = "IQ015"
    name: ClassVar[str] = "blank-page"
    needs: ClassVar[frozenset[Need]] = feature_needs("pages")

    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image of several pages."""
        count, drawn = feature(dataset, "pages.count"), feature(dataset, "pages.drawn") > 0
        several = np.isfinite(count) & (count + _of_facts(dataset, "pages_other") > 1)
        if not several.any():
            raise SkipCheck("no image has several pages, frames or slices")
        # a blank middle between blank ends has no number among those inside
        blank = np.maximum(feature(dataset, "pages.inside"), feature(dataset, "pages.middle")) * ~drawn
        between, other = _of_facts(dataset, "pages_between"), _of_facts(dataset, "pages_other")
        unread = np.where((between > 0) | (other >= np.nan_to_num(count)), other, 0.0)
        value = np.where(several & (~drawn | (unread > 0)), blank + unread, np.nan)
        return Judgement(
            flagged=np.nan_to_num(value) > 0, value=value, usual=np.full(value.shape, np.nan),
            what="has pages, frames or slices inside that show nothing or are of another size",
            measure="such pages", advice="Look at them, and export the image again",
            unjudged="they look like drawings of a few values, in which blank pages are usual, or were not read",
        )  # fmt: skip

    def run(self, dataset: Dataset) -> Verdict:
        """Judge and report; what was looked at is counted in pages."""
        verdict, judged = super().run(dataset), self.judge(dataset)
        count, other = feature(dataset, "pages.count"), _of_facts(dataset, "pages_other")
        pages = np.where(np.isfinite(count), count, _of_facts(dataset, "frames"))
        of_several = pages + other > 1
        looked, left = int(pages[np.isfinite(judged.value)].sum()), int(other.sum())
        total = int(pages[of_several].sum()) + left
        undone = total - looked - left
        reasons = [f"{undone:,} are of images that look drawn, or were not read"] if undone else []
        reasons += [f"{left:,} pages of TIFF files are of another size, or without pixels"] if left else []
        coverage = Coverage(evaluated=looked, total=total, unit="pages", reason="; ".join(reasons))
        return replace(verdict, metrics={**verdict.metrics, "pages": looked, "pages_not_read": left}, coverage=coverage)


def _of_facts(dataset: Dataset, name: str) -> npt.NDArray[np.float64]:
    """A number that headers state; 0 where they do not."""
    if name not in dataset.facts.columns:
        return np.zeros(dataset.size)
    return np.asarray(dataset.facts[name].fillna(0.0), np.float64)
