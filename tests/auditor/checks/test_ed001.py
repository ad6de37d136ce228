from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ed001 import ExpertDisagreement
from auditor.values.results import Guess, Severity


def panel(errors, *, n=200, classes=3, seed=0, hard=0.3):
    """Readings by one rater per error rate; some records are hard for everybody."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    difficult = rng.random(n) < hard
    rows = []
    for r, error in enumerate(errors):
        wrong = rng.random(n) < np.where(difficult, max(error, 0.4 if error else 0), error)
        label = np.where(wrong, (truth + rng.integers(1, classes, n)) % classes, truth)
        rows.append(pd.DataFrame({"record": [f"r{i:04d}" for i in range(n)], "rater": f"R{r}", "label": label.astype(str)}))
    return make_dataset(n=n, annotations=pd.concat(rows, ignore_index=True))


def columns_of(table):
    return {c.name: list(c.values) for c in table.columns}


def test_good_and_equal_raters_are_silent():
    verdict = ExpertDisagreement().run(panel([0.03, 0.03, 0.03], hard=0))
    assert verdict.findings == ()
    assert verdict.metrics["krippendorff_alpha"] > 0.8
    assert verdict.metrics["poor_raters"] == 0
    assert "none of 3 raters stands apart" in verdict.summary


def test_the_poor_rater_among_three_is_named_as_in_the_table():
    verdict = ExpertDisagreement(min_alpha=0.0).run(panel([0.1, 0.1, 0.4]))
    (finding,) = verdict.findings
    assert finding.subject == "rater R2"
    assert finding.severity is Severity.WARNING
    raters = columns_of(verdict.tables[0])
    assert raters["flagged"] == [False, False, True]
    assert raters["accuracy"][2] < min(raters["accuracy"][:2])
    assert raters["agreement"][2] < raters["others"][2]


def test_agreement_below_the_floor_is_a_finding_with_its_interval():
    verdict = ExpertDisagreement().run(panel([0.35, 0.35, 0.35]))
    (finding,) = [f for f in verdict.findings if f.subject == "agreement"]
    metrics = verdict.metrics
    assert metrics["krippendorff_alpha_low"] < metrics["krippendorff_alpha"] < metrics["krippendorff_alpha_high"] < 0.667
    assert f"{metrics['krippendorff_alpha']:.2f}" in finding.message
    assert finding.evidence["disputed_records"] == metrics["disputed_records"]


def test_a_dominating_label_is_named_as_the_reason_of_a_low_alpha():
    rows = [(f"x{i}", f"R{r}", "yes" if i % 60 == r else "no") for i in range(180) for r in range(3)]
    verdict = ExpertDisagreement().run(make_dataset(n=1, annotations=rows))
    assert verdict.metrics["gwet_ac1"] > 0.9 > 0.1 > verdict.metrics["krippendorff_alpha"]
    assert "one label dominates" in verdict.findings[0].message


def test_the_table_of_records_says_who_is_disputed():
    rows = [("x", r, "1") for r in "abc"] + [("y", "a", "1"), ("y", "b", "2"), ("y", "c", "3"), ("z", "a", "2")]
    verdict = ExpertDisagreement().run(make_dataset(n=1, annotations=rows))
    records = columns_of(verdict.tables[1])
    assert records["record"] == ["x", "y", "z"]
    assert records["majority"] == ["1", None, "2"]
    assert records["agreement"] == [1.0, 0.0, None]
    assert records["disputed"] == [False, True, False]
    assert records["entropy_bits"] == pytest.approx([0, np.log2(3), 0], abs=1e-5)
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (2, 3)


def test_grades_are_weighted_when_they_are_declared_or_their_words_say_so():
    grades = ["none", "mild", "severe"]
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 150)
    given = np.clip(truth[:, None] + rng.integers(-1, 2, (150, 3)), 0, 2)
    rows = [(f"r{i:04d}", f"R{r}", grades[g]) for i, row in enumerate(given) for r, g in enumerate(row)]
    declared = make_dataset(n=150, labels=[grades[t] for t in truth], task="ordinal", classes=grades, annotations=rows)
    told = make_dataset(n=150, annotations=rows)
    assert ExpertDisagreement().run(told).metrics["scale"] == "ordinal"
    plain = make_dataset(n=150, annotations=[(record, rater, grade[:1]) for record, rater, grade in rows])
    graded, nominal = ExpertDisagreement().run(declared).metrics, ExpertDisagreement().run(plain).metrics
    assert graded["scale"] == "ordinal"
    assert graded["weighted_kappa"] > graded["fleiss_kappa"]
    assert graded["krippendorff_alpha"] > nominal["krippendorff_alpha"]
    assert "weighted_kappa" not in nominal


@pytest.mark.parametrize(("column", "metric"), [("expert_grade", "ordinal"), ("expert_finding", "nominal")])
def test_numbers_of_columns_that_are_called_grades_are_weighted(column, metric):
    dataset = panel([0.1, 0.1, 0.1], classes=4)
    role = Guess(role="rater", value=column, column=column, confidence=0.9, why="w")
    dataset = replace(dataset, summary=replace(dataset.summary, guesses=(role,)))
    assert f"({metric}" in ExpertDisagreement().run(dataset).findings[0].message


def test_two_raters_are_compared_but_neither_is_blamed():
    verdict = ExpertDisagreement().run(panel([0.05, 0.5]))
    assert {f.subject for f in verdict.findings} == {"agreement"}
    assert "two readings" in verdict.summary


def test_one_label_throughout_has_no_alpha_and_no_finding():
    rows = [(f"x{i}", f"R{r}", "no") for i in range(20) for r in range(3)]
    verdict = ExpertDisagreement().run(make_dataset(n=1, annotations=rows))
    assert verdict.findings == ()
    assert verdict.metrics["krippendorff_alpha"] is None
    assert "not defined" in verdict.summary


def test_the_longest_list_of_raters_is_cut_and_said():
    verdict = ExpertDisagreement(min_alpha=0.0, max_findings=1).run(panel([0.05] * 8 + [0.6, 0.6], hard=0))
    assert len(verdict.findings) == 1
    assert "1 more such" in verdict.findings[0].message


def test_declared_grades_get_weights_and_intraclass_correlations():
    rng = np.random.default_rng(0)
    grade = rng.integers(0, 5, 80)
    rows = [
        (f"r{i:04d}", f"R{r}", str(int(np.clip(grade[i] + rng.integers(-1, 2), 0, 4)))) for i in range(80) for r in range(3)
    ]
    dataset = make_dataset(labels=grade.astype(str).tolist(), task="ordinal", classes=list("01234"), annotations=rows)
    metrics = ExpertDisagreement().run(dataset).metrics
    assert metrics["scale"] == "ordinal"
    for name in ("weighted_kappa", "gwet_ac2", "icc_single", "icc_average"):
        assert metrics[f"{name}_low"] < metrics[name] < metrics[f"{name}_high"]
    assert metrics["icc_average"] > metrics["icc_single"]


def test_measurements_get_the_interval_alpha_and_no_classes():
    rng = np.random.default_rng(0)
    size = rng.normal(50, 10, 90)
    rows = [(f"r{i:04d}", f"R{r}", f"{size[i] + 4 * (r == 2) + rng.normal(0, 2):.3f}") for i in range(90) for r in range(3)]
    verdict = ExpertDisagreement().run(make_dataset(n=90, annotations=rows))
    assert verdict.findings == ()
    assert verdict.metrics["krippendorff_alpha"] > 0.8
    assert columns_of(verdict.tables[0])["offset"][2] == pytest.approx(4 * 2 / 3, abs=0.6)


def test_sets_of_findings_agree_by_what_they_share():
    rows = [
        (f"x{i}", r, said)
        for i in range(40)
        for r, said in (("a", "edema|mass" if i % 2 else "none"), ("b", "mass" if i % 2 else "none"))
    ]
    verdict = ExpertDisagreement().run(make_dataset(n=1, annotations=rows))
    assert verdict.metrics["scale"] == "sets"
    classes = columns_of(next(t for t in verdict.tables if t.name == "classes"))
    assert dict(zip(classes["class"], classes["specific_agreement"], strict=True)) == {"none": 1.0, "mass": 1.0, "edema": 0.0}


def test_the_matrix_of_pairs_has_every_pair_in_both_directions():
    verdict = ExpertDisagreement().run(panel([0.1, 0.1, 0.1]))
    pairs = columns_of(next(t for t in verdict.tables if t.name == "pairs"))
    assert len(pairs["rater_a"]) == 6
    assert verdict.metrics["mean_cohen_kappa"] == pytest.approx(np.mean(pairs["kappa"]))
    assert {c.kind for c in verdict.charts} >= {"matrix", "intervals", "bars"}


def test_without_readings_it_is_skipped():
    with pytest.raises(SkipCheck, match="no readings"):
        ExpertDisagreement().run(make_dataset(n=5))


@pytest.mark.slow
def test_power_and_false_alarms_over_many_seeds():
    check = ExpertDisagreement(min_alpha=0.0)
    found = [[f.subject for f in check.run(panel([0.1, 0.1, 0.35], n=150, seed=s)).findings] == ["rater R2"] for s in range(60)]
    alarms = [bool(check.run(panel([0.15, 0.15, 0.15], n=150, seed=s)).findings) for s in range(100)]
    assert np.mean(found) > 0.8
    assert np.mean(alarms) <= 0.07
