"""Out-of-fold predictions for a scan by networks: `medaudit scan --predict cnn` and `--encoder FILE`.

`auditor.scan` knows no trainer: the front door hands it one of these as its predictor, and the predictions reach the checks
as columns, like anyone's. Folds, calibration and what is left out are those of the built-in probe
(`auditor.prediction.out_of_fold`);
here whole kin are kept in one fold: patients, acquisitions and verified copies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from auditor.evidence.labels.ensemble import join_predictions
from auditor.prediction.numbers import NUMBER, answered_numbers, numbered
from auditor.prediction.out_of_fold import Question, answered, question_of
from auditor.prediction.predict import Inputs, predict, probed, why_unanswerable
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from trainers.decoding.model_input import Workplace
from trainers.engine.bench import Bench
from trainers.engine.encoder_features import borrowed, features_of
from trainers.engine.examples import examples_of
from trainers.kin import kin
from trainers.values.recipe import Trained
from trainers.values.trust import Trust

SHARE_OF_EPOCHS, LEAST_EPOCHS = 0.3, 5
"""Of the epochs that training for `fix` has: networks learn wrong labels by heart later. See docs/label-noise.md."""

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def network_predictor(place: Workplace, *, seed: int = 0, folds: int = 5) -> Callable[[Dataset], Dataset]:
    """A small network per fold, trained on the labels of the other folds, beside the built-in probe (`--predict cnn`).

    The predictor raises:
        ConfigError: no network can be judged on other records than it learnt from; it says why.
        DatasetError: no picture can be read.
    """

    def predictor(dataset: Dataset) -> Dataset:
        with place.work() as work:
            return by_networks(dataset, place, work, seed=seed, folds=folds)

    return predictor


def encoder_predictor(
    place: Workplace, encoder: Path, network: str | None, *, seed: int = 0, folds: int = 5
) -> Callable[[Dataset], Dataset]:
    """The built-in probe on the features of an encoder that does not learn (`--encoder`); raises as above."""

    def predictor(dataset: Dataset) -> Dataset:
        with place.work() as work:
            return by_encoder(dataset, place, work, encoder, network, seed=seed, folds=folds)

    return predictor


def by_networks(dataset: Dataset, place: Workplace, work: Path, *, seed: int, folds: int) -> Dataset:
    """The dataset with what the networks say."""
    check_label(dataset, "--predict cnn")
    bench = bench_of(dataset, place, work)
    groups, readable = bench.groups, bench.pictures.readable
    check_answerable(dataset, readable, groups, "--predict cnn", "a network")
    if bench.task.told_as != "columns" or bench.task.columns != (dataset.labels.classes or (NUMBER,)):
        raise ConfigError(f"--predict cnn: what networks learn here ({bench.task.words}) says nothing about each label")
    recipe = replace(bench.recipe, epochs=max(LEAST_EPOCHS, round(SHARE_OF_EPOCHS * bench.recipe.epochs)))
    fold, origin = count(1), f"network {recipe.network}"
    ahead = Margins(dataset.size)

    def told(train: Rows, test: Rows) -> Floats:
        examples = examples_of(dataset, train, bench.task, groups=groups)
        name = f"fold {next(fold)}"
        trained = bench.train(examples, seed=seed, name=name, recipe=recipe, validation=None, dynamics=True)
        ahead.note(trained, examples.rows)
        return bench.predict(trained, test)

    if bench.task.columns == (NUMBER,):
        found = answered_numbers(
            dataset, numbered(dataset, readable), lambda train, test: told(train, test)[:, 0],
            groups=groups, origin=origin, seed=seed, folds=folds,
        )  # fmt: skip
        return beside_probe(dataset, found, groups=groups, seed=seed, folds=folds)
    question = question_of(dataset, readable)

    def model(train: Rows, test: Rows, rng: np.random.Generator) -> Floats:  # noqa: ARG001 - the seed draws everything
        return of_judged(told(question.rows[train], question.rows[test]), question)

    found = answered(dataset, question, model, groups=groups, origin=origin, seed=seed, folds=folds)
    assert found.predictions is not None
    found = replace(found, predictions=replace(found.predictions, margins=ahead.mean()))
    return beside_probe(dataset, found, groups=groups, seed=seed, folds=folds)


def beside_probe(dataset: Dataset, found: Dataset, *, groups: Rows, seed: int, folds: int) -> Dataset:
    """The mean of the networks and of the built-in probe, where that one can answer: on small collections it is the better one.

    Args:
        dataset, found: without and with what the networks say.
    """
    probe = predict(dataset, seed=seed, folds=folds, groups=groups).predictions
    assert found.predictions is not None
    models = [found.predictions, *([] if probe is None else [probe])]
    joined = join_predictions(models, dataset)
    return replace(dataset, predictions=replace(joined, origin=f"{joined.origin}, out of fold"))


class Margins:
    """How far the networks of all folds were ahead with each given label in the first half of their epochs.

    A wrong label is learnt late, against what its likes teach (area under the margin, Pleiss 2020); later on a network
    knows it by heart.
    """

    def __init__(self, size: int) -> None:
        self._sum, self._count = np.zeros(size), np.zeros(size, np.int64)

    def note(self, trained: Trained, rows: Rows) -> None:
        """Add one network, which learnt from these records; nothing where its task has no margin."""
        if trained.margins is not None:
            early = trained.margins[: max(1, len(trained.margins) // 2)]
            self._sum[rows] += early.mean(axis=0)
            self._count[rows] += 1

    def mean(self) -> Floats | None:
        """Float32 (records,), NaN where no network learnt from the record; None where there is no margin at all."""
        if not self._count.any():
            return None
        return np.where(self._count > 0, self._sum / np.maximum(self._count, 1), np.nan).astype(np.float32)


def by_encoder(
    dataset: Dataset, place: Workplace, work: Path, encoder: Path, network: str | None, *, seed: int, folds: int
) -> Dataset:
    """The dataset with what the probe says that reads the encoder's features."""
    check_label(dataset, "--encoder")
    found = borrowed(dataset, encoder, network, place, work)
    groups, readable = kin(dataset), found.pictures.readable
    check_answerable(dataset, readable, groups, "--encoder", "the probe")
    features = features_of(found, place, work)
    every = np.arange(features.shape[1], dtype=np.int64)
    inputs = Inputs(features, every, every[:0])
    origin = f"built-in probe on the encoder {found.name}, out of fold"
    return probed(dataset, readable, inputs, groups=groups, origin=origin, seed=seed, folds=folds)


def check_label(dataset: Dataset, option: str) -> None:
    """Refuse a dataset without a label before anything is decoded.

    Raises:
        ConfigError: there is none.
    """
    if dataset.labels.task == "none":
        raise ConfigError(f"{option}: the dataset has no label; name its column with --label")


def check_answerable(dataset: Dataset, readable: Bools, groups: Rows, option: str, model: str) -> None:
    """Refuse labels that no model can predict out of fold.

    Raises:
        ConfigError: it says why.
    """
    reason = why_unanswerable(dataset, readable, groups, model=model)
    if reason is not None:
        raise ConfigError(f"{option}: {reason}")


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
