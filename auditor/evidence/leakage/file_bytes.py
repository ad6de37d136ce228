"""Whether the size of a file can say anything that its picture and its other fields do not say.

Files that are written alike differ in bytes by what they show alone, and no decoder hands the bytes on: that they tell the
class is no flaw of its own. It may be one where a codec throws away as much as it likes and no header says how much.
"""

from __future__ import annotations

import pandas as pd

_KEEPS_ALL = ("png", "bmp", "nifti")
"""Formats that lose nothing on writing."""


def loss_is_told(metadata: pd.DataFrame) -> bool:
    """True where each file is of a format that loses nothing, or a JPEG that says its quality."""
    if "container.format" not in metadata.columns:
        return False
    written = metadata["container.format"].astype("string")
    told = written.isin(_KEEPS_ALL)
    if "container.jpeg_quality" in metadata.columns:
        told |= (written == "jpeg") & metadata["container.jpeg_quality"].notna()
    return bool(told[written.notna()].all()) and bool(written.notna().any())
