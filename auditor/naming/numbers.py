"""Numbers as people write them: `1,5` is one and a half where no thousand can be meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COMMA = re.compile(r"[+-]?\d+(?:,(?P<part>\d+))?(?:[eE][+-]?\d+)?")


def with_points(values: Sequence[str]) -> list[str]:
    """The same cells with decimal points, where all are numbers and a comma parts their decimals.

    `1,234` may be a thousand: one cell at least must have another number of digits behind its comma, or begin with a nought.
    """
    found = [_COMMA.fullmatch(value) for value in values]
    parts = [match["part"] for match in found if match is not None and match["part"] is not None]
    if not parts or not all(found):
        return list(values)
    plain = any(len(part) != 3 for part in parts) or any(value.lstrip("+-").startswith("0,") for value in values)
    return [value.replace(",", ".") for value in values] if plain else list(values)
