"""A worker that stays answers one task after the other, and is replaced when a task costs it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from auditor.reading import bounds
from auditor.reading.jobs import Answer, Job, Jobs
from auditor.reading.standing import Standing
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

MODULE = """
import os, time, hashlib, signal
from pathlib import Path

def process(limits): return os.getpid()
def dies(limits): os._exit(9)
def dies_once(limits, mark):
    if not Path(mark).exists():
        Path(mark).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return "whole"
def blocks(limits): time.sleep(60)
def computes(limits): hashlib.pbkdf2_hmac('sha512', b'', b'', 1 << 30)
def fills(limits): return bytearray(8 << 30)
"""
LIMITS = Limits(seconds=1, wall_seconds=1)


@pytest.fixture
def standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "steady_readers.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    one = Standing()
    yield one
    one.stop()


def ask(standing: Standing, name: str, *arguments: object, limits: Limits = Limits()) -> object:  # noqa: B008 - it is frozen
    answer: Answer = standing.ask(Jobs(limits=limits), (0, Job(function=f"steady_readers:{name}", arguments=arguments)))
    return answer.value


def test_the_same_process_answers_until_other_limits_are_asked_for(standing: Standing) -> None:
    first = ask(standing, "process")
    assert ask(standing, "process") == first != os.getpid()
    assert ask(standing, "process", limits=LIMITS) != first


def test_a_worker_that_was_killed_from_outside_costs_nothing(standing: Standing, tmp_path: Path) -> None:
    first = ask(standing, "process")
    os.kill(first, signal.SIGKILL)
    assert ask(standing, "process") != first
    assert ask(standing, "dies_once", str(tmp_path / "mark")) == "whole"


@pytest.mark.parametrize(
    ("name", "kind", "works_on"),
    [
        ("dies", "crashed", True),
        ("fills", "memory", True),
        ("blocks", "timeout", True),
        ("computes", "timeout", bounds.BOUNDS_PROCESSOR),
    ],
)  # fmt: skip
def test_what_costs_a_worker_is_told_and_the_next_task_is_answered(
    standing: Standing, name: str, kind: str, works_on: bool
) -> None:
    if not works_on:
        pytest.skip("the system bounds no processor time")
    with pytest.raises(UnreadableFile) as refused:
        ask(standing, name, limits=LIMITS)
    assert refused.value.kind == kind
    assert ask(standing, "process", limits=LIMITS) != os.getpid()
