"""What a worker says of the masks that several raters drew of one image: plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from auditor.reading.jobs import Job, in_order
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

Doubles = npt.NDArray[np.float64]
_NONE: Doubles = np.empty((0, 0))


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """One image.

    Args:
        raters: whose masks were compared, in the order of the arrays.
        left_out: rater → why the mask was not compared.
        dice, hd95: (raters, raters); empty where fewer than two masks could be read.
        sensitivity, specificity: STAPLE, (raters,).
        area: share of the pixels in the consensus; doubtful: share with a probability of 5 to 95 %.
        consensus: (height, width), of a single frame, where it was asked for.
    """

    raters: tuple[str, ...]
    left_out: Mapping[str, str]
    dice: Doubles = field(default_factory=lambda: _NONE)
    hd95: Doubles = field(default_factory=lambda: _NONE)
    sensitivity: Doubles = field(default_factory=lambda: np.empty(0))
    specificity: Doubles = field(default_factory=lambda: np.empty(0))
    area: float = 0.0
    doubtful: float = 0.0
    consensus: npt.NDArray[np.bool_] | None = None


def compare_drawings(
    root: Path, images: Sequence[Mapping[str, str]], limits: Limits, *, workers: int = 1, keep: bool = False
) -> Iterator[Overlap]:
    """What workers find, image by image, in the order of `images` (rater → file inside `root`)."""
    jobs = [Job(function="auditor.evidence.raters.drawn_masks:compared", arguments=(root, paths, keep)) for paths in images]
    for answer in in_order(jobs, limits, workers=workers):
        try:
            found = answer.value
        except UnreadableFile as error:
            found = Overlap(raters=(), left_out=dict.fromkeys(images[answer.number], error.kind))
        assert isinstance(found, Overlap)
        yield found
