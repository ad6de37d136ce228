"""What LN006 says of outlines (polygons, run lengths) once they were drawn into pictures of the size of theirs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.objects.sweep import Pairs
from auditor.values.dataset import Dataset
from auditor.values.drawings import NOT_DRAWN, Drawings
from auditor.values.results import Cell, Column, Coverage, Finding, Location, Severity, Table, Verdict

Positions = npt.NDArray[np.int64]
WORDS = {
    "no outline": "an object with a box alone, where nearly all others of its class have an outline",
    "unread": "an outline that is none",
    "no area": "an outline without area",
    "crossed": "an outline that crosses or covers itself",
    "outside": "an outline that leaves its image",
    "beside its box": "a box that is not that of its outline",
}
LEAST_AREA = 0.5
"""Square pixels: half of one is no object."""
LEAST_CROSSED = 4
"""Pixels: corners on one spot make no other object of it."""
OUTLINED = 0.9
"""Where so many objects of a class have an outline, and `MIN_OUTLINED` at least, one without is unlike the others."""
MIN_OUTLINED = 20
LEAST_FIT = 0.7
"""Intersection over union of a box and the extent of its outline; by less, and more than `LOOSE` pixels, they differ."""
LOOSE = 2.0


def judge_outlines(
    drawings: Drawings,
    boxes: pd.DataFrame,
    *,
    code: str,
    severity: Severity,
    max_outside: float,
    max_crossed: float,
    max_findings: int,
) -> Verdict:
    """What is wrong with single outlines; doubled ones are judged with the boxes.

    Args:
        boxes: `Dataset.boxes`.
        max_outside: pixels beyond the border that are still right.
        max_crossed: share of the pixels of an outline that another rule of filling may count otherwise.
    """
    suspects = _suspects(drawings, boxes, max_outside, max_crossed)
    objects = drawings.objects
    counts = {kind: int((suspects["kind"] == kind).sum()) for kind in WORDS}
    flawed = ", ".join(f"{counts[kind]:,} × {words}" for kind, words in WORDS.items() if counts[kind])
    done = int((objects["problem"] == "").sum())
    return Verdict(
        summary=(
            f"{len(suspects):,} findings in {len(objects):,} outlines: {flawed}."
            if len(suspects)
            else f"No empty, crossing or misplaced outline among {done:,} that were drawn."
        ),
        metrics={
            "outlines": len(objects), "outlines_drawn": done, "outlines_without_area": counts["no area"],
            "outlines_crossing": counts["crossed"], "outlines_outside_image": counts["outside"],
            "outlines_unread": counts["unread"], "boxes_beside_outline": counts["beside its box"],
            "boxes_without_outline": counts["no outline"],
        },
        findings=_findings(suspects, boxes, code, severity, max_findings),
        tables=(_table(suspects, boxes),) if len(suspects) else (),
        coverage=Coverage(
            evaluated=len(objects) - drawings.left, total=len(objects), unit="outlines", reason=why_left(drawings),
        ),
    )  # fmt: skip


def why_left(drawings: Drawings) -> str:
    """Why some outlines were not drawn, the most frequent reason first; empty where all were."""
    if not drawings.left:
        return ""
    problems = drawings.objects["problem"]
    reasons = problems[problems.str.startswith(NOT_DRAWN)].value_counts()
    return f"{drawings.left:,} outlines were not drawn: {str(reasons.index[0]).removeprefix(NOT_DRAWN)}"


def outlined(drawings: Drawings | None, boxes: int) -> npt.NDArray[np.bool_]:
    """Which boxes have an outline that was drawn, shape (boxes,)."""
    found = np.zeros(boxes, bool)
    if drawings is not None:
        found[drawings.objects.loc[drawings.objects["problem"] == "", "box"].to_numpy(np.int64)] = True
    return found


def one_object(
    pairs: Pairs, drawings: Drawings | None, sheets: Positions, least: float
) -> tuple[Positions, Positions, npt.NDArray[np.float64]]:
    """Pairs of boxes that cover each other, first, second and intersection over union: of two that have outlines which were
    drawn, those of the outlines decide.

    Args:
        sheets: of each box, as a number: what one person drew on one image.
    """
    if drawings is None:
        return pairs.first, pairs.second, pairs.value
    drawn = outlined(drawings, len(sheets))
    of_boxes = ~(drawn[pairs.first] & drawn[pairs.second])
    same = drawings.pairs[drawings.pairs["iou"] >= least]
    same = same[sheets[same["first"].to_numpy(np.int64)] == sheets[same["second"].to_numpy(np.int64)]]
    first = np.concatenate([pairs.first[of_boxes], same["first"].to_numpy(np.int64)])
    second = np.concatenate([pairs.second[of_boxes], same["second"].to_numpy(np.int64)])
    value = np.concatenate([pairs.value[of_boxes], same["iou"].to_numpy(np.float64)])
    order = np.lexsort((second, first))
    return first[order], second[order], value[order]


def undrawn(dataset: Dataset) -> str:
    """How many outlines of a dataset nobody looked at, and why; empty where all were drawn."""
    every = int(dataset.summary.counts.get("outlines", 0))
    if dataset.drawings is None:
        return f"{every:,} were never drawn: of each object its box was looked at" if every else ""
    return why_left(dataset.drawings)


def nth_of_record(boxes: pd.DataFrame) -> Positions:
    """Which box of its record each is: what tells two of one record apart, also where other records have left."""
    return np.asarray(boxes.groupby("record", sort=False).cumcount(), np.int64)


def hardly_drawn(dataset: Dataset, share: float) -> bool:
    """So large a share of its outlines, or all, was not drawn."""
    return dataset.drawings is None or dataset.drawings.left >= share * len(dataset.drawings.objects)


def _suspects(drawings: Drawings, boxes: pd.DataFrame, max_outside: float, max_crossed: float) -> pd.DataFrame:
    """`box` (position), `kind`, `text` (what else there is to say), `value`; one row per outline and kind."""
    told = drawings.objects
    places = told["box"].to_numpy(np.int64)
    problem = told["problem"].to_numpy(object)
    done = problem == ""
    numbers = {name: told[name].to_numpy(np.float64) for name in ("area", "pixels", "crossed", "outside")}
    extent = told[["x0", "y0", "x1", "y1"]].to_numpy(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = numbers["crossed"] / numbers["pixels"]
        crossed = done & (numbers["crossed"] >= LEAST_CROSSED) & (share > max_crossed)
        flat = done & ~crossed & (numbers["area"] < LEAST_AREA)
        outside = done & (numbers["outside"] > max_outside)
    own = boxes[["x0", "y0", "x1", "y1"]].to_numpy(np.float64)[places]
    beside = done & ~flat & _apart(own, extent)
    unread = np.array([bool(text) and not text.startswith(NOT_DRAWN) for text in problem], bool)
    without = _without_outline(boxes, places)
    parts = [
        _part("no outline", without),
        _part("unread", places[unread], text=problem[unread]),
        _part("no area", places[flat]),
        _part("crossed", places[crossed], value=share[crossed]),
        _part("outside", places[outside], value=numbers["outside"][outside]),
        _part("beside its box", places[beside]),
    ]
    return pd.concat(parts, ignore_index=True)


def _apart(own: npt.NDArray[np.float64], extent: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """A box with area and the extent of its outline are not one."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        sides = [np.maximum(c[:, 2:] - c[:, :2], 0) for c in (own, extent)]
        common = np.maximum(np.minimum(own[:, 2:], extent[:, 2:]) - np.maximum(own[:, :2], extent[:, :2]), 0).prod(axis=1)
        one, other = (side.prod(axis=1) for side in sides)
        iou = common / (one + other - common)
        far = np.abs(own - extent).max(axis=1) > LOOSE
    return np.asarray((one > 0) & np.isfinite(iou) & (iou < LEAST_FIT) & far)


