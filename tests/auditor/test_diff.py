import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from builders import make_dataset, write_folder

from auditor.diff import Change, as_json, as_text, compare
from auditor.values.dataset import Dataset
from medaudit.cli import main


def release(records: list[str], labels: list[str | None], splits: list[str], pixels: list[str]) -> Dataset:
    return make_dataset(records=records, labels=labels, splits=splits, same_pixels=pixels, same_bytes=[f"b{p}" for p in pixels])


OLD = release(["a", "b", "c", "d"], ["x", "x", "y", "y"], ["train", "train", "test", "test"], ["1", "2", "3", "4"])


def test_one_release_and_itself_do_not_differ() -> None:
    found = compare(OLD, OLD)
    assert (found.changes, found.unchanged, found.unknown) == ((), 4, 0)


def test_added_removed_relabelled_moved_and_changed_are_told_apart() -> None:
    new = release(["a", "b", "c", "e"], ["x", "y", "y", "x"], ["train", "train", "train", "test"], ["1", "2", "9", "8"])
    assert set(compare(OLD, new).changes) == {
        Change(kind="added", old_record=None, new_record="e"),
        Change(kind="removed", old_record="d", new_record=None),
        Change(kind="changed", old_record="c", new_record="c"),
        Change(kind="relabelled", old_record="b", new_record="b", old="x", new="y"),
        Change(kind="moved", old_record="c", new_record="c", old="test", new="train"),
    }


def test_a_renamed_file_is_known_by_its_pixels() -> None:
    new = release(["a", "b", "c", "z"], ["x", "x", "y", "x"], ["train", "train", "test", "test"], ["1", "2", "3", "4"])
    found = compare(OLD, new)
    assert found.changes == (
        Change(kind="renamed", old_record="d", new_record="z"),
        Change(kind="relabelled", old_record="d", new_record="z", old="y", new="x"),
    )
    assert found.unchanged == 3


def test_copies_are_paired_one_to_one_and_constant_pictures_prove_nothing() -> None:
    old = release(["a", "b"], ["x", "x"], ["train", "train"], ["1", "1"])
    new = release(["c", "d", "e"], ["x", "x", "x"], ["train"] * 3, ["1", "1", "1"])
    assert dict(compare(old, new).counts) | {"moved": 0} == {
        "added": 1, "removed": 0, "renamed": 2, "changed": 0, "relabelled": 0, "moved": 0,
    }  # fmt: skip
    flat = [
        dataclasses.replace(d, fingerprints=d.fingerprints.assign(constant=True, bytes=[f"{i}{n}" for i in range(d.size)]))
        for n, d in enumerate((old, new))
    ]
    assert compare(*flat).counts["renamed"] == 0


def test_tables_without_images_are_compared_by_id_and_labels() -> None:
    old, new = (make_dataset(records=["1", "2"], labels=list(labels), paths=[None, None]) for labels in ("xy", "xx"))
    found = compare(old, new)
    assert found.unknown == 2
    assert [c.kind for c in found.changes] == ["relabelled"]


def test_text_hides_control_characters_and_json_holds_everything() -> None:
    new = release(
        ["a", "b", "c", "d", "evil\n\u202egnp"], ["x", "x", "y", "y", "x"], ["train"] * 2 + ["test"] * 3, list("12345")
    )
    found = compare(OLD, new)
    assert "\\u202e" in "\n".join(as_text(found))
    assert "\u202e" not in "\n".join(as_text(found))
    assert json.loads(json.dumps(as_json(found)))["changes"][0]["new_record"] == "evil\n\u202egnp"


@pytest.fixture
def releases(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    images = {c: [rng.integers(0, 255, (24, 24)).astype(np.uint8) for _ in range(4)] for c in ("benign", "malignant")}
    for name in ("v1", "v2"):
        write_folder(tmp_path / name, images)
    return tmp_path / "v1", tmp_path / "v2"


def test_the_command_follows_the_exit_codes_of_diff(
    releases: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    v1, v2 = map(str, releases)
    assert main(["diff", v1, v2, "--workers", "0"]) == 0
    (releases[1] / "benign" / "000.png").rename(releases[1] / "malignant" / "other.png")
    capsys.readouterr()
    assert main(["diff", v1, v2, "--workers", "0"]) == 1
    shown = capsys.readouterr().out
    assert "relabelled: 1\n  1 × benign → malignant\n  benign/000.png → malignant/other.png" in shown
    goal = tmp_path / "diff.json"
    assert main(["diff", v1, v2, "--workers", "0", "--format", "json", "-o", str(goal)]) == 1
    assert json.loads(goal.read_text("utf-8"))["counts"]["renamed"] == 1
    assert main(["diff", v1, str(tmp_path / "nothing")]) == 2
    assert main(["diff", v1, v2, "--format", "xml"]) == 2
