"""The front of simple bodies, where the right answer is known: a box, a ball, slices of a cylinder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.evidence.privacy.front import STEP, assembled, front_of, is_volume, line_of
from auditor.values.image import FieldValue, Header, Pixels


def nifti(shape: tuple[int, int, int], spacing: tuple[float, float, float], ways: str, **fields: FieldValue) -> Header:
    """Header of an array (z, y, x); `ways` names the axes x, y, z as NIfTI does."""
    facts = dict(zip(("slice_spacing", "spacing_row", "spacing_column"), spacing, strict=True))
    return Header(
        format="nifti",
        shape=shape[1:],
        frames=shape[0],
        fields={"nifti.dim3": shape[0], "nifti.xyzt_units": 2} | fields,
        facts={"orientation": ways} | facts,
    )


def box(values: tuple[float, float] = (-1000.0, 40.0)) -> np.ndarray:
    """(z, y, x) = (up, back, left): a box from y = 20 on, whose lower half begins at y = 10."""
    array = np.full((40, 60, 50), values[0], np.float32)
    array[5:35, 20:50, 10:40] = values[1]
    array[5:20, 10:20, 10:40] = values[1]
    return array


def test_depth_is_told_in_millimetres_with_the_head_at_the_last_row() -> None:
    front = front_of(nifti((40, 60, 50), (2, 3, 2), "LPS"), Pixels(array=box()))
    assert front is not None
    low, high = front.depth[round(12 * 2 / STEP), 15], front.depth[round(28 * 2 / STEP), 15]
    assert (low - high) == pytest.approx(30, abs=0.5)
    assert high == pytest.approx(-20 * 3, abs=2)
    assert front.back[10] == -49 * 3
    assert np.isnan(front.depth[0]).all()
    assert not front.cut.any()


@pytest.mark.parametrize("ways", ["LPS", "RPS", "LAS", "LPI", "PLS", "SLP", "IAR"])
def test_the_front_is_the_same_however_the_axes_lie(ways: str) -> None:
    up, back, left = 0, 1, 2
    axis = {"L": left, "R": left, "P": back, "A": back, "S": up, "I": up}
    array = box().transpose([axis[way] for way in ways[::-1]])
    array = array[tuple(slice(None, None, 1 if way in "LPS" else -1) for way in ways[::-1])]
    spacing = [{up: 2.0, back: 3.0, left: 2.5}[axis[way]] for way in ways[::-1]]
    front = front_of(nifti(array.shape, (spacing[0], spacing[1], spacing[2]), ways), Pixels(array=array))
    plain = front_of(nifti((40, 60, 50), (2, 3, 2.5), "LPS"), Pixels(array=box()))
    assert front is not None
    assert plain is not None
    depth = front.depth if "R" not in ways else front.depth[:, ::-1]
    shared = np.isfinite(depth) & np.isfinite(plain.depth)
    assert shared.sum() > 0.8 * np.isfinite(plain.depth).sum()
    # cells of two grids may lie on either side of a step
    assert (np.abs(depth - plain.depth)[shared] < 1.5).mean() > 0.9


def test_a_body_at_the_edge_of_the_picture_is_cut() -> None:
    front = front_of(nifti((40, 40, 50), (2, 3, 2), "LPS"), Pixels(array=box()[:, 20:]))
    assert front is not None
    assert front.cut[8:20].all()


def test_units_of_metres_are_heeded_and_impossible_spacings_refused() -> None:
    pixels = Pixels(array=box())
    metres = front_of(nifti((40, 60, 50), (0.002, 0.003, 0.002), "LPS", **{"nifti.xyzt_units": 1}), pixels)
    assert metres is not None
    assert metres.back[10] == pytest.approx(-49 * 3)
    for spacing in (float("nan"), 0.0, 1e9):
        assert front_of(nifti((40, 60, 50), (2, spacing, 2), "LPS"), pixels) is None


@pytest.mark.parametrize("value", [0.0, float("nan"), 3e38, 1e300])
def test_pictures_without_a_body_have_no_front(value: float) -> None:
    array = np.full((40, 60, 50), value)
    assert front_of(nifti((40, 60, 50), (2, 3, 2), "LPS"), Pixels(array=array, slope=1e30)) is None


def test_only_volumes_that_say_where_front_is_are_looked_at() -> None:
    good = nifti((40, 60, 50), (2, 3, 2), "LPS")
    assert is_volume(good)
    assert not is_volume(replace(good, facts={}))
    assert not is_volume(nifti((40, 60, 50), (2, 3, 2), "RRS"))
    assert not is_volume(replace(good, shape=(60, 50, 3)))
    assert not is_volume(nifti((3, 60, 50), (2, 3, 2), "LPS"))
    frames = Header(format="dicom", shape=(60, 50), frames=40, facts={"orientation": "LP"})
    assert not is_volume(frames)
    assert is_volume(replace(frames, fields={"dicom.Modality": "MR"}))


def slice_header(position: float, ways: str = "LP", origin: tuple[float, float] = (-100.0, -120.0)) -> Header:
    names = ("spacing_row", "spacing_column", "plane_row", "plane_column", "slice_position")
    facts: dict[str, FieldValue] = dict(zip(names, (1.5, 1.5, *origin, position), strict=True))
    return Header(format="dicom", shape=(160, 140), fields={"dicom.Modality": "CT"}, facts=facts | {"orientation": ways})


def disc(middle: tuple[float, float]) -> Pixels:
    """A cylinder of 60 mm radius; the pixel (0, 0) lies at row −100, column −120."""
    y, x = -120 + 1.5 * np.arange(160)[:, None], -100 + 1.5 * np.arange(140)
    return Pixels(array=np.where(np.hypot(x - middle[1], y - middle[0]) < 60, 40, -1000)[None].astype(np.int16))


def test_slices_of_a_cylinder_make_its_front() -> None:
    places = np.arange(0.0, 80.0, 4.0)
    order = np.random.default_rng(0).permutation(len(places))
    lines = [line_of(slice_header(places[i]), disc((-10.0, 3.0))) for i in order]
    front = assembled(lines, places[order], "LP", rising=True)
    assert front is not None
    assert front.depth.shape[0] == len(np.arange(0, 76 + 1e-6, STEP))
    assert np.nanmax(front.depth, axis=1) == pytest.approx(np.full(26, 70.0), abs=1.5)
    assert front.back == pytest.approx(np.full(26, -50.0), abs=1.6)
    assert np.isfinite(front.depth).sum(axis=1) * STEP == pytest.approx(120, abs=2 * STEP)


def test_a_gantry_that_moves_the_origin_moves_no_front() -> None:
    """Slices whose first pixel lies elsewhere in the plane show the same body elsewhere in the picture."""
    straight = line_of(slice_header(0.0), disc((0.0, 0.0)))
    moved = line_of(slice_header(0.0, origin=(-100.0, -105.0)), disc((-15.0, 0.0)))
    np.testing.assert_allclose(straight, moved, atol=0.8)


def test_too_few_or_sparse_slices_make_no_front() -> None:
    lines = [line_of(slice_header(0.0), disc((0.0, 0.0)))] * 12
    assert assembled(lines[:5], np.arange(5) * 3.0, "LP", rising=True) is None
    assert assembled(lines, np.arange(12) * 15.0, "LP", rising=True) is None
    assert assembled(lines, np.zeros(12), "LP", rising=True) is None


def test_pictures_that_are_no_slices_add_nothing() -> None:
    header, pixels = slice_header(0.0), disc((0.0, 0.0))
    assert line_of(header, pixels).size > 5
    assert line_of(replace(header, fields={"dicom.Modality": "CR"}), pixels).size == 0
    assert line_of(slice_header(0.0, ways="LF"), pixels).size == 0
    assert line_of(slice_header(0.0, ways="PA"), pixels).size == 0
    assert line_of(slice_header(float("nan")), pixels).size == 0
    assert line_of(header, Pixels(array=np.full((1, 160, 140), -1000, np.int16))).size == 5