def _without_outline(boxes: pd.DataFrame, outlined: Positions) -> Positions:
    """Boxes without an outline of classes nearly all of whose boxes have one."""
    has = np.zeros(len(boxes), bool)
    has[outlined] = True
    of_class = pd.Series(has).groupby(boxes["label"].to_numpy(object))
    usual = (of_class.transform("mean") >= OUTLINED) & (of_class.transform("sum") >= MIN_OUTLINED)
    return np.flatnonzero(~has & usual.to_numpy(bool))


def _part(
    kind: str, box: Positions, *, text: npt.NDArray[np.object_] | None = None, value: npt.NDArray[np.float64] | None = None
) -> pd.DataFrame:
    return pd.DataFrame(
        {"box": box, "kind": kind, "text": "" if text is None else text, "value": np.nan if value is None else value}
    ).astype({"box": "int64", "kind": "str", "text": "str", "value": "float64"})


def _findings(
    suspects: pd.DataFrame, boxes: pd.DataFrame, code: str, severity: Severity, most: int
) -> tuple[Finding, ...]:  # fmt: skip
    found: list[Finding] = []
    nth = nth_of_record(boxes)
    for place, kind, text, value in suspects.head(most).itertuples(index=False):
        box = boxes.iloc[place]
        evidence: dict[str, Cell] = {"kind": kind, "label": str(box["label"])}
        message = f"{WORDS[kind]}: {box['label']!r}"
        if text:
            message += f" ({text})"
        elif kind == "crossed":
            message += f", {value:.0%} of its pixels are counted otherwise by another rule of filling"
        elif kind == "outside":
            message += f" reaches {value:.0f} pixels beyond the border"
        where = Location(path=str(box["path"]) or None, line=int(box["line"]) or None, record=str(box["record"]))
        found.append(
            Finding(
                code=code,
                severity=severity,
                subject=f"outline {kind} {nth[place]}",
                where=where,
                message=message,
                evidence=evidence,
            )
        )
    return tuple(found)


def _table(suspects: pd.DataFrame, boxes: pd.DataFrame) -> Table:
    chosen = boxes.iloc[suspects["box"]]
    return Table(
        name="outlines", title="Suspect outlines",
        columns=(
            Column(name="record", kind="record", values=chosen["record"].tolist(), title="Record"),
            Column(name="path", kind="path", values=chosen["path"].tolist(), title="Annotation"),
            Column(name="label", kind="class", values=chosen["label"].tolist(), title="Label"),
            Column(name="line", kind="integer", values=chosen["line"].tolist(), title="Line"),
            Column(name="kind", kind="text", values=suspects["kind"].tolist(), title="What"),
            Column(
                name="value", kind="number", title="Pixels outside, or share that crosses",
                values=[None if np.isnan(v) else round(float(v), 3) for v in suspects["value"]],
            ),
            *(
                Column(name=name, kind="number", values=chosen[name].tolist(), title=name)
                for name in ("x0", "y0", "x1", "y1")
            ),
        ),
    )  # fmt: skip
