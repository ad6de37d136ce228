"""Mutated files by the ten thousand: nothing may crash, hang, or take more than a gigabyte, and every file is in the result.

    python benchmarks/hostile.py [--files 20000] [--seed 0] [--workers 2] [--more FOLDER ...]
    python benchmarks/hostile.py --tables 5000    (tables, settings, states and results: `hostile_tables.py`)

Seeds are real files of every reader: those that come with pydicom and nibabel, pictures of our own in every raster and
TIFF variant, arrays, and whatever lies in FOLDER. Each mutant is one seed with bits flipped, a piece cut out, the end cut
off, noise put in, or the head of another file grafted on. They are written in batches into a temporary folder and go
through the same listing, worker processes, limits and check (IN001) as in a scan. Same seed, same mutants.

Printed: files made and how they were answered, by kind; answers that cost a worker (`crashed`, `timeout`); files without
an answer; the largest worker. Exit code 1 when the program failed, a file hung or is missing from the result, or a process
grew beyond 1 GB.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import imagecodecs
import nibabel
import numpy as np
import numpy.typing as npt
import pydicom
import tifffile
from PIL import Image

from auditor.check import SkipCheck
from auditor.checks.in001 import Unreadable
from auditor.format import SNIFF_BYTES, format_of
from auditor.layout import Options, list_files, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.image import Limits

LARGEST_SEED = 1 << 18
BATCH = 500
GIGABYTE = 1 << 30
SUFFIX = {"png": ".png", "jpeg": ".jpg", "bmp": ".bmp", "gif": ".gif", "webp": ".webp", "tiff": ".tif", "nifti": ".nii.gz"}
EXTREMES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0")


def made() -> Iterator[tuple[str, bytes]]:
    """Small pictures in every raster, TIFF and array variant that a reader knows: (name, content)."""
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 255, (40, 36, 3), dtype=np.uint8)
    grey, deep = colour[..., 0], rng.integers(0, 65535, (40, 36, 3), dtype=np.uint16)
    picture = Image.fromarray(colour)
    exif = Image.Exif()
    exif[0x010E] = "a description"
    exif[0x010F] = "a maker"
    frames = {"save_all": True, "append_images": [Image.fromarray(colour[::-1].copy())]}
    yield "rgb.png", pillow(picture, "PNG", exif=exif)
    yield "palette.png", pillow(picture.quantize(8), "PNG")
    yield "deep.png", bytes(imagecodecs.png_encode(deep))
    yield "grey.jpg", pillow(Image.fromarray(grey), "JPEG")
    yield "progressive.jpg", pillow(picture, "JPEG", progressive=True, exif=exif)
    yield "lossless.jpg", bytes(imagecodecs.ljpeg_encode(grey))
    yield "two.gif", pillow(picture, "GIF", **frames)
    yield "one.bmp", pillow(picture, "BMP")
    yield "one.webp", pillow(picture, "WEBP", exif=exif)
    yield "two.webp", pillow(picture, "WEBP", **frames)
    stack = np.stack([colour, colour])
    for compression in (None, "zlib", "lzw", "jpeg", "packbits", "jpeg2000", "zstd"):
        yield f"{compression}.tif", tiff(stack, compression=compression, photometric="rgb")
    yield "tiles.tif", tiff(grey.astype("f4"), tile=(16, 16), bigtiff=True)
    yield "imagej.tif", tiff(np.stack([grey, grey]).astype(np.uint16), imagej=True)
    yield "fax.tif", pillow(Image.fromarray(grey > 128), "TIFF", compression="group4")
    volume = rng.integers(0, 99, (8, 7, 5)).astype(np.int16)
    plain = nibabel.Nifti1Image(volume, np.eye(4)).to_bytes()
    yield "one.nii", plain
    yield "one.nii.gz", gzip.compress(plain, mtime=0)
    yield "two.nii", nibabel.Nifti2Image(volume, np.eye(4)).to_bytes()
    stream = io.BytesIO()
    np.save(stream, grey)
    yield "one.npy", stream.getvalue()
    stream = io.BytesIO()
    np.savez_compressed(stream, grey)
    yield "one.npz", stream.getvalue()


def pillow(image: Image.Image, name: str, **options: object) -> bytes:
    """What Pillow writes."""
    stream = io.BytesIO()
    image.save(stream, name, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def tiff(array: npt.NDArray[np.generic], **options: object) -> bytes:
    """What tifffile writes."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def installed() -> tuple[Path, Path]:
    """The folders of test files that come with pydicom and nibabel."""
    return Path(pydicom.__file__).parent / "data" / "test_files", Path(nibabel.__file__).parent / "tests" / "data"


