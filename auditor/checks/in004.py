"""IN004: a file is not the one whose checksum the Croissant file declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.integrity import Fault, report
from auditor.values.dataset import Dataset
from auditor.values.results import Location, Severity, Verdict

MESSAGES = {
    "differs": "Not the file that was described: its {algorithm} is another. Restore it, or describe the release again",
    "missing": "Described with a {algorithm}, but not on disk. Restore it, or remove it from the description",
    "malformed": "What stands as {algorithm} is none: wrong length or characters. Describe the release again",
}


@dataclass(frozen=True, kw_only=True)
class ChecksumMismatch(Check):
    """A file is not the one whose checksum the Croissant file declares.

    ## What it does

    Reads `croissant.json` in the dataset's folder (or a `metadata.json` that says it is Croissant) and compares the SHA-256 or
    MD5 of each file object that lies in the folder with what is declared. Addresses of other machines are not fetched, and are
    not evaluated; paths that leave the folder are not followed.

    ## Why is this bad?

    Whoever downloads the dataset checks these sums: the loaders refuse the file, or the file was changed after it was described
    and nobody knows how.

    ## How to fix

    Restore the described file; if the change was meant, write the description again and give the release a new version.

    ## Options

    * `max_findings`: so many files get a finding of their own; the table `files` lists all.

    ## References

    * MLCommons: Croissant format specification 1.0, `FileObject`. 2024.
    """

    code: ClassVar[str] = "IN004"
    name: ClassVar[str] = "checksum-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR

    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge what the pass compared."""
        sums = dataset.checksums
        if not len(sums):
            raise SkipCheck("there is no Croissant file that declares checksums of files")
        local = sums[sums["state"] != "remote"]
        if not len(local):
            raise SkipCheck("the Croissant file describes no file in this folder")
        faults = [
            Fault(
                where=Location(path=path),
                kind=state,
                message=MESSAGES[state].format(algorithm=algorithm.upper()),
                severity=Severity.WARNING if state == "malformed" else Severity.ERROR,
                subject=f"{number}: {algorithm} {state}",
                evidence={"declared_by": by},
            )
            for number, (path, algorithm, state, by) in enumerate(local.itertuples(index=False, name=None))
            if state != "same"
        ]
        return report(
            self.code,
            faults,
            what="differ from their declared checksum",
            unit="files",
            evaluated=len(local),
            total=len(sums),
            why_not="they lie at an address or outside the folder",
            max_findings=self.max_findings,
        )
