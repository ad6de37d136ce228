"""The DICOMDIR of a medium: who its records name. Read in a bounded worker, by name."""

from __future__ import annotations

from pathlib import Path

from auditor.containers.source import read_source
from auditor.evidence.privacy.dicom_privacy import dicom_exposure
from auditor.values.image import Limits
from auditor.values.privacy import Privacy, TableLook


def directory_of(limits: Limits, path: Path, name: str, rules: Privacy) -> TableLook:
    """A DICOMDIR: the elements of its records that name a person; for `auditor.reading.jobs`.

    Raises:
        UnreadableFile: it cannot be read.
    """
    found = dicom_exposure(read_source(path, limits).content, "", rules, limits)
    named = filter(None, found.get("person", "").split("+"))
    return TableLook(name=name, rows=1, columns=dict.fromkeys(named, "person"), is_table=False)
