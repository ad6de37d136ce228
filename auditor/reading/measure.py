"""One file, measured: header fields, pixel features, fingerprints and one small thumbnail. Runs inside a worker."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from auditor.containers.array_rows import ArrayRows, digest_of
from auditor.evidence.likeness.perceptual import distinct_levels, sketch_of, sketched_frames
from auditor.evidence.masks.mask_facts import VERSION as MASK_VERSION
from auditor.evidence.masks.mask_facts import mask_numbers
from auditor.evidence.privacy.exposure import exposure
from auditor.evidence.privacy.face import face_facts
from auditor.feature import View, feature_version, measure_all
from auditor.format import open_header, open_pixels, read_source
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits, Pixels
from auditor.values.privacy import Privacy

THUMBNAIL_SIDE = 96
VIEW_SIDE = 512
MEASURE_VERSION = 4
"""Raise it when digests, thumbnails, sketches, fronts or the normalised view change: it is part of the cache key."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One file and the records in it. Without `items` the file is the picture of every record (a table may list it twice).

    Of a mask only the facts of `auditor.evidence.masks.mask_facts` are measured.
    """

    path: str
    records: tuple[str, ...]
    items: tuple[str, ...] = ()
    is_mask: bool = False


@dataclass(frozen=True, kw_only=True)
class PixelFacts:
    """What the pixels gave; this alone is cached, so it holds nothing of the header.

    Args:
        digest: hex digest of the decoded values, whatever the container.
        constant: every pixel has the same value.
        features: float32, shape (feature columns,).
        thumbnail: WebP, longest side ≤ 96.
        sketch: for near-duplicates, packed (`auditor.evidence.likeness.perceptual`); empty once it was handed on.
        front: float32, of CT and MR: what tells whether a face can be seen (`auditor.evidence.privacy.face.face_facts`); else
            empty.
    """

    digest: str
    constant: bool
    features: npt.NDArray[np.float32]
    thumbnail: bytes
    sketch: bytes = b""
    front: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Everything known about one record after the pass. `problem` is (kind, reason) when the file could not be used."""

    record: str
    digest: str = ""
    header: Header | None = None
    exposure: Mapping[str, str] | None = None
    pixels: PixelFacts | None = None
    problem: tuple[str, str] | None = None
    size: int = 0
    key: str = ""
    fresh: bool = False


@dataclass(kw_only=True)
class Measurer:
    """Measures tasks below one root. Keeps the last many-item file open, because its items come in chunks.

    `known` looks a key up in the cache and returns the facts, or None.
    """

    root: Path
    limits: Limits
    rules: Privacy = field(default_factory=Privacy)
    known: Mapping[str, PixelFacts] = field(default_factory=dict)
    _array: tuple[str, ArrayRows] | None = None

    def measure(self, task: Task) -> list[Measurement]:
        """One measurement per record of the task; never raises for what is in the file."""
        if task.items:
            return self._items(task)
        try:
            source = read_source(self.root / task.path, self.limits, self.root)
        except UnreadableFile as error:
            return [Measurement(record=record, problem=(error.kind, error.reason)) for record in task.records]
        whole = self._whole(task, source, hashlib.blake2b(source.content, digest_size=20).hexdigest())
        return [whole, *(replace(whole, record=record, fresh=False) for record in task.records[1:])]

    def _whole(self, task: Task, source: FileSource, digest: str) -> Measurement:
        record, is_mask, size = task.records[0], task.is_mask, len(source.content)
        try:
            header = open_header(source, self.limits)
            if header.beside:
                # the image is its header and what lies beside it: neither copies nor the cache may go by the header alone
                digest = _together([digest, *(digest_of(self.root / name) for name in header.beside)])
        except UnreadableFile as error:
            return Measurement(record=record, digest=digest, size=size, problem=(error.kind, error.reason))
        key = cache_key(digest, f"mask {MASK_VERSION}" if is_mask else "")
        facts, fresh, problem = self.known.get(key), False, None
        if facts is None:
            try:
                pixels = open_pixels(source, header, self.limits)
                facts, fresh = (mask_pixel_facts if is_mask else pixel_facts)(header, pixels), True
            except UnreadableFile as error:
                problem = (error.kind, error.reason)
        return Measurement(
            record=record,
            digest=digest,
            header=header,
            exposure=exposure(source, header, task.path, self.rules, self.limits),
            pixels=facts,
            problem=problem,
            size=size,
            key=key,
            fresh=fresh,
        )

    def _items(self, task: Task) -> list[Measurement]:
        found: list[Measurement] = []
        for record, item in zip(task.records, task.items, strict=True):
            member, _, index = item.partition(":")
            try:
                digest, rows = self._rows(task.path, member)
                header, key = item_header(rows.shape[1:], rows.dtype), cache_key(digest, item)
                facts = self.known.get(key)
                fresh = facts is None
                if facts is None:
                    facts = pixel_facts(header, Pixels(array=rows.row(int(index))[None]))
                found.append(Measurement(record=record, digest=digest, header=header, pixels=facts, key=key, fresh=fresh))
            except UnreadableFile as error:
                found.append(Measurement(record=record, problem=(error.kind, error.reason)))
        return found

    def _rows(self, path: str, member: str) -> tuple[str, ArrayRows]:
        """The digest of a many-image file and one of its arrays; both stay open for the next task, which is its next part."""
        if self._array is None or self._array[1].path != self.root / path or self._array[1].member != member:
            digest = self._array[0] if self._array is not None and self._array[1].path == self.root / path else None
            if self._array is not None:
                self._array[1].close()
                self._array = None
            rows = ArrayRows(path=self.root / path, member=member, limits=self.limits)
            rows.open()
            self._array = (digest or digest_of(rows.path), rows)
        return self._array


