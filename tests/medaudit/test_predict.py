"""`medaudit predict`, and `medaudit scan --predict` and `--encoder`: what they write, and what they refuse."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.prediction.files import read_predictions
from medaudit.cli import main
from trainers.engine.model_file import save_model
from trainers.engine.models import network_named
from trainers.kinds import task_named
from trainers.values.recipe import Normalisation, Recipe, Trained

PLAIN = {"channels": 1, "shape": (12, 12)}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    torch.set_num_threads(1)


def write_stripes(folder: Path, count: int = 30, *, colour: bool = False, broken: bool = False, flipped: int = 0) -> Path:
    """Class folders: upright stripes are `a`, lying ones `b`; the first `flipped` of each lie in the other's folder."""
    rng = np.random.default_rng(0)
    wave = np.where(np.arange(12) % 4 < 2, 40, 200)
    for lying, name in enumerate("ab"):
        for number in range(count):
            plane = np.broadcast_to(wave[:, None] if lying else wave, (12, 12))
            picture = np.roll(plane, int(rng.integers(4)), 1 - lying) + rng.normal(0, 12, (12, 12))
            pixels = np.clip(picture, 0, 255).astype(np.uint8)
            if colour:
                pixels = np.stack([pixels, 255 - pixels, pixels], 2)
            home = folder / ("ab"[1 - lying] if number < flipped else name)
            home.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(home / f"{name}{number:02d}.png")
    if broken:
        (folder / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


def write_model(folder: Path, kind: str = "single", classes: tuple[str, ...] = ("a", "b"), **more: object) -> Trained:
    """A network with random weights, where `fix` puts it: in `model/` of a copy."""
    task = task_named(kind=kind, classes=classes, **(PLAIN | more))  # type: ignore[arg-type]
    torch.manual_seed(3)
    name = "unet" if kind == "segmentation" else "small-cnn"
    network = network_named(name, task, width=4).eval()
    trained = Trained(
        network=network, task=task, recipe=Recipe(network=name, width=4), seed=0,
        normalisation=Normalisation(mean=(0.5,) * task.channels, deviation=(0.25,) * task.channels), temperature=0.2,
    )  # fmt: skip
    save_model(trained, folder / "model")
    return trained


def directly(trained: Trained, paths: list[Path]) -> torch.Tensor:
    """Logits of the network, by plain torch."""
    pictures = np.stack([np.asarray(Image.open(io.BytesIO(path.read_bytes())), np.float32) for path in paths])[:, None]
    with torch.no_grad():
        logits: torch.Tensor = trained.network((torch.from_numpy(pictures) / 255 - 0.5) / 0.25) / trained.temperature
    return logits


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npy"])
def test_what_is_predicted_is_what_scan_reads(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    data, output = write_stripes(tmp_path / "data"), Path(f"p{suffix}")
    trained = write_model(tmp_path / "copy")
    assert main(["predict", str(tmp_path / "copy"), str(data), "-o", str(output), "--workers", "0", "--device", "cpu"]) == 0
    assert "predictions of 60 records" in capsys.readouterr().out
    dataset = open_dataset(data, Options())
    found = read_predictions(output, dataset, workers=0)
    expected = directly(trained, [data / path for path in dataset.records["path"]]).softmax(1)
    np.testing.assert_allclose(found.probabilities, expected.numpy(), atol=1e-5)
    assert expected.std() > 0.05
    assert main(["scan", str(data), "--predictions", str(output), "--workers", "0", "--select", "LN", "-q", "--exit-zero"]) == 0


def test_the_folder_of_the_network_itself_will_do_and_unreadable_pictures_have_no_row(tmp_path: Path) -> None:
    data = write_stripes(tmp_path / "data", broken=True)
    write_model(tmp_path / "copy")
    assert main(["predict", str(tmp_path / "copy" / "model"), str(data), "--workers", "0", "-q"]) == 0
    table = pd.read_csv("predictions.csv")
    assert list(table.columns) == ["record", "a", "b"]
    assert len(table) == 60
    assert not table["record"].str.contains("broken").any()
    assert main(["predict", str(tmp_path / "copy"), str(data), "-o", "p.npy", "--workers", "0", "-q"]) == 0
    whole = np.load("p.npy")
    assert whole.shape == (61, 2)
    assert np.isnan(whole).all(axis=1).sum() == 1


def test_findings_are_predicted_each_on_its_own(tmp_path: Path) -> None:
    data = write_stripes(tmp_path / "data", 6)
    trained = write_model(tmp_path / "copy", "multi", ("mass", "effusion", "10"))
    assert main(["predict", str(tmp_path / "copy"), str(data), "--workers", "0", "-q"]) == 0
    table = pd.read_csv("predictions.csv")
    paths = [data / path for path in open_dataset(data, Options()).records["path"]]
    np.testing.assert_allclose(table[["mass", "effusion", "10"]], directly(trained, paths).sigmoid().numpy(), atol=1e-5)


def test_grades_are_in_the_order_of_scan_and_a_number_is_one_column(tmp_path: Path) -> None:
    data = write_stripes(tmp_path / "data", 6)
    write_model(tmp_path / "grades", "ordinal", ("2", "3", "10"))
    assert main(["predict", str(tmp_path / "grades"), str(data), "--workers", "0", "-q"]) == 0
    table = pd.read_csv("predictions.csv")
    assert list(table.columns) == ["record", "2", "3", "10"]
    np.testing.assert_allclose(table[["2", "3", "10"]].sum(axis=1), 1, atol=1e-4)
    trained = write_model(tmp_path / "number", "continuous", (), target_mean=60.0, target_scale=12.0)
    assert main(["predict", str(tmp_path / "number"), str(data), "--workers", "0", "-q"]) == 0
    paths = [data / path for path in open_dataset(data, Options()).records["path"]]
    said = directly(trained, paths).numpy()[:, 0] * 12 + 60
    np.testing.assert_allclose(pd.read_csv("predictions.csv")["value"], said, rtol=1e-4)


def test_masks_are_pictures_of_the_size_and_name_of_the_images(tmp_path: Path) -> None:
    data = write_stripes(tmp_path / "data", 6)
    with Image.open(data / "a" / "a00.png") as small:
        big = np.kron(np.asarray(small), np.ones((3, 5))).astype(np.uint8)
    Image.fromarray(big).save(data / "a" / "wide.png")
    trained = write_model(tmp_path / "copy", "segmentation", ("background", "object"))
    assert main(["predict", str(tmp_path / "copy"), str(data), "-o", "masks", "--workers", "0", "-q"]) == 0
    drawn = {str(path.relative_to("masks")) for path in Path("masks").rglob("*.png")}
    assert drawn == {str(path.relative_to(data)) for path in data.rglob("*.png")}
    with Image.open("masks/a/wide.png") as wide:
        assert wide.size == (60, 36)
    logits = directly(trained, [data / "b" / "b03.png"])[0, 0].numpy()
    with Image.open("masks/b/b03.png") as mask:
        np.testing.assert_array_equal(np.asarray(mask) == 255, logits >= 0)
    assert main(["predict", str(tmp_path / "copy"), str(data), "-o", "masks", "--workers", "0", "-q"]) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict", "{data}", "{data}"], "no network in it"),
        (["predict", "{colour}", "{data}", "-o", "p.txt"], ".csv, .parquet, .npy"),
        (["predict", "{masks}", "{data}", "-o", "p.csv"], "draws masks"),
        (["predict", "{volumes}", "{data}"], "reads volumes"),
        (["predict", "{grey}", "{data}", "--device", "tpu"], "--device tpu"),
        (["scan", "{data}", "--predict", "forest"], "--predict forest"),
        (["scan", "{data}", "--predict", "cnn", "--encoder", "x.safetensors"], "give one of them"),
        (["scan", "{data}", "--network", "resnet18"], "--encoder"),
        (["scan", "{data}", "--device", "cpu"], "--device is for"),
        (["scan", "{data}", "--encoder", "nothing.safetensors"], "no such file"),
        (["scan", "{data}", "--predict", "cnn", "--predictions", "p.npy"], "there already"),
    ],
)
def test_mistakes_exit_2_in_one_line_and_write_nothing(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {name: str(tmp_path / name) for name in ("data", "coloured", "grey", "colour", "masks", "volumes")}
    write_stripes(tmp_path / "data", 3)
    write_stripes(tmp_path / "coloured", 3, colour=True)
    write_model(tmp_path / "grey")
    write_model(tmp_path / "colour", channels=3)
    write_model(tmp_path / "masks", "segmentation", ("background", "object"))
    write_model(tmp_path / "volumes", shape=(4, 12, 12))
    assert main([text.format(**places) for text in arguments] + ["--workers", "0", "-q"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not list(Path().iterdir())


def test_a_network_of_colour_pictures_sees_grey_ones_as_three_equal_channels(tmp_path: Path) -> None:
    data = write_stripes(tmp_path / "data", 4)
    write_model(tmp_path / "copy", channels=3)
    assert main(["predict", str(tmp_path / "copy"), str(data), "--workers", "0", "-q"]) == 0
    assert len(pd.read_csv("predictions.csv")) == 8


def test_a_network_of_grey_pictures_takes_coloured_ones_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained = write_model(tmp_path / "copy", "multi", ("a", "b"))
    draw = np.random.default_rng(0)
    coloured, grey = tmp_path / "coloured", tmp_path / "grey"
    for folder in (coloured, grey):
        (folder / "a").mkdir(parents=True)
    for i in range(4):
        level = draw.integers(20, 200, (*trained.task.shape, 1))
        picture = level + np.array([-15, 0, 15])
        Image.fromarray(picture.astype(np.uint8)).save(coloured / "a" / f"{i}.png")
        Image.fromarray(level[..., 0].astype(np.uint8)).save(grey / "a" / f"{i}.png")
    assert main(["predict", str(tmp_path / "copy"), str(coloured), "--workers", "0", "-o", "coloured.csv"]) == 0
    assert "it sees the mean" in capsys.readouterr().out
    assert main(["predict", str(tmp_path / "copy"), str(grey), "--workers", "0", "-o", "grey.csv"]) == 0
    assert "channels" not in capsys.readouterr().out
    np.testing.assert_allclose(pd.read_csv("coloured.csv")[["a", "b"]], pd.read_csv("grey.csv")[["a", "b"]], atol=1e-6)


def judged(result: Path) -> tuple[str, list[str]]:
    """Who predicted, and the labels that are to be looked at first."""
    outcomes = {outcome["code"]: outcome for outcome in json.loads(result.read_text())["outcomes"]}
    table = outcomes["LN002"]["tables"]["label_scores"]
    names = [column["name"] for column in table["columns"]]
    rows = sorted(table["rows"], key=lambda row: row[names.index("score")])
    return outcomes["LN001"]["metrics"]["predictions"], [str(row[names.index("record")]) for row in rows]


def swapped(record: str) -> bool:
    """A picture of one class in the folder of the other."""
    return Path(record).name[0] != Path(record).parts[0]


def test_a_scan_trains_a_network_per_fold_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brief = Recipe(network="small-cnn", width=4, epochs=8, batch=8, rate=1e-2)
    monkeypatch.setattr("trainers.engine.bench.automatic", lambda *_: brief)
    data = write_stripes(tmp_path / "data", 30, flipped=3)
    arguments = ["scan", str(data), "--select", "LN", "-o", "r.json", "-q", "--exit-zero", "--workers", "0"]
    assert main([*arguments, "--predict", "cnn", "--device", "cpu"]) == 0
    origin, first = judged(Path("r.json"))
    assert origin == "network small-cnn + built-in probe, out of fold"
    assert sum(map(swapped, first[:6])) >= 5
    assert not [p for p in (tmp_path / "cache").iterdir() if p.name.startswith("medaudit-")]


def test_a_scan_reads_what_an_encoder_sees(tmp_path: Path) -> None:
    data = write_stripes(tmp_path / "data", 30, flipped=3)
    write_model(tmp_path / "copy")
    arguments = ["scan", str(data), "--select", "LN", "-o", "r.json", "-q", "--exit-zero", "--workers", "0"]
    assert main([*arguments, "--encoder", str(tmp_path / "copy/model/model.safetensors"), "--device", "cpu"]) == 0
    origin, first = judged(Path("r.json"))
    assert origin == "built-in probe on the encoder small-cnn of model.safetensors, out of fold"
    assert sum(map(swapped, first[:6])) >= 5
