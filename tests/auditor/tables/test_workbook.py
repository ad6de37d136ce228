"""Workbooks as label tables: written by openpyxl and xlwt, and an ods by its standard (OpenDocument 1.2, part 1)."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
import xlwt
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.tables.opening import whole
from auditor.tables.tables import read_table
from auditor.tables.workbook import TEXT_BYTES, read_workbook
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits

Rows = list[list[object]]
LABELS: Rows = [["image", "patient", "label"], *([f"{i:03d}.png", i // 2, "ab"[i % 2]] for i in range(8))]


def book(path: Path, *sheets: tuple[str, Rows], hidden: str = "") -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name == hidden else "visible"
    made.save(path)
    return path


def xls(path: Path, rows: Rows) -> Path:
    made = xlwt.Workbook()
    sheet = made.add_sheet("any")
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            sheet.write(i, j, cell)
    made.save(str(path))
    return path


def ods(path: Path, rows: Rows) -> Path:
    cells = [
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row)
        + "</table:table-row>"
        for row in rows
    ]
    named = "urn:oasis:names:tc:opendocument:xmlns"
    text = (
        f'<office:document-content xmlns:office="{named}:office:1.0" xmlns:table="{named}:table:1.0" '
        f'xmlns:text="{named}:text:1.0" office:version="1.2"><office:body><office:spreadsheet><table:table table:name="any">'
        f"{''.join(cells)}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", text)
        manifest = f'<manifest:manifest xmlns:manifest="{named}:manifest:1.0"><manifest:file-entry manifest:full-path="/"/>'
        archive.writestr("META-INF/manifest.xml", manifest + "</manifest:manifest>")
    return path


def opened(root: Path) -> Dataset:
    for i in range(8):
        Image.new("L", (8, 8), i).save(root / f"{i:03d}.png")
    return open_dataset(root, Options(workers=0))


@pytest.mark.parametrize("form", ["xlsx", "xls", "ods"])
def test_a_workbook_is_the_table_that_a_csv_would_be(form: str, tmp_path: Path) -> None:
    write = {"xlsx": lambda path, rows: book(path, ("s", rows)), "xls": xls, "ods": ods}[form]
    write(tmp_path / f"labels.{form}", LABELS)
    dataset = opened(tmp_path)
    assert dataset.summary.layout == "table"
    assert dataset.records["path"].tolist() == [f"{i:03d}.png" for i in range(8)]
    assert dataset.labels.values.tolist() == ["a", "b"] * 4
    assert dataset.records["patient"].tolist() == [str(i // 2) for i in range(8)]
    assert dataset.records["line"].tolist() == list(range(2, 10))
    assert not dataset.problems


def test_cells_are_the_text_that_one_sees_and_no_float(tmp_path: Path) -> None:
    rows: Rows = [["id", "when", "size", "yes", "said", "gone"], ["007", datetime(2020, 1, 2), 1.5, True, "NA\nthen", None]]
    frame = whole(Limits(), book(tmp_path / "t.xlsx", ("s", rows))).frame
    assert frame.iloc[0].tolist() == ["007", "2020-01-02", "1.5", "true", "NA then", ""]
    assert whole(Limits(), book(tmp_path / "n.xlsx", ("s", [["id", "n"], ["a", 7], ["b", 8]]))).frame["n"].tolist() == [
        "7",
        "8",
    ]


def test_sheets_that_are_called_after_splits_are_one_table_with_splits(tmp_path: Path) -> None:
    book(tmp_path / "labels.xlsx", ("Train", LABELS[:7]), ("Test", [LABELS[0], *LABELS[7:]]))
    dataset = opened(tmp_path)
    assert dataset.records["split"].value_counts().to_dict() == {"train": 6, "test": 2}


def test_a_title_a_sheet_of_patients_and_a_hidden_one_are_told(tmp_path: Path) -> None:
    people: Rows = [["Patient", "site"], *([i, "AB"[i % 2]] for i in range(4))]
    images = [["Registry 2020"], [], *LABELS]
    book(tmp_path / "labels.xlsx", ("About", [["no table"]]), ("I", images), ("P", people), ("H", people), hidden="H")
    table = read_table(tmp_path / "labels.xlsx")
    assert table.frame["site"].tolist() == ["A", "A", "B", "B"] * 2
    assert table.lines.tolist() == list(range(4, 12))
    told = "\n".join(table.notes)
    assert "sheet 3 (4 rows) is joined by 'patient'" in told
    assert "sheet 4 is hidden" in told
    assert "sheet 1 is no table" in told


def test_a_sheet_that_cannot_be_joined_is_no_silence(tmp_path: Path) -> None:
    other: Rows = [["nodule", "grade"], *([i, i % 3] for i in range(8))]
    book(tmp_path / "labels.xlsx", ("I", LABELS), ("N", other), ("legend", [["code", "text"], ["a", "benign"]]))
    told = {problem.reason[:8]: problem.kind for problem in opened(tmp_path).problems}
    assert told == {"sheet 2 ": "unused-table", "sheet 3 ": "table-aside"}


def test_ids_that_stand_twice_or_are_missing_join_nothing(tmp_path: Path) -> None:
    twice: Rows = [["patient", "site"], *([i // 2, "AB"[i % 2]] for i in range(8))]
    few: Rows = [["patient", "age"], [0, 40], [1, 41]]
    table = whole(Limits(), book(tmp_path / "t.xlsx", ("I", LABELS), ("twice", twice), ("few", few)))
    assert set(table.frame.columns) == {"image", "patient", "label"}
    assert len(table.problems) == 2


def test_what_is_listed_twice_missing_or_outside_is_found_as_in_a_csv(tmp_path: Path) -> None:
    flawed: Rows = [*LABELS, ["999.png", 9, "a"], ["000.png", 0, "b"], ["../../out.png", 1, "a"]]
    book(tmp_path / "labels.xlsx", ("s", flawed))
    dataset = opened(tmp_path)
    assert {"missing", "outside-root"} <= {problem.kind for problem in dataset.problems}
    assert "000.png#2" in dataset.records.index


def test_a_bomb_a_password_and_a_broken_book_are_one_line_each(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (2 << 20))
    with pytest.raises(DatasetError, match="table-bytes"):
        whole(Limits(table_bytes=1 << 20), tmp_path / "bomb.xlsx")
    (tmp_path / "torn.xlsx").write_bytes(book(tmp_path / "t.xlsx", ("s", LABELS)).read_bytes()[:900])
    (tmp_path / "words.xls").write_bytes(b"no book\n" * 100)
    for name in ("torn.xlsx", "words.xls"):
        with pytest.raises(DatasetError) as error:
            whole(Limits(), tmp_path / name)
        assert "\n" not in str(error.value)
    with pytest.raises(DatasetError, match="no sheet with"):
        whole(Limits(), book(tmp_path / "bare.xlsx", ("s", [["only", "a header"]])))


def test_a_sheet_of_two_cells_that_spans_all_rows_costs_itself(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active["A1"], made.active["XFD1048576"] = "a", "b"
    made.save(tmp_path / "wide.xlsx")
    with pytest.raises(DatasetError) as error:
        read_table(tmp_path / "wide.xlsx")
    assert "\n" not in str(error.value)


def test_more_texts_than_memory_has_room_for_are_refused_before_they_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "labels.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", "<sst>" + "<si><t/></si>" * 200_000 + "</sst>")  # more than one piece
    with pytest.raises(UnreadableFile, match="200,000 texts need more than"):
        read_workbook(tmp_path / "labels.xlsx", Limits(memory_bytes=200_000 * TEXT_BYTES - 1))
    with pytest.raises(DatasetError, match="not a workbook"):
        read_workbook(tmp_path / "labels.xlsx", Limits(memory_bytes=200_000 * TEXT_BYTES))
