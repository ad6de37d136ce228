"""Predicted masks as files: their names, and their way back to the size of the picture."""

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import make_dataset
from torch import nn

from auditor.evidence.masks.mask_names import mask_names
from auditor.values.errors import ConfigError
from trainers.decoding.model_input import Workplace
from trainers.kinds import task_named
from trainers.predicting.predict_files import classes_of, enlarged, write_masks
from trainers.values.fitted import part
from trainers.values.pictures import Pictures
from trainers.values.recipe import Normalisation, Recipe, Trained


def test_masks_are_named_after_their_images_and_never_alike_or_outside() -> None:
    paths = ["a/x.png", "a/x.jpg", "b/x.png", "../../etc/y.png", "/abs/z.tif", "A/X.PNG", "deep/er/scan.nii.gz"]
    names = mask_names(make_dataset(n=len(paths), paths=paths), ".png")
    assert names[2:5] == ["b/x.png", "etc/y.png", "abs/z.png"]
    assert names[1] == "a/x.jpg.png"
    assert len({name.casefold() for name in names}) == len(names)
    assert not any(name.startswith("/") or ".." in name.split("/") for name in names)


def test_pictures_of_one_file_get_a_folder_of_its_name() -> None:
    dataset = make_dataset(n=2, paths=["set.npz", "set.npz"], columns={"item": ["train_images:0", "train_images:1"]})
    assert mask_names(dataset, ".png") == ["set/train_images-0.png", "set/train_images-1.png"]


@pytest.mark.parametrize("size", [(9, 40), (700, 16), (5, 3)])
def test_the_part_of_the_picture_is_interpolated_as_torch_does_and_then_decided(size: tuple[int, int]) -> None:
    found = np.random.default_rng(0).random((1, 8, 8)).astype(np.float32)
    inside = found[:, *part(size, (8, 8))]
    wanted = nn.functional.interpolate(torch.from_numpy(inside)[None], size, mode="bilinear", align_corners=False)[0, 0].numpy()
    clear = np.abs(wanted - 0.5) > 1e-5
    np.testing.assert_array_equal((enlarged(found, size) == 255)[clear], (wanted >= 0.5)[clear])


def test_several_kinds_of_objects_are_numbers() -> None:
    found = np.zeros((3, 2, 2), np.float32)
    found[2, 0, 1] = found[1, 1, 0] = 1
    found[0, 0, 0] = found[0, 1, 1] = 1
    assert classes_of(found).tolist() == [[0, 2], [1, 0]]
    assert np.unique(enlarged(found, (40, 40))).tolist() == [0, 1, 2]


class Copy(nn.Module):
    """The picture itself as the logit of its object."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


def trained(shape: tuple[int, ...]) -> Trained:
    return Trained(
        network=Copy(), task=task_named(kind="segmentation", classes=("background", "object"), channels=1, shape=shape),
        recipe=Recipe(), normalisation=Normalisation(mean=(0.5,), deviation=(0.01,)), seed=0,
    )  # fmt: skip


def test_a_folder_of_masks_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset(
        n=3, paths=["a.png", "b.png", "c.png"], metadata={"container.height": [4, 4, 4], "container.width": [4, 4, 4]}
    )
    array = np.zeros((3, 1, 4, 4), np.uint8)
    array[1, 0, 1, 2] = 255
    pictures = Pictures(array=array, readable=np.array([True, True, False]))
    assert write_masks(trained((4, 4)), pictures, dataset, tmp_path / "masks", Workplace(device="cpu")) == 2
    assert sorted(p.name for p in (tmp_path / "masks").iterdir()) == ["a.png", "b.png"]
    with pytest.raises(ConfigError, match="new folder"):
        write_masks(trained((4, 4)), pictures, dataset, tmp_path / "masks", Workplace(device="cpu"))
    monkeypatch.setattr("trainers.predicting.predict_files.png_of", lambda mask: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_masks(trained((4, 4)), pictures, dataset, tmp_path / "other" / "masks", Workplace(device="cpu"))
    assert [p.name for p in tmp_path.iterdir()] == ["masks"]


def test_the_mask_of_a_volume_is_an_array(tmp_path: Path) -> None:
    sides = {"container.height": [4.0], "container.width": [4.0]}
    dataset = make_dataset(n=1, paths=["scan.nii.gz"], metadata=sides)
    array = np.zeros((1, 1, 3, 4, 4), np.uint8)
    array[0, 0, 2] = 255
    pictures = Pictures(array=array, readable=np.ones(1, bool))
    write_masks(trained((3, 4, 4)), pictures, dataset, tmp_path / "masks", Workplace(device="cpu"))
    (file,) = (tmp_path / "masks").iterdir()
    assert np.load(file).shape == (3, 4, 4)
    assert (np.load(file)[2] == 255).all()
    assert not np.load(file)[:2].any()
