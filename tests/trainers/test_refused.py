"""A strategy whose corrections do not fit the table did nothing: it is not called applied, and its network is not kept."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from tests.copies import label, proposal, scanned
from trainers.attempt import Attempt
from trainers.fix import without_unwritten
from trainers.strategies.consensus import FromConsensus
from trainers.strategies.deduplicate import Deduplicate
from trainers.strategies.resplit import Resplit

REFUSED = "the table has no column for this class"


def test_a_strategy_all_of_whose_corrections_are_refused_is_held_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    rng = np.random.default_rng(0)
    for i in range(8):
        Image.fromarray(rng.integers(0, 255, (16, 16), dtype=np.uint8)).save(tmp_path / "data" / f"{i}.png")
    rows = {"path": [f"{i}.png" for i in range(8)], "cyst": [1, 0] * 4, "mass": [0, 1] * 4}
    pd.DataFrame(rows).to_csv(tmp_path / "data" / "labels.csv", index=False)
    seen = scanned(tmp_path / "data")
    wrong = proposal(label("0.png", "cyst", "scar", strategy="consensus", field="label.scar"), strategy="consensus")
    fine = proposal(label("1.png", "0", "1", strategy="resplit", field="label.cyst"), strategy="resplit")
    applied = seen.apply(tmp_path / "copy", wrong, fine)
    assert applied.unwritten == {"consensus": REFUSED}
    attempts = (
        Attempt(strategy=FromConsensus(), why="", proposal=wrong), Attempt(strategy=Resplit(), why="", proposal=fine),
    )  # fmt: skip
    kept, held = without_unwritten(attempts, ("teacher is not applied",), applied, force=False)
    assert kept == attempts[1:]
    assert held == (
        "teacher is not applied", f"consensus is not applied: none of its changes is in the copy: {REFUSED}",
    )  # fmt: skip


def test_removals_over_the_limit_of_a_class_alone_are_nothing_done(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for i in range(6):
        Image.fromarray(np.full((16, 16), 40, np.uint8)).save(tmp_path / "data" / f"{i}.png")
    pd.DataFrame({"path": [f"{i}.png" for i in range(6)], "finding": ["a", "b"] * 3}).to_csv(
        tmp_path / "data" / "labels.csv", index=False
    )
    wanted = proposal(strategy="deduplicate", removed={f"{i}.png": "twice" for i in range(6)})
    applied = scanned(tmp_path / "data").apply(tmp_path / "copy", wanted)
    attempt = Attempt(strategy=Deduplicate(), why="", proposal=wanted)
    kept, held = without_unwritten((attempt,), (), applied, force=False)
    assert kept == ()
    assert held[0].startswith(
        "deduplicate is not applied: none of its changes is in the copy: over the limit of 10% of a class"
    )
