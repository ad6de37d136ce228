"""What this user's medaudit wrote may be written over; what anybody changed or wrote may not."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from auditor.degrade.encode import png
from auditor.values.errors import ConfigError
from auditor.written import keep_foreign, remember
from medaudit.cli import main


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))


def test_a_file_that_was_written_by_us_may_be_replaced_until_it_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match="is no output of medaudit; it is not written over"):
        keep_foreign([file])
    keep_foreign([file], usual=str(file))
    remember([file])
    keep_foreign([file, tmp_path / "new.csv"])
    file.write_text("a,b\n1,3,4\n")
    with pytest.raises(ConfigError, match="not written over"):
        keep_foreign([file])
    remember([file])
    (tmp_path / "state" / "medaudit" / "key").unlink()  # marks of another key are nobody's
    with pytest.raises(ConfigError, match="not written over"):
        keep_foreign([file])


def test_links_are_not_written_over_and_empty_files_are(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    keep_foreign([tmp_path / "empty.csv"])
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere.csv")
    with pytest.raises(ConfigError, match="not written over"):
        keep_foreign([tmp_path / "link.csv"])


def test_no_command_writes_over_what_others_wrote_and_all_write_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for i in range(12):
        folder = tmp_path / "set" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i}.png").write_bytes(png(rng.integers(0, 255, (24, 24)).astype(np.uint8)))
    (tmp_path / "reads").mkdir()
    rows = [[f"i{i // 3}", f"r{i % 3}", "ab"[i % 2]] for i in range(60)]
    with (tmp_path / "reads" / "r.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "rater", "label"], *rows])
    (tmp_path / "key").write_bytes(b"k" * 32)
    for code, *words in (
        (0, "fingerprint", "set", "--key", "key", "--workers", "0", "-o"),
        (0, "consensus", "reads/r.csv", "-o"),
        (0, "split", "set", "--workers", "0", "-o"),
        (0, "diff", "set", "set", "--workers", "0", "-o"),
    ):
        name = f"own-{words[0]}.{'parquet' if words[0] == 'fingerprint' else 'csv'}"
        foreign = tmp_path / f"foreign{Path(name).suffix}"
        foreign.write_bytes(b"a,b\n1,2\n")
        assert main([*words, str(foreign)]) == 2, words
        assert foreign.read_bytes() == b"a,b\n1,2\n", words
        for _ in range(2):
            assert main([*words, name]) == code, words
    assert main(["fingerprint", "set", "--key", "key", "-o", "key"]) == 2
    assert (tmp_path / "key").read_bytes() == b"k" * 32
