"""Pictures that come with a result are drawn where they are as small as ours, and told where they are not."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from auditor.values.results import ScanResult
from medaudit.cli import main
from reports import small_picture
from reports.format import write_outputs
from reports.small_picture import drawable, is_small


def written(kind: str, side: tuple[int, int] = (96, 64), **more: Any) -> bytes:
    stream = io.BytesIO()
    Image.new("L" if kind != "GIF" else "P", side, 90).save(stream, kind, **more)
    return stream.getvalue()


def cover(content: bytes, height: int, width: int) -> bytes:
    """A JPEG that says it is of another size."""
    at = content.index(b"\xff\xc0")
    return content[: at + 5] + struct.pack(">HH", height, width) + content[at + 9 :]


OURS = {
    "JPEG": written("JPEG"),
    "progressive": written("JPEG", progressive=True),
    "with comments": written("JPEG", comment=b"x" * 500),
    "WebP": written("WEBP"),
    "WebP lossless": written("WEBP", lossless=True),
    "the largest": written("JPEG", (1024, 1024)),
}
OTHERS = {
    "nothing": b"",
    "two bytes": b"\xff\xd8",
    "a head alone": b"\xff\xd8\xff\xe0",
    "zeros behind a head": b"\xff\xd8\xff" + bytes(5000),
    "fill without end": b"\xff\xd8" + b"\xff" * 50_000,
    "segments without end": b"\xff\xd8" + b"\xff\xe0\0\x02" * 20_000,
    "a segment of nought": b"\xff\xd8\xff\xe0\0\0" + bytes(100),
    "PNG": written("PNG"),
    "GIF": written("GIF"),
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "HTML": b"<html><script>alert(1)</script>",
    "wide": written("JPEG", (1025, 8)),
    "a bomb": cover(written("JPEG"), 65_500, 65_500),
    "no rows": cover(written("JPEG"), 0, 96),
    "WebP wide": written("WEBP", (8, 1500)),
    "WebP without body": b"RIFF\x04\0\0\0WEBP",
    "WebP that moves": written("WEBP", save_all=True, append_images=[Image.new("L", (96, 64), 9)]),
    "large": written("JPEG") + bytes(small_picture.MOST_BYTES),
}


@pytest.mark.parametrize("name", OURS)
def test_a_picture_like_ours_is_drawn(name: str) -> None:
    assert drawable({"r": OURS[name]}) == {"r": OURS[name]}


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_is_not(name: str) -> None:
    assert drawable({"r": OTHERS[name]}) == {}


def test_the_size_is_what_pillow_says() -> None:
    for kind, more in (("JPEG", {}), ("WEBP", {}), ("WEBP", {"lossless": True})):
        for side in ((1, 1), (1, 1024), (1024, 1), (333, 17)):
            assert is_small(written(kind, side, **more)), (kind, side)
        assert not is_small(written(kind, (17, 1025), **more))


def test_there_are_bytes_for_all_of_a_result_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_picture, "MOST_IN_ALL", 5 * len(OURS["JPEG"]) + 3)
    assert list(drawable({str(number): OURS["JPEG"] for number in range(9)})) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("command", ["report", "compare"])
def test_a_result_with_a_picture_of_forty_megabytes_makes_a_small_page_that_says_so(
    command: str, hostile_result: ScanResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_outputs(hostile_result, [("json", tmp_path / "r.json")])
    document = json.loads(Path("r.json").read_text("utf-8"))
    names = list(document["thumbnails"])
    huge = written("JPEG") + zlib.compress(b"") + bytes(40_000_000)
    document["thumbnails"][names[0]] = base64.b64encode(huge).decode()
    document["thumbnails"][names[1]] = base64.b64encode(OTHERS["a bomb"]).decode()
    Path("r.json").write_text(json.dumps(document), encoding="utf-8")
    words = ["r.json", "r.json"] if command == "compare" else ["r.json"]
    assert main([command, *words, "-o", "page.html"]) in (0, 1)
    page = Path("page.html").read_text("utf-8")
    assert len(page) < 3_000_000
    assert base64.b64encode(OTHERS["a bomb"]).decode() not in page
    assert "not drawn, too large or not as medaudit makes them: 2" in page
