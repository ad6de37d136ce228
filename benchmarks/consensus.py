"""How far the consensus by `auto` is from the best method of every kind of panel, on simulated readers whose truth is known.

    python benchmarks/consensus.py [develop|report] [coarse] [SEEDS]

300 records are read 1 to 5 times each by 2 to 10 readers; the first of 2 to 5 classes is the usual one, the others
share the prevalence (5 to 50 %). Readers are right equally often (80 %), or each in each class by chance (55 to 98 %),
or so but for one in five (at least one), who names the next class. The constants of `auditor.evidence.raters.consensus`
were chosen on other seeds of such panels. Printed per number of readings and kind of readers: share of records named
rightly by every method and by `auto`, how far `auto` stays below the method that is best on average in each cell
(readers × readings × prevalence × classes), and the worst cell. The best of four noisy means is too good by chance: the
fewer SEEDS, the more.
"""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.consensus import consensus

Codes = npt.NDArray[np.int64]
Panel = tuple[Codes, Codes, Codes, Codes]
METHODS = ("majority", "dawid-skene", "glad", "mace")
KINDS = ("equal", "mixed", "adversarial")
RECORDS = 300
FIRST_SEED = {"develop": 0, "report": 500_000}


def panel(readers: int, each: int, prevalence: float, classes: int, kind: str, seed: int, *, apart: bool = False) -> Panel:
    """Record, reader and label of every reading, and the true class of every record.

    Args:
        apart: readers do not read a random share: each has a prevalence of their own, from none to twice the usual one.
    """
    rng = np.random.default_rng(seed)
    shares = np.full(classes, prevalence / (classes - 1))
    shares[0] = 1 - prevalence
    truth = rng.choice(classes, RECORDS, p=shares).astype(np.int64)
    right = np.full((readers, classes), 0.8) if kind == "equal" else rng.uniform(0.55, 0.98, (readers, classes))
    confusion = np.repeat(((1 - right) / (classes - 1))[:, :, None], classes, axis=2)
    confusion[:, np.arange(classes), np.arange(classes)] = right
    if kind == "adversarial":
        confusion[: max(1, readers // 5)] = 0.8 * np.roll(np.eye(classes), 1, axis=1) + 0.2 / classes
    unit = np.repeat(np.arange(RECORDS), each)
    order = rng.random((RECORDS, readers))
    if apart:
        order += (truth > 0)[:, None] * np.linspace(-0.5, 0.5, readers)
    rater = np.argsort(order, axis=1)[:, :each].ravel()
    label = (rng.random(len(unit))[:, None] > confusion[rater, truth[unit]].cumsum(axis=1)).sum(axis=1)
    return unit, rater, np.minimum(label, classes - 1), truth


def rightly(found: Panel, readers: int, classes: int, method: str) -> float:
    """Share of the records that a method names rightly."""
    unit, rater, label, truth = found
    named = consensus(unit, rater, label, units=RECORDS, raters=readers, classes=classes, method=method).label
    return float((named == truth).mean())


def grid(first: int, seeds: int, *, coarse: bool = False) -> dict[tuple[int, int, float, int, str], dict[str, float]]:
    """Cell → share of records named rightly per method, mean over the seeds; `coarse`: a quarter of the cells."""
    axes = ((2, 3, 10), (0.05, 0.5), (2, 5)) if coarse else ((2, 3, 5, 10), (0.05, 0.12, 0.25, 0.5), (2, 3, 5))
    every = itertools.product(axes[0], (1, 2, 3, 5), axes[1], axes[2], KINDS)
    cells = [cell for cell in every if cell[1] <= cell[0]]
    found: dict[tuple[int, int, float, int, str], dict[str, float]] = {}
    for number, cell in enumerate(cells):
        readers, each, prevalence, classes, kind = cell
        panels = [panel(readers, each, prevalence, classes, kind, first + 1000 * s + number) for s in range(seeds)]
        found[cell] = {m: float(np.mean([rightly(p, readers, classes, m) for p in panels])) for m in (*METHODS, "auto")}
    return found


def main(arguments: list[str]) -> None:
    """Print the table."""
    first = FIRST_SEED["report" if "report" in arguments else "develop"]
    seeds = next((int(a) for a in arguments if a.isdigit()), 5)
    groups: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for (readers, each, _, _, kind), row in grid(first, seeds, coarse="coarse" in arguments).items():
        groups["two readers" if readers == 2 else f"{each} of 3 to 10", kind].append(row)
    print(
        f"{'readings':<12} {'readers':<12} cells  "
        + "  ".join(f"{m:>11}" for m in (*METHODS, "auto"))
        + "   below best  > .01  worst"
    )
    for (readings, kind), rows in groups.items():
        below = np.array([max(row[m] for m in METHODS) - row["auto"] for row in rows])
        means = "  ".join(f"{np.mean([row[m] for row in rows]):11.3f}" for m in (*METHODS, "auto"))
        loss = f"{below.mean():10.4f}  {(below > 0.01).sum():5d}  {below.max():.3f}"
        print(f"{readings:<12} {kind:<12} {len(rows):5d}  {means}   {loss}")
    for apart in (False, True):
        one = [panel(5, 1, 0.5, 3, "mixed", first + s, apart=apart) for s in range(50)]
        words = "readers whose prevalences differ" if apart else "readers of random shares"
        shares = "  ".join(f"{m} {np.mean([rightly(p, 5, 3, m) for p in one]):.3f}" for m in ("majority", "dawid-skene"))
        print(f"one reading each, {words}: {shares}")


if __name__ == "__main__":
    main(sys.argv[1:])
