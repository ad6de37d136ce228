"""The builders themselves: what they make must be what the layouts make."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset, write_folder
from PIL import Image

from auditor.placement.claims import Claims
from auditor.placement.records import Draft, build, no_labels
from auditor.values.dataset import RECORD_COLUMNS


def test_the_frames_have_the_types_that_the_layouts_give():
    made = make_dataset(labels=["a", "b"], patients=["007", "7"], splits=["train", None])
    real = build(
        Draft(
            root=made.root,
            name="x",
            claims=Claims(layout="x", role={}),
            ids=["r0000", "r0001"],
            labels=no_labels(["r0000", "r0001"]),
        )
    )
    pd.testing.assert_series_equal(made.records.dtypes, real.records.dtypes)
    pd.testing.assert_series_equal(made.annotations.dtypes, real.annotations.dtypes)
    pd.testing.assert_series_equal(made.boxes.dtypes, real.boxes.dtypes)
    assert made.records.index.dtype == real.records.index.dtype
    assert tuple(made.records.columns) == RECORD_COLUMNS


def test_text_stays_text_and_missing_stays_missing():
    made = make_dataset(labels=["NA", "b", None], patients=["007", "7", None], metadata={"container.bit_depth": [8, 16, None]})
    assert made.labels.classes == ("NA", "b")
    assert made.labels.codes.tolist() == [0, 1, -1]
    assert made.records["patient"].tolist()[:2] == ["007", "7"]
    assert made.records["patient"].isna().tolist() == [False, False, True]
    assert made.metadata["container.bit_depth"].tolist()[:2] == [8, 16]
    assert made.fields["container.bit_depth"].kind == "encoding"


def test_readings_probabilities_states_and_fingerprints_are_aligned():
    made = make_dataset(
        labels=["a", "b", "a"],
        readings={"x": ["a", None, "b"], "y": [None, "b", "b"]},
        probabilities=np.full((3, 2), 0.5),
        same_pixels=["p", "p", None],
        features=np.zeros((3, 4)),
    )
    assert made.annotations.to_numpy().tolist() == [
        ["r0000", "x", "a"], ["r0002", "x", "b"], ["r0001", "y", "b"], ["r0002", "y", "b"],
    ]  # fmt: skip
    assert made.predictions is not None
    assert made.predictions.classes == ("a", "b")
    assert made.fingerprints["pixels"].isna().tolist() == [False, False, True]
    assert made.fingerprints["bytes"].is_unique
    multi = make_dataset(states={"x": [1, 0, -1], "y": [1, 1, -2]})
    assert multi.labels.task == "multi"
    assert [(c.name, c.known.tolist()) for c in multi.labels.one_vs_rest()] == [
        ("x", [True, True, False]),
        ("y", [True, True, False]),
    ]


def test_two_records_of_one_name_are_refused():
    with pytest.raises(AssertionError):
        make_dataset(records=["a", "a"])


def test_a_folder_has_a_class_per_folder_and_a_format_per_class(tmp_path):
    images = {"ill": [np.eye(8), np.ones((8, 8))], "well": [np.zeros((8, 8))]}
    written = write_folder(tmp_path, images, formats={"ill": "png16", "well": "jpeg"}, splits=["train", "test"])
    assert [p.relative_to(tmp_path).as_posix() for p in written] == [
        "train/ill/000.png",
        "test/ill/001.png",
        "train/well/000.jpg",
    ]
    assert np.asarray(Image.open(written[0])).max() == 65535
