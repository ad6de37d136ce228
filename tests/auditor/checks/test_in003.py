import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in003 import WrongExtension


def test_a_jpeg_called_png_is_found() -> None:
    metadata = {"container.format": ["png", "jpeg", "dicom"], "path.extension": [".png", ".png", ".001"]}
    verdict = WrongExtension().run(make_dataset(n=3, metadata=metadata))
    assert [f.where.record for f in verdict.findings] == ["r0001"]
    assert verdict.findings[0].message.startswith("The name says .png, the content is JPEG")


def test_names_that_fit_or_claim_nothing_are_silent() -> None:
    metadata = {"container.format": ["jpeg", "nifti", "tiff", "dicom"], "path.extension": [".jpeg", ".nii.gz", ".svs", ".ima"]}
    assert WrongExtension().run(make_dataset(n=4, metadata=metadata)).findings == ()


def test_a_table_without_files_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no file was read"):
        WrongExtension().run(make_dataset(n=3))
