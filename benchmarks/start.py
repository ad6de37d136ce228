"""What a scan costs before its first image, and what headers and tables cost: processor seconds beside what they stand on.

    python -m benchmarks.start [--repeat 3] [--headers 1000] [--check] [--record]

* `help`: `medaudit --help`, beside an interpreter that does nothing; `ten files`: a whole scan of ten pictures, and `table`:
  of a label table of 26,684 rows, both beside an interpreter that imports pandas and pyarrow.
* `headers`: `scan --no-pixels` beside a loop of `pydicom.dcmread(stop_before_pixels=True)` over the same files. The loop reads
  nine values of a file; a scan reads some hundred, and looks for what tells of a person. Of both the cost of a hundred files
  is taken off, so that the start does not count. What both read is compared, value by value.
* `unread`: `--select SP001` on a table whose pictures cannot be read: no pixel is asked for, or it would say so.

`--check` compares the ratios with `recorded/start.json` and fails where one is worse by more than 30 %; `--record` writes it.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from auditor.plan import plan_for
from auditor.scan import read_dataset
from benchmarks.ratios import SCANNED, held, own_environment, processor_seconds, shown

FEW = 100
ROWS = 26_684
READ = ("Rows", "Columns", "BitsStored", "Modality", "Manufacturer", "KVP", "PatientID", "StudyInstanceUID", "SOPInstanceUID")
BOTH = {
    "Rows": "container.height", "Columns": "container.width", "BitsStored": "container.bit_depth",
    "Modality": "dicom.Modality", "Manufacturer": "dicom.Manufacturer", "KVP": "dicom.KVP",
}  # fmt: skip
LOOP = (
    "import sys, pathlib, pydicom\nfor p in sorted(pathlib.Path(sys.argv[1]).rglob('*.dcm')):\n"
    f"    d = pydicom.dcmread(p, stop_before_pixels=True); [d.get(name) for name in {READ}]"
)
BARE, LIBRARIES = "pass", "import pandas, pyarrow.parquet"


def ten_pictures(folder: Path) -> Path:
    """Five of two classes."""
    rng = np.random.default_rng(0)
    for number in range(10):
        place = folder / "ab"[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (64, 64)).astype(np.uint8)).save(place)
    return folder


def label_table(file: Path, rows: int) -> Path:
    """As of a challenge: patients with several images, a label, a split, a site and two fields."""
    rng = np.random.default_rng(0)
    patients = rng.integers(0, max(1, 3 * rows // 4), rows)
    with file.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["image", "patient", "finding", "split", "site", "age", "sex", "view"])
        for number, patient in enumerate(patients.tolist()):
            table.writerow([
                f"{number:06d}.png", f"p{patient:06d}", "pneumonia" if rng.random() < 0.22 else "normal",
                "test" if patient % 5 == 0 else "train", "abc"[patient % 3], 1 + patient % 89, "MF"[patient % 2],
                "PA" if rng.random() < 0.6 else "AP",
            ])  # fmt: skip
    return file


def headers(folder: Path, count: int) -> Path:
    """DICOM files of 128 × 128 in 16 bits, three of a patient."""
    rng = np.random.default_rng(0)
    for number in range(count):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, SecondaryCaptureImageStorage
        item = Dataset()
        item.file_meta = meta
        item.SOPClassUID = SecondaryCaptureImageStorage
        item.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["image", str(number)])
        item.StudyInstanceUID = generate_uid(entropy_srcs=["study", str(number // 3)])
        item.SeriesInstanceUID = generate_uid(entropy_srcs=["series", str(number)])
        item.PatientID, item.Modality, item.Manufacturer = str(number // 3), "DX", f"Maker {number % 3}"
        item.KVP = str(60 + number % 40)
        item.Rows = item.Columns = 128
        item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
        item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
        item.PixelData = rng.integers(0, 4096, (128, 128)).astype(np.uint16).tobytes()
        place = folder / "ab"[number % 2] / f"{number:06d}.dcm"
        place.parent.mkdir(parents=True, exist_ok=True)
        item.save_as(place, enforce_file_format=True)
    return folder


def equal_values(folder: Path) -> int:
    """How many values of the scan and of pydicom were compared.

    Raises:
        SystemExit: one differs.
    """
    dataset = read_dataset(plan_for(folder, pixels=False, cache=False))
    compared = 0
    for record, path in dataset.records["path"].items():
        there = pydicom.dcmread(folder / path, stop_before_pixels=True)
        for name, own in BOTH.items():
            ours = dataset.metadata.at[record, own] if own in dataset.metadata else there.get(name)
            if str(ours).removesuffix(".0") != str(there.get(name)).removesuffix(".0"):
                raise SystemExit(f"{path}: {name} is {there.get(name)} to pydicom and {ours} to the scan")
            compared += own in dataset.metadata
    return compared


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--headers", type=int, default=1000)
    options.add_argument("--check", action="store_true")
    options.add_argument("--record", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        private = Path(name)
        own, python = own_environment(private), sys.executable
        ten, table = ten_pictures(private / "ten"), label_table(_made(private / "table") / "labels.csv", ROWS)
        few, many = headers(private / "few", FEW), headers(private / "many", FEW + chosen.headers)
        print(f"{equal_values(few)} values of {FEW} headers are those of pydicom")
        result = private / "result.json"

        def code(text: str, *arguments: object) -> Callable[[], float]:
            return lambda: processor_seconds([python, "-c", text, *map(str, arguments)], os.environ)

        def scan(*arguments: object) -> Callable[[], float]:
            return lambda: processor_seconds(
                [python, "-m", "medaudit", "scan", *map(str, arguments), "--no-cache", "-q", "-o", str(result)],
                own,
                ends=SCANNED,
            )

        runs = {
            "bare": code(BARE), "libraries": code(LIBRARIES),
            "help": lambda: processor_seconds([python, "-m", "medaudit", "--help"], own),
            "ten files": scan(ten), "table": scan(table), "table, SP001": scan(table, "--select", "SP001"),
            "headers, few": scan(few, "--no-pixels", "--select", "SP001"),
            "headers, many": scan(many, "--no-pixels", "--select", "SP001"),
            "pydicom, few": code(LOOP, few), "pydicom, many": code(LOOP, many),
        }  # fmt: skip
        runs["table"]()  # compiles what it imports: an installed program is compiled
        spent: dict[str, list[float]] = {key: [] for key in runs}
        for _ in range(chosen.repeat):
            for key, run in runs.items():
                spent[key].append(run())
        print(f"processor seconds, minimum–maximum of {chosen.repeat}")
        for key, seconds in spent.items():
            print(f"  {key:14s} {shown(seconds):>14s}")
        least = {key: min(seconds) for key, seconds in spent.items()}
        ours, theirs = (_per_file(least, key, chosen.headers) for key in ("headers", "pydicom"))
        print(f"  a header: {1e6 * ours:.0f} µs by a scan without pixels, {1e6 * theirs:.0f} µs by pydicom's loop")
        unread = _made(private / "unread")
        label_table(unread / "labels.csv", 300)
        for number in range(300):
            Image.fromarray(np.full((16, 16), number % 251, np.uint8)).save(unread / f"{number:06d}.png")
        decoded = {}
        for code in ("SP001", "SP004"):  # one that needs no picture, and one that does
            scan(unread / "labels.csv", "--select", code)()
            decoded[code] = json.loads(result.read_text("utf-8"))["run"]["cache"].get("decoded", 0)
            print(f"  --select {code}: {decoded[code]} of 300 pictures decoded")
        if decoded["SP001"] or not decoded["SP004"]:
            return 1
    ratios = {
        "help over bare": least["help"] / least["bare"], "ten files over libraries": least["ten files"] / least["libraries"],
        "table over libraries": least["table"] / least["libraries"], "header over pydicom": ours / theirs,
    }  # fmt: skip
    return held("start", ratios, record=chosen.record, check=chosen.check)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _per_file(least: dict[str, float], key: str, files: int) -> float:
    return max(1e-9, least[f"{key}, many"] - least[f"{key}, few"]) / files


if __name__ == "__main__":
    sys.exit(main())
