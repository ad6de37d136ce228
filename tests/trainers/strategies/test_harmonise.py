from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest
from builders import make_dataset
from PIL import Image
from scipy.ndimage import gaussian_filter

from auditor.degrade.encode import write_image
from auditor.plan import plan_for
from auditor.scan import Examined, examine
from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from auditor.values.results import DatasetSummary, Gate, ScanResult, Severity
from trainers.copying.apply import apply
from trainers.strategies.harmonise import Harmonise
from trainers.strategy import Case, NotApplicable
from trainers.values.trust import Trust


def seen_in(folder: Path) -> Examined:
    return examine(plan_for(folder, select=["LK001", "LK003"], workers=0, cache=False), provide={"links"})


def nobody(dataset: Dataset) -> Trust:
    none = np.zeros(dataset.size, np.bool_)
    return Trust(trusted=none, validation=none, evaluation=none, training=~none, origin="nobody", self_graded=True)


def texture(seed: int, side: int = 64) -> np.ndarray[Any, Any]:
    """0–1, float."""
    rng = np.random.default_rng(seed)
    shapes = gaussian_filter(rng.normal(size=(side, side)), 5)
    shapes = (shapes - shapes.min()) / np.ptp(shapes)
    return np.clip(0.05 + 0.8 * shapes + rng.normal(0, 0.02, shapes.shape), 0, 1)


def case_of(seen: Examined, work: Path) -> Case:
    return Case(dataset=seen.dataset, result=seen.result, trust=nobody(seen.dataset), bench=None, work=work)  # type: ignore[arg-type]


def built_case(dataset: Dataset, work: Path) -> Case:
    summary = DatasetSummary(name="x", layout="table", task="single", classes=(), counts={}, guesses=())
    gate = Gate(verdict="passed", exit_code=0, fail_on="error")
    result = ScanResult(schema_version=1, tool_version="", dataset=summary, records=0, outcomes=(), gate=gate)
    return Case(dataset=dataset, result=result, trust=nobody(dataset), bench=None, work=work)  # type: ignore[arg-type]


def leaky(root: Path, kinds: Mapping[str, str], count: int = 20, **tags: Any) -> None:
    """Class folders whose files are written in another way for each class, and called in another way too."""
    for number in range(count * len(kinds)):
        name = list(kinds)[number % len(kinds)]
        kind = kinds[name]
        suffix = ".dcm" if kind.startswith("dicom") else ".png"
        (root / name).mkdir(parents=True, exist_ok=True)
        stem = f"{name[0] * (3 + len(name))}{number:03d}"
        own = tags if kind.startswith("dicom") else None
        write_image(root / name / f"{stem}{suffix}", texture(number), kind, seed=number, tags=own)


def fields_that_vary(seen: Examined) -> set[str]:
    frame = seen.dataset.metadata
    return {str(c) for c in frame.columns if c.split(".")[0] in ("container", "path") and frame[c].nunique(dropna=False) > 1}


def test_depth_and_container_that_tell_the_class_are_constant_in_the_copy(tmp_path: Path) -> None:
    leaky(tmp_path / "data", {"ill": "dicom12", "well": "png8"})
    before = seen_in(tmp_path / "data")
    told = {f.where.field: f.score for f in before.result.findings if f.code == "LK001"}
    assert told["container.bit_depth"] == 1.0
    assert any(f.code == "LK003" for f in before.result.findings)
    proposal = Harmonise().propose(case_of(before, tmp_path / "work"))
    assert proposal.metrics["depth_bits"] == 8
    assert proposal.metrics["residual_shortcut"] is False
    apply(before.dataset, [proposal], tmp_path / "copy", target=tmp_path / "data")
    after = seen_in(tmp_path / "copy")
    assert after.dataset.size == before.dataset.size
    assert after.dataset.labels.values.value_counts().to_dict() == {"ill": 20, "well": 20}
    assert fields_that_vary(after) == set()
    assert [f for f in after.result.findings if f.code in ("LK001", "LK003")] == []


