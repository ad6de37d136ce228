"""The one pass over the files: bounded, parallel, cached. Records → metadata, features, fingerprints, thumbnails."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditor.evidence.likeness.sketches import Sketches
from auditor.evidence.quality.checksums import measure_checksums
from auditor.feature import feature_needs, usual_features
from auditor.measuring.channels import channel_tasks, is_channel
from auditor.measuring.gathered import gathered
from auditor.measuring.measure import Measurer
from auditor.measuring.setup import Setup
from auditor.measuring.tasks import mask_tasks, tasks_of
from auditor.plan import Plan
from auditor.plugins import own_names
from auditor.private import KEY_BYTES, user_key
from auditor.progress import Progress, Silent
from auditor.reading.cache import Cache
from auditor.reading.workers import run_workers
from auditor.values.dataset import Dataset
from auditor.values.image import Limits
from auditor.values.measurement import EVERYTHING, Measurement, PixelFacts, Task, Wanted
from auditor.values.privacy import Privacy

NEEDS = frozenset({"records"})
PIXELS = frozenset({"pixels", "fingerprints", "features", "sketches", "fronts", *feature_needs(*own_names("auditor.features"))})
"""What only a decoded picture gives."""
PROVIDES = frozenset({"metadata"}) | PIXELS
STORE_EVERY = 64


@dataclass(frozen=True, kw_only=True)
class Pass:
    """How the pass is made.

    Args:
        limits: bounds per file.
        workers: processes; 0 reads in this process, without isolation.
        cache: private folder of facts already known, or None.
        rules: what is declared to be no identifier.
        wanted: what is measured.
        rehash: read every file whole, also one that is as it was at the last scan.
    """

    limits: Limits = field(default_factory=Limits)
    workers: int = 2
    cache: Path | None = None
    rules: Privacy = field(default_factory=Privacy)
    wanted: Wanted = EVERYTHING
    rehash: bool = False


def pass_of(plan: Plan) -> Pass:
    """How the files are read."""
    config = plan.config
    wanted = Wanted(pixels=False) if plan.headers_only else wanted_of(plan.needed, ocr=plan.ocr)
    return Pass(
        limits=config.limits_of(), workers=plan.readers, cache=plan.cache, rules=config.privacy_of(), wanted=wanted,
        rehash=plan.rehash,
    )  # fmt: skip


def wanted_of(needed: Collection[str], *, ocr: bool = False) -> Wanted:
    """What is measured where stages and checks need these; with `ocr` letters are recognised where they are looked for."""
    recognised = frozenset({"recognition"}) if ocr else frozenset()
    if "pixels" in needed:
        return replace(EVERYTHING, features=usual_features() | recognised) if ocr else EVERYTHING
    names = frozenset(need.removeprefix("features.") for need in needed if need.startswith("features."))
    if "features" in needed or names >= usual_features():
        names = usual_features()
    if "lettering" in names:
        names |= recognised
    return Wanted(
        pixels=not PIXELS.isdisjoint(needed),
        features=None if names == usual_features() else names,
        sketch="sketches" in needed,
        front="fronts" in needed,
    )


def run(dataset: Dataset, plan: Plan) -> Dataset:
    """Measure every file once."""
    measured, counts = extract(dataset, pass_of(plan), progress=plan.progress)
    plan.tally.update(counts)
    return measured


def extract(dataset: Dataset, how: Pass = Pass(), *, progress: Progress | None = None) -> tuple[Dataset, Mapping[str, int]]:
    """Measure every file of the dataset once.

    Returns:
        The dataset with metadata, fields, features, fingerprints, thumbnails and problems filled, and how many images were
        `decoded` and `cached` (volatile: it depends on what was scanned before).
    """
    progress = progress or Silent()
    tasks = [*tasks_of(dataset), *mask_tasks(dataset), *channel_tasks(dataset)]
    # without a key that can be kept, the entries of this run are for this run alone
    key = b"" if how.cache is None else user_key() or secrets.token_bytes(KEY_BYTES)
    cache = Cache(folder=how.cache, key=key) if how.cache is not None else None
    usable = cache is not None and cache.open()
    found: dict[str, Measurement] = {}
    sketches = Sketches()
    counts = {"decoded": 0, "cached": 0}
    unsaved: list[tuple[str, PixelFacts]] = []
    places: list[tuple[str, str]] = []
    progress.start("reading files", sum(len(task.records) for task in tasks))
    try:
        for answers in answers_of(tasks, dataset.root, how, cache if usable else None):
            whole: PixelFacts | None = None
            for measurement in answers:
                found[measurement.record] = measurement
                if measurement.pixels is not None:
                    # The bulk of what a picture leaves behind: it waits in a file, not in memory.
                    if measurement.pixels.sketch and not is_channel(measurement.record):
                        sketches.add(measurement.record, measurement.pixels.sketch)
                    if measurement.pixels is not whole:  # records of one file share its facts
                        whole = measurement.pixels
                        kept = replace(whole, sketch=b"")
                    found[measurement.record] = replace(measurement, pixels=kept)
                    counts["decoded" if measurement.fresh else "cached"] += 1
                    if measurement.fresh:
                        unsaved.append((measurement.key, measurement.pixels))
                    if measurement.place:
                        places.append((measurement.place, measurement.digest))
            progress.advance(len(answers))
            if cache is not None and len(unsaved) >= STORE_EVERY:
                save(cache, unsaved, places)
    finally:
        if cache is not None:
            save(cache, unsaved, places)
            cache.close()
        progress.finish()
    measured = gathered(dataset, found, how.wanted)
    checksums, undescribed = measure_checksums(dataset.root, how.limits, workers=how.workers)
    return replace(measured, sketches=sketches, checksums=checksums, problems=(*measured.problems, *undescribed)), counts


def save(cache: Cache, facts: list[tuple[str, PixelFacts]], places: list[tuple[str, str]]) -> None:
    """Hand over to the cache what has gathered; facts first, because a place without them would be of no use."""
    cache.store(facts)
    cache.remember(places)
    facts.clear()
    places.clear()


def answers_of(tasks: Sequence[Task], root: Path, how: Pass, cache: Cache | None) -> Iterable[list[Measurement]]:
    """Measure in this process or in workers."""
    if how.workers == 0:
        measurer = Measurer(root=root, limits=how.limits, rules=how.rules, wanted=how.wanted)
        if cache is not None:
            measurer.known = cache
            if not how.rehash:
                measurer.digest_at = cache.digest_at
        return (measurer.measure(task) for task in tasks)
    setup = Setup(
        root=root, limits=how.limits, rules=how.rules, wanted=how.wanted, rehash=how.rehash,
        cache=how.cache if cache is not None else None, cache_key=cache.key if cache is not None else b"",
    )  # fmt: skip
    return run_workers(tasks, setup, workers=how.workers)
