"""Objects that are missing from masks: what the arms of `medaudit fix --strategy weak` recover, by the real command.

    python benchmarks/weak_masks.py FOLDER [--seeds 3] [--seed 0] [--device auto] [--missing 0.5]

Pictures with gland-like objects (ellipses with a wavy outline, a dark rim and a bright lumen) on 15–35 % of the area, on a
textured background of the same mean. 96 pictures train, 20 of them trusted; in the masks of all others each object is
left out with the given probability. Trusted masks and the masks of 48 pictures that evaluate are complete. The same
pictures with complete masks everywhere give the row `clean`.

Printed, and written into `docs/results.md` with --write: Dice, Matthews correlation per pixel and Hausdorff distance of every
arm, and Dice and MCC of the predictors that say object, or background, everywhere.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

SIDE, TRAINING, TRUSTED, EVALUATING = 64, 96, 20, 48
ARMS = {"weak-threshold": "tuned threshold", "weak-unlabelled": "positive-unlabelled", "weak-only-positive": "only-positive",
        "weak": "chosen on validation"}  # fmt: skip
HEADING = "## Missing objects in masks"

Doubles = npt.NDArray[np.float64]


def texture(rng: np.random.Generator, scale: float) -> Doubles:
    """Smooth noise of mean 0 and deviation 1."""
    noise = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), scale, mode="wrap")
    return np.asarray(noise / noise.std())


def glands(rng: np.random.Generator) -> tuple[npt.NDArray[np.uint8], list[npt.NDArray[np.bool_]]]:
    """A picture, uint8 (SIDE, SIDE), and its objects, each a mask; they do not touch."""
    wanted = rng.uniform(0.15, 0.35) * SIDE**2
    rows, columns = np.mgrid[:SIDE, :SIDE]
    picture = 130 + 10 * texture(rng, 1.0) + 12 * texture(rng, 4.0)
    taken, objects = np.zeros((SIDE, SIDE), np.bool_), []
    for _ in range(400):
        if taken.sum() >= wanted:
            break
        centre, radius = rng.uniform(4, SIDE - 4, 2), rng.uniform(5, 10)
        turn, long = rng.uniform(0, np.pi), rng.uniform(1, 1.6)
        y, x = rows - centre[0], columns - centre[1]
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        angle = np.arctan2(across, along)
        edge = radius * (1 + 0.12 * np.sin(int(rng.integers(3, 6)) * angle + rng.uniform(0, 6)))
        distance = np.hypot(along / long, across) / edge
        drawn = distance < 1
        if (ndimage.binary_dilation(drawn, iterations=2) & taken).any():
            continue
        taken |= drawn
        objects.append(drawn)
        lumen = rng.uniform(0.3, 0.6)
        inside = np.where(distance < lumen, 165.0, 90.0) + 10 * texture(rng, 1.0)
        picture = np.where(drawn, inside, picture)
    picture = ndimage.gaussian_filter(picture, 0.6) + rng.normal(0, 6, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), objects


def write_masks(folder: Path, *, missing: float, seed: int) -> float:
    """Images, masks and the lists trusted.txt and evaluate.txt beside the folder; returns the mean share of object pixels."""
    shares = []
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    names: dict[str, list[str]] = {"trusted": [], "evaluate": []}
    for i in range(TRAINING + EVALUATING):
        rng = np.random.default_rng([seed, i])
        picture, objects = glands(rng)
        complete = i < TRUSTED or i >= TRAINING
        left = rng.random(len(objects)) >= (0 if complete else missing)
        mask = np.zeros((SIDE, SIDE), np.bool_)
        for kept, drawn in zip(left, objects, strict=True):
            mask |= drawn & kept
        shares.append(float(np.any(objects, axis=0).mean()))
        Image.fromarray(picture).save(folder / "images" / f"{i:03d}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{i:03d}.png")
        if complete:
            names["trusted" if i < TRUSTED else "evaluate"].append(f"images/{i:03d}.png")
    for name, listed in names.items():
        (folder.parent / f"{folder.name}-{name}.txt").write_text("".join(f"{n}\n" for n in listed))
    return float(np.mean(shares))


def run_fix(target: Path, strategies: str, training: list[str]) -> dict[str, Any]:
    """The command, and what it wrote into comparison.json."""
    output = target.parent / f"{target.name}-fixed"
    lists = [f"{target}-{name}.txt" for name in ("trusted", "evaluate")]
    command = [sys.executable, "-m", "medaudit", "fix", str(target), "--output", str(output), "--strategy", strategies,
               "--trusted", lists[0], "--evaluate", lists[1], *training]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not (output / "comparison.json").is_file():
        raise SystemExit(f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads((output / "comparison.json").read_text())
    return found


def scored(found: dict[str, Any], arm: str) -> dict[str, dict[str, Any]]:
    """The metrics of one arm's evaluation, by name."""
    (evaluation,) = [a["evaluation"] for a in found["arms"] if a["strategy"] == arm]
    return {m["metric"]: m for m in evaluation["metrics"]}


