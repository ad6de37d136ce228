"""A strategy whose corrections do not fit the table did nothing: it is not called applied, and its network is not kept."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from tests.copies import label, proposal, scanned
from trainers.attempt import Attempt
from trainers.fix import without_unwritten
from trainers.strategies.consensus import FromConsensus
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
        "teacher is not applied", f"consensus is not applied: none of its 1 corrections fits the table: {REFUSED}",
    )  # fmt: skip
