"""From a dataset and what was decided about it to what its copy will remember: names of columns, and medaudit.toml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from auditor.config import Config
from auditor.evidence.kin.groups import SYNTHETIC
from auditor.layout import Options
from auditor.values.dataset import ROLES, Dataset
from trainers.copying.additions import Added, columns_of_added, table_name
from trainers.copying.beside import KEYS
from trainers.copying.cells import Cells
from trainers.copying.corrected_copy import State
from trainers.copying.forms.column import named
from trainers.copying.ledger import ADDITIONS, CORRECTIONS, REMOVED, WEIGHTS, Entry, Removal
from trainers.copying.source import Source

LEDGER = (CORRECTIONS, REMOVED, WEIGHTS, ADDITIONS)
RESERVED = (*LEDGER, *KEYS, f"{SYNTHETIC}.csv", f"{SYNTHETIC}-train.csv")
"""Names of files of ours in a copy."""


def state_of_copy(
    dataset: Dataset,
    source: Source,
    cells: Cells,
    entries: tuple[Entry, ...],
    removals: tuple[Removal, ...],
    options: Options,
    config: Config,
    output: Path,
    *,
    rewritten: bool,
    added: Added,
    beside: tuple[str, ...],
) -> State:
    """What the copy will remember."""
    touched = dict.fromkeys(column for entry in entries for _, column, _, _ in entry.edits)
    existing = [str(name) for name in source.cells]
    in_files = [*existing, *source.corrected.values()]
    names: dict[str, str] = {}
    for column in dict.fromkeys((*source.corrected, *touched)):
        stem = "split" if column in source.virtual else column
        names[column] = source.corrected[column] if column in source.corrected else named([*in_files, *names.values()], stem)
    return State(
        form=source.form,
        tables=tuple(_free_name(part.name) for part in source.parts),
        names=names,
        existing=tuple(source.corrected),
        virtual={column: [str(v) for v in cells.column(column)] for column in names if column in cells.virtual},
        roles={column: column for column in names if column in cells.virtual - source.virtual},
        config=config_of_copy(dataset, source, options, config, beside=beside),
        arrays=tuple(dict.fromkeys(dataset.records["path"].astype(str))) if source.form == "npz" else (),
        root=os.path.relpath(dataset.root.resolve(), output.resolve()).replace(os.sep, "/"),
        rewritten=rewritten,
        entries=entries,
        removals=removals,
        added=(table_name(source),) if added.count else (),
        made=columns_of_added(added, source) if added.count else {},
        hidden=tuple(cells.virtual) if added.count else (),
        beside=beside,
    )


def _free_name(name: str) -> str:
    """The table's own name, unless it is one of ours."""
    return f"table-{name}" if name in RESERVED else name


def config_of_copy(
    dataset: Dataset, source: Source, options: Options, config: Config, *, beside: tuple[str, ...]
) -> dict[str, Any]:
    """medaudit.toml of the copy: gate and thresholds as they were, the roles pinned, the images where they lie."""
    kept: dict[str, Any] = config.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    # Predictions are for the records as they were.
    kept.get("scan", {}).pop("predictions", None)
    # A baseline lies beside the file that names it, and is of the original; the scan of the copy is given it by name.
    kept.get("scan", {}).pop("baseline", None)
    kept["roles"] = {}
    if source.form == "npz":
        kept["dataset"] = {"layout": "medmnist"} | ({"task": options.task} if options.task else {})
        kept["dataset"]["own-tables"] = [*(_free_name(part.name) for part in source.parts), *LEDGER]
        return kept
    labels = dataset.labels
    # Readings without a released label have no task, and must not be pinned to have none: their labels are the readings.
    section = {
        "layout": "table", "root": "", "tables": [_free_name(part.name) for part in source.parts],
        **{KEYS[name]: name for name in beside},
        "level": options.level or (labels.level if source.labels else None),
        "task": options.task or (labels.task if labels.task != "none" and source.style != "columns" else None),
        "separator": source.separator if source.style == "joined" else options.separator,
        "label-origin": labels.origin if labels.origin != ", ".join(source.labels) else "",
        "channels": dict(source.channels or options.channels),
        "mask-names": {str(value): name for value, name in dataset.mask_names.items()},
    }  # fmt: skip
    kept["dataset"] = {key: value for key, value in section.items() if value not in (None, {}) and (value or key == "root")}
    roles = dict(source.roles) if source.form == "made" else pinned(dataset)
    if source.labels and not any("," in name for name in source.labels):
        roles["label"] = ",".join(source.labels)
    kept["roles"] = {role: column for role, column in roles.items() if role in ROLES}
    return {"dataset": kept.pop("dataset"), "roles": kept.pop("roles"), **kept}


def pinned(dataset: Dataset) -> dict[str, str]:
    """Role → column of the table, as the scan found them."""
    found = {guess.role: guess.column for guess in dataset.summary.guesses if guess.column is not None}
    return {role: column for role, column in found.items() if role in ROLES and role != "label" and column}
