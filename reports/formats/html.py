"""One offline HTML file: no script, one request, at most 5 MB, at most 1,000 rows per table and 200 pictures."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from auditor.values.cells import visible
from auditor.values.corrections import Comparison
from auditor.values.results import ScanResult
from reports.comparison_page import comparison_page
from reports.page import page
from reports.views import Limits

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
    return {name: _fitting(lambda limits: document(result, limits))}


def render_comparison(comparison: Comparison, name: str) -> Mapping[str, bytes]:
    """The report before and after a correction, bounded in the same way."""
    return {name: _fitting(lambda limits: comparison_document(comparison, limits))}


def document(result: ScanResult, limits: Limits) -> str:
    """The page of a scan with at most so many rows and pictures."""
    return _filled("report.html.j2", page(result, limits))


def comparison_document(comparison: Comparison, limits: Limits) -> str:
    """The page of a comparison with at most so many rows and pictures."""
    return _filled("comparison.html.j2", comparison_page(comparison, limits))


def _fitting(draw: Callable[[Limits], str]) -> bytes:
    content = b""
    for limits in _STEPS:
        content = draw(limits).encode("utf-8")
        if len(content) <= MAX_BYTES:
            break
    return content


def _filled(template: str, values: Mapping[str, Any]) -> str:
    style = (_ASSETS / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode()
    return _environment().get_template(template).render(style=style, style_hash=digest, **values)


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
