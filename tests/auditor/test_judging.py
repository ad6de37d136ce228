"""Who judges: what a medaudit.toml that lies in a dataset may say."""

from pathlib import Path

import pytest

from auditor.config import Config, read_config
from auditor.judging import honoured, settings_for
from auditor.own import is_own, remember
from auditor.plan import plan_for
from auditor.scan import scan
from auditor.values.errors import ConfigError

SILENCING = """
[scan]
ignore = ["IN", "SP"]
select = ["SZ"]
fail-on = "never"
seed = 7
workers = 0
predictions = "../p.npy"
[severity]
LK001 = "info"
[checks.LK001]
max_auc = 1.0
[limits]
seconds = 1
[privacy]
pseudonyms = ".*"
private-allowed = ["X"]
[design]
inputs = []
pseudonyms = ".*"
[fix]
margin = 1.0
[strategies.confident]
bound = 0.1
[dataset]
root = "../elsewhere"
left-out = "removed.csv"
label-origin = "container.bit_depth"
own-tables = ["labels.csv"]
tables = ["../labels.csv"]
[[waivers]]
reason = "all is well"
path = "*"
"""
PINNING = """
[dataset]
layout = "table"
level = "image"
task = "single"
root = "images"
tables = ["labels.csv"]
[roles]
label = "finding"
patient = "pid"
[design]
kind = "screening"
strata = ["table.site"]
splits = "random"
[scan]
require = ["SP006"]
fail-on = "warning"
strict = true
[severity]
LK008 = "error"
[fix]
trusted = "gold"
"""


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "medaudit.toml").write_text(text, "utf-8")
    return folder / "medaudit.toml"


def images(folder: Path) -> Path:
    """Two class folders, of which one holds a file that is no image."""
    for name in ("benign", "malignant"):
        (folder / name).mkdir(parents=True)
    (folder / "benign" / "a.png").write_bytes(b"no image at all")
    return folder


def test_nothing_that_loosens_counts_and_all_of_it_is_named(tmp_path: Path) -> None:
    config, aside = honoured(read_config(written(tmp_path, SILENCING)), tmp_path)
    assert config == Config.model_validate({"dataset": {}, "design": {}, "scan": {}, "severity": {}, "fix": {}})
    told = set(aside)
    assert {
        "[scan] ignore", "[scan] select", "[scan] fail-on", "[scan] seed", "[scan] workers", "[scan] predictions",
        "[severity] LK001", "[checks] LK001", "[limits] seconds", "[privacy] pseudonyms", "[privacy] private-allowed",
        "[design] inputs", "[design] pseudonyms", "[fix] margin", "[strategies] confident", "[dataset] root",
        "[dataset] left-out", "[dataset] label-origin", "[dataset] own-tables", "[dataset] tables", "[[waivers]], 1 of them",
    } == told  # fmt: skip


def test_what_it_pins_and_what_it_asks_for_beyond_counts(tmp_path: Path) -> None:
    file = written(tmp_path, PINNING)
    config, aside = honoured(read_config(file), tmp_path)
    assert aside == ()
    assert config == read_config(file)


def test_no_value_of_a_strangers_file_is_told(tmp_path: Path) -> None:
    text = '[[waivers]]\nreason = "ZZCANARY^NAME"\npath = "ZZCANARY^NAME"\n[privacy]\npseudonyms = "ZZCANARY"\n'
    _, aside = honoured(read_config(written(tmp_path, text)), tmp_path)
    assert aside
    assert "ZZCANARY" not in " ".join(aside)


def test_a_root_that_leaves_the_folder_by_a_link_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "images").symlink_to(tmp_path)
    config, aside = honoured(Config.model_validate({"dataset": {"root": "images"}}), tmp_path / "data")
    assert config.dataset.root is None
    assert aside == ("[dataset] root",)


def test_a_file_that_is_named_judges_whole_and_none_is_nobody(tmp_path: Path) -> None:
    file = written(tmp_path / "data", SILENCING)
    named = settings_for(tmp_path / "data", file, tmp_path / "private")
    assert (named.config, named.set_aside) == (read_config(file), ())
    nobody = settings_for(tmp_path / "data", Path("none"), tmp_path / "private")
    assert (nobody.config, nobody.file, nobody.set_aside) == (Config(), None, ())


@pytest.mark.parametrize("target", ["data", "data/labels.csv"])
def test_standing_in_the_folder_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    written(tmp_path / "data", SILENCING)
    (tmp_path / "data" / "labels.csv").touch()
    monkeypatch.chdir(tmp_path / "data")
    here = Path() if target == "data" else Path("labels.csv")
    assert settings_for(here, None, tmp_path / "private").config.scan.ignore == ()


def test_a_wrong_file_is_refused_though_it_would_count_for_little(tmp_path: Path) -> None:
    written(tmp_path, "[scan]\nnonsense = 1\n")
    with pytest.raises(ConfigError, match="nonsense"):
        settings_for(tmp_path, None, tmp_path / "private")


def test_a_copy_that_was_written_here_judges_until_it_is_changed_or_moved(tmp_path: Path) -> None:
    file, private = written(tmp_path / "copy", SILENCING), tmp_path / "private"
    private.mkdir(mode=0o700)
    assert not is_own(file, private)
    remember(file, private)
    assert settings_for(file.parent, None, private).config == read_config(file)
    moved = written(tmp_path / "moved", SILENCING)
    assert not is_own(moved, private)
    file.write_text(SILENCING + "\n", "utf-8")
    assert settings_for(file.parent, None, private).config.waivers == ()


def test_a_private_folder_that_others_may_write_to_knows_nothing(tmp_path: Path) -> None:
    file, private = written(tmp_path / "copy", SILENCING), tmp_path / "private"
    private.mkdir(mode=0o700)
    remember(file, private)
    private.chmod(0o777)
    assert not is_own(file, private)


def test_a_dataset_cannot_turn_its_own_failure_into_a_pass(tmp_path: Path) -> None:
    folder = images(tmp_path / "data")
    written(folder, 'scan = {fail-on = "never", ignore = ["IN"]}\n[[waivers]]\nreason = "r"\npath = "*"\n')
    plan = plan_for(folder, cache=False, workers=0)
    gate = scan(folder, plan).gate
    assert (gate.verdict, gate.exit_code) == ("failed", 1)
    assert set(gate.set_aside) == {"[scan] fail-on", "[scan] ignore", "[[waivers]], 1 of them"}
    named = scan(folder, plan_for(folder, config=folder / "medaudit.toml", cache=False, workers=0)).gate
    assert named.verdict != "failed"
    assert named.set_aside == ()
