"""How well one column fits one role, and which are corners of boxes or places of marks: names propose, content decides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from auditor.naming.headers import BoxStyle, plain
from auditor.naming.lexicon import name_score
from auditor.naming.names import split_name
from auditor.tables.profiles import INTEGER, Profile
from auditor.values.privacy import NOBODY

JUDGED = ("split", "path", "patient", "lesion", "study", "series", "site", "fold", "time", "mask")
"""Roles that a single column has, in the order in which columns are given away."""
MOST_LESIONS = 20
"""Whole numbers up to here count the lesions of a patient or an image; ids go on."""
LEAST_CASES = 8
"""Fewer cases are examples, chapters or groups."""
LEAST_IMAGES = 1.2
"""Images of a case on average; where nearly every image is a case of its own, the column names images."""
_DATE = re.compile(r"^(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4}|(?:19|20)\d{6})(?:[T ]\d.*)?$")


def judged(role: str, name: str, seen: Profile, share: float) -> tuple[float, str] | None:
    """Confidence that the column has the role, 0 to 1, and why; None where it has not.

    Args:
        role: one of `JUDGED`.
        name: of the column, which is not empty.
        share: of its names that are files of the dataset.
    """
    if role == "split":
        return _split(role, name, seen)
    if role == "path":
        return _path(role, name, seen, share)
    if role == "mask":
        return _mask(role, name, seen, share)
    return _named(role, name, seen)


def case_ids(name: str, seen: Profile, images: int) -> tuple[float, str] | None:
    """The same for the patient of a column that is called `case`, `donor` or `animal` and holds numbers of them.

    Args:
        name: of the column.
        seen: what is in it.
        images: how many the table names.
    """
    if not name_score(name, "case") or seen.distinct < LEAST_CASES or images < LEAST_IMAGES * seen.distinct:
        return None
    if not all(any(letter.isdigit() for letter in value) for value in seen.sample):
        return None
    return 0.75, f"called so, {seen.distinct:,} values for {images:,} images"


def _split(role: str, name: str, seen: Profile) -> tuple[float, str] | None:
    if seen.distinct > 8 or not all(split_name(value) for value in seen.sample):
        return None
    why = f"every value is a split: {', '.join(sorted(seen.sample)[:4])}"
    if name_score(name, role):
        return 0.98, why
    return (0.85, why) if seen.distinct > 1 else None


def _path(role: str, name: str, seen: Profile, share: float) -> tuple[float, str] | None:
    named = name_score(name, role)
    if "://" in str(seen.values[0]) and share < 0.5:
        return None
    alike = seen.image_names
    if share >= 0.5:
        return 0.7 + 0.27 * share + 0.01 * named + 0.005 * alike, f"{share:.0%} of its names are files of the dataset"
    if alike >= 0.9:
        return 0.8 + 0.1 * named, f"{alike:.0%} of its values end as image files do"
    if named == 1 and seen.distinct > max(seen.rows / 10, 1):
        return 0.6, "called like a column of images, another value in most rows"
    return None


def _named(role: str, name: str, seen: Profile) -> tuple[float, str] | None:
    named = name_score(name, role)
    if not named or all(re.sub(r"[\W_]+", "", value.lower()) in NOBODY for value in seen.sample):
        return None  # `removed` in every row is nobody's id
    if role == "lesion" and not _are_lesions(seen):
        return None  # `Nodule` with yes and no is a finding
    if role == "time":
        sample = seen.sample
        dates = sum(_DATE.match(value) is not None for value in sample) / len(sample)
        return (0.9 * named, f"called so, and {dates:.0%} of its values are dates") if dates >= 0.9 else None
    of = f"{seen.distinct:,} values for {seen.filled:,} rows"
    if role in ("site", "fold"):
        return (0.85 * named, f"called so, {of}") if 1 < seen.distinct <= max(50, seen.rows // 20) else None
    if 1 < seen.distinct < seen.filled:
        return 0.95 * named, f"called so, {of}"
    return 0.5 * named, "called so, but " + ("one value for all rows" if seen.distinct == 1 else "another value in every row")


def _mask(role: str, name: str, seen: Profile, share: float) -> tuple[float, str] | None:
    there = seen.image_names >= 0.9 or share >= 0.5
    return (0.9, "called so, and its values are files") if name_score(name, role) and there else None


def _are_lesions(seen: Profile) -> bool:
    """The values can tell lesions apart: `Nodule` with yes and no, kinds (`cyst`) or a count is a finding, and 1, 2, 3 are the
    lesions of each patient."""
    values = seen.told.sample
    if seen.states or len(values) <= 2:
        return False
    if all(INTEGER.fullmatch(value) for value in values):
        return max(abs(float(value)) for value in values) > MOST_LESIONS
    return any(letter.isdigit() for value in values for letter in value)


_BOXES: tuple[tuple[BoxStyle, tuple[str, str, str, str]], ...] = (
    ("corners", ("xmin", "ymin", "xmax", "ymax")),
    ("corners", ("x0", "y0", "x1", "y1")),
    ("corners", ("x1", "y1", "x2", "y2")),
    ("corners", ("left", "top", "right", "bottom")),
    ("size", ("x", "y", "width", "height")),
    ("size", ("x", "y", "w", "h")),
    ("size", ("bboxx", "bboxy", "bboxw", "bboxh")),
    ("size", ("bboxx", "y", "w", "h")),
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
