"""Which files describe others, and what one may say that is a hint and no person: JSON sidecars and DICOMDIR."""

from __future__ import annotations

PLACES = frozenset({"InstitutionName", "InstitutionalDepartmentName", "InstitutionAddress"})
"""BIDS recommends the first two: a hospital is a hint, and no person."""
PLACE = "institution"


def is_directory(name: str) -> bool:
    """The name of a DICOMDIR, the table of contents of a medium."""
    return name.rpartition("/")[2].upper().startswith("DICOMDIR")
