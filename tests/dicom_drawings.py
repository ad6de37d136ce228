"""DICOM slices of one series, and segmentations and structure sets of them, made with pydicom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.pixels import pack_bits
from pydicom.uid import (
    ComprehensiveSRStorage,
    CTImageStorage,
    ExplicitVRLittleEndian,
    RTStructureSetStorage,
    SegmentationStorage,
)

ROOT = "1.2.826.0.1.3680043.10.543"
HEIGHT, WIDTH, DEPTH = 48, 64, 6
SPACING, THICK = (0.5, 0.75), 2.5
"""Down and across, millimetres."""
ORIGIN = np.array([-20.0, 30.0, 100.0])
FRAME = f"{ROOT}.1"


def uid(number: int) -> str:
    return f"{ROOT}.9.{number}"


def _file(kind: str, instance: str, **values: Any) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    told = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    told.SOPClassUID, told.SOPInstanceUID = kind, instance
    told.PatientID, told.StudyInstanceUID, told.FrameOfReferenceUID = "p1", f"{ROOT}.2", FRAME
    for name, value in values.items():
        setattr(told, name, value)
    return told


def _item(**values: Any) -> Dataset:
    told = Dataset()
    for name, value in values.items():
        setattr(told, name, value)
    return told


def position(slice_: int) -> list[float]:
    return (ORIGIN + np.array([0, 0, THICK * slice_])).tolist()


def write_slices(folder: Path, *, depth: int = DEPTH, seed: int = 0) -> None:
    """`0.dcm`, `1.dcm`, … of one axial series; a bright square lies in each."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(depth):
        array = rng.integers(0, 60, (HEIGHT, WIDTH)).astype(np.uint16)
        array[square(number)] += 900
        told = _file(
            CTImageStorage, uid(number), Modality="CT", SeriesInstanceUID=f"{ROOT}.3", InstanceNumber=number + 1,
            ImagePositionPatient=position(number), ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=list(SPACING),
            SliceThickness=THICK, Rows=HEIGHT, Columns=WIDTH, SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
            BitsAllocated=16, BitsStored=12, HighBit=11, PixelRepresentation=0, PixelData=array.tobytes(),
        )  # fmt: skip
        told.save_as(folder / f"{number}.dcm", enforce_file_format=True)


def square(number: int) -> tuple[slice, slice]:
    return slice(10 + number, 30 + number), slice(20, 41)


def mask(number: int) -> np.ndarray:
    found = np.zeros((HEIGHT, WIDTH), bool)
    found[square(number)] = True
    return found


def write_segmentation(
    path: Path,
    frames: Sequence[tuple[int, int, np.ndarray]],
    *,
    segments: Mapping[int, str],
    names_images: bool = True,
    shift: float = 0.0,
    of: Mapping[int, str] | None = None,
    fractional: bool = False,
) -> None:
    """Frames: segment, slice and mask.

    Args:
        shift: millimetres by which the frames lie lower than the slices that they name.
        of: slice → instance that is named for it.
    """
    array = np.stack([frame for *_, frame in frames])
    told = _file(
        SegmentationStorage, f"{ROOT}.4.{len(path.name)}", Modality="SEG", SeriesInstanceUID=f"{ROOT}.5",
        SegmentationType="FRACTIONAL" if fractional else "BINARY", NumberOfFrames=len(frames), Rows=array.shape[1],
        Columns=array.shape[2], SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", PixelRepresentation=0,
        BitsAllocated=8 if fractional else 1, BitsStored=8 if fractional else 1, HighBit=7 if fractional else 0,
    )  # fmt: skip
    if fractional:
        told.MaximumFractionalValue = 200
    told.SegmentSequence = [_item(SegmentNumber=number, SegmentLabel=name) for number, name in segments.items()]
    told.SharedFunctionalGroupsSequence = [
        _item(
            PlaneOrientationSequence=[_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            PixelMeasuresSequence=[_item(PixelSpacing=list(SPACING), SliceThickness=THICK)],
        )
    ]
    groups = []
    for segment, number, _ in frames:
        place = np.array(position(number)) + np.array([0, 0, shift])
        group = _item(
            SegmentIdentificationSequence=[_item(ReferencedSegmentNumber=segment)],
            PlanePositionSequence=[_item(ImagePositionPatient=place.tolist())],
        )
        if names_images:
            source = _item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=(of or {}).get(number, uid(number)))
            group.DerivationImageSequence = [_item(SourceImageSequence=[source])]
        groups.append(group)
    told.PerFrameFunctionalGroupsSequence = groups
    told.PixelData = (array * 200).astype(np.uint8).tobytes() if fractional else pack_bits(array.astype(np.uint8).ravel())
    told.save_as(path, enforce_file_format=True)


