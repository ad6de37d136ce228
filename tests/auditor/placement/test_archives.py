"""Archives of images or tables are told by name with what to do; a scan of them is never green."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import medaudit
from auditor.layout import Options, open_dataset
from auditor.placement.archives import CLOSED, TABLES_INSIDE, UNPACK, archive_kind


def png(number: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (8, 8), number).save(stream, "PNG")
    return stream.getvalue()


def tar(path: Path, names: list[str], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for number, name in enumerate(names):
            entry = tarfile.TarInfo(name)
            entry.size = len(png(number))
            archive.addfile(entry, io.BytesIO(png(number)))
    return path


def zipped(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, png(number))
    return path


def test_what_an_archive_holds_is_told_from_its_names(tmp_path: Path) -> None:
    shard = ["000.cls", "000.png", "001.cls", "001.png"]
    assert archive_kind(tar(tmp_path / "train-0000.tar", shard)) == UNPACK
    assert archive_kind(tar(tmp_path / "t.tar.gz", ["readme", "x/1.dcm"], "w:gz")) == UNPACK
    assert archive_kind(zipped(tmp_path / "many.zip", ["a.txt"] * 1 + [f"images/{i}.jpg" for i in range(300)])) == UNPACK
    assert archive_kind(zipped(tmp_path / "train.csv.zip", ["train.csv"])) == TABLES_INSIDE
    assert archive_kind(zipped(tmp_path / "code.zip", ["setup.py", "a/b.py"])) == ""
    (tmp_path / "x.rar").write_bytes(b"Rar!\x1a\7\0")
    assert archive_kind(tmp_path / "x.rar") == CLOSED
    assert archive_kind(tmp_path / "picture.png") == ""


@pytest.mark.parametrize("name", ["train-0000.tar", "images.zip"])
def test_a_folder_of_archives_alone_is_not_enough_seen(tmp_path: Path, name: str) -> None:
    (zipped if name.endswith("zip") else tar)(tmp_path / name, ["0.png", "0.json", "1.png", "../../escape.png"])
    result = medaudit.scan(tmp_path, workers=0, cache=False)
    assert (result.gate.verdict, result.gate.exit_code) == ("not enough seen", 3)
    (told,) = [finding for finding in result.findings if finding.code == "IN001"]
    assert told.where.path == name
    assert "medaudit unpack" in told.message
    assert not (tmp_path.parent / "escape.png").exists()


def test_archives_beside_images_and_tables_in_them_are_told(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    zipped(tmp_path / "more.zip", ["9.png"])
    zipped(tmp_path / "labels.csv.zip", ["labels.csv"])
    zipped(tmp_path / "code.zip", ["a.py"])
    told = {problem.path: problem.kind for problem in open_dataset(tmp_path, Options(workers=0)).problems}
    assert told == {"more.zip": "unsupported", "labels.csv.zip": "unused-table"}
