"""Every format of `small_result`, byte for byte. To write the files anew after a wanted change, and then read the diff:

MEDAUDIT_WRITE_GOLDEN=1 python -m pytest tests/reports/test_golden.py
"""

import os

import pytest

from reports.format import formats

NAMES = {"json": "result.json", "html": "report.html", "csv": "findings.csv", "rich": "summary.txt"}


@pytest.mark.parametrize("kind", NAMES)
def test_the_format_writes_what_it_wrote_before(kind, small_result, golden):
    rendered = formats()[kind].render(small_result, NAMES[kind])
    assert list(rendered) == [NAMES[kind]]
    path = golden / NAMES[kind]
    if os.environ.get("MEDAUDIT_WRITE_GOLDEN"):
        path.write_bytes(rendered[NAMES[kind]])
    assert rendered[NAMES[kind]].decode() == path.read_bytes().decode()


@pytest.mark.parametrize("kind", NAMES)
def test_the_same_result_gives_the_same_bytes(kind, hostile_result):
    assert formats()[kind].render(hostile_result, "out") == formats()[kind].render(hostile_result, "out")
