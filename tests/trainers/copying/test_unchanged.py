"""A copy in which nothing was corrected: the second scan finds what the first found, under the same names, in any layout."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from copies import Scanned, picture, scanned
from PIL import Image

from auditor.plan import plan_for
from auditor.scan import examine
from auditor.values.corrections import Proposal
from reports.compare import Matched, matched
from trainers.second_scan import looked_at, under_old_names

CHECKS = ("IN", "SZ", "SP", "LK003")


def save(path: Path, number: int, *, mask: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((picture(number) > 127).astype(np.uint8) if mask else picture(number)).save(path)


def class_folders(root: Path) -> None:
    for number in range(24):
        save(root / "ab"[number % 2] / f"{number:02d}.png", number)


def split_and_class(root: Path) -> None:
    for number in range(24):
        save(root / ("train", "test")[number > 15] / "ab"[number % 2] / f"patient{number // 2:02d}_{number}.png", number)


def coco(root: Path) -> None:
    for number in range(8):
        save(root / f"images/{number}.png", number)
    tags = [{"id": n, "image_id": n, "category_id": 1 + n % 2} for n in range(8)]
    told = {"images": [{"id": n, "file_name": f"{n}.png"} for n in range(8)], "annotations": tags}
    told["categories"] = [{"id": 1, "name": "cell"}, {"id": 2, "name": "spot"}]
    (root / "i.json").write_text(json.dumps(told))


def yolo(root: Path) -> None:
    for number in range(8):
        save(root / f"{('train', 'val')[number > 5]}/images/{number}.png", number)
        text = root / f"{('train', 'val')[number > 5]}/labels/{number}.txt"
        text.parent.mkdir(exist_ok=True)
        text.write_text("0 0.5 0.5 0.25 0.5\n")
    (root / "data.yaml").write_text("train: train/images\nval: val/images\nnames: [cell]\n")


def bids(root: Path) -> None:
    for number in range(1, 9):
        save(root / f"sub-{number:02d}/anat/sub-{number:02d}_T1w.png", number)
    rows = "".join(f"sub-{n:02d}\t{30 + n}\t{('control', 'patient')[n % 2]}\n" for n in range(1, 9))
    (root / "participants.tsv").write_text("participant_id\tage\tgroup\n" + rows)


def arrays(root: Path) -> None:
    images = {
        f"{split}_images": np.stack([picture(n + start) for n in range(4)]) for split, start in (("train", 0), ("test", 4))
    }
    np.savez(root / "m.npz", **images, train_labels=np.arange(4)[:, None] % 2, test_labels=np.arange(4)[:, None] % 2)


def table(root: Path) -> None:
    for number in range(12):
        save(root / f"images/{number}.png", number)
        save(root / f"masks/{number}.png", number, mask=True)
    (root / "labels.csv").write_text(
        "image,patient_id,finding\n" + "".join(f"{n}.png,p{n // 2},{'ab'[n % 2]}\n" for n in range(12))
    )


def brats(root: Path) -> None:
    for case in range(6):
        for place, tail in enumerate(("t1", "t2", "seg")):
            save(root / f"BraTS_{case:03d}/BraTS_{case:03d}_{tail}.png", 10 * case + place, mask=tail == "seg")


def nnunet(root: Path) -> None:
    for case in range(6):
        for channel in range(2):
            save(root / f"imagesTr/case{case}_{channel:04d}.png", 10 * case + channel)
        save(root / f"labelsTr/case{case}.png", case, mask=True)
    told = {"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "liver": 1}, "numTraining": 6}
    (root / "dataset.json").write_text(json.dumps(told))


def compared(seen: Scanned, copy: Path, *proposals: Proposal, **options: object) -> Matched:
    """The findings of the dataset beside those of its copy, as `medaudit fix` compares them."""
    applied = seen.apply(copy, *proposals, **options)
    after = examine(plan_for(copy, config=copy / "medaudit.toml", select=CHECKS, workers=0, cache=False))
    return matched(seen.result, under_old_names(after.result, {}), looked_at(seen.dataset, after.dataset, applied))


@pytest.mark.parametrize(
    "build", [class_folders, split_and_class, coco, yolo, bids, arrays, table, brats, nnunet], ids=lambda f: f.__name__
)
def test_an_unchanged_copy_fixes_and_introduces_nothing(build: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    build(tmp_path / "data")
    seen = scanned(tmp_path / "data", CHECKS)
    found = compared(seen, tmp_path / "copy")
    told = {
        state: [(f.code, f.where, f.subject) for f in getattr(found, state)] for state in ("fixed", "introduced", "unclear")
    }
    assert told == {"fixed": [], "introduced": [], "unclear": []}
    assert len(found.remaining) == len(seen.result.findings)


@pytest.mark.parametrize(("build", "name"), [(brats, "BraTS_002/BraTS_002_t2.png"), (nnunet, "imagesTr/case2_0001.png")])
def test_an_error_in_a_further_file_of_a_record_is_still_there_in_the_copy(
    build: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    build(tmp_path / "data")
    (tmp_path / "data" / name).write_bytes(b"\x89PNG\r\n\x1a\n broken")
    seen = scanned(tmp_path / "data", CHECKS)
    (broken,) = [f for f in seen.result.findings if f.where.path == name]
    found = compared(seen, tmp_path / "copy")
    assert broken.fingerprint in {f.fingerprint for f in found.remaining}
    assert found.fixed == found.introduced == found.unclear == ()
    # and in a copy whose images were written anew, where all files of a record are brought along
    first = next(iter(seen.dataset.records["path"]))
    anew = Proposal(strategy="harmonise", files={first: str(tmp_path / "data" / first)}, summary="")
    found = compared(seen, tmp_path / "anew", anew)
    assert broken.fingerprint in {f.fingerprint for f in found.remaining}
    assert (tmp_path / "anew/images" / name).read_bytes() == (tmp_path / "data" / name).read_bytes()


def test_what_is_gone_from_a_file_that_nobody_looked_at_again_is_unclear(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    nnunet(tmp_path / "data")
    (tmp_path / "data/imagesTr/case2_0001.png").unlink()  # told by the layout alone: the copy's table has an empty cell there
    seen = scanned(tmp_path / "data", CHECKS)
    missing = [f for f in seen.result.findings if f.code == "IN002"]
    assert missing
    found = compared(seen, tmp_path / "copy")
    assert found.fixed == ()
    assert {f.fingerprint for f in missing} <= {f.fingerprint for f in (*found.unclear, *found.remaining)}
    # what left with its record is gone on purpose
    record = missing[0].where.record or ""
    removal = Proposal(strategy="deduplicate", removed={record: "a copy"}, summary="")
    removed = compared(seen, tmp_path / "less", removal, most_removed=1.0)
    assert {f.fingerprint for f in missing} <= {f.fingerprint for f in removed.fixed}


def test_a_waiver_of_the_dataset_still_fits_in_the_copy(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    class_folders(tmp_path / "data")
    (tmp_path / "data/medaudit.toml").write_text(
        '[[waivers]]\ncode = "SZ001"\nfield = "class folder"\nreason = "few"\n[checks.SZ001]\nmin_patients = 50\n'
    )
    seen = scanned(tmp_path / "data", CHECKS)
    found = compared(seen, tmp_path / "copy")
    assert found.fixed == found.introduced == ()
    assert [f.waived for f in found.remaining if f.code == "SZ001"] == ["few", "few"]
