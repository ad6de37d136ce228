"""Structured reports of DICOM beside images: annotations in every layout, told as unread, no pass, no records of a class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pytest
from dicom_drawings import DEPTH, write_report, write_slices
from PIL import Image
from pydicom.uid import ComprehensiveSRStorage, EnhancedSRStorage, KeyObjectSelectionDocumentStorage

import medaudit
from auditor.layout import Options, list_files, open_dataset
from auditor.values.results import ScanResult

NOISE = np.random.default_rng(3).integers(0, 900, (4, 24, 24)).astype(np.int16)


def nifti(root: Path) -> None:
    nib.save(nib.Nifti1Image(NOISE, np.eye(4)), root / "volume.nii.gz")


def hdf5(root: Path) -> None:
    with h5py.File(root / "volume.h5", "w") as file:
        file["volume"] = NOISE


def classes(root: Path, *, dicom: bool) -> None:
    """Two folders of classes with four images and a report each."""
    for seed, name in enumerate(("benign", "malignant")):
        (root / name).mkdir(parents=True)
        if dicom:
            write_slices(root / name, depth=4, seed=seed)
        else:
            for number in range(4):
                noise = np.random.default_rng(10 * seed + number).integers(0, 255, (24, 24)).astype(np.uint8)
                Image.fromarray(noise).save(root / name / f"{number}.png")
        write_report(root / name / "report.dcm")


def listed(root: Path) -> None:
    classes(root, dicom=True)
    rows = [f"{name}/{number}.dcm,{name}" for name in ("benign", "malignant") for number in range(4)]
    (root / "labels.csv").write_text("\n".join(["file,label", *rows]) + "\n")


def scanned(root: Path) -> ScanResult:
    return medaudit.scan(root, select=["IN001", "IN014", "PH007"], cache=False, workers=0)


def told(result: ScanResult, code: str) -> set[str | None]:
    return {finding.where.path for finding in result.findings if finding.code == code}


@pytest.mark.parametrize(
    "beside",
    [nifti, hdf5, lambda root: np.savez(root / "volume.npz", volume=NOISE), lambda root: None],
    ids=["nifti", "hdf5", "npz", "dicom alone"],
)
@pytest.mark.parametrize("kind", [ComprehensiveSRStorage, EnhancedSRStorage, KeyObjectSelectionDocumentStorage])
def test_a_report_beside_slices_and_a_volume_is_an_annotation(
    tmp_path: Path, beside: Callable[[Path], None], kind: str
) -> None:
    write_slices(tmp_path / "ct")
    write_report(tmp_path / "report.dcm", kind=kind)
    beside(tmp_path)
    result = scanned(tmp_path)
    assert result.dataset.counts["annotations"] == 1
    assert result.dataset.counts["records"] == DEPTH + (beside is nifti)
    assert "report.dcm" in told(result, "IN014")
    assert "report.dcm" not in told(result, "IN001")
    assert result.gate.verdict != "passed"


@pytest.mark.parametrize(
    "laid",
    [lambda root: classes(root, dicom=True), lambda root: classes(root, dicom=False), listed],
    ids=["dicom folders", "png folders", "table"],
)
def test_a_report_in_a_folder_of_a_class_is_no_record_of_it(tmp_path: Path, laid: Callable[[Path], None]) -> None:
    laid(tmp_path)
    result = scanned(tmp_path)
    assert (result.dataset.counts["records"], result.dataset.counts["annotations"]) == (8, 2)
    assert told(result, "IN014") == {"benign/report.dcm", "malignant/report.dcm"}
    assert result.gate.verdict != "passed"


def test_a_report_that_a_table_names_is_told_to_hold_no_picture(tmp_path: Path) -> None:
    listed(tmp_path)
    with (tmp_path / "labels.csv").open("a") as table:
        table.write("benign/report.dcm,benign\n")
    for target in (tmp_path, tmp_path / "labels.csv"):
        result = medaudit.scan(target, select=["IN002", "IN014"], cache=False, workers=0)
        assert (result.dataset.counts["records"], result.dataset.counts["missing"]) == (9, 1)
        missing = [p.reason for p in open_dataset(target, Options(workers=0)).problems if p.kind == "missing"]
        assert missing == ["named by the table, but a structured report: it holds no picture"]
        assert result.gate.verdict != "passed"
        assert (
            "benign/report.dcm" in told(result, "IN014") or target != tmp_path
        )  # beside a table that is named, nothing is looked into


def test_reports_alone_are_what_there_is_to_look_at(tmp_path: Path) -> None:
    write_report(tmp_path / "report.dcm")
    assert list_files(tmp_path).inventory.images == ("report.dcm",)


def test_persons_in_reports_are_found_as_those_in_images_are(tmp_path: Path) -> None:
    write_slices(tmp_path)
    write_report(tmp_path / "report.dcm")
    clean = [
        finding for finding in scanned(tmp_path).findings if finding.where.path == "report.dcm" and finding.code == "PH007"
    ]
    write_report(tmp_path / "report.dcm", person="Weber^Anna")
    found = [
        finding for finding in scanned(tmp_path).findings if finding.where.path == "report.dcm" and finding.code == "PH007"
    ]
    assert len(found) - len(clean) == 1
    assert not any("Weber" in finding.message for finding in found)


def test_many_reports_are_one_finding_and_each_is_in_its_table(tmp_path: Path) -> None:
    write_slices(tmp_path / "ct")
    for number in range(6):
        write_report(tmp_path / f"sr/report{number}.dcm")
    result = scanned(tmp_path)
    (finding,) = [one for one in result.findings if one.code == "IN014"]
    assert finding.message.startswith("Labels may lie here that were not read: 6 files: each is a structured report")
    assert len(result.table("IN014", "files")) == 6
    assert "6 label files lie there unused" in " ".join(result.gate.reasons)
