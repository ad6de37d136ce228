"""Near-duplicates: planted transformations on real images, two neighbours' rules beside it, and the cost up to 10⁶ images.

python benchmarks/duplicates.py [FOLDER ...] [--part develop|report] [--limit N] [--scaling]

Bases are the images of the folders and of the installed pydicom's test files; without a folder only the latter. Thresholds
were chosen on the even positions of each folder (`--part develop`); `--part report` takes the odd ones. One collection per
transformation: all bases and one transformed copy of each. Recall: copies linked to their base. False: pairs of different
bases.

The neighbours' rules, restated, on our 8-bit rendering of the same pictures (neither opens DICOM or scales 16 bits):
* imagededup 0.3.3, methods/hashing.py, PHash: 32 × 32, DCT, lowest 8 × 8 ≥ their median without the first; Hamming ≤ 10.
* CleanVision 0.3.7, near_duplicates: imagehash.phash (32 × 32, DCT, lowest 8 × 8 > their median), equal hashes.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw
from scipy.fft import dctn

from auditor.digests import pixel_digest
from auditor.evidence.likeness.candidates import candidate_pairs
from auditor.evidence.likeness.keypoints import WEAK_BITS
from auditor.evidence.likeness.perceptual import unpack
from auditor.evidence.likeness.sketches import Sketches, WordList
from auditor.evidence.likeness.verify import Verifier
from auditor.format import open_header, open_pixels
from auditor.measuring.facts import sketch
from auditor.resample import resize as resample
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Limits
from auditor.view import luminance, view_of

Picture = np.ndarray
Change = Callable[[Picture, np.random.Generator], bytes]

SAME_FIELD = frozenset({(37, 38), (227, 260), (229, 258), (230, 257), (231, 256), (236, 253), (382, 395), (386, 391)})
"""BCCD shows these fields twice: the same cells in two photographs (found by this program, confirmed by eye)."""


def png(picture: Picture) -> bytes:
    """8 bits."""
    return encoded(eight_bits(picture), "PNG", compress_level=1)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """A file of an image."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def eight_bits(picture: Picture) -> Image.Image:
    """0–1 → uint8."""
    return Image.fromarray(np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8))


def as_float(image: Image.Image) -> Picture:
    """uint8 → 0–1."""
    return np.asarray(image, np.float32) / 255


def jpeg(quality: int) -> Change:
    """Recompressed."""
    return lambda p, _r: encoded(eight_bits(p), "JPEG", quality=quality)


def resized(factor: float) -> Change:
    """Both sides times the factor."""

    def change(p: Picture, _r: np.random.Generator) -> bytes:
        size = (max(1, round(p.shape[1] * factor)), max(1, round(p.shape[0] * factor)))
        return encoded(eight_bits(p).resize(size, Image.Resampling.BICUBIC), "PNG", compress_level=1)

    return change


def cut(p: Picture, r: np.random.Generator, area: float) -> Picture:
    """A window of so much of the area, anywhere, of a slightly different shape."""
    skew = np.exp(r.uniform(-0.12, 0.12))
    sides = [min(1.0, area**0.5 * skew), min(1.0, area**0.5 / skew)]
    sides = [area / sides[1], sides[1]] if sides[1] == 1 else [sides[0], area / sides[0]] if sides[0] == 1 else sides
    height, width = (int(np.ceil(n * s)) for n, s in zip(p.shape, sides, strict=False))
    top, left = r.integers(0, p.shape[0] - height + 1), r.integers(0, p.shape[1] - width + 1)
    return p[top : top + height, left : left + width]


def padded(value: float, share: float) -> Change:
    """Border lines of one value on all sides, up to so much of each."""

    def change(p: Picture, r: np.random.Generator) -> bytes:
        sides = [(round(n * share * r.random()), round(n * share * r.random())) for n in p.shape[:2]]
        return png(np.pad(p, sides + [(0, 0)] * (p.ndim - 2), constant_values=value))

    return change


def marked(share: float) -> Change:
    """A burned-in side marker and time in a corner, of so much of the height."""

    def change(p: Picture, r: np.random.Generator) -> bytes:
        image = eight_bits(p).convert("RGB")
        height, width = max(6, int(image.height * share)), max(10, int(image.width * 0.3))
        left, top = (int(r.choice([2, n - s - 2])) for n, s in zip(image.size, (width, height), strict=True))
        draw = ImageDraw.Draw(image)
        if r.random() < 0.5:
            draw.rectangle([left, top, left + width, top + height], fill=(0, 0, 0))
        draw.text((left + 2, top + 1), "R  12:34 AP", fill=(255, 255, 255), font_size=max(6, int(height * 0.8)))
        return encoded(image, "PNG", compress_level=1)

    return change