def ring(number: int) -> list[list[float]]:
    """The corners of the square of a slice, in millimetres: a corner of a pixel is half a step off its middle."""
    rows, columns = square(number)
    corners = [(columns.start, rows.start), (columns.stop, rows.start), (columns.stop, rows.stop), (columns.start, rows.stop)]
    x, y, z = position(number)
    return [[x + (i - 0.5) * SPACING[1], y + (j - 0.5) * SPACING[0], z] for i, j in corners]


def write_structures(
    path: Path,
    contours: Sequence[tuple[int, int | None, Sequence[Sequence[float]]]],
    *,
    regions: Mapping[int, str],
    geometry: str = "CLOSED_PLANAR",
) -> None:
    """Contours: region, the slice that is named (None: no image is) and corners."""
    told = _file(RTStructureSetStorage, f"{ROOT}.6.{len(path.name)}", Modality="RTSTRUCT", SeriesInstanceUID=f"{ROOT}.7")
    told.StructureSetROISequence = [
        _item(ROINumber=number, ROIName=name, ReferencedFrameOfReferenceUID=FRAME) for number, name in regions.items()
    ]
    own: dict[int, list[Dataset]] = {}
    for region, number, corners in contours:
        contour = _item(
            ContourGeometricType=geometry, NumberOfContourPoints=len(corners),
            ContourData=[round(value, 4) for corner in corners for value in corner],
        )  # fmt: skip
        if number is not None:
            contour.ContourImageSequence = [_item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=uid(number))]
        own.setdefault(region, []).append(contour)
    told.ROIContourSequence = [_item(ReferencedROINumber=number, ContourSequence=found) for number, found in own.items()]
    told.save_as(path, enforce_file_format=True)


def _code(value: str, scheme: str, meaning: str) -> list[Dataset]:
    return [_item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def write_report(path: Path, *, kind: str = ComprehensiveSRStorage, person: str = "") -> None:
    """An imaging measurement report (PS3.16, TID 1500) with one length."""
    number = _item(
        RelationshipType="CONTAINS", ValueType="NUM", ConceptNameCodeSequence=_code("410668003", "SCT", "Length"),
        MeasuredValueSequence=[_item(NumericValue="12", MeasurementUnitsCodeSequence=_code("mm", "UCUM", "millimeter"))],
    )  # fmt: skip
    group = _item(
        RelationshipType="CONTAINS", ValueType="CONTAINER", ContinuityOfContent="SEPARATE", ContentSequence=[number],
        ConceptNameCodeSequence=_code("125007", "DCM", "Measurement Group"),
    )  # fmt: skip
    told = _file(
        kind, f"{ROOT}.8.{sum(path.as_posix().encode())}", Modality="SR", SeriesInstanceUID=f"{ROOT}.8", ValueType="CONTAINER",
        ConceptNameCodeSequence=_code("126000", "DCM", "Imaging Measurement Report"), ContinuityOfContent="SEPARATE",
        ContentSequence=[group], ContentTemplateSequence=[_item(MappingResource="DCMR", TemplateIdentifier="1500")],
    )  # fmt: skip
    if person:
        told.PatientName = person
    path.parent.mkdir(parents=True, exist_ok=True)
    told.save_as(path, enforce_file_format=True)
