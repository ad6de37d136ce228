from pathlib import Path

import pytest
from pydicom.dataset import Dataset as DicomDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from auditor.layout import Options, open_dataset
from auditor.values.image import Limits

SHARED = Path(__file__).parents[3] / "../shared/data"


def dicom(path, patient, study, instance):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = DicomDataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = instance
    data.PatientID, data.StudyInstanceUID, data.SeriesInstanceUID = patient, study, f"{study}.1"
    data.save_as(path, enforce_file_format=True)


@pytest.fixture
def tree(tmp_path):
    for p in range(4):
        for i in range(2):
            dicom(tmp_path / f"9889200{p}/ST000000/IM{i:06d}", f"PAT{p}", f"1.2.3.{p}", f"1.2.3.{p}.9.{i}")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    return tmp_path


def test_files_without_suffix_are_told_by_content_and_a_dicomdir_is_no_image(tree):
    dataset = open_dataset(tree, Options())
    assert dataset.summary.layout == "dicom_tree"
    assert dataset.size == 8
    assert dataset.labels.task == "none"
    assert dataset.summary.counts["other"] == 1
    assert dataset.records["patient"].isna().all()  # the headers say it, in the extract pass


def test_a_table_is_joined_by_study(tree):
    rows = "".join(f"1.2.3.{p},{'ab'[p % 2]},{50 + p}\n" for p in range(4))
    (tree / "labels.csv").write_text("StudyInstanceUID,label,age\n" + rows)
    dataset = open_dataset(tree, Options())
    assert dataset.labels.values.tolist() == ["a", "a", "b", "b", "a", "a", "b", "b"]
    assert dataset.labels.level == "study"
    assert dataset.metadata["table.age"].tolist() == [50.0, 50.0, 51.0, 51.0, 52.0, 52.0, 53.0, 53.0]
    assert dataset.records["line"].tolist() == [2, 2, 3, 3, 4, 4, 5, 5]
    assert not [problem for problem in dataset.problems if "label" in problem.path]  # it was read: nothing lies unused


def test_files_that_the_table_does_not_know_are_unlabelled(tree):
    (tree / "labels.csv").write_text("PatientID,label\nPAT0,a\nPAT1,b\n")
    dataset = open_dataset(tree, Options())
    assert dataset.labels.values.isna().sum() == 4
    assert dataset.labels.level == "patient"
    assert any("4 files are not in the table" in note for note in dataset.summary.notes)


def test_class_folders_of_dicom_files_stay_class_folders(tmp_path):
    for c in ("benign", "malignant"):
        for i in range(3):
            dicom(tmp_path / f"{c}/{i}.dcm", f"P{i}", f"1.2.{i}", f"1.2.{i}.3")
    dataset = open_dataset(tmp_path, Options())
    assert dataset.summary.layout == "folders"
    assert dataset.labels.classes == ("benign", "malignant")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared real data is not here")
def test_the_real_dicom_files_are_all_records():
    dataset = open_dataset(SHARED / "dicom", Options())
    counts = dataset.summary.counts
    assert dataset.summary.layout == "dicom_tree"
    assert dataset.labels.task == "none"
    assert dataset.size == counts["images"] > 200
    assert counts["files"] == counts["images"] + counts["tables"] + counts["other"] + counts["containers"] + counts["masks"]
    assert not any("DICOMDIR" in path for path in dataset.records["path"])


def test_headers_for_the_join_are_read_in_workers_with_the_limits_of_the_user(tree):
    rows = "".join(f"1.2.3.{p},{'ab'[p % 2]}\n" for p in range(4))
    (tree / "labels.csv").write_text("StudyInstanceUID,label\n" + rows)
    seen = []
    for limits in (Limits(), Limits(file_bytes=16)):
        dataset = open_dataset(tree, Options(limits=limits, workers=1))
        seen.append(int(dataset.labels.values.notna().sum()))
    assert seen == [8, 0]
