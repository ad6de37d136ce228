"""Which columns of a table are corners of boxes, or places of marks: by their names, and only where they hold numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditor.naming.headers import BoxStyle, plain
from auditor.tables.profiles import Profile

_BOXES: tuple[tuple[BoxStyle, tuple[str, str, str, str]], ...] = (
    ("corners", ("xmin", "ymin", "xmax", "ymax")),
    ("corners", ("x0", "y0", "x1", "y1")),
    ("corners", ("x1", "y1", "x2", "y2")),
    ("corners", ("left", "top", "right", "bottom")),
    ("size", ("x", "y", "width", "height")),
    ("size", ("x", "y", "w", "h")),
    ("size", ("bboxx", "bboxy", "bboxw", "bboxh")),
)
_POINTS = (("x", "y"), ("pointx", "pointy"), ("xcoord", "ycoord"), ("cx", "cy"), ("xcenter", "ycenter"))


def box_columns(free: Sequence[str], profiles: Mapping[str, Profile]) -> tuple[tuple[str, str, str, str], BoxStyle, str] | None:
    """Four columns, how they are meant, and why; None where there are none."""
    by_name = {plain(name): name for name in free}
    for style, keys in _BOXES:
        if all(key in by_name for key in keys):
            one, two, three, four = (by_name[key] for key in keys)
            if all(profiles[name].numeric for name in (one, two, three, four)):
                return (one, two, three, four), style, f"four numbers called {', '.join(keys)}"
    return None


def point_columns(free: Sequence[str], profiles: Mapping[str, Profile]) -> tuple[str, str] | None:
    """The columns of x and y; None where there are none."""
    by_name = {plain(name): name for name in free}
    for first, second in _POINTS:
        if first in by_name and second in by_name:
            x, y = by_name[first], by_name[second]
            if profiles[x].numeric and profiles[y].numeric:
                return x, y
    return None
