"""What was seen of a file that may be a drawing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a file was seen to hold: drawn with few values, and its size. None where it could not be told."""

    drawn: bool
    size: tuple[int, ...]
