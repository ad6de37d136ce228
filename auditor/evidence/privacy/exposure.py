"""What of a person a file's header tells: gathered in the pass, by field name; judged by the PH checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

from auditor.evidence.privacy.container_privacy import container_exposure
from auditor.evidence.privacy.dicom_privacy import dicom_exposure
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits
from auditor.values.privacy import Privacy

if TYPE_CHECKING:  # a worker gathers and needs no tables
    import pandas as pd

Kind = Literal["person", "date", "text", "private", "hidden", "stated", "embedded", "path"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Columns of `Dataset.exposure`.

* `person`, `date`, `text`: keywords of DICOM elements with a real value, at any depth (`auditor.evidence.privacy.ps315`);
* `private`: creators of private elements outside the allow-list;
* `hidden`: overlay, curve, icon image, encapsulated document, patient photo, preamble, part that cannot be read;
* `stated`: how the file says that it was de-identified, beyond `metadata`;
* `embedded`: fields of EXIF, PNG, TIFF and NIfTI, and the texts that other format modules tell of;
* `path`: `keyword@part`: the value of the element stands in that part of the file's own path.
"""


def exposure(source: FileSource, header: Header, path: str, rules: Privacy, limits: Limits) -> Mapping[str, str]:
    """Kind → field names joined by `+`, for a file whose header was read; values never leave the modules that read them."""
    if header.format != "dicom":
        return container_exposure(source, header.format, rules, limits)
    try:
        return dicom_exposure(source.content, path, rules, limits)
    except UnreadableFile:
        return {"hidden": "part that cannot be read"}


def exposure_frame(index: pd.Index, found: Sequence[Mapping[str, str] | None]) -> pd.DataFrame:
    """One categorical column per kind; empty text where nothing was found, missing where no header was read.

    Args:
        index: the records.
        found: per record what `exposure` gave, or None where the header could not be read.
    """
    import pandas as pd

    columns = {
        kind: pd.Categorical([None if facts is None else facts.get(kind, "") for facts in found], ordered=False)
        for kind in KINDS
    }
    return pd.DataFrame(columns, index=index)


def holders(frame: pd.DataFrame, kind: Kind) -> dict[str, pd.Series]:
    """Field name → which records hold it (boolean, aligned with the frame), in the order of the names."""
    import pandas as pd

    if kind not in frame.columns:
        return {}
    codes = frame[kind].cat.codes.to_numpy()
    by_name: dict[str, list[int]] = {}
    for code, text in enumerate(frame[kind].cat.categories):
        for name in filter(None, str(text).split("+")):
            by_name.setdefault(name, []).append(code)
    return {name: pd.Series(pd.Index(codes).isin(by_name[name]), index=frame.index) for name in sorted(by_name)}
