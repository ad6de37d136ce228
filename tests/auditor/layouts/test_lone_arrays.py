"""Arrays among image files: pictures are records, files of pictures are told, tables of numbers stay silent."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.seen import seen_of
from auditor.values.dataset import Dataset

RNG = np.random.default_rng(0)


def picture() -> np.ndarray:
    return RNG.integers(0, 255, (32, 32), dtype=np.uint8)


def png(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture()).save(path)


def npy(path: Path, array: np.ndarray | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, picture() if array is None else array)


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    for i in range(12):
        png(tmp_path / f"benign/b{i}.png")
        png(tmp_path / f"cancer/c{i}.png")
    return tmp_path


def opened(root: Path) -> Dataset:
    return open_dataset(root, Options())


def told(dataset: Dataset) -> dict[str, str]:
    return {p.path: p.reason for p in dataset.problems if p.kind == "unsupported"}


def test_a_class_that_is_stored_as_arrays_is_no_class_left_out(tmp_path: Path) -> None:
    for i in range(24):
        png(tmp_path / f"benign/b{i}.png")
    for i in range(8):
        npy(tmp_path / f"cancer/c{i}.npy")
    dataset = opened(tmp_path)
    assert dataset.size == 32
    assert dataset.labels.values.value_counts().to_dict() == {"benign": 24, "cancer": 8}


def test_rows_of_a_table_may_name_images_and_arrays(tmp_path: Path) -> None:
    for i in range(12):
        png(tmp_path / f"im/p{i}.png")
    for i in range(6):
        npy(tmp_path / f"im/a{i}.npy")
    names = [f"p{i}.png" for i in range(12)] + [f"a{i}.npy" for i in range(6)]
    (tmp_path / "labels.csv").write_text("image,label\n" + "".join(f"{n},{'xy'[i % 2]}\n" for i, n in enumerate(names)))
    dataset = opened(tmp_path)
    assert dataset.size == 18
    assert not [p for p in dataset.problems if p.kind == "missing"]


def test_a_file_of_pictures_beside_images_is_told(classes: Path) -> None:
    np.savez(classes / "extra.npz", images=np.stack([picture() for _ in range(20)]))
    dataset = opened(classes)
    assert dataset.size == 24
    assert "20 pictures" in told(dataset)["extra.npz"]


@pytest.mark.parametrize("name", ["volume.npz", "volume.npy", "volume.h5"])
def test_a_volume_beside_images_is_told(classes: Path, name: str) -> None:
    volume = np.zeros((24, 32, 32), np.int16)
    if name.endswith("h5"):
        h5py = pytest.importorskip("h5py")
        with h5py.File(classes / name, "w") as file:
            file["volume"] = volume
    elif name.endswith("npz"):
        np.savez(classes / name, volume=volume)
    else:
        np.save(classes / name, volume)
    assert "24 pictures" in told(opened(classes))[name]


def test_one_array_in_a_folder_of_images_is_told(classes: Path) -> None:
    npy(classes / "cancer/x.npy")
    assert list(told(opened(classes))) == ["cancer/x.npy"]


def test_features_weights_and_what_belongs_to_an_image_are_silent(classes: Path) -> None:
    npy(classes / "features.npy", RNG.normal(size=(24, 64)))
    np.savez(classes / "stats.npz", mean=np.zeros(3), std=np.ones(3))
    for i in range(12):
        npy(classes / f"benign/b{i}.npy")  # a mask, or features, of the image of that name
    dataset = opened(classes)
    assert dataset.size == 24
    assert told(dataset) == {}


@pytest.mark.parametrize(("pictures", "enough"), [(12, False), (1, True)])
def test_images_beside_a_file_of_arrays_are_told_and_many_of_them_are_no_pass(
    tmp_path: Path, pictures: int, enough: bool
) -> None:
    np.savez(tmp_path / "set.npz", train_images=np.stack([picture() for _ in range(40)]), train_labels=np.arange(40) % 2)
    for i in range(pictures):
        png(tmp_path / f"{i}.png")
    dataset = opened(tmp_path)
    assert dataset.size == 40
    assert sum(p.kind == "unlisted" for p in dataset.problems) == pictures
    assert any("are named by nothing" in gap for gap in seen_of(dataset, ()).gaps) is not enough
