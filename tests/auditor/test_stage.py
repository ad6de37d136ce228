"""The stages of a scan: in order, and no more of them than somebody asked for."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditor.plan import Plan, plan_for
from auditor.scan import examine, linked_dataset, opened_dataset, read_dataset, scan
from auditor.stage import gather, in_order, stages
from auditor.values.errors import DatasetError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of small pictures, one of them twice."""
    root = tmp_path_factory.mktemp("stages")
    rng = np.random.default_rng(3)
    for name in ("cat", "dog"):
        (root / name).mkdir()
        for i in range(4):
            Image.fromarray(rng.integers(0, 255, (40, 40), np.uint8)).save(root / name / f"{i}.png")
    (root / "dog" / "copy.png").write_bytes((root / "cat" / "0.png").read_bytes())
    return root


def test_every_stage_needs_what_another_provides_and_no_two_provide_the_same() -> None:
    provided = [what for module in stages().values() for what in module.PROVIDES]
    assert len(provided) == len(set(provided))
    assert {need for module in stages().values() for need in module.NEEDS} <= set(provided)


def test_every_stage_comes_after_what_it_needs() -> None:
    order = in_order({what for module in stages().values() for what in module.PROVIDES}, Plan(), given=False)
    assert sorted(order) == sorted(stages())
    provided: set[str] = set()
    for name in order:
        assert provided >= stages()[name].NEEDS
        provided |= stages()[name].PROVIDES


def test_only_what_is_asked_for_runs() -> None:
    assert in_order({"records"}, Plan(), given=True) == ["open"]
    assert in_order({"metadata"}, Plan(), given=True) == ["open", "extract"]
    assert in_order({"links"}, Plan(), given=True) == ["open", "extract", "link"]


def test_what_the_user_gives_is_read_whatever_the_checks_look_at() -> None:
    plan = Plan(known=(Path("a.parquet"),), predictions=(Path("m"), Path("b.csv")), kinds=("masks", "objects"))
    assert {"known", "masks", "objects"} <= set(in_order({"metadata"}, plan, given=True))
    assert in_order({"metadata"}, plan, given=False) == ["open", "extract"]


def test_nobody_provides_what_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no stage provides 'wisdom'"):
        in_order({"wisdom"}, Plan(), given=False)


def test_stages_that_need_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages()["extract"], "NEEDS", frozenset({"links"}))
    with pytest.raises(ValueError):
        in_order({"links"}, Plan(), given=False)


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        (["LK001"], {"open", "extract"}),
        (["SP002"], {"open", "extract", "link"}),
        (["ED001"], {"open", "extract", "raters"}),
        (["LN001"], {"open", "extract", "predict"}),
    ],
)
def test_a_scan_runs_the_stages_that_its_checks_need(folder: Path, selected: list[str], expected: set[str]) -> None:
    result = scan(folder, plan_for(folder, select=selected, workers=0, cache=False))
    assert set(result.run.stages) == expected | {"check"}


def test_a_scan_counts_what_it_decoded(folder: Path) -> None:
    plan = plan_for(folder, select=["IN001"], workers=0, cache=False)
    assert [scan(folder, plan).run.cache for _ in range(2)] == [{"decoded": 9, "cached": 0}] * 2


def test_no_picture_is_decoded_for_checks_of_fields(folder: Path) -> None:
    result = scan(folder, plan_for(folder, select=["LK001", "SP001"], workers=0, cache=False))
    assert result.run.cache["decoded"] == 0


def test_a_scan_measures_what_its_checks_need_and_no_more(folder: Path) -> None:
    plan = plan_for(folder, select=["PH004"], workers=0, cache=False)
    dataset = examine(plan).dataset
    assert {str(name).partition(".")[0] for name in dataset.features.columns} == {"lettering"}
    assert dataset.sketches is not None
    assert len(dataset.sketches) == 0


def test_without_pixels_what_needs_them_is_told_as_not_evaluated(folder: Path) -> None:
    result = scan(folder, plan_for(folder, pixels=False, workers=0, cache=False))
    status = {outcome.code: outcome.status for outcome in result.outcomes}
    assert result.run.cache["decoded"] == 0
    assert {status[code] for code in ("IN001", "IQ001", "LK005", "LN001", "SP002", "SP004", "PH004", "SZ007")} == {"skipped"}
    assert {o.reason for o in result.outcomes if o.code == "IQ001"} == {"pixels were not read (--no-pixels)"}
    assert result.gate.verdict != "passed"
    assert len(status) == len(scan(folder, plan_for(folder, workers=0, cache=False)).outcomes)


def test_a_dataset_is_opened_read_or_linked_and_no_more(folder: Path) -> None:
    plan = plan_for(folder, workers=0, cache=False)
    opened, read, linked = opened_dataset(plan), read_dataset(plan), linked_dataset(plan)
    assert (opened.size, len(opened.features)) == (9, 0)
    assert (len(read.features), len(read.links)) == (9, 0)
    assert linked.links["evidence"].tolist() == ["bytes"]


def test_what_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file or folder"):
        gather(Plan(target=tmp_path / "none"), asked={"records"})
