"""The review page: one offline file with a script of its own, worked through with keys; and the same queue as a table."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from auditor.values.cells import csv_bytes
from reports.views import picture_uri

SEALED_STEP = 128
_ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One record to review. All but the picture is sealed in the page: neither its name nor its label can be read before."""

    record: str
    given: str
    suggested: str
    flagged: bool
    picture: bytes | None


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What the page asks and what its file of answers must hold beside the answers (see `auditor.evidence.labels.review`)."""

    title: str
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    envelope: Mapping[str, str | int]


def review_page(sheet: Sheet) -> bytes:
    """The page, UTF-8. Its policy allows its own script and style and nothing from anywhere else."""
    style, script = ((_ASSETS / name).read_text("utf-8") for name in ("review.css", "review.js"))
    data = {
        "envelope": dict(sheet.envelope),
        "classes": list(sheet.classes) if len(sheet.classes) <= 9 else [],
        "items": [_entry(item, number) for number, item in enumerate(sheet.items, 1)],
    }
    environment = Environment(loader=FileSystemLoader(_ASSETS), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("review.html.j2").render(
        title=sheet.title, count=len(sheet.items), style=style, script=script, data=_embedded(data),
        style_hash=_hash(style), script_hash=_hash(script),
    )  # fmt: skip
    return page.encode("utf-8", "replace")


def queue_table(records: Sequence[str]) -> bytes:
    """CSV: the records in the order of review, and nothing that would tell suspect from control."""
    return csv_bytes(["number", "record", "answer"], ([number, record, ""] for number, record in enumerate(records, 1)))


def _entry(item: Item, number: int) -> dict[str, str]:
    hidden = {"record": item.record, "given": item.given, "suggested": item.suggested, "flagged": item.flagged}
    return {"picture": "" if item.picture is None else picture_uri(item.picture), "sealed": seal(json.dumps(hidden), number)}


def seal(text: str, number: int) -> str:
    """Text that nobody reads by looking at the page's source; the script opens it once the reader has decided.

    This keeps a reader blind who means to be; it is no secret before somebody who wants to know. Padded, so that its length
    tells no label.
    """
    plain = text.encode("utf-8")
    plain += b" " * (-len(plain) % SEALED_STEP)
    state, out = (number * 2654435761 + 97) % (1 << 32), bytearray()
    for byte in plain:
        state = (state * 1664525 + 1013904223) % (1 << 32)
        out.append(byte ^ state >> 24)
    return base64.b64encode(bytes(out)).decode()


def _embedded(data: object) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element or start a comment."""
    text = json.dumps(data, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
