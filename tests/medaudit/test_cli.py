import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medaudit import __version__
from medaudit.cli import main

HEAVY = {"pandas", "numpy", "torch", "sklearn", "pydicom", "scipy", "cleanlab", "pyarrow", "PIL", "monai", "tifffile"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for label in ("benign", "malignant"):
        folder = tmp_path / "images" / label
        folder.mkdir(parents=True)
        for number in range(6):
            Image.fromarray(rng.integers(0, 255, (16, 16), np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "images"


@pytest.mark.parametrize("arguments", [["--help"], ["scan", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"import sys; from medaudit.cli import main; main({arguments!r}); print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"medaudit {__version__}\n"


def test_a_folder_is_scanned_to_a_report_and_a_result(images: Path) -> None:
    assert main(["scan", str(images), "--workers", "0"]) == 0
    result = json.loads(Path("medaudit-out/result.json").read_text("utf-8"))
    assert {key: result["gate"][key] for key in ("verdict", "exit_code", "reasons")} == {
        "verdict": "passed",
        "exit_code": 0,
        "reasons": [],
    }
    assert result["records"] == 12
    assert Path("medaudit-out/report.html").read_text("utf-8").startswith("<!doctype html>")


def test_outputs_go_where_they_are_told(images: Path) -> None:
    assert main(["scan", str(images), "--workers", "0", "-o", "a.html", "-o", "b.json", "-o", "csv:c.txt", "-q"]) == 0
    assert sorted(path.name for path in Path().iterdir()) == ["a.html", "b.json", "c.txt"]


def test_a_second_scan_decodes_nothing(images: Path) -> None:
    for expected in ({"decoded": 12, "cached": 0}, {"decoded": 0, "cached": 12}):
        assert main(["scan", str(images), "--workers", "1", "-o", "r.json", "-q"]) == 0
        assert json.loads(Path("r.json").read_text("utf-8"))["run"]["cache"] == expected


def test_two_scans_differ_in_nothing_but_the_run(images: Path) -> None:
    for name, workers in (("one.json", "0"), ("two.json", "2")):
        main(["scan", str(images), "--workers", workers, "-o", name, "-q", "--no-cache"])
    one, two = (json.loads(Path(name).read_text("utf-8")) for name in ("one.json", "two.json"))
    assert one.pop("run") != {}
    two.pop("run")
    assert one == two


def test_findings_fail_unless_the_exit_code_is_waved_through(images: Path) -> None:
    (images / "benign" / "0.png").write_bytes(b"")
    assert main(["scan", str(images), "--workers", "0", "-q"]) == 1
    assert main(["scan", str(images), "--workers", "0", "-q", "--exit-zero"]) == 0
    assert main(["scan", str(images), "--workers", "0", "-q", "--fail-on", "never"]) == 0
    assert main(["scan", str(images), "--workers", "0", "-q", "--ignore", "IN"]) == 0


def test_what_is_required_and_cannot_be_told_is_incomplete(images: Path) -> None:
    assert main(["scan", str(images), "--workers", "0", "-q", "--require", "SP006"]) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["scan", "nowhere"], "nowhere: no such file or folder"),
        (["scan", "{images}", "--select", "XX"], "no check has the code or prefix 'XX'"),
        (["scan", "{images}", "-o", "report.pdf"], "no format has this suffix"),
        (["scan", "{images}", "--fail-on", "always"], "--fail-on always"),
        (["scan", "{images}", "--config", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["scan", "{images}", "--predictions", "nowhere.npy"], "nowhere.npy"),
        (["scan", "{images}", "--classes", "a,b"], "name their file with --predictions"),
        (["scan", "{empty}"], "holds no file"),
        (["scan", "{table}", "--label", "diagnosi"], "diagnosis"),
        (["explain", "XX001"], "neither a check nor a strategy is called 'XX001'"),
    ],
)
def test_a_mistake_is_one_line_exit_2_and_nothing_written(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    (tmp_path / "empty").mkdir()
    table = tmp_path / "labels.csv"
    table.write_text("file,diagnosis\n" + "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(8)))
    names = {"images": str(images), "empty": str(tmp_path / "empty"), "table": str(table)}
    assert main([a.format(**names) for a in arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.strip().splitlines()) == 1
    assert list(Path().iterdir()) == []


def test_a_mis_spelt_key_is_one_line(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (images / "medaudit.toml").write_text("[scan]\nfail_onn = 'error'\n")
    assert main(["scan", str(images)]) == 2
    assert "did you mean 'fail-on'?" in capsys.readouterr().err


def test_an_unknown_option_is_usage() -> None:
    assert main(["scan", "--nonsense"]) == 2


def test_a_fault_of_ours_is_exit_3_and_tells_no_value(
    images: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("^".join(["ZZCANARY", "NAME"]))

    monkeypatch.setattr("auditor.stages.open.open_listing", broken)
    assert main(["scan", str(images), "-q"]) == 3
    error = capsys.readouterr().err
    assert "KeyError" in error
    assert "ZZCANARY^NAME" not in error


def test_rules_and_explain_name_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    from auditor.check import check_classes

    assert main(["rules"]) == 0
    listed = capsys.readouterr().out
    for check in check_classes():
        assert check.code in listed
        assert main(["explain", check.code]) == 0
        assert "## How to fix" in capsys.readouterr().out


def test_init_writes_a_file_that_the_next_scan_reads(tmp_path: Path) -> None:
    table = tmp_path / "set" / "labels.csv"
    table.parent.mkdir()
    rows = "".join(f"img{i}.png,p{i // 2},{'ab'[i % 2]},{'train' if i < 12 else 'test'}\n" for i in range(20))
    table.write_text("filename,patient_id,diagnosis,split\n" + rows)
    assert main(["init", str(table)]) == 0
    text = (table.parent / "medaudit.toml").read_text("utf-8")
    assert 'label = "diagnosis"' in text
    assert 'patient = "patient_id"' in text
    assert main(["init", str(table)]) == 2
    assert main(["init", str(table), "--force"]) == 0
    assert main(["scan", str(table), "-q", "-o", "r.json"]) in (0, 1)
    guesses = {g["role"]: g for g in json.loads(Path("r.json").read_text("utf-8"))["dataset"]["guesses"]}
    assert guesses["label"]["pinned"]


def test_an_output_can_be_printed_and_words_for_people_go_aside(images: Path, capsysbinary) -> None:
    assert main(["scan", str(images), "--select", "SZ", "-o", "json:-", "--no-cache"]) == 0
    told = capsysbinary.readouterr()
    assert json.loads(told.out)["records"] == 12
    assert b"exit code" in told.err
    assert not Path("-").exists()
