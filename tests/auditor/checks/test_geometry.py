"""IN006, IN007, IN010 and IN012 on files as programs write them."""

from __future__ import annotations

import dataclasses
import struct
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from auditor.checks.in006 import GeometryMismatch
from auditor.checks.in007 import MixedGeometry
from auditor.checks.in010 import BitsDeclared
from auditor.checks.in012 import MaskValues
from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset
from auditor.values.results import Severity

STEPS = np.array([[0.8, 0, 0, -20], [0, 0.8, 0, -15], [0, 0, 2, 5], [0, 0, 0, 1.0]])


def turned(degrees: float) -> np.ndarray:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(4)
    matrix[:2, :2] = [[cosine, -sine], [sine, cosine]]
    return matrix


def moved(x: float) -> np.ndarray:
    affine = STEPS.copy()
    affine[0, 3] += x
    return affine


def extracted(root: Path, **options: object) -> Dataset:
    return extract(open_dataset(root, Options(**options)), Pass(workers=0))[0]


def array(seed: int, kind: str = "i2") -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 900, (24, 20, 12)).astype(kind)


def nifti_set(root: Path, masks: list[np.ndarray], suffix: str = "nii.gz") -> Dataset:
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for i, affine in enumerate(masks):
        kind = nibabel.Nifti1Pair if suffix == "img" else nibabel.Nifti1Image
        kind(array(i), STEPS).to_filename(root / f"images/case_{i}.{suffix}")
        kind((array(i) > 450).astype("u1"), affine).to_filename(root / f"masks/case_{i}.{suffix}")
    return extracted(root)


def names(dataset: Dataset) -> list[tuple[str, str, Severity]]:
    verdict = GeometryMismatch().run(dataset)
    return [(Path(f.where.path or "").name.split(".")[0], f.subject, f.severity) for f in verdict.findings]


def test_a_mask_of_another_place_is_found_by_what_differs_and_rounding_is_not(tmp_path: Path) -> None:
    rounded = STEPS.copy()
    rounded[:3] = np.round(rounded[:3] + 1e-7, 6)
    stretched = STEPS @ np.diag([1, 1, 1.5, 1])
    mirrored = np.diag([-1, 1, 1, 1.0]) @ STEPS
    masks = [STEPS, moved(12.5), STEPS @ turned(12), rounded, mirrored, stretched, moved(0.4), moved(0.1)]
    assert names(nifti_set(tmp_path, masks)) == [
        ("case_1", "mask: origin", Severity.ERROR),
        ("case_2", "mask: direction", Severity.ERROR),
        ("case_4", "mask: orientation", Severity.ERROR),
        ("case_5", "mask: spacing", Severity.ERROR),
        ("case_6", "mask: origin", Severity.WARNING),
    ]


def test_headers_with_their_pixels_beside_are_read_and_compared(tmp_path: Path) -> None:
    dataset = nifti_set(tmp_path, [STEPS, moved(3), STEPS], suffix="img")
    assert dataset.problems == ()
    assert dataset.size == 3
    assert names(dataset) == [("case_1", "mask: origin", Severity.ERROR)]
    (tmp_path / "images/case_0.img").unlink()
    assert [p.kind for p in extracted(tmp_path).problems] == ["refused"]


def test_a_mask_whose_writer_knew_no_place_is_a_warning(tmp_path: Path) -> None:
    dataset = nifti_set(tmp_path, [STEPS, STEPS, np.eye(4)])
    assert names(dataset) == [("case_2", "mask: spacing", Severity.WARNING)]
    nowhere = nibabel.Nifti1Image((array(1) > 450).astype("u1"), None)
    nowhere.header.set_zooms((0.8, 0.8, 2))
    nowhere.to_filename(tmp_path / "masks/case_1.nii.gz")
    assert ("case_1", "mask: place", Severity.WARNING) in names(extracted(tmp_path))


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_origin_and_direction_of_other_volumes_are_compared(tmp_path: Path, suffix: str) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    affines = [STEPS, moved(3), STEPS @ turned(12)]
    for i, affine in enumerate(affines):
        write_volume(tmp_path / f"images/case_{i}.{suffix}", array(i), STEPS)
        write_volume(tmp_path / f"masks/case_{i}.{suffix}", (array(i) > 450).astype("i2"), affine)
    assert [name for name, _, _ in names(extracted(tmp_path))] == ["case_1", "case_2"]


