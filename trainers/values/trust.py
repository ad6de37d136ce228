"""Which records may be believed, and for what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Which records may be believed, and for what; all arrays are boolean, shape (records,).

    Args:
        trusted: train and calibrate teachers; never in `validation` nor in `evaluation`.
        validation: trusted too; choices (threshold, strength, strategy) and early stopping are made on it.
        evaluation: read once, at the end, by no strategy.
        training: everything that a network may learn from: not `validation`, not `evaluation`, not a declared test split;
            `trusted` is part of it.
        origin: where trust comes from, in words.
        self_graded: no person stands behind what evaluates: a model chose the records.
        guessed: no person stands behind what is trusted: a model chose the records.
        named: records that the user named with --trusted or --evaluate; nothing takes them out. None: nobody was named.
    """

    trusted: Bools
    validation: Bools
    evaluation: Bools
    training: Bools
    origin: str
    self_graded: bool
    guessed: bool = False
    named: Bools | None = None
