import numpy as np
import pandas as pd
import pytest
from builders import make_dataset, record_ids
from scipy.stats import norm

from auditor.check import SkipCheck
from auditor.checks.ed004 import FatigueOrDrift

BEFORE, AFTER = (np.sqrt(2) * norm.ppf(auc) for auc in (0.885, 0.852))


def working_day(seed=0, *, raters=40, cases=60, drift=True, scores=False):
    """The published design: the same cases before and after a day, decisions (or scores) of two normal distributions."""
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % 2
    case = rng.normal(0, 0.6, cases)
    frames = []
    for session, distance in (("before", BEFORE), ("after", AFTER if drift else BEFORE)):
        score = truth * distance + case + rng.normal(0, 0.8, (raters, cases))
        said = np.round(score, 3) if scores else np.where(score > distance / 2, "fracture", "none")
        frames.append(
            pd.DataFrame(
                {
                    "record": np.tile(record_ids(cases), raters), "rater": np.repeat([f"R{r}" for r in range(raters)], cases),
                    "label": said.ravel().astype(str), "session": session,
                }
            )
        )  # fmt: skip
    labels = np.where(truth == 1, "fracture", "none").tolist()
    return make_dataset(labels=labels, annotations=pd.concat(frames, ignore_index=True))


def worklists(seed=0, *, raters=12, cases=360, each=4, rise=0.0, harder=True, labels=True):
    """Each case is read by several; sessions of about 40 readings; the error rises by `rise` from first to last."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, cases)
    difficulty = rng.uniform(-0.1, 0.25, cases)
    readers = np.argsort(rng.random((cases, raters)), axis=1)[:, :each]
    rows = []
    for r in range(raters):
        own = rng.permutation(np.flatnonzero((readers == r).any(axis=1)))
        for s, part in enumerate(np.array_split(own, 3)):
            order = part[np.argsort(difficulty[part] + rng.normal(0, 0.1, len(part)))] if harder else part
            place = np.linspace(0, 1, len(order))
            wrong = rng.random(len(order)) < np.clip(0.12 + difficulty[order] + rise * (place - 0.5), 0.01, 0.95)
            said = np.where(wrong, 1 - truth[order], truth[order])
            rows += [(f"r{c:04d}", f"R{r}", str(v), f"s{s}", str(k)) for k, (c, v) in enumerate(zip(order, said, strict=True))]
    table = pd.DataFrame(rows, columns=["record", "rater", "label", "session", "position"])
    return make_dataset(n=cases, labels=truth.astype(str).tolist() if labels else None, annotations=table)


def subjects(verdict):
    return [f.subject for f in verdict.findings]


def test_a_drift_of_three_times_the_published_size_is_found_with_its_direction():
    given = working_day(raters=120)
    verdict = FatigueOrDrift().run(given)
    assert subjects(verdict) == ["session"]
    assert "from the session 'before' to 'after'" in verdict.findings[0].message
    assert verdict.metrics["session_effect"] == pytest.approx(0.032, abs=0.02)
    assert verdict.metrics["session_power"] > 0.95


def test_scores_are_judged_by_their_auc():
    verdict = FatigueOrDrift().run(working_day(scores=True))
    assert verdict.metrics["measure"] == "1 − AUC against the released label"
    assert verdict.metrics["error_fraction"] == pytest.approx(1 - (0.885 + 0.852) / 2, abs=0.05)
    assert verdict.metrics["published_effect"] == pytest.approx(0.033)


def test_without_drift_nothing_is_found_and_the_power_is_said():
    verdict = FatigueOrDrift().run(working_day(1, drift=False))
    assert verdict.findings == ()
    assert 0.5 < verdict.metrics["session_power"] < 1
    assert "power" in verdict.summary


def test_a_trend_within_sessions_is_found_and_drawn():
    verdict = FatigueOrDrift().run(worklists(rise=0.4, harder=False))
    assert "position" in subjects(verdict)
    assert verdict.metrics["position_effect"] == pytest.approx(0.4, abs=0.15)
    curve = next(t for t in verdict.tables if t.name == "curve")
    error = next(c for c in curve.columns if c.name == "error").values
    assert error[-1] > error[0] + 0.15


def test_worklists_that_get_harder_are_no_drift():
    assert FatigueOrDrift().run(worklists(harder=True)).findings == ()


def test_without_released_labels_the_other_readers_are_the_measure():
    verdict = FatigueOrDrift().run(worklists(rise=0.5, labels=False))
    assert "majority of the other readers" in verdict.metrics["measure"]
    assert "position" in subjects(verdict)


def test_the_rater_whose_errors_begin_to_rise_is_named_with_the_reading():
    given = worklists(harder=False, raters=6, cases=300, each=6)
    table = given.annotations.copy()
    order = table[table["rater"] == "R2"].index
    late = order[len(order) // 2 :]
    flip = late[np.random.default_rng(0).random(len(late)) < 0.5]
    table.loc[flip, "label"] = np.where(table.loc[flip, "label"] == "1", "0", "1")
    verdict = FatigueOrDrift().run(make_dataset(labels=given.labels.values.tolist(), annotations=table))
    finding = next(f for f in verdict.findings if f.subject == "rater R2")
    assert 110 < finding.evidence["reading"] < 190


def test_a_clock_makes_sessions_hours_and_order():
    rng = np.random.default_rng(4)
    rows = []
    for r in range(8):
        for day in (1, 2):
            for k, c in enumerate(rng.permutation(60)):
                moment = f"2024-03-0{day} {9 + k // 10:02d}:{(k % 10) * 5:02d}:00"
                rows.append((f"r{c:04d}", f"R{r}", str(int(rng.random() < 0.5 + 0.4 * (c % 2))), moment))
    table = pd.DataFrame(rows, columns=["record", "rater", "label", "time"])
    labels = [str(c % 2) for c in range(60)]
    verdict = FatigueOrDrift().run(make_dataset(labels=labels, annotations=table))
    assert {"session_p", "position_p", "hour_p"} <= set(verdict.metrics)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("r0000", "a", "x")], "neither session nor time"),
        ([(f"r{i:04d}", f"R{r}", "x", "1") for i in range(30) for r in range(3)], "cannot be told from the cases"),
    ],
)
def test_what_cannot_be_told_is_skipped(rows, words):
    table = pd.DataFrame(rows, columns=["record", "rater", "label", "session"][: len(rows[0])])
    with pytest.raises(SkipCheck, match=words):
        FatigueOrDrift().run(make_dataset(n=30, annotations=table))


def hurried(seed=0, *, raters=8, cases=200, each=5, harm=0.3, order=True):
    """Hard cases take longer and are missed more often; the shortest tenth of a reader's times adds `harm` to the error."""
    rng = np.random.default_rng(seed)
    truth, difficulty = rng.integers(0, 2, cases), rng.uniform(0, 0.3, cases)
    readers = np.argsort(rng.random((cases, raters)), axis=1)[:, :each]
    rows = []
    for r in range(raters):
        own = rng.permutation(np.flatnonzero((readers == r).any(axis=1)))
        seconds = np.exp(rng.normal(3, 0.7, len(own)) + 2 * difficulty[own])
        short = seconds <= np.quantile(seconds, 0.1)
        wrong = rng.random(len(own)) < 0.1 + difficulty[own] + harm * short
        said = np.where(wrong, 1 - truth[own], truth[own])
        rows += [
            (f"r{c:04d}", f"R{r}", str(v), f"{s:.2f}", str(k))
            for k, (c, v, s) in enumerate(zip(own, said, seconds, strict=True))
        ]
    table = pd.DataFrame(rows, columns=["record", "rater", "label", "seconds", "position"])
    table = table if order else table.drop(columns="position")
    return make_dataset(n=cases, labels=truth.astype(str).tolist(), annotations=table)


