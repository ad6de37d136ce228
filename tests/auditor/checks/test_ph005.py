"""Faces on heads made in code, read from real files by the real pass: whole ones are told, defaced ones and bodies are not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from builders import make_dataset
from heads import DEFACED, OTHERS, Volume, render
from nibabel.orientations import axcodes2ornt, ornt_transform
from pydicom.dataset import Dataset as Elements
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from auditor.check import SkipCheck
from auditor.checks.ph005 import RecognisableFace
from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict

FACE, NONE, UNKNOWN = "a face can probably be seen", "defaced or skull-stripped", "cannot tell"
ORIENTATIONS = ("RAS", "LPS", "LAS", "PIR", "ASL", "SPL", "IAR", "RSP")
Spacing = tuple[float, float, float]


def save_nifti(path: Path, volume: Volume, spacing: Spacing, axes: str) -> None:
    """`volume` is (z up, y back, x left); stored in any order and direction of axes, with the affine that says so."""
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])  # LPS, as NIfTI's world is RAS
    image = nibabel.Nifti1Image(np.round(volume.transpose(2, 1, 0)).astype(np.int16), affine)
    turn = ornt_transform(axcodes2ornt(("L", "P", "S")), axcodes2ornt(tuple(axes)))
    nibabel.save(image.as_reoriented(turn), path)


def save_slices(
    folder: Path, volume: Volume, spacing: Spacing, *, plane: str, part: str = "HEAD", modality: str = "CT"
) -> None:
    """A DICOM file per slice, in a shuffled order of names; `volume` is (z up, y back, x left)."""
    folder.mkdir(parents=True, exist_ok=True)
    way = {"axial": (0, 1, 2), "sagittal": (2, 0, 1), "coronal": (1, 0, 2)}[plane]
    stack = volume.transpose(way)
    pixels = [spacing[way[1]], spacing[way[2]]]
    cosines = {"axial": [1, 0, 0, 0, 1, 0], "sagittal": [0, 1, 0, 0, 0, -1], "coronal": [1, 0, 0, 0, 0, -1]}[plane]
    if plane != "axial":
        stack = stack[:, ::-1]
    height = spacing[0] * (len(volume) - 1)
    names = np.random.default_rng(0).permutation(len(stack))
    for number, frame in enumerate(stack):
        away = float(number * spacing[way[0]])
        place = {"axial": [-90.0, -120.0, away], "sagittal": [away - 90, -120.0, height], "coronal": [-90.0, away, height]}[
            plane
        ]
        dataset = blank(f"{folder.name}{number}", part, modality)
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[str(folder)])
        dataset.ImageOrientationPatient, dataset.ImagePositionPatient = cosines, place
        dataset.PixelSpacing = [float(v) for v in pixels]
        write(folder / f"{names[number]:04d}.dcm", dataset, frame[None])


def blank(name: str, part: str, modality: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[name])
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.BodyPartExamined = modality, part
    dataset.PatientID, dataset.StudyInstanceUID = "p", generate_uid(entropy_srcs=["study"])
    return dataset


def write(path: Path, dataset: FileDataset, frames: Volume) -> None:
    dataset.Rows, dataset.Columns = frames.shape[1:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.RescaleIntercept, dataset.RescaleSlope = -1024, 1
    if len(frames) > 1:
        dataset.NumberOfFrames = len(frames)
    dataset.add_new("PixelData", "OW", np.clip(np.round(frames) + 1024, 0, 65535).astype("<u2").tobytes())
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)


def scanned(root: Path) -> Dataset:
    return extract(open_dataset(root, Options()), Pass(workers=0))[0]


def words(verdict: Verdict) -> dict[str, str]:
    """First record → what is said of it."""
    columns = {column.name: column.values for column in verdict.tables[0].columns}
    return dict(zip(map(str, columns["record"]), map(str, columns["word"]), strict=True))


def test_a_whole_head_is_told_and_a_defaced_one_is_not(tmp_path: Path) -> None:
    for kind in ("whole", "sheared", "stripped"):
        save_nifti(tmp_path / f"{kind}.nii.gz", render(1, kind, modality="T1", spacing=(3, 2.5, 2.5)), (3, 2.5, 2.5), "PIR")
    verdict = RecognisableFace().run(scanned(tmp_path))
    assert words(verdict) == {"whole.nii.gz": FACE, "sheared.nii.gz": NONE, "stripped.nii.gz": NONE}
    assert [f.where.path for f in verdict.findings] == ["whole.nii.gz"]
    assert verdict.findings[0].severity is Severity.WARNING
    assert verdict.metrics["heads_with_face"] == 1


@pytest.mark.parametrize("plane", ["axial", "sagittal"])
def test_the_slices_of_a_series_are_put_together(tmp_path: Path, plane: str) -> None:
    spacing = (6.0, 3.0, 3.0) if plane == "axial" else (3.0, 3.0, 5.0)
    save_slices(tmp_path / "whole", render(2, spacing=spacing), spacing, plane=plane)
    save_slices(tmp_path / "cut", render(3, "sheared", spacing=spacing), spacing, plane=plane)
    verdict = RecognisableFace().run(scanned(tmp_path))
    assert Counter(name.split("/")[0] + ": " + word for name, word in words(verdict).items()) == {
        f"whole: {FACE}": 1,
        f"cut: {NONE}": 1,
    }
    assert "series of" in verdict.findings[0].message


def test_of_coronal_slices_nothing_is_told(tmp_path: Path) -> None:
    save_slices(tmp_path / "whole", render(2, spacing=(5, 8, 5)), (5, 8, 5), plane="coronal")
    with pytest.raises(SkipCheck, match="slices from front to back"):
        RecognisableFace().run(scanned(tmp_path))


@pytest.mark.parametrize("upward", [True, False])
def test_a_multi_frame_object_is_told_whichever_way_its_frames_rise(tmp_path: Path, upward: bool) -> None:
    volume = render(4, spacing=(3, 3, 3))
    dataset = blank("enhanced", "HEAD", "CT")
    plane, measures, shared = Elements(), Elements(), Elements()
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing, measures.SpacingBetweenSlices = [3.0, 3.0], 3.0
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Items([plane]), Items([measures])
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    write(tmp_path / "enhanced.dcm", dataset, volume[:: 1 if upward else -1])
    assert list(words(RecognisableFace().run(scanned(tmp_path))).values()) == [FACE]


def test_a_head_without_its_front_or_top_is_not_judged(tmp_path: Path) -> None:
    volume = render(5, spacing=(3, 3, 3))
    save_nifti(tmp_path / "whole.nii", volume, (3, 3, 3), "RAS")
    save_nifti(tmp_path / "no_front.nii", volume[:, 20:], (3, 3, 3), "RAS")
    save_nifti(tmp_path / "no_top.nii", volume[:-28], (3, 3, 3), "RAS")
    save_nifti(tmp_path / "brain_alone.nii", volume[48:], (3, 3, 3), "RAS")
    verdict = RecognisableFace().run(scanned(tmp_path))
    assert words(verdict) == {"whole.nii": FACE} | dict.fromkeys(("no_front.nii", "no_top.nii", "brain_alone.nii"), UNKNOWN)
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (1, 4)


def test_other_bodies_are_no_heads(tmp_path: Path) -> None:
    save_nifti(tmp_path / "a.nii", render(1, "abdomen", spacing=(4, 4, 4), field=(200, 260, 380)), (4, 4, 4), "RAS")
    with pytest.raises(SkipCheck, match="none of 1 volumes"):
        RecognisableFace().run(scanned(tmp_path))
    with pytest.raises(SkipCheck, match="no volume or series"):
        RecognisableFace().run(make_dataset(labels=["a", "b"]))


def test_what_the_header_calls_another_part_is_left_out(tmp_path: Path) -> None:
    save_slices(tmp_path / "s", render(2, spacing=(10, 6, 6)), (10, 6, 6), plane="axial", part="ABDOMEN")
    with pytest.raises(SkipCheck, match="no volume or series"):
        RecognisableFace().run(scanned(tmp_path))


def drawn(seed: int, kind: str, folder: Path, *, child: bool = False) -> str:
    """One volume with everything that may vary, through a file and the pass; what is said of it."""
    rng = np.random.default_rng([seed, 9])
    spacing: Spacing = tuple(rng.choice([(2, 2, 2), (5, 1.5, 1.5), (1.5, 1.5, 3), (3, 3, 3), (6, 2, 2), (4, 2, 2)]).tolist())
    field = (200.0, 260.0, 380.0) if kind in ("abdomen", "thorax") else (260.0, 260.0, 200.0)
    modality = str(rng.choice(["CT", "T1", "T2"]))
    noise = float(rng.uniform(0.01, 0.06))
    volume = render(seed, kind, modality=modality, spacing=spacing, child=child, field=field, noise=noise)
    folder.mkdir(parents=True)
    save_nifti(folder / "v.nii", volume, spacing, str(rng.choice(ORIENTATIONS)))
    try:
        return words(RecognisableFace().run(scanned(folder)))["v.nii"]
    except SkipCheck as skipped:
        return UNKNOWN if "nothing can be told" in str(skipped) else "no head"


@pytest.mark.slow
def test_faces_are_found_and_nothing_else_is_called_one(tmp_path: Path) -> None:
    """Of whole heads nine in ten at least are told, of each kind that has no face one at most is."""
    said = {
        kind: Counter(drawn(seed, kind, tmp_path / f"{kind}{seed}") for seed in range(number))
        for kinds, number in ((("whole", *DEFACED), 30), (OTHERS, 8))
        for kind in kinds
    }
    assert said["whole"][FACE] >= 27, said["whole"]
    for kind in (*DEFACED, *OTHERS):
        assert said[kind][FACE] <= 1, (kind, said[kind])
    for kind in DEFACED:
        assert said[kind][NONE] >= 25, (kind, said[kind])
