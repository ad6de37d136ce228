"""Regular expressions of a stranger: matched in time linear in the text, whatever the pattern (RE2; Cox 2010)."""

from __future__ import annotations

from typing import Any

import re2

MOST_SIGNS = 1000
"""A longer pattern is no pattern of identifiers."""


def pattern_of(text: str) -> Any:
    """The compiled pattern; it has no back references and looks neither ahead nor behind.

    Raises:
        ValueError: it is none.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        if len(text) > MOST_SIGNS:
            raise ValueError
        return re2.compile(text, options)
    except (re2.error, ValueError):  # the second: a text that is no UTF-8
        raise ValueError(f"not a regular expression of up to {MOST_SIGNS:,} signs without references and looks ahead") from None


def fits(pattern: Any, text: str) -> bool:
    """The whole text is what the pattern describes."""
    return pattern.fullmatch(text.encode("utf-8", "replace").decode()) is not None
