"""What a scan costs: processor seconds beside the decoder and two neighbours, and where they go.

    python benchmarks/scan.py [FOLDER ...] [--images 800] [--repeat 3] [--rivals VENV] [--check]

Without a folder it makes radiographs of 512 × 512 (`auditor.degrade.phantom`), once as JPEG and once as PNG. All programs run
in turn, `--repeat` times, each in a process of its own; processor seconds (its own and its workers', start-up included) are
shown as minimum–maximum. `cold`: no cache; `warm`: the second scan of an unchanged folder. `decode`: Pillow opens and decodes
all files. Neighbours are run from `--rivals`, a virtual environment that holds cleanvision and, if wanted, imagededup.

The profile counts the pass alone, one file at a time in this process: what each step and each feature takes per image.

`--check` compares the ratio cold/decode with `scan.json` beside this file and fails where it is worse by more than 30 %;
`--record` writes it.
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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image

from auditor.degrade.phantom import radiograph
from auditor.digests import content_digest, pixel_digest
from auditor.evidence.privacy.exposure import exposure
from auditor.feature import features
from auditor.format import open_header, open_pixels, read_source
from auditor.measuring.measure import sketch, thumbnail_of
from auditor.values.image import Limits
from auditor.values.privacy import Privacy
from auditor.view import view_of

RECORDED = Path(__file__).with_suffix(".json")
WORSE = 1.3
BASES = 100
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".dcm")
DECODE = "import sys, pathlib, PIL.Image\nfor p in pathlib.Path(sys.argv[1]).rglob('*.*'): PIL.Image.open(p).load()"
CLEANVISION = "import sys, cleanvision\ncleanvision.Imagelab(data_path=sys.argv[1]).find_issues(verbose=False)"
IMAGEDEDUP = (
    "import sys, pathlib, imagededup.methods as m\nfor d in {p.parent for p in pathlib.Path(sys.argv[1]).rglob('*.*')}:\n"
    "    m.PHash(verbose=False).find_duplicates(image_dir=str(d))"
)
Result = TypeVar("Result")


def pictures(folder: Path, count: int) -> dict[str, Path]:
    """`count` radiographs of two classes, as JPEG and as PNG: patients, each photographed several times with other noise."""
    rng = np.random.default_rng(0)
    bases = [radiograph(i, 0, opacity=bool(i % 2), side=512) for i in range(min(count, BASES))]
    for number in range(count):
        base = bases[number % len(bases)]
        moved = np.roll(base, tuple(rng.integers(-20, 21, 2)), axis=(0, 1)) if number >= len(bases) else base
        shown = Image.fromarray(np.clip(moved * 255 + rng.normal(0, 2, moved.shape), 0, 255).astype(np.uint8))
        for kind, suffix, options in (("jpeg", "jpg", {"quality": 90}), ("png", "png", {})):
            goal = folder / kind / ("effusion" if number % 2 else "normal") / f"{number:06d}.{suffix}"
            goal.parent.mkdir(parents=True, exist_ok=True)
            shown.save(goal, **options)
    return {kind: folder / kind for kind in ("jpeg", "png")}


def processor_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Of a process and of all processes it has waited for."""
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command[:4])} … ended with {code}")
    return used.ru_utime + used.ru_stime


def programs(folder: Path, private: Path, rivals: Path | None) -> dict[str, Callable[[], float]]:
    """Name → what runs it once and gives its processor seconds."""
    home = str(Path(__file__).resolve().parent.parent)
    own = {**os.environ, "PYTHONPATH": home, "MEDAUDIT_CACHE": str(private / "cache"), "OMP_NUM_THREADS": "1"}
    scan = [sys.executable, "-m", "medaudit", "scan", str(folder), "-o", str(private / "result.json")]
    found: dict[str, Callable[[], float]] = {
        "decode": lambda: processor_seconds([sys.executable, "-c", DECODE, str(folder)], own),
        "cold": lambda: processor_seconds([*scan, "--no-cache"], own),
        "warm": lambda: processor_seconds(scan, own),
    }
    if rivals is not None:
        python = str(rivals / "bin" / "python")
        for name, code in (("cleanvision", CLEANVISION), ("imagededup", IMAGEDEDUP)):
            if subprocess.run([python, "-c", f"import {name}"], check=False, capture_output=True).returncode == 0:
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
            for name, module in sorted(features().items()):
                timed(f"feature {name}", module.measure, view)
            timed("thumbnail", thumbnail_of, view)
            timed("sketch", sketch, view)
    return Counter({name: 1000 * seconds / len(files) for name, seconds in spent.items()})


def shown(values: Sequence[float], unit: float = 1.0) -> str:
    """Minimum–maximum."""
    return f"{min(values) * unit:.2f}–{max(values) * unit:.2f}"


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="*", type=Path)
    options.add_argument("--images", type=int, default=800)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--rivals", type=Path)
    options.add_argument("--profiled", type=int, default=60, help="images of which the pass is profiled")
    options.add_argument("--check", action="store_true")
    options.add_argument("--record", action="store_true")
    chosen = options.parse_args()
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        private = Path(name)
        folders = {p.name: p for p in chosen.folders} or pictures(private / "made", chosen.images)
        for kind, folder in folders.items():
            files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
            spent = compared(folder, private, chosen.rivals, chosen.repeat)
            print(f"\n{kind}: {len(files):,} files, processor seconds, minimum–maximum of {chosen.repeat}")
            for program, seconds in spent.items():
                print(f"  {program:12s} {shown(seconds):>14s} s   {shown(seconds, 1000 / len(files)):>16s} ms per image")
            ratios[kind] = min(spent["cold"]) / min(spent["decode"])
            print(f"  cold is {ratios[kind]:.1f} decodes and {min(spent['cold']) / min(spent['warm']):.1f} warm scans")
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
    if chosen.record:
        RECORDED.write_text(json.dumps(ratios, indent=1) + "\n", "utf-8")
    if chosen.check:
        known = json.loads(RECORDED.read_text("utf-8"))
        slower = {kind: ratio for kind, ratio in ratios.items() if ratio > WORSE * known.get(kind, np.inf)}
        for kind, ratio in slower.items():
            print(f"{kind}: cold/decode is {ratio:.1f}, recorded {known[kind]:.1f}")
        return int(bool(slower))
    return 0


if __name__ == "__main__":
    sys.exit(main())
