from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk003 import LabelInText
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict

N = 240
PATIENT = [f"P{i // 2:03d}" for i in range(N)]
SICK = np.random.default_rng(3).integers(0, 2, N // 2)[np.arange(N) // 2]
LABELS = np.array(["benign", "malignant"])[SICK].tolist()


def scanned(paths: list[str], *, origin: str = "label", texts: list[str | None] | None = None) -> Verdict:
    dataset = make_dataset(labels=LABELS, patients=PATIENT, paths=paths, origin=origin)
    if texts is not None:
        dataset = replace(dataset, texts=pd.Series(texts, index=dataset.records.index, dtype="string"))
    return LabelInText().run(dataset)


def sources(verdict: Verdict) -> list[str | None]:
    return [finding.where.field for finding in verdict.findings]


def test_the_class_folder_is_the_label_and_no_leak_of_it() -> None:
    verdict = scanned([f"{c}/img_{i:04d}.png" for i, c in enumerate(LABELS)], origin="class folder")
    assert verdict.findings == ()
    assert verdict.coverage is not None
    assert "folder 1 is the class folder" in verdict.coverage.reason


def test_the_class_in_the_file_name_is_a_warning_that_says_so() -> None:
    verdict = scanned([f"{c}/{c} ({i}).png" for i, c in enumerate(LABELS)], origin="class folder")
    (finding,) = verdict.findings
    assert finding.severity is Severity.WARNING
    assert finding.where.field == "file name"
    assert finding.message.startswith("The name of the class stands in the file name")
    assert finding.score is not None
    assert finding.score > 0.99
    words = {c.name: c.values for c in verdict.tables[0].columns}
    assert set(words["word"]) == {"benign", "malignant"}


def test_the_file_name_that_the_label_was_read_from_is_left_out() -> None:
    verdict = scanned([f"{c}_{i}.png" for i, c in enumerate(LABELS)], origin="file name")
    assert verdict.findings == ()


def test_two_sources_in_two_folders_are_found_where_the_label_comes_from_a_table() -> None:
    verdict = scanned([f"{'ddsm' if s else 'inbreast'}/{i:04d}.png" for i, s in enumerate(SICK)])
    assert sources(verdict) == ["folder 1"]


def test_words_that_may_be_names_of_people_are_not_shown() -> None:
    verdict = scanned([f"{'smith' if s else 'jones'}_{i:04d}.png" for i, s in enumerate(SICK)])
    assert sources(verdict) == ["file name"]
    assert "smith" not in repr(verdict)
    assert "jones" not in repr(verdict)


def test_a_code_at_one_place_of_the_name_is_found() -> None:
    verdict = scanned([f"IM{i:04d}_{s}.png" for i, s in enumerate(SICK)])
    assert verdict.findings[0].message.startswith("The number 2 in the file name tells")


def test_the_class_in_a_header_text_of_one_record_in_four_is_found() -> None:
    texts = ["follow malignant" if s and i % 4 == 0 else "left thorax" for i, s in enumerate(SICK)]
    verdict = scanned([f"{i}.png" for i in range(N)], texts=texts)
    assert sources(verdict) == ["header text"]
    assert verdict.findings[0].evidence["own_name"] is True
    assert "thorax" not in repr(verdict)


def test_a_technical_field_that_holds_the_class_is_found_and_its_other_words_are_left_to_lk001() -> None:
    dataset = make_dataset(
        labels=LABELS,
        patients=PATIENT,
        metadata={
            "dicom.BodyPartExamined": [f"BREAST {c.upper()}" for c in LABELS],
            "dicom.ScanOptions": ["FAST" if s else "SLOW" for s in SICK],
        },
    )
    assert sources(LabelInText().run(dataset)) == ["dicom.BodyPartExamined"]


def test_it_skips_where_there_is_neither_path_nor_text() -> None:
    dataset = make_dataset(labels=LABELS, paths=[None] * N)
    with pytest.raises(SkipCheck, match="neither a path nor a header text"):
        LabelInText().run(dataset)


def noise(seed: int, patients: int = 120) -> Dataset:
    """Names with words that go with the patient, and with none of the classes."""
    g = np.random.default_rng(seed)
    size = g.integers(1, 5, patients)
    patient = np.repeat(np.arange(patients), size)
    words = np.array(["left", "right", "ward", "north", "portable", "scan"])[g.integers(0, 6, (patients, 2))][patient]
    label = g.integers(0, 3, patients)[patient]
    paths = [f"{a}/{b}_{i:05d}_{g.integers(0, 4)}.png" for i, (a, b) in enumerate(words)]
    return make_dataset(labels=[f"c{c}x" for c in label], patients=[f"p{p}" for p in patient], paths=paths)


def alarms(seeds: range) -> int:
    return sum(bool(LabelInText(draws=400).run(noise(seed)).findings) for seed in seeds)


def test_words_that_go_with_no_class_are_silent() -> None:
    assert alarms(range(6)) <= 1


@pytest.mark.slow
def test_at_most_five_percent_of_null_datasets_alarm() -> None:
    assert alarms(range(200)) <= 16


def test_header_texts_are_looked_at_where_there_is_no_path() -> None:
    dataset = make_dataset(labels=LABELS, patients=PATIENT, paths=[None] * N)
    texts = pd.Series(["malignant" if s else "thorax" for s in SICK], index=dataset.records.index, dtype="string")
    assert sources(LabelInText().run(replace(dataset, texts=texts))) == ["header text"]


def test_readings_without_a_label_or_a_path_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="no label"):
        LabelInText().run(make_dataset(n=30, paths=[None] * 30))


