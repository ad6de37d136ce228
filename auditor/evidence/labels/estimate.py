"""Label noise: how far labels and a model disagree, how much of it is noise, and which labels to look at first.

What can be observed is the disagreement. How much of it is noise cannot be told from probabilities alone: honest ambiguity
and wrong labels give the same numbers (Northcutt et al., JAIR 2021, assume the answer). The assumption here is written out:

    Among the records that the model is surest of, a label that disagrees is wrong; how often, follows a line from there to
    the records that the model doubts; and labels go wrong from the same class to the same class everywhere.

`auditor.evidence.labels.transition` fits that line and the matrix (true class → given class);
`auditor.evidence.labels.share` takes off what the model errs by itself. Bayes' rule then ranks the labels. The flagged
set is the one of the highest expected F1 when labels go wrong 1.4 times as often as the line says: what is left out is
lost, what is flagged is looked at. `auditor.evidence.labels.noise_verdict` says whether the assumption is supported.

`benchmarks/label_noise.py` measures it against cleanlab's defaults; the figures stand in `docs/label-noise.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.labels.fraction import fraction
from auditor.evidence.labels.noise_verdict import growth_of, judge
from auditor.evidence.labels.share import noise_share, shared_noise
from auditor.evidence.labels.transition import (
    BOASTFUL,
    anchor_transition,
    fit_rows,
    fit_sharpness,
    label_odds,
    noise_profile,
    place_of,
)
from auditor.values.judgements import Fraction, NoiseEstimate

ASSUMPTION = (
    "labels that disagree where the model is surest are wrong, and the share of wrong labels follows a line from there to the "
    "records it doubts"
)

ASSUMPTION_OF_TWO = (
    "labels that disagree where two models agree and are sure are wrong, and how often the models contradict one another says "
    "how often they err"
)

RANKED_SHARES, FLAGGED_SHARES = (0.3, 0.5), (0.5, 0.8)
"""Which part of each predicted class are anchors, for the ranking and for the cut-off; both of each pair are averaged."""
DOUBT_FACTOR = 1.4
MOST_CLEAN = 0.01
"""Without evidence of noise at most this share is flagged."""
CHUNK = 65_536
MIN_SUSPICION = 0.3
MIN_WITNESSES = 10
SURE, SUREST, DOUBTFUL = (0.0, 0.5), (0.0, 0.25), (0.35, 0.60)
"""Parts of each predicted class, by falling confidence: the first shows whether there is noise, the others are compared."""

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def estimate_noise(
    probabilities: Floats,
    codes: Codes,
    groups: npt.NDArray[np.int64] | None = None,
    *,
    agreed: Bools | None = None,
    tolerance: float = 0.01,
    seed: int = 0,
) -> NoiseEstimate:
    """Judge labels by out-of-fold probabilities.

    Args:
        probabilities: (records, classes), finite, rows sum to 1.
        codes: given class per record.
        groups: patient per record; intervals then count patients, not records.
        agreed: where a second model names the same class, shape (records,); None = there was no second model.
        tolerance: noise up to here is not worth a word.
        seed: draws the rows that the sharpness is fitted on.

    Raises:
        ValueError: no records, or shapes that do not fit.
    """
    n, classes = probabilities.shape
    if n == 0 or codes.shape != (n,):
        raise ValueError("probabilities (records, classes) and one given class per record are needed, at least one record")
    named, sureness = probabilities.argmax(axis=1), probabilities.max(axis=1)
    differs = named != codes
    place = place_of(named, sureness)
    disagreement = fraction(differs, groups)
    # What a second model says too is no slip of the first one: only those records bear witness.
    witnesses = _witnesses(agreed, place)
    sure, surest, doubtful = (
        fraction(differs, groups, witnesses & (place >= start) & (place < end)) for start, end in (SURE, SUREST, DOUBTFUL)
    )
    sample = fit_rows(n, seed)
    plain = np.eye(classes) * (1 - 1e-6) + 1e-6 / classes
    sharpness = fit_sharpness(probabilities[sample], codes[sample], plain)
    profile = noise_profile(differs, place, sharpness)
    model = _Model(probabilities=probabilities, codes=codes, named=named, place=place, sample=sample)
    doubted = _wrong(model.odds(FLAGGED_SHARES, DOUBT_FACTOR * profile.rates(place))[0])
    threshold = best_threshold(doubted)
    count = int((doubted >= threshold).sum())
    del doubted
    odds, best, given, transition, top = model.odds(RANKED_SHARES, None)
    null = 1 - top
    del top
    if agreed is None:
        share = noise_share(differs, place, null, classes, sharpness)
    else:
        share = shared_noise(differs, agreed, sure.value)
    noise = _noise_interval(share, sure, n)
    suspicion = _wrong(odds)
    score = (0.75 * (1 - suspicion) + 0.25 * given).astype(np.float32)
    del given
    skill = _skill(probabilities, codes)
    verdict, reason = judge(sure, surest, doubtful, skill, tolerance, growth_of(differs[witnesses], place[witnesses]))
    if sharpness <= BOASTFUL and verdict == "noise":
        verdict, reason = "cannot tell", "the model is far more certain than its labels bear out: it may err where it is surest"
    if verdict == "no evidence":
        count = min(count, int(MOST_CLEAN * n))
    flagged = _lowest(score, count)
    return NoiseEstimate(
        verdict=verdict, reason=reason, disagreement=disagreement, null_disagreement=float(null.mean()),
        noise=noise, sure=sure, doubtful=doubtful, skill=skill, transition=transition,
        suspicion=_scaled(suspicion, noise.value).astype(np.float32), score=score,
        suggested=np.where(flagged | (suspicion > 0.5), best, codes), flagged=flagged,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Model:
    """One model's probabilities and the given labels, with what both averages over anchors need."""

    probabilities: Floats
    codes: Codes
    named: Codes
    place: Doubles
    sample: npt.NDArray[np.int64]

    def odds(self, shares: tuple[float, ...], rates: Doubles | None) -> tuple[Doubles, Codes, Doubles, Doubles, Doubles]:
        """Log-odds that each label is right, the best other class, sharpened given and top probability, mean transition.

        With `rates` the labels go wrong as often as those say, whatever the anchors' mean is.
        """
        n, classes = self.probabilities.shape
        total, given, top = np.zeros(n), np.zeros(n), np.zeros(n)
        best = np.zeros(n, dtype=np.int64)
        transitions = []
        for share in shares:
            transition = anchor_transition(self.named, self.codes, self.place, classes, share=share)
            sharpness = fit_sharpness(self.probabilities[self.sample], self.codes[self.sample], transition)
            usual = float(np.bincount(self.named, minlength=classes) / n @ (1 - np.diag(transition)))
            for start in range(0, n, CHUNK):
                part = slice(start, start + CHUNK)
                times = None if rates is None else np.clip(rates[part] / max(usual, 1e-9), 0.5, 20)
                odds, best[part], own, greatest = label_odds(
                    self.probabilities[part], self.codes[part], transition, sharpness, times
                )
                total[part] += odds / len(shares)
                given[part] += own / len(shares)
                top[part] += greatest / len(shares)
            transitions.append(transition)
        return total, best, given, np.mean(transitions, axis=0), top