def captioned(share: float) -> Change:
    """A bar with a caption along the lower edge, of so much of the height."""

    def change(p: Picture, r: np.random.Generator) -> bytes:
        image = eight_bits(p).convert("RGB")
        height = int(image.height * share)
        draw = ImageDraw.Draw(image)
        draw.rectangle([0, image.height - height, image.width, image.height], fill=(0, 0, 0))
        words = f"Figure {r.integers(1, 9)}. Case {r.integers(999)}, supine, first visit"
        draw.text(
            (image.width * 0.04, image.height - height + 1), words, fill=(255, 255, 255), font_size=max(6, int(height * 0.6))
        )
        return encoded(image, "PNG", compress_level=1)

    return change


def sixteen_bits(p: Picture, _r: np.random.Generator) -> bytes:
    """Twelve bits stored in sixteen, grey."""
    gray = p if p.ndim == 2 else luminance(p)
    return encoded(Image.fromarray(np.clip(gray * 4095 + 300, 0, 65535).astype(np.uint16)), "TIFF")


def windowed(p: Picture, r: np.random.Generator) -> bytes:
    """As a viewer shows it, with a window of its own."""
    low, high = np.percentile(p, (r.uniform(0, 3), r.uniform(97, 100)))
    return png((p - low) / max(high - low, 1e-6))


def contrast(gain: float, shift: float) -> Change:
    """Contrast about the middle, then brightness."""
    return lambda p, _r: png(np.clip((p - 0.5) * gain + 0.5 + shift, 0, 1))


def several(p: Picture, r: np.random.Generator) -> bytes:
    """Much at once."""
    p = np.rot90(cut(p, r, 0.7) ** 1.3)
    return encoded(eight_bits(1 - p if r.random() < 0.5 else p[:, ::-1]), "JPEG", quality=60)


CHANGES: Mapping[str, Change] = {
    **{f"jpeg {q}": jpeg(q) for q in (30, 50, 75, 95)},
    **{f"resize {f}": resized(f) for f in (0.5, 0.75, 1.5, 2.0)},
    **{f"crop {a}": (lambda p, r, a=a: png(cut(p, r, a))) for a in (0.9, 0.8, 0.7, 0.6)},
    "brighter": contrast(1, 0.15), "darker": contrast(1, -0.15), "contrast 1.4": contrast(1.4, 0),
    "contrast 0.5": contrast(0.5, 0),
    "gamma 0.5": lambda p, _r: png(p**0.5), "gamma 0.7": lambda p, _r: png(p**0.7), "gamma 1.5": lambda p, _r: png(p**1.5),
    "gamma 2": lambda p, _r: png(p**2), "window to 8 bits": windowed, "to 16 bits": sixteen_bits,
    "inverted": lambda p, _r: png(1 - p),
    "flip left-right": lambda p, _r: png(p[:, ::-1]), "flip up-down": lambda p, _r: png(p[::-1]),
    **{f"turn {90 * k}": (lambda p, _r, k=k: png(np.rot90(p, k))) for k in (1, 2, 3)},
    "pad black": padded(0, 0.2), "pad white": padded(1, 0.2), "mark 8 %": marked(0.08), "mark 14 %": marked(0.14),
    "caption 8 %": captioned(0.08), "caption 12 %": captioned(0.12), "crop+turn+gamma+flip|invert+jpeg": several,
}  # fmt: skip


