"""Blank pages inside images of every format that holds several, as the pass reads them."""

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from builders import make_dataset
from pydicom.dataset import Dataset as Elements
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from auditor.check import SkipCheck
from auditor.checks.iq015 import BlankPage
from auditor.checks.ph004 import BurnedInText
from auditor.layout import Options
from auditor.stages.extract import Pass, extract
from auditor.stages.open import open_for_scan
from auditor.values.results import Verdict

Writer = Callable[[Path, np.ndarray], None]


def stack(*blank: int, pages: int = 9, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).integers(1, 3000, (pages, 32, 40)).astype(np.uint16)
    found[list(blank)] = 7
    return found


def tiff(root: Path, pages: np.ndarray) -> None:
    tifffile.imwrite(root.with_suffix(".tif"), pages, photometric="minisblack")


def imagej(root: Path, pages: np.ndarray) -> None:
    tifffile.imwrite(root.with_suffix(".tif"), pages, imagej=True)


def npy(root: Path, pages: np.ndarray) -> None:
    np.save(root.with_suffix(".npy"), pages)


def nifti(root: Path, pages: np.ndarray) -> None:
    nibabel.save(nibabel.Nifti1Image(pages.transpose(2, 1, 0), np.eye(4)), root.with_suffix(".nii.gz"))


def nrrd(root: Path, pages: np.ndarray) -> None:
    head = f"NRRD0004\ntype: uint16\ndimension: 3\nsizes: 40 32 {len(pages)}\nencoding: raw\nendian: little\n\n"
    root.with_suffix(".nrrd").write_bytes(head.encode() + pages.tobytes())


def metaimage(root: Path, pages: np.ndarray) -> None:
    head = f"NDims = 3\nDimSize = 40 32 {len(pages)}\nElementType = MET_USHORT\nElementDataFile = LOCAL\n"
    root.with_suffix(".mha").write_bytes(head.encode() + pages.tobytes())


def dicom(root: Path, pages: np.ndarray) -> None:
    item, item.file_meta = Elements(), FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID, item.SOPInstanceUID, item.Modality = "1.2.840.10008.5.1.4.1.1.7.3", f"1.2.1{root.name[1:]}", "MR"
    item.Rows, item.Columns, item.NumberOfFrames, item.SamplesPerPixel = 32, 40, len(pages), 1
    item.BitsAllocated = item.BitsStored = 16
    item.HighBit, item.PixelRepresentation, item.PhotometricInterpretation = 15, 0, "MONOCHROME2"
    item.PixelData = pages.tobytes()
    item.save_as(root.with_suffix(".dcm"), enforce_file_format=True)


FORMATS = [tiff, imagej, npy, nifti, nrrd, metaimage, dicom]


def verdict_of(root: Path, check: BlankPage | BurnedInText | None = None) -> Verdict:
    dataset = extract(open_for_scan(root, Options(), Pass(workers=0)), Pass(workers=0))[0]
    return (check or BlankPage()).run(dataset)


@pytest.mark.parametrize("write", FORMATS)
def test_a_blank_page_inside_is_told_in_every_format(tmp_path: Path, write: Writer) -> None:
    for number in range(4):
        write(tmp_path / f"s{number}", stack(6, seed=number) if number == 2 else stack(seed=number))
    verdict = verdict_of(tmp_path)
    assert [Path(f.where.path or "").name[:2] for f in verdict.findings] == ["s2"]
    assert (verdict.metrics["images"], verdict.metrics["pages"]) == (4, 36)
    assert verdict.coverage is not None
    assert verdict.coverage.evaluated == verdict.coverage.total == 36


@pytest.mark.parametrize("write", FORMATS)
def test_air_at_the_ends_and_drawings_are_silent(tmp_path: Path, write: Writer) -> None:
    write(tmp_path / "s0", stack(0, 1, 8))
    write(
        tmp_path / "s1",
        (stack(seed=1) % 3 == 0).astype(np.uint16) * np.array([1, 0, 1, 1, 0, 1, 1, 1, 1], np.uint16)[:, None, None],
    )
    verdict = verdict_of(tmp_path)
    assert verdict.findings == ()
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (9, 18)
    assert "look drawn" in verdict.coverage.reason


def test_a_series_of_nifti_volumes_with_air_of_their_own_is_silent(tmp_path: Path) -> None:
    for name, hole in (("calm", False), ("holed", True)):
        series = np.stack([stack(0, *([1] if time % 3 == 0 else []), seed=time) for time in range(5)])
        series[2, 5] = 0 if hole else series[2, 5]
        nibabel.save(nibabel.Nifti1Image(series.transpose(3, 2, 1, 0), np.eye(4)), tmp_path / f"{name}.nii.gz")
    verdict = verdict_of(tmp_path)
    assert [f.where.path for f in verdict.findings] == ["holed.nii.gz"]
    assert verdict.metrics["pages"] == 90


def test_volumes_of_an_npz_are_looked_at_slice_by_slice(tmp_path: Path) -> None:
    volumes = np.stack([stack(*([6] if item == 3 else []), seed=item) for item in range(8)])
    np.savez(tmp_path / "set.npz", train_images=volumes, train_labels=np.arange(8) % 2)
    verdict = verdict_of(tmp_path)
    assert (verdict.metrics["images_flagged"], verdict.metrics["pages"]) == (1, 72)


def pages_of_sizes(path: Path, *sides: int) -> None:
    rng = np.random.default_rng(0)
    with tifffile.TiffWriter(path) as file:
        for side in sides:
            file.write(rng.integers(1, 200, (side, side), dtype=np.uint8), photometric="minisblack", contiguous=False)


def test_a_tiff_page_of_another_size_inside_is_told_and_one_at_the_end_is_said(tmp_path: Path) -> None:
    pages_of_sizes(tmp_path / "inside.tif", 40, 40, 30, 40)
    pages_of_sizes(tmp_path / "end.tif", 40, 40, 40, 30)
    verdict = verdict_of(tmp_path)
    assert [f.where.path for f in verdict.findings] == ["inside.tif"]
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (6, 8)
    assert "2 pages of TIFF files are of another size" in verdict.coverage.reason


def test_a_tiff_of_which_most_pages_are_not_read_is_told(tmp_path: Path) -> None:
    pages_of_sizes(tmp_path / "one.tif", 40, 30, 30, 30)
    assert verdict_of(tmp_path).metrics["images_flagged"] == 1


def test_pictures_of_one_page_are_skipped(tmp_path: Path) -> None:
    tiff(tmp_path / "s0", stack(pages=1)[0])
    with pytest.raises(SkipCheck, match="several pages"):
        verdict_of(tmp_path)
    with pytest.raises(SkipCheck, match="no image was read"):
        BlankPage().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))


def test_letters_on_pages_that_are_not_the_middle_one_are_said_not_to_be_seen(tmp_path: Path) -> None:
    tiff(tmp_path / "s0", stack())
    coverage = verdict_of(tmp_path, BurnedInText()).coverage
    assert coverage is not None
    assert (coverage.evaluated, coverage.total) == (1, 9)
    assert "8 pages or slices that are not the middle one" in coverage.reason
