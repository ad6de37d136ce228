"""Which network looks at pictures of which size, where nobody says so and there is time: chosen on trusted records.

Without a budget, pictures are as large as trains in minutes (`engine.material.MOST_SIDE`). With one, larger pictures and
a deeper network are tried beside that: each as long as the others by the clock, one network each, and only where the whole run
would still make half of its epochs. Larger is taken only where it gains a standard error on the validation records.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from auditor.files import write_files
from auditor.sealed import seal, unsealed
from auditor.stored import checked, values_of
from auditor.values.errors import DatasetError
from trainers.attempt import Order
from trainers.decoding.shown import stored_shape
from trainers.engine.bench import Bench
from trainers.engine.material import MOST_DENSE_SIDE, MOST_SIDE
from trainers.engine.plan import PLANNED, key, timed
from trainers.grading.evaluate import choose_best
from trainers.grading.wording import number
from trainers.strategy import Case
from trainers.truth import patients_of, truth_of
from trainers.values.pictures import Floats

LARGEST = {"cpu": 224, "mps": 224, "cuda": 512}
"""Longest side that is tried, by device."""
WORTH = 1.5
"""So many times as long a side is worth a trial."""
ENOUGH_FOR_DEPTH = 1000
"""Examples from which on a deep network is tried on a CPU."""
TRIALS = 0.25
"""Of the budget that the trials may take together."""
LEAST_SHARE = 0.5
"""Of the epochs that a recipe wants: a candidate that would make fewer in the whole run is not tried."""
LEAST_VALIDATION = 20
PURPOSE = "size"
MOST_BYTES = 1 << 20
BESIDE = 3
"""An arm and what stands beside it take about so many times plain training."""


@dataclass(frozen=True, kw_only=True)
class Sized:
    """What was chosen: the network (None: the usual one), the side (None: the usual one), why, and the budget that is left."""

    network: str | None
    side: int | None
    reason: str
    left: float


def sized(case: Case, order: Order, *, arms: int) -> tuple[Case, Order, str]:
    """The case with the chosen network and size of pictures, the order with the budget that is left, and a sentence on it.

    Nothing is tried where the size was named, there is no budget, or the pictures are small.

    Args:
        arms: that will be trained, plain training too.
    """
    bench = case.bench
    if order.side is not None or order.budget is None:
        return case, order, ""
    candidates = candidates_for(bench, order.network)
    if len(candidates) < 2:
        return case, order, ""
    asked = [order.budget, order.network, order.seed, order.seeds, arms, str(bench.device), candidates, repr(bench.task)]
    place = case.work / f"size-{key(asked)}.json"
    found = stood(place)
    if found is None:
        found = tried(case, order, candidates, arms)
        write_files({place: seal(PURPOSE, json.dumps(asdict(found)).encode())})
    bench = bench.sized(network=found.network, side=found.side)
    return replace(case, bench=bench), replace(order, budget=found.left), found.reason


def candidates_for(bench: Bench, network: str | None) -> list[tuple[str | None, int | None]]:
    """Networks and sides, the usual one first; none but it, where pictures are small or a program wants its own."""
    usual: tuple[str | None, int | None] = (network, None)
    try:
        stored = stored_shape(bench.dataset)
        dense = bench.task.dense
    except DatasetError:
        return [usual]
    if bench.task.dims == 3 or (network or "").endswith(".pt2"):
        return [usual]
    kind = bench.device.type
    side = min(max(stored), LARGEST[kind])
    if side < WORTH * (MOST_DENSE_SIDE if dense else MOST_SIDE)[kind]:
        return [usual]
    found = [usual, (network, side)]
    if network is None and not dense and kind == "cpu" and len(bench.examples()) >= ENOUGH_FOR_DEPTH:
        found.append(("resnet18", side))
    return found


def tried(case: Case, order: Order, candidates: Sequence[tuple[str | None, int | None]], arms: int) -> Sized:
    """Time the candidates, train those that the budget allows, and compare them on the validation records."""
    assert order.budget is not None
    began = time.monotonic()

    def chosen(name: str | None, side: int | None, why: str) -> Sized:
        return Sized(network=name, side=side, reason=why, left=max(1.0, order.budget - (time.monotonic() - began)))  # type: ignore[operator]

    benches: list[Bench] = []
    paces: list[float] = []
    for name, side in candidates:
        bench = case.bench.sized(network=name, side=side)
        examples = bench.examples()
        pace = timed(bench.pictures, examples, bench.task, bench.recipe, bench.device)
        if pace is None:
            return chosen(*candidates[0], "")
        seconds = bench.recipe.epochs * len(examples) * pace.plain
        whole = seconds * order.seeds * (1 + BESIDE * (arms - 1))
        if benches and whole * LEAST_SHARE > order.budget * PLANNED * (1 - TRIALS):
            continue
        benches.append(bench)
        paces.append(len(examples) * pace.plain)
    if len(benches) == 1:
        return chosen(
            *candidates[0], "larger pictures were timed and not taken: the budget is too short for half of their epochs"
        )
    rows = case.trust.validation
    if benches[0].task.dense:  # scores of masks in two sizes are no pair; what fits is taken
        return chosen(
            benches[-1].network, benches[-1].side, f"pictures of {benches[-1].side} pixels a side: the budget allows it"
        )
    if int(rows.sum()) < LEAST_VALIDATION:
        return chosen(*candidates[0], "larger pictures were not tried: too few trusted validation records to choose by")
    said: dict[str, list[Floats]] = {}
    share = TRIALS * order.budget / len(benches)
    for bench, pace_of_epoch in zip(benches, paces, strict=True):
        epochs = max(1, min(bench.recipe.epochs, int(share / max(pace_of_epoch, 1e-9))))
        name = told(bench)
        recipe = replace(bench.recipe, epochs=epochs)
        fit = bench.train(bench.examples(), seed=order.seed, name=f"size {name}", recipe=recipe)
        said[name] = [bench.predict(fit, rows)]
    own = replace(case, bench=benches[0])
    best = choose_best(
        truth_of(own, rows), said, baseline=told(benches[0]), patients=patients_of(own, rows), task=benches[0].task,
        seed=order.seed,
    )  # fmt: skip
    taken = next(bench for bench in benches if told(bench) == best.arm)
    gains = ", ".join(f"{name} {number(gain)}" for name, gain in best.gains.items())
    return chosen(
        taken.network, taken.side,
        f"{best.arm} chosen on the validation records, each trained equally long by the clock (gain over {told(benches[0])}: "
        f"{gains})",
    )  # fmt: skip


def told(bench: Bench) -> str:
    """`small-cnn at 64 pixels`."""
    return f"{bench.recipe.network} at {max(bench.task.shape)} pixels"


def stood(place: Path) -> Sized | None:
    """What an interrupted run chose; None where there is nothing to be read that this user's medaudit wrote."""
    try:
        return checked(Sized, values_of(unsealed(PURPOSE, place, most_bytes=MOST_BYTES)))
    except (OSError, ValueError):
        return None
