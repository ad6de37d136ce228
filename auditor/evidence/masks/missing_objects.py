"""Objects that a model sees where nothing is drawn: more than its own mistakes explain, and which of them.

The null needs no clean masks. A drawn object that the model is sure is not there counts as its mistake, and the model is taken
to invent objects no more often than it overlooks drawn ones with the same confidence. So the overlooked objects are decoys for
the invented ones: under the null either kind is as likely in every record, which a test that swaps both kinds record by record
checks (each record one flip: objects of one record are not independent), and their ratio bounds the false share of a list.
As in the target-decoy search of proteomics (Elias & Gygi, Nature Methods 4, 2007); the + 1 after Barber & Candès (Annals of
Statistics 43, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

GRID = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
DRAWS = 999
BLOCK = 100


@dataclass(frozen=True, kw_only=True)
class MissingObjects:
    """The judgement of a collection.

    Args:
        p_value: how often so large an excess would come from a model that invents as often as it overlooks.
        cut: confidence from which on missing objects are listed; None where the excess is no more than chance, or where too
            large a share of any list would be false.
        listed: positions in `MaskScores.objects`, surest first.
        invented: missing objects from `cut` on (from .5 where there is none); `overlooked`: drawn ones of that confidence.
        false_fraction: (1 + overlooked) / invented, at most 1.
    """

    p_value: float
    cut: float | None
    listed: npt.NDArray[np.int64]
    invented: int
    overlooked: int
    false_fraction: float


def judge_missing(objects: pd.DataFrame, *, max_false: float, max_p: float, seed: int = 0) -> MissingObjects:
    """Judge `MaskScores.objects`.

    Args:
        max_false: at most this share of the listed objects is expected not to be there.
        max_p: an excess that chance gives more often is none.
        seed: of the flips.
    """
    missing = objects["missing"].to_numpy(dtype=np.bool_)
    confidence = objects["confidence"].to_numpy(dtype=np.float64)
    records = pd.factorize(objects["record"])[0]
    p_value = _p_value(records, missing, confidence, seed)
    invented = {t: int((missing & (confidence >= t)).sum()) for t in GRID}
    overlooked = {t: int((~missing & (confidence >= t)).sum()) for t in GRID}
    share = {t: min(1.0, (1 + overlooked[t]) / max(invented[t], 1)) for t in GRID}
    cut = next((t for t in GRID if share[t] <= max_false), None) if p_value <= max_p else None
    shown = GRID[0] if cut is None else cut
    listed = np.flatnonzero(missing & (confidence >= shown)) if cut is not None else np.empty(0, np.int64)
    return MissingObjects(
        p_value=p_value,
        cut=cut,
        listed=listed[np.argsort(-confidence[listed], kind="stable")],
        invented=invented[shown],
        overlooked=overlooked[shown],
        false_fraction=share[shown],
    )


def _p_value(
    records: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_], confidence: npt.NDArray[np.float64], seed: int
) -> float:
    """Of the largest standardised excess over the grid, under random swaps of both kinds, record by record."""
    if not missing.any():
        return 1.0
    sign = np.where(missing, 1.0, -1.0)
    count = int(records.max()) + 1
    excess = np.stack([np.bincount(records, weights=sign * (confidence >= t), minlength=count) for t in GRID], axis=1)
    excess = excess[np.any(excess != 0, axis=1)]
    spread = np.sqrt((excess**2).sum(axis=0))
    used = spread > 0
    if not used.any():
        return 1.0
    excess, spread = excess[:, used], spread[used]
    observed = float((excess.sum(axis=0) / spread).max())
    rng = np.random.default_rng(seed)
    beaten = 0
    for start in range(0, DRAWS, BLOCK):
        flips = rng.integers(0, 2, (min(BLOCK, DRAWS - start), len(excess))) * 2.0 - 1
        beaten += int(((flips @ excess / spread).max(axis=1) >= observed - 1e-12).sum())
    return (1 + beaten) / (1 + DRAWS)
