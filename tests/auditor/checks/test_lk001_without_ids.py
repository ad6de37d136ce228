import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from builders import make_dataset
from PIL import Image

from auditor.check import SkipCheck
from auditor.checks.lk001 import MetadataLeakage
from auditor.degrade.encode import SUFFIX, encode
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Severity
from medaudit.cli import main


def class_folders(counts: Sequence[int], values: Sequence[Sequence[object]], *, field: str = "container.bit_depth") -> Dataset:
    """Class folders without ids; `values` holds, per class, the values its files take in turn."""
    labels = [f"c{i}" for i, n in enumerate(counts) for _ in range(n)]
    column = [values[i][k % len(values[i])] for i, n in enumerate(counts) for k in range(n)]
    return make_dataset(labels=labels, origin="class folder", metadata={field: column})


def worst(dataset: Dataset) -> Finding:
    return max(MetadataLeakage().run(dataset).findings, key=lambda f: f.severity.rank)


@pytest.mark.parametrize(
    "counts", [(60, 60), (50, 50), (200, 60), (80, 40), (60, 60, 60), (40, 40, 40), (30, 300), (60, 60, 60, 60)]
)
def test_an_encoding_of_one_class_is_an_error_without_ids(counts: tuple[int, ...]) -> None:
    finding = worst(class_folders(counts, [[16], *[[8]] * (len(counts) - 1)]))
    assert finding.severity is Severity.ERROR
    assert "the interval holds even if every 10 images are one patient's" in finding.message
    assert float(str(finding.evidence["low"])) == pytest.approx(float(str(finding.evidence["low_without_ids"])))
    assert 0.75 <= float(str(finding.evidence["low"])) < 0.95


@pytest.mark.parametrize("counts", [(12, 12), (40, 40), (20, 400), (25, 25, 25)])
def test_too_few_images_stay_a_warning_that_says_where_the_interval_would_begin(counts: tuple[int, ...]) -> None:
    finding = worst(class_folders(counts, [[16], *[[8]] * (len(counts) - 1)]))
    assert finding.severity is Severity.WARNING
    assert "rows assumed independent (if every 10 images are one patient's it begins at 0." in finding.message


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("path.extension", [[".jpeg"], [".jpg"]]),
        ("container.jpeg_quality", [[90, 92, 95, 97], [70, 72, 75, 80, 85]]),
        ("container.channels", [[3], [1, 1, 1, 1, 1, 1, 1, 1, 1, 3]]),
        ("container.compression", [["none", "deflate"], ["jpeg"]]),
        ("container.dpi", [[None], [72.0, 300.0]]),
        ("container.bit_depth", [[8], [16], [12]]),
    ],
)
def test_any_encoding_field_counts(field: str, values: list[list[object]]) -> None:
    assert worst(class_folders([100] * len(values), values, field=field)).severity is Severity.ERROR


def test_six_against_six_is_no_evidence() -> None:
    with pytest.raises(SkipCheck, match="too few records"):
        MetadataLeakage().run(class_folders((6, 6), [[16], [8]]))


def test_the_class_that_is_surest_is_named_where_several_are_told() -> None:
    finding = worst(class_folders((20, 100, 120), [[8], [12], [16]]))
    assert finding.severity is Severity.ERROR
    assert finding.evidence["class"] != "c0"


@pytest.mark.parametrize("field", ["container.width", "container.height", "container.shape"])
def test_a_size_is_an_encoding_where_pictures_were_written_in_few(field: str) -> None:
    assert worst(class_folders((100, 100), [[512], [1024]], field=field)).severity is Severity.ERROR
    cropped = [[*range(300, 320), 301, 303], [*range(500, 520), 507, 509]]
    found = MetadataLeakage().run(class_folders((100, 100), cropped, field=field)).findings
    assert Severity.ERROR not in {finding.severity for finding in found}


@pytest.mark.parametrize("field", ["container.bytes_per_pixel", "container.palette", "path.name_length", "dicom.KVP"])
def test_what_the_picture_itself_decides_and_how_it_was_taken_stay_warnings(field: str) -> None:
    assert worst(class_folders((200, 200), [[1], [2]], field=field)).severity is Severity.WARNING


def test_an_encoding_that_only_leans_is_no_error() -> None:
    finding = worst(class_folders((200, 200), [[16, 16, 8], [16, 8, 8]]))
    assert finding.severity is Severity.WARNING


def hidden_patients(seed: int, images: int) -> Dataset:
    """Class folders of about `images` pictures a class; each patient has 1 to 30, and a device that writes as it likes."""
    g = np.random.default_rng(seed)
    labels: list[str] = []
    depth, channels = [], []
    for label in ("a", "b"):
        held = 0
        while held < images:
            n = min(int(g.integers(1, 31)), images - held)
            labels += [label] * n
            depth += [8 if g.random() < 0.5 else 16] * n
            channels += [1 if g.random() < 0.7 else 3] * n
            held += n
    return make_dataset(
        labels=labels, origin="class folder", metadata={"container.bit_depth": depth, "container.channels": channels}
    )


def errors(seeds: range, images: int) -> int:
    """Sets called an error; one whose guessed groups are too few to be tested is none."""
    check, found = MetadataLeakage(draws=200), 0
    for seed in seeds:
        with contextlib.suppress(SkipCheck):
            found += any(f.severity is Severity.ERROR for f in check.run(hidden_patients(seed, images)).findings)
    return found


def test_patients_hidden_in_the_rows_make_no_error() -> None:
    assert errors(range(15), 150) == 0


@pytest.mark.slow
@pytest.mark.parametrize("images", [60, 100, 300])
def test_hidden_patients_make_an_error_in_one_set_of_a_hundred_at_most(images: int) -> None:
    assert errors(range(400), images) <= 4


def write(folder: Path, kind: str, g: np.random.Generator, number: int) -> None:
    picture = np.clip(np.outer(np.hanning(48), np.hanning(48)) * g.uniform(0.4, 0.9) + g.normal(0, 0.05, (48, 48)), 0, 1)
    folder.mkdir(parents=True, exist_ok=True)
    if kind.startswith("jpeg"):
        stream = io.BytesIO()
        Image.fromarray((picture * 255).astype(np.uint8)).save(stream, "JPEG", quality=int(kind[4:]))
        (folder / f"{number:03d}.jpg").write_bytes(stream.getvalue())
        return
    path = folder / f"{number:03d}{SUFFIX[kind]}"
    path.write_bytes(encode(picture, kind, seed=int(g.integers(1 << 30))))


def scanned(tmp_path: Path, cancer: str, benign: str) -> int:
    g = np.random.default_rng(0)
    for number in range(60):
        write(tmp_path / "set" / "cancer" / f"part{number % 2}", cancer, g, number)
        write(tmp_path / "set" / "benign" / f"part{number % 2}", benign, g, number)
    return main(["scan", str(tmp_path / "set"), "--select", "LK001", "--workers", "0", "-q", "-o", str(tmp_path / "r.json")])


@pytest.mark.parametrize(
    ("cancer", "benign", "code"),
    [
        ("png16", "png8", 1),
        ("png8", "png8", 0),
        pytest.param("tiff16", "tiff8", 1, marks=pytest.mark.slow),
        pytest.param("dicom16", "dicom8", 1, marks=pytest.mark.slow),
        pytest.param("jpeg95", "jpeg75", 1, marks=pytest.mark.slow),
    ],
)
def test_class_folders_of_two_encodings_fail_the_scan(tmp_path: Path, cancer: str, benign: str, code: int) -> None:
    assert scanned(tmp_path, cancer, benign) == code
