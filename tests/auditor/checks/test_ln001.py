from dataclasses import replace

import numpy as np
import pytest
from builders import make_dataset
from cleanlab.count import compute_confident_joint

from auditor.check import SkipCheck
from auditor.checks.ln001 import EstimatedNoise
from auditor.evidence.labels.tables import confident_joint
from auditor.values.results import Severity


def probabilities_of(truth, classes, seed, *, noise=0.0, ambiguous=False):
    """What a good model learns from labels of which `noise` are uniformly wrong."""
    rng = np.random.default_rng(seed)
    n = len(truth)
    logits = rng.normal(size=(n, classes)) * (0.7 if ambiguous else 1)
    logits[np.arange(n), truth] += 1 if ambiguous else 4 + 4 * rng.exponential(1, n)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p * (1 - noise - noise / (classes - 1)) + noise / (classes - 1)


def noisy(n=1500, classes=3, noise=0.1, seed=0, **more):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    given = np.where(rng.random(n) < noise, (truth + rng.integers(1, classes, n)) % classes, truth)
    p = probabilities_of(truth, classes, seed + 1, noise=noise)
    return make_dataset(labels=[f"c{v}" for v in given], probabilities=p, **more), given != truth


def test_planted_flips_are_estimated_and_the_assumption_is_named():
    dataset, wrong = noisy()
    verdict = EstimatedNoise().run(dataset)
    assert verdict.metrics["verdict"] == "noise"
    assert verdict.metrics["label_noise_fraction"] == pytest.approx(wrong.mean(), rel=0.25)
    assert verdict.metrics["label_noise_fraction_low"] < wrong.mean() < verdict.metrics["label_noise_fraction_high"]
    assert verdict.metrics["null_disagreement_fraction"] < verdict.metrics["disagreement_fraction"]
    (finding,) = verdict.findings
    assert finding.severity is Severity.WARNING
    assert "labels that disagree where the model is surest are wrong" in finding.message
    assert finding.where.field == "label"


def test_clean_labels_are_silent():
    dataset, _ = noisy(noise=0.0)
    verdict = EstimatedNoise().run(dataset)
    assert verdict.findings == ()
    assert verdict.summary.startswith("No evidence of label noise")


def test_what_cannot_be_told_is_not_evaluated_and_keeps_its_figures():
    rng = np.random.default_rng(0)
    p = rng.beta(1.2, 1.2, 3000)
    labels = ["y" if u < v else "n" for u, v in zip(rng.random(3000), p, strict=True)]
    with pytest.raises(SkipCheck, match="cannot be told") as skipped:
        EstimatedNoise().run(make_dataset(labels=labels, probabilities=np.stack([1 - p, p], axis=1)))
    verdict = skipped.value.verdict
    assert verdict is not None
    assert verdict.metrics["verdict"] == "cannot tell"
    assert verdict.metrics["disagreement_fraction"] > 0.15
    assert verdict.findings == ()


def test_in_sample_predictions_never_acquit():
    dataset, _ = noisy(noise=0.0)
    dataset = replace(dataset, predictions=replace(dataset.predictions, out_of_fold=False))
    with pytest.raises(SkipCheck, match="in-sample") as skipped:
        EstimatedNoise().run(dataset)
    assert skipped.value.verdict is not None
    assert skipped.value.verdict.metrics["verdict"] == "cannot tell"
    assert "in-sample" in skipped.value.verdict.summary


def test_a_tolerance_above_the_noise_silences_it():
    assert EstimatedNoise(max_noise_fraction=0.2).run(noisy()[0]).findings == ()


def test_the_table_of_classes_adds_up():
    dataset, _ = noisy()
    classes, joint = EstimatedNoise().run(dataset).tables
    columns = {c.name: c.values for c in classes.columns}
    assert sum(columns["records"]) == 1500
    share = np.average(columns["disagreement_fraction"], weights=columns["records"])
    p = dataset.predictions.probabilities
    assert share == pytest.approx(np.mean(p.argmax(axis=1) != dataset.labels.codes))
    assert joint.length == 9


def test_the_confident_joint_is_that_of_cleanlab_also_when_a_class_has_no_record():
    dataset, _ = noisy()
    p, codes = dataset.predictions.probabilities, dataset.labels.codes
    assert np.array_equal(confident_joint(p, codes), compute_confident_joint(codes, p, calibrate=False))
    joint = confident_joint(np.hstack([p[:, :1], np.zeros((1500, 1), np.float32), p[:, 1:]]), np.where(codes > 0, codes + 1, 0))
    assert joint.shape == (4, 4)
    assert joint[1].sum() == joint[:, 1].sum() == 0
    assert (confident_joint(np.ones((5, 1), np.float32), np.zeros(5, np.int64)) == 0).all()


