"""In which encoding a text table is written: by its marks, its zero bytes, and the characters that an encoding makes of it.

Tables come from spreadsheets in every country. What is not UTF-8 is read in the encoding whose characters are the commonest of
its language; the choice is always told, because a wrong one garbles the labels without an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable

SAMPLE_BYTES = 1 << 16
LATIN = "cp1252"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_NAMES = {
    "gb18030": "GB18030 (Chinese)", "cp949": "CP949 (Korean)", "shift_jis": "Shift-JIS (Japanese)", "big5": "Big5 (Chinese)",
    "euc_jp": "EUC-JP (Japanese)", "cp1251": "CP1251 (Cyrillic)", "koi8_r": "KOI8-R (Cyrillic)", "cp1253": "CP1253 (Greek)",
    LATIN: "Windows Latin (CP1252)", "latin-1": "Latin-1", "utf-16-le": "UTF-16 without a mark",
    "utf-16-be": "UTF-16 without a mark",
}  # fmt: skip


def encoding_of(head: bytes, *, whole: bool) -> tuple[str, str | None] | None:
    """The encoding of a text that starts with `head`, and a note where it is not UTF-8; None where it is no text.

    Args:
        whole: `head` is the whole text; else its last character may be cut.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return (encoding, None) if encoding == "utf-8-sig" else (encoding, f"the table is {encoding.upper()}")
    if b"\0" in head:
        wide = _wide(head)
        return None if wide is None else (wide, f"the table is {_NAMES[wide]}")
    try:
        (head if whole else head[:-3]).decode("utf-8")
    except UnicodeDecodeError as error:
        if whole or error.start < len(head) - 6:
            best = _best(head)
            return best, f"the table is not UTF-8: read as {_NAMES[best]}; save it as UTF-8 where letters look wrong"
    return "utf-8-sig", None


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: in a table, delimiters and digits leave every second byte zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = len(head) // 2
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > 0.2 * most and others < 0.02 * most:
            try:
                text = head[: len(head) // 2 * 2].decode(encoding, "strict" if len(head) % 2 == 0 else "ignore")
            except UnicodeDecodeError:
                text = head[: max(len(head) // 2 * 2 - 2, 0)].decode(encoding, "ignore")
            if "\0" not in text and re.search(r"[,;\t|]", text):
                return encoding
    return None


def _best(head: bytes) -> str:
    """Of the encodings that can hold these bytes, the one whose characters are the most usual."""
    sample = head[:SAMPLE_BYTES]
    scored = [(_usual(sample, encoding, judge), -place, encoding) for place, (encoding, judge) in enumerate(_JUDGES)]
    score, _, best = max(scored)
    return best if score > 0 else LATIN if _decoded(sample, LATIN) is not None else "latin-1"


def _decoded(sample: bytes, encoding: str) -> str | None:
    for cut in range(4):  # the end of the sample may cut a character
        try:
            return sample[: len(sample) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _usual(sample: bytes, encoding: str, judge: Callable[[str], bool]) -> float:
    """Share of the characters beyond ASCII that are usual in a language of the encoding; 0 where it cannot hold the bytes."""
    text = _decoded(sample, encoding)
    if text is None:
        return 0.0
    beyond = [c for c in text if ord(c) > 127]
    if any(ord(c) < 160 for c in beyond):  # control characters: in no table
        return 0.0
    return sum(map(judge, beyond)) / len(beyond) if beyond else 0.0


def _level_one(encoding: str, first: int, last: int) -> Callable[[str], bool]:
    """The character is among the common ones of a national set, which lie between two lead bytes; or is a full-width mark."""

    def judge(character: str) -> bool:
        if 0x3000 <= ord(character) <= 0x303F or 0xFF00 <= ord(character) <= 0xFF60:
            return True
        try:
            lead = character.encode(encoding)
        except UnicodeEncodeError:
            return False
        return len(lead) == 2 and first <= lead[0] <= last

    return judge


def _kana_or_common(character: str) -> bool:
    return 0x3041 <= ord(character) <= 0x30FF or _JIS(character)


_JIS = _level_one("shift_jis", 0x88, 0x97)


def _lower_cyrillic(character: str) -> bool:
    return 0x430 <= ord(character) <= 0x451


def _lower_greek(character: str) -> bool:
    return 0x3AC <= ord(character) <= 0x3CE


def _western(character: str) -> bool:
    return character in "äöüßÄÖÜéèêëàâáãåæçíìîïñóòôõøúùûýœŒÉÈÀÁÂÃÅÆÇÍÑÓÔÕØÚµ°±²³·½€–—’‘“”…«»¿¡ºª"


_JUDGES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (LATIN, _western),
    # The commonest Korean syllables lie where a part of the commonest Chinese characters does: of two that fit, the narrower.
    ("cp949", _level_one("euc_kr", 0xB0, 0xC8)),
    ("gb18030", _level_one("gb2312", 0xB0, 0xD7)),
    ("shift_jis", _kana_or_common),
    ("euc_jp", _kana_or_common),
    ("big5", _level_one("big5", 0xA4, 0xC6)),
    ("cp1251", _lower_cyrillic),
    ("koi8_r", _lower_cyrillic),
    ("cp1253", _lower_greek),
)
