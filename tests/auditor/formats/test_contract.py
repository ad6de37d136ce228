"""What holds for every image format, ours and a plug-in's: a file of each must be here, and be told, read and refused alike."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
import tifffile
from foreign import installed
from PIL import Image

from auditor import format as format_module
from auditor.degrade.encode import encode
from auditor.format import format_of, formats, open_header, open_pixels, read_source, readers, texts_of
from auditor.naming import suffixes
from auditor.placement.images import take_inventory
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Format, Limits

PICTURE = np.arange(20 * 24, dtype=np.uint8).reshape(20, 24) // 2


def pillow(name: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PICTURE).save(stream, name)
    return stream.getvalue()


def numpy_file(save: Callable[..., None]) -> bytes:
    stream = io.BytesIO()
    save(stream, PICTURE)
    return stream.getvalue()


def tiff() -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, PICTURE)
    return stream.getvalue()


def nrrd() -> bytes:
    return b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 24 20\nencoding: raw\n\n" + PICTURE.tobytes()


def hdf5() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["any"] = PICTURE
    return stream.getvalue()


def metaimage() -> bytes:
    tags = "ObjectType = Image\nNDims = 2\nDimSize = 24 20\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
    return tags.encode() + PICTURE.tobytes()


GOLDEN: Mapping[str, Callable[[], bytes]] = {
    "png": lambda: pillow("PNG"), "jpeg": lambda: pillow("JPEG"), "bmp": lambda: pillow("BMP"), "gif": lambda: pillow("GIF"),
    "webp": lambda: pillow("WEBP"), "tiff": tiff, "dicom": lambda: encode(PICTURE / 255, "dicom16"),
    "nifti": lambda: nibabel.Nifti1Image(PICTURE.T, np.eye(4)).to_bytes(), "nrrd": nrrd,
    "metaimage": metaimage, "netpbm": lambda: b"P5 24 20 255\n" + PICTURE.tobytes(),
    "npy": lambda: numpy_file(np.save), "npz": lambda: numpy_file(np.savez_compressed),
    "hdf5": hdf5,
    "toy": lambda: b"TOY" + bytes((20, 24)) + PICTURE.tobytes(),
}  # fmt: skip
"""A whole file of every format that is read."""

TOLD: Mapping[str, bytes] = {
    "minc": b"CDF\x01" + bytes(60) + b"xspace",
    "par-rec": b"# === DATA DESCRIPTION FILE ===",
    "afni": b"type = string-attribute\nname = HISTORY_NOTE\n", "jpeg2000": b"\0\0\0\x0cjP  \r\n\x87\n",
    "openexr": b"v/1\x01\x02\0\0\0", "czi": b"ZISRAWFILE", "nd2": b"\xda\xce\xbe\x0a", "ecat": b"MATRIX72v",
    "avi": b"RIFF\0\0\0\0AVI LIST", "mp4": b"\0\0\0\x18ftypmp42", "mpeg": b"\0\0\x01\xba",
    "wmv": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "matroska": b"\x1a\x45\xdf\xa3",
    "jpeg-xl": b"\0\0\0\x0cJXL \r\n\x87\n", "heif": b"\0\0\0\x18ftypheic",
    "mgh": struct.pack(">7ih", 1, 4, 4, 4, 1, 0, 0, 1) + bytes(300),
    "analyze": struct.pack("<i", 348) + bytes(36) + struct.pack("<3h", 3, 4, 4) + bytes(400),
}  # fmt: skip
"""The first bytes of formats that are told by content and not read; the others are told by their suffix alone."""

TOY = """
import numpy as np
from auditor.values.errors import UnreadableFile
from auditor.values.image import Format, Header, Pixels, check_declared

FORMATS = {"toy": Format(words="Toy", suffixes=("toy",))}
PRIORITY = 90

def sniff(head):
    return "toy" if head[:3] == b"TOY" else None

def open_header(source, limits):
    if len(source.content) < 5 or 0 in source.content[3:5]:
        raise UnreadableFile("truncated", "the Toy file ends inside its header")
    shape = tuple(source.content[3:5])
    check_declared(shape, 1, 1, limits)
    return Header(format="toy", shape=shape, fields={"container.format": "toy", "container.bit_depth": 8})

def open_pixels(source, header, limits):
    size = header.shape[0] * header.shape[1]
    if len(source.content) < 5 + size:
        raise UnreadableFile("truncated", "the Toy file ends before all of its pixels are there")
    return Pixels(array=np.frombuffer(source.content, np.uint8, size, 5).reshape(1, *header.shape))
"""


@pytest.fixture(scope="module", autouse=True)
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A package that brings a format is installed."""
    with installed(tmp_path_factory.mktemp("foreign"), "[medaudit.formats]\ntoy = toy_format\n", TOY, module="toy_format"):
        yield


