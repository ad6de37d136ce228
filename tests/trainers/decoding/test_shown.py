from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from trainers.decoding import shown as told
from trainers.decoding.shown import pictures_told, sizes_told, told_channels
from trainers.values.pictures import Pictures


@pytest.mark.parametrize(
    ("stored", "shown", "words"),
    [
        (
            (480, 640),
            (48, 64),
            "shrunk to 48 × 64 pixels, 0.01 of the 480 × 640 pixels that are stored: what is smaller",
        ),
        ((28, 28), (28, 28), "see the pictures at 28 × 28 pixels; stored they have 28 × 28"),
        ((120, 512, 512), (15, 64, 64), "shrunk to 15 × 64 × 64 pixels, 0.002 of"),
        ((120, 512, 512), (64, 64), "shrunk to 64 × 64 pixels, 0.016 of the 512 × 512"),
    ],
)
def test_what_is_lost_is_said(stored: tuple[int, ...], shown: tuple[int, ...], words: str) -> None:
    assert words in sizes_told(stored, shown)


def test_that_networks_see_the_first_file_of_a_record_alone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "stored_shape", lambda _: (8, 8))
    pictures = Pictures(array=np.zeros((2, 1, 8, 8), np.uint8), readable=np.ones(2, bool))
    dataset = make_dataset(labels=["a", "b"])
    assert "file" not in pictures_told(dataset, pictures)
    rows = [(record, name, f"{record}-{name}.nii") for record in dataset.records.index for name in ("flair", "t1")]
    several = replace(dataset, channels=pd.DataFrame(rows, columns=["record", "name", "path"]))
    assert "Of the files of a record (flair, t1) networks see the first alone." in pictures_told(several, pictures)
    many = pd.DataFrame([("r", f"c{k}", "p") for k in range(9)], columns=["record", "name", "path"])
    assert told_channels(replace(dataset, channels=many)).endswith("c5, ...")
