"""What other people's decoders throw at a broken file, turned into `UnreadableFile`; their warnings are silenced meanwhile."""

from __future__ import annotations

import importlib
import logging
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from PIL import Image

from auditor.values.errors import MissingExtraError, UnreadableFile

DECODER_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,  # includes RecursionError, NotImplementedError and the errors of every codec of imagecodecs
    StopIteration,
    SyntaxError,  # Pillow, for a PNG chunk it does not understand
    TypeError,
    ValueError,  # includes UnicodeError and tifffile.TiffFileError
    struct.error,
    tokenize.TokenError,  # numpy, for a damaged npy header
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
)
"""What Pillow, tifffile, pydicom, imagecodecs, zipfile and numpy were seen to raise on mutated files. Not `Exception`:
a mistake of ours (NameError) still shows."""

_CUT_SHORT = ("truncated", "unexpected end", "premature", "too short", "end of file", "not enough image data", "incomplete")


@contextmanager
def decoding(what: str, *, loggers: tuple[str, ...] = ()) -> Iterator[None]:
    """Run a decoder on content that may be hostile.

    The text of the decoder's own error is never passed on: it may quote the file.

    Args:
        what: names the thing in the reason ("PNG image", "TIFF page").
        loggers: names of loggers that are silenced inside the block; each by its own name, their children are not.

    Raises:
        UnreadableFile: kind `truncated`, `too-large`, `missing-codec`, `memory` or `malformed`.
    """
    with warnings.catch_warnings(), _silence(loggers):
        warnings.simplefilter("ignore")
        try:
            yield
        except MemoryError:
            raise UnreadableFile("memory", f"the {what} needs more memory than there is") from None
        except Image.DecompressionBombError:
            raise UnreadableFile("too-large", f"the {what} declares more pixels than the decoder accepts") from None
        except MissingExtraError as missing:
            raise UnreadableFile("missing-codec", str(missing)) from None
        except DECODER_ERRORS as error:
            text = str(error).lower()
            if isinstance(error, ImportError) or "imagecodecs" in text:
                needed = MissingExtraError("imagecodecs", extra="codecs", purpose=f"the {what}")
                raise UnreadableFile("missing-codec", str(needed)) from None
            if isinstance(error, EOFError) or any(words in text for words in _CUT_SHORT):
                raise UnreadableFile("truncated", f"the {what} ends before all of its pixels are there") from None
            raise UnreadableFile("malformed", f"the {what} cannot be decoded ({type(error).__name__})") from None


def codec(module: str, package: str, *, purpose: str) -> ModuleType:
    """A package of the extra `codecs`.

    Args:
        module: its name in Python.
        package: its name for pip.
        purpose: what it is needed for.

    Raises:
        MissingExtraError: it is not installed; the message holds the pip command.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(package, extra="codecs", purpose=purpose) from None


@contextmanager
def _silence(names: tuple[str, ...]) -> Iterator[None]:
    def refuse(_: logging.LogRecord) -> bool:
        return False

    for name in names:
        logging.getLogger(name).addFilter(refuse)
    try:
        yield
    finally:
        for name in names:
            logging.getLogger(name).removeFilter(refuse)
