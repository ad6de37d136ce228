"""The one pass over the files: bounded, parallel, cached. Records → metadata, features, fingerprints, thumbnails."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from auditor.evidence.likeness.sketches import Sketches
from auditor.evidence.masks.mask_facts import PREFIX, mask_frame, row_of
from auditor.evidence.privacy.exposure import exposure_frame
from auditor.evidence.quality.checksums import measure_checksums
from auditor.feature import feature_columns, feature_needs, features
from auditor.measuring.channels import channel_tasks, is_channel, measured_channels
from auditor.measuring.measure import Measurer
from auditor.measuring.setup import Setup
from auditor.naming.suffixes import suffix_of, suffixes_of_formats
from auditor.placement.listing import stays_inside
from auditor.plan import Plan
from auditor.plugins import own_names
from auditor.private import KEY_BYTES, user_key
from auditor.progress import Progress, Silent
from auditor.reading.cache import Cache
from auditor.reading.workers import run_workers
from auditor.values.dataset import Dataset, Problem
from auditor.values.fields import Field, describe
from auditor.values.image import FieldValue, Limits
from auditor.values.measurement import EVERYTHING, Measurement, PixelFacts, Task, Wanted
from auditor.values.privacy import Privacy
from auditor.values.results import Guess

NEEDS = frozenset({"records"})
PIXELS = frozenset({"pixels", "fingerprints", "features", "sketches", "fronts", *feature_needs(*own_names("auditor.features"))})
"""What only a decoded picture gives."""
PROVIDES = frozenset({"metadata"}) | PIXELS
HEADER_ROLES = ("patient", "study", "series", "time", "site")
"""Roles that a file's header may fill where the layout found none."""
ITEMS_PER_TASK = 256
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
    wanted = Wanted(pixels=False) if plan.headers_only else wanted_of(plan.needed)
    return Pass(
        limits=config.limits_of(), workers=plan.readers, cache=plan.cache, rules=config.privacy_of(), wanted=wanted,
        rehash=plan.rehash,
    )  # fmt: skip


