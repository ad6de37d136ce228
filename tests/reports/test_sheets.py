from auditor.values.results import Cell, Column, Table
from reports.groups import FEWEST, MOST, SHEETS_SHOWN, is_sheet, sheets


def table(sheet: list[Cell], record: list[Cell]) -> Table:
    columns = (
        Column(name="record", kind="record", values=record),
        Column(name="sheet", kind="text", values=sheet, title="Device"),
    )
    return Table(name="pictures", title="Pictures to look at", columns=columns)


def uri(record: Cell) -> str:
    return f"data:{record}"


def test_each_device_has_its_sheet_in_the_order_of_the_table() -> None:
    shown = sheets(table(["Beta", "Alpha", "Beta", None], ["a", "b", "c", "d"]), uri)
    assert shown is not None
    assert [(row["name"], [one["record"] for one in row["members"]]) for row in shown["rows"]] == [
        ("Beta", ["a", "c"]),
        ("Alpha", ["b"]),
    ]
    assert (shown["each"], shown["kind"], shown["note"]) == ("one sheet per device", "Device", "")


def test_sheets_are_bounded_and_say_how_many_more_there_are() -> None:
    one = sheets(table(["A"] * 30, [f"r{i}" for i in range(30)]), uri)
    assert one is not None
    assert (len(one["rows"][0]["members"]), one["rows"][0]["more"]) == (MOST, 30 - MOST)
    names: list[Cell] = [f"device {i // 20}" for i in range(1000)]
    many = sheets(table(names, [f"r{i}" for i in range(1000)]), uri)
    assert many is not None
    assert [len(row["members"]) for row in many["rows"]] == [FEWEST] * SHEETS_SHOWN
    assert many["note"].startswith("24 of 50 sheets")


def test_records_without_a_picture_are_left_to_the_table() -> None:
    some = sheets(table(["A", "A", "B"], ["a", "b", "c"]), lambda record: uri(record) if record == "b" else "")
    assert some is not None
    assert [(row["name"], row["more"]) for row in some["rows"]] == [("A", 1)]
    assert sheets(table(["A"], ["a"]), lambda _: "") is None


def test_other_tables_have_no_sheets() -> None:
    assert is_sheet(table(["A"], ["a"]))
    assert not is_sheet(Table(name="t", title="t", columns=(Column(name="record", kind="record", values=["a"]),)))
