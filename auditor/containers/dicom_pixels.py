"""DICOM pixels: the stored values of all frames.

Uncompressed and deflated pixels are read here by numpy; `auditor.containers.dicom_frames` decodes the compressed ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.containers.dicom_facts import has_high_pixels, overflow_fraction, overlay_bits
from auditor.containers.dicom_frames import decode_frames, in_pixels
from auditor.containers.dicom_header import (
    DEFLATED_LE,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    PIXELS,
    UNDEFINED,
    Elements,
    Order,
)
from auditor.containers.dicom_image import Described
from auditor.containers.inflate import RAW, inflate
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits, check_declared

NATIVE = frozenset({IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE})


def decode(elements: Elements, content: bytes, described: Described, limits: Limits) -> tuple[npt.NDArray[np.generic], float]:
    """All frames, shape (frames, rows, columns) or (frames, rows, columns, channels), native byte order, and the share of
    samples with bits beyond Bits Stored (`auditor.containers.dicom_facts.overflow_fraction`).

    YBR_FULL becomes RGB and a palette is applied; bits beyond Bits Stored (old overlays) are cleared.

    Raises:
        UnreadableFile: truncated, malformed, unsupported, or a codec is missing.
    """
    assert elements.pixels is not None
    check_declared(described.shape, described.frames, described.dtype.itemsize, limits)
    photometric = described.photometric
    if elements.pixels.length != UNDEFINED:
        if elements.transfer_syntax not in NATIVE:
            raise UnreadableFile("malformed", "the DICOM file declares compressed pixels but holds uncompressed ones")
        array = _native(elements, content, described)
        if photometric == "YBR_FULL_422" and array.ndim == 2:
            array = _spread_422(array, described)
        array = array.reshape(described.frames, -1)
        array = in_pixels(array, described, described.planar == 1)
    else:
        array, photometric = decode_frames(elements, described)
    overflow = 0.0
    if not has_high_pixels(elements, described):
        overflow = overflow_fraction(array, described, overlay_bits(elements))
    if described.tag == PIXELS and described.allocated != 1 and described.stored < 8 * array.dtype.itemsize:
        shift = 8 * array.dtype.itemsize - described.stored
        array = np.right_shift(np.left_shift(array, shift), shift)
    if described.samples == 3 and photometric in ("YBR_FULL", "YBR_FULL_422") and array.dtype == np.uint8:
        array = _ybr_to_rgb(array)
    if described.colours is not None:
        array = _apply_palette(array, described.colours, elements.order)
    if described.allocated == 1:
        array = array.astype(np.bool_)
    return np.ascontiguousarray(array), overflow


def _native(elements: Elements, content: bytes, described: Described) -> npt.NDArray[np.generic]:
    """Stored samples: flat, or (pixel pairs, 4) for subsampled colour."""
    assert elements.pixels is not None
    samples = described.rows * described.columns * described.samples * described.frames
    subsampled = described.photometric == "YBR_FULL_422" and described.samples == 3 and described.allocated == 8
    if subsampled and elements.pixels.length >= samples:
        subsampled = False
    if subsampled:
        samples = samples // 3 * 2
    size = -(-samples * described.allocated // 8)
    data, start = elements.data, elements.pixels.offset
    if elements.transfer_syntax == DEFLATED_LE:
        data = inflate(memoryview(content)[elements.data_start :], RAW, start + size)
    have = min(len(data) - start, elements.pixels.length)
    if have < size:
        raise UnreadableFile("truncated", f"the DICOM file holds {max(have, 0):,} of {size:,} bytes of pixels")
    if described.allocated == 1:
        raw = np.frombuffer(data, np.uint8, size, start)
        return np.unpackbits(raw, bitorder="little", count=samples)
    if elements.order == ">" and described.allocated == 8 and elements.pixels.vr == b"OW":
        # 8-bit samples in words of 16: the words are swapped
        words = np.frombuffer(data, np.uint8, min(size + size % 2, len(data) - start) // 2 * 2, start)
        raw = words.reshape(-1, 2)[:, ::-1].reshape(-1)[:size]
        return raw.view(described.dtype)
    flat = np.frombuffer(data, described.dtype.newbyteorder(elements.order), samples, start).astype(described.dtype)
    return flat.reshape(-1, 4) if subsampled else flat


def _spread_422(pairs: npt.NDArray[np.generic], described: Described) -> npt.NDArray[np.generic]:
    """Two pixels are stored as Y, Y, Cb, Cr (PS3.3 C.7.6.3.1.2)."""
    full = np.empty((pairs.shape[0], 2, 3), pairs.dtype)
    full[:, 0, 0], full[:, 1, 0] = pairs[:, 0], pairs[:, 1]
    full[:, :, 1:] = pairs[:, None, 2:]
    return full.reshape(described.frames, -1)


def _ybr_to_rgb(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """YBR_FULL to RGB (PS3.3 C.7.6.3.1.2), frame by frame with tables, so that memory stays small."""
    steps = np.arange(256) - 128
    red, blue = np.rint(1.402 * steps).astype(np.int16), np.rint(1.772 * steps).astype(np.int16)
    green_b, green_r = 0.344136 * steps.astype(np.float32), 0.714136 * steps.astype(np.float32)
    out = np.empty(array.shape, np.uint8)
    for source, target in zip(array, out, strict=True):
        luma, cb, cr = source[..., 0].astype(np.int16), source[..., 1], source[..., 2]
        target[..., 0] = np.clip(luma + red[cr], 0, 255)
        target[..., 1] = np.clip(luma - np.rint(green_b[cb] + green_r[cr]).astype(np.int16), 0, 255)
        target[..., 2] = np.clip(luma + blue[cb], 0, 255)
    return out


def _apply_palette(
    array: npt.NDArray[np.generic], colours: tuple[tuple[int, int, int], tuple[bytes, bytes, bytes]], order: Order
) -> npt.NDArray[np.generic]:
    (entries, first, bits), tables = colours
    kind = f"{order}u2" if bits == 16 or len(tables[0]) >= 2 * entries else "u1"
    table = np.stack([np.frombuffer(t, kind, entries) for t in tables], axis=1)
    if bits == 8 or not (table > 255).any():
        table = table.astype(np.uint8)
    elif not (table & 255).any() or not ((table >> 8) ^ (table & 255)).any():
        table = (table >> 8).astype(np.uint8)  # 8-bit colours, written as 16 bits by shifting or by doubling the byte
    # indices below the first take the first colour, those beyond the last take the last (PS3.3 C.7.6.3.1.5)
    index = np.clip(array.astype(np.int32) - first, 0, entries - 1)
    return np.ascontiguousarray(table[index]).astype(table.dtype.newbyteorder("="), copy=False)
