"""SP008: a split is empty, lacks a class, or has not the size that was declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.kin.duplicates import plural
from auditor.evidence.kin.groups import MAX_SPLITS, declared_splits, split_names
from auditor.evidence.kin.identity import can_tell, identity
from auditor.evidence.masks.split_classes import lacking
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.results import Chart, Column, Coverage, Finding, Severity, Table, Verdict

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class SplitContent(Check):
    """A split is empty, lacks a class, or has not the size that was declared.

    ## What it does
    Counts the records of every class in every split. A class that one split has and another lacks is an error, and so is a
    split that `sizes` names and that has no record. Where a class has fewer records (or patients) than there are splits, no
    split could be right: that is a warning. So is a class of boxes that most images have and none of one split (IN012 tells the
    same of masks). Sizes are compared with the declared ones. A split without any label (a
    challenge's hidden test set) is told as info. Records marked `excluded` belong to no split.

    ## Why is this bad?
    A class that is not in the training part cannot be learnt, one that is not in the test part is not tested, and averages
    over classes then stand for other classes than they name. Declared sizes that do not hold mean that a file list was
    lost, filtered or mixed up.

    ## How to fix
    Split again with the label as a stratum (`medaudit split --stratify label`), or merge or drop a class that is too rare for
    as many splits. Look for the files of an empty split.

    ## Options
    * `sizes`: what was declared, as `["train=0.7", "val=0.15", "test=0.15"]`; empty: nothing was. Sums need not be 1.
    * `max_size_difference` (0.05): largest difference between the share of a split and the declared one.
    * `max_findings`: so many missing classes get a finding each; the table `classes` lists all.

    ## References
    Kohavi 1995, IJCAI (stratified division); Sechidis et al. 2011, ECML (stratification of multi-label data).
    """

    code: ClassVar[str] = "SP008"
    name: ClassVar[str] = "split-content"
    severity: ClassVar[Severity] = Severity.ERROR

    sizes: tuple[str, ...] = ()
    max_size_difference: float = 0.05
    max_findings: int = 50

    def __post_init__(self) -> None:
        """A size that is none is a mistake in medaudit.toml (ConfigError)."""
        declared_sizes(self.sizes)

    def run(self, dataset: Dataset) -> Verdict:
        """Count and compare."""
        splits = declared_splits(dataset)
        declared = declared_sizes(self.sizes)
        if splits is None:
            raise SkipCheck("no splits are known: name their column with --split")
        if splits.nunique() > MAX_SPLITS:
            raise SkipCheck(f"the column of the splits has {splits.nunique():,} values: they are no splits")
        present = split_names(splits)
        if len(present) < 2 and not declared:
            raise SkipCheck("all records are in one split: there is nothing to compare it with")
        names = tuple(dict.fromkeys([*present, *declared]))
        place = pd.Categorical(splits, categories=list(names)).codes.astype(np.int64)
        size = np.bincount(place[place >= 0], minlength=len(names)).astype(np.int64)
        counts, holders, labelled = class_counts(dataset, place, len(names))
        findings = [
            *self.empty(names, size),
            *self.wrong_size(names, size, declared),
            *self.missing(dataset, names, size, counts, holders, labelled),
            *self.undrawn(dataset, splits),
        ]
        table = classes_table(dataset, names, counts, labelled)
        known = int((place >= 0).sum())
        lacking = sum(1 for f in findings if f.subject.startswith("class"))
        return Verdict(
            summary=summary_of(names, size, lacking, sum(size == 0), bool(table.length)),
            metrics={
                **{f"{name}_records": int(n) for name, n in zip(names, size.tolist(), strict=True)},
                **{f"{name}_fraction": n / max(known, 1) for name, n in zip(names, size.tolist(), strict=True)},
                "missing_classes": lacking,
            },
            findings=tuple(findings),
            tables=(table,) if table.length else (),
            charts=(chart(table),) if 0 < table.length <= 12 * len(names) else (),
            coverage=Coverage(
                evaluated=known, total=dataset.size, reason="" if known == dataset.size else "the other records have no split"
            ),
        )

    def empty(self, names: tuple[str, ...], size: Counts) -> list[Finding]:
        """Declared splits without a record."""
        return [
            Finding(
                code=self.code,
                severity=Severity.ERROR,
                message=f"the split {name} is declared and has no record: look for its files or its rows",
                subject=f"empty: {name}",
                evidence={"split": name},
            )
            for name, count in zip(names, size.tolist(), strict=True)
            if not count
        ]

    def wrong_size(self, names: tuple[str, ...], size: Counts, declared: Mapping[str, float]) -> list[Finding]:
        """Splits far from their declared share; a split that was not declared counts as declared with 0."""
        found: list[Finding] = []
        for name, count in zip(names, size.tolist(), strict=True):
            share, wanted = count / max(int(size.sum()), 1), declared.get(name, 0.0)
            if declared and count and abs(share - wanted) > self.max_size_difference:
                found.append(
                    Finding(
                        code=self.code,
                        severity=Severity.WARNING,
                        message=(
                            f"the split {name} holds {share:.1%} of the records ({count:,}), declared are {wanted:.1%}: "
                            "check which list of files is the right one"
                        ),
                        subject=f"size: {name}",
                        score=min(1.0, abs(share - wanted)),
                        evidence={"split": name, "fraction": share, "declared_fraction": wanted, "records": count},
                    )
                )
        return found

    def missing(
        self, dataset: Dataset, names: tuple[str, ...], size: Counts, counts: Counts, holders: Counts, labelled: Counts
    ) -> list[Finding]:
        """Classes that a split lacks, and splits without any label."""
        found: list[Finding] = []
        judged = labelled > 0
        for name in (n for n, some, count in zip(names, judged, size, strict=True) if not some and count and judged.any()):
            found.append(
                Finding(
                    code=self.code,
                    severity=Severity.INFO,
                    message=f"no record of {name} has a label: its classes cannot be compared",
                    subject=f"unlabelled: {name}",
                    evidence={"split": name},
                )
            )
        grouped = can_tell(dataset, identity(dataset, "patient"))
        lacking = (counts == 0) & judged[:, None] & (counts.sum(axis=0) > 0)
        for number, (s, c) in enumerate(zip(*np.nonzero(lacking), strict=True)):
            if number >= self.max_findings:
                break
            held, groups = int(counts[:, c].sum()), plural(int(holders[c]), "patient" if grouped else "record")
            label = dataset.labels.classes[c]
            possible = int(holders[c]) >= int(judged.sum())
            remedy = (
                "split again with the label as a stratum"
                if possible
                else f"with {groups} it cannot be in {int(judged.sum())} splits: merge or drop it"
            )
            found.append(
                Finding(
                    code=self.code,
                    severity=Severity.ERROR if possible else Severity.WARNING,
                    message=f"class {label} is not in {names[s]} ({plural(held, 'record')} elsewhere): {remedy}",
                    subject=f"class {label} / {names[s]}",
                    evidence={"class": label, "split": names[s], "records_elsewhere": held},
                )
            )
        return found

    def undrawn(self, dataset: Dataset, splits: pd.Series) -> list[Finding]:
        """Classes of boxes that stand in no picture of one split, and would by chance."""
        boxes = dataset.boxes
        if not len(boxes):
            return []
        known = splits.where(splits.notna(), None).to_dict()
        drawn = {
            record: frozenset(map(str, labels)) for record, labels in boxes.dropna(subset=["label"]).groupby("record")["label"]
        }
        return [
            Finding(
                code=self.code,
                severity=Severity.WARNING,
                message=(
                    f"none of the {plural(one.pictures, 'image')} of {one.split} with boxes has one of class {one.held}, which "
                    f"{one.holders:,} of {one.others:,} others have: split again with the classes as strata"
                ),
                subject=f"class {one.held} / {one.split}",
                evidence={"class": str(one.held), "split": one.split, "records_elsewhere": one.holders},
            )
            for one in lacking(list(drawn.values()), [known.get(record) for record in drawn])[: self.max_findings]
        ]


def declared_sizes(sizes: tuple[str, ...]) -> dict[str, float]:
    """`train=0.7` → train: share of the sum.

    Raises:
        ConfigError: an entry is no `split=share`.
    """
    found: dict[str, float] = {}
    for entry in sizes:
        name, equals, share = entry.rpartition("=")
        try:
            found[name.strip()] = float(share)
        except ValueError:
            equals = ""
        if not equals or not name.strip() or not found[name.strip()] >= 0:
            raise ConfigError(f'[checks.SP008] sizes: {entry!r} is no size: write "train=0.7"')
    total = sum(found.values())
    if found and not total > 0:
        raise ConfigError("[checks.SP008] sizes: they are all 0")
    return {name: share / total for name, share in found.items()}


def class_counts(dataset: Dataset, place: Counts, splits: int) -> tuple[Counts, Counts, Counts]:
    """Records by split and class (splits, classes); patients that hold a class (classes,); labelled records (splits,)."""
    labels = dataset.labels
    classes = len(labels.classes)
    counts, holders = np.zeros((splits, classes), np.int64), np.zeros(classes, np.int64)
    labelled = np.zeros(splits, np.int64)
    if labels.task not in ("single", "ordinal", "multi"):
        return counts, holders, labelled
    patients = identity(dataset, "patient")
    alone = np.arange(dataset.size) + int(patients.max(initial=0)) + 1
    person = np.where(patients >= 0, patients, alone) if can_tell(dataset, patients) else alone
    if labels.task == "multi":
        assert labels.states is not None
        states = labels.states.to_numpy()
        positive, known = states == 1, (states >= 0).any(axis=1)
    else:
        codes = labels.codes
        known = codes >= 0
        positive = np.zeros((0, classes), bool)
    here = place >= 0
    labelled = np.bincount(place[here & known], minlength=splits).astype(np.int64)
    for c in range(classes):
        holds = here & (positive[:, c] if labels.task == "multi" else codes == c)
        counts[:, c] = np.bincount(place[holds], minlength=splits)
        holders[c] = len(np.unique(person[holds]))
    return counts, holders, labelled


def classes_table(dataset: Dataset, names: tuple[str, ...], counts: Counts, labelled: Counts) -> Table:
    """Every class in every split that has labels."""
    shown = [s for s in range(len(names)) if labelled[s]]
    cells = [(s, c) for c in range(counts.shape[1]) for s in shown]
    return Table(
        name="classes",
        title="Classes by split",
        columns=(
            Column(name="class", kind="class", values=[dataset.labels.classes[c] for _, c in cells], title="Class"),
            Column(name="split", kind="text", values=[names[s] for s, _ in cells], title="Split"),
            Column(name="records", kind="integer", values=[int(counts[s, c]) for s, c in cells], title="Records"),
            Column(
                name="fraction",
                kind="fraction",
                values=[float(counts[s, c] / labelled[s]) for s, c in cells],
                title="Share of the split",
            ),
        ),
    )


def chart(table: Table) -> Chart:
    """Share of each class, a bar per split."""
    return Chart(
        name="classes", title="Share of each class, by split", kind="bars", table=table, label="class", value="fraction",
        group="split",
    )  # fmt: skip


def summary_of(names: tuple[str, ...], size: Counts, lacking: int, empty: int, labelled: bool) -> str:
    """The verdict in one sentence."""
    shares = ", ".join(
        f"{name} {count / max(int(size.sum()), 1):.1%}" for name, count in zip(names, size.tolist(), strict=True)
    )
    if empty or lacking:
        parts = [f"{plural(int(empty), 'split')} without a record"] if empty else []
        parts += [f"{plural(lacking, 'gap')} where a split lacks a class"] if lacking else []
        return f"{' and '.join(parts)}; sizes: {shares}"
    return f"{'Every class is in every labelled split' if labelled else 'Every split has records'}; sizes: {shares}"
