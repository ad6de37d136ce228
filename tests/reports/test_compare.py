"""Findings of two scans: fixed, remaining, introduced, or unclear where nobody looked."""

from dataclasses import replace

import pytest
from comparisons import ADVICE, BLANK, COPIES, LEAK, LESS_NOISE, NOISE, PICTURES, SUSPECTS, arms, finding, scanned

from auditor.values.results import Severity
from reports.compare import alarming, compare_results, differences, matched, tally


def test_findings_are_matched_by_fingerprint_never_by_message():
    found = matched(scanned([*COPIES, NOISE]), scanned([LESS_NOISE, BLANK]))
    assert found.fixed == COPIES
    assert found.remaining == (LESS_NOISE,)
    assert found.introduced == (BLANK,)
    assert found.unclear == ()


def test_a_finding_is_not_fixed_when_its_check_was_not_carried_out_again():
    found = matched(scanned([*COPIES, NOISE]), scanned([NOISE], skipped=("SP002",)))
    assert found.fixed == ()
    assert found.unclear == COPIES
    comparison = compare_results(scanned([*COPIES]), scanned([], skipped=("SP002",)))
    assert comparison.verdict == "cannot tell"


def test_a_finding_is_not_introduced_when_its_check_was_not_carried_out_before():
    found = matched(scanned([], skipped=("IQ001",)), scanned([BLANK]))
    assert found.introduced == ()
    assert found.unclear == (BLANK,)


def test_a_finding_that_became_more_severe_is_introduced():
    worse = replace(NOISE, severity=Severity.ERROR)
    assert matched(scanned([NOISE]), scanned([worse])).introduced == (worse,)
    milder = matched(scanned([worse]), scanned([NOISE]))
    assert (milder.introduced, milder.remaining, milder.fixed) == ((), (NOISE,), ())


def test_two_findings_of_one_fingerprint_are_counted_twice():
    found = matched(scanned([BLANK, BLANK, BLANK]), scanned([BLANK]))
    assert (len(found.fixed), len(found.remaining), len(found.introduced)) == (2, 1, 0)
    found = matched(scanned([BLANK]), scanned([BLANK, BLANK]))
    assert (len(found.fixed), len(found.remaining), len(found.introduced)) == (0, 1, 1)


def test_every_finding_is_in_one_place():
    before, after = scanned([*COPIES, NOISE, *SUSPECTS[:7]]), scanned([LESS_NOISE, *SUSPECTS[4:], BLANK])
    found = matched(before, after)
    assert len(found.fixed) + len(found.remaining) == len(before.findings)
    assert len(found.introduced) + len(found.remaining) == len(after.findings)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ([NOISE], [NOISE], "no change"),
        ([*COPIES, NOISE], [NOISE], "corrected"),
        ([*COPIES, NOISE], [NOISE, LEAK], "corrected"),
        ([*COPIES, NOISE], [NOISE, BLANK], "new findings"),
        ([], [], "no change"),
        ([], [LEAK], "no change"),
    ],
)
def test_without_networks_the_findings_decide(before, after, verdict):
    assert compare_results(scanned(before), scanned(after)).verdict == verdict


def test_a_correction_that_leaves_less_and_no_new_error_is_a_correction():
    before, worse = scanned([*COPIES, NOISE]), replace(BLANK, severity=Severity.ERROR)
    comparison = compare_results(before, scanned([NOISE, BLANK]), applied=("deduplicate",))
    assert comparison.verdict == "corrected"
    assert comparison.summary.startswith("4 findings fixed, 1 finding introduced, no error among them")
    assert compare_results(before, scanned([NOISE, worse]), applied=("deduplicate",)).verdict == "new findings"
    assert compare_results(scanned([]), scanned([BLANK]), applied=("deduplicate",)).verdict == "new findings"


def test_what_went_out_of_sight_is_not_corrected_though_fewer_findings_are_left():
    after = scanned([BLANK], skipped=("SP002",))
    comparison = compare_results(scanned([*COPIES, NOISE]), after, applied=("deduplicate",))
    assert comparison.unclear == COPIES
    assert comparison.verdict == "cannot tell"
    assert "1 introduced" in comparison.summary or "1 finding introduced" in comparison.summary


def test_a_copy_that_lacks_a_part_of_the_data_is_not_called_corrected():
    before = scanned([*COPIES, NOISE])
    assert compare_results(before, scanned([NOISE]), applied=("deduplicate",)).verdict == "corrected"
    comparison = compare_results(before, scanned([NOISE]), applied=("deduplicate",), absent=("boxes", "marks"))
    assert comparison.verdict == "cannot tell"
    assert "does not hold the boxes and the marks" in comparison.summary


def test_waived_findings_and_notes_alarm_nobody():
    waived = finding("IQ001", Severity.ERROR, "Blank.", "r1", waived="known")
    assert alarming([waived, LEAK, BLANK]) == (BLANK,)
    assert compare_results(scanned([]), scanned([waived])).verdict == "no change"


def test_the_tally_counts_unwaived_findings_apart():
    waived = finding("IQ001", Severity.ERROR, "Blank.", "r1", waived="known")
    counted = tally(scanned([*COPIES, NOISE, LEAK, waived], skipped=("LN002",)))
    assert (counted.errors, counted.warnings, counted.notes, counted.waived, counted.not_evaluated) == (4, 1, 1, 1, 1)
    assert counted.gate == "failed"


def test_documentation_and_pictures_are_those_that_are_named():
    before = scanned([NOISE, *SUSPECTS[:3]], thumbnails=PICTURES)
    comparison = compare_results(before, scanned([NOISE]), arms=arms()[:1], thumbnails={"r2": b"x", "r9": b"y"})
    assert set(comparison.documentation) == {"LN001", "LN002"} < set(ADVICE)
    assert set(comparison.thumbnails) == {"r010", "r011", "r012", "r2"}


def test_what_makes_two_results_hard_to_compare_is_said():
    scan = scanned([NOISE])
    assert differences(scan, scan) == ()
    assert "two different datasets (names chest-xray-pneumonia and b)" in differences(scan, scanned([NOISE], name="b"))[0]
    later = replace(scan, tool_version="9", configuration={"fail_on": "warning", "seed": 0})
    assert [note.split(":")[0] for note in differences(scan, later)] == [
        "The scans were made by medaudit 0.1.0 and 9",
        "The scans were made with different options",
    ]
    assert "different classes" in differences(scan, replace(scan, dataset=replace(scan.dataset, classes=("x",))))[0]


def test_a_finding_is_not_fixed_in_a_file_that_the_later_scan_did_not_look_at():
    path = "a.png"
    gone = tuple(replace(f, where=replace(f.where, path=path)) for f in COPIES)
    before = scanned([*gone, NOISE])
    assert matched(before, scanned([NOISE]), looked={path}).fixed == gone
    unseen = matched(before, scanned([NOISE]), looked={"another.png"})
    assert (unseen.fixed, unseen.unclear) == ((), gone)
    assert compare_results(before, scanned([NOISE]), looked=set()).verdict == "cannot tell"


def test_where_only_notes_are_gone_nothing_is_called_corrected():
    note = replace(NOISE, severity=Severity.INFO)
    comparison = compare_results(scanned([note, LEAK]), scanned([LEAK]), applied=("harmonise",))
    assert comparison.verdict == "no change"
    assert comparison.summary.startswith("only notes were fixed (1 finding)")
    assert compare_results(scanned([NOISE, LEAK]), scanned([LEAK]), applied=("harmonise",)).verdict == "corrected"
