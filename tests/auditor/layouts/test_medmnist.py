import io
import zipfile

import numpy as np
import pytest

from auditor.layout import Options, open_dataset
from auditor.layouts.medmnist import array_pairs
from auditor.values.errors import DatasetError
from auditor.values.image import Limits

IMAGES = np.zeros((4, 8, 8), np.uint8)


def test_splits_items_and_labels_of_an_npz(tmp_path):
    labels = {"train_labels": np.array([[0], [1], [0], [1]], np.uint8), "test_labels": np.array([[2], [2], [0], [1]], np.uint8)}
    np.savez(tmp_path / "m.npz", train_images=IMAGES, test_images=IMAGES, **labels)
    dataset = open_dataset(tmp_path, Options())
    assert dataset.summary.layout == "medmnist"
    assert dataset.records.index.tolist()[:2] == ["train/0", "train/1"]
    assert dataset.records["item"].tolist()[-1] == "test_images:3"
    assert dataset.records["path"].unique().tolist() == ["m.npz"]
    assert dataset.records["split"].tolist() == ["train"] * 4 + ["test"] * 4
    assert dataset.labels.values.tolist() == ["0", "1", "0", "1", "2", "2", "0", "1"]
    assert dataset.labels.classes == ("0", "1", "2")
    assert dataset.summary.counts["items"] == 8


def test_several_label_columns_are_several_classes(tmp_path):
    np.savez(tmp_path / "m.npz", train_images=IMAGES, train_labels=np.array([[1, 1, 0], [0, 0, 0], [0, 1, 0], [1, 0, 1]]))
    dataset = open_dataset(tmp_path / "m.npz", Options())
    assert dataset.labels.task == "multi"
    assert dataset.labels.states is not None
    assert dataset.labels.states.to_numpy().tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0], [1, 0, 1]]


@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("images", "labels"), ("X", "Y")])
def test_one_generic_pair_has_no_split(tmp_path, x, y):
    np.savez(tmp_path / "m.npz", **{x: IMAGES, y: np.array([0, 1, 1, 0])})
    dataset = open_dataset(tmp_path, Options())
    assert dataset.records["split"].isna().all()
    assert dataset.labels.values.tolist() == ["0", "1", "1", "0"]


def test_x_train_and_y_train_are_a_split(tmp_path):
    np.savez(tmp_path / "m.npz", x_train=IMAGES, y_train=np.arange(4) % 2, x_test=IMAGES, y_test=np.arange(4) % 2)
    assert open_dataset(tmp_path, Options()).records["split"].value_counts().to_dict() == {"train": 4, "test": 4}


def test_one_array_without_labels_is_an_image(tmp_path):
    np.savez(tmp_path / "volume.npz", np.zeros((3, 8, 8)))
    dataset = open_dataset(tmp_path, Options())
    assert dataset.summary.layout == "folders"
    assert dataset.records.index.tolist() == ["volume.npz"]


def test_pickled_labels_are_refused(tmp_path):
    np.savez(tmp_path / "m.npz", images=IMAGES, labels=np.array([{}, {}, {}, {}], dtype=object))
    with pytest.raises(DatasetError, match="pickled"):
        open_dataset(tmp_path, Options(layout="medmnist"))


def test_more_images_than_records_may_be_or_than_the_file_can_hold_are_none(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((9, 4, 4), np.uint8), labels=np.zeros(9, np.uint8))
    with pytest.raises(DatasetError, match=r"raise \[limits\] table-rows"):
        open_dataset(tmp_path, Options(limits=Limits(table_rows=8)))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 31, 3, 3)})
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue())
    assert array_pairs(tmp_path, ["b.npz"], Limits()) == []


def test_a_file_called_npz_that_is_none_is_left_to_the_reader(tmp_path):
    (tmp_path / "m.npz").write_bytes(b"nonsense")
    assert open_dataset(tmp_path, Options()).records.index.tolist() == ["m.npz"]


def test_the_real_pneumoniamnist_has_its_published_numbers(real_data):
    dataset = open_dataset(real_data / "images/pneumoniamnist", Options())
    assert dataset.records["split"].value_counts().to_dict() == {"train": 3882, "test": 624, "val": 524}
    assert dataset.labels.classes == ("0", "1")
