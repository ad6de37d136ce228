"""A function that reads a file is called in a worker, by name: whatever it does, the scan goes on."""

import os
import pickle
from collections.abc import Sequence
from pathlib import Path

import pytest

from auditor.reading import bounds
from auditor.reading.jobs import Job, in_order, run_job, run_jobs
from auditor.values.errors import DatasetError, MissingExtraError, UnreadableFile
from auditor.values.image import Limits

MODULE = """
import os, time, hashlib
from auditor.values.errors import DatasetError, MissingExtraError, UnreadableFile

def twice(limits, number): return 2 * number
def slow_first(limits, number):
    time.sleep(0.3 if number == 0 else 0)
    return number
def seconds(limits): return limits.seconds
def process(limits): return os.getpid()
def refuses(limits): raise UnreadableFile("malformed", "not what it says it is")
def misses(limits): raise DatasetError("labels.csv: no such column")
def lacks(limits): raise MissingExtraError("openslide", extra="slides", purpose="slides")
def fails(limits): raise KeyError("Jane Doe")
def dies(limits): os._exit(9)
def blocks(limits): time.sleep(60)
def computes(limits): hashlib.pbkdf2_hmac('sha512', b'', b'', 1 << 30)
def fills(limits): return bytearray(8 << 30)
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of readers that workers can import."""
    (tmp_path / "strange_readers.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def jobs(name: str, arguments: Sequence[tuple[object, ...]]) -> list[Job]:
    return [Job(function=f"strange_readers:{name}", arguments=given) for given in arguments]


def test_every_job_is_answered_once_under_its_number() -> None:
    answers = list(run_jobs(jobs("twice", [(i,) for i in range(9)]), Limits(), workers=2, chunk=2))
    assert sorted((a.number, a.value) for a in answers) == [(i, 2 * i) for i in range(9)]


def test_answers_come_in_the_order_of_the_jobs_where_that_is_asked_for() -> None:
    answers = in_order(jobs("slow_first", [(i,) for i in range(6)]), Limits(), workers=2, chunk=1)
    assert [a.value for a in answers] == list(range(6))


def test_no_job_starts_no_process() -> None:
    assert list(run_jobs([], Limits(), workers=2)) == []


def test_it_is_another_process_that_reads() -> None:
    assert run_job("strange_readers:process", limits=Limits()) != os.getpid()


def test_what_is_read_whole_has_limits_of_its_own_that_the_user_sets() -> None:
    assert run_job("strange_readers:seconds", limits=Limits(seconds=3, table_seconds=7)) == 7


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("refuses", UnreadableFile, "not what it says it is"),
        ("misses", DatasetError, "labels.csv: no such column"),
        ("lacks", MissingExtraError, r"pip install 'medaudit\[slides\]'"),
    ],
)
def test_what_a_reader_says_is_wrong_is_said_where_it_was_asked(name: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        run_job(f"strange_readers:{name}", limits=Limits())


timed = pytest.mark.skipif(not bounds.BOUNDS_PROCESSOR, reason="processor time is not bounded on Windows")


@pytest.mark.parametrize(
    ("name", "kind", "limits"),
    [
        ("fails", "crashed", Limits()),
        ("dies", "crashed", Limits()),
        ("blocks", "timeout", Limits(seconds=0.5, wall_seconds=2)),
        pytest.param("computes", "timeout", Limits(seconds=0.5), marks=timed),
        ("fills", "memory", Limits()),
    ],
)
def test_a_job_that_goes_wrong_costs_itself_alone(name: str, kind: str, limits: Limits) -> None:
    tasks = [*jobs("twice", [(1,)]), *jobs(name, [()]), *jobs("twice", [(2,)])]
    answers = sorted(run_jobs(tasks, limits), key=lambda a: a.number)
    assert [answers[0].value, answers[2].value] == [2, 4]
    with pytest.raises(UnreadableFile) as caught:
        _ = answers[1].value
    assert caught.value.kind == kind
    assert "Jane" not in caught.value.reason


def test_a_missing_extra_keeps_its_words_between_processes() -> None:
    error = pickle.loads(pickle.dumps(MissingExtraError("x", extra="y", purpose="z")))
    assert (str(error), error.extra) == ("z needs x: pip install 'medaudit[y]'", "y")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize(
    ("function", "more"),
    [
        ("auditor.tables.opening:whole", ()),
        ("auditor.prediction.opening:table", ()),
        ("auditor.prediction.opening:array", (3,)),
        ("auditor.placement.npz_labels:shapes", ()),
        ("auditor.tables.names_file:names", ()),
    ],
)
def test_what_has_become_a_pipe_since_it_was_listed_is_not_waited_for(
    tmp_path: Path, function: str, more: tuple[int, ...]
) -> None:
    os.mkfifo(tmp_path / "labels.csv")
    bounds = Limits(wall_seconds=20, seconds=5, table_seconds=5)
    with pytest.raises(UnreadableFile, match="not a regular file"):
        run_job(function, tmp_path / "labels.csv", *more, limits=bounds)
