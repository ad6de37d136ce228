"""Masks beside what they outline: drawn discs, rings and volumes; pictures of noise, where nothing can be told."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln005 import SuspectMasks
from auditor.evidence.masks.mask_facts import mask_frame
from auditor.evidence.masks.mask_place import fit_of
from auditor.evidence.masks.outlines import SIDE, packed_outlines, unpacked
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def drawn(seed: int, shape: tuple[int, int] = (128, 128), contrast: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """A noisy picture with brighter discs, and their mask."""
    g = np.random.default_rng(seed)
    mask = np.zeros(shape, np.uint8)
    for _ in range(int(g.integers(3, 7))):
        centre = int(g.integers(20, shape[1] - 20)), int(g.integers(20, shape[0] - 20))
        cv2.circle(mask, centre, int(g.integers(7, 15)), 1, -1)
    picture = 90 + contrast * cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1) + g.normal(0, 8, shape)
    return np.clip(picture, 0, 255).astype(np.uint8), mask


def thumbnail(picture: np.ndarray) -> bytes:
    side = 96 / max(picture.shape)
    small = cv2.resize(picture, None, fx=side, fy=side, interpolation=cv2.INTER_AREA) if side < 1 else picture
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


def collection(pairs: list[tuple[np.ndarray, np.ndarray]]) -> Dataset:
    dataset = make_dataset(n=len(pairs))
    rows = [
        {
            "path": f"m/{record}.png", "record": record, "problem": "", "components": 4.0, "foreground_fraction": 0.1,
            "height": float(mask.shape[0]), "width": float(mask.shape[1]),
        }
        for record, (_, mask) in zip(dataset.records.index, pairs, strict=True)
    ]  # fmt: skip
    return replace(
        dataset,
        masks=mask_frame(rows),
        outlines={row["path"]: packed_outlines(mask) for row, (_, mask) in zip(rows, pairs, strict=True)},
        thumbnails={row["record"]: thumbnail(picture) for row, (picture, _) in zip(rows, pairs, strict=True)},
    )


@pytest.mark.parametrize(("shift", "words"), [((14, 0), "pixels higher"), ((-9, 12), "to the left")])
@pytest.mark.parametrize("shape", [(128, 128), (120, 170)])
def test_a_shifted_mask_is_told_with_the_way_back_and_no_other_is(shift, words, shape) -> None:
    pairs = [drawn(seed, shape) for seed in range(40)]
    for place in (3, 17, 31):
        picture, mask = pairs[place]
        pairs[place] = picture, np.roll(mask, shift, (0, 1))
    verdict = SuspectMasks().run(collection(pairs))
    found = {str(f.where.record): f for f in verdict.findings}
    assert set(found) == {"r0003", "r0017", "r0031"}
    assert all(f.severity is Severity.WARNING for f in found.values())
    assert all(words in f.message for f in found.values())
    (table,) = verdict.tables
    columns = {column.name: np.array(column.values) for column in table.columns}
    assert np.abs(columns["down"] + shift[0]).max() <= 3
    assert np.abs(columns["right"] + shift[1]).max() <= 3
    assert verdict.summary.startswith("3 of 40 masks fit the edges of their picture better elsewhere")
    assert verdict.metrics["masks_shifted"] == 3
    assert int(verdict.metrics["masks_on_edges"]) >= 35


def test_masks_that_fit_are_silent_whatever_their_labels_are_numbered() -> None:
    pairs = [drawn(100 + seed) for seed in range(60)]
    numbered = [(picture, cv2.connectedComponents(mask)[1].astype(np.uint16)) for picture, mask in pairs]
    for kept in (pairs, numbered, [(255 - picture, mask) for picture, mask in pairs]):
        verdict = SuspectMasks().run(collection(kept))
        assert not verdict.findings
        assert "None of 60 masks fits the edges of its picture better elsewhere" in verdict.summary


def test_where_outlines_follow_no_edges_nothing_is_told_of_their_place() -> None:
    verdict = SuspectMasks().run(collection([drawn(seed, contrast=0) for seed in range(40)]))
    assert not verdict.findings
    assert "cannot be told" in verdict.summary
    assert "masks_on_edges" not in verdict.metrics


def test_a_collection_whose_masks_are_all_shifted_is_not_judged_by_itself() -> None:
    pairs = [(picture, np.roll(mask, 12, 0)) for picture, mask in (drawn(seed) for seed in range(40))]
    verdict = SuspectMasks().run(collection(pairs))
    assert "cannot be told" in verdict.summary


def test_few_masks_are_skipped_as_before() -> None:
    with pytest.raises(SkipCheck, match="at least 20"):
        SuspectMasks().run(collection([drawn(seed) for seed in range(12)]))


@pytest.mark.parametrize("shape", [(1, 1), (5, 400), (20, 20), (96, 96), (300, 200)])
def test_outlines_of_any_shape_are_small_pictures(shape) -> None:
    mask = np.zeros(shape, np.uint8)
    mask[shape[0] // 3 :, shape[1] // 3 :] = 7
    lines = unpacked(packed_outlines(mask))
    assert max(lines.shape) <= SIDE
    assert set(np.unique(lines)) <= {0.0, 1.0}


def test_pictures_of_other_proportions_or_of_nothing_are_not_compared() -> None:
    picture, mask = drawn(0)
    lines = unpacked(packed_outlines(mask))
    grey = picture.astype(np.float32) / 255
    assert fit_of(grey, lines) is not None
    assert fit_of(grey[:, :100], lines) is None
    assert fit_of(np.zeros_like(grey), lines) is None
    assert fit_of(grey, np.zeros_like(lines)) is None
    assert fit_of(unpacked(b""), lines) is None
    assert fit_of(unpacked(b"no picture"), lines) is None
