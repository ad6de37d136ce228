"""What a metadata field is: its family, whether it survives decoding, whether a model reads it."""

from __future__ import annotations

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
