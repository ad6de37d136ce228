"""Names of files that name people are replaced at every depth, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from builders import make_dataset

from auditor.evidence.privacy.withhold import telling_parts, withheld_names, withhold
from auditor.values.dataset import Problem
from auditor.values.privacy import Privacy
from auditor.values.results import Column, Finding, Location, Severity, Table, Verdict

PATHS = ["a/DOE^JANE_1/x.png", "a/b/Smith_John.nii.gz", "a/b/00000001_000.png"]


def test_names_are_numbered_in_the_order_of_the_sorted_parts() -> None:
    dataset = make_dataset(paths=PATHS)
    assert list(telling_parts(dataset)) == ["DOE^JANE_1", "Smith_John.nii.gz"]
    assert withheld_names(dataset) == {
        "DOE^JANE_1": "withheld-1",
        "Smith_John.nii.gz": "withheld-2.nii.gz",
        "Smith_John": "withheld-2",
    }


def test_paths_of_problems_and_masks_count_and_declared_pseudonyms_do_not() -> None:
    problem = Problem(kind="unlisted", path="b/ROE^RICHARD.png", reason="as planted")
    dataset = make_dataset(paths=PATHS[:1], problems=[problem], columns={"mask": ["Doe^Jim.png"]})
    assert set(telling_parts(dataset)) == {"DOE^JANE_1", "ROE^RICHARD.png", "Doe^Jim.png"}
    declared = replace(dataset, privacy=Privacy(pseudonyms=r"DOE\^.*"))
    assert set(telling_parts(declared)) == {"ROE^RICHARD.png", "Doe^Jim.png"}


def test_names_of_a_copy_are_called_as_in_its_original_though_no_header_says_so_any_more() -> None:
    original = make_dataset(paths=[*PATHS, "KX17/a.dcm", "b/ZQ9R.dcm"])
    found = telling_parts(original) | {"KX17": frozenset({"own"}), "ZQ9R.dcm": frozenset({"own"})}
    copy = make_dataset(paths=["KX17/a.png", "b/ZQ9R.png", "c/ROE^RICHARD.png", "d/b.png"])
    known = replace(copy, privacy=Privacy(telling=tuple(found.items())))
    assert set(telling_parts(known)) == {"KX17", "ZQ9R.png", "ROE^RICHARD.png"}
    shown = withhold(list(known.records["path"]), withheld_names(known))
    assert shown == ["withheld-3/a.png", "b/withheld-4.png", "c/withheld-5.png", "d/b.png"]
    assert withheld_names(known)["DOE^JANE_1"] == "withheld-1"


def test_every_text_of_a_verdict_is_changed() -> None:
    path = PATHS[0]
    column = Column(name="record", kind="record", values=(path, "a/b/00000001_000.png", None, 3))
    finding = Finding(
        code="SP002", severity=Severity.INFO, message=f"{path} is like Smith_John", where=Location(path=path, record=path),
        subject=f"{path} | other", evidence={"record": path, "count": 2},
    )  # fmt: skip
    verdict = Verdict(summary=f"see {path}", findings=(finding,), tables=(Table(name="t", title=path, columns=(column,)),))
    names = withheld_names(make_dataset(paths=PATHS))
    changed = withhold(verdict, names)
    assert "DOE" not in repr(changed)
    assert "Smith" not in repr(changed)
    assert changed.findings[0].message == "a/withheld-1/x.png is like withheld-2"
    assert changed.tables[0].columns[0].values == ("a/withheld-1/x.png", "a/b/00000001_000.png", None, 3)
    assert withhold(verdict, {}).findings[0].where.record == "a/withheld_1/x.png"
    assert {path: b"picture"} | withhold({path: b"picture"}, names) == {path: b"picture", "a/withheld-1/x.png": b"picture"}


def test_columns_of_any_kind_keep_their_numbers_and_lose_their_names() -> None:
    """Columns are long: those of numbers are handed on as they are, equal texts replaced once."""
    name = "Smith_John.png"
    numbers, mixed = [1, None, 2.5, True], [name, None, 3, "plain", name]
    names = {name: "withheld-1.png"}
    assert withhold(numbers, names) is numbers
    assert withhold(mixed, names) == ["withheld-1.png", None, 3, "plain", "withheld-1.png"]
    assert withhold(tuple(mixed), names) == ("withheld-1.png", None, 3, "plain", "withheld-1.png")
    assert withhold([[name], {"a": name}, 1], names) == [["withheld-1.png"], {"a": "withheld-1.png"}, 1]


def test_a_path_that_only_a_document_names_is_withheld() -> None:
    """A Croissant file describes what is not there; boxes, masks and channels have paths of their own."""
    named = pd.DataFrame({"path": ["Maria_Bielawska.csv"]})
    for field in ("checksums", "boxes", "rater_masks", "channels"):
        assert list(telling_parts(replace(make_dataset(n=2), **{field: named}))) == ["Maria_Bielawska.csv"], field