def opened(content: bytes) -> tuple[bytes, Picture, str] | None:
    """Packed sketch, rendering 0–1 of the middle frame, digest; None where the file has no pixels."""
    source = FileSource(path=Path("base"), content=content)
    try:
        header = open_header(source, Limits())
        pixels = open_pixels(source, header, Limits())
    except UnreadableFile:
        return None
    view = view_of(header, pixels)
    stored = view.stored.astype(np.float32)
    if view.stored.dtype != np.uint8:
        low, high = np.percentile(stored, (0.1, 99.9))
        stored = np.clip((stored - low) / max(high - low, 1e-6), 0, 1)
    else:
        stored = stored / 255
    stored = stored[..., :3] if stored.ndim == 3 and stored.shape[2] >= 3 else stored if stored.ndim == 2 else stored[..., 0]
    step = max(1, max(stored.shape[:2]) // 1400)
    return sketch(view), stored[::step, ::step], pixel_digest(pixels.array)


def bases(folders: list[Path], part: str, limit: int) -> Iterator[tuple[str, bytes, Picture]]:
    """Single-frame images of distinct pixels: name, packed sketch, rendering."""
    seen: set[str] = set()
    for folder in [*folders, Path(pydicom.__file__).parent / "data/test_files"]:
        files = sorted(f for f in folder.rglob("*") if f.is_file() and f.stat().st_size < 40 << 20)
        files = files[{"develop": 0, "report": 1}[part] :: 2] if part != "all" else files
        count = 0
        for file in files:
            found = opened(file.read_bytes())
            # pydicom's SC_ files are one colour-bar test pattern in many encodings: copies of each other, and no picture.
            frames = 1 if found is None or len(found[0]) == 1 else unpack(found[0]).count
            if found is None or frames > 1 or found[2] in seen or count >= limit or file.name.startswith("SC_"):
                continue
            seen.add(found[2])
            count += 1
            yield f"{folder.name}/{file.stem}", found[0], found[1]


def phash(picture: Picture) -> tuple[int, int]:
    """64 bits as imagededup and as imagehash (CleanVision) make them."""
    gray = picture if picture.ndim == 2 else luminance(picture)
    low = dctn(resample(gray.astype(np.float32) * 255, 32, 32).astype(float))[:8, :8].ravel()
    return tuple(int("".join("01"[int(b)] for b in bits), 2) for bits in (low >= np.median(low[1:]), low > np.median(low)))


def same_field(a: str, b: str) -> bool:
    """Two BCCD photographs of one field."""
    numbers = tuple(sorted(int(name.rpartition("_")[2]) for name in (a, b) if "BloodImage_" in name))
    return numbers in SAME_FIELD


def linked(sketches: list[bytes], times: dict[str, float]) -> set[tuple[int, int]]:
    """Verified pairs of positions."""
    book = Sketches()
    for i, packed in enumerate(sketches):
        book.add(str(i), packed)
    known = [i for i in range(len(sketches)) if str(i) in book]
    begin = time.process_time()
    a, b, _ = candidate_pairs(WordList(sketches=book, records=[str(i) for i in known]))
    times["candidates"] = times.get("candidates", 0) + time.process_time() - begin
    begin = time.process_time()
    verifier = Verifier(sketches=book)
    pairs = [(known[i], known[j]) for i, j in zip(a.tolist(), b.tolist(), strict=True)]
    answers = verifier.verify_all([(str(i), str(j)) for i, j in pairs])
    found = {pair for pair, same in zip(pairs, answers, strict=True) if same is not None and same.copy}
    times["verification"] = times.get("verification", 0) + time.process_time() - begin
    times["pairs"] = times.get("pairs", 0) + len(a)
    return found


def transformations(folders: list[Path], part: str, limit: int, seed: int) -> None:
    """The table of recall and false pairs by transformation."""
    names, packed, pictures = (list(column) for column in zip(*bases(folders, part, limit), strict=True))
    told = [i for i, p in enumerate(packed) if len(p) > 1]
    print(f"{len(names)} distinct single pictures, {len(told)} compared ({part}), {len(names) - len(told)} refused")
    names, packed, pictures = ([column[i] for i in told] for column in (names, packed, pictures))
    natural = {(i, j) for i, j in linked(packed, {})}
    for i, j in sorted(natural):
        print(
            f"  pair among the bases: {names[i]} | {names[j]}{' (same field twice)' if same_field(names[i], names[j]) else ''}"
        )
    size, times, base_hash = len(names), {}, [phash(p) for p in pictures]
    totals = np.zeros(8, int)
    missed: Counter[str] = Counter()
    print(f"\n{'transformation':34}{'copies':>7}{'refused':>8}{'recall':>8}{'false':>6} | imagededup {'recall':>7}{'false':>7}"
          f" | CleanVision {'recall':>7}{'false':>6}")  # fmt: skip
    for number, (name, change) in enumerate(CHANGES.items()):
        rng = np.random.default_rng([seed, number])
        copies = [opened(change(p, rng)) for p in pictures]
        assert all(c is not None for c in copies)
        made = [c for c in copies if c is not None]
        pairs = linked([*packed, *(c[0] for c in made)], times)
        hit = {i for i, j in pairs if j == i + size}
        wrong = [p for p in pairs if p[0] % size != p[1] % size and not excused(p[0] % size, p[1] % size, natural)]
        for i, j in wrong:
            print(f"  FALSE {names[i % size]} | {names[j % size]}")
        missed.update(names[i] for i in range(size) if i not in hit)
        hashes = np.array([*base_hash, *(phash(c[1]) for c in made)], np.uint64)
        row = [size, sum(len(c[0]) <= 1 for c in made), len(hit), len(wrong)]
        for column, distance in ((0, 10), (1, 0)):
            near = np.bitwise_count(hashes[:, None, column] ^ hashes[None, :, column]) <= distance
            i, j = np.nonzero(np.triu(near, 1))
            right = i % size == j % size
            excusable = np.array([excused(a, b, natural) for a, b in zip(i % size, j % size, strict=True)], bool)
            row += [int(right.sum()), int((~right & ~excusable).sum())]
        totals += row
        print(line(name, row), flush=True)
    print(line("all", totals.tolist()))
    print("most often missed:", ", ".join(f"{name} {count}×" for name, count in missed.most_common(8)))
    print(f"precision: ours {precision(totals[2], totals[3]):.4f}, imagededup {precision(totals[4], totals[5]):.4f}, "
          f"CleanVision {precision(totals[6], totals[7]):.4f}")  # fmt: skip
    print(
        f"CPU: candidates {times['candidates']:.1f} s, verification {times['verification']:.1f} s "
        f"of {times['pairs']:,.0f} pairs"
    )


def excused(i: int, j: int, natural: set[tuple[int, int]]) -> bool:
    """Bases that are themselves copies of each other (listed above the table)."""
    return (min(i, j), max(i, j)) in natural


def precision(right: int, wrong: int) -> float:
    """Right among all found."""
    return right / max(1, right + wrong)


def line(name: str, row: list[int]) -> str:
    """One row of the table."""
    n = max(1, row[0])
    return (f"{name:34}{row[0]:>7}{row[1]:>8}{row[2] / n:>8.3f}{row[3]:>6} |            {row[4] / n:>7.3f}{row[5]:>7}"
            f" |             {row[6] / n:>7.3f}{row[7]:>6}")  # fmt: skip


def scaling(count: int, seed: int) -> None:
    """Candidates among `count` images of 84 words; a third share one word list (blank tiles), one in a hundred is a copy.

    A copy keeps 28 of its 84 words with 2 % of the bits changed and draws the rest anew: a crop to 60 %.
    """
    rng = np.random.default_rng(seed)
    signs = rng.integers(0, 1 << 40, (count, 84), dtype=np.uint64)
    signs[: count // 3] = signs[0]
    planted = np.arange(count - count // 100, count)
    source = rng.choice(np.arange(count // 3, count // 2), len(planted), replace=False)
    kept = signs[source][:, :28]
    noise = np.zeros(kept.shape, np.uint64)
    for bit in range(40):
        noise |= (rng.random(kept.shape) < 0.02).astype(np.uint64) << np.uint64(bit)
    # which words survive a crop does not depend on how strong they are
    order = np.argsort(rng.random((len(planted), 84)), axis=1)
    signs[source] = np.take_along_axis(signs[source], order, axis=1)
    signs[planted] = np.take_along_axis(np.concatenate([kept ^ noise, signs[planted][:, 28:]], axis=1), order, axis=1)
    words = signs << np.uint64(24)
    for shift in (6, 0):
        words |= rng.integers(0, WEAK_BITS, words.shape, dtype=np.uint64) << np.uint64(shift)
    del signs, kept, noise, order
    words = list(words)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begin = time.perf_counter()
    a, b, _ = candidate_pairs(words)
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    recall = float(np.mean([(min(p), max(p)) in pairs for p in zip(source.tolist(), planted.tolist(), strict=True)]))
    print(json.dumps({"images": count, "seconds": round(seconds, 1), "peak_mb": round(after),
                      "of_which_input_mb": round(before),
                      "pairs": len(pairs), "recall_of_heavy_crops": round(recall, 3)}))  # fmt: skip


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--part", choices=("develop", "report", "all"), default="report")
    parser.add_argument("--limit", type=int, default=10_000, help="images per folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scaling", action="store_true", help="only the scaling table")
    parser.add_argument("--count", type=int, help="one row of it, in this process")
    options = parser.parse_args()
    if options.count:
        scaling(options.count, options.seed)
    elif options.scaling:
        for count in (10_000, 30_000, 100_000, 300_000, 1_000_000):
            # A process of its own: the peak of memory never falls again.
            subprocess.run([sys.executable, __file__, "--count", str(count), "--seed", str(options.seed)], check=True)
    else:
        transformations(options.folders, options.part, options.limit, options.seed)


if __name__ == "__main__":
    main()
