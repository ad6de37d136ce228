"""What the suffix of a file's name says; which suffixes are those of images is what the format modules declare."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from auditor.format import formats

REMEMBERED = 1 << 14
"""Names of which it is kept: every layout asks for those of all files, some fifty times each."""


@cache
def image_suffixes() -> Mapping[str, str]:
    """Suffix → the format that a file so called is taken for. Of two formats with one suffix, the one that is read."""
    read: dict[str, str] = {}
    told: dict[str, str] = {}
    for name, format_ in formats().items():
        for suffix in format_.suffixes:
            (read if format_.is_read else told).setdefault(suffix, name)
    return {**told, **read}


@cache
def _doubles() -> tuple[str, ...]:
    every = {suffix for format_ in formats().values() for suffix in (*format_.suffixes, *format_.shared)}
    return tuple(sorted("." + suffix for suffix in every if "." in suffix))


@cache
def _known() -> frozenset[str]:
    return frozenset(suffix for suffix, name in image_suffixes().items() if formats()[name].is_read)


@lru_cache(maxsize=REMEMBERED)
def suffix_of(name: str) -> str:
    """Lower-case suffix without the dot: `png`, `nii.gz`; empty when there is none."""
    base = name.rpartition("/")[2].lower()
    if base.endswith(_doubles()):
        return next(double[1:] for double in _doubles() if base.endswith(double))
    stem, dot, suffix = base.rpartition(".")
    return suffix if dot and stem else ""


@lru_cache(maxsize=REMEMBERED)
def stem_of(name: str) -> str:
    """File name without folders and without the suffix of a format that is read."""
    base = name.rpartition("/")[2]
    suffix = suffix_of(base)
    return base[: -len(suffix) - 1] if suffix in _known() else base


def looks_like_image_name(name: str) -> bool:
    """The name ends like that of an image; one of arrays may be anything."""
    known = formats().get(image_suffixes().get(suffix_of(name), ""))
    return known is not None and known.is_read and known.holds == "image"


def looks_like_file_name(name: str) -> bool:
    """The name ends like that of an image or of arrays, of whatever format that is known; also gzipped."""
    suffix = suffix_of(name)
    return suffix in _named() or (suffix == "gz" and suffix_of(name[:-3]) in _named())


@cache
def _named() -> frozenset[str]:
    every = {suffix for format_ in formats().values() for suffix in (*format_.suffixes, *format_.shared)}
    return frozenset(every - {""})


@cache
def suffixes_of_formats() -> Mapping[str, frozenset[str]]:
    """Format that is read → all suffixes that a file of it may have."""
    return {name: frozenset((*one.suffixes, *one.shared)) for name, one in formats().items() if one.is_read}
