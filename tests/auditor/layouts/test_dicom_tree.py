import pydicom
import pytest
from pydicom.dataset import Dataset as DicomDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from auditor.layout import Options, open_dataset
from auditor.placement.claims import ROLES
from auditor.values.image import Limits


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


def test_the_real_dicom_files_are_all_records(real_data):
    dataset = open_dataset(real_data / "dicom", Options())
    counts = dataset.summary.counts
    assert dataset.summary.layout == "dicom_tree"
    assert dataset.labels.task == "none"
    assert dataset.size == counts["images"] > 200
    assert counts["files"] == sum(counts.get(role, 0) for role in ROLES)
    assert not any("DICOMDIR" in path for path in dataset.records["path"])


def test_headers_for_the_join_are_read_in_workers_with_the_limits_of_the_user(tree):
    rows = "".join(f"1.2.3.{p},{'ab'[p % 2]}\n" for p in range(4))
    (tree / "labels.csv").write_text("StudyInstanceUID,label\n" + rows)
    seen = []
    for limits in (Limits(), Limits(file_bytes=16)):
        dataset = open_dataset(tree, Options(limits=limits, workers=1))
        seen.append(int(dataset.labels.values.notna().sum()))
    assert seen == [8, 0]


def exported(root, cases, *, visits=1, wards=("Station 3B", "Ambulanz", "Chirurgie")):
    """As a hospital exports: folders of wards, files without a suffix, ids with zeros in front; row → accession, patient."""
    rows = []
    for p in range(cases):
        for v in range(visits):
            number = f"A{700000 + p * visits + v}"
            path = root / f"{wards[p % len(wards)]}/IM{p:04d}{v}"
            dicom(path, f"{4400 + p:08d}", f"1.2.3.{p}.{v}", f"1.2.3.{p}.{v}.9")
            data = pydicom.dcmread(path)
            data.AccessionNumber = number
            data.save_as(path)
            rows.append((number, f"{4400 + p:08d}", ("Pneumonie", "unauffällig")[(p + v) % 2]))
    return rows


@pytest.mark.parametrize("header", ["Auftragsnummer", "accession_number", "ACC-NO", "Nummer der Anforderung"])
def test_a_list_by_accession_numbers_is_joined_and_wards_are_no_classes(tmp_path, header):
    rows = exported(tmp_path, 12)
    lines = [f"{header};Befund", *(f"{number};{label}" for number, _, label in rows)]
    (tmp_path / "Liste.csv").write_text("\n".join(lines) + "\n")
    dataset = open_dataset(tmp_path, Options())
    assert dataset.summary.layout == "dicom_tree"
    assert dataset.labels.classes == ("Pneumonie", "unauffällig")
    assert dataset.labels.values.notna().all()
    assert dataset.labels.values["Station 3B/IM00000"] == "Pneumonie"
    assert dataset.problems == ()


def test_patient_numbers_that_a_spreadsheet_took_the_zeros_from_are_found(tmp_path):
    rows = exported(tmp_path, 12)
    lines = ["Zeile,PatNr,Befund", *(f"{i},{int(patient)},{label}" for i, (_, patient, label) in enumerate(rows))]
    (tmp_path / "Liste.csv").write_text("\n".join(lines) + "\n")
    dataset = open_dataset(tmp_path, Options())
    assert dataset.labels.classes == ("Pneumonie", "unauffällig")
    assert dataset.labels.level == "patient"


def test_zeros_are_not_put_back_where_two_ids_would_be_one(tmp_path):
    for n, patient in enumerate(("0007", "007", "00008", "000009")):
        dicom(tmp_path / f"{n}", patient, f"1.2.3.{n}", f"1.2.3.{n}.9")
    (tmp_path / "list.csv").write_text("patient_id,label\n7,a\n8,b\n9,a\n")
    assert open_dataset(tmp_path, Options()).labels.task == "none"


def test_a_patient_with_two_visits_of_different_labels_is_not_guessed(tmp_path):
    rows = exported(tmp_path, 10, visits=2, wards=("a",))
    lines = ["PatientID,day,label", *(f"{patient},{n},{label}" for n, (_, patient, label) in enumerate(rows))]
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    dataset = open_dataset(tmp_path, Options())
    assert dataset.labels.values is None or dataset.labels.values.isna().all()
    assert any("20 files stand under an id" in note for note in dataset.summary.notes)


def test_folders_stay_classes_where_the_table_calls_no_file(tmp_path):
    exported(tmp_path, 12, wards=("alpha", "beta"))
    (tmp_path / "list.csv").write_text("number,label\n" + "".join(f"B{900000 + n},{'xy'[n % 2]}\n" for n in range(12)))
    dataset = open_dataset(tmp_path, Options())
    assert dataset.labels.classes == ("alpha", "beta")
    assert [problem.kind for problem in dataset.problems] == ["unused-table"]
