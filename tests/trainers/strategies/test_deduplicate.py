"""deduplicate: one copy of every picture, by rules that a person would follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from copies import Scanned, case_of, scanned
from PIL import Image, ImageFilter

from trainers.strategies.deduplicate import Deduplicate
from trainers.strategy import NotApplicable


def texture(seed: int, side: int = 128) -> Image.Image:
    """A smooth random picture, of which a near-duplicate can be told."""
    noise = np.random.default_rng(seed).integers(0, 255, (side // 8, side // 8), dtype=np.uint8)
    return Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1))


def dataset(folder: Path, rows: list[tuple[str, int, str, str]]) -> Scanned:
    """(name, seed of the picture, label, split); `name.jpg` is saved with loss, `small…` at half the size."""
    folder.mkdir(parents=True)
    lines = ["file,label,split"]
    for name, seed, label, split in rows:
        image = texture(seed)
        if name.startswith("small"):
            image = image.resize((64, 64), Image.Resampling.BOX)
        image.save(folder / name, **({"quality": 90} if name.endswith("jpg") else {}))
        lines.append(f"{name},{label},{split}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return scanned(folder, select=["SP002", "SP003", "SP004"])


OTHERS = [(f"other{i}.png", 100 + i, "ab"[i % 2], "train") for i in range(40)]


def removed(tmp_path: Path, rows: list[tuple[str, int, str, str]], **options: bool) -> dict[str, str]:
    seen = dataset(tmp_path / "data", [*rows, *OTHERS])
    return dict(Deduplicate(**options).propose(case_of(seen, tmp_path / "work")).removed)


def test_the_first_of_identical_files_stays(tmp_path: Path) -> None:
    gone = removed(tmp_path, [("x.png", 1, "a", "train"), ("y.png", 1, "a", "train"), ("z.png", 1, "a", "train")])
    assert set(gone) == {"y.png", "z.png"}
    assert gone["y.png"] == "the same picture as x.png, which stays"


def test_the_larger_and_lossless_one_stays_wherever_it_stands(tmp_path: Path) -> None:
    gone = removed(tmp_path, [("small.png", 1, "a", "train"), ("lossy.jpg", 1, "a", "train"), ("best.png", 1, "a", "train")])
    assert set(gone) == {"small.png", "lossy.jpg"}
    assert gone["small.png"].startswith("a near-duplicate of best.png")


def test_near_duplicates_stay_when_only_identical_ones_are_asked_for(tmp_path: Path) -> None:
    rows = [
        ("small.png", 1, "a", "train"),
        ("best.png", 1, "a", "train"),
        ("x.png", 2, "a", "train"),
        ("y.png", 2, "a", "train"),
    ]
    assert set(removed(tmp_path, rows, near=False)) == {"y.png"}


def test_the_training_copy_of_a_test_picture_leaves_and_test_pictures_stay(tmp_path: Path) -> None:
    rows = [
        ("train.png", 1, "a", "train"), ("test1.png", 1, "a", "test"), ("test2.png", 1, "a", "test"), ("v.png", 2, "b", "val"),
        ("t.png", 2, "b", "train"),
    ]  # fmt: skip
    assert set(removed(tmp_path, rows)) == {"train.png", "t.png"}


def test_after_a_new_split_the_copies_that_leave_are_those_that_were_in_no_test_set(tmp_path: Path) -> None:
    """A pair that a new split brings together: what the user had in the test set stays, wherever both stand now."""
    rows = [("a.png", 1, "a", "train"), ("b.png", 1, "a", "test"), ("c.jpg", 2, "b", "test"), ("d.png", 2, "b", "train")]
    case = case_of(dataset(tmp_path / "data", [*rows, *OTHERS]), tmp_path / "work")
    new = {"a.png": "test", "b.png": "test", "c.jpg": "train", "d.png": "train"}
    records = case.dataset.records
    split = records["split"].where(~records.index.isin(list(new)), records.index.map(lambda name: new.get(name, "")))
    case = replace(case, dataset=replace(case.dataset, records=records.assign(split=split)))
    assert set(Deduplicate().propose(case).removed) == {"a.png", "d.png"}


def test_copies_with_contradicting_labels_all_leave_for_review_whatever_most_of_them_say(tmp_path: Path) -> None:
    rows = [
        ("x1.png", 1, "a", "train"), ("x2.png", 1, "b", "train"), ("x3.png", 1, "b", "train"),
        ("y1.png", 2, "a", "train"), ("y2.png", 2, "b", "train"),
    ]  # fmt: skip
    seen = dataset(tmp_path / "data", [*rows, *OTHERS])
    proposal = Deduplicate().propose(case_of(seen, tmp_path / "work"))
    assert set(proposal.removed) == {"x1.png", "x2.png", "x3.png", "y1.png", "y2.png"}
    assert all("to be reviewed" in reason for reason in proposal.removed.values())
    assert (proposal.metrics["groups_contradicting"], proposal.metrics["groups_for_review"]) == (2, 2)
    assert any("by hand" in note for note in proposal.notes)


def test_a_limit_never_takes_one_side_of_a_contradiction(tmp_path: Path) -> None:
    rows = [(f"{side}{i}.png", i, label, "train") for i in range(4) for side, label in (("x", "a"), ("y", "b"))]
    seen = dataset(tmp_path / "data", [*rows, *OTHERS])
    applied = seen.apply(tmp_path / "fixed", Deduplicate().propose(case_of(seen, tmp_path / "work")))
    left = {r.record for r in applied.removals if r.applied}
    kept = [r for r in applied.removals if not r.applied]
    assert len(left) == 4, "a tenth of 24 records per class"
    assert all((f"x{i}.png" in left) == (f"y{i}.png" in left) for i in range(4))
    assert all("leave together or not at all" in r.note for r in kept)


def test_records_that_were_named_stay_and_their_copies_leave(tmp_path: Path) -> None:
    rows = [
        ("x.png", 1, "a", "train"), ("named.png", 1, "a", "train"), ("y.png", 2, "a", "train"), ("chosen.png", 2, "b", "train"),
        ("n1.png", 3, "a", "train"), ("n2.png", 3, "a", "train"),
    ]  # fmt: skip
    seen = dataset(tmp_path / "data", [*rows, *OTHERS])
    case = case_of(seen, tmp_path / "work")
    named = case.dataset.records.index.isin(["named.png", "chosen.png", "n1.png", "n2.png"])
    case = replace(case, trust=replace(case.trust, named=named))
    assert set(Deduplicate().propose(case).removed) == {"x.png", "y.png"}


def test_a_scan_of_the_copy_finds_no_copies_any_more(tmp_path: Path) -> None:
    rows = [("x.png", 1, "a", "train"), ("y.png", 1, "a", "train"), ("small.png", 2, "b", "train"), ("z.png", 2, "b", "test")]
    seen = dataset(tmp_path / "data", [*rows, *OTHERS])
    assert {"SP002", "SP004"} <= {f.code for f in seen.result.findings}
    applied = seen.apply(tmp_path / "fixed", Deduplicate().propose(case_of(seen, tmp_path / "work")))
    assert applied.removed == 2
    assert scanned(tmp_path / "fixed", select=["SP002", "SP003", "SP004", "IN002"]).result.findings == ()


def test_nothing_twice_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="twice"):
        removed(tmp_path, [])


def test_copies_within_the_test_set_alone_are_left_and_said(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="test set"):
        removed(tmp_path, [("x.png", 1, "a", "test"), ("y.png", 1, "a", "test")])
