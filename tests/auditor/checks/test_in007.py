import dataclasses

import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in007 import MixedGeometry
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def placed(cosines: list[str], orientation: list[str], spacing: list[float], series: list[str]) -> Dataset:
    dataset = make_dataset(n=len(cosines), columns={"series": series}, metadata={"dicom.Modality": ["CT"] * len(cosines)})
    facts = {"cosines": cosines, "orientation": orientation, "spacing_row": spacing, "spacing_column": spacing}
    return dataclasses.replace(dataset, facts=pd.DataFrame(facts, index=dataset.records.index))


AXIAL, CORONAL = "1.00 0.00 0.00 0.00 1.00 0.00", "1.00 0.00 0.00 0.00 0.00 -1.00"


def test_a_slice_of_another_orientation_in_a_series_is_found() -> None:
    verdict = MixedGeometry().run(placed([AXIAL] * 9 + [CORONAL], ["LP"] * 9 + ["LF"], [0.7] * 10, ["1.2"] * 10))
    assert [(f.subject, f.where.record) for f in verdict.findings if f.severity is Severity.WARNING] == [
        ("collection: orientation", "r0009"),
        ("series cosines", "r0009"),
    ]


def test_mixed_spacings_of_a_series_are_found_and_a_scout_of_three_is_information() -> None:
    verdict = MixedGeometry().run(placed([AXIAL] * 8, ["LP"] * 8, [0.7] * 7 + [0.9], ["1.2"] * 8))
    assert [(f.severity, f.evidence["images_different"]) for f in verdict.findings] == [(Severity.WARNING, 1)]
    scout = placed([AXIAL, CORONAL, CORONAL], ["LP", "LF", "LF"], [1.0] * 3, ["1.2"] * 3)
    assert {f.severity for f in MixedGeometry().run(scout).findings} == {Severity.INFO}


def test_one_geometry_is_silent() -> None:
    assert MixedGeometry().run(placed([AXIAL] * 30, ["LP"] * 30, [0.7] * 30, ["1.2", "1.3"] * 15)).findings == ()


def test_headers_without_geometry_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="no header says"):
        MixedGeometry().run(make_dataset(n=4))
