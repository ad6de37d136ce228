"""Column names of a table that speak of what comes after a diagnosis, or of how the diagnosis was made."""

from __future__ import annotations

from auditor.values.fields import words

_AFTER = frozenset((
    "treatment", "treated", "therapy", "therapies", "surgery", "surgical", "operation", "operated", "resection", "excision",
    "chemo", "chemotherapy", "radiotherapy", "radiation", "immunotherapy", "medication", "medications", "drug", "drugs",
    "outcome", "survival", "death", "died", "dead", "deceased", "mortality", "alive", "discharge", "prognosis", "recurrence",
    "relapse", "remission", "response", "progression", "metastasis", "metastases", "metastatic", "tnm", "gleason", "biopsy",
    "biopsied", "histology", "histopathology", "histopathological", "pathology", "pathological", "report", "reports",
    "impression", "conclusion", "icd", "icd9", "icd10", "stage", "staging", "grade", "grading",
))  # fmt: skip
_OF_THE_LABEL = frozenset((
    "dx", "diagnosis", "diagnostic", "label", "labels", "gt", "truth", "reference", "annotation", "confirm", "confirmation",
    "confirmed", "class", "target",
))  # fmt: skip
_HOW = frozenset((
    "type", "method", "source", "how", "by", "confirm", "confirmation", "confirmed", "standard", "verification", "verified",
    "basis", "certainty", "confidence",
))  # fmt: skip


def says_after(name: str) -> bool:
    """The column tells something that can only be known once the diagnosis is (`table.treatment`, `table.survival_days`)."""
    return not says_how(name) and bool(_AFTER & set(words(name.partition(".")[2] or name)))


def says_how(name: str) -> bool:
    """The column tells how the label was made (`dx_type`, `diagnosis_confirm_type`): a stratum of the labels, no leak."""
    said = words(name.partition(".")[2] or name)
    return any(a in _OF_THE_LABEL and b in _HOW for i, a in enumerate(said) for b in said[:i] + said[i + 1 :])


def says_label(name: str) -> bool:
    """The column is called like a label (`dx`, `gt`, `class`)."""
    return bool(_OF_THE_LABEL & set(words(name.partition(".")[2] or name)))
