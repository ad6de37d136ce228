"""What a log is told of the stages."""

import io
import threading

from auditor.progress import Silent, announce, speaks, tell
from medaudit.progress import Lines


def lines_of(*, total: int, steps: int, seconds_per_step: float) -> list[str]:
    now = [0.0]
    stream = io.StringIO()
    shown = Lines(stream, clock=lambda: now[0])
    shown.start("training", total)
    for _ in range(steps):
        now[0] += seconds_per_step
        shown.advance()
    shown.finish()
    return stream.getvalue().splitlines()


def test_a_large_stage_says_every_tenth():
    lines = lines_of(total=2000, steps=2000, seconds_per_step=0)
    assert lines[0] == "training: 0 of 2,000"
    assert lines[-1] == "training: 2,000 of 2,000"
    assert len(lines) == 11


def test_a_small_quick_stage_is_silent():
    assert lines_of(total=50, steps=50, seconds_per_step=0.1) == []


def test_a_small_slow_stage_speaks_now_and_then():
    assert lines_of(total=50, steps=50, seconds_per_step=5) == [f"training: {n} of 50" for n in range(5, 51, 5)]


def test_a_log_names_the_work_that_keeps_it_waiting():
    stream, said = io.StringIO(), threading.Event()
    stream.flush = said.set
    shown = Lines(stream, patience=0.01)
    shown.start("checking", 79)
    shown.advance()
    shown.doing("LK002 metadata-leakage-joint")
    assert said.wait(30)
    shown.finish()
    assert "checking: 1 of 79, now LK002 metadata-leakage-joint" in stream.getvalue().splitlines()


def test_a_progress_that_only_counts_is_told_nothing_more():
    tell(Silent(), "LK002")


def test_a_sentence_is_said_at_once_and_to_whoever_shows_it():
    stream = io.StringIO()
    shown = Lines(stream)
    announce(shown, "plan: about 12 min")
    announce(Silent(), "plan: about 12 min")
    assert stream.getvalue() == "plan: about 12 min\n"
    assert (speaks(shown), speaks(Silent())) == (True, False)
