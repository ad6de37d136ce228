"""Predicted masks beside drawn ones: what is read, how pixels are scored, which objects only one of both has."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from cleanlab.segmentation.rank import get_label_quality_scores
from PIL import Image

from auditor.checks.ln005 import SuspectMasks
from auditor.evidence.masks.mask_form import Form, Pair
from auditor.evidence.masks.mask_maps import fit_of, holds_masks, ruler_of, softmin
from auditor.evidence.masks.mask_scores import NO_PREDICTION, score_masks
from auditor.layout import Options, open_dataset
from auditor.plan import plan_for
from auditor.progress import Silent
from auditor.scan import scan
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError
from auditor.values.image import Limits
from auditor.values.mask_scores import MaskScores, Ruler
from auditor.values.results import Severity, Verdict

SIDE = 48


def blobs(rng: np.random.Generator, count: int = 4) -> np.ndarray:
    """Squares that do not touch, (SIDE, SIDE) of 0 and 1."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for cell in rng.choice(16, count, replace=False):
        row, column = 12 * (cell // 4) + 2, 12 * (cell % 4) + 2
        mask[row : row + 7, column : column + 8] = 1
    return mask


def written(folder: Path, masks: np.ndarray, values: int = 255) -> Dataset:
    """A dataset of images with masks, as the pass leaves it."""
    rng = np.random.default_rng(1)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for i, mask in enumerate(masks):
        picture = (rng.integers(0, 60, mask.shape) + 100 * (mask > 0)).astype(np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"p{i:02d}.png")
        Image.fromarray((mask * values).astype(np.uint8)).save(folder / "masks" / f"p{i:02d}.png")
    return extract(open_dataset(folder, Options()), Pass(workers=0))[0]


def scores(dataset: Dataset, path: Path) -> MaskScores:
    found = score_masks(dataset, [path], Limits(), in_sample=False, progress=Silent(), workers=0).mask_scores
    assert found is not None
    return found


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([blobs(rng) for _ in range(8)])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, drawn: np.ndarray) -> Dataset:
    return written(tmp_path_factory.mktemp("set") / "data", drawn)


