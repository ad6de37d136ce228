"""Boxes that no label table holds go into the copy as a table of their own, and what a copy lacks is told."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from copies import Scanned, label, picture, proposal, scanned, snapshot
from PIL import Image

from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError
from trainers.copying.beside import beside_file
from trainers.copying.undo import reapply, undo
from trainers.second_scan import files_of_boxes, named_as, parts_lost

BOXES = {0: [("cell", 1, 2, 3, 4), ("clot", 5.5, 6, 7, 8)], 1: [("cell", 0, 0, 2, 2)], 3: [("cell", 9, 9, 4, 3)]}
"""Image → class, x, y, width, height."""


def write_coco(root: Path) -> None:
    root.mkdir()
    names = ["cell", "clot"]
    told = {
        "images": [{"id": i, "file_name": f"{i}.png"} for i in range(4)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(names)],
        "annotations": [
            {"id": 10 * i + k, "image_id": i, "category_id": names.index(kind), "bbox": box}
            for i, boxes in BOXES.items()
            for k, (kind, *box) in enumerate(boxes)
        ],
    }
    (root / "i.json").write_text(json.dumps(told))


def write_table_beside(root: Path) -> None:
    """As NIH does: a label table of all images, and a table of the boxes of some."""
    root.mkdir()
    pd.DataFrame({"image": [f"{i}.png" for i in range(4)], "finding": ["yes", "no"] * 2}).to_csv(root / "a.csv", index=False)
    rows = [(f"{i}.png", *box) for i, boxes in BOXES.items() for box in boxes]
    pd.DataFrame(rows, columns=["image", "finding", "x", "y", "w", "h"]).to_csv(root / "boxes_of_some.csv", index=False)


def write_workbook(root: Path) -> None:
    """A row per box, several of one image, in a form that no copy is written in."""
    root.mkdir()
    rows = [(f"{i}.png", kind, x, y, x + w, y + h) for i, boxes in BOXES.items() for kind, x, y, w, h in boxes]
    frame = pd.DataFrame([*rows, ("2.png", "none", *[None] * 4)], columns=["image", "class", "xmin", "ymin", "xmax", "ymax"])
    frame.to_excel(root / "all.xlsx", index=False)


WRITERS = {"coco": write_coco, "beside": write_table_beside, "workbook": write_workbook}


def opened(tmp_path: Path, form: str) -> Scanned:
    WRITERS[form](tmp_path / "data")
    for number in range(4):
        Image.fromarray(picture(number)).save(tmp_path / "data" / f"{number}.png")
    return scanned(tmp_path / "data")


def boxes_in(dataset: Dataset) -> set[tuple[object, ...]]:
    """The boxes with the seed of the picture that they lie on: names may change."""
    seeds = {picture(i).tobytes(): i for i in range(4)}
    path = dataset.records["path"]
    seen = {record: seeds[np.asarray(Image.open(dataset.root / path[record])).tobytes()] for record in dataset.boxes["record"]}
    rows = dataset.boxes[["record", "label", "x0", "y0", "x1", "y1"]].itertuples(index=False)
    return {(seen[record], *box) for record, *box in rows}


@pytest.mark.parametrize("form", WRITERS)
def test_a_copy_holds_the_boxes_of_what_stays_under_new_names_and_undone_all_of_them(tmp_path: Path, form: str) -> None:
    seen = opened(tmp_path, form)
    before, source = boxes_in(seen.dataset), snapshot(tmp_path / "data")
    assert len(before) == 4
    assert {(box[2], box[5]) for box in before} >= {(1.0, 6.0), (5.5, 14.0)}
    Image.fromarray(picture(0)).save(tmp_path / "new.png")
    changes = [
        proposal(strategy="deduplicate", removed={"1.png": "twice"}),
        proposal(
            label("0.png", "0.png", "sub/new.png", field="path"), strategy="harmonise",
            files={"sub/new.png": str(tmp_path / "new.png")},
        ),
    ]  # fmt: skip
    applied = seen.apply(tmp_path / "copy", *changes, most_removed=1.0)
    assert applied.removed == applied.corrected == 1
    copy = scanned(tmp_path / "copy").dataset
    assert boxes_in(copy) == {box for box in before if box[0] != 1}
    assert parts_lost(seen.dataset, copy, applied) == ()
    as_made = snapshot(tmp_path / "copy")
    undo(tmp_path / "copy")
    undone = scanned(tmp_path / "copy").dataset
    assert "sub/new.png" not in set(undone.records["path"])
    assert boxes_in(undone) == before
    for name in ("corrections.csv", "removed.csv"):
        (tmp_path / "copy" / name).write_bytes(as_made[name])
    reapply(tmp_path / "copy")
    assert (tmp_path / "copy" / "boxes.csv").read_bytes() == as_made["boxes.csv"]
    assert snapshot(tmp_path / "data") == source


def test_a_copy_of_a_copy_holds_them_too(tmp_path: Path) -> None:
    seen = opened(tmp_path, "coco")
    seen.apply(tmp_path / "copy", proposal(strategy="deduplicate", removed={"1.png": "twice"}), most_removed=1.0)
    again = scanned(tmp_path / "copy")
    again.apply(tmp_path / "second", proposal(strategy="deduplicate", removed={"3.png": "twice"}), most_removed=1.0)
    assert {box[0] for box in boxes_in(scanned(tmp_path / "second").dataset)} == {0}


def write_readings(root: Path, *, panel: bool) -> None:
    """What was released, and beside it what three readers said: in one table, or in one of each reader."""
    root.mkdir()
    for number in range(6):
        Image.fromarray(picture(number)).save(root / f"{number}.png")
    names = [f"{i}.png" for i in range(6)]
    pd.DataFrame({"image": names, "finding": ["yes", "no"] * 3}).to_csv(root / "labels.csv", index=False)
    said = pd.DataFrame(
        [(name, who, "yes" if (i + (who == "B")) % 3 else "no") for i, name in enumerate(names) for who in "ABC"],
        columns=["image", "reader", "finding"],
    )
    if panel:
        said.to_csv(root / "readings of all.csv", index=False)
        return
    for who, rows in said.groupby("reader"):
        rows.drop(columns="reader").to_csv(root / f"reader {who}.csv", index=False)


def readings_in(dataset: Dataset) -> set[tuple[object, ...]]:
    """Who said what of which picture, by its seed: names may change."""
    seeds = {picture(i).tobytes(): i for i in range(6)}
    seen = {r: seeds[np.asarray(Image.open(dataset.root / path)).tobytes()] for r, path in dataset.records["path"].items()}
    rows = dataset.annotations[["record", "rater", "label"]].itertuples(index=False)
    return {(seen[record], rater.removeprefix("reader "), label) for record, rater, label in rows}


@pytest.mark.parametrize("panel", [True, False])
def test_a_copy_holds_what_readers_said_of_what_stays_and_undone_all_of_it(tmp_path: Path, panel: bool) -> None:
    write_readings(tmp_path / "data", panel=panel)
    seen, source = scanned(tmp_path / "data"), snapshot(tmp_path / "data")
    before = readings_in(seen.dataset)
    assert len(before) == 18
    Image.fromarray(picture(0)).save(tmp_path / "new.png")
    changes = [
        proposal(strategy="deduplicate", removed={"1.png": "twice"}),
        proposal(label("2.png", "yes", "no"), strategy="consensus"),
        proposal(
            label("0.png", "0.png", "sub/new.png", field="path"), strategy="harmonise",
            files={"sub/new.png": str(tmp_path / "new.png")},
        ),
    ]  # fmt: skip
    applied = seen.apply(tmp_path / "copy", *changes, most_removed=1.0)
    copy = scanned(tmp_path / "copy").dataset
    assert readings_in(copy) == {said for said in before if said[0] != 1}
    assert copy.labels.values.value_counts().to_dict() == {"yes": 2, "no": 3}
    assert parts_lost(seen.dataset, copy, applied) == ()
    again = scanned(tmp_path / "copy")
    again.apply(tmp_path / "second", proposal(strategy="deduplicate", removed={"3.png": "twice"}), most_removed=1.0)
    assert {said[0] for said in readings_in(scanned(tmp_path / "second").dataset)} == {0, 2, 4, 5}
    undo(tmp_path / "copy")
    assert readings_in(scanned(tmp_path / "copy").dataset) == before
    assert snapshot(tmp_path / "data") == source
    (tmp_path / "copy" / "readings.csv").write_text("path,rater,label\n0.png,A,yes\n")
    assert parts_lost(seen.dataset, scanned(tmp_path / "copy").dataset, applied) == ("readings",)


def test_a_copy_of_before_readings_were_kept_can_be_undone(tmp_path: Path) -> None:
    seen = opened(tmp_path, "coco")
    seen.apply(tmp_path / "copy", proposal(strategy="deduplicate", removed={"1.png": "twice"}), most_removed=1.0)
    file = tmp_path / "copy" / ".medaudit" / "state.json"
    state = json.loads(file.read_text())
    assert state.pop("beside") == ["boxes.csv"]
    file.write_text(json.dumps(state | {"boxes": True}))
    undo(tmp_path / "copy")
    assert len(boxes_in(scanned(tmp_path / "copy").dataset)) == 4


@pytest.mark.parametrize("content", [None, "path,finding\n0.png,a\n1.png,b\n"])
def test_a_table_of_readings_that_is_named_and_holds_none_is_refused(tmp_path: Path, content: str | None) -> None:
    seen = opened(tmp_path, "beside")
    if content is not None:
        (seen.target / "mine.csv").write_text(content)
    (seen.target / "medaudit.toml").write_text('[dataset]\ntables = ["a.csv"]\nreadings = "mine.csv"\n')
    with pytest.raises(DatasetError, match=r"\[dataset\] readings names 'mine.csv', which"):
        scanned(seen.target)


def test_boxes_that_are_missing_in_a_copy_are_told(tmp_path: Path) -> None:
    seen = opened(tmp_path, "coco")
    applied = seen.apply(tmp_path / "copy", proposal())
    file = tmp_path / "copy" / "boxes.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:-1]) + "\n")
    assert parts_lost(seen.dataset, scanned(tmp_path / "copy").dataset, applied) == ("boxes",)
    with pytest.raises(ConfigError, match=r"boxes\.csv: was changed by hand"):
        undo(tmp_path / "copy")


@pytest.mark.parametrize(
    ("content", "match"),
    [(None, "which is not there"), ("path,finding\n0.png,a\n1.png,b\n", "no columns of an image and of corners")],
)
def test_a_table_of_boxes_that_is_named_and_holds_none_is_refused(tmp_path: Path, content: str | None, match: str) -> None:
    seen = opened(tmp_path, "beside")
    if content is not None:
        (seen.target / "mine.csv").write_text(content)
    (seen.target / "medaudit.toml").write_text('[dataset]\ntables = ["a.csv"]\nboxes = "mine.csv"\n')
    with pytest.raises(DatasetError, match=match):
        scanned(seen.target)


def test_a_class_of_a_document_is_no_formula_in_the_table_of_the_copy() -> None:
    boxes = pd.DataFrame(
        {"row": ["0", "0"], "path": ["a.png", "a.png"], "label": ["=HYPERLINK(1)", "-1"], "x0": ["1", "2"]}, dtype=object
    )
    assert beside_file(boxes, {}, ()).decode().splitlines() == ["path,label,x0", "a.png,'=HYPERLINK(1),1", "a.png,-1,2"]


SHAPES = [
    [[1, 2, 8.25, 2, 4, 9.5], [12, 12, 15, 12, 15, 17.125]], [[3, 3]], {"size": [20, 20], "counts": [45, 6, 14, 6, 329]},
    {"size": [20, 20], "counts": "]166>66>0000d9"},
]  # fmt: skip


def drawn_of(dataset: Dataset) -> list[tuple[object, ...]]:
    assert dataset.drawings is not None
    facts = dataset.drawings.objects.drop(columns=["record", "box", "problem"]).fillna(-1)
    broken = dataset.drawings.objects["problem"] != ""
    return sorted(zip(broken, *(facts[name] for name in facts), strict=True))


def test_outlines_go_into_the_copy_as_coco_has_them_and_are_the_same_objects_there(tmp_path: Path) -> None:
    write_coco(tmp_path / "data")
    told = json.loads((tmp_path / "data/i.json").read_text())
    for one, shape in zip(told["annotations"], SHAPES, strict=True):
        one["segmentation"] = shape
    told["images"][0] |= {"height": 21, "width": 20}
    (tmp_path / "data/i.json").write_text(json.dumps(told))
    for number in range(4):
        Image.fromarray(picture(number)).save(tmp_path / "data" / f"{number}.png")
    seen = scanned(tmp_path / "data")
    applied = seen.apply(tmp_path / "copy", proposal())
    copy = scanned(tmp_path / "copy")
    assert parts_lost(seen.dataset, copy.dataset, applied) == ()
    assert drawn_of(copy.dataset) == drawn_of(seen.dataset)
    assert sum(row[0] for row in drawn_of(copy.dataset)) == 2  # no polygon, and run lengths that do not add up
    for result in (seen.result, copy.result):
        (found,) = [o.verdict for o in result.outcomes if o.code == "IN006"]
        assert found is not None
        assert ["drawn on a picture of another size: 20 × 20 and 21 × 20" in f.message for f in found.findings] == [True]


def test_outlines_that_no_cell_holds_are_told_as_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_coco(tmp_path / "data")
    told = json.loads((tmp_path / "data/i.json").read_text())
    told["annotations"][0]["segmentation"] = SHAPES[0]
    told["annotations"][1]["segmentation"] = [list(range(400))]
    (tmp_path / "data/i.json").write_text(json.dumps(told))
    for number in range(4):
        Image.fromarray(picture(number)).save(tmp_path / "data" / f"{number}.png")
    monkeypatch.setattr("trainers.copying.beside.MOST_CELL", 200)
    seen = scanned(tmp_path / "data")
    applied = seen.apply(tmp_path / "copy", proposal())
    assert parts_lost(seen.dataset, scanned(tmp_path / "copy").dataset, applied) == ("outlines",)


def test_what_is_found_of_a_box_in_the_copy_is_found_of_the_same_box(tmp_path: Path) -> None:
    """Though a record before it left, and its file is another one there."""
    write_coco(tmp_path / "data")
    told = json.loads((tmp_path / "data/i.json").read_text())
    told["annotations"][-1]["bbox"] = [15, 15, 30, 30]
    told["annotations"].append({**told["annotations"][-1], "id": 99})
    (tmp_path / "data/i.json").write_text(json.dumps(told))
    for number in range(4):
        Image.fromarray(picture(number)).save(tmp_path / "data" / f"{number}.png")
    seen = scanned(tmp_path / "data", select=("LN006",))
    seen.apply(tmp_path / "copy", proposal(strategy="deduplicate", removed={"1.png": "twice"}), most_removed=1.0)
    after = scanned(tmp_path / "copy", select=("LN006",)).result
    before = {finding.fingerprint for finding in seen.result.findings}
    assert len(before) == 3
    assert {f.fingerprint for f in named_as(after, seen.result, files_of_boxes(seen.dataset)).findings} == before


def test_columns_of_a_table_beside_a_document_go_into_the_copy(tmp_path: Path) -> None:
    write_coco(tmp_path / "data")
    (tmp_path / "data/meta").mkdir()
    rows = "".join(f"{i}.png,p{i},{i * 3},{'ab'[i % 2]}\n" for i in range(4))
    (tmp_path / "data/meta/people.csv").write_text("image,patient_id,score,finding\n" + rows)
    for number in range(4):
        Image.fromarray(picture(number)).save(tmp_path / "data" / f"{number}.png")
    seen = scanned(tmp_path / "data")
    applied = seen.apply(tmp_path / "copy", proposal())
    copy = scanned(tmp_path / "copy").dataset
    assert parts_lost(seen.dataset, copy, applied) == ()
    for dataset in (seen.dataset, copy):
        assert dataset.metadata["table.score"].tolist() == [0, 3, 6, 9]
        assert dataset.records["patient"].tolist() == ["p0", "p1", "p2", "p3"]
        assert dataset.labels.values.tolist() == ["a", "b", "a", "b"]


@pytest.mark.parametrize("wide", [True, False])
def test_class_folders_follow_the_consensus_of_the_readings_beside_them(tmp_path: Path, wide: bool) -> None:
    """Readers of one mind, in a table that has no label of its own: a copy gets one, and keeps what they said."""
    paths = [f"{kind}/{number}.png" for number, kind in enumerate(("cyst", "mass") * 6)]
    for number, path in enumerate(paths):
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number)).save(tmp_path / "data" / path)
    said = {path: "mass" if i == 4 else path.partition("/")[0] for i, path in enumerate(paths)}
    rows = [(path, who, name) for path, name in said.items() for who in ("ann", "ben", "cid")]
    long = pd.DataFrame(rows, columns=["path", "reader", "finding"])
    table = long.pivot(index="path", columns="reader", values="finding").add_prefix("reader_").reset_index() if wide else long
    table.to_csv(tmp_path / "data" / "panel.csv", index=False)
    seen, source = scanned(tmp_path / "data"), snapshot(tmp_path / "data")
    assert seen.dataset.labels.values[paths[4]] == "cyst"
    applied = seen.apply(tmp_path / "copy", proposal(label(paths[4], "cyst", "mass"), strategy="consensus"))
    assert [entry.applied for entry in applied.entries] == [True]
    copy = scanned(tmp_path / "copy").dataset
    assert copy.labels.values.to_dict() == said
    assert sorted(copy.annotations["label"]) == sorted(long["finding"])
    assert parts_lost(seen.dataset, copy, applied) == ()
    undo(tmp_path / "copy")
    assert scanned(tmp_path / "copy").dataset.labels.values.to_dict() == seen.dataset.labels.values.to_dict()
    assert snapshot(tmp_path / "data") == source
