import json

import nibabel
import numpy as np
import pytest

from auditor.checks.in012 import MaskValues
from auditor.layout import Options, detect, list_files, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.errors import DatasetError

V2 = {"channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "PZ": 1, "TZ": 2}, "numTraining": 4,
      "file_ending": ".nii.gz"}  # fmt: skip


def volume(path, values=None, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.random.default_rng(seed).integers(0, 900, (6, 5, 4)) if values is None else values
    nibabel.save(nibabel.Nifti1Image(array.astype(np.int16), np.eye(4)), path)


def mask(value=2):
    drawn = np.zeros((6, 5, 4))
    drawn[1:3, 1:3, 1:3] = 1
    drawn[4, 4, 3] = value
    return drawn


@pytest.fixture
def prostate(tmp_path):
    """Version 2: four cases of two channels with masks, two without in imagesTs."""
    for case in range(6):
        part = "Tr" if case < 4 else "Ts"
        for channel in range(2):
            volume(tmp_path / f"images{part}/prostate_{case:02d}_{channel:04d}.nii.gz", seed=2 * case + channel)
        if case < 4:
            volume(tmp_path / f"labelsTr/prostate_{case:02d}.nii.gz", mask())
    (tmp_path / "dataset.json").write_text(json.dumps(V2))
    return tmp_path


def test_a_case_of_several_channels_is_one_record(prostate):
    dataset = open_dataset(prostate, Options(workers=0))
    assert dataset.summary.layout == "nnunet"
    assert dataset.records.index.tolist()[:2] == ["imagesTr/prostate_00_0000.nii.gz", "imagesTr/prostate_01_0000.nii.gz"]
    assert dataset.records["split"].tolist() == ["train"] * 4 + ["test"] * 2
    assert dataset.records["mask"].tolist()[0] == "labelsTr/prostate_00.nii.gz"
    assert dataset.records["mask"].notna().sum() == 4
    assert dataset.mask_names == {0: "background", 1: "PZ", 2: "TZ"}
    assert dataset.channels["name"].tolist()[:4] == ["T2", "ADC", "T2", "ADC"]
    assert dataset.channels["path"].tolist()[:2] == [f"imagesTr/prostate_00_000{i}.nii.gz" for i in (0, 1)]
    counts = dataset.summary.counts
    assert {key: counts[key] for key in ("images", "masks", "annotations", "tables", "other", "records", "missing")} == {
        "images": 12, "masks": 4, "annotations": 1, "tables": 0, "other": 0, "records": 6, "missing": 0,
    }  # fmt: skip
    assert dataset.problems == ()


def test_the_pass_measures_every_channel_and_names_the_record_of_a_broken_one(prostate):
    broken = prostate / "imagesTr/prostate_02_0001.nii.gz"
    broken.write_bytes(broken.read_bytes()[:200])
    dataset, counts = extract(open_dataset(prostate, Options(workers=0)), Pass(workers=0))
    assert len(dataset.features) == len(dataset.thumbnails) == 6
    assert counts["decoded"] == 6 + 4 + 5
    assert dataset.channels["pixels"].tolist().count("") == 1
    assert dataset.channels["frames"].tolist()[:2] == [4, 4]
    assert dataset.channels["bytes"].nunique() == 12
    (problem,) = dataset.problems
    assert (problem.record, problem.path) == ("imagesTr/prostate_02_0000.nii.gz", "imagesTr/prostate_02_0001.nii.gz")
    assert "channel ADC" in problem.reason
    assert dataset.sketches is not None
    assert all(not name.startswith("channel:") for name in dataset.thumbnails)


def test_values_that_dataset_json_does_not_declare_are_told(prostate):
    volume(prostate / "labelsTr/prostate_03.nii.gz", mask(7))
    dataset, _ = extract(open_dataset(prostate, Options(workers=0)), Pass(workers=0))
    (finding,) = MaskValues().run(dataset).findings
    assert finding.where.path == "labelsTr/prostate_03.nii.gz"
    assert "holds 7; declared are 0, 1, 2" in finding.message


def test_what_is_missing_or_too_many_is_told(prostate):
    (prostate / "imagesTr/prostate_01_0001.nii.gz").unlink()
    (prostate / "labelsTr/prostate_02.nii.gz").unlink()
    for channel in range(2):
        (prostate / f"imagesTr/prostate_03_000{channel}.nii.gz").unlink()
    volume(prostate / "elsewhere/x.nii.gz")
    dataset = open_dataset(prostate, Options(workers=0))
    assert sorted((p.kind, p.path, p.reason) for p in dataset.problems) == [
        ("missing", "imagesTr/prostate_01_0001", "the channel ADC of the case is not there"),
        ("missing", "labelsTr/prostate_03.nii.gz", "the image of this mask is not there"),
        ("unlisted", "imagesTr/prostate_02_0000.nii.gz", "a training case without a mask"),
    ]
    assert dataset.summary.counts["left_out"] == 1
    assert "dataset.json says numTraining 4: there are 3 cases in imagesTr" in dataset.summary.notes


def test_the_decathlon_lists_its_files_and_has_channels_within_them(tmp_path):
    told = {"modality": {"0": "FLAIR", "1": "T1w"}, "labels": {"0": "background", "1": "edema"}, "numTraining": 2,
            "training": [{"image": f"./imagesTr/B_{i:03d}.nii.gz", "label": f"./labelsTr/B_{i:03d}.nii.gz"} for i in (1, 2)],
            "test": ["./imagesTs/B_009.nii.gz"]}  # fmt: skip
    (tmp_path / "dataset.json").write_text(json.dumps(told))
    for i in (1, 3):
        volume(tmp_path / f"imagesTr/B_{i:03d}.nii.gz", np.random.default_rng(i).integers(0, 9, (6, 5, 4, 2)))
        volume(tmp_path / f"labelsTr/B_{i:03d}.nii.gz", mask())
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.size == 2
    assert dataset.channels.empty
    assert dataset.mask_names == {0: "background", 1: "edema"}
    assert sorted((p.kind, p.path) for p in dataset.problems) == [
        ("missing", "imagesTr/B_002.nii.gz"), ("missing", "imagesTs/B_009.nii.gz"), ("unlisted", "imagesTr/B_003.nii.gz"),
    ]  # fmt: skip


def test_a_region_of_several_values_names_the_values_that_no_smaller_one_holds(tmp_path):
    labels = {"background": 0, "whole tumour": [1, 2, 3], "core": [2, 3], "enhancing": [3]}
    (tmp_path / "dataset.json").write_text(json.dumps({**V2, "labels": labels}))
    volume(tmp_path / "imagesTr/a_0000.nii.gz")
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.mask_names == {0: "background", 1: "whole tumour", 2: "core", 3: "enhancing"}


@pytest.mark.parametrize("text", ['{"channel_names": ', '{"channel_names": ' + "[" * 100_000, '"channel_names"'])
def test_a_damaged_description_is_one_line(tmp_path, text):
    (tmp_path / "dataset.json").write_text(text)
    volume(tmp_path / "imagesTr/a_0000.nii.gz")
    with pytest.raises(DatasetError, match=r"dataset\.json cannot be read \(no JSON"):
        open_dataset(tmp_path, Options(workers=1))


def test_a_description_that_says_nothing_is_a_note(tmp_path):
    (tmp_path / "dataset.json").write_text('{"channel_names": [1], "labels": 3}')
    volume(tmp_path / "imagesTr/a_0000.nii.gz")
    assert "dataset.json names no values of the masks" in open_dataset(tmp_path, Options(workers=0)).summary.notes


def test_a_dataset_json_without_those_folders_is_another_layout(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps(V2))
    volume(tmp_path / "scans/a.nii.gz")
    listing = list_files(tmp_path)
    assert listing.inventory.tables == ()
    assert "nnunet" not in [found.layout for found in detect(listing, Options())]
    (tmp_path / "dataset.json").unlink()
    with pytest.raises(DatasetError, match=r"no dataset\.json"):
        open_dataset(tmp_path, Options(layout="nnunet"))