def trivial(folder: Path) -> float:
    """Mean Dice of saying object everywhere, on the evaluation masks."""
    listed = Path(f"{folder}-evaluate.txt").read_text().split()
    shares = [(np.asarray(Image.open(folder / path.replace("images", "masks"))) > 0).mean() for path in listed]
    return float(np.mean([2 * s / (1 + s) for s in shares]))


def table_of(clean: dict[str, Any], noisy: dict[str, Any], all_object: float) -> list[str]:
    """The lines of the table."""

    def line(name: str, metrics: dict[str, dict[str, Any]], side: str, *, gain: bool) -> str:
        dice, mcc, far = metrics["dice"], metrics["pixel_mcc"], metrics["hausdorff95_px"]
        told = f"{dice['difference']:+.3f} ({dice['low']:+.3f} to {dice['high']:+.3f})" if gain else ""
        return f"| {name} | {dice[side]:.3f} | {mcc[side]:.3f} | {told} | {far[side]:.1f} |"

    first = scored(noisy, "weak-threshold")
    lines = [
        "| arm | Dice | MCC per pixel | gain in Dice over the baseline (95 % interval) | Hausdorff 95 % (px) |",
        "|---|---|---|---|---|",
    ]
    lines.append(line("clean: plain training on complete masks", scored(clean, "weak-threshold"), "before", gain=False))
    lines.append(line("baseline: plain training on the masks as they are", first, "before", gain=False))
    lines += [line(name, scored(noisy, arm), "after", gain=True) for arm, name in ARMS.items()]
    lines.append(f"| all object | {all_object:.3f} | 0 | | |")
    lines.append("| all background | 0 | 0 | | |")
    return lines


def section_of(
    clean: dict[str, Any], noisy: dict[str, Any], folder: Path, share: float, given: argparse.Namespace
) -> list[str]:
    """The lines of the section."""
    chosen = next(a["proposal"]["metrics"]["arm"] for a in noisy["arms"] if a["strategy"] == "weak")
    return [
        f"`python benchmarks/weak_masks.py FOLDER --write docs/results.md`: {SIDE} × {SIDE} pixels, gland-like objects on",
        f"{share:.0%} of the area. {TRAINING} pictures train: {TRUSTED} of them have complete masks and are trusted (a fifth",
        f"of these choose and do not train); from the others {given.missing:.0%} of the objects are missing. {EVALUATING} with",
        f"complete masks evaluate; {given.seeds} seeds. `weak` chose on validation: {chosen}.",
        "",
        *table_of(clean, noisy, trivial(folder)),
    ]


def write_section(page: Path, lines: list[str]) -> None:
    """Put the section into the page, in the place of an earlier one, or at its end."""
    text = page.read_text()
    before, found, rest = text.partition(HEADING)
    _, following, after = rest.partition("\n## ")
    tail = f"\n## {after}" if found and following else ""
    page.write_text(f"{before.rstrip()}\n\n{HEADING}\n\n" + "\n".join(lines) + "\n" + tail)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", default="3")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--missing", type=float, default=0.5)
    parser.add_argument("--write", type=Path, help="docs/results.md: put the table into its section.")
    given = parser.parse_args()
    training = ["--seeds", given.seeds, "--seed", str(given.seed), "--device", given.device]
    start, noisy, clean = time.monotonic(), given.folder / "glands", given.folder / "glands-clean"
    share = write_masks(noisy, missing=given.missing, seed=given.seed)
    write_masks(clean, missing=0.0, seed=given.seed)
    found = run_fix(noisy, ",".join(ARMS), training)
    plain = run_fix(clean, "weak-threshold", training)
    lines = section_of(plain, found, noisy, share, given)
    print("\n".join(lines))
    print(f"\n{time.monotonic() - start:.0f} s", file=sys.stderr)
    if given.write is not None:
        write_section(given.write, lines)


if __name__ == "__main__":
    main()
