"""Models of readers that infer the truth from the readings alone: Dawid-Skene, GLAD and MACE.

All take the long form: one entry per reading, `unit`, `rater`, `label` as codes from 0. Sums over readings are products with a
sparse matrix, so that 150,000 readings by 700 raters take well under a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.statistics.distributions import special
from auditor.statistics.sparse import Sparse, sparse

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
PRIOR = 0.01


@dataclass(frozen=True, kw_only=True)
class DawidSkene:
    """Fitted by expectation-maximisation (Dawid & Skene, Applied Statistics 1979).

    Args:
        truth: (units, classes) probability of each true class.
        confusion: (raters, true class, given class).
        prevalence: (classes,).
        accuracy: (raters,): probability that the rater names the true class of a unit drawn by prevalence.
    """

    truth: Doubles
    confusion: Doubles
    prevalence: Doubles
    accuracy: Doubles


@dataclass(frozen=True, kw_only=True)
class Glad:
    """GLAD (Whitehill et al., NeurIPS 2009): P(right) = σ(ability · ease), a wrong answer is any other class.

    Args:
        truth: (units, classes).
        ability: (raters,), below 0 for one who answers the opposite.
        ease: (units,), above 0; small where a record is hard.
    """

    truth: Doubles
    ability: Doubles
    ease: Doubles


@dataclass(frozen=True, kw_only=True)
class Mace:
    """MACE (Hovy et al., NAACL 2013): a rater either knows, or guesses by a habit of their own.

    Args:
        truth: (units, classes).
        competence: (raters,): share of the readings that are not guessed.
        habit: (raters, classes): what is answered when guessing.
    """

    truth: Doubles
    competence: Doubles
    habit: Doubles


def vote_shares(unit: Codes, label: Codes, *, units: int, classes: int) -> Doubles:
    """Share of the readings per class, shape (units, classes); 0 where there is no reading."""
    votes = np.bincount(unit * classes + label, minlength=units * classes).reshape(units, classes).astype(np.float64)
    return np.asarray(votes / np.maximum(votes.sum(axis=1, keepdims=True), 1))


def dawid_skene(
    unit: Codes,
    rater: Codes,
    label: Codes,
    *,
    units: int,
    raters: int,
    classes: int,
    rounds: int = 100,
    tolerance: float = 1e-4,
    panel: float = 0.0,
    faith: float = 0.0,
    even: float = 0.0,
) -> DawidSkene:
    """Truth and confusion matrices of the raters from their readings alone, started at the shares of the votes.

    Args:
        unit, rater, label: one entry per reading, indices from 0.
        units, raters, classes: how many there are.
        rounds: at most so many rounds; ends earlier when the probabilities move by less than `tolerance` on average.
        panel: readings' worth, per class, by which each rater is drawn towards how the whole panel errs; 0 = as published.
        faith: readings' worth, per class, of having named it rightly, that each rater is granted; 0 = as published.
        even: by how many times the readings of records that were read once or twice the panel is drawn towards erring alike
            in all classes (with `panel`): where two readings differ, nothing tells which label is mistaken for which.
    """
    truth = vote_shares(unit, label, units=units, classes=classes)
    read = _incidence(unit, rater * classes + label, units, raters * classes)
    back = read.T.tocsr()
    right = np.eye(classes)
    unsettled = even * float((np.bincount(unit, minlength=units)[unit] <= 2).sum()) / classes
    confusion = np.zeros((raters, classes, classes))
    prevalence = np.full(classes, 1 / classes)
    for _ in range(rounds):
        prevalence = truth.mean(axis=0) + 1e-12
        prevalence /= prevalence.sum()
        given = np.asarray(back @ truth).reshape(raters, classes, classes)
        confusion = np.swapaxes(given, 1, 2) + PRIOR + faith * right
        if panel > 0:
            together = np.swapaxes(given, 1, 2).sum(axis=0) + 1 / classes + right
            rate = float(np.trace(together) / together.sum())
            together += unsettled * (right * rate + (1 - right) * (1 - rate) / max(classes - 1, 1))
            confusion = confusion + panel * together / together.sum(axis=1, keepdims=True)
        confusion /= confusion.sum(axis=2, keepdims=True)
        logs = np.swapaxes(np.log(confusion), 1, 2).reshape(raters * classes, classes)
        updated = _normalised(np.asarray(read @ logs) + np.log(prevalence))
        moved = float(np.abs(updated - truth).mean())
        truth = updated
        if moved < tolerance:
            break
    accuracy = np.einsum("rcc,c->r", confusion, prevalence)
    return DawidSkene(truth=truth, confusion=confusion, prevalence=prevalence, accuracy=accuracy)


def glad(
    unit: Codes, rater: Codes, label: Codes, *, units: int, raters: int, classes: int, rounds: int = 30, steps: int = 10
) -> Glad:
    """Truth, ability of raters and ease of records, with normal priors on ability (mean 1) and log-ease (mean 0).

    The prior on the classes is flat, as published. The maximisation takes `steps` damped Newton steps on ability and log-ease
    in turn; both problems fall apart into one number per rater and per record.
    """
    expit = special().expit
    truth = vote_shares(unit, label, units=units, classes=classes)
    ability, log_ease = np.ones(raters), np.zeros(units)
    wrong = max(classes - 1, 1)
    for _ in range(rounds):
        right = truth[unit, label]
        for _ in range(steps):
            ease = np.exp(log_ease)
            p = expit(ability[rater] * ease[unit])
            slope = np.bincount(rater, (right - p) * ease[unit], minlength=raters) - (ability - 1)
            curve = np.bincount(rater, p * (1 - p) * ease[unit] ** 2, minlength=raters) + 1
            ability = ability + np.clip(slope / curve, -1, 1)
            z = ability[rater] * ease[unit]
            p = expit(z)
            slope = np.bincount(unit, (right - p) * z, minlength=units) - log_ease
            curve = np.bincount(unit, p * (1 - p) * z**2, minlength=units) + 1
            log_ease = np.clip(log_ease + np.clip(slope / curve, -0.5, 0.5), -4, 4)
        z = ability[rater] * np.exp(log_ease)[unit]
        # log P(label | label is true) − log P(label | another class is true); the rest is the same for every class.
        gain = z + np.log(wrong)
        log_odds = np.bincount(unit * classes + label, gain, minlength=units * classes).astype(np.float64)
        updated = _normalised(log_odds.reshape(units, classes))
        moved = float(np.abs(updated - truth).mean())
        truth = updated
        if moved < 1e-4:
            break
    return Glad(truth=truth, ability=ability, ease=np.exp(log_ease))


def mace(
    unit: Codes,
    rater: Codes,
    label: Codes,
    *,
    units: int,
    raters: int,
    classes: int,
    rounds: int = 100,
    starts: int = 5,
    seed: int = 0,
) -> Mace:
    """Truth, competence and guessing habit by variational EM with Beta(.5, .5) and Dirichlet(10) priors, as published.

    The first start is at the shares of the votes, the others are random; the one of the highest likelihood is kept.
    """
    digamma = special().digamma
    rng = np.random.default_rng(seed)
    read = _incidence(unit, rater * classes + label, units, raters * classes)
    back = read.T.tocsr()
    best: tuple[float, Mace] | None = None
    for start in range(starts):
        shares = vote_shares(unit, label, units=units, classes=classes)
        truth = shares if start == 0 else _normalised(np.log(shares + 0.3) + rng.normal(0, 0.5, shares.shape))
        knows, habit = np.full(raters, 0.7), np.full((raters, classes), 1 / classes)
        likelihood, before = -np.inf, -np.inf
        for _ in range(rounds):
            # Of the readings (rater, label): weight that the truth is that label, and that it is not.
            given = np.asarray(back @ truth).reshape(raters, classes, classes)
            hit = np.einsum("rll->rl", given)
            times = given.sum(axis=2)
            guess = (1 - knows)[:, None] * habit
            posterior = hit * knows[:, None] / np.maximum(knows[:, None] + guess, 1e-300)
            known = posterior.sum(axis=1)
            guessed = times - posterior
            total = digamma(times.sum(axis=1) + 1.0)
            knows = np.exp(digamma(known + 0.5) - total)
            spam = np.exp(digamma(guessed.sum(axis=1) + 0.5) - total)
            habit = np.exp(digamma(guessed + 10 / classes) - digamma(guessed.sum(axis=1) + 10)[:, None])
            guess = spam[:, None] * habit
            logs = np.log(np.maximum(guess, 1e-300))[:, :, None] * np.ones(classes)
            own = np.log(np.maximum(guess + knows[:, None], 1e-300))
            index = np.arange(classes)
            logs[:, index, index] = own
            joint = np.asarray(read @ logs.reshape(raters * classes, classes))
            top = joint.max(axis=1)
            likelihood = float((top + np.log(np.exp(joint - top[:, None]).sum(axis=1))).sum())
            truth = _normalised(joint)
            share = knows / np.maximum(knows + spam, 1e-300)
            knows, habit = share, habit / habit.sum(axis=1, keepdims=True)
            if abs(likelihood - before) < 1e-6 * abs(likelihood):
                break
            before = likelihood
        if best is None or likelihood > best[0] + 1e-9:
            best = (likelihood, Mace(truth=truth, competence=knows, habit=habit))
    assert best is not None
    return best[1]


def entropy_bits(probabilities: Doubles) -> Doubles:
    """Shannon entropy per row, in bits."""
    return np.asarray(np.abs(-special().xlogy(probabilities, probabilities).sum(axis=1) / np.log(2)))


def _incidence(row: Codes, column: Codes, rows: int, columns: int) -> Sparse:
    return sparse(np.ones(len(row)), row, column, (rows, columns))


def _normalised(logs: Doubles) -> Doubles:
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
