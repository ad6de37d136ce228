from builders import make_dataset

from auditor.checks.ma003 import CheckCrashed
from auditor.values.results import Severity


def test_each_crash_is_an_error_with_its_check_and_place() -> None:
    verdict = CheckCrashed().report(
        [("LK001", "ZeroDivisionError in lk001.py:88"), ("SP002", "KeyError in sp002.py:7")], checks=9
    )
    assert [(f.subject, f.severity) for f in verdict.findings] == [("LK001", Severity.ERROR), ("SP002", Severity.ERROR)]
    assert "ZeroDivisionError in lk001.py:88" in verdict.findings[0].message
    assert verdict.metrics == {"checks_crashed": 2}
    assert list(verdict.tables[0].columns[0].values) == ["LK001", "SP002"]


def test_without_a_crash_it_passes() -> None:
    verdict = CheckCrashed().run(make_dataset(n=1))
    assert verdict.findings == ()
    assert verdict.metrics == {"checks_crashed": 0}
