import json
from pathlib import Path

import pandas as pd
import pytest

from auditor.evidence.privacy.beside import OTHER, fields_of
from auditor.evidence.privacy.table_privacy import kinds_of, look_at_tables
from auditor.layout import list_files
from auditor.values.image import Limits
from auditor.values.privacy import Privacy


def column(values: list[str]) -> pd.Series:
    return pd.Series(values).astype("category")


def test_a_column_called_name_that_lists_files_names_nobody() -> None:
    assert kinds_of("name", column([f"img{i}.png" for i in range(20)]), Privacy()) == ""
    assert kinds_of("name", column([f"a/img{i}" for i in range(20)]), Privacy()) == ""


def test_a_column_called_name_that_lists_people_is_told() -> None:
    assert "name" in kinds_of("name", column(["Meier", "Huber", "Schulz"]), Privacy())


THINGS = {
    "Detector Manufacturer Name": ["TRIXELL", "CANON"],
    "Collimator/grid Name": ["Bucky", "Grid A"],
    "scanner name": ["Skyra", "Vida"],
    "station name": ["Main Hall", "Ward Two"],
    "Study Name": ["Prostate Trial", "Lung Trial"],
    "protocol_name": ["Head Routine", "Neck"],
    "drug name": ["Aspirin", "Ibuprofen"],
    "Tracer name": ["Fluoro Choline", "Gallium"],
    "class_name": ["Cardiomegaly", "Nodule"],
    "Equipment Name": ["Ingenia Ambition", "Aera"],
    "Convolution Kernel Name": ["Soft", "Sharp"],
    "Coil Name": ["Head Neck", "Knee"],
    "phone": ["iPhone", "Samsung"],
    "mobile": ["yes", "no"],
    "operator": ["1", "2"],
    "doctor": ["A", "B"],
    "radiologist": ["senior", "junior"],
    "case_number": ["1", "2"],
    "birth_date": ["1951", "1960"],
    "name": ["train_1", "testA_2"],
    "patient_name": ["P001", "P002"],
    "report": ["Nodule in the left lobe, Ann Arbor stage II.", "No change since 12/03/2019, M. Crohn is known, no fever."],
    "tel": ["yes", "no"],
}
PEOPLE = {
    "patient_name": ["Erika Musterfrau", "Max Beispiel"],
    "Name": ["Erika Musterfrau", "Max Beispiel"],
    "Nachname": ["Meier", "Huber"],
    "last_name": ["SMITH", "JONES"],
    "PatientName": ["DOE^JANE", "ROE^RICHARD"],
    "mrn": ["3300001", "3300002"],
    "accession_number": ["A1234567", "A1234568"],
    "dob": ["1951-02-03", "1960-03-04"],
    "phone": ["+49 89 1234567", "0123-456789"],
    "email": ["a@example.de", "c@example.org"],
    "address": ["Main Street 5", "Elm Road 7"],
    "operator": ["Huber", "Meier"],
    "referring_physician": ["Smith", "Jones"],
    "Radiologist Name": ["Anna Schmidt", "Paul Braun"],
    "comment": ["Mr. Smith", "Mrs. Jones"],
    "name of patient": ["Erika Musterfrau", "Max Beispiel"],
    "initials": ["JD", "RR"],
    "Geburtsdatum": ["03.02.1951", "04.05.1960"],
    "DOB": ["3/7/51", "4/5/60"],
    "birth_date": ["7-Mar-1951", "5-Apr-1960"],
    "Tel": ["+49 89 1234567", "0123-456789"],
    "姓名": ["王伟", "李娜"],
    "ФИО": ["Иванов Иван", "Петров Пётр"],
    "report": ["Cough since 12/03/2019, no fever, no change in weight."] * 9
    + ["Seen by Dr. Weber, who asks for a second film.", "Discussed with Mr. Jones in the afternoon of that day."],
}


@pytest.mark.parametrize("name", list(THINGS))
def test_names_of_things_and_codes_of_a_study_name_nobody(name: str) -> None:
    assert kinds_of(name, column(THINGS[name] * 4), Privacy()) == ""


@pytest.mark.parametrize("name", list(PEOPLE))
def test_names_and_numbers_of_people_are_told(name: str) -> None:
    assert kinds_of(name, column(PEOPLE[name]), Privacy()) != ""


def test_a_name_that_is_that_of_a_class_is_no_person() -> None:
    assert kinds_of("name", column(["Melanoma", "Nevus"] * 10), Privacy()) == ""


def described(folder: Path, content: object, name: str = "sub-01_T1w.json") -> dict[str, str]:
    (folder / name).write_text(json.dumps(content))
    found = fields_of(Limits(), folder / name, name, Privacy())
    assert found is not None
    return dict(found.columns)


def test_a_sidecar_is_looked_at_field_by_field_at_any_depth(tmp_path: Path) -> None:
    deep = {"Scan": [{"Operator": {"OperatorsName": "MUSTERFRAU^ERIKA"}}], "PatientID": "MRN3300001", "EchoTime": 0.003}
    assert described(tmp_path, deep) == {"OperatorsName": "person", "PatientID": "person"}
    assert described(tmp_path, {"InstitutionName": "St. Example Hospital"}) == {"InstitutionName": "institution"}
    assert described(tmp_path, {"note": "seen by Dr. Hans Beispiel"}) == {OTHER: "name"}
    assert described(tmp_path, {"Erika^Musterfrau": {"EchoTime": 1}}) == {OTHER: "name"}


def test_a_clean_sidecar_and_the_authors_of_a_collection_are_silent(tmp_path: Path) -> None:
    clean = {
        "Modality": "MR",
        "Manufacturer": "Siemens",
        "ManufacturersModelName": "Prisma Fit",
        "SeriesDescription": "T1 MPRAGE",
        "ProtocolName": "Head Routine",
        "PatientID": "sub-01",
        "PatientName": "anonymous",
        "AcquisitionTime": "10:11:12",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "SliceTiming": [0.0, 1.5],
        "StationName": "AWP12345",
        "DeviceSerialNumber": "45678",
    }
    assert described(tmp_path, clean) == {}
    assert described(tmp_path, {"Name": "Brains", "Authors": ["John Smith", "Mary Jones"]}, "dataset_description.json") == {}


def test_a_json_file_that_is_none_is_not_looked_into(tmp_path: Path) -> None:
    for content in (b"{", b"[" * 100_000, b'"text"', b"\xff\xfe"):
        (tmp_path / "odd.json").write_bytes(content)
        assert fields_of(Limits(), tmp_path / "odd.json", "odd.json", Privacy()) is None


def test_what_stands_around_the_list_of_a_json_table_is_looked_at_too(tmp_path: Path) -> None:
    content = {"PatientName": "MUSTERFRAU^ERIKA", "slices": [{"number": i, "mrn": f"330000{i}"} for i in range(4)]}
    (tmp_path / "scan.json").write_text(json.dumps(content))
    looks = look_at_tables(list_files(tmp_path), Privacy())
    assert [(dict(look.columns), look.is_table) for look in looks] == [
        ({"mrn": "record number"}, True),
        ({"PatientName": "person"}, False),
    ]
