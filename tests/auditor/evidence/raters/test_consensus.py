import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from auditor.evidence.raters.choice import Size, choose_method
from auditor.evidence.raters.consensus import consensus, crowdlab, worth_of_a_reading
from auditor.evidence.raters.models import dawid_skene

TABLES = Path(__file__).parents[3] / "../shared/data/tables"


def panel(units, each, raters, classes, seed, *, low=0.55, high=0.95, skew=0.0):
    """Every unit read by `each` of `raters`, whose accuracies and habits differ."""
    rng = np.random.default_rng(seed)
    share = np.full(classes, (1 - skew) / classes)
    share[0] += skew
    truth = rng.choice(classes, units, p=share)
    accuracy = rng.uniform(low, high, raters)
    habit = rng.dirichlet(np.ones(classes), raters)
    unit = np.repeat(np.arange(units), each)
    rater = np.argsort(rng.random((units, raters)), axis=1)[:, :each].ravel()
    guess = (rng.random(len(unit))[:, None] > habit[rater].cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    label = np.where(rng.random(len(unit)) < accuracy[rater], truth[unit], guess)
    return unit, rater, label, truth


def sizes(units, raters, classes):
    return {"units": units, "raters": raters, "classes": classes}


def right(found, truth):
    return float((found.label == truth).mean())


@pytest.mark.parametrize(
    ("each", "units", "raters", "model", "method"),
    [
        (3, 400, 5, False, "dawid-skene"),
        (3, 400, 5, True, "crowdlab"),
        (10, 400, 20, False, "dawid-skene"),
        (10, 400, 20, True, "dawid-skene"),
        (10, 40, 10, False, "dawid-skene"),
        (3, 15, 5, False, "majority"),
        (3, 15, 5, True, "crowdlab"),
        (2, 400, 2, False, "majority"),
        (1, 400, 5, False, "majority"),
    ],
)
def test_the_usual_method_is_by_readings_and_model_and_says_why(each, units, raters, model, method):
    unit, rater, label, truth = panel(units, each, raters, 2, 0)
    seen = np.where(np.random.default_rng(1).random(units) < 0.9, truth, 1 - truth)
    told = np.where(np.arange(2) == seen[:, None], 0.9, 0.1) if model else None
    found = consensus(unit, rater, label, **sizes(units, raters, 2), probabilities=told)
    assert found.method == method
    assert f"{each}.0 readings per record" in found.why


def test_few_readings_of_a_rare_finding_are_decided_by_how_each_rater_errs():
    """0/1 labels, three readings each, prevalence 12 %: the majority is right in .89, Dawid-Skene above .93."""
    of = {method: [] for method in ("auto", "majority")}
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = (rng.random(500) < 0.12).astype(np.int64)
        right_of = np.column_stack([rng.uniform(0.6, 1, 8), rng.uniform(0.5, 1, 8)])
        unit, rater = np.repeat(np.arange(500), 3), np.argsort(rng.random((500, 8)), axis=1)[:, :3].ravel()
        label = np.where(rng.random(1500) < right_of[rater, truth[unit]], truth[unit], 1 - truth[unit])
        for method, rates in of.items():
            rates.append(right(consensus(unit, rater, label, **sizes(500, 8, 2), method=method), truth))
    assert np.mean(of["auto"]) > 0.93 > np.mean(of["majority"])


def test_another_method_is_taken_where_it_foretells_hidden_readings_clearly_better():
    """The labels of one method are the truth, of the usual one noise: readings hidden from both tell them apart."""
    unit, rater, label, truth = panel(300, 5, 8, 3, 4)
    noise = np.random.default_rng(5).integers(0, 3, 300)

    def told(method, unit, rater, label, size, probabilities, seed):
        return np.eye(3)[truth if method == good else noise]

    for good in ("majority", "glad", "dawid-skene"):
        chosen, why = choose_method(unit, rater, label, size=Size(units=300, raters=8, classes=3), label_units=told)
        assert chosen == good
        assert ("better than dawid-skene" in why) == (good != "dawid-skene")


def test_a_model_that_knows_nothing_gives_way_to_the_raters():
    unit, rater, label, truth = panel(400, 4, 8, 2, 6, low=0.5, high=0.98)
    told = np.random.default_rng(7).dirichlet([0.3, 0.3], 400)
    found = consensus(unit, rater, label, probabilities=told, **sizes(400, 8, 2))
    best = max(right(consensus(unit, rater, label, method=m, **sizes(400, 8, 2)), truth) for m in ("dawid-skene", "majority"))
    assert right(found, truth) > best - 0.01


def test_two_of_three_win_and_are_less_sure_than_three_of_three():
    unit, rater = np.repeat([0, 1], 3), np.tile([0, 1, 2], 2)
    found = consensus(unit, rater, np.array([1, 1, 0, 0, 0, 0]), **sizes(2, 3, 2))
    assert found.label.tolist() == [1, 0]
    assert found.truth[0].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert found.confidence[0] < found.confidence[1] < 1


def test_a_tie_goes_to_the_label_read_more_often_and_is_marked():
    unit, rater, label = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 1]), np.array([0, 1, 1, 1, 1, 1])
    found = consensus(unit, rater, label, **sizes(3, 2, 2))
    assert found.label.tolist() == [1, 1, 1]
    assert found.tied.tolist() == [True, False, False]


