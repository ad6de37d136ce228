"""Moved to make_pages.py; kept for a moment."""

import runpy
from pathlib import Path

if __name__ == "__main__":
    runpy.run_path(str(Path(__file__).with_name("make_pages.py")), run_name="__main__")
