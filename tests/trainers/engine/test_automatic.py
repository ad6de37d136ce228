import pytest

from trainers.engine.automatic import RATES, automatic
from trainers.kinds import task_named


@pytest.mark.parametrize(
    ("kind", "shape", "device", "named", "network", "rate"),
    [
        ("single", (28, 28), "cpu", None, "small-cnn", 3e-3),
        ("single", (224, 168), "cpu", None, "small-cnn", 3e-3),
        ("single", (224, 224), "cpu", "resnet18", "resnet18", 1e-3),
        ("single", (224, 224), "cpu", "small", "small-cnn", 3e-3),
        ("single", (224, 224), "cuda", None, "resnet18", 1e-3),
        ("single", (224, 224), "cuda", "small", "small-cnn", 3e-3),
        ("segmentation", (64, 64), "cpu", "small", "unet", 2e-3),
        ("segmentation", (64, 64), "cuda", None, "basic-unet", 2e-3),
        ("points", (64, 64), "cpu", "mine:made", "mine:made", 1e-3),
    ],
)
def test_network_and_rate_go_with_what_is_trained(
    kind: str, shape: tuple[int, ...], device: str, named: str | None, network: str, rate: float
) -> None:
    recipe = automatic(task_named(kind=kind, classes=("a", "b"), shape=shape), 300, device, named)
    assert (recipe.network, recipe.rate) == (network, rate)


def test_only_a_gpu_learns_large_volumes_of_masks_in_windows_and_batches_of_volumes_are_small() -> None:
    large = task_named(kind="segmentation", classes=("background", "object"), shape=(128, 256, 256))
    there = automatic(large, 600, "cuda")
    assert there.patch == 96
    assert there.window(large.shape) == (96, 96, 96)
    assert there.batch * 96**3 <= 1 << 22
    assert automatic(large, 600, "cpu").patch == 0
    assert automatic(task_named(kind="single", classes=("a", "b"), shape=(128, 256, 256)), 600, "cuda").patch == 0


def test_every_rate_is_that_of_a_network_of_ours() -> None:
    from trainers.engine.models import NETWORKS

    assert set(RATES) <= set(NETWORKS)
