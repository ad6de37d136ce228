import numpy as np
import pandas as pd
from builders import make_dataset

from auditor.evidence.leakage.path_words import (
    file_names,
    folder_levels,
    is_class_folder,
    name_of_class,
    number_places,
    presences,
    share_of,
)

LABELS = pd.Series(["benign"] * 30 + ["malignant"] * 30)


def test_words_that_some_have_and_some_have_not_are_found_with_their_records() -> None:
    texts = pd.Series([f"img_{i:04d}{'_left' if i % 2 else ''}" for i in range(60)])
    found = {one.word: one.has for one in presences("file name", texts, least=5)}
    assert list(found) == ["left"]
    np.testing.assert_array_equal(found["left"], np.arange(60) % 2 == 1)


def test_a_code_in_the_name_is_found_and_a_counter_is_none() -> None:
    names = pd.Series([f"scan{i:05d}_{i % 3}" for i in range(60)])
    (column,) = number_places(names)
    assert column.name == "number 2"
    assert column.tolist()[:4] == ["0", "1", "2", "0"]


def test_the_class_folder_is_known_by_its_names() -> None:
    paths = pd.Series([f"set/{c.title()}/{i}.png" for i, c in enumerate(LABELS)], dtype="string")
    first, second = folder_levels(paths)
    assert not is_class_folder(first, LABELS, read_from=False)
    assert is_class_folder(second, LABELS, read_from=False)
    assert file_names(paths).tolist()[:2] == ["0", "1"]


def test_folders_of_two_sources_are_no_class_folders_unless_the_label_was_read_from_them() -> None:
    level = pd.Series(["inbreast"] * 30 + ["ddsm"] * 30, dtype="string")
    assert not is_class_folder(level, LABELS, read_from=False)
    assert is_class_folder(level, LABELS, read_from=True)


def test_the_share_of_a_class_counts_labelled_records_only() -> None:
    dataset = make_dataset(labels=["a", "a", "b", None])
    assert share_of(np.array([True, False, True, True]), dataset.labels, "a") == 0.5
    assert name_of_class("Invasive_Carcinoma") == {"invasive", "carcinoma"}
    assert name_of_class("3") == frozenset()
