"""What `medaudit init` tells and asks about a folder."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
from PIL import Image

from auditor.layout import Options, open_dataset
from medaudit.cli import main
from medaudit.interview import interview
from medaudit.template import config_text


def folders(root: Path) -> Path:
    """Folders of unknown words, which may be classes, with images of patients who have ids that must not be shown."""
    for number in range(24):
        path = root / ("apple", "pear")[number % 2] / f"patient{7000 + number // 2}_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (8, 8), dtype=np.uint8)).save(path)
    return root


def test_without_a_terminal_guesses_are_comments_and_doubts_are_to_be_confirmed(tmp_path: Path, capsys) -> None:
    root = folders(tmp_path / "d")
    assert main(["init", str(root)]) == 0
    printed = capsys.readouterr().out
    text = (root / "medaudit.toml").read_text("utf-8")
    assert "label: class folder, level 1, 2: apple, pear" in text
    assert "patient: file name, 12 different" in text
    assert 'label = "folder:1"?' in text
    assert 'to confirm: label = "folder:1"?' in " ".join(printed.split())
    assert "7000" not in text
    assert tomllib.loads(text)["roles"] == {}


def test_an_answer_is_pinned_and_the_next_scan_reads_it(tmp_path: Path) -> None:
    root = folders(tmp_path / "d")
    dataset = open_dataset(root, Options(workers=0))
    asked: list[str] = []

    def ask(question: str, proposed: str) -> str:
        asked.append(question)
        return proposed

    said = interview(dataset, ask)
    assert len(asked) == 1
    assert "apple" in asked[0]
    assert tomllib.loads(config_text(dataset.summary, said))["roles"] == {"label": "folder:1"}


def test_a_no_pins_nothing_and_stays_to_be_confirmed(tmp_path: Path) -> None:
    dataset = open_dataset(folders(tmp_path / "d"), Options(workers=0))
    said = interview(dataset, lambda question, proposed: "-")
    assert not said.pins
    assert any(line.startswith("label: not folder:1") for line in said.unsure)


def test_what_lies_there_unread_is_to_be_confirmed(tmp_path: Path) -> None:
    root = folders(tmp_path / "d")
    (root / "labels.pkl").write_bytes(b"x" * 40)
    assert any(line.startswith("labels.pkl: ") for line in interview(open_dataset(root, Options(workers=0)), None).unsure)
