from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset
from scipy import ndimage

from auditor.check import SkipCheck
from auditor.checks.sp004 import NearDuplicate
from auditor.degrade.encode import write_image
from auditor.degrade.phantom import radiograph
from auditor.evidence.likeness.perceptual import FEW_LEVELS, TOO_SMALL, sketch_of
from auditor.evidence.likeness.sketches import Sketches
from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.stages.link import link
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Severity, Table, Verdict

BCCD = Path(__file__).parents[3] / "../shared/data/images/bccd/BCCD/JPEGImages"
SKETCH = sketch_of([radiograph(1, 0, opacity=False, side=96).astype(np.float32)], frames=1, levels=255)


def known(dataset: Dataset, packed: Sequence[bytes] = ()) -> Dataset:
    """As if all images had been sketched (or as `packed` says)."""
    book = Sketches()
    for i, record in enumerate(dataset.records.index):
        book.add(str(record), packed[i] if packed else SKETCH)
    return replace(dataset, sketches=book)


def test_a_single_image_is_nothing_to_compare_and_the_reason_is_a_whole_sentence() -> None:
    with pytest.raises(SkipCheck) as skipped:
        NearDuplicate().run(known(make_dataset(records=["one"])))
    assert str(skipped.value) == "fewer than two images can be compared"


def test_the_summary_says_that_copies_turned_by_some_degrees_would_not_be_found() -> None:
    clean = NearDuplicate().run(known(make_dataset(labels=["a", "b"])))
    found = NearDuplicate().run(known(make_dataset(labels=["a", "b"], links=[("r0000", "r0001", "near", 0.97)])))
    assert clean.summary.startswith("No near-copy among the 2 images")
    assert found.summary.startswith("1 group of near-copies (2 records)")
    for verdict in (clean, found):
        assert (
            "copies turned by some degrees (not by quarters), or under much added noise, would not be found" in verdict.summary
        )


@pytest.mark.parametrize(("frames", "told"), [([1, 1], False), ([12, 12], False), ([12, 1], True)])
def test_slices_of_stacks_beside_pictures_are_said_to_be_not_compared(frames: list[int], told: bool) -> None:
    dataset = known(make_dataset(labels=["a", "b"]))
    facts = pd.DataFrame({"frames": frames}, index=dataset.records.index)
    assert ("nor would a slice of a stack" in NearDuplicate().run(replace(dataset, facts=facts)).summary) == told


def test_a_copy_turned_by_fifteen_degrees_is_not_found_as_the_summary_says() -> None:
    picture = radiograph(1, 0, opacity=False, side=256)
    turned = ndimage.rotate(picture, 15, reshape=False)[44:-44, 44:-44]
    packed = [sketch_of([p.astype(np.float32)], frames=1, levels=255) for p in (picture, turned)]
    dataset = link(known(make_dataset(same_pixels=["a", "b"]), packed))
    assert NearDuplicate().run(dataset).metrics["groups"] == 0


def errors(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.severity is Severity.ERROR]


def rows(table: Table) -> list[dict[str, object]]:
    return [
        dict(zip([c.name for c in table.columns], cells, strict=True))
        for cells in zip(*(c.values for c in table.columns), strict=True)
    ]


def test_a_near_copy_in_the_test_split_is_an_error_and_one_within_a_warning() -> None:
    dataset = make_dataset(
        labels=["a", "b", "a", "b"],
        splits=["train", "train", "test", "train"],
        links=[("r0000", "r0002", "near", 0.97), ("r0001", "r0003", "near", 0.93)],
    )
    verdict = NearDuplicate().run(known(dataset))
    (error,) = errors(verdict)
    assert error.message.startswith("1 image of train stands again as near-copies in test (1 record and 1 record)")
    warnings = [f.message.partition(":")[0] for f in verdict.findings if f.severity is Severity.WARNING]
    assert warnings == [
        "1 image stands more than once as near-copies within one split (2 records). Keep one of each and remove the others "
        "with their rows",
        "A near-copy of the image stands again in another split",
        "A near-copy of the image stands again within the split",
    ]
    assert verdict.metrics == {
        "groups": 2, "records": 4, "surplus_records": 2, "duplicated_fraction": 0.5, "groups_across_splits": 1,
        "test_records_in_train": 1, "pairs": 2, "scene_pairs": 0,
    }  # fmt: skip
    (table,) = verdict.tables
    assert table.name == "pairs"
    assert rows(table)[0] == {
        "record_a": "r0000", "record_b": "r0002", "path_a": "r0000.png", "path_b": "r0002.png", "evidence": "near",
        "score": 0.97, "split_a": "train", "split_b": "test", "label_a": "a", "label_b": "a", "group": 1,
    }  # fmt: skip


def test_a_pair_that_agrees_only_just_is_not_called_a_copy_without_a_word() -> None:
    for score, said in ((0.884, True), (0.95, False)):
        dataset = make_dataset(splits=["train", "test"], links=[("r0000", "r0001", "near", score)])
        summary = NearDuplicate().run(known(dataset)).summary
        assert ("1 pair agrees only just and may be one field photographed again" in summary) is said


def test_a_near_copy_of_an_image_whose_twin_is_in_the_test_split_crosses_too() -> None:
    dataset = make_dataset(
        splits=["train", "test", "train"], links=[("r0000", "r0001", "bytes", 1.0), ("r0000", "r0002", "near", 0.9)]
    )
    verdict = NearDuplicate().run(known(dataset))
    assert len(errors(verdict)) == 1
    assert verdict.metrics["records"] == 3


