"""The corrected copy: the user's own form, whole or not at all, and opened by a scan right away."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
from copies import HEADER, label, picture, proposal, rows_of, scanned, snapshot, write_pictures
from PIL import Image

import trainers.copying.apply
from auditor.config import read_config
from auditor.degrade.encode import write_image
from auditor.layout import Options, open_dataset
from auditor.values.errors import ConfigError, DatasetError, MedauditError

IMAGE = "images/bild_ä{:02d}.png"


def write_csv(path: Path, mark: str = ",") -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=mark, lineterminator="\r\n").writerows([HEADER, *rows_of()])
    path.write_bytes(stream.getvalue().encode())


def write_parquet(path: Path) -> None:
    pd.DataFrame(rows_of(), columns=list(HEADER)).to_parquet(path, index=False)


def write_lines(path: Path) -> None:
    lines = [json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in rows_of()]
    path.write_text("\n".join(lines) + "\n", "utf-8")


WRITERS: dict[str, Callable[[Path], None]] = {
    "labels.csv": write_csv,
    "labels.tsv": lambda path: write_csv(path, "\t"),
    "labels.parquet": write_parquet,
    "labels.jsonl": write_lines,
}


def read(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    mark = "\t" if path.suffix == ".tsv" else ","
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=mark))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "data" / "images")
    write_csv(tmp_path / "data" / "labels.csv")
    return tmp_path / "data"


@pytest.mark.parametrize("name", WRITERS)
def test_the_copy_has_the_users_form_with_corrected_columns_beside_the_original_ones(tmp_path: Path, name: str) -> None:
    data, output = tmp_path / "data", tmp_path / "medaudit-out" / "fixed"
    write_pictures(data / "images")
    WRITERS[name](data / name)
    before = snapshot(data)
    seen = scanned(data)
    applied = seen.apply(
        output,
        proposal(
            label(IMAGE.format(0), "NA", "007"),
            label(IMAGE.format(4), "val", "train", field="split"),
            removed={IMAGE.format(9): "the same picture as another"},
        ),
    )
    assert (applied.corrected, applied.removed, applied.refused) == (2, 1, 0)
    assert snapshot(data) == before, "the user's data are not touched"
    rows = read(output / name)
    wanted = ["id", "file", "patient", "finding", "finding_corrected", "split", "split_corrected", "note"]
    assert list(rows[0]) == wanted
    kept = [row for i, row in enumerate(rows_of()) if i != 9]
    assert [tuple(row[c] for c in HEADER) for row in rows] == kept, "no text of the user's is changed"
    assert [r["finding_corrected"] for r in rows] == ["007", *(row[3] for row in kept[1:])]
    assert [r["split_corrected"] for r in rows] == ["train" if r["id"] == "004" else r["split"] for r in rows]


@pytest.mark.parametrize("name", WRITERS)
def test_a_scan_of_the_copy_reads_the_corrected_columns_and_the_users_images(tmp_path: Path, name: str) -> None:
    data, output = tmp_path / "data", tmp_path / "medaudit-out" / "fixed"
    write_pictures(data / "images")
    WRITERS[name](data / name)
    seen = scanned(data)
    seen.apply(output, proposal(label(IMAGE.format(0), "NA", "007"), removed={IMAGE.format(9): "twice"}))
    again = scanned(output)
    gone = seen.dataset.records.index != IMAGE.format(9)
    assert list(again.dataset.records.index) == list(seen.dataset.records.index[gone])
    assert again.dataset.labels.values.iloc[0] == "007"
    assert list(again.dataset.labels.values.iloc[1:]) == list(seen.dataset.labels.values[gone].iloc[1:])
    assert again.dataset.labels.origin == "finding", "the corrected column is read under the name of its original"
    assert list(again.dataset.metadata.columns) == list(seen.dataset.metadata.columns), "the original is no metadata"
    assert again.dataset.summary.counts["unlisted"] == 0, "the file of a removed record is left out on purpose"
    assert not [f for f in again.result.findings if f.code == "IN002"]


def test_class_folders_get_a_table(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for i in range(12):
        folder = data / ("train", "test")[i % 2] / ("NA", "007", "ö")[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(i)).save(folder / f"{i:02d}.png")
    seen = scanned(data)
    output = tmp_path / "fixed"
    seen.apply(output, proposal(label("train/NA/00.png", "NA", "ö"), label("test/007/01.png", "test", "train", field="split")))
    rows = read(output / "labels.csv")
    assert rows[0]["path"] == "test/007/01.png"
    assert {r["path"]: r["label_corrected"] for r in rows}["train/NA/00.png"] == "ö"
    again = scanned(output)
    assert list(again.dataset.records.index) == list(seen.dataset.records.index)
    assert again.dataset.labels.values["train/NA/00.png"] == "ö"
    assert again.dataset.records["split"]["test/007/01.png"] == "train"
    assert list(again.dataset.labels.classes) == ["007", "NA", "ö"]


def test_an_npz_becomes_an_npz_with_the_old_labels_beside_the_new_ones(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    train, test = np.stack([picture(i) for i in range(20)]), np.stack([picture(i) for i in range(20, 26)])
    labels = (np.arange(20) % 2).astype(np.uint8)[:, None]
    np.savez_compressed(
        data, train_images=train, train_labels=labels, test_images=test, test_labels=labels[:6], ages=np.arange(3)
    )
    seen = scanned(data)
    output = tmp_path / "fixed"
    seen.apply(
        output,
        proposal(
            label("train/1", "1", "0"), label("train/3", "train", "test", field="split"), removed={"train/4": "twice"}
        ),
    )  # fmt: skip
    with np.load(output / "data.npz") as made:
        kept = [i for i in range(20) if i not in (3, 4)]
        assert (made["train_images"] == train[kept]).all()
        assert (made["train_labels_original"] == labels[kept]).all()
        assert made["train_labels"].dtype == np.uint8
        assert made["train_labels"][:3, 0].tolist() == [0, 0, 0]
        assert (made["test_images"] == np.concatenate([train[3:4], test])).all()
        assert made["test_record"][:2].tolist() == ["train/3", "test/0"]
        assert made["ages"].tolist() == [0, 1, 2]
    again = scanned(output)
    assert again.dataset.size == 25
    assert again.dataset.labels.values["train/1"] == "0"


def test_classes_in_columns_and_in_one_cell_are_corrected_in_the_tables_own_words(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pictures(data / "images", 8)
    lines = ["file,Edema,Effusion"]
    lines += [f"bild_ä{i:02d}.png,{['1.0', '0.0', '-1.0', ''][i % 4]},{['0.0', '1.0'][i % 2]}" for i in range(8)]
    (data / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    seen = scanned(data, roles={"label": "Edema,Effusion"})
    assert seen.dataset.labels.task == "multi"
    applied = seen.apply(tmp_path / "one", proposal(label(IMAGE.format(1), "0", "1", field="label.Edema")))
    assert applied.corrected == 1
    assert read(tmp_path / "one" / "labels.csv")[1]["Edema_corrected"] == "1.0"
    again = scanned(tmp_path / "one")
    assert again.dataset.labels.classes == seen.dataset.labels.classes
    assert again.dataset.labels.states is not None
    assert again.dataset.labels.states["Edema"].tolist() == [1, 1, -1, -2, 1, 0, -1, -2]

    cells = ["Edema|Effusion", "No Finding", "Edema"]
    (data / "labels.csv").write_text(
        "file,findings\n" + "".join(f"bild_ä{i:02d}.png,{cells[i % 3]}\n" for i in range(8)), "utf-8"
    )
    seen = scanned(data)
    seen.apply(
        tmp_path / "two",
        proposal(
            label(IMAGE.format(0), "1", "0", field="label.Effusion"), label(IMAGE.format(2), "1", "0", field="label.Edema"),
            label(IMAGE.format(1), "negative", "positive", field="label.Effusion"),
        ),
    )  # fmt: skip
    assert [r["findings_corrected"] for r in read(tmp_path / "two" / "labels.csv")][:3] == ["Edema", "Effusion", "No Finding"]


def test_a_one_hot_table_moves_the_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pictures(data / "images", 6)
    lines = ["file,MEL,NV", *(f"bild_ä{i:02d}.png,{1 - i % 2}.0,{i % 2}.0" for i in range(6))]
    (data / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    seen = scanned(data)
    assert seen.dataset.labels.task == "single"
    seen.apply(tmp_path / "fixed", proposal(label(IMAGE.format(0), "MEL", "NV")))
    row = read(tmp_path / "fixed" / "labels.csv")[0]
    assert (row["MEL_corrected"], row["NV_corrected"]) == ("0.0", "1.0")
    assert scanned(tmp_path / "fixed").dataset.labels.values.iloc[0] == "NV"


def test_a_box_that_is_not_ticked_stays_empty(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pictures(data / "images", 6)
    lines = ["file,MEL,NV,BCC", *(f"bild_ä{i:02d}.png,{'x' if i % 2 else ''},{'' if i % 2 else 'x'},x" for i in range(6))]
    (data / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    seen = scanned(data)
    assert seen.dataset.labels.task == "multi"
    seen.apply(
        tmp_path / "fixed",
        proposal(label(IMAGE.format(0), "0", "1", field="label.MEL"), label(IMAGE.format(1), "1", "0", field="label.BCC")),
    )
    rows = read(tmp_path / "fixed" / "labels.csv")
    assert (rows[0]["MEL_corrected"], rows[1]["BCC_corrected"]) == ("x", "")
    assert scanned(tmp_path / "fixed").dataset.labels.states.iloc[:2].sum().tolist() == [1, 2, 1]


def test_the_words_of_the_split_column_are_the_users(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pictures(data / "images", 8)
    lines = ["file,label,set", *(f"bild_ä{i:02d}.png,{i % 2},{('Training', 'Testing')[i // 4]}" for i in range(8))]
    (data / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    scanned(data).apply(tmp_path / "fixed", proposal(label(IMAGE.format(0), "train", "test", field="split")))
    assert read(tmp_path / "fixed" / "labels.csv")[0]["set_corrected"] == "Testing"


def test_tables_called_after_splits_stay_several(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pictures(data / "images", 8)
    for k, name in enumerate(("train.csv", "valid.csv")):
        lines = ["file,label", *(f"bild_ä{i:02d}.png,{i % 2}" for i in range(4 * k, 4 * k + 4))]
        (data / name).write_text("\n".join(lines) + "\n", "utf-8")
    seen = scanned(data)
    output = tmp_path / "fixed"
    seen.apply(output, proposal(label(IMAGE.format(1), "train", "val", field="split"), label(IMAGE.format(6), "0", "1")))
    assert [r["split_corrected"] for r in read(output / "train.csv")] == ["train", "val", "train", "train"]
    assert [r["label_corrected"] for r in read(output / "valid.csv")] == ["0", "1", "1", "1"]
    again = scanned(output)
    assert list(again.dataset.records["split"]) == ["train", "val", "train", "train", *["val"] * 4]
    assert list(again.dataset.labels.values) == ["0", "1", "0", "1", "0", "1", "1", "1"]


def test_a_table_without_a_split_gets_a_column(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pictures(data / "images", 4)
    lines = ["file,label", *(f"bild_ä{i:02d}.png,{i % 2}" for i in range(4))]
    (data / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    moves = [label(IMAGE.format(i), "", ("train", "test")[i % 2], field="split") for i in range(3)]
    scanned(data).apply(tmp_path / "fixed", proposal(*moves))
    assert [r["split_corrected"] for r in read(tmp_path / "fixed" / "labels.csv")] == ["train", "test", "train", ""]
    again = scanned(tmp_path / "fixed")
    assert again.dataset.records["split"].iloc[:3].tolist() == ["train", "test", "train"]


def test_stale_unsafe_and_unknown_corrections_are_written_down_and_not_applied(tmp_path: Path, table: Path) -> None:
    seen = scanned(table)
    applied = seen.apply(
        tmp_path / "fixed",
        proposal(
            label(IMAGE.format(0), "999", "007"), label(IMAGE.format(2), "NA", "007", safe=False),
            label("nobody.png", "NA", "007"), label(IMAGE.format(4), "NA", "007"),
        ),
    )  # fmt: skip
    assert (applied.corrected, applied.refused, applied.proposed) == (1, 2, 1)
    rows = read(tmp_path / "fixed" / "corrections.csv")
    assert [r["applied"] for r in rows] == ["no", "no", "no", "yes"]
    assert [r["note"].split(":")[0] for r in rows] == [
        "the old value no longer stands in the table", "to be looked at first", "no record has this id", "",
    ]  # fmt: skip
    assert rows[0]["reason"] == "'-1 looks wrong", "a spreadsheet must not run a reason"
    assert seen.apply(tmp_path / "fixed", proposal(label(IMAGE.format(2), "NA", "007", safe=False)), force=True).corrected == 1


def test_the_copy_is_of_the_table_as_it_was_looked_at(tmp_path: Path, table: Path) -> None:
    seen = scanned(table)
    before = (table / "labels.csv").read_bytes()
    (table / "labels.csv").write_bytes(before.replace("bild_ä00.png,P00,NA".encode(), "bild_ä00.png,P00,007".encode()))
    applied = seen.apply(tmp_path / "fixed", proposal(label(IMAGE.format(4), "NA", "007")))
    assert applied.corrected == 1
    rows = read(tmp_path / "fixed" / "labels.csv")
    assert [rows[i]["finding_corrected"] for i in (0, 4)] == ["NA", "007"]
    assert applied.tables["labels.csv"] == before, "provenance speaks of the table that the copy was made of"
    assert any("changed since it was scanned" in note for note in applied.notes)


def test_a_later_proposal_sees_the_earlier_one_and_a_contradiction_is_written_down(tmp_path: Path, table: Path) -> None:
    applied = scanned(table).apply(
        tmp_path / "fixed",
        proposal(
            label(IMAGE.format(0), "NA", "007", strategy="a"), label(IMAGE.format(2), "NA", "007", strategy="a"), strategy="a"
        ),
        proposal(
            label(IMAGE.format(0), "007", "NA", strategy="b"), label(IMAGE.format(2), "NA", "x", strategy="b"), strategy="b"
        ),
    )
    assert [(e.applied, e.note) for e in applied.entries] == [
        (True, ""), (True, ""), (True, ""), (False, "a changed the value before"),
    ]  # fmt: skip
    rows = read(tmp_path / "fixed" / "labels.csv")
    assert [rows[i]["finding_corrected"] for i in (0, 2)] == ["NA", "007"]


def test_test_records_stay_and_no_class_loses_more_than_its_share(tmp_path: Path, table: Path) -> None:
    reasons = {IMAGE.format(i): "=twice" for i in range(20)}
    applied = scanned(table).apply(tmp_path / "fixed", proposal(removed=reasons))
    assert applied.removed == 2, "a tenth of ten per class"
    notes = [r.note for r in applied.removals]
    assert sum("test record" in note for note in notes) == 4
    assert sum("over the limit of 10%" in note for note in notes) == 14
    assert len(applied.notes) == 1
    assert read(tmp_path / "fixed" / "removed.csv")[0]["reason"] == "'=twice"
    assert scanned(table).apply(tmp_path / "fixed", proposal(removed=reasons), most_removed=1.0).removed == 16


def test_weights_multiply_and_name_who_weighed(tmp_path: Path, table: Path) -> None:
    applied = scanned(table).apply(
        tmp_path / "fixed",
        proposal(weights={IMAGE.format(0): 0.5}, strategy="a"),
        proposal(weights={IMAGE.format(0): 0.5, IMAGE.format(1): 0.25}, strategy="b"),
    )
    rows = read(tmp_path / "fixed" / "weights.csv")
    assert applied.weighted == 2
    assert len(rows) == 20
    assert [(r["weight"], r["strategy"]) for r in rows[:3]] == [("0.25", "a+b"), ("0.25", "b"), ("1", "")]


def test_rewritten_images_come_with_all_others(tmp_path: Path, table: Path) -> None:
    made = tmp_path / "made.png"
    Image.fromarray(picture(99)).save(made)
    path = IMAGE.format(0)
    output = tmp_path / "fixed"
    seen = scanned(table)
    seen.apply(
        output,
        proposal(
            label(path, path, "neu/α.png", field="path"), files={"neu/α.png": str(made), IMAGE.format(1): str(made)},
            removed={IMAGE.format(5): "unreadable"},
        ),
    )  # fmt: skip
    images = {p.relative_to(output / "images").as_posix() for p in (output / "images").rglob("*.png")}
    assert images == {"neu/α.png", *(IMAGE.format(i) for i in range(1, 20) if i != 5)}
    again = scanned(output)
    assert again.dataset.size == 19
    assert again.dataset.records["path"].iloc[0] == "neu/α.png"
    assert not [f for f in again.result.findings if f.code in ("IN001", "IN002")]
    assert not (output / "images" / IMAGE.format(2)).is_symlink()


def test_the_users_gate_goes_along(tmp_path: Path, table: Path) -> None:
    (table / "medaudit.toml").write_text(
        '[scan]\nfail-on = "never"\nignore = ["LN"]\npredictions = "p.csv"\n[checks.LK001]\nmax_auc = 0.8\n'
        '[[waivers]]\ncode = "SP006"\nreason = "known"\n[design]\nstrata = ["table.note"]\n'
    )
    config = read_config(table / "medaudit.toml")
    dataset = open_dataset(table, Options())
    trainers.copying.apply.apply(dataset, [proposal()], tmp_path / "fixed", target=table, config=config)
    content = tomllib.loads((tmp_path / "fixed" / "medaudit.toml").read_text("utf-8"))
    assert content["scan"] == {"ignore": ["LN"], "fail-on": "never"}
    assert content["checks"] == {"LK001": {"max_auc": 0.8}}
    assert content["waivers"] == [{"reason": "known", "code": "SP006"}]
    assert content["roles"]["label"] == "finding"
    assert (tmp_path / "fixed" / content["dataset"]["root"]).resolve() == table.resolve()
    read_config(tmp_path / "fixed" / "medaudit.toml")


def test_a_copy_of_a_copy_fills_the_corrected_column_anew(tmp_path: Path, table: Path) -> None:
    scanned(table).apply(tmp_path / "one", proposal(label(IMAGE.format(0), "NA", "007")))
    scanned(tmp_path / "one").apply(
        tmp_path / "two", proposal(label(IMAGE.format(0), "007", "NA"), label(IMAGE.format(2), "NA", "007"))
    )
    rows = read(tmp_path / "two" / "labels.csv")
    assert list(rows[0]) == ["id", "file", "patient", "finding", "finding_corrected", "split", "note"]
    assert [rows[i]["finding_corrected"] for i in range(3)] == ["NA", "007", "007"]
    assert scanned(tmp_path / "two").dataset.labels.values.iloc[:3].tolist() == ["NA", "007", "007"]


def test_a_table_that_is_named_is_copied_under_its_name(tmp_path: Path, table: Path) -> None:
    (table / "labels.csv").rename(table / "corrections.csv")
    seen = scanned(table / "corrections.csv")
    output = table / "medaudit-out" / "fixed"
    seen.apply(output, proposal(label(IMAGE.format(0), "NA", "007")))
    assert read(output / "table-corrections.csv")[0]["finding_corrected"] == "007"
    assert scanned(output).dataset.labels.values.iloc[0] == "007"


def test_a_blank_or_unknown_label_may_get_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pictures(data / "images", 9)
    lines = ["file,grade", *(f"bild_ä{i:02d}.png,{('', '-1', '2')[i] if i < 3 else i % 3}" for i in range(9))]
    (data / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    seen = scanned(data, roles={"label": "grade"})
    applied = seen.apply(tmp_path / "fixed", proposal(*(label(IMAGE.format(i), "", "1") for i in range(3))))
    assert [e.applied for e in applied.entries] == [True, True, False], "the third has a label"
    assert [r["grade_corrected"] for r in read(tmp_path / "fixed" / "labels.csv")][:3] == ["1", "1", "2"]


def test_a_dicom_tree_that_was_joined_with_a_table_gets_one_with_its_columns(tmp_path: Path) -> None:
    data = tmp_path / "data"
    lines = ["PatientID,finding,View"]
    for i in range(12):
        path = data / f"p{i // 2}" / f"{i}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, np.random.default_rng(i).random((16, 16)), "dicom12", seed=i, tags={"PatientID": f"H{i // 2}"})
    lines += [f"H{k},{('NA', '007')[k % 2]},{('PA', 'AP')[k // 3]}" for k in range(6)]
    (data / "table.csv").write_text("\n".join(lines) + "\n")
    seen = scanned(data)
    assert seen.dataset.summary.layout == "dicom_tree"
    seen.apply(tmp_path / "fixed", proposal(label("p0/0.dcm", "NA", "007")))
    rows = read(tmp_path / "fixed" / "labels.csv")
    assert list(rows[0]) == ["path", "label", "label_corrected", "patient", "study", "series", "View"]
    assert [r["View"] for r in rows] == [("PA", "AP")[i // 6] for i in range(12)]
    again = scanned(tmp_path / "fixed")
    assert list(again.dataset.records.index) == list(seen.dataset.records.index)
    assert again.dataset.records["patient"].tolist() == [f"H{i // 2}" for i in range(12)]
    assert again.dataset.labels.values.iloc[0] == "007"


@pytest.mark.parametrize("where", ["data", ".", "data/fixed", "data/images/fixed", "full", "file"])
def test_a_copy_is_never_written_over_or_into_data(tmp_path: Path, table: Path, where: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.docx").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(ConfigError, match="--output"):
        scanned(table).apply(tmp_path / where, proposal())
    assert snapshot(tmp_path) == before


def test_an_earlier_copy_is_replaced(tmp_path: Path, table: Path) -> None:
    seen = scanned(table)
    output = tmp_path / "fixed"
    seen.apply(output, proposal(removed={IMAGE.format(0): "twice"}), extra={"model/card.md": b"old"})
    seen.apply(output, proposal(label(IMAGE.format(0), "NA", "007")), extra={"report.html": b"new"})
    names = set(snapshot(output))
    assert "report.html" in names
    assert not {"removed.csv", "model/card.md"} & names
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full"), DatasetError("odd")])
def test_an_interrupted_write_leaves_nothing_and_the_earlier_copy_whole(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    seen = scanned(table)
    output = tmp_path / "new" / "deep" / "fixed"

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(trainers.copying.apply, "weights_file", broken)
    weighed = proposal(weights={IMAGE.format(0): 0.5})
    with pytest.raises((KeyboardInterrupt, MedauditError)):
        seen.apply(output, weighed)
    assert not (tmp_path / "new").exists()
    seen.apply(output, proposal(label(IMAGE.format(0), "NA", "007")))
    before = snapshot(tmp_path)
    with pytest.raises((KeyboardInterrupt, MedauditError)):
        seen.apply(output, weighed)
    assert snapshot(tmp_path) == before


def test_a_whole_copy_goes_with_no_other_and_its_reports_lie_beside_it(tmp_path: Path, table: Path) -> None:
    for name in ("medaudit.toml", "image.dcm"):
        (tmp_path / name).write_bytes(b"")
    whole = proposal(files={name: str(tmp_path / name) for name in ("medaudit.toml", "image.dcm")}, strategy="deidentify")
    seen = scanned(table)
    with pytest.raises(ConfigError, match="goes with no other"):
        seen.apply(tmp_path / "fixed", whole, proposal(label(IMAGE.format(0), "NA", "007")))
    applied = seen.apply(tmp_path / "fixed", whole, extra={"report.html": b"names"})
    assert {n for n in snapshot(tmp_path / "fixed") if not n.startswith(".")} == {"medaudit.toml", "image.dcm"}
    assert (applied.reports / "report.html").read_bytes() == b"names"
    assert applied.reports != applied.output


def test_the_table_of_a_copy_names_every_file_of_a_record(tmp_path: Path) -> None:
    for case in range(3):
        folder = tmp_path / "data" / f"BraTS_{case:03d}"
        folder.mkdir(parents=True)
        for name in ("flair", "t1"):
            (folder / f"BraTS_{case:03d}_{name}.nii.gz").write_bytes(b"not read here")
    dataset = open_dataset(tmp_path / "data", Options())
    assert set(dataset.channels["name"]) == {"flair", "t1"}
    trainers.copying.apply.apply(dataset, [], tmp_path / "copy", target=tmp_path / "data")
    rows = pd.read_csv(tmp_path / "copy/labels.csv")
    assert rows["channel t1"].tolist() == [f"BraTS_{case:03d}/BraTS_{case:03d}_t1.nii.gz" for case in range(3)]
    options = read_config(tmp_path / "copy/medaudit.toml").options(tmp_path / "copy")
    assert open_dataset(tmp_path / "copy", options).channels.equals(dataset.channels)
