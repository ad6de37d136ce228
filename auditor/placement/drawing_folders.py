"""Masks that lie far from their images, or begin with a word for one.

`Annotation-Training400/Disc_Cup_Masks/Glaucoma/g0001.bmp` is of `Training400/Glaucoma/g0001.jpg`, `segmentation-0.nii` of
`volume-0.nii`, `IMD002/IMD002_lesion/IMD002_lesion.bmp` of `IMD002/IMD002_Dermoscopic_Image/IMD002.bmp`. A name proposes; half
of the files of one kind must find their image, or none is taken.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from auditor.naming.folder_names import is_of_drawings, tokens_of
from auditor.naming.suffixes import stem_of

MOST_ALIKE = 64
"""A word of more folders than this tells none of them from the others."""
MOST_OF_CASE = 8
"""A folder of one case holds no more files of one kind."""
_DRAWN = r"(?:masks?|segs?|segmentations?|labels?|gts?|ground[-_ ]?truths?|annotations?|annos?|contours?|manual)"
_DRAWN_FIRST = re.compile(rf"^{_DRAWN}(?:[-_ .]+|(?=\d))(?P<base>.*\d.*)$", re.IGNORECASE)
_IMAGE_FIRST = re.compile(
    r"^(?:volumes?|vol|ct|mri?|images?|img|imgs|im|scans?|case|patient|pat|originals?|orig|raw|slice|frame|input|data|photo|xray|cxr)"
    r"(?:[-_ .]+|(?=\d))(?P<base>.*\d.*)$",
    re.IGNORECASE,
)
_CUT = re.compile(r"[-_ .]")
_IMAGE_WORDS = frozenset(("image", "images", "img", "imgs", "original", "originals", "raw", "photo", "scan"))
_OUTLINED = (
    "lesion lesions roi rois region regions disc disk cup vessel vessels fovea nucleus nuclei cell cells tumor tumour liver "
    "lung lungs heart kidney organ organs"
)
_REGIONS = frozenset(_OUTLINED.split())
"""What is outlined. A folder so called is one of drawings where a folder of images lies beside it in its case."""


def find_far_masks(paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """File that is a mask by the words of its folders or the beginning of its name → the images that it is of, if any.

    Several images of one name and one case (`InPhase/1.dcm`, `OutPhase/1.dcm`) share a mask.

    Args:
        paths: files whose masks nothing nearer has told.
    """
    kinds = _kinds(paths)
    if not kinds:
        return {}
    owners = _Owners([path for path in paths if path not in kinds])
    members: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for path, kind in kinds.items():
        members[kind][path] = owners.of(path)
    found: dict[str, tuple[str, ...]] = {}
    for pairs in members.values():
        pairs |= owners.by_number([mask for mask, images in pairs.items() if not images])
        if 2 * sum(map(bool, pairs.values())) >= len(pairs):
            found |= pairs
    return found


def _kinds(paths: Sequence[str]) -> dict[str, str]:
    """File → what makes it a mask: the words of a folder, or the word that its name begins with; only of such files."""
    regions = _region_folders(paths)
    kinds: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")[:-1]
        drawn = _folder_of_drawings(parts)
        first = _DRAWN_FIRST.match(stem_of(path))
        folder = next(("/".join(parts[: n + 1]) for n in range(len(parts)) if "/".join(parts[: n + 1]) in regions), None)
        if drawn is not None:
            kinds[path] = drawn
        elif folder is not None:
            kinds[path] = regions[folder]
        elif first is not None:
            kinds[path] = "name"
    return kinds


def _folder_of_drawings(folders: Sequence[str]) -> str | None:
    """The words of the deepest folder of drawings, unless one of images lies in it (`Segmentation/1. Original Images/…`)."""
    for name in reversed(folders):
        if is_of_drawings(name):
            return " ".join(tokens_of(name))
        if set(tokens_of(name)) & _IMAGE_WORDS:
            return None
    return None


def _region_folders(paths: Sequence[str]) -> dict[str, str]:
    """Folders called after what is outlined in the image of a folder beside them, of one case → the word."""
    beside: dict[str, set[str]] = defaultdict(set)
    held = Counter(path.rpartition("/")[0] for path in paths)
    for folder in held:
        parent, _, name = folder.rpartition("/")
        if parent:
            beside[parent].add(name)
    found: dict[str, str] = {}
    for parent, names in beside.items():
        case = parent.rpartition("/")[2].lower()
        own = {name: set(tokens_of(name.lower().removeprefix(case))) for name in names}
        is_case = any(map(str.isdigit, case)) and all(held[f"{parent}/{name}"] <= MOST_OF_CASE for name in names)
        if not is_case:
            continue
        if any(said & _IMAGE_WORDS for said in own.values()):
            found |= {f"{parent}/{name}": min(said) for name, said in own.items() if said and said <= _REGIONS}
    return found


class _Owners:
    """The images that a mask may be of, by their stems."""

    def __init__(self, images: Sequence[str]) -> None:
        self.by_stem: dict[str, list[str]] = defaultdict(list)
        self.by_words: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.in_folder: Mapping[str, int] = Counter(path.rpartition("/")[0] for path in images)
        self.first: dict[str, str] = {}
        self.under: dict[str, list[str]] = defaultdict(list)
        for path in images:
            stem = stem_of(path).lower()
            bare = _IMAGE_FIRST.match(stem)
            self.first.setdefault(path.rpartition("/")[0], path)
            above = path.rpartition("/")[0]
            while above:
                self.under[above].append(path)
                above = above.rpartition("/")[0]
            for key in {stem, bare["base"]} if bare else {stem}:
                self.by_stem[key].append(path)
                for word in _words(path):
                    self.by_words[key, word].append(path)

    def of(self, mask: str) -> tuple[str, ...]:
        """The image that the mask is called after, the nearest where several are called so."""
        for key in _keys(stem_of(mask).lower()):
            called = self.by_stem.get(key)
            if called:
                return (called[0],) if len(called) == 1 else self._nearest(mask, key)
        # `case_1/masks/liver.png` beside the one image of the case
        folder = mask.rpartition("/")[0]
        while folder:
            if self.in_folder.get(folder):
                return (self.first[folder],) if self.in_folder[folder] == 1 else ()
            if folder in self.under:
                return tuple(self.under[folder]) if len(self.under[folder]) == 1 else ()
            folder = folder.rpartition("/")[0]
        return ()

    def by_number(self, masks: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Masks of a folder whose first numbers are those of the images of its case: `i0003.dcm`, `liver_GT_003.png`."""
        found: dict[str, tuple[str, ...]] = {}
        folders: dict[str, list[str]] = defaultdict(list)
        for mask in masks:
            folders[mask.rpartition("/")[0]].append(mask)
        for folder, drawn in folders.items():
            images = self.under.get(folder.rpartition("/")[0], ())
            of = {_number(image): image for image in images}
            numbers = {_number(mask) for mask in drawn}
            if len(images) == len(of) == len(drawn) == len(numbers) and numbers == set(of) and None not in of:
                found |= {mask: (of[_number(mask)],) for mask in drawn}
        return found

    def _nearest(self, mask: str, key: str) -> tuple[str, ...]:
        """The one image so called whose folders share the most words with those of the mask. Two that are as near are both
        meant where they lie beside one another in the folder that holds the mask's, else neither."""
        shared: Counter[str] = Counter()
        for word in _words(mask):
            alike = self.by_words.get((key, word), ())
            if len(alike) <= MOST_ALIKE:
                shared.update(alike)
        if not shared:
            return ()
        most = max(shared.values())
        nearest = tuple(sorted(image for image, count in shared.items() if count == most))
        case = mask.rpartition("/")[0].rpartition("/")[0]
        together = bool(case) and all(image.startswith(case + "/") for image in nearest)
        return nearest if len(nearest) == 1 or (together and len(nearest) <= MOST_OF_CASE) else ()


def _words(path: str) -> set[str]:
    """The folders, whole and in words: of `MR/2/T2SPIR` the 2 alone would be that of T2 as well."""
    folder = path.rpartition("/")[0].lower()
    return set(re.findall(r"[^\W\d_]+|\d+", folder)) | {f"/{part}" for part in folder.split("/")}


def _number(path: str) -> int | None:
    found = re.search(r"\d{1,9}", stem_of(path))
    return int(found[0]) if found else None


def _keys(stem: str) -> list[str]:
    """What the image of a mask may be called: as the mask, without its first word, or as the beginning of its name."""
    keys = [stem]
    first = _DRAWN_FIRST.match(stem)
    if first is not None:
        keys.append(first["base"])
    cuts = [stem[: cut.start()] for cut in _CUT.finditer(stem)]
    return keys + [cut for cut in reversed(cuts) if any(map(str.isdigit, cut))]
