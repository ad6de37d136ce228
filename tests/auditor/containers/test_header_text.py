import io

import pytest
from PIL import Image, PngImagePlugin

from auditor.containers.header_text import in_words, jpeg_text, png_text, tiff_text, words_of


def saved(kind: str, **more: object) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (9, 9)).save(stream, kind, **more)
    return stream.getvalue()


def test_words_are_lower_case_and_numbers_are_none() -> None:
    assert words_of("SOB_B_Img12 follow-UP 2017") == {"sob", "img", "img12", "follow", "up"}
    assert words_of("NormalCase") == {"normal", "case"}
    assert in_words("12 34") == {}


def test_png_texts_are_read_and_their_keys_are_not() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Diagnosis", "malignant mass")
    info.add_itxt("Note", "später")
    assert png_text(saved("PNG", pnginfo=info)) == {"text": "malignant mass später"}
    assert png_text(saved("PNG")) == {}


def test_jpeg_comments_and_exif_descriptions_are_read() -> None:
    exif = Image.Exif()
    exif[0x010E] = "Benign nevus"
    assert jpeg_text(saved("JPEG", comment=b"seen twice", exif=exif)) == {"text": "benign nevus seen twice"}


def test_a_tiff_description_for_people_is_read_and_one_for_programs_is_not() -> None:
    assert tiff_text(saved("TIFF", description="tumour left")) == {"text": "left tumour"}
    assert tiff_text(saved("TIFF", description='{"shape": [9, 9]}')) == {}


@pytest.mark.parametrize("read", [png_text, jpeg_text, tiff_text])
def test_damaged_content_has_no_text(read) -> None:
    assert read(b"\x89PNG\r\n\x1a\n") == {}
    assert read(b"\xff\xd8\xff\xe1\xff\xff" + b"Exif\0\0II*\0\xff") == {}
