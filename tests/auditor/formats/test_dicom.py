from __future__ import annotations

import io
import logging
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.pixels import apply_color_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from auditor.format import format_of, open_header, open_pixels
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits, Pixels

LIMITS = Limits()
HERE = Path(pydicom.__file__).parent / "data/test_files"
DATA = Path(__file__).parents[3] / "../shared/data/dicom/pydicom_data"
NO_PIXELS = {
    "DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-empty.dcm", "DICOMDIR-implicit", "DICOMDIR-nooffset", "DICOMDIR-nopatient",
    "DICOMDIR-reordered", "ExplVR_BigEndNoMeta.dcm", "ExplVR_LitEndNoMeta.dcm", "UN_sequence.dcm", "empty_charset_LEI.dcm",
    "no_meta_group_length.dcm", "priv_SQ.dcm", "reportsi.dcm", "reportsi_with_empty_number_tags.dcm", "rtplan.dcm",
    "rtstruct.dcm", "test-SR.dcm", "waveform_ecg.dcm",
}  # fmt: skip
FAULTY = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "malformed",  # the size in the codestream was overwritten
    "MR_truncated.dcm": "truncated",
    "meta_missing_tsyntax.dcm": "malformed",
    "nested_priv_SQ.dcm": "malformed",
    "no_meta.dcm": "not-an-image",  # one byte before the first element
    "rtplan_truncated.dcm": "truncated",
}
NO_ORACLE = {"JPEG-lossy.dcm", "JPGExtended.dcm", "GDCMJ2K_TextGBR.dcm", "SC_rgb_jpeg_gdcm.dcm", "badVR.dcm"}


def source_of(content: bytes) -> FileSource:
    return FileSource(path=Path("image"), content=content)


def read(content: bytes, limits: Limits = LIMITS) -> tuple[Header, Pixels]:
    source = source_of(content)
    header = open_header(source, limits)
    pixels = open_pixels(source, header, limits)
    assert pixels.array.shape == (header.frames, *header.shape)
    assert pixels.array.dtype.isnative
    return header, pixels


def refused(content: bytes, limits: Limits = LIMITS) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        read(content, limits)
    return caught.value


def bundled() -> list[Path]:
    files = [
        p for p in sorted(HERE.rglob("*")) if p.is_file() and p.suffix in (".dcm", "") and p.name not in ("README", "LICENSE")
    ]
    return [p for p in files if "TINY_ALPHA" not in p.parts or p.name in ("DICOMDIR", "IM000000")]


