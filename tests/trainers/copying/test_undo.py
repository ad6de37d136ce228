"""Undo gives the user's own table back, byte for byte; what a person changed or accepted by hand is respected."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from copies import HEADER, label, picture, proposal, rows_of, scanned, snapshot, write_pictures

from auditor.values.errors import ConfigError
from trainers.copying.undo import reapply, undo

IMAGE = "images/bild_ä{:02d}.png"
CORRECTIONS = (
    label(IMAGE.format(0), "NA", "007"),
    label(IMAGE.format(2), "NA", "007", safe=False),
    label(IMAGE.format(4), "val", "train", field="split"),
)


def write(data: Path, name: str) -> Path:
    write_pictures(data / "images")
    if name.endswith(".parquet"):
        pd.DataFrame(rows_of(), columns=list(HEADER)).to_parquet(data / name)
    elif name.endswith(".jsonl"):
        lines = [json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in rows_of()]
        (data / name).write_text("\n".join(lines), "utf-8")
    else:
        with (data / name).open("w", encoding="utf-8-sig", newline="") as stream:
            csv.writer(stream, delimiter="\t" if name.endswith(".tsv") else ",").writerows([HEADER, *rows_of()])
    return data / name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write(folder / "data", "labels.csv")
    scanned(folder / "data").apply(
        folder / "fixed", proposal(*CORRECTIONS, removed={IMAGE.format(9): "twice"}, weights={IMAGE.format(1): 0.5})
    )
    return folder


@pytest.fixture
def copy(tmp_path: Path, made: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "fixed"


def finding(copy: Path, row: int) -> str:
    with (copy / "labels.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))[row]["finding_corrected"]


@pytest.mark.parametrize("name", ["labels.csv", "labels.tsv", "labels.parquet", "labels.jsonl"])
def test_undo_restores_the_users_table_byte_for_byte_and_the_copy_can_be_applied_again(tmp_path: Path, name: str) -> None:
    original = write(tmp_path / "data", name)
    copy = tmp_path / "fixed"
    seen = scanned(tmp_path / "data")
    seen.apply(copy, proposal(*CORRECTIONS, removed={IMAGE.format(9): "twice"}, weights={IMAGE.format(1): 0.5}))
    before = snapshot(copy)
    done = undo(copy)
    assert (done.restored, done.returned, done.applied, done.removed, done.refused) == (2, 1, 0, 0, 0)
    assert "2 corrections taken back, 1 record back in the table" in done.told
    assert (copy / name).read_bytes() == original.read_bytes()
    assert not (copy / "weights.csv").exists()
    again = scanned(copy)
    pd.testing.assert_series_equal(again.dataset.labels.values, seen.dataset.labels.values)
    pd.testing.assert_series_equal(again.dataset.records["split"], seen.dataset.records["split"])
    for ledger in ("corrections.csv", "removed.csv"):
        (copy / ledger).write_bytes(before[ledger])
    assert (reapply(copy).applied, reapply(copy).removed) == (2, 1)
    assert {k: v for k, v in snapshot(copy).items() if not k.startswith(".")} == {
        k: v for k, v in before.items() if not k.startswith(".")
    }


def test_undo_twice_changes_nothing_more(copy: Path) -> None:
    undo(copy)
    before = snapshot(copy)
    assert undo(copy).restored == 0
    assert snapshot(copy) == before


def test_a_correction_that_a_person_accepts_is_applied_and_one_that_is_refused_goes(copy: Path) -> None:
    rows = (copy / "corrections.csv").read_text("utf-8").splitlines()
    rows = [row.replace(",no,no,", ",no,yes,") if ",no,no," in row else row.replace(",yes,yes,", ",yes,no,", 1) for row in rows]
    (copy / "corrections.csv").write_text("\n".join(reversed(rows[1:])).join([rows[0] + "\n", "\n"]), "utf-8")
    done = reapply(copy)
    assert (done.applied, done.restored) == (1, 1)
    assert [finding(copy, i) for i in (0, 2)] == ["NA", "007"]


def test_a_value_changed_by_hand_stays_and_its_correction_is_refused(copy: Path) -> None:
    text = (copy / "labels.csv").read_text("utf-8-sig")
    (copy / "labels.csv").write_text(
        text.replace("P00,NA,007,", "P00,NA,by hand,").replace("P03,NA,NA,", "P03,NA,mine,"), "utf-8-sig", newline=""
    )
    done = undo(copy)
    assert (done.restored, done.refused, done.applied) == (1, 1, 1)
    assert [finding(copy, i) for i in (0, 2, 6)] == ["by hand", "NA", "mine"]
    assert "changed by hand" in (copy / "corrections.csv").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("P00,NA", "P99,NA", "column 'patient'"),
        ("019,", "019,extra\n019,", "added or taken out"),
        ("finding,", "label,", "columns"),
    ],
)
def test_other_edits_would_be_lost_and_are_not(copy: Path, old: str, new: str, match: str) -> None:
    text = (copy / "labels.csv").read_text("utf-8-sig")
    (copy / "labels.csv").write_text(text.replace(old, new), "utf-8-sig", newline="")
    before = snapshot(copy)
    with pytest.raises(ConfigError, match=match):
        undo(copy)
    assert snapshot(copy) == before


def test_what_is_no_copy_or_lacks_its_memory_is_refused(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(ConfigError, match="not a corrected copy"):
        undo(tmp_path / "data")
    (copy / "corrections.csv").write_text("record;field\n")
    with pytest.raises(ConfigError, match="columns record, field"):
        reapply(copy)
    shutil.rmtree(copy / ".medaudit" / "original")
    with pytest.raises(ConfigError, match="missing"):
        undo(copy)


def test_the_arrays_of_an_npz_come_back(tmp_path: Path) -> None:
    images, labels = np.stack([picture(i) for i in range(20)]), np.arange(20) % 2
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    scanned(tmp_path / "data.npz").apply(
        tmp_path / "fixed", proposal(label("images/1", "1", "0"), removed={"images/4": "twice"})
    )
    with np.load(tmp_path / "fixed" / "data.npz") as made:
        assert made["labels"].tolist() == [0, 0, *(labels[[i for i in range(2, 20) if i != 4]]).tolist()]
        assert len(made["images"]) == 19
    undo(tmp_path / "fixed")
    with np.load(tmp_path / "fixed" / "data.npz") as made:
        assert sorted(made.files) == ["images", "labels"]
        assert (made["images"] == images).all()
        assert (made["labels"] == labels).all()


@pytest.mark.parametrize("field", ["arrays", "tables"])
@pytest.mark.parametrize(
    "name", ["../victim.npz", "/elsewhere/victim.npz", "a/../../victim.npz", "C:\\victim.npz", "..\\victim", "", "a\0b"]
)
def test_a_strangers_copy_names_no_file_outside_of_it(tmp_path: Path, copy: Path, field: str, name: str) -> None:
    state = json.loads((copy / ".medaudit" / "state.json").read_text("utf-8"))
    (copy / ".medaudit" / "state.json").write_text(json.dumps(state | {field: [name]}), "utf-8")
    before = snapshot(tmp_path)
    with pytest.raises(ConfigError, match=f"the field {field}.0 is wrong: a path that leaves its folder"):
        undo(copy)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("linked", [".medaudit", ".medaudit/original", ".medaudit/original/labels.csv", "corrections.csv"])
def test_a_link_in_a_strangers_copy_is_not_followed_out_of_it(tmp_path: Path, copy: Path, linked: str) -> None:
    (copy / linked).rename(tmp_path / "elsewhere")
    (copy / linked).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="names a path outside of it"):
        reapply(copy)


@pytest.mark.parametrize(
    "altered",
    [
        {"entries": [1]}, {"entries": [{"correction": {}}]}, {"entries": None}, {"removals": [{"rows": "x"}]},
        {"names": {"finding": 3}}, {"names": {}}, {"virtual": {"x": ["a"]}}, {"roles": {"x": "y"}}, {"tables": "labels.csv"},
        {"config": {}}, {"config": {"dataset": {"level": 3}, "roles": {}}}, {"config": {"dataset": [], "roles": 1}},
        {"root": 7}, {"rewritten": {}}, {"tables": ["labels.csv", "labels.csv"]}, {"tables": [".medaudit/state.json"]},
        {"arrays": ["medaudit.toml"]}, {"form": "other"},
    ],
)  # fmt: skip
def test_a_memory_of_another_shape_is_refused_in_one_line_and_nothing_is_written(
    tmp_path: Path, copy: Path, altered: dict[str, object]
) -> None:
    state = json.loads((copy / ".medaudit" / "state.json").read_text("utf-8"))
    (copy / ".medaudit" / "state.json").write_text(json.dumps(state | altered), "utf-8")
    before = snapshot(tmp_path)
    with pytest.raises(ConfigError, match=r"state\.json is damaged") as refused:
        undo(copy)
    assert "\n" not in str(refused.value)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b'{"a":' * 100 + b"1" + b"}" * 100, b"\xff\xfe", b"1" * 5000])
def test_what_is_no_memory_is_no_corrected_copy(copy: Path, content: bytes) -> None:
    (copy / ".medaudit" / "state.json").write_bytes(content)
    with pytest.raises(ConfigError, match="not a corrected copy"):
        undo(copy)


def test_after_undo_rewritten_images_are_read_where_the_users_lie(tmp_path: Path) -> None:
    write(tmp_path / "data", "labels.csv")
    copy, path = tmp_path / "fixed", IMAGE.format(0)
    made = proposal(label(path, path, "new.png", field="path"), files={"new.png": str(tmp_path / "data" / path)})
    seen = scanned(tmp_path / "data")
    seen.apply(copy, made)
    assert scanned(copy).dataset.records.index[0] == "new.png"
    assert undo(copy).told.startswith(f"{copy}: 1 correction taken back, the original pictures are read again.")
    again = scanned(copy)
    assert again.dataset.root == seen.dataset.root
    assert list(again.dataset.records.index) == list(seen.dataset.records.index)
    (copy / "corrections.csv").write_text(
        (copy / "corrections.csv").read_text("utf-8").replace(",no,taken back", ",yes,"), "utf-8"
    )
    reapply(copy)
    assert scanned(copy).dataset.records.index[0] == "new.png"
