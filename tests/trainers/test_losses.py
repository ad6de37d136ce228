import math

import pytest
import torch
from torch import Tensor

from auditor.values.errors import ConfigError
from trainers.kinds import kinds, task_named
from trainers.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    DiceCrossEntropy,
    EarlyLearning,
    GeneralisedCrossEntropy,
    Loss,
    PositiveUnlabelled,
    SmoothL1,
    SymmetricCrossEntropy,
    loss_named,
)
from trainers.tasks.points import point_loss
from trainers.values.pictures import UNKNOWN_PIXEL
from trainers.values.task import LearningTask

KINDS = ("single", "multi", "ordinal", "continuous", "segmentation")


def task(kind: str, classes: int = 3) -> LearningTask:
    return task_named(kind=kind, classes=tuple("abcdef"[:classes]), channels=1, shape=(4, 4))  # type: ignore[arg-type]


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cases() -> list[tuple[str, Loss, Tensor, Tensor]]:
    soft = drawn(4, 3, seed=1).softmax(1)
    states = torch.tensor([[1, 0, math.nan], [0, math.nan, 1], [1, 1, 1], [math.nan] * 3], dtype=torch.float64)
    maps = torch.randint(0, 3, (4, 3, 5), generator=torch.Generator().manual_seed(2)).to(torch.uint8)
    maps[0, 0, 0] = UNKNOWN_PIXEL
    marks = torch.tensor(
        [[[1, 2], [4, 3]], [[2, 2], [math.inf] * 2], [[0, 4], [5, 1]], [[math.inf] * 2] * 2], dtype=torch.float64
    )
    return [
        ("cross-entropy", CrossEntropy(), drawn(4, 3), soft),
        ("gce", GeneralisedCrossEntropy(), drawn(4, 3), soft),
        ("sce", SymmetricCrossEntropy(), drawn(4, 3), soft),
        ("elr", EarlyLearning(4, 3).double(), drawn(4, 3), soft),
        ("binary-cross-entropy", BinaryCrossEntropy(), drawn(4, 3), states),
        ("smooth-l1", SmoothL1(), 2 * drawn(4, 1), drawn(4, 1, seed=3)),
        ("dice-cross-entropy", DiceCrossEntropy(), drawn(4, 3, 3, 5), maps),
        ("dice-cross-entropy", DiceCrossEntropy(), drawn(4, 1, 3, 5), maps),
        ("points", point_loss(), drawn(4, 4, 6, 5), marks),
        ("pu", PositiveUnlabelled(), drawn(4, 1, 3, 5), (maps == 1).to(torch.uint8)),
    ]


@pytest.mark.parametrize(("name", "loss", "logits", "targets"), cases())
def test_the_gradient_is_that_of_finite_differences(name: str, loss: Loss, logits: Tensor, targets: Tensor) -> None:
    weights, index = torch.tensor([1, 0.5, 2, 1], dtype=torch.float64), torch.arange(4)
    loss.eval()
    if isinstance(loss, EarlyLearning):
        loss.memory.copy_(drawn(4, 3, seed=9).softmax(1))
    assert torch.autograd.gradcheck(
        lambda z: loss(z, targets, weights, index), logits.requires_grad_(True), eps=1e-6, atol=1e-6
    )


@pytest.mark.parametrize(("name", "loss", "logits", "targets"), cases())
def test_an_example_of_weight_0_does_not_matter(name: str, loss: Loss, logits: Tensor, targets: Tensor) -> None:
    loss.eval()
    weights, index = torch.tensor([1.0, 1, 1, 0], dtype=torch.float64), torch.arange(4)
    other = logits.detach().clone()
    other[3] = 7
    before, after = loss(logits, targets, weights, index), loss(other, targets, weights, index)
    torch.testing.assert_close(before, after)
    torch.testing.assert_close(before, loss(logits[:3], targets[:3], weights[:3], index[:3]))


def test_every_loss_is_among_the_cases() -> None:
    assert {name for name, *_ in cases()} == {name for kind in kinds() for name in task(kind, 2).losses}


def test_cross_entropy_of_hard_and_soft_targets_by_hand() -> None:
    logits = torch.tensor([[math.log(0.7), math.log(0.2), math.log(0.1)]])
    one, index = torch.ones(1), torch.zeros(1, dtype=torch.int64)
    assert float(CrossEntropy()(logits, torch.tensor([[1.0, 0, 0]]), one, index)) == pytest.approx(-math.log(0.7))
    soft = CrossEntropy()(logits, torch.tensor([[0.5, 0.5, 0]]), one, index)
    assert float(soft) == pytest.approx(-0.5 * math.log(0.7) - 0.5 * math.log(0.2))


def test_generalised_cross_entropy_by_hand_and_at_its_ends() -> None:
    logits = torch.tensor([[math.log(0.7), math.log(0.3)]])
    targets, one, index = torch.tensor([[0.0, 1.0]]), torch.ones(1), torch.zeros(1, dtype=torch.int64)
    assert float(GeneralisedCrossEntropy(0.7)(logits, targets, one, index)) == pytest.approx((1 - 0.3**0.7) / 0.7)
    assert float(GeneralisedCrossEntropy(1)(logits, targets, one, index)) == pytest.approx(0.7)
    assert float(GeneralisedCrossEntropy(1e-3)(logits, targets, one, index)) == pytest.approx(-math.log(0.3), rel=1e-2)


def test_symmetric_cross_entropy_by_hand() -> None:
    logits = torch.tensor([[math.log(0.7), math.log(0.3)]])
    targets, one, index = torch.tensor([[1.0, 0.0]]), torch.ones(1), torch.zeros(1, dtype=torch.int64)
    expected = 0.1 * -math.log(0.7) + 1.0 * 4 * 0.3
    assert float(SymmetricCrossEntropy()(logits, targets, one, index)) == pytest.approx(expected)


