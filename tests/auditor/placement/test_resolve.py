"""Names in tables mean the files that a person would take them for, and no others."""

import unicodedata

import pytest

from auditor.placement.resolve import resolve_names

APART = unicodedata.normalize("NFD", "Röntgen_07.png")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("https://example.org/data/img/case%2007.png?raw=1", "img/case 07.png"),
        ("s3://bucket/study/img/case 07.png", "img/case 07.png"),
        ("file:///home/somebody/img/case 07.png", "img/case 07.png"),
        ("case%2007.png", "img/case 07.png"),
        ("CASE 07", "img/case 07.png"),
        (unicodedata.normalize("NFC", "Röntgen_07.png"), f"img/{APART}"),
        ("RÖNTGEN_07.PNG", f"img/{APART}"),
        ("https://example.org/data/img/case08.png", None),
        ("https://example.org/../case 07.png", None),
    ],
)
def test_a_name_means_the_file_that_is_so_called_elsewhere(tmp_path, name, file):
    files = ["img/case 07.png", f"img/{APART}", "img/other.png"]
    assert resolve_names(tmp_path, [name], files).files == (file,)


def test_a_name_with_a_percent_sign_that_is_there_is_itself(tmp_path):
    files = ["dose%2050.png", "dose 50.png"]
    assert resolve_names(tmp_path, ["dose%2050.png", "dose 50.png"], files).files == ("dose%2050.png", "dose 50.png")
