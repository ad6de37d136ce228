"""Masks by several raters, one folder per rater with the same file names: how far they agree, and their STAPLE consensus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.degrade.encode import png
from auditor.evidence.raters.overlap import pairwise_masks, staple
from auditor.format import open_header, open_pixels, read_source
from auditor.placement.listing import list_files
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits

DOUBTFUL = (0.05, 0.95)
MAX_VALUES = 32


@dataclass(frozen=True, kw_only=True)
class MaskRelease:
    """Consensus of masks.

    Args:
        frame: one row per record: `record`, `raters`, `mean_dice`, `worst_hd95_pixels` (of the pairs; empty where a mask is
            empty), `area_fraction` of the consensus, `doubtful_fraction` (pixels with a probability of 5 to 95 %), `problem`.
        raters: one row per rater: `rater`, `masks`, `mean_dice` with the others, `sensitivity`, `specificity` (STAPLE, means).
        files: consensus masks, file name → PNG (0 and 255); records of several frames have none.
    """

    frame: pd.DataFrame
    raters: pd.DataFrame
    files: Mapping[str, bytes]

    @property
    def told(self) -> str:
        """In words."""
        return f"consensus of masks by STAPLE, {len(self.files):,} masks, agreement per record and per rater"


def rater_folders(target: Path) -> dict[str, dict[str, str]]:
    """Record → rater → path inside `target`; empty where its sub-folders do not hold the same names.

    At least half of the names must be there from two raters or more.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path in list_files(target).inventory.images:
        rater, slash, rest = path.partition("/")
        if slash:
            found[rest.rpartition(".")[0] or rest][rater] = path
    shared = sum(len(masks) > 1 for masks in found.values())
    return dict(sorted(found.items())) if shared and shared >= len(found) / 2 else {}


def release_masks(target: Path, *, limits: Limits | None = None) -> MaskRelease:
    """STAPLE, Dice and Hausdorff 95 of every record; what is not 0 in a mask is the structure.

    Raises:
        DatasetError: `target` does not hold one folder of masks per rater, or no image has two masks that can be read.
    """
    folders = rater_folders(target)
    if not folders:
        raise DatasetError(f"{target}: no sub-folders of masks with the same file names, one per rater")
    rows: list[dict[str, object]] = []
    scores: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    files: dict[str, bytes] = {}
    for record, paths in folders.items():
        masks, problems = read_masks(target, paths, limits or Limits())
        problem = "; ".join(f"{rater}: {reason}" for rater, reason in problems.items())
        row: dict[str, object] = {"record": record, "raters": len(masks), "problem": problem}
        if len(masks) >= 2:
            names, stack = list(masks), np.stack(list(masks.values()))
            overlap, distance = pairwise_masks(stack)
            fitted = staple(stack)
            upper = np.triu_indices(len(names), 1)
            known = distance[upper][~np.isnan(distance[upper])]
            doubt = (fitted.truth > DOUBTFUL[0]) & (fitted.truth < DOUBTFUL[1])
            row |= {
                "mean_dice": float(overlap[upper].mean()),
                "worst_hd95_pixels": float(known.max()) if len(known) else None,
                "area_fraction": float((fitted.truth > 0.5).mean()),
                "doubtful_fraction": float(doubt.mean()),
            }
            for k, name in enumerate(names):
                mean = float(np.delete(overlap[k], k).mean())
                scores[name].append((mean, float(fitted.sensitivity[k]), float(fitted.specificity[k])))
            if len(stack[0]) == 1:
                files[f"{record}.png"] = png(((fitted.truth[0] > 0.5) * 255).astype(np.uint8))
        rows.append(row)
    if not scores:
        raise DatasetError(f"{target}: the sub-folders hold pictures, not masks that two raters drew of one image")
    columns = ["record", "raters", "mean_dice", "worst_hd95_pixels", "area_fraction", "doubtful_fraction", "problem"]
    return MaskRelease(frame=pd.DataFrame(rows, columns=columns).round(6), raters=_rater_frame(scores), files=files)


def _rater_frame(scores: Mapping[str, list[tuple[float, float, float]]]) -> pd.DataFrame:
    def rows() -> Iterator[dict[str, object]]:
        for name in sorted(scores):
            mean = np.mean(scores[name], axis=0)
            yield {
                "rater": name, "masks": len(scores[name]), "mean_dice": mean[0], "sensitivity": mean[1], "specificity": mean[2],
            }  # fmt: skip

    return pd.DataFrame(rows(), columns=["rater", "masks", "mean_dice", "sensitivity", "specificity"]).round(6)


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