def test_early_learning_is_the_formula_of_liu_2020_over_two_visits() -> None:
    loss = EarlyLearning(5, 2, beta=0.7, lam=3.0)
    one, index = torch.ones(1), torch.tensor([4])
    memory = [0.0, 0.0]
    for p in ([0.9, 0.1], [0.6, 0.4]):
        memory = [0.7 * m + 0.3 * share for m, share in zip(memory, p, strict=True)]
        inner = sum(m * share for m, share in zip(memory, p, strict=True))
        expected = -math.log(p[1]) + 3 * math.log(1 - inner)
        found = loss(torch.tensor([p]).log(), torch.tensor([[0.0, 1.0]]), one, index)
        assert float(found) == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(loss.memory[4], torch.tensor(memory))
    assert float(loss.memory[:4].abs().sum()) == 0


def test_early_learning_does_not_remember_while_it_is_evaluated() -> None:
    loss = EarlyLearning(2, 2).eval()
    loss(torch.randn(2, 2), torch.eye(2), torch.ones(2), torch.arange(2))
    assert float(loss.memory.abs().sum()) == 0


def test_unknown_cells_do_not_count_and_known_ones_count_by_their_mean() -> None:
    logits = torch.tensor([[0.0, 5.0], [2.0, -1.0]])
    targets = torch.tensor([[1.0, math.nan], [1.0, 0.0]])
    both = (math.log1p(math.exp(-2.0)) + math.log1p(math.exp(-1.0))) / 2
    found = BinaryCrossEntropy()(logits, targets, torch.ones(2), torch.arange(2))
    assert float(found) == pytest.approx((math.log(2) + both) / 2, rel=1e-5)


def test_a_batch_without_any_known_cell_has_the_loss_0() -> None:
    logits = torch.zeros(2, 2, requires_grad=True)
    loss = BinaryCrossEntropy()(logits, torch.full((2, 2), math.nan), torch.ones(2), torch.arange(2))
    loss.backward()
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert float(logits.grad.abs().sum()) == 0


def test_smooth_l1_by_hand() -> None:
    found = SmoothL1()(torch.tensor([[0.5], [3.0]]), torch.zeros(2, 1), torch.ones(2), torch.arange(2))
    assert float(found) == pytest.approx((0.125 + 2.5) / 2)


@pytest.mark.parametrize("outputs", [1, 3])
def test_dice_and_cross_entropy_agree_with_monai(outputs: int) -> None:
    from monai.losses import DiceLoss

    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(3, outputs, 6, 6, generator=generator)
    maps = torch.randint(0, max(2, outputs), (3, 6, 6), generator=generator)
    if outputs == 1:
        oracle = DiceLoss(sigmoid=True, batch=True)(logits, maps[:, None].float())
        oracle = oracle + torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], maps.float())
    else:
        oracle = DiceLoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)(logits, maps[:, None])
        oracle = oracle + torch.nn.functional.cross_entropy(logits, maps)
    found = DiceCrossEntropy()(logits, maps.to(torch.uint8), torch.ones(3), torch.arange(3))
    torch.testing.assert_close(found, oracle, rtol=1e-4, atol=1e-4)


def test_unknown_pixels_of_a_mask_do_not_count() -> None:
    maps = torch.randint(0, 2, (2, 4, 4), generator=torch.Generator().manual_seed(5)).to(torch.uint8)
    maps[:, 2:] = UNKNOWN_PIXEL
    logits = drawn(2, 1, 4, 4).float()
    for loss in (DiceCrossEntropy(), PositiveUnlabelled()):
        whole = loss(logits, maps, torch.ones(2), torch.arange(2))
        part = loss(logits[:, :, :2], maps[:, :2], torch.ones(2), torch.arange(2))
        torch.testing.assert_close(whole, part)


def test_positive_unlabelled_risk_by_hand() -> None:
    logits = torch.tensor([2.0, -1.0, -3.0, 0.5]).reshape(1, 1, 2, 2)
    marked = torch.tensor([1, 0, 0, 0], dtype=torch.uint8).reshape(1, 2, 2)
    softplus = [math.log1p(math.exp(z)) for z in (2.0, -1.0, -3.0, 0.5)]
    negative = sum(softplus) / 4 - 0.3 * softplus[0]
    expected = 0.3 * math.log1p(math.exp(-2.0)) + max(0.0, negative)
    assert negative > 0
    found = PositiveUnlabelled(0.3)(logits, marked, torch.ones(1), torch.arange(1))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_positive_unlabelled_risk_is_never_negative() -> None:
    logits = torch.tensor([9.0, -9.0, -9.0, -9.0]).reshape(1, 1, 2, 2)
    marked = torch.tensor([1, 0, 0, 0], dtype=torch.uint8).reshape(1, 2, 2)
    assert 0 <= float(PositiveUnlabelled(0.6)(logits, marked, torch.ones(1), torch.arange(1))) < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_task_has_a_natural_loss(kind: str) -> None:
    assert isinstance(loss_named("natural", task(kind), examples=2), Loss)


def test_the_memory_of_elr_has_a_row_per_example() -> None:
    loss = loss_named("elr", task("single"), examples=7, options={"lam": 5})
    assert isinstance(loss, EarlyLearning)
    assert loss.memory.shape == (7, 3)
    assert loss.lam == 5


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("hinge", "single", {}),
        ("elr", "multi", {}),
        ("pu", "segmentation", {}),
        ("gce", "single", {"p": 1}),
        ("gce", "single", {"q": 0}),
    ],
)
def test_a_loss_that_does_not_fit_is_refused(name: str, kind: str, options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="loss"):
        loss_named(name, task(kind), examples=2, options=options)
