"""DICOM segmentations, contours and reports among images are told, each by what it is, and a scan of them is no pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    RTStructureSetStorage,
    SegmentationStorage,
    generate_uid,
)

import medaudit
from auditor.degrade.encode import encode

TOLD = {
    SegmentationStorage: "a segmentation", RTStructureSetStorage: "contours", ComprehensiveSRStorage: "a structured report",
    EnhancedSRStorage: "a structured report",
}  # fmt: skip


def annotation(path: Path, kind: str) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, generate_uid(entropy_srcs=[path.name])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = Dataset()
    made.file_meta = meta
    made.SOPClassUID, made.SOPInstanceUID, made.PatientID = kind, meta.MediaStorageSOPInstanceUID, "X"
    if kind == SegmentationStorage:
        made.Rows = made.Columns = 16
        made.NumberOfFrames, made.SamplesPerPixel, made.PhotometricInterpretation = 2, 1, "MONOCHROME2"
        made.BitsAllocated = made.BitsStored = 1
        made.HighBit = made.PixelRepresentation = 0
        made.PixelData = b"\xaa" * 64
    made.save_as(path, enforce_file_format=True)


def test_annotations_among_images_are_told_by_what_they_are(tmp_path: Path) -> None:
    for number in range(6):
        picture = np.random.default_rng(number).random((16, 16))
        (tmp_path / f"image{number}.dcm").write_bytes(encode(picture, "dicom16", seed=number))
    for number, kind in enumerate(TOLD):
        annotation(tmp_path / f"object{number}.dcm", kind)
    result = medaudit.scan(tmp_path, workers=0, cache=False)
    told = {finding.where.path: finding.message for finding in result.findings if finding.code == "IN014"}
    assert set(told) == {"object2.dcm", "object3.dcm"}
    for number, word in enumerate(TOLD.values()):
        if number > 1:
            assert word in told[f"object{number}.dcm"]
    # the others are read as drawings: one has no sequences of frames, the other draws nothing
    assert {f.where.path for f in result.findings if f.code == "IN001"} == {"object0.dcm"}
    assert any("0 objects are drawn by 1 segmentations, 1 structure sets" in note for note in result.dataset.notes)
    assert result.gate.verdict != "passed"
