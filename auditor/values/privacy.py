"""What gives a person away in a text: rules that the user declares, values that stand for nobody, names, dates and numbers.

Everything here answers with kinds, never with the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from auditor.values.patterns import fits, pattern_of


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOBODY = _set(
    """
    anon anonym anonymous anonymized anonymised anonymize anonymise anonymity deidentified deid removed redacted none null na
    nan n/a unknown unspecified undefined empty dummy phantom test notavailable withheld xxxx xxxxx xxx x name patient
    """
)
"""What de-identification writes in place of a value, in lower case and without spaces, carets, dashes and digits."""

EMPTY_DAYS = frozenset(("00000000", "00010101", "19000101", "19700101", "99991231"))
_DECORATION = re.compile(r"[\s^_\-.:=\\/*#0-9()\[\]<>]+")


@dataclass(frozen=True)
class Privacy:
    """`[privacy]` of medaudit.toml: what is known to be no identifier.

    Args:
        pseudonyms: regular expression; a value that it matches whole stands for nobody outside the study.
        private_allowed: private creators whose elements may stay.
        quasi_identifiers: metadata columns that together could single a patient out (`table.age`, `dicom.PatientSex`).
        telling: of a copy: parts of names that the scan of its original found to tell of a person, and kinds. Headers that said
            so may be gone, and the names are not.
    """

    pseudonyms: str = ""
    private_allowed: tuple[str, ...] = ()
    quasi_identifiers: tuple[str, ...] = ()
    telling: tuple[tuple[str, frozenset[str]], ...] = ()

    @cached_property
    def _pattern(self) -> Any:
        return pattern_of(self.pseudonyms) if self.pseudonyms else None

    def __getstate__(self) -> dict[str, object]:
        return {key: value for key, value in self.__dict__.items() if key != "_pattern"}

    def is_real(self, value: str) -> bool:
        """True for a value that could name somebody: not empty, not a placeholder, no declared pseudonym."""
        text = value.strip("\0 ")
        if self._pattern is not None and fits(self._pattern, text):
            return False
        letters = _DECORATION.sub("", text).casefold()
        if not letters:
            digits = re.sub(r"\D", "", text)
            return bool(digits.strip("0")) and digits[:8] not in EMPTY_DAYS
        return letters not in NOBODY and bool(letters.strip("x"))


_DATE = re.compile(
    r"(?<![\d.])(?:"
    r"(?:19|20)\d\d[-_./ ]?(?:0[1-9]|1[0-2])[-_./ ]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[1-9]|[12]\d|3[01])[-_./](?:0[1-9]|1[0-2])[-_./](?:19|20)\d\d"
    r"|(?:0[1-9]|1[0-2])[-_./](?:0[1-9]|[12]\d|3[01])[-_./](?:19|20)\d\d"
    r")(?!\.?\d)"
)
_PERSON_NAME = re.compile(r"[^\W\d_]{2,64}\^{1,4}[^\W\d_]")
_TITLED = re.compile(
    r"(?<![^\W_])(?:(?:Dr|Prof|Mrs?|Ms|Mme|Mlle)\.[ _]?|(?:Herr|Frau|Mrs|Mr|Ms)[. _]+)(?:Dr\.[ _]?)?[A-Z][a-zà-ÿ]+"
    # `M. Crohn` is a disease (morbus), `M. Biceps` a muscle (musculus), `M. Durand` a gentleman
    r"|(?<![^\W_])M\.[ _]?(?!(?i:crohn|parkinson|alzheimer|bechterew|basedow|hodgkin|paget|scheuermann|whipple|meniere|addison"
    r"|cushing|bowen|dupuytren|perthes|sudeck|wilson|werlhof|waldenstr|biceps|triceps|quadriceps|deltoid|masseter|psoas|iliacus"
    r"|gluteus|pectoralis|trapezius|temporalis|rectus|soleus|sartorius|gracilis|vastus|supraspin|infraspin|subscap|teres))"
    r"[A-Z][a-zà-ÿ]+"
)
_NUMBER = re.compile(
    r"(?<![^\W_])(?:mrn|ssn|medrec|recordno|patno|accession|nhs|dob|phone|tel)[-_ :=#]{0,4}[a-z]{0,3}[-_]?\d{4,}", re.IGNORECASE
)
_SOCIAL = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_MAIL = re.compile(r"[\w.+-]{2,64}@[\w-]{2,64}\.[a-z]{2,}", re.IGNORECASE)
_ADJACENT = re.compile(r"[^\W\d_]+")

_GIVEN_NAMES = _set(
    """
    james robert john michael david william richard joseph thomas charles christopher daniel matthew anthony donald steven
    andrew joshua kenneth kevin brian timothy ronald jason edward jeffrey ryan jacob nicholas gary eric jonathan stephen larry
    justin scott brandon benjamin samuel gregory patrick raymond dennis jerry tyler aaron henry douglas peter adam nathan
    zachary walter kyle harold carl jeremy gerald keith roger arthur terry lawrence sean christian albert ethan austin
    mary patricia jennifer linda elizabeth barbara susan jessica karen sarah lisa nancy sandra betty ashley emily kimberly
    margaret donna michelle carol amanda melissa deborah stephanie rebecca sharon laura cynthia dorothy kathleen shirley
    angela helen anna brenda pamela nicole ruth katherine samantha christine catherine virginia debra rachel janet emma carolyn
    maria heather diane julie joyce victoria kelly christina joan evelyn lauren judith olivia martha cheryl megan andrea ann
    jean pierre jacques michel andre philippe alain bernard francois nathalie isabelle sylvie monique valerie sophie hans klaus
    juergen wolfgang dieter manfred ursula monika petra sabine renate giuseppe giovanni mario luigi francesca jose juan carlos
    luis miguel antonio carmen ana isabel mohammed muhammad ahmed fatima ali hassan wei ming hiroshi yuki ivan olga sergei
    """
)
"""Common given names of a few languages: enough to suspect, never enough to clear."""

_WORDS = _set(
    """
    case control normal left right lung chest skin image images train test val mask scan slice lesion cyst polyp tumor tumour
    bacteria virus pneumonia benign malignant study series patient subject eye breast brain heart view frontal lateral syndrome
    disease sign cohort center centre hospital site and the of or de data set batch group class type stage grade dose may mark
    arbor
    """
)


_HINT = re.compile(
    r"\^|@|(?:19|20)\d\d[-_./ ]?[01]\d|\d\d[-_./]\d\d[-_./](?:19|20)\d\d|\d{3}-\d{2}-"
    r"|(?i:mrn|ssn|medrec|recordno|patno|accession|nhs|dob|phone|tel)|(?:Dr|Prof|Mrs?|Ms|Herr|Frau|Mme|Mlle|M)\."
    r"|[^\W\d_]{2,64}[ _,.\-]{1,2}[^\W\d_]{3}"
)


def may_tell(text: str) -> bool:
    """A quick look: False for nearly all texts in which `kinds_in` finds nothing, never for one in which it finds something."""
    return _HINT.search(text) is not None


def addresses_somebody(text: str) -> bool:
    """A title before a name (`Dr. Weber`), or a name in DICOM's form: sure enough for one row of many to count."""
    return _TITLED.search(text) is not None or _PERSON_NAME.search(text) is not None


