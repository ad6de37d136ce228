"""`medaudit fix` from the command line: what it writes, what it leaves alone, and what it says when it cannot help."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image

from auditor.degrade.encode import write_image
from medaudit.cli import main
from medaudit.pending import MOST_LINES, shortened
from trainers.engine.plan import Pace
from trainers.values.recipe import Recipe


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))


def make_dataset(folder: Path, *, wrong: float = 0.0, splits: bool = False, records: int = 160) -> Path:
    """Bars that lie (a) or stand (b), 24 × 24, two images a patient; `wrong` of the labels of patients 0–59 are flipped."""
    rng = np.random.default_rng(3)
    folder.mkdir()
    rows = []
    for number in range(records):
        person, name = number // 2, f"{number:03d}.png"
        standing = person % 2 == 1
        # a landscape of its own, so that no two pictures are near-copies, and one bar on it
        picture = np.kron(rng.uniform(20, 140, (6, 6)), np.ones((4, 4)))
        at = int(rng.integers(2, 20))
        picture[at : at + 3, :] = 230
        Image.fromarray((picture.T if standing else picture).astype(np.uint8)).save(folder / name)
        flip = person < records * 3 // 8 and rng.random() < wrong
        rows.append(
            {
                "path": name, "finding": "ab"[standing != flip], "patientid": f"p{person:03d}",
                "checked": "yes" if person >= records * 3 // 8 else "no",
            }
        )  # fmt: skip
        if splits:
            mixed = person % 5 == 0 and number % 2 == 0
            rows[-1]["split"] = "test" if person % 4 == 0 or mixed else "train"
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def quick(monkeypatch, epochs=12):
    monkeypatch.setattr("trainers.engine.bench.automatic", lambda *_: Recipe(epochs=epochs, batch=16, width=4))


def test_an_asked_for_strategy_is_trained_evaluated_and_written_and_the_dataset_stays(tmp_path, capsys, monkeypatch):
    quick(monkeypatch)
    dataset = make_dataset(tmp_path / "data", wrong=0.3)
    before = contents(dataset)
    arguments = ["fix", str(dataset), "--strategy", "robust", "--trusted", "checked", "--seeds", "1"]
    code = main([*arguments, "--workers", "0", "--device", "cpu"])
    said = capsys.readouterr().out
    assert contents(dataset) == before
    copy = Path("medaudit-out/fixed")
    comparison = json.loads((copy / "comparison.json").read_text())
    verdict = comparison["verdict"]
    assert code == (1 if verdict == "harmed" else 0)
    assert verdict.upper() in said
    (arm,) = comparison["arms"]
    assert arm["strategy"] == "robust"
    assert arm["evaluation"]["records"] > 10
    assert not arm["evaluation"]["self_graded"]
    kept = verdict in ("improved", "not worse")
    assert (copy / "model" / "model.safetensors").is_file() == kept
    expected = {"report.html", "result-before.json", "result-after.json", "provenance.json", "corrections.csv", "labels.csv"}
    assert expected <= {p.name for p in copy.iterdir()}
    assert (copy / "labels.csv").read_text() == (dataset / "labels.csv").read_text()
    assert not list(Path("medaudit-out").glob(".medaudit-*")), "nothing of the work is left"


def test_a_budget_below_one_epoch_trains_nothing_applies_nothing_and_says_what_it_would_take(tmp_path, capsys, monkeypatch):
    quick(monkeypatch, epochs=100_000)
    dataset = make_dataset(tmp_path / "data", wrong=0.3)
    arguments = ["fix", str(dataset), "--strategy", "robust", "--trusted", "checked", "--seeds", "1", "--budget", "0.001s"]
    assert main([*arguments, "--workers", "0", "--device", "cpu"]) == 0
    assert "CANNOT TELL" in capsys.readouterr().out
    comparison = json.loads(Path("medaudit-out/fixed/comparison.json").read_text())
    assert (comparison["verdict"], comparison["applied"]) == ("cannot tell", [])
    assert "is too short" in comparison["summary"]
    assert "one epoch of every arm takes about" in comparison["summary"]
    assert not Path("medaudit-out/fixed/model").exists()


def test_a_plan_that_is_cut_to_what_teaches_nothing_is_told_as_that(tmp_path, capsys, monkeypatch):
    quick(monkeypatch)
    monkeypatch.setattr("trainers.engine.plan.PLANNED", 1.0)
    monkeypatch.setattr("trainers.engine.bench.timed", lambda *_: Pace(plain=1.0, augmented=1.0))  # seconds per sample
    dataset = make_dataset(tmp_path / "data", wrong=0.5)
    one_epoch = f"{5 * 160}s"  # doing nothing, the strategy, and three for what stands beside it
    arguments = ["fix", str(dataset), "--strategy", "robust", "--trusted", "checked", "--seeds", "1", "--budget", one_epoch]
    assert main([*arguments, "--workers", "0", "--device", "cpu"]) == 0
    comparison = json.loads(Path("medaudit-out/fixed/comparison.json").read_text())
    (arm,) = comparison["arms"]
    assert comparison["applied"] == []
    assert arm["evaluation"]["verdict"] in ("neither learnt the task", "cannot tell")
    assert any("of 12 epochs for every arm alike" in note for note in arm["evaluation"]["notes"])
    (_, plain, _), (_, robust, _) = arm["evaluation"]["tables"]["training"]["rows"]
    assert plain == robust > 0, "doing nothing and the strategy have seen as many samples"


@pytest.mark.parametrize("place", ["taken/copy", "taken/deeper/copy", "/proc/copy"])
def test_a_place_that_cannot_be_written_is_told_in_one_line_before_anything_is_done(place, tmp_path, capsys):
    dataset = make_dataset(tmp_path / "data", records=20)
    Path("taken").write_text("a file")
    assert main(["fix", str(dataset), "--strategy", "resplit", "--workers", "0", "-o", place]) == 2
    said = capsys.readouterr().err
    assert "cannot be written" in said
    assert "Traceback" not in said + capsys.readouterr().out
    assert Path("taken").read_text() == "a file"


def test_a_new_split_turns_the_finding_green_and_can_be_undone(tmp_path, capsys):
    dataset = make_dataset(tmp_path / "data", splits=True, records=80)
    assert main(["fix", str(dataset), "--strategy", "resplit", "--workers", "0", "-o", "copy"]) == 0
    comparison = json.loads(Path("copy/comparison.json").read_text())
    assert comparison["verdict"] == "corrected"
    findings = comparison["findings"]
    assert "SP001" in {f["code"] for f in findings["fixed"]}
    assert not {f["code"] for f in findings["introduced"]} & {"SP001", "SP005"}
    assert main(["scan", "copy", "--workers", "0", "--select", "SP001", "-q", "-o", "r.json"]) == 0
    table = pd.read_csv("copy/labels.csv", dtype=str)
    assert (table["split"] == pd.read_csv(dataset / "labels.csv", dtype=str)["split"]).all()
    assert (table["split"] != table["split_corrected"]).any()
    assert main(["undo", "copy"]) == 0
    assert Path("copy/labels.csv").read_text() == (dataset / "labels.csv").read_text()
    assert main(["scan", "copy", "--workers", "0", "--select", "SP001", "-q", "-o", "r.json"]) == 1


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_leaves_nothing_behind(tmp_path, capsys, monkeypatch):
    dataset = make_dataset(tmp_path / "data", wrong=0.3, records=80)
    arguments = ["fix", str(dataset), "--strategy", "robust", "--trusted", "checked", "--seeds", "1", "--workers", "0"]
    arguments += ["--device", "cpu", "-o", "out/copy"]
    import trainers.engine.loop

    save, saved = trainers.engine.loop.save_checkpoint, []

    def interrupting(path: Path, state: object) -> None:
        save(path, state)
        saved.append(path)
        if len(saved) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(trainers.engine.loop, "save_checkpoint", interrupting)
    assert main(arguments) == 130
    assert "interrupted" in capsys.readouterr().err
    assert not Path("out/copy").exists()
    assert list(Path("out").rglob("checkpoint.pt"))
    resumed = len(saved)
    assert main(arguments) in (0, 1)
    epochs = json.loads(Path("out/copy/comparison.json").read_text())["configuration"]["epochs"]
    assert len(saved) - resumed == 2 * epochs - 3, "three epochs of the first network were trained before"
    assert [p.name for p in Path("out").iterdir()] == ["copy"]


def test_check_writes_nothing_and_exits_1_when_something_is_pending(tmp_path, capsys):
    dataset = make_dataset(tmp_path / "data", splits=True, records=80)
    assert main(["fix", str(dataset), "--check", "--workers", "0", "--strategy", "resplit"]) == 1
    assert re.search(r"\d+ of 80 records change \(split ", capsys.readouterr().out)
    assert not Path("medaudit-out").exists()


def test_where_the_audit_finds_nothing_no_change_is_recommended(tmp_path, capsys):
    dataset = make_dataset(tmp_path / "data", records=80)
    judge = dataset.parent / "judge.toml"
    judge.write_text('[scan]\nselect = ["SP001", "LN001", "LN002"]\n')
    assert main(["fix", str(dataset), "--check", "--workers", "0", "--config", str(judge)]) == 0
    assert "no change recommended" in capsys.readouterr().out
    assert main(["fix", str(dataset), "--workers", "0", "--config", str(judge)]) == 0
    comparison = json.loads(Path("medaudit-out/fixed/comparison.json").read_text())
    assert comparison["verdict"] == "no change"
    assert comparison["arms"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--strategy", "magic"], "there is none of that name"),
        (["--trusted", "absent"], "no such column"),
        (["--budget", "soon"], "a time, for example"),
        (["--device", "tpu"], "auto, cpu, cuda"),
        (["--output", "data"], "the dataset lies there"),
    ],
)
def test_mistakes_exit_2_in_one_line_and_write_nothing(arguments, words, tmp_path, capsys, monkeypatch):
    make_dataset(tmp_path / "data", records=40)
    monkeypatch.chdir(tmp_path)
    assert main(["fix", "data", "--workers", "0", *arguments]) == 2
    assert words in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not Path("medaudit-out").exists()


def test_the_strategies_are_listed_with_what_they_do(capsys):
    assert main(["strategies"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)
    assert {"resplit", "robust", "teacher", "nothing"} <= {line.split()[0] for line in lines}


def test_medaudit_toml_declares_what_fix_does_and_options_go_first(tmp_path, capsys):
    dataset = make_dataset(tmp_path / "data", splits=True, records=80)
    (dataset / "medaudit.toml").write_text('[fix]\nstrategy = ["robust"]\ntrusted = "absent"\n')
    assert main(["fix", str(dataset), "--check", "--workers", "0"]) == 2
    assert "absent" in capsys.readouterr().err
    assert main(["fix", str(dataset), "--check", "--workers", "0", "--strategy", "resplit", "--trusted", "checked"]) == 1
    assert "robust" not in capsys.readouterr().out
    (dataset / "medaudit.toml").write_text("[strategies.robust]\nbeeta = 0.5\n")
    named = ["--config", str(dataset / "medaudit.toml")]
    assert main(["fix", str(dataset), "--check", "--workers", "0", *named]) == 2
    assert "did you mean 'beta'" in capsys.readouterr().err


def test_a_chain_writes_only_what_stays_and_findings_keep_their_names(tmp_path, capsys):
    dataset = make_dataset(tmp_path / "data", records=60)
    for number in range(3):  # exact copies, in the same split
        (dataset / f"{number + 100}.png").write_bytes((dataset / f"{number * 4:03d}.png").read_bytes())
    table = pd.read_csv(dataset / "labels.csv", dtype=str)
    more = table.iloc[[0, 4, 8]].assign(path=[f"{n + 100}.png" for n in range(3)])
    pd.concat([table, more]).to_csv(dataset / "labels.csv", index=False)
    chain = ["--strategy", "deduplicate,harmonise", "--seeds", "1"]
    assert main(["fix", str(dataset), *chain, "--workers", "0", "-o", "copy"]) == 0
    comparison = json.loads(Path("copy/comparison.json").read_text())
    # LK002 warned of two fields together; in the copy every field holds one value, which is an answer
    assert comparison["verdict"] == "corrected"
    assert comparison["changes"]["records removed"] == 3
    copies, files = (arm["proposal"] for arm in comparison["arms"])
    assert copies["removed"]["row_count"] == 3
    place = [column["name"] for column in files["corrections"]["columns"]].index("safe")
    assert sum(row[place] for row in files["corrections"]["rows"]) == 60, "of the records that left none was applied"
    images = [p for p in Path("copy/images").rglob("*") if p.is_file()]
    assert len(images) == 60, "no file of a record that left"
    findings = comparison["findings"]
    assert "SP002" in {f["code"] for f in findings["fixed"]}
    # what an image is compared with has changed a little, so IQ may name others; nothing else may
    assert not [f for f in findings["introduced"] if f["severity"] != "info" and not f["code"].startswith("IQ")]
    old = set(table["path"]) | set(more["path"])
    assert {f["where"].get("path") for f in findings["remaining"]} - {None} <= old


def test_auto_cleans_files_first_and_alone_and_what_cannot_be_cleaned_gives_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    data = tmp_path / "data"
    for i in range(24):
        folder = data / ("test", "train")[i % 2] / ("well", "ill")[i % 4 // 2]
        folder.mkdir(parents=True, exist_ok=True)
        tags = {"PatientName": f"Kuzmenkova{i // 4}^Oxana", "PatientID": f"P{i // 4}", "PatientIdentityRemoved": "NO"}
        write_image(folder / f"{i}.dcm", np.random.default_rng(i).random((24, 24)), "dicom12", seed=i, tags=tags)
    out = tmp_path / "out"
    assert main(["fix", str(data), "-o", str(out), "--workers", "0", "-q"]) == 0, "patients stand in both splits, too"
    assert len(list(out.rglob("*.dcm"))) == 24
    assert b"uzmenkova" not in b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    for path in data.rglob("*.dcm"):
        said = pydicom.dcmread(path)
        said.BurnedInAnnotation = "YES"
        said.save_as(path)
    capfd.readouterr()
    refused = tmp_path / "refused"
    assert main(["fix", str(data), "--strategy", "deidentify", "-o", str(refused), "--workers", "0", "-q"]) == 2
    assert "24 × it says that text is burned into its pixels" in capfd.readouterr().err
    assert not refused.exists()


@pytest.mark.slow
def test_an_id_in_a_path_stays_withheld_where_the_header_that_told_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    data, rows = tmp_path / "data", []
    for i in range(24):
        folder = data / f"PAT{i // 2:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        shown = np.random.default_rng(0 if i == 20 else i).random((24, 24))
        tags = {"PatientID": folder.name, "PatientIdentityRemoved": "NO"}
        write_image(folder / f"{i}.dcm", shown, "dicom12", seed=i, tags=tags)
        rows.append((f"{folder.name}/{i}.dcm", "ab"[i // 2 % 2], ("train", "test")[i > 15]))
    pd.DataFrame(rows, columns=["file", "finding", "split"]).to_csv(data / "labels.csv", index=False)
    out = tmp_path / "out"
    assert main(["fix", str(data), "--strategy", "harmonise", "-o", str(out), "--workers", "0", "-q"]) == 0
    assert "PAT000/0.png" in (out / "labels.csv").read_text()
    reports = {p.name: p.read_text("utf-8") for p in out.iterdir() if p.suffix in (".json", ".html")}
    assert len(reports) >= 4
    assert not [name for name, text in reports.items() if re.search(r"PAT\d\d\d", text)]
    found = json.loads(reports["comparison.json"])["findings"]
    assert "PH007" in {f["code"] for f in found["remaining"]}, "the names are there still"
    assert not {f["code"] for f in found["introduced"] + found["fixed"]} & {"SP002", "SP007", "PH007"}


def test_check_says_how_many_records_change_which_and_how_sure_on_one_screen(tmp_path: Path, capsys) -> None:
    """Two of 17 records are one picture under two labels: nobody but a person decides that, and what is left stands with it."""
    rng = np.random.default_rng(0)
    for i in range(16):
        place = tmp_path / "data" / "ab"[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (24, 24), dtype=np.uint8)).save(place / f"{i}.png")
    shutil.copy(tmp_path / "data" / "a" / "0.png", tmp_path / "data" / "b" / "copy.png")
    asked = ["--check", "--workers", "0", "--strategy", "deduplicate,consensus"]
    code = main(["fix", str(tmp_path / "data"), "-o", str(tmp_path / "out"), *asked])
    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert len(lines) <= MOST_LINES
    assert "2 of 17 records leave: 0 by itself, 2 for a person to decide (over the limit of 10% of a class" in "\n".join(lines)
    assert any("records: a/0.png, b/copy.png" in line for line in lines)
    assert any(line.startswith("consensus    not applicable: ") for line in lines)
    assert lines[0] == "17 records were looked at; nothing was written."
    assert lines[-1].startswith("Next: ")
    assert not (tmp_path / "out").exists()


def test_many_lines_give_way_and_are_counted() -> None:
    assert shortened([f"left {i}" for i in range(9)], 3) == [
        "left 0", "left 1", "left         and 7 more: `medaudit fix` lists them in its report",
    ]  # fmt: skip