def test_no_model_overrules_readers_who_all_agree():
    """Five of twelve name the rare finding nearly always; three of them together are still three who agree."""
    unit, rater, label, _ = panel(200, 3, 12, 2, 9, low=0.9, skew=0.8)
    label = np.where((rater < 5) & (np.random.default_rng(1).random(600) < 0.95), 1, label)
    votes = np.bincount(unit * 2 + label, minlength=400).reshape(200, 2)
    agreed = votes.min(axis=1) == 0
    overruled = (
        dawid_skene(unit, rater, label, **sizes(200, 12, 2)).truth.argmax(axis=1)[agreed] != votes.argmax(axis=1)[agreed]
    )
    assert overruled.any()
    for method in ("auto", "dawid-skene", "mace"):
        found = consensus(unit, rater, label, **sizes(200, 12, 2), method=method)
        assert (found.label[agreed] == votes.argmax(axis=1)[agreed]).all()


def crowd(seed, classes=5):
    """Two readings each by two of ten readers who are right in 80 %, whatever the class; half are of the first class."""
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(300) < 0.5, 0, rng.integers(1, classes, 300))
    unit, rater = np.repeat(np.arange(300), 2), np.argsort(rng.random((300, 10)), axis=1)[:, :2].ravel()
    wrong = (truth[unit] + rng.integers(1, classes, 600)) % classes
    return unit, rater, np.where(rng.random(600) < 0.8, truth[unit], wrong), truth


def test_two_readings_do_not_tell_which_class_is_mistaken_for_which():
    """By themselves they fit any pair of errors; readers who err alike in all classes are then the simpler reading."""
    gain = []
    for seed in range(8):
        unit, rater, label, truth = crowd(seed)
        fits = [
            dawid_skene(unit, rater, label, **sizes(300, 10, 5), panel=10, faith=4, even=even).truth.argmax(axis=1)
            for even in (0.0, 1.0)
        ]
        gain.append((fits[1] == truth).mean() - (fits[0] == truth).mean())
    assert np.mean(gain) > 0.01


def test_three_readings_are_not_drawn_towards_even_errors():
    unit, rater, label, _ = panel(100, 3, 6, 3, 8)
    plain, even = (dawid_skene(unit, rater, label, **sizes(100, 6, 3), panel=10, faith=4, even=e).truth for e in (0.0, 1.0))
    assert np.array_equal(plain, even)


def test_a_unit_without_reading_has_no_label():
    found = consensus(np.array([0, 0]), np.array([0, 1]), np.array([1, 1]), **sizes(2, 2, 2))
    assert found.label.tolist() == [1, -1]
    assert found.truth[1].tolist() == [0, 0]


def test_one_more_reading_is_worth_it_where_the_readings_disagree():
    unit, rater, label, _ = panel(300, 3, 6, 2, 1, low=0.8)
    found = consensus(unit, rater, label, **sizes(300, 6, 2), method="majority")
    votes = np.bincount(unit * 2 + label, minlength=600).reshape(300, 2)
    split = votes.max(axis=1) == 2
    assert found.gain[split].min() > found.gain[~split].max()


def test_the_worth_of_a_reading_is_the_expected_rise():
    """By hand: known .6/.4, a rater right in 80 %: answer 0 → max(.48, .08), answer 1 → max(.12, .32); .8 − .6 = .2."""
    truth = np.array([[1.0, 0.0], [0.0, 1.0]])
    votes = np.array([[8e6, 2e6], [2e6, 8e6]])
    known = np.array([[0.6, 0.4], [0.99, 0.01]])
    assert worth_of_a_reading(known, truth, votes).tolist() == pytest.approx([0.2, 0.0], abs=1e-6)


