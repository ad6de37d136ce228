"""Mutated files through the same listing, processes and limits as in a scan: nothing crashes, hangs or is forgotten."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.hostile import GIGABYTE, Watch, mutate, run, seeds
from benchmarks.hostile_tables import placed, read
from benchmarks.hostile_tables import seeds as table_seeds

ROOT = Path(__file__).parents[1]


def test_the_same_seed_makes_the_same_mutants() -> None:
    content = bytes(range(256)) * 8
    made = [[mutate(content, content[::-1], random.Random(seed)) for _ in range(3)] for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_the_memory_of_a_program_is_not_that_of_who_started_it() -> None:
    held = bytearray(700 << 20)
    held[::4096] = b"x" * len(range(0, len(held), 4096))
    code = "from benchmarks.hostile_tables import own_peak; print(own_peak())"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 1 << 20 < int(run.stdout) < len(held)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc here")
def test_the_memory_of_a_process_that_a_child_started_is_watched() -> None:
    below = "import time; held = b'x' * (200 << 20); print(len(held), flush=True); time.sleep(.5)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {below!r}], check=True)"
    with Watch() as watch:
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert watch.peak_bytes > 200 << 20


def test_there_are_seeds_of_every_reader() -> None:
    from auditor.format import SNIFF_BYTES, format_of

    found = {format_of(content[:SNIFF_BYTES]) for _, content in seeds()}
    assert {"png", "jpeg", "bmp", "gif", "webp", "tiff", "dicom", "nifti", "npy", "npz"} <= found


def check(count: int, seed: int) -> None:
    tally, watch = run(count, seed=seed, workers=2, more=(), seconds=60, keep=None)
    assert tally.files == count
    assert tally.missing == []
    assert tally.failures == []
    assert tally.kinds["timeout"] == tally.kinds["crashed"] == 0
    assert sum(tally.kinds.values()) == count
    assert watch.peak_bytes < GIGABYTE


@pytest.mark.fuzz
def test_twenty_thousand_mutated_files_are_all_answered() -> None:
    check(20_000, seed=0)


def test_a_few_mutated_files_are_all_answered(capsys: pytest.CaptureFixture[str]) -> None:
    check(60, seed=3)
    assert "seeds" in capsys.readouterr().out


def test_the_installed_malformed_files_are_read_or_explained(tmp_path: Path) -> None:
    """Every test file of pydicom and nibabel: pixels, or a reason in words."""
    from auditor.layout import Options, open_dataset
    from auditor.stages.extract import Pass, extract
    from benchmarks.hostile import installed

    for folder in installed():
        dataset, _ = extract(open_dataset(folder, Options(layout="folders")), Pass(workers=2))
        without = set(dataset.fingerprints.index[dataset.fingerprints["pixels"].isna()])
        problems = {problem.record: problem for problem in dataset.problems if problem.record is not None}
        assert without <= set(problems)
        for problem in problems.values():
            assert problem.kind not in ("crashed", "timeout", "memory"), problem
            assert len(problem.reason.split()) >= 4, problem.reason
            assert not problem.reason.startswith(("Traceback", "<")), problem.reason


def test_every_seed_that_is_mutated_can_be_read_as_it_is(tmp_path: Path) -> None:
    known = table_seeds(tmp_path / "model")
    for name, content in known:
        path = placed(tmp_path, name)
        path.write_bytes(content)
    for name, _ in known:
        assert read(placed(tmp_path, name)) is not None, name


@pytest.mark.fuzz
def test_mutated_tables_settings_states_and_results_end_in_a_value_or_in_one_line(tmp_path: Path) -> None:
    # a process of its own: the memory of the one that runs the tests is that of all tests before
    code = (
        "import json, sys; from pathlib import Path; "
        "from benchmarks.hostile import mutate; from benchmarks.hostile_tables import run_tables; "
        "print(json.dumps(run_tables(5_000, 0, Path(sys.argv[1]), mutate)))"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True)
    ends, failures, peak = json.loads(run.stdout.splitlines()[-1])
    assert failures == []
    assert sum(number for kind, number in ends.items() if "cost" not in kind) == 5_000
    assert peak < GIGABYTE
