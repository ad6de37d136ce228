"""Out-of-fold predictions for a scan by networks: `medaudit scan --predict cnn` and `--encoder FILE`.

`auditor.scan` knows no trainer: the front door hands it one of these as its predictor, and the predictions reach the checks
as columns, like anyone's. Folds, calibration and what is left out are those of the built-in probe (`auditor.out_of_fold`);
here whole kin are kept in one fold: patients, acquisitions and verified copies.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from auditor.dataset import Dataset
from auditor.errors import ConfigError
from auditor.out_of_fold import Question, answered, question_of, why_no_answer
from auditor.predict import Inputs, probed
from trainers.bench import Bench
from trainers.data import examples_of
from trainers.encoder_features import borrowed, features_of
from trainers.model_input import Workplace
from trainers.strategy import Trust
from trainers.trust import kin

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def network_predictor(place: Workplace, *, seed: int = 0, folds: int = 5) -> Callable[[Dataset], Dataset]:
    """A small network per fold, trained on the labels of the other folds (`--predict cnn`).

    The predictor raises:
        ConfigError: no network can be judged on other records than it learnt from; it says why.
        DatasetError: no picture can be read.
    """

    def predict(dataset: Dataset) -> Dataset:
        with place.work() as work:
            return by_networks(dataset, place, work, seed=seed, folds=folds)

    return predict


def encoder_predictor(
    place: Workplace, encoder: Path, network: str | None, *, seed: int = 0, folds: int = 5
) -> Callable[[Dataset], Dataset]:
    """The built-in probe on the features of an encoder that does not learn (`--encoder`); raises as above."""

    def predict(dataset: Dataset) -> Dataset:
        with place.work() as work:
            return by_encoder(dataset, place, work, encoder, network, seed=seed, folds=folds)

    return predict


def by_networks(dataset: Dataset, place: Workplace, work: Path, *, seed: int, folds: int) -> Dataset:
    """The dataset with what the networks say."""
    asked_of_classes(dataset, "--predict cnn")
    bench = bench_of(dataset, place, work)
    groups = bench.groups[: dataset.size]
    question = answerable(dataset, bench.pictures.readable, groups, "--predict cnn", "a network")
    fold = count(1)

    def model(train: Rows, test: Rows, rng: np.random.Generator) -> Floats:  # noqa: ARG001 - the seed draws everything
        examples = examples_of(dataset, question.rows[train], bench.task, None, groups=groups)
        trained = bench.train(examples, seed=seed, name=f"fold {next(fold)}", validation=None)
        return of_judged(bench.predict(trained, question.rows[test]), question)

    origin = f"network {bench.recipe.network}, out of fold"
    return answered(dataset, question, model, groups=groups, origin=origin, seed=seed, folds=folds)


def by_encoder(
    dataset: Dataset, place: Workplace, work: Path, encoder: Path, network: str | None, *, seed: int, folds: int
) -> Dataset:
    """The dataset with what the probe says that reads the encoder's features."""
    asked_of_classes(dataset, "--encoder")
    found = borrowed(dataset, encoder, network, place, work)
    groups = kin(dataset)
    question = answerable(dataset, found.pictures.readable, groups, "--encoder", "the probe")
    features = features_of(found, place, work)
    every = np.arange(features.shape[1], dtype=np.int64)
    inputs = Inputs(features, every, every[:0])
    origin = f"built-in probe on the encoder {found.name}, out of fold"
    return probed(dataset, question, inputs, groups=groups, origin=origin, seed=seed, folds=folds)


def asked_of_classes(dataset: Dataset, option: str) -> None:
    """Refuse, before anything is decoded, a label that has no classes.

    Raises:
        ConfigError: there is none, or it is a number.
    """
    if dataset.labels.task not in ("single", "multi", "ordinal"):
        what = "the label is a number" if dataset.labels.task == "continuous" else "the dataset has no label"
        raise ConfigError(f"{option}: {what}; classes, grades and findings are predicted for a scan")


def answerable(dataset: Dataset, readable: Bools, groups: Rows, option: str, model: str) -> Question:
    """What is to be learnt.

    Raises:
        ConfigError: it cannot be, out of fold.
    """
    seen = readable[: dataset.size]
    reason = why_no_answer(dataset, seen, groups, model=model)
    if reason is not None:
        raise ConfigError(f"{option}: {reason}")
    return question_of(dataset, seen)


def bench_of(dataset: Dataset, place: Workplace, work: Path) -> Bench:
    """Everyone trains; who is held out is decided fold by fold."""
    nobody = np.zeros(dataset.size, dtype=np.bool_)
    everyone = Trust(
        trusted=nobody, validation=nobody, evaluation=nobody, training=~nobody, origin="all labels as they stand",
        self_graded=True,
    )  # fmt: skip
    return Bench(
        dataset, everyone, work=work, device=place.device, limits=place.limits, workers=place.workers, progress=place.progress
    )


def of_judged(probabilities: Floats, question: Question) -> Floats:
    """The columns of the judged classes; exclusive ones share 1 among them."""
    judged = probabilities[:, question.columns]
    if question.exclusive:
        judged = judged / np.maximum(judged.sum(axis=1, keepdims=True), np.float32(1e-12))
    return np.asarray(judged, dtype=np.float32)
