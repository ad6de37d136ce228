"""What a stage is, and how the stages of a scan are put in order. One module per stage in `auditor.stages`.

A stage module has three names, or four:

* `NEEDS: frozenset[str]`: what must have been provided before;
* `PROVIDES: frozenset[str]`: what the dataset holds afterwards: `records`, `metadata`, `pixels`, `links`, `predictions`, ...;
* `run(dataset: Dataset, plan: Plan) -> Dataset`;
* `given(plan: Plan) -> bool`, where an option of the user calls for it whatever the checks look at.

A stage runs when somebody asks for what it provides, or another one that runs needs it, or it is given; no other does.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from graphlib import TopologicalSorter
from types import ModuleType

import pandas as pd

from auditor.evidence.privacy.crosswalk import write_crosswalk
from auditor.plan import Plan
from auditor.plugins import own_modules
from auditor.reading.losses import LOSSES
from auditor.values.dataset import Dataset
from auditor.values.labels import Labels
from auditor.values.results import DatasetSummary

NAMES = ("NEEDS", "PROVIDES", "run")


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """A dataset after its stages, the seconds on the clock that each took, and how many images were decoded and cached."""

    dataset: Dataset
    seconds: Mapping[str, float]
    counts: Mapping[str, int]


@cache
def stages() -> Mapping[str, ModuleType]:
    """All stage modules by name; what lies beside them without the three names is a part of one of them."""
    found = own_modules("auditor.stages").items()
    return {name: module for name, module in found if all(hasattr(module, own) for own in NAMES)}


def in_order(asked: Collection[str], plan: Plan, *, given: bool) -> list[str]:
    """Names of the stages that run, each after all that it needs; what does not depend on each other, by name.

    Raises:
        ValueError: nothing provides what is asked for, or stages need each other.
    """
    provider = {what: name for name, module in stages().items() for what in module.PROVIDES}
    pending = list(asked)
    wanted: dict[str, set[str]] = {}
    if given:
        for module in stages().values():
            if hasattr(module, "given") and module.given(plan):
                pending += module.PROVIDES
    while pending:
        what = pending.pop()
        if what not in provider:
            raise ValueError(f"no stage provides {what!r}; there are: {', '.join(sorted(provider))}")
        name = provider[what]
        if name not in wanted:
            wanted[name] = {provider[need] for need in stages()[name].NEEDS}
            pending += stages()[name].NEEDS
    sorter = TopologicalSorter(wanted)
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order


def closure(asked: Collection[str]) -> frozenset[str]:
    """What is asked for, and what the stages that provide it need of each other."""
    return frozenset(asked).union(*(stages()[name].NEEDS for name in in_order(asked, Plan(), given=False)))


def gather(plan: Plan, *, asked: Collection[str], given: bool = False) -> Gathered:
    """Run the stages that are asked for; the private file of what outputs show by its place is written where the plan has one.

    Args:
        plan: with its target.
        asked: what the dataset must hold (`PROVIDES` of the stages).
        given: also run what the user's options call for.

    Raises:
        DatasetError: the dataset, or a file that goes with it, cannot be opened.
        ConfigError: an option does not fit the dataset.
        MedauditError: the private file cannot be written.
    """
    LOSSES.begin()
    plan = replace(plan, asked=frozenset(asked), tally=Counter())
    dataset = _unopened(plan)
    seconds: dict[str, float] = {}
    order = in_order(asked, plan, given=given)
    plan = replace(plan, needed=plan.asked.union(*(stages()[name].NEEDS for name in order)))
    for name in order:
        start = time.perf_counter()
        dataset = stages()[name].run(dataset, plan)
        seconds[name] = round(time.perf_counter() - start, 3)
    if plan.crosswalk is not None:
        write_crosswalk(plan.crosswalk, {dataset.summary.name: dataset})
    return Gathered(dataset=dataset, seconds=seconds, counts=dict(plan.tally))


def _unopened(plan: Plan) -> Dataset:
    """What there is before the first stage: a name."""
    nothing = pd.DataFrame()
    return Dataset(
        root=plan.target,
        summary=DatasetSummary(name=plan.target.name, layout="", task="none", classes=(), counts={}, guesses=()),
        records=nothing, labels=Labels(task="none", values=pd.Series(dtype="str")), annotations=nothing, boxes=nothing,
        metadata=nothing, fields={},
    )  # fmt: skip
