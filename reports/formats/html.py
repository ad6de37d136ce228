"""One offline HTML file: no script, one request, at most 5 MB, at most 1,000 rows per table and 200 pictures."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from auditor.types import ScanResult
from reports.cell import visible
from reports.page import Limits, page

SUFFIXES: tuple[str, ...] = (".html", ".htm")
MAX_BYTES = 5_000_000
_ASSETS = Path(__file__).parent.parent / "assets"
_STEPS = (
    Limits(),
    Limits(rows=300),
    Limits(rows=100, pictures=100),
    Limits(rows=30, pictures=50),
    Limits(rows=10, pictures=10),
)


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """The report. When it would be larger than 5 MB, every table shows fewer rows, and says so."""
    content = b""
    for limits in _STEPS:
        content = document(result, limits).encode("utf-8")
        if len(content) <= MAX_BYTES:
            break
    return {name: content}


def document(result: ScanResult, limits: Limits) -> str:
    """The page with at most so many rows and pictures."""
    style = (_ASSETS / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode()
    return _environment().get_template("report.html.j2").render(style=style, style_hash=digest, **page(result, limits))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Every value that reaches the page comes through here, so that none can hide a control character.
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
