import zipfile

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.prediction.files import column_order, read_predictions
from auditor.values.errors import ConfigError, DatasetError

LABELS = ["cat", "dog", "owl", "cat"]
P = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [1, 0, 0]])


@pytest.fixture
def dataset():
    return make_dataset(labels=LABELS, paths=[f"images/{n}.png" for n in "abcd"])


def saved(folder, values, name="p.npy"):
    path = folder / name
    np.save(path, values)
    return path


def test_an_array_has_the_classes_in_sorted_order(tmp_path, dataset):
    read = read_predictions(saved(tmp_path, P), dataset)
    assert read.classes == ("cat", "dog", "owl")
    assert np.allclose(read.probabilities, P)
    assert (read.probabilities.dtype, read.origin, read.out_of_fold) == (np.float32, "p.npy", True)


def test_named_classes_say_the_order_of_the_columns(tmp_path, dataset):
    read = read_predictions(saved(tmp_path, P), dataset, classes=["owl", "cat", "dog"], in_sample=True, workers=0)
    assert np.allclose(read.probabilities, P[:, [1, 2, 0]])
    assert not read.out_of_fold


def test_a_class_that_no_record_has_comes_last(tmp_path, dataset):
    values = np.hstack([np.full((4, 1), 0.5), P / 2])
    read = read_predictions(saved(tmp_path, values), dataset, classes=["ant", "cat", "dog", "owl"], workers=0)
    assert read.classes == ("cat", "dog", "owl", "ant")
    assert np.allclose(read.probabilities, np.hstack([P / 2, np.full((4, 1), 0.5)]))


def test_classes_that_are_numbers_are_sorted_as_numbers():
    assert column_order(["10", "2", "1"]) == ["1", "2", "10"]
    assert column_order(["10", "2", "x"]) == ["10", "2", "x"]


def test_numeric_columns_reach_the_classes_of_the_dataset(tmp_path):
    dataset = make_dataset(labels=["10", "2", "1", "10"])
    read = read_predictions(saved(tmp_path, P), dataset, workers=0)
    assert np.allclose(read.probabilities[:, read.classes.index("10")], P[:, 2])
    assert np.allclose(read.probabilities[:, read.classes.index("2")], P[:, 1])


def test_a_grade_order_does_not_change_what_a_column_means(tmp_path):
    dataset = make_dataset(labels=["none", "mild", "severe", "none"], task="ordinal", classes=["none", "mild", "severe"])
    read = read_predictions(saved(tmp_path, P), dataset, workers=0)
    assert np.allclose(read.probabilities[:, 0], P[:, 1])


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_one_column_is_the_probability_of_the_second_class(tmp_path, shape):
    dataset = make_dataset(labels=["no", "yes", "no", "yes"])
    read = read_predictions(saved(tmp_path, np.array([0.1, 0.9, 0.2, 0.8]).reshape(shape)), dataset, workers=0)
    assert np.allclose(read.probabilities[:, 1], [0.1, 0.9, 0.2, 0.8])
    assert np.allclose(read.probabilities.sum(axis=1), 1)


def test_an_archive_is_read_by_its_usual_names(tmp_path, dataset):
    path = tmp_path / "p.npz"
    np.savez(path, ids=np.arange(4), pred_probs=P)
    assert np.allclose(read_predictions(path, dataset, workers=0).probabilities, P)


def test_rounded_rows_are_rescaled(tmp_path, dataset):
    values = P.copy()
    values[0] = [0.33, 0.33, 0.335]
    read = read_predictions(saved(tmp_path, values), dataset, workers=0)
    assert read.probabilities[0].sum() == pytest.approx(1, abs=1e-6)


def test_rows_of_nan_are_records_without_prediction(tmp_path, dataset):
    values = P.copy()
    values[2] = np.nan
    read = read_predictions(saved(tmp_path, values), dataset, workers=0)
    assert np.isnan(read.probabilities).any(axis=1).tolist() == [False, False, True, False]


def test_multi_label_rows_need_not_sum_to_one(tmp_path):
    dataset = make_dataset(states={"x": [0, 1], "y": [1, 1]})
    values = np.array([[0.9, 0.9], [0.1, 0.2]])
    assert np.allclose(read_predictions(saved(tmp_path, values), dataset, workers=0).probabilities, values)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "csv.gz"])
@pytest.mark.parametrize("key", ["record", "path", "name", "stem"])
def test_a_table_is_aligned_by_the_column_that_names_records(tmp_path, dataset, suffix, key):
    ids = {
        "record": dataset.records.index,
        "path": dataset.records["path"],
        "name": [f"{n}.png" for n in "abcd"],
        "stem": "abcd",
    }
    table = pd.DataFrame(P, columns=["cat", "dog", "owl"]).assign(**{"where it is": list(ids[key])})
    table = table[["owl", "where it is", "cat", "dog"]].iloc[[2, 0, 3, 1]]
    path = tmp_path / f"p.{suffix}"
    if suffix == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    assert np.allclose(read_predictions(path, dataset, workers=0).probabilities, P)