def test_patients_widen_the_interval():
    dataset, _ = noisy()
    alone = EstimatedNoise().run(dataset).metrics
    wrong = dataset.predictions.probabilities.argmax(axis=1) != dataset.labels.codes
    order = np.argsort(~wrong, kind="stable")
    patients = np.empty(1500, dtype=object)
    patients[order] = [str(i // 30) for i in range(1500)]
    grouped = EstimatedNoise().run(replace(dataset, records=dataset.records.assign(patient=patients))).metrics

    def width(metrics):
        return metrics["disagreement_fraction_high"] - metrics["disagreement_fraction_low"]

    assert width(grouped) > 2 * width(alone)


def test_multi_label_classes_are_judged_one_by_one():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (1500, 2))
    given = truth.copy()
    flipped = rng.random(1500) < 0.15
    given[flipped, 1] ^= 1
    p = np.stack([probabilities_of(truth[:, c], 2, c, noise=0.15 * c)[:, 1] for c in range(2)], axis=1)
    states = {"clean": given[:, 0].tolist(), "dirty": given[:, 1].tolist()}
    verdict = EstimatedNoise().run(make_dataset(states=states, probabilities=p))
    assert [f.subject for f in verdict.findings if f.severity is Severity.WARNING] == ["dirty"]
    assert "dirty" in verdict.summary
    columns = {c.name: c.values for c in verdict.tables[0].columns}
    assert columns["label_noise_fraction"][1] == pytest.approx(flipped.mean(), rel=0.25)


def test_sites_are_shown_with_intervals():
    rng = np.random.default_rng(0)
    n = 900
    truth, site = rng.integers(0, 2, n), np.array(["north", "south", "none"])[rng.integers(0, 3, n)]
    wrong = rng.random(n) < np.where(site == "south", 0.3, 0.05)
    given = np.where(wrong, 1 - truth, truth)
    sure = rng.uniform(0.7, 0.99, n)
    p = np.stack([sure, sure], axis=1)
    p[np.arange(n), 1 - truth] = 1 - sure
    sites = [None if s == "none" else s for s in site]
    dataset = make_dataset(labels=[f"c{v}" for v in given], probabilities=p, sites=sites)
    verdict = EstimatedNoise().run(dataset)
    (table,) = (t for t in verdict.tables if t.name == "sites")
    columns = {c.name: list(c.values) for c in table.columns}
    assert sorted(columns["site"]) == ["north", "south"]
    for name, count, share, low, high in zip(*columns.values(), strict=True):
        assert count == (site == name).sum()
        assert share == wrong[site == name].mean()
        assert low < (0.3 if name == "south" else 0.05) < high
    alone = EstimatedNoise().run(make_dataset(labels=[f"c{v}" for v in truth], probabilities=p))
    assert "sites" not in {t.name for t in alone.tables}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 30}, "no label"),
        ({"labels": [0.5] * 30, "task": "continuous"}, "no pixel features"),
        ({"labels": ["a", "b"] * 15}, "no pixel features"),
        ({"labels": ["a", "b"] * 5, "probabilities": np.full((10, 2), 0.5)}, "fewer than 20"),
        ({"labels": ["a", "b"] * 15, "probabilities": np.full((30, 2), np.nan)}, "fewer than 20"),
    ],
)
def test_what_does_not_apply_is_skipped_with_a_reason(arguments, words):
    with pytest.raises(SkipCheck, match=words):
        EstimatedNoise().run(make_dataset(**arguments))


@pytest.mark.slow
def test_power_and_false_alarms_over_many_seeds():
    assert np.mean([called_noisy(noisy(n=1000, noise=0.08, seed=s)[0]) for s in range(100)]) > 0.9
    assert np.mean([called_noisy(noisy(n=1000, noise=0.0, seed=s)[0]) for s in range(200)]) <= 0.05


def called_noisy(dataset):
    try:
        return bool(EstimatedNoise().run(dataset).findings)
    except SkipCheck:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1000])
@pytest.mark.parametrize(("a", "b"), [(1.2, 1.2), (0.5, 0.5), (3, 3)])
def test_sets_that_are_merely_ambiguous_are_not_called_noisy(n, a, b):
    """Labels drawn from the probabilities: nothing is wrong, much is uncertain."""
    called = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        p = rng.beta(a, b, n)
        labels = ["y" if u < v else "n" for u, v in zip(rng.random(n), p, strict=True)]
        called.append(called_noisy(make_dataset(labels=labels, probabilities=np.stack([1 - p, p], axis=1))))
    assert np.mean(called) <= 0.05
