"""Out-of-fold predictions: the user's files, a network's, or the built-in probe's; and what they say of the labels."""

from __future__ import annotations

from dataclasses import replace

from auditor.evidence.labels.ensemble import join_predictions
from auditor.evidence.labels.label_noise import JudgedOnce
from auditor.feature import feature_needs
from auditor.plan import Plan
from auditor.prediction.files import read_predictions
from auditor.prediction.predict import MODULES, predict
from auditor.values.dataset import Dataset

NEEDS = frozenset({"fingerprints"}) | feature_needs(*MODULES)
PROVIDES = frozenset({"predictions"})


def given(plan: Plan) -> bool:
    """Class probabilities are among the files: they are checked even where no check looks at them."""
    return bool(plan.predicted("classes"))


def run(dataset: Dataset, plan: Plan) -> Dataset:
    """Fill `predictions`, and `judgements`, which are worked out when a check first asks.

    Raises:
        ConfigError, DatasetError: the user's predictions do not fit.
    """
    paths, asked = plan.predicted("classes"), "predictions" in plan.asked
    if plan.predictor is not None:
        dataset = plan.predictor(dataset) if asked else dataset
    elif paths:
        limits = plan.config.limits_of()
        models = [
            read_predictions(path, dataset, classes=plan.classes, in_sample=plan.in_sample, limits=limits, workers=plan.readers)
            for path in paths
        ]
        dataset = replace(dataset, predictions=join_predictions(models, dataset))
    elif asked:
        plan.progress.start("predicting labels out of fold", 0)
        dataset = predict(dataset, seed=plan.config.scan.seed)
        plan.progress.finish()
    return replace(dataset, judgements=JudgedOnce(dataset))
