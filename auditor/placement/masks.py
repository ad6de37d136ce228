"""Which images are masks of others: by name (`x_mask`, `x_anno`) or by folder (`image/3.png` and `label/3.png`)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from auditor.naming.suffixes import stem_of
from auditor.placement.counterparts import bare_stems, words_of
from auditor.placement.drawing_folders import find_far_masks

MASK_FOLDERS = frozenset(
    [
        "mask",
        "masks",
        "label",
        "labels",
        "annotation",
        "annotations",
        "anno",
        "annos",
        "seg",
        "segs",
        "segmentation",
        "segmentations",
        "groundtruth",
        "ground_truth",
        "gt",
        "gts",
        "manual",
        "1st_manual",
        "2nd_manual",
        "labelstr",
        "labelsts",
        "segmentationclass",
        "segmentationobject",
        "mask_images",
        "label_images",
    ]
)

IMAGE_FOLDERS = frozenset(
    [
        "image",
        "images",
        "img",
        "imgs",
        "input",
        "inputs",
        "raw",
        "scan",
        "scans",
        "slice",
        "slices",
        "original",
        "originals",
        "data",
        "imagestr",
        "imagests",
        "jpegimages",
        "tissue_images",
        "photo",
        "photos",
        "tiles",
        "patches",
    ]
)

_SUFFIX = re.compile(
    r"^(?P<base>.+?)[ _.-]"
    r"(?:masks?|msk|anno|annos|annotations?|[df]?seg|segs|segmentations?|labels?|gt|ground[ _-]?truth|manual|lesions?)"
    r"[ _-]?\d*$",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"^(?:masks?|msk|segs?|segmentations?|labels?|gt|lesions?|wmh)$", re.IGNORECASE)
"""The whole name of a mask that lies in the folder of its case."""
_SESSION = re.compile(r"^sub-[A-Za-z0-9]+(?:_ses-[A-Za-z0-9]+)?(?=_)")
MOST_OF_CASE = 8
"""A case has no more files that one mask belongs to."""
_SOUGHT_WORDS = (
    "manual manuals gt gts truth groundtruth seg segs segmentation segmentations annotation annotations expert lesion"
)
_SOUGHT = frozenset(_SOUGHT_WORDS.split())
_FIELDS = frozenset(("fov", "border", "aperture", "valid"))
_CHANNEL = re.compile(r"^(?P<base>.+)_\d{4}$")


@dataclass(frozen=True, kw_only=True)
class Masks:
    """What `find_masks` found.

    Args:
        of: image → its masks, sorted.
        alone: files that are masks by name or folder, without their image.
        why: one sentence; empty when there are none.
    """

    of: Mapping[str, tuple[str, ...]]
    alone: tuple[str, ...] = ()
    why: str = ""

    @property
    def files(self) -> frozenset[str]:
        """All mask files."""
        return frozenset(self.alone).union(*self.of.values()) if self.of else frozenset(self.alone)


def worth(mask: str) -> tuple[int, str]:
    """What sorts the masks of one image: drawings of what is sought, other masks, then the field of view and its like."""
    said = words_of(mask.replace("/", " ").replace(".", " "))
    return (2 if said & _FIELDS else 0 if said & _SOUGHT else 1), mask


def find_masks(images: Sequence[str]) -> Masks:
    """Tell masks from images by names alone; an image has at least one pixel-for-pixel partner, so half of them must pair."""
    named = _by_suffix(images)
    left = set(named.alone)
    rest = [path for path in images if path not in named.files or path in left]
    folders = _by_folder(rest)
    of: dict[str, tuple[str, ...]] = dict(named.of)
    for image, masks in folders.of.items():
        of[image] = tuple(sorted((*of.get(image, ()), *masks)))
    far = find_far_masks([path for path in rest if path not in folders.files and path not in left])
    owned = {mask for masks in folders.of.values() for mask in masks}
    alone = [path for path in dict.fromkeys((*named.alone, *folders.alone)) if path not in owned]
    for mask, owners in far.items():
        if not owners:
            alone.append(mask)
        for owner in owners:
            of[owner] = (*of.get(owner, ()), mask)
    told = "folders or first words of names say drawing, and the names are those of images" if far else ""
    why = "; ".join(part for part in (named.why, folders.why, told) if part)
    return Masks(
        of={image: tuple(sorted(masks, key=worth)) for image, masks in of.items()}, alone=tuple(sorted(alone)), why=why
    )


def _by_suffix(images: Sequence[str]) -> Masks:
    candidates: dict[str, str] = {}
    for path in images:
        found = _SUFFIX.match(stem_of(path))
        if found is not None:
            candidates[path] = found["base"]
        elif _WHOLE.match(stem_of(path)):
            candidates[path] = ""
    if not candidates:
        return Masks(of={})
    # A mask may itself end like one of another image: only images that are no candidates have masks.
    owners: dict[tuple[str, str], str] = {}
    by_stem: dict[str, list[str]] = defaultdict(list)
    for path in images:
        if path not in candidates:
            owners.setdefault((path.rpartition("/")[0], stem_of(path)), path)
            by_stem[stem_of(path)].append(path)
    in_folder: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    in_session: dict[str, list[str]] = defaultdict(list)
    for path in images:
        if path not in candidates:
            folder = path.rpartition("/")[0]
            in_folder[folder].append(path)
            below[folder.rpartition("/")[0]].append(path)
            session = _SESSION.match(stem_of(path))
            if session is not None and "derivatives/" not in path:
                in_session[session[0]].append(path)
    of: dict[str, list[str]] = defaultdict(list)
    alone: list[str] = []
    for path, base in candidates.items():
        owner = owners.get((path.rpartition("/")[0], base))
        if owner is None and len(by_stem.get(base, ())) == 1:
            owner = by_stem[base][0]
        owned = [owner] if owner is not None else _of_case(path, base, in_folder, below, in_session)
        if not owned:
            alone.append(path)
        for image in owned:
            of[image].append(path)
    paired = len(candidates) - len(alone)
    if paired < len(candidates) / 2:
        return Masks(of={})
    why = f"{paired:,} files are named after an image with `_mask`, `_anno`, `_seg` or the like"
    return Masks(of={owner: tuple(sorted(masks)) for owner, masks in of.items()}, alone=tuple(alone), why=why)


def _of_case(
    path: str,
    base: str,
    in_folder: Mapping[str, Sequence[str]],
    below: Mapping[str, Sequence[str]],
    in_session: Mapping[str, Sequence[str]],
) -> list[str]:
    """The images of the case that a mask lies with (`x_t1`, `x_flair` beside `x_seg`; `imaging` beside `segmentation`), or of
    the session that it is called after (BIDS derivatives)."""
    session = _SESSION.match(stem_of(path))
    if session is not None:
        found = in_session.get(session[0], ())
    else:
        folder = path.rpartition("/")[0]
        beside = in_folder.get(folder) or (() if base else below.get(folder, ()))  # `pre/T1` beside `wmh`
        found = [image for image in beside if not base or re.match(re.escape(base) + r"[_\-. ]", stem_of(image))]
    return list(found) if "/" in path and len(found) <= MOST_OF_CASE else []


def _by_folder(images: Sequence[str]) -> Masks:
    """Pair `…/label/…/x` with `…/image/…/x`: one folder of the path is swapped, the rest and the stem are the same."""
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    others: dict[tuple[str, str], list[str]] = defaultdict(list)
    bare = bare_stems(images)
    bare_others: dict[tuple[str, str], list[str]] = defaultdict(list)
    alone_in: dict[str, set[str]] = defaultdict(set)
    for path in images:
        parts = path.split("/")
        stem = stem_of(path)
        keys = []
        for level, part in enumerate(parts[:-1]):
            pattern = "/".join((*parts[:level], "*", *parts[level + 1 : -1]))
            if part.lower() in MASK_FOLDERS:
                members[(pattern, part)].append(path)
            elif part.lower() in IMAGE_FOLDERS:
                keys.append(pattern)
                alone_in[pattern].add(path)
        # `x.png` beside `masks/x.png`; `ct.nii.gz` beside `segmentations/liver.nii.gz`
        keys.append("/".join((*parts[:-1], "*")))
        if len(parts) > 1:
            alone_in[keys[-1]].add(path)
        for pattern in keys:
            others[(pattern, stem)].append(path)
            bare_others[(pattern, bare[path])].append(path)
            channel = _CHANNEL.match(stem)
            if channel is not None:
                others[(pattern, channel["base"])].append(path)
    of: dict[str, list[str]] = defaultdict(list)
    alone: list[str] = []
    folders: list[str] = []
    taken: set[str] = set()
    for (pattern, folder), paths in members.items():
        pairs: list[tuple[str, list[str]]] = []
        for path in paths:
            stem = stem_of(path)
            suffix = _SUFFIX.match(stem)
            found = others.get((pattern, stem)) or (others.get((pattern, suffix["base"])) if suffix else None) or []
            pairs.append((path, [owner for owner in found if owner != path]))
        paired = sum(1 for _, found in pairs if found)
        if paired < len(paths) / 2:  # `1st_manual/21_manual1` is of `images/21_training`
            others_of = {path: [o for o in bare_others.get((pattern, bare[path]), ()) if o not in paths] for path in paths}
            pairs = [(path, found if len(found) == 1 else []) for path, found in others_of.items()]
            paired = sum(1 for _, found in pairs if found)
        single = alone_in[pattern]
        if paired < len(paths) / 2 and len(single) == 1:  # a case of one image, whose cells have a mask each
            pairs = [(path, sorted(single)) for path in paths]
            paired = len(pairs)
        if paired < len(paths) / 2:
            continue
        folders.append(f"{pattern.replace('*', folder)} ({paired:,})")
        for path, found in pairs:
            if path in taken:
                continue
            taken.add(path)
            if not found:
                alone.append(path)
            for owner in found:
                of[owner].append(path)
    # An image in a mask folder is no owner: `labels/` beside `masks/`.
    owned = {owner: tuple(sorted(masks)) for owner, masks in of.items() if owner not in taken}
    lost = sorted(taken - set(alone) - {mask for masks in owned.values() for mask in masks})
    why = f"same stems as the images beside: {', '.join(sorted(folders)[:3])}" if folders else ""
    return Masks(of=owned, alone=tuple(sorted((*alone, *lost))), why=why)
