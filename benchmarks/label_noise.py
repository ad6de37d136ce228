"""How well wrong labels are counted, cut off and ranked from out-of-fold probabilities, on panels with planted noise.

    python benchmarks/label_noise.py [develop|report|unseen|images] [--data FOLDER]

Every matrix comes from models that were trained, fold by fold, on the noisy labels. The families `develop` chose the
constants of `auditor/evidence/labels/estimate.py`; the families `report` did not. Printed per family: F1 of cleanlab's
default, of "most probable class is not the given one", of the best self-confidence threshold in hindsight and of ours; average
precision of self-confidence, of the normalised margin and of ours; and how far the estimated share of wrong labels is off.

`unseen` asks what helps the estimate, on sets of 178 to 1,200 records that no family above holds, with 0, 10, 20 and 30 % wrong
labels: logistic regression, a forest and neighbours alone; the built-in probe as one model and as the two that it is; and 99
reviewed labels (40 flagged, 59 others) with the answers of somebody who knows.

`images` plants flips in pneumoniamnist and starts from the pictures: our probe against cleanlab's defaults (a logistic
regression, its own cut-off) on the same features. FOLDER may hold `tables/cleanlab_label_errors` and
`images/pneumoniamnist`; families that need them are left out without it.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from cleanlab.filter import find_label_issues
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from auditor.evidence.labels.estimate import estimate_noise
from auditor.evidence.labels.review import draw_queue, estimate_review
from auditor.prediction.out_of_fold import fit_temperature, soften
from auditor.prediction.probe import fit_probe
from auditor.values.reviews import Answer, Review

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Matrix:
    """Out-of-fold probabilities (records, classes), given and true class per record."""

    family: str
    name: str
    probabilities: npt.NDArray[np.float32]
    given: Codes
    truth: Codes
    agreed: npt.NDArray[np.bool_] | None = None


# ---- pictures: features whose class a model can learn, some of them ambiguous --------------------------------------


def clouds(n: int, classes: int, seed: int, *, spread: float, dims: int = 24, shares: Floats | None = None):
    """Features (n, dims) and true classes: classes in pairs that resemble each other, a tenth of the records half-way."""
    rng = np.random.default_rng(seed)
    parents = rng.normal(size=((classes + 1) // 2, dims))
    centres = parents[np.arange(classes) // 2] * 0.8 + rng.normal(size=(classes, dims)) * 0.6
    truth = rng.choice(classes, n, p=shares)
    other = np.where(rng.random(n) < 0.6, np.minimum(truth ^ 1, classes - 1), rng.integers(0, classes, n))
    between = np.where(rng.random(n) < 0.15, rng.uniform(0.2, 0.5, n), 0)[:, None]
    inside = centres[truth] * (1 - between) + centres[other] * between + rng.normal(size=(n, dims)) * spread
    turn = rng.normal(size=(dims, dims)) / np.sqrt(dims)
    return np.tanh(inside @ turn) + 0.3 * inside, truth


# ---- wrong labels -------------------------------------------------------------------------------------------------


def class_conditional(truth: Codes, noise: float, rng: np.random.Generator, *, sparsity: float) -> Codes:
    """A random transition whose mean diagonal is 1 − noise; a share `sparsity` of its other cells is zero."""
    classes = int(truth.max()) + 1
    table = np.zeros((classes, classes))
    stay = np.clip(1 - noise + rng.uniform(-0.6, 0.6, classes) * min(noise, 1 - noise), 0.05, 1)
    for c in range(classes):
        others = np.delete(np.arange(classes), c)
        kept = rng.choice(others, max(1, round(len(others) * (1 - sparsity))), replace=False)
        table[c, kept] = rng.dirichlet(np.ones(len(kept))) * (1 - stay[c])
        table[c, c] = stay[c]
    return (table[truth].cumsum(axis=1) > rng.random((len(truth), 1))).argmax(axis=1)


def uniform(truth: Codes, noise: float, rng: np.random.Generator) -> Codes:
    """Any other class, equally often."""
    classes = int(truth.max()) + 1
    return np.where(rng.random(len(truth)) < noise, (truth + rng.integers(1, classes, len(truth))) % classes, truth)


def asymmetric(truth: Codes, noise: float, rng: np.random.Generator) -> Codes:
    """Every class becomes the next one."""
    classes = int(truth.max()) + 1
    return np.where(rng.random(len(truth)) < noise, (truth + 1) % classes, truth)


def instance(features: Floats, truth: Codes, noise: float, rng: np.random.Generator) -> Codes:
    """What hurried people do: hard pictures go wrong, towards the class they resemble; some slips anywhere."""
    few = rng.choice(len(truth), max(20 * (int(truth.max()) + 1), len(truth) // 10), replace=False)
    model = LogisticRegression(max_iter=300).fit(StandardScaler().fit_transform(features)[few], truth[few])
    p = model.predict_proba(StandardScaler().fit_transform(features)) ** 0.5
    p[np.arange(len(truth)), truth] = 0
    doubt = p.sum(axis=1)
    risk = 0.75 * doubt / doubt.mean() + 0.25
    risk = np.clip(noise * risk, 0, 0.9)
    risk = np.clip(risk * noise / risk.mean(), 0, 0.95)
    p = p / p.sum(axis=1, keepdims=True)
    drawn = (p.cumsum(axis=1) > rng.random((len(truth), 1))).argmax(axis=1)
    return np.where(rng.random(len(truth)) < risk, drawn, truth)


def clustered(features: Floats, truth: Codes, noise: float, rng: np.random.Generator) -> Codes:
    """Whole regions of look-alikes go wrong."""
    classes = int(truth.max()) + 1
    axis = features @ rng.normal(size=features.shape[1])
    result = truth.copy()
    for c in range(classes):
        own = np.flatnonzero(truth == c)
        centre = axis[rng.choice(own)]
        near = own[np.argsort(np.abs(axis[own] - centre))[: round(2 * noise * len(own))]]
        result[near[rng.random(len(near)) < 0.5]] = (c + 1) % classes
    return result


def planted(name: str, features: Floats, truth: Codes, noise: float, rng: np.random.Generator) -> Codes:
    """Labels with one kind of noise, by name; `clean` = the truth."""
    if name == "clean":
        return truth
    if name == "class-conditional":
        return class_conditional(truth, noise, rng, sparsity=0.3)
    if name in ("uniform", "asymmetric"):
        return {"uniform": uniform, "asymmetric": asymmetric}[name](truth, noise, rng)
    return {"instance": instance, "clustered": clustered}[name](features, truth, noise, rng)


# ---- models, trained on the noisy labels -----------------------------------------------------------------------------


def network(
    features: Floats, given: Codes, seed: int, *, width: int = 256, epochs: int = 30, decay: float = 1e-4, folds: int = 4
) -> npt.NDArray[np.float32]:
    """Out-of-fold softmax of a small network, all folds trained side by side; many epochs learn the noise by heart."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    x = torch.tensor(StandardScaler().fit_transform(features), dtype=torch.float32)
    y = torch.tensor(given)
    n, classes = len(x), int(given.max()) + 1
    fold = torch.tensor(np.random.default_rng(seed).permutation(n) % folds)
    train = [torch.nonzero(fold != f)[:, 0] for f in range(folds)]
    sizes = [x.shape[1], width, width, classes]
    weights = [torch.randn(folds, a, b) * (2 / a) ** 0.5 for a, b in itertools.pairwise(sizes)]
    offsets = [torch.zeros(folds, 1, b) for b in sizes[1:]]
    parameters = [p.requires_grad_() for p in (*weights, *offsets)]
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=decay)
    steps = max(1, min(len(t) for t in train) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=epochs * steps)

    def forward(batch: torch.Tensor) -> torch.Tensor:
        for i, (w, b) in enumerate(zip(weights, offsets, strict=True)):
            batch = torch.baddbmm(b, batch, w)
            batch = torch.relu(batch) if i < len(weights) - 1 else batch
        return batch

    for _ in range(epochs):
        order = torch.stack([t[torch.randperm(len(t))[: steps * 128]] for t in train])
        for step in range(steps):
            rows = order[:, step * 128 : (step + 1) * 128]
            loss = torch.nn.functional.cross_entropy(forward(x[rows]).flatten(0, 1), y[rows].flatten())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    with torch.no_grad():
        p = torch.softmax(forward(x.expand(folds, -1, -1)), dim=2)[fold, torch.arange(n)]
    return p.numpy()


