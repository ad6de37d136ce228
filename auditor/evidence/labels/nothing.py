"""Records that are said to show nothing and something at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.naming.labels import NEGATIVE_CLASSES
from auditor.values.labels import Labels


def none_and_some(labels: Labels) -> npt.NDArray[np.int64] | None:
    """Positions of the records whose labels hold `No Finding` or the like beside a finding; None where no record holds it."""
    if labels.task != "multi":
        return None
    said = [[part.strip().lower() for part in text.split("|")] if isinstance(text, str) else [] for text in labels.values]
    nothing = np.array([any(part in NEGATIVE_CLASSES for part in parts) for parts in said], dtype=np.bool_)
    if not nothing.any():
        return None
    several = np.array([any(part not in NEGATIVE_CLASSES for part in parts) for parts in said], dtype=np.bool_)
    return np.flatnonzero(nothing & several).astype(np.int64)