def kinds_in(text: str) -> frozenset[str]:
    """What a text seems to hold: any of `name`, `date`, `record number`, `e-mail`."""
    found = set()
    if _PERSON_NAME.search(text) or _TITLED.search(text) or _has_full_name(text):
        found.add("name")
    if _DATE.search(text):
        found.add("date")
    if _NUMBER.search(text) or _SOCIAL.search(text):
        found.add("record number")
    if "@" in text and _MAIL.search(text):
        found.add("e-mail")
    return frozenset(found)


def _has_full_name(text: str) -> bool:
    """A common given name beside another capitalised word: `Smith_John`, `John Smith`; not `john`, not `JEAN.png`."""
    words = _ADJACENT.findall(text[:4096])
    for first, second in pairwise(words):
        for given, family in ((first, second), (second, first)):
            if given.casefold() not in _GIVEN_NAMES or family.casefold() in _WORDS or len(family) < 3:
                continue
            together = re.search(rf"{re.escape(first)}[ _,.\-]{{1,2}}{re.escape(second)}", text)
            if together and given[0].isupper() and family[0].isupper() and (given.isupper() or given.istitle()):
                return True
    return False


_HUSHED = re.compile(
    r"[^\W\d_]{2,64}(?:\^+[^\W\d_]*)+|[\w.+-]{2,64}@[\w-]{2,64}\.[a-z]{2,}|(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"
    r"|(?<![^\W_])(?:mrn|ssn|medrec|recordno|patno|accession|nhs)[-_ :=#]{0,4}[a-z]{0,3}[-_]?\d{4,}",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[\^@]|\d{4}")


def hush(text: str) -> str:
    """The text with names in DICOM's form, record numbers and e-mail addresses replaced by `withheld`.

    The last line of defence before anything is shown; what could be an ordinary word or date is left alone.
    """
    return _HUSHED.sub("withheld", text) if _MARKS.search(text) else text


@dataclass(frozen=True, kw_only=True)
class TableLook:
    """One table: `headers` in their order; `columns` maps a column to what it seems to hold; `key` is why it could undo a
    de-identification."""

    name: str
    rows: int
    columns: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    is_table: bool = True
    """False for a description of one image or folder (a JSON sidecar, a DICOMDIR), whose `columns` are fields."""
    headers: tuple[str, ...] = ()
