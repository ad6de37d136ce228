"""Seconds of a program that breaks down are no seconds of its work."""

import os
import sys

import pytest

from benchmarks.ratios import SCANNED, processor_seconds


def test_a_program_that_breaks_down_has_no_time() -> None:
    assert processor_seconds([sys.executable, "-c", ""], os.environ) > 0
    with pytest.raises(SystemExit, match="ended with 1"):
        processor_seconds([sys.executable, "-c", "import no_such_module"], os.environ)
    assert processor_seconds([sys.executable, "-c", "raise SystemExit(3)"], os.environ, ends=SCANNED) > 0