def _together(digests: list[str]) -> str:
    """One digest of several files in their order."""
    return hashlib.blake2b("|".join(digests).encode(), digest_size=20).hexdigest()


def item_header(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Header:
    """What is known of one image in an array of many: its type and shape; the container's own fields say nothing about it."""
    return Header(
        format="npz",
        shape=shape,
        fields={
            "container.format": "npz",
            "container.bit_depth": dtype.itemsize * 8,
            "container.channels": shape[2] if len(shape) == 3 else 1,
            "container.height": shape[0],
            "container.width": shape[1],
        },
    )


def cache_key(digest: str, item: str) -> str:
    """Key of one image's pixel facts: content, item and the version of everything that computes them."""
    text = f"{MEASURE_VERSION}|{feature_version()}|{digest}|{item}"
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def mask_pixel_facts(header: Header, pixels: Pixels) -> PixelFacts:
    """The facts of a mask, in the place of features: no thumbnail, no sketch."""
    constant = bool(pixels.array.min() == pixels.array.max())
    return PixelFacts(
        digest=pixel_digest(pixels.array), constant=constant, features=mask_numbers(header, pixels), thumbnail=b""
    )


def pixel_facts(header: Header, pixels: Pixels) -> PixelFacts:
    """Digest, features and thumbnail of decoded pixels."""
    view = view_of(header, pixels)
    return PixelFacts(
        digest=pixel_digest(pixels.array),
        constant=bool(pixels.array.min() == pixels.array.max()),
        features=measure_all(view),
        thumbnail=thumbnail_of(view.gray),
        sketch=sketch(view),
        front=face_facts(header, pixels),
    )


def sketch(view: View) -> bytes:
    """What near-duplicates of the image are found with; of a stack of frames three are looked at."""
    frames = len(view.pixels.array)
    chosen = sketched_frames(frames)
    grays = [view.gray] if len(chosen) == 1 else [view_of(view.header, frame_of(view.pixels, i)).gray for i in chosen]
    return sketch_of(grays, frames=frames, levels=distinct_levels(view.stored))


def frame_of(pixels: Pixels, index: int) -> Pixels:
    """One frame of a stack."""
    return replace(pixels, array=pixels.array[index : index + 1])


def canonical(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The same picture as the same array: no opaque alpha, no three equal channels, the smallest sufficient unsigned type."""
    if array.ndim == 4 and array.shape[-1] in (2, 4):
        alpha = array[..., -1]
        opaque = np.iinfo(array.dtype.name).max if np.issubdtype(array.dtype, np.integer) else 1
        if np.all(alpha == opaque):
            array = array[..., :-1]
    if array.ndim == 4 and array.shape[-1] == 3 and all(np.array_equal(array[..., 0], array[..., c]) for c in (1, 2)):
        array = array[..., :1]
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    if np.issubdtype(array.dtype, np.integer) and array.size:
        low, high = int(array.min()), int(array.max())
        if low >= 0:
            return array.astype("u1" if high < 256 else "<u2" if high < 65536 else "<u8")
        return array.astype("<i8")
    return array.astype(array.dtype.newbyteorder("<"))


def pixel_digest(array: npt.NDArray[np.generic]) -> str:
    """Digest of the decoded values and the shape; equal for one picture in two containers, be one 8 and one 16 bits deep."""
    plain = np.ascontiguousarray(canonical(array))
    digest = hashlib.blake2b(f"{plain.dtype.str}{plain.shape}".encode(), digest_size=20)
    digest.update(plain.data)
    return digest.hexdigest()


def view_of(header: Header, pixels: Pixels) -> View:
    """The normalised middle frame that features and the thumbnail are taken from (see `auditor.feature.View`)."""
    stored = pixels.array[len(pixels.array) // 2]
    # A slide of 400 megapixels must not become 1.6 GB of floats: every k-th pixel is enough for a 512-pixel view.
    step = max(1, max(stored.shape[:2]) // (4 * VIEW_SIDE))
    sample = stored[::step, ::step]
    gray = sample.astype(np.float32) if stored.ndim == 2 else luminance(sample)
    finite = np.isfinite(gray)
    if not finite.all():
        gray = np.where(finite, gray, gray[finite].min() if finite.any() else 0).astype(np.float32)
    # One rule for every depth: a full range for 8 bits and percentiles above would write the depth into every feature.
    low, high = (float(v) for v in np.percentile(gray, (1, 99)))
    if high <= low:
        low, high = float(gray.min()), float(gray.max())
    gray = np.clip((gray - low) / (high - low), 0, 1) if high > low else np.zeros_like(gray)
    if pixels.inverted:
        gray = 1 - gray
    return View(gray=shrink(gray.astype(np.float32), VIEW_SIDE), stored=stored, header=header, pixels=pixels)


def luminance(stored: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Rec. 601 luma of an RGB(A) frame; the mean of the channels for any other number of them."""
    values = stored.astype(np.float32)
    if stored.shape[-1] in (3, 4):
        return np.asarray(values[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)
    return np.asarray(values[..., 0] if stored.shape[-1] == 2 else values.mean(axis=-1), np.float32)


def shrink(gray: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """Area-averaged so that the longest side is at most `side`; never enlarged."""
    height, width = gray.shape
    scale = side / max(height, width)
    if scale >= 1:
        return gray
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX), np.float32)


def thumbnail_of(gray: npt.NDArray[np.float32]) -> bytes:
    """A small WebP of the normalised picture."""
    small = shrink(gray, THUMBNAIL_SIDE)
    stream = io.BytesIO()
    Image.fromarray((small * 255).round().astype(np.uint8)).save(stream, "WEBP", quality=60, method=2)
    return stream.getvalue()
