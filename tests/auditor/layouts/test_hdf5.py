"""HDF5 files written by h5py: images as records, labels beside or inside, and what leads out of the file."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import medaudit
from auditor.containers.hdf5_file import Hdf5Rows, arrays, read_array
from auditor.layout import Options, open_dataset
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (count, 16, 16, 3), dtype=np.uint8)


def pcam(root: Path, split: str, images: np.ndarray, labels: list[int], chunks: tuple[int, ...] | None = None) -> None:
    with h5py.File(root / f"camelyonpatch_level_2_split_{split}_x.h5", "w") as file:
        file.create_dataset("x", data=images, chunks=chunks, compression="gzip" if chunks else None)
    with h5py.File(root / f"camelyonpatch_level_2_split_{split}_y.h5", "w") as file:
        file["y"] = np.array(labels, np.uint8).reshape(-1, 1, 1, 1)


def test_pcam_is_read_with_splits_and_labels_of_the_file_beside(tmp_path: Path) -> None:
    pcam(tmp_path, "train", pictures(6), [0, 1] * 3, chunks=(2, 16, 16, 3))
    pcam(tmp_path, "valid", pictures(4, 1), [1, 0] * 2)
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.summary.layout == "hdf5"
    assert dataset.records["split"].value_counts().to_dict() == {"train": 6, "val": 4}
    assert dataset.labels.values.tolist() == ["0", "1"] * 3 + ["1", "0"] * 2


def meta(root: Path, split: str, slides: list[str], labels: list[int], name: str = "meta") -> None:
    rows = [
        f"{i},{i * 7 % 5},{i % 3},{bool(label)},{slide}" for i, (slide, label) in enumerate(zip(slides, labels, strict=True))
    ]
    head = ",coord_y,coord_x,tumor_patch,wsi"
    (root / f"camelyonpatch_level_2_split_{split}_{name}.csv").write_text("\n".join([head, *rows]) + "\n")


def test_the_table_of_pcam_gives_each_patch_its_slide(tmp_path: Path) -> None:
    pcam(tmp_path, "train", pictures(6), [0, 1] * 3)
    pcam(tmp_path, "test", pictures(4, 1), [1, 0] * 2)
    meta(tmp_path, "train", ["s_1", "s_1", "s_2", "s_2", "s_3", "s_3"], [0, 1] * 3)
    meta(tmp_path, "test", ["s_3", "s_4", "s_4", "s_4"], [1, 0] * 2)
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.records["patient"].tolist() == ["s_3", "s_4", "s_4", "s_4", "s_1", "s_1", "s_2", "s_2", "s_3", "s_3"]
    assert set(dataset.metadata.columns) == {"table.coord_y", "table.coord_x"}
    assert any("stands for one" in note for note in dataset.summary.notes)
    result = medaudit.scan(tmp_path, workers=0, cache=False)
    assert "SP001" in {finding.code for finding in result.findings}


def test_a_table_without_a_row_for_each_image_is_told_and_not_used(tmp_path: Path) -> None:
    pcam(tmp_path, "train", pictures(6), [0, 1] * 3)
    pcam(tmp_path, "test", pictures(4, 1), [1, 0] * 2)
    meta(tmp_path, "train", ["s_1"] * 5, [0, 1, 0, 1, 0])
    meta(tmp_path, "test", ["s_3", "s_4", "s_4", "s_4"], [1, 0] * 2)
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.records["patient"].isna().tolist() == [False] * 4 + [True] * 6
    assert [p.reason for p in dataset.problems] == ["5 rows for the 6 images of the file beside it: not read"]


def test_a_table_of_another_name_is_not_taken(tmp_path: Path) -> None:
    pcam(tmp_path, "train", pictures(6), [0, 1] * 3)
    meta(tmp_path, "train", ["s_1"] * 6, [0, 1] * 3, name="other")
    assert open_dataset(tmp_path, Options(workers=0)).records["patient"].isna().all()


def test_copies_across_splits_blank_images_and_lost_labels_are_found(tmp_path: Path) -> None:
    train, test = pictures(30), pictures(12, 1)
    test[3], test[5] = train[7], 0
    pcam(tmp_path, "train", train, [0, 1] * 15)
    pcam(tmp_path, "test", test, [0, 1] * 6)
    pcam(tmp_path, "valid", pictures(8, 2), [0, 1, 0])  # fewer labels than images
    result = medaudit.scan(tmp_path, workers=0, cache=False)
    found = {(finding.code, finding.where.record) for finding in result.findings}
    assert any(code == "SP002" for code, _ in found)
    assert any(code == "IQ002" and record is not None and record.endswith("/5") for code, record in found), found
    assert result.gate.exit_code != 0
    problems = open_dataset(tmp_path, Options(workers=0)).problems
    assert [(problem.kind, problem.path[-9:]) for problem in problems] == [("unread", "alid_x.h5")]


def test_arrays_of_one_file_go_by_their_names_and_groups(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "set.hdf5", "w") as file:
        file["train_images"], file["train_labels"] = pictures(4), np.arange(4) % 2
        file["test_images"], file["test_labels"] = pictures(2, 1), np.arange(2)
        file["names"] = [b"a", b"b"]
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.records["split"].value_counts().to_dict() == {"train": 4, "test": 2}
    assert dataset.labels.classes == ("0", "1")


def test_what_leads_to_another_file_is_never_followed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = pictures(3)
    with h5py.File(tmp_path / "set.h5", "w") as file:
        file["images"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/x")
        file["soft"] = h5py.SoftLink("/images")
        layout = h5py.VirtualLayout(shape=(3, 16, 16, 3), dtype=np.uint8)
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "x", shape=(3, 16, 16, 3))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("outside", (3, 16), np.uint8, external=[(str(tmp_path / "raw"), 0, 48)])
        file["own"] = pictures(1)
    assert set(arrays(tmp_path / "set.h5")) == {"own"}
    for name in ("images", "soft", "virtual", "outside", "absent", "own/x"):
        with pytest.raises(UnreadableFile):
            read_array(tmp_path / "set.h5", name, 1 << 20)


def test_rows_are_read_one_by_one_within_the_limits(tmp_path: Path) -> None:
    images = pictures(5)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = images
    rows = Hdf5Rows(path=tmp_path / "a.h5", member="x", limits=Limits())
    rows.open()
    assert (rows.row(4) == images[4]).all()
    with pytest.raises(UnreadableFile, match="5 images"):
        rows.row(5)
    rows.close()
    with pytest.raises(UnreadableFile):
        Hdf5Rows(path=tmp_path / "a.h5", member="x", limits=Limits(decoded_bytes=100)).open()
    (tmp_path / "torn.h5").write_bytes((tmp_path / "a.h5").read_bytes()[:1500])
    with pytest.raises(UnreadableFile):
        arrays(tmp_path / "torn.h5")


def test_without_h5py_the_extra_is_named_and_nothing_is_green(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pcam(tmp_path, "train", pictures(6), [0, 1] * 3)
    monkeypatch.setitem(sys.modules, "h5py", None)
    result = medaudit.scan(tmp_path, workers=0, cache=False)
    assert result.gate.exit_code == 3
    assert any("pip install 'medaudit[hdf5]'" in finding.message for finding in result.findings)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("set_train.h5", "set_test.h5"), {"train": 4, "test": 4}),
        (("train/data.h5", "val/data.h5"), {"train": 4, "val": 4}),
        (("train_2020.h5", "train_2021.h5"), {}),
        (("train.h5", "more.h5"), {}),
        (("train_of_test.h5", "val.h5"), {}),
    ],
    ids=["names", "folders", "one split alone", "one says none", "two in one name"],
)
def test_files_called_after_splits_are_splits_where_all_are(tmp_path: Path, names: tuple[str, ...], expected: dict) -> None:
    for number, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with h5py.File(tmp_path / name, "w") as file:
            file["images"], file["labels"] = pictures(4, number), np.arange(4) % 2
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert len(dataset.records) == 8
    assert dataset.records["split"].dropna().value_counts().to_dict() == expected
