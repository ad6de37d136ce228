"""What a column or field of a table holds of people: told by its name, and by whether its values could be such.

Everything here answers with kinds, never with a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COLUMN_WORDS = {
    "name": "name names surname firstname lastname forename givenname familyname patientname fullname initials "
    "nachname vorname familienname patientenname prenom nom nombre apellido apellidos cognome naam achternaam voornaam "
    "姓名 患者姓名 病人姓名 名前 氏名 患者名 患者氏名 이름 성명 환자명 фио фамилия имя",
    "record number": "mrn ssn medicalrecord accession accessionnumber hospitalnumber casenumber nhsnumber insurance passport "
    "recordnumber socialsecurity fallnummer aktenzeichen versichertennummer",
    "birth date": "dob birthdate birthday dateofbirth patientbirthdate geburtsdatum geburtstag datenaissance "
    "datedenaissance fechadenacimiento datadinascita geboortedatum 出生日期 生年月日 생년월일 датарождения",
    "address": "address street zip zipcode postcode postalcode phone tel telephone mobile cellphone fax email mail "
    "adresse strasse plz telefon telefonnummer handynummer téléphone teléfono telefono telefoon "
    "电话 電話 手机 電話番号 전화번호 телефон 地址 住所 주소 адрес",
    "physician": "physician doctor referring referringphysician operator technician arzt",
}
_COLUMN_KINDS = {word: kind for kind, words in COLUMN_WORDS.items() for word in words.split()}
_NAMED_THINGS = _words(
    """
    file image img class column field study series protocol sequence scanner model station label disease dataset folder
    task test drug site brand device product species gene user machine hospital finding organ variable feature ip web memory
    """
)
_PEOPLE = _words(
    """
    patient patients person subject participant donor client child mother father parent husband wife spouse guardian
    relative kin first last given family middle full maiden birth sur fore legal preferred contact emergency next physician
    doctor referring requesting ordering reporting performing operator technician technologist radiologist pathologist
    reader rater annotator observer nurse surgeon consultant investigator sonographer radiographer author staff the s
    """
)
"""Whose name it may be: everything else that has a name is a thing (`Detector Manufacturer Name`, `Collimator/grid Name`)."""


def column_kind(words: Iterable[str]) -> str | None:
    """What a table's column holds by the words of its name: `patient_name` → name, `file_name` → None.

    What it says of a name alone is worth little before the values were looked at: `name` may hold people and image files.
    """
    listed = list(words)
    if "".join(listed) in _COLUMN_KINDS:
        return _COLUMN_KINDS["".join(listed)]
    for before, word, after in zip(["", *listed], listed, [*listed[1:], ""], strict=False):
        for known in (word + after, word):
            kind = _COLUMN_KINDS.get(known)
            if kind is None or before in _NAMED_THINGS:
                continue
            # `patient name`, `name of patient`; not `manufacturer name`, not `name` before some other word
            if known in ("name", "names") and before not in _PEOPLE and not _PEOPLE & set(listed[listed.index(word) + 1 :]):
                continue
            return kind
    return None


_BARE = (["name"], ["names"], ["nom"], ["nombre"], ["naam"])
_NAME_LIKE = re.compile(r"[^\W\d_]{2,}(?:[ ,.^'’\-]+[^\W\d_]+){0,5}\.?|[^\W\d_]{2,}(?:[ ,.^'’\-]+[^\W\d_]+){1,5} \d{1,3}")
_PHONES = _words(
    "phone tel telephone mobile cellphone fax telefon telefonnummer handynummer téléphone teléfono telefono telefoon "
    "电话 電話 手机 電話番号 전화번호 телефон"
)
_DAY = re.compile(r"\d{1,4}([./\- ])\w{1,9}\1\d{1,4}(?:[ T].*)?")
"""A day as anybody writes it: `3/7/51`, `7-Mar-1951`."""
_NO_PERSON = _words(
    """
    yes no true false left right male female other unknown none senior junior expert trainee resident fellow attending
    consultant staff student medical radiologist pathologist physician doctor nurse technician operator reader self benign
    malignant normal
    """
)


def fits_kind(kind: str, column: Iterable[str], values: Sequence[str], rows: int) -> bool:
    """Half of the distinct values could be what the name of their column says; codes and numbers of a study are no people.

    Args:
        column: words of its name.
        values: the distinct ones that are real.
        rows: cells of the column.
    """
    listed = list(column)
    if kind == "name" and "initials" in listed:
        return sum(value.replace(".", "").isalpha() and len(value) <= 6 for value in values) >= len(values) / 2
    if kind in ("name", "physician"):
        # scripts without capitals have none to ask for
        named = [v for v in values if _NAME_LIKE.fullmatch(v.strip()) and not v.strip()[0].islower()]
        named = [v for v in named if v.strip().casefold() not in _NO_PERSON]
        # a bare `name` may be that of a class or a device: people differ from row to row
        differ = kind == "physician" or listed not in _BARE or len(values) >= rows / 2
        return differ and len(named) >= len(values) / 2
    if kind == "address":
        if {"email", "mail"} & set(listed):
            return sum("@" in v for v in values) >= len(values) / 2
        if _PHONES & set(listed):
            return sum(sum(c.isdigit() for c in v) >= 6 for v in values) >= len(values) / 2
        return sum(any(c.isdigit() for c in v) or " " in v.strip() for v in values) >= len(values) / 2
    if kind == "birth date" and sum(_DAY.fullmatch(v.strip()) is not None for v in values) >= len(values) / 2:
        return True
    least = 4 if kind == "record number" else 6
    return sum(sum(c.isdigit() for c in v) >= least for v in values) >= len(values) / 2
