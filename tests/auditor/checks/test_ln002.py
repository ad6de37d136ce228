import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln002 import SuspectLabels
from auditor.values.labels import State
from auditor.values.results import Severity


def probabilities_of(truth, classes, seed, *, noise=0.0):
    rng = np.random.default_rng(seed)
    n = len(truth)
    logits = rng.normal(size=(n, classes))
    logits[np.arange(n), truth] += 4 + 4 * rng.exponential(1, n)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p * (1 - noise - noise / (classes - 1)) + noise / (classes - 1)


def noisy(n=1500, classes=3, noise=0.1, seed=0, **more):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    given = np.where(rng.random(n) < noise, (truth + rng.integers(1, classes, n)) % classes, truth)
    p = probabilities_of(truth, classes, seed + 1, noise=noise)
    return make_dataset(labels=[f"c{v}" for v in given], probabilities=p, **more), given != truth, truth


def columns_of(verdict):
    (table,) = verdict.tables
    assert table.name == "label_scores"
    return {c.name: np.array(c.values, dtype=object) for c in table.columns}


def test_planted_flips_are_flagged_and_the_true_class_suggested():
    dataset, wrong, truth = noisy()
    verdict = SuspectLabels().run(dataset)
    columns = columns_of(verdict)
    flagged = columns["flagged"].astype(bool)
    assert 2 * np.sum(flagged & wrong) / (flagged.sum() + wrong.sum()) > 0.95
    assert np.mean(columns["suggested"][wrong] == np.array([f"c{v}" for v in truth[wrong]], dtype=object)) > 0.95
    assert verdict.metrics["flagged_records"] == flagged.sum()
    assert verdict.metrics["expected_wrong_flags"] == pytest.approx(np.sum(flagged & wrong), rel=0.2)


def test_the_table_has_every_record_in_order_and_low_scores_are_suspicious():
    dataset, wrong, _ = noisy()
    columns = columns_of(SuspectLabels().run(dataset))
    assert columns["record"].tolist() == dataset.records.index.tolist()
    assert columns["given"].tolist() == dataset.labels.values.tolist()
    scores = columns["score"].astype(float)
    assert 0 <= scores.min() <= scores.max() <= 1
    assert scores[wrong].mean() < 0.2 < 0.8 < scores[~wrong].mean()


def test_the_worst_are_listed_and_the_rest_is_said():
    dataset, _, _ = noisy(columns={"line": range(2, 1502)})
    verdict = SuspectLabels(max_findings=5).run(dataset)
    whole, *rows = verdict.findings
    assert whole.where.record is None
    assert "first 5 are listed" in whole.message
    assert len(rows) == 5
    assert all(f.severity is Severity.WARNING for f in verdict.findings)
    assert [f.score for f in rows] == sorted((f.score for f in rows), reverse=True)
    first = rows[0]
    assert first.where.path == f"{first.where.record}.png"
    assert first.where.line == int(first.where.record[1:]) + 2
    assert first.evidence["given"] != first.evidence["suggested"]
    assert len({f.fingerprint for f in verdict.findings}) == 6


def test_clean_labels_are_silent_and_at_most_one_percent_is_marked():
    dataset, _, _ = noisy(noise=0.0)
    verdict = SuspectLabels().run(dataset)
    assert verdict.findings == ()
    assert verdict.metrics["flagged_fraction"] <= 0.01
    assert verdict.summary.startswith("No evidence")


def test_where_nothing_can_be_told_the_ranking_is_kept_but_not_as_evaluated():
    rng = np.random.default_rng(0)
    p = rng.beta(1.2, 1.2, 3000)
    labels = ["y" if u < v else "n" for u, v in zip(rng.random(3000), p, strict=True)]
    with pytest.raises(SkipCheck, match="no cut-off follows") as skipped:
        SuspectLabels().run(make_dataset(labels=labels, probabilities=np.stack([1 - p, p], axis=1)))
    assert skipped.value.verdict is not None
    assert all(f.severity is Severity.INFO for f in skipped.value.verdict.findings)
    assert skipped.value.verdict.tables[0].length == 3000


