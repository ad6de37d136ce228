"""The training loop beside a bare step and beside MONAI's loader: images per second of computing, and of the clock.

    python -m benchmarks.train [--images 2048] [--side 64] [--batch 64] [--network small-cnn] [--epochs 3] [--device auto]

All three train the same network with AdamW on the same pictures:

* `bare`: normalised floats that lie on the device; forward, loss, backward, step, and nothing else.
* `ours`: `trainers.engine.loop.train`: bytes on the device, normalised there, weights of examples, schedule, checks of the
  loss. `ours, augmented` adds the standard augmentation.
* `monai`: `monai.data.CacheDataset` and `DataLoader` without workers, normalised once, collated batch by batch.

They run in turn, `--repeat` times, after each has run once; the first epoch is taken off (allocation, compilation). On a GPU
the seconds are those of the clock; without one it is said, and no figure of a GPU is given.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from monai.data import CacheDataset, DataLoader

from trainers.engine.loop import train
from trainers.engine.models import first_network
from trainers.engine.optimiser import optimiser_of
from trainers.engine.predict import autocast, placed
from trainers.kinds import task_named
from trainers.values.pictures import Examples, Pictures
from trainers.values.recipe import Normalisation, Recipe
from trainers.values.task import LearningTask

CLASSES = ("lying", "standing")


def pictures(count: int, side: int) -> tuple[Pictures, Examples]:
    """Noise with a bright bar that lies or stands."""
    draw = np.random.default_rng(0)
    classes = draw.integers(0, 2, count)
    array = draw.integers(0, 80, (count, 1, side, side)).astype(np.uint8)
    for picture, kind, where in zip(array, classes.tolist(), draw.integers(0, side, count).tolist(), strict=True):
        picture[0][(where, slice(None)) if kind == 0 else (slice(None), where)] += 150
    rows = np.arange(count)
    targets = np.eye(2, dtype=np.float32)[classes]
    return (
        Pictures(array=array, readable=np.ones(count, bool)),
        Examples(rows=rows, targets=targets, weights=np.ones(count, np.float32), groups=rows),
    )


def steps(task: LearningTask, recipe: Recipe, device: torch.device, batches: Callable[[], object]) -> Callable[[int], None]:
    """A plain loop over (images, targets) for so many epochs."""

    def run(epochs: int) -> None:
        torch.manual_seed(0)
        network = placed(first_network(task, recipe, None), task, device).train()
        optimiser = optimiser_of(network, recipe)
        for _ in range(epochs):
            for images, targets in batches():  # type: ignore[attr-defined]
                with autocast(recipe, device):
                    logits = network(images)
                loss = torch.nn.functional.cross_entropy(logits.float(), targets)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()

    return run


def programs(count: int, side: int, recipe: Recipe, device: torch.device) -> dict[str, Callable[[int], None]]:
    """Name → what trains for so many epochs."""
    shown, examples = pictures(count, side)
    task = task_named(kind="single", classes=CLASSES, channels=1, shape=(side, side))
    norm = Normalisation.of(shown, examples.rows)
    floats = (torch.from_numpy(shown.array).float() / shown.top - torch.tensor(norm.mean).view(1, -1, 1, 1)) / torch.tensor(
        norm.deviation
    ).view(1, -1, 1, 1)
    floats = floats.float()
    targets = torch.from_numpy(examples.targets)
    held, wanted = floats.to(device), targets.to(device)

    def resident() -> object:
        order = torch.randperm(count, device=device)
        return ((held[part], wanted[part]) for part in order.split(recipe.batch))

    cached = CacheDataset([{"image": i, "target": t} for i, t in zip(floats, targets, strict=True)], progress=False)
    loader = DataLoader(cached, batch_size=recipe.batch, shuffle=True, num_workers=0)

    def loaded() -> object:
        return ((batch["image"].to(device), batch["target"].to(device)) for batch in loader)

    def ours(recipe: Recipe) -> Callable[[int], None]:
        def run(epochs: int) -> None:
            train(shown, examples, task, _longer(recipe, epochs), seed=0, device=device)

        return run

    return {
        "bare": steps(task, recipe, device, resident),
        "ours": ours(recipe),
        "ours, augmented": ours(_augmented(recipe)),
        "monai": steps(task, recipe, device, loaded),
    }


def _longer(recipe: Recipe, epochs: int) -> Recipe:
    return Recipe(**{**vars(recipe), "epochs": epochs})


def _augmented(recipe: Recipe) -> Recipe:
    return Recipe(**{**vars(recipe), "augmentation": "standard"})


def seconds(run: Callable[[int], None], epochs: int, device: torch.device) -> tuple[float, float]:
    """Computing and clock of `epochs` epochs, the first one taken off."""
    spent = []
    for length in (1, 1 + epochs):
        computed, clock = time.process_time(), time.perf_counter()
        run(length)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        spent.append((time.process_time() - computed, time.perf_counter() - clock))
    (one, one_clock), (more, more_clock) = spent
    return max(1e-9, more - one), max(1e-9, more_clock - one_clock)


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=int, default=2048)
    options.add_argument("--side", type=int, default=64)
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--network", default="small-cnn")
    options.add_argument("--epochs", type=int, default=3)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--device", default="auto")
    chosen = options.parse_args()
    logging.disable(logging.WARNING)
    there = torch.cuda.is_available()
    device = torch.device(("cuda" if there else "cpu") if chosen.device == "auto" else chosen.device)
    recipe = Recipe(network=chosen.network, batch=chosen.batch, epochs=1)
    runs = programs(chosen.images, chosen.side, recipe, device)
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for run in runs.values():
        run(1)  # what a process does once is nobody's
    for _ in range(chosen.repeat):
        for name, run in runs.items():
            spent[name].append(seconds(run, chosen.epochs, device))
    unit, place = ("clock", 1) if device.type == "cuda" else ("computing", 0)
    what = f"{chosen.network}, {chosen.images:,} pictures of {chosen.side} × {chosen.side}, batch {chosen.batch}"
    print(f"{what}, on {device}, {torch.get_num_threads()} threads; minimum–maximum of {chosen.repeat}")
    bare = [each[place] for each in spent["bare"]]
    for name, each in spent.items():
        rates = [chosen.images * chosen.epochs / one[place] for one in each]
        parts = [base / one[place] for base, one in zip(bare, each, strict=True)]
        rate, part = f"{min(rates):.0f}–{max(rates):.0f}", f"{min(parts):.2f}–{max(parts):.2f}"
        print(f"  {name:16s} {rate:>12s} images per second of {unit}; {part} of the bare step")
    if not there:
        print("  no GPU is at hand: bf16, channels_last, compile and CUDA graphs were not measured")
    return 0


if __name__ == "__main__":
    sys.exit(main())
