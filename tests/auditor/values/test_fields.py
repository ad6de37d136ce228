import pytest

from auditor.values.fields import describe, follows_picture, is_size, spoken, words


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("container.bit_depth", "encoding"),
        ("container.file_size", "encoding"),
        ("path.extension", "encoding"),
        ("path.order", "provenance"),
        ("dicom.BitsStored", "encoding"),
        ("dicom.TransferSyntaxUID", "encoding"),
        ("dicom.KVP", "acquisition"),
        ("dicom.ViewPosition", "acquisition"),
        ("dicom.PixelSpacing", "acquisition"),
        ("dicom.Manufacturer", "provenance"),
        ("dicom.StudyDate.month", "provenance"),
        ("dicom.PatientAge", "clinical"),
        ("nifti.pixdim1", "acquisition"),
        ("nifti.datatype", "encoding"),
        ("nifti.descrip", "provenance"),
        ("table.Patient Age", "clinical"),
        ("table.Patient Gender", "clinical"),
        ("table.View Position", "acquisition"),
        ("table.OriginalImage[Width", "encoding"),
        ("table.OriginalImagePixelSpacing[x", "acquisition"),
        ("table.Follow-up #", "clinical"),
        ("table.hospital", "provenance"),
        ("table.StudyDate", "provenance"),
        ("table.dx_type", "provenance"),
        ("table.kvp", "acquisition"),
        ("table.quux", "clinical"),
    ],
)
def test_a_name_tells_the_kind(name: str, kind: str) -> None:
    assert describe(name).kind == kind


def test_what_nobody_knows_can_inform_but_not_block() -> None:
    assert describe("table.zzz").kind == "clinical"


@pytest.mark.parametrize("name", ["container.bit_depth", "container.channels", "dicom.BitsStored", "dicom.Rows", "table.width"])
def test_shape_and_depth_survive_decoding(name: str) -> None:
    assert describe(name).survives_decoding


@pytest.mark.parametrize("name", ["container.file_size", "path.extension", "dicom.TransferSyntaxUID", "dicom.Manufacturer"])
def test_what_stands_in_the_file_alone_does_not_survive(name: str) -> None:
    assert not describe(name).survives_decoding


@pytest.mark.parametrize(
    "name",
    ["dicom.InstitutionName", "dicom.StationName", "dicom.PatientID", "table.MRN", "table.hospital", "container.comment"],
)
def test_what_could_identify_is_marked(name: str) -> None:
    assert describe(name).identifying


@pytest.mark.parametrize(
    "name", ["container.bit_depth", "dicom.ManufacturerModelName", "dicom.KVP", "table.age", "path.extension"]
)
def test_what_cannot_identify_is_not_marked(name: str) -> None:
    assert not describe(name).identifying


def test_column_names_fall_into_words() -> None:
    assert words("OriginalImage[Width") == ["original", "image", "width"]
    assert words("Follow-up #") == ["follow", "up"]
    assert words("KVPPeak") == ["kvp", "peak"]


def test_a_field_is_said_as_a_person_says_it() -> None:
    assert spoken("container.bit_depth") == "bit depth"
    assert spoken("dicom.BitsStored") == "Bits Stored"
    assert spoken("container.jpeg_quality") == "JPEG quality"


@pytest.mark.parametrize(
    "name",
    ["container.file_size", "container.bytes_per_pixel", "container.width", "dicom.Rows", "dicom.WindowCenter", "nifti.dim1",
     "table.OriginalImage[Width", "path.name_length"],
)  # fmt: skip
def test_what_can_follow_the_picture_itself_is_known(name: str) -> None:
    assert follows_picture(name)


@pytest.mark.parametrize(
    "name",
    ["container.bit_depth", "container.channels", "container.jpeg_quant_hash", "container.extension_fits", "dicom.BitsStored",
     "dicom.TransferSyntaxUID", "path.extension", "nifti.datatype", "table.bit_depth"],
)  # fmt: skip
def test_how_a_file_was_written_follows_no_picture(name: str) -> None:
    assert not follows_picture(name)


@pytest.mark.parametrize("name", ["container.width", "container.height", "dicom.Rows", "nifti.dim1"])
def test_a_size_in_pixels_is_known(name: str) -> None:
    assert is_size(name)
    assert not is_size("container.bytes_per_pixel")
    assert not is_size("table.width_of_lesion")
