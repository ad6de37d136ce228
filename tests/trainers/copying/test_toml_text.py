"""What is written as TOML reads back as it was."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.copying.toml_text import toml_text

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
VALUE = st.one_of(TEXT, st.integers(-9, 9), st.booleans(), st.floats(-9, 9), st.lists(TEXT, max_size=3))
SECTION = st.dictionaries(TEXT, VALUE, min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(TEXT, st.one_of(SECTION, st.dictionaries(TEXT, SECTION, min_size=1, max_size=2)), max_size=3),
    st.lists(SECTION, max_size=2),
)
def test_sections_lists_of_tables_and_odd_names(sections: dict[str, Any], waivers: list[dict[str, Any]]) -> None:
    content = {"waivers": waivers, **{k: v for k, v in sections.items() if k != "waivers"}} if waivers else sections
    assert tomllib.loads(toml_text(content)) == content
