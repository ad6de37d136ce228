import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from auditor.values.errors import ConfigError
from trainers.engine.team import Team, check_gpus

ROOT = Path(__file__).parents[3]
SCRIPT = """
import json, os, sys
from pathlib import Path
import numpy as np
import torch
from trainers.values.pictures import Examples, Pictures
from trainers.values.recipe import Recipe
from trainers.engine.predict import predict
from trainers.engine.loop import train
from trainers.kinds import task_named

draw = np.random.default_rng(0)
classes = draw.integers(0, 2, 101)
array = draw.integers(0, 120, (101, 1, 8, 8)); array[classes == 1, :, 2:5] += 100
pictures = Pictures(array=array.astype(np.uint8), readable=np.ones(101, bool))
rows = np.arange(101)
examples = Examples(rows=rows, targets=np.eye(2, dtype=np.float32)[classes], weights=np.ones(101, np.float32), groups=rows)
task = task_named(kind="single", classes=("a", "b"), channels=1, shape=(8, 8))
out = Path(sys.argv[1]); rank = os.environ["RANK"]
recipe = Recipe(epochs=int(sys.argv[2]), width=4, batch=16, loss="elr", ema=0.9)
found = train(pictures, examples, task, recipe, seed=0, device="cpu", checkpoint=out / "c.pt", validation=examples)
weights = torch.cat([p.detach().flatten() for p in found.network.state_dict().values() if p.is_floating_point()])
right = float((predict(found, pictures, rows, device="cpu").argmax(1) == classes).mean())
told = {"weights": weights.tolist(), "right": right, "losses": [e.loss for e in found.history]}
(out / f"{rank}.json").write_text(json.dumps(told))
torch.distributed.destroy_process_group()
"""


def test_without_torchrun_a_team_is_one_process_that_changes_nothing() -> None:
    team = Team.joined("cpu")
    network, tensor = torch.nn.Linear(2, 2), torch.ones(3)
    assert (team.rank, team.size) == (0, 1)
    assert team.wrapped(network) is network
    assert team.shared(0.25) == 0.25
    assert team.share(tensor, tensor, np.arange(2)) == 1.0
    team.combine(tensor, torch.zeros(3))
    assert torch.equal(tensor, torch.ones(3))


def test_fewer_gpus_than_processes_is_one_clear_line() -> None:
    check_gpus(2, 2)
    with pytest.raises(ConfigError, match="2 processes here, and there are 1 GPUs"):
        check_gpus(1, 2)


@pytest.mark.slow
def test_two_processes_under_torchrun_end_with_the_same_network_that_has_learnt(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*command, str(tmp_path / "script.py"), str(tmp_path), "4"],
        check=True,
        env=environment,
        timeout=300,
        capture_output=True,
    )
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1))
    assert first == second
    assert first["right"] > 0.95
    assert len(first["losses"]) == 4
