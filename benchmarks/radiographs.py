"""What a collection of the size of a public one of radiographs costs: time left throughout, and nothing lost by a kill.

    python -m benchmarks.radiographs FOLDER [--images 112120] [--like FOLDER_OF_PICTURES] [--side 224]

Makes `--images` different pictures in FOLDER out of those in `--like` (else of phantoms): each is cropped, turned a little,
bent, shaded and grained in its own way, so that no two are copies and all are alike, as radiographs are. Then `medaudit scan`
with all checks, its cache in FOLDER beside them. Whatever ends it (`kill -9`, Ctrl-C): the same line again goes on with what is
there, pictures and measurements. The figures of each scan that came to its end are appended to FOLDER/figures.jsonl:
processor seconds, clock, memory of the largest process, seconds and milliseconds per image of each stage, pairs found.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from auditor.degrade.phantom import radiograph
from benchmarks.ratios import own_environment

PHANTOMS = 40
PER_FOLDER = 1000
WRITTEN = 90
"""JPEG quality."""
BENT = 0.035
"""How far places are moved, as a share of the side: no affine map lays two pictures of one source over each other."""

Gray = npt.NDArray[np.float32]


def sources(like: Path | None, side: int) -> list[Gray]:
    """Grey pictures, half as large again as what is cut from them."""
    if like is None:
        return [radiograph(i, 0, opacity=bool(i % 2), side=side * 3 // 2).astype(np.float32) for i in range(PHANTOMS)]
    found = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(like.rglob("*")) if path.is_file()]
    kept = [picture for picture in found if picture is not None and min(picture.shape) >= side]
    if not kept:
        raise SystemExit(f"{like}: no picture of {side} pixels or more")
    large = (side * 3 // 2, side * 3 // 2)
    return [cv2.resize(picture, large, interpolation=cv2.INTER_AREA).astype(np.float32) / 255 for picture in kept]


def picture(number: int, given: Sequence[Gray], side: int) -> npt.NDArray[np.uint8]:
    """The picture of a number: always the same, and like no other."""
    rng = np.random.default_rng(number)
    source = given[int(rng.integers(len(given)))]
    if rng.random() < 0.5:
        source = source[:, ::-1]
    large = len(source)
    scale, turn = large / side * rng.uniform(0.7, 0.95), np.deg2rad(rng.uniform(-8, 8))
    y, x = np.meshgrid(*(np.arange(side, dtype=np.float32) - side / 2,) * 2, indexing="ij")
    centre = large / 2 + rng.uniform(-0.06, 0.06, 2) * large
    bend = [cv2.resize(rng.normal(0, BENT * large, (5, 5)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
            for _ in range(2)]  # fmt: skip
    to_y = np.float32(centre[0]) + np.float32(scale) * (np.float32(np.cos(turn)) * y - np.float32(np.sin(turn)) * x) + bend[0]
    to_x = np.float32(centre[1]) + np.float32(scale) * (np.float32(np.sin(turn)) * y + np.float32(np.cos(turn)) * x) + bend[1]
    shown = cv2.remap(source, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    shade = cv2.resize(rng.normal(0, 0.08, (6, 6)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(rng.standard_normal((side, side), dtype=np.float32), (0, 0), 1.2) * np.float32(0.05)
    values = np.clip(shown, 0, 1) ** np.float32(rng.uniform(0.7, 1.4)) + shade + grain
    return np.asarray(np.clip(values * 255, 0, 255), np.uint8)


def place_of(folder: Path, number: int) -> Path:
    """Where the picture of a number lies."""
    return folder / "images" / f"{number // PER_FOLDER:03d}" / f"{number:06d}.jpg"


def make(folder: Path, count: int, given: Sequence[Gray], side: int) -> None:
    """All pictures that are not there yet, each whole or not at all, and a table of patients, findings and views."""
    begun, made = time.monotonic(), 0
    for number in range(count):
        place = place_of(folder, number)
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}")
        draft.write_bytes(cv2.imencode(".jpg", picture(number, given, side), [cv2.IMWRITE_JPEG_QUALITY, WRITTEN])[1].tobytes())
        draft.replace(place)
        made += 1
        if made % 2000 == 0:
            left = (time.monotonic() - begun) / made * (count - number - 1)
            print(f"made {number + 1:,} of {count:,} pictures, about {left / 60:.0f} min left", flush=True)
    rng = np.random.default_rng(count)
    lines = ["image,patient,finding,view"]
    patient = 0
    for number in range(count):
        patient += int(rng.random() < 0.28)  # 3.6 pictures of a patient
        row = (place_of(folder, number).relative_to(folder).as_posix(), f"p{patient:06d}")
        lines.append(",".join((*row, "effusion" if rng.random() < 0.12 else "none", "PA" if rng.random() < 0.6 else "AP")))
    table = folder / "labels.csv"
    content = "\n".join(lines) + "\n"
    if not table.exists() or table.read_text("utf-8") != content:
        table.write_text(content, "utf-8")


def scan(folder: Path, rest: Sequence[str]) -> dict[str, object]:
    """One scan, its progress as it comes; its figures."""
    begun, private = time.monotonic(), folder / ".private"
    private.mkdir(mode=0o700, exist_ok=True)
    told = private / "result.json"
    told.unlink(missing_ok=True)
    command = [sys.executable, "-m", "medaudit", "scan", str(folder), "--rehash", "-o", str(told), *rest]
    process = subprocess.Popen(command, env=own_environment(private), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 3) or not told.is_file():
        raise SystemExit(f"the scan ended with {process.returncode}; the same line again goes on with what was measured")
    result = json.loads(told.read_text("utf-8"))
    count = result["records"]
    return {
        "images": count,
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "clock_seconds": round(time.monotonic() - begun, 1),
        "largest_process_mib": used.ru_maxrss // 1024,
        "stages_clock_seconds": result["run"]["stages"],
        "link_clock_ms_per_image": round(1000 * result["run"]["stages"].get("link", 0) / max(1, count), 3),
        "cache": result["run"]["cache"],
        "slowest_checks": dict(sorted(result["run"]["check_seconds"].items(), key=lambda item: -(item[1] or 0))[:6]),
    }


def main() -> int:
    """Make, scan, tell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--images", type=int, default=112_120)
    options.add_argument("--like", type=Path)
    options.add_argument("--side", type=int, default=224)
    chosen, rest = options.parse_known_args()
    make(chosen.folder, chosen.images, sources(chosen.like, chosen.side), chosen.side)
    figures = scan(chosen.folder, rest)
    with (chosen.folder / "figures.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(figures) + "\n")
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
