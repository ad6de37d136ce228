import pandas as pd

from auditor.evidence.privacy.table_privacy import kinds_of
from auditor.values.privacy import Privacy


def column(values: list[str]) -> pd.Series:
    return pd.Series(values).astype("category")


def test_a_column_called_name_that_lists_files_names_nobody() -> None:
    assert kinds_of("name", column([f"img{i}.png" for i in range(20)]), Privacy()) == ""
    assert kinds_of("name", column([f"a/img{i}" for i in range(20)]), Privacy()) == ""


def test_a_column_called_name_that_lists_people_is_told() -> None:
    assert "name" in kinds_of("name", column(["Meier", "Huber", "Schulz"]), Privacy())