def seeds(more: Sequence[Path] = ()) -> list[tuple[str, bytes]]:
    """(name, content) of every file that a reader knows by its content, up to 256 kB each, sorted by folder and name."""
    found = list(made())
    for folder in (*installed(), *more):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and 0 < path.stat().st_size <= LARGEST_SEED:
                content = path.read_bytes()
                if format_of(content[:SNIFF_BYTES]) is not None:
                    found.append((path.name, content))
    return found


def mutate(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """One mutant: cut, shortened, lengthened, spliced with the head of `other`, or up to 16 bytes changed."""
    kind = rng.random()
    if kind < 0.12:
        return content[: rng.randrange(1, len(content) + 1)]
    if kind < 0.22:
        start = rng.randrange(len(content))
        return content[:start] + content[start + rng.randrange(1, 200) :]
    if kind < 0.32:
        start = rng.randrange(len(content))
        return content[:start] + rng.randbytes(rng.randrange(1, 40)) + content[start:]
    if kind < 0.42:
        return other[: rng.randrange(1, min(len(other), 4096) + 1)] + content[rng.randrange(len(content)) :]
    mutant = bytearray(content)
    reach = min(len(mutant), rng.choice((64, 400, 2000, len(mutant))))  # most of what can go wrong is in the header
    for _ in range(rng.choice((1, 2, 4, 16))):
        at = rng.randrange(reach)
        way = rng.random()
        if way < 0.4:
            mutant[at] ^= 1 << rng.randrange(8)
        elif way < 0.7:
            mutant[at : at + 4] = rng.choice(EXTREMES)
        else:
            mutant[at] = rng.randrange(256)
    return bytes(mutant)


def suffix_of(content: bytes) -> str:
    """A suffix that makes the file an image of the dataset; the content decides what is read, so all others are `.dcm`."""
    return SUFFIX.get(format_of(content[:SNIFF_BYTES]) or "", ".dcm")


@dataclass
class Watch:
    """Peak memory of any process that this one, or one of those, started, sampled from /proc (Linux), while the block runs.

    Workers are children of a nursery, not of whoever asks it for them.
    """

    peak_bytes: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            for process in descendants(os.getpid()):
                try:
                    status = Path(f"/proc/{process}/status").read_text()
                except OSError:  # it ended meanwhile
                    continue
                peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
                self.peak_bytes = max(self.peak_bytes, int(peak) * 1024)


def descendants(process: int) -> Iterator[int]:
    """Ids of the processes that a process started, and that those started; none where there is no /proc."""
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            own = [int(child) for child in children.read_text().split()]
        except OSError:  # it ended meanwhile
            continue
        for child in own:
            yield child
            yield from descendants(child)


@dataclass
class Tally:
    """How the mutants were answered."""

    files: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run_batch(folder: Path, count: int, tally: Tally, limits: Limits, workers: int) -> None:
    """One folder of mutants through listing, workers and IN001; every file must be answered for."""
    dataset = open_dataset(folder, Options(layout="folders"))
    dataset, _ = extract(dataset, Pass(limits=limits, workers=workers))
    try:
        Unreadable().run(dataset)
    except SkipCheck:
        tally.failures.append("IN001 was skipped")
    readable = set(dataset.fingerprints.index[dataset.fingerprints["pixels"].notna()])
    by_path = {problem.path: problem.kind for problem in dataset.problems}
    path_of = dict(zip(dataset.records["path"], dataset.records.index, strict=True))
    # segmentations and structure sets are read for what they draw, and are no records
    drawn = set(list_files(folder).inventory.drawings) - set(by_path)
    for path in sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()):
        kind = "read" if path_of.get(path) in readable or path in drawn else by_path.get(path)
        tally.files += 1
        if kind is None:
            tally.missing.append(path)
            continue
        tally.kinds[kind] += 1
        if kind in ("crashed", "timeout"):
            tally.odd.append(path)
    used = dataset.size + dataset.summary.counts.get("annotations", 0)
    if used < count:
        tally.failures.append(f"{count - used} files are neither records nor annotations")


