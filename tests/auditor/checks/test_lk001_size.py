"""LK001 on fields that can follow the picture itself."""

import numpy as np
import pytest
from builders import make_dataset

from auditor.checks.lk001 import MetadataLeakage
from auditor.values.fields import describe
from auditor.values.remedies import fields_of
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
    assert set(fields_of(depth_finding)) == {"container.bit_depth", "dicom.HighBit", "dicom.BitsStored"}
    assert "High Bit" in depth_finding.message
    assert verdict.metrics["fields_flagged"] == 4
    fields = {c.name: c.values for c in verdict.tables[0].columns}
    assert list(fields["verdict"]).count("error") == 3


def bytes_and(**other: list[object]) -> dict[str, Severity]:
    """Severity by field of 240 records whose files of class c1 are larger, with other ways of writing."""
    g = np.random.default_rng(2)
    sick = np.arange(240) % 2
    metadata = {"container.bytes_per_pixel": (0.4 + 0.1 * sick + g.normal(0, 0.02, 240)).tolist(), **other}
    dataset = make_dataset(labels=[f"c{s}" for s in sick], metadata=metadata)
    verdict = MetadataLeakage(draws=200).run(dataset)
    return {str(f.where.field): f.severity for f in verdict.findings}


@pytest.mark.parametrize(
    ("other", "severity"),
    [
        ({"container.format": ["png"] * 240}, Severity.INFO),
        ({"container.format": ["jpeg"] * 240, "container.jpeg_quality": [90.0] * 240}, Severity.INFO),
        ({"container.format": ["png"] * 240, "container.width": [float(i % 7) for i in range(240)]}, Severity.INFO),
        ({}, Severity.WARNING),
        ({"container.format": ["webp"] * 240}, Severity.WARNING),
        ({"container.format": ["dicom"] * 240}, Severity.WARNING),
        ({"container.format": ["png"] * 239 + ["webp"]}, Severity.WARNING),
        ({"container.format": ["jpeg"] * 240, "container.jpeg_quality": [None] + [90.0] * 239}, Severity.WARNING),
        # Another way of writing leans with the class, too little to be told itself: the bytes may say more of it.
        ({"container.format": ["png"] * 240, "container.width": [float(i % 6 == 1) for i in range(240)]}, Severity.WARNING),
    ],
)  # fmt: skip
def test_bytes_inform_only_where_the_files_are_written_alike_and_no_loss_is_hidden(other, severity) -> None:
    assert bytes_and(**other)["container.bytes_per_pixel"] is severity
