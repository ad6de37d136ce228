from __future__ import annotations

from builders import make_dataset

from auditor.values.corrections import Proposal
from trainers.copying.pairs import MAX_PAIRS, in_copy, rewritten_records


def proposal(*paths: str) -> Proposal:
    return Proposal(strategy="harmonise", summary="", files={path: f"made/{path}" for path in paths})


def test_records_whose_file_was_written_anew_are_shown_of_every_class_in_turn() -> None:
    dataset = make_dataset(labels=["a"] * 20 + ["b"] * 2, paths=[f"{i}.dcm" for i in range(22)])
    records = [str(r) for r in dataset.records.index]
    renamed = {f"n{i}.png": (record, f"{i}.dcm") for i, record in enumerate(records)}
    found = rewritten_records(dataset, renamed, [proposal(*renamed)])
    assert len(found) == MAX_PAIRS
    assert {records[0], records[20], records[21]} <= set(found)
    assert found[records[20]] == "n20.png"


def test_files_that_keep_their_name_and_copies_below_a_folder_are_found() -> None:
    dataset = make_dataset(labels=["a", "b"], paths=["x.png", "y.png"])
    written = rewritten_records(dataset, {}, [proposal("y.png")])
    assert list(written.values()) == ["y.png"]
    copy = make_dataset(labels=["a", "b"], paths=["images/x.png", "images/y.png"])
    (record,) = written
    assert in_copy(copy, written) == {record: str(copy.records.index[1])}
    assert rewritten_records(dataset, {}, [proposal()]) == {}
