from auditor.values.results import Cell, Column, Table
from reports.groups import MEMBERS_SHOWN, gallery, is_grouped


def table(**columns: list[Cell]) -> Table:
    kinds = {"record": "record", "record_a": "record", "record_b": "record", "group": "integer"}
    made = tuple(Column(name=name, kind=kinds.get(name, "text"), values=values) for name, values in columns.items())  # type: ignore[arg-type]
    return Table(name="groups", title="Copies", columns=made)


def uri(record: Cell) -> str:
    return f"data:{record}"


def test_records_of_a_group_are_one_row_with_split_label_and_evidence() -> None:
    shown = gallery(
        table(group=[1, 1, 2, 2], record=list("abcd"), split=["train", "train", "train", "test"], label=["x", "y", "x", "x"],
              evidence=["same picture"] * 4),
        uri,
    )  # fmt: skip
    assert shown is not None
    assert [(row["name"], row["across"], row["disputed"]) for row in shown["rows"]] == [("2", True, False), ("1", False, True)]
    assert shown["rows"][0]["members"] == [
        {"record": "c", "uri": "data:c", "split": "train", "label": "x"},
        {"record": "d", "uri": "data:d", "split": "test", "label": "x"},
    ]
    assert shown["rows"][0]["evidence"] == "same picture"
    assert shown["note"] == ""


def test_pairs_become_groups() -> None:
    pairs = table(group=[1, 1, None], record_a=["a", "a", "p"], record_b=["b", "c", "q"], split_a=["x", "x", "x"],
                  split_b=["x", "y", "x"], evidence=["bytes", "near", "candidate"])  # fmt: skip
    assert is_grouped(pairs)
    shown = gallery(pairs, uri)
    assert shown is not None
    (row,) = shown["rows"]
    assert [one["record"] for one in row["members"]] == ["a", "b", "c"]
    assert row["across"]
    assert row["evidence"] == "same bytes, near-duplicate, verified on pixels"


def test_a_large_group_is_cut_and_says_so() -> None:
    count = MEMBERS_SHOWN + 5
    shown = gallery(table(group=[1] * count, record=[f"r{i}" for i in range(count)]), uri)
    assert shown is not None
    assert shown["rows"][0]["more"] == 5
    assert len(shown["rows"][0]["members"]) == MEMBERS_SHOWN


def test_groups_without_two_pictures_are_left_to_the_table() -> None:
    two = table(group=[1, 1, 2, 2], record=list("abcd"))
    assert gallery(two, lambda _: "") is None
    shown = gallery(two, lambda record: uri(record) if record in ("a", "b", "c") else "")
    assert shown is not None
    assert [row["name"] for row in shown["rows"]] == ["1"]
    assert shown["note"].startswith("1 of 2 groups")


def test_other_tables_tell_no_groups() -> None:
    assert not is_grouped(table(record=["a"]))
    assert not is_grouped(table(group=[1]))
