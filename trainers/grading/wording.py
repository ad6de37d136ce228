"""The verdict of a comparison in words."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.values.corrections import ComparisonVerdict, Measured
from trainers.grading.floor import Floor
from trainers.grading.grade import Graded
from trainers.grading.paired import Interval

LEAST_PATIENTS = 10
"""With fewer, an interval over patients means nothing."""


def judge(low: float, high: float, margin: float) -> ComparisonVerdict:
    """The verdict of an interval of a difference."""
    if low > 0:
        return "improved"
    if high < 0:
        return "harmed"
    return "not worse" if low > -margin else "cannot tell"


def agree(main: ComparisonVerdict, other: ComparisonVerdict) -> bool:
    """Whether another metric bears the verdict of the main one out."""
    return main == other or (main == "not worse" and other == "improved")


def disagreement(floor: Floor, other: Measured) -> str:
    """Why the main metric alone does not judge: a predictor that never looked at an image has as much of it."""
    return (
        f"{floor.name} alone has {number(floor.value)}, and {lowered(other.title)}, which flatters no such predictor, "
        f"does not bear it out ({number(other.before)} → {number(other.after)}, difference {signed(other.difference)}, "
        f"95 % interval {signed(other.low)} to {signed(other.high)})"
    )


def number(value: float) -> str:
    """`.912`, `−.200`, `12.35`."""
    size = abs(value)
    text = f"{size:.3f}" if size < 10 else f"{size:.4g}"
    return ("−" if value < 0 else "") + (text[1:] if text.startswith("0.") else text)


def signed(value: float) -> str:
    """`+.039`, `−.012`."""
    return ("−" if value < 0 else "+") + number(abs(value))


def summary(
    graded: Graded,
    main: Measured | None,
    harmed: Sequence[tuple[str, Interval]],
    *,
    seeds: int,
    margin: float,
    self_graded: bool,
    floor: Floor | None = None,
    floored: bool = True,
    doubt: str = "",
) -> str:
    """One sentence for a radiologist; `main` is None where the main metric is not defined; `harmed` are classes that lost.

    `floor` is given where neither arm is above it; `floored`: there is one; `doubt`: why the main metric alone does not judge.
    """
    counts = f"{count(graded.patients, graded.unit)}, {count(seeds, 'seed')}"
    metric = graded.metrics[0]
    if main is None:
        text = f"cannot tell: {lowered(metric.title)} is not defined on the evaluation records ({counts})"
    elif floor is not None:
        return (
            f"neither learnt the task: {lowered(main.title)} {number(main.before)} and {number(main.after)}, where a predictor "
            f"that never looked at an image has {number(floor.value)} ({floor.name}; {counts})"
        )
    else:
        word = "difference" if metric.more_is_better else "gain"
        text = (
            f"{main.verdict}: {lowered(main.title)} {number(main.before)} → {number(main.after)} ({word} "
            f"{signed(main.difference)}, 95 % interval {signed(main.low)} to {signed(main.high)}; {counts})"
        )
        if graded.patients < LEAST_PATIENTS:
            text += f"; fewer than {LEAST_PATIENTS} {graded.unit}s are too few to judge"
        elif not floored:
            text += "; what a predictor reaches that never looked at an image is not defined on the evaluation records"
        elif doubt:
            text += f"; {doubt}"
        elif main.verdict == "cannot tell":
            text += f"; a loss of {number(margin * metric.margin_unit)} is not ruled out"
    if harmed:
        fell = ", ".join(f"{name} ({signed(i.value)})" for name, i in sorted(harmed, key=lambda item: item[1].value)[:3])
        more = f" and {len(harmed) - 3} more" if len(harmed) > 3 else ""
        text += f"; but the {graded.class_metric} fell for {fell}{more}"
    if self_graded:
        text += "; self-graded: a model chose the evaluation labels, which flatters it"
    return text


def notes(graded: Graded, seeds: int, harmed: Sequence[tuple[str, Interval]]) -> list[str]:
    """What a reader has to know beside the verdict."""
    found = []
    for name, i in harmed:
        span = f"{signed(i.value)}, 95 % interval {signed(i.low)} to {signed(i.high)}"
        found.append(f"The {graded.class_metric} of {name} fell ({span}); look at that class before using the result.")
    if graded.dropped:
        found.append(f"{count(graded.dropped, 'record')} without a known truth or without a prediction left out.")
    if graded.absent:
        what = graded.task.without
        found.append(f"{what} in the evaluation part, so not judged: {', '.join(graded.absent)}.")
    if graded.patients < LEAST_PATIENTS:
        found.append(f"{count(graded.patients, graded.unit)}: at least {LEAST_PATIENTS} are needed to compare two arms.")
    if seeds == 1:
        found.append("One seed only: the interval does not hold the chance of training; use three or more.")
    if not graded.one_image_each and graded.task.probabilistic:
        found.append("McNemar's and DeLong's tests were not made: some patients have several images.")
    return found


def floor_notes(graded: Graded, floor: Floor, seen: Floor | None, names: tuple[str, str]) -> list[str]:
    """What the floor says of both arms: what it would take, and why one may be below it.

    Args:
        seen: the floor in the metric that flatters no trivial predictor, where the main one was not enough.
    """
    metric, found = floor.metric, []
    if seen is not None and any(seen.learnt):
        has = ", ".join(f"{n} {number(seen.value + a.value)}" for n, a in zip(names, (seen.before, seen.after), strict=True))
        return [
            f"{floor.name}, painted without a look at an image, has a {lowered(metric.title)} of {number(floor.value)}, since "
            "objects fill much of the pictures: neither network is above it. What they see shows in "
            f"{lowered(seen.metric.title)}, in which such a predictor has {number(seen.value)}: {has}."
        ]
    for name, learnt, inverted, above in zip(names, floor.learnt, floor.inverted, (floor.before, floor.after), strict=True):
        span = f"{signed(above.value)}, 95 % interval {signed(above.low)} to {signed(above.high)}"
        against = f"{floor.name}, {lowered(metric.title)} {number(floor.value)}"
        if inverted:
            found.append(
                f"{name} is below a predictor that never looked at an image ({against}: {span}). Chance does not do that: "
                f"{graded.task.inverted_by}."
            )
        elif not learnt:
            found.append(f"{name} is not shown to be above a predictor that never looked at an image ({against}: {span}).")
    if not any(floor.learnt):
        found.append(
            "To compare them, at least one has to learn the task. It takes longer training (a larger --budget), larger "
            "pictures, more training records, an encoder that was trained before (transfer), or more than "
            f"{count(graded.patients, graded.unit)} to evaluate on."
        )
    return found


def count(size: int, noun: str) -> str:
    """`1 seed`, `240 patients`."""
    return f"{size:,} {noun}" + ("" if size == 1 else "s")


def lowered(title: str) -> str:
    """A title within a sentence; abbreviations keep their capitals."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]
