"""Near-duplicates among pictures that all look alike: cost per image of every step, recall, memory, up to an archive's size.

python benchmarks/alike.py [--npz FILE] [--counts 2000,8000,32000] [--seed 0]

Every picture is another one: two radiographs (phantoms; or real ones of a MedMNIST file, enlarged) are mixed, bent by a smooth
field of their own, given a texture of their own and cropped. One in a hundred gets a copy: cropped, flipped, compressed, of
another gamma, or all at once. Each row runs in a process of its own, since the peak of memory never falls again.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from auditor.degrade.phantom import radiograph
from auditor.evidence.likeness.candidates import candidate_pairs
from auditor.evidence.likeness.perceptual import sketch_of
from auditor.evidence.likeness.sketches import Sketches, WordList
from auditor.evidence.likeness.verify import Verifier

Picture = np.ndarray
SIDE, ANATOMIES = 224, 300
COPY_EVERY = 100


def anatomies(npz: Path | None) -> list[Picture]:
    """What pictures are mixed from; each (SIDE, SIDE), 0–1."""
    if npz is None:
        return [radiograph(p, 0, opacity=p % 2 == 0, side=SIDE, seed=3).astype(np.float32) for p in range(ANATOMIES)]
    with np.load(npz) as content:
        small = content["train_images"]
    _, first = np.unique(small.reshape(len(small), -1), axis=0, return_index=True)
    chosen = np.sort(first)[:: max(1, len(first) // 1500)]
    return [cv2.resize(small[i].astype(np.float32) / 255, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for i in chosen]


def textures(rng: np.random.Generator) -> list[Picture]:
    """Vessels and noise of many sizes, larger than a picture so that each takes a place of its own."""
    found = []
    for _ in range(16):
        layers = [ndimage.gaussian_filter(rng.normal(size=(512, 512)), width) for width in (1.5, 3, 6)]
        found.append(np.sum([layer / layer.std() for layer in layers], axis=0).astype(np.float32))
    return found


def picture(rng: np.random.Generator, bases: list[Picture], fine: list[Picture]) -> Picture:
    """One that nobody has seen."""
    first, second = (bases[i] for i in rng.integers(len(bases), size=2))
    share = np.float32(rng.uniform(0.5, 0.8))
    top, left = rng.integers(0, 512 - SIDE, 2)
    own = fine[rng.integers(len(fine))][top : top + SIDE, left : left + SIDE]
    mixed = share * first + (1 - share) * second + np.float32(0.012) * own
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    bend = [cv2.resize(rng.normal(0, SIDE * 0.008, (6, 6)).astype(np.float32), (SIDE, SIDE)) for _ in range(2)]
    zoom = rng.uniform(0.88, 1)
    shift = rng.uniform(0, (1 - zoom) * SIDE, 2)
    bent = cv2.remap(
        mixed, (x * zoom + shift[1] + bend[1]).astype(np.float32), (y * zoom + shift[0] + bend[0]).astype(np.float32),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.clip(bent, 0, 1)


def cropped(area: float) -> Callable[[Picture, np.random.Generator], Picture]:
    """To a window anywhere."""

    def change(p: Picture, rng: np.random.Generator) -> Picture:
        side = round(SIDE * area**0.5)
        top, left = rng.integers(0, SIDE - side + 1, 2)
        return p[top : top + side, left : left + side]

    return change


def compressed(p: Picture, _rng: np.random.Generator) -> Picture:
    """JPEG, poorly."""
    coded = cv2.imencode(".jpg", (p * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255


CHANGES: Mapping[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "crop 0.8": cropped(0.8), "crop 0.6": cropped(0.6), "flip": lambda p, _r: p[:, ::-1], "jpeg 30": compressed,
    "gamma 0.5": lambda p, _r: p**0.5, "gamma 2": lambda p, _r: p**2,
    "crop+turn+gamma": lambda p, r: np.rot90(cropped(0.7)(p, r) ** 1.3),
}  # fmt: skip


def row(count: int, npz: Path | None, seed: int) -> None:
    """One row of the table, as JSON."""
    rng = np.random.default_rng(seed)
    bases, fine = anatomies(npz), textures(rng)
    book = Sketches()
    planted: list[tuple[int, int, str]] = []
    spent = {"sketch": 0.0}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def add(p: Picture) -> int:
        begin = time.process_time()
        book.add(str(len(book)), sketch_of([np.ascontiguousarray(p, np.float32)], frames=1, levels=255))
        spent["sketch"] += time.process_time() - begin
        return len(book) - 1

    while len(book) < count:
        p = picture(rng, bases, fine)
        place = add(p)
        if place % COPY_EVERY == 0:
            name = list(CHANGES)[(place // COPY_EVERY) % len(CHANGES)]
            planted.append((place, add(CHANGES[name](p, rng)), name))
    ids = [str(i) for i in range(len(book))]
    begin = time.process_time()
    a, b, _ = candidate_pairs(WordList(sketches=book, records=ids))
    spent["candidates"] = time.process_time() - begin
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    begin, clock = time.process_time(), time.perf_counter()
    answers = Verifier(sketches=book, threads=2).verify_all([(ids[i], ids[j]) for i, j in pairs])
    found = {pair for pair, same in zip(pairs, answers, strict=True) if same is not None and same.copy}
    spent["verify"] = time.process_time() - begin
    truth = {(i, j) for i, j, _ in planted}
    kinds = Counter(name for _, _, name in planted)
    hits = Counter(name for i, j, name in planted if (i, j) in found)
    print(json.dumps({
        "images": len(book),
        **{f"{step}_ms": round(1000 * seconds / len(book), 3) for step, seconds in spent.items()},
        "pairs_each": round(len(pairs) / len(book), 2), "clock_ms": round(1000 * (time.perf_counter() - clock) / len(book), 3),
        "among_candidates": round(len(truth & set(pairs)) / len(truth), 3),
        "recall": round(len(truth & found) / len(truth), 3), "false": len(found - truth),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), "of_which_before_mb": round(before),
        "by_change": {name: round(hits[name] / total, 2) for name, total in kinds.items()},
    }))  # fmt: skip


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npz", type=Path, help="real radiographs instead of phantoms")
    parser.add_argument("--counts", default="2000,8000,32000")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, help="one row, in this process")
    options = parser.parse_args()
    if options.count:
        cv2.setNumThreads(1)
        row(options.count, options.npz, options.seed)
        return
    for count in options.counts.split(","):
        source = ["--npz", str(options.npz)] if options.npz else []
        subprocess.run([sys.executable, __file__, "--count", count, "--seed", str(options.seed), *source], check=True)


if __name__ == "__main__":
    main()
