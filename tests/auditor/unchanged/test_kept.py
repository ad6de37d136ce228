import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from auditor.private import keyed
from auditor.unchanged.kept import FOLDER, MARK, MOST, Kept
from auditor.values.results import Chart, Column, DatasetSummary, Finding, Gate, Outcome, ScanResult, Severity, Table, Verdict

KEY = bytes(range(32))


def result(**values: object) -> ScanResult:
    table = Table(name="t", title="", columns=(Column(name="n", kind="number", values=np.array([1.5, np.nan])),))
    chart = Chart(name="c", title="", kind="bars", table=table, label="n", value="n")
    verdict = Verdict(
        summary="s", metrics={"m": np.float64(2.5), "k": np.int64(3), "yes": np.bool_(True), "none": None}, charts=(chart,),
        findings=(Finding(code="IN001", severity=Severity.ERROR, message="m", evidence=dict(values)),), tables=(table,),
    )  # fmt: skip
    return ScanResult(
        schema_version=2, tool_version="0", records=1, gate=Gate(verdict="failed", exit_code=1, fail_on="error"),
        dataset=DatasetSummary(name="d", layout="l", task="none", classes=(), counts={}, guesses=()), thumbnails={"r": b"jpeg"},
        outcomes=(Outcome(code="IN001", name="n", title="t", status="failed", verdict=verdict),),
    )  # fmt: skip


def kept(folder: Path, key: bytes = KEY) -> Kept:
    folder.mkdir(mode=0o700, exist_ok=True)
    return Kept(folder=folder, key=key)


def the_file(folder: Path) -> Path:
    (file,) = (folder / FOLDER).iterdir()
    return file


def test_what_was_kept_is_found_as_plain_values_and_a_chart_still_draws_its_listed_table(tmp_path: Path) -> None:
    kept(tmp_path / "c").keep(b"this", result())
    found = kept(tmp_path / "c").find(b"this")
    assert found is not None
    verdict = found.outcomes[0].verdict
    assert verdict is not None
    assert verdict.charts[0].table is verdict.tables[0]
    assert verdict.metrics == {"m": 2.5, "k": 3, "yes": True, "none": None}
    assert [type(value) for value in verdict.metrics.values()] == [float, int, bool, type(None)]
    assert str(verdict.tables[0].columns[0].values) == "[1.5, nan]"
    assert (verdict.findings[0].severity, found.thumbnails) == (Severity.ERROR, {"r": b"jpeg"})


def test_only_who_asks_for_the_same_gets_it(tmp_path: Path) -> None:
    kept(tmp_path / "c").keep(b"this", result())
    assert kept(tmp_path / "c").find(b"that") is None
    assert kept(tmp_path / "c", bytes(32)).find(b"this") is None
    assert kept(tmp_path / "other").find(b"this") is None


@pytest.mark.parametrize("place", [0, MARK - 1, MARK, -1])
def test_a_changed_byte_and_it_is_not_there(tmp_path: Path, place: int) -> None:
    kept(tmp_path / "c").keep(b"this", result())
    file = the_file(tmp_path / "c")
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    assert kept(tmp_path / "c").find(b"this") is None


def test_the_result_of_another_question_laid_in_its_place_is_not_believed(tmp_path: Path) -> None:
    one, two = kept(tmp_path / "one"), kept(tmp_path / "two")
    one.keep(b"this", result())
    two.keep(b"that", result())
    the_file(tmp_path / "one").write_bytes(the_file(tmp_path / "two").read_bytes())
    assert one.find(b"this") is None


def test_nothing_else_comes_to_life_even_with_the_users_mark(tmp_path: Path) -> None:
    kept(tmp_path / "c").keep(b"this", result())
    for value in (pd.Timestamp(0), print, Path("x"), "no result"):
        content = pickle.dumps(value)
        mark = keyed(KEY, "result", len(b"this").to_bytes(8, "little") + b"this" + content)
        the_file(tmp_path / "c").write_bytes(mark + content)
        assert kept(tmp_path / "c").find(b"this") is None


def test_missing_values_of_pandas_are_none_and_what_is_no_plain_value_is_not_kept(tmp_path: Path) -> None:
    kept(tmp_path / "c").keep(b"this", result(cell=pd.NA))
    found = kept(tmp_path / "c").find(b"this")
    assert found is not None
    assert found.findings[0].evidence == {"cell": None}
    kept(tmp_path / "d").keep(b"this", result(cell=Path("x")))
    assert kept(tmp_path / "d").find(b"this") is None


def test_a_folder_that_others_may_write_to_is_neither_read_nor_written(tmp_path: Path) -> None:
    kept(tmp_path / "c").keep(b"this", result())
    (tmp_path / "c").chmod(0o777)
    assert kept(tmp_path / "c").find(b"this") is None
    (tmp_path / "d").mkdir(mode=0o700)
    (tmp_path / "d").chmod(0o777)
    kept(tmp_path / "d").keep(b"this", result())
    assert not list((tmp_path / "d").rglob("*.*"))


def test_the_oldest_go(tmp_path: Path) -> None:
    for number in range(MOST + 3):
        kept(tmp_path / "c").keep(b"%d" % number, result())
    assert len(list((tmp_path / "c" / FOLDER).iterdir())) == MOST
    assert kept(tmp_path / "c").find(b"%d" % (MOST + 2)) is not None
