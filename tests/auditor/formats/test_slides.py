"""Whole slides and films are told as what they are, and a scan of them is no pass, whatever lies beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import medaudit
from auditor.format import open_header
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Limits

RNG = np.random.default_rng(0)


def picture(side: int = 64) -> np.ndarray:
    return RNG.integers(0, 255, (side, side, 3), dtype=np.uint8)


def svs(path: Path) -> None:
    with tifffile.TiffWriter(path) as file:
        told = "Aperio Image Library v11.2.1\n256x256 (64x64) JPEG/RGB Q=30|AppMag = 20|MPP = 0.4990"
        file.write(picture(256), tile=(64, 64), description=told, photometric="rgb", metadata=None)
        file.write(picture(32), photometric="rgb", metadata=None)


def ndpi(path: Path) -> None:
    with tifffile.TiffWriter(path) as file:
        file.write(picture(256), photometric="rgb", metadata=None, extratags=[(65420, "I", 1, 1, True)])


def pyramid(path: Path) -> None:
    with tifffile.TiffWriter(path) as file:
        for side in (256, 128, 64):
            file.write(picture(side), tile=(32, 32), photometric="rgb", metadata=None)


def mrxs(path: Path) -> None:
    Image.fromarray(picture()).save(path, "jpeg")
    path.with_suffix("").mkdir()
    (path.with_suffix("") / "Slidedat.ini").write_text("[GENERAL]\nSLIDE_ID = x\n")
    (path.with_suffix("") / "Data0000.dat").write_bytes(RNG.bytes(500))


def vsi(path: Path) -> None:
    tifffile.imwrite(path, picture())


def mp4(path: Path) -> None:
    path.write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + RNG.bytes(300))


def avi(path: Path) -> None:
    path.write_bytes(b"RIFF\x10\x01\0\0AVI LIST" + RNG.bytes(300))


SLIDES: dict[str, Callable[[Path], None]] = {"svs": svs, "ndpi": ndpi, "tif": pyramid}
UNREAD: dict[str, Callable[[Path], None]] = {"mrxs": mrxs, "vsi": vsi, "mp4": mp4, "avi": avi}


def classes(root: Path, suffix: str, make: Callable[[Path], None], *, mixed: bool) -> Path:
    for folder in "ab":
        (root / folder).mkdir(parents=True)
        for number in range(4):
            make(root / folder / f"{folder}{number}.{suffix}")
        for number in range(8 if mixed else 0):
            Image.fromarray(picture()).save(root / folder / f"p{folder}{number}.jpg")
    return root


@pytest.mark.parametrize("mixed", [False, True], ids=["alone", "with pictures"])
@pytest.mark.parametrize("suffix", UNREAD)
def test_what_is_not_read_is_named_and_no_pass(tmp_path: Path, suffix: str, mixed: bool) -> None:
    result = medaudit.scan(classes(tmp_path / "set", suffix, UNREAD[suffix], mixed=mixed), select=["IN001"], cache=False)
    assert (result.gate.verdict, result.gate.exit_code) == ("not enough seen", 3)
    assert any(f".{suffix} files" in reason for reason in result.gate.reasons)


@pytest.mark.parametrize("mixed", [False, True], ids=["alone", "with pictures"])
@pytest.mark.parametrize("suffix", SLIDES)
def test_slides_that_are_small_enough_to_be_decoded_are_no_pass_either(tmp_path: Path, suffix: str, mixed: bool) -> None:
    result = medaudit.scan(classes(tmp_path / "set", suffix, SLIDES[suffix], mixed=mixed), select=["IN001"], cache=False)
    assert result.gate.verdict == "not enough seen"
    assert any("are whole slides" in reason for reason in result.gate.reasons)


def test_a_slide_beyond_the_limits_says_that_it_is_one(tmp_path: Path) -> None:
    svs(tmp_path / "a.svs")
    source = FileSource(path=tmp_path / "a.svs", content=(tmp_path / "a.svs").read_bytes())
    with pytest.raises(UnreadableFile, match=r"a whole slide \(Aperio SVS\).*export its tiles") as raised:
        open_header(source, Limits(pixels=1000))
    assert raised.value.kind == "too-large"


def test_pages_of_other_sizes_and_stacks_in_tiles_are_no_slides(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for _ in range(3):
            file.write(picture(64), tile=(32, 32), photometric="rgb", metadata=None)
        file.write(picture(32), photometric="rgb", metadata=None)
    header = open_header(FileSource(path=tmp_path / "a.tif", content=(tmp_path / "a.tif").read_bytes()), Limits())
    assert "slide" not in header.facts
