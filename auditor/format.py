"""What an image format is: content → format → header → pixels in the stored depth. One module per format in `auditor.formats`.

A format module has five names:

* `FORMATS: Mapping[str, Format]`: what it reads (`png`, `dicom`, ...), and what is known of it: its words, the suffixes of its
  files, whether a file may hold many images. Nobody else says anything about a suffix of an image;
* `PRIORITY: int`: who is asked first what a content is; the higher first, then the name of the module. 50 is usual;
* `sniff(head: bytes) -> str | None`: the format, told from the first `SNIFF_BYTES` bytes alone; never from the suffix;
* `open_header(source: FileSource, limits: Limits) -> Header`, cheap, decodes no pixel; shape () where there are no pixels;
* `open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels`.

All raise `UnreadableFile`, and nothing else, for whatever is in the file.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

from auditor.plugins import plugin_modules
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Format, Header, Limits, Pixels

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


def read_source(path: Path, limits: Limits) -> FileSource:
    """Read a file whole.

    Raises:
        UnreadableFile: empty, larger than `limits.file_bytes`, not a regular file, no permission.
    """
    try:
        status = path.stat()
        # asked before opening: a pipe would block
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile("refused", "not a regular file (folder, device, pipe or socket)")
        with path.open("rb") as file:
            # one byte more than it had, so that a file that grew meanwhile is noticed; never the limit itself, because
            # read() reserves what it is asked for
            content = file.read(status.st_size + 1) if status.st_size <= limits.file_bytes else b""
    except OSError as error:
        raise UnreadableFile("refused", f"the file cannot be opened ({error.strerror})") from None
    except MemoryError:
        raise UnreadableFile("memory", f"the file has {status.st_size:,} bytes, more than fit into memory") from None
    size = max(status.st_size, len(content))
    if size > limits.file_bytes:
        raise UnreadableFile("too-large", f"the file has {size:,} bytes, more than the limit of {limits.file_bytes:,}")
    if not content:
        raise UnreadableFile("empty", "the file is empty (0 bytes)")
    return FileSource(path=path, content=content)


def open_header(source: FileSource, limits: Limits) -> Header:
    """Header of a file of any known format.

    Raises:
        UnreadableFile: no known image format, or a malformed header, or one that declares more than `limits` allow.
    """
    found = reader_of(source.content[:SNIFF_BYTES])
    if found is None:
        raise UnreadableFile("not-an-image", "the content is of no known image format")
    header: Header = found[0].open_header(source, limits)
    return header


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
