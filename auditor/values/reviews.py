"""What people were asked about labels, and what they answered: plain values."""

from __future__ import annotations

from dataclasses import dataclass

FORMAT = "medaudit-review"
VERSION = 1
"""What the review page calls the file that it saves."""
ANSWERS: tuple[str, ...] = ("right", "wrong", "ambiguous", "cannot tell")


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What is to be reviewed, in order.

    Args:
        records: record ids, suspects and controls mixed.
        flagged: how many records are flagged in all; others: how many are judged and not.
        identity: digest of the flagged and the judged records; answers of two queues can be pooled when it is the same.
    """

    records: tuple[str, ...]
    flagged: int
    others: int
    identity: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One reviewed record: the label it had, whether it was flagged, and the answer (one of ANSWERS)."""

    record: str
    given: str
    flagged: bool
    answer: str


@dataclass(frozen=True, kw_only=True)
class Review:
    """Answers to one queue; sizes as in `Queue`."""

    answers: tuple[Answer, ...]
    flagged: int
    others: int
    identity: str
