"""Whether networks trained for a scan find wrong labels: `medaudit scan --predict cnn`, part by part.

    python benchmarks/network_noise.py [--data FOLDER] [--seeds 0,1,2]

Flips are planted in scikit-learn's digits (1,797 pictures, 8 × 8) and, where FOLDER holds `images/pneumoniamnist`, in 1,500
pictures of it (28 × 28). Printed per setting, as means over the seeds: average precision of the ranking and F1 of the flagged
set, of the built-in probe, of the networks, of both, and of both with the margins in training (what the scan does). The seeds
10 and 11 chose the share of epochs and the weight of the margins.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

from auditor.evidence.labels.ensemble import join_predictions
from auditor.evidence.labels.estimate import estimate_noise
from auditor.evidence.labels.label_noise import with_margins
from auditor.feature import feature_columns, measure_all
from auditor.prediction.folds import fold_groups
from auditor.prediction.out_of_fold import answered, question_of
from auditor.prediction.predict import predict
from auditor.values.dataset import Dataset, empty_frame
from auditor.values.image import Header, Pixels
from auditor.values.judgements import NoiseEstimate
from auditor.values.labels import Labels
from auditor.values.predictions import Predictions
from auditor.values.results import DatasetSummary
from auditor.view import View
from trainers.engine.automatic import automatic
from trainers.engine.loop import train
from trainers.engine.predict import predict as say
from trainers.kinds import task_named
from trainers.predicting.predictor import LEAST_EPOCHS, SHARE_OF_EPOCHS, Margins
from trainers.values.pictures import Examples, Pictures

Codes = npt.NDArray[np.int64]
SETTINGS = (
    ("digits", "uniform", 0.2), ("digits", "asymmetric", 0.2), ("digits", "asymmetric", 0.4),
    ("pneumonia", "uniform", 0.1), ("pneumonia", "uniform", 0.2),
)  # fmt: skip


def pictures(name: str, data: Path | None, seed: int) -> tuple[npt.NDArray[np.uint8], Codes]:
    """Pictures (n, side, side) and true classes."""
    if name == "digits":
        digits = load_digits()
        return (digits.images * 15.9375).astype(np.uint8), digits.target.astype(np.int64)
    assert data is not None
    archive = np.load(data / "images/pneumoniamnist/data/pneumoniamnist.npz")
    whole = np.concatenate([archive[f"{s}_images"] for s in ("train", "val", "test")])
    truth = np.concatenate([archive[f"{s}_labels"] for s in ("train", "val", "test")]).ravel().astype(np.int64)
    some = np.random.default_rng(seed).choice(len(whole), 1500, replace=False)
    return whole[some], truth[some]


def dataset_of(images: npt.NDArray[np.uint8], given: Codes) -> Dataset:
    """What the built-in probe needs to know."""
    index = pd.Index([str(i) for i in range(len(images))])

    def features(image: npt.NDArray[np.uint8]) -> object:
        header = Header(format="png", shape=image.shape)
        gray = image.astype(np.float32) / 255
        return measure_all(View(gray=gray, stored=image, header=header, pixels=Pixels(array=image[None])))

    values = pd.Series([str(c) for c in given], index=index, dtype="string")
    summary = DatasetSummary(name="benchmark", layout="arrays", task="single", classes=(), counts={}, guesses=())
    return Dataset(
        root=Path(), summary=summary, records=empty_frame(index),
        labels=Labels(task="single", values=values, classes=tuple(str(c) for c in range(int(given.max()) + 1))),
        annotations=pd.DataFrame(), boxes=pd.DataFrame(), metadata=empty_frame(index), fields={},
        features=pd.DataFrame([features(image) for image in images], columns=feature_columns(), index=index),
    )  # fmt: skip


def networks(dataset: Dataset, images: npt.NDArray[np.uint8], given: Codes, seed: int) -> Predictions:
    """As `trainers.predicting.predictor` does it, without files."""
    shown = Pictures(array=images[:, None], readable=np.ones(len(images), np.bool_))
    task = task_named(kind="single", classes=dataset.labels.classes, channels=1, shape=images.shape[1:])
    recipe = automatic(task, len(images), "cpu")
    recipe = replace(recipe, epochs=max(LEAST_EPOCHS, round(SHARE_OF_EPOCHS * recipe.epochs)))
    targets, ahead = np.eye(len(task.classes), dtype=np.float32)[given], Margins(len(images))

    def model(learnt: Codes, asked: Codes, rng: np.random.Generator) -> npt.NDArray[np.float32]:  # noqa: ARG001
        examples = Examples(rows=learnt, targets=targets[learnt], weights=np.ones(len(learnt), np.float32), groups=learnt)
        trained = train(shown, examples, task, recipe, seed=seed, device="cpu", dynamics=True)
        ahead.note(trained, learnt)
        return say(trained, shown, asked, device="cpu")

    question = question_of(dataset, shown.readable)
    found = answered(dataset, question, model, groups=fold_groups(dataset), origin="networks", seed=seed).predictions
    assert found is not None
    return replace(found, margins=ahead.mean())


def judged(name: str, kind: str, noise: float, data: Path | None, seed: int) -> Iterator[tuple[str, float, float]]:
    """Who, average precision, F1."""
    images, truth = pictures(name, data, seed)
    classes, rng = int(truth.max()) + 1, np.random.default_rng([seed, 7])
    step = rng.integers(1, classes, len(truth)) if kind == "uniform" else 1
    given = np.where(rng.random(len(truth)) < noise, (truth + step) % classes, truth)
    wrong, dataset = given != truth, dataset_of(images, given)
    probe, ours = predict(dataset, seed=seed).predictions, networks(dataset, images, given, seed)
    assert probe is not None
    assert ours.margins is not None
    both = join_predictions([ours, probe], dataset).probabilities

    def figures(who: str, found: NoiseEstimate) -> tuple[str, float, float]:
        f1 = 2 * float((found.flagged & wrong).sum()) / max(1, int(found.flagged.sum() + wrong.sum()))
        return who, float(average_precision_score(wrong, -found.score)), f1

    yield figures("probe", estimate_noise(probe.probabilities, given))
    yield figures("networks", estimate_noise(ours.probabilities, given))
    yield figures("both", estimate_noise(both, given))
    yield figures("both, margins", with_margins(estimate_noise(both, given), ours.margins, both, given))


def main(arguments: list[str]) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    data = Path(arguments[arguments.index("--data") + 1]) if "--data" in arguments else None
    seeds = arguments[arguments.index("--seeds") + 1].split(",") if "--seeds" in arguments else ["0", "1", "2"]
    for name, kind, noise in SETTINGS:
        if name == "pneumonia" and data is None:
            continue
        rows: dict[str, list[tuple[float, float]]] = {}
        for seed in seeds:
            for who, precision, f1 in judged(name, kind, noise, data, int(seed)):
                rows.setdefault(who, []).append((precision, f1))
        told = "  ".join("{} AP {:.3f} F1 {:.3f}".format(who, *np.mean(values, axis=0)) for who, values in rows.items())
        print(f"{name:<10}{kind:<11} {noise:.0%}  {told}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
