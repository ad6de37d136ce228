"""Worker processes are copies of one that has imported what they need, and behave as fresh ones do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.reading import nursery
from auditor.reading.jobs import Jobs
from auditor.reading.nursery import Child, Nurseries
from auditor.reading.process import Process
from auditor.reading.wire import receive
from auditor.values.image import Limits

pytestmark = pytest.mark.skipif(not nursery.POSSIBLE, reason="Linux alone")

TELL = "import os, sys; sys.stdout.buffer.write(repr(({})).encode()); sys.stdout.buffer.flush()"
CHILDREN: list[Child] = []
WAIT = "import sys; sys.stdin.buffer.read()"


@pytest.fixture
def own() -> Iterator[Nurseries]:
    one = Nurseries()
    yield one
    one.end()
    while CHILDREN:
        for end in ((child := CHILDREN.pop()).stdin, child.stdout):
            end.close()


def born(own: Nurseries, code: str, *prepared: str) -> Child:
    child = own.bear(code, prepared)
    assert child is not None
    CHILDREN.append(child)
    return child


def told(child: Child) -> object:
    said = child.stdout.read()
    assert child.wait(timeout=60) == 0
    return eval(said)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_a_worker_lives_where_its_program_is_now(own: Nurseries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(born(own, TELL.format("1")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OF_TODAY", "yes")
    monkeypatch.delenv("HOME", raising=False)
    asked = "os.getcwd(), os.environ.get('OF_TODAY'), os.environ.get('HOME'), os.environ['OMP_NUM_THREADS']"
    assert told(born(own, TELL.format(asked))) == (str(tmp_path), "yes", None, "1")


def test_it_holds_nothing_of_its_sisters_or_of_the_nursery(own: Nurseries) -> None:
    sister = born(own, WAIT)
    ends = "[p for p in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + p)]"
    assert told(born(own, TELL.format(ends))) == ["0", "1", "2"]
    sister.stdin.close()
    assert sister.wait(timeout=60) == 0, "its pipe was closed, although other workers were made after it"


def test_how_a_worker_ended_is_known(own: Nurseries) -> None:
    assert born(own, "import os; os._exit(7)").wait(timeout=60) == 7
    assert born(own, "raise SystemExit(3)").wait(timeout=60) != 0
    assert born(own, "import os, signal; os.kill(os.getpid(), signal.SIGPROF)").wait(timeout=60) == -signal.SIGPROF
    waiting = born(own, WAIT)
    assert waiting.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=0.05)
    waiting.kill()
    assert waiting.wait(timeout=60) == waiting.poll() == -signal.SIGKILL
    waiting.kill()  # once more does nothing


def test_what_is_prepared_is_there_and_what_cannot_be_prepared_costs_nothing(own: Nurseries) -> None:
    asked = TELL.format("'colorsys' in sys.modules")
    assert told(born(own, asked)) is False
    assert told(born(own, asked, "colorsys", "no_such_module", "os:no_such_name")) is True


def test_a_nursery_that_was_killed_is_replaced_and_its_workers_go_on(own: Nurseries) -> None:
    child = born(own, WAIT)
    os.kill(parent_of(child.pid), signal.SIGKILL)
    assert told(born(own, TELL.format("1"))) == 1
    assert child.poll() is None
    child.stdin.close()
    assert child.wait(timeout=60) < 0, "it has ended, and nobody knows how"


def test_another_environment_at_the_start_is_another_nursery_and_few_are_kept(
    own: Nurseries, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = born(own, WAIT)
    first = parent_of(waiting.pid)
    for number in range(3):
        monkeypatch.setenv("PYTHONPATH", f"/nowhere/{number}")
        assert told(born(own, TELL.format("sys.path[1]"))) == f"/nowhere/{number}"
    assert len(own._open) == nursery.MOST
    assert waiting.poll() is None, "a worker of one that is no longer kept goes on"
    waiting.stdin.close()
    assert waiting.wait(timeout=60) == 0
    for _ in range(3000):
        if not Path(f"/proc/{first}").exists() or "Z (zombie)" in Path(f"/proc/{first}/status").read_text():
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the nursery is left over")


def test_where_there_is_none_a_worker_starts_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nursery, "POSSIBLE", False)
    assert Nurseries().bear(WAIT, ()) is None
    worker = Process(work=Jobs(limits=Limits(), modules=("os",)))
    worker.start()
    try:
        assert isinstance(worker.process, subprocess.Popen)
        assert parent_of(worker.process.pid) == os.getpid()
        assert worker.process.stdout is not None
        assert receive(worker.process.stdout) is None
    finally:
        worker.stop()


def gone(*processes: int) -> bool:
    for _ in range(3000):
        if not any(Path(f"/proc/{one}").exists() for one in processes):
            return True
        time.sleep(0.02)
    return False


@contextlib.contextmanager
def program(code: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another program with a worker, and the number of that; it lives until it is killed."""
    code = f"import sys\n{code}\nprint(pid, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        yield one, int(one.stdout.readline())
        one.kill()


def test_it_goes_with_its_program() -> None:
    code = f"from auditor.reading.nursery import NURSERIES; child = NURSERIES.bear({WAIT!r}, ()); pid = child.pid"
    with program(code) as (its, pid):
        both = [pid, parent_of(pid)]
        its.kill()
        assert gone(*both)


@pytest.mark.parametrize("code", ["open({!r}).read()", "import signal; signal.pause()  # {}"], ids=["pipe", "kernel"])
def test_a_worker_that_waits_in_the_kernel_goes_with_its_program(tmp_path: Path, code: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    waits = code.format(str(tmp_path / "pipe"))
    with program(f"from auditor.reading.nursery import NURSERIES; child = NURSERIES.bear({waits!r}, ()); pid = child.pid") as (
        its,
        pid,
    ):
        both = [pid, parent_of(pid)]
        its.kill()
        assert gone(*both)


@pytest.mark.parametrize("fresh", [False, True], ids=["nursery killed too", "no nursery"])
def test_a_worker_that_nobody_ends_leaves_by_itself(fresh: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "waiting_readers.py").write_text("import signal\n\ndef wait(limits):\n    signal.pause()\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    code = (
        "from auditor.reading import nursery\n"
        f"nursery.POSSIBLE = {not fresh}\n"
        "from auditor.reading.jobs import Job, Jobs\n"
        "from auditor.reading.process import Process\n"
        "from auditor.reading.wire import receive\n"
        "from auditor.values.image import Limits\n"
        "worker = Process(work=Jobs(limits=Limits()))\n"
        "worker.start(); receive(worker.process.stdout)\n"
        "worker.give([(0, Job(function='waiting_readers:wait'))])\n"
        "pid = worker.process.pid"
    )
    with program(code) as (its, pid):
        if not fresh:
            os.kill(parent_of(pid), signal.SIGKILL)
        its.kill()
        assert gone(pid)


def test_one_that_is_only_let_go_leaves_its_workers_alone(own: Nurseries) -> None:
    child = born(own, WAIT)
    for one in own._open.values():
        one.leave()
    time.sleep(0.1)
    assert child.poll() is None
    child.stdin.close()
    assert child.wait(timeout=60) == 0