def wanted_of(needed: Collection[str]) -> Wanted:
    """What is measured where stages and checks need these."""
    if "pixels" in needed:
        return EVERYTHING
    names = frozenset(need.removeprefix("features.") for need in needed if need.startswith("features."))
    everything = "features" in needed or names >= set(features())
    return Wanted(
        pixels=not PIXELS.isdisjoint(needed),
        features=None if everything else names,
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
            for measurement in answers:
                found[measurement.record] = measurement
                if measurement.pixels is not None:
                    # The bulk of what a picture leaves behind: it waits in a file, not in memory.
                    if measurement.pixels.sketch and not is_channel(measurement.record):
                        sketches.add(measurement.record, measurement.pixels.sketch)
                    found[measurement.record] = replace(measurement, pixels=replace(measurement.pixels, sketch=b""))
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
    return replace(gathered(dataset, found, how), sketches=sketches), counts


def save(cache: Cache, facts: list[tuple[str, PixelFacts]], places: list[tuple[str, str]]) -> None:
    """Hand over to the cache what has gathered; facts first, because a place without them would be of no use."""
    cache.store(facts)
    cache.remember(places)
    facts.clear()
    places.clear()


def tasks_of(dataset: Dataset) -> Iterator[Task]:
    """One task per file, or per slice of the items of a many-image file; records without a file have none."""
    absent = {p.record for p in dataset.problems if p.kind in ("missing", "outside-root")}
    table = dataset.records[["path", "item"]]
    table = table[table["path"].notna() & ~table.index.isin(list(absent))]
    single = table["item"].isna() | (table["item"] == "")
    groups: dict[str, list[str]] = {}
    for record, path in table.loc[single, "path"].items():
        groups.setdefault(str(path), []).append(str(record))
    for path, records in groups.items():
        if (dataset.root / path).exists():
            yield Task(path=path, records=tuple(records))
    for path, group in table.loc[~single].groupby("path", sort=False):
        for start in range(0, len(group), ITEMS_PER_TASK):
            part = group.iloc[start : start + ITEMS_PER_TASK]
            yield Task(path=str(path), records=tuple(map(str, part.index)), items=tuple(part["item"]))


def mask_tasks(dataset: Dataset) -> Iterator[Task]:
    """One task per mask file; a mask that is not there is IN006's to report."""
    drawn = dataset.rater_masks["path"] if len(dataset.rater_masks) else ()
    for path in dict.fromkeys(map(str, (*dataset.records["mask"].dropna(), *drawn))):
        if stays_inside(dataset.root, path):
            yield Task(path=path, records=(PREFIX + path,), is_mask=True)


def masks_of(dataset: Dataset, found: Mapping[str, Measurement]) -> tuple[pd.DataFrame, list[Problem]]:
    """`Dataset.masks` in the order of the records, and the masks that cannot be read."""
    rows: list[dict[str, object]] = []
    problems: dict[str, Problem] = {}
    for record, path in dataset.records["mask"].dropna().items():
        answer = found.get(PREFIX + str(path))
        problem = "missing" if answer is None else answer.problem[1] if answer.problem is not None else ""
        numbers = answer.pixels.features if answer is not None and answer.pixels is not None else None
        rows.append(row_of(str(path), str(record), numbers, answer.header if answer is not None else None, problem))
        if answer is not None and answer.problem is not None:
            problems[str(path)] = Problem(kind=answer.problem[0], path=str(path), reason=answer.problem[1])
    return mask_frame(rows), list(problems.values())


def drawn_masks(dataset: Dataset, found: Mapping[str, Measurement]) -> tuple[pd.DataFrame, list[Problem]]:
    """`Dataset.rater_masks` with what a worker could not read: those are not opened again."""
    if dataset.rater_masks.empty:
        return dataset.rater_masks, []
    said: list[str] = []
    problems: dict[str, Problem] = {}
    for path in map(str, dataset.rater_masks["path"]):
        answer = found.get(PREFIX + path)
        said.append("missing" if answer is None else answer.problem[0] if answer.problem is not None else "")
        if answer is not None and answer.problem is not None:
            problems[path] = Problem(kind=answer.problem[0], path=path, reason=answer.problem[1])
    return dataset.rater_masks.assign(problem=pd.Series(said, index=dataset.rater_masks.index, dtype="str")), [
        *problems.values()
    ]


def fact_frame(index: pd.Index, answers: Sequence[Measurement | None]) -> pd.DataFrame:
    """What the files say about themselves beyond the fields, plus `frames`; numbers stay numbers."""
    rows = [{} if m is None or m.header is None else {"frames": m.header.frames, **m.header.facts} for m in answers]
    frame = pd.DataFrame(index=index)
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        numeric = all(v is None or isinstance(v, int | float) for v in values)
        plain = [np.nan if v is None else float(v) for v in values] if numeric else values
        frame[name] = pd.Series(plain, index=index, dtype=float if numeric else "string")
    return frame


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


def gathered(dataset: Dataset, found: Mapping[str, Measurement], how: Pass) -> Dataset:
    """The dataset with everything that was measured, in the order of its records whatever the order of the answers."""
    index = dataset.records.index
    answers = [found.get(str(record)) for record in index]
    fits = extension_fits(dataset, answers)
    metadata = pd.concat([dataset.metadata, path_fields(dataset), fits, header_fields(index, answers)], axis=1)
    # Copies of a whole-dataset constant tell nothing, but an all-missing column would only be noise in every table.
    metadata = metadata.loc[:, metadata.notna().any()]
    fields: dict[str, Field] = {name: dataset.fields.get(name) or describe(name) for name in metadata.columns}
    if dataset.design.inputs is not None:
        fields = {name: replace(f, is_input=name in dataset.design.inputs) for name, f in fields.items()}
    records, guesses = header_roles(dataset, answers)
    problems = [
        Problem(kind=m.problem[0], path=str(dataset.records.at[m.record, "path"]), reason=m.problem[1], record=m.record)
        for m in answers
        if m is not None and m.problem is not None
    ]
    masks, unread = masks_of(dataset, found)
    drawn, undrawn = drawn_masks(dataset, found)
    known = {p.path for p in unread}
    unread += [p for p in undrawn if p.path not in known]
    channels, silent = measured_channels(dataset, found)
    checksums, undescribed = measure_checksums(dataset.root, how.limits, workers=how.workers)
    texts = [m.header.roles.get("text") if m is not None and m.header is not None else None for m in answers]
    return replace(
        dataset,
        texts=pd.Series(texts if any(texts) else [], index=index if any(texts) else None, dtype="string"),
        masks=masks,
        channels=channels,
        rater_masks=drawn,
        checksums=checksums,
        facts=fact_frame(index, answers),
        records=records,
        summary=replace(dataset.summary, guesses=(*dataset.summary.guesses, *guesses)),
        metadata=metadata,
        fields=fields,
        features=feature_frame(index, answers, how.wanted),
        fingerprints=fingerprint_frame(index, answers),
        exposure=exposure_frame(index, [m.exposure if m is not None else None for m in answers]),
        thumbnails={m.record: m.pixels.thumbnail for m in answers if m is not None and m.pixels is not None},
        fronts={m.record: m.pixels.front for m in answers if m is not None and m.pixels is not None and len(m.pixels.front)},
        problems=(*dataset.problems, *problems, *unread, *silent, *undescribed),
    )


def path_fields(dataset: Dataset) -> pd.DataFrame:
    """What the file's name tells without opening it. The folders themselves are left to the checks that know the layout."""
    paths = dataset.records["path"]
    frame = pd.DataFrame(index=dataset.records.index)
    if paths.notna().any():
        pure = [PurePosixPath(p) if isinstance(p, str) else None for p in paths]
        frame["path.extension"] = [extension(p) if p else None for p in pure]
        frame["path.name_length"] = [float(len(p.name)) if p else np.nan for p in pure]
        frame["path.depth"] = [float(len(p.parts) - 1) if p else np.nan for p in pure]
    return frame


def extension(path: PurePosixPath) -> str:
    """Suffix in lower case, `.nii.gz` whole."""
    suffix = path.suffix.lower()
    return PurePosixPath(path.stem).suffix.lower() + suffix if suffix == ".gz" else suffix


def extension_fits(dataset: Dataset, answers: Sequence[Measurement | None]) -> pd.DataFrame:
    """`container.extension_fits`: yes or no, whether the suffix is one of the format that the content is of."""
    said: list[str | None] = []
    for path, answer in zip(dataset.records["path"], answers, strict=True):
        known = suffixes_of_formats().get(answer.header.format) if answer is not None and answer.header is not None else None
        fits = known is not None and isinstance(path, str) and suffix_of(path) in known
        said.append(None if known is None else "yes" if fits else "no")
    return pd.DataFrame({"container.extension_fits": pd.Series(said, index=dataset.records.index, dtype="string")})


def header_fields(index: pd.Index, answers: Sequence[Measurement | None]) -> pd.DataFrame:
    """Header fields of all files as columns; a column is numeric when every value of it is."""
    rows: list[dict[str, FieldValue]] = [measured_fields(m) for m in answers]
    names = sorted({name for row in rows for name in row})
    columns: dict[str, list[FieldValue]] = {name: [row.get(name) for row in rows] for name in names}
    frame = pd.DataFrame(index=index)
    series = {}
    for name, values in columns.items():
        numeric = all(v is None or isinstance(v, int | float) for v in values)
        if numeric:
            series[name] = pd.Series([np.nan if v is None else float(v) for v in values], index=index, dtype=float)
        else:
            series[name] = pd.Series([None if v is None else str(v) for v in values], index=index, dtype="string")
    return pd.concat([frame, pd.DataFrame(series, index=index)], axis=1)


def measured_fields(measurement: Measurement | None) -> dict[str, FieldValue]:
    """Header fields of one file, and its size."""
    if measurement is None or measurement.header is None:
        return {}
    fields = dict(measurement.header.fields)
    if measurement.size:
        fields["container.file_size"] = float(measurement.size)
        count = int(np.prod(measurement.header.shape[:2])) * measurement.header.frames if measurement.header.shape else 0
        if count:
            fields["container.bytes_per_pixel"] = measurement.size / count
    return fields


def header_roles(dataset: Dataset, answers: Sequence[Measurement | None]) -> tuple[pd.DataFrame, list[Guess]]:
    """Fill roles that the layout left empty from the headers; a table or a folder always goes before a header."""
    records = dataset.records.copy()
    guesses: list[Guess] = []
    for role in HEADER_ROLES:
        if role in records.columns and records[role].notna().any():
            continue
        values = [m.header.roles.get(role) if m is not None and m.header is not None else None for m in answers]
        known = sum(v is not None for v in values)
        if known:
            records[role] = pd.Series(values, index=records.index, dtype="string")
            share = known / max(1, sum(m is not None for m in answers))
            guesses.append(
                Guess(role=role, value="file header", confidence=round(share, 2), why=f"in the header of {known:,} files")
            )
    return records, guesses


def feature_frame(index: pd.Index, answers: Sequence[Measurement | None], wanted: Wanted = EVERYTHING) -> pd.DataFrame:
    """Features as float32, NaN where there are no pixels; no column of what was not wanted, none at all without a picture."""
    columns = feature_columns(wanted.features)
    if not any(m is not None and m.pixels is not None for m in answers):
        return pd.DataFrame(index=index)
    values = np.full((len(index), len(columns)), np.nan, np.float32)
    for row, measurement in enumerate(answers):
        if measurement is not None and measurement.pixels is not None:
            values[row] = measurement.pixels.features
    return pd.DataFrame(values, index=index, columns=list(columns))


def fingerprint_frame(index: pd.Index, answers: Sequence[Measurement | None]) -> pd.DataFrame:
    """Digests of bytes and pixels, whether the picture is constant, and the DICOM instance."""
    frame = pd.DataFrame(index=index)
    frame["bytes"] = pd.Series([m.digest or None if m else None for m in answers], index=index, dtype="string")
    frame["pixels"] = pd.Series([m.pixels.digest if m and m.pixels else None for m in answers], index=index, dtype="string")
    frame["constant"] = np.array([bool(m and m.pixels and m.pixels.constant) for m in answers], bool)
    for role in ("instance", "frame_of_reference"):
        values = [m.header.roles.get(role) if m and m.header else None for m in answers]
        frame[role] = pd.Series(values, index=index, dtype="string")
    return frame
