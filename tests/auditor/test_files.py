"""Files of ours are written whole or not at all."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.abandoned import HOLDS, prefix_of
from auditor.files import head_of, open_regular, spare, write_files
from auditor.values.errors import ConfigError, MedauditError


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


def test_a_link_in_the_place_of_an_output_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "report.html").symlink_to(tmp_path / "victim")
    write_files({tmp_path / "report.html": b"new"})
    assert (tmp_path / "victim").read_text() == "mine"
    assert (tmp_path / "report.html").read_text() == "new"
    assert not (tmp_path / "report.html").is_symlink()


def test_an_output_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "medaudit-out").symlink_to(tmp_path / "precious")
    for place in ("medaudit-out/report.html", "medaudit-out/fixed/a/b"):
        with pytest.raises(MedauditError, match="is a link"):
            write_files({tmp_path / place: b"new"})
    assert not list((tmp_path / "precious").iterdir())


def test_the_beginning_and_the_end_of_a_file_are_read_once(tmp_path):
    (tmp_path / "f").write_bytes(bytes(range(100)))
    assert head_of(tmp_path / "f", 10) == bytes(range(10))
    assert head_of(tmp_path / "f", 10, end=5) == bytes((*range(10), *range(95, 100)))
    assert head_of(tmp_path / "f", 98, end=5) == bytes(range(100))
    assert head_of(tmp_path / "f", 200, end=5) == bytes(range(100))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_or_a_device_in_the_place_of_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match=r"regular file|directory"):
            head_of(path, 10)
    with pytest.raises(OSError, match="regular file"):
        open_regular(type(tmp_path)("/dev/zero"))


@pytest.mark.parametrize("name", ["labels.csv", "a/picture.png", "link.json", "labels.json"])
def test_no_output_takes_the_place_of_a_file_of_the_dataset(tmp_path, name):
    data = tmp_path / "data"
    (data / "a").mkdir(parents=True)
    for own, content in (("labels.csv", b"path,label\n"), ("a/picture.png", b"\x89PNG"), ("labels.json", b'[{"label": "a"}]')):
        (data / own).write_bytes(content)
    (data / "link.json").symlink_to(tmp_path / "elsewhere.json")
    (tmp_path / "elsewhere.json").write_text('{"schema_version": 2}')
    for dataset in (data, data / "labels.csv"):
        with pytest.raises(ConfigError, match="lies in the dataset"):
            spare([tmp_path / "r.json", data / name], dataset)
    spare([data / name], data, usual=name.rpartition("/")[2])


def test_reports_that_lie_in_the_dataset_are_replaced_and_so_is_what_lies_elsewhere(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name, content in (
        ("r.json", '{"schema_version": 2'),
        ("r.html", "<!DOCTYPE html>"),
        ("f.csv", "code,name,severity,path\n"),
    ):
        (data / name).write_text(content)
        spare([data / name, data / "new.json"], data)
    (tmp_path / "mine.csv").write_text("path,label\n")
    spare([tmp_path / "mine.csv"], data)
    (data / "table.json").write_text('{"schema_version": 2}')
    with pytest.raises(ConfigError):
        spare([data / "table.json"], data / "table.json")


KILLED = """
import os, signal, sys
from pathlib import Path
from auditor.files import write_files

os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
write_files({Path(name): b"half" for name in sys.argv[1:]})
"""


@pytest.mark.skipif(not HOLDS, reason="files cannot be held here")
def test_what_a_killed_run_left_beside_its_goal_is_cleared_by_the_next_one(tmp_path):
    goal = tmp_path / "report.html"
    goal.write_bytes(b"old")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", KILLED, str(goal)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = (path for path in tmp_path.iterdir() if path != goal)
    assert left.name.startswith(prefix_of(goal))
    assert goal.read_bytes() == b"old"
    sent, other = tmp_path / ".medaudit-0123456789ab-0123456789abcdef.tmp", tmp_path / "other.json"
    sent.write_bytes(b"of a data set")
    write_files({other: b"new"})
    assert left.exists()  # begun for another output
    write_files({goal: b"new"})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([sent.name, "other.json", "report.html"])
    assert goal.read_bytes() == b"new"


@pytest.mark.skipif(not HOLDS, reason="files cannot be held here")
def test_what_another_process_is_writing_stays(tmp_path):
    goal = tmp_path / "report.html"
    theirs = tmp_path / f"{prefix_of(goal)}0123456789abcdef.tmp"
    theirs.write_bytes(b"half")
    code = (
        "import pathlib, sys; from auditor.abandoned import held\n"
        "with held(pathlib.Path(sys.argv[1])) as ours: print(ours, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(theirs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as other:  # fmt: skip
        assert other.stdout.readline() == "True\n"
        write_files({goal: b"new"})
        assert theirs.exists()
        other.communicate("\n")
    write_files({goal: b"newer"})
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