def test_identical_images_and_shared_instances_belong_to_other_checks() -> None:
    links = [("r0000", "r0001", "pixels", 1), ("r0001", "r0002", "instance", 1)]
    dataset = make_dataset(splits=["train", "test", "train"], links=links)
    verdict = NearDuplicate().run(known(dataset))
    assert verdict.findings == ()
    assert verdict.tables == ()
    assert verdict.metrics["groups"] == 0


def test_near_copies_with_different_labels_are_told() -> None:
    links = [("r0000", "r0001", "near", 0.97), ("r0002", "r0003", "near", 0.95)]

    def said(**labels: Any) -> list[object]:
        found = NearDuplicate().run(known(make_dataset(links=links, **labels))).findings
        return [f.evidence["pairs"] for f in found if f.subject == "labels"]

    assert said(labels=["a", "b", "a", "a"]) == [1]
    assert said(labels=["a", None, "a", "a"]) == []
    assert said(states={"x": [1, 0, 1, 1], "y": [0, 0, -1, 0]}) == [1]


def test_one_scene_taken_twice_is_told_and_fails_nothing() -> None:
    dataset = known(make_dataset(splits=["train", "test"]))
    links = make_dataset(n=2, links=[("r0000", "r0001", "candidate", 0.95)]).links.assign(how="taken twice: the same view")
    verdict = NearDuplicate().run(replace(dataset, links=links))
    (finding,) = verdict.findings
    assert finding.severity is Severity.INFO
    assert "1 pair of images shows one scene" in finding.message
    (table,) = verdict.tables
    assert table.name == "scenes"
    assert rows(table)[0]["how"] == "taken twice: the same view"
    assert rows(table)[0]["group"] is None


def test_what_was_not_compared_is_counted_with_its_reason() -> None:
    dataset = known(make_dataset(n=5), [SKETCH, SKETCH, TOO_SMALL, FEW_LEVELS, TOO_SMALL])
    coverage = NearDuplicate().run(link(dataset)).coverage
    assert coverage is not None
    assert (coverage.evaluated, coverage.total) == (2, 5)
    assert coverage.reason == (
        "2 images smaller than 48 pixels, too small to tell; 1 image of fewer than 12 grey levels (blank, mask or drawing)"
    )


def test_small_images_skip_the_check_and_say_so() -> None:
    with pytest.raises(SkipCheck, match="too small to tell"):
        NearDuplicate().run(link(known(make_dataset(n=3), [TOO_SMALL] * 3)))
    with pytest.raises(SkipCheck, match="no image was read"):
        NearDuplicate().run(link(make_dataset(n=3)))


def written(root: Path) -> Path:
    """Two classes of radiographs of eight patients; copies of two of them in the test split."""
    for split, patients in (("train", range(6)), ("test", range(6, 8))):
        for p in patients:
            folder = root / split / ("ill" if p % 2 else "well")
            folder.mkdir(parents=True, exist_ok=True)
            picture = (radiograph(p, 0, opacity=p % 2 == 1, side=160) * 65535).astype(np.uint16)
            write_image(folder / f"p{p}.png", picture, "png16", seed=p)
    crop = radiograph(0, 0, opacity=False, side=160)[12:150, 5:145]
    write_image(root / "test/well/crop.jpg", (crop * 255).astype(np.uint8), "jpeg", seed=0)
    turned = np.rot90(radiograph(1, 0, opacity=True, side=160))
    write_image(root / "test/ill/turned.tif", (65535 - turned * 65535).astype(np.uint16), "tiff16", seed=0)
    return root


def test_copies_planted_in_files_are_found_and_nothing_else(tmp_path: Path) -> None:
    dataset, _ = extract(open_dataset(written(tmp_path), Options()), Pass(workers=0))
    verdict = NearDuplicate().run(link(dataset))
    (table,) = verdict.tables
    found = {(str(r["path_a"]), str(r["path_b"])): r for r in rows(table)}
    pairs = {frozenset(Path(p).stem for p in pair): row for pair, row in found.items()}
    assert set(pairs) == {frozenset({"p0", "crop"}), frozenset({"p1", "turned"})}
    assert "turned by a quarter, inverted" in str(pairs[frozenset({"p1", "turned"})]["how"])
    assert "of the view in common" in str(pairs[frozenset({"p0", "crop"})]["how"])
    assert all(float(str(row["score"])) > 0.88 for row in pairs.values())
    assert len(errors(verdict)) == 1
    assert verdict.metrics["test_records_in_train"] == 2


def test_a_second_scan_from_the_cache_finds_the_same(tmp_path: Path) -> None:
    folder = written(tmp_path / "data")
    results = []
    for _ in range(2):
        dataset, counts = extract(open_dataset(folder, Options()), Pass(workers=0, cache=tmp_path / "cache"))
        results.append((NearDuplicate().run(link(dataset)), counts["decoded"]))
    assert results[1][1] == 0
    assert repr(results[0][0]) == repr(results[1][0])


@pytest.mark.slow
@pytest.mark.skipif(not BCCD.exists(), reason="the shared data are not on this machine")
def test_no_two_smears_are_near_copies_and_seven_fields_were_taken_twice() -> None:
    dataset, _ = extract(open_dataset(BCCD, Options()), Pass(workers=2))
    verdict = NearDuplicate().run(link(dataset))
    assert verdict.metrics["groups"] == 0
    assert verdict.metrics["scene_pairs"] == 7
