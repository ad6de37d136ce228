"""A bit depth that goes with the class but for wrong labels, where nothing names patients: never passed, whatever the order."""

import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk001 import MetadataLeakage
from auditor.outcomes import status_of
from auditor.values.results import Severity, Verdict


def judged(seed: int, *, wrong: float, each: int = 80, sorted_by: str = "truth", leak: bool = True) -> Verdict:
    """Records of two classes in the order in which their files lie; the depth is that of the true class."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1], each)
    labels = np.where(rng.random(2 * each) < wrong, 1 - truth, truth)
    depth = np.where(truth == 1, 16, 8) if leak else rng.choice([8, 16], 2 * each)
    order = np.lexsort((truth, labels)) if sorted_by == "truth" else rng.permutation(2 * each)
    return MetadataLeakage().run(
        make_dataset(labels=[("normal", "ill")[code] for code in labels[order]], metadata={"container.bit_depth": depth[order]})
    )


@pytest.mark.parametrize("order", ["truth", "none"])
@pytest.mark.parametrize("seed", range(6))
def test_a_depth_that_goes_with_most_of_a_class_is_told(seed: int, order: str) -> None:
    verdict = judged(seed, wrong=0.1, sorted_by=order)
    (finding,) = verdict.findings
    assert finding.severity is Severity.ERROR or finding.evidence["low_of_records"] >= 0.75


@pytest.mark.parametrize("seed", range(6))
def test_a_depth_that_has_nothing_to_do_with_the_class_is_not(seed: int) -> None:
    try:
        verdict = judged(seed, wrong=0.0, sorted_by="none", leak=False)
    except SkipCheck:
        return
    assert not verdict.findings
    assert status_of(verdict)[0] == "passed"
