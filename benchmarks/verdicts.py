"""Whether the words of `medaudit fix` fit what is true: real pictures, planted flaws, the real command, verdict beside truth.

    python benchmarks/verdicts.py FOLDER DATA [--kinds folders,flips,masks,clean,leak] [--seeds 0,1,2] [--budget 240s] \
        [--each 80] [--networks 1]

DATA holds `bccd` (blood smears with boxes), `em_membrane` (electron microscopy with masks) and `pneumoniamnist` (radiographs of
28 × 28 pixels) as published. Every kind is drawn anew for each seed:

* `folders`: class folders of radiographs; normal as PNG of 16 bits, pneumonia larger and as JPEG. Truth: the encoding tells
  the class, the labels are right.
* `flips`: cells cut out of smears, one of each smear, three classes; 30 % of the labels of the 80 that nobody checked are
  wrong, 60 are trusted, 60 evaluate. Truth: the flips.
* `masks`: tiles of 64 × 64; in the masks of 44 half of the cells are deleted, 16 are trusted, 36 of other slices evaluate.
  Truth: the cells.
* `clean`: as `flips`, without flips. Truth: nothing is wrong.
* `leak`: radiographs of one size as PNG with a table; 85 % of one class carry a text entry that 15 % of the other carry.
  Truth: the metadata tell the class, the labels are right.

`--each` is the number of radiographs a class of `folders` and `leak`, `--networks` that of networks an arm.

Printed: the gate's verdict of the copy and that of the run, before → after on records that nothing touched, what was done, and
whether that fits: no gain where no label was wrong, no harm that the evaluation's true labels do not show, labels rewritten
that were wrong indeed, a leak that is silent in the copy, and no green over errors. Exit 1 where a word does not fit.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, PngImagePlugin
from scipy import ndimage

from auditor.degrade.flaws import flip_uniform
from auditor.values.results import Cell, Severity
from reports.headline import headline, residual
from reports.load import load_comparison, load_result
from reports.measured import chosen_arm

TRAINING, TRUSTED, EVALUATING, FLIPS, CELL = 140, 60, 60, 0.3, 40
TILES, TRUSTED_TILES, EVALUATING_TILES, SIDE = 60, 16, 36, 64
EACH = 80
LEAKING = ("LK001", "LK002", "LK003")

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A data set and what is true of it.

    Args:
        options: of the command.
        truth: record (path) → true label of those that were flipped; empty where none was.
        leak: the way files were written tells the class.
        gain: labels or masks are wrong, so that there is something to gain.
    """

    folder: Path
    options: list[str]
    truth: dict[str, str] = field(default_factory=dict)
    leak: bool = False
    gain: bool = False


def radiographs(data: Path, seed: int, each: int) -> list[tuple[str, Bytes]]:
    """Class and picture of so many training radiographs of each class, no two of them equal."""
    (archive,) = (data / "pneumoniamnist" / "data").glob("*.npz")
    with np.load(archive) as arrays:
        images, labels = arrays["train_images"], arrays["train_labels"].ravel()
    images, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    images, labels = images.reshape(-1, 28, 28), labels[first]
    rng = np.random.default_rng([seed, 1])
    return [
        (name, images[i])
        for value, name in ((0, "normal"), (1, "pneumonia"))
        for i in rng.permutation(np.flatnonzero(labels == value))[:each]
    ]


def larger(picture: Bytes, side: int) -> Image.Image:
    """The picture scaled to a square."""
    return Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC)


