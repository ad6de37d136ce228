"""From files on disk to result.json, by the command line: what a user relies on."""

import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from builders import write_folder

from auditor.degrade.encode import write_image
from auditor.degrade.hostile import write_unreadable
from medaudit.cli import main

Pictures = list[npt.NDArray[np.float64]]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))


def pictures(count: int, seed: int, shape: tuple[int, ...] = (24, 24)) -> Pictures:
    rng = np.random.default_rng(seed)
    return [rng.random(shape) for _ in range(count)]


def scanned(*arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["scan", *arguments, "-q", "-o", "r.json"])
    return code, json.loads(Path("r.json").read_text("utf-8"))


def outcome(result: dict[str, Any], code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(o for o in result["outcomes"] if o["code"] == code)
    return found


def rows(result: dict[str, Any], code: str, table: str) -> list[dict[str, Any]]:
    content = outcome(result, code)["tables"][table]
    names = [column["name"] for column in content["columns"]]
    return [dict(zip(names, row, strict=True)) for row in content["rows"]]


def labelled_table(root: Path, formats: dict[str, str], *, shape: tuple[int, ...] = (24, 24), count: int = 40) -> Path:
    """Images of two classes in two formats, two images per patient, and a label table."""
    from auditor.degrade.encode import SUFFIX

    (root / "images").mkdir(parents=True)
    lines = ["filename,patient_id,diagnosis"]
    for number, (label, kind) in enumerate(formats.items()):
        for i, picture in enumerate(pictures(count, number, shape)):
            name = f"{label[0]}{i:03d}{SUFFIX[kind]}"
            write_image(root / "images" / name, picture, kind, seed=1000 * number + i)
            lines.append(f"images/{name},{number}{i // 2:03d},{label}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root / "labels.csv"


@pytest.mark.parametrize(
    ("deep", "shallow", "shape"),
    [
        ("png16", "png8", (24, 24)),
        ("png16", "png8", (24, 24, 3)),
        ("tiff16", "tiff8", (24, 24)),
        ("dicom16", "dicom8", (24, 24)),
        ("dicom16", "dicom12", (24, 24)),
        ("nifti16", "nifti8", (24, 24)),
    ],
)
def test_a_class_stored_deeper_than_the_other_is_an_error(
    tmp_path: Path, deep: str, shallow: str, shape: tuple[int, ...]
) -> None:
    table = labelled_table(tmp_path / "set", {"malignant": deep, "benign": shallow}, shape=shape)
    code, result = scanned(str(table), "--workers", "0", "--select", "LK001")
    assert code == 1
    depth = next(row for row in rows(result, "LK001", "fields") if row["field"] == "container.bit_depth")
    assert depth["auc"] == pytest.approx(1.0)
    assert depth["verdict"] == "error"


def test_one_depth_for_both_classes_is_silent(tmp_path: Path) -> None:
    table = labelled_table(tmp_path / "set", {"malignant": "png16", "benign": "png16"})
    code, result = scanned(str(table), "--workers", "0", "--select", "LK001", "--select", "LK002")
    assert code == 0
    assert [f for o in result["outcomes"] for f in o.get("findings", [])] == []


def test_the_class_folder_is_the_label_and_no_leak_of_it(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", {"benign": pictures(20, 1), "malignant": pictures(20, 2)})
    code, result = scanned(str(tmp_path / "set"), "--workers", "0")
    assert code == 0
    assert result["dataset"]["classes"] == ["benign", "malignant"]
    assert outcome(result, "LK001")["status"] == "passed"


def test_007_and_7_stay_two_patients_and_NA_stays_a_class(tmp_path: Path) -> None:
    lines = ["filename,patient_id,diagnosis,split"]
    for i in range(12):
        patient = ("007", "7", "08")[i % 3]
        lines.append(f"{i}.png,{patient},{('NA', 'tumour')[i % 2]},{('train', 'test', 'train')[i % 3]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    code, result = scanned(str(tmp_path / "labels.csv"), "--workers", "0", "--select", "SP001")
    assert code == 0
    assert outcome(result, "SP001")["status"] == "passed"
    assert result["dataset"]["classes"] == ["NA", "tumour"]


def test_hostile_files_are_findings_and_memory_stays_small(tmp_path: Path) -> None:
    root = tmp_path / "set"
    write_folder(root, {"a": pictures(3, 1), "b": pictures(3, 2)})
    planted = write_unreadable(root, "a")
    code, result = scanned(str(root), "--workers", "2", "--select", "IN001")
    assert code == 1
    assert result["records"] == 6 + len(planted)
    assert {row["path"] for row in rows(result, "IN001", "files")} == {truth.record for truth in planted}
    # The largest child of this whole test process so far, in KiB on Linux: no reader may have held a gibibyte.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1 << 20


def test_what_cannot_be_judged_is_skipped_with_a_reason(tmp_path: Path) -> None:
    write_folder(tmp_path / "set" / "only", {"": pictures(5, 1)})
    code, result = scanned(str(tmp_path / "set"), "--workers", "0")
    assert code == 0
    skipped = {o["code"]: o["reason"] for o in result["outcomes"] if o["status"] == "skipped"}
    assert {"LK001", "LK002", "LN001", "LN002", "SP001", "SP003", "SP006", "ED001"} <= set(skipped)
    assert all(skipped.values())


def test_a_table_of_readings_is_judged(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["question,worker,answer"]
    for question in range(60):
        truth = rng.integers(3)
        for worker in range(5):
            wrong = rng.random() < (0.6 if worker == 4 else 0.05)
            lines.append(f"q{question},w{worker},{(truth + wrong) % 3}")
    (tmp_path / "answers.csv").write_text("\n".join(lines) + "\n")
    code, result = scanned(str(tmp_path / "answers.csv"))
    assert code == 0
    flagged = [row["rater"] for row in rows(result, "ED001", "raters") if row["flagged"]]
    assert flagged == ["w4"]
    assert len(rows(result, "ED001", "records")) == 60


def test_predictions_of_anybody_are_judged_over_all_records(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(400) % 4
    given = truth.copy()
    wrong = rng.choice(400, 40, replace=False)
    given[wrong] = (given[wrong] + 1) % 4
    probabilities = np.full((400, 4), 0.02)
    probabilities[np.arange(400), truth] = 0.94
    np.save(tmp_path / "p.npy", probabilities)
    body = "".join(f"{i}.png,{'dcba'[g]}\n" for i, g in enumerate(given))
    (tmp_path / "labels.csv").write_text("file,label\n" + body)
    order = [3, 2, 1, 0]  # columns in sorted label order: a, b, c, d
    np.save(tmp_path / "p.npy", probabilities[:, order])
    _, result = scanned(str(tmp_path / "labels.csv"), "--label", "label", "--predictions", str(tmp_path / "p.npy"))
    table = rows(result, "LN002", "label_scores")
    assert len(table) == 400
    assert {int(row["record"].split(".")[0]) for row in table if row["flagged"]} == set(wrong)


def test_the_same_picture_in_two_containers_is_one_group(tmp_path: Path) -> None:
    root = tmp_path / "set"
    write_folder(root, {"a": pictures(4, 1), "b": pictures(4, 2)})
    write_image(root / "b" / "copy.tif", pictures(4, 1)[0], "tiff8")
    code, result = scanned(str(root), "--workers", "0", "--select", "SP002,SP003")
    pairs = rows(result, "SP002", "pairs")
    assert [(p["path_a"], p["path_b"], p["evidence"]) for p in pairs] == [("a/000.png", "b/copy.tif", "pixels")]
    assert outcome(result, "SP003")["status"] == "failed"
    assert code == 1


def test_masks_by_several_raters_are_compared_and_the_odd_one_is_named(tmp_path: Path) -> None:
    from PIL import Image

    rows_, columns = np.ogrid[:48, :48]
    for i, picture in enumerate(pictures(12, 3, (48, 48))):
        drawn = {"images": picture * 255}
        for rater, radius in (("rater1", 14), ("rater2", 14.5), ("rater3", 9.5 + i % 3)):
            drawn[rater] = ((rows_ - 24) ** 2 + (columns - 24) ** 2 <= radius**2) * 255
        for folder, array in drawn.items():
            (tmp_path / "study" / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array.astype(np.uint8)).save(tmp_path / "study" / folder / f"{i:02d}.png")
    (tmp_path / "study" / "rater2" / "00.png").write_bytes(b"not a picture")
    _, result = scanned(str(tmp_path / "study"))
    assert result["records"] == 12
    assert [f["subject"] for f in outcome(result, "ED001")["findings"]] == ["masks of rater rater3"]
    assert {r["rater_a"] for r in rows(result, "ED001", "masks")} == {"rater1", "rater2", "rater3"}
    assert outcome(result, "ED001")["metrics"]["masks_not_compared"] == 1
    assert any(f["where"]["path"] == "rater2/00.png" for f in outcome(result, "IN001")["findings"])
