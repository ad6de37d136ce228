import numpy as np
import pytest
from PIL import Image

from auditor.evidence.raters.mask_folders import rater_folders, release_masks
from auditor.values.errors import DatasetError


def disk(radius, size=48):
    y, x = np.ogrid[:size, :size]
    return (y - size // 2) ** 2 + (x - size // 2) ** 2 <= radius**2


def write(root, rater, name, mask):
    folder = root / rater
    folder.mkdir(exist_ok=True)
    Image.fromarray((mask * 255).astype(np.uint8)).save(folder / f"{name}.png")


@pytest.fixture
def panel(tmp_path):
    for name, radius in (("a", 12), ("b", 16)):
        for rater, less in (("R1", 0), ("R2", 0), ("R3", 5)):
            write(tmp_path, rater, name, disk(radius - less))
    return tmp_path


def test_the_consensus_is_the_disk_of_the_two_who_agree(panel):
    found = release_masks(panel)
    assert found.frame["record"].tolist() == ["a", "b"]
    assert found.frame["raters"].tolist() == [3, 3]
    assert found.frame["area_fraction"].tolist() == pytest.approx([disk(12).mean(), disk(16).mean()], abs=1e-6)
    assert sorted(found.files) == ["a.png", "b.png"]
    raters = found.raters.set_index("rater")
    assert raters.loc["R3", "sensitivity"] < 0.6 < 0.99 < raters.loc["R1", "sensitivity"]
    assert raters.loc["R3", "mean_dice"] < raters.loc["R1", "mean_dice"]


def test_the_written_mask_is_the_consensus(panel, tmp_path_factory):
    path = tmp_path_factory.mktemp("out") / "a.png"
    path.write_bytes(release_masks(panel, workers=0).files["a.png"])
    with Image.open(path) as image:
        assert ((np.asarray(image) > 0) == disk(12)).all()


def test_a_broken_mask_or_another_size_is_left_out_and_said(panel):
    (panel / "R1" / "a.png").write_bytes((panel / "R1" / "a.png").read_bytes()[:60])
    write(panel, "R3", "b", disk(5, size=32))
    problems = release_masks(panel, workers=0).frame.set_index("record")["problem"]
    assert problems["a"].startswith("R1: ")
    assert problems["b"] == "R3: another size"


def test_pictures_are_no_masks(tmp_path):
    rng = np.random.default_rng(0)
    for folder in ("benign", "malignant"):
        write(tmp_path, folder, "1", rng.random((20, 20)))
    with pytest.raises(DatasetError, match="pictures, not masks"):
        release_masks(tmp_path, workers=0)


def test_folders_that_share_no_names_are_no_raters(tmp_path):
    write(tmp_path, "benign", "a", disk(5))
    write(tmp_path, "malignant", "b", disk(5))
    assert rater_folders(tmp_path) == {}
    with pytest.raises(DatasetError, match="one per rater"):
        release_masks(tmp_path, workers=0)
