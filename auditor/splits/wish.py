"""What is asked of a new split, and the names and shares that follow from it and from what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.kin.groups import EXCLUDED, split_names
from auditor.values.errors import ConfigError
from auditor.values.links import BLOCKING, Evidence
from auditor.values.ordinary import is_harmless

BY: Mapping[str, frozenset[Evidence]] = {
    "patient": BLOCKING,
    "study": BLOCKING - {Evidence.PATIENT},
    "series": BLOCKING - {Evidence.PATIENT, Evidence.STUDY},
    "image": BLOCKING - {Evidence.PATIENT, Evidence.STUDY, Evidence.SERIES},
}
"""What stays whole; everything that is the same picture stays whole with it."""

USUAL_NAMES: Mapping[int, tuple[str, ...]] = {2: ("train", "test"), 3: ("train", "val", "test")}

USUAL_SIZES: Mapping[int, tuple[float, ...]] = {2: (0.8, 0.2), 3: (0.7, 0.15, 0.15)}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for.

    Args:
        by: what stays whole: patient, study, series or image.
        stratify: columns whose values every split should hold in its share: `label`, `site`, or a column of the table.
        sizes: share of each split; empty: as they are, or 0.7, 0.15, 0.15.
        names: names of the splits; empty: as they are, or train, val, test.
        keep: splits that stay as they are, record by record.
        seed: breaks ties.
    """

    by: str = "patient"
    stratify: tuple[str, ...] = ()
    sizes: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    seed: int = 0


def splits_wanted(wish: Wish, old: pd.Series) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Names and shares of the splits, from what was asked and what is there.

    Raises:
        ConfigError: they do not fit each other.
    """
    present = split_names(old)
    count = len(wish.names) or len(wish.sizes) or (len(present) if len(present) > 1 else 3)
    names = wish.names or (present if len(present) == count else USUAL_NAMES.get(count, ()))
    if not names:
        raise ConfigError(f"--sizes has {count} shares: name as many splits with --names")
    if len(set(names)) != len(names) or len(names) < 2 or EXCLUDED in names or not all(names):
        raise ConfigError(f"--names: at least two different names are needed, and none may be {EXCLUDED!r}")
    if wish.sizes and len(wish.sizes) != len(names):
        raise ConfigError(f"--sizes has {len(wish.sizes)} shares for {len(names)} splits ({', '.join(names)})")
    if any(not 0 < size < 1 for size in wish.sizes) or (wish.sizes and abs(sum(wish.sizes) - 1) > 0.005):
        raise ConfigError("--sizes: shares above 0 that sum to 1 are needed, for example 0.7,0.15,0.15")
    for name in wish.keep:
        if name not in names or name not in present:
            known = ", ".join(text if is_harmless(text) else f"split {n}" for n, text in enumerate(present, 1))
            raise ConfigError(f"--keep {name}: the dataset has no such split; there are: {known or 'none'}")
    if len(set(names) - set(wish.keep)) < 1:
        raise ConfigError("--keep names every split: nothing is left to divide")
    if wish.sizes:
        sizes = np.array(wish.sizes, np.float64)
    elif set(names) == set(present):
        sizes = np.array([float((old == name).sum()) for name in names])
    elif len(names) in USUAL_SIZES:
        sizes = np.array(USUAL_SIZES[len(names)])
    else:
        raise ConfigError(f"--sizes is needed: {len(names)} shares, one for each of {', '.join(names)}")
    return names, sizes / sizes.sum()
