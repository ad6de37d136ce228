"""Masks that several raters drew of one image, read and compared. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.mask_overlap import Overlap
from auditor.evidence.raters.overlap import pairwise_masks, staple
from auditor.format import open_header, open_pixels, read_source
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

DOUBTFUL = (0.05, 0.95)
MAX_VALUES = 32


def compared(limits: Limits, root: Path, paths: Mapping[str, str], keep: bool) -> Overlap:
    """Dice, Hausdorff 95 and STAPLE of the masks of one image.

    Args:
        paths: rater → file inside `root`.
        keep: hand on the consensus of a single frame as well.
    """
    masks, left_out = read_masks(root, paths, limits)
    if len(masks) < 2:
        return Overlap(raters=tuple(masks), left_out=left_out)
    stack = np.stack(list(masks.values()))
    overlap, distance = pairwise_masks(_cropped(stack))
    fitted = staple(stack)
    doubt = (fitted.truth > DOUBTFUL[0]) & (fitted.truth < DOUBTFUL[1])
    return Overlap(
        raters=tuple(masks),
        left_out=left_out,
        dice=overlap,
        hd95=distance,
        sensitivity=fitted.sensitivity,
        specificity=fitted.specificity,
        area=float((fitted.truth > 0.5).mean()),
        doubtful=float(doubt.mean()),
        consensus=np.asarray(fitted.truth[0] > 0.5) if keep and len(stack[0]) == 1 else None,
    )


def read_masks(
    target: Path, paths: Mapping[str, str], limits: Limits
) -> tuple[dict[str, npt.NDArray[np.bool_]], dict[str, str]]:
    """Masks of one record that can be read and are of one size (the first one's), and why others were left out; by rater."""
    masks: dict[str, npt.NDArray[np.bool_]] = {}
    left_out: dict[str, str] = {}
    for rater, path in sorted(paths.items()):
        try:
            source = read_source(target / path, limits)
            pixels = open_pixels(source, open_header(source, limits), limits).array
        except UnreadableFile as error:
            left_out[rater] = error.kind
            continue
        if len(np.unique(pixels)) > MAX_VALUES:
            left_out[rater] = f"no mask, more than {MAX_VALUES} different values"
            continue
        mask = np.asarray((pixels != 0).any(axis=-1) if pixels.ndim == 4 else pixels != 0, dtype=bool)
        if masks and mask.shape != next(iter(masks.values())).shape:
            left_out[rater] = "another size"
            continue
        masks[rater] = mask
    return masks, left_out


def _cropped(stack: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The part of the image that somebody drew in: Dice and the distances between surfaces are the same, and it is smaller."""
    drawn = stack.any(axis=0)
    if not drawn.any():
        return stack
    box = tuple(slice(int(where.min()), int(where.max()) + 1) for where in np.nonzero(drawn))
    return stack[(slice(None), *box)]
