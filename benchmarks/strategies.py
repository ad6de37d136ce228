"""What each strategy of `medaudit fix` recovers: strategies × label noise, by the real command on images written to disk.

    python benchmarks/strategies.py FOLDER [--data digits|pneumonia] [--npz FILE] [--strategies robust,teacher,confident]
                                    [--noise clean,sym20,sym50,asym40] [--seeds 3] [--seed 0] [--device auto]

`digits`: scikit-learn's 1,797 digits, 8 × 8, as PNG: 1,200 train with planted flips, 100 of them are trusted (and right),
597 evaluate. `pneumonia`: pneumoniamnist's own npz (named with --npz) with flips in its training part; its test part
evaluates. `transfer`: digits 5–9 with 10 labels a class from a network of digits 0–4. `few`: 10 training images a class.
`pool`: 100 trusted labels and 1,100 pictures without any.

Printed: balanced accuracy and accuracy of plain training and of each strategy with 95 % intervals of the difference
(patients and seeds drawn anew), the verdict in words, and cheap arms beside: k-nearest label spreading from the trusted
records, and the most frequent class.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import balanced_accuracy_score
from sklearn.semi_supervised import LabelSpreading

from auditor.degrade.flaws import flip_by_map, flip_uniform

TRAINING, TRUSTED = 1200, 100
NOISE = {"clean": ("sym", 0.0), "sym20": ("sym", 0.2), "sym50": ("sym", 0.5), "asym20": ("asym", 0.2), "asym40": ("asym", 0.4)}


def flipped(labels: pd.Series, noise: str, seed: int) -> pd.Series:
    """Planted noise; asymmetric: each class becomes the next one."""
    kind, share = NOISE[noise]
    if share == 0:
        return labels
    if kind == "sym":
        return flip_uniform(labels, share, seed=seed)[0]
    classes = sorted(labels.unique())
    following = dict(zip(classes, classes[1:] + classes[:1], strict=True))
    return flip_by_map(labels, following, share, seed=seed)[0]


def write_digits(folder: Path, noise: str, *, seed: int, labels: str = "all", digits: range = range(10)) -> None:
    """One dataset: labels.csv and images/.

    Args:
        labels: `all`, `trusted` (all others blank), or `few` (ten a class, the rest left out).
        digits: which of them.
    """
    data = load_digits()
    rng = np.random.default_rng([seed, 17])
    order = rng.permutation(np.flatnonzero(np.isin(data.target, list(digits))))
    training = round(len(order) * TRAINING / 1797)
    truth = pd.Series([str(data.target[i]) for i in order], index=[f"images/{i:04d}.png" for i in order])
    gold = np.arange(len(order)) >= training
    trusted = np.zeros(len(order), dtype=bool)
    for digit in sorted(truth.unique()):
        trusted[np.flatnonzero((truth == digit).to_numpy() & ~gold)[: TRUSTED // 10]] = True
    given = truth.copy()
    given[~gold & ~trusted] = flipped(truth[~gold & ~trusted], noise, seed)
    keep = np.ones(len(order), dtype=bool)
    if labels == "trusted":
        given[~gold & ~trusted] = ""
    if labels == "few":
        keep = gold | trusted
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for i, path in zip(order, truth.index, strict=True):
        Image.fromarray((data.images[i] * 15.9375).round().astype(np.uint8)).save(folder / path)
    yes = {True: "yes", False: "no"}
    table = pd.DataFrame(
        {"digit": given, "checked": [yes[bool(t)] for t in trusted | gold], "gold": [yes[bool(g)] for g in gold]}
    )
    table[keep].to_csv(folder / "labels.csv", index_label="path", lineterminator="\n")
    truth.to_csv(folder.parent / f"{folder.name}-truth.csv", index_label="path", header=["digit"])


def write_pneumonia(source: Path, target: Path, noise: str, *, seed: int) -> None:
    """The npz with flips in its training labels; everything else as it is."""
    with np.load(source) as arrays:
        content = dict(arrays)
    labels = pd.Series(content["train_labels"].ravel().astype(str))
    content["train_labels"] = flipped(labels, noise, seed).to_numpy().astype(np.uint8)[:, None]
    target.parent.mkdir(parents=True, exist_ok=True)
    np.savez(target, **content)


def run_fix(target: Path, output: Path, arguments: list[str]) -> dict[str, object]:
    """The command, and what it wrote into comparison.json."""
    command = [sys.executable, "-m", "medaudit", "fix", str(target), "--output", str(output), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not (output / "comparison.json").is_file():
        raise SystemExit(f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return dict(json.loads((output / "comparison.json").read_text()))


def spreading(folder: Path) -> float:
    """Balanced accuracy of k-nearest label spreading from the trusted records, on the evaluation part."""
    table = pd.read_csv(folder / "labels.csv", dtype=str, keep_default_na=False)
    pictures = np.stack([np.asarray(Image.open(folder / p), np.float64).ravel() for p in table["path"]])
    gold = (table["gold"] == "yes").to_numpy()
    known = (table["checked"] == "yes").to_numpy() & ~gold
    classes = sorted(set(table["digit"][known]))
    codes = np.array([classes.index(v) if k else -1 for v, k in zip(table["digit"], known, strict=True)])
    model = LabelSpreading(kernel="knn", n_neighbors=7).fit(pictures, codes)
    return float(balanced_accuracy_score(table["digit"][gold], [classes[i] for i in model.transduction_[gold]]))


def rows_of(comparison: dict[str, object]) -> list[str]:
    """One line per arm: before, after, difference with interval, verdict."""
    lines = []
    for arm in comparison["arms"]:  # type: ignore[attr-defined]
        found = arm.get("evaluation")
        if not found:
            told = f"not tried: {arm['skipped']}" if arm.get("skipped") else "trains nothing"
            lines.append(f"| {arm['strategy']} | {told} | | | |")
            continue
        by_name = {m["metric"]: m for m in found["metrics"]}
        main, plain = found["metrics"][0], by_name.get("accuracy")
        accuracy = f"{plain['before']:.3f} → {plain['after']:.3f}" if plain else ""
        lines.append(
            f"| {arm['strategy']} | {main['before']:.3f} → {main['after']:.3f} | "
            f"{main['difference']:+.3f} ({main['low']:+.3f} to {main['high']:+.3f}) | {accuracy} | {found['verdict']} |"
        )
    return lines


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", default="digits", choices=["digits", "pool", "few", "transfer", "pneumonia"])
    parser.add_argument("--npz", type=Path)
    parser.add_argument("--strategies", default="robust,teacher,confident")
    parser.add_argument("--noise", default="clean,sym20,sym50,asym40")
    parser.add_argument("--seeds", default="3")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    training = ["--seeds", given.seeds, "--seed", str(given.seed), "--device", given.device]
    trust = ["--trusted", "checked", "--evaluate", "gold"]
    noises = given.noise.split(",") if given.data in ("digits", "pneumonia") else ["clean"]
    print("| strategy | balanced accuracy | difference | accuracy | verdict |\n|---|---|---|---|---|")
    for noise in noises:
        start, output = time.monotonic(), given.folder / f"{given.data}-{noise}-fixed"
        beside = ""
        if given.data == "pneumonia":
            if given.npz is None:
                raise SystemExit("--data pneumonia needs --npz FILE")
            target = given.folder / f"pneumonia-{noise}.npz"
            write_pneumonia(given.npz, target, noise, seed=given.seed)
            arguments = ["--strategy", given.strategies, "--evaluate", write_test_list(target)]
        else:
            target = given.folder / f"{given.data}-{noise}"
            labels = {"digits": "all", "pool": "trusted", "few": "few", "transfer": "few"}[given.data]
            digits = range(5, 10) if given.data == "transfer" else range(10)
            write_digits(target, noise, seed=given.seed, labels=labels, digits=digits)
            names = {"digits": given.strategies, "pool": "teacher", "few": "augment", "transfer": "transfer"}[given.data]
            arguments = ["--strategy", names, *trust, "--label", "digit"]
            if given.data == "transfer":
                arguments += ["--from-run", str(first_digits(given.folder, seed=given.seed, device=given.device))]
            beside = f"label spreading {spreading(target):.3f}, "
        comparison = run_fix(target, output, [*arguments, *training])
        print(f"| **{given.data}, {noise}** | {beside}{time.monotonic() - start:.0f} s | | | |")
        print("\n".join(rows_of(comparison)), flush=True)


def first_digits(folder: Path, *, seed: int, device: str) -> Path:
    """A run of `fix` on digits 0–4, whose network `transfer` starts from; `--force` keeps it whatever the verdict."""
    target, output = folder / "digits-0-4", folder / "digits-0-4-fixed"
    write_digits(target, "clean", seed=seed, digits=range(5))
    arguments = ["--strategy", "augment", "--trusted", "checked", "--evaluate", "gold", "--label", "digit", "--force"]
    run_fix(target, output, [*arguments, "--seeds", "1", "--seed", str(seed), "--device", device])
    return output


def write_test_list(target: Path) -> str:
    """A file that names the test records of the npz."""
    with np.load(target) as arrays:
        count = len(arrays["test_labels"])
    listed = target.with_suffix(".txt")
    listed.write_text("".join(f"test/{i}\n" for i in range(count)))
    return str(listed)


if __name__ == "__main__":
    main()
