"""Draws masks as they are and as `medaudit degrade` leaves them, beside their pictures: docs/degraded-masks.png.

    python -m benchmarks.degraded_masks docs/degraded-masks.png [--rows 3] [--seed 0]

The pictures are the gland-like ones of `benchmarks.weak_masks`; each column is one call of the command on all of them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import medaudit
from benchmarks.weak_masks import SIDE, glands

HARMS = {
    "missing .5": {"missing": 0.5}, "deform 3": {"deform": 3}, "simplify 12": {"simplify": 12}, "boxes": {"boxes": True},
    "missing .5, boxes": {"missing": 0.5, "boxes": True},
}  # fmt: skip
ZOOM, GAP, HEAD = 3, 8, 18


def main() -> None:
    """Draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        columns = drawn(Path(folder), told.rows, told.seed)
    side = ZOOM * SIDE
    sheet = Image.new("RGB", (len(columns) * (side + GAP) + GAP, told.rows * (side + GAP) + HEAD + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (title, pictures) in enumerate(columns.items()):
        left = GAP + i * (side + GAP)
        pen.text((left, 4), title, fill="black")
        for k, picture in enumerate(pictures):
            large = Image.fromarray(picture).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(large.convert("RGB"), (left, HEAD + k * (side + GAP)))
    sheet.save(told.output, optimize=True)


def drawn(folder: Path, rows: int, seed: int) -> dict[str, list[np.ndarray]]:
    """Title → one picture per row."""
    for part in ("images", "masks"):
        (folder / "set" / part).mkdir(parents=True)
    columns: dict[str, list[np.ndarray]] = {"picture": [], "mask": []}
    for i in range(rows):
        picture, objects = glands(np.random.default_rng([seed, i]))
        mask = np.any(objects, axis=0).astype(np.uint8) * 255
        for part, pixels, title in (("images", picture, "picture"), ("masks", mask, "mask")):
            Image.fromarray(pixels).save(folder / "set" / part / f"{i}.png")
            columns[title].append(pixels)
    for number, (title, harm) in enumerate(HARMS.items()):
        done = medaudit.degrade(folder / "set", folder / f"worse{number}", seed=seed, cache=False, **harm)
        name = f"{title}  (F1 {done.severity:.2f})"
        columns[name] = [np.asarray(Image.open(done.dataset / "masks" / f"{i}.png")) for i in range(rows)]
    return columns


if __name__ == "__main__":
    main()
