"""Does a network that sees larger pictures see more? Blood smears (BCCD, 640 × 480): does the smear show a platelet?

    python benchmarks/sizes.py ../shared/data/images/bccd/BCCD --sides 64,224 --seeds 3

Platelets are some 40 pixels wide; at 64 pixels a side four are left of them. Every seed draws the split (two thirds train, one
third evaluates), the weights and the order anew; both sizes have the recipe that `medaudit fix` gives them, and as many epochs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from auditor.config import Config
from auditor.layout import Options
from auditor.plan import Plan
from auditor.scan import linked_dataset
from trainers.engine.bench import Bench
from trainers.values.trust import Trust


def table(root: Path, folder: Path) -> Path:
    """A label table of the smears: `yes` where a platelet is drawn."""
    rows = ["path,platelet"]
    for file in sorted((root / "Annotations").glob("*.xml")):
        names = [found.text for found in ElementTree.parse(file).iter("name")]
        rows.append(f"{file.stem}.jpg,{'yes' if 'Platelets' in names else 'no'}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder / "labels.csv"


def main() -> None:
    """Print a row per size and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="the folder that holds Annotations and JPEGImages")
    parser.add_argument("--sides", default="64,224")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--network", default=None)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, default=None, help="default: those of the recipe")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        plan = Plan(
            target=table(given.root, folder),
            options=Options(root=given.root / "JPEGImages", roles={"label": "platelet", "path": "path"}),
            config=Config(),
            workers=1,
        )
        dataset = linked_dataset(plan)
        for side in map(int, given.sides.split(",")):
            for seed in range(given.seeds):
                draw = np.random.default_rng([seed, 7])
                evaluates = np.zeros(dataset.size, bool)
                evaluates[draw.permutation(dataset.size)[: dataset.size // 3]] = True
                none = np.zeros(dataset.size, bool)
                trust = Trust(
                    trusted=none, validation=none, evaluation=evaluates, training=~evaluates, origin="", self_graded=False
                )
                bench = Bench(dataset, trust, work=folder / "work", device=given.device, network=given.network, side=side)
                began = time.process_time() if given.device == "cpu" else time.monotonic()
                recipe = replace(bench.recipe, epochs=given.epochs or bench.recipe.epochs)
                fit = bench.train(bench.examples(), seed=seed, name=f"{side}-{seed}", recipe=recipe)
                took = (time.process_time() if given.device == "cpu" else time.monotonic()) - began
                said, truth = bench.predict(fit, evaluates), bench.task.truth(dataset, bench.pictures, evaluates)
                right = [float((said.argmax(1)[truth == c] == c).mean()) for c in range(2)]
                print(
                    f"| {side} | {bench.recipe.network} | {seed} | {np.mean(right):.3f} | {fit.history[-1].loss:.3f} | "
                    f"{fit.records * len(fit.history):,} | {took:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
