from dataclasses import replace

import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln005 import SuspectMasks
from auditor.evidence.masks.mask_facts import mask_frame


def built(objects, foreground):
    dataset = make_dataset(n=len(objects))
    rows = [
        {"path": f"m/{r}.png", "record": r, "problem": "", "components": float(c), "foreground_fraction": float(f)}
        for r, c, f in zip(dataset.records.index, objects, foreground, strict=True)
    ]
    return replace(dataset, masks=mask_frame(rows))


def usual(n, seed):
    rng = np.random.default_rng(seed)
    return 1 + rng.poisson(8, n).astype(float), np.clip(rng.beta(8, 40, n), 0.01, 0.99)


@pytest.mark.parametrize(
    ("objects", "foreground", "words"),
    [(400, 0.2, "specks"), (9, 0.995, "inverted"), (9, 0.0005, "not drawn")],
)
def test_a_mask_unlike_the_others_is_told_with_the_likely_cause(objects, foreground, words):
    counts, shares = usual(80, 0)
    counts[7], shares[7] = objects, foreground
    (finding,) = SuspectMasks().run(built(counts, shares)).findings
    assert finding.where.record == "r0007"
    assert words in finding.message


def test_missing_objects_are_told_where_the_others_have_many():
    counts, shares = np.full(60, 120.0) + np.arange(60) % 7, np.full(60, 0.2)
    counts[3] = 4
    (finding,) = SuspectMasks().run(built(counts, shares)).findings
    assert "far fewer objects" in finding.message


def test_ordinary_masks_are_silent_and_empty_ones_are_left_to_another_check():
    alarms = [bool(SuspectMasks().run(built(*usual(80, seed))).findings) for seed in range(40)]
    assert np.mean(alarms) <= 0.05
    counts, shares = usual(30, 1)
    counts[:5], shares[:5] = 0, 0
    verdict = SuspectMasks().run(built(counts, shares))
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (25, 30)


def test_few_masks_are_skipped():
    with pytest.raises(SkipCheck, match="at least 20"):
        SuspectMasks().run(built(*usual(19, 0)))
    with pytest.raises(SkipCheck, match="0 masks"):
        SuspectMasks().run(make_dataset(n=3))
