"""Which table of a folder is the label table: each is judged by its first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from auditor.naming.headers import MERGED_SPLIT
from auditor.naming.lexicon import name_score
from auditor.placement.case_table import case_column, with_images
from auditor.placement.listing import Listing, Options
from auditor.placement.resolve import resolve_names
from auditor.placement.row_files import as_images, split_of
from auditor.placement.row_images import images_of_rows
from auditor.placement.table_group import READER, Candidate, of_each_reader, sisters
from auditor.placement.table_join import with_joined
from auditor.placement.text_tables import text_tables
from auditor.tables.label_table import LabelTable, merge_tables
from auditor.tables.rater_columns import reader_of
from auditor.tables.roles import find_roles
from auditor.tables.tables import preview_table, read_table, table_format
from auditor.values.errors import DatasetError

MAX_CANDIDATES = 40
MAX_JSON_BYTES = 256 << 20
PANEL = 0.15
"""A table of what readers said is the label table where no other has labels of the same images; they are read beside it."""
BOXES = 0.01
"""A table that says where says more than one of the same images that only says what; not than one of more images."""
PROBE = 500


def naming_shares(frame: pd.DataFrame, root: Path, images: Sequence[str]) -> dict[str, float]:
    """Share of the distinct cells that are files, by column; up to 500 cells of each column are tried."""
    if not images:
        return {}
    probes: dict[str, list[str]] = {}
    for name in frame.columns:
        categories = frame[name].cat.categories
        if len(categories) < min(len(images), len(frame), 20) * 0.5:
            continue
        step = max(len(categories) // PROBE, 1)
        values = [str(value) for value in categories[::step] if value][:PROBE]
        if values:
            probes[str(name)] = values
    shares = _shares(probes, root, images, numbers=False)
    if max(shares.values(), default=0.0) < 0.5:
        # A spreadsheet turns 00012 into 12; ages and counts are numbers too, so the column must be called like one of images.
        called = {
            name: values
            for name, values in probes.items()
            if len(frame[name].cat.categories) >= 0.8 * len(frame) and max(name_score(name, "path"), name_score(name, "item"))
        }
        shares |= _shares(called, root, images, numbers=True)
    return shares


def _shares(probes: Mapping[str, list[str]], root: Path, images: Sequence[str], *, numbers: bool) -> dict[str, float]:
    flat = list(dict.fromkeys(value for values in probes.values() for value in values))
    resolved = resolve_names(root, flat, images, numbers=numbers)
    there = {name for name, file in zip(flat, resolved.files, strict=True) if file is not None}
    shares = {name: sum(value in there for value in values) / len(values) for name, values in probes.items()}
    return {name: share for name, share in shares.items() if share}


def rank_tables(listing: Listing, images: Sequence[str]) -> list[Candidate]:
    """The tables of a folder that can be read, the most likely label table first."""
    names = [*listing.inventory.tables, *text_tables(listing, images)]
    names = sorted(names, key=lambda name: (name.count("/"), name))[:MAX_CANDIDATES]
    found: list[Candidate] = []
    for name in names:
        if table_format(name) == "json" and listing.files[name] > MAX_JSON_BYTES:
            continue
        try:
            table = as_images(preview_table(listing.root / name, listing.limits), name, listing.root, images)
        except DatasetError:
            continue  # what cannot be read is no label table; `placement.unused` tells why
        found.append(judge(name, table, listing.root, images))
    return sorted(found, key=lambda one: _order(one, listing))


def _order(one: Candidate, listing: Listing) -> tuple[float, int, int, str]:
    """What is smallest is the label table: of equals the one that lies highest, then the largest."""
    of_readers = one.panel or reader_of(one.name) is not None
    return PANEL * of_readers - one.confidence, one.name.count("/"), -listing.files[one.name], one.name


def judge(name: str, table: LabelTable, root: Path, images: Sequence[str]) -> Candidate:
    """How much a table looks like the label table of these images."""
    shares = naming_shares(table.frame, root, images)
    roles = find_roles(table.frame, pins={}, where=name, resolving=shares)
    path = roles.columns.get("path")
    share = shares.get(path, 0.0) if path is not None else 0.0
    readings = bool(roles.raters) or "answer" in roles.columns
    # in a long table a label beside the answers is the released one, and labels alone are the answers
    panel = bool(roles.raters and not roles.labels)
    if "rater" in roles.columns:
        panel = ("answer" in roles.columns) == (not roles.labels)
    useful = bool(roles.labels) or readings
    known = roles.known is not None
    covered = min(share * len(table.frame[path].cat.categories) / len(images), 1.0) if path is not None and images else 0.0
    case, cases = case_column(table.frame, images) if share < 0.5 else ("", 0.0)
    if path is not None and share >= 0.5:
        confidence = 0.62 + 0.2 * useful + 0.05 * known + 0.1 * covered
        why = f"column {path!r} names files of the dataset ({share:.0%} of what was tried)"
    elif case:
        share = cases
        confidence, why = (
            0.62 + 0.2 * useful + 0.05 * cases,
            f"column {case!r} calls the cases of the images ({cases:.0%} of them)",
        )
    elif images and share:
        confidence, why = 0.4 + 0.2 * useful, f"column {path!r} names few files of the dataset ({share:.0%} of what was tried)"
    elif images:
        confidence, why = 0.25 + 0.05 * useful, "a table that names none of the images"
    else:
        confidence = 0.4 + 0.3 * useful + 0.1 * readings + 0.1 * known
        why = "a table with labels" if useful else "a table without labels"
    confidence += BOXES * (roles.boxes is not None and covered >= 0.9)
    naming = tuple(sorted(shares, key=lambda column: (column != path, -shares[column], column)))
    header = tuple(str(column) for column in table.frame.columns)
    key = path or roles.columns.get("item")
    named = frozenset(map(str, table.frame[key].cat.categories)) if key is not None else frozenset()
    return Candidate(
        name=name, confidence=round(confidence, 3), why=why, header=header, naming=naming, share=share, useful=useful,
        panel=panel, rows=len(table.frame), named=named - {""}, folders=not share and _names_folders(table.frame, images),
        case=case, labels=tuple(roles.labels),
    )  # fmt: skip


def _names_folders(frame: pd.DataFrame, images: Sequence[str]) -> bool:
    """Most cells of a column are the folder of an image, or its last parts (a table of studies or patients)."""
    folders = {path.rpartition("/")[0] for path in images} - {""}
    ends = {"/".join(parts[-n:]) for folder in folders for parts in [folder.split("/")] for n in range(1, len(parts) + 1)}
    for name in frame.columns:
        cells = [str(value).replace("\\", "/").strip("/") for value in frame[name].cat.categories[:PROBE] if value]
        # A table may name the folders from above the one that was scanned.
        found = sum(cell in ends or cell.partition("/")[2] in ends for cell in cells if "/" in cell)
        if len(cells) > 1 and found >= 0.5 * len(cells):
            return True
    return False


def open_label_table(
    listing: Listing, images: Sequence[str], options: Options | None = None
) -> tuple[LabelTable, tuple[str, ...]]:
    """The label table, whole, and the names of the files that it was made of.

    Tables with nearly the same header that are called after splits (`train.csv`, `valid.csv`) or name other images
    (`mass_train.csv`, `calc_train.csv`) are one table; the column `MERGED_SPLIT` holds the split of each row. A corrected
    column (`Options.corrected`) is read in the place of its original.

    Raises:
        DatasetError: no table that can be read, or a pinned table or column that is not there.
    """
    options = options or Options()
    table, names = _found(listing, images, options)
    shares = naming_shares(table.frame, listing.root, images)
    if "path" not in options.roles and max(shares.values(), default=0.0) < 0.5:
        table = with_images(table, images) or table
    elif not listing.is_file and not options.tables:
        others = [one.name for one in rank_tables(listing, images) if one.name not in names]
        table = with_joined(table, listing, others, [column for column, share in shares.items() if share >= 0.5])
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
        return _pinned(listing, options.tables, images, pinned_columns(options))
    if listing.is_file:
        named = read_table(listing.target, listing.limits)
        return images_of_rows(named, listing.root, images, pinned_columns(options)), (listing.target.name,)
    candidates = rank_tables(listing, images)
    if not candidates:
        raise DatasetError(
            f"{listing.target}: no label table that can be read; name one (csv, tsv, parquet, jsonl, json, xlsx)"
        )
    pins = pinned_columns(options)
    if names := of_each_reader(candidates):
        parts = [(reader_of(name), _whole(listing, name, images, pins)) for name in names]
        return merge_tables(parts, READER), names
    names = sisters(candidates)
    return _joined(listing, names, images, pins) if len(names) > 1 else (_whole(listing, names[0], images, pins), names)


def pinned_columns(options: Options) -> frozenset[str]:
    """The columns that the user named, which stay what they are."""
    values = options.roles.values()
    return frozenset(part.strip() for value in values for part in (value, *value.split(",")))


def _whole(listing: Listing, name: str, images: Sequence[str], pins: frozenset[str]) -> LabelTable:
    return as_images(read_table(listing.root / name, listing.limits), name, listing.root, images, pins)


def _joined(
    listing: Listing, names: Sequence[str], images: Sequence[str], pins: frozenset[str]
) -> tuple[LabelTable, tuple[str, ...]]:
    ordered = tuple(sorted(names))
    table = merge_tables([(split_of(name), _whole(listing, name, images, pins)) for name in ordered], MERGED_SPLIT)
    told = ", ".join(name.rpartition("/")[2] for name in ordered[:6])
    if len(set(map(split_of, ordered))) < len(ordered):
        table = replace(table, notes=(*table.notes, f"{len(ordered)} tables are read as one: {told}"))
    return table, ordered


def _pinned(
    listing: Listing, names: tuple[str, ...], images: Sequence[str], pins: frozenset[str]
) -> tuple[LabelTable, tuple[str, ...]]:
    for name in names:
        if name not in listing.files:
            raise DatasetError(f"{listing.target}: [dataset] tables names {name!r}, which is not there")
    if len(names) == 1:
        return _whole(listing, names[0], images, pins), names
    headers = [set(preview_table(listing.root / name, listing.limits).frame.columns) for name in names]
    if any(len(headers[0] & other) < 0.6 * len(headers[0] | other) for other in headers):
        raise DatasetError(f"{listing.target}: [dataset] tables: several tables must have nearly the same header")
    return _joined(listing, names, images, pins)
