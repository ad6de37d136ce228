"""The privacy checks, on files that the real pass has read: planted is found, clean is silent, inapplicable is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest
import tifffile
from builders import make_dataset
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import Dataset as Elements
from pydicom.sequence import Sequence as Items
from scipy.ndimage import gaussian_filter

from auditor.check import SkipCheck
from auditor.checks.ph001 import IdentifyingElements
from auditor.checks.ph002 import DeidentificationNotStated
from auditor.checks.ph003 import PrivateElements
from auditor.checks.ph004 import BurnedInText
from auditor.checks.ph006 import KAnonymity
from auditor.checks.ph007 import NamesInPathsAndTables
from auditor.checks.ph008 import TellingContainerFields
from auditor.checks.ph009 import HiddenParts
from auditor.checks.ph010 import CrosswalkFile
from auditor.checks.ph011 import HighAge
from auditor.degrade.encode import write_image
from auditor.features.recognition import FAILED
from auditor.layout import Options
from auditor.stages.extract import Pass, extract
from auditor.stages.open import open_for_scan
from auditor.values.dataset import Dataset
from auditor.values.privacy import Privacy
from auditor.values.results import Finding, Severity, Verdict

DICOM_CHECKS = (IdentifyingElements, DeidentificationNotStated, PrivateElements, HiddenParts)


def picture(seed: int = 0, side: int = 24) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(seed).random((side, side))


def dicom_set(root: Path, tags: Sequence[dict[str, Any]]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for number, extra in enumerate(tags):
        write_image(root / f"{number:03d}.dcm", picture(number), "dicom12", seed=number, tags=extra)
    return root


def read(root: Path, rules: Privacy | None = None) -> Dataset:
    rules = rules or Privacy()
    return extract(open_for_scan(root, Options(), Pass(workers=0, rules=rules)), Pass(workers=0, rules=rules))[0]


def by_subject(verdict: Verdict) -> dict[str, Finding]:
    return {finding.subject: finding for finding in verdict.findings}


def test_clean_dicom_files_are_silent(tmp_path: Path) -> None:
    dataset = read(dicom_set(tmp_path, [{}] * 4))
    for check in DICOM_CHECKS:
        verdict = check().run(dataset)
        assert verdict.findings == (), check.code
        assert "pixels of 0 files not read" in verdict.summary


def test_a_real_name_is_an_error_and_its_value_is_not_told(tmp_path: Path) -> None:
    dataset = read(dicom_set(tmp_path, [{"PatientName": "Doe^Jane", "StudyDate": "20110203"}, {"PatientName": "ANONYMOUS"}]))
    verdict = IdentifyingElements().run(dataset)
    found = by_subject(verdict)
    assert set(found) == {"PatientName", "StudyDate"}
    assert found["PatientName"].severity is Severity.ERROR
    assert found["PatientName"].evidence["files"] == 1
    assert found["StudyDate"].severity is Severity.WARNING
    assert "Doe" not in repr(verdict)
    assert "20110203" not in repr(verdict)
    assert IdentifyingElements(dates=False).run(dataset).metrics["elements_date"] == 0


def test_an_identifier_in_a_nested_sequence_is_found(tmp_path: Path) -> None:
    inner, outer = Elements(), Elements()
    inner.OtherPatientNames = "Doe^Jane"
    outer.RequestAttributesSequence = Items([inner])
    dataset = read(dicom_set(tmp_path, [{"RequestAttributesSequence": Items([outer])}]))
    assert "OtherPatientNames" in by_subject(IdentifyingElements().run(dataset))


def test_declared_pseudonyms_do_not_count(tmp_path: Path) -> None:
    root = dicom_set(tmp_path, [{"PatientID": "CASE-0001", "PatientName": "CASE-0001"}, {"PatientID": "4711"}])
    assert by_subject(IdentifyingElements().run(read(root)))["PatientName"].severity is Severity.ERROR
    found = by_subject(IdentifyingElements().run(read(root, Privacy(pseudonyms="CASE-[0-9]{4}"))))
    assert set(found) == {"PatientID"}
    assert found["PatientID"].evidence["files"] == 1
    assert found["PatientID"].severity is Severity.WARNING, "the files say that the identity was removed"


def test_shifted_dates_are_for_information(tmp_path: Path) -> None:
    tags = {"StudyDate": "20110203", "LongitudinalTemporalInformationModified": "MODIFIED"}
    verdict = IdentifyingElements().run(read(dicom_set(tmp_path, [tags])))
    assert [f.severity for f in verdict.findings] == [Severity.INFO]


@pytest.mark.parametrize(
    ("tags", "subject", "severity"),
    [
        ({"PatientIdentityRemoved": "NO"}, "says no", Severity.ERROR),
        ({"PatientIdentityRemoved": ""}, "is absent", Severity.WARNING),
        ({"DeidentificationMethod": ""}, "is absent although the identity is said to be removed", Severity.WARNING),
        ({"BurnedInAnnotation": "YES"}, "says yes", Severity.ERROR),
        (
            {"BurnedInAnnotation": "", "Modality": "US"},
            "is absent in a modality that writes into the picture",
            Severity.WARNING,
        ),
    ],
)
def test_what_the_files_do_not_say_is_found(tmp_path: Path, tags: dict[str, Any], subject: str, severity: Severity) -> None:
    found = by_subject(DeidentificationNotStated().run(read(dicom_set(tmp_path, [tags, {}]))))
    assert {s: f.severity for s, f in found.items()} == {subject: severity}


def test_an_absent_statement_about_burned_in_text_is_accepted_in_a_radiograph(tmp_path: Path) -> None:
    assert DeidentificationNotStated().run(read(dicom_set(tmp_path, [{"BurnedInAnnotation": ""}]))).findings == ()


def with_private(path: Path, creator: str) -> None:
    import pydicom

    dataset = pydicom.dcmread(path)
    dataset.private_block(0x0029, creator, create=True).add_new(0x10, "LO", "Doe^Jane")
    dataset.save_as(path)


def test_private_elements_are_told_by_known_creators_only(tmp_path: Path) -> None:
    root = dicom_set(tmp_path, [{}, {}, {}])
    with_private(root / "000.dcm", "SIEMENS CSA HEADER")
    with_private(root / "001.dcm", "Doe^Jane private")
    verdict = PrivateElements().run(read(root))
    assert set(by_subject(verdict)) == {"SIEMENS CSA HEADER", "unknown creator in group 0029"}
    assert "Doe" not in repr(verdict)
    allowed = Privacy(private_allowed=("SIEMENS CSA HEADER",))
    assert set(by_subject(PrivateElements().run(read(root, allowed)))) == {"unknown creator in group 0029"}


def test_overlays_icons_documents_and_preambles_are_found(tmp_path: Path) -> None:
    import pydicom

    root = dicom_set(tmp_path, [{}, {}, {}, {}])
    icon = Elements()
    icon.Rows = 4
    for name, change in {
        "000": lambda d: d.add_new(0x60003000, "OW", b"\1\0" * 8),
        "001": lambda d: d.add_new(0x00880200, "SQ", Items([icon])),
        "002": lambda d: d.add_new(0x00420011, "OB", b"%PDF-1.4\0\0"),
    }.items():
        dataset = pydicom.dcmread(root / f"{name}.dcm")
        change(dataset)
        dataset.save_as(root / f"{name}.dcm")
    last = (root / "003.dcm").read_bytes()
    (root / "003.dcm").write_bytes(b"MZ" + last[2:])
    found = by_subject(HiddenParts().run(read(root)))
    assert {s: f.severity for s, f in found.items()} == {
        "overlay": Severity.WARNING,
        "icon image": Severity.WARNING,
        "encapsulated document": Severity.ERROR,
        "executable preamble": Severity.ERROR,
    }


def test_png_exif_tiff_and_nifti_fields_are_found_and_technical_ones_are_not(tmp_path: Path) -> None:
    eight = (picture() * 255).astype(np.uint8)
    text = PngInfo()
    text.add_text("Comment", "seen by Doe^Jane")
    Image.fromarray(eight).save(tmp_path / "a.png", pnginfo=text)
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(eight).save(tmp_path / "b.jpg", exif=exif)
    tifffile.imwrite(tmp_path / "c.tif", eight, description="Smith, John; MRN 1234567", metadata=None)
    image = nibabel.Nifti1Image(eight[..., None], np.eye(4))
    image.header["descrip"] = b"exam 2011-02-03"
    (tmp_path / "d.nii").write_bytes(image.to_bytes())
    tifffile.imwrite(tmp_path / "e.tif", eight)
    technical = nibabel.Nifti1Image(eight[..., None], np.eye(4))
    technical.header["descrip"] = b"TE=2.9e+02;Time=123206.000"
    (tmp_path / "f.nii").write_bytes(technical.to_bytes())
    comment = Image.Exif()
    comment.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0seen by Dr. Weber"
    Image.fromarray(eight).save(tmp_path / "g.jpg", exif=comment)
    comment.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "MRN 1234567".encode("utf-16-le")
    Image.fromarray(eight).save(tmp_path / "h.jpg", exif=comment)
    for name, said in (("i.nii", b"Doe^Jane, follow-up"), ("j.nii", b"<AFNI_attributes ni_form='ni_group' />")):
        extended = nibabel.Nifti1Image(eight[..., None], np.eye(4))
        extended.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", said))
        (tmp_path / name).write_bytes(extended.to_bytes())
    verdict = TellingContainerFields().run(read(tmp_path))
    assert {s: f.severity for s, f in by_subject(verdict).items()} == {
        "PNG Comment (name)": Severity.ERROR,
        "EXIF UserComment (name)": Severity.ERROR,
        "EXIF UserComment (record number)": Severity.ERROR,
        "NIfTI extension 6 (name)": Severity.ERROR,
        "EXIF GPS": Severity.ERROR,
        "TIFF ImageDescription (name, record number)": Severity.ERROR,
        "NIfTI descrip (date)": Severity.WARNING,
    }
    assert all(f.evidence["files"] == 1 for f in verdict.findings)


def test_names_in_paths_and_columns_are_found(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    names = ["DOE^JANE.png", "scan_20110203.png", *(f"{i:03d}.png" for i in range(6))]
    for i, name in enumerate(names):
        write_image(tmp_path / "images" / name, picture(i), "png8")
    rows = [f"images/{name},Jane Doe {i},{1950 + i}-01-02,case {i % 2}" for i, name in enumerate(names)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,patient_name,birth_date,label", *rows]) + "\n")
    verdict = NamesInPathsAndTables().run(read(tmp_path))
    found = by_subject(verdict)
    assert found["name"].severity is Severity.ERROR
    assert found["name"].evidence["parts"] == 1
    assert found["date"].severity is Severity.WARNING
    assert "labels.csv: patient_name" in found
    assert found["labels.csv: birth_date"].evidence["kinds"] == "birth date"
    assert not any(column in found for column in ("labels.csv: image", "labels.csv: label"))
    assert "DOE" not in repr(verdict)


def test_a_path_that_repeats_the_patients_name_is_found(tmp_path: Path) -> None:
    dicom_set(tmp_path / "nguyen_visit", [{"PatientName": "Nguyen^Thi"}])
    (tmp_path / "nguyen_visit").rename(tmp_path / "thi-nguyen")
    found = by_subject(NamesInPathsAndTables().run(read(tmp_path)))
    assert found["value of its own header"].evidence["parts"] == 1


@pytest.mark.parametrize(
    "name",
    ["00000001_000.png", "IM-0001-0001.jpeg", "person1_bacteria_2.jpeg", "TCGA-A1-A0SB-01Z.png", "ISIC_0024306.jpg",
     "SOB_B_A-14-22549AB-40-001.png", "patient00001/study1/view1_frontal.jpg", "CNV-1016042-1.jpeg", "Lung_Opacity-12.png"],
)  # fmt: skip
def test_names_of_public_collections_are_silent(name: str) -> None:
    assert NamesInPathsAndTables().run(make_dataset(paths=[name], labels=["a"])).findings == ()


def test_a_crosswalk_is_found_by_its_name_and_by_its_columns(tmp_path: Path) -> None:
    for i in range(4):
        write_image(tmp_path / f"{i}.png", picture(i), "png8")
    (tmp_path / "ids.csv").write_text("original_id,anon_id\n1,A\n2,B\n")
    (tmp_path / "deid_key.xlsx").write_bytes(b"PK")
    (tmp_path / "labels.csv").write_text("image,label\n0.png,a\n1.png,b\n2.png,a\n3.png,b\n")
    found = CrosswalkFile().run(read(tmp_path)).findings
    assert {f.where.path for f in found} == {"ids.csv", "deid_key.xlsx"}


def aged(*ages: float) -> Dataset:
    return make_dataset(metadata={"dicom.PatientAge": list(ages), "table.bone age months": [120.0] * len(ages)}, n=len(ages))


def test_ages_above_89_are_counted_and_90_stands_for_all(tmp_path: Path) -> None:
    verdict = HighAge().run(aged(50, 89, 90, 91, 104, 4000))
    assert [f.evidence["records"] for f in verdict.findings] == [2]
    assert HighAge().run(aged(50, 90)).findings == ()


def lettered(text: str, size: int, seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    base = gaussian_filter(np.random.default_rng(seed).normal(0, 1, (256, 320)), 14)
    image = Image.fromarray(((base - base.min()) / np.ptp(base) * 150).astype(np.uint8))
    ImageDraw.Draw(image).text((6, 6), text, fill=255, font=ImageFont.load_default(size))
    return np.asarray(image)


def test_burned_in_text_is_suspected_by_device(tmp_path: Path) -> None:
    for i in range(12):
        text = "DOE JANE 1956 12 ID 4711 H" if i < 8 else ""
        tags = {"Manufacturer": "Alpha" if i < 8 else "Beta", "ManufacturerModelName": "One"}
        write_image(tmp_path / f"{i:02d}.dcm", lettered(text, 16, i), "dicom8", seed=i, tags=tags)
    dataset = read(tmp_path)
    verdict = BurnedInText().run(dataset)
    assert [f.subject for f in verdict.findings] == ["Alpha One"]
    assert verdict.findings[0].evidence["suspect"] >= 5
    assert verdict.findings[0].where.record in dataset.thumbnails
    shown = {t.name: t for t in verdict.tables}["pictures"]
    assert shown.columns[0].kind == "record"
    assert set(shown.columns[0].values) <= {f"{i:02d}.dcm" for i in range(8)}


def recognised(letters: list[float], read: list[float]) -> Dataset:
    """Records with so many shapes in a row, of which so many were read."""
    features = pd.DataFrame({"lettering.line_letters": letters, "recognition.letters": read}, dtype=np.float32)
    dataset = make_dataset(n=len(letters), paths=[f"{i}.png" for i in range(len(letters))])
    return replace(dataset, features=features.set_index(dataset.records.index))


def test_letters_that_were_recognised_make_short_rows_suspect_and_excuse_no_long_one() -> None:
    verdict = BurnedInText().run(recognised([9, 5, 5, 0, 12], [9, 4, 2, 0, 0]))
    assert verdict.metrics["images_suspect"] == 3
    assert verdict.metrics["images_recognised"] == 2
    shown = {t.name: t for t in verdict.tables}["pictures"]
    assert set(shown.columns[2].values) == {9, 5, 12}
    silent = BurnedInText().run(recognised([5, 0], [1, 0]))
    assert silent.findings == ()
    assert "nor 3 letters recognised" in silent.summary


def test_a_picture_on_which_the_recogniser_failed_is_not_called_clean() -> None:
    verdict = BurnedInText().run(recognised([6, 0, 10, float("nan")], [FAILED, 0, FAILED, float("nan")]))
    assert verdict.coverage.evaluated == 2
    assert verdict.coverage.total == 4
    assert "recogniser failed" in verdict.coverage.reason
    assert "cannot be read" in verdict.coverage.reason
    assert verdict.metrics["images_suspect"] == 1


def test_pictures_without_text_are_silent(tmp_path: Path) -> None:
    for i in range(12):
        write_image(tmp_path / f"{i:02d}.png", lettered("", 16, i), "png8")
    assert BurnedInText().run(read(tmp_path)).findings == ()


def quasi(dataset: Dataset, *names: str) -> Dataset:
    return replace(dataset, privacy=Privacy(quasi_identifiers=names))


def test_k_is_the_size_of_the_smallest_group_of_patients() -> None:
    ages, sexes = [30.0] * 6 + [40.0] * 6 + [95.0] * 2, ["F"] * 6 + ["M"] * 6 + ["F"] * 2
    dataset = make_dataset(
        patients=[f"p{i}" for i in range(13)] + ["p12"], metadata={"table.age": ages, "table.sex": sexes}, n=14
    )
    verdict = KAnonymity().run(quasi(dataset, "table.age", "table.sex"))
    assert verdict.metrics["k"] == 1
    assert verdict.findings[0].evidence == {"k": 1, "patients": 13, "in_small_groups": 1, "alone": 1}
    assert KAnonymity(min_k=2).run(quasi(dataset, "table.sex")).findings == ()


def test_checks_that_do_not_apply_are_skipped_with_a_reason(tmp_path: Path) -> None:
    bare = make_dataset(labels=["a", "b"], paths=[None, None])
    for check in (
        *DICOM_CHECKS,
        BurnedInText,
        KAnonymity,
        NamesInPathsAndTables,
        TellingContainerFields,
        CrosswalkFile,
        HighAge,
    ):
        with pytest.raises(SkipCheck, match=r"\w+ \w+ \w+"):
            check().run(bare)
    with pytest.raises(SkipCheck, match=r"no metadata of this dataset: table\.zip"):
        KAnonymity().run(quasi(bare, "table.zip"))


def test_a_dicomdir_is_looked_at_though_it_is_no_image(tmp_path: Path) -> None:
    from pydicom.dataset import Dataset as Elements
    from pydicom.dataset import FileMetaDataset

    for i in range(4):
        write_image(tmp_path / f"{i}.png", picture(i), "png8")
    directory, person = Elements(), Elements()
    person.DirectoryRecordType, person.PatientName, person.PatientID = "PATIENT", "MUSTERFRAU^ERIKA", "anon"
    directory.FileSetID, directory.DirectoryRecordSequence = "X", [person]
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    directory.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    found = by_subject(NamesInPathsAndTables().run(read(tmp_path)))
    assert found["described: PatientName"].severity is Severity.ERROR
    assert found["described: PatientName"].where.path == "DICOMDIR"
    (tmp_path / "DICOMDIR").write_bytes(b"DICM cut")
    with pytest.raises(SkipCheck, match="could be looked into"):
        NamesInPathsAndTables().run(read(tmp_path))


def test_sidecars_are_one_finding_for_each_field(tmp_path: Path) -> None:
    for i in range(6):
        write_image(tmp_path / f"{i}.png", picture(i), "png8")
        (tmp_path / f"{i}.json").write_text('{"PatientName": "MUSTERFRAU^ERIKA", "EchoTime": 0.003}')
    verdict = NamesInPathsAndTables().run(read(tmp_path))
    assert [(f.subject, f.evidence["files"]) for f in verdict.findings] == [("described: PatientName", 6)]
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (12, 12), "paths and descriptions"
    assert "MUSTERFRAU" not in repr(verdict)


def test_a_name_drawn_at_random_that_reads_as_a_date_is_none() -> None:
    g = np.random.default_rng(0)
    drawn = [f"{int(v):08x}.png" for v in g.integers(1 << 28, 1 << 31, 400)]
    by_chance = make_dataset(n=401, paths=[*drawn, "19870412.png"])
    assert [f for f in NamesInPathsAndTables().run(by_chance).findings if f.subject == "date"] == []
    several = make_dataset(n=403, paths=[*drawn, "19870412.png", "19880511.png", "19890710.png"])
    assert [f.subject for f in NamesInPathsAndTables().run(several).findings] == ["date"]
    plain = make_dataset(n=3, paths=["scan 1.png", "scan 2.png", "19870412.png"])
    assert [f.subject for f in NamesInPathsAndTables().run(plain).findings] == ["date"]
