"""What somebody may have meant who wrote a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Mapping


def suggestion(name: str, known: Mapping[str, object] | list[str]) -> str:
    """`; did you mean …?` or the list of what there is."""
    near = difflib.get_close_matches(name, list(known), n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(sorted(known))}" if known else ""
