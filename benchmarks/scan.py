"""What a scan costs: processor seconds beside the decoder and two neighbours, and where they go.

    python -m benchmarks.scan [FOLDER ...] [--images 800] [--copies] [--repeat 3] [--rivals VENV] [--check]

Without a folder it makes radiographs of 512 × 512, once as JPEG and once as PNG: different pictures, all alike and none a
copy (`benchmarks.radiographs.picture`), or with `--copies` a hundred, each again and again with other noise. All programs run
in turn, `--repeat` times, each in a process of its own; processor seconds (its own and its workers', start-up included) are
shown as minimum–maximum. `cold`: no cache; `warm`: the second scan of an unchanged folder. `decode`: Pillow opens and decodes
all files; `floor`: the same in an interpreter that imports pandas and pyarrow, without which no scan starts. Neighbours are
run from `--rivals`, a virtual environment that holds cleanvision and, if wanted, imagededup.

The profile counts the pass alone, one file at a time in this process: what each step and each feature takes per image. (Workers
measure four at a time, which takes a fifth less.)

`--check` compares cold and warm over the floor with `recorded/scan.json` and fails where one is worse by more than 30 %;
`--record` writes it. The ratios are those of as many images as were recorded: what a scan costs beside its files is in them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from auditor.degrade.phantom import radiograph
from auditor.digests import content_digest, pixel_digest
from auditor.evidence.privacy.exposure import exposure
from auditor.feature import chosen_features
from auditor.format import open_header, open_pixels, read_source
from auditor.measuring.facts import sketch, thumbnail_of
from auditor.values.image import Limits
from auditor.values.privacy import Privacy
from auditor.view import view_of
from benchmarks.radiographs import picture, sources
from benchmarks.ratios import SCANNED, held, own_environment, processor_seconds, shown

BASES = 100
SIDE = 512
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".dcm")
DECODE = "import sys, pathlib, PIL.Image\nfor p in pathlib.Path(sys.argv[1]).rglob('*.*'): PIL.Image.open(p).load()"
FLOOR = "import pandas, pyarrow.parquet\n" + DECODE
CLEANVISION = "import sys, cleanvision\ncleanvision.Imagelab(data_path=sys.argv[1]).find_issues(verbose=False)"
IMAGEDEDUP = (
    "import sys, pathlib, imagededup.methods as m\nfor d in {p.parent for p in pathlib.Path(sys.argv[1]).rglob('*.*')}:\n"
    "    m.PHash(verbose=False).find_duplicates(image_dir=str(d))"
)
RIVALS = (("cleanvision", "cleanvision", CLEANVISION), ("imagededup", "imagededup.methods", IMAGEDEDUP))
"""Name, the module that must be there, and what is run."""
Result = TypeVar("Result")


def pictures(folder: Path, count: int, *, copies: bool = False) -> dict[str, Path]:
    """`count` radiographs of two classes, as JPEG and as PNG: of different patients, or `BASES` shown again and again."""
    made = copied(count) if copies else different(count)
    for number, plane in enumerate(made):
        for kind, suffix, options in (("jpeg", "jpg", {"quality": 90}), ("png", "png", {})):
            goal = folder / kind / ("effusion" if number % 2 else "normal") / f"{number:06d}.{suffix}"
            goal.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(plane).save(goal, **options)
    return {kind: folder / kind for kind in ("jpeg", "png")}


def different(count: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Pictures that are alike, no two of them copies."""
    given = sources(None, SIDE)
    return (picture(number, given, SIDE) for number in range(count))


def copied(count: int) -> Iterator[npt.NDArray[np.uint8]]:
    """`BASES` pictures, each photographed several times with other noise: most pairs of one base are near-copies."""
    rng = np.random.default_rng(0)
    bases = [radiograph(i, 0, opacity=bool(i % 2), side=SIDE) for i in range(min(count, BASES))]
    for number in range(count):
        base = bases[number % len(bases)]
        moved = np.roll(base, tuple(rng.integers(-20, 21, 2)), axis=(0, 1)) if number >= len(bases) else base
        yield np.clip(moved * 255 + rng.normal(0, 2, moved.shape), 0, 255).astype(np.uint8)


