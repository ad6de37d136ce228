"""A stranger's column of classes or readers holds as many as the limits say."""

from pathlib import Path

import pytest

from auditor.layout import Options, open_dataset
from auditor.values.errors import DatasetError
from auditor.values.image import Limits


def table(path: Path, rows: int, **columns: str) -> Path:
    lines = [",".join(["image", *columns])]
    lines += [",".join([f"im{i % 50}.png", *(form.format(i=i) for form in columns.values())]) for i in range(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"label": "c{i}"},
            r"200 different classes, more than 100: name another column .*, or raise \[limits\] kinds",
        ),
        ({"label": "a", "rater": "r{i}"}, r"200 different readers, more than 100: name another column \(--rater\)"),
    ],
)
def test_more_classes_or_readers_than_allowed_are_refused_in_one_line(tmp_path: Path, columns, said: str) -> None:
    path = table(tmp_path / "t.csv", 200, **columns)
    roles = {"path": "image", **{name: name for name in columns}}
    with pytest.raises(DatasetError, match=said) as refused:
        open_dataset(path, Options(roles=roles, limits=Limits(kinds=100)))
    assert "\n" not in str(refused.value)
    assert open_dataset(path, Options(roles=roles, limits=Limits(kinds=200))).size > 0
