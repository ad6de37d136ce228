"""The `dataset.json` of nnU-Net and the Decathlon. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from auditor.containers.source import read_json_document
from auditor.values.annotations import Description
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

_MOST_CHANNELS = 64


def read(limits: Limits, path: Path) -> Description:
    """Parse `dataset.json`; called inside a bounded worker.

    Raises:
        UnreadableFile: too large, no JSON object, or without what both versions have.
    """
    told = read_json_document(path, limits)
    if not isinstance(told, dict):
        raise UnreadableFile("malformed", "no JSON object")
    named = told.get("channel_names", told.get("modality"))
    channels = _in_order(named) if isinstance(named, dict) else ()
    values, notes = _values(told.get("labels"))
    listed = [
        entry.get("image") if isinstance(entry, dict) else entry
        for key in ("training", "validation", "test")
        if isinstance(told.get(key), list)
        for entry in told[key]
    ]
    count = told.get("numTraining")
    return Description(
        channels=channels,
        values=values,
        listed=tuple(entry for entry in listed if isinstance(entry, str)),
        count=count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None,
        notes=notes,
    )


def _in_order(named: Mapping[str, object]) -> tuple[str, ...]:
    """`{"0": "T2", "1": "ADC"}` → names by number."""
    numbers = {int(key): str(value)[:64] for key, value in named.items() if re.fullmatch(r"\d{1,2}", key)}
    return tuple(numbers.get(i, f"channel {i}") for i in range(min(max(numbers, default=-1) + 1, _MOST_CHANNELS)))


def _values(labels: object) -> tuple[dict[int, str], tuple[str, ...]]:
    """Value → name, from `{"0": "background"}` (version 1) or `{"background": 0, "whole tumour": [1, 2]}` (version 2)."""
    found: dict[int, str] = {}
    if not isinstance(labels, dict):
        return {}, ("dataset.json names no values of the masks",)
    regions = False
    # the smallest region that holds a value says most about it: whole tumour [1, 2, 3], core [2, 3], enhancing [3]
    for key, value in sorted(labels.items(), key=lambda item: len(item[1]) if isinstance(item[1], list) else 0):
        if isinstance(value, str) and re.fullmatch(r"\d{1,5}", key):
            found[int(key)] = value[:64]
        elif isinstance(value, int) and not isinstance(value, bool):
            found[value] = key[:64]
        elif isinstance(value, list):
            regions = True
            for one in value:
                if isinstance(one, int) and not isinstance(one, bool):
                    found.setdefault(one, key[:64])
    note = "dataset.json names regions of several values: a value is called by the smallest that holds it"
    return dict(sorted(found.items())), (note,) if regions else ()