def test_a_table_without_ids_has_the_order_of_the_records(tmp_path, dataset):
    pd.DataFrame(P, columns=["cat", "dog", "owl"]).to_csv(tmp_path / "p.csv", index=False)
    assert np.allclose(read_predictions(tmp_path / "p.csv", dataset, workers=0).probabilities, P)


def test_a_table_may_leave_records_out(tmp_path, dataset):
    pd.DataFrame(P, columns=["cat", "dog", "owl"]).assign(record=dataset.records.index).iloc[1:].to_csv(
        tmp_path / "p.csv", index=False
    )
    read = read_predictions(tmp_path / "p.csv", dataset, workers=0)
    assert np.isnan(read.probabilities[0]).all()
    assert np.allclose(read.probabilities[1:], P[1:])


def test_one_class_of_two_is_enough_in_a_table(tmp_path):
    dataset = make_dataset(labels=["no", "yes"])
    pd.DataFrame({"no": [0.75, 0.5]}).to_csv(tmp_path / "p.csv", index=False)
    assert np.allclose(read_predictions(tmp_path / "p.csv", dataset, workers=0).probabilities, [[0.75, 0.25], [0.5, 0.5]])


def test_the_class_na_is_a_column_like_others(tmp_path):
    dataset = make_dataset(labels=["NA", "x"])
    pd.DataFrame({"NA": [0.75, 0.5], "x": [0.25, 0.5]}).to_csv(tmp_path / "p.csv", index=False)
    assert np.allclose(read_predictions(tmp_path / "p.csv", dataset, workers=0).probabilities[:, 0], [0.75, 0.5])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (P[:3], "3 rows, but the dataset has 4 records"),
        (P[:, :2], "2 columns, but there are 3 classes"),
        (P * 100, "no probabilities"),
        (np.log(P + 1e-9), "no probabilities"),
        (P * 0.5, "do not sum to 1"),
        (np.where(P == 1, np.inf, P), "missing or infinite"),
        (np.where(P == 1, np.nan, P), "missing or infinite"),
        (np.full((4, 3), np.nan), "no record has a prediction"),
        (P[:, :, None], "3 dimensions"),
        (P.astype(str), "not numbers"),
    ],
)
def test_a_wrong_array_is_refused_in_one_line(tmp_path, dataset, values, words):
    with pytest.raises(DatasetError, match=words) as caught:
        read_predictions(saved(tmp_path, values), dataset, workers=0)
    assert "\n" not in str(caught.value)
    assert "p.npy" in str(caught.value)


def test_pickles_are_never_loaded(tmp_path, dataset):
    np.save(tmp_path / "p.npy", np.array([{"a": 1}] * 4, dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match="not numbers"):
        read_predictions(tmp_path / "p.npy", dataset, workers=0)


def test_a_header_that_declares_too_much_is_refused_before_it_is_loaded(tmp_path):
    path = tmp_path / "p.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("p.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": (4, 10**12)})
    with pytest.raises(DatasetError, match=r"raise \[limits\] table-bytes"):
        read_predictions(path, make_dataset(labels=LABELS), workers=0)


@pytest.mark.parametrize("name", ["p.npy", "p.npz", "p.parquet"])
@pytest.mark.parametrize("content", [b"", b"no such format", b"\x93NUMPY\x01\x00v\x00{'descr'"])
def test_a_broken_file_is_refused(tmp_path, dataset, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match="not a readable"):
        read_predictions(tmp_path / name, dataset, workers=0)


def test_an_archive_without_an_array_is_refused(tmp_path, dataset):
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(DatasetError, match="no array"):
        read_predictions(tmp_path / "p.npz", dataset, workers=0)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"cat": [1] * 4, "dog": [0] * 4}, "no column for owl"),
        ({"cat": ["x"] * 4, "dog": [0] * 4, "owl": [0] * 4}, "is no number"),
        ({"cat": [1] * 3, "dog": [0] * 3, "owl": [0] * 3}, "no column matches"),
        ({"cat": [1] * 4, "dog": [0] * 4, "owl": [0] * 4, "id": ["a", "b", "c", "x"]}, "name no record"),
        ({"cat": [1] * 4, "dog": [0] * 4, "owl": [0] * 4, "id": ["a", "b", "c", "c"]}, "names a record twice"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path, dataset, table, words):
    pd.DataFrame(table).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(DatasetError, match=words):
        read_predictions(tmp_path / "p.csv", dataset, workers=0)


def test_a_missing_file_an_unknown_suffix_and_wrong_classes_are_said(tmp_path, dataset):
    with pytest.raises(DatasetError, match="no such file"):
        read_predictions(tmp_path / "p.npy", dataset, workers=0)
    (tmp_path / "p.json").write_text("[]")
    with pytest.raises(DatasetError, match=r"\.parquet"):
        read_predictions(tmp_path / "p.json", dataset, workers=0)
    path = saved(tmp_path, P)
    with pytest.raises(ConfigError, match="owl"):
        read_predictions(path, dataset, classes=["cat", "dog", "fox"], workers=0)
    with pytest.raises(ConfigError, match="twice"):
        read_predictions(path, dataset, classes=["cat", "dog", "dog"], workers=0)
    with pytest.raises(ConfigError, match="--label"):
        read_predictions(path, make_dataset(n=4), workers=0)
