"""The pictures of the documentation are drawn from a demo's own pages."""

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.screens import HEIGHT, PAGES, WIDTH, screens


def test_both_first_screens_are_drawn_as_large_as_in_the_documentation(tmp_path: Path) -> None:
    for page in PAGES.values():
        (tmp_path / page).parent.mkdir(exist_ok=True)
        (tmp_path / page).write_text("<body style='background: #204060'>", "utf-8")
    drawn = screens(tmp_path, tmp_path)
    if not drawn:
        pytest.skip("no browser on this machine")
    assert [picture.name for picture in drawn] == list(PAGES)
    for picture in drawn:
        with Image.open(picture) as image:
            assert image.size == (WIDTH, HEIGHT)
            assert image.convert("RGB").getpixel((5, 5)) == (0x20, 0x40, 0x60)


def test_a_folder_that_is_no_demo_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        screens(tmp_path, tmp_path)
