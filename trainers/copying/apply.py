"""The corrected copy: what `fix` writes. Whole or not at all, and never over the user's data.

In the folder: the label table in the user's own form, a corrected column beside each original one; `corrections.csv`,
`removed.csv`, `weights.csv`; images, where a strategy wrote or made some (then all of them, in `images/`); `synthetic.csv`, the
rows of those that it made, and `additions.csv`, what they were made from; `boxes.csv` and `readings.csv`, where other
files than the label table hold some; and a medaudit.toml, so that `medaudit scan FOLDER`
opens the copy right away: corrected columns are read in the place of their originals, and images where they lie. A dataset
without a table gets one (`labels.csv`); of an npz a new npz is written.

A proposal whose files hold a medaudit.toml is a whole copy of its own (`deidentify`): it is taken as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.config import Config
from auditor.layout import CONFIG_NAME, Options
from auditor.tables.tables import table_format
from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from trainers.copying.additions import Addition, placed
from trainers.copying.applied import Applied
from trainers.copying.beside import beside, table_of
from trainers.copying.cells import Cells
from trainers.copying.corrected_copy import (
    IMAGES,
    MEMORY,
    ORIGINAL,
    STATE,
    State,
    applied_changes,
    removed_rows,
    state_file,
    table_files,
)
from trainers.copying.decide import MOST_REMOVED, decide_corrections, decide_removals
from trainers.copying.images import bring_images, files_that_stay
from trainers.copying.ledger import (
    ADDITIONS,
    CORRECTIONS,
    REMOVED,
    WEIGHTS,
    Removal,
    additions_file,
    corrections_file,
    removed_file,
    weights_file,
)
from trainers.copying.memory import state_of_copy
from trainers.copying.place import bring, built, check_place, put
from trainers.copying.source import open_source
from trainers.copying.writing import write_arrays


def apply(
    dataset: Dataset,
    proposals: Sequence[Proposal],
    output: Path,
    *,
    target: Path,
    options: Options | None = None,
    config: Config | None = None,
    force: bool = False,
    most_removed: float = MOST_REMOVED,
    additions: Sequence[Addition] = (),
    extra: Mapping[str, bytes | Path] | None = None,
) -> Applied:
    """Write the corrected copy into a new folder; an earlier copy that lies there is replaced.

    Args:
        dataset: as scanned.
        proposals: in the order in which they are applied; a later one sees what the earlier ones left.
        output: the folder, below `medaudit-out` or outside the dataset.
        target: what was scanned.
        options: as of the scan (`Plan.options`).
        config: as of the scan; its gate, thresholds and waivers go into the copy's medaudit.toml.
        force: apply also corrections that are not safe.
        most_removed: share of the records of a class that may leave, 0–1.
        additions: records that strategies made (`additions_of`).
        extra: further files of the copy: path in it → content, or the file to be copied. Those of a whole copy of its own lie
            beside it, in `NAME-report`: they name records as they were called before.

    Raises:
        ConfigError: the place cannot be used, or the proposals do not go together.
        DatasetError: the label table is not the one that was scanned, or cannot hold a new value.
        MedauditError: the folder cannot be written.
    """
    config, extra = config or Config(), extra or {}
    limits = config.limits_of()
    options = replace(options or Options(), limits=limits)
    # Of an npz that was named only the file itself is the dataset, whatever else lies in its folder.
    roots = () if target.is_file() and dataset.summary.layout == "medmnist" else (dataset.root, options.root)
    sources = tuple(path for path in (target, *roots) if path is not None)
    check_place(output, sources)
    whole = [p for p in proposals if CONFIG_NAME in p.files]
    if whole:
        return _whole(whole[0], proposals, additions, output, extra, sources)
    source = open_source(dataset, target, options)
    cells = Cells(source, dataset)
    removals = decide_removals(dataset, proposals, cells, most=most_removed)
    gone = {removal.record: removal for removal in removals if removal.applied}
    entries = tuple(decide_corrections(proposals, cells, gone, force=force))
    files = files_that_stay(proposals, frozenset(gone))
    if files and source.form == "npz":
        raise ConfigError("images inside an npz cannot be written anew one by one; unpack them into a folder first")
    tables_beside = beside(dataset, source)
    added = placed(additions, dataset, cells, gone)
    state = state_of_copy(
        dataset, source, cells, entries, removals, options, config, output, rewritten=bool(files) or added.count > 0,
        added=added, beside=tuple(tables_beside),
    )  # fmt: skip
    weights, strategies = weights_of(dataset, proposals, frozenset(gone))
    paths = {str(r): str(p) for r, p in dataset.records["path"].dropna().items()}
    changed, leaving = applied_changes(entries), removed_rows(removals)
    with built(output) as folder:
        for name, content in table_files(state, source.parts, tables_beside, changed, leaving, limits).items():
            put(folder / name, content)
        for name, part in zip(state.tables, source.parts, strict=True):
            put(folder / ORIGINAL / name, part.content)
        for name, table in tables_beside.items():
            put(folder / MEMORY / name, table_of(table))
        put(folder / STATE, state_file(state))
        put(folder / CORRECTIONS, corrections_file(entries))
        if removals:
            put(folder / REMOVED, removed_file(removals))
        if weights:
            _keep(folder, WEIGHTS, weights_file(weights, paths, strategies))
        if source.form == "npz":
            write_arrays(state.arrays, dataset.root, folder, changed, leaving, limits)
        if state.rewritten:
            bring_images(folder / IMAGES, dataset, cells, {**files, **added.files}, frozenset(gone))
        if added.entries:
            _keep(folder, ADDITIONS, additions_file(added.entries))
        _add(folder, extra)
    tables = {part.name: part.content for part in source.parts} if source.form == "table" else {}
    return Applied(
        output=output, reports=output, entries=entries, removals=removals,
        weighted=sum(w != 1 for w in weights.values()), files=len(files), tables=tables,
        added=added.count, notes=(*_notes(dataset, removals), *added.notes),
    )  # fmt: skip


def _keep(folder: Path, name: str, content: bytes) -> None:
    """A file that goes when the copy is undone, and comes back when it is applied again."""
    put(folder / name, content)
    put(folder / MEMORY / name, content)


def weights_of(
    dataset: Dataset, proposals: Sequence[Proposal], gone: frozenset[str]
) -> tuple[dict[str, float], dict[str, str]]:
    """Weight of every record that stays (the product over the proposals), and who weighed it; empty where nobody did."""
    if not any(proposal.weights for proposal in proposals):
        return {}, {}
    weights = {str(record): 1.0 for record in dataset.records.index if record not in gone}
    strategies: dict[str, str] = {}
    for proposal in proposals:
        for record, weight in proposal.weights.items():
            if record in weights:
                weights[record] *= float(weight)
                before = strategies.get(record)
                strategies[record] = proposal.strategy if before is None else f"{before}+{proposal.strategy}"
    return weights, strategies


def _whole(
    proposal: Proposal,
    proposals: Sequence[Proposal],
    additions: Sequence[Addition],
    output: Path,
    extra: Mapping[str, bytes | Path],
    sources: tuple[Path, ...],
) -> Applied:
    """A copy that a strategy made as a whole."""
    others = [p.strategy for p in proposals if p is not proposal and (p.corrections or p.removed or p.weights or p.files)]
    others += dict.fromkeys(addition.strategy for addition in additions)
    if others:
        raise ConfigError(
            f"--strategy {proposal.strategy}: makes a copy of its own and goes with no other ({', '.join(others)}); "
            "fix its copy afterwards"
        )
    with built(output) as folder:
        for name, made in proposal.files.items():
            bring(folder / name, Path(made))
        put(folder / STATE, state_file(State(form="whole")))
    # Reports name records as they were called before, which such a copy is made to forget.
    reports = output.with_name(f"{output.name}-report")
    if extra:
        check_place(reports, sources)
        with built(reports) as folder:
            put(folder / STATE, state_file(State(form="whole")))
            _add(folder, extra)
    images = sum(table_format(name) is None and name != CONFIG_NAME for name in proposal.files)
    return Applied(output=output, reports=reports, files=images, tables={}, notes=proposal.notes)


def _add(folder: Path, extra: Mapping[str, bytes | Path]) -> None:
    for name, content in extra.items():
        if isinstance(content, bytes):
            put(folder / name, content)
        else:
            bring(folder / name, content)


def _notes(dataset: Dataset, removals: Sequence[Removal]) -> tuple[str, ...]:
    notes: list[str] = []
    over = sum("over the limit" in removal.note for removal in removals)
    if over:
        notes.append(f"{over:,} removals are over the limit of a class and only proposed")
    if dataset.rows is not None and dataset.rows.changed():
        notes.append("the label table was changed since it was scanned: the copy holds it as it was then")
    return tuple(notes)
