"""The cleaned copy: nothing of the source is left, nothing of the source is changed, and it passes the gate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest

from auditor.config import read_config
from auditor.degrade.encode import write_image
from auditor.plan import plan_for
from auditor.scan import scan
from auditor.values.errors import ConfigError
from auditor.values.results import Severity
from trainers.rewriting.deidentify import AUDIT_NAME, PSEUDONYMS, deidentify

SALT = b"a secret of sixteen bytes"
REAL = {
    "PatientName": "Doe^Jane", "PatientBirthDate": "19500102", "AccessionNumber": "A4711", "StudyDate": "20110203",
    "InstitutionName": "St. Elsewhere", "ReferringPhysicianName": "Who^Dr", "PatientAge": "093Y", "PatientSex": "F",
    "SeriesDescription": "chest of Jane", "PatientIdentityRemoved": "NO", "ContentDate": "20110204",
}  # fmt: skip


def plant(root: Path) -> Path:
    root.mkdir()
    for i in range(6):
        tags = {**REAL, "PatientID": f"H{i // 2}", "StudyInstanceUID": f"1.2.3.{i // 2}"}
        path = root / f"doe_{i}.dcm"
        write_image(path, np.random.default_rng(i).random((24, 24)), "dicom12", seed=i, tags=tags)
        dataset = pydicom.dcmread(path)
        dataset.private_block(0x0029, "ACME", create=True).add_new(0x10, "LO", "Doe^Jane")
        dataset.add_new(0x60003000, "OW", b"\1\0" * 8)
        dataset.save_as(path)
    (root / "notes.txt").write_text("Jane Doe")
    (root / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return root


def headers(root: Path) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(root.rglob("*.dcm"))]


def test_the_copy_holds_no_value_and_the_source_is_untouched(tmp_path: Path) -> None:
    source = plant(tmp_path / "source")
    before = {path.name: path.read_bytes() for path in source.iterdir()}
    trail = deidentify(source, tmp_path / "copy", salt=SALT)
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before
    assert len(trail.written) == 6
    assert trail.left_out == {"not-an-image": 1, "truncated": 1}
    for path in (tmp_path / "copy").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for value in (b"Doe", b"Jane", b"19500102", b"A4711", b"Elsewhere", b"20110203", b"1.2.3.", b"ACME", b"doe_"):
            assert value not in content + path.name.encode(), (value, path.name)


def test_uids_and_dates_stay_consistent_within_a_patient(tmp_path: Path) -> None:
    deidentify(plant(tmp_path / "source"), tmp_path / "copy", salt=SALT)
    copies = headers(tmp_path / "copy")
    by_patient: dict[str, list[pydicom.Dataset]] = {}
    for copy in copies:
        by_patient.setdefault(str(copy.PatientID), []).append(copy)
    assert sorted(len(group) for group in by_patient.values()) == [2, 2, 2]
    shifts = set()
    for group in by_patient.values():
        assert len({c.StudyInstanceUID for c in group}) == 1
        assert len({c.StudyDate for c in group}) == 1
        shifts.add(group[0].StudyDate)
        days = np.array([group[0].ContentDate, group[0].StudyDate])
        as_days = [np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in days]
        assert as_days[0] - as_days[1] == np.timedelta64(1, "D"), "distances between dates are kept"
    assert len(shifts) == 3, "every patient has a shift of its own"
    assert len({c.SOPInstanceUID for c in copies}) == 6
    assert all(c.file_meta.MediaStorageSOPInstanceUID == c.SOPInstanceUID for c in copies)
    assert all(c.PatientAge == "090Y" and c.PatientSex == "F" for c in copies)


def test_pixels_are_the_same(tmp_path: Path) -> None:
    source = plant(tmp_path / "source")
    deidentify(source, tmp_path / "copy", salt=SALT)
    old = sorted(d.PixelData for d in headers(source))
    assert sorted(d.PixelData for d in headers(tmp_path / "copy")) == old


def test_the_same_salt_gives_the_same_copy_and_another_salt_another(tmp_path: Path) -> None:
    source = plant(tmp_path / "source")
    first = deidentify(source, tmp_path / "one", salt=SALT)
    assert deidentify(source, tmp_path / "two", salt=SALT) == first
    assert not set(deidentify(source, tmp_path / "three", salt=SALT[::-1]).written) & set(first.written)


def test_the_scan_of_the_copy_passes_and_that_of_the_source_does_not(tmp_path: Path) -> None:
    source = plant(tmp_path / "source")
    deidentify(source, tmp_path / "copy", salt=SALT)
    assert scan(source, plan_for(source, select=["PH"], cache=False, workers=0)).gate.exit_code == 1
    own = tmp_path / "copy" / "medaudit.toml"
    result = scan(own.parent, plan_for(own.parent, config=own, select=["PH"], cache=False, workers=0, fail_on="warning"))
    assert result.gate.exit_code == 0, result.gate.reasons
    assert {f.severity for f in result.findings} <= {Severity.INFO}


def test_the_trail_counts_what_was_done_and_leads_nowhere(tmp_path: Path) -> None:
    deidentify(plant(tmp_path / "source"), tmp_path / "copy", salt=SALT)
    trail = json.loads((tmp_path / "copy" / AUDIT_NAME).read_text())
    assert trail["files_written"] == 6
    assert trail["actions"]["PatientName replaced by a pseudonym"] == 6
    assert trail["actions"]["private elements removed"] == 12
    assert trail["actions"]["overlays and curves removed"] == 6
    assert read_config(tmp_path / "copy" / "medaudit.toml").privacy_of().pseudonyms == PSEUDONYMS


@pytest.mark.parametrize("where", ["source", "source/copy", ".", "full"])
def test_a_copy_is_never_written_over_data(tmp_path: Path, where: str) -> None:
    source = plant(tmp_path / "source")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("here")
    with pytest.raises(ConfigError, match="folder"):
        deidentify(source, tmp_path / where, salt=SALT)


def test_a_short_salt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="16 are needed"):
        deidentify(plant(tmp_path / "source"), tmp_path / "copy", salt=b"short")


def test_what_the_profile_keeps_is_emptied_where_it_names_the_patient(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    tags = {**REAL, "PatientID": "H4711", "Manufacturer": "made for JANE", "BodyPartExamined": "H4711", "Modality": "CT"}
    write_image(tmp_path / "source" / "a.dcm", np.random.default_rng(0).random((24, 24)), "dicom12", seed=0, tags=tags)
    trail = deidentify(tmp_path / "source", tmp_path / "copy", salt=SALT)
    (header,) = headers(tmp_path / "copy")
    assert not header.Manufacturer
    assert not header.BodyPartExamined
    assert header.Modality == "CT"
    assert trail.actions["Manufacturer emptied: it named the patient"] == 1


def test_a_document_is_refused_by_name(tmp_path: Path) -> None:
    source = plant(tmp_path / "source")
    document = pydicom.dcmread(source / "doe_0.dcm")
    del document.PixelData, document.Rows, document.Columns
    document.SOPInstanceUID = "1.2.3.9"
    document.save_as(source / "document.dcm")
    refused: dict[str, str] = {}
    deidentify(source, tmp_path / "copy", salt=SALT, refused=refused.__setitem__)
    assert list(refused) == ["document.dcm"]
