"""What DICOM says about de-identification: the Basic Application Level Confidentiality Profile as data, and which of its
elements name a person.

Source: DICOM PS3.15, Annex E, table E.1-1, edition 2026c: 655 entries and "private attributes", in
`assets/ps315_2026c.csv` (tag, keyword, action). Actions: X remove, Z empty, D replace by a dummy, U replace the UID,
`/` between choices that depend on the element's type in its IOD. Half of the entries were compiled by hand, all were
compared with, and the other half completed from, the data of dicom-anonymizer 2.1.0 (BSD).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

EDITION = "2026c"
TABLE = Path(__file__).with_name("assets") / "ps315_2026c.csv"
Tier = Literal["person", "date", "text"]
"""How near an element is to a person: names somebody or somewhere; tells a day; was typed by a person or names a machine."""

CURVES, OVERLAYS, OVERLAY_COMMENTS = 0x50000000, 0x60003000, 0x60004000


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PERSON = _set(
    """
    AccessionNumber AdmissionID CountryOfResidence CurrentPatientLocation DistributionAddress
    FillerOrderNumberImagingServiceRequest HumanPerformerOrganization InstitutionAddress InstitutionName InterpretationIDIssuer
    InsurancePlanIdentification IssuerOfAdmissionID IssuerOfPatientID IssuerOfServiceEpisodeID MedicalRecordLocator
    OrderCallbackPhoneNumber OrderCallbackTelecomInformation OtherPatientIDs PatientAddress PatientBirthDate
    PatientBirthTime PatientID AddressTrial SpecimenAccessionNumber CameraOwnerName
    PatientInstitutionResidence PatientTelecomInformation PatientTelephoneNumbers PersonAddress PersonTelecomInformation
    PersonTelephoneNumbers PlacerOrderNumberImagingServiceRequest ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers
    RegionOfResidence ResultsIDIssuer ServiceEpisodeID StudyIDIssuer TelephoneNumberTrial MilitaryRank
    ResponsibleOrganization ScheduledPatientInstitutionResidence VerifyingOrganization ClinicalTrialSubjectID
    ClinicalTrialSubjectReadingID
    """
)

_CHARACTERISTICS = _set(
    """
    PatientSex PatientAge PatientSize PatientWeight PregnancyStatus SmokingStatus EthnicGroup EthnicGroups PatientSexNeutered
    OverlayData TimezoneOffsetFromUTC ContrastBolusAgent RequestedContrastAgent
    """
)
"""Judged elsewhere: what characteristics tell together is the question of PH006, ages that of PH010, overlays that of PH009;
or nobody's: what somebody was given, and in which time zone."""

_NUMERIC_VRS = frozenset(("US", "SS", "UL", "SL", "FL", "FD", "DS", "IS", "OB", "OW", "OF", "SQ", "UI", "AT", "TM", "CS", "UN"))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the table. `vr` is empty where the installed dictionary does not know the element."""

    tag: int
    keyword: str
    action: str
    vr: str
    tier: Tier | None


@cache
def profile() -> Mapping[int, Entry]:
    """Tag → row of the basic profile; curves and overlays under the tag of their first group, without private attributes."""
    from pydicom.datadict import dictionary_VR

    found: dict[int, Entry] = {}
    with TABLE.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["tag"] == "odd":
                continue
            tag = int(row["tag"].replace("x", "0"), 16)
            try:
                vr = str(dictionary_VR(tag))
            except KeyError:
                vr = ""
            keyword, action = row["keyword"], row["action"]
            found[tag] = Entry(tag=tag, keyword=keyword, action=action, vr=vr, tier=_tier(keyword, action, vr))
    return found


def entry_of(tag: int) -> Entry | None:
    """The row that holds for a tag, repeating groups 50xx and 60xx included."""
    group = tag >> 16
    if group & 0xFF00 == 0x5000:
        return profile()[CURVES]
    if group & 0xFF00 == 0x6000:
        return profile().get(0x60000000 | tag & 0xFFFF)
    return profile().get(tag)


def _tier(keyword: str, action: str, vr: str) -> Tier | None:
    """None for what is judged elsewhere or by nobody: UIDs, sequences (their items are walked), numbers, characteristics."""
    if keyword in _PERSON or vr == "PN":
        return "person"
    if keyword in _CHARACTERISTICS or action == "U" or vr in _NUMERIC_VRS or not vr:
        return None
    return "date" if vr in ("DA", "DT") else "text"
