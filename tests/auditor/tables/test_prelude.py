"""How a text table begins: its separator, and what stands above its header."""

import pytest

from auditor.tables.prelude import prelude_of

ROWS = [f"a{i}.png;normal;{i},5;6{i},25" for i in range(20)]


@pytest.mark.parametrize("header", ["image;class;height;weight", "image;class;height, m;weight"])
@pytest.mark.parametrize("rows", [ROWS, [row.rpartition(";")[0] for row in ROWS]])
def test_a_decimal_comma_parts_no_cells(header, rows):
    width = rows[0].count(";")
    header = ";".join(header.split(";")[: width + 1])
    assert prelude_of("t.csv", [header, *rows]).delimiter == ";"


def test_numbers_alone_are_parted_by_commas():
    assert prelude_of("t.csv", ["1,2,0", "3,4,1", "5,6,0"]).delimiter == ","


@pytest.mark.parametrize(
    ("above", "lines"),
    [
        (["# exported 2020", "# version 3, final"], 2),
        (["# exported 2020"], 1),
        (["# exported 2020", "#image,class"], 1),
        (["#image,class"], 0),
        ([], 0),
    ],
)
def test_lines_of_comments_are_no_rows_and_a_header_may_begin_with_their_sign(above, lines):
    rest = [f"a{i}.png,normal" for i in range(20)]
    header = [] if above and above[-1] == "#image,class" else ["image,class"]
    assert prelude_of("t.csv", [*above, *header, *rest]).lines == lines