def test_records_without_label_or_prediction_are_in_the_table_without_a_score():
    dataset, _, _ = noisy(n=200)
    p = dataset.predictions.probabilities.copy()
    p[0] = np.nan
    labels = dataset.labels.values.tolist()
    labels[1] = None
    verdict = SuspectLabels().run(make_dataset(labels=labels, probabilities=p))
    columns = columns_of(verdict)
    assert columns["score"][:2].tolist() == [None, None]
    assert columns["suggested"][:2].tolist() == [None, None]
    assert columns["given"][1] is None
    assert columns["flagged"][:2].tolist() == [False, False]
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (198, 200)


def test_the_classes_of_the_predictions_may_have_another_order():
    dataset, _, _ = noisy()
    p = dataset.predictions.probabilities[:, ::-1]
    turned = make_dataset(labels=dataset.labels.values.tolist(), probabilities=p, prediction_classes=["c2", "c1", "c0"])
    same = columns_of(SuspectLabels().run(dataset))
    other = columns_of(SuspectLabels().run(turned))
    assert np.allclose(same["score"].astype(float), other["score"].astype(float), atol=1e-5)
    assert same["suggested"].tolist() == other["suggested"].tolist()


def test_a_class_that_no_record_has_can_be_suggested():
    dataset, _, _ = noisy(n=400, noise=0.0)
    p = np.hstack([dataset.predictions.probabilities, np.zeros((400, 1), np.float32)])
    p[7] = [0.01, 0.01, 0.01, 0.97]
    more = make_dataset(
        labels=dataset.labels.values.tolist(), probabilities=p, prediction_classes=["c0", "c1", "c2", "artefact"]
    )
    assert columns_of(SuspectLabels().run(more))["suggested"][7] == "artefact"


def test_multi_label_records_have_the_score_of_their_worst_class():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (4000, 2))
    given = truth.copy()
    flipped = rng.random(4000) < 0.15
    given[flipped, 1] ^= 1
    p = np.stack([probabilities_of(truth[:, c], 2, c, noise=0.15 * c)[:, 1] for c in range(2)], axis=1)
    states = {"x": given[:, 0].tolist(), "y": given[:, 1].tolist()}
    states["x"][0] = states["y"][0] = State.NOT_ASSESSED
    verdict = SuspectLabels().run(make_dataset(states=states, probabilities=p))
    columns = columns_of(verdict)
    flagged = columns["flagged"].astype(bool)
    wrong = flipped.copy()
    wrong[0] = False
    assert 2 * np.sum(flagged & wrong) / (flagged.sum() + wrong.sum()) > 0.9
    one = int(np.flatnonzero(flagged & wrong)[0])
    expected = "|".join(c for c, yes in zip("xy", truth[one], strict=True) if yes)
    assert columns["suggested"][one] == expected
    assert columns["score"][0] is None


def test_without_predictions_it_is_skipped():
    with pytest.raises(SkipCheck, match="no predictions"):
        SuspectLabels().run(make_dataset(labels=["a", "b"] * 20))


def test_the_labels_that_fit_least_are_noted_where_no_cut_off_can_be_told() -> None:
    dataset, _, _ = noisy(n=60, noise=0.3, seed=4)
    rng = np.random.default_rng(8)
    p = rng.dirichlet([0.6] * 3, 60)
    dataset = make_dataset(labels=list(dataset.labels.values), probabilities=p)
    with pytest.raises(SkipCheck, match="cannot be told") as told:
        SuspectLabels().run(dataset)
    assert told.value.verdict is not None
    (finding,) = told.value.verdict.findings
    assert finding.severity is Severity.INFO
    assert finding.evidence["records"] == 10
    (table,) = told.value.verdict.tables
    columns = {c.name: c.values for c in table.columns}
    doubted = [
        (score, record)
        for record, given, suggested, score in zip(
            *(columns[k] for k in ("record", "given", "suggested", "score")), strict=True
        )
        if given != suggested
    ]
    assert all(str(record) in finding.message for _, record in sorted(doubted)[:10])
