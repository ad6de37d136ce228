"""What a metadata field is: its family, whether it survives decoding, whether a model reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

FieldKind = Literal["encoding", "acquisition", "provenance", "clinical"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """Description of one metadata column.

    Args:
        name: column of `Dataset.metadata`.
        kind: encoding (how the file was written), acquisition (how the picture was taken), provenance (where, when, by
            which machine), clinical (about the patient or the finding).
        survives_decoding: still visible in the decoded pixels (size, channels, depth), or only in the file.
        identifying: the values were hashed before they came here.
        is_input: False where the user says that no model reads it.
    """

    name: str
    kind: FieldKind
    survives_decoding: bool = False
    identifying: bool = False
    is_input: bool = True


# What a decoder hands on: the shape of the array, its depth, its channels, the marks of lossy compression.
_CONTAINER_SURVIVES = re.compile(
    r"^(bit_depth|bits.*|channels|photometric|width|height|shape.*|frames|pages|aspect.*|megapixels|jpeg_.*|lossy.*|"
    r"compression|colou?r.*|alpha|palette|dtype|format|sample.*)$"
)
_CONTAINER_PROVENANCE = re.compile(r"^(software|creator|make|model|date.*|time.*|host.*|scanner.*)$")
_CONTAINER_IDENTIFYING = re.compile(r"^(comment|description|artist|author|creator|host.*|owner.*|serial.*|gps.*|text)$")

_DICOM_ENCODING = re.compile(
    r"^(Bits(Allocated|Stored)|HighBit|PixelRepresentation|PhotometricInterpretation|SamplesPerPixel|PlanarConfiguration|"
    r"Rows|Columns|NumberOfFrames|Rescale\w*|Window\w*|VOILUT\w*|LossyImageCompression\w*|TransferSyntax\w*|Implementation\w*|"
    r"ImageType|Smallest\w*|Largest\w*|PixelPaddingValue|SpecificCharacterSet|DerivationDescription|\w*LUT\w*|ICCProfile|"
    r"BurnedInAnnotation|SOPClassUID|MediaStorageSOPClass\w*|ElementCount|element_count|private_elements|overlays|preamble)$"
)
_DICOM_ACQUISITION = re.compile(
    r"^(KVP|Exposure\w*|XRayTube\w*|\w*Current\w*|ViewPosition|PatientPosition|PatientOrientation|PixelSpacing\w*|"
    r"ImagerPixelSpacing\w*|SliceThickness|SpacingBetweenSlices|ConvolutionKernel|MagneticField\w*|FieldStrength|EchoTime|"
    r"RepetitionTime|InversionTime|FlipAngle|Protocol\w*|SeriesDescription|StudyDescription|BodyPart\w*|\w*Laterality|"
    r"Modality|Contrast\w*|Scan\w*|Sequence\w*|Filter\w*|Grid|FocalSpots?|Distance\w*|Detector\w*|Reconstruction\w*|"
    r"GantryDetectorTilt|TableHeight|RotationDirection|CompressionForce|BodyPartThickness|Anode\w*|MR\w*|\w*Averages|"
    r"Acquisition(Matrix|Type|Number\w*)|Pitch\w*|SingleCollimationWidth|TotalCollimationWidth|Image(Orientation|Position)\w*)$"
)
_DICOM_CLINICAL = re.compile(
    r"^(Patient(Age|Sex|Size|Weight|sAge|sSex|Comments|History)\w*|PregnancyStatus|SmokingStatus|EthnicGroup|Admitting\w*|"
    r"Reason\w*|Requested\w*|AdditionalPatientHistory|MedicalAlerts|Allergies|AnatomicRegion\w*|PatientSpecies\w*)$"
)
_DICOM_IDENTIFYING = re.compile(
    r"(Name|ID|UID|Address|Institution|Physician|Operator|Station|Serial|Accession|Birth|Telephone|Comments?|Description|"
    r"History|Department|Reviewer|Performed|Personnel|Creators?)"
)
_DICOM_TECHNICAL_NAMES = re.compile(
    r"^(ManufacturerModelName|Manufacturer\w*ModelName|ImplementationVersionName|TransferSyntax\w*|SOPClassUID|"
    r"ImplementationClassUID|SequenceName|ProtocolName|MediaStorageSOPClass\w*|ScanningSequence)$"
)

# What changes with the picture itself, even when all files are written alike: a picture of more detail is a larger file.
_FOLLOWS_PICTURE = re.compile(
    r"^(file_size|bytes_per_pixel|width|height|shape.*|aspect.*|megapixels|frames|pages|palette|arrays|tiff_strips|tiff_pages|"
    r"name_length|depth|dim.*)$"
)
_SIZE = re.compile(r"^(?:container\.(?:width|height|shape.*)|dicom\.(?:Rows|Columns)|nifti\.(?:dim|shape).*)$")
_DICOM_FOLLOWS_PICTURE = re.compile(
    r"^(Rows|Columns|NumberOfFrames|Window\w*|Rescale\w*|Smallest\w*|Largest\w*|PixelPaddingValue|LossyImageCompressionRatio|"
    r"ImageType|SOPClassUID|MediaStorageSOPClass\w*|BurnedInAnnotation|ElementCount|DerivationDescription)$"
)
_SHOWN_AS = re.compile(
    r"^dicom\.(?:Window\w*|Rescale\w*|VOILUT\w*|PixelPaddingValue|Smallest\w*|Largest\w*|ElementCount|BurnedInAnnotation|"
    r"DerivationDescription)$"
)
BYTES = ("container.file_size", "container.bytes_per_pixel")
"""How large a file is: no decoder hands it on, and of files written alike the one of more detail is the larger."""
_SIZE_WORDS = frozenset(("width", "height", "rows", "columns", "cols", "size", "filesize", "bytes", "pixels", "dimension",
                         "dimensions", "shape", "megapixels"))  # fmt: skip

_NIFTI_ACQUISITION = re.compile(
    r"^(pixdim.*|spacing.*|zoom.*|xyzt_units|slice_.*|toffset|orientation|affine.*|units|[qs]form.*)$"
)
_NIFTI_PROVENANCE = re.compile(r"^(descrip|db_name|aux_file|intent_name|extension.*|history)$")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words of a column's name decide, in this order: `image_width` is encoding although `image` says nothing, and
# `StudyDate` is provenance before `study` could say otherwise. How often a patient came (follow-up, visit) is the course of
# the disease, not the place or the machine: clinical.
_WORDS: tuple[tuple[FieldKind, frozenset[str]], ...] = (
    (
        "clinical",
        _set(
            "age sex gender race ethnicity bmi weight diagnosis finding findings disease grade stage symptom symptoms "
            "smoker smoking menopause comorbidity anatom anatomy localization localisation bodysite lesion mmse cdr "
            "follow followup visit"
        ),
    ),
    (
        "acquisition",
        _set(
            "view position projection spacing kvp kv kvpeak mas ma exposure kernel protocol modality thickness laterality "
            "frontal lateral ap pa contrast sequence tesla field fieldstrength magnification stain staining dermoscopic plane "
            "eye breast side te tr echo flip dose pixelspacing slicethickness resolution objective mpp fov grid filter filters "
            "filtration collimator collimation voltage anode bucky aec sid sod reconstruction recon algorithm convolution "
            "pitch gantry tilt slice bvalue coil nex averages bandwidth probe transducer zoom illumination flash preset window "
            "orientation shutter iso aperture tubecurrent tubevoltage xraytubecurrent focalspot flipangle tiltangle "
            "compressionforce"
        ),
    ),
    (
        "encoding",
        _set(
            "width height rows columns cols bits bit bitdepth depth channels format codec compression quality filesize bytes "
            "size extension ext photometric dtype pixels dimension dimensions shape megapixels jpeg encoding colorspace"
        ),
    ),
    (
        "provenance",
        _set(
            "hospital site center centre institution institute clinic department device scanner machine manufacturer vendor "
            "model station software version date time year month day weekday hour order index number row "
            "session batch source origin dataset country region city operator technician reader rater annotator acquisition "
            "paper article publication journal doi pmid pmc url "
            "serial camera study series exam attribution uploaded created dx"
        ),
    ),
)
_IDENTIFYING_WORDS = _set(
    "id ids uid uuid name surname firstname lastname mrn ssn birth birthdate dob address phone telephone email accession "
    "physician doctor operator technician radiologist hospital institution clinic zip postcode serial "
    "comment comments notes"
)


_ABBREVIATED = _set("jpeg png tiff bmp gif exif icc dpi rgb cmyk lut id kvp")


def words(name: str) -> list[str]:
    """Lower-case words of a column name: `OriginalImage[Width` → original, image, width; `Follow-up #` → follow, up."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [word.lower() for word in re.findall(r"[^\W\d_]+", split)]


