"""Pictures before and after: which records are shown, and which they are in the copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset

MAX_PAIRS = 8


def rewritten_records(
    dataset: Dataset, renamed: Mapping[str, tuple[str, str]], proposals: Sequence[Proposal]
) -> dict[str, str]:
    """Record → path in the copy, of a few whose file was written anew; of every class in turn.

    Args:
        renamed: path in the copy → record and old path, of images that have another name there.
    """
    files = {path for proposal in proposals for path in proposal.files}
    moved = {record: new for new, (record, _) in renamed.items()}
    paths = {str(r): moved.get(str(r), str(path)) for r, path in dataset.records["path"].dropna().items()}
    found = pd.Series({record: path for record, path in paths.items() if path in files}, dtype=object)
    if not len(found):
        return {}
    classes = dataset.labels.values if dataset.labels.task != "none" else pd.Series("", index=dataset.records.index)
    turn = found.groupby(classes.reindex(found.index).astype("string").fillna("")).cumcount()
    return {str(record): str(path) for record, path in found[turn.sort_values(kind="stable").index][:MAX_PAIRS].items()}


def in_copy(copy: Dataset, written: Mapping[str, str]) -> dict[str, str]:
    """Record → its record in the copy, by the path there; a path may lie below a folder of images."""
    records = {str(path): str(record) for record, path in copy.records["path"].dropna().items()}
    found = {}
    for record, path in written.items():
        own = records.get(path) or next((r for there, r in records.items() if there.endswith(f"/{path}")), None)
        if own is not None:
            found[record] = own
    return found
