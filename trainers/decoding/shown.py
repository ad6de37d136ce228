"""What networks are shown of the pictures, in words: how large they are as stored, and as learnt."""

from __future__ import annotations

import numpy as np

from auditor.values.dataset import Dataset
from trainers.decoding.survey import survey_of, usual_shape
from trainers.values.pictures import Pictures

MOST_CHANNELS = 6
"""Names of channels that are told."""


def stored_shape(dataset: Dataset) -> tuple[int, ...]:
    """The usual shape of the pictures as stored: (height, width), of volumes (depth, height, width)."""
    survey = survey_of(dataset)
    return usual_shape(survey, volumes=bool((survey.frames > 1).all()))


def sizes_told(stored: tuple[int, ...], shown: tuple[int, ...]) -> str:
    """One sentence on the two sizes.

    Args:
        stored: the usual shape of the files, as `stored_shape` gives it.
        shown: of what networks see; of single frames of volumes (height, width).
    """
    there = stored[len(stored) - len(shown) :]
    share = float(np.prod(shown, dtype=np.float64) / np.prod(there, dtype=np.float64))
    if share >= 1:
        return f"Networks see the pictures at {named(shown)}; stored they have {named(there)}."
    return (
        f"Networks see the pictures shrunk to {named(shown)}, {share:.2g} of the {named(there)} that are stored: what is "
        f"smaller than {max(2, round(max(there) / max(shown)))} stored pixels is lost to them (--side or --budget reads more)."
    )


def named(shape: tuple[int, ...]) -> str:
    """`224 × 224 pixels`."""
    return f"{' × '.join(f'{side:,}' for side in shape)} pixels"


def pictures_told(dataset: Dataset, pictures: Pictures) -> str:
    """Sizes, and what was done to the pictures."""
    words = [*pictures.told]
    if not dataset.channels.empty:
        words.append(f"of the files of a record ({told_channels(dataset)}) networks see the first alone")
    more = "".join(f" {one[0].upper()}{one[1:]}." for one in words)
    return sizes_told(stored_shape(dataset), pictures.shape) + more


def told_channels(dataset: Dataset) -> str:
    """What the files of a record that has several are called, in their order; the first few."""
    names = [str(name) for name in dict.fromkeys(dataset.channels["name"])]
    return ", ".join(names[:MOST_CHANNELS]) + (", ..." if len(names) > MOST_CHANNELS else "")
