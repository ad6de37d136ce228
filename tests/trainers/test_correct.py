"""Strategies are composed: what a network learns is what the copy holds."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.plan import plan_for
from auditor.scan import linked_dataset
from auditor.values.dataset import Dataset
from trainers.attempt import Order
from trainers.correct import unsure
from trainers.decoding.pictures import read_pictures
from trainers.fix import Fixed, fix
from trainers.values.recipe import Recipe

PATIENTS, SIDE = 40, 16


def written(root: Path) -> Path:
    """Two classes in two containers; every patient has two pictures, some in both splits; some pictures are there twice."""
    rng = np.random.default_rng(4)
    rows = ["path,label,patient,split"]

    def save(name: str, picture: np.ndarray, label: str, patient: int, split: str) -> None:
        Image.fromarray(picture).save(root / name, **({"quality": 95} if name.endswith("jpg") else {}))
        rows.append(f"{name},{label},P{patient:03d},{split}")

    root.mkdir()
    for patient in range(PATIENTS):
        label = "ab"[patient % 2]
        for visit in range(2):
            split = "test" if patient % 4 == 0 or (patient < 8 and visit) else "train"
            picture = rng.normal(90, 30, (SIDE, SIDE))
            picture[:, : SIDE // 2] += 90 * (label == "a")
            name = f"{label}-{patient}-{visit}" + (".png" if label == "a" else ".jpg")
            pixels = np.clip(picture, 0, 255).astype(np.uint8)
            save(name, pixels, label, patient, split)
            if patient in (21, 22) and visit == 0:
                save(f"again-{name}", pixels, label, patient, split)
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


def digests(dataset: Dataset, array: np.ndarray) -> dict[str, tuple[str, str]]:
    """Path → digest of the picture as a network is shown it, and the label."""
    found = zip(dataset.records["path"].astype(str), array[: dataset.size], dataset.labels.values, strict=True)
    return {path: (hashlib.sha256(picture.tobytes()).hexdigest(), str(label)) for path, picture, label in found}


def test_what_a_network_learns_is_what_the_copy_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainers.engine.bench.automatic", lambda *_: Recipe(epochs=2, batch=16, width=4))
    root, output = written(tmp_path / "data"), tmp_path / "medaudit-out" / "fixed"
    order = Order(strategies=("robust", "harmonise", "deduplicate", "resplit"), seeds=1, device="cpu")
    fixed: Fixed = fix(
        order, plan_for(root, workers=1, cache=False), output, work=tmp_path / "work", render=lambda _: {}
    )  # fmt: skip
    assert [a.strategy.name for a in fixed.corrected.attempts] == ["harmonise", "deduplicate", "resplit", "robust"]
    robust = fixed.corrected.attempts[-1]
    assert (robust.skipped, len(robust.fits)) == ("", 1)
    bench, trust = robust.bench, fixed.corrected.trust
    assert bench is not None
    assert trust is not None
    examples = bench.examples()
    records = bench.dataset.records.index

    copy = linked_dataset(plan_for(output, config=output / "medaudit.toml", workers=1, cache=False))
    held = digests(copy, read_pictures(copy, work=tmp_path / "copy", most=64, workers=1).array)
    splits = dict(zip(copy.records["path"].astype(str), copy.records["split"].astype(str), strict=True))
    changed = [a.proposal for a in fixed.corrected.attempts[:3] if a.proposal is not None]
    assert [bool(p.files or p.removed or p.corrections) for p in changed] == [True, True, True]
    assert "task_survives" in changed[0].metrics, "old and new files were compared"
    assert copy.size < fixed.corrected.dataset.size, "copies left"
    assert set(splits.values()) == {"train", "test"}
    assert set(map(str, bench.view.dataset.records["split"])) == {"train", "test"}

    named = {str(r): bench.view.names[str(r)] for r in records}
    learnt = {named[str(records[row])]: row for row in examples.rows}
    shown = {
        path: (
            hashlib.sha256(bench.pictures.array[row].tobytes()).hexdigest(),
            bench.task.classes[int(examples.targets[i].argmax())],
        )
        for i, (path, row) in enumerate(learnt.items())
    }
    assert shown == {path: held[path] for path in learnt}
    out_of_training = {named[str(r)] for r in records[trust.validation | trust.evaluation]}
    kin = set(copy.records["patient"][copy.records["path"].isin(out_of_training)])
    free = {p for p, who in zip(copy.records["path"], copy.records["patient"], strict=True) if who not in kin}
    assert set(learnt) == {path for path in free if splits[path] == "train"}
    assert all(splits[named[str(r)]] == "test" for r in records[trust.evaluation]), "what evaluates is the new test split"


def test_nothing_is_corrected_where_the_labels_are_a_doubtful_guess_that_nobody_pinned(tmp_path):
    rng = np.random.default_rng(3)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for patient in (13, 571, 2044, 8121, 9004):
            Image.fromarray(rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)).save(tmp_path / folder / f"{patient}.png")
    doubtful = Options(workers=0)
    reason = unsure(open_dataset(tmp_path, doubtful), doubtful)
    assert "--layout folders" in reason
    for pinned in (Options(workers=0, layout="folders"), Options(workers=0, roles={"label": "folder:1"})):
        assert unsure(open_dataset(tmp_path, pinned), pinned) == ""