def _wrong(odds: Doubles) -> Doubles:
    """Log-odds that a label is right → probability that it is wrong, in the same memory."""
    np.exp(odds, out=odds)
    odds += 1
    return np.reciprocal(odds, out=odds)


def best_threshold(suspicion: Doubles) -> float:
    """The suspicion from which flagging has the highest expected F1 = 2 Σ flagged suspicion / (flagged + Σ suspicion).

    Never under 0.3: a label that is twice as likely right as wrong is not flagged.
    """
    falling = np.sort(suspicion)[::-1].astype(np.float64)
    expected = 2 * np.cumsum(falling) / (np.arange(1, len(falling) + 1) + falling.sum())
    return max(float(falling[int(expected.argmax())]), MIN_SUSPICION)


def _lowest(score: Floats, count: int) -> Bools:
    """The `count` lowest scores; of equal ones at the border none, so that no order of the records decides."""
    flagged = np.zeros(len(score), dtype=np.bool_)
    if count >= len(score):
        return ~flagged
    if count > 0:
        border = float(np.partition(score, count)[count])
        flagged = score < border
    return flagged


def _scaled(suspicion: Doubles, noise: float) -> Doubles:
    """The suspicions brought to the mean that the estimate says, none above 1."""
    mean = float(suspicion.mean())
    return np.asarray(np.minimum(suspicion * (noise / mean), 1)) if mean > 0 else suspicion


def _skill(probabilities: Floats, codes: Codes) -> float:
    n, classes = probabilities.shape
    prior = np.bincount(codes, minlength=classes) / n
    chance = float(prior @ probabilities.mean(axis=0, dtype=np.float64))
    given = float(probabilities[np.arange(n), codes].mean(dtype=np.float64))
    return (given - chance) / max(1 - chance, 1e-12)


def _witnesses(agreed: Bools | None, place: Doubles) -> Bools:
    """Records that the verdict looks at: all, or those on which both models agree where these are enough."""
    if agreed is None or int((agreed & (place < SUREST[1])).sum()) < MIN_WITNESSES:
        return np.ones(len(place), dtype=np.bool_)
    return agreed


def _noise_interval(noise: float, sure: Fraction, count: int) -> Fraction:
    """The interval is that of the surer half, scaled."""
    if sure.value > 0:
        low, high = noise * sure.low / sure.value, min(1.0, noise * sure.high / sure.value)
    else:
        low, high = 0.0, max(noise, sure.high)
    return Fraction(value=noise, low=low, high=high, count=count)
