"""The public functions that make a dataset worse on purpose, and that count how much of it a scan finds."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from auditor.degrade.flaws import read_truth
from auditor.progress import Progress, Silent
from auditor.scoring.score import Scores, score_result
from auditor.values.results import ScanResult as Result
from medaudit.keywords import DegradeOptions, read_keywords, target_of
from medaudit.scanning import plan_of
from medaudit.words import path_of
from reports.load import load_result
from trainers.degrading import job
from trainers.degrading.job import Degraded
from trainers.degrading.wish import Wish


def degrade(
    dataset: str | Path, output: str | Path, *, progress: Progress | None = None, **options: Unpack[DegradeOptions]
) -> Degraded:
    """Write a worse copy of a dataset, in its own form, and the truth of what was done: `output/dataset`, `output/truth.csv`.

    Args:
        dataset: a folder, a label table or an npz; only read.
        output: a new folder; written whole or not at all.
        progress: told how far it is.
        options: the words of `medaudit degrade --help`: `missing=.5`, `deform=20`, `label_flips=".2:asym"`, ..., `seed`, and
            the roles; several are done together.

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: an option is wrong, the dataset lacks what is to be made worse, or the folder is there already.
        MedauditError: the folder cannot be written.
    """
    target, told = target_of(dataset, "degrade"), read_keywords(options, DegradeOptions, "degrade")
    wish = Wish(**{word: told[word] for word in Wish.__dataclass_fields__ if word in told})
    # the seed is that of the draws; the plan of the scan has its own
    plan = plan_of(target, {word: value for word, value in told.items() if word != "seed"})
    return job.degrade(target, wish, plan, path_of(output), progress=progress or Silent())


def score(result: Result | str | Path, truth: str | Path) -> Scores:
    """How much of what was planted a scan of the worse copy finds, and what it flags beside it.

    Args:
        result: of `scan`, or its result.json.
        truth: the `truth.csv` that `degrade` (or `medaudit demo`) wrote.

    Returns:
        One row per kind of harm and check: recall and false alarms with Wilson intervals; what was not evaluated says why.

    Raises:
        DatasetError: one of the files cannot be read.
        ConfigError: the result is not that of this copy.
    """
    found = result if isinstance(result, Result) else load_result(path_of(result))
    return score_result(found, read_truth(path_of(truth)))
