"""Predictions as a table or an array: columns, rows, and names that collide."""

import io

import numpy as np
import pandas as pd
from builders import make_dataset

from trainers.predicting.predict_files import content_of


def test_a_class_called_record_does_not_hide_the_ids() -> None:
    dataset = make_dataset(n=2, records=["007", "8"])
    content = content_of(np.array([[0.25, 0.75], [1, 0]], np.float32), ("id", "record"), dataset, ".csv")
    assert content.decode() == "record_id,id,record\n007,0.25,0.75\n8,1,0\n"


def test_what_was_not_predicted_has_no_row_in_a_table_and_an_empty_one_in_an_array() -> None:
    dataset = make_dataset(n=3)
    found = np.array([[0.5, 0.5], [np.nan, np.nan], [0, 1]], np.float32)
    table = pd.read_parquet(io.BytesIO(content_of(found, ("a", "b"), dataset, ".parquet")))
    assert table["record"].tolist() == [str(dataset.records.index[i]) for i in (0, 2)]
    whole = np.load(io.BytesIO(content_of(found, ("a", "b"), dataset, ".npy")))
    np.testing.assert_array_equal(whole, found)


def test_a_number_is_one_column_and_a_flat_array() -> None:
    dataset, found = make_dataset(n=2), np.array([[3.5], [-1]], np.float32)
    assert content_of(found, (), dataset, ".csv").decode().splitlines()[0] == "record,value"
    assert np.load(io.BytesIO(content_of(found, (), dataset, ".npy"))).tolist() == [3.5, -1]
