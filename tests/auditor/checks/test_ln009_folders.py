"""Folders called as the classes beside a table of labels: images whose label says another class are named."""

import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln009 import BrokenMapping
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def dataset(labels: list[str], folders: list[str]) -> Dataset:
    return make_dataset(labels=labels, paths=[f"{folder}/{i:03d}.png" for i, folder in enumerate(folders)])


TRUTH = ["normal", "ill"] * 30


def test_images_in_the_folder_of_another_class_are_named() -> None:
    labels = list(TRUTH)
    labels[4] = "ill"
    labels[7] = labels[9] = "normal"
    verdict = BrokenMapping().run(dataset(labels, [f"set/{name.upper()}" for name in TRUTH]))
    (finding,) = verdict.findings
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith(
        "3 of 60 images lie in the folder of another class than the table says; 2 in ill labelled normal, 1 in normal labelled"
    )
    assert len(verdict.tables[0].columns[0].values) == 3
    assert verdict.metrics["records_in_another_folder"] == 3


def test_folders_that_agree_are_silent() -> None:
    verdict = BrokenMapping().run(dataset(list(TRUTH), list(TRUTH)))
    assert not verdict.findings
    assert verdict.metrics["records_in_another_folder"] == 0


@pytest.mark.parametrize("folders", [["a", "b"] * 30, ["normal"] * 60, [*TRUTH[:20], *["x"] * 40]])
def test_folders_that_are_no_classes_are_not_asked(folders: list[str]) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(SkipCheck):
        BrokenMapping().run(dataset([TRUTH[i] for i in rng.permutation(60)], folders))
