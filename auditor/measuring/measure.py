"""One file, measured: header fields, pixel features, fingerprints and one small thumbnail. Runs inside a worker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from auditor.containers.array_rows import ArrayRows, digest_of, rows_of
from auditor.containers.hdf5_file import Hdf5Rows
from auditor.digests import content_digest
from auditor.evidence.masks.mask_facts import VERSION as MASK_VERSION
from auditor.evidence.privacy.exposure import exposure
from auditor.feature import feature_version, usual_features
from auditor.format import open_header, open_pixels, read_source
from auditor.measuring.facts import facts_of, mask_pixel_facts, narrowed, pixel_facts
from auditor.reading.cache import place_of
from auditor.reading.serving import is_full
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits, Pixels
from auditor.values.measurement import EVERYTHING, Measurement, PixelFacts, Task, Wanted
from auditor.values.privacy import Privacy

HONEST = 20
"""A header may declare so many times the bytes of its file and be believed: CT is compressed to a half or a tenth, and an image
of nothing, which is what a bomb is made of, to a thousandth."""
MEASURE_VERSION = 7
"""Raise it when digests, thumbnails, sketches, fronts or the normalised view change: it is part of the cache key."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A file between `begin` and `finish`: what was found, where nothing is left to do, or its decoded pixels.

    Args:
        found: the measurements; None where there are pixels.
        whole: what is known beside the pixels.
        place: as in `Measurement`, once its facts are there.
    """

    found: list[Measurement] | None = None
    task: Task | None = None
    whole: Measurement | None = None
    pixels: Pixels | None = None
    place: str = ""

    @property
    def weight(self) -> int | None:
        """Bytes that wait in memory; None where there is nothing to wait for."""
        return None if self.pixels is None else self.pixels.array.nbytes

    @property
    def decoded(self) -> tuple[Header, Pixels]:
        """Of a file that waits."""
        assert self.whole is not None
        assert self.whole.header is not None
        assert self.pixels is not None
        return self.whole.header, self.pixels


@dataclass(kw_only=True)
class Measurer:
    """Measures tasks below one root. Keeps the last many-item file open, because its items come in chunks.

    Args:
        known: looks a key up in the cache and returns the facts, or None.
        digest_at: tells the digest of a file that still is as it was, or None.
        wanted: what is measured.
        isolated: this process may be lost, so files of which only the header is needed are mapped instead of read.
    """

    root: Path
    limits: Limits
    rules: Privacy = field(default_factory=Privacy)
    known: Mapping[str, PixelFacts] = field(default_factory=dict)
    digest_at: Callable[[str], str | None] = lambda place: None  # noqa: ARG005 - nothing is known
    wanted: Wanted = EVERYTHING
    isolated: bool = False
    _array: tuple[str, ArrayRows | Hdf5Rows] | None = None

    def measure(self, task: Task) -> list[Measurement]:
        """One measurement per record of the task; never raises for what is in the file."""
        return self.finish([self.begin(task)])[0]

    def begin(self, task: Task) -> Begun:
        """Read and decode a file: the part that hangs on what strangers wrote. The rest is `finish`."""
        if task.items:
            return Begun(found=self._items(task))
        path, item = self.root / task.path, f"mask {MASK_VERSION}" if task.is_mask else ""
        # of a file of which only the header is read nothing is remembered
        place = place_of(path) if self.wanted.pixels else ""
        digest = (place and self.digest_at(place)) or ""
        facts = self._known(digest, item) if digest else None
        try:
            source = read_source(path, self.limits, self.root, mapped=self.isolated and (facts or not self.wanted.pixels))
        except UnreadableFile as error:
            return Begun(found=[Measurement(record=record, problem=(error.kind, error.reason)) for record in task.records])
        if facts is None:
            digest = content_digest(source.content) if self.wanted.pixels else ""
        return self._opened(task, source, digest, facts, place if facts is None else "")

    def _opened(self, task: Task, source: FileSource, digest: str, facts: PixelFacts | None, place: str) -> Begun:
        record, is_mask, size = task.records[0], task.is_mask, len(source.content)
        try:
            header = open_header(source, self.limits)
            if header.beside and self.wanted.pixels:
                # the image is its header and what lies beside it: neither copies nor the cache may go by the header alone
                digest = _together([digest, *(digest_of(self.root / name) for name in header.beside)])
        except UnreadableFile as error:
            lost = Measurement(record=record, digest=digest, size=size, problem=(kind_of(error, size), error.reason))
            return Begun(found=_for_each(task, lost))
        item, problem, pixels = f"mask {MASK_VERSION}" if is_mask else "", None, None
        if facts is None and self.wanted.pixels:
            facts = self._known(digest, item)
            if facts is None:
                try:
                    pixels = open_pixels(source, header, self.limits)
                except UnreadableFile as error:
                    problem = (kind_of(error, size), error.reason)
        whole = Measurement(
            record=record,
            digest=digest,
            header=header,
            exposure=exposure(source, header, task.path, self.rules, self.limits),
            pixels=facts,
            problem=problem,
            size=size,
            key=cache_key(digest, item, EVERYTHING if is_mask else self.wanted) if digest else "",
            place=place if facts is not None and not header.beside else "",
        )
        if pixels is None:
            return Begun(found=_for_each(task, whole))
        return Begun(task=task, whole=whole, pixels=pixels, place="" if header.beside else place)

    def finish(self, begun: Sequence[Begun]) -> list[list[Measurement]]:
        """The measurements of files that were begun, in their order, of all pictures together."""
        waiting = [one for one in begun if one.pixels is not None and one.task is not None and not one.task.is_mask]
        try:
            measured = facts_of([one.decoded for one in waiting], self.wanted) if waiting else []
            facts = dict(zip(map(id, waiting), measured, strict=True))
        except UnreadableFile:  # one of them; which one is told when each is measured alone
            facts = {}
        return [one.found if one.found is not None else self._finished(one, facts.get(id(one))) for one in begun]

    def _finished(self, one: Begun, facts: PixelFacts | None) -> list[Measurement]:
        assert one.task is not None
        assert one.whole is not None
        header, pixels = one.decoded
        try:
            if facts is None:
                facts = mask_pixel_facts(header, pixels) if one.task.is_mask else pixel_facts(header, pixels, self.wanted)
        except UnreadableFile as error:
            return _for_each(one.task, replace(one.whole, problem=(kind_of(error, one.whole.size), error.reason)))
        return _for_each(one.task, replace(one.whole, pixels=facts, fresh=True, place=one.place))

    def _known(self, digest: str, item: str) -> PixelFacts | None:
        """What the cache knows of an image: just what is wanted, or more."""
        whole = self.known.get(cache_key(digest, item, EVERYTHING))
        if item.startswith("mask ") or self.wanted == EVERYTHING:  # of a mask there is no choice
            return whole
        if whole is not None and usual_features() >= (self.wanted.features or usual_features()):
            return narrowed(whole, self.wanted)
        return self.known.get(cache_key(digest, item, self.wanted))

    def _items(self, task: Task) -> list[Measurement]:
        found: list[Measurement] = []
        held: list[Begun] = []
        for record, item in zip(task.records, task.items, strict=True):
            held.append(self._item(task, record, item))
            if is_full(held):
                found += [measurement for each in self.finish(held) for measurement in each]
                held = []
        return found + [measurement for each in self.finish(held) for measurement in each]

    def _item(self, task: Task, record: str, item: str) -> Begun:
        member, _, index = item.partition(":")
        try:
            digest, rows = self._rows(task.path, member)
            header, key = item_header(rows.shape[1:], rows.dtype, task.path), cache_key(digest, item, self.wanted)
            facts = self._known(digest, item) if self.wanted.pixels else None
            whole = Measurement(record=record, digest=digest, header=header, pixels=facts, key=key)
            if facts is not None or not self.wanted.pixels:
                return Begun(found=[whole])
            pixels = Pixels(array=rows.row(int(index))[None])
        except UnreadableFile as error:
            return Begun(found=[Measurement(record=record, problem=(error.kind, error.reason))])
        return Begun(task=Task(path=task.path, records=(record,)), whole=whole, pixels=pixels)

    def _rows(self, path: str, member: str) -> tuple[str, ArrayRows | Hdf5Rows]:
        """The digest of a many-image file and one of its arrays; both stay open for the next task, which is its next part."""
        if self._array is None or self._array[1].path != self.root / path or self._array[1].member != member:
            digest = self._array[0] if self._array is not None and self._array[1].path == self.root / path else None
            if self._array is not None:
                self._array[1].close()
                self._array = None
            rows = rows_of(self.root / path, member, self.limits)
            rows.open()
            self._array = (digest or digest_of(rows.path), rows)
        return self._array


def _for_each(task: Task, whole: Measurement) -> list[Measurement]:
    """The same for every record of the file; only the first is new to the cache."""
    return [whole, *(replace(whole, record=record, fresh=False, place="") for record in task.records[1:])]


def kind_of(error: UnreadableFile, size: int) -> str:
    """`over-limit` where a file of so many bytes is large rather than a bomb; else the kind of the error."""
    honest = error.kind == "too-large" and 0 < error.declared_bytes <= HONEST * size
    return "over-limit" if honest else error.kind


def _together(digests: list[str]) -> str:
    """One digest of several files in their order."""
    return hashlib.blake2b("|".join(digests).encode(), digest_size=20).hexdigest()


def item_header(shape: tuple[int, ...], dtype: np.dtype[np.generic], path: str = "") -> Header:
    """What is known of one image in an array of many: its type and shape; the container's own fields say nothing about it."""
    container = "hdf5" if path.lower().endswith((".h5", ".hdf5")) else "npz"
    return Header(
        format=container,
        shape=shape,
        fields={
            "container.format": container,
            "container.bit_depth": dtype.itemsize * 8,
            "container.channels": shape[2] if len(shape) == 3 else 1,
            "container.height": shape[0],
            "container.width": shape[1],
        },
    )


def cache_key(digest: str, item: str, wanted: Wanted = EVERYTHING) -> str:
    """Key of one image's pixel facts: content, item, what was measured and the version of everything that does it."""
    text = f"{MEASURE_VERSION}|{feature_version(wanted.features)}|{wanted.sketch}|{wanted.front}|{digest}|{item}"
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
