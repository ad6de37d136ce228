"""DICOM objects that are annotations of other images (segmentations, contours, structured reports): told, not read.

Source: DICOM PS3.4, Annex B.5, "Standard SOP Classes".
"""

from __future__ import annotations

import pandas as pd

from auditor.placement.dicom_documents import REPORTS, UNREAD_REPORT
from auditor.values.dataset import Problem

SOP_CLASS = "dicom.SOPClassUID"
UNUSED = "unused-table"
"""Kind of a problem: labels may lie there, and nothing reads them."""
KINDS = {
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation of DICOM, which is not read as a mask: export it as NIfTI or PNG",
    "1.2.840.10008.5.1.4.1.1.66.7": "a segmentation of DICOM (label map), which is not read as a mask: export it as NIfTI",
    "1.2.840.10008.5.1.4.1.1.66.5": "a surface segmentation, which is not read: export it as NIfTI",
    "1.2.840.10008.5.1.4.1.1.481.3": "contours of radiotherapy, which are not read: export them as NIfTI",
    REPORTS: UNREAD_REPORT,
}
"""SOP class, or its beginning → what is told."""


def annotation_problems(records: pd.DataFrame, metadata: pd.DataFrame) -> list[Problem]:
    """A problem per record that is an annotation of other images by its SOP class."""
    if SOP_CLASS not in metadata.columns:
        return []
    classes = metadata[SOP_CLASS].dropna().astype(str)
    found: list[Problem] = []
    for record, name in classes.items():
        reason = next(
            (told for start, told in KINDS.items() if name == start or (start[-1] == "." and name.startswith(start))), ""
        )
        if reason:
            found.append(Problem(kind=UNUSED, path=str(records.at[record, "path"]), reason=reason, record=str(record)))
    return found


def _is_of(name: str, start: str) -> bool:
    """A class is named whole, or by the part that all of its kind share."""
    return name.startswith(start) if start.endswith(".") else name == start
