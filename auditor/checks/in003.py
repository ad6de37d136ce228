"""IN003: the name of a file says another format than its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.kin.groups import location
from auditor.evidence.quality.integrity import Fault, report
from auditor.naming.suffixes import image_suffixes, suffixes_of_formats
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class WrongExtension(Check):
    """The name of a file says another format than its content.

    ## What it does

    Compares the extension of every file with the format that its content was read as. An extension that claims no image
    format (`.ima`, `.001`, none) is no fault: DICOM files often have none.

    ## Why is this bad?

    Programs that go by the name fail, or read the file by another decoder with another depth; a JPEG called `.png` hides that
    it was lossy. Where one class was converted and the other was not, the difference is a shortcut.

    ## How to fix

    Rename the files after their content, in the label table too; or convert them for real.

    ## Options

    * `max_findings`: so many files get a finding of their own; the table `files` lists all.

    ## References

    * PRONOM, The National Archives: identification by content (signatures), not by name.
    """

    code: ClassVar[str] = "IN003"
    name: ClassVar[str] = "wrong-extension"
    severity: ClassVar[Severity] = Severity.WARNING

    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Compare names with contents."""
        if not {"container.format", "path.extension"} <= set(dataset.metadata.columns):
            raise SkipCheck("no file was read whose name could be compared with its content")
        frame = dataset.metadata[["container.format", "path.extension"]].astype("string")
        single = dataset.records["item"].fillna("").eq("").to_numpy()
        fitting = suffixes_of_formats()
        claimed = {f".{suffix}" for suffix in image_suffixes()}
        known = frame["container.format"].isin(list(fitting)).to_numpy(dtype=bool) & single
        formats, extensions = (frame[name].fillna("").astype(str).tolist() for name in ("container.format", "path.extension"))
        faults = []
        for position in range(dataset.size):
            if not known[position]:
                continue
            content, extension = formats[position], extensions[position]
            if extension not in claimed or extension.removeprefix(".") in fitting[content]:
                continue
            where = location(dataset, position)
            message = f"The name says {extension}, the content is {content.upper()}. Rename it, also in the label table"
            faults.append(
                Fault(where=where, kind=f"{extension} → {content}", message=message, severity=Severity.WARNING, subject=content)
            )
        if not known.any():
            raise SkipCheck("no file was read whose name could be compared with its content")
        return report(
            self.code,
            faults,
            what="have the wrong extension",
            unit="files",
            evaluated=int(known.sum()),
            total=dataset.size,
            why_not="they lie in a container, were not read, or have a format whose names are not known",
            max_findings=self.max_findings,
        )