def test_every_format_has_a_file_here() -> None:
    read = {name for name, known in formats().items() if known.is_read}
    assert set(GOLDEN) == read
    assert set(TOLD) <= set(formats()) - read
    by_name_alone = set(formats()) - read - set(TOLD)
    assert all(formats()[name].suffixes for name in by_name_alone)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_file_is_told_and_read_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    content = GOLDEN[name]()
    (tmp_path / "file.other").write_bytes(content)
    source = read_source(tmp_path / "file.other", Limits())
    assert format_of(content[: format_module.SNIFF_BYTES]) == name
    header = open_header(source, Limits())
    assert header.format == header.fields["container.format"] == name
    assert header.fields["container.bit_depth"] in (7, 8, 16)
    pixels = open_pixels(source, header, Limits())
    assert pixels.array.shape == (header.frames, *header.shape)
    assert pixels.array.shape[:3] == (1, 20, 24)
    if name not in ("jpeg", "webp", "dicom"):
        picture = pixels.array[0]
        assert np.array_equal(picture if picture.ndim == 2 else picture[..., 0], PICTURE)
    assert all(isinstance(told, str) for field, text, _ in texts_of(source, Limits()) for told in (field, text))


@pytest.mark.parametrize("name", GOLDEN)
def test_a_file_is_sorted_by_its_suffix_and_by_its_content(name: str, tmp_path: Path) -> None:
    known = formats()[name]
    use = "containers" if known.holds == "arrays" else "images"
    for suffix in known.suffixes:
        assert getattr(take_inventory(tmp_path, {f"a.{suffix}": 9}), use) == (f"a.{suffix}",)
        assert suffixes.suffix_of(f"b/a.{suffix.upper()}") == suffix
        assert suffixes.stem_of(f"b/a.{suffix}") == "a"
    (tmp_path / "a.strange").write_bytes(GOLDEN[name]())
    found = take_inventory(tmp_path, {"a.strange": 9})
    assert (found.containers if known.general else found.images) == ("a.strange",)


@pytest.mark.parametrize("name", GOLDEN)
def test_what_is_cut_or_changed_is_refused_in_words_and_never_crashes(name: str) -> None:
    content = GOLDEN[name]()
    dice = np.random.default_rng(3)
    refused = 0
    for round_ in range(60):
        broken = bytearray(content[: int(dice.integers(1, len(content)))] if round_ % 2 else content)
        for place in dice.integers(0, len(broken), 4):
            broken[place] = int(dice.integers(0, 256))
        source = FileSource(path=Path("x"), content=bytes(broken))
        try:
            header = open_header(source, Limits())
            assert open_pixels(source, header, Limits()).array.shape == (header.frames, *header.shape)
        except UnreadableFile:
            refused += 1
    assert refused


@pytest.mark.parametrize("name", GOLDEN)
def test_what_declares_more_than_the_limits_is_refused_before_it_is_decoded(name: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        open_header(FileSource(path=Path("x"), content=GOLDEN[name]()), Limits(pixels=100))
    assert caught.value.kind == "too-large"


@pytest.mark.parametrize("name", TOLD)
def test_what_is_not_read_is_called_by_its_name_and_says_what_to_do(name: str) -> None:
    for content in (TOLD[name], gzip.compress(TOLD[name])) if name in ("mgh", "analyze") else (TOLD[name],):
        assert format_of(content) == name
        with pytest.raises(UnreadableFile) as caught:
            open_header(FileSource(path=Path("x"), content=content), Limits())
        assert caught.value.kind == "unsupported"
        assert formats()[name].words in caught.value.reason
        assert formats()[name].becomes in caught.value.reason


def test_formats_are_asked_by_their_priority_and_not_by_their_names() -> None:
    asked = [module.__name__.rpartition(".")[2] for module in readers()]
    assert asked[0] == "toy_format"
    assert asked[-1] == "foreign"
    assert asked.index("nrrd") < asked.index("foreign")


def test_no_suffix_is_that_of_two_formats_that_are_read() -> None:
    read = [suffix for known in formats().values() if known.is_read for suffix in known.suffixes]
    assert len(read) == len(set(read))
    assert all(isinstance(known, Format) and known.words for known in formats().values())
    assert all(
        suffix == suffix.lower().strip(".") for known in formats().values() for suffix in (*known.suffixes, *known.shared)
    )


def test_what_hdf5_holds_may_be_anything_and_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(GOLDEN["hdf5"]())
    found = take_inventory(tmp_path, {"weights": 68, "pcam.h5": 68})
    assert found.images == ()
    assert sorted(found.containers) == ["pcam.h5", "weights"]
