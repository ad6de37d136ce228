"""What may stand above the header of a text table: a line `sep=;`, a title, the date of the export, blank lines."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

DELIMITERS = (",", "\t", ";", "|")
PLAIN = (".txt", ".dat", ".lst", ".list")
"""Only in files so called a space may part the cells."""
MOST_LINES = 15
"""A header lies no deeper than this."""
_LONGEST = 100_000
"""No cell of the first lines is looked at further than this."""
_SEPARATOR = re.compile(r'^\ufeff?"?sep=(?P<mark>[^\s"]|\t)"?\s*$', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Prelude:
    """How a text table begins.

    Args:
        lines: lines above the header, which are no rows.
        delimiter: what parts its cells.
        note: what was left out, in words; empty where the header is the first line.
    """

    lines: int
    delimiter: str
    note: str = ""


def prelude_of(name: str, lines: Sequence[str]) -> Prelude:
    """Judge the first lines of a table.

    Args:
        name: of the file: `.tsv` and `.tab` are parted by tabs.
        lines: up to 200, without their ends.
    """
    lines = [line[:_LONGEST] for line in lines]
    skipped, told = 0, None
    if lines and (found := _SEPARATOR.match(lines[0])) is not None:
        skipped, told = 1, found["mark"]
    comments = _comments(name, lines[skipped:], told)
    skipped += comments
    rest = list(lines[skipped:])
    mark = told or delimiter_of(name, rest)
    titles = _titles(rest, mark)
    parts = [f"a line says that cells are parted by {told!r}"] if told is not None else []
    if titles or comments:
        above = titles + comments
        parts.append(f"{above:,} {'line' if above == 1 else 'lines'} above the header are no part of the table")
    return Prelude(lines=skipped + titles, delimiter=mark, note="; ".join(parts))


def delimiter_of(name: str, lines: Sequence[str]) -> str:
    """The delimiter that splits most lines into the same number of cells; tab for .tsv."""
    if name.lower().removesuffix(".gz").endswith((".tsv", ".tab")):
        return "\t"
    best, score = ",", 0.0
    # Where nearly every comma stands between two digits, it may be that of a number: it is asked last.
    commas = [line for line in lines if "," in line]
    decimal = sum(re.search(r"(?<!\d),|,(?!\d)", line) is None for line in commas) > 0.9 * len(commas)
    for mark in sorted(DELIMITERS, key=lambda one: decimal and one == ","):
        widths = [len(row) for row in csv.reader(lines, delimiter=mark) if row]
        usual = max(set(widths), key=widths.count) if widths else 1
        # A title above the header has one cell; one text column whose texts hold commas has a header of one cell as well.
        if not widths or usual < 2 or (widths[0] < 2 and usual < 3):
            continue
        agreement = widths.count(usual) / len(widths)
        if agreement > score + 0.05:
            best, score = mark, agreement
    if not score and name.lower().endswith(PLAIN):
        widths = [len(row) for row in csv.reader(lines, delimiter=" ") if row]
        best = " " if widths and min(widths) == max(widths) > 1 else best
    return best


def _comments(name: str, lines: Sequence[str], told: str | None) -> int:
    """Lines that begin with `#`, but for a last one (`#image,class`) that has as many cells as the lines below: the header."""
    count = next((at for at, line in enumerate(lines) if not line.lstrip("\ufeff").startswith("#")), 0)
    if not count:
        return 0
    if lines[count - 1].lstrip("\ufeff")[1:2] in (" ", "\t", "#"):
        return count
    mark = told or delimiter_of(name, list(lines[count:]))
    last, below = (len(next(csv.reader([line], delimiter=mark), [])) for line in lines[count - 1 : count + 1])
    return count - 1 if last == below > 1 else count


def _titles(lines: Sequence[str], mark: str) -> int:
    """Lines above the header: their cells are nearly all blank, those of the header are not."""
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO("\n".join(lines) + "\n", newline=""), delimiter=mark)
    before = 0
    for row in reader:
        rows.append((before, row))
        before = reader.line_num
    widths = Counter(len(row) for _, row in rows if row)
    if not widths:
        return 0
    usual = widths.most_common(1)[0][0]
    if usual < 3:
        return 0
    filled = [(start, sum(bool(cell.strip()) for cell in row)) for start, row in rows]
    first = next((number for _, number in filled if number), 0)
    parted = any(number == 0 for _, number in filled[1:4])
    if first > 1 and not (parted and first < usual):
        return 0
    for start, number in filled[: MOST_LINES + 1]:
        if number >= max(3, 0.6 * usual):
            return start
        if number > 2:
            return 0
    return 0
