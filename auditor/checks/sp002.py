"""SP002: the same image more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.components import comparable_records, identical_groups
from auditor.evidence.kin.duplicates import Wording, copy_findings, copy_metrics, pairs_table, plural
from auditor.evidence.kin.groups import partition, spread
from auditor.values.dataset import Dataset
from auditor.values.links import IDENTICAL
from auditor.values.results import Coverage, Severity, Verdict

WORDING = Wording(code="SP002", again="again", more_than_once="more than once", copy="The same image", subject="same image")


@dataclass(frozen=True, kw_only=True)
class ExactDuplicate(Check):
    """The same image stands in the dataset more than once.

    ## What it does
    Finds files of the same bytes, and images of the same decoded pixels whatever their container or header, within and across
    splits. Groups in more than one split are an error, one finding per pair of splits; groups within one split a
    warning. Pictures of one single value (blank tiles) are alike without being the same and are left out; masks are no records.

    ## Why is this bad?
    A test image that was trained on is remembered, not recognised, and the score is too high. Within a split a copy counts
    an image twice, and a group with different labels (SP003) is noise. Public collections hold such copies: one copy of
    PneumoniaMNIST in circulation has 26 groups of identical images, 8 of them in more than one split.

    ## How to fix
    Keep one image of each group and remove the others with their rows. When a group stands in several splits, keep it in the
    test split or move the whole group, with everything else of its patient, into one split; then check again.

    ## Options
    * `max_findings`: so many groups get a finding of their own, beside those that count them all. The table `pairs` lists
      all: every pair of a group of up to 20, and of a larger group each record with the first.

    ## References
    Barz & Denzler 2020, Do we train on test data? (ciFAIR); Cassidy et al. 2022, Medical Image Analysis 75 (copies in ISIC).
    """

    code: ClassVar[str] = "SP002"
    name: ClassVar[str] = "exact-duplicate"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints", "links"})

    max_findings: int = 200

    def run(self, dataset: Dataset) -> Verdict:
        """Judge the links of bytes and pixels."""
        comparable = comparable_records(dataset)
        groups = identical_groups(dataset)
        if not comparable.any() and not (groups >= 0).any():
            raise SkipCheck("neither bytes nor pixels of any image were read: there is nothing to compare")
        splits = partition(dataset)
        lies = None if splits is None else spread(groups, splits)
        count = int(groups.max(initial=-1)) + 1
        doubled = int((groups >= 0).sum())
        evaluated = int((comparable | (groups >= 0)).sum())
        flat = int(dataset.fingerprints["constant"].sum()) if "constant" in dataset.fingerprints else 0
        across = 0 if lies is None else len(lies.codes)
        links = dataset.links[dataset.links["evidence"].isin([g.value for g in IDENTICAL])]
        table = pairs_table(dataset, links, groups, title="Pairs of identical images", other="The same as")
        return Verdict(
            summary=summary_of(count, doubled, across, evaluated, splits is not None),
            metrics=copy_metrics(groups, lies, evaluated),
            findings=copy_findings(dataset, groups, lies, WORDING, severity=self.severity, limit=self.max_findings),
            tables=(table,) if count else (),
            coverage=Coverage(evaluated=evaluated, total=dataset.size, reason=reason_of(dataset.size - evaluated, flat)),
        )


def summary_of(groups: int, records: int, across: int, evaluated: int, split: bool) -> str:
    """The verdict in one sentence."""
    if not groups:
        return f"No image stands twice among the {evaluated:,} that could be compared by bytes and pixels"
    where = f", {across:,} of them in more than one split" if split else ""
    return f"{plural(groups, 'group')} of identical images ({plural(records, 'record')}){where}"


def reason_of(left: int, flat: int) -> str:
    """Why records were not compared."""
    parts = [f"{plural(flat, 'image')} of one single value, which form no link"] if flat else []
    if left > flat:
        parts.append(f"{plural(left - flat, 'record')} whose image was not read")
    return "; ".join(parts)
