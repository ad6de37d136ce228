"""The job of `medaudit fix`: correct → a trial copy → second scan → the copy with its report, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from auditor.evidence.privacy.withhold import Withholding, telling_parts, withhold
from auditor.layout import CONFIG_NAME
from auditor.plan import Plan, plan_for
from auditor.progress import Progress, Silent
from auditor.scan import examine
from auditor.values.corrections import Arm, Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import MedauditError
from auditor.values.results import Cell, Column, ScanResult, Table
from trainers.attempt import Attempt, Order
from trainers.copying.applied import Applied
from trainers.copying.apply import apply
from trainers.copying.ledger import Removal, key_of
from trainers.copying.pairs import in_copy, rewritten_records
from trainers.copying.place import check_place
from trainers.copying.provenance import provenance
from trainers.correct import Corrected, added_by, correct, held_back
from trainers.model_files import model_files
from trainers.second_scan import files_of_boxes, looked_at, named_as, parts_lost, renamed_images

MAX_THUMBNAILS = 200
MANY_AGES = 10
"""Ages are counted in steps of so many years."""


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Everything about one run; what a report is drawn from.

    Args:
        corrected: what was proposed, trained and evaluated.
        arms: the strategies that were tried, fit for being shown: names of files that name a person are withheld.
        applied: what the copy holds; None where nothing was written (`--check`).
        after: the scan of the copy.
        kept: strategies whose proposals are applied; `held`: why others are not, a sentence each.
        renamed: path in the copy → record id in the dataset and old path, of images that have another name in the copy.
        looked: files that the scan of the copy looked at or that left, as reports call them; None where all have other names.
        absent: what the records that stay had and the scan of the copy did not see, in words.
        removed: tables of the records that left, per class, split, site, sex and age.
        thumbnails: pictures of corrected records; `pictures`: what some of them are in the copy, where files were written anew.
    """

    corrected: Corrected
    arms: tuple[Arm, ...]
    applied: Applied | None = None
    after: ScanResult | None = None
    kept: tuple[Attempt, ...] = ()
    held: tuple[str, ...] = ()
    renamed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    looked: frozenset[str] | None = None
    absent: tuple[str, ...] = ()
    removed: tuple[Table, ...] = ()
    configuration: Mapping[str, Cell] = field(default_factory=dict)
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def leading(self) -> Attempt | None:
        """The chosen strategy whose evaluation the verdict is of; None where no network was compared."""
        return next((a for a in self.corrected.chosen if a.evaluation is not None), None)

    @property
    def harmed(self) -> bool:
        """The evaluation says harmed, and nothing was applied."""
        leading = self.leading
        return (
            leading is not None and leading.evaluation is not None and leading.evaluation.verdict == "harmed" and not self.kept
        )


Render = Callable[[Fixed], Mapping[str, bytes]]
"""Reports of a run: file name → content. Given by the front door: `trainers` draws nothing."""


def fix(order: Order, plan: Plan, output: Path, *, work: Path, render: Render, progress: Progress | None = None) -> Fixed:
    """Correct a dataset and write the copy.

    Args:
        order: what is asked for.
        plan: of both scans; with the dataset, which is only read.
        output: folder of the copy; an earlier copy there is replaced.
        work: private folder; removed when the run ends well, so that an interrupted one goes on from its checkpoints.
        render: draws the reports that lie in the copy.

    Raises:
        DatasetError, ConfigError, MedauditError: as `correct` and `apply`.
    """
    progress = progress or Silent()
    check_place(output, (plan.target,))
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    corrected = correct(order, plan, work=work, progress=progress)
    refuse_another(corrected, order)
    configuration = settings(order, corrected)
    if order.check:
        shutil.rmtree(work, ignore_errors=True)
        arms = tuple(attempt.arm for attempt in corrected.attempts)
        return shown(Fixed(corrected=corrected, arms=arms, configuration=configuration))
    dataset = corrected.dataset
    kept = tuple(a for a in corrected.chosen if not held_back(a, order))
    held = tuple(reason for a in corrected.chosen if (reason := held_back(a, order)))
    proposals = [shown_only(a) if a not in kept else a.proposal for a in corrected.chosen]
    final = [p for p in proposals if p is not None]
    write = partial(
        apply, dataset, final, target=plan.target, options=plan.options, config=plan.config, force=order.force,
        additions=added_by(kept),
    )  # fmt: skip
    trial = work / "trial"
    # that of a run which was killed while it tidied up may lack what tells it from files of others
    shutil.rmtree(trial, ignore_errors=True)
    applied = write(trial)
    kept, held = without_unwritten(kept, held, applied, force=order.force)
    copy = examine(plan_of_copy(trial, plan, dataset), progress=progress)
    written = rewritten_records(dataset, renamed_images(applied), final)
    pairs = {record: copy.dataset.thumbnails[own] for record, own in in_copy(copy.dataset, written).items()
             if own in copy.dataset.thumbnails and record in dataset.thumbnails}  # fmt: skip
    alone = any(CONFIG_NAME in p.files for p in final)
    fixed = shown(Fixed(
        corrected=corrected, arms=as_applied([a.arm for a in corrected.attempts], applied), applied=applied, kept=kept,
        held=held, after=named_as(copy.result, corrected.before, files_of_boxes(dataset)), configuration=configuration,
        looked=None if alone else frozenset(looked_at(dataset, copy.dataset, applied)),
        absent=() if alone else parts_lost(dataset, copy.dataset, applied),
        removed=removed_tables(dataset, [r for r in applied.removals if r.applied]),
        thumbnails=pictures_of(dataset, final) | {record: dataset.thumbnails[record] for record in pairs},
        renamed=renamed_images(applied), pictures=pairs,
    ))  # fmt: skip
    extra: dict[str, bytes | Path] = {
        **model_files(fixed.kept, corrected.trust, work),
        **render(fixed),
        "provenance.json": provenance(
            dataset, applied.tables, tool_version=plan.tool_version, configuration=configuration,
            seeds=[order.seed + i for i in range(order.seeds)], device=corrected.bench.device_name,
        ),
    }  # fmt: skip
    applied = write(output, extra=extra)
    shutil.rmtree(work, ignore_errors=True)
    return replace(fixed, applied=applied)


