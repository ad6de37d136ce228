from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditor.format import format_of, open_header, open_pixels, read_source, readers
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Format, Limits, check_declared


def refused(path: Path, limits: Limits = Limits()) -> UnreadableFile:  # noqa: B008
    with pytest.raises(UnreadableFile) as caught:
        read_source(path, limits)
    return caught.value


def test_every_reader_has_the_four_names() -> None:
    assert {module.__name__.rsplit(".", 1)[1] for module in readers()} >= {"array", "dicom", "nifti", "raster", "tiff"}
    for module in readers():
        assert all(isinstance(known, Format) for known in module.FORMATS.values())
        assert isinstance(module.PRIORITY, int)
        assert module.sniff(b"") is None
        assert callable(module.open_header)
        assert callable(module.open_pixels)


def test_no_two_readers_read_the_same_format() -> None:
    names = [name for module in readers() for name in module.FORMATS]
    assert len(names) == len(set(names))


def test_content_decides_the_format_and_not_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "image.jpg"
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(path, "PNG")
    source = read_source(path, Limits())
    header = open_header(source, Limits())
    assert header.format == "png" == format_of(source.content)
    assert open_pixels(source, header, Limits()).array.shape == (1, 3, 4)


def test_an_empty_file_a_missing_one_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    assert refused(tmp_path / "empty.png").kind == "empty"
    assert refused(tmp_path / "missing.png").kind == "refused"
    assert refused(tmp_path).kind == "refused"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert refused(tmp_path / "pipe").kind == "refused"


def test_a_reason_does_not_name_the_path(tmp_path: Path) -> None:
    assert "Canary" not in refused(tmp_path / "Canary^Name.png").reason


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(1000))
    assert refused(path, Limits(file_bytes=999)).kind == "over-limit"
    assert len(read_source(path, Limits(file_bytes=1000)).content) == 1000


def test_a_text_file_named_png_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_text("this is not an image\n" * 50)
    source = read_source(path, Limits())
    for call in (lambda: open_header(source, Limits()), lambda: open_pixels(source, None, Limits())):  # type: ignore[arg-type]
        with pytest.raises(UnreadableFile) as caught:
            call()
        assert caught.value.kind == "not-an-image"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{}",
        b"a,b\n1,2\n",
        b"%PDF-1.7",
        b"\x7fELF\x02\x01\x01",
        b"SQLite format 3\0",
        b"PK\x03\x04" + bytes(60),
        bytes(4096),
    ],
)
def test_other_files_have_no_image_format(head: bytes) -> None:
    assert format_of(head) is None


@pytest.mark.parametrize(
    ("shape", "frames", "itemsize"),
    [((30_000, 30_000), 1, 1), ((10, 10), 100_001, 1), ((1000, 1000, 3), 100, 2), ((1, 1), 1, 1 << 30)],
)
def test_what_declares_too_much_is_refused(shape: tuple[int, ...], frames: int, itemsize: int) -> None:
    with pytest.raises(UnreadableFile) as caught:
        check_declared(shape, frames, itemsize, Limits())
    assert caught.value.kind == "too-large"
    check_declared((1000, 1000), 1, 1, Limits())


def test_foreign_image_formats_are_named_and_refused() -> None:
    for head, words in ((b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),):
        with pytest.raises(UnreadableFile) as caught:
            open_header(FileSource(path=Path("x"), content=head + bytes(100)), Limits())
        assert caught.value.kind == "unsupported"
        assert words in caught.value.reason
