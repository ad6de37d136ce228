"""How often the leakage gate cries wolf: a real label table whose labels were shuffled between patients, many times.

    python benchmarks/leakage_gate.py Data_Entry_2017_v2020.csv.gz --copies 100 --records 30000

`--exchange free` gives every patient the labels of a random other patient (drawn again where that one has fewer images): no
field can tell anything. `--exchange equal` moves whole label sequences between patients with equally many images only; what
the number of images itself tells of the disease stays real in it, so that its warnings are not all false.

    python benchmarks/leakage_gate.py --simulated 200

needs no table: clean tables of 10 to 60 mixed columns, and clean class folders, whose patients (1 to 30 images each) nobody
names.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from clean_sets import written_folders, written_table
from leakage_nulls import clean_folders, clean_table

import medaudit
from auditor.check import Check, SkipCheck, select
from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset
from auditor.values.results import Finding

SIMULATED: dict[str, Callable[[int], Dataset]] = {
    "clean tables, patients' rows together": clean_table,
    "clean tables, rows shuffled": lambda seed: clean_table(seed, shuffled=True),
    "clean class folders of 60 images a class": lambda seed: clean_folders(seed, images=60)[0],
    "clean class folders of 60 to 400 images a class": lambda seed: clean_folders(seed)[0],
    "clean class folders, names at random": lambda seed: clean_folders(seed, numbered=False)[0],
}
WRITTEN: dict[str, Callable[[Path, int], Path]] = {
    "tables, patients' rows together": written_table,
    "tables, rows shuffled": lambda folder, seed: written_table(folder, seed, shuffled=True),
    "class folders of 60 images a class": lambda folder, seed: written_folders(folder, seed, images=60),
    "class folders of 60 to 400 images a class": written_folders,
    "class folders of 60 images a class, names at random": lambda folder, seed: written_folders(
        folder, seed, images=60, numbered=False
    ),
}
"""What `--whole` writes."""


def donors(patients: npt.NDArray[np.int64], records: int, exchange: str, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """For every kept row the row whose labels it gets, −1 for the others; whole patients are kept up to `records` rows."""
    count = np.bincount(patients)
    order = np.argsort(patients, kind="stable")
    rows = np.split(order, np.cumsum(count)[:-1])
    drawn = rng.permutation(len(count))
    kept = drawn[: int(np.searchsorted(np.cumsum(count[drawn]), records)) + 1]
    source = np.full(len(patients), -1)
    groups = [kept] if exchange == "free" else [kept[count[kept] == k] for k in np.unique(count[kept])]
    for group in groups:
        for taker, giver in zip(group, rng.permutation(group), strict=True):
            given = rows[giver]
            if exchange == "free":
                given = rng.choice(given, count[taker], replace=count[giver] < count[taker])
            source[rows[taker]] = given
    return source


def shuffled(dataset: Dataset, records: int, exchange: str, seed: int) -> Dataset:
    """One copy of the table with the labels of other patients."""
    patients = pd.factorize(dataset.records["patient"])[0].astype(np.int64)
    source = donors(patients, records, exchange, np.random.default_rng(seed))
    rows = np.flatnonzero(source >= 0)
    index = dataset.records.index[rows]
    labels = replace(dataset.labels, values=pd.Series(dataset.labels.values.array[source[rows]], index=index))
    if dataset.labels.states is not None:
        states = dataset.labels.states.iloc[source[rows]].set_axis(index, axis=0)
        labels = replace(labels, states=states)
    part = {name: getattr(dataset, name).iloc[rows] for name in ("records", "metadata", "features", "fingerprints")}
    return replace(dataset, labels=labels, thumbnails={}, **part)


def findings(dataset: Dataset, checks: list[Check]) -> list[Finding]:
    """What the leakage checks say."""
    found: list[Finding] = []
    for check in checks:
        try:
            found += check.run(dataset).findings
        except SkipCheck:
            continue
    return found


def report(name: str, datasets: Iterable[Dataset], checks: list[Check]) -> None:
    """One line per set with a finding, and how many sets had an error, and a warning."""
    counts = {"error": 0, "warning": 0}
    for number, dataset in enumerate(datasets):
        found = findings(dataset, checks)
        for level in counts:
            counts[level] += any(f.severity.value == level for f in found)
        for finding in found:
            if finding.severity.value in counts:
                print(f"set {number}: {finding.severity.value} {finding.code} {finding.message}", flush=True)
    print(f"{name}: error in {counts['error']}, warning in {counts['warning']}", flush=True)


def whole(name: str, write: Callable[[Path, int], Path], seeds: Iterable[int]) -> None:
    """The same of all that a scan asks, on sets that are written as files; and how often each check cried."""
    sets, levels, codes = 0, Counter[str](), Counter[tuple[str, str]]()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            result = medaudit.scan(write(Path(folder), seed), workers=1)
        found = [f for o in result.outcomes if o.verdict for f in o.verdict.findings if f.severity.value != "info"]
        sets += 1
        levels.update({f.severity.value for f in found})
        levels.update([result.gate.verdict])
        codes.update({(f.severity.value, f.code) for f in found})
        for finding in found:
            print(f"seed {seed}: {finding.severity.value} {finding.code} {finding.message}", flush=True)
    print(f"{sets} {name}: error in {levels['error']}, warning in {levels['warning']}", flush=True)
    print("  verdicts: " + ", ".join(f"{v} {levels[v]}" for v in ("passed", "not enough seen", "failed", "incomplete")))
    for (severity, code), count in codes.most_common():
        print(f"  {severity} {code}: {count} of {sets}", flush=True)


def main() -> None:
    """Print one line per copy with a finding, and the two shares at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, nargs="?")
    parser.add_argument("--simulated", type=int, default=0, metavar="SETS")
    parser.add_argument("--whole", type=int, default=0, metavar="SETS")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--only", default="", metavar="TEXT", help="of the simulated sets, those with this in their name")
    parser.add_argument("--copies", type=int, default=100)
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--exchange", choices=("free", "equal"), default="free")
    wanted = parser.parse_args()
    checks = [check() for check in select(["LK"])]
    seeds = range(wanted.first, wanted.first + max(wanted.simulated, wanted.whole))
    for name, make in SIMULATED.items() if wanted.simulated else ():
        if wanted.only in name:
            report(f"{wanted.simulated} {name}", map(make, seeds), checks)
    for name, write in WRITTEN.items() if wanted.whole else ():
        if wanted.only in name:
            whole(name, write, seeds)
    if wanted.table is None:
        return
    dataset, _ = extract(open_dataset(wanted.table, Options()), Pass(workers=0))
    report(
        f"{wanted.copies} copies of {wanted.records:,} records, labels exchanged {wanted.exchange}",
        (shuffled(dataset, wanted.records, wanted.exchange, seed) for seed in range(wanted.copies)),
        checks,
    )


if __name__ == "__main__":
    main()
