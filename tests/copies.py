"""Small datasets on disk, and what is needed to correct them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image

from auditor.plan import Plan, plan_for
from auditor.scan import examine
from auditor.values.corrections import Correction, Proposal
from auditor.values.dataset import Dataset
from auditor.values.results import ScanResult
from trainers.copying.applied import Applied
from trainers.copying.apply import apply
from trainers.strategy import Case
from trainers.values.trust import Trust
from trainers.values.view import View

if TYPE_CHECKING:
    from trainers.engine.bench import Bench

HEADER = ("id", "file", "patient", "finding", "split", "note")


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """A dataset as scanned, and how."""

    target: Path
    plan: Plan
    dataset: Dataset
    result: ScanResult

    def apply(self, output: Path, *proposals: Proposal, **options: object) -> Applied:
        """Write the corrected copy."""
        return apply(
            self.dataset, proposals, output, target=self.target, options=self.plan.options, config=self.plan.config,
            **options,  # type: ignore[arg-type]
        )  # fmt: skip


def scanned(target: Path, select: Sequence[str] = ("IN", "SP"), **options: object) -> Scanned:
    """Scan a dataset with few checks, here and without a cache; its own medaudit.toml is named, as of a copy of ours."""
    own = target / "medaudit.toml"
    options = {"config": own if own.is_file() else None} | options
    plan = plan_for(target, select=select, workers=0, cache=False, **options)  # type: ignore[arg-type]
    found = examine(plan, provide={"links", "rows"})
    return Scanned(target=target, plan=plan, dataset=found.dataset, result=found.result)


def picture(seed: int, side: int = 20) -> np.ndarray:
    """Noise that looks like no other."""
    return np.random.default_rng(seed).integers(0, 255, (side, side), dtype=np.uint8)


def rows_of(count: int = 20) -> list[tuple[str, ...]]:
    """Rows of a label table: ids with leading zeros, a class NA, unicode, a formula, quotes."""
    rows = []
    for i in range(count):
        note = {0: "=1+1", 1: 'say "no"', 2: "Müller, 腫瘍"}.get(i, f"n{i % 3}")
        split = ("train", "train", "val", "test")[i // 2 % 4]
        rows.append((f"{i:03d}", f"bild_ä{i:02d}.png", f"P{i // 2:02d}", ("NA", "007")[i % 2], split, note))
    return rows


def write_pictures(folder: Path, count: int = 20) -> None:
    """The pictures that `rows_of` names."""
    folder.mkdir(parents=True)
    for i in range(count):
        Image.fromarray(picture(i)).save(folder / f"bild_ä{i:02d}.png")


def label(record: str, old: str, new: str, *, safe: bool = True, strategy: str = "teacher", field: str = "label") -> Correction:
    """A correction of a label."""
    return Correction(
        record=record, field=field, old=old, new=new, code="LN001", strategy=strategy, reason="-1 looks wrong", safe=safe,
        confidence=0.9,
    )  # fmt: skip


def proposal(*corrections: Correction, strategy: str = "teacher", **more: object) -> Proposal:
    """A proposal of one strategy."""
    return Proposal(strategy=strategy, summary="", corrections=corrections, **more)  # type: ignore[arg-type]


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def case_of(seen: Scanned, work: Path, **options: str) -> Case:
    """What a strategy is given, with nothing of a bench but its view: for strategies that train nothing."""
    size = seen.dataset.size
    none, every = np.zeros(size, dtype=np.bool_), np.ones(size, dtype=np.bool_)
    trust = Trust(trusted=none, validation=none, evaluation=none, training=every, origin="nobody", self_graded=True)
    return Case(
        dataset=seen.dataset, result=seen.result, trust=trust, work=work, options=options,
        bench=cast("Bench", SimpleNamespace(view=View.of(seen.dataset))),
    )  # fmt: skip
