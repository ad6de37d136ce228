"""What networks are shown of the pictures, in words: how large they are as stored, and as learnt."""

from __future__ import annotations

import numpy as np

from auditor.values.dataset import Dataset
from trainers.decoding.survey import survey_of, usual_shape
from trainers.values.pictures import Pictures


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
    more = "".join(f" {words[0].upper()}{words[1:]}." for words in pictures.told)
    return sizes_told(stored_shape(dataset), pictures.shape) + more
