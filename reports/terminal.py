"""What the summaries for a terminal share: headings, indents, and how they reach a console or a file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from reports.cell import shown

_ASCII = str.maketrans(
    {"✗": "x", "✓": "+", "○": "o", "◐": "~", "·": "-", "–": "-", "…": "~", "─": "-", "’": "'", "−": "-", "→": ">"}
)


def as_text(page: RenderableType) -> bytes:
    """The page as UTF-8 text, 100 columns wide, without colour."""
    stream = io.StringIO()
    console = Console(file=stream, width=100, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(page, soft_wrap=False)
    lines = (line.rstrip() for line in stream.getvalue().splitlines())
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def print_page(page: RenderableType, console: Console) -> None:
    """Print a page. A console that cannot write Unicode gets ASCII marks and escapes instead of an error."""
    if console.encoding.lower().startswith("utf"):
        console.print(page)
        return
    with console.capture() as captured:
        console.print(page)
    text = captured.get().translate(_ASCII)
    console.file.write(text.encode(console.encoding, "backslashreplace").decode(console.encoding))


def heading(text: str, remark: str = "") -> RenderableType:
    """A bold line after an empty one, with a remark in grey."""
    line = Text.assemble("\n", (text, "bold"))
    if remark:
        line.append(f"  {remark}", style="dim")
    return line


def indented(text: str) -> RenderableType:
    """A line or paragraph, two columns in."""
    return Padding(Text(text, overflow="fold"), (0, 0, 0, 2), expand=False)


def written(outputs: Iterable[Path]) -> list[RenderableType]:
    """The files that were written, one per line."""
    paths = [indented(shown(str(path))) for path in outputs]
    return [heading("Written"), *paths] if paths else []
