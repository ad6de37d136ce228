"""Which table of a folder is the label table: each is judged by its first rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from auditor.naming.names import split_name
from auditor.placement.listing import Listing, Options
from auditor.placement.resolve import resolve_names
from auditor.tables.label_table import LabelTable, merge_tables
from auditor.tables.roles import find_roles
from auditor.tables.tables import preview_table, read_table, table_format
from auditor.values.errors import DatasetError

MAX_CANDIDATES = 40
MAX_JSON_BYTES = 256 << 20
PROBE = 500
MERGED_SPLIT = "split (table name)"
"""Column of a table that was made of `train.csv`, `test.csv`, …"""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A table that could be the label table.

    Args:
        confidence: 0–1.
        header: column names.
        naming: columns whose cells are (in part) files of the dataset, the best first.
    """

    name: str
    confidence: float
    why: str
    header: tuple[str, ...]
    naming: tuple[str, ...] = ()


def naming_shares(frame: pd.DataFrame, root: Path, images: Sequence[str]) -> dict[str, float]:
    """Share of the distinct cells that are files, by column; up to 500 cells of each column are tried."""
    if not images:
        return {}
    probes: dict[str, list[str]] = {}
    for name in frame.columns:
        categories = frame[name].cat.categories
        if len(categories) < min(len(images), 20) * 0.5:
            continue
        step = max(len(categories) // PROBE, 1)
        values = [str(value) for value in categories[::step] if value][:PROBE]
        if values:
            probes[str(name)] = values
    flat = list(dict.fromkeys(value for values in probes.values() for value in values))
    resolved = resolve_names(root, flat, images)
    there = {name for name, file in zip(flat, resolved.files, strict=True) if file is not None}
    shares = {name: sum(value in there for value in values) / len(values) for name, values in probes.items()}
    return {name: share for name, share in shares.items() if share}


def rank_tables(listing: Listing, images: Sequence[str]) -> list[Candidate]:
    """The tables of a folder that can be read, the most likely label table first."""
    names = sorted(listing.inventory.tables, key=lambda name: (name.count("/"), name))[:MAX_CANDIDATES]
    found: list[Candidate] = []
    for name in names:
        if table_format(name) == "json" and listing.files[name] > MAX_JSON_BYTES:
            continue
        try:
            table = preview_table(listing.root / name)
        except DatasetError:
            continue  # what cannot be read is no label table; it stays among the counted files
        found.append(_judge(name, table, listing.root, images))
    return sorted(found, key=lambda one: (-one.confidence, one.name.count("/"), -listing.files[one.name], one.name))


def _judge(name: str, table: LabelTable, root: Path, images: Sequence[str]) -> Candidate:
    shares = naming_shares(table.frame, root, images)
    roles = find_roles(table.frame, pins={}, where=name, resolving=shares)
    path = roles.columns.get("path")
    share = shares.get(path, 0.0) if path is not None else 0.0
    readings = bool(roles.raters) or "answer" in roles.columns
    useful = bool(roles.labels) or readings
    known = roles.known is not None
    if path is not None and share >= 0.5:
        covered = min(share * len(table.frame[path].cat.categories) / len(images), 1.0)
        confidence = 0.62 + 0.2 * useful + 0.05 * known + 0.05 * covered
        why = f"column {path!r} names files of the dataset ({share:.0%} of what was tried)"
    elif images and share:
        confidence, why = 0.4 + 0.2 * useful, f"column {path!r} names few files of the dataset ({share:.0%} of what was tried)"
    elif images:
        confidence, why = 0.25 + 0.05 * useful, "a table that names none of the images"
    else:
        confidence = 0.4 + 0.3 * useful + 0.1 * readings + 0.1 * known
        why = "a table with labels" if useful else "a table without labels"
    naming = tuple(sorted(shares, key=lambda column: (column != path, -shares[column], column)))
    header = tuple(str(column) for column in table.frame.columns)
    return Candidate(name=name, confidence=round(confidence, 3), why=why, header=header, naming=naming)


def open_label_table(
    listing: Listing, images: Sequence[str], options: Options | None = None
) -> tuple[LabelTable, tuple[str, ...]]:
    """The label table, whole, and the names of the files that it was made of.

    Tables with the same header that are called after splits (`train.csv`, `valid.csv`) are one table; the column
    `MERGED_SPLIT` holds the split of each row. A corrected column (`Options.corrected`) is read in the place of its original.

    Raises:
        DatasetError: no table that can be read, or a pinned table or column that is not there.
    """
    options = options or Options()
    table, names = _found(listing, images, options)
    return with_corrections(table, options.corrected), names


def with_corrections(table: LabelTable, corrected: Mapping[str, str]) -> LabelTable:
    """The same table with every corrected column in the place and under the name of its original.

    Raises:
        DatasetError: a column is not there.
    """
    frame = table.frame
    for original, new in corrected.items():
        if original not in frame.columns or new not in frame.columns:
            raise DatasetError(f"{table.path}: [dataset] corrected names {original!r} and {new!r}, which are not both columns")
        frame = frame.assign(**{original: frame[new]}).drop(columns=[new])
    return replace(table, frame=frame)


def _found(listing: Listing, images: Sequence[str], options: Options) -> tuple[LabelTable, tuple[str, ...]]:
    if options.tables and not listing.is_file:
        return _pinned(listing, options.tables)
    if listing.is_file:
        return read_table(listing.target), (listing.target.name,)
    candidates = rank_tables(listing, images)
    if not candidates:
        raise DatasetError(f"{listing.target}: no label table that can be read; name one (csv, tsv, parquet, jsonl, json)")
    best = candidates[0]
    splits = {one.name: _split_of(one.name) for one in candidates if one.header == best.header}
    if len(splits) > 1 and all(splits.values()) and len(set(splits.values())) == len(splits):
        parts: Mapping[str, LabelTable] = {str(splits[name]): read_table(listing.root / name) for name in sorted(splits)}
        return merge_tables(parts, MERGED_SPLIT), tuple(sorted(splits))
    return read_table(listing.root / best.name), (best.name,)


def _pinned(listing: Listing, names: tuple[str, ...]) -> tuple[LabelTable, tuple[str, ...]]:
    for name in names:
        if name not in listing.files:
            raise DatasetError(f"{listing.target}: [dataset] tables names {name!r}, which is not there")
    tables = {name: read_table(listing.root / name) for name in names}
    if len(tables) == 1:
        return tables[names[0]], names
    splits = {name: _split_of(name) for name in names}
    same = len({tuple(table.frame.columns) for table in tables.values()}) == 1
    if not same or not all(splits.values()) or len(set(splits.values())) != len(splits):
        raise DatasetError(
            f"{listing.target}: [dataset] tables: several tables must have one header and be called after splits"
        )
    return merge_tables({str(splits[name]): tables[name] for name in sorted(names)}, MERGED_SPLIT), tuple(sorted(names))


def _split_of(name: str) -> str | None:
    base = name.rpartition("/")[2].partition(".")[0]
    said = {split for split in map(split_name, [base, *re.split(r"[^A-Za-z]+", base)]) if split}
    return said.pop() if len(said) == 1 else None