def written(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def image(array: Any, *, stored: int | None = None, **extra: Any) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4.5.6"
    dataset.Modality = "OT"
    dataset.Rows, dataset.Columns = array.shape[:2]
    dataset.SamplesPerPixel = 1 if array.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if array.ndim == 2 else "RGB"
    if array.ndim == 3:
        dataset.PlanarConfiguration = 0
    bits = array.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored = bits, stored or bits
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(array.dtype.kind == "i")
    for name, value in extra.items():
        setattr(dataset, name, value)
    dataset.PixelData = array.tobytes() + b"\0" * (array.nbytes % 2)
    dataset["PixelData"].VR = "OW" if bits == 16 else "OB"
    return dataset


def oracle(path: Path) -> Any:
    dataset = pydicom.dcmread(path, force=True)
    pixels = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    return pixels


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", bundled(), ids=lambda path: path.name)
def test_every_file_that_comes_with_pydicom_is_read_right_or_refused_in_words(path: Path) -> None:
    content = path.read_bytes()
    if path.name in FAULTY:
        assert refused(content).kind == FAULTY[path.name]
        return
    if path.name in NO_PIXELS or "TINY_ALPHA" in path.parts:
        error = refused(content)
        assert error.kind == "no-pixels"
        assert error.reason.startswith("a DICOM object without pixels")
        return
    _, pixels = read(content)
    if path.name in NO_ORACLE:
        assert pixels.array.std() > 0
        return
    expected = oracle(path).reshape(pixels.array.shape)
    if pixels.array.dtype.itemsize < expected.dtype.itemsize:
        expected = expected >> 8  # palettes of 8-bit colours written as 16 bits
    np.testing.assert_array_equal(pixels.array, expected)


@pytest.mark.filterwarnings("ignore")
def test_every_larger_real_file_is_read_as_pydicom_reads_it() -> None:
    if not DATA.is_dir():
        pytest.skip("the real files are not on this machine")
    compared = 0
    for path in sorted(DATA.glob("*.dcm")):
        if path.stat().st_size > 600_000:
            continue
        _, pixels = read(path.read_bytes())
        try:
            expected = oracle(path)
        except (RuntimeError, AttributeError, NotImplementedError, ValueError):
            continue  # pydicom lacks the codec
        if expected.size == pixels.array.size and expected.dtype.itemsize == pixels.array.dtype.itemsize:
            np.testing.assert_array_equal(pixels.array, expected.reshape(pixels.array.shape), err_msg=path.name)
            compared += 1
    assert compared > 45


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle.dcm", "SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_gdcm_KY.dcm"])
def test_the_colour_bars_have_the_colours_they_were_drawn_with(name: str) -> None:
    array = read((HERE / name).read_bytes())[1].array[0]
    bars = [(255, 0, 0), (255, 128, 128), (0, 255, 0), (128, 255, 128), (0, 0, 255), (128, 128, 255), (0, 0, 0), (64, 64, 64)]
    assert np.abs(array[5:80:10, 50].astype(int) - bars).max() <= 2


@pytest.mark.parametrize("stem", ["liver", "liver_nonbyte_aligned"])
def test_single_bits_come_out_alike_from_every_compression(stem: str) -> None:
    if not DATA.is_dir():
        pytest.skip("the real files are not on this machine")
    plain = read((DATA / f"{stem}.dcm").read_bytes())[1].array
    assert plain.dtype == np.bool_
    assert plain.any()
    assert not plain.all()
    for variant in ("deflate", "rle", "j2k"):
        np.testing.assert_array_equal(read((DATA / f"{stem}_{variant}.dcm").read_bytes())[1].array, plain)


@pytest.mark.parametrize("name", ["JPEG-LL.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm"])
def test_lossless_jpeg_comes_out_as_another_decoder_gives_it(name: str) -> None:
    if not DATA.is_dir():
        pytest.skip("the real files are not on this machine")
    content = (DATA / name).read_bytes()
    frame = next(generate_frames(pydicom.dcmread(io.BytesIO(content)).PixelData, number_of_frames=1))
    expected = imagecodecs.ljpeg_decode(frame)
    np.testing.assert_array_equal(read(content)[1].array[0], expected)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_bit_depth_is_bits_stored_and_values_are_the_stored_ones(syntax: str) -> None:
    array = np.arange(60, dtype=np.int16).reshape(6, 10) - 20
    dataset = image(array, stored=12, RescaleSlope="2", RescaleIntercept="-1024")
    header, pixels = read(written(dataset, syntax))
    assert header.fields["container.bit_depth"] == header.fields["dicom.BitsStored"] == 12
    assert header.fields["dicom.BitsAllocated"] == 16
    np.testing.assert_array_equal(pixels.array[0], array)
    assert (pixels.slope, pixels.intercept, pixels.inverted) == (2.0, -1024.0, False)


def test_old_overlay_bits_above_bits_stored_are_cleared() -> None:
    array = np.arange(60, dtype=np.uint16).reshape(6, 10)
    _, pixels = read(written(image(array | 0xF000, stored=12)))
    np.testing.assert_array_equal(pixels.array[0], array)


def test_monochrome1_is_told_and_not_applied() -> None:
    array = np.arange(60, dtype=np.uint8).reshape(6, 10)
    _, pixels = read(written(image(array, PhotometricInterpretation="MONOCHROME1")))
    assert pixels.inverted
    np.testing.assert_array_equal(pixels.array[0], array)


def test_roles_carry_the_ids_and_the_issuer() -> None:
    array = np.zeros((4, 4), np.uint8)
    extra = {"PatientID": "007", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4", "FrameOfReferenceUID": "1.2.5",
             "AcquisitionDate": "20230517", "AcquisitionTime": "134501", "InstitutionName": "Saint Canary"}  # fmt: skip
    roles = open_header(source_of(written(image(array, **extra))), LIMITS).roles
    assert roles["patient"] == "007"
    assert (roles["study"], roles["series"], roles["instance"], roles["frame_of_reference"]) == (
        "1.2.3",
        "1.2.4",
        "1.2.3.4.5.6",
        "1.2.5",
    )
    assert roles["time"] == "2023-05-17T13:45:01"
    assert roles["site"].startswith("#")
    issued = open_header(source_of(written(image(array, IssuerOfPatientID="A", **extra))), LIMITS).roles
    assert issued["patient"] == "A|007"


def test_no_value_that_identifies_leaves_the_reader() -> None:
    hidden = {
        "PatientName": "Canary^Name", "PatientBirthDate": "19310203", "PatientAddress": "Canary street",
        "OtherPatientIDs": "Canary1",
        "InstitutionName": "Canary clinic", "InstitutionAddress": "Canary town", "StationName": "CANARYSTATION",
        "DeviceSerialNumber": "CANARY77", "OperatorsName": "Canary^Operator", "ReferringPhysicianName": "Canary^Doctor",
        "AccessionNumber": "CANARY99", "StudyDescription": "Canary study", "SeriesDescription": "Canary series",
        "ProtocolName": "Canary protocol", "ImageComments": "Canary comment", "StudyDate": "20210304", "StudyTime": "111213",
    }  # fmt: skip
    header = open_header(source_of(written(image(np.zeros((4, 4), np.uint8), **hidden))), LIMITS)
    shown = repr(dict(header.fields)).lower()
    assert "canary" not in shown
    assert "19310203" not in shown
    assert "20210304" not in shown
    assert [header.fields[f"dicom.Study{part}"] for part in ("Year", "Month", "Weekday", "Hour")] == [2021, 3, 4, 11]
    assert str(header.fields["dicom.StationName"]).startswith("#")


def test_hashes_stay_equal_for_equal_values_and_differ_otherwise() -> None:
    names = ["Clinic A", "clinic a ", "Clinic B"]
    digests = [
        open_header(source_of(written(image(np.zeros((4, 4), np.uint8), InstitutionName=name))), LIMITS).fields[
            "dicom.InstitutionName"
        ]
        for name in names
    ]
    assert digests[0] == digests[1] != digests[2]


def test_technical_fields_are_numbers_and_texts() -> None:
    fields = open_header(source_of((HERE / "CT_small.dcm").read_bytes()), LIMITS).fields
    expected = {"KVP": 120, "PixelSpacing": 0.661468, "SliceThickness": 5, "ConvolutionKernel": "STANDARD", "ElementCount": 256,
                "Manufacturer": "GE MEDICAL SYSTEMS", "ImageType": "ORIGINAL\\PRIMARY\\AXIAL", "UIDRoot": "1.3.6.1.4.1.5962",
                "TransferSyntaxUID": "1.2.840.10008.1.2.1", "ImplementationVersionName": "DCTOOL100"}  # fmt: skip
    assert {key: fields[f"dicom.{key}"] for key in expected} == expected
    assert str(fields["dicom.PrivateCreators"]).startswith("GEMS_ACQU_01+GEMS_IDEN_01")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm", "rtdose.dcm"]
)
def test_header_values_agree_with_pydicom(name: str) -> None:
    dataset = pydicom.dcmread(HERE / name)
    fields = open_header(source_of((HERE / name).read_bytes()), LIMITS).fields
    for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
                    "SliceThickness", "RepetitionTime", "Modality", "Manufacturer", "PatientSex"):  # fmt: skip
        value = dataset.get(keyword)
        if value in (None, ""):
            assert fields.get(f"dicom.{keyword}") in (None, "")
        else:
            assert fields[f"dicom.{keyword}"] == (value if isinstance(value, str) else pytest.approx(float(value)))