def spoken(name: str) -> str:
    """A field's name as a person says it: `container.jpeg_quality` → JPEG quality, `dicom.BitsStored` → Bits Stored."""
    _, _, rest = name.partition(".")
    rest = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", rest or name)
    return " ".join(word.upper() if word in _ABBREVIATED else word for word in rest.replace("_", " ").split())


def follows_picture(name: str) -> bool:
    """An encoding field that may honestly follow what is shown (size, shape, bytes, used values, count of frames, length of
    the name): it can tell a class without any fault in how the files were written, so it never is an error.
    """
    family, _, rest = name.partition(".")
    if family in ("container", "path", "nifti"):
        return bool(_FOLLOWS_PICTURE.match(rest))
    if family == "dicom":
        return bool(_DICOM_FOLLOWS_PICTURE.match(rest))
    return bool(_SIZE_WORDS & set(words(rest or family)))


def is_size(name: str) -> bool:
    """The size of a picture in pixels: it follows the picture where pictures are cropped, and is set where files are written
    in a few sizes.
    """
    return bool(_SIZE.match(name))


def is_set_in_few(name: str) -> bool:
    """A field that follows the picture where it takes many values, and is a way of writing where it takes a few: the size in
    pixels; how a header says that values are shown, scaled and padded, or that it leaves that out.
    """
    return is_size(name) or bool(_SHOWN_AS.match(name))


