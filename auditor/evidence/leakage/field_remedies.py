"""What to do about a metadata field that tells the class, in words."""

from __future__ import annotations

from auditor.values.fields import Field, follows_picture

REMEDY = {
    "encoding": "write all files in one encoding, or balance it between the classes (prevalence changes), before training",
    "acquisition": "balance or match it between the classes, or declare it under [design] strata if the design explains it",
    "provenance": "train and test across its values, or declare it under [design] strata if the design explains it",
    "clinical": "for information: judge whether a model should be allowed to use it",
}
"""By the kind of the field."""

_SIZE_REMEDY = (
    "it may follow what is shown, or the machine: bring all records to one size and format, balance it between the classes "
    "(prevalence changes), or waive it with a reason"
)
_NAME_REMEDY = "name all files by one rule that says nothing of the class, or keep names away from whatever a model reads"
_BYTES_REMEDY = (
    "for information: all else about the writing of the files is alike, so their size follows what they show, and no model "
    "is told the size of a file"
)


def remedy_of(field: Field, *, eased: bool) -> str:
    """What to do about this field.

    Args:
        eased: it is the size of files that are otherwise written alike.
    """
    if eased:
        return _BYTES_REMEDY
    if field.name.startswith("path.") and field.kind == "encoding":
        return _NAME_REMEDY
    return _SIZE_REMEDY if field.kind == "encoding" and follows_picture(field.name) else REMEDY[field.kind]
