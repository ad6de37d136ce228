"""A corrected copy: its tables are named, corrected columns stand in for the original ones, files may be left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditor.config import read_config
from auditor.layout import open_dataset
from auditor.values.errors import DatasetError

CONFIG = '[dataset]\nlayout = "table"\ntables = ["mine.csv"]\nleft-out = "removed.csv"\n[dataset.corrected]\nlabel = "better"\n'


def folder(root: Path, config: str = CONFIG) -> Path:
    root.mkdir(exist_ok=True)
    for i in range(6):
        Image.fromarray(np.full((8, 8), 30 * i, np.uint8)).save(root / f"{i}.png")
    rows = "".join(f"{i}.png,{'ab'[i % 2]},{'ba'[i % 2]},{i}\n" for i in range(5))
    (root / "mine.csv").write_text("file,label,better,age\n" + rows)
    (root / "other.csv").write_text("file,label\n" + "".join(f"{i}.png,{'xyz'[i % 3]}\n" for i in range(6)))
    (root / "removed.csv").write_text("record,path\n5.png,5.png\n")
    (root / "medaudit.toml").write_text(config)
    return root


def opened(root: Path):
    return open_dataset(root, read_config(root / "medaudit.toml").options(root))


def test_the_named_table_is_read_with_the_corrected_column_in_the_place_of_the_original(tmp_path):
    dataset = opened(folder(tmp_path))
    assert list(dataset.labels.values) == ["b", "a", "b", "a", "b"]
    assert dataset.labels.origin == "label"
    assert list(dataset.metadata.columns) == ["table.age"]


def test_a_file_that_was_left_out_on_purpose_is_not_unlisted(tmp_path):
    assert opened(folder(tmp_path)).problems == ()
    assert [
        p.path for p in opened(folder(tmp_path, CONFIG.replace("left-out", "root").replace("removed.csv", "."))).problems
    ] == ["5.png"]


def test_a_file_name_behind_an_apostrophe_is_left_out_too(tmp_path):
    root = folder(tmp_path)
    (root / "5.png").rename(root / "=5.png")
    (root / "removed.csv").write_text("record,path\n'=5.png,'=5.png\n")
    assert opened(root).problems == ()


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("mine.csv", "nowhere.csv", "tables names 'nowhere.csv'"),
        ('["mine.csv"]', '["mine.csv", "other.csv"]', "nearly the same header"),
        ('"better"', '"best"', "not both columns"),
    ],
)
def test_what_is_not_there_is_told(tmp_path, old, new, match):
    with pytest.raises(DatasetError, match=match):
        opened(folder(tmp_path, CONFIG.replace(old, new)))