def without_unwritten(
    kept: tuple[Attempt, ...], held: tuple[str, ...], applied: Applied, *, force: bool
) -> tuple[tuple[Attempt, ...], tuple[str, ...]]:
    """The strategies that did something to the copy, and why others did not: what the copy does not take is not done."""
    empty = {a.strategy.name: r for a in kept if (r := _unwritten(a, applied.unwritten.get(a.strategy.name, ""), force=force))}
    return tuple(a for a in kept if a.strategy.name not in empty), (*held, *empty.values())


def _unwritten(attempt: Attempt, reason: str, *, force: bool) -> str:
    """Why nothing that a strategy would have done by itself is in the copy; empty where something is."""
    proposal = attempt.proposal
    if proposal is None or not reason or proposal.weights or proposal.files:
        return ""
    wanted = sum(c.safe or force for c in proposal.corrections) + len(proposal.removed)
    return f"{attempt.strategy.name} is not applied: none of its changes is in the copy: {reason}" if wanted else ""


def refuse_another(corrected: Corrected, order: Order) -> None:
    """A strategy that makes the whole copy was asked for and did not fit: any other copy would be taken for what was asked for.

    Raises:
        MedauditError: so it is.
    """
    for attempt in corrected.attempts:
        if attempt.strategy.alone and attempt.skipped and attempt.strategy.name in order.strategies:
            reason = withhold(attempt.skipped, corrected.names)
            raise MedauditError(f"{attempt.strategy.name}: {reason}; nothing was written")


def plan_of_copy(copy: Path, plan: Plan, dataset: Dataset) -> Plan:
    """The plan of the second scan: the copy's own file, by name, so that what judged the original judges the copy.

    Names that tell of a person are known from the original: of files that were written anew no header says it any more.
    """
    found = plan_for(
        copy, config=copy / CONFIG_NAME, workers=plan.workers, cache=plan.cache is not None, ocr=plan.ocr,
        baseline=plan.baseline, tool_version=plan.tool_version,
    )  # fmt: skip
    return replace(found, telling=tuple(telling_parts(dataset).items()))


def shown(fixed: Fixed) -> Fixed:
    """The run fit for being shown: names that could name a person are withheld, in one place for all that reports draw."""
    hidden = Withholding(fixed.corrected.names)
    return replace(
        fixed, arms=hidden.of(fixed.arms), looked=None if fixed.looked is None else frozenset(hidden.of(sorted(fixed.looked))),
        removed=hidden.of(fixed.removed), renamed=hidden.of(fixed.renamed),
        thumbnails=hidden.of(fixed.thumbnails), pictures=hidden.of(fixed.pictures),
    )  # fmt: skip


