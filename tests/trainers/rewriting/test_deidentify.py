"""The cleaned copy: nothing of the source is left, nothing of the source is changed, and it passes the gate."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest

from auditor.config import read_config
from auditor.degrade.encode import write_image
from auditor.plan import plan_for
from auditor.scan import scan
from auditor.values.errors import ConfigError
from auditor.values.privacy import Privacy
from auditor.values.results import Severity
from trainers.rewriting.cleaner import PSEUDONYMS, moved
from trainers.rewriting.deidentify import AUDIT_NAME, deidentify

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
    assert trail.actions["Manufacturer emptied: it named a person"] == 1


def test_a_document_is_refused_by_name(tmp_path: Path) -> None:
    source = plant(tmp_path / "source")
    document = pydicom.dcmread(source / "doe_0.dcm")
    del document.PixelData, document.Rows, document.Columns
    document.SOPInstanceUID = "1.2.3.9"
    document.save_as(source / "document.dcm")
    assert stays_of(source, tmp_path) == {
        "document.dcm": "no-pixels", "notes.txt": "not-an-image", "picture.png": "truncated",
    }  # fmt: skip


def stays_of(source: Path, tmp_path: Path) -> dict[str, str]:
    stays: dict[str, str] = {}
    deidentify(source, tmp_path / "copy", salt=SALT, stays=lambda name, kind, _: stays.__setitem__(name, kind))
    return stays


def one(tmp_path: Path, change: Callable[[pydicom.Dataset], object], **tags: object) -> Path:
    """A source of one file, changed by hand."""
    source = tmp_path / "source"
    source.mkdir()
    write_image(source / "a.dcm", np.random.default_rng(0).random((24, 24)), "dicom12", seed=0, tags={**REAL, **tags})
    dataset = pydicom.dcmread(source / "a.dcm")
    change(dataset)
    dataset.save_as(source / "a.dcm")
    return source


def only(tmp_path: Path) -> pydicom.Dataset:
    (header,) = headers(tmp_path / "copy")
    return header


def test_a_document_beside_a_picture_is_taken_out_and_overlays_with_it(tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.EncapsulatedDocument, dataset.DocumentTitle = b"%PDF Doe Jane ", "Letter on Jane Doe"
        dataset.add_new(0x60003000, "OW", b"\1\0" * 8)

    assert stays_of(one(tmp_path, change), tmp_path) == {}
    assert "EncapsulatedDocument" not in only(tmp_path)
    assert (0x6000, 0x3000) not in only(tmp_path)
    assert b"Jane" not in next((tmp_path / "copy").rglob("*.dcm")).read_bytes()


def test_a_file_that_says_that_text_is_burned_in_or_is_suspected_of_it_stays(tmp_path: Path) -> None:
    source = one(tmp_path, lambda _: None, BurnedInAnnotation="YES")
    assert stays_of(source, tmp_path) == {"a.dcm": "burned-in"}
    write_image(source / "b.dcm", np.random.default_rng(1).random((24, 24)), "dicom12", seed=1, tags=REAL)
    stays: dict[str, str] = {}
    deidentify(source, tmp_path / "two", salt=SALT, burned={"b.dcm": "seen"}, stays=lambda n, _, why: stays.__setitem__(n, why))
    assert stays == {"a.dcm": "it says that text is burned into its pixels", "b.dcm": "seen"}


def test_elements_that_dicom_does_not_know_go_with_the_private_ones(tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.add_new(0x00189999, "UN", b"Doe Jane")
        dataset.add_new(0x00189997, "LO", "Doe Jane")

    stays_of(one(tmp_path, change), tmp_path)
    assert not {0x00189999, 0x00189997} & set(only(tmp_path).keys())


def test_private_elements_that_may_stay_are_cleaned_too(tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        block = dataset.private_block(0x0029, "ACME", create=True)
        block.add_new(0x10, "LO", "scan of Jane")
        block.add_new(0x11, "LO", "b = 1000")
        block.add_new(0x12, "OB", b"for JANECK DOE, MRS. Janedoe-Miller ")
        item = pydicom.Dataset()
        item.PatientName = "Doe^Jane"
        block.add_new(0x13, "SQ", pydicom.Sequence([item]))

    source = one(tmp_path, change, PatientName="Janedoe^Miller^Jane")
    deidentify(source, tmp_path / "copy", salt=SALT, rules=Privacy(private_allowed=("ACME",)))
    kept = only(tmp_path)
    assert [(0x0029, 0x1000 + n) in kept for n in (0x10, 0x11, 0x12, 0x13)] == [True, True, False, True]
    assert not kept[0x0029, 0x1010].value
    assert kept[0x0029, 0x1011].value == "b = 1000"
    assert str(kept[0x0029, 0x1013].value[0].PatientName).startswith("MA-")


def test_codes_frames_and_numbers_that_name_the_patient_are_emptied_at_any_depth(tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        code = pydicom.Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "K", "99", "Thorax of Jane"
        frame = pydicom.Dataset()
        frame.AnatomicRegionSequence = pydicom.Sequence([code])
        dataset.SharedFunctionalGroupsSequence = pydicom.Sequence([frame])
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "JANE"]

    tags: dict[str, object] = {
        "PatientID": "K8830517", "InstanceNumber": "8830517", "SeriesNumber": 7, "PatientName": "Doeska^Jane",
        "PatientSex": "JANE", "ManufacturerModelName": "JANEDOESKA 3000", "SoftwareVersions": "born 02.01.1950",
    }  # fmt: skip
    stays_of(one(tmp_path, change, **tags), tmp_path)
    copy = only(tmp_path)
    assert copy.SharedFunctionalGroupsSequence[0].AnatomicRegionSequence[0].CodeMeaning in ("", None)
    assert list(copy.ImageType) == ["ORIGINAL", "PRIMARY", ""]
    assert [copy.InstanceNumber, copy.SeriesNumber, copy.PatientSex or ""] == [None, 7, ""]
    assert not copy.ManufacturerModelName
    assert not copy.SoftwareVersions


@pytest.mark.parametrize(
    ("charset", "name", "said"),
    [
        ("ISO_IR 144", "Кузьменкова^Оксана", "Оксана"), (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", "山田"),
        ("GB18030", "王^小东", "王"), ("ISO_IR 100", "Müller^Jürgen", "MUELLER"), ("ISO_IR 192", "Li^Wu", "made for Li Wu"),
    ],
)  # fmt: skip
def test_a_name_is_known_in_its_own_script(tmp_path: Path, charset: object, name: str, said: str) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.SpecificCharacterSet, dataset.PatientName, dataset.Manufacturer = charset, name, said

    stays_of(one(tmp_path, change), tmp_path)
    assert not only(tmp_path).Manufacturer


def test_what_stands_behind_the_pixels_is_cut_off_and_the_picture_stays(tmp_path: Path) -> None:
    pixels: list[bytes] = []

    def change(dataset: pydicom.Dataset) -> None:
        pixels.append(dataset.PixelData)
        dataset.PixelData = dataset.PixelData + b"Doe Jane"

    stays_of(one(tmp_path, change), tmp_path)
    assert only(tmp_path).PixelData == pixels[0]


def test_a_long_name_left_in_bytes_that_nobody_reads_refuses_the_file(tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.PixelData = b"KUZMENKOVA" + dataset.PixelData[10:]

    source = one(tmp_path, change, PatientName="Kuzmenkova^Oxana")
    stays: dict[str, str] = {}
    deidentify(source, tmp_path / "copy", salt=SALT, stays=lambda name, _, why: stays.__setitem__(name, why))
    assert stays == {"a.dcm": "not clean after cleaning: the name stands in bytes that are no text"}


def test_a_range_of_days_and_an_old_notation_leave_no_day(tmp_path: Path) -> None:
    assert moved("20110203-20110204", timedelta(days=1)) == "20110202"
    assert moved("2011.02.03", timedelta(days=1)) == ""
    assert moved("20110203101500.25+0100", timedelta(days=3)) == "20110131101500.25+0100"