def test_very_short_readings_that_err_more_are_found_and_drawn():
    for order in (True, False):
        verdict = FatigueOrDrift().run(hurried(harm=0.4, order=order))
        assert subjects(verdict) == ["reading time"]
        assert "shortest tenth" in verdict.findings[0].message
        assert verdict.metrics["reading_time_effect"] == pytest.approx(0.4, abs=0.15)
        curve = next(t for t in verdict.tables if t.name == "reading_time")
        error = next(c for c in curve.columns if c.name == "error").values
        assert error[0] > max(error[1:])


def test_cases_that_take_longer_because_they_are_hard_are_no_haste():
    verdict = FatigueOrDrift().run(hurried(harm=0.0))
    assert verdict.findings == ()
    assert verdict.metrics["reading_time_power"] > 0


@pytest.mark.slow
def test_haste_is_found_and_its_absence_raises_no_alarm():
    found = [subjects(FatigueOrDrift().run(hurried(s, harm=0.3))) == ["reading time"] for s in range(40)]
    quiet = [FatigueOrDrift(min_effect=0).run(hurried(s + 500, harm=0.0)) for s in range(120)]
    assert np.mean(found) > 0.8
    assert np.mean([bool(v.findings) for v in quiet]) <= 0.08
    assert np.mean([v.metrics["reading_time_p"] <= 0.05 for v in quiet]) <= 0.1


@pytest.mark.slow
def test_the_published_drift_is_found_at_the_power_reported_and_nothing_else():
    for scores in (False, True):
        runs = [FatigueOrDrift(min_effect=0).run(working_day(s, scores=scores)) for s in range(100)]
        quiet = [FatigueOrDrift(min_effect=0).run(working_day(s + 500, drift=False, scores=scores)) for s in range(120)]
        found = np.mean([bool(v.findings) for v in runs])
        assert found == pytest.approx(np.mean([v.metrics["session_power"] for v in runs]), abs=0.12)
        assert found > 0.6
        assert np.mean([bool(v.findings) for v in quiet]) <= 0.08


@pytest.mark.slow
def test_trends_are_found_at_the_power_and_harder_worklists_raise_no_alarm():
    for harder in (False, True):
        alarms = [bool(FatigueOrDrift(min_effect=0).run(worklists(s, harder=harder)).findings) for s in range(120)]
        assert np.mean(alarms) <= 0.08
    found = np.mean(["position" in subjects(FatigueOrDrift().run(worklists(s, rise=0.3, harder=False))) for s in range(40)])
    assert found > 0.8