def test_enhanced_objects_give_the_spacing_of_their_shared_groups() -> None:
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.4, 0.5], "2.5"
    shared.PixelMeasuresSequence = Sequence([measures])
    dataset = image(np.zeros((4, 4), np.uint8), SharedFunctionalGroupsSequence=Sequence([shared]))
    for undefined in (False, True):
        dataset["SharedFunctionalGroupsSequence"].is_undefined_length = undefined
        fields = open_header(source_of(written(dataset)), LIMITS).fields
        assert (fields["dicom.PixelSpacing"], fields["dicom.PixelSpacingColumn"], fields["dicom.SliceThickness"]) == (
            0.4,
            0.5,
            2.5,
        )


def test_a_compressed_file_tells_the_quality_of_its_jpeg() -> None:
    fields = open_header(source_of((HERE / "SC_rgb_jpeg_dcmtk.dcm").read_bytes()), LIMITS).fields
    assert fields["container.jpeg_quality"] == 90
    assert fields["container.jpeg_subsampling"] == "4:4:4"
    assert "container.jpeg_quality" not in open_header(source_of((HERE / "CT_small.dcm").read_bytes()), LIMITS).fields


def test_ages_are_years() -> None:
    for text, years in (("045Y", 45.0), ("018M", 1.5), ("010D", 0.03), ("", None), ("old", None)):
        header = open_header(source_of(written(image(np.zeros((4, 4), np.uint8)))), LIMITS)
        assert "dicom.PatientAge" not in header.fields
        dataset = image(np.zeros((4, 4), np.uint8))
        dataset.add(pydicom.DataElement(0x00101010, "SH", text))
        assert open_header(source_of(written(dataset)), LIMITS).fields.get("dicom.PatientAge") == years


