"""deidentify: a whole copy in which nothing tells of a person, and whose table still knows who is who."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset
from copies import Scanned, case_of, picture, scanned
from PIL import Image, ImageDraw, ImageFont

from auditor.degrade.encode import write_image
from auditor.features.recognition import FAILED
from auditor.values.errors import ConfigError
from trainers.strategies.deidentify import Deidentify, burned_in
from trainers.strategy import NotApplicable

CANARIES = (b"Doe", b"Jane", b"19500102", b"A4711", b"Elsewhere", b"20110203", b"1.2.3.", b"doe_", b"H0", b"Miller", b"secret")


def write(data: Path, *, table: bool = True) -> Path:
    """Eight DICOM files of four patients, with names everywhere."""
    data.mkdir(parents=True)
    lines = ["file,patient_id,patient_name,finding,split,site,age,sex,comment"]
    for i in range(8):
        tags = {
            "PatientID": f"H{i // 2}", "PatientName": f"Doe^Jane{i // 2}", "PatientBirthDate": "19500102",
            "AccessionNumber": "A4711", "StudyDate": "20110203", "InstitutionName": "St. Elsewhere",
            "StudyInstanceUID": f"1.2.3.{i // 2}", "PatientAge": "093Y", "PatientSex": "F",
        }  # fmt: skip
        write_image(data / f"doe_{i}.dcm", np.random.default_rng(i).random((24, 24)), "dicom12", seed=i, tags=tags)
        split = "train" if i < 4 else "test"
        lines.append(
            f"doe_{i}.dcm,H{i // 2},Jane Doe,{('NA', '007')[i % 2]},{split},Elsewhere {i // 4},{60 + 5 * i},F,secret {i}"
        )
    if table:
        (data / "labels.csv").write_text("\n".join(lines) + "\n")
    return data


def copied(tmp_path: Path, seen: Scanned, **options: str) -> Path:
    proposal = Deidentify(**options).propose(case_of(seen, tmp_path / "work"))
    seen.apply(tmp_path / "fixed", proposal, extra={"report.html": b"doe_1.dcm"})
    return tmp_path / "fixed"


def test_the_copy_holds_nothing_of_a_person_and_scans_clean(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data"), select=["PH"])
    assert any(f.severity.value == "error" for f in seen.result.findings)
    copy = copied(tmp_path, seen)
    for path in copy.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for value in CANARIES:
            assert value not in content + str(path.relative_to(copy)).encode(), (value, path.name)
    again = scanned(copy, select=["PH", "IN"])
    assert [f for f in again.result.findings if f.severity.value != "info"] == []


def test_patients_labels_and_splits_are_the_same_ones(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data"), select=["SP001"])
    again = scanned(copied(tmp_path, seen), select=["SP001"])
    assert again.dataset.size == 8
    old, new = seen.dataset, again.dataset
    by_label = lambda d: sorted(  # noqa: E731
        (tuple(sorted(zip(d.labels.values[rows.index], rows["split"], strict=True))))
        for _, rows in d.records.groupby("patient")
    )
    assert by_label(old) == by_label(new)
    assert new.records["patient"].str.fullmatch("MA-[A-Z2-7]{16}").all()
    assert (new.records["path"].str.partition("/")[0] == new.records["patient"]).all(), "table and headers agree"
    with (tmp_path / "fixed" / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["path", "label", "split", "patient", "site", "age", "sex"]
    assert {r["site"] for r in rows} == {"site 1", "site 2"}
    assert max(float(r["age"]) for r in rows) == 90
    assert new.labels.classes == ("007", "NA")


def test_a_key_gives_the_same_pseudonyms_again_and_a_drawn_one_is_said_to_be_lost(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data"), select=["PH001"])
    key = tmp_path / "key"
    key.write_bytes(b"0123456789abcdef")
    one = Deidentify(key=str(key)).propose(case_of(seen, tmp_path / "w1"))
    two = Deidentify().propose(case_of(seen, tmp_path / "w2", key=str(key)))
    drawn = Deidentify().propose(case_of(seen, tmp_path / "w3"))
    assert sorted(one.files) == sorted(two.files)
    assert sorted(one.files) != sorted(drawn.files)
    assert any("thrown away" in note for note in drawn.notes)
    assert not any("thrown away" in note for note in one.notes)
    assert (tmp_path / "w3" / "deidentify.key").stat().st_mode & 0o077 == 0
    key.write_bytes(b"short")
    with pytest.raises(ConfigError, match="at least 16"):
        Deidentify(key=str(key)).propose(case_of(seen, tmp_path / "w4"))


def test_a_tree_without_a_table_gets_one(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data", table=False), select=["PH"])
    again = scanned(copied(tmp_path, seen), select=["PH"])
    assert again.dataset.size == 8
    assert again.dataset.records["patient"].nunique() == 4
    assert [f for f in again.result.findings if f.severity.value != "info"] == []


def test_the_working_folder_may_lie_in_the_dataset_below_our_own_output(tmp_path: Path) -> None:
    seen = scanned(write(tmp_path / "data"), select=["PH001"])
    work = tmp_path / "data" / "medaudit-out" / ".work"
    seen.apply(tmp_path / "data" / "medaudit-out" / "fixed", Deidentify().propose(case_of(seen, work)))
    assert scanned(tmp_path / "data" / "medaudit-out" / "fixed", select=["IN"]).dataset.size == 8
    assert scanned(tmp_path / "data", select=["IN"]).dataset.size == 8


def test_other_files_cannot_be_cleaned(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for i in range(8):
        (data / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(i)).save(data / "ab"[i % 2] / f"{i}.png")
    with pytest.raises(NotApplicable, match="DICOM"):
        Deidentify().propose(case_of(scanned(data, select=["PH001"]), tmp_path / "work"))


def test_a_class_a_split_and_a_cell_that_name_a_patient_get_numbers(tmp_path: Path) -> None:
    data = write(tmp_path / "data", table=False)
    lines = ["file,patient_id,finding,laterality"]
    lines += [
        f"doe_{i}.dcm,Zelenskova{i // 2},{('of Zelenskova0', 'well')[i % 2]},{'Zelenskova1' if i == 2 else 'left'}"
        for i in range(8)
    ]
    (data / "labels.csv").write_text("\n".join(lines) + "\n")
    seen = scanned(data, select=["SP001"])
    seen.dataset.records["split"] = ["train"] * 4 + ["for Zelenskova3"] * 4
    proposal = Deidentify().propose(case_of(seen, tmp_path / "work"))
    seen.apply(tmp_path / "fixed", proposal)
    with (tmp_path / "fixed" / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["label"] for row in rows} == {"class 1", "well"}
    assert {row["split"] for row in rows} == {"train", "split 1"}
    assert sorted(row["laterality"] for row in rows) == ["", *["left"] * 7]
    assert b"Zelenskova" not in (tmp_path / "fixed" / "medaudit.toml").read_bytes()
    assert [note for note in proposal.notes if note.startswith("1 value of class")]
    assert scanned(tmp_path / "fixed", select=["IN"]).dataset.labels.classes == ("class 1", "well")


def test_every_file_that_stays_is_named_and_the_label_table_is_none_of_them(tmp_path: Path) -> None:
    data = write(tmp_path / "data")
    (data / "notes.txt").write_text("Jane")
    (data / "other.csv").write_text("a,b\n1,2\n")
    write_image(data / "said.dcm", np.zeros((24, 24)), "dicom12", seed=9, tags={"BurnedInAnnotation": "YES"})
    proposal = Deidentify().propose(case_of(scanned(data, select=["PH"]), tmp_path / "work"))
    (table,) = [table for table in proposal.tables if table.name == "refused"]
    assert [str(name) for name in table.columns[0].values] == ["said.dcm", "notes.txt", "other.csv"]
    assert proposal.metrics["files_refused"] == 1
    assert proposal.metrics["files_left_out"] == 3
    assert proposal.metrics["records_left_out"] in (0, 1)
    assert proposal.metrics["files_not_looked_at"] == 0


def test_a_picture_that_ph004_suspects_stays_unless_somebody_has_looked(tmp_path: Path) -> None:
    data = write(tmp_path / "data")
    drawn = Image.fromarray(np.full((256, 512), 30, np.uint8))
    ImageDraw.Draw(drawn).text((8, 4), "KUZMENKOVA OXANA 1953", fill=255, font=ImageFont.load_default(size=18))
    write_image(data / "doe_0.dcm", np.asarray(drawn), "dicom8", seed=0, tags={"PatientID": "H0"})
    seen = scanned(data, select=["PH"])
    assert list(burned_in(seen.dataset)) == ["doe_0.dcm"]
    proposal = Deidentify().propose(case_of(seen, tmp_path / "w1"))
    assert proposal.metrics["files_written"] == 7
    assert proposal.metrics["records_left_out"] == 1
    assert Deidentify(keep_suspects=True).propose(case_of(seen, tmp_path / "w2")).metrics["files_written"] == 8
    unseen = scanned(data, select=["SP001"])
    assert Deidentify().propose(case_of(unseen, tmp_path / "w3")).metrics["files_not_looked_at"] == 8


def test_a_picture_in_which_letters_were_recognised_stays_and_so_does_one_on_which_the_recogniser_failed() -> None:
    features = pd.DataFrame(
        {"lettering.line_letters": [0, 6, 6, 6, 9], "recognition.letters": [0, 1, 7, FAILED, 0]}, dtype=float
    )
    dataset = make_dataset(n=5, paths=[f"{i}.dcm" for i in range(5)])
    found = burned_in(replace(dataset, features=features.set_index(dataset.records.index)))
    assert {path: reason.split(" ")[0] for path, reason in found.items()} == {"2.dcm": "text", "3.dcm": "its", "4.dcm": "text"}
