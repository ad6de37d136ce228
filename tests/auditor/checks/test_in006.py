import dataclasses

import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in006 import GeometryMismatch
from auditor.evidence.masks.mask_facts import mask_frame
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def with_masks(sizes: list[tuple[float, float]], **changes: object) -> Dataset:
    n = len(sizes)
    dataset = make_dataset(n=n, metadata={"container.height": [64.0] * n, "container.width": [80.0] * n})
    rows = [
        {"path": f"m{i}.png", "record": f"r{i:04d}", "height": h, "width": w, "frames": 1.0, "problem": "", "spacing_row": 1.0}
        for i, (h, w) in enumerate(sizes)
    ]
    rows[0] |= changes
    facts = pd.DataFrame({"frames": 1.0, "spacing_row": 1.0}, index=dataset.records.index)
    return dataclasses.replace(dataset, masks=mask_frame(rows), facts=facts)


def test_a_mask_of_another_size_is_an_error() -> None:
    verdict = GeometryMismatch().run(with_masks([(64, 80), (80, 64), (64, 80)]))
    assert [(f.where.path, f.severity) for f in verdict.findings] == [("m1.png", Severity.ERROR)]
    assert "64 × 80 × 1 and 80 × 64 × 1" in verdict.findings[0].message


def test_a_mask_of_another_spacing_is_a_warning() -> None:
    verdict = GeometryMismatch().run(with_masks([(64, 80)] * 3, spacing_row=0.5))
    assert [(f.subject, f.severity) for f in verdict.findings] == [("mask: pixel spacing", Severity.WARNING)]


def test_a_mask_that_is_not_there_is_an_error() -> None:
    verdict = GeometryMismatch().run(with_masks([(64, 80)] * 3, problem="missing", height=None))
    assert [f.subject for f in verdict.findings] == ["mask missing"]


def test_masks_that_fit_are_silent() -> None:
    assert GeometryMismatch().run(with_masks([(64, 80)] * 3)).findings == ()


def pair_set(widths: list[float]) -> Dataset:
    paths = [f"{i // 2:03d}/{'mr' if i % 2 == 0 else 'pseudo_ct'}.nii.gz" for i in range(len(widths))]
    return make_dataset(paths=paths, metadata={"container.height": [64.0] * len(widths), "container.width": widths})


def test_two_images_of_a_pair_must_have_one_grid() -> None:
    verdict = GeometryMismatch().run(pair_set([80, 80, 80, 96, 80, 80]))
    assert [(f.where.record, f.evidence["partner"]) for f in verdict.findings] == [("r0002", "r0003")]
    assert verdict.metrics["translation_pairs"] == 3
    assert GeometryMismatch().run(pair_set([80.0] * 6)).findings == ()


def test_images_of_one_modality_are_no_pairs() -> None:
    with pytest.raises(SkipCheck, match="neither masks nor pairs"):
        GeometryMismatch().run(make_dataset(paths=[f"ct/{i}.png" for i in range(8)]))