def run(files: int, *, seed: int, workers: int, more: Sequence[Path], seconds: float, keep: Path | None) -> tuple[Tally, Watch]:
    """All batches."""
    rng = random.Random(seed)
    originals = seeds(more)
    formats = Counter(format_of(content[:SNIFF_BYTES]) for _, content in originals)
    print(f"{len(originals)} seeds: " + ", ".join(f"{count} {name}" for name, count in sorted(formats.items(), key=str)))
    tally, start = Tally(), time.perf_counter()
    limits = Limits(seconds=seconds)
    with Watch() as watch:
        for first in range(0, files, BATCH):
            count = min(BATCH, files - first)
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary) / "set" / "mutants"
                folder.mkdir(parents=True)
                for number in range(first, first + count):
                    content = originals[number % len(originals)][1]
                    mutant = mutate(content, rng.choice(originals)[1], rng)
                    (folder / f"{number:06d}{suffix_of(mutant)}").write_bytes(mutant)
                before = len(tally.odd)
                run_batch(folder.parent, count, tally, limits, workers)
                if keep is not None:
                    for path in tally.odd[before:]:
                        keep.mkdir(parents=True, exist_ok=True)
                        (keep / Path(path).name).write_bytes((folder.parent / path).read_bytes())
            print(f"{first + count:,} files, {time.perf_counter() - start:.0f} s, {watch.peak_bytes >> 20} MiB", flush=True)
    return tally, watch


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0, help="processor time that one file may cost")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="folders with more seeds")
    parser.add_argument("--keep", type=Path, help="folder for mutants that cost a worker")
    parser.add_argument("--tables", type=int, help="mutate so many tables, settings, states and results instead of pictures")
    chosen = parser.parse_args(arguments)
    if chosen.tables is not None:
        return tables(chosen.tables, chosen.seed)
    tally, watch = run(
        chosen.files, seed=chosen.seed, workers=chosen.workers, more=chosen.more, seconds=chosen.seconds, keep=chosen.keep
    )
    print(f"files: {tally.files:,} (seed {chosen.seed})")
    for kind, count in tally.kinds.most_common():
        print(f"  {kind:14} {count:,}")
    print(f"cost a worker, answered all the same: {len(tally.odd)} {tally.odd[:10]}")
    print(f"without an answer: {len(tally.missing)} {tally.missing[:10]}")
    print(f"failures of the program: {len(tally.failures)} {tally.failures[:10]}")
    print(f"largest worker: {watch.peak_bytes >> 20} MiB")
    good = not (tally.missing or tally.failures or tally.kinds["timeout"]) and watch.peak_bytes <= GIGABYTE
    print("OK" if good else "NOT OK")
    return 0 if good else 1


def tables(count: int, seed: int) -> int:
    """Run and print for what is no picture."""
    from hostile_tables import run_tables  # beside this script; tests import both as modules of a package

    with tempfile.TemporaryDirectory() as folder:
        ends, failures, peak = run_tables(count, seed, Path(folder), mutate)
    print(f"files: {count:,} (seed {seed})")
    for kind, number in sorted(ends.items()):
        print(f"  {kind:34} {number:,}")
    print(f"not caught, or cost its reader, or more than 30 s: {len(failures)} {failures[:10]}")
    print(f"largest process: {peak >> 20} MiB")
    good = not failures and peak <= GIGABYTE
    print("OK" if good else "NOT OK")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
