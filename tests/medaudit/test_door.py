"""The public surface: pinned, lazy, typed; the words of the command line; results as frames and cards."""

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

import medaudit
from medaudit import keywords
from medaudit.cli import app

ROOT = Path(__file__).parents[2]
HEAVY = {"pandas", "numpy", "torch", "sklearn", "pydicom", "scipy", "cleanlab", "pyarrow", "PIL", "typer", "pydantic"}
FUNCTIONS = [
    "compare", "consensus", "degrade", "fix", "load_config", "load_result", "open_dataset", "report", "scan", "score", "split",
    "unpack",
]  # fmt: skip
CLASSES = [
    "Arm", "Case", "Chart", "Check", "Column", "Comparison", "Config", "ConfigError", "Correction", "Coverage", "Dataset",
    "DatasetError", "DatasetSummary", "Degraded", "Evaluation", "Finding", "FixResult", "Gate", "Guess", "Location",
    "MaskRelease", "Measured", "MedauditError", "MissingExtraError", "NewSplit", "NotApplicable", "Outcome", "Progress",
    "Proof", "Proposal", "Release", "Run", "ScanResult", "Score", "Scores", "Severity", "SkipCheck", "Strategy", "Table",
    "Tally", "Trust", "UnpackedSet", "UnreadableFile", "Verdict",
]  # fmt: skip
TERMINAL_ONLY = {"dataset", "output", "quiet", "verbose", "exit_zero", "help"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Benign in 8 bits, malignant in 16; two exact copies under two labels."""
    root, rng = tmp_path_factory.mktemp("door") / "pictures", np.random.default_rng(0)
    for label, kind in (("benign", np.uint8), ("malignant", np.uint16)):
        (root / label).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, np.iinfo(kind).max, (24, 24)).astype(kind)
            Image.fromarray(pixels).save(root / label / f"{number}.png")
    (root / "malignant" / "copy.png").write_bytes((root / "benign" / "0.png").read_bytes())
    return root


@pytest.fixture(scope="module")
def result(images: Path) -> medaudit.ScanResult:
    return medaudit.scan(images, workers=0, cache=False)


def test_the_public_surface_is_what_was_promised() -> None:
    assert sorted(medaudit.__all__) == sorted([*FUNCTIONS, *CLASSES, "__version__"])
    assert set(medaudit.__all__) <= set(dir(medaudit))
    assert all(callable(getattr(medaudit, name)) for name in FUNCTIONS)
    assert all(isinstance(getattr(medaudit, name), type) for name in CLASSES)


def test_the_types_say_the_same_homes_as_the_imports() -> None:
    tree = ast.parse((ROOT / "medaudit" / "__init__.py").read_text("utf-8"))
    guarded = [node for block in tree.body if isinstance(block, ast.If) for node in block.body]
    imported = [node for node in guarded if isinstance(node, ast.ImportFrom) and node.module != "typing"]
    typed = {alias.name: node.module for node in imported for alias in node.names}
    assert typed == {name: home for home, names in medaudit._HOMES.items() for name in names.split()}
    assert sorted([*typed, "__version__"]) == sorted(medaudit.__all__)


@pytest.mark.parametrize("code", ["import medaudit", "import medaudit; dir(medaudit)", "from medaudit import __version__"])
def test_importing_the_door_imports_nothing_heavy(code: str) -> None:
    told = f"{code}; import sys; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'scna'"):
        medaudit.scna  # noqa: B018
    with pytest.raises(ImportError):
        exec("from medaudit import nothing_of_this_name")


def test_every_package_says_that_it_is_typed() -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    for package in ("medaudit", "auditor", "trainers", "reports"):
        home = importlib.import_module(package).__file__
        assert home is not None
        assert (Path(home).parent / "py.typed").is_file()
        assert "py.typed" in packed[package]


@pytest.mark.parametrize(
    ("command", "words", "own"),
    [
        ("scan", keywords.ScanOptions, set()),
        ("fix", keywords.FixOptions, set()),
        ("split", keywords.SplitOptions, set()),
        ("consensus", keywords.ConsensusOptions, {"table"}),
    ],
)
def test_keywords_are_the_words_of_the_command_line(command: str, words: type, own: set[str]) -> None:
    group: Any = typer.main.get_command(app)
    there = {p.name for p in group.commands[command].params}
    assert there - TERMINAL_ONLY - own == set(words.__annotations__)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"lable": "finding"}, "scan: there is no option 'lable'; did you mean 'label'?"),
        ({"zzz": 1}, "scan: there is no option 'zzz'; there are: "),
        ({"label": 3}, "scan: label = 3: a text"),
        ({"select": 1}, "scan: select = 1: a text or a list of texts"),
        ({"select": "XX"}, "no check has the code or prefix 'XX'"),
        ({"workers": -1}, "scan: workers = -1: a whole number"),
        ({"workers": True}, "scan: workers = True: a whole number"),
        ({"cache": "no"}, "scan: cache = 'no': True or False"),
        ({"predictions": np.zeros((3, 2))}, "scan: predictions = a ndarray: a path is needed"),
        ({"fail_on": "always"}, "info, warning, error or never"),
        ({"device": "cpu"}, "the built-in probe runs on the CPU"),
    ],
)
def test_a_wrong_keyword_is_one_clear_line(images: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(medaudit.ConfigError) as error:
        medaudit.scan(images, **options)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("function", ["scan", "open_dataset", "fix", "split", "consensus"])
def test_every_function_says_which_word_was_meant_and_what_a_dataset_is(function: str) -> None:
    call = getattr(medaudit, function)
    with pytest.raises(medaudit.ConfigError, match=f"{function}: there is no option 'labell'; did you mean 'label'"):
        call("nowhere", labell="x")
    with pytest.raises(medaudit.ConfigError, match=f"{function}: a folder, a label table or an npz by its path"):
        call(12)
    with pytest.raises(medaudit.DatasetError, match="nowhere: no such file or folder"):
        call("nowhere")


def test_a_scan_says_who_made_it_and_writes_nothing(result: medaudit.ScanResult) -> None:
    assert result.tool_version == medaudit.__version__
    assert result.gate.verdict == "failed"
    assert list(Path().iterdir()) == []


def test_words_may_be_texts_or_lists(images: Path) -> None:
    by_text = medaudit.scan(str(images), select="SP002,SP003", workers=0, cache=False)
    by_list = medaudit.scan(images, select=["SP002", "SP003"], workers=0, cache=False, ignore=None)
    assert [o.code for o in by_text.outcomes] == [o.code for o in by_list.outcomes] == ["SP002", "SP003"]


def test_findings_and_checks_are_frames(result: medaudit.ScanResult) -> None:
    frame = result.findings_frame()
    assert len(frame) == len(result.findings) > 0
    assert frame["fingerprint"].tolist() == [f.fingerprint for f in result.findings]
    assert {"LK001", "SP003"} <= set(frame["code"])
    checks = result.checks_frame().set_index("code")
    assert checks.loc["LK001", "status"] == "failed"
    assert checks.loc["SP001", "status"] == "skipped"
    assert checks.loc["SP001", "reason"]


def test_a_table_is_a_typed_frame(result: medaudit.ScanResult) -> None:
    assert "fields" in result.tables()["LK001"]
    fields = result.table("LK001", "fields")
    assert len(fields) > 0
    assert fields.dtypes[fields.dtypes == "float64"].size > 0


@pytest.mark.parametrize(
    ("code", "name", "told"),
    [
        ("LK01", "fields", "no check 'LK01'; did you mean 'LK001'"),
        ("LK001", "feilds", "LK001 has no table 'feilds'; did you mean 'fields'"),
        ("SP001", "any", "SP001 holds no tables: it skipped"),
    ],
)
def test_a_table_that_is_not_there_says_what_is(result: medaudit.ScanResult, code: str, name: str, told: str) -> None:
    with pytest.raises(medaudit.MedauditError, match=told):
        result.table(code, name)


def test_a_result_is_one_line_and_a_small_card(result: medaudit.ScanResult) -> None:
    assert repr(result).startswith("<ScanResult pictures: FAILED; 25 records, ")
    card = result._repr_html_()
    assert "<strong>FAILED</strong>" in card
    assert len(card) < 20_000


def test_what_is_written_comes_back_and_compares(result: medaudit.ScanResult) -> None:
    assert medaudit.report(result, "r.html", "r.json", "csv:f.txt") == [Path("r.html"), Path("r.json"), Path("f.txt")]
    back = medaudit.load_result("r.json")
    assert isinstance(back, medaudit.ScanResult)
    assert back.findings == result.findings
    comparison = medaudit.compare("r.json", back)
    assert isinstance(comparison, medaudit.Comparison)
    assert not comparison.introduced
    assert set(comparison.findings_frame()["state"]) == {"remaining"}
    medaudit.report(comparison, "c.json")
    assert repr(medaudit.load_result("c.json")) == repr(comparison)
    assert medaudit.report("c.json", "c.html") == [Path("c.html")]
    assert "remaining" in comparison._repr_html_()


def test_a_report_of_nothing_or_to_nowhere_is_told(result: medaudit.ScanResult) -> None:
    with pytest.raises(medaudit.ConfigError, match="name a file"):
        medaudit.report(result)
    with pytest.raises(medaudit.ConfigError, match="no format has this suffix"):
        medaudit.report(result, "report.pdf")
    with pytest.raises(medaudit.ConfigError, match="not 3"):
        medaudit.report(3, "report.html")  # type: ignore[arg-type]
    with pytest.raises(medaudit.ConfigError, match="compare: a result"):
        medaudit.compare(result, 3)  # type: ignore[arg-type]


def test_fix_can_only_look_or_write_a_copy(images: Path) -> None:
    looked = medaudit.fix(images, check=True, strategy="deduplicate", workers=0, cache=False)
    assert looked.comparison is None
    assert looked.copy is None
    assert looked.pending > 0
    assert any("deduplicate" in line for line in looked.lines)
    assert "nothing written" in looked._repr_html_()
    assert list(Path().iterdir()) == []
    done = medaudit.fix(images, "copy", strategy=["deduplicate"], workers=0, cache=False)
    assert done.copy == Path("copy")
    assert done.comparison is not None
    assert done.comparison.tool_version == medaudit.__version__
    assert "fixed" in set(done.findings_frame()["state"])
    assert medaudit.report(done, "again.html") == [Path("again.html")]
    assert done.comparison._repr_html_() == done._repr_html_()
    assert (images / "malignant" / "copy.png").is_file()


def test_consensus_and_split_return_values(tmp_path: Path, images: Path) -> None:
    table = tmp_path / "readings.csv"
    table.write_text("item,reader,answer\n" + "".join(f"{i},r{r},{'ab'[i % 2]}\n" for i in range(12) for r in range(3)))
    found = medaudit.consensus(table, method="majority")
    assert isinstance(found, medaudit.Release)
    assert found.frame["label"].tolist() == ["a", "b"] * 6
    new = medaudit.split(images, by="image", sizes=(0.5, 0.5), names=["train", "test"], workers=0, cache=False)
    assert isinstance(new, medaudit.NewSplit)
    assert set(new.table["split"]) == {"train", "test"}
    assert new.proven


def test_a_dataset_opens_with_the_roles_by_keyword(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,one,two\n" + "".join(f"{i}.png,{'ab'[i % 2]},{'xy'[i // 8]}\n" for i in range(16)))
    assert medaudit.open_dataset(table, label="two").labels.classes == ("x", "y")
    assert medaudit.open_dataset(table, label="one").labels.classes == ("a", "b")


def test_a_configuration_is_read_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "medaudit.toml"
    file.write_text('[scan]\nfail-on = "warning"\n')
    assert medaudit.load_config(file).scan.fail_on == "warning"
    file.write_text("[scan]\nfail-onn = 1\n")
    with pytest.raises(medaudit.ConfigError, match="did you mean 'fail-on'"):
        medaudit.load_config(str(file))


def test_foreign_names_and_missing_values_survive_in_frames(result: medaudit.ScanResult) -> None:
    from medaudit.frames import findings_frame, table_frame

    where = medaudit.Location(record="caf\udce9.png", path="caf\udce9.png")
    finding = medaudit.Finding(code="IN001", severity=medaudit.Severity.ERROR, message="m", where=where)
    frame = findings_frame([finding, finding], {})
    assert frame["record"].tolist() == ["caf\udce9.png"] * 2
    assert frame["line"].isna().all()
    table = medaudit.Table(
        name="t",
        title="T",
        columns=(
            medaudit.Column(name="n", kind="integer", values=(1, None)),
            medaudit.Column(name="x", kind="number", values=(None, 0.5)),
            medaudit.Column(name="yes", kind="boolean", values=(True, None)),
            medaudit.Column(name="id", kind="record", values=("007", None)),
            medaudit.Column(name="odd", kind="integer", values=("many", 3)),
        ),
    )
    typed = table_frame(table)
    assert [str(kind) for kind in typed.dtypes[:3]] == ["Int64", "float64", "boolean"]
    assert typed["id"].tolist()[0] == "007"
    assert typed["odd"].tolist() == ["many", 3]
