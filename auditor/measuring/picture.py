"""One image as a person judges it: the middle frame, windowed, large; as JPEG. Runs inside a worker."""

from __future__ import annotations

from pathlib import Path

import cv2

from auditor.format import open_header, open_pixels, read_source
from auditor.values.image import Limits
from auditor.view import shrunk, view_of, windowed

SIDE = 768
"""Longest side; smaller images keep their size."""
QUALITY = 90


def picture(limits: Limits, path: Path, root: Path) -> bytes:
    """For `auditor.reading.jobs`.

    Raises:
        UnreadableFile: as for `open_header` and `open_pixels`.
    """
    source = read_source(path, limits, root)
    header = open_header(source, limits)
    pixels = open_pixels(source, header, limits)
    view = view_of(header, pixels)
    gray = windowed(shrunk(view.stored, SIDE), view.window, inverted=pixels.inverted)
    content = cv2.imencode(".jpg", cv2.convertScaleAbs(gray, alpha=255), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return bytes(content.tobytes())
