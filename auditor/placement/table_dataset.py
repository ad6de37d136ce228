"""From the rows of a label table and the files that they name to a Dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.labels import text_of
from auditor.naming.names import split_name
from auditor.placement.box_tables import boxes_beside, boxes_named
from auditor.placement.channels import find_channels
from auditor.placement.claims import Claims, claim
from auditor.placement.listing import Listing, Options
from auditor.placement.masks import Masks, worth
from auditor.placement.path_roles import beside_columns
from auditor.placement.rater_masks import RaterMasks
from auditor.placement.reading_tables import readings_beside, readings_named
from auditor.placement.records import Draft, build
from auditor.placement.resolve import resolve_names
from auditor.placement.row_roles import add_case, add_listed_splits
from auditor.placement.table_labels import Table, released_labels, says_one
from auditor.placement.table_readings import read_boxes, read_points, readings_of
from auditor.placement.table_records import TableRecords, records_of_rows, rows_kept
from auditor.tables.columns import describe_columns
from auditor.tables.label_table import LabelTable
from auditor.tables.roles import Roles
from auditor.values.dataset import Dataset, Problem
from auditor.values.results import Guess


class TableLoader:
    """One load: from the table, its roles and the files to the Dataset."""

    def __init__(
        self,
        table: LabelTable,
        tables: tuple[str, ...],
        files: Listing,
        images: Sequence[str],
        masks: Masks,
        drawn: RaterMasks,
        roles: Roles,
        listing: Listing,
        left_out: frozenset[str],
        channels: Mapping[str, Sequence[str | None]],
        *,
        options: Options,
    ) -> None:
        self.table, self.tables, self.files, self.images = table, tables, files, images
        self.mask_of, self.mask_files, self.roles, self.listing = masks.of, masks.files | drawn.files, roles, listing
        self.drawn, self.left_out, self.channels, self.options = drawn, left_out, channels, options
        self.chosen = listing.is_file or bool(options.tables)
        self.inventory = files.inventory
        self.frame = table.frame
        self.grouped = False
        self.paths: npt.NDArray[np.object_] = np.array([], dtype=object)
        self.missing = 0
        self.unlisted: list[str] = []
        self.box_tables: tuple[str, ...] = ()
        self.reading_tables: tuple[str, ...] = ()
        self.lists: tuple[str, ...] = ()
        self.notes = [*table.notes, *roles.notes]
        self.guesses: list[Guess] = list(roles.guesses)
        self.problems: list[Problem] = [*files.problems, *table.problems]

    def dataset(self) -> Dataset:
        """The Dataset: records, labels, readings, masks, boxes and metadata, and what is amiss with the files."""
        found = records_of_rows(self.table, self.roles, self.files.root, self.images)
        names, rows, ids, row_record = found.names, found.rows, found.ids, found.row_record
        self.paths, self.grouped = names, found.grouped
        self.notes += found.notes
        self.problems += found.problems
        index = pd.Index(ids, name="record", dtype="str")
        columns: dict[str, Sequence[object] | pd.Series] = {"line": pd.Series(self.table.lines[rows])}
        if "path" in self.roles.columns:
            columns["path"] = pd.Series(names[rows])
        self._report_files(found)
        for role in ("split", "patient", "lesion", "study", "series", "site", "fold", "time"):
            if role in self.roles.columns:
                columns[role] = self._text(role, rows)
        if not self.chosen:
            self.lists = add_listed_splits(self.files, self.images, columns, self.guesses)
        add_case(self.table, rows, columns, self.guesses)
        self.guesses += beside_columns([str(name) for name in names[rows]], columns, self.roles, self.options.roles)
        self._no_splits_of_readers(columns)
        mask = self._masks(names[rows], rows)
        if mask is not None:
            columns["mask"] = mask
        drawn = self._drawn(names[rows], ids)
        boxes = None
        if self.roles.boxes is not None:
            boxes = read_boxes(self.frame, self.roles, row_record, self.table.lines, self.table.path.name)
        boxes = self._boxes_beside(boxes, names[rows], ids)
        points = None
        if self.roles.points is not None:
            points = read_points(self.frame, self.roles, row_record)
        table = Table(
            frame=self.frame, roles=self.roles, rows=rows, row_record=row_record, grouped=self.grouped,
            paths=["" if not isinstance(path, str) else path for path in self.paths[rows]],
        )  # fmt: skip
        labels, guesses, notes = released_labels(table, index, self.options)
        self.guesses += guesses
        self.notes += notes
        annotations = self._readings(names, rows, ids, row_record)
        taken = {*self.roles.used, *self.options.channels.values()}
        free = [str(name) for name in self.frame.columns if name not in taken]
        free += [self.roles.columns[role] for role in ("site", "time") if role in self.roles.columns]
        if self.grouped:
            free = [name for name in free if says_one(self.frame[name], row_record)]
        metadata = describe_columns(self.frame, free, rows)
        if metadata.left_out:
            text = ", ".join(metadata.left_out)
            self.notes.append(f"columns with another text in almost every row are no metadata: {text}")
        dataset = build(
            Draft(
                root=self.files.root,
                name=self.listing.target.name,
                claims=self._claims(),
                ids=ids,
                labels=labels,
                columns=columns,
                metadata=metadata.columns,
                fields=metadata.fields,
                annotations=annotations,
                boxes=boxes,
                points=points,
                rater_masks=drawn,
                channels=self._channels(names, rows),
                mask_names=self.options.mask_names,
                counts=self._counts(),
                guesses=tuple(self.guesses),
                notes=tuple(self.notes),
                problems=tuple(self.problems),
            )
        )
        return replace(dataset, rows=rows_kept(self.listing, self.tables, self.table, self.roles))

    def _readings(
        self,
        names: npt.NDArray[np.object_],
        rows: npt.NDArray[np.int64],
        ids: Sequence[str],
        row_record: npt.NDArray[np.object_],
    ) -> pd.DataFrame | None:
        """What readers said: in this table, or else in others beside it; there by image, or by record where there are none."""
        readings, unread = readings_of(self.frame, self.roles, rows, ids, row_record)
        if unread:
            shown = ", ".join(repr(word) for word in sorted(unread)[:6])
            self.notes.append(f"no readings but states of the work, left out: {shown}")
        named = self.options.readings
        if readings is not None or (self.chosen and named is None):
            return readings
        called = names[rows] if "path" in self.roles.columns and self.images else np.asarray(ids, dtype=object)
        records = _by_name(called, ids)
        if named is not None:
            return readings_named(self.listing, named, self.files.root, records)
        found = readings_beside(self.files, (*self.tables, *self.box_tables), records)
        if found is None:
            return None
        self.reading_tables = found.tables
        self.notes.append(found.told)
        self.guesses.append(Guess(role="rater", value="beside the label table", confidence=0.9, why=found.told))
        return found.readings

    def _report_files(self, found: TableRecords) -> None:
        """Missing and unlisted files; nothing is missing where no image is there at all."""
        resolved, names = found.resolved, found.names
        if resolved is None or not resolved.found:
            if resolved is not None:
                count = len(self.images) if self.inventory.images else 0
                there = f"none of the {count:,} images is named by the table" if count else "no image found"
                self.notes.append(f"{there} under {self.files.root.name}: only the table is audited (say where with --root)")
            return
        known = {file for file in resolved.files if file is not None}
        reports = set(self.inventory.reports)
        for row, record in zip(found.rows.tolist(), found.ids, strict=True):
            name = names[row]
            if name and name not in known:
                several = name in resolved.doubtful
                reason = "several files fit this name: none was taken" if several else "named by the table, but not there"
                reason = "named by the table, but a structured report: it holds no picture" if name in reports else reason
                line = int(self.table.lines[row])
                self.problems.append(Problem(kind="missing", path=name, reason=reason, record=record, line=line))
                self.missing += 1
        self.unlisted = [path for path in self.images if path not in known and path not in self.left_out]
        reason = "there, but not named by the table"
        self.problems += [Problem(kind="unlisted", path=path, reason=reason) for path in self.unlisted]

    def _text(self, role: str, rows: npt.NDArray[np.int64]) -> pd.Series:
        column = self.frame[self.roles.columns[role]].iloc[rows]
        if role == "split":
            names = [str(value) for value in column.cat.categories]
            if all(split_name(name) or not name for name in names):
                mapped = np.array([split_name(name) or "" for name in names], dtype=object)
                return pd.Series(mapped[column.cat.codes.to_numpy()])
        return pd.Series(text_of(column))

    def _no_splits_of_readers(self, columns: dict[str, Sequence[object] | pd.Series]) -> None:
        """Of a panel, "val" and "test" say what readings were used for: nothing is trained on one and tried on the other."""
        if "split" not in columns or not (self.roles.raters or "rater" in self.roles.columns) or self.roles.labels:
            return
        said = {split for split in columns["split"] if isinstance(split, str) and split}
        if said and said <= {"val", "test"}:
            del columns["split"]
            self.notes.append(f"{' and '.join(sorted(said))} of a panel of readers are no training split: not compared")

    def _masks(self, names: npt.NDArray[np.object_], rows: npt.NDArray[np.int64]) -> Sequence[object] | None:
        column = self.roles.columns.get("mask")
        if column is not None:
            categories = [str(value) for value in self.frame[column].cat.categories]
            resolved = resolve_names(self.files.root, categories, (*self.inventory.images, *self.inventory.containers))
            table = np.array(
                [file or name or "" for file, name in zip(resolved.files, resolved.names, strict=True)], dtype=object
            )
            masks = table[self.frame[column].cat.codes.to_numpy()][rows]
            self.mask_files = self.mask_files | {file for file in resolved.files if file is not None}
            taken = {file for file in resolved.files if file is not None}
            self.problems = [p for p in self.problems if not (p.kind == "unlisted" and p.path in taken)]
            self.unlisted = [path for path in self.unlisted if path not in taken]
            return list(masks)
        if not self.mask_of:
            return [self.drawn.first(name) for name in names] if self.drawn.of else None
        of = {name: (*self.mask_of.get(name, ()), *self.drawn.of.get(name, {}).values()) for name in map(str, names)}
        self.guesses.append(Guess(role="mask", value="file names", confidence=0.9, why="files called as masks of the images"))
        return [min(of[str(name)], key=worth) if of[str(name)] else None for name in names]

    def _drawn(self, names: npt.NDArray[np.object_], ids: Sequence[str]) -> pd.DataFrame | None:
        if not self.drawn.of:
            return None
        self.guesses.append(Guess(role="mask", value="folders of raters", confidence=0.9, why=self.drawn.why))
        return self.drawn.frame(_by_name(names, ids))

    def _boxes_beside(
        self, boxes: pd.DataFrame | None, names: npt.NDArray[np.object_], ids: Sequence[str]
    ) -> pd.DataFrame | None:
        """Of the table named for them; or of the label table, or else of others beside it, unless the user named the table."""
        named = self.options.boxes
        if named is None and (boxes is not None or self.chosen):
            return boxes
        known = set(self.images)
        records = {name: of for name, of in _by_name(names, ids).items() if name in known}
        if named is not None:
            return boxes_named(self.listing, named, self.files.root, records)
        found, more = boxes_beside(self.files, self.tables, records)
        if found is not None:
            self.box_tables = more
            self.notes.append(f"{len(found):,} boxes are read from {', '.join(more[:3])}, beside the label table")
        return found

    def _channels(self, names: npt.NDArray[np.object_], rows: npt.NDArray[np.int64]) -> dict[str, list[str | None]]:
        """The files of cases that have several: as the table says, or told by their names where it names one of each."""
        if self.channels:
            first, *others = self.channels
            of_rows = {name: [self.channels[name][row] for row in rows.tolist()] for name in others}
            # a case that lacks the first is called by one of the others
            further = [{paths[i] for paths in of_rows.values()} for i in range(len(rows))]
            own = [str(name) if name and name not in known else None for name, known in zip(names[rows], further, strict=True)]
            return {first: own, **of_rows}
        found = find_channels([path for path in self.inventory.images if path not in self.mask_files])
        if found.of:
            self.notes.append(found.note)
        return found.columns([str(name) for name in names[rows]])

    def _claims(self) -> Claims:
        """The masks, and the tables that were read: also one called `.txt`, and one that lies outside the images' folder."""
        masks = [path for path in self.inventory.images if path in self.mask_files]
        places = [self.listing.root / name for name in (*self.tables, self.options.boxes, self.options.readings) if name]
        root = self.files.root
        tables = [(place.relative_to(root) if place.is_relative_to(root) else place).as_posix() for place in places]
        tables += [*self.box_tables, *self.reading_tables, *self.table.joined.values()]
        return claim(self.files, "table", masks=masks, tables=tables, annotations=self.lists, chosen=self.chosen)

    def _counts(self) -> dict[str, int]:
        return {
            "rows": self.table.rows,
            "rows_used": len(self.frame),
            "rows_malformed": self.table.rows - len(self.frame),
            "missing": self.missing,
            "unlisted": len(self.unlisted),
        }


def _by_name(names: npt.NDArray[np.object_], ids: Sequence[str]) -> dict[str, list[str]]:
    """Name of an image → its records."""
    found: dict[str, list[str]] = {}
    for name, record in zip(names, ids, strict=True):
        if name:
            found.setdefault(str(name), []).append(record)
    return found
