"""Names of folders that say how, with what or where pictures were taken: views, modalities, sequences, phases, devices, places.

A model that learns them learns nothing of patients, and a folder so called is no class unless the user says so. What is left of
a name when the words that all its neighbours share are gone (`IXI-T1`, `IXI-T2`) must be made of such words alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import reduce

from auditor.naming.places import PLACES

_WORDS: Mapping[str, str] = {
    "view": """
        axial coronal sagittal transverse transversal tra ax cor sag frontal lateral ap pa lat oblique cc mlo 2ch 3ch 4ch
        2c 3c 4c a2c a3c a4c lax sax plax psax view left right od os""",
    "modality": """
        ct mr mri pet petct us cr dx xr mg cxr xray ray spect mra cta cbct hrct ultrasound ultrasonography mammography
        radiography radiograph angiography tomography oct octa fundus dermoscopy dermoscopic macroscopic""",
    "sequence": """
        t1 t1w t1n t1c t1ce t1gd t1post t1wce t2 t2w t2f flair dwi adc swi pd pdw dce bold asl mprage stir dual spir inphase
        outphase t1dual t2spir dixon tse fse gre spgr bssfp trufi lge""",
    "phase": """
        arterial venous portal portovenous delayed nephrographic corticomedullary excretory native precontrast postcontrast
        noncontrast contrast enhanced unenhanced plain pre post ed es diastole systole diastolic systolic end
        inspiration expiration phase""",
    "device": """
        siemens philips ge gehealthcare toshiba canon hitachi fuji fujifilm agfa carestream hologic samsung mindray esaote
        shimadzu neusoft uih bosch forus remidio topcon zeiss nidek optovue heidelberg spectralis cirrus stratus kowa crystalvue
        olympus pentax storz hamamatsu aperio leica ventana roche 3dhistech mirax healthcare medical systems scanner vendor
        device camera iphone android smartphone""",
}  # fmt: skip
KINDS = tuple(_WORDS)
_KIND_OF = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_FIELD = re.compile(r"\dt\d|\d(?:\.\d)?t")
"""Field strength: `1.5T`, `GE3T`, `1T5`."""
_CARE = frozenset(("hospital", "hospitals", "clinic", "klinik", "klinikum", "clinique", "infirmary", "university", "univ"))
_MOSTLY = 0.6
"""Of folders beside one another so many must be places that are known; the others are taken for places as well."""


def pieces(name: str) -> tuple[str, ...]:
    """Words, and words with a number in them (`T1w`, `2CH`), in lower case: `GE3T` → ge, 3t; `TestData` → test, data."""
    found: list[str] = []
    for part in re.findall(r"[^\W_]+(?:\.\d+[A-Za-z]+)?", name):
        whole = part.lower()
        field = _FIELD.search(whole)
        if whole in _KIND_OF:
            found.append(whole)
        elif field is not None and field.end() == len(whole):
            found += [piece for piece in (whole[: field.start()], field[0]) if piece]
        else:
            found += re.sub(r"(?<=[a-z])(?=[A-Z])", " ", part).lower().split()
    return tuple(found)


def own_pieces(names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Name → its pieces without those that all of the names share (of several names)."""
    parts = {name: pieces(name) for name in names}
    shared = reduce(frozenset.intersection, map(frozenset, parts.values())) if len(parts) > 1 else frozenset()
    return {name: tuple(piece for piece in mine if piece not in shared) for name, mine in parts.items()}


def acquisition_kind(names: Collection[str], storage: Collection[str] = ()) -> str | None:
    """What folders beside one another say of how their pictures were taken, one of `KINDS`; None where they say more or less.

    Args:
        storage: words that say nothing (`images`).
    """
    kinds: list[str] = []
    for mine in own_pieces(names).values():
        told = [piece for piece in mine if piece not in storage]
        kind = next((_KIND_OF.get(piece, "device") for piece in told if piece in _KIND_OF or _FIELD.fullmatch(piece)), None)
        if not told:
            continue  # storage beside them
        if kind is None or not all(piece in _KIND_OF or _FIELD.fullmatch(piece) or piece.isdigit() for piece in told):
            return None
        kinds.append(kind)
    return max(KINDS, key=kinds.count) if kinds else None


def is_acquisition(name: str) -> bool:
    """One name alone is made of such words, and of one that is no plain word of English (`GE3T`, `axial`)."""
    return acquisition_kind((name,)) is not None


def are_sites(names: Collection[str], storage: Collection[str] = ()) -> bool:
    """Most of the folders are called after a town, a country, a hospital or a university."""
    told = [
        bool({*mine, "".join(mine)} & PLACES or set(mine) & _CARE)
        for name in names
        for mine in [tuple(piece for piece in pieces(name) if piece not in storage and not piece.isdigit())]
    ]
    return len(told) > 1 and sum(told) >= _MOSTLY * len(told)
