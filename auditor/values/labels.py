"""The labels of a dataset: what is asked of the records, and what is said of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Task = Literal["none", "single", "multi", "ordinal", "continuous"]
Level = Literal["image", "series", "study", "lesion", "eye", "patient"]
"""What one label speaks about."""


class State(IntEnum):
    """What a table says about one class of one record (multi-label). Only the first two are labels."""

    NEGATIVE = 0
    POSITIVE = 1
    UNCERTAIN = -1
    NOT_MENTIONED = -2
    NOT_ASSESSED = -3


@dataclass(frozen=True, kw_only=True)
class OneClass:
    """One class against the rest: `known` and `positive` are boolean, shape (records,)."""

    name: str
    known: npt.NDArray[np.bool_]
    positive: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labels of the records.

    Args:
        task: `none` where there is no label.
        values: single, ordinal: class name per record (missing = NA); continuous: the number as float; multi: joined text.
        states: multi only: int8 frame (records × classes) of `State`.
        classes: class names; sorted for single and multi, in grade order for ordinal; empty for continuous.
        level: what one label speaks about.
        origin: where it came from: `class folder`, or the column name(s). That field is never called a leak.
        left_out: words that stand where a class should and are states of the work (`todo`): read as unlabelled.
    """

    task: Task
    values: pd.Series
    states: pd.DataFrame | None = None
    classes: tuple[str, ...] = ()
    level: Level = "image"
    origin: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Class index per record, −1 where unlabelled; shape (records,). For single and ordinal labels."""
        return pd.Categorical(self.values, categories=list(self.classes)).codes.astype(np.int64)

    def one_vs_rest(self) -> Iterator[OneClass]:
        """Every class against the rest, for single, ordinal and multi-label alike; of two classes, the rarer alone."""
        if self.task == "multi":
            assert self.states is not None
            for name in self.classes:
                column = self.states[name].to_numpy()
                yield OneClass(name=name, known=column >= 0, positive=column == State.POSITIVE)
        elif self.task in ("single", "ordinal"):
            codes = self.codes
            known = codes >= 0
            present = [i for i in range(len(self.classes)) if (codes == i).any()]
            if len(present) == 2:
                present = [min(present, key=lambda i: int((codes == i).sum()))]
            for i in present:
                yield OneClass(name=self.classes[i], known=known, positive=codes == i)
