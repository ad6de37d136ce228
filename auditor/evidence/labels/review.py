"""Labels judged by people: which records they are asked about, and what their answers say about all the others.

The queue mixes two simple random samples, of the flagged records and of the others, in random order, so that the reviewer
cannot tell a suspect from a control. The answers then hold for the whole: the share of wrong labels is the sum over both
parts (a prediction-powered estimate whose prediction is the flag; Angelopoulos et al., Science 2023), and the controls
alone bound what is left among the records that nobody flagged.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from auditor.reading.jobs import run_job, told
from auditor.statistics.distributions import beta, norm
from auditor.values.errors import ConfigError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.reviews import ANSWERS, Queue, Review

SUSPECTS, CONTROLS = 40, 59
"""Default sizes: 59 controls without an error bound what is left at 5 % (299 at 1 %)."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ReviewEstimate:
    """What the answers say.

    Args:
        noise: share of wrong labels among all judged records; None without a reviewed control.
        precision: share of wrong labels among the flagged; None without a reviewed suspect.
        left_high: one-sided 95 % bound (Clopper–Pearson) of wrong labels among the records that are not flagged.
        counts: answers by kind.
        clean_run: right answers at the end of the controls, in the order of review: it suggests stopping, and bounds nothing.
    """

    noise: Share | None
    precision: Share | None
    left_high: float | None
    reviewed: int
    suspects: int
    controls: int
    counts: Mapping[str, int] = field(default_factory=dict)
    clean_run: int = 0


def draw_queue(
    records: Sequence[str],
    flagged: Sequence[bool],
    *,
    seed: int,
    suspects: int = SUSPECTS,
    controls: int = CONTROLS,
    reviewed: Sequence[str] = (),
) -> Queue:
    """Draw suspects and controls at random, without those already reviewed, and mix them.

    Args:
        records, flagged: all judged records; their order does not matter.
    """
    done = set(reviewed)
    pairs = sorted(zip(map(str, records), map(bool, flagged), strict=True))
    generator = random.Random(f"{seed} {len(done)}")  # noqa: S311 - a sample, no secret
    chosen: list[str] = []
    for part, size in ((True, suspects), (False, controls)):
        members = [record for record, is_flagged in pairs if is_flagged is part and record not in done]
        chosen += generator.sample(members, min(size, len(members)))
    generator.shuffle(chosen)
    count = sum(is_flagged for _, is_flagged in pairs)
    return Queue(records=tuple(chosen), flagged=count, others=len(pairs) - count, identity=identity_of(pairs))


def identity_of(pairs: Sequence[tuple[str, bool]]) -> str:
    """Digest of sorted (record, flagged)."""
    digest = hashlib.blake2b(digest_size=8)
    for record, flagged in pairs:
        digest.update(f"{record}\x1f{int(flagged)}\x1e".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def estimate_review(reviews: Sequence[Review]) -> ReviewEstimate:
    """Pool the answers to queues of one ranking (the last one's; others are left out) and estimate.

    Ambiguous labels are not wrong; records that nobody could tell are taken for missing at random. A record answered twice
    counts once, by its last answer.

    Raises:
        ValueError: no review.
    """
    if not reviews:
        raise ValueError("no review")
    last = reviews[-1]
    pooled = {a.record: a for r in reviews if r.identity == last.identity for a in r.answers}
    answers = list(pooled.values())
    told = [a for a in answers if a.answer != "cannot tell"]
    parts = []
    for flagged, total in ((True, last.flagged), (False, last.others)):
        own = [a.answer == "wrong" for a in told if a.flagged is flagged]
        parts.append((sum(own), len(own), total))
    (k_flagged, n_flagged, flagged_total), (k_other, n_other, other_total) = parts
    run = 0
    for a in reversed([a for a in answers if not a.flagged]):
        if a.answer != "right":
            break
        run += 1
    whole = flagged_total + other_total
    # Without a flagged record at all, the controls are the whole.
    enough = n_other > 0 and (n_flagged > 0 or flagged_total == 0)
    return ReviewEstimate(
        noise=_stratified([p for p in parts if p[2] > 0], whole) if enough else None,
        precision=share_of(k_flagged, n_flagged, flagged_total) if n_flagged else None,
        left_high=upper_bound(k_other, n_other) if n_other else None,
        reviewed=len(answers), suspects=n_flagged, controls=n_other,
        counts={name: sum(a.answer == name for a in answers) for name in ANSWERS}, clean_run=run,
    )  # fmt: skip


def share_of(wrong: int, reviewed: int, total: int) -> Share:
    """Wilson's 95 % interval of a simple random sample of `reviewed` of `total`, narrower as the sample nears the whole."""
    value = wrong / reviewed
    if reviewed >= total:
        return Share(value=value, low=value, high=value)
    size = reviewed * (total - 1) / (total - reviewed)
    z = float(norm.ppf(0.975))
    centre = (value + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * float(np.sqrt(value * (1 - value) / size + z * z / (4 * size * size)))
    return Share(value=value, low=max(0.0, centre - half) if wrong else 0.0, high=min(1.0, centre + half))


def upper_bound(wrong: int, reviewed: int) -> float:
    """One-sided 95 % upper bound (Clopper & Pearson, Biometrika 1934): 59 without error: below .05; 299: below .01."""
    return 1.0 if wrong >= reviewed else float(beta.ppf(0.95, wrong + 1, reviewed - wrong))


def _stratified(parts: Sequence[tuple[int, int, int]], whole: int) -> Share:
    """Weighted sum of the parts' shares; interval by the method of variance estimates recovery (Zou & Donner, 2008)."""
    shares = [(total / whole, share_of(wrong, reviewed, total)) for wrong, reviewed, total in parts]
    value = sum(weight * s.value for weight, s in shares)
    below = float(np.sqrt(sum((weight * (s.value - s.low)) ** 2 for weight, s in shares)))
    above = float(np.sqrt(sum((weight * (s.high - s.value)) ** 2 for weight, s in shares)))
    return Share(value=value, low=max(0.0, value - below), high=min(1.0, value + above))


def read_review(path: Path, limits: Limits | None = None, *, workers: int = 1) -> Review:
    """The answers that the review page saved, read in a worker.

    Raises:
        ConfigError: not there, or not such a file.
    """
    try:
        found: Review = run_job("auditor.evidence.labels.review_file:read", path, limits=limits or Limits(), workers=workers)
    except UnreadableFile as error:
        raise ConfigError(f"{path}: {told(error)}") from None
    return found
