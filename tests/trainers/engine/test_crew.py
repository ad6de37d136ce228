import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from auditor.values.errors import ConfigError
from trainers.engine import crew
from trainers.values.pictures import Pictures

ROOT = Path(__file__).parents[3]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
SCRIPT = """
import os, sys
from pathlib import Path
import auditor.scan, trainers.correct, trainers.engine.loop, trainers.fix, trainers.engine.bench
from trainers.values.recipe import Recipe
rank = os.environ["RANK"]
NOTED, EPOCHS = sys.argv[1], int(sys.argv[2])
def noted(name, inner):
    def call(*a, **k):
        with open(NOTED, "a") as file: file.write(f"{name} {rank}\\n")
        return inner(*a, **k)
    return call
trainers.correct.examine = noted("scan", trainers.correct.examine)
trainers.fix.apply = noted("write", trainers.fix.apply)
trainers.engine.loop.save_checkpoint = noted("checkpoint", trainers.engine.loop.save_checkpoint)
trainers.engine.loop._Run = noted("train", trainers.engine.loop._Run)
trainers.engine.bench.automatic = lambda *_: Recipe(epochs=EPOCHS, batch=16, width=4)
from medaudit.__main__ import run
sys.argv = ["medaudit", *sys.argv[3:]]
raise SystemExit(run())
"""


def pictures(folder: Path) -> Pictures:
    array = np.arange(48, dtype=np.uint8).reshape(3, 1, 4, 4)
    np.save(folder / "array.npy", array)
    return Pictures(array=np.load(folder / "array.npy", mmap_mode="r"), readable=np.ones(3, bool))


def test_pictures_on_disk_are_sent_as_the_name_of_their_file(tmp_path: Path) -> None:
    shown = pictures(tmp_path)
    sent = crew.packed(shown)
    assert sent.array == tmp_path / "array.npy"
    np.testing.assert_array_equal(crew.unpacked(sent).array, shown.array)
    held = Pictures(array=np.ones((1, 1, 2, 2), np.uint8), readable=np.ones(1, bool))
    assert crew.packed(held).array is held.array


def test_the_others_train_what_they_are_sent_until_the_job_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, other = pictures(tmp_path), pictures(tmp_path)
    orders = [(shown, {"name": "a"}), (None, {"name": "b"}), (other, {"name": "c"}), crew.END]
    seen: list[tuple[object, str]] = []
    monkeypatch.setattr(crew, "_connected", lambda: None)
    monkeypatch.setattr(crew, "received", lambda: orders.pop(0))

    def train(pictures: Pictures, *, name: str) -> None:
        seen.append((pictures, name))
        if name == "b":
            raise ConfigError("the first process has it too")

    crew.follow(train)
    assert [name for _, name in seen] == ["a", "b", "c"]
    assert seen[0][0] is seen[1][0], "pictures are sent once"
    assert not orders


def test_a_first_process_that_is_gone_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(crew, "_connected", lambda: None)
    monkeypatch.setattr(crew, "received", gone)
    crew.follow(lambda: None)


def test_the_others_are_let_go_once_but_not_after_a_training_that_failed_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(crew, "member", lambda: (0, 2))
    monkeypatch.setattr(crew, "_connected", lambda: None)
    monkeypatch.setattr(crew, "send", sent.append)
    shown = pictures(tmp_path)
    with crew.leading(), crew.leading():
        for name in "ab":
            with crew.together(shown, {"name": name}):
                pass
    assert [order if order is crew.END else (order[0] is None, order[1]["name"]) for order in sent] == [  # type: ignore[index]
        (False, "a"), (True, "b"), crew.END,
    ]  # fmt: skip
    sent.clear()
    with pytest.raises(OSError), crew.leading(), crew.together(shown, {"name": "a"}):
        raise OSError(28, "No space left on device")
    assert crew.END not in sent, "they are in the middle of a step"
    assert not crew.CREW.waiting


def test_one_process_alone_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "send", lambda _: pytest.fail("there is nobody"))
    with crew.leading(), crew.together(pictures(tmp_path), {}):
        assert not crew.follower()


def dataset(folder: Path) -> Path:
    from PIL import Image

    draw = np.random.default_rng(3)
    rows = ["path,finding,patientid,checked"]
    folder.mkdir()
    for number in range(80):
        picture = np.kron(draw.uniform(20, 140, (6, 6)), np.ones((4, 4)))
        at = int(draw.integers(2, 20))
        picture[at : at + 3, :] = 230
        standing = number % 2
        Image.fromarray((picture.T if standing else picture).astype(np.uint8)).save(folder / f"{number:03d}.png")
        rows.append(f"{number:03d}.png,{'ab'[standing]},p{number:03d},{'yes' if number >= 30 else 'no'}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


def command(tmp_path: Path, epochs: int) -> tuple[list[str], dict[str, str]]:
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    told = ["fix", str(dataset(tmp_path / "data")), "--strategy", "robust", "--trusted", "checked", "--seeds", "1", "-q"]
    told += ["--workers", "0", "--device", "cpu", "-o", str(tmp_path / "out" / "copy")]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MEDAUDIT_CACHE": str(tmp_path / "cache"),
    }  # fmt: skip
    return [*TORCHRUN, str(tmp_path / "script.py"), str(tmp_path / "noted"), str(epochs), *told], environment


@pytest.mark.slow
def test_of_two_processes_one_scans_and_writes_and_both_train(tmp_path: Path) -> None:
    line, environment = command(tmp_path, epochs=2)
    done = subprocess.run(line, env=environment, timeout=300, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    noted = (tmp_path / "noted").read_text().split("\n")[:-1]
    by = {name: sorted({entry.split()[1] for entry in noted if entry.startswith(name)}) for name in
          ("scan", "write", "checkpoint", "train")}  # fmt: skip
    assert by == {"scan": ["0"], "write": ["0"], "checkpoint": ["0"], "train": ["0", "1"]}
    assert sum(entry == "train 0" for entry in noted) == sum(entry == "train 1" for entry in noted) > 0
    assert done.stdout.count("balanced accuracy") <= 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["copy"]


@pytest.mark.slow
def test_ctrl_c_ends_both_and_leaves_only_what_the_next_run_goes_on_from(tmp_path: Path) -> None:
    line, environment = command(tmp_path, epochs=5000)
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        process = subprocess.Popen(
            line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    until = time.monotonic() + 200
    while not list(tmp_path.rglob("checkpoint.pt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "interrupted" in said
    assert [p.name for p in (tmp_path / "out").iterdir()] == [".medaudit-work"]
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
