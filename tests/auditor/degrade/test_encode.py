from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image

from auditor.degrade.encode import SUFFIX, encode, to_depth, write_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 65536, (37, 51)).astype(np.uint16)
COLOUR = RNG.integers(0, 65536, (37, 51, 3)).astype(np.uint16)


@pytest.mark.parametrize("kind", sorted(SUFFIX))
def test_the_same_image_and_seed_give_the_same_bytes(kind, tmp_path: Path):
    write_image(tmp_path / "a", GREY, kind, seed=3)
    assert (tmp_path / "a").read_bytes() == encode(GREY, kind, seed=3)


def test_another_seed_gives_another_instance_uid():
    uids = {str(pydicom.dcmread(io.BytesIO(encode(GREY, "dicom8", seed=s))).SOPInstanceUID) for s in (1, 1, 2)}
    assert len(uids) == 2


@pytest.mark.parametrize("kind", ["png8", "tiff8", "bmp"])
@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_eight_bits_come_back_through_another_decoder(kind, image):
    assert (np.asarray(Image.open(io.BytesIO(encode(image, kind)))) == image >> 8).all()


def test_16_bit_grey_png_and_tiff_come_back():
    assert (np.asarray(Image.open(io.BytesIO(encode(GREY, "png16")))) == GREY).all()
    assert (tifffile.imread(io.BytesIO(encode(GREY, "tiff16"))) == GREY).all()
    assert (tifffile.imread(io.BytesIO(encode(COLOUR, "tiff16"))) == COLOUR).all()


def test_16_bit_colour_png_says_so_in_its_header_and_comes_back():
    codecs = pytest.importorskip("imagecodecs", reason="no other decoder reads 48-bit PNG")
    content = encode(COLOUR, "png16")
    assert struct.unpack_from(">IIBB", content, 16) == (51, 37, 16, 2)
    assert (codecs.png_decode(content) == COLOUR).all()
    assert Image.open(io.BytesIO(content)).mode == "RGB"  # the trap: Pillow shows 8 bits


@pytest.mark.parametrize(("kind", "bits", "allocated"), [("dicom8", 8, 8), ("dicom12", 12, 16), ("dicom16", 16, 16)])
def test_dicom_is_valid_and_de_identified(kind, bits, allocated):
    dataset = pydicom.dcmread(io.BytesIO(encode(GREY, kind, seed=1, tags={"PatientID": "007", "KVP": "120"})))
    assert (dataset.BitsStored, dataset.HighBit, dataset.BitsAllocated) == (bits, bits - 1, allocated)
    assert (dataset.pixel_array == GREY >> (16 - bits)).all()
    assert (dataset.PatientID, dataset.PatientIdentityRemoved, str(dataset.PatientName)) == ("007", "YES", "")
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_dicom_holds_colour_at_8_bits_only():
    assert (pydicom.dcmread(io.BytesIO(encode(COLOUR, "dicom8"))).pixel_array == COLOUR >> 8).all()
    with pytest.raises(ValueError, match="8 bits"):
        encode(COLOUR, "dicom16")


@pytest.mark.parametrize(("kind", "bits"), [("nifti8", 8), ("nifti16", 16)])
def test_nifti_is_read_by_nibabel(kind, bits, tmp_path: Path):
    nibabel = pytest.importorskip("nibabel", reason="the oracle for NIfTI")
    write_image(tmp_path / "a.nii.gz", GREY, kind)
    volume = nibabel.load(tmp_path / "a.nii.gz")
    assert volume.header["bitpix"] == bits
    assert volume.shape == (51, 37, 1)
    assert (GREY >> (16 - bits) == np.asarray(volume.dataobj)[:, :, 0].T).all()
    with pytest.raises(ValueError, match="grey"):
        encode(COLOUR, kind)


def test_depth_goes_up_and_down_without_loss():
    eight = (GREY >> 8).astype(np.uint8)
    assert (to_depth(to_depth(eight, 16), 8) == eight).all()
    assert to_depth(np.array([[0.0, 0.5, 1.0, 2.0]]), 12).tolist() == [[0, 2048, 4095, 4095]]
    same = to_depth(GREY, 16)
    same[0, 0] ^= 1
    assert same[0, 0] != GREY[0, 0]  # a copy


@pytest.mark.parametrize(
    ("image", "bits"), [(GREY, 7), (GREY, 17), (GREY.astype(np.int16), 8), (COLOUR[..., :2], 8), (GREY[0], 8)]
)
def test_what_cannot_be_stored_is_refused(image, bits):
    with pytest.raises(ValueError, match=r"bits per sample|an image of"):
        to_depth(image, bits)


def test_an_unknown_kind_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="tga"):
        write_image(tmp_path / "a.tga", GREY, "tga")