def classic(kind: str) -> Callable[[Floats, Codes, int], npt.NDArray[np.float32]]:
    """Out-of-fold probabilities of a scikit-learn model."""

    def run(features: Floats, given: Codes, seed: int) -> npt.NDArray[np.float32]:
        x = StandardScaler().fit_transform(features)
        result = np.zeros((len(x), int(given.max()) + 1), dtype=np.float32)
        for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(x, given):
            model = {
                "logistic": LogisticRegression(max_iter=200, C=0.1),
                "overfit logistic": LogisticRegression(max_iter=300, C=100),
                "forest": RandomForestClassifier(100, random_state=seed),
                "neighbours": KNeighborsClassifier(15),
                "bayes": GaussianNB(),
            }[kind].fit(x[train], given[train])
            result[np.ix_(test, model.classes_)] = model.predict_proba(x[test])
        return result

    return run


# ---- families --------------------------------------------------------------------------------------------------------

SHORT, LONG, WIDE = ({"epochs": 12, "width": 64}, {"epochs": 40}, {"epochs": 60, "width": 512, "decay": 0.0})


def develop(data: Path | None) -> Iterator[Matrix]:
    """Families that the constants were chosen on; none of them needs `data`."""
    del data
    for noise in (0.2, 0.4, 0.7):
        for sparsity in (0.0, 0.2, 0.4, 0.6):
            x, truth = clouds(5000, 10, 11, spread=0.75)
            given = class_conditional(truth, noise, np.random.default_rng(int(100 * noise + 10 * sparsity)), sparsity=sparsity)
            yield Matrix("ten classes, class-conditional", f"{noise} {sparsity}", network(x, given, 1, **LONG), given, truth)
    for noise in (0.09, 0.18, 0.4):
        for name, how, spread in (("short", SHORT, 0.6), ("long", LONG, 0.6), ("wide", WIDE, 0.45)):
            x, truth = clouds(5000, 10, 12, spread=spread)
            given = instance(x, truth, noise, np.random.default_rng(int(100 * noise)))
            yield Matrix("ten classes, instance-dependent", f"{noise} {name}", network(x, given, 2, **how), given, truth)
    for noise in (0.02, 0.05, 0.1, 0.2):
        for classes, shares in ((2, [0.85, 0.15]), (4, [0.55, 0.25, 0.15, 0.05])):
            x, truth = clouds(3000, classes, 13, spread=0.55, shares=np.array(shares))
            for name, plant in (("uniform", uniform), ("asymmetric", asymmetric)):
                given = plant(truth, noise, np.random.default_rng(int(100 * noise)))
                yield Matrix("imbalanced", f"{classes} {noise} {name}", network(x, given, 3, **SHORT), given, truth)
    x, truth = clouds(6000, 60, 14, spread=0.35, dims=48)
    for noise in (0.05, 0.2):
        given = uniform(truth, noise, np.random.default_rng(1))
        yield Matrix("sixty classes", f"{noise}", network(x, given, 4, **SHORT), given, truth)
    for spread in (0.4, 0.6, 0.75):
        x, truth = clouds(5000, 10, 15, spread=spread)
        for name, how in (("short", SHORT), ("long", LONG)):
            yield Matrix("clean", f"spread {spread} {name}", network(x, truth, 5, **how), truth, truth)