def write_folders(folder: Path, data: Path, seed: int, each: int = EACH) -> Planted:
    """Normal: 56 to 72 pixels, PNG of 16 bits; pneumonia: 72 to 96 pixels, JPEG."""
    rng = np.random.default_rng([seed, 2])
    for i, (name, picture) in enumerate(radiographs(data, seed, each)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        if name == "normal":
            deep = np.asarray(larger(picture, int(rng.integers(56, 72)))).astype(np.uint16) * 257
            Image.fromarray(deep).save(folder / name / f"{i:03d}.png")
        else:
            larger(picture, int(rng.integers(72, 96))).save(folder / name / f"{i:03d}.jpg", quality=85)
    return Planted(folder=folder, options=[], leak=True)


def write_leak(folder: Path, data: Path, seed: int, each: int = EACH) -> Planted:
    """All 64 × 64, 8 bits; the resolution that the header states goes with the class."""
    rng = np.random.default_rng([seed, 3])
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    drawn = radiographs(data, seed, each)
    for i, place in enumerate(rng.permutation(len(drawn))):
        name, picture = drawn[place]
        text = PngImagePlugin.PngInfo()
        if rng.random() < (0.85 if name == "pneumonia" else 0.15):
            text.add_text("Software", "station two")
        path = f"images/{i:03d}.png"
        larger(picture, 64).save(folder / path, pnginfo=text)
        rows.append((path, name))
    pd.DataFrame(rows, columns=["path", "finding"]).to_csv(folder / "labels.csv", index=False)
    return Planted(folder=folder, options=["--label", "finding"], leak=True)


def cells(data: Path, seed: int) -> list[tuple[str, Image.Image]]:
    """Kind and picture, CELL × CELL, of one cell of each smear: 80 × 80 pixels around it."""
    rng = np.random.default_rng([seed, 4])
    root, found, kinds = data / "bccd" / "BCCD", [], ("RBC", "WBC", "Platelets")
    for i, place in enumerate(rng.permutation(len(list((root / "Annotations").glob("*.xml"))))):
        note = sorted((root / "Annotations").glob("*.xml"))[place]
        picture = Image.open(root / "JPEGImages" / f"{note.stem}.jpg").convert("RGB")
        boxes: dict[str, list[tuple[int, int]]] = {}
        for one in ElementTree.parse(note).getroot().iter("object"):
            box = [int(one.findtext(f"bndbox/{side}") or 0) for side in ("xmin", "ymin", "xmax", "ymax")]
            boxes.setdefault(one.findtext("name") or "", []).append(((box[0] + box[2]) // 2, (box[1] + box[3]) // 2))
        wanted = [kind for kind in (kinds[i % 3], *kinds) if kind in boxes]
        if not wanted:
            continue
        x, y = boxes[wanted[0]][int(rng.integers(len(boxes[wanted[0]])))]
        x, y = (min(max(40, at), most - 40) for at, most in zip((x, y), picture.size, strict=True))
        found.append((wanted[0], picture.crop((x - 40, y - 40, x + 40, y + 40)).resize((CELL, CELL))))
    return found


def write_cells(folder: Path, data: Path, seed: int, *, share: float) -> Planted:
    """A table with the columns `checked` and `gold`; the labels of the others are flipped with this share."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    drawn = cells(data, seed)[: TRAINING + EVALUATING]
    paths = [f"images/{i:03d}.png" for i in range(len(drawn))]
    truth = pd.Series([kind for kind, _ in drawn], index=paths)
    for path, (_, picture) in zip(paths, drawn, strict=True):
        picture.save(folder / path)
    place = np.arange(len(drawn))
    trusted, gold = place < TRUSTED, place >= TRAINING
    given, open_labels = truth.copy(), ~(trusted | gold)
    if share:
        given[open_labels] = flip_uniform(truth[open_labels], share, seed=seed)[0]
    yes = {True: "yes", False: "no"}
    table = pd.DataFrame({"cell": given, "checked": [yes[bool(t)] for t in trusted], "gold": [yes[bool(g)] for g in gold]})
    table.to_csv(folder / "labels.csv", index_label="path", lineterminator="\n")
    names = "robust" if share else "auto,robust"
    options = ["--strategy", names, "--label", "cell", "--trusted", "checked", "--evaluate", "gold"]
    wrong = truth[truth != given]
    return Planted(folder=folder, options=options, truth=dict(zip(wrong.index, wrong, strict=True)), gain=bool(share))


def write_flips(folder: Path, data: Path, seed: int) -> Planted:
    """Three classes, 30 % of the unchecked labels wrong."""
    return write_cells(folder, data, seed, share=FLIPS)


def write_clean(folder: Path, data: Path, seed: int) -> Planted:
    """The same cells, all labels right."""
    return write_cells(folder, data, seed, share=0.0)


def write_masks(folder: Path, data: Path, seed: int) -> Planted:
    """Tiles of the slices and their cells; slices that evaluate give no tile to training."""
    rng = np.random.default_rng([seed, 5])
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    source = data / "em_membrane"
    slices = [str(name) for name in rng.permutation(sorted(p.name for p in (source / "image").glob("*.png")))]
    names: dict[str, list[str]] = {"trusted": [], "evaluate": []}
    # six tiles of each training slice, six of each that evaluates
    for k, name in enumerate(slices[: (TILES + EVALUATING_TILES) // 6]):
        picture, mask = (np.asarray(Image.open(source / part / name)) for part in ("image", "label"))
        for j, tile in enumerate(rng.permutation(64)[:6]):
            i = 6 * k + j
            window = np.s_[SIDE * (tile // 8) : SIDE * (tile // 8 + 1), SIDE * (tile % 8) : SIDE * (tile % 8 + 1)]
            found, count = ndimage.label(mask[window] > 127)
            complete = i < TRUSTED_TILES or i >= TILES
            kept = np.arange(1, count + 1) if complete else np.flatnonzero(rng.random(count) < 0.5) + 1
            Image.fromarray(picture[window]).save(folder / "images" / f"{i:03d}.png")
            Image.fromarray((np.isin(found, kept) * 255).astype(np.uint8)).save(folder / "masks" / f"{i:03d}.png")
            if complete:
                names["trusted" if i < TILES else "evaluate"].append(f"images/{i:03d}.png")
    lists = {role: folder.with_name(f"{folder.name}-{role}.txt") for role in names}
    for role, path in lists.items():
        path.write_text("\n".join(names[role]) + "\n")
    options = ["--strategy", "weak", "--trusted", str(lists["trusted"]), "--evaluate", str(lists["evaluate"])]
    return Planted(folder=folder, options=options, gain=True)


KINDS = {"folders": write_folders, "flips": write_flips, "masks": write_masks, "clean": write_clean, "leak": write_leak}


def run_fix(planted: Planted, output: Path, more: list[str]) -> float:
    """Runs the command; how many seconds it took."""
    command = [sys.executable, "-m", "medaudit", "fix", str(planted.folder), "-o", str(output), "-q", *planted.options, *more]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not (output / "comparison.json").is_file():
        raise SystemExit(f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.monotonic() - start


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One row: what was said, what was done, and the words that do not fit what is true."""

    gate: str
    run: str
    score: str
    done: str
    wrong: tuple[str, ...]


def judged(planted: Planted, output: Path) -> Judged:
    """The verdict of a run beside what is true of its data."""
    found, after = load_comparison(output / "comparison.json"), load_result(output / "result-after.json")
    top, chosen = headline(found), chosen_arm(found)
    main = chosen.evaluation.metrics[0] if chosen and chosen.evaluation and chosen.evaluation.metrics else None
    labels = [
        c
        for arm in found.arms
        if arm.proposal and arm.strategy in found.applied
        for c in arm.proposal.corrections
        if c.safe and c.field not in ("path", "mask")
    ]
    right = sum(planted.truth.get(c.record) == c.new for c in labels)
    loud = sorted({f.code for f in after.findings if f.code in LEAKING and f.severity is not Severity.INFO})
    wrong = []
    if found.verdict == "improved" and not planted.gain:
        wrong.append("improved, and no label was wrong")
    if found.verdict == "harmed" and main and main.difference >= 0:
        wrong.append("harmed, and the true labels show no loss")
    if found.verdict == "improved" and main and main.difference <= 0:
        wrong.append("improved, and the true labels show no gain")
    if labels and right < 0.9 * len(labels):
        wrong.append(f"{len(labels) - right} of {len(labels)} labels were rewritten wrongly")
    if planted.leak and "harmonise" not in found.applied:
        wrong.append("the leak was not mended")
    if planted.leak and "LK001" in loud:
        wrong.append("LK001 is not silent")
    if top.look == "passed" and (loud or any(f.severity is Severity.ERROR for f in after.findings)):
        wrong.append("green over a leak or an error")
    done = [f"applied: {', '.join(found.applied) or 'nothing'}"]
    done += [f"{right} of {len(labels)} rewritten labels right"] if labels else []
    done += [f"still {', '.join(loud)}"] if loud else ["LK001–3 silent"] if planted.leak else []
    done += ["a shortcut in the pixels told"] if residual(found) else []
    done += [task_told(a.proposal.metrics) for a in found.arms if a.proposal and "task_difference" in a.proposal.metrics]
    score = f"{main.before:.3f} → {main.after:.3f} ({main.low:+.3f} to {main.high:+.3f})" if main else ""
    return Judged(
        gate=f"{top.gate}, {'green' if top.look == 'passed' else 'not green'}", run=top.run, score=score, done="; ".join(done),
        wrong=tuple(wrong),
    )  # fmt: skip


def task_told(metrics: Mapping[str, Cell]) -> str:
    """What the networks of the old and the new files had, and whether the task survives."""
    old, new, low, high = (
        metrics[f"task_{name}"] for name in ("old_files", "new_files", "difference_low", "difference_high")
    )  # fmt: skip
    words = {True: "it survives", False: "it fell", None: "cannot be told"}
    return f"task {old:.3f} → {new:.3f} ({low:+.3f} to {high:+.3f}): {words[metrics['task_survives']]}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--budget", default="")
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--networks", type=int, default=1)
    given = parser.parse_args()
    failed = False
    print("| set | seed | budget | copy | run | before → after (95 %) | what was done | s | fits |")
    print("|---|---|---|---|---|---|---|---|---|")
    for kind in given.kinds.split(","):
        for seed in map(int, given.seeds.split(",")):
            folder = given.folder / f"{kind}-{seed}"
            sized = {"each": given.each} if kind in ("folders", "leak") else {}
            planted = KINDS[kind](folder, given.data, seed, **sized)
            output = given.folder / f"{kind}-{seed}-fixed{'-budget' if given.budget else ''}"
            more = ["--seeds", str(given.networks), "--seed", str(seed), *(["--budget", given.budget] if given.budget else [])]
            seconds = run_fix(planted, output, more)
            row = judged(planted, output)
            failed |= bool(row.wrong)
            fits = "; ".join(row.wrong) or "yes"
            print(
                f"| {kind} | {seed} | {given.budget or '–'} | {row.gate} | {row.run} | {row.score} | {row.done} | "
                f"{seconds:.0f} | {fits} |",
                flush=True,
            )
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
