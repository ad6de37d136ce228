"""What a link between two records may rest on."""

from __future__ import annotations

from enum import StrEnum


class Evidence(StrEnum):
    """What a link rests on, the strongest first. Compare with `rank`: as text they sort by the alphabet."""

    BYTES = "bytes"
    """The same file, or files of the same bytes."""
    PIXELS = "pixels"
    """The same decoded pixels, whatever the container."""
    INSTANCE = "instance"
    """The same SOP instance UID."""
    SERIES = "series"
    STUDY = "study"
    PATIENT = "patient"
    """The same patient id, compared exactly; or the same lesion, which belongs to one patient."""
    NEAR = "near"
    """A near-duplicate, verified on pixels."""
    CANDIDATE = "candidate"
    """Offered for a look; never blocks and moves nothing."""

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return EVIDENCE.index(self)


EVIDENCE: tuple[Evidence, ...] = tuple(Evidence)
IDENTICAL: frozenset[Evidence] = frozenset({Evidence.BYTES, Evidence.PIXELS})
BLOCKING: frozenset[Evidence] = frozenset(EVIDENCE) - {Evidence.CANDIDATE}

ID_GRADES = {
    "patient": Evidence.PATIENT,
    "lesion": Evidence.PATIENT,
    "study": Evidence.STUDY,
    "series": Evidence.SERIES,
}
"""The evidence that a shared id is, by the column it stands in."""