def programs(folder: Path, private: Path, rivals: Path | None) -> dict[str, Callable[[], float]]:
    """Name → what runs it once and gives its processor seconds."""
    own = own_environment(private)
    scan = [sys.executable, "-m", "medaudit", "scan", str(folder), "-o", str(private / "result.json")]
    found: dict[str, Callable[[], float]] = {
        "decode": lambda: processor_seconds([sys.executable, "-c", DECODE, str(folder)], own),
        "floor": lambda: processor_seconds([sys.executable, "-c", FLOOR, str(folder)], own),
        "cold": lambda: processor_seconds([*scan, "--no-cache"], own, ends=SCANNED),
        "warm": lambda: processor_seconds(scan, own, ends=SCANNED),
    }
    if rivals is not None:
        python = str(rivals / "bin" / "python")
        for name, module, code in RIVALS:
            if subprocess.run([python, "-c", f"import {module}"], check=False, capture_output=True).returncode == 0:
                found[name] = lambda code=code: processor_seconds([python, "-c", code, str(folder)], os.environ)
    return found


def compared(folder: Path, private: Path, rivals: Path | None, repeat: int) -> dict[str, list[float]]:
    """Every program `repeat` times, in turn."""
    runs = programs(folder, private, rivals)
    runs["warm"]()  # fills the cache
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeat):
        for name, run in runs.items():
            spent[name].append(run())
    return spent


def profile(files: Sequence[Path]) -> Counter[str]:
    """Step → milliseconds per image."""
    cv2.setNumThreads(1)
    spent: Counter[str] = Counter()
    limits, rules = Limits(), Privacy()

    def timed(name: str, step: Callable[..., Result], *arguments: object) -> Result:
        start = time.process_time()
        result = step(*arguments)
        spent[name] += time.process_time() - start
        return result

    for turn in range(2):
        if turn:
            spent.clear()  # the first round loads what is loaded once
        for path in files:
            source = timed("read", read_source, path, limits)
            timed("digest of the file", content_digest, source.content)
            header = timed("header", open_header, source, limits)
            timed("privacy of the header", exposure, source, header, path.name, rules, limits)
            pixels = timed("decode", open_pixels, source, header, limits)
            timed("digest of the pixels", pixel_digest, pixels.array)
            view = timed("view", view_of, header, pixels)
            timed("square of the view", lambda view=view: view.square)
            for name, module in chosen_features().items():
                timed(f"feature {name}", module.measure, view)
            timed("thumbnail", thumbnail_of, view)
            timed("sketch", sketch, view)
    return Counter({name: 1000 * seconds / len(files) for name, seconds in spent.items()})


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="*", type=Path)
    options.add_argument("--images", type=int, default=800)
    options.add_argument("--copies", action="store_true", help="a hundred pictures again and again, with other noise")
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--rivals", type=Path)
    options.add_argument("--profiled", type=int, default=60, help="images of which the pass is profiled")
    options.add_argument("--check", action="store_true")
    options.add_argument("--record", action="store_true")
    chosen = options.parse_args()
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        private = Path(name)
        folders = {p.name: p for p in chosen.folders} or pictures(private / "made", chosen.images, copies=chosen.copies)
        for kind, folder in folders.items():
            files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
            spent = compared(folder, private, chosen.rivals, chosen.repeat)
            print(f"\n{kind}: {len(files):,} files, processor seconds, minimum–maximum of {chosen.repeat}")
            for program, seconds in spent.items():
                print(f"  {program:12s} {shown(seconds):>14s} s   {shown(seconds, 1000 / len(files)):>16s} ms per image")
            cold, warm, decode, floor = (min(spent[name]) for name in ("cold", "warm", "decode", "floor"))
            ratios |= {f"{kind}: cold over floor": cold / floor, f"{kind}: warm over floor": warm / floor}
            print(f"  cold is {cold / decode:.1f} decodes and {cold / warm:.1f} warm scans")
            for rival in ("cleanvision", "imagededup"):
                if rival in spent:
                    each = sorted(b / a for a, b in zip(spent["cold"], spent[rival], strict=True))
                    print(f"  {rival} takes {shown(each)} times as long")
            stages = json.loads((private / "result.json").read_text("utf-8"))["run"]["stages"]
            print("  stages of the last scan (clock):", ", ".join(f"{k} {v:g} s" for k, v in stages.items()))
            parts = profile(files[:: max(1, len(files) // chosen.profiled)][: chosen.profiled])
            print(f"  profile, ms per image, {sum(parts.values()):.2f} in all:")
            for part, milliseconds in parts.most_common():
                print(f"    {part:24s} {milliseconds:6.3f}")
    return held("scan", ratios, record=chosen.record, check=chosen.check)


if __name__ == "__main__":
    sys.exit(main())
