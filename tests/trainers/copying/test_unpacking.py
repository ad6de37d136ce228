"""A data set in archives becomes a folder: what is in them, nothing outside of it, whole or not at all."""

from __future__ import annotations

import gzip
import io
import json
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import medaudit
from auditor.containers.filling import inside
from auditor.degrade.encode import png
from medaudit.cli import main
from trainers.copying.unpacking import stem_of


def picture(value: int) -> bytes:
    import numpy as np

    return png(np.full((8, 8), value, np.uint8))


def tar_of(path: Path, members: dict[str, bytes], *, how: str = "w") -> None:
    with tarfile.open(path, how) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a/b.png", "a/b.png"),
        ("./a//b.png", "a/b.png"),
        ("a\\b.png", "a/b.png"),
        ("../b.png", None),
        ("a/../../b.png", None),
        ("/etc/passwd", None),
        ("C:\\b.png", None),
        ("", None),
        ("a\0b", None),
        ("x" * 300, None),
        ("\udcff.png", None),
        ("a/" * 30 + "b.png", "a/" * 30 + "b.png"),
        ("a/" * 2000 + "b.png", None),
        (("d" * 99 + "/") * 20 + "b.png", None),
    ],
)
def test_a_name_stays_in_the_folder_or_is_none(name: str, clean: str | None) -> None:
    assert inside(name) == clean


@pytest.mark.parametrize(
    ("name", "stem"), [("a/train-000.tar.gz", "a/train-000"), ("b.ZIP", "b"), ("c.parquet", "c"), ("", ""), ("plain", "plain")]
)
def test_an_archive_becomes_a_folder_of_its_name(name: str, stem: str) -> None:
    assert stem_of(name) == stem


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.xz"])
def test_class_folders_in_an_archive_are_scanned_as_class_folders(tmp_path: Path, kind: str) -> None:
    members = {f"{c}/{c}{k}.png": picture(40 * i + k) for i, c in enumerate(("benign", "malignant")) for k in range(6)}
    archive = tmp_path / f"data.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as opened:
            for name, content in members.items():
                opened.writestr(name, content)
            opened.writestr("__MACOSX/benign/._b0.png", b"x")
    else:
        tar_of(archive, members, how={"tar": "w", "tar.gz": "w:gz", "tar.xz": "w:xz"}[kind])
    done = medaudit.unpack(archive, tmp_path / "out", workers=0)
    assert files_in(tmp_path / "out") == set(members)
    assert (done.archives, done.files, done.refused) == (1, 12, {})
    assert done.bytes == sum(map(len, members.values()))
    labels = medaudit.open_dataset(tmp_path / "out").labels
    assert tuple(labels.classes) == ("benign", "malignant")