def test_a_file_without_preamble_is_recognised_and_text_is_not() -> None:
    content = (HERE / "CT_small.dcm").read_bytes()
    assert format_of(content[132:4096]) == "dicom"
    for text in (b"\x08\0plain text that starts with a backspace", b"Image Index,Finding Labels\n" * 20, b"\x02\0" + bytes(64),
                 b"\0\x08" + b"abcdefgh" * 9, bytes(200), b"\x08\0\x05\0" * 30):  # fmt: skip
        assert format_of(text) is None


def test_a_truncated_file_is_a_finding() -> None:
    content = (HERE / "CT_small.dcm").read_bytes()
    assert refused(content[:1500]).kind == "truncated"
    assert "of 32,768 bytes" in refused(content[:-5000]).reason
    compressed = (HERE / "MR_small_RLE.dcm").read_bytes()
    assert refused(compressed[:-3000]).kind in ("truncated", "malformed")


def deflated(head: bytes, element: bytes, megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(head + element)
    packed += b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    meta = b"\x02\0\x10\0UI\x16\x001.2.840.10008.1.2.1.99"
    return bytes(128) + b"DICM" + b"\x02\0\0\0UL\x04\0" + struct.pack("<I", len(meta)) + meta + packed


def test_a_deflate_bomb_is_refused_and_costs_no_memory() -> None:
    import tracemalloc

    limits = Limits(header_bytes=4 << 20)
    bomb = deflated(b"", struct.pack("<HH2sHI", 0x0009, 0x1010, b"OB", 0, 200 << 20), 200)
    assert len(bomb) < 250_000
    tracemalloc.start()
    error = refused(bomb, limits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.kind == "too-large"
    assert peak < 32 << 20


def test_pixels_of_a_deflated_file_are_inflated_as_far_as_declared() -> None:
    dataset = image(np.arange(100, dtype=np.uint8).reshape(10, 10))
    plain = written(dataset)
    start = plain.find(b"\x08\0\x16\0")
    stop = plain.find(b"\xe0\x7f\x10\0")
    bomb = deflated(plain[start:stop], struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 64 << 20), 64)
    assert read(bomb)[1].array.shape == (1, 10, 10)


@pytest.mark.parametrize("levels", [40, 200, 5000])
def test_deeply_nested_sequences_are_refused(levels: int) -> None:
    level = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    content = bytes(128) + b"DICM" + b"\x08\0\x60\0CS\x02\0OT" + level * levels
    error = refused(content)
    assert error.kind == "malformed"
    assert "deeper than 32" in error.reason


def test_too_many_elements_are_refused() -> None:
    content = bytes(128) + b"DICM" + b"".join(struct.pack("<HH2sH", 0x0011, 0x1000 + i % 99, b"LO", 0) for i in range(1200))
    assert refused(content, Limits(elements=1000)).kind == "too-large"


def test_a_file_that_declares_too_much_is_refused_before_decoding() -> None:
    dataset = image(np.zeros((10, 10), np.uint8))
    dataset.Rows = dataset.Columns = 60000
    assert refused(written(dataset)).kind == "too-large"
    dataset.Rows = dataset.Columns = 10
    dataset.NumberOfFrames = 2_000_000
    assert refused(written(dataset)).kind == "too-large"


def test_a_compressed_frame_of_another_size_is_refused_before_decoding() -> None:
    for name, mark, at in (("SC_rgb_jpeg_dcmtk.dcm", b"\xff\xc0", 5), ("MR_small_jpeg_ls_lossless.dcm", b"\xff\xf7", 5)):
        content = bytearray((HERE / name).read_bytes())
        start = content.find(mark) + at
        content[start : start + 4] = struct.pack(">HH", 60000, 60000)
        error = refused(bytes(content))
        assert "another size" in error.reason


@pytest.mark.parametrize(("name", "module"), [("JPGExtended.dcm", "imagecodecs"), ("JPEG-lossy.dcm", "imagecodecs")])
def test_a_missing_codec_is_told_with_the_pip_command(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    error = refused((HERE / name).read_bytes())
    assert error.kind == "missing-codec"
    assert "pip install 'medaudit[codecs]'" in error.reason


def test_what_pillow_cannot_read_of_jpeg_2000_is_told_as_a_missing_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pillow:
        is_available = True

        def as_array(self, *_: object, **__: object) -> None:
            raise RuntimeError("pillow: broken data stream")

    content = (HERE / "JPEG2000.dcm").read_bytes()
    monkeypatch.setattr("auditor.containers.dicom_frames.find_spec", lambda _: None)
    monkeypatch.setattr("pydicom.pixels.get_decoder", lambda _: Pillow())
    error = refused(content)
    assert error.kind == "missing-codec"
    assert "pylibjpeg-openjpeg: pip install 'medaudit[codecs]'" in error.reason


def test_an_unknown_transfer_syntax_is_told_without_quoting_the_file() -> None:
    content = (HERE / "MR_small_RLE.dcm").read_bytes().replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.7.7.7\0")
    error = refused(content)
    assert error.kind == "unsupported"
    assert "7.7.7" not in error.reason


def test_complaints_of_pydicom_stay_inside(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        refused((HERE / "MR_small_RLE.dcm").read_bytes()[:-3000])
        read((HERE / "MR_small_padded.dcm").read_bytes())
    assert not caplog.records


def test_float_pixels_come_back() -> None:
    array = np.linspace(0, 1, 30, dtype=np.float32).reshape(5, 6)
    dataset = image(np.zeros((5, 6), np.uint8))
    del dataset.PixelData
    dataset.BitsAllocated = 32
    dataset.add(pydicom.DataElement(0x7FE00008, "OF", array.tobytes()))
    header, pixels = read(written(dataset))
    np.testing.assert_array_equal(pixels.array[0], array)
    assert header.fields["container.sample_kind"] == "float"


def test_colour_by_plane_and_full_range_ybr_become_rgb() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (8, 9, 3), dtype=np.uint8)
    dataset = image(rgb, PlanarConfiguration=1)
    dataset.PixelData = np.moveaxis(rgb, -1, 0).tobytes()
    np.testing.assert_array_equal(read(written(dataset))[1].array[0], rgb)
    matrix = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    ybr = np.clip(np.rint(rgb @ matrix.T + [0, 128, 128]), 0, 255).astype(np.uint8)
    back = read(written(image(ybr, PhotometricInterpretation="YBR_FULL")))[1].array[0]
    assert np.abs(back.astype(int) - rgb).max() <= 2
