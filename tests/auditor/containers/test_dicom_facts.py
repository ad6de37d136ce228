import io

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from auditor.format import open_header, open_pixels
from auditor.values.image import FileSource, Header, Limits


def dicom(
    pixels: np.ndarray, *, stored: int, signed: bool = False, high: int | None = None, extra: bytes = b"", **tags: object
) -> bytes:
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.SOPClassUID, found.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", generate_uid(entropy_srcs=["x"])
    found.Rows, found.Columns = pixels.shape
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated, found.BitsStored = 16, stored
    found.HighBit, found.PixelRepresentation = (stored - 1 if high is None else high), int(signed)
    for name, value in tags.items():
        setattr(found, name, value)
    found.PixelData = pixels.tobytes() + extra
    found["PixelData"].VR = "OW"
    stream = io.BytesIO()
    found.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def header_of(content: bytes, tmp_path) -> Header:
    return open_header(FileSource(path=tmp_path / "x.dcm", content=content), Limits())


def overflow_of(content: bytes, tmp_path) -> float:
    source = FileSource(path=tmp_path / "x.dcm", content=content)
    return open_pixels(source, open_header(source, Limits()), Limits()).overflow


def test_unsigned_values_beyond_the_stored_bits_are_counted(tmp_path) -> None:
    pixels = np.full((10, 10), 4095, np.uint16)
    assert overflow_of(dicom(pixels, stored=12), tmp_path) == 0
    pixels[0, :5] = 4096
    assert overflow_of(dicom(pixels, stored=12), tmp_path) == pytest.approx(0.05)


def test_a_continued_sign_is_no_overflow_and_zeros_are_none(tmp_path) -> None:
    pixels = np.array([[-2048, -1], [0, 2047]], np.int16)
    assert overflow_of(dicom(pixels, stored=12, signed=True), tmp_path) == 0
    assert overflow_of(dicom(pixels & 0x0FFF, stored=12, signed=True), tmp_path) == 0
    pixels[1, 1] = 2048 + 4096
    assert overflow_of(dicom(pixels, stored=12, signed=True), tmp_path) == pytest.approx(0.25)


def test_the_bit_of_a_declared_overlay_is_no_overflow(tmp_path) -> None:
    pixels = np.array([[100, 100 | 1 << 12]], np.uint16)
    assert overflow_of(dicom(pixels, stored=12), tmp_path) == pytest.approx(0.5)
    overlay = {"OverlayBitsAllocated": 16, "OverlayBitPosition": 12}
    content = Dataset()
    content.add_new(0x60000100, "US", overlay["OverlayBitsAllocated"])
    content.add_new(0x60000102, "US", overlay["OverlayBitPosition"])
    stream = dicom_with(pixels, content)
    assert overflow_of(stream, tmp_path) == 0


def dicom_with(pixels: np.ndarray, more: Dataset) -> bytes:
    import pydicom

    found = pydicom.dcmread(io.BytesIO(dicom(pixels, stored=12)))
    found.update(more)
    stream = io.BytesIO()
    found.save_as(stream)
    return stream.getvalue()


def test_declared_and_actual_bytes_are_told(tmp_path) -> None:
    header = header_of(dicom(np.zeros((4, 5), np.uint16), stored=12, extra=b"\0" * 6), tmp_path)
    assert (header.facts["pixel_bytes"], header.facts["pixel_bytes_expected"]) == (46, 40)


def test_place_and_orientation_are_told_from_the_image_plane(tmp_path) -> None:
    axial = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [-5, 3, 42.5], "PixelSpacing": [0.5, 0.7]}
    facts = header_of(dicom(np.zeros((4, 4), np.uint16), stored=12, InstanceNumber=7, **axial), tmp_path).facts
    assert (facts["orientation"], facts["slice_position"], facts["instance_number"]) == ("LP", 42.5, 7)
    assert (facts["spacing_row"], facts["spacing_column"]) == (0.5, 0.7)
    assert "slice_position" not in header_of(dicom(np.zeros((4, 4), np.uint16), stored=12), tmp_path).facts
