"""Four answers of a neighbour that are wrong on medical images, and ours beside them, on the same files.

    python benchmarks/quality.py

The neighbour is CleanVision 0.3.7 (Apache-2.0); its published rules are restated in a few lines each, none of its code is
used: which suffixes it lists, how it opens a picture, when it calls one "light" or "low information", and that an issue of more
than `max_prevalence` of the images is left out of the report.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from auditor.degrade.encode import write_image
from auditor.plan import plan_for
from auditor.scan import scan

COUNT = 60
SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".gif", ".jp2", ".tiff", ".webp"))
"""What the neighbour lists; `.tif` and `.bmp` are not among them (its issues 197 and 237)."""
MAX_PREVALENCE = 0.1
LIGHT, DARK_PERCENTILE = 0.05, 5
LOW_INFORMATION = 0.3


def neighbour(folder: Path) -> str:
    """What the restated rules say of a folder, in words."""
    files = sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES)
    if not files:
        return "0 images found: the folder is called empty"
    flags: dict[str, int] = {"light": 0, "low information": 0}
    for number, path in enumerate(files):
        try:
            # Pillow's conversion of 16 bits to 8 saturates at 255: this is the fault, not a shortcut of this file.
            gray = np.asarray(Image.open(path).convert("L"), np.float64) / 255
        except OSError as error:
            return f"aborted at file {number + 1} of {len(files)} ({type(error).__name__}): no answer for any image"
        flags["light"] += 1 - float(np.percentile(gray, DARK_PERCENTILE)) < LIGHT
        share = np.bincount((gray.ravel() * 255).astype(int), minlength=256) / gray.size
        entropy = -(share[share > 0] * np.log2(share[share > 0])).sum()
        flags["low information"] += entropy / 10 < LOW_INFORMATION
    told = [f"{n} {kind}" for kind, n in flags.items() if 0 < n <= MAX_PREVALENCE * len(files)]
    hidden = [f"{n} {kind}" for kind, n in flags.items() if n > MAX_PREVALENCE * len(files)]
    parts = ([", ".join(told)] if told else []) + (
        [f"marked but left out of the report: {', '.join(hidden)}"] if hidden else []
    )
    return f"{len(files)} images: " + ("; ".join(parts) or "no issue")


def ours(folder: Path) -> str:
    """What a scan says of the same folder: the checks with findings above information."""
    plan = plan_for(folder, select=("IN001", "IQ"), cache=False, workers=0)
    result = scan(folder, plan)
    failed = [o for o in result.outcomes if o.status == "failed" and o.verdict is not None]
    words = "; ".join(f"{o.code} {o.verdict.summary}" for o in failed if o.verdict is not None)
    return f"{result.records} images: " + (words or "no finding")


def picture(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """One fine picture, 0–1: soft shapes, fine detail and a little noise."""
    down, across = np.mgrid[0:128, 0:128] / 128
    body = 0.35 + 0.25 * np.sin(5 * across + 2 * rng.random()) * np.cos(4 * down + 2 * rng.random())
    for _ in range(40):
        row, column, size = rng.random(), rng.random(), 0.01 + 0.03 * rng.random()
        body = body + 0.1 * rng.normal() * (((down - row) ** 2 + (across - column) ** 2) < size**2)
    return np.clip(body + 0.01 * rng.normal(size=body.shape), 0.02, 0.98)


@dataclass(frozen=True)
class Scenario:
    """Files, and what is right to say about them."""

    name: str
    right: str
    make: Callable[[Path, np.random.Generator], None]


def _sixteen(folder: Path, rng: np.random.Generator) -> None:
    for i in range(COUNT):
        write_image(folder / f"{i:03d}.png", (picture(rng) * 65535).astype(np.uint16), "png16", seed=i)


def _many_constant(folder: Path, rng: np.random.Generator) -> None:
    for i in range(COUNT):
        image = np.full((128, 128), 90, np.uint8) if i % 3 == 0 else (picture(rng) * 255).astype(np.uint8)
        Image.fromarray(image).save(folder / f"{i:03d}.png")


def _tif(folder: Path, rng: np.random.Generator) -> None:
    for i in range(COUNT):
        image = np.full((128, 128), 90, np.uint8) if i == 7 else (picture(rng) * 255).astype(np.uint8)
        Image.fromarray(image).save(folder / f"{i:03d}.tif")


def _truncated(folder: Path, rng: np.random.Generator) -> None:
    for i in range(COUNT):
        path = folder / f"{i:03d}.jpg"
        image = np.full((128, 128), 90, np.uint8) if i == 7 else (picture(rng) * 255).astype(np.uint8)
        Image.fromarray(image).save(path, quality=95)
        if i == 20:
            path.write_bytes(path.read_bytes()[:2000])


SCENARIOS = (
    Scenario("60 fine pictures of 16 bits", "no issue", _sixteen),
    Scenario("20 of 60 pictures are constant", "20 constant, said aloud", _many_constant),
    Scenario("60 .tif files, one constant", "1 constant", _tif),
    Scenario("60 JPEGs, one constant, one truncated", "1 unreadable, 1 constant", _truncated),
)


def main() -> None:
    """Make the files, ask both, print the table."""
    print("| files | right | CleanVision 0.3.7, its rules restated | medaudit |\n|---|---|---|---|")
    for scenario in SCENARIOS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            scenario.make(folder, np.random.default_rng(0))
            print(f"| {scenario.name} | {scenario.right} | {neighbour(folder)} | {ours(folder)} |", flush=True)


if __name__ == "__main__":
    main()
