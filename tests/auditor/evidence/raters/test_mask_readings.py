from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset
from PIL import Image

from auditor.checks.ed001 import ExpertDisagreement
from auditor.evidence.raters.mask_overlap import compare_masks
from auditor.layout import Options, open_dataset
from auditor.placement.rater_masks import RATER_MASK_COLUMNS, find_rater_masks
from auditor.values.image import Limits


def disk(radius, size=40, shift=0):
    y, x = np.ogrid[:size, :size]
    return (y - size // 2 - shift) ** 2 + (x - size // 2) ** 2 <= radius**2


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array.astype(np.uint8)).save(path)


def study(root, radii, *, records=8, seed=0):
    """`images/` and one folder of disks per rater."""
    rng = np.random.default_rng(seed)
    for i in range(records):
        save(root / "images" / f"{i:02d}.png", rng.integers(0, 255, (40, 40)))
        for rater, radius in radii.items():
            save(root / rater / f"{i:02d}.png", disk(radius + i % 3) * 255)
    return open_dataset(root, Options())


def panel(widths, *, records=40, seed=0, noise=1.0):
    """A dataset with measured pairs in code: disks whose radii scatter; `widths` is the bias of each rater's radius."""
    rng = np.random.default_rng(seed)
    base = make_dataset(n=records)
    names = [f"R{r}" for r in range(len(widths))]
    radius = rng.uniform(10, 16, records)[:, None] + np.array(widths) + rng.normal(0, noise, (records, len(widths)))
    radius = np.maximum(radius, 2)
    pairs = []
    for i, record in enumerate(base.records.index):
        for a in range(len(names)):
            for b in range(a + 1, len(names)):
                small, large = sorted((radius[i, a] ** 2, radius[i, b] ** 2))
                pairs.append((record, names[a], names[b], 2 * small / (small + large), abs(radius[i, a] - radius[i, b])))
    rows = [(record, name, f"{name}/{record}.png", "") for record in base.records.index for name in names]
    drawn = pd.DataFrame(rows, columns=list(RATER_MASK_COLUMNS)).assign(sensitivity=0.9, specificity=0.9)
    frame = pd.DataFrame(pairs, columns=["record", "rater_a", "rater_b", "dice", "hd95_pixels"])
    return replace(base, rater_masks=drawn, mask_pairs=frame)


@pytest.mark.parametrize(
    ("folders", "raters"),
    [
        (["rater1", "rater2"], {"rater1", "rater2"}),
        (["masks_reader_1", "masks_reader_2", "masks_reader_3"], {"masks_reader_1", "masks_reader_2", "masks_reader_3"}),
        (["masks/expert_a", "masks/expert_b"], {"expert_a", "expert_b"}),
        (["1st_manual", "2nd_manual"], {"1st_manual", "2nd_manual"}),
        (["mask_1", "mask_2"], {"mask_1", "mask_2"}),
        (["mask_liver", "mask_tumour"], set()),
        (["benign", "malignant"], set()),
        (["rater1"], set()),
    ],
)
def test_folders_called_after_raters_hold_masks_and_structures_or_classes_do_not(folders, raters):
    images = [f"{folder}/{i}.png" for folder in ["images", *folders] for i in range(4)]
    found = find_rater_masks(images)
    assert {rater for masks in found.of.values() for rater in masks} == raters
    assert set(found.of) == ({f"images/{i}.png" for i in range(4)} if raters else set())


def test_masks_of_splits_named_with_a_suffix_stay_with_their_images():
    images = [f"{split}/{folder}/{i}{end}.png" for split in ("train", "test")
              for folder, end in (("images", ""), ("rater1", "_mask"), ("rater2", "_mask")) for i in range(3)]  # fmt: skip
    found = find_rater_masks(images)
    assert found.of["test/images/2.png"] == {"rater1": "test/rater1/2_mask.png", "rater2": "test/rater2/2_mask.png"}


def test_the_layout_makes_no_records_of_masks_and_counts_them(tmp_path):
    dataset = study(tmp_path, {"rater1": 9, "rater2": 9, "rater3": 5})
    assert dataset.size == 8
    assert dataset.summary.counts["masks"] == 24
    assert len(dataset.rater_masks) == 24
    assert dataset.records["mask"].iloc[0] == "rater1/00.png"


