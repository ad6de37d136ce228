"""Which elements of a DICOM file could name a person: walked at every depth, told by keyword; no value leaves this module.

Source: DICOM PS3.15 Annex E, edition 2026c (`auditor.evidence.privacy.ps315`); PS3.10 7.1 for the preamble.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from auditor.containers.dicom_header import DEFLATED_LE, LONG_VRS, PIXELS, UNDEFINED, VRS, Elements, read_elements
from auditor.evidence.privacy.ps315 import entry_of
from auditor.values.image import Limits
from auditor.values.ordinary import ordinary_words
from auditor.values.privacy import Privacy, kinds_in

_ICON, _ENCAPSULATED, _METHOD_CODES, _PHOTO, _REMOVED = 0x00880200, 0x00420011, 0x00120064, 0x00101100, 0x00120062
_HIDDEN = {_ICON: "icon image", _ENCAPSULATED: "encapsulated document", _PHOTO: "patient photo"}
TYPED = {
    0x0040A160: "TextValue", 0x00420010: "DocumentTitle", 0x00204000: "ImageComments", 0x00104000: "PatientComments",
    0x40084000: "ResultsComments", 0x4008010B: "InterpretationText", 0x00700006: "UnformattedTextValue",
    0x00402400: "ImagingServiceRequestComments", 0x00401400: "RequestedProcedureComments",
    0x001021B0: "AdditionalPatientHistory",
}  # fmt: skip
"""Where people write sentences: reports above all, whose content the profile of PS3.15 has cleaned by hand."""
_NOTHING: frozenset[int] = frozenset()
LEAST_NAME = 4
"""A shorter word of a name is in too many paths by chance."""
_PRINTABLE_NAME = re.compile(r"[\w .:()/+-]{1,64}")


class Part(NamedTuple):
    """One element at any depth; `start` and `end` bound its value, which is empty for sequences (their items follow)."""

    tag: int
    vr: bytes
    start: int
    end: int
    depth: int


def dicom_exposure(content: bytes, path: str, rules: Privacy, limits: Limits) -> dict[str, str]:
    """Kind → what is there, joined by `+`: `person`, `date`, `text` and `stated` hold keywords, `private` creators, `hidden`
    things, `path` keywords with the part of the path that repeats their value (`PatientName@1`, counted from 0).

    Raises:
        UnreadableFile: the file could not be walked up to its pixels.
    """
    elements = read_elements(content, _NOTHING, limits)
    found: dict[str, set[str]] = {}

    def add(kind: str, name: str) -> None:
        found.setdefault(kind, set()).add(name)

    if elements.preamble and any(content[:128]):
        add("hidden", "executable preamble" if content[:2] in (b"MZ", b"\x7fE") else "preamble")
    creators: dict[tuple[int, int], str] = {}
    parts = path.split("/")
    removed = False
    for part in walk(elements, limits):
        if part.tag < 0:
            add("hidden", "part that cannot be read")
            break
        group, number = part.tag >> 16, part.tag & 0xFFFF
        if group & 1:
            if 0x10 <= number <= 0xFF:
                creators[group, number] = _text(elements, part)
            elif number >= 0x1000 and (part.end > part.start or part.vr == b"SQ"):
                creator = creators.get((group, number >> 8), "")
                if creator not in rules.private_allowed:
                    add("private", creator if _is_public(creator) else f"unknown creator in group {group:04X}")
            continue
        if part.tag in _HIDDEN:
            add("hidden", _HIDDEN[part.tag])
        elif part.tag == _REMOVED and not part.depth:
            removed = _text(elements, part) == "YES"
        elif part.tag == _METHOD_CODES:
            add("stated", "DeidentificationMethodCodeSequence")
        elif group & 0xFF00 == 0x6000 and number == 0x3000 and part.end > part.start:
            add("hidden", "overlay")
        elif group & 0xFF00 == 0x5000:
            add("hidden", "curve")
        entry = entry_of(part.tag)
        if part.end <= part.start:
            continue
        if (entry is None and part.tag in TYPED) or (entry is not None and entry.tier == "text"):
            name, said = TYPED.get(part.tag) or (entry.keyword if entry is not None else ""), _text(elements, part)
            if rules.is_real(said) and tells_of_a_person(said, typed=part.tag in TYPED):
                add("person", name)
            elif entry is None and rules.is_real(said):
                add("text", name)
        if entry is None or entry.tier is None:
            continue
        values = [value for value in _text(elements, part).split("\\") if rules.is_real(value)]
        if values:
            add(entry.tier, entry.keyword)
            if entry.tier == "person":
                for at in _places(values, parts, name=entry.vr == "PN"):
                    add("path", f"{entry.keyword}@{at}")
    if removed:  # then the id is a pseudonym, declared or not, and may name files and folders
        found["path"] = {name for name in found.get("path", ()) if not name.startswith("PatientID@")}
    return {kind: "+".join(sorted(names)) for kind, names in found.items() if names}


_SAID = re.compile(
    r"(?i:\b(?:patient(?:in|en)?(?:'s)?(?: name)?|pat\.|name|nom|nombre)\s*[:=]\s*)[A-ZÀ-Þ][^\W\d_]+[ ,^]+[A-ZÀ-Þ][^\W\d_]+"
    r"|(?i:\b(?:born|geb\.?|geboren|d\.?o\.?b\.?|n[ée]e? le)(?:\s+(?:on|am|the))?\s*[:=]?\s*)\d{1,4}[-./]\d{1,2}[-./]\d{2,4}"
)


def tells_of_a_person(text: str, *, typed: bool) -> bool:
    """A sentence that names somebody, or gives a record number or an address; in a text that people type also by `Patient:`."""
    if not typed:
        text = text.replace("^", "/")  # Siemens writes `abdomen^liver` into descriptions: a body part, and no name
    if kinds_in(text) & {"name", "record number", "e-mail"}:
        return True
    return typed and _SAID.search(text) is not None


def walk(elements: Elements, limits: Limits) -> Iterator[Part]:
    """Every element of the data set, sequences entered, pixels passed over; a part with tag −1 where the rest is damaged."""
    data, order = elements.data, elements.order
    at, end = 0 if elements.transfer_syntax == DEFLATED_LE else elements.data_start, len(data)
    head = struct.Struct(order + "HH2sH").unpack_from
    long_head = struct.Struct(order + "I").unpack_from
    item = struct.pack(order + "HH", 0xFFFE, 0xE000)
    implicit = data[at + 4 : at + 6] not in VRS
    # one entry per open sequence or item: its end (None: by delimiter) and the VR rule that holds behind it
    stack: list[tuple[int | None, bool]] = []
    for _ in range(4 * limits.elements):
        while stack and stack[-1][0] is not None and at >= stack[-1][0]:
            _, implicit = stack.pop()
        if at + 8 > end:
            return
        group, number, vr, length = head(data, at)
        start = at + 8
        if group == 0xFFFE:
            length = long_head(data, at + 4)[0]
            at = start
            if number == 0xE000:
                stack.append((None if length == UNDEFINED else min(start + length, end), implicit))
            elif stack:
                _, implicit = stack.pop()
            continue
        if implicit:
            vr, length = b"", long_head(data, at + 4)[0]
        elif vr in LONG_VRS:
            if at + 12 > end:
                break
            length, start = long_head(data, at + 8)[0], at + 12
        elif vr not in VRS and not (vr.isalpha() and vr.isupper()):
            vr, length = b"", long_head(data, at + 4)[0]
        tag = group << 16 | number
        if tag == PIXELS and not stack and length != UNDEFINED and start + length > end:
            return  # cut short, or inflated only so far: IN001 tells
        if len(stack) > 2 * limits.nesting or (length != UNDEFINED and start + length > end):
            break
        if tag == PIXELS and length == UNDEFINED:
            if stack:  # the frames of an icon
                after = data.find(struct.pack(order + "HH", 0xFFFE, 0xE0DD), start)
                if after < 0:
                    break
                at = after + 8
                continue
            return
        sequence = length == UNDEFINED or vr == b"SQ" or (vr in (b"", b"UN") and data[start : start + 4] == item)
        yield Part(tag, b"SQ" if sequence else vr, start, start if sequence else start + length, len(stack))
        if sequence:
            stack.append((None if length == UNDEFINED else start + length, implicit))
            implicit = implicit or vr == b"UN"
            at = start
        else:
            at = start + length
    else:
        yield Part(-1, b"", at, at, 0)
        return
    if at + 8 <= end:
        yield Part(-1, b"", at, at, 0)


def _text(elements: Elements, part: Part) -> str:
    raw = elements.data[part.start : min(part.end, part.start + 4096)]
    return raw.decode("utf-8", "replace").strip("\0 ")


def _places(values: list[str], parts: list[str], *, name: bool) -> list[int]:
    """Parts of the path that hold all words of a value; short words name nobody. Of a name one word is enough (`kuzmenkova_0`),
    unless it is an ordinary one or the name is a code (`LIDC-0001`)."""
    found = []
    wanted = [{w for w in _words(value) if len(w) >= (4 if w.isdigit() else 3)} for value in values]
    if name:
        spoken = {w for value in values if not any(map(str.isdigit, value)) for w in _words(value) if len(w) >= LEAST_NAME}
        wanted += [{word} for word in spoken - ordinary_words()]
    for at, part in enumerate(parts):
        there = {piece for word in _words(part) for piece in (word, *re.findall(r"[^\W\d_]+", word))}
        if any(words and words <= there for words in wanted):
            found.append(at)
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


@cache
def _public_creators() -> frozenset[str]:
    from pydicom.datadict import private_dictionaries

    return frozenset(private_dictionaries)


def _is_public(creator: str) -> bool:
    """Known to pydicom's dictionary, so that it may be shown: anything could stand in an unknown one."""
    return creator in _public_creators() and _PRINTABLE_NAME.fullmatch(creator) is not None
