"""What is measured of decoded pixels: digest, features, sketch, front and one small thumbnail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from auditor.digests import pixel_digest
from auditor.evidence.likeness.perceptual import distinct_levels, sketch_of, sketched_frames
from auditor.evidence.masks.mask_facts import mask_numbers, single_channel
from auditor.evidence.masks.outlines import packed_outlines
from auditor.feature import feature_columns, measure_each
from auditor.features.lettering import OUTER
from auditor.features.recognition import burned
from auditor.values.image import Header, Pixels
from auditor.values.measurement import EVERYTHING, PixelFacts, Wanted
from auditor.view import SQUARE_SIDE, View, shrink, view_of

THUMBNAIL_SIDE = 96
THUMBNAIL_QUALITY = 75
VEIL = 12
"""Side of the blocks, larger than any letter of a thumbnail that could be read."""
LETTERS, RECOGNISED = "lettering.line_letters", "recognition.letters"


def narrowed(facts: PixelFacts, wanted: Wanted) -> PixelFacts:
    """Of facts that hold everything those that are wanted."""
    kept = [_places(None)[name] for name in feature_columns(wanted.features)]
    return replace(
        facts,
        features=facts.features[kept],
        sketch=facts.sketch if wanted.sketch else b"",
        front=facts.front if wanted.front else facts.front[:0],
    )


def mask_pixel_facts(header: Header, pixels: Pixels) -> PixelFacts:
    """The facts of a mask, in the place of features; outlines in that of the thumbnail, and no sketch."""
    constant = bool(pixels.array.min() == pixels.array.max())
    flat = len(pixels.array) == 1 and not constant
    return PixelFacts(
        digest=pixel_digest(pixels.array),
        constant=constant,
        features=mask_numbers(header, pixels),
        thumbnail=packed_outlines(single_channel(pixels.array)[0]) if flat else b"",
    )


def pixel_facts(header: Header, pixels: Pixels, wanted: Wanted = EVERYTHING) -> PixelFacts:
    """Digest, thumbnail and what else is wanted of decoded pixels."""
    return facts_of([(header, pixels)], wanted)[0]


def facts_of(pictures: Sequence[tuple[Header, Pixels]], wanted: Wanted = EVERYTHING) -> list[PixelFacts]:
    """The same of several pictures, each measurement of all of them before the next one.

    So the processor still has the code at hand: four pictures cost a fifth less than one after the other, with equal numbers.
    """
    views = [view_of(header, pixels) for header, pixels in pictures]
    features = measure_each(views, wanted.features)
    digests = [pixel_digest(view.pixels.array) for view in views]
    thumbnails = [thumbnail_of(view, veiled=is_lettered(own, wanted)) for view, own in zip(views, features, strict=True)]
    sketches = [sketch(view) if wanted.sketch else b"" for view in views]
    return [
        PixelFacts(
            digest=digests[i],
            constant=bool(pixels.array.min() == pixels.array.max()),
            features=features[i],
            thumbnail=thumbnails[i],
            sketch=sketches[i],
            front=front_facts(header, pixels) if wanted.front else np.empty(0, np.float32),
        )
        for i, (header, pixels) in enumerate(pictures)
    ]


def front_facts(header: Header, pixels: Pixels) -> npt.NDArray[np.float32]:
    """Of CT and MR: what tells whether a face can be seen (see `auditor.evidence.privacy.face`)."""
    if header.format not in ("dicom", "nifti"):
        return np.empty(0, np.float32)
    from auditor.evidence.privacy.face import face_facts  # slow to import, and most files are neither

    return face_facts(header, pixels)


def sketch(view: View) -> bytes:
    """What near-duplicates of the image are found with; of a stack of frames three are looked at."""
    frames = len(view.pixels.array)
    chosen = sketched_frames(frames)
    grays = [view.gray] if len(chosen) == 1 else [view_of(view.header, frame_of(view.pixels, i)).gray for i in chosen]
    return sketch_of(grays, frames=frames, levels=distinct_levels(view.stored))


def frame_of(pixels: Pixels, index: int) -> Pixels:
    """One frame of a stack."""
    return replace(pixels, array=pixels.array[index : index + 1])


def is_lettered(features: npt.NDArray[np.float32], wanted: Wanted) -> bool:
    """Text seems to be burned into the picture: reports must not show it. False where nobody looked for it."""
    letters, recognised = (_places(wanted.features).get(name) for name in (LETTERS, RECOGNISED))
    return letters is not None and bool(burned(features[letters], None if recognised is None else features[recognised]))


@cache
def _places(names: frozenset[str] | None) -> Mapping[str, int]:
    """Column → its place among the features of these modules."""
    return {name: place for place, name in enumerate(feature_columns(names))}


def thumbnail_of(view: View, *, veiled: bool = False) -> bytes:
    """A small JPEG of the normalised picture, which is written in a tenth of the time of a WebP.

    Args:
        veiled: only the middle is shown, and blocks of `VEIL` pixels in the place of the rest, where texts stand.
    """
    height, width = view.gray.shape
    small = view.square if height == width >= SQUARE_SIDE else shrink(view.gray, THUMBNAIL_SIDE)
    if veiled:
        rows, columns = small.shape
        blocks = cv2.resize(small, (max(1, columns // VEIL), max(1, rows // VEIL)), interpolation=cv2.INTER_AREA)
        down, across = int(OUTER * rows), int(OUTER * columns)
        middle = small[down : rows - down, across : columns - across]
        small = cv2.resize(blocks, (columns, rows), interpolation=cv2.INTER_NEAREST)
        small[down : rows - down, across : columns - across] = middle
    content = cv2.imencode(".jpg", cv2.convertScaleAbs(small, alpha=255), [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY])[1]
    return bytes(content.tobytes())