def write_volume(path: Path, values: np.ndarray, affine: np.ndarray) -> None:
    """NRRD or MetaImage, whose x runs to the left and whose y runs to the back."""
    matrix = np.diag([-1, -1, 1, 1]) @ affine
    sizes, origin = " ".join(map(str, values.shape)), matrix[:3, 3]
    if path.suffix == ".nrrd":
        vectors = " ".join("(" + ",".join(f"{v:.9g}" for v in matrix[:3, axis]) + ")" for axis in range(3))
        head = (
            f"NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: {sizes}\n"
            f"space directions: {vectors}\nkinds: domain domain domain\nendian: little\nencoding: raw\n"
            f"space origin: ({','.join(f'{v:.9g}' for v in origin)})\n\n"
        )
    else:
        steps = np.linalg.norm(matrix[:3, :3], axis=0)
        rows = " ".join(f"{v:.9g}" for v in (matrix[:3, :3] / steps).T.ravel())
        head = (
            f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nTransformMatrix = {rows}\n"
            f"Offset = {' '.join(f'{v:.9g}' for v in origin)}\nElementSpacing = {' '.join(f'{v:.9g}' for v in steps)}\n"
            f"DimSize = {sizes}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
        )
    path.write_bytes(head.encode() + values.astype("<i2").tobytes(order="F"))


def write_series(folder: Path, values: np.ndarray) -> None:
    """A CT whose first pixel is the patient's upper right front corner, as scanners write it; one file per slice."""
    folder.mkdir(parents=True)
    series, study = generate_uid(), generate_uid()
    for k in range(values.shape[2]):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
        meta.MediaStorageSOPInstanceUID = generate_uid()
        image = FileDataset(str(folder / f"{k:03d}.dcm"), {}, file_meta=meta, preamble=bytes(128))
        image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        image.SeriesInstanceUID, image.StudyInstanceUID, image.Modality, image.PatientID = series, study, "CT", "P1"
        image.Rows, image.Columns, image.SamplesPerPixel = values.shape[1], values.shape[0], 1
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation, image.PhotometricInterpretation = 15, 1, "MONOCHROME2"
        image.PixelSpacing, image.SliceThickness, image.InstanceNumber = [0.8, 0.8], 2, k + 1
        image.ImageOrientationPatient, image.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-20, -15, 5 + 2 * k]
        image.PixelData = np.ascontiguousarray(values[:, :, k].T).tobytes()
        image.save_as(folder / f"{k:03d}.dcm")


def test_a_mask_of_a_dicom_series_is_compared_with_the_whole_series(tmp_path: Path) -> None:
    values = array(0)
    write_series(tmp_path / "ct", values)
    # as a converter writes it: rows turned over, the same places
    place = np.array([[-0.8, 0, 0, 20], [0, 0.8, 0, 15 - 0.8 * 19], [0, 0, 2, 5], [0, 0, 0, 1]])
    for shift, found in ((0.0, []), (6.0, ["mask: place"])):
        affine = place.copy()
        affine[2, 3] += shift
        nibabel.Nifti1Image((values[:, ::-1] > 450).astype("u1"), affine).to_filename(tmp_path / "mask.nii.gz")
        lines = [f"ct/{k:03d}.dcm,mask.nii.gz,{'ab'[k % 2]}" for k in range(values.shape[2])]
        (tmp_path / "labels.csv").write_text("\n".join(["path,mask,label", *lines]) + "\n")
        dataset = extracted(tmp_path)
        assert dataset.masks["frames"].unique().tolist() == [12]
        assert [f.subject for f in GeometryMismatch().run(dataset).findings] == found


