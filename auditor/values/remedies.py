"""What would mend a finding: in words, and which strategies of `medaudit fix` answer it. Told from the finding alone."""

from __future__ import annotations

from auditor.values.fields import BYTES, describe
from auditor.values.results import Finding, Severity

MENDS: dict[str, str] = {
    "IN": "fetch or repair the files, or mend the list; a copy cannot make pixels that are not there",
    "LK001": "write all files alike (harmonise), where the field says how a file was written",
    "LK003": "take the words out of headers (harmonise) or of the columns that a model reads",
    "LK": "balance the classes over sources and machines, or collect more; what is in the pixels stays there",
    "SP": "a split by whole groups (resplit), one copy of each picture (deduplicate)",
    "SP003": "a person decides on the copies that contradict each other (deduplicate sets them aside)",
    "SP006": "ids of the patients in the table or the headers",
    "LN005": "complete the masks (weak), lay shifted ones back, or have them drawn anew",
    "LN006": "have the boxes drawn anew",
    "LN": "read the suspect labels again (review); train with less trust in them (robust, confident, teacher)",
    "ED": "one label of all readers (consensus), or a further reader",
    "IQ": "take new pictures, or leave them out by hand",
    "SZ": "more patients; augmentation or a borrowed encoder (augment, transfer) help a little",
    "PH": "a copy without what tells of a person (deidentify)",
    "MA": "mend the configuration or the waiver",
}
"""By code, or else by its letters."""
MASK_PLACE = "place of the mask"
"""Subject of LN005 for a mask that lies beside what it outlines."""
ALIKE = "alike"
"""Where LK001's finding on one field names the others that part the records in the same way."""
ANSWERED: dict[str, tuple[str, ...]] = {
    "PH001": ("deidentify",), "PH002": ("deidentify",), "PH003": ("deidentify",), "PH009": ("deidentify",),
    "SP001": ("resplit",), "SP005": ("resplit",), "SP002": ("resplit", "deduplicate"), "SP004": ("resplit", "deduplicate"),
    "SP003": ("deduplicate",), "ED001": ("consensus",), "ED005": ("consensus",), "ED006": ("consensus",),
    "LN001": ("robust", "teacher", "confident"), "LN002": ("robust", "teacher", "confident"), "LN005": ("weak",),
    "SZ001": ("augment", "transfer"),
}  # fmt: skip
"""Code → strategies that answer such a finding."""


def answered_by(finding: Finding) -> tuple[str, ...]:
    """Strategies that answer this finding; none for a waived one."""
    if finding.waived is not None:
        return ()
    if finding.code == "LN005" and finding.subject == MASK_PLACE:
        return ()  # training on masks that miss objects is no answer to masks in the wrong place
    if finding.code in ("LK001", "LK003"):
        return ("harmonise",) if encoding(finding) else ()
    found = ANSWERED.get(finding.code, ())
    if found == ("resplit", "deduplicate"):
        return found[:1] if finding.severity is Severity.ERROR else found[1:]
    return found


def header_text(field: str) -> bool:
    """Text that stands in the files themselves, where writing them anew takes it out; not names, nor columns of a table."""
    return field.partition(".")[0] in ("container", "dicom", "nifti", "header")


def fields_of(finding: Finding) -> tuple[str, ...]:
    """All metadata fields that a finding of LK001 speaks of; the one it is named for first."""
    alike = str(finding.evidence.get(ALIKE) or "")
    return (*([finding.where.field] if finding.where.field else []), *(alike.split(", ") if alike else []))


def encoding(finding: Finding) -> bool:
    """True for a class leak through how a file was written, be it an error or, without ids, a warning.

    How large a file is follows the picture even when all are written alike, and what is in names and columns changes no
    picture: such leaks are no reason to write all files anew.
    """
    if finding.where.field is None or finding.severity is Severity.INFO:
        return False
    if finding.code == "LK003":
        return header_text(finding.where.field)
    return finding.code == "LK001" and any(map(_is_of_files, fields_of(finding)))


def _is_of_files(field: str) -> bool:
    return not field.startswith("path.") and field not in BYTES and describe(field).kind == "encoding"


def mend(code: str) -> str:
    """What would mend a finding of this check."""
    return MENDS.get(code) or MENDS.get(code[:2], "see what its check says on how to fix it")
