"""What the workers answered, as the parts of the dataset: metadata, roles, features, fingerprints, masks, problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from auditor.evidence.masks.mask_facts import PREFIX, mask_frame, row_of
from auditor.evidence.privacy.exposure import exposure_frame
from auditor.feature import feature_columns
from auditor.measuring.annotation_objects import annotation_problems
from auditor.measuring.channels import measured_channels
from auditor.naming.suffixes import suffix_of, suffixes_of_formats
from auditor.values.dataset import Dataset, Problem
from auditor.values.fields import Field, describe
from auditor.values.image import FieldValue
from auditor.values.measurement import EVERYTHING, Measurement, Wanted
from auditor.values.results import Guess

HEADER_ROLES = ("patient", "study", "series", "time", "site")
"""Roles that a file's header may fill where the layout found none."""


def gathered(dataset: Dataset, found: Mapping[str, Measurement], wanted: Wanted) -> Dataset:
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
    texts = [m.header.roles.get("text") if m is not None and m.header is not None else None for m in answers]
    return replace(
        dataset,
        texts=pd.Series(texts if any(texts) else [], index=index if any(texts) else None, dtype="string"),
        masks=masks,
        channels=channels,
        rater_masks=drawn,
        facts=fact_frame(index, answers),
        records=records,
        summary=replace(dataset.summary, guesses=(*dataset.summary.guesses, *guesses)),
        metadata=metadata,
        fields=fields,
        features=feature_frame(index, answers, wanted),
        fingerprints=fingerprint_frame(index, answers),
        exposure=exposure_frame(index, [m.exposure if m is not None else None for m in answers]),
        outlines={
            key.removeprefix(PREFIX): m.pixels.thumbnail
            for key, m in found.items()
            if key.startswith(PREFIX) and m.pixels is not None and m.pixels.thumbnail
        },
        thumbnails={m.record: m.pixels.thumbnail for m in answers if m is not None and m.pixels is not None},
        fronts={m.record: m.pixels.front for m in answers if m is not None and m.pixels is not None and len(m.pixels.front)},
        problems=(*dataset.problems, *problems, *unread, *silent, *annotation_problems(records, metadata)),
    )


def path_fields(dataset: Dataset) -> pd.DataFrame:
    """What the file's name tells without opening it. The folders themselves are left to the checks that know the layout."""
    paths = dataset.records["path"]
    frame = pd.DataFrame(index=dataset.records.index)
    if paths.notna().any():
        steps = [steps_of(p) if isinstance(p, str) else [] for p in paths]
        frame["path.extension"] = [extension(way[-1]) if way else None for way in steps]
        frame["path.name_length"] = [float(len(way[-1])) if way else np.nan for way in steps]
        frame["path.depth"] = [float(len(way) - 1) if way else np.nan for way in steps]
    return frame


def steps_of(path: str) -> list[str]:
    """The names along a path, the file's own last; `pathlib` takes ten times as long, which counts in tables."""
    return [*("/" if path.startswith("/") else ""), *(n for n in path.split("/") if n not in ("", "."))]


def extension(name: str) -> str:
    """Suffix of a file's name in lower case, `.nii.gz` whole."""
    stem, suffix = splitext(name)
    return (splitext(stem)[1] + suffix if suffix.lower() == ".gz" else suffix).lower()


def splitext(name: str) -> tuple[str, str]:
    """A file's name without its last suffix, and the suffix, as `pathlib` parts them: `a.` and `.a` have none."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if stem and suffix else (name, "")


def extension_fits(dataset: Dataset, answers: Sequence[Measurement | None]) -> pd.DataFrame:
    """`container.extension_fits`: yes or no, whether the suffix is one of the format that the content is of."""
    said: list[str | None] = []
    for path, answer in zip(dataset.records["path"], answers, strict=True):
        known = suffixes_of_formats().get(answer.header.format) if answer is not None and answer.header is not None else None
        fits = known is not None and isinstance(path, str) and suffix_of(path) in known
        said.append(None if known is None else "yes" if fits else "no")
    return pd.DataFrame({"container.extension_fits": pd.Series(said, index=dataset.records.index, dtype="string")})


def fact_frame(index: pd.Index, answers: Sequence[Measurement | None]) -> pd.DataFrame:
    """What the files say about themselves beyond the fields, plus `frames`."""
    return _typed(
        index, [{} if m is None or m.header is None else {"frames": m.header.frames, **m.header.facts} for m in answers]
    )


def header_fields(index: pd.Index, answers: Sequence[Measurement | None]) -> pd.DataFrame:
    """Header fields of all files, and their sizes."""
    return _typed(index, [measured_fields(m) for m in answers])


def _typed(index: pd.Index, rows: Sequence[Mapping[str, FieldValue]]) -> pd.DataFrame:
    """Named values as columns; a column is of numbers when every value of it is one, else of text."""
    series = {}
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        if all(v is None or isinstance(v, int | float) for v in values):
            series[name] = pd.Series([np.nan if v is None else float(v) for v in values], index=index, dtype=float)
        else:
            series[name] = pd.Series([None if v is None else str(v) for v in values], index=index, dtype="string")
    return pd.DataFrame(series, index=index)


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
    return pd.DataFrame(values, index=index, columns=list(columns), copy=False)  # as large as all else of a scan together


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
