"""A worse copy: exactly as bad as asked, in its own form, the source untouched, the truth beside it."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import ndimage

import medaudit
from auditor.degrade.drawings import form_of, values_of
from auditor.degrade.flaws import Truth, read_truth
from auditor.values.errors import ConfigError

WORDS = {
    "missing": 0.5, "deform": 4, "simplify": 10, "boxes": True, "label_flips": ".2", "bit_depth": "ill=16",
    "mix_patients": 0.5, "near_copies": 0.2, "rater_noise": ".3", "fatigue": 0.5,
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def degraded(source: Path, output: Path, **options: object) -> tuple[Path, list[Truth]]:
    before = digests(source if source.is_dir() else source.parent)
    done = medaudit.degrade(source, output, workers=0, cache=False, **options)  # type: ignore[arg-type]
    assert digests(source if source.is_dir() else source.parent) == before
    return done.dataset, read_truth(done.truth)


def of_kind(rows: list[Truth], kind: str) -> list[Truth]:
    return [row for row in rows if row.kind == kind]


def pictures(folder: Path, count: int, seed: int = 0, side: int = 24) -> list[str]:
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(rng.integers(0, 255, (side, side)).astype(np.uint8)).save(folder / f"{number:03d}.png")
    return [f"{number:03d}.png" for number in range(count)]


def masked(root: Path, *, count: int = 12, numbered: bool = False) -> Path:
    """Pictures beside masks of many objects; of numbered ones some have a hole."""
    pictures(root / "images", count, side=128)
    (root / "masks").mkdir()
    for number in range(count):
        rng = np.random.default_rng(number)
        inside = ndimage.gaussian_filter(rng.standard_normal((128, 128)), 4) > 0.03
        values = ndimage.label(inside)[0].astype(np.uint16) if numbered else inside.astype(np.uint8) * 255
        Image.fromarray(values).save(root / "masks" / f"{number:03d}.png")
    return root


def table(root: Path, *, count: int = 60) -> Path:
    """A table of labels, patients, splits and sites beside its pictures."""
    names = pictures(root / "images", count)
    rows = ["file,finding,patient_id,split,site"]
    for number, name in enumerate(names):
        finding, split = "ill" if number % 3 else "well", "train" if number < 42 else "test"
        rows.append(f"images/{name},{finding},p{number // 3:02d},{split},s{number % 2}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


def classes(root: Path) -> Path:
    for name in ("ill", "well"):
        pictures(root / name, 30, seed=len(name))
    return root


def objects_in(folder: Path) -> int:
    return sum(int(ndimage.label(np.asarray(Image.open(path)) > 0)[1]) for path in sorted(folder.glob("*.png")))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_exactly_the_share_of_the_objects_leaves(tmp_path: Path, share: float) -> None:
    source = masked(tmp_path / "data")
    before = objects_in(source / "masks")
    home, rows = degraded(source, tmp_path / "worse", missing=share)
    assert before - objects_in(home / "masks") == len(of_kind(rows, "missing-object")) == round(before * share)
    one = of_kind(rows, "missing-object")[0]
    x0, y0, x1, y1 = map(int, one.old.split())
    name = Path(one.record).name
    old, new = (np.asarray(Image.open(root / "masks" / name)) for root in (source, home))
    assert (old[y0:y1, x0:x1] != new[y0:y1, x0:x1]).any()


@pytest.mark.parametrize("numbered", [False, True])
def test_rough_masks_keep_parts_holes_and_numbers_and_their_severity_is_their_dice(tmp_path: Path, numbered: bool) -> None:
    source = masked(tmp_path / "data", numbered=numbered)
    home, rows = degraded(source, tmp_path / "worse", deform=4, simplify=8)
    scores = []
    for path in sorted((source / "masks").glob("*.png")):
        old, new = (np.asarray(Image.open(root / "masks" / path.name)) for root in (source, home))
        assert old.dtype == new.dtype
        assert {v: form_of(old == v) for v in values_of(old)} == {v: form_of(new == v) for v in values_of(new)}
        scores.append(2 * ((old > 0) & (new > 0)).sum() / ((old > 0).sum() + (new > 0).sum()))
    (severity,) = of_kind(rows, "severity")
    assert float(severity.new) == pytest.approx(np.mean(scores), abs=1e-4)
    assert 0.5 < np.mean(scores) < 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    source = table(masked(tmp_path / "data", count=30).parent / "data2", count=60)
    for name in ("a", "b"):
        degraded(source, tmp_path / name, label_flips=".2", mix_patients=0.3, near_copies=0.1, bit_depth="ill=16", seed=3)
    degraded(source, tmp_path / "c", label_flips=".2", mix_patients=0.3, near_copies=0.1, bit_depth="ill=16", seed=4)
    assert digests(tmp_path / "a") == digests(tmp_path / "b") != digests(tmp_path / "c")
    for name in ("d", "e"):
        degraded(tmp_path / "data", tmp_path / name, missing=0.3, deform=5, simplify=10, boxes=True)
    assert digests(tmp_path / "d") == digests(tmp_path / "e")


@pytest.mark.parametrize("kind", ["", ":asym", ":site"])
@pytest.mark.parametrize("form", ["table", "folders"])
def test_exactly_the_share_of_the_labels_is_wrong(tmp_path: Path, form: str, kind: str) -> None:
    if form == "folders" and kind == ":site":
        pytest.skip("folders of classes have no sites")
    source = (table if form == "table" else classes)(tmp_path / "data")
    home, rows = degraded(source, tmp_path / "worse", label_flips=f".2{kind}")
    flips = of_kind(rows, "label-flip")
    assert len(flips) == 12
    old, new = medaudit.open_dataset(source).labels.values, medaudit.open_dataset(home).labels.values
    for flip in flips:
        assert new[flip.record] == flip.new != flip.old
    counts = Counter((flip.old, flip.new) for flip in flips)
    assert Counter(new) == Counter(old) - Counter(f.old for f in flips) + Counter(f.new for f in flips)
    assert set(counts) <= {("ill", "well"), ("well", "ill")}
    if form == "table":
        was, now = ((root / "labels.csv").read_text().splitlines() for root in (source, home))
        assert sum(a != b for a, b in zip(was, now, strict=True)) == 12


def test_noise_by_difficulty_takes_the_border_first(tmp_path: Path) -> None:
    root = tmp_path / "data"
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(-1, 1, 32), (32, 1))
    for name, sign in (("scar", -1), ("nodule", 1)):
        (root / name).mkdir(parents=True)
        for number in range(40):
            strength = 80 * sign if number % 4 else 0
            picture = (125 + strength * ramp + rng.normal(0, 6, (32, 32))).clip(0, 255).astype(np.uint8)
            Image.fromarray(picture).save(root / name / f"{number:02d}.png")
    _, rows = degraded(root, tmp_path / "worse", label_flips=".15:instance")
    flips = of_kind(rows, "label-flip")
    assert len(flips) == 12
    border = sum(int(Path(flip.record).stem[:2]) % 4 == 0 for flip in flips)
    assert border >= 9  # a quarter of the records lie there: by lot 3


def test_patients_stand_in_two_splits_and_are_not_named(tmp_path: Path) -> None:
    source = table(tmp_path / "data")
    home, rows = degraded(source, tmp_path / "worse", mix_patients=0.5)
    mixed = of_kind(rows, "patient-across-splits")
    found = medaudit.open_dataset(home).records
    crossing = found.groupby("patient")["split"].nunique()
    assert (crossing > 1).sum() == len(mixed) == 10
    assert not any(part.startswith("p") and part[1:].isdigit() for row in mixed for part in (row.detail, row.old, row.new))


def test_a_class_is_stored_in_another_depth_with_the_same_picture(tmp_path: Path) -> None:
    source = table(tmp_path / "data")
    home, rows = degraded(source, tmp_path / "worse", bit_depth="ill=16")
    labels = medaudit.open_dataset(source).labels.values
    assert {row.record for row in of_kind(rows, "bit-depth")} == set(labels.index[labels == "ill"])
    for record, label in labels.items():
        old, new = (np.asarray(Image.open(root / str(record))) for root in (source, home))
        assert np.array_equal(new, old.astype(np.uint16) * 257 if label == "ill" else old)


def test_near_copies_are_rows_of_their_own_in_another_split(tmp_path: Path) -> None:
    source = table(tmp_path / "data")
    home, rows = degraded(source, tmp_path / "worse", near_copies=0.1)
    found = medaudit.open_dataset(home)
    copies = of_kind(rows, "near-copy")
    assert len(copies) == 6
    assert found.size == 66
    for row in copies:
        assert found.records.at[row.new, "split"] != found.records.at[row.old, "split"]
        assert found.labels.values[row.new] == found.labels.values[row.old]
        assert (home / row.new).is_file()


def test_readers_are_wrong_in_exactly_their_share_and_the_tired_ones_at_the_end(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    rows = [(f"case{i:03d}", f"reader_{r}", "yes" if i % 2 else "no") for r in range(4) for i in range(200)]
    with (root / "readings.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("case", "rater", "answer"), *rows])
    home, truth = degraded(root / "readings.csv", tmp_path / "worse", rater_noise="reader_2=.3", rater="rater", label="answer")
    old, new = pd.read_csv(root / "readings.csv"), pd.read_csv(home)
    wrong = (old["answer"] != new["answer"]).groupby(old["rater"]).sum()
    assert wrong.to_dict() == {"reader_0": 0, "reader_1": 0, "reader_2": 60, "reader_3": 0}
    assert [row.new for row in of_kind(truth, "poor-rater")] == ["reader_2"]
    home, truth = degraded(root / "readings.csv", tmp_path / "tired", fatigue=0.6, rater="rater", label="answer")
    wrong = old["answer"] != pd.read_csv(home)["answer"]
    place = old.groupby("rater").cumcount()
    early, late = wrong[place < 50].mean(), wrong[place >= 150].mean()
    assert wrong.sum() == len(of_kind(truth, "misread-late"))
    assert early < 0.15 < 0.4 < late  # .075 and .525 are expected


def voc(root: Path) -> Path:
    pictures(root / "JPEGImages", 10, side=100)
    (root / "Annotations").mkdir()
    for number in range(10):
        objects = "".join(
            f"<object><name>{'cell' if k % 2 else 'dot'}</name><bndbox><xmin>{10 + 20 * k}</xmin><ymin>10</ymin>"
            f"<xmax>{25 + 20 * k}</xmax><ymax>40</ymax></bndbox></object>"
            for k in range(4)
        )
        text = f"<annotation><filename>{number:03d}.png</filename>{objects}</annotation>"
        (root / "Annotations" / f"{number:03d}.xml").write_text(text)
    return root


def coco(root: Path) -> Path:
    names = pictures(root / "images", 10, side=100)
    images = [{"id": i, "file_name": name, "width": 100, "height": 100} for i, name in enumerate(names)]
    boxes = [
        {"id": 4 * i + k, "image_id": i, "category_id": 1 + k % 2, "bbox": [10 + 20 * k, 10, 15, 30], "area": 450}
        for i in range(10)
        for k in range(4)
    ]
    categories = [{"id": 1, "name": "dot"}, {"id": 2, "name": "cell"}]
    (root / "instances.json").write_text(json.dumps({"images": images, "annotations": boxes, "categories": categories}))
    return root


def yolo(root: Path) -> Path:
    names = pictures(root / "images", 10, side=100)
    (root / "labels").mkdir()
    (root / "classes.txt").write_text("dot\ncell\n")
    for name in names:
        lines = [f"{k % 2} {(17.5 + 20 * k) / 100} 0.25 0.15 0.3" for k in range(4)]
        (root / "labels" / name.replace(".png", ".txt")).write_text("\n".join(lines) + "\n")
    return root


def box_table(root: Path) -> Path:
    names = pictures(root / "images", 10, side=100)
    rows = [f"images/{n},{'cell' if k % 2 else 'dot'},{10 + 20 * k},10,{25 + 20 * k},40" for n in names for k in range(4)]
    (root / "boxes.csv").write_text("\n".join(["filename,class,xmin,ymin,xmax,ymax", *rows]) + "\n")
    return root


@pytest.mark.parametrize("make", [voc, coco, yolo, box_table])
def test_boxes_leave_move_and_change_class_exactly_as_told(tmp_path: Path, make) -> None:
    source = make(tmp_path / "data")
    before = medaudit.open_dataset(source).boxes
    assert len(before) == 40
    flips = {} if medaudit.open_dataset(source).labels.task != "none" else {"label_flips": ".2"}
    home, rows = degraded(source, tmp_path / "worse", missing=0.25, deform=5, **flips)
    after = medaudit.open_dataset(home).boxes
    assert len(after) == 30
    key = ["record", "label", "x0", "y0", "x1", "y1"]

    def table_of(boxes: pd.DataFrame) -> Counter:
        return Counter(map(tuple, boxes[key].round(3).to_numpy().tolist()))

    wanted = {(b.record, *(round(v, 3) for v in (b.x0, b.y0, b.x1, b.y1))): b.label for b in before.itertuples()}

    def place(record: str, text: str) -> tuple:
        return (record, *(round(float(v), 3) for v in text.split()))

    for row in of_kind(rows, "box-flip"):
        assert wanted[place(row.record, row.detail)] == row.old
        wanted[place(row.record, row.detail)] = row.new
    for row in of_kind(rows, "missing-box"):
        del wanted[place(row.record, row.old)]
    moved = dict(wanted)
    for row in of_kind(rows, "box-deformed"):
        moved[place(row.record, row.new)] = moved.pop(place(row.record, row.old))
    assert table_of(after) == Counter((k[0], label, *k[1:]) for k, label in moved.items())
    assert ((after["x0"] >= 0) & (after["y0"] >= 0) & (after["x1"] <= 100) & (after["y1"] <= 100)).all()
    if flips:
        assert len(of_kind(rows, "box-flip")) == 6


def test_the_xml_is_read_as_before(tmp_path: Path) -> None:
    home, _ = degraded(voc(tmp_path / "data"), tmp_path / "worse", missing=0.5)
    for path in (home / "Annotations").glob("*.xml"):
        assert ElementTree.parse(path).getroot().findtext("filename") == f"{path.stem}.png"


def test_labels_in_arrays_are_flipped_without_leaving_the_old_ones(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (50, 1)).astype(np.uint8)
    (tmp_path / "data").mkdir()
    arrays = {"train_images": rng.integers(0, 255, (50, 28, 28)).astype(np.uint8), "train_labels": labels}
    np.savez(tmp_path / "data" / "set.npz", **arrays)
    home, rows = degraded(tmp_path / "data" / "set.npz", tmp_path / "worse", label_flips=".2")
    with np.load(home) as found:
        assert sorted(found) == ["train_images", "train_labels"]
        assert (found["train_labels"] != labels).sum() == len(of_kind(rows, "label-flip")) == 10


@pytest.mark.parametrize("word", WORDS)
def test_what_a_dataset_lacks_is_told_in_one_line_and_nothing_is_written(tmp_path: Path, word: str) -> None:
    pictures(tmp_path / "data", 20)
    source = tmp_path / "data"
    if word == "near_copies":  # pictures are all that it needs
        source = source / "labels.csv"
        source.write_text("id,finding\n" + "".join(f"a{i},{'ill' if i % 2 else 'well'}\n" for i in range(20)))
    with pytest.raises(ConfigError) as told:
        medaudit.degrade(source, tmp_path / "worse", workers=0, cache=False, **{word: WORDS[word]})
    assert "\n" not in str(told.value)
    assert not (tmp_path / "worse").exists()
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("cache")) == ["data"]


def test_the_folder_must_be_new_and_something_must_be_asked(tmp_path: Path) -> None:
    source = classes(tmp_path / "data")
    (tmp_path / "worse").mkdir()
    with pytest.raises(ConfigError, match="already"):
        medaudit.degrade(source, tmp_path / "worse", label_flips=".2")
    with pytest.raises(ConfigError, match="nothing to do"):
        medaudit.degrade(source, tmp_path / "other")
    with pytest.raises(ConfigError, match="become part of it"):
        medaudit.degrade(source, source / "worse", label_flips=".2")


def test_a_step_that_fails_after_others_leaves_nothing(tmp_path: Path) -> None:
    source = classes(tmp_path / "data")
    with pytest.raises(ConfigError, match="patients and splits"):
        medaudit.degrade(source, tmp_path / "worse", workers=0, cache=False, label_flips=".2", mix_patients=0.2)
    assert not (tmp_path / "worse").exists()


@pytest.mark.parametrize(
    ("word", "value"),
    [("missing", 0), ("missing", 1.2), ("deform", -1), ("simplify", 1), ("label_flips", ".2:odd"), ("label_flips", "x"),
     ("bit_depth", "ill"), ("bit_depth", "ill=12"), ("rater_noise", "a=2"), ("fatigue", True)],
)  # fmt: skip
def test_a_wrong_amount_is_told_by_its_word(tmp_path: Path, word: str, value: object) -> None:
    with pytest.raises(ConfigError, match=word):
        medaudit.degrade(classes(tmp_path / "data"), tmp_path / "worse", **{word: value})
