"""What a file of predictions holds, told by its header. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

from pathlib import Path

from auditor.evidence.masks.mask_maps import holds_masks
from auditor.evidence.objects.object_tables import names_objects
from auditor.prediction.files import TABLE_SUFFIXES, suffix_of
from auditor.prediction.opening import table
from auditor.values.errors import DatasetError
from auditor.values.image import Limits
from auditor.values.predictions import PredictionKind


def kind_of(limits: Limits, path: Path) -> PredictionKind:
    """Masks, objects or classes; whoever reads classes says what is wrong with a file that is none of them."""
    if holds_masks(path):
        return "masks"
    if not path.is_file() or suffix_of(path) not in TABLE_SUFFIXES:
        return "classes"
    try:
        names = [str(name) for name in table(limits, path, 0).columns]
    except DatasetError:
        return "classes"
    return "objects" if names_objects(names) else "classes"