def test_pixels_are_those_of_the_source_by_declared_depth(tmp_path: Path) -> None:
    leaky(tmp_path / "data", {"ill": "dicom12", "well": "png8"}, PhotometricInterpretation="MONOCHROME1")
    proposal = Harmonise().propose(case_of(seen_in(tmp_path / "data"), tmp_path / "work"))
    for correction in proposal.corrections:
        number = int(correction.old[-7:-4])
        ill = correction.old.startswith("ill/")
        with Image.open(proposal.files[correction.new]) as image:
            new = np.asarray(image).astype(float)
        wanted = 1 - texture(number) if ill else texture(number)
        assert np.abs(new - wanted * 255).max() <= 0.6  # one rounding, or two for the deeper file


def test_names_tell_nothing_and_come_in_random_order(tmp_path: Path) -> None:
    leaky(tmp_path / "data", {"ill": "png16", "well": "png8"})
    proposal = Harmonise().propose(case_of(seen_in(tmp_path / "data"), tmp_path / "work"))
    new = [c.new for c in proposal.corrections]
    assert sorted(new) == [f"{i:02d}.png" for i in range(40)]
    assert new != sorted(new)
    ill = np.array([int(c.new[:2]) for c in proposal.corrections if c.old.startswith("ill")])
    assert 10 < ill.mean() < 30
    assert all(c.field == "path" and c.safe and c.code == "LK001" for c in proposal.corrections)
    assert set(proposal.files) == set(new)


def test_a_second_run_writes_the_same_and_reads_its_own_files_again(tmp_path: Path) -> None:
    leaky(tmp_path / "data", {"ill": "png16", "well": "png8"}, count=3)
    case = case_of(seen_in(tmp_path / "data"), tmp_path / "work")
    first = Harmonise().propose(case)
    stamps = {f: Path(f).stat().st_mtime_ns for f in first.files.values()}
    second = Harmonise().propose(case)
    assert second == first
    assert {f: Path(f).stat().st_mtime_ns for f in second.files.values()} == stamps


@pytest.mark.slow
def test_workers_give_the_same_files(tmp_path: Path) -> None:
    leaky(tmp_path / "data", {"ill": "png16", "well": "png8"}, count=10)
    seen = seen_in(tmp_path / "data")
    alone = Harmonise(workers=0).propose(case_of(seen, tmp_path / "a"))
    crew = Harmonise(workers=2).propose(case_of(seen, tmp_path / "b"))
    assert crew.metrics == alone.metrics
    assert crew.corrections == alone.corrections
    assert [Path(f).read_bytes() for f in crew.files.values()] == [Path(f).read_bytes() for f in alone.files.values()]


def test_unreadable_files_are_left_out_with_the_reason(tmp_path: Path) -> None:
    leaky(tmp_path / "data", {"ill": "png16", "well": "png8"}, count=6)
    broken = next((tmp_path / "data/ill").iterdir())
    broken.write_bytes(broken.read_bytes()[:200])
    proposal = Harmonise().propose(case_of(seen_in(tmp_path / "data"), tmp_path / "work"))
    assert list(proposal.removed) == [f"ill/{broken.name}"]
    assert "cannot be read" in proposal.removed[f"ill/{broken.name}"]
    assert len(proposal.files) == 11
    assert proposal.metrics["records_left_out"] == 1