def test_archives_called_as_classes_become_class_folders(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for i, name in enumerate(("benign", "malignant")):
        with zipfile.ZipFile(tmp_path / f"data/{name}.zip", "w") as opened:
            for k in range(6):  # one has its folder inside, the other has not
                opened.writestr(f"{name}/{k}.png" if i else f"{k}.png", picture(40 * i + k))
    (tmp_path / "data/readme.txt").write_text("as it is")
    medaudit.unpack(tmp_path / "data", tmp_path / "out", workers=0)
    assert files_in(tmp_path / "out") == {
        *(f"{name}/{k}.png" for name in ("benign", "malignant") for k in range(6)),
        "readme.txt",
    }


def test_shards_of_webdataset_become_one_table_with_split_label_and_what_their_json_says(tmp_path: Path) -> None:
    source = tmp_path / "shards"
    source.mkdir()
    for split, first in (("train", 0), ("test", 8)):
        members: dict[str, bytes] = {}
        for k in range(first, first + 8):
            members[f"{k:06d}.png"] = picture(k)
            members[f"{k:06d}.cls"] = str(k % 2).encode()
            members[f"{k:06d}.json"] = json.dumps({"patient": f"p{k // 2}", "image": "x", "deep": {"a": 1}}).encode()
        tar_of(source / f"{split}-000000.tar", members)
    done = medaudit.unpack(source, tmp_path / "out", workers=0)
    assert done.table == tmp_path / "out/labels.csv"
    assert done.rows == 16
    assert not any(name.endswith((".cls", ".json")) for name in files_in(tmp_path / "out"))
    dataset = medaudit.open_dataset(tmp_path / "out")
    assert dataset.size == 16
    assert set(dataset.records["split"]) == {"train", "test"}
    assert dataset.records["patient"].nunique() == 8
    assert tuple(dataset.labels.classes) == ("0", "1")


def test_images_in_a_parquet_table_get_their_names_and_classes(tmp_path: Path) -> None:
    source = tmp_path / "hub/data"
    source.mkdir(parents=True)
    told = {"info": {"features": {"label": {"_type": "ClassLabel", "names": ["normal", "tumour"]}}}}
    for split, first in (("train", 0), ("validation", 6)):
        table = pa.table(
            {
                "image": [{"bytes": picture(k), "path": f"{k}.png" if k % 2 else None} for k in range(first, first + 6)],
                "label": [k % 2 for k in range(first, first + 6)],
            }
        )
        described = table.replace_schema_metadata({"huggingface": json.dumps(told)})
        parquet.write_table(described, source / f"{split}-00000-of-00001.parquet")
    done = medaudit.unpack(tmp_path / "hub", tmp_path / "out", workers=0)
    assert done.rows == 12
    dataset = medaudit.open_dataset(tmp_path / "out")
    assert tuple(dataset.labels.classes) == ("normal", "tumour")
    assert sorted(set(dataset.records["split"])) == ["train", "val"]
    assert "data/train-00000-of-00001/1.png" in set(dataset.records["path"])
    assert "data/train-00000-of-00001/000000.png" in set(dataset.records["path"])


def test_what_a_stranger_packed_lands_nowhere_else_and_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "sent.tar"
    with tarfile.open(archive, "w") as opened:
        for name in ("../outside.png", "/tmp/absolute.png", "good.png", "good.png"):
            info = tarfile.TarInfo(name)
            info.size = len(picture(1))
            opened.addfile(info, io.BytesIO(picture(1)))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(link)
        pipe = tarfile.TarInfo("pipe.png")
        pipe.type = tarfile.FIFOTYPE
        opened.addfile(pipe)
    assert main(["unpack", str(archive), "-o", str(tmp_path / "out"), "--workers", "1"]) == 1
    assert files_in(tmp_path) == {"sent.tar", "out/good.png"}
    printed = capsys.readouterr().out
    assert "left out, 2: a link or a device" in printed
    assert "left out, 2: a name that leads out" in printed
    assert "left out, 1: a name that is there twice" in printed


def test_a_link_in_a_zip_is_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "sent.zip", "w") as opened:
        info = zipfile.ZipInfo("link.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
        opened.writestr("good.png", picture(1))
    done = medaudit.unpack(tmp_path / "sent.zip", tmp_path / "out", workers=0)
    assert files_in(tmp_path / "out") == {"good.png"}
    assert done.refused == {"a link or a device": 1}


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b"", b"\x1f\x8b\x08 no gzip", b"x" * 2000])
def test_a_damaged_archive_is_one_line_and_nothing_is_written(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sent.zip").write_bytes(content)
    assert main(["unpack", str(tmp_path / "sent.zip"), "-o", str(tmp_path / "out"), "--workers", "0"]) == 2
    assert "no whole zip or tar archive" in capsys.readouterr().err
    assert files_in(tmp_path) == {"sent.zip"}
    assert not (tmp_path / "out").exists()


def test_what_swells_past_the_limit_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.png", bytes(30_000_000))
    assert main(["unpack", str(tmp_path / "bomb.zip"), "-o", str(tmp_path / "out"), "--most", "10MB", "--workers", "1"]) == 2
    assert "--most" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["bomb.zip"]


def test_a_folder_without_archives_and_a_place_that_is_taken_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.png").write_bytes(picture(1))
    assert main(["unpack", str(tmp_path / "data"), "-o", str(tmp_path / "out"), "--workers", "0"]) == 2
    assert "nothing to unpack" in capsys.readouterr().err
    assert main(["unpack", str(tmp_path / "data"), "-o", str(tmp_path / "data"), "--workers", "0"]) == 2
    assert "name a new folder" in capsys.readouterr().err
    assert main(["unpack", str(tmp_path / "data"), "-o", str(tmp_path / "out"), "--most", "lots"]) == 2
    assert "20GB" in capsys.readouterr().err


def test_what_a_shard_says_is_no_formula_and_its_image_is_still_found(tmp_path: Path) -> None:
    members = {}
    for k in range(6):
        members[f"=pic{k}.png"] = picture(k)
        members[f"=pic{k}.json"] = json.dumps({"finding": ("=1+1", "normal")[k % 2], "score": -1.5}).encode()
    tar_of(tmp_path / "shard.tar", members)
    medaudit.unpack(tmp_path / "shard.tar", tmp_path / "out", workers=0)
    lines = (tmp_path / "out/labels.csv").read_text().splitlines()
    assert lines[1] == "./=pic0.png,'=1+1,-1.5"
    assert medaudit.open_dataset(tmp_path / "out", label="finding").records["path"].notna().sum() == 6


@pytest.mark.parametrize("beside", ["images/other.png", "images", "Images.tar"])
def test_nothing_takes_the_place_of_what_lies_beside_an_archive(tmp_path: Path, beside: str) -> None:
    source = tmp_path / "data"
    (source / beside).parent.mkdir(parents=True)
    (source / beside).write_bytes(b"another")
    with zipfile.ZipFile(source / "images.zip", "w") as opened:
        opened.writestr("other.png", picture(1))
    with pytest.raises(medaudit.DatasetError, match="lies beside it"):
        medaudit.unpack(source, tmp_path / "out", workers=0)
    assert not (tmp_path / "out").exists()


def overlapping(first: int, members: int) -> bytes:
    """A zip whose members all are the one stored one of `first` bytes."""
    content, name = bytes(first), b"a.png"
    sizes = struct.pack("<III", zlib.crc32(content), first, first)
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 0, 0, 0) + sizes + struct.pack("<HH", len(name), 0) + name + content
    entries = b"".join(
        b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 0, 0, 0) + sizes
        + struct.pack("<HHHHHII", len(own), 0, 0, 0, 0, 0, 0) + own
        for own in (b"a%04d" % number for number in range(members))
    )  # fmt: skip
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, members, members, len(entries), len(local), 0)
    return local + entries + end