def test_crowdlab_uses_the_model_where_readings_are_few():
    unit, rater, label, truth = panel(400, 2, 20, 4, 2, low=0.5, high=0.7)
    rng = np.random.default_rng(3)
    seen = np.where(rng.random(400) < 0.85, truth, rng.integers(0, 4, 400))
    probabilities = np.full((400, 4), 0.05)
    probabilities[np.arange(400), seen] = 0.85
    found = consensus(unit, rater, label, probabilities=probabilities, **sizes(400, 20, 4))
    assert found.method == "crowdlab"
    assert np.allclose(found.truth.sum(axis=1), 1)
    assert right(found, truth) > right(consensus(unit, rater, label, **sizes(400, 20, 4)), truth) + 0.05


def test_crowdlab_keeps_the_model_where_nobody_read():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    soft = crowdlab(
        np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), units=3, raters=2, probabilities=probabilities
    )
    assert soft[2].tolist() == [0.3, 0.7]
    assert soft[:2].argmax(axis=1).tolist() == [0, 1]


def test_what_does_not_fit_is_refused():
    one = np.array([0, 0]), np.array([0, 1]), np.array([0, 1])
    with pytest.raises(ValueError, match="no method"):
        consensus(*one, **sizes(1, 2, 2), method="best")
    with pytest.raises(ValueError, match="needs the class probabilities"):
        consensus(*one, **sizes(1, 2, 2), method="crowdlab")


@pytest.mark.skipif(not TABLES.exists(), reason="the real data are not on this machine")
@pytest.mark.parametrize(("name", "measured", "within"), [("duck", 0.889, 0.02), ("dog", 0.843, 0.01)])
def test_auto_is_dawid_skene_on_the_real_crowds_and_beats_the_majority(name, measured, within):
    answers = pd.read_csv(TABLES / f"crowd_{name}/answer.csv", dtype=str)
    truth = pd.read_csv(TABLES / f"crowd_{name}/truth.csv", dtype=str).set_index("question")["truth"]
    unit, questions = pd.factorize(answers["question"])
    rater, raters = pd.factorize(answers["worker"])
    label, names = pd.factorize(answers["answer"], sort=True)
    accuracy = {}
    for method in ("auto", "majority"):
        found = consensus(unit, rater, label, **sizes(len(questions), len(raters), len(names)), method=method)
        named = pd.Series(names[found.label], index=questions)
        accuracy[method] = (named[truth.index] == truth).mean()
    assert accuracy["auto"] == pytest.approx(measured, abs=within)
    assert accuracy["auto"] > accuracy["majority"]


@pytest.mark.slow
@pytest.mark.parametrize("each", [2, 3, 4, 5, 7, 10, 20, 50])
def test_auto_is_not_below_the_majority_on_simulated_panels(each):
    differences = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        raters, classes = max(each, int(rng.choice([each, 2 * each, 40]))), int(rng.choice([2, 3, 5]))
        units, skew = int(rng.choice([60, 120, 300])), float(rng.choice([0.0, 0.4, 0.7]))
        unit, rater, label, truth = panel(units, each, raters, classes, seed, skew=skew)
        auto = consensus(unit, rater, label, **sizes(units, raters, classes))
        vote = consensus(unit, rater, label, **sizes(units, raters, classes), method="majority")
        differences.append(right(auto, truth) - right(vote, truth))
    mean, error = np.mean(differences), np.std(differences) / np.sqrt(len(differences))
    assert mean - 1.96 * error > -0.005


def benchmark():
    spec = importlib.util.spec_from_file_location("consensus_benchmark", Path(__file__).parents[4] / "benchmarks/consensus.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_single_reading_stands_since_readers_who_read_other_patients_look_like_readers_who_err():
    measure = benchmark()
    one = [measure.panel(5, 1, 0.5, 3, "mixed", seed, apart=True) for seed in range(6)]
    kept, modelled = (np.mean([measure.rightly(p, 5, 3, method) for p in one]) for method in ("auto", "dawid-skene"))
    assert kept > modelled + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["equal", "mixed", "adversarial"])
def test_auto_is_near_the_best_method_in_every_cell(kind):
    """Known truth, 3 to 10 readers, several readings of each: mean loss .01, and no cell far off (8 seeds, .02 for chance)."""
    measure = benchmark()
    losses = []
    for number, (readers, each, prevalence, classes) in enumerate(
        [(3, 2, 0.12, 2), (3, 3, 0.05, 3), (5, 2, 0.5, 5), (5, 3, 0.12, 2), (10, 2, 0.25, 3), (10, 3, 0.5, 2), (10, 5, 0.12, 5)]
    ):
        panels = [measure.panel(readers, each, prevalence, classes, kind, 90_000 + 100 * number + s) for s in range(8)]
        found = {m: np.mean([measure.rightly(p, readers, classes, m) for p in panels]) for m in (*measure.METHODS, "auto")}
        losses.append(max(found[m] for m in measure.METHODS) - found["auto"])
    assert np.mean(losses) < 0.01
    assert max(losses) < 0.03