def report(data: Path | None) -> Iterator[Matrix]:
    """Families that nothing was chosen on."""
    digits = load_digits()
    for noise in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
        for kind in ("logistic", "forest", "neighbours", "bayes"):
            for name in ("uniform", "asymmetric", "instance") if noise else ("clean",):
                rng = np.random.default_rng(int(1000 * noise))
                x, truth = digits.data, digits.target.astype(np.int64)
                given = planted(name, x, truth, noise, rng)
                family = f"digits, {name}"
                yield Matrix(family, f"{noise} {kind}", classic(kind)(x, given, 1), given, truth)
    if data is None:
        return
    archive = np.load(data / "images/pneumoniamnist/data/pneumoniamnist.npz")
    pictures = np.concatenate([archive[f"{s}_images"] for s in ("train", "val", "test")]).reshape(-1, 784) / 255
    x = PCA(60, random_state=0).fit_transform(pictures)
    truth = np.concatenate([archive[f"{s}_labels"] for s in ("train", "val", "test")]).ravel().astype(np.int64)
    for noise in (0.05, 0.1, 0.2):
        for kind in ("logistic", "forest", "overfit logistic"):
            for name in ("uniform", "clustered"):
                given = planted(name, x, truth, noise, np.random.default_rng(int(100 * noise)))
                yield Matrix(f"pneumonia, {name}", f"{noise} {kind}", classic(kind)(x, given, 1), given, truth)
    tables = data / "tables/cleanlab_label_errors"
    for source in ("cifar10", "mnist"):
        logits = np.log(np.clip(np.load(tables / f"{source}_test_set_pyx.npy"), 1e-6, 1))
        truth = np.load(tables / f"{source}_test_set_original_labels.npy").astype(np.int64)
        x = (
            logits @ np.random.default_rng(0).normal(size=(10, 24))
            + np.random.default_rng(1).normal(size=(len(logits), 24)) * 3
        )
        for noise in (0.0, 0.1, 0.2, 0.4, 0.7):
            rng = np.random.default_rng(int(100 * noise))
            for name in ("class-conditional", "instance") if noise else ("clean",):
                given = planted(name, x, truth, noise if name != "instance" else min(noise, 0.4), rng)
                for label, how in (("short", SHORT), ("long", {"epochs": 20})):
                    yield Matrix(f"{source} retrained", f"{noise} {name} {label}", network(x, given, 7, **how), given, truth)


