"""A name, a date and the number of a record, planted wherever a data set can hold them, leave no trace in any output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import Dataset as Elements
from pydicom.sequence import Sequence as Items

import auditor.scan
from auditor.degrade.encode import write_image
from auditor.evidence.privacy.ps315 import profile
from medaudit.cli import main
from reports.format import formats

NAME, DAY, NUMBER = "ZZCANARY^NAME", "19530817", "MRN8675309"
ALL = f"{NAME} {DAY} {NUMBER}"
TRACES = (b"ZZCANARY", b"zzcanary", b"19530817", b"1953-08-17", b"8675309")
BY_VR = {
    "PN": NAME, "DA": DAY, "DT": DAY + "101500", "AS": "093Y", "LO": ALL, "SH": NUMBER, "LT": ALL, "ST": ALL, "UT": ALL,
    "UC": ALL, "UR": f"http://{NUMBER}.example/", "AE": NUMBER, "CS": "ZZCANARY",
}  # fmt: skip


def tags() -> dict[str, Any]:
    """Every element of the profile that can hold a text, but those that the pixels hang on."""
    found: dict[str, Any] = {}
    for entry in profile().values():
        if entry.vr in BY_VR and pydicom.datadict.tag_for_keyword(entry.keyword) == entry.tag:
            found[entry.keyword] = BY_VR[entry.vr]
    item = Elements()
    item.PatientName, item.AccessionNumber, item.RequestedProcedureDescription = NAME, NUMBER, ALL
    return found | {"RequestAttributesSequence": Items([item]), "PatientIdentityRemoved": "NO"}


def plant(root: Path) -> Path:
    """40 pictures of two classes in five formats, below a folder and under file names that tell; and a table that does."""
    folder = root / "images" / f"{NAME}_{DAY}_{NUMBER}"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = ["file,PatientName,dob,mrn,remark,finding"]
    for number in range(40):
        picture = rng.random((40, 40))
        eight = (picture * 255).astype(np.uint8)
        kind = number % 5
        stem = f"{NAME}_{DAY}_{number:03d}"
        if kind == 0:
            path = folder / f"{stem}.dcm"
            write_image(path, picture, "dicom12", seed=number, tags=tags())
        elif kind == 1:
            path = folder / f"{stem}.png"
            text = PngInfo()
            text.add_text("Author", NAME)
            text.add_text(NUMBER, ALL)
            text.add_itxt("Comment", ALL, zip=True)
            Image.fromarray(eight).save(path, pnginfo=text)
        elif kind == 2:
            path = folder / f"{stem}.jpg"
            exif = Image.Exif()
            exif[0x010E], exif[0x013B] = ALL, NAME
            exif.get_ifd(0x8825)[1] = "N"
            Image.fromarray(eight).save(path, exif=exif, comment=ALL.encode())
        elif kind == 3:
            path = folder / f"{stem}.tif"
            tifffile.imwrite(path, eight, description=ALL, metadata=None)
        else:
            path = folder / f"{stem}.nii"
            image = nibabel.Nifti1Image(eight[..., None], np.eye(4))
            image.header["descrip"], image.header["db_name"] = ALL.encode(), NUMBER.encode()
            path.write_bytes(image.to_bytes())
        label = "ill" if number % 2 else "well"
        lines.append(f"{path.relative_to(root).as_posix()},{NAME},1953-08-17,{NUMBER},seen {NUMBER} by {NAME},{label}")
    broken = folder / f"{NAME}_broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + ALL.encode())
    lines.append(f"{broken.relative_to(root).as_posix()},{NAME},1953-08-17,{NUMBER},{NAME},well")
    lines.append(f"images/{NAME}_missing.png,{NAME},1953-08-17,{NUMBER},{NAME},ill")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def assert_clean(content: bytes, where: str) -> None:
    for trace in TRACES:
        assert trace not in content, f"{trace!r} in {where}"
        assert trace.decode().encode("utf-16-le") not in content, f"{trace!r} as UTF-16 in {where}"


def texts(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_canary_is_in_no_byte_of_any_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], workers: str
) -> None:
    root = plant(tmp_path / "set")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    outputs = [part for name in formats() for part in ("-o", f"{name}:r.{name}")]
    code = main(["scan", str(root), "--workers", workers, *outputs])
    told = capfd.readouterr()
    assert code == 1
    assert "PH001" in told.out
    assert_clean(told.out.encode(), "the terminal")
    assert_clean(told.err.encode(), "the progress")
    written = {**texts(tmp_path / "out"), **texts(tmp_path / "cache")}
    assert len(written) >= len(formats())
    for where, content in written.items():
        assert_clean(where.encode(), "a file name")
        assert_clean(content, where)
    result = (tmp_path / "out" / "r.json").read_text("utf-8")
    for code_found in ("PH001", "PH007", "PH008", "IN001", "withheld-"):
        assert code_found in result


def test_a_canary_in_an_exception_is_in_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = plant(tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))

    def fail(*arguments: object) -> object:
        patient = ALL
        raise ValueError(f"cannot judge {patient}")

    monkeypatch.setattr(auditor.scan, "judged", fail)
    assert main(["scan", str(root), "--workers", "0", "-q", "-o", "r.json"]) == 3
    told = capfd.readouterr()
    assert "ValueError" in told.err
    assert_clean(told.err.encode() + told.out.encode(), "the traceback")


def test_the_canary_would_be_seen(tmp_path: Path) -> None:
    """The oracle works: the planted files hold every trace, in the plain or in their header."""
    root = plant(tmp_path / "set")
    content = b"".join(texts(root).values()) + b"".join(name.encode() for name in texts(root))
    assert all(trace in content for trace in (b"ZZCANARY", b"19530817", b"1953-08-17", b"8675309"))
    header = pydicom.dcmread(next(root.rglob("*.dcm")), stop_before_pixels=True)
    assert str(header.PatientName) == NAME
    assert header.RequestAttributesSequence[0].AccessionNumber == NUMBER
    assert len([e for e in header if str(e.value) in BY_VR.values()]) > 150


def test_a_canary_that_tells_the_class_is_in_no_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What tells a class is what the checks of leakage show: fields, sites, words with the canary in one class alone."""
    root = tmp_path / "set"
    (root / "img").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = ["file,remark,hospital,scanner,finding,patient"]
    planted = {keyword: value for keyword, value in tags().items() if keyword != "PatientID"}
    for i in range(60):
        ill = bool(i % 2)
        name = f"img/{NAME}_{DAY}_{i:03d}.dcm" if ill else f"img/plain_{i:03d}.dcm"
        write_image(root / name, rng.random((24, 24)), "dicom12", seed=i, tags=planted if ill else {})
        cells = (
            (f"seen by {NAME} {NUMBER}", NAME, NUMBER, "ill", NAME if i < 6 else f"p{i}")
            if ill
            else ("none", "north", "beta", "well", f"p{i}")
        )
        lines.append(",".join((name, *cells)))
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    outputs = [part for name in formats() for part in ("-o", f"{name}:r.{name}")]
    assert main(["scan", str(root), "--workers", "0", "--no-cache", "--patient", "patient", *outputs]) == 1
    told = capfd.readouterr()
    assert_clean((told.out + told.err).encode(), "the terminal")
    for where, content in texts(tmp_path / "out").items():
        assert_clean(content, where)
