"""Masks by several raters, one folder per rater with the same file names: how far they agree, and their STAPLE consensus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from auditor.degrade.encode import png
from auditor.evidence.raters.mask_overlap import compare_drawings
from auditor.placement.listing import list_files
from auditor.values.errors import DatasetError
from auditor.values.image import Limits


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


def release_masks(target: Path, *, limits: Limits | None = None, workers: int = 1) -> MaskRelease:
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
    drawings = compare_drawings(target, list(folders.values()), limits or Limits(), workers=workers, keep=True)
    for record, found in zip(folders, drawings, strict=True):
        problem = "; ".join(f"{rater}: {reason}" for rater, reason in found.left_out.items())
        row: dict[str, object] = {"record": record, "raters": len(found.raters), "problem": problem}
        if len(found.dice):
            upper = np.triu_indices(len(found.raters), 1)
            known = found.hd95[upper][~np.isnan(found.hd95[upper])]
            row |= {
                "mean_dice": float(found.dice[upper].mean()),
                "worst_hd95_pixels": float(known.max()) if len(known) else None,
                "area_fraction": found.area,
                "doubtful_fraction": found.doubtful,
            }
            for k, name in enumerate(found.raters):
                mean = float(np.delete(found.dice[k], k).mean())
                scores[name].append((mean, float(found.sensitivity[k]), float(found.specificity[k])))
            if found.consensus is not None:
                files[f"{record}.png"] = png((found.consensus * 255).astype(np.uint8))
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
