"""Every format of `small_result` and of a comparison, byte for byte.

To write the files anew after a wanted change, and then read the diff:

MEDAUDIT_WRITE_GOLDEN=1 python -m pytest tests/reports/test_golden.py
"""

import os
from dataclasses import replace

import pytest
from comparisons import improved

from reports.format import formats

NAMES = {
    "json": "result.json", "html": "report.html", "csv": "findings.csv", "rich": "summary.txt", "junit": "junit.xml",
    "sarif": "result.sarif", "github": "annotations.txt", "markdown": "summary.md",
    "croissant": "croissant.json", "datasheet": "datasheet.md",
}  # fmt: skip
COMPARISONS = {"json": "comparison.json", "html": "comparison.html", "rich": "comparison.txt"}


@pytest.mark.parametrize("kind", NAMES)
def test_the_format_writes_what_it_wrote_before(kind, small_result, golden):
    rendered = formats()[kind].render(small_result, NAMES[kind])
    assert list(rendered) == [NAMES[kind]]
    path = golden / NAMES[kind]
    if os.environ.get("MEDAUDIT_WRITE_GOLDEN"):
        path.write_bytes(rendered[NAMES[kind]])
    assert rendered[NAMES[kind]].decode() == path.read_bytes().decode()


@pytest.mark.parametrize("kind", COMPARISONS)
def test_the_format_writes_a_comparison_as_it_did_before(kind, golden):
    name = COMPARISONS[kind]
    # The bytes of a picture depend on the version of its encoder.
    rendered = formats()[kind].render_comparison(replace(improved(), thumbnails={"r010": bytes.fromhex("52494646")}), name)
    assert list(rendered) == [name]
    path = golden / name
    if os.environ.get("MEDAUDIT_WRITE_GOLDEN"):
        path.write_bytes(rendered[name])
    assert rendered[name].decode() == path.read_bytes().decode()


@pytest.mark.parametrize("kind", NAMES)
def test_the_same_result_gives_the_same_bytes(kind, hostile_result):
    assert formats()[kind].render(hostile_result, "out") == formats()[kind].render(hostile_result, "out")


def test_every_format_has_a_golden_file():
    assert set(NAMES) == set(formats())