def probed(features: Floats, given: Codes, seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Out-of-fold probabilities of the built-in probe, calibrated as in a scan, and where its two halves agree."""
    classes = int(given.max()) + 1
    targets, fold = (given[:, None] == np.arange(classes)).astype(np.float32), np.zeros(len(given), dtype=np.int64)
    known = np.ones(targets.shape, dtype=np.bool_)
    raw, agreed = np.zeros_like(targets), np.zeros(len(given), dtype=np.bool_)
    x = features.astype(np.float32)
    for number, (train, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=seed).split(x, given)):
        probe = fit_probe(
            x[train], targets[train], known[train], exclusive=True, references=10_000, rng=np.random.default_rng(seed)
        )
        linear, near = probe.halves(x[test])
        raw[test], agreed[test], fold[test] = (linear + near) / 2, linear.argmax(axis=1) == near.argmax(axis=1), number
    told = np.empty_like(raw)
    for number in range(5):
        own, others = fold == number, fold != number
        told[own] = soften(
            raw[own], fit_temperature(raw[others], targets[others], known[others], exclusive=True), exclusive=True
        )
    return told, agreed


def patches(data: Path) -> tuple[Floats, Codes]:
    """Patches of 32 × 32 pixels of em_membrane: mostly a cell, or with much membrane; grey levels and gradients."""
    rows, truth = [], []
    for number in range(12):
        image, label = (
            np.asarray(Image.open(data / f"images/em_membrane/{kind}/{number}.png"), dtype=np.float64)
            for kind in ("image", "label")
        )
        for top, left in itertools.product(range(0, image.shape[0] - 31, 48), range(0, image.shape[1] - 31, 48)):
            part, drawn = image[top : top + 32, left : left + 32], label[top : top + 32, left : left + 32] > 127
            steep = np.hypot(*np.gradient(part))
            rows.append(
                [*np.quantile(part, np.linspace(0.02, 0.98, 13)), *np.quantile(steep, np.linspace(0.1, 0.98, 9)), part.std()]
            )
            truth.append(drawn.mean() > 0.8)
    return np.array(rows), np.array(truth, dtype=np.int64)


def unseen_sets(data: Path | None) -> Iterator[tuple[str, Floats, Codes]]:
    """Name, features and classes of the sets of `unseen`."""
    for name, load in (("breast cancer", load_breast_cancer), ("wine", load_wine)):
        found = load()
        yield name, found.data, found.target.astype(np.int64)
    for records, classes in ((1000, 2), (1000, 4), (300, 3), (200, 2)):
        x, truth = make_classification(
            records,
            20,
            n_informative=8,
            n_redundant=4,
            n_classes=classes,
            class_sep=1.7,
            flip_y=0,
            random_state=70 + records // classes,
        )
        yield f"clouds, {records:,} of {classes} classes", x, truth.astype(np.int64)
    if data is not None:
        yield "em_membrane patches", *patches(data)


def unseen(data: Path | None) -> Iterator[Matrix]:
    """Families of `show_unseen`: a model each."""
    for name, x, truth in unseen_sets(data):
        for noise in (0.0, 0.1, 0.2, 0.3):
            for kind in ("uniform", "asymmetric", "class-conditional", "instance") if noise else ("clean",):
                given = planted(kind, x, truth, noise, np.random.default_rng([int(100 * noise), len(x)]))
                if np.bincount(given).min() < 5:
                    continue
                for model in ("logistic", "forest", "neighbours"):
                    yield Matrix(model, f"{name} {kind} {noise}", classic(model)(x, given, 5), given, truth)
                p, agreed = probed(x, given, 5)
                yield Matrix("built-in probe as one", f"{name} {kind} {noise}", p, given, truth)
                yield Matrix("built-in probe as two", f"{name} {kind} {noise}", p, given, truth, agreed)


def reviewed(matrix: Matrix, seed: int) -> tuple[float, float, float]:
    """Share of wrong labels by 99 reviewed ones, and its interval."""
    flagged = estimate_noise(matrix.probabilities, matrix.given, agreed=matrix.agreed).flagged
    names, wrong = [str(i) for i in range(len(flagged))], matrix.given != matrix.truth
    queue = draw_queue(names, flagged.tolist(), seed=seed)
    answers = tuple(
        Answer(record=r, given="", flagged=bool(flagged[int(r)]), answer="wrong" if wrong[int(r)] else "right")
        for r in queue.records
    )
    found = estimate_review(
        [Review(answers=answers, flagged=queue.flagged, others=queue.others, identity=queue.identity)]
    ).noise
    assert found is not None
    return found.value, found.low, found.high


def show_unseen(data: Path | None) -> None:
    """The table of `unseen`."""
    rows: dict[tuple[str, str], list[tuple[float, float, str, float]]] = {}
    reviews: list[tuple[float, tuple[float, float, float]]] = []
    for number, matrix in enumerate(unseen(data)):
        found = estimate_noise(matrix.probabilities, matrix.given, agreed=matrix.agreed)
        wrong, flagged = float((matrix.given != matrix.truth).mean()), float(found.flagged.mean())
        row = (wrong, found.noise.value, str(found.verdict), flagged)
        rows.setdefault((matrix.family, matrix.name.split()[-2]), []).append(row)
        rows.setdefault((matrix.family, "all wrong" if wrong else "all clean"), []).append(row)
        if wrong and matrix.agreed is not None:
            reviews.append((wrong, reviewed(matrix, number)))
    heads = ("matrices", "within 20 %", "said/true", "noise", "cannot tell", "no evidence", "most flagged")
    print(f"{'model':<22} {'labels':<18}", *heads, sep="  ")
    for (family, kind), own in sorted(rows.items()):
        wrong, said, verdict, flagged = (np.array(column) for column in zip(*own, strict=True))
        ratio = said / wrong if wrong.all() else np.full(len(own), np.nan)
        figures = [float(np.mean(np.abs(ratio - 1) <= 0.2)), float(np.median(ratio))]
        figures += [float(np.mean(verdict == name)) for name in ("noise", "cannot tell", "no evidence")]
        cells = [f"{value:{len(head)}.2f}" for head, value in zip(heads[1:-1], figures, strict=True)]
        print(f"{family:<22} {kind:<18}", f"{len(own):8d}", *cells, f"{flagged.max():.3f}", sep="  ")
    near = np.mean([abs(found[0] / wrong - 1) <= 0.2 for wrong, found in reviews])
    held = np.mean([found[1] <= wrong <= found[2] for wrong, found in reviews])
    print(f"99 reviewed labels: within 20 % in {near:.2f} of {len(reviews)}, the interval holds the truth in {held:.2f}")


def images(data: Path) -> Iterator[tuple[str, Matrix, Matrix]]:
    """Name, what our probe says, and what a plain logistic regression on the same features says."""
    from auditor.layout import Options, open_dataset
    from auditor.prediction.predict import predict
    from auditor.stages.extract import Pass, extract
    from auditor.values.labels import Labels

    dataset, _ = extract(open_dataset(data / "images/pneumoniamnist/data/pneumoniamnist.npz", Options()), Pass(workers=2))
    truth, classes = dataset.labels.codes, np.array(dataset.labels.classes, dtype=object)
    features = np.nan_to_num(dataset.features.to_numpy(dtype=np.float64))
    for noise in (0.05, 0.1, 0.2):
        given = uniform(truth, noise, np.random.default_rng(int(100 * noise)))
        values = dataset.labels.values.copy()
        values[:] = classes[given]
        labels = Labels(task="single", values=values, classes=dataset.labels.classes, origin=dataset.labels.origin)
        ours = predict(replace(dataset, labels=labels)).predictions
        assert ours is not None
        plain = cross_val_predict(
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)), features, given, cv=5, method="predict_proba"
        )
        yield (
            f"{noise:.0%} flips",
            Matrix("pneumonia from images", "probe", ours.probabilities, given, truth),
            Matrix("pneumonia from images", "plain", plain.astype(np.float32), given, truth),
        )


def show_images(data: Path) -> None:
    """The table of `images`."""
    for name, ours, plain in images(data):
        mine, theirs = judge(ours), judge(plain)
        for who, f1_key, ap_key, figures in (
            ("ours", "F1 ours", "AP ours", mine),
            ("cleanlab's default, logistic regression", "F1 default", "AP confidence", theirs),
            ("cleanlab's default, our probabilities", "F1 default", "AP confidence", mine),
        ):
            print(f"{name:<10} {who:<42} F1 {figures[f1_key]:.3f}  AP {figures[ap_key]:.3f}")
        print(f"{name:<10} estimated {mine['said']:.3f} of {mine['noise']:.3f}")


# ---- the table -------------------------------------------------------------------------------------------------------


def f1(flagged: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall."""
    return float(2 * np.sum(flagged & wrong) / max(flagged.sum() + wrong.sum(), 1))


def hindsight(score: Floats, wrong: npt.NDArray[np.bool_]) -> float:
    """F1 of the best threshold, knowing the truth."""
    hits = wrong[np.argsort(score, kind="stable")].cumsum()
    return float((2 * hits / (np.arange(1, len(wrong) + 1) + wrong.sum())).max())


def judge(matrix: Matrix) -> dict[str, float]:
    """All figures of one matrix; flagged shares stand in for F1 where no label is wrong."""
    p, given = matrix.probabilities, matrix.given
    wrong = given != matrix.truth
    rows = np.arange(len(given))
    confidence = p[rows, given].astype(np.float64)
    others = p.astype(np.float64).copy()
    others[rows, given] = -1
    margin = confidence - others.max(axis=1)
    default = find_label_issues(given, np.clip(p, 1e-7, 1), n_jobs=1)
    argmax = p.argmax(axis=1) != given
    ours = estimate_noise(p, given, agreed=matrix.agreed)
    row = {
        "noise": wrong.mean(), "said": ours.noise.value, "verdict": ["no evidence", "cannot tell", "noise"].index(ours.verdict),
        "default flags": default.mean(), "argmax flags": argmax.mean(), "our flags": ours.flagged.mean(),
    }  # fmt: skip
    if wrong.any():
        row |= {
            "F1 default": f1(default, wrong), "F1 argmax": f1(argmax, wrong), "F1 hindsight": hindsight(confidence, wrong),
            "F1 ours": f1(ours.flagged, wrong), "F1 our ceiling": hindsight(ours.score, wrong),
            "AP confidence": average_precision_score(wrong, -confidence),
            "AP margin": average_precision_score(wrong, -margin), "AP ours": average_precision_score(wrong, -ours.score),
            "within 20 %": abs(ours.noise.value / wrong.mean() - 1) <= 0.2,
        }  # fmt: skip
    return row


def main(arguments: list[str]) -> None:
    """Print the table of a panel."""
    data = Path(arguments[arguments.index("--data") + 1]) if "--data" in arguments else None
    if "images" in arguments and data is not None:
        show_images(data)
        return
    if "unseen" in arguments:
        show_unseen(data)
        return
    panel = report if "report" in arguments else develop
    rows: dict[str, list[dict[str, float]]] = {}
    for matrix in panel(data):
        rows.setdefault(matrix.family, []).append(judge(matrix))
    for family, figures in {**rows, "all": [r for part in rows.values() for r in part]}.items():
        print(f"\n{family} ({len(figures)})")
        for key in dict.fromkeys(k for r in figures for k in r):
            values = [r[key] for r in figures if key in r]
            print(f"  {key:<14} {np.mean(values):.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
