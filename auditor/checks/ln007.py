"""LN007: one class, written in several ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.labels.spelling import canonical, doubted, mistyped, variants
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict

MISTYPED = "{other} looks like {right} mistyped: write it in one way, or waive this where both are right"
DOUBTED = "{other} is {right} with a doubt, and is learnt as a class of its own: decide, or leave the label blank"


@dataclass(frozen=True, kw_only=True)
class LabelVariants(Check):
    """One class is written in several ways.

    ## What it does

    Compares the names of all classes without regard to case, spaces, hyphens, underscores, a full stop at the end and the form
    of Unicode: `Benign`, `benign ` and `BENIGN` are one name. Names that differ by one slip of the hand (a letter left out,
    doubled, replaced or exchanged with the next: `bengin`) are one where the rarer is very rare beside the other. It looks at
    the labels of the records, of the raters and of the boxes, each on their own. Numbers are not touched: `1` and `01` are two,
    and so are words of fewer than five letters, single letters (`grade a`), other beginnings (`typical`, `atypical`) and terms
    of anatomy that lie so near (`ilium`, `ileum`). A class with a question mark beside the same without (`malignant?`) is told.

    ## Why is this bad?

    A model is taught two classes that are one, the rarer spelling is mostly "wrong", prevalence and agreement are counted
    wrongly, and a split by class is not what it seems.

    ## How to fix

    Write the class in one way in the table, or name the folders alike. If the spellings mean different things, rename them so
    that a reader sees it, and waive the finding until then.

    ## Options

    * `max_mistyped_fraction`: how often a mistyped name may stand for every time that the right one does (.05); twice is
      never too often.

    ## References

    * Unicode Standard Annex 15: normalization forms (NFKC).
    * Damerau: A technique for computer detection and correction of spelling errors. CACM 1964 (one slip explains 80 %).
    * Wilkinson et al.: The FAIR guiding principles. Scientific Data 2016 (controlled vocabularies).
    """

    code: ClassVar[str] = "LN007"
    name: ClassVar[str] = "label-variants"
    severity: ClassVar[Severity] = Severity.WARNING

    max_mistyped_fraction: float = 0.05

    def run(self, dataset: Dataset) -> Verdict:
        """Compare names; raises SkipCheck where there are no names of classes."""
        sources = _sources(dataset)
        if not any(sources.values()):
            raise SkipCheck("the dataset has no label with classes, no readings and no boxes")
        findings: list[Finding] = []
        rows: list[tuple[str, str, str, int]] = []
        for source, counts in sources.items():
            for group in variants(counts):
                shown = ", ".join(f"{name!r} ({counts[name]:,})" for name in group)
                field = dataset.labels.origin or None if source == "records" else source
                findings.append(
                    Finding(
                        code=self.code, severity=self.severity, where=Location(field=field),
                        subject=f"{source}: {canonical(group[0])}",
                        message=f"{len(group)} spellings of what looks like one class: {shown}; write it in one way",
                        evidence={"spellings": len(group), "in": source},
                    )
                )  # fmt: skip
                rows += [(source, group[0], name, counts[name]) for name in group]
            pairs = [(right, slip, MISTYPED) for right, slip in mistyped(counts, self.max_mistyped_fraction)]
            pairs += [(right, name, DOUBTED) for right, name in doubted(counts)]
            for right, other, words in pairs:
                field = dataset.labels.origin or None if source == "records" else source
                findings.append(
                    Finding(
                        code=self.code, severity=self.severity, where=Location(field=field),
                        subject=f"{source}: {canonical(right)}, also {canonical(other)}",
                        message=words.format(right=f"{right!r} ({counts[right]:,})", other=f"{other!r} ({counts[other]:,})"),
                        evidence={"spellings": 2, "in": source},
                    )
                )  # fmt: skip
                rows += [(source, right, name, counts[name]) for name in (right, other)]
        names = sum(len(counts) for counts in sources.values())
        table = Table(
            name="spellings", title="Spellings of one class",
            columns=(
                Column(name="in", kind="text", values=[r[0] for r in rows], title="Labels of"),
                Column(name="class", kind="class", values=[r[1] for r in rows], title="Most frequent spelling"),
                Column(name="spelling", kind="class", values=[r[2] for r in rows], title="Spelling"),
                Column(name="count", kind="integer", values=[r[3] for r in rows], title="Count"),
            ),
        )  # fmt: skip
        return Verdict(
            summary=f"{len(findings):,} classes are written in several ways."
            if findings
            else f"Each of {names:,} names of classes is written in one way.",
            metrics={"classes_with_variants": len(findings), "names": names},
            findings=tuple(findings),
            tables=(table,) if rows else (),
            coverage=Coverage(evaluated=names, total=names, unit="names of classes"),
        )


def _sources(dataset: Dataset) -> dict[str, Counter[str]]:
    labels = dataset.labels
    own: Counter[str] = Counter()
    if labels.task == "multi" and labels.states is not None:
        own = Counter({name: int((labels.states[name] == State.POSITIVE).sum()) for name in labels.classes})
    elif labels.task in ("single", "ordinal"):
        own = Counter({str(name): int(count) for name, count in labels.values.dropna().value_counts().items()})
    sources = {"records": own}
    for source, frame in (("readings", dataset.annotations), ("boxes", dataset.boxes)):
        sources[source] = Counter()
        if len(frame):
            found = frame["label"].dropna().value_counts()
            sources[source] = Counter({str(name): int(count) for name, count in found.items()})
    return sources
