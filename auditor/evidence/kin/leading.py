"""Ids at the beginning of file names that may be those of patients: `0012_03`, `0012_left`. A suspicion, never an id.

Where the grammar of the names is not that of a known collection, nobody can say whether `0012` is a patient, a day or a box of
slides. But when it stands in two splits, the question must be asked aloud.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from auditor.naming.suffixes import stem_of

LEAST_GROUPS = 8
"""Fewer leading ids are batches, classes or years."""
LARGEST = 400
"""More images on average are no patient's, not even slices of a volume."""
LEAST_SHARED = 0.3
"""Share of the images that must share their leading id with another one."""
MATCHING = 0.9
MOST_WORDS = 12
_COUNTED = re.compile(r"^(?P<id>.*?\d.*?)[ _.\-]+[A-Za-z]{0,8}[ _\-(]*(?P<number>\d{1,5})\)?$")
_WORDED = re.compile(r"^(?P<id>.*\d)[ _.\-]+(?P<word>[A-Za-z][A-Za-z0-9 _\-]{0,15})$")


def leading_ids(paths: pd.Series, labels: pd.Series) -> pd.Series | None:
    """The leading id of every name (NA where it has none), or None where the names hold no such ids.

    Args:
        paths: relative paths.
        labels: a word that says the class (`12_benign`) is no view of a patient.
    """
    stems = paths.dropna().astype("str").map(stem_of)
    if len(stems) < 2 * LEAST_GROUPS:
        return None
    for pattern in (_COUNTED, _WORDED):
        parts = stems.str.extract(pattern)
        if float(parts["id"].notna().mean()) < MATCHING:
            continue
        if "word" in parts.columns and not _are_views(parts["word"], labels.reindex(stems.index)):
            continue
        found = parts["id"].str.lower()
        sizes = found.value_counts()
        shared = float((found.map(sizes) >= 2).mean())
        classes = labels.nunique()
        if len(sizes) >= max(LEAST_GROUPS, 2 * classes) and shared >= LEAST_SHARED and len(found) / len(sizes) <= LARGEST:
            return found.reindex(paths.index)
    return None


def _are_views(words: pd.Series, labels: pd.Series) -> bool:
    """A few words that recur, and none of which stands for one class alone."""
    said = words.str.lower()
    if not 1 < said.nunique() <= MOST_WORDS:
        return False
    known = pd.DataFrame({"word": said, "label": labels}).dropna()
    if not len(known) or known["label"].nunique() < 2:
        return True
    most = known.groupby("word")["label"].agg(lambda of: float(of.value_counts(normalize=True).iloc[0]))
    return bool(np.median(most) < 0.98)
