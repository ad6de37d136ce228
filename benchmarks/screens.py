"""Draws docs/report.png and docs/before-after.png, the first screens of what `medaudit demo` wrote.

    medaudit demo -o DEMO && python benchmarks/screens.py DEMO

Needs `pip install medaudit[browser]` and a Chromium: Playwright's own, or the system's.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 1280, 1060
PAGES = {"report.png": "report.html", "before-after.png": "fixed/report.html"}
COLOURS = 256


def screens(demo: Path, folder: Path) -> list[Path]:
    """The pictures that were written; none, and a line on stderr, where there is no browser.

    Raises:
        FileNotFoundError: `demo` is not a finished demo.
    """
    pages = {folder / name: (demo / page).resolve(strict=True) for name, page in PAGES.items()}
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        print("no screens are drawn: Playwright is missing (pip install medaudit[browser])", file=sys.stderr)
        return []
    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        except Error:
            print("no screens are drawn: there is no Chromium (playwright install chromium)", file=sys.stderr)
            return []
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for picture, source in pages.items():
            page.goto(source.as_uri())
            page.screenshot(path=picture)
            # few colours are a third of the bytes, and nobody sees it
            Image.open(picture).convert("RGB").quantize(COLOURS).save(picture, optimize=True)
        browser.close()
    return list(pages)


def main() -> None:
    """Draw them; exit 1 where that cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path)
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "docs")
    given = parser.parse_args()
    drawn = screens(given.demo, given.output)
    for picture in drawn:
        print(picture)
    sys.exit(not drawn)


if __name__ == "__main__":
    main()
