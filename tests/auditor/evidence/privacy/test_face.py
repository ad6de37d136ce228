"""A face on surfaces drawn by formulas: an ellipsoid with and without a nose and eye sockets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.evidence.privacy.face import ADULT, Look, look, packed, unpacked
from auditor.evidence.privacy.front import STEP, Front

ROWS, COLUMNS = 90, 80


def head(*, nose: float = 0.0, sockets: float = 0.0, blur: float = 2.0, wide: float = 75.0) -> Front:
    """A head of 195 mm from front to back, its top four cells below the top of the picture."""
    z = (np.arange(ROWS)[:, None] - (ROWS - 5)) * STEP + 95
    x = (np.arange(COLUMNS) - COLUMNS / 2) * STEP
    # straight down below its widest place, as jaw and neck are
    inside = 1 - (x / wide) ** 2 - (np.maximum(z, 0) / 95) ** 2
    depth = np.where(inside > 0, ADULT / 2 * np.sqrt(np.maximum(inside, 0)), np.nan)
    tip = np.clip((-5 - z) / 40, 0, 1) * (z > -55)
    depth = depth + nose * tip * np.exp(-0.5 * (x / 9) ** 2)
    depth = depth - sockets * np.exp(-0.5 * ((np.abs(x) - 31) / 10) ** 2 - 0.5 * ((z + 10) / 9) ** 2)
    back = np.where(np.isfinite(depth).any(axis=1), -ADULT / 2, np.nan)
    return Front(depth=depth, back=back, cut=np.zeros(ROWS, np.bool_), blur=np.where(np.isfinite(depth), blur, np.nan))


def test_nose_and_sockets_are_measured_in_millimetres() -> None:
    smooth, face = look(head()), look(head(nose=20, sockets=10))
    assert (smooth.state, face.state) == ("seen", "seen")
    assert abs(smooth.nose) < 3
    assert face.nose == pytest.approx(20, abs=4)
    assert face.sockets == pytest.approx(10, abs=3)
    assert smooth.sockets < 1
    assert look(head(nose=20, blur=14)).blur == 14


def test_two_rims_of_a_hole_are_no_nose() -> None:
    front = head()
    x = (np.arange(COLUMNS) - COLUMNS / 2) * STEP
    hole = front.depth - 40.0 * (np.abs(x) < 20) * (np.arange(ROWS) < 60)[:, None]
    assert look(replace(front, depth=hole)).nose < 6


def test_a_narrow_pit_makes_no_ridge_of_what_lies_beside_it() -> None:
    front = head()
    x = (np.arange(COLUMNS) - COLUMNS / 2) * STEP
    pits = front.depth - 30.0 * (np.abs(np.abs(x) - 25) < 10) * (np.abs(np.arange(ROWS) - 45) < 4)[:, None]
    assert look(replace(front, depth=pits)).nose < 6


def test_what_is_not_in_the_picture_cannot_be_told() -> None:
    whole = head(nose=20, sockets=10)
    assert look(replace(whole, cut=np.ones(ROWS, np.bool_))).state == "cannot tell"
    lower = {name: getattr(whole, name)[: ROWS - 36] for name in ("depth", "back", "cut", "blur")}
    assert look(Front(**lower)).state == "cannot tell"
    upper = {name: getattr(whole, name)[ROWS - 40 :] for name in ("depth", "back", "cut", "blur")}
    assert look(Front(**upper)).reason == "the picture ends above the nose"


def test_bodies_of_another_size_or_shape_are_no_heads() -> None:
    assert look(head(wide=114.0)).state == "no head"
    assert look(head(wide=40.0)).state == "no head"
    empty = head()
    assert look(replace(empty, depth=np.full((ROWS, COLUMNS), np.nan))).state == "no head"


def test_a_look_survives_the_cache() -> None:
    for seen in (
        Look(state="seen", nose=12.5, sockets=-3.0, blur=4.0),
        Look(state="cannot tell", reason="the front is cut off by the edge of the picture"),
    ):
        assert unpacked(packed(seen)) == seen