@pytest.fixture(scope="module")
def maps(drawn: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(2).uniform(0, 0.3, drawn.shape)
    return np.where(drawn == 1, 1 - noise, noise).astype(np.float32)


def test_scores_of_pixels_are_those_of_cleanlab(dataset: Dataset, drawn: np.ndarray, maps: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", maps)
    expected, _ = get_label_quality_scores(drawn.astype(np.int64), np.stack([1 - maps, maps], axis=1), verbose=False)
    np.testing.assert_allclose(scores(dataset, tmp_path / "p.npy").records["score"], expected, atol=1e-5)


def test_scores_of_several_classes_are_those_of_cleanlab(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    masks = rng.integers(0, 3, (5, 12, 14))
    maps = rng.dirichlet([1, 1, 1], (5, 12, 14)).transpose(0, 3, 1, 2).astype(np.float32)
    np.savez(tmp_path / "p.npz", probabilities=maps)
    expected, _ = get_label_quality_scores(masks, maps, verbose=False)
    for values in (1, 100):
        found = scores(written(tmp_path / str(values), masks, values), tmp_path / "p.npz")
        np.testing.assert_allclose(found.records["score"], expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["npy", "npz", "two classes", "folder of npy", "8 bits", "16 bits"])
def test_every_form_of_the_same_probabilities_gives_the_same_scores(
    dataset: Dataset, maps: np.ndarray, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "p.npy"
    np.save(target, maps)
    expected = scores(dataset, target)
    if kind == "npz":
        target = tmp_path / "p.npz"
        np.savez_compressed(target, other=np.zeros(3), pred_probs=maps)
    elif kind == "two classes":
        np.save(target, np.stack([1 - maps, maps], axis=1))
    elif kind != "npy":
        target = tmp_path / "folder" / "images"
        target.mkdir(parents=True)
        for i, found in enumerate(maps):
            if kind == "folder of npy":
                np.save(target / f"p{i:02d}.npy", found)
            elif kind == "8 bits":
                Image.fromarray(np.round(found * 255).astype(np.uint8)).save(target / f"p{i:02d}.png")
            else:
                Image.fromarray(np.round(found * 65535).astype(np.uint16)).save(target / f"p{i:02d}.png")
        target = target.parent
    found = scores(dataset, target)
    np.testing.assert_allclose(found.records["score"], expected.records["score"], atol=5e-3)
    assert found.objects.empty


def test_what_a_network_that_draws_wrote_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    masks = np.stack([blobs(rng) * rng.integers(1, 3) for _ in range(6)])
    dataset = written(tmp_path / "data", masks, 100)
    (tmp_path / "drawn" / "images").mkdir(parents=True)
    for i, mask in enumerate(masks):
        # classes as numbers, as `medaudit predict` writes several kinds of objects
        Image.fromarray(mask.astype(np.uint8)).save(tmp_path / "drawn" / "images" / f"p{i:02d}.png")
    found = scores(dataset, tmp_path / "drawn").records
    assert found["score"].tolist() == [1.0] * 6
    assert found["dice"].tolist() == [1.0] * 6


def test_hard_masks_of_zero_and_one_are_no_probabilities_of_one_in_255(
    dataset: Dataset, drawn: np.ndarray, tmp_path: Path
) -> None:
    for i, mask in enumerate(drawn):
        Image.fromarray(mask).save(tmp_path / f"p{i:02d}.png")
    assert scores(dataset, tmp_path).records["dice"].tolist() == [1.0] * len(drawn)


def test_missing_and_unsupported_objects_are_told_apart_with_their_place() -> None:
    drawn, p = np.zeros((30, 40), bool), np.full((30, 40), 0.02, np.float32)
    drawn[2:8, 2:8] = drawn[20:26, 30:36] = True
    p[2:8, 2:8] = 0.9
    p[10:16, 12:20] = 0.8
    fit = fit_of(Pair(confidence=p.ravel(), predicted=p, drawn=drawn), Ruler(sure=1.0, least_pixels=10))
    (missing, confidence, area, row, column), other = fit.conflicts
    assert (missing, area, row, column) == (True, 48, 12.5, 15.5)
    assert confidence == pytest.approx(0.8)
    assert other[:1] + other[2:] == (False, 36, 22.5, 32.5)
    assert other[1] == pytest.approx(0.98)
    assert (fit.objects, fit.predicted_objects) == (2, 2)


def test_a_rim_is_no_object_and_a_speck_none_either() -> None:
    drawn, p = np.zeros((30, 40), bool), np.zeros((30, 40), np.float32)
    drawn[5:15, 5:15] = True
    p[4:16, 4:16] = 1
    p[20, 20] = 1
    assert fit_of(Pair(confidence=p.ravel(), predicted=p, drawn=drawn), Ruler(least_pixels=5)).conflicts == ()


def test_the_ruler_is_what_the_clearest_objects_reach() -> None:
    drawn, p = np.zeros((40, 40), bool), np.zeros((40, 40), np.float32)
    for i in range(10):
        drawn[4 * i : 4 * i + 2, 0:3] = True
        p[4 * i : 4 * i + 2, 0:3] = 0.05 * (i + 1)
    ruler = ruler_of([Pair(confidence=p.ravel(), predicted=p, drawn=drawn)])
    assert ruler.sure == pytest.approx(0.455)
    assert ruler.least_pixels == 6


def test_the_soft_minimum_lies_between_least_and_mean() -> None:
    values = np.array([0.1, 0.9, 0.9, 0.9], np.float32)
    assert 0.1 < softmin(values) < 0.11
    assert softmin(np.full(5, 0.25, np.float32)) == pytest.approx(0.25)


def test_pixels_that_nobody_annotated_do_not_count() -> None:
    mask = np.array([[0, 1, 2, 255]])
    p = np.eye(3, dtype=np.float32)[[0, 1, 1, 0]].T[:, None, :]
    pair = Form(path=Path("p"), values=(0.0, 1.0, 2.0)).pair(p, mask)
    assert isinstance(pair, Pair)
    assert pair.confidence.tolist() == [1, 1, 0]
    assert pair.drawn.tolist() == [[False, True, True, False]]


def test_a_volume_may_have_the_size_of_the_network() -> None:
    mask = np.zeros((4, 8, 8), np.uint8)
    mask[2:, 4:, :] = 1
    pair = Form(path=Path("p"), dims=3).pair((mask[::2, ::2, ::2] * 255).astype(np.uint8), mask)
    assert isinstance(pair, Pair)
    assert pair.confidence.tolist() == [1.0] * mask.size


def test_what_cannot_be_compared_is_told_and_does_not_stop_the_others(
    dataset: Dataset, maps: np.ndarray, tmp_path: Path
) -> None:
    for i, found in enumerate(maps[:5]):
        np.save(tmp_path / f"p{i:02d}.npy", found[:20] if i == 0 else np.full_like(found, np.nan) if i == 1 else found)
    (tmp_path / "p02.npy").write_bytes(b"\x93NUMPY\x01\x00 nothing")
    problems = scores(dataset, tmp_path).records["problem"].tolist()
    assert problems[0] == "the prediction has 20 × 48 pixels, the mask 48 × 48"
    assert problems[1].startswith("not predicted")
    assert problems[2].startswith("the prediction cannot be read")
    assert problems[3:] == ["", "", *[NO_PREDICTION] * 3]


def stored(array: np.ndarray, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (stored(np.zeros((7, 4, 4), np.float32)), "7 masks, but the dataset has 8 records"),
        (stored(np.full((8, SIDE, SIDE), 7.5)), "no probabilities"),
        (stored(np.full((8, 3, SIDE, SIDE), 0.5)), "sum to 1.5"),
        (stored(np.full((8, 4, SIDE, SIDE), 0.25)), "4 classes, but the masks hold 2 values"),
        (stored(np.asfortranarray(np.random.default_rng(0).random((8, 4, 5)))), "column by column"),
        (stored(np.zeros((8, SIDE, SIDE), np.float32))[:-100], "ends before mask 8"),
        (stored(np.zeros((8, 4, 4), np.float32)), "no prediction can be compared"),
        (stored(np.full((8, 4, 4), None), allow_pickle=True), "not numbers"),
        (b"\x93NUMPY broken", "not a readable NumPy file"),
    ],
)
def test_an_array_that_fits_nothing_is_refused(dataset: Dataset, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "p.npy").write_bytes(content)
    with pytest.raises(DatasetError, match=words):
        scores(dataset, tmp_path / "p.npy")


def test_predictions_without_masks_and_masks_without_predictions_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no file is named after .*images/p00\.png"):
        scores(dataset, tmp_path)
    with pytest.raises(ConfigError, match="one folder"):
        score_masks(dataset, [tmp_path, tmp_path], Limits(), in_sample=False, progress=Silent(), workers=0)
    (tmp_path / "plain").mkdir()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "plain" / "a.png")
    plain = extract(open_dataset(tmp_path / "plain", Options()), Pass(workers=0))[0]
    with pytest.raises(ConfigError, match="has no masks"):
        scores(plain, tmp_path)


def test_class_probabilities_are_no_masks(tmp_path: Path) -> None:
    np.save(tmp_path / "two.npy", np.zeros((8, 3)))
    np.save(tmp_path / "three.npy", np.zeros((8, 3, 3)))
    assert [holds_masks(tmp_path / n) for n in ("two.npy", "three.npy", "table.csv", ".")] == [False, True, False, True]


def simulated(folder: Path, seed: int, dropped: float, n: int = 40, *, in_sample: bool = False) -> Verdict:
    """Masks with objects left out, beside maps of a model that overlooks and invents a twentieth of the objects."""
    rng = np.random.default_rng(seed)
    masks, maps = [], []
    for _ in range(n):
        truth, field = np.zeros((SIDE, SIDE), np.uint8), rng.normal(-3.5, 0.7, (SIDE, SIDE))
        for cell in range(16):
            row, column = 12 * (cell // 4) + 2, 12 * (cell % 4) + 2
            size = slice(row, row + rng.integers(5, 9)), slice(column, column + rng.integers(5, 9))
            real = rng.random() < 0.4
            if real and rng.random() >= dropped:
                truth[size] = 1
            strength = rng.normal(1.8 if real else -1.8, 1.1)
            field[size] = rng.normal(2 * strength, 0.5, field[size].shape)
        masks.append(truth)
        maps.append(1 / (1 + np.exp(-field)))
    dataset = written(folder / "data", np.stack(masks))
    np.save(folder / "p.npy", np.stack(maps).astype(np.float32))
    scored = score_masks(dataset, [folder / "p.npy"], Limits(), in_sample=in_sample, progress=Silent(), workers=0)
    return SuspectMasks().run(scored)


def test_dropped_objects_are_found_by_record(tmp_path: Path) -> None:
    verdict = simulated(tmp_path, 0, 0.3)
    assert verdict.metrics["missing_objects"] >= 50
    assert verdict.metrics["missing_objects_false_fraction"] <= 0.15
    assert all("where nothing is drawn" in f.message for f in verdict.findings)
    assert {"mask_scores", "missing_objects"} <= {t.name for t in verdict.tables}
    json.dumps([[dict(f.evidence), f.score] for f in verdict.findings] + [dict(verdict.metrics)], allow_nan=False)
    for table in verdict.tables:
        json.dumps([list(c.values) for c in table.columns], allow_nan=False)


def test_a_scan_reads_them_beside_the_built_in_probe(dataset: Dataset, maps: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", maps)
    plan = plan_for(dataset.root, predictions=[tmp_path / "p.npy"], in_sample=True, select=["LN005"], cache=False, workers=0)
    (outcome,) = [o for o in scan(dataset.root, plan).outcomes if o.code == "LN005"]
    assert outcome.status == "passed"
    assert outcome.verdict is not None
    assert outcome.verdict.metrics["scored_masks"] == len(maps)
    assert "learnt from these masks" in outcome.verdict.summary


def test_objects_that_a_model_saw_in_its_own_training_masks_are_info(tmp_path: Path) -> None:
    assert {f.severity for f in simulated(tmp_path, 0, 0.3, in_sample=True).findings} == {Severity.INFO}


def test_a_mask_of_another_image_stands_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    masks = np.stack([blobs(rng) for _ in range(30)])
    maps = np.clip(masks * 0.9 + rng.uniform(0, 0.1, masks.shape), 0, 1).astype(np.float32)
    maps[7] = 1 - maps[7]
    np.save(tmp_path / "p.npy", maps)
    dataset = written(tmp_path / "data", masks)
    verdict = SuspectMasks().run(
        score_masks(dataset, [tmp_path / "p.npy"], Limits(), in_sample=False, progress=Silent(), workers=0)
    )
    (finding,) = verdict.findings
    assert finding.where.record is not None
    assert "p07" in finding.where.record
    assert "far worse than others" in finding.message
    assert verdict.tables[0].columns[0].values[0] == finding.where.record


def test_an_honest_model_is_silent_on_complete_masks(tmp_path: Path) -> None:
    verdict = simulated(tmp_path, 3, 0.0)
    assert verdict.findings == ()
    assert verdict.metrics["invented_objects"] > 0
    assert "No evidence" in verdict.summary


@pytest.mark.slow
def test_false_alarms_and_power_over_many_collections(tmp_path: Path) -> None:
    found = {
        dropped: np.mean([bool(simulated(tmp_path / f"{dropped} {s}", s, dropped).findings) for s in range(seeds)])
        for dropped, seeds in ((0.0, 60), (0.1, 15), (0.3, 15), (0.5, 15))
    }
    assert found[0.0] <= 0.05
    assert found[0.1] >= 0.8
    assert min(found[0.3], found[0.5]) == 1
