"""What the name of a folder says: words of storage, of classes and splits; how patients, sites and numbers are written."""

from __future__ import annotations

import re
from collections.abc import Collection

from auditor.naming.acquisition import own_pieces, pieces
from auditor.naming.clinical import CLINICAL_WORDS
from auditor.naming.names import split_name

_STORAGE = (
    "image images img imgs data dataset datasets file files folder dir part parts batch jpegimages png pngs jpg "
    "jpeg dicom dicoms dcm nifti tif tiff scan scans slice slices raw original originals picture pictures photo "
    "photos input inputs tile tiles patch patches export archive archives set sets volume volumes all misc other "
    "tests samples sample series study studies zip crop crops subset fold derivatives sourcedata rawdata anat "
    "func dwi fmap perf anon anonymized anonymised deidentified "
    "图像 影像 图片 原图 数据 数据集 圖像 画像 元画像 데이터 이미지 영상 изображения снимки данные"
)
STORAGE_WORDS = frozenset(_STORAGE.split())
_CLASSES = (
    "sick diseased case grade stage class uninfected parasitized tb yes no glaucoma cataract pos neg meningioma "
    "pituitary notumor adenocarcinoma"
)
CLASS_WORDS = CLINICAL_WORDS | frozenset(_CLASSES.split())
PATIENT_FOLDER = re.compile(r"^(?:patient|pat|pt|subject|subj|sub|pid|case|person|p|s)[-_ ]?\d+$", re.IGNORECASE)
NUMBERED = re.compile(r"^\w{1,2}[.)]\s*")
"""`a. Training Set`, `1) Images`."""
SITE_FOLDER = re.compile(r"^(?:site|hospital|center|centre|clinic|institution|institute)[-_ ]?\w+$", re.IGNORECASE)
UID_FOLDER = re.compile(r"^[\d.]{12,}$")
NUMBER_FOLDER = re.compile(
    r"^[A-Za-z]{0,8}[-_ ]?\d{3,}[-_ ]?[A-Za-z0-9]{0,3}$|\d{5,}|^[0-9a-f]{12,}$|^TCGA-|^(?=(?:\D*\d){3})(?:[A-Z]\d+){3,}$"
)
"""Also codes of letters and digits by turns (`A0S9V9`)."""


_DRAWINGS = (
    "mask masks seg segs segmentation segmentations gt gts groundtruth groundtruths annotation annotations anno annos annot "
    "annots ground contour contours delineation delineations outline outlines "
    "掩膜 掩码 掩模 蒙版 标注 分割 金标准 マスク 마스크 маски маска разметка"
)
DRAWING_WORDS = frozenset(_DRAWINGS.split())
"""A folder so called holds what was drawn over images, and is no class."""
_DRAWN_ENDINGS = ("masks", "mask", "segmentation", "segmentations", "groundtruth", "annotations", "contours", "掩膜", "标注")
"""`lungmasks`, `leftMask`."""
IMAGE_WORDS = frozenset(("image", "images", "img", "imgs", "图像", "影像", "图片", "画像", "이미지"))
"""A folder that is called so alone is no class beside others that are."""


def tokens_of(name: str) -> tuple[str, ...]:
    """The words of letters (of any script) in a name, lower case."""
    return tuple(re.findall(r"[^\W\d_]+", name.lower()))


def is_of_drawings(name: str) -> bool:
    """The folder holds what was drawn over images; `with_mask` and `without_mask` speak of a mask of cloth."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    said = {*tokens_of(name), *tokens_of(apart)}
    drawn = DRAWING_WORDS & said or {"ground", "truth"} <= said or any(token.endswith(_DRAWN_ENDINGS) for token in said)
    return bool(drawn) and not said & {"with", "without", "no", "wearing"}


def drawn_among(names: Collection[str]) -> frozenset[str]:
    """Of folders beside one another, those of drawings; none where another says that something is not masked (`no_mask`)."""
    drawn = frozenset(name for name in names if is_of_drawings(name))
    rest = [name for name in names if name not in drawn]
    worn = any(DRAWING_WORDS & set(tokens_of(name)) for name in rest) or any("unmasked" in name.lower() for name in rest)
    return drawn if rest and not worn else frozenset()


def class_words(name: str) -> tuple[str, ...]:
    """The words of a folder name that could mean a class."""
    return tuple(t for t in tokens_of(name) if t not in STORAGE_WORDS and split_name(t) is None)


def as_split(name: str) -> str | None:
    """The split that a folder is called after (`train`, `val`, `test`), None where it is called after none."""
    name = NUMBERED.sub("", name)
    whole = split_name(name)
    if whole is not None:
        return whole
    words = [split_name(piece) for piece in pieces(name) if piece not in STORAGE_WORDS and not piece.isdigit()]
    return words[0] if len(words) == 1 else None


_VERSIONS = frozenset(("new", "old", "final", "copy", "v", "neu", "alt", "kopie", "fixed", "clean", "cleaned", "corrected"))


def _versioned(name: str) -> str | None:
    """The split of a name that counts its versions: `val2`, `test_new`, `Training (copy)`."""
    words = [piece.rstrip("0123456789") for piece in pieces(name)]
    found = [split_name(word) for word in words if word and word not in _VERSIONS | STORAGE_WORDS]
    return found[0] if len(found) == 1 else None


def splits_among(names: Collection[str]) -> dict[str, str]:
    """Name → split, of folders beside one another that are called after splits, each alone, beside words that all share
    (`ISIC2018_Task1_Training_Input`, `ISIC2018_Task1_Test_Input`) or, where there are several splits, with a version (`val2`);
    empty where one is not."""
    found = {name: as_split(name) for name in names}
    if None in found.values():
        for name, own in own_pieces(names).items():
            words = [split_name(piece) for piece in own if piece not in STORAGE_WORDS and not piece.isdigit()]
            found[name] = words[0] if len(words) == 1 else None
    if None in found.values():
        counted = {name: _versioned(name) for name in names}
        found = counted if len(set(counted.values())) > 1 else found
    return {name: split for name, split in found.items() if split is not None} if None not in found.values() else {}
