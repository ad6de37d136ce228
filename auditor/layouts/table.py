"""A label table, with or without images: one row per image, per reading, per box or per finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from auditor.layout import Detection, Listing, Options, list_files
from auditor.naming.headers import CASE_FILE, MERGED_SPLIT
from auditor.placement.channels import find_channels
from auditor.placement.images import Inventory
from auditor.placement.lone_arrays import lone_arrays
from auditor.placement.masks import Masks, find_masks
from auditor.placement.rater_masks import RaterMasks, find_rater_masks
from auditor.placement.resolve import resolve_names
from auditor.placement.table_choice import naming_shares, open_label_table, rank_tables
from auditor.placement.table_dataset import TableLoader
from auditor.placement.tree import FOLDER_PIN, read_folders
from auditor.tables.label_table import LabelTable
from auditor.tables.roles import find_roles
from auditor.tables.tables import read_table, table_format
from auditor.values.cells import from_cell
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError

READS = frozenset(("labels", "splits", "patients", "masks", "boxes", "raters", "channels"))

BESIDE_CLASSES = 0.5
"""How sure it is that a table of cases is the label table where folders are classes."""
_PLAIN_TEXT = (".txt", ".dat")


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """A table that was named, or the best table of a folder."""
    if listing.is_file:
        if table_format(listing.target.name) is None and not listing.target.name.lower().endswith(_PLAIN_TEXT):
            return None
        return Detection(layout="table", confidence=1.0, why="a table was named")
    inventory = listing.inventory
    images = _matchable(inventory)[0]
    candidates = rank_tables(listing, images)
    if not candidates:
        return None
    best = candidates[0]
    # What a table says of patients (an outcome, a stage) does not take the place of the classes that the folders are.
    beside = best.case and read_folders(images).label is not None
    confidence = min(best.confidence, BESIDE_CLASSES) if beside else best.confidence
    return Detection(layout="table", confidence=confidence, why=f"{best.name}: {best.why}")


def _matchable(inventory: Inventory) -> tuple[list[str], Masks, RaterMasks]:
    """What a table may name: images that are no masks, and arrays where they are all there is."""
    raters = find_rater_masks(inventory.images)
    masks = find_masks([path for path in inventory.images if path not in raters.files])
    images = [path for path in inventory.images if path not in masks.files and path not in raters.files]
    others = find_channels(images).others
    images = [path for path in images if path not in others]
    return [*images, *lone_arrays(inventory)] if images else list(inventory.containers), masks, raters


def _declared(table: LabelTable, options: Options, root: Path, images: Sequence[str]) -> dict[str, list[str | None]]:
    """Channel → the file that each row of the table names for it, where the channels are pinned; a name without a file stands
    as it is, and is measured as missing.

    Raises:
        DatasetError: a column is not there.
    """
    found: dict[str, list[str | None]] = {}
    for channel, column in options.channels.items():
        if column not in table.frame.columns:
            raise DatasetError(f"{table.path}: [dataset] channels names the column {column!r}, which is not there")
        cells = table.frame[column].cat
        names = [str(value) for value in cells.categories]
        resolved = resolve_names(root, names, images)
        files = [file or name or None for file, name in zip(resolved.files, resolved.names, strict=True)]
        found[channel] = [files[code] if code >= 0 else None for code in cells.codes]
    return found


def load(listing: Listing, options: Options) -> Dataset:
    """Read the label table, find the roles of its columns, match its names with files.

    Raises:
        DatasetError: no table, a damaged one, or a pinned column that does not exist.
    """
    files = _image_listing(listing, options)
    images, masks, drawn = _matchable(files.inventory)
    table, names = open_label_table(listing, images if options.root is None else _matchable(listing.inventory)[0], options)
    channels = _declared(table, options, files.root, images)
    further = {path for paths in list(channels.values())[1:] for path in paths}
    images = [path for path in images if path not in further]
    shares = naming_shares(table.frame, files.root, images)
    roles = find_roles(
        table.frame,
        pins=_pins(options, table),
        where=table.path.name,
        resolving=shares,
        separator=options.separator,
        task=options.task,
        level=options.level,
    )
    loader = TableLoader(
        table, names, files, images, masks, drawn, roles, listing, _left_out(options), channels, options=options
    )
    return loader.dataset()


def _left_out(options: Options) -> frozenset[str]:
    """Files that a table of removed records names. A name that a spreadsheet would run stands behind an apostrophe there."""
    if options.left_out is None or not options.left_out.is_file():
        return frozenset()
    frame = read_table(options.left_out, options.limits).frame
    if "path" not in frame.columns:
        raise DatasetError(f"{options.left_out}: no column 'path'")
    named = [str(value) for value in frame["path"].cat.categories]
    return frozenset((*named, *map(from_cell, named)))


def _pins(options: Options, table: LabelTable) -> Mapping[str, str]:
    pins = {role: column for role, column in options.roles.items() if not column.startswith(FOLDER_PIN)}
    if MERGED_SPLIT in table.frame.columns:
        pins.setdefault("split", MERGED_SPLIT)
    if CASE_FILE in table.frame.columns:
        pins.setdefault("path", CASE_FILE)
    return pins


def _image_listing(listing: Listing, options: Options) -> Listing:
    if options.root is not None:
        return list_files(options.root)
    return list_files(listing.root) if listing.is_file else listing
