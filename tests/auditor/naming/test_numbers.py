import pytest

from auditor.naming.numbers import with_points


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["41,5", "7", "0,25"], ["41.5", "7", "0.25"]),
        (["0,125", "0,250"], ["0.125", "0.250"]),
        (["1,234", "2,500"], ["1,234", "2,500"]),
        (["1.5", "2"], ["1.5", "2"]),
        (["1,5", "left"], ["1,5", "left"]),
        (["1,5,2"], ["1,5,2"]),
        ([], []),
    ],
)
def test_a_comma_is_a_decimal_point_where_no_thousand_can_be_meant(given: list[str], read: list[str]) -> None:
    assert with_points(given) == read
