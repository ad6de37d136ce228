"""Points of a table: some left out, some elsewhere."""

from __future__ import annotations

import math

import numpy as np

from auditor.degrade.flaws import Truth
from auditor.values.errors import ConfigError
from trainers.degrading.draft import Draft
from trainers.degrading.objects import refuse_outlines, rows_with


def worsen_points(draft: Draft) -> None:
    """`--missing` and `--deform` of points: each moves to the side and up or down, by a normal draw each.

    Raises:
        ConfigError: an option that points do not know, or points that stand in no table.
    """
    wish = draft.wish
    refuse_outlines(wish, "points")
    columns = draft.rows.points if draft.has_table else ()
    if not columns:
        raise ConfigError(f"points of the layout {draft.dataset.summary.layout} are read and not written; those of tables are")
    points = draft.dataset.points.dropna(subset=["x"]).reset_index(drop=True)
    rows = rows_with(draft, columns, len(points))
    rng = np.random.default_rng(draft.seed("missing"))
    gone = set(rng.choice(len(points), size=math.floor(len(points) * (wish.missing or 0.0) + 0.5), replace=False).tolist())
    moves = np.random.default_rng(draft.seed("deform")).normal(0, wish.deform or 0.0, (len(points), 2)).tolist()
    table = zip(points["record"], points["label"], points["x"].tolist(), points["y"].tolist(), strict=True)
    for place, (record, label, x, y) in enumerate(table):
        old = f"{x:g} {y:g}"
        if place in gone:
            # the row stays: its reader looked, and marked nothing
            for column in columns:
                draft.table.put(column, int(rows[place]), "")
            draft.truth.append(Truth(record=str(record), kind="missing-point", old=old, detail=str(label)))
        elif wish.deform is not None:
            new = [f"{round(value + move, 2):g}" for value, move in zip((x, y), moves[place], strict=True)]
            for column, text in zip(columns, new, strict=True):
                draft.table.put(column, int(rows[place]), text)
            draft.truth.append(Truth(record=str(record), kind="point-moved", old=old, new=" ".join(new)))
