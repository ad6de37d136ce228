"""LK001 on fields that can follow the picture itself."""

import numpy as np
from builders import make_dataset

from auditor.checks.lk001 import MetadataLeakage
from auditor.values.fields import describe
from auditor.values.results import Severity


def test_the_size_of_a_file_is_never_more_than_a_warning_and_its_codec_is_an_error() -> None:
    g = np.random.default_rng(0)
    sick = g.integers(0, 2, 400)
    dataset = make_dataset(
        labels=[f"c{s}" for s in sick],
        patients=[f"p{i // 2}" for i in range(400)],
        metadata={
            "container.file_size": (40_000 + 9_000 * sick + g.normal(0, 900, 400)).tolist(),
            "container.jpeg_quant_hash": np.where(sick, "a1", "b2").tolist(),
        },
    )
    severity = {f.where.field: f.severity for f in MetadataLeakage().run(dataset).findings}
    assert severity == {"container.file_size": Severity.WARNING, "container.jpeg_quant_hash": Severity.ERROR}


def test_fields_of_one_kind_that_part_the_records_alike_are_one_finding() -> None:
    g = np.random.default_rng(1)
    sick = g.integers(0, 2, 400)
    depth = np.where(sick, 16, 8)
    dataset = make_dataset(
        labels=[f"c{s}" for s in sick],
        patients=[f"p{i // 2}" for i in range(400)],
        metadata={
            "dicom.HighBit": (depth - 1).tolist(),
            "container.bit_depth": depth.tolist(),
            "dicom.BitsStored": [16 if s else None for s in sick],
            "dicom.KVP": np.where(sick, 80, 100).tolist(),
        },
        kinds={name: describe(name) for name in ("dicom.HighBit", "dicom.BitsStored", "container.bit_depth", "dicom.KVP")},
    )
    verdict = MetadataLeakage().run(dataset)
    assert sorted(str(f.where.field) for f in verdict.findings) == ["container.bit_depth", "dicom.KVP"]
    depth_finding = next(f for f in verdict.findings if f.where.field == "container.bit_depth")
    assert depth_finding.evidence["same_fields"] == 2
    assert "High Bit" in depth_finding.message
    assert verdict.metrics["fields_flagged"] == 4
    fields = {c.name: c.values for c in verdict.tables[0].columns}
    assert list(fields["verdict"]).count("error") == 3
