"""Masks by several raters: `images/x.png` beside `rater1/x.png` and `rater2/x.png`, or `masks_reader_1/…`, `1st_manual/…`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from auditor.naming.suffixes import stem_of
from auditor.placement.counterparts import bare_stems
from auditor.placement.masks import IMAGE_FOLDERS, MASK_FOLDERS

RATER_MASK_COLUMNS = ("record", "rater", "path", "problem")
_DRAWN = r"(?:masks?|labels?|annotations?|annos?|segs?|segmentations?|gts?|manuals?|contours?)"
_PERSON = r"(?:raters?|readers?|experts?|annotators?|observers?|radiologists?|graders?|physicians?|doctors?)"
_RATER = re.compile(
    rf"^(?:(?:{_DRAWN}[ _.-]?)?{_PERSON}(?:[ _.-]?\w+)?|"
    rf"{_DRAWN}[ _.-]?(?:\d{{1,2}}|[a-h])|r\d{{1,2}}|\d(?:st|nd|rd|th)[ _-]manual)$",
    re.IGNORECASE,
)
"""Folders that are called after a person or a number. `mask_liver` and `mask_tumour` are two structures, not two raters."""
_SUFFIX = re.compile(rf"^(?P<base>.+?)[ _.-]{_DRAWN}[ _-]?\d*$", re.IGNORECASE)


_FLAT = re.compile(
    rf"^(?P<base>.+?)[ _.-](?P<rater>{_PERSON}[ _-]?\w{{1,3}}|manual[ _-]?\d|(?:1st|2nd|3rd|[4-9]th)[ _-]?[a-z]{{2,8}}|ah|vk)$",
    re.IGNORECASE,
)
"""A drawing beside its picture: `x_1stHO`, `x_reader2`, `x.ah`, `x_manual1`. `x_mask_1` is one of several structures."""


@dataclass(frozen=True, kw_only=True)
class RaterMasks:
    """What `find_rater_masks` found.

    Args:
        of: image → rater (the folder's name) → mask.
        files: all files in the folders of raters, also those without an image.
        why: one sentence; empty when there are none.
    """

    of: Mapping[str, Mapping[str, str]]
    files: frozenset[str] = frozenset()
    why: str = ""

    def first(self, image: str) -> str | None:
        """The mask by the first rater, or None."""
        masks = self.of.get(image)
        return masks[min(masks)] if masks else None

    def frame(self, record_of: Mapping[str, Sequence[str]]) -> pd.DataFrame:
        """Rows of `Dataset.rater_masks`; `record_of`: image → the records that it is the picture of."""
        rows = [
            (record, rater, path, "")
            for image, masks in self.of.items()
            for record in record_of.get(image, ())
            for rater, path in sorted(masks.items())
        ]
        return pd.DataFrame(rows, columns=list(RATER_MASK_COLUMNS)).astype("str")


def find_rater_masks(images: Sequence[str]) -> RaterMasks:
    """Folders of masks, one per rater, by names alone; what the files hold is seen when they are read.

    Two folders or more beside one another are called after raters, at least half of the files of each have the stem of an
    image elsewhere, and at least one image was drawn by two.
    """
    drawn: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in images:
        place = _place(path)
        if place is None:
            for key in _owner_keys(path):
                owners[key].append(path)
        else:
            parent, rater, rest = place
            drawn[parent, rater].append((path, rest))
    bare = bare_stems(images)
    bare_owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (above, rest), paths in owners.items():
        for path in paths:
            bare_owners[above, f"{rest.rpartition('/')[0]}/{bare[path]}"].append(path)
    of: dict[str, dict[str, str]] = defaultdict(dict)
    files: set[str] = set()
    named: dict[str, int] = {}
    siblings: dict[str, int] = defaultdict(int)
    paired = {}
    for (parent, rater), members in drawn.items():
        pairs = [(path, _owner(owners, parent, rest)) for path, rest in members]
        if sum(owner is not None for _, owner in pairs) * 2 < len(pairs):  # `21_manual1` is of `21_training`
            pairs = [(path, _only(bare_owners, parent, f"{rest.rpartition('/')[0]}/{bare[path]}")) for path, rest in members]
        if sum(owner is not None for _, owner in pairs) * 2 >= len(pairs):
            paired[parent, rater] = pairs
            siblings[parent] += 1
    for (parent, rater), pairs in paired.items():
        if siblings[parent] < 2:
            continue
        for path, owner in pairs:
            files.add(path)
            if owner is not None:
                of[owner].setdefault(rater, path)
                named[rater] = named.get(rater, 0) + 1
    if not any(len(masks) > 1 for masks in of.values()):
        return _beside(images)
    said = ", ".join(f"{rater} ({count:,})" for rater, count in sorted(named.items())[:5])
    return RaterMasks(of=dict(of), files=frozenset(files), why=f"folders of masks with the stems of the images: {said}")


def _beside(images: Sequence[str]) -> RaterMasks:
    """Drawings in the folder of their picture, called after it and a rater; at least two raters drew one picture."""
    named = {path: found for path in images if (found := _FLAT.match(stem_of(path))) is not None}
    pictures = {(path.rpartition("/")[0], stem_of(path)): path for path in images if path not in named}
    of: dict[str, dict[str, str]] = defaultdict(dict)
    for path, found in named.items():
        owner = pictures.get((path.rpartition("/")[0], found["base"]))
        if owner is not None:
            of[owner].setdefault(found["rater"].lower(), path)
    paired = sum(map(len, of.values()))
    if paired * 2 < len(named) or not any(len(masks) > 1 for masks in of.values()):
        return RaterMasks(of={})
    raters = ", ".join(sorted({rater for masks in of.values() for rater in masks})[:5])
    return RaterMasks(of=dict(of), files=frozenset(named), why=f"files called after an image and a rater: {raters}")


def _place(path: str) -> tuple[str, str, str] | None:
    """Folder above that of the rater (without `masks/`), rater, and the rest without suffix; None outside such a folder."""
    parts = path.split("/")
    for level, part in enumerate(parts[:-1]):
        if _RATER.match(part):
            above = parts[:level]
            while above and above[-1].lower() in MASK_FOLDERS:
                above = above[:-1]
            below = [name for name in parts[level + 1 : -1] if name.lower() not in MASK_FOLDERS]
            return "/".join(above), part, "/".join((*below, stem_of(path)))
    return None


def _owner_keys(path: str) -> list[tuple[str, str]]:
    """Where masks of this image may be looked for: the folder beside which, and the rest without suffix."""
    parts = path.split("/")
    keys = [("/".join(parts[:-1]), stem_of(path))]
    for level, part in enumerate(parts[:-1]):
        if part.lower() in IMAGE_FOLDERS:
            keys.append(("/".join(parts[:level]), "/".join((*parts[level + 1 : -1], stem_of(path)))))
    return keys


def _only(owners: Mapping[tuple[str, str], list[str]], parent: str, rest: str) -> str | None:
    """The one image so called."""
    found = owners.get((parent, rest), [])
    return found[0] if len(found) == 1 else None


def _owner(owners: Mapping[tuple[str, str], list[str]], parent: str, rest: str) -> str | None:
    """The one image of that stem; a mask that two images fit belongs to neither."""
    suffix = _SUFFIX.match(rest)
    found = owners.get((parent, rest)) or (owners.get((parent, suffix["base"])) if suffix else None) or []
    return found[0] if len(found) == 1 else None
