from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import make_dataset
from PIL import Image
from scipy.ndimage import gaussian_filter

from trainers.rewriting.encoding_traces import COLUMNS, measure_traces
from trainers.rewriting.forensics import Residual, drawn_rows, judge_traces

TwoHistories = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def texture(seed: int, side: int = 128) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    shapes = gaussian_filter(rng.normal(size=(side, side)), 6)
    shapes = (shapes - shapes.min()) / np.ptp(shapes)
    return np.clip(20 + 200 * shapes + rng.normal(0, rng.uniform(2, 8), shapes.shape), 0, 255).astype(np.uint8)


def jpeg(array: np.ndarray[Any, Any], quality: int = 90) -> np.ndarray[Any, Any]:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


@cache
def measured_slices(folder: Path) -> TwoHistories:
    """Traces of the 30 slices of em_membrane: as they are, and after JPEG 90."""
    plain = [np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]
    return (
        np.stack([measure_traces(a, 255) for a in plain]),
        np.stack([measure_traces(jpeg(a), 255) for a in plain]),
    )


@pytest.fixture
def slices(real_data: Path) -> TwoHistories:
    return measured_slices(real_data / "images/em_membrane/image")


def judged(traces: np.ndarray[Any, Any], positive: np.ndarray[Any, Any], patients: Any = None, seed: int = 0) -> Residual:
    dataset = make_dataset(labels=np.where(positive, "ill", "well").tolist(), patients=patients)
    return judge_traces(dataset, np.arange(len(positive)), traces, seed=seed)


def coin(seed: int, n: int = 30) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).permutation(n) < n // 2


def measured(pictures: list[np.ndarray[Any, Any]], labels: list[str]) -> Residual:
    traces = np.stack([measure_traces(picture, 255) for picture in pictures])
    return judge_traces(make_dataset(labels=labels), np.arange(len(labels)), traces)


def test_a_class_that_was_jpeg_once_is_found_after_both_are_saved_alike() -> None:
    ill = [i % 2 == 0 for i in range(30)]
    pictures = [jpeg(texture(i)) if ill[i] else texture(i) for i in range(30)]
    found = measured(pictures, ["ill" if one else "well" for one in ill])
    assert found.verdict == "shortcut"
    assert found.metrics["residual_auc"] > 0.95
    assert "quantisation" in found.summary
    assert found.records == 30
    assert found.table.length == 6


def test_random_classes_of_one_history_are_silent() -> None:
    labels = np.where(coin(4), "ill", "well").tolist()
    found = measured([texture(i) for i in range(30)], labels)
    assert found.verdict == "no evidence"
    assert found.detectable is not None
    assert "would have been seen" in found.summary


def test_few_records_cannot_tell() -> None:
    found = judged(np.zeros((12, len(COLUMNS)), np.float32), np.arange(12) < 6)
    assert found.verdict == "cannot tell"
    assert found.told == ()
    assert found.metrics == {"residual_shortcut": None, "residual_records": 12}


def test_unreadable_files_take_no_part() -> None:
    traces = np.random.default_rng(3).normal(size=(24, len(COLUMNS))).astype(np.float32)
    traces[:4] = np.nan
    found = judge_traces(make_dataset(labels=["a", "b"] * 12), np.arange(24), traces)
    assert found.records == 20


def test_only_the_rows_that_may_be_seen_are_drawn() -> None:
    dataset = make_dataset(labels=["a", "b", None] * 10)
    allowed = np.arange(30) < 15
    assert drawn_rows(dataset, allowed).tolist() == [i for i in range(15) if i % 3 != 2]
    assert len(drawn_rows(dataset, None, records=6)) == 6
    assert len(drawn_rows(make_dataset(n=5), None)) == 0


def test_noise_alone_is_told_and_decides_nothing() -> None:
    rng = np.random.default_rng(0)
    traces = rng.normal(size=(60, len(COLUMNS))).astype(np.float32)
    ill = coin(0, 60)
    traces[ill, COLUMNS.index("noise.size")] += 10
    found = judged(traces, ill)
    assert found.verdict == "no evidence"
    assert any("noise residual" in note for note in found.notes)


def test_the_class_that_has_the_history_is_named() -> None:
    rng = np.random.default_rng(1)
    traces = rng.normal(size=(90, len(COLUMNS))).astype(np.float32)
    labels = np.array(["a", "b", "c"] * 30)
    traces[labels == "b", COLUMNS.index("quantisation.comb_low")] += 8
    found = judge_traces(make_dataset(labels=labels.tolist()), np.arange(90), traces)
    assert found.verdict == "shortcut"
    assert found.metrics["residual_class"] == "b"


def test_the_same_seed_gives_the_same_answer() -> None:
    traces = np.random.default_rng(2).normal(size=(40, len(COLUMNS))).astype(np.float32)
    assert judged(traces, coin(2, 40), seed=5) == judged(traces, coin(2, 40), seed=5)


@pytest.mark.slow
def test_thirty_slices_of_which_one_class_was_jpeg_90_are_always_found(slices: TwoHistories) -> None:
    plain, once = slices
    found = [judged(np.where(coin(s)[:, None], once, plain), coin(s), seed=s) for s in range(20)]
    assert all(f.verdict == "shortcut" for f in found)
    assert min(f.told[0].auc for f in found) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("history", [0, 1])
def test_random_classes_of_thirty_slices_raise_few_false_alarms(slices: TwoHistories, history: int) -> None:
    traces = slices[history]
    alarms = [judged(traces, coin(s), seed=s).verdict == "shortcut" for s in range(100)]
    assert np.mean(alarms) <= 0.05


@pytest.mark.slow
def test_a_history_that_follows_patients_and_no_class_raises_few_false_alarms(slices: TwoHistories) -> None:
    """Forty patients with five images each; JPEG or not, and ill or not, are drawn per patient, apart from each other."""
    plain, once = slices
    alarms = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        patient = np.repeat(np.arange(40), 5)
        picture = rng.integers(0, 30, 200)
        history, ill = (rng.permutation(40) < 20)[patient], (rng.permutation(40) < 20)[patient]
        traces = np.where(history[:, None], once[picture], plain[picture])
        alarms.append(judged(traces, ill, patients=[f"p{p}" for p in patient], seed=seed).verdict == "shortcut")
    assert np.mean(alarms) <= 0.05


def test_a_faint_trace_is_not_called_none() -> None:
    rng = np.random.default_rng(4)
    ill = np.arange(1200) % 2 == 0
    traces = rng.normal(size=(1200, len(COLUMNS))).astype(np.float32)
    traces[:, 0] += 0.3 * ill
    found = judged(traces, ill)
    assert 0.5 < found.told[0].low < found.told[0].auc < 0.6
    assert found.verdict != "no evidence"
    assert "No residual shortcut" not in found.summary
    traces[:, 1:4] += 0.15 * ill[:, None]
    surer = judged(traces, ill)
    assert surer.verdict == "shortcut"
    assert ("A faint residual" in surer.summary) == (surer.told[0].auc < 0.6)


def test_an_interval_that_holds_a_shortcut_is_no_evidence_of_none() -> None:
    rng = np.random.default_rng(5)
    ill = np.arange(30) % 2 == 0
    found = [judged(rng.normal(size=(30, len(COLUMNS))).astype(np.float32), ill, seed=s) for s in range(6)]
    for one in found:
        held = one.told[0].high >= (one.detectable or 1) or one.told[0].low > 0.5
        assert (one.verdict == "no evidence") == (not held)
        assert one.metrics["residual_shortcut"] in ((None, True) if held else (False,))