def describe(name: str) -> Field:
    """The catalogue: what the metadata column `name` is, told from its name alone.

    Prefixes: `container.` (how the file was written), `path.`, `dicom.` (keyword), `nifti.`, `table.` (a column of the
    user's table, told by its words). What nobody knows is clinical, so that it can inform but never block.
    Families and defaults follow DICOM PS3.3 C.7/C.8 modules and PS3.15 Annex E for what identifies.
    """
    family, _, rest = name.partition(".")
    if family == "container":
        kind: FieldKind = "provenance" if _CONTAINER_PROVENANCE.match(rest) else "encoding"
        survives = bool(_CONTAINER_SURVIVES.match(rest))
        return Field(name=name, kind=kind, survives_decoding=survives, identifying=bool(_CONTAINER_IDENTIFYING.match(rest)))
    if family == "path":
        if rest.startswith(("order", "index", "number", "date")):
            return Field(name=name, kind="provenance")
        return Field(name=name, kind="encoding", identifying=not rest.startswith(("extension", "depth", "name_length")))
    if family == "dicom":
        return _describe_dicom(name, rest)
    if family == "nifti":
        if _NIFTI_ACQUISITION.match(rest):
            return Field(name=name, kind="acquisition")
        if _NIFTI_PROVENANCE.match(rest):
            return Field(name=name, kind="provenance", identifying=True)
        return Field(name=name, kind="encoding", survives_decoding=rest.startswith(("dim", "datatype", "bitpix", "scl")))
    return _describe_column(name, rest or family)


def _describe_dicom(name: str, keyword: str) -> Field:
    identifying = bool(_DICOM_IDENTIFYING.search(keyword)) and not _DICOM_TECHNICAL_NAMES.match(keyword)
    # Sub-fields (`PixelSpacing.0`, `StudyDate.month`, `WindowCenter_0`) belong to their element.
    stem = re.split(r"[._\[]", keyword)[0] if re.match(r"^[A-Z]", keyword) else keyword
    if _DICOM_CLINICAL.match(stem):
        return Field(name=name, kind="clinical", identifying=identifying)
    if _DICOM_ENCODING.match(stem):
        file_only = re.match(r"^(TransferSyntax|Implementation|SpecificCharacterSet|ImageType|SOPClass|MediaStorage)", stem)
        return Field(name=name, kind="encoding", survives_decoding=file_only is None, identifying=identifying)
    if _DICOM_ACQUISITION.match(stem):
        return Field(name=name, kind="acquisition", identifying=identifying)
    return Field(name=name, kind="provenance", identifying=identifying)


def _describe_column(name: str, column: str) -> Field:
    found = words(column)
    joined = "".join(found)
    identifying = any(word in _IDENTIFYING_WORDS for word in found)
    for kind, known in _WORDS:
        if joined in known or any(word in known for word in found):
            # A column about a size describes the picture only: nothing of the table reaches the pixels but their shape.
            survives = kind == "encoding" and any(w in ("width", "height", "bits", "bit", "depth", "channels") for w in found)
            return Field(name=name, kind=kind, survives_decoding=survives, identifying=identifying)
    return Field(name=name, kind="clinical", identifying=identifying)
