"""A text as a cell of a CSV file of ours: safe in a spreadsheet and on a terminal, and read back as it was.

Sources: OWASP, CSV injection; Unicode TR 36 (characters that hide or turn others).
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@")
HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, and the invisible or direction-changing ones that make one name look like another; lone surrogates are
how Python holds the bytes of a file name that is not UTF-8."""
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONG = {short: char for char, short in _SHORT.items()}
_ESCAPED = re.compile(r"\\(?:\\|[nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?%?")


def visible(text: str) -> str:
    """The text with every control, invisible and direction-changing character written as an escape."""
    return HIDDEN.sub(lambda found: _SHORT.get(found[0]) or _escape(ord(found[0])), text)


def as_cell(text: str, *, data: bool = False) -> str:
    """The text in one line without control characters, never run as a formula: such a one gets an apostrophe, and so does one
    that had one, so that `from_cell` gives back what was there.

    Args:
        data: plain numbers stay as they are (`-1` as a label), because programs read the file.
    """
    # what spreadsheets skip before a formula does not hide it, nor do the wide forms of its signs (NFKC)
    start = unicodedata.normalize("NFKC", text.lstrip())[:1]
    runs = start in FORMULA and not (data and _NUMBER.fullmatch(text))
    quoted = "'" if runs or text[:1] in ("\t", "\r", "\n", "'") else ""
    if HIDDEN.search(text) is None and _ESCAPED.search(text) is None:
        return quoted + text
    return quoted + visible(text.replace("\\", "\\\\"))


def from_cell(written: str) -> str:
    """What `as_cell` was given."""
    text = written[1:] if written.startswith("'") else written
    return _ESCAPED.sub(_unescape, text)


def csv_bytes(
    names: Sequence[str], rows: Iterable[Sequence[object]], *, separator: str = ",", end: str = "\n", data: bool = False
) -> bytes:
    """A CSV or TSV file: header, then rows, texts by `as_cell`, None empty, numbers as they are; UTF-8."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator=end)
    writer.writerow([as_cell(name, data=data) for name in names])
    writer.writerows([as_cell(value, data=data) if isinstance(value, str) else value for value in row] for row in rows)
    return stream.getvalue().encode("utf-8", "backslashreplace")


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unescape(found: re.Match[str]) -> str:
    told = found[0]
    return _LONG.get(told) or ("\\" if told == "\\\\" else chr(int(told[2:], 16)))
