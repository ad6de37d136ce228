"""Files of ours are written whole or not at all."""

import pytest

from auditor.files import write_files
from auditor.values.errors import MedauditError


def test_when_one_file_cannot_be_written_the_old_ones_stay(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(MedauditError, match="nothing was replaced"):
        write_files({tmp_path / "a": b"new", tmp_path / "file" / "b": b"new"})
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "file"]


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    path = tmp_path / ("é" * 125 + ".json")
    write_files({path: b"x"})
    assert path.read_bytes() == b"x"
