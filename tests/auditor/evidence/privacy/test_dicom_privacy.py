"""The walk over every element: all encodings, every depth, and no end of trouble."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset as Elements
from pydicom.sequence import Sequence as Items
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from auditor.degrade.encode import encode
from auditor.evidence.privacy.dicom_privacy import dicom_exposure
from auditor.evidence.privacy.ps315 import entry_of
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits
from auditor.values.privacy import Privacy

RULES, LIMITS = Privacy(), Limits()


def written(dataset: pydicom.Dataset, syntax: str, *, undefined: bool) -> bytes:
    for element in dataset.iterall():
        if element.VR == "SQ":
            element.is_undefined_length = undefined
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    stream = io.BytesIO()
    kept = pydicom.Dataset()
    kept.update(dataset)
    kept.file_meta = dataset.file_meta
    pydicom.dcmwrite(stream, kept, enforce_file_format=True)
    return stream.getvalue()


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_a_name_is_found_at_every_depth_in_every_encoding(syntax: str, undefined: bool) -> None:
    dataset = pydicom.dcmread(io.BytesIO(encode(np.zeros((8, 8)), "dicom12")))
    deepest = Elements()
    deepest.PatientName = "Doe^Jane"
    for _ in range(5):
        outer = Elements()
        outer.ReferencedStudySequence = Items([Elements(), deepest])
        deepest = outer
    dataset.ReferencedStudySequence = Items([deepest])
    found = dicom_exposure(written(dataset, syntax, undefined=undefined), "x.dcm", RULES, LIMITS)
    assert found == {"person": "PatientName"}


def test_all_of_pydicoms_files_agree_with_pydicom() -> None:
    """Oracle: pydicom's own walk over the same files."""
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    agreed = more = 0
    for path in sorted(folder.glob("*.dcm")):
        content = path.read_bytes()
        try:
            found = dicom_exposure(content, path.name, RULES, LIMITS)
            dataset = pydicom.dcmread(io.BytesIO(content), force=True)
            wanted = set()
            for element in dataset.iterall():
                entry = entry_of(int(element.tag))
                if entry is None or entry.tier != "person" or element.VR == "SQ" or not element.value:
                    continue
                raw = element.value if isinstance(element.value, pydicom.multival.MultiValue) else [element.value]
                if any(RULES.is_real(str(value)) for value in raw):
                    wanted.add(entry.keyword)
        except (UnreadableFile, EOFError, ValueError, KeyError, NotImplementedError, AttributeError, TypeError, UserWarning):
            continue
        mine = set(filter(None, found.get("person", "").split("+")))
        assert wanted <= mine, path.name
        agreed += wanted == mine
        more += wanted != mine
    assert agreed >= 60
    assert more <= 1, "a sequence inside of a private element, which pydicom takes for bytes"


def test_nesting_beyond_the_limit_ends_the_walk() -> None:
    head = encode(np.zeros((8, 8)), "dicom12")
    at = head.index(struct.pack("<HH", 0x0010, 0x0010))
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1110, b"SQ", 0, 0xFFFFFFFF)
    deep = (sequence + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)) * 200
    with pytest.raises(UnreadableFile, match="deeper than 32 levels"):
        dicom_exposure(head[:at] + deep + head[at:], "x.dcm", RULES, LIMITS)


def test_a_damaged_sequence_is_told() -> None:
    head = encode(np.zeros((8, 8)), "dicom12")
    at = head.index(struct.pack("<HH", 0x0010, 0x0010))
    inner = struct.pack("<HHI", 0xFFFE, 0xE000, 16) + struct.pack("<HH2sH", 0x0010, 0x0010, b"PN", 60000) + b"Doe^Jane"
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1110, b"SQ", 0, len(inner)) + inner
    found = dicom_exposure(head[:at] + sequence + head[at:], "x.dcm", RULES, LIMITS)
    assert found["hidden"] == "part that cannot be read"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Mrs. Erika Musterfrau, born 03.02.1951, MRN 3300001", "person"),
        ("Patient: Musterfrau, Erika. No acute findings.", "person"),
        ("Known nodule, patient born on 03.02.1951", "person"),
        ("Findings were discussed with Dr. Beispiel by phone", "person"),
        ("No acute cardiopulmonary abnormality. Heart size normal.", "text"),
        ("Status post M. Crohn, stable. M. Biceps intact.", "text"),
        ("ANONYMIZED", None),
    ],
)
def test_the_text_of_a_report_is_read_for_people(text: str, kind: str | None) -> None:
    dataset = pydicom.dcmread(io.BytesIO(encode(np.zeros((8, 8)), "dicom12")))
    item = Elements()
    item.ValueType, item.TextValue = "TEXT", text
    dataset.ContentSequence = Items([item])
    found = dicom_exposure(written(dataset, ExplicitVRLittleEndian, undefined=True), "x.dcm", RULES, LIMITS)
    assert {key: names for key, names in found.items() if "TextValue" in names} == ({kind: "TextValue"} if kind else {})


def test_a_description_that_names_somebody_is_of_a_person_and_another_is_a_text() -> None:
    dataset = pydicom.dcmread(io.BytesIO(encode(np.zeros((8, 8)), "dicom12")))
    dataset.SeriesDescription, dataset.StudyDescription = "Ax T1 for Dr. Smith", "abdomen^liver"
    found = dicom_exposure(written(dataset, ExplicitVRLittleEndian, undefined=True), "x.dcm", RULES, LIMITS)
    assert found["person"] == "SeriesDescription"
    assert "StudyDescription" in found["text"]


@pytest.mark.parametrize(
    ("name", "path", "at"),
    [
        ("Kuzmenkova^Oxana", "set/kuzmenkova_0.dcm", {"PatientName@1"}), ("Kuzmenkova^Oxana", "oxana7/a", {"PatientName@0"}),
        ("Chest^Anna", "chest/a.dcm", set()), ("LIDC-0001", "LIDC/a.dcm", set()), ("Kuzmenkova^Oxana", "other/a.dcm", set()),
    ],
)  # fmt: skip
def test_one_word_of_a_name_in_a_path_is_enough_unless_it_is_an_ordinary_one(name: str, path: str, at: set[str]) -> None:
    content = encode(np.zeros((8, 8)), "dicom12", tags={"PatientName": name})
    found = dicom_exposure(content, path, RULES, LIMITS)
    assert set(filter(None, found.get("path", "").split("+"))) == at