def test_places_said_twice_and_not_at_all_are_told(tmp_path: Path) -> None:
    for i in range(10):
        image = nibabel.Nifti1Image(array(i), STEPS)
        image.set_qform(STEPS, code=1)
        if i == 2:
            image.set_qform(STEPS @ turned(8), code=1)
        if i == 4:  # registered to a standard space: by right
            image.set_sform(moved(30), code=4)
        if i == 6:
            image = nibabel.Nifti1Image(array(i), None)
        if i == 8:
            image.set_qform(None, code=0)
            image.header["pixdim"][3] = 3
        image.to_filename(tmp_path / f"v{i}.nii.gz")
    found = [(f.where.record, f.subject) for f in MixedGeometry().run(extracted(tmp_path)).findings]
    assert found == [("v2.nii.gz", "sform and qform"), ("v6.nii.gz", "no place"), ("v8.nii.gz", "pixdim")]


def test_a_collection_without_places_is_one_finding_and_never_passed(tmp_path: Path) -> None:
    for i in range(6):
        nibabel.Nifti1Image(array(i), None).to_filename(tmp_path / f"v{i}.nii.gz")
    (finding,) = MixedGeometry().run(extracted(tmp_path)).findings
    assert finding.message.startswith("6 of 6 images say no place")


def scaled(path: Path, slope: float, intercept: float) -> None:
    content = bytearray(path.read_bytes())
    struct.pack_into("<2f", content, 112, slope, intercept)
    path.write_bytes(content)


def test_values_of_masks_are_those_that_readers_see(tmp_path: Path) -> None:
    nifti_set(tmp_path, [STEPS] * 9, suffix="nii")
    for i, slope, intercept in ((1, np.nan, np.nan), (2, 0, 5), (3, 1 / 255, 0), (4, 1, -1), (5, np.inf, 0), (6, 1, np.nan)):
        scaled(tmp_path / f"masks/case_{i}.nii", slope, intercept)
    scaled(tmp_path / "images/case_7.nii", np.inf, 0)
    scaled(tmp_path / "images/case_8.nii", np.nan, 0)
    dataset = extracted(tmp_path)
    for values, level in (((0, 1), Severity.ERROR), ((), Severity.WARNING)):
        findings = MaskValues(values=values).run(dataset).findings
        said = sorted((Path(f.where.path or "").stem, f.subject, f.severity) for f in findings)
        assert said == [
            ("case_3", "scaled", level),
            ("case_4", "scaled", level),
            ("case_5", "impossible scaling", Severity.ERROR),
            ("case_6", "impossible scaling", Severity.ERROR),
        ]
    assert dataset.masks["values"].tolist()[3:5] == ["0 0.00392157", "-1 0"]
    assert [(f.where.record, f.subject) for f in BitsDeclared().run(dataset).findings] == [("images/case_7.nii", "scaling")]


def test_a_dicom_mask_is_read_after_its_rescale(tmp_path: Path) -> None:
    values = (array(0) > 450).astype("i2")[:, :, :4]
    write_series(tmp_path / "images", array(0)[:, :, :4])
    write_series(tmp_path / "masks", values)
    image = pydicom.dcmread(tmp_path / "masks/002.dcm")
    image.RescaleSlope, image.RescaleIntercept = "0.5", "0"
    image.save_as(tmp_path / "masks/002.dcm")
    dataset = extracted(tmp_path)
    dataset = dataclasses.replace(dataset, mask_names={0: "background", 1: "tumour"})
    found = [(Path(f.where.path or "").name, f.subject) for f in MaskValues().run(dataset).findings]
    assert found == [("002.dcm", "scaled")]
