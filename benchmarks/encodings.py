"""Does the gate fail where a class can be told by how its files were written? Class folders and tables without any id.

    python benchmarks/encodings.py [--only TEXT ...]

For every way of writing and every arrangement a small data set is made on the spot and scanned through the public function
with LK001 alone; printed are the exit code, severity and field of what LK001 says, and the AUC with its interval, for the set
whose classes are written in two ways and for the same pictures written in one. Exit 1 where an answer is not the expected one.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import imagecodecs
import nibabel
import numpy as np
import numpy.typing as npt
import pydicom
import tifffile
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless

import medaudit
from auditor.degrade.encode import encode

Picture = npt.NDArray[np.float64]
Written = tuple[str, bytes]

TABLES = [[min(255, 3 + (i * factor) // 7) for i in range(64)] for factor in (6, 16)]


def _pillow(kind: str, picture: Picture, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray((picture * 255).astype(np.uint8)).save(stream, kind, **options)
    return stream.getvalue()


def _colour(picture: Picture, **options: object) -> bytes:
    stream = io.BytesIO()
    tinted = np.stack([picture, picture * 0.8, picture * 0.6], axis=-1)
    Image.fromarray((tinted * 255).astype(np.uint8)).save(stream, "JPEG", **options)
    return stream.getvalue()


def _tiff(picture: Picture, compression: str | None) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, (picture * 65535).astype(np.uint16), compression=compression, metadata=None, software=False)
    return stream.getvalue()


def _dicom(picture: Picture, syntax: str) -> bytes:
    """The same 16 bits in another transfer syntax; what is compressed is compressed without loss."""
    dataset = pydicom.dcmread(io.BytesIO(encode(picture, "dicom16")))
    if syntax == RLELossless:
        dataset.compress(syntax, generate_instance_uid=False)
    if syntax == JPEG2000Lossless:
        frame = imagecodecs.jpeg2k_encode(dataset.pixel_array, level=0, reversible=True, codecformat="j2k")
        dataset.add_new("PixelData", "OB", encapsulate([frame]))
        dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    pydicom.dcmwrite(
        stream, dataset, enforce_file_format=True, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True
    )
    return stream.getvalue()


def _nifti(picture: Picture, kind: str, *, packed: bool = True, order: str = "<") -> bytes:
    """A volume of one slice; the values are whole numbers from 0 to 255 whatever the type."""
    values = np.rint(picture * 255).astype(np.dtype(kind).newbyteorder(order))
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(values.dtype)
    content = nibabel.Nifti1Image(values[:, :, None], np.diag([1.4, 1.4, 1.4, 1.0]), header).to_bytes()
    return gzip.compress(content, mtime=0) if packed else content


def _rgb(picture: Picture) -> bytes:
    return encode(np.stack([(picture * 255).astype(np.uint8)] * 3, axis=-1), "png8")


WAYS: Mapping[str, Sequence[Callable[[Picture], Written]]] = {
    "PNG, 16 and 8 bits": (lambda p: (".png", encode(p, "png16")), lambda p: (".png", encode(p, "png8"))),
    "TIFF, 16 and 8 bits": (lambda p: (".tif", encode(p, "tiff16")), lambda p: (".tif", encode(p, "tiff8"))),
    "DICOM, 16 and 8 bits": (lambda p: (".dcm", encode(p, "dicom16")), lambda p: (".dcm", encode(p, "dicom8"))),
    "DICOM, 12 and 8 bits": (lambda p: (".dcm", encode(p, "dicom12")), lambda p: (".dcm", encode(p, "dicom8"))),
    "JPEG quality 95 and 75": tuple(lambda p, q=q: (".jpg", _pillow("JPEG", p, quality=q)) for q in (95, 75)),
    "JPEG quantisation tables": tuple(lambda p, t=t: (".jpg", _pillow("JPEG", p, qtables=[t])) for t in TABLES),
    "JPEG sampling 4:4:4 and 4:2:0": tuple(lambda p, s=s: (".jpg", _colour(p, quality=90, subsampling=s)) for s in (0, 2)),
    "one channel and three": (lambda p: (".png", encode(p, "png8")), lambda p: (".png", _rgb(p))),
    "dpi 300 and 72": tuple(lambda p, d=d: (".png", _pillow("PNG", p, dpi=(d, d))) for d in (300, 72)),
    "extension .jpeg and .jpg": tuple(lambda p, e=e: (e, _pillow("JPEG", p, quality=90)) for e in (".jpeg", ".jpg")),
    "TIFF codec deflate and none": tuple(lambda p, c=c: (".tif", _tiff(p, c)) for c in ("zlib", None)),
    "PNG and JPEG": (lambda p: (".png", encode(p, "png8")), lambda p: (".jpg", _pillow("JPEG", p, quality=95))),
    "DICOM, implicit and explicit VR": tuple(
        lambda p, s=s: (".dcm", _dicom(p, s)) for s in (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
    ),
    "DICOM, RLE and explicit VR": tuple(lambda p, s=s: (".dcm", _dicom(p, s)) for s in (RLELossless, ExplicitVRLittleEndian)),
    "DICOM, JPEG 2000 and RLE": tuple(lambda p, s=s: (".dcm", _dicom(p, s)) for s in (JPEG2000Lossless, RLELossless)),
    "NIfTI, uint8 and int16": tuple(lambda p, k=k: (".nii.gz", _nifti(p, k)) for k in ("u1", "i2")),
    "NIfTI, int16 and float32": tuple(lambda p, k=k: (".nii.gz", _nifti(p, k)) for k in ("i2", "f4")),
    "NIfTI, int16 and uint16": tuple(lambda p, k=k: (".nii.gz", _nifti(p, k)) for k in ("i2", "u2")),
    "NIfTI, packed and not": (lambda p: (".nii.gz", _nifti(p, "i2")), lambda p: (".nii", _nifti(p, "i2", packed=False))),
    "NIfTI, big and little endian": tuple(lambda p, o=o: (".nii.gz", _nifti(p, "i2", order=o)) for o in (">", "<")),
    "NIfTI and DICOM": (lambda p: (".nii.gz", _nifti(p, "i2")), lambda p: (".dcm", encode(p, "dicom16"))),
}
"""How the first class is written, and how all others are."""

ARRANGED: Mapping[str, tuple[tuple[int, ...], str, str]] = {
    "60 v 60": ((60, 60), "{label}/{number:03d}{suffix}", "failed"),
    "60 v 240": ((60, 240), "{label}/{number:03d}{suffix}", "failed"),
    "60 v 60 v 60": ((60, 60, 60), "{label}/{number:03d}{suffix}", "failed"),
    "split folders × class folders, 60 v 60": ((60, 60), "{split}/{label}/{number:03d}{suffix}", "failed"),
    "classes × sites, 60 v 60": ((60, 60), "{label}/{site}/{number:03d}{suffix}", "failed"),
    "a label table, 60 v 60": ((60, 60), "images/{label}{number:03d}{suffix}", "failed"),
    "60 v 40": ((60, 40), "{label}/{number:03d}{suffix}", "not enough seen"),
    "40 v 40": ((40, 40), "{label}/{number:03d}{suffix}", "not enough seen"),
}
"""Images per class, where they lie, and the verdict where the encoding parts the classes."""


def picture(g: np.random.Generator) -> Picture:
    """A soft blob with noise, 48 × 48, 0 to 1."""
    return np.clip(np.outer(np.hanning(48), np.hanning(48)) * g.uniform(0.4, 0.9) + g.normal(0, 0.05, (48, 48)), 0, 1)


def make(folder: Path, way: str, arranged: str, *, parted: bool) -> None:
    """Write one data set."""
    g = np.random.default_rng(0)
    counts, pattern, _ = ARRANGED[arranged]
    rows = []
    for code, count in enumerate(counts):
        label = ("cancer", "benign", "normal")[code]
        for number in range(count):
            suffix, content = WAYS[way][1 if code or not parted else 0](picture(g))
            place = {"split": ("train", "test")[number % 4 == 3], "site": ("north", "south")[number % 2]}
            if pattern.startswith("images"):
                place["label"] = ""
                name = pattern.format(**place, number=int(g.integers(1 << 30)), suffix=suffix)
            else:
                name = pattern.format(**place, label=label, number=number, suffix=suffix)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
            rows.append((name.removeprefix("images/"), label))
    if pattern.startswith("images"):
        order = g.permutation(len(rows))
        (folder / "labels.csv").write_text("image,label\n" + "".join(f"{rows[i][0]},{rows[i][1]}\n" for i in order))


def asked(way: str, arranged: str, *, parted: bool) -> tuple[str, str]:
    """The verdict of the gate, and what LK001 says."""
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch), way, arranged, parted=parted)
        result = medaudit.scan(scratch, select=["LK001"], workers=0, cache=False)
    outcome = result.outcomes[0]
    found = [f for f in (outcome.verdict.findings if outcome.verdict else ()) if f.severity.value != "info"]
    if not found:
        return str(result.gate.verdict), "nothing" if outcome.verdict else outcome.reason
    top = max(found, key=lambda f: f.severity.rank)
    low = top.evidence.get("low_without_ids", top.evidence.get("low"))
    return str(result.gate.verdict), f"{top.severity.value}, {top.where.field}, {top.score:.2f} (from {low:.2f})"


def main() -> int:
    """Print the table; 1 where an answer is not the expected one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="TEXT", help="ways and arrangements whose name holds one of these"
    )
    only = parser.parse_args().only
    pairs = [(way, "60 v 60") for way in WAYS] + [("PNG, 16 and 8 bits", one) for one in list(ARRANGED)[1:]]
    wrong = 0
    print("| written | arranged | two ways | one way |\n|---|---|---|---|")
    for way, arranged in pairs:
        if only and not any(text in f"{way} {arranged}" for text in only):
            continue
        parted, alike = asked(way, arranged, parted=True), asked(way, arranged, parted=False)
        amiss = parted[0] != ARRANGED[arranged][2] or alike[0] == "failed"
        wrong += amiss
        print(
            f"| {way} | {arranged} | {parted[0]}: {parted[1]} | {alike[0]}: {alike[1]} |{' WRONG' if amiss else ''}", flush=True
        )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