def test_members_that_share_their_bytes_are_refused_before_a_byte_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sent.zip").write_bytes(overlapping(1000, 300))
    assert main(["unpack", str(tmp_path / "sent.zip"), "-o", str(tmp_path / "out"), "--workers", "0"]) == 2
    assert "lie in one another" in capsys.readouterr().err
    assert files_in(tmp_path) == {"sent.zip"}


def test_a_zip_that_says_itself_that_it_is_too_large_is_refused_before_a_byte_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.png", bytes(30_000_000))
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    with pytest.raises(medaudit.DatasetError, match="--most"):
        medaudit.unpack(tmp_path / "bomb.zip", tmp_path / "out", workers=0, most="10MB")


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        opened.writestr("inner.png", picture(1))
    tar_of(tmp_path / "sent.tar", {"a.png": picture(1), "b.png": picture(2), "inner.zip": stream.getvalue()})
    medaudit.unpack(tmp_path / "sent.tar", tmp_path / "out", workers=0)
    assert files_in(tmp_path / "out") == {"a.png", "b.png", "inner.zip"}


def test_a_file_of_holes_is_left_out_whatever_size_it_declares(tmp_path: Path) -> None:
    info = tarfile.TarInfo("GNUSparseFile.0/s.png")
    content = b"1\n1099511627264\n512\n".ljust(512, b"\0") + bytes(512)
    info.size = len(content)
    info.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s.png", "GNU.sparse.realsize": str(1 << 40),
    }  # fmt: skip
    with tarfile.open(tmp_path / "sent.tar", "w", format=tarfile.PAX_FORMAT) as opened:
        opened.addfile(info, io.BytesIO(content))
        opened.addfile(tarfile.TarInfo("empty.png"))
    done = medaudit.unpack(tmp_path / "sent.tar", tmp_path / "out", workers=0, most="1MB")
    assert files_in(tmp_path / "out") == {"empty.png"}
    assert done.refused == {"a file of holes (sparse)": 1}