def test_a_label_table_beside_does_not_hide_the_masks(tmp_path):
    study(tmp_path, {"rater1": 9, "rater2": 9})
    rows = "\n".join(f"images/{i:02d}.png,{'ab'[i % 2]}" for i in range(8))
    (tmp_path / "labels.csv").write_text(f"filename,diagnosis\n{rows}\n")
    dataset = open_dataset(tmp_path, Options())
    assert dataset.summary.layout == "table"
    assert len(dataset.rater_masks) == 16
    assert dataset.problems == ()


def test_the_stage_measures_dice_distance_and_staple(tmp_path):
    dataset = compare_masks(study(tmp_path, {"rater1": 9, "rater2": 9, "rater3": 5}), Limits(), workers=0)
    pair = dataset.mask_pairs.set_index(["record", "rater_a", "rater_b"]).loc[("images/00.png", "rater1", "rater3")]
    one, two = disk(9), disk(5)
    assert pair["dice"] == pytest.approx(2 * (one & two).sum() / (one.sum() + two.sum()))
    assert pair["hd95_pixels"] == pytest.approx(4, abs=0.6)
    means = dataset.rater_masks.groupby("rater")["sensitivity"].mean()
    assert means["rater1"] > 0.99
    assert means["rater3"] < 0.6


def test_broken_masks_pictures_and_other_sizes_are_left_out_and_said(tmp_path):
    dataset = study(tmp_path, {"rater1": 9, "rater2": 9})
    (tmp_path / "rater2" / "00.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    save(tmp_path / "rater2" / "01.png", disk(9, size=32) * 255)
    save(tmp_path / "rater2" / "02.png", np.random.default_rng(0).integers(0, 255, (40, 40)))
    found = compare_masks(dataset, Limits(), workers=0)
    problem = found.rater_masks.set_index("path")["problem"]
    assert problem["rater2/00.png"] != ""
    assert problem["rater2/01.png"] == "another size"
    assert problem["rater2/02.png"].startswith("no mask")
    assert found.mask_pairs["record"].nunique() == 5
    verdict = ExpertDisagreement().run(found)
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (5, 8)
    assert verdict.metrics["masks_not_compared"] == 3


def test_what_a_worker_could_not_read_is_not_opened_again(tmp_path):
    dataset = study(tmp_path, {"rater1": 9, "rater2": 9})
    marked = dataset.rater_masks.assign(problem="")
    marked.loc[marked["path"] == "rater1/03.png", "problem"] = "crashed"
    found = compare_masks(replace(dataset, rater_masks=marked), Limits(), workers=0)
    assert "images/03.png" not in set(found.mask_pairs["record"])
    assert found.rater_masks.set_index("path").at["rater1/03.png", "problem"] == "crashed"


def test_the_rater_who_draws_too_small_is_named():
    verdict = ExpertDisagreement().run(panel([0, 0, -4]))
    (finding,) = verdict.findings
    assert finding.subject == "masks of rater R2"
    assert {t.name for t in verdict.tables} == {"masks", "mask_raters", "mask_records"}
    raters = {c.name: list(c.values) for c in verdict.tables[1].columns}
    assert raters["flagged"] == [False, False, True]


def test_low_agreement_is_a_warning_with_its_disputed_records():
    verdict = ExpertDisagreement().run(panel([0, 0], noise=8.0))
    (finding,) = verdict.findings
    assert finding.subject == "masks"
    assert finding.evidence["disputed_records"] == verdict.metrics["mask_disputed_records"] > 0
    assert verdict.metrics["mask_dice_low"] < verdict.metrics["mask_dice"] < verdict.metrics["mask_dice_high"] < 0.7


def test_good_masks_are_silent_and_answers_beside_them_are_judged_too():
    drawn = panel([0, 0, 0])
    assert ExpertDisagreement().run(drawn).findings == ()
    labels = ["a", "b"] * 20
    read = make_dataset(labels=labels, readings={"x": labels, "y": labels})
    both = ExpertDisagreement().run(replace(read, rater_masks=drawn.rater_masks, mask_pairs=drawn.mask_pairs))
    assert {"krippendorff_alpha", "mask_dice"} <= set(both.metrics)
    assert {"raters", "masks"} <= {t.name for t in both.tables}


@pytest.mark.slow
def test_power_and_false_alarms_of_masks_over_many_seeds():
    check = ExpertDisagreement(min_deficit=0.0)
    found = [[f.subject for f in ExpertDisagreement().run(panel([0, 0, -2], seed=s)).findings] for s in range(60)]
    alarms = [bool(check.run(panel([0, 0, 0, 0], records=12, seed=s)).findings) for s in range(200)]
    assert np.mean([f == ["masks of rater R2"] for f in found]) > 0.9
    assert np.mean(alarms) <= 0.08
