"""How many labels are wrong, from how often they differ from a model: less what the model errs by itself.

*One model.* Its own errors are read from its probabilities, sharpened to what explains the labels when they are sent through
the transition between classes: one less the greatest of them. They cannot be told apart from labels that go wrong on hard
pictures, so half of them is taken off. Where the model is far more certain than its labels bear out, that cannot be read.

*Two models.* How often they contradict one another says how often they err, with no word from the labels. One reading trusts
the records of which the first model is sure and both name the same class (right for labels that go wrong anywhere, too low for
hard pictures); the other takes half of the contradictions off the whole disagreement (too high where both err alike). The
geometric mean of both is the estimate: near the truth for both kinds of wrong labels, and nothing where the sure records are
clean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.evidence.labels.transition import BOASTFUL, CALIBRATED, LINE_END, MEAN_END

OWN_SHARE = 0.5
"""How much of the model's own errors is taken off. None of it: .42 of the development matrices within 20 %; half: .49 and too
little on labels wrong on hard pictures; all: .51, and .22 of those."""

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def noise_share(differs: Bools, place: Doubles, null: Doubles, classes: int, sharpness: float) -> float:
    """Share of wrong labels by one model: a line over the place, drawn through the surer 70 %, never falling.

    Args:
        differs: the most probable class is not the given one; shape (records,).
        place: 0 = the surest of its predicted class, below 1.
        null: probability that the model itself errs, were all labels right.
        sharpness: power of the probabilities that suits the given labels best; below 1 the model is overconfident.
    """
    total = float(differs.mean())
    own = OWN_SHARE * np.minimum(null, 1 - 1 / classes)
    seen = (differs - own) / np.maximum(1 - own * classes / (classes - 1), 0.05)
    weight = (1 - own) ** 2
    surer = differs[place < MEAN_END]
    mean = min(total, float(surer.mean()) if len(surer) else total)
    part = place < LINE_END
    line = mean
    if part.sum() > 2 and np.ptp(place[part]) > 0:
        x, y, w = place[part], seen[part], weight[part]
        middle, height = float(np.average(x, weights=w)), float(np.average(y, weights=w))
        slope = max(0.0, float(np.average((x - middle) * (y - height), weights=w) / np.average((x - middle) ** 2, weights=w)))
        line = min(total, float(np.clip(height + slope * (place - middle), 0, 1).mean()))
    trust = float(np.clip((sharpness - BOASTFUL) / (CALIBRATED - BOASTFUL), 0, 1))
    return trust * line + (1 - trust) * mean


def shared_noise(differs: Bools, agreed: Bools, sure: float) -> float:
    """Share of wrong labels by two models.

    Args:
        agreed: both name the same class.
        sure: share of labels that differ where both agree and the first one is sure.
    """
    errs = float(1 - agreed.mean()) / 2
    whole = max(0.0, 1 - (1 - float(differs.mean())) / (1 - errs))
    return float(np.sqrt(sure * whole))
