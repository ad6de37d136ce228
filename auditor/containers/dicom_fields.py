"""Which DICOM elements become fields and roles, and how: numbers stay numbers, dates become month, weekday and hour, whatever
could identify is hashed, names, birth dates and addresses are never taken.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping
from datetime import date

from auditor.containers.dicom_header import Element, Elements
from auditor.containers.header_text import in_words
from auditor.values.image import FieldValue
from auditor.values.privacy import kinds_in, may_tell

NUMBERS: Mapping[int, str] = {
    0x00280002: "SamplesPerPixel", 0x00280006: "PlanarConfiguration", 0x00280008: "NumberOfFrames", 0x00280010: "Rows",
    0x00280011: "Columns", 0x00280100: "BitsAllocated", 0x00280101: "BitsStored", 0x00280102: "HighBit",
    0x00280103: "PixelRepresentation", 0x00280030: "PixelSpacing", 0x00181164: "ImagerPixelSpacing",
    0x00180050: "SliceThickness", 0x00180088: "SpacingBetweenSlices", 0x00281052: "RescaleIntercept",
    0x00281053: "RescaleSlope", 0x00281050: "WindowCenter", 0x00281051: "WindowWidth", 0x00282112: "LossyImageCompressionRatio",
    0x00180060: "KVP", 0x00181150: "ExposureTime", 0x00181151: "XRayTubeCurrent", 0x00181152: "Exposure",
    0x00181110: "DistanceSourceToDetector", 0x00180087: "MagneticFieldStrength", 0x00180080: "RepetitionTime",
    0x00180081: "EchoTime", 0x00181314: "FlipAngle", 0x00181100: "ReconstructionDiameter", 0x00181120: "GantryDetectorTilt",
    0x00280106: "SmallestImagePixelValue", 0x00280107: "LargestImagePixelValue", 0x00280120: "PixelPaddingValue",
    0x00101020: "PatientSize", 0x00101030: "PatientWeight", 0x00201002: "ImagesInAcquisition",
}  # fmt: skip
"""First value, as a number."""

TEXTS: Mapping[int, str] = {
    0x00020012: "ImplementationClassUID", 0x00020013: "ImplementationVersionName", 0x00080005: "SpecificCharacterSet",
    0x00080008: "ImageType", 0x00080016: "SOPClassUID", 0x00080060: "Modality", 0x00080064: "ConversionType",
    0x00080070: "Manufacturer", 0x00081090: "ManufacturerModelName", 0x00181020: "SoftwareVersions",
    0x00280004: "PhotometricInterpretation", 0x00282110: "LossyImageCompression", 0x00282114: "LossyImageCompressionMethod",
    0x00281054: "RescaleType", 0x00281056: "VOILUTFunction", 0x20500020: "PresentationLUTShape",
    0x00185101: "ViewPosition", 0x00180015: "BodyPartExamined", 0x00200060: "Laterality", 0x00200062: "ImageLaterality",
    0x00181210: "ConvolutionKernel", 0x00180020: "ScanningSequence", 0x00180021: "SequenceVariant", 0x00180022: "ScanOptions",
    0x00180023: "MRAcquisitionType", 0x00181250: "ReceiveCoilName", 0x00185100: "PatientPosition", 0x00181160: "FilterType",
    0x00187004: "DetectorType", 0x00181508: "PositionerType", 0x00180010: "ContrastBolusAgent",
    0x00100040: "PatientSex", 0x00280301: "BurnedInAnnotation", 0x00120062: "PatientIdentityRemoved",
    0x00280303: "LongitudinalTemporalInformationModified",
}  # fmt: skip
"""All values, joined by a backslash, plain: codes and names of machines."""

HASHED: Mapping[int, str] = {
    0x00080080: "InstitutionName", 0x00081040: "InstitutionalDepartmentName", 0x00081010: "StationName",
    0x00181000: "DeviceSerialNumber", 0x00181030: "ProtocolName", 0x0008103E: "SeriesDescription",
    0x00081030: "StudyDescription", 0x00081070: "OperatorsName", 0x00120063: "DeidentificationMethod",
}  # fmt: skip
"""Typed by people, or names of places, machines and people: a short digest stands for the value."""

_DATES: Mapping[int, tuple[int, str]] = {
    0x00080020: (0x00080030, "Study"),
    0x00080021: (0x00080031, "Series"),
    0x00080022: (0x00080032, "Acquisition"),
}
"""Date tag → time tag and the stem of the field names."""

_PATIENT, _ISSUER, _AGE, _ACQUIRED = 0x00100020, 0x00100021, 0x00101010, 0x0008002A
_INSTANCE, _STUDY, _SERIES, _REFERENCE, _ACCESSION = 0x00080018, 0x0020000D, 0x0020000E, 0x00200052, 0x00080050
_FREE_TEXT = (0x0008103E, 0x00081030, 0x00181030, 0x00204000, 0x00082111, 0x00081080, 0x00321060, 0x001021B0, 0x00104000)
_PALETTE = frozenset((0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203))
OFFSETS, OFFSET_LENGTHS = 0x7FE00001, 0x7FE00002
_META_CLASS = 0x00020002

WANTED = frozenset(
    {*NUMBERS, *TEXTS, *HASHED, *_DATES, *(time for time, _ in _DATES.values()), *_PALETTE, *_FREE_TEXT, _PATIENT, _ISSUER,
     _AGE, _ACQUIRED,
     _INSTANCE, _STUDY, _SERIES, _REFERENCE, _ACCESSION, OFFSETS, OFFSET_LENGTHS, _META_CLASS, 0x00020010}
)  # fmt: skip

_BINARY = {
    b"US": "H", b"SS": "h", b"UL": "I", b"SL": "i", b"FL": "f", b"FD": "d", b"UV": "Q", b"SV": "q", b"OW": "H", b"AT": "H",
}  # fmt: skip
_CODE_BYTES = {code: struct.calcsize(code) for code in "HhIiQqfd"}
_IMPLICIT_SHORT = frozenset(tag for tag in NUMBERS if tag >> 16 == 0x0028 and tag & 0xFFFF not in (
    0x0008, 0x0030, 0x1050, 0x1051, 0x1052, 0x1053, 0x2112)) | _PALETTE  # fmt: skip
_ROOT_ARCS = (("2.25", 2), ("1.3.6.1.4.1", 7), ("1.3.12.2", 5), ("1.2.826.0.1", 6))


def number(elements: Elements, tag: int, index: int = 0) -> float | int | None:
    """One value of an element as a number; of the shared functional groups when the data set itself lacks it."""
    element = elements.found.get(tag) or elements.shared.get(tag)
    if element is None:
        return None
    vr, raw = element
    code = _BINARY.get(vr) or ("H" if tag in _IMPLICIT_SHORT and vr in (b"", b"UN") else None)
    if code is not None:
        size = _CODE_BYTES[code]
        if len(raw) < size * (index + 1):
            return None
        value = struct.unpack_from(elements.order + code, raw, size * index)[0]
        if code in "HIhi":
            return int(value)
    else:
        parts = raw.split(b"\\", index + 1)
        if index >= len(parts):
            return None
        try:
            value = float(parts[index].strip(b"\0 ")[:32])
        except ValueError:
            return None
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 2**53 else float(value)


def text(elements: Elements, tag: int, longest: int = 256) -> str:
    """All values of an element as text, without padding; empty when absent."""
    element = elements.found.get(tag) or elements.shared.get(tag)
    return _decode(element, elements)[:longest] if element else ""


def digest(value: str) -> str:
    """A short stand-in for a value that could identify: equal values stay equal, the value itself is not told."""
    return "#" + hashlib.blake2b(value.strip().casefold().encode("utf-8", "replace"), digest_size=6).hexdigest()


def dicom_fields(elements: Elements) -> dict[str, FieldValue]:
    """All fields of one file, `dicom.<Keyword>`; absent elements are absent."""
    fields: dict[str, FieldValue] = {}
    for tag, name in NUMBERS.items():
        if tag in elements.found or tag in elements.shared:
            fields[f"dicom.{name}"] = number(elements, tag)
    if (across := number(elements, 0x00280030, 1)) is not None:
        fields["dicom.PixelSpacingColumn"] = across
    for tag, name in TEXTS.items():
        if (tag in elements.found or tag in elements.shared) and (value := text(elements, tag)):
            fields[f"dicom.{name}"] = digest(value) if may_tell(value) and kinds_in(value) else value
    for tag, name in HASHED.items():
        if (tag in elements.found or tag in elements.shared) and (value := text(elements, tag)):
            fields[f"dicom.{name}"] = digest(value)
    for tag, (time, stem) in _DATES.items():
        fields |= _date_parts(text(elements, tag), text(elements, time), stem)
    if (age := _years(text(elements, _AGE))) is not None:
        fields["dicom.PatientAge"] = age
    if instance := text(elements, _INSTANCE):
        fields["dicom.UIDRoot"] = uid_root(instance)
    fields["dicom.TransferSyntaxUID"] = elements.transfer_syntax
    fields["dicom.TransferSyntaxDeclared"] = "yes" if elements.declared else "no"
    fields["container.preamble"] = "yes" if elements.preamble else "no"
    fields["dicom.PrivateCreators"] = "+".join(elements.creators)
    fields["dicom.ElementCount"] = elements.count
    return fields


def dicom_roles(elements: Elements) -> dict[str, str]:
    """Values for record roles, plain except the site; never shown."""
    roles: dict[str, str] = {}
    if patient := text(elements, _PATIENT):
        issuer = text(elements, _ISSUER)
        roles["patient"] = f"{issuer}|{patient}" if issuer else patient
    for name, tag in (("study", _STUDY), ("series", _SERIES), ("instance", _INSTANCE), ("frame_of_reference", _REFERENCE),
                      ("accession", _ACCESSION)):  # fmt: skip
        if value := text(elements, tag):
            roles[name] = value
    if place := text(elements, 0x00080080):
        roles["site"] = digest(place)
    acquired = text(elements, _ACQUIRED)
    pairs = [(acquired[:8], acquired[8:14]), *((text(elements, d), text(elements, t)) for d, (t, _) in
             sorted(_DATES.items(), reverse=True))]  # fmt: skip
    for day, time in pairs:
        found = _day(day)
        if found is not None:
            clock = time.replace(":", "")
            complete = clock[:6].isdigit() and len(clock) >= 6
            roles["time"] = found.isoformat() + (f"T{clock[:2]}:{clock[2:4]}:{clock[4:6]}" if complete else "")
            break
    return roles | in_words(*(text(elements, tag) for tag in _FREE_TEXT if tag in elements.found))


def uid_root(uid: str) -> str:
    """The leading arcs of a UID that name the organisation that gave it out."""
    for arc, length in _ROOT_ARCS:
        if uid.startswith(arc + "."):
            return ".".join(uid.split(".")[:length])
    return ".".join(uid.split(".")[:4])


def palette(elements: Elements) -> tuple[tuple[int, int, int], tuple[bytes, bytes, bytes]] | None:
    """(entries, first index, bits) and the three colour tables; None where they are missing, segmented or inconsistent."""
    descriptors = [tuple(number(elements, tag, i) for i in range(3)) for tag in (0x00281101, 0x00281102, 0x00281103)]
    tables = [elements.found.get(tag) for tag in (0x00281201, 0x00281202, 0x00281203)]
    first = descriptors[0]
    if any(d != first for d in descriptors) or None in first or any(t is None for t in tables):
        return None
    entries, start, bits = (int(value or 0) for value in first)
    entries = entries or 65536
    values = tuple(t.value for t in tables if t is not None)
    if bits not in (8, 16) or start < 0:
        return None
    # 8-bit tables are stored as bytes, or, by older writers, one to a 16-bit word
    if any(len(v) < entries * (bits // 8) for v in values):
        return None
    return (entries, start, bits), (values[0], values[1], values[2])


def _decode(element: Element, elements: Elements) -> str:
    value = element.value[:4096].rstrip(b"\0 ")
    if not value:
        return ""
    if value.isascii():
        raw = value.decode("ascii")
    else:
        charset = elements.found.get(0x00080005)
        raw = value.decode("utf-8" if charset is not None and b"ISO_IR 192" in charset.value else "latin-1", "replace")
    if "\\" in raw:
        raw = "\\".join([part.strip("\0 ") for part in raw.split("\\")]).strip("\\")
    if not raw.isprintable():
        raw = "".join([c for c in raw if c.isprintable()])
    return raw.strip()


def _date_parts(day: str, time: str, stem: str) -> dict[str, FieldValue]:
    parts: dict[str, FieldValue] = {}
    found = _day(day)
    if found is not None:
        parts |= {
            f"dicom.{stem}Year": found.year,
            f"dicom.{stem}Month": found.month,
            f"dicom.{stem}Weekday": found.isoweekday(),
        }
    if len(time) >= 2 and time[:2].isascii() and time[:2].isdigit() and int(time[:2]) < 24:
        parts[f"dicom.{stem}Hour"] = int(time[:2])
    return parts


def _day(value: str) -> date | None:
    digits = value.replace(".", "").replace("-", "")[:8]
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return None
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _years(value: str) -> float | None:
    unit = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}.get(value[-1:].upper())
    figure = value[:-1] if unit else value
    return round(int(figure) / (unit or 1.0), 2) if figure.isascii() and figure.isdigit() else None