def test_an_image_of_a_parquet_table_that_is_called_like_the_number_of_another_keeps_its_name(tmp_path: Path) -> None:
    images = [{"bytes": picture(k), "path": name} for k, name in enumerate(("000001.png", None, "000002.png", None))]
    parquet.write_table(pa.table({"image": images}), tmp_path / "sent.parquet")
    done = medaudit.unpack(tmp_path / "sent.parquet", tmp_path / "out", workers=0)
    assert files_in(tmp_path / "out") - {"labels.csv"} == {"000001.png", "000001-2.png", "000002.png", "000003.png"}
    assert done.rows == 4


def shard_that_says(path: Path, first: int, images: int, keys: int) -> None:
    members: dict[str, bytes] = {}
    for k in range(first, first + images):
        members[f"{k:05d}.png"] = picture(1)
        members[f"{k:05d}.json"] = json.dumps({f"k{k}_{j}": "x" for j in range(keys)}).encode()
    tar_of(path, members)


def test_records_that_each_say_something_else_are_no_table_and_end_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shard_that_says(tmp_path / "one.tar", 0, 3, 2000)
    (tmp_path / "many").mkdir()
    for shard in range(3):  # each of them is small enough
        shard_that_says(tmp_path / f"many/train-{shard}.tar", 10 * shard, 1, 2000)
    for source in ("one.tar", "many"):
        assert main(["unpack", str(tmp_path / source), "-o", str(tmp_path / "out"), "--workers", "0"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "more than 5,000 different things" in line
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("how", ["w", "w:gz"])
@pytest.mark.parametrize("damage", ["header", "cut", "size below nought"])
def test_a_damaged_header_is_no_end_of_the_archive(tmp_path: Path, how: str, damage: str) -> None:
    tar_of(tmp_path / "whole.tar", {f"{k}.png": picture(k) for k in range(4)})
    content = (tmp_path / "whole.tar").read_bytes()
    place = content.index(b"0.png" if damage == "size below nought" else b"1.png")
    header = b"\xff" * 512
    if damage == "size below nought":  # −512 in base 256, with a checksum that holds
        header = content[place : place + 124] + b"\xff" * 10 + b"\xfe\x00" + content[place + 136 : place + 512]
        told = sum(header[:148] + b" " * 8 + header[156:])
        header = header[:148] + f"{told:06o}\0 ".encode() + header[156:]
    content = content[: place + 200] if damage == "cut" else content[:place] + header + content[place + 512 :]
    (tmp_path / "sent.tar").write_bytes(gzip.compress(content) if how == "w:gz" else content)
    with pytest.raises(medaudit.DatasetError, match="no whole zip or tar"):
        medaudit.unpack(tmp_path / "sent.tar", tmp_path / "out", workers=0)
    assert not (tmp_path / "out").exists()


def many(path: Path, kind: str, count: int = 30) -> Path:
    """An archive of so many members, of a kind."""
    names = [f"{k}.png" for k in range(count)]
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as opened:
            for name in names:
                opened.writestr(name, b"x")
    elif kind == "parquet":
        parquet.write_table(pa.table({"image": pa.array([b"x"] * count, pa.binary())}), path)
    elif kind == "folders":
        tar_of(path, {"/".join([str(k), *"abcd", "p.png"]): b"x" for k in range(count // 5)})
    elif kind == "links":
        with tarfile.open(path, "w:gz") as opened:
            for name in names:
                link = tarfile.TarInfo(name)
                link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
                opened.addfile(link)
    else:
        tar_of(path, dict.fromkeys(names, b"x"), how=kind)
    return path


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz", "w:bz2", "links", "folders", "parquet"])
def test_more_members_than_are_allowed_are_refused_by_the_name_of_the_option(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = many(tmp_path / ("sent.parquet" if kind == "parquet" else "sent.tar"), kind)
    command = ["unpack", str(archive), "-o", str(tmp_path / "out"), "--workers", "0", "--most-files"]
    assert main([*command, "29"]) == 2
    assert "--most-files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]
    assert main([*command, "36"]) == (1 if kind == "links" else 0)


def test_the_members_of_all_archives_are_counted_together(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in "abc":
        many(tmp_path / f"data/{name}.tar", "w")
    with pytest.raises(medaudit.DatasetError, match="--most-files"):
        medaudit.unpack(tmp_path / "data", tmp_path / "out", workers=0, most_files=80)
    assert medaudit.unpack(tmp_path / "data", tmp_path / "out", workers=0, most_files=90).files == 90


def test_a_zip_that_lists_more_members_than_it_counts_is_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = many(tmp_path / "sent.zip", "zip")
    content = bytearray(archive.read_bytes())
    content[-14:-10] = struct.pack("<HH", 1, 1)
    archive.write_bytes(content)
    monkeypatch.setattr(zipfile.ZipFile, "infolist", None)
    with pytest.raises(medaudit.DatasetError, match="--most-files"):
        medaudit.unpack(archive, tmp_path / "out", workers=0, most_files=29)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_long_header_of_a_tar_is_not_read(tmp_path: Path, kind: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    says = tarfile.TarInfo("says")
    says.type, says.size = kind, 300 << 20
    (tmp_path / "sent.tar").write_bytes(says.tobuf(tarfile.GNU_FORMAT))  # the rest of it is never asked for
    assert main(["unpack", str(tmp_path / "sent.tar"), "-o", str(tmp_path / "out"), "--workers", "0"]) == 2
    assert "KiB in one place" in capsys.readouterr().err


def test_what_swells_a_hundredfold_needs_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainers.copying import unpacking

    monkeypatch.setattr(unpacking, "LEAST", 1_000_000)
    tar_of(tmp_path / "bomb.tar.xz", {"a.png": bytes(3_000_000)}, how="w:xz")
    with pytest.raises(medaudit.DatasetError, match=r"more than 1\.0 MB come out of it: raise --most"):
        medaudit.unpack(tmp_path / "bomb.tar.xz", tmp_path / "out", workers=0)
    assert medaudit.unpack(tmp_path / "bomb.tar.xz", tmp_path / "out", workers=0, most="4MB").files == 1


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_a_tar_packed_as_several_streams_is_read_to_its_end(tmp_path: Path, kind: str) -> None:
    import bz2
    import lzma

    tar_of(tmp_path / "plain.tar", {f"{k}.png": picture(k) for k in range(6)})
    content = (tmp_path / "plain.tar").read_bytes()
    packed = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind]
    (tmp_path / f"sent.tar.{kind}").write_bytes(packed(content[:2048]) + packed(content[2048:]))
    assert medaudit.unpack(tmp_path / f"sent.tar.{kind}", tmp_path / "out", workers=0).files == 6


def test_what_a_lost_worker_had_written_is_no_second_member(tmp_path: Path) -> None:
    from auditor.containers.filling import Allowed
    from auditor.containers.unpack import unpack
    from auditor.values.image import Limits

    (tmp_path / "out/left").mkdir(parents=True)
    (tmp_path / "out/0.png").write_bytes(b"")
    many(tmp_path / "sent.tar", "w")
    done = unpack(Limits(), tmp_path / "sent.tar", tmp_path / "out", Allowed(bytes=1 << 20, files=100))
    assert (len(done.files), done.refused) == (30, {})
    assert (tmp_path / "out/0.png").read_bytes() == b"x"
    assert not (tmp_path / "out/left").exists()


def test_computing_over_the_limit_ends_by_the_name_of_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tar_of(tmp_path / "sent.tar.gz", {"a.png": bytes(400_000_000)}, how="w:gz")
    assert main(["unpack", str(tmp_path / "sent.tar.gz"), "-o", str(tmp_path / "out"), "--seconds", "0.1s"]) == 2
    assert "raise --seconds" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["sent.tar.gz"]