def test_grey_and_colour_pictures_share_three_channels(tmp_path: Path) -> None:
    for i in range(6):
        (tmp_path / "data/x").mkdir(parents=True, exist_ok=True)
        array = (texture(i) * 255).astype(np.uint8)
        colour = np.stack([array, array, array // 2], axis=2)
        write_image(tmp_path / f"data/x/{i}.png", colour if i == 0 else array, "png8")
    proposal = Harmonise().propose(case_of(seen_in(tmp_path / "data"), tmp_path / "work"))
    assert shapes(proposal) == {(64, 64, 3)}
    assert any("grey" in note for note in proposal.notes)
    gray = Harmonise(colour="grey").propose(case_of(seen_in(tmp_path / "data"), tmp_path / "work"))
    assert shapes(gray) == {(64, 64)}


def shapes(proposal: Proposal) -> set[tuple[int, ...]]:
    """Shapes of the new pictures."""
    found = set()
    for file in proposal.files.values():
        with Image.open(file) as image:
            found.add(np.asarray(image).shape)
    return found


def test_sizes_become_one_where_they_tell_the_class(tmp_path: Path) -> None:
    for i in range(40):
        name = ("ill", "well")[i % 2]
        (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / "data" / name / f"{i}.png", texture(i, 48 if i % 2 else 64), "png8")
    seen = seen_in(tmp_path / "data")
    assert any(f.where.field in ("container.width", "container.height") for f in seen.result.findings)
    case = case_of(seen, tmp_path / "work")
    assert shapes(Harmonise().propose(case)) == {(48, 48)}
    assert shapes(Harmonise(size="pad").propose(case)) == {(64, 64)}
    assert shapes(Harmonise(size="keep").propose(case)) == {(48, 48), (64, 64)}


def test_sizes_that_tell_the_class_as_plainly_as_the_depth_become_one_too(tmp_path: Path) -> None:
    for i in range(60):
        name = ("ill", "well")[i % 2]
        (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / "data" / name / f"{i}.png", texture(i, 48 if i % 2 else 64), "png8" if i % 2 else "png16")
    seen = seen_in(tmp_path / "data")
    assert [f.where.field for f in seen.result.findings if f.severity is not Severity.INFO] == ["container.bit_depth"]
    proposal = Harmonise().propose(case_of(seen, tmp_path / "work"))
    assert shapes(proposal) == {(48, 48)}
    apply(seen.dataset, [proposal], tmp_path / "copy", target=tmp_path / "data")
    left = [f.where.field for f in seen_in(tmp_path / "copy").result.findings if f.severity is not Severity.INFO]
    assert left == []


def test_sizes_are_kept_under_masks(tmp_path: Path) -> None:
    for i in range(4):
        write_image(tmp_path / f"{i}.png", texture(i, 32 + 8 * (i % 2)), "png8")
    dataset = make_dataset(
        labels=list("abab"), paths=[f"{i}.png" for i in range(4)], root=tmp_path, columns={"mask": ["m.png"] * 4}
    )
    proposal = Harmonise(size="resize").propose(built_case(dataset, tmp_path / "work"))
    assert shapes(proposal) == {(32, 32), (40, 40)}
    assert any("masks" in note for note in proposal.notes)


@pytest.mark.parametrize("masks", [True, False])
def test_volumes_stay_where_they_lie_under_masks_and_say_nothing_else(tmp_path: Path, masks: bool) -> None:
    placed = np.array([[0.0, -0.7, 0, 12], [0.7, 0, 0, -30], [0, 0, 2.5, 8], [0, 0, 0, 1]])
    for i in range(3):
        volume = np.random.default_rng(i).integers(0, 900, (9, 8, 5)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(volume, placed), tmp_path / f"{i}.nii.gz")
    dataset = make_dataset(
        labels=list("aba"), paths=[f"{i}.nii.gz" for i in range(3)], root=tmp_path,
        columns={"mask": ["m.nii.gz"] * 3} if masks else None,
    )  # fmt: skip
    proposal = Harmonise().propose(built_case(dataset, tmp_path / "work"))
    for file in proposal.files.values():
        image = nibabel.load(file)
        assert image.shape == (9, 8, 5)
        assert np.allclose(image.affine, placed if masks else np.eye(4), atol=1e-6)
        assert np.allclose(image.header.get_zooms(), (0.7, 0.7, 2.5) if masks else (1, 1, 1))


def test_a_class_that_was_jpeg_once_is_told_after_writing_alike(tmp_path: Path) -> None:
    for i in range(30):
        name = ("ill", "well")[i % 2]
        (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
        array = Image.fromarray((texture(i, 128) * 255).astype(np.uint8))
        if i % 2:
            array.save(tmp_path / "data" / name / f"{i}.png")
        else:
            array.save(tmp_path / "data" / name / f"{i}.jpg", quality=90)
    proposal = Harmonise().propose(case_of(seen_in(tmp_path / "data"), tmp_path / "work"))
    assert proposal.metrics["residual_shortcut"] is True
    assert "A residual shortcut is left" in proposal.summary
    assert "encoding_traces" in [table.name for table in proposal.tables]


def test_images_in_one_array_are_alike_already(tmp_path: Path) -> None:
    dataset = make_dataset(labels=list("ab"), paths=["a.npz"] * 2, root=tmp_path, columns={"item": ["x:0", "x:1"]})
    with pytest.raises(NotApplicable, match="one array"):
        Harmonise().propose(built_case(dataset, tmp_path))


def test_records_of_several_files_are_left_alone(tmp_path: Path) -> None:
    dataset = make_dataset(labels=list("ab"), paths=["a-t1.nii", "b-t1.nii"], root=tmp_path)
    channels = pd.DataFrame({"record": list("ab"), "name": ["t1", "t2"], "path": ["a-t1.nii", "a-t2.nii"]})
    with pytest.raises(NotApplicable, match=r"several files here \(t1, t2\)"):
        Harmonise().propose(built_case(replace(dataset, channels=channels), tmp_path))


def test_nothing_readable_is_not_applicable(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(NotApplicable, match="none of the files"):
        Harmonise().propose(built_case(make_dataset(labels=["a"], paths=["a.png"], root=tmp_path), tmp_path / "work"))


def test_mixed_sizes_keep_their_proportions_and_the_summary_says_what_was_lost(tmp_path: Path) -> None:
    for i in range(40):
        name = ("ill", "well")[i % 2]
        (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
        whole = texture(i, 96 if i % 2 else 64)
        write_image(tmp_path / "data" / name / f"{i}.png", whole[: whole.shape[0] * 3 // 4], "png8")
    seen = seen_in(tmp_path / "data")
    proposal = Harmonise().propose(case_of(seen, tmp_path / "work"))
    assert shapes(proposal) == {(48, 64)}
    assert "Sizes were 48 × 64 to 72 × 96, median 60 × 80 (height × width) and are 48 × 64" in proposal.summary
    assert "proportions kept" in proposal.summary
    assert proposal.metrics["pixels_lost_fraction"] == pytest.approx(1 - 2 * 48 * 64 / (48 * 64 + 72 * 96), abs=1e-3)
    assert f"{proposal.metrics['pixels_lost_fraction']:.0%} of the pixels are lost" in proposal.summary
    apply(seen.dataset, [proposal], tmp_path / "copy", target=tmp_path / "data")
    assert [f for f in seen_in(tmp_path / "copy").result.findings if f.code == "LK001"] == []


def test_the_word_of_the_user_stands_below_what_nine_tenths_hold(tmp_path: Path) -> None:
    for i in range(4):
        write_image(tmp_path / f"{i}.png", texture(i, 32 + 8 * (i % 2)), "png8")
    dataset = make_dataset(labels=list("abab"), paths=[f"{i}.png" for i in range(4)], root=tmp_path)
    proposal = Harmonise(height=16, width=24).propose(built_case(dataset, tmp_path / "work"))
    assert shapes(proposal) == {(16, 24)}
    with Image.open(next(iter(proposal.files.values()))) as image:
        array = np.asarray(image)
    assert (array[:, :4] == 0).all()
    assert (array[:, -4:] == 0).all()
    assert (array[:, 5:-5] > 0).any()