def as_applied(arms: Sequence[Arm], applied: Applied) -> tuple[Arm, ...]:
    """The arms with their corrections and removals as the copy holds them: `safe` says of each whether it was applied."""
    held = {key_of(e.correction) for e in applied.entries if e.applied}
    left = {(r.strategy, r.record) for r in applied.removals if r.applied}

    def as_held(proposal: Proposal) -> Proposal:
        corrections = tuple(replace(c, safe=key_of(c) in held) for c in proposal.corrections)
        removed = {record: why for record, why in proposal.removed.items() if (proposal.strategy, record) in left}
        return replace(proposal, corrections=corrections, removed=removed)

    known = {e.correction.strategy for e in applied.entries} | {r.strategy for r in applied.removals}
    return tuple(
        replace(arm, proposal=as_held(arm.proposal)) if arm.proposal is not None and arm.strategy in known else arm
        for arm in arms
    )


def shown_only(attempt: Attempt) -> Proposal | None:
    """The proposal of a strategy that is held back: its corrections wait for a person, and nothing else is done."""
    proposal = attempt.proposal
    if proposal is None:
        return None
    return replace(
        proposal, corrections=tuple(replace(c, safe=False) for c in proposal.corrections), weights={}, removed={}, files={}
    )


def settings(order: Order, corrected: Corrected) -> dict[str, Cell]:
    """What was asked for, and how it was trained, as plain values."""
    found: dict[str, Cell] = {
        "strategies": ", ".join(order.strategies), "seed": order.seed, "seeds": order.seeds, "margin": order.margin,
        "device": corrected.bench.device_name, "forced": order.force, **order.options,
    }  # fmt: skip
    if any(a.fits for a in corrected.attempts):
        recipe = corrected.bench.recipe
        found |= {"network": Path(recipe.network).name, "epochs": recipe.epochs, "batch": recipe.batch, "rate": recipe.rate}
        failed = [fit.uncompiled for a in corrected.attempts for fit in a.fits if fit.uncompiled]
        found |= {"compiled": f"no: {failed[0]}"} if failed else {}
        found["pictures"] = f"{' × '.join(map(str, corrected.bench.pictures.shape))} pixels"
    return found


def pictures_of(dataset: Dataset, proposals: Sequence[Proposal]) -> dict[str, bytes]:
    """Thumbnails of records that are corrected or removed, each strategy in turn."""
    wanted = [
        list(dict.fromkeys([c.record for c in p.corrections] + list(p.removed)))[: MAX_THUMBNAILS // max(1, len(proposals))]
        for p in proposals
    ]
    return {r: dataset.thumbnails[r] for records in wanted for r in records if r in dataset.thumbnails}


def removed_tables(dataset: Dataset, removals: Sequence[Removal]) -> tuple[Table, ...]:
    """How many records left, per class, split, site, sex and age; empty when none did."""
    if not removals:
        return ()
    gone = pd.Index(dataset.records.index).isin([r.record for r in removals])
    tables = []
    for name, title, values in parts(dataset):
        left = values[gone].value_counts()
        total = values.value_counts()
        rows = [str(v) for v in total.sort_index().index]
        tables.append(
            Table(
                name=f"removed_by_{name}", title=f"Removed, by {title}",
                columns=(
                    Column(name=name, kind="class" if name == "class" else "text", values=rows, title=title),
                    Column(name="removed", kind="integer", values=[int(left.get(v, 0)) for v in rows]),
                    Column(name="of", kind="integer", values=[int(total[v]) for v in rows]),
                    Column(name="share", kind="fraction", values=[float(left.get(v, 0) / total[v]) for v in rows]),
                ),
            )
        )  # fmt: skip
    return tuple(tables)


def parts(dataset: Dataset) -> list[tuple[str, str, pd.Series]]:
    """The groups by which a removal could be unfair: name, title, group per record."""
    found: list[tuple[str, str, pd.Series]] = []
    if dataset.labels.task in ("single", "ordinal", "multi"):
        found.append(("class", "class", dataset.labels.values))
    found += [(role, role, dataset.records[role]) for role in ("split", "site") if dataset.has(role)]
    for column in dataset.metadata.columns:
        last = str(column).rpartition(".")[2].lower().removeprefix("patient").strip(" _")
        values = dataset.metadata[column]
        if last in ("sex", "gender"):
            found.append(("sex", "sex", values))
        elif last == "age":
            years = pd.to_numeric(values.astype(str).str.extract(r"(\d+)", expand=False), errors="coerce")
            low = (years // MANY_AGES * MANY_AGES).astype("Int64").astype("string")
            found.append(("age", f"age, from (in steps of {MANY_AGES} years)", low))
    unique = {name: (name, title, values.astype("string").fillna("unknown")) for name, title, values in reversed(found)}
    return [unique[name] for name in dict.fromkeys(name for name, _, _ in found)]
