"""Which parts of paths name a person: `MUELLER_ANNA_1.png`, `Smith, Jane`, `john_smith`, `DoeJane`.

Stricter words would miss most names, looser ones would find them in anatomy. So a listed given name must stand beside a listed
family name, or beside a word that is neither ordinary nor of medicine; and where several parts of a dataset are names of two or
three such words, the others of the same build are names of people, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

from auditor.naming.folder_names import CLASS_WORDS, DRAWING_WORDS, IMAGE_WORDS, STORAGE_WORDS
from auditor.naming.suffixes import suffix_of
from auditor.values.ordinary import ordinary_words

_ASSETS = Path(__file__).with_name("assets")

_ALSO_WORDS_TEXT = """
    ada adam ali ana angel anna art august axel bas ben bernard brian chun claude dan dana dick elias elif florence
    frances francis frank georgia gloria grace graham guido ian ida iris jack jan jason jean jordi jun kim leo marina mark
    max mercedes ming nick nina noel nora ole omar otto owen per peter pia pierre pilar robin roman rosa ross said sam
    sara selma serena sina stella sue tara tim uli ute vera victor victoria viola virginia wanda wei wolf
"""
ALSO_WORDS = frozenset(_ALSO_WORDS_TEXT.split())
"""Given names that are words, abbreviations or places as well: they need a listed family name beside them."""
_MEDICINE_TEXT = """
    anemia atlas carcinoma center centre challenge classification clinic clinics cohort collection college consortium
    contracture criteria database dataset disease foundation fracture grant hospital index institute lymphoma method
    operation palsy phenomenon procedure project protocol reaction registry saint san sankt santa sarcoma school score
    sign stain staining study syndrome test trial tumor tumour university
"""
_MEDICINE = frozenset(_MEDICINE_TEXT.split())
"""Words beside which a name is that of a discoverer, a house or a study."""
_OTHER_TEXT = """
    acral adipose alpha arterial artery atypical axial basal beta bladder blood bone bowel breast bronchus cardiac cell
    cells cervical chest cluster colon config cord coronal cortex crystal cyst delta demented distal dorsal dose duct
    ductal example femur fluid gamma gland glands glass ground hand head heart helper hepatic hip humerus intensity
    invasive karenina kidney knee lateral layer layers left liver lobe lobular lower lung lungs lymph medial mild moderate
    module muscle neck neg nerve net nets nodes non normal optic ovary pancreas pelvis plasma pleural polyp pool pooling
    portal pos post pre projection prostate proximal pulmonary radius renal retina right sagittal serrated severe shoulder
    skin spinal spine spleen squamous stomach stroma thorax thyroid tissue ulcer unet upper uterus utils vein venous
    ventral very vessel viral wrist
"""
_OTHER = frozenset(_OTHER_TEXT.split())
_PAIR = re.compile(r"[^\W\d_]{2,}['’]?[ _,.\-]{1,3}[^\W\d_]")
_CAMEL = re.compile(r"([A-ZÀ-Þ][a-zß-ÿ]{2,})([A-ZÀ-Þ][a-zß-ÿ]{2,})[\W\d_]*")
_WORD = re.compile(r"[^\W\d_]+")
_GAP = re.compile(r"[ _,.\-^]{1,3}")
_COMMA = re.compile(r"((?:[^\W\d_]+['’ \-])*[^\W\d_]{2,}), ?([^\W\d_]+)\.?(?:[ _\-]*\d*)*")
_BUILD = re.compile(r"([^\W\d_]{2,}(?:[ _,.\-^]{1,2}[^\W\d_]{2,}){1,2})(?:[ _\-]*\d*)*")
_PARTICLES = frozenset(
    ("van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "la", "le", "el", "al", "bin", "ibn", "ter", "zu")
)
FEWEST = 3
"""So many different names that are sure, and `SHARE` of all parts of that build, make names of the rest."""
SHARE = 0.2


def named_parts(parts: Iterable[str]) -> frozenset[str]:
    """Those of the parts of paths that seem to name a person."""
    stems = {part: _stem(part) for part in parts}
    sure = {part for part, stem in stems.items() if names_person(stem)}
    built = {
        part: found[1].casefold() for part, stem in stems.items() if (found := _BUILD.fullmatch(stem)) and _unknown(found[1])
    }
    kinds, known = set(built.values()), {built[part] for part in sure if part in built}
    if len(known) >= FEWEST and len(known) >= SHARE * len(kinds):
        sure |= built.keys()
    return frozenset(sure)


def names_person(stem: str) -> bool:
    """One part of a path, without its suffix, tells a full name of its own."""
    if camel := _CAMEL.fullmatch(stem):
        return _is_pair(camel[1], camel[2])
    if not _PAIR.search(stem):
        return False
    found = list(_WORD.finditer(stem))
    if any(word[0].casefold() in _MEDICINE for word in found):
        return False
    if (comma := _COMMA.fullmatch(stem)) and _is_reversed(comma[1], comma[2]):
        return True
    gaps = [stem[one.end() : other.start()] for one, other in pairwise(found)]
    return any(
        _is_pair(one[0], other[0], listed="." in gap)
        for (one, other), gap in zip(pairwise(found), gaps, strict=True)
        if _GAP.fullmatch(gap)
    )


def _is_pair(one: str, other: str, *, listed: bool = False) -> bool:
    """A given name and a family name; `listed`: both must be listed (`julia.config`)."""
    for given, family in ((one.casefold(), other.casefold()), (other.casefold(), one.casefold())):
        if given not in _listed("given"):
            continue
        if family in _listed("family") and family != given:
            return True
        if not listed and given not in ALSO_WORDS and len(family) >= 3 and family not in _PARTICLES and not _is_word(family):
            return True
    return False


def _is_reversed(families: str, given: str) -> bool:
    """`Smith, Jane`, `Jansen, P.`, `van der Berg, Kees`."""
    words = families.casefold().replace("-", " ").split()
    if _is_word(words[-1]) or not given[0].isupper():
        return False
    if len(given) > 1 and (_is_word(given.casefold()) or not given.isalpha()):
        return False
    listed = words[-1] in _listed("family") or given.casefold() in _listed("given")
    return listed or words[0] in _PARTICLES or (len(given) == 1 and families[0].isupper() and families[1:].islower())


def _unknown(text: str) -> bool:
    """No word is ordinary, of medicine or a house."""
    words = [word.casefold() for word in _WORD.findall(text)]
    return not any((_is_word(word) and word not in _listed("family")) or word in _MEDICINE for word in words)


def _is_word(word: str) -> bool:
    known = ordinary_words()
    return word in known or word.removesuffix("s") in known or word in _words()


@cache
def _words() -> frozenset[str]:
    return CLASS_WORDS | DRAWING_WORDS | IMAGE_WORDS | STORAGE_WORDS | _MEDICINE | _OTHER


@cache
def _listed(kind: str) -> frozenset[str]:
    """Common names of Europe, the Americas, Turkey, India and East Asia, in lower case."""
    return frozenset((_ASSETS / f"{kind}_names.txt").read_text("utf-8").split())


def _stem(part: str) -> str:
    suffix = suffix_of(part)
    return part[: -len(suffix) - 1] if suffix else part
