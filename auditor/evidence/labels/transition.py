"""A noise model from labels and probabilities: how often labels go wrong at each confidence, and which becomes which.

*Profile.* Records are placed by the model's confidence within their predicted class (0 = surest). Where it is sure, a
label that disagrees is wrong; the share of such labels over the place is a line, drawn through the surer 70 % and carried on
to the doubtful end: flat for labels that went wrong anywhere, rising where people err on the pictures that the model finds
hard. A model that is more certain than its labels bear out (it learnt them by heart) errs among its confident predictions
too, and its disagreement rises without any noise: the less calibrated it is, the more the line is replaced by the
surer half's mean.

*Transition.* Which class becomes which is counted among the surest records of each predicted class (anchors; Patrini et al.,
CVPR 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MIN_ANCHORS = 20
SMOOTHING = 6.0
FLOOR = 1e-30
FIT_FLOOR = 1e-4
FIT_ROWS = 10_000
LINE_END, MEAN_END = 0.7, 0.5
"""The line is drawn through places below the first; the mean that replaces it is that of places below the second."""
BOASTFUL, CALIBRATED = 0.5, 0.9
"""Power of the probabilities that suits the labels best: up to the first the mean counts alone, from the second the line."""
MAX_RATE = 0.95

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How often labels are wrong at each place: `offset + slope · place`, cut to 0–1."""

    offset: float
    slope: float

    def rates(self, place: Doubles) -> Doubles:
        """Share of wrong labels at each place."""
        return np.asarray(np.clip(self.offset + self.slope * place, 0, 1))


def place_of(named: Codes, sureness: Floats) -> Doubles:
    """Place of each record within its predicted class, 0 = the surest, below 1; equally sure records have one place."""
    order = np.argsort(named + (1 - sureness.astype(np.float64)) / 2, kind="stable")
    counts = np.bincount(named)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    first = np.ones(len(named), dtype=np.bool_)
    first[1:] = (named[order][1:] != named[order][:-1]) | (sureness[order][1:] != sureness[order][:-1])
    run = np.cumsum(first) - 1
    begin = np.flatnonzero(first)
    middle = (begin + np.append(begin[1:], len(named)) - 1) / 2
    place = np.empty(len(named))
    place[order] = middle[run] - starts[named[order]]
    return np.asarray(place / counts[named])


def noise_profile(differs: npt.NDArray[np.bool_], place: Doubles, sharpness: float) -> Profile:
    """The line of wrong labels over the place.

    Args:
        differs: the most probable class is not the given one.
        place: from `place_of`.
        sharpness: power of the probabilities that suits the given labels best; below 1 the model is overconfident.
    """
    total = float(differs.mean())
    surer = differs[place < MEAN_END]
    mean = min(total, float(surer.mean()) if len(surer) else total)
    slope, offset = 0.0, mean
    part = place < LINE_END
    if part.sum() > 2 and np.ptp(place[part]) > 0:
        x, y = place[part], differs[part].astype(np.float64)
        spread = x - x.mean()
        slope = max(0.0, float(spread @ y / (spread @ spread)))
        offset = float(y.mean()) - slope * float(x.mean())
    line = float(np.clip(offset + slope * place, 0, 1).mean())
    # More than all that disagrees cannot be wrong by this reading.
    scale = min(1.0, total / line) if line > 0 else 1.0
    trust = float(np.clip((sharpness - BOASTFUL) / (CALIBRATED - BOASTFUL), 0, 1))
    return Profile(offset=mean + trust * (offset * scale - mean), slope=trust * slope * scale)


def anchor_transition(named: Codes, codes: Codes, place: Doubles, classes: int, *, share: float) -> Doubles:
    """True class → given class, counted among the anchors: the surest `share` of each predicted class, at least 20 records.

    A class with few anchors leans on the mean error rate, its errors on an even spread (six pseudo-counts each); no
    error at all counts as half a one.
    """
    counts = np.bincount(named, minlength=classes)
    anchor = place < np.maximum(share, MIN_ANCHORS / np.maximum(counts, 1))[named]
    table = np.bincount(named[anchor] * classes + codes[anchor], minlength=classes * classes).reshape(classes, classes)
    wrong: Doubles = np.where(np.eye(classes, dtype=np.bool_), 0.0, table)
    overall = (wrong.sum() + 0.5) / (table.sum() + 1)
    rate = (wrong.sum(axis=1) + SMOOTHING * overall) / (table.sum(axis=1) + SMOOTHING)
    even = (1 - np.eye(classes)) / max(classes - 1, 1)
    wrong = wrong + SMOOTHING * even
    transition = wrong / np.maximum(wrong.sum(axis=1, keepdims=True), 1e-12) * rate[:, None]
    transition[np.arange(classes), np.arange(classes)] = 1 - rate
    return np.asarray(transition)


def fit_rows(n: int, seed: int) -> npt.NDArray[np.int64]:
    """At most 10,000 rows, drawn at random: enough to fit one number."""
    if n <= FIT_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, FIT_ROWS, replace=False))


def fit_sharpness(probabilities: Floats, codes: Codes, transition: Doubles) -> float:
    """The power of the probabilities that explains the given labels best when sent through the transition (0.3 to 8)."""
    towards = transition[:, codes].T.astype(np.float32)
    logs = np.log(np.maximum(probabilities, np.float32(FIT_FLOOR)))
    grid = np.geomspace(0.3, 8.0, 18)
    loss = [-float(np.log((_normalised(logs * np.float32(a)) * towards).sum(axis=1) + 1e-12).mean()) for a in grid]
    return float(grid[int(np.argmin(loss))])


def label_odds(
    probabilities: Floats, codes: Codes, transition: Doubles, sharpness: float, rates: Doubles | None = None
) -> tuple[Doubles, Codes, Doubles, Doubles]:
    """Bayes' rule for each record: is the given class the true one?

    Args:
        probabilities, codes: (records, classes) and (records,).
        transition: true → given.
        sharpness: power of the probabilities.
        rates: how many times as often as the transition says a record's label goes wrong; None = as often.

    Returns:
        Log-odds that the label is right; the most probable other class; the sharpened probability of the given class, and the
        greatest one.
    """
    columns = np.arange(len(codes))
    # Classes first: reductions over a few classes are many times faster along the long rows.
    logs = np.log(np.maximum(np.ascontiguousarray(probabilities.T), np.float32(FLOOR))).astype(np.float64) * sharpness
    logs -= logs.max(axis=0)
    top = 1 / np.exp(logs).sum(axis=0)
    own = logs[codes, columns]
    given = np.exp(own) * top
    with np.errstate(divide="ignore"):
        other = logs + np.log(transition)[:, codes]
    rate = 1 - np.diag(transition)
    if rates is None:
        own = own + np.log1p(-np.minimum(rate[codes], MAX_RATE))
    else:
        scaled = np.clip(rate[:, None] * rates, 1e-12, MAX_RATE)
        other += np.log(scaled / np.maximum(rate, 1e-12)[:, None])
        own = own + np.log1p(-scaled[codes, columns])
    other[codes, columns] = -np.inf
    best = other.argmax(axis=0)
    most = np.maximum(other[best, columns], -1e6)
    others = most + np.log(np.exp(other - most).sum(axis=0) + 1e-300)
    return np.clip(own - others, -700, 700), best.astype(np.int64), given, top


def _normalised(logs: Floats) -> Floats:
    power = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True), dtype=np.float32)
