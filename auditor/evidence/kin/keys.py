"""What makes two records the same picture exactly: digests and ids as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from auditor.evidence.kin.identity import Codes
from auditor.values.dataset import Dataset
from auditor.values.links import Evidence

MAX_VERSIONS = 20
"""Different pictures that may carry one SOP instance UID (recompressed, windowed); beyond it, it identifies nothing."""


def exact_keys(dataset: Dataset) -> list[tuple[Evidence, Codes]]:
    """Codes that make two records the same, by evidence, the strongest first; −1 forms no link; each of shape (records,)."""
    records, marks = dataset.records, dataset.fingerprints
    item = records["item"].fillna("")
    keys = [(Evidence.BYTES, codes_of(records["path"], item))]
    if marks.empty:
        return keys
    flat = marks["constant"].to_numpy(bool) if "constant" in marks else np.zeros(dataset.size, bool)
    if "bytes" in marks:
        # All items of one npz have the bytes of their file in common.
        keys.append((Evidence.BYTES, codes_of(marks["bytes"].where(~flat & (item == "").to_numpy()))))
    if "pixels" in marks:
        keys.append((Evidence.PIXELS, codes_of(marks["pixels"].where(~flat))))
    if "instance" in marks:
        instance = marks["instance"].where(~flat)
        if "pixels" in marks:
            # A UID that so many different pictures carry is the work of a bad anonymisation.
            instance = instance.where(~(marks["pixels"].groupby(instance).transform("nunique") > MAX_VERSIONS))
        keys.append((Evidence.INSTANCE, codes_of(instance, item)))
    return keys


def codes_of(first: pd.Series, *others: pd.Series) -> Codes:
    """One code per distinct combination of values; −1 where `first` is missing or empty; shape (rows,)."""
    filled = first.fillna("")
    codes: Codes = np.where((filled == "").to_numpy(bool), -1, pd.factorize(filled)[0]).astype(np.int64)
    for other in others:
        more = pd.factorize(other)[0].astype(np.int64) + 1
        codes = np.where(codes < 0, -1, codes * (int(more.max(initial=0)) + 1) + more)
    return codes