def in_folders(sick_share: float, well_share: float, *, depth: str = "", seed: int = 0) -> list[str]:
    """Some of the sick, and some of the well, patients in a folder `batchQ`, all others in `batchR`."""
    draw = np.random.default_rng(seed).random(N // 2)[np.arange(N) // 2]
    chosen = draw < np.where(SICK, sick_share, well_share)
    return [f"{depth}{'batchQ' if q else 'batchR'}/im{i * 7919 % 99991:05d}x.png" for i, q in enumerate(chosen)]


@pytest.mark.parametrize(("sick", "well", "depth"), [(0.5, 0.0, ""), (0.5, 0.0, "data/"), (0.6, 0.1, ""), (0.2, 0.9, "a/b/")])
def test_a_folder_that_one_class_alone_or_mostly_has_is_found(sick: float, well: float, depth: str) -> None:
    verdict = scanned(in_folders(sick, well, depth=depth))
    assert sources(verdict) == [f"folder {depth.count('/') + 1}"]


def test_a_small_folder_of_one_class_is_found_though_it_hardly_moves_the_auc() -> None:
    (finding,) = scanned(in_folders(0.2, 0.0, seed=1)).findings
    assert finding.subject == "one class"
    assert finding.message.startswith("One of the folders at level 1 holds")
    assert "every one of them malignant" in finding.message


def test_folders_that_both_classes_share_alike_are_silent() -> None:
    assert sum(bool(scanned(in_folders(0.3, 0.3, seed=seed)).findings) for seed in range(10)) <= 1


@pytest.mark.parametrize("pattern", ["{}-{:08x}.png", "{:08d}{}.png", "{}{:05d}.png"])
def test_short_letters_that_names_begin_or_end_with_are_looked_at(pattern: str) -> None:
    random = np.random.default_rng(5).integers(1 << 31, size=N).tolist()
    front = pattern.startswith("{}")

    def named(letters: list[str]) -> list[str]:
        return [pattern.format(*((a, n) if front else (n, a))) for a, n in zip(letters, random, strict=True)]

    assert sources(scanned(named(["AB"[s] for s in SICK]))) == ["file name"]
    assert not scanned(named(["LR"[i % 2] for i in range(N)])).findings


def test_names_that_are_written_in_one_way_for_each_class_are_told() -> None:
    labels = ["sick", "well"] * 40
    names = [f"{'IMG-' if label == 'sick' else 'img_'}{i * 7919 % 1000:03d}.png" for i, label in enumerate(labels)]
    patients = [f"p{i}" for i in range(80)]
    (finding,) = LabelInText().run(make_dataset(labels=labels, paths=names, patients=patients)).findings
    assert finding.message.startswith("The way of writing in the file name")
    alike = [name.lower().replace("-", "_") for name in names]
    assert not LabelInText().run(make_dataset(labels=labels, paths=alike, patients=patients)).findings
