"""What an image format is: content → format → header → pixels in the stored depth. One module per format in `auditor.formats`.

A format module has five names:

* `FORMATS: Mapping[str, Format]`: what it reads (`png`, `dicom`, ...), and what is known of it: its words, the suffixes of its
  files, whether a file may hold many images. Nobody else says anything about a suffix of an image;
* `PRIORITY: int`: who is asked first what a content is; the higher first, then the name of the module. 50 is usual;
* `sniff(head: bytes) -> str | None`: the format, told from the first `SNIFF_BYTES` bytes alone; never from the suffix;
* `open_header(source: FileSource, limits: Limits) -> Header`, cheap, decodes no pixel; shape () where there are no pixels;
* `open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels`.

A format whose header holds free texts has a sixth:

* `texts(source: FileSource, limits: Limits) -> Iterator[tuple[str, str, bool]]`: what each is called, the text, and whether its
  presence alone tells of a person. Looked into for names, dates and numbers of people, and never shown.

All raise `UnreadableFile`, and nothing else, for whatever is in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

from auditor.containers.source import read_source
from auditor.plugins import plugin_modules
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Format, Header, Limits, Pixels

__all__ = [
    "SNIFF_BYTES",
    "format_of",
    "formats",
    "open_header",
    "open_pixels",
    "read_source",
    "reader_of",
    "readers",
    "texts_of",
]

SNIFF_BYTES = 4096


@cache
def readers() -> tuple[ModuleType, ...]:
    """All format modules, ours and those of installed plug-ins (entry points `medaudit.formats`), in the order of asking."""
    names = ("FORMATS", "PRIORITY", "sniff", "open_header", "open_pixels")
    modules = plugin_modules("auditor.formats", "medaudit.formats", names=names)
    return tuple(sorted(modules.values(), key=lambda module: -module.PRIORITY))


@cache
def formats() -> Mapping[str, Format]:
    """Every format that is known; where two modules know one (a plug-in reads what was only named), the one asked first."""
    known: dict[str, Format] = {}
    for module in readers():
        for name, format_ in module.FORMATS.items():
            known.setdefault(name, format_)
    return known


def format_of(head: bytes) -> str | None:
    """The image format of a file that starts with `head`, or None."""
    found = reader_of(head)
    return None if found is None else found[1]


def reader_of(head: bytes) -> tuple[ModuleType, str] | None:
    """The reader and the format for a file that starts with `head`, or None."""
    for module in readers():
        name: str | None = module.sniff(head)
        if name is not None:
            return module, name
    return None


def open_header(source: FileSource, limits: Limits) -> Header:
    """Header of a file of any known format.

    Raises:
        UnreadableFile: no known image format, or a malformed header, or one that declares more than `limits` allow.
    """
    found = reader_of(source.content[:SNIFF_BYTES])
    if found is None or _is_overview(source.path):
        raise _no_reader(source.path)
    header: Header = found[0].open_header(source, limits)
    return header


def _is_overview(path: Path) -> bool:
    """Its content is a small picture of a slide that lies in other files: to read it would be to look at something else."""
    return path.name.lower().endswith(_overviews())


@cache
def _overviews() -> tuple[str, ...]:
    return tuple(f".{suffix}" for known in formats().values() if known.stands_for_others for suffix in known.suffixes)


def _no_reader(path: Path) -> UnreadableFile:
    """Of a content that nobody knows: bare samples (PAR/REC, BRIK) have no first bytes to be known by, only their name."""
    unread = [known for known in formats().values() if not known.is_read]
    for known in unread:
        if path.name.lower().endswith(tuple("." + suffix for suffix in known.suffixes)):
            return known.refusal()
    return UnreadableFile("not-an-image", "the content is of no known image format")


def header_roles(limits: Limits, path: Path) -> Mapping[str, str]:
    """`Header.roles` of a file; for `auditor.reading.jobs`.

    Raises:
        UnreadableFile: as for `read_source` and `open_header`.
    """
    return open_header(read_source(path, limits), limits).roles


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """Pixels of a file whose header was read.

    Raises:
        UnreadableFile: truncated, malformed, over the limits, or a codec is missing.
    """
    found = reader_of(source.content[:SNIFF_BYTES])
    if found is None:
        raise UnreadableFile("not-an-image", "the content is of no known image format")
    pixels: Pixels = found[0].open_pixels(source, header, limits)
    return pixels


def texts_of(source: FileSource, limits: Limits) -> Iterator[tuple[str, str, bool]]:
    """The free texts of a header whose format module tells of them: their name, the text, whether it certainly is personal.

    Raises:
        UnreadableFile: a malformed header, or one that declares more than `limits` allow.
    """
    found = reader_of(source.content[:SNIFF_BYTES])
    if found is not None and hasattr(found[0], "texts"):
        yield from found[0].texts(source, limits)
