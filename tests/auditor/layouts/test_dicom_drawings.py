"""Segmentations and structure sets of DICOM: their objects lie on the images that they name, and what is amiss is told."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_drawings import (
    DEPTH,
    HEIGHT,
    THICK,
    WIDTH,
    mask,
    ring,
    uid,
    write_segmentation,
    write_slices,
    write_structures,
)
from pydicom import dcmread

import medaudit
from auditor.checks.ln006 import SuspectBoxes
from auditor.config import Config
from auditor.layout import Options
from auditor.placement.dicom_drawn_file import read_drawn
from auditor.plan import Plan
from auditor.stage import gather
from auditor.values.dataset import Dataset
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits
from auditor.values.results import Severity

SEGMENTS = {1: "liver", 2: "tumour"}
BOXES = {f"{n}.dcm": [20, 10 + n, 41, 30 + n] for n in range(DEPTH)}


def gathered(root: Path) -> Dataset:
    return gather(
        Plan(config=Config(), options=Options(workers=0), workers=0, target=root), asked={"outlines", "fingerprints"}
    ).dataset


def boxes_of(dataset: Dataset) -> dict[str, list[float]]:
    corners = dataset.boxes[["x0", "y0", "x1", "y1"]].to_numpy().round(2).tolist()
    return dict(zip(dataset.boxes["record"], corners, strict=True))


def reasons(dataset: Dataset) -> list[str]:
    return [problem.reason for problem in dataset.problems]


def livers() -> list[tuple[int, int, np.ndarray]]:
    return [(1, n, mask(n)) for n in range(DEPTH)]


@pytest.mark.parametrize("names_images", [True, False], ids=["named", "by place"])
@pytest.mark.parametrize("fractional", [False, True], ids=["binary", "fractional"])
def test_frames_of_a_segmentation_are_objects_on_their_images(tmp_path: Path, names_images: bool, fractional: bool) -> None:
    write_slices(tmp_path)
    write_segmentation(tmp_path / "seg.dcm", livers(), segments=SEGMENTS, names_images=names_images, fractional=fractional)
    dataset = gathered(tmp_path)
    assert list(dataset.records.index) == sorted(BOXES)
    assert boxes_of(dataset) == BOXES
    assert set(dataset.boxes["label"]) == {"liver"}
    assert reasons(dataset) == []
    assert any("1 names of segmentations are drawn nowhere" in note for note in dataset.summary.notes)
    assert dataset.drawings is not None
    assert dataset.drawings.objects["pixels"].tolist() == [420.0] * DEPTH
    assert SuspectBoxes().run(dataset).findings == ()


@pytest.mark.parametrize("names_images", [True, False], ids=["named", "by place"])
def test_contours_of_a_structure_set_lie_on_the_same_pixels(tmp_path: Path, names_images: bool) -> None:
    write_slices(tmp_path)
    contours = [(1, n if names_images else None, ring(n)) for n in range(DEPTH)]
    write_structures(tmp_path / "rt.dcm", contours, regions={1: "liver", 2: "never"})
    dataset = gathered(tmp_path)
    assert boxes_of(dataset) == BOXES
    assert reasons(dataset) == []
    assert dataset.drawings is not None
    assert dataset.drawings.objects["pixels"].tolist() == [420.0] * DEPTH
    assert any("1 names of structure sets are drawn nowhere" in note for note in dataset.summary.notes)


def test_frames_of_images_that_are_not_there_or_lie_elsewhere_are_told_and_not_used(tmp_path: Path) -> None:
    write_slices(tmp_path)
    write_segmentation(tmp_path / "a.dcm", livers(), segments=SEGMENTS, of={2: uid(77)})
    write_segmentation(tmp_path / "bb.dcm", livers()[:2], segments=SEGMENTS, shift=THICK)
    write_structures(tmp_path / "rt.dcm", [(1, 0, ring(3)), (1, 1, ring(1)), (7, 2, ring(2))], regions={1: "liver"})
    dataset = gathered(tmp_path)
    assert sorted(reasons(dataset)) == [
        "1 contours of a region that is not declared: not used",
        "1 contours that lie elsewhere in the patient than the image that they name: not used",
        "1 frames that are of an image that is not there: not used",
        "2 frames that lie elsewhere in the patient than the image that they name: not used",
    ]
    assert len(dataset.boxes) == DEPTH - 1 + 1


def test_a_segment_that_is_not_declared_and_frames_of_another_size_are_told(tmp_path: Path) -> None:
    write_slices(tmp_path)
    wide = np.ones((HEIGHT, WIDTH + 2), bool)
    write_segmentation(tmp_path / "a.dcm", [(1, 0, wide)], segments={1: "liver"})
    write_segmentation(tmp_path / "bb.dcm", [(5, 0, mask(0)), (1, 1, mask(1))], segments={1: "liver"})
    dataset = gathered(tmp_path)
    assert any("1 frames of a segment that is not declared" in reason for reason in reasons(dataset))
    told = {str(finding.evidence["kind"]): finding.message for finding in SuspectBoxes().run(dataset).findings}
    assert set(told) == {"unread", "outside"}
    assert "of a picture of 48 × 66, which this one is not" in told["unread"]


def test_two_segmentations_of_one_image_are_two_readings_and_two_frames_of_one_are_doubled(tmp_path: Path) -> None:
    write_slices(tmp_path)
    write_segmentation(tmp_path / "a.dcm", livers(), segments=SEGMENTS)
    write_segmentation(tmp_path / "bb.dcm", livers(), segments=SEGMENTS)
    assert SuspectBoxes().run(gathered(tmp_path)).findings == ()
    write_segmentation(tmp_path / "bb.dcm", [*livers(), (2, 3, mask(3))], segments=SEGMENTS)
    (finding,) = SuspectBoxes().run(gathered(tmp_path)).findings
    assert finding.evidence["kind"] == "two classes"


@pytest.mark.parametrize("geometry", ["POINT", "OPEN_PLANAR"])
def test_points_and_open_contours_are_told_as_unread(tmp_path: Path, geometry: str) -> None:
    write_slices(tmp_path)
    write_structures(tmp_path / "rt.dcm", [(1, 0, ring(0))], regions={1: "liver"}, geometry=geometry)
    assert any("1 points and open contours are not read" in note for note in gathered(tmp_path).summary.notes)


@pytest.mark.parametrize("cut", [300, 900, 2000])
def test_a_file_that_is_torn_costs_itself(tmp_path: Path, cut: int) -> None:
    write_slices(tmp_path)
    write_segmentation(tmp_path / "seg.dcm", livers(), segments=SEGMENTS)
    whole = (tmp_path / "seg.dcm").read_bytes()
    (tmp_path / "seg.dcm").write_bytes(whole[:cut])
    dataset = gathered(tmp_path)
    assert len(dataset.records) == DEPTH
    assert [problem.path for problem in dataset.problems] == ["seg.dcm"]


def test_segmentations_alone_stay_the_records_that_they_were(tmp_path: Path) -> None:
    write_segmentation(tmp_path / "seg.dcm", livers(), segments=SEGMENTS)
    assert list(gathered(tmp_path).records.index) == ["seg.dcm"]


def test_a_scan_from_the_front_door_fails_by_what_is_amiss_and_tells_what_was_read(tmp_path: Path) -> None:
    write_slices(tmp_path / "data")
    write_segmentation(tmp_path / "data/seg.dcm", livers(), segments=SEGMENTS, of={2: uid(77)})
    result = medaudit.scan(tmp_path / "data", select=["IN001", "LN006"], cache=False)
    assert result.dataset.counts["annotations"] == 1
    assert result.dataset.counts["outlines"] == DEPTH - 1
    (found,) = [outcome.verdict for outcome in result.outcomes if outcome.code == "IN001"]
    assert found is not None
    assert ["of an image that is not there" in finding.message for finding in found.findings] == [True]


def test_persons_in_files_that_draw_are_found_as_those_in_images_are(tmp_path: Path) -> None:
    write_slices(tmp_path)
    write_segmentation(tmp_path / "seg.dcm", livers(), segments=SEGMENTS)
    clean = [f for f in medaudit.scan(tmp_path, select=["PH007"], cache=False).findings if f.where.path == "seg.dcm"]
    told = dcmread(tmp_path / "seg.dcm")
    told.PatientName, told.OtherPatientNames = "Weber^Anna", "Meier^Anna"
    told.save_as(tmp_path / "seg.dcm")
    found = [f for f in medaudit.scan(tmp_path, select=["PH007"], cache=False).findings if f.where.path == "seg.dcm"]
    assert len(found) - len(clean) == 2
    assert {finding.severity.value for finding in found} == {"error"}
    assert not any("Weber" in finding.message or "Meier" in finding.message for finding in found)


@pytest.mark.parametrize("name", ["object.dcm", "0_seg.dcm"])
def test_in_a_folder_of_a_class_drawings_are_objects_and_no_records(tmp_path: Path, name: str) -> None:
    for number, word in enumerate(("benign", "malignant")):
        write_slices(tmp_path / word, depth=3, seed=number)
    frames = [(segment, n, mask(n)) for segment in SEGMENTS for n in range(3)]
    write_segmentation(tmp_path / "benign" / name, frames, segments=SEGMENTS)
    dataset = gathered(tmp_path)
    assert dataset.labels.values.value_counts().to_dict() == {"benign": 3, "malignant": 3}
    assert dataset.boxes["label"].value_counts().to_dict() == {"liver": 3, "tumour": 3}
    assert dataset.summary.counts["annotations"] == 1
    assert not dataset.records["mask"].notna().any()


def test_beside_nifti_volumes_drawings_of_absent_images_are_one_clear_line(tmp_path: Path) -> None:
    for number in range(6):
        noise = np.random.default_rng(number).integers(0, 900, (16, 16, 4)).astype(np.int16)
        nib.save(nib.Nifti1Image(noise, np.eye(4)), tmp_path / f"volume{number}.nii.gz")
    write_segmentation(tmp_path / "object.dcm", livers(), segments=SEGMENTS)
    dataset = gathered(tmp_path)
    assert len(dataset.records) == 6
    assert [(p.kind, p.path) for p in dataset.problems] == [("unused-table", "object.dcm")]
    assert reasons(dataset) == ["6 frames that are of an image that is not there: not used"]


def test_what_is_drawn_on_images_of_another_dataset_lies_unused_and_is_no_fault_of_this_one(tmp_path: Path) -> None:
    write_slices(tmp_path / "data")
    write_segmentation(tmp_path / "data/seg.dcm", livers(), segments=SEGMENTS, of={k: uid(70 + k) for k in range(DEPTH)})
    result = medaudit.scan(tmp_path / "data", select=["IN001", "IN014"], cache=False)
    found = {outcome.code: outcome.verdict.findings for outcome in result.outcomes if outcome.verdict is not None}
    assert not found["IN001"]
    assert ["of an image that is not there" in finding.message for finding in found["IN014"]] == [True]
    assert found["IN014"][0].severity is Severity.WARNING


def test_an_element_that_declares_more_than_the_file_holds_makes_no_room_for_it(tmp_path: Path) -> None:
    path = tmp_path / "structures.dcm"
    write_structures(path, [(1, 0, ring(0))], regions={1: "liver"})
    with path.open("ab") as file:
        file.write(b"\xe1\x7f\x10\x00OB\0\0\xf0\xff\xff\x7f" + b"x")  # two gigabytes, of which there is a byte
    tracemalloc.start()
    try:
        with suppress(UnreadableFile):
            read_drawn(Limits(), path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_reader_that_breaks_down_is_a_malformed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "structures.dcm"
    write_structures(path, [(1, 0, ring(0))], regions={1: "liver"})

    def breaks(*_: object, **__: object) -> None:
        raise OSError("seek of a closed file")

    monkeypatch.setattr("pydicom.dcmread", breaks)
    with pytest.raises(UnreadableFile) as refused:
        read_drawn(Limits(), path)
    assert refused.value.kind == "malformed"
