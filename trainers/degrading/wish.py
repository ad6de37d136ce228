"""What is to be made worse, and by how much."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

FlipKind = Literal["uniform", "asym", "instance", "site"]
FLIPS: tuple[FlipKind, ...] = ("uniform", "asym", "instance", "site")


@dataclass(frozen=True, kw_only=True)
class Flips:
    """Wrong labels: `share` of the labelled records.

    `uniform`: every other class alike; `asym`: always the next class in their order; `instance`: records near the border of two
    classes first, as the built-in probe sees them; `site`: the more, the later a site stands in their order.
    """

    share: float
    kind: FlipKind = "uniform"


@dataclass(frozen=True, kw_only=True)
class Depth:
    """The pictures of one class are stored with `bits` bits, 8 or 16."""

    label: str
    bits: int


@dataclass(frozen=True, kw_only=True)
class RaterNoise:
    """`share` of the readings of one rater, or of every rater where none is named, say another class."""

    share: float
    rater: str = ""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for; None: not that.

    Args:
        missing: share of the objects (in masks, boxes, points) that are left out, 0–1.
        deform: standard deviation, in pixels, of how far objects are grown or shrunk, boxes too, and points moved.
        simplify: every so many-th corner of an outline stays.
        boxes: masks become the boxes around their objects.
        label_flips, bit_depth, rater_noise: see there.
        mix_patients: share of the patients who can be, of whom one picture moves to another split.
        near_copies: share of the pictures that get a near-copy, in another split where there are several.
        fatigue: chance that a reading is wrong at the end of a rater's session; at its beginning it is nought.
        seed: of everything; the same seed gives the same bytes.
    """

    missing: float | None = None
    deform: float | None = None
    simplify: int | None = None
    boxes: bool | None = None
    label_flips: Flips | None = None
    bit_depth: Depth | None = None
    mix_patients: float | None = None
    near_copies: float | None = None
    rater_noise: RaterNoise | None = None
    fatigue: float | None = None
    seed: int = 0

    @property
    def asked(self) -> tuple[str, ...]:
        """The words of what is asked for."""
        return tuple(f.name for f in fields(self) if f.name != "seed" and getattr(self, f.name) not in (None, False))

    @property
    def of_objects(self) -> tuple[str, ...]:
        """Those of them that are done to objects."""
        return tuple(word for word in self.asked if word in ("missing", "deform", "simplify", "boxes"))


def option(word: str) -> str:
    """How a word is written on the command line."""
    return "--" + word.replace("_", "-")
