"""Augmentation on the device, in batches: one smooth map per picture for the picture, its mask, its boxes and its points.

The map of an output position y is x = A (y + u(y)) + t: an affine part and an elastic one. u is a sum of low-frequency waves,
|k| ≤ 3 per side, with random phase and amplitude ∝ 1/|k|², rescaled to a share of the side, and dropped where the map would
fold, that is where its Jacobian is not positive (stand-in for the Fourier distortion of Debeir 2019). Then gamma and noise.

No strength mirrors a picture unless its axes are named in `flips`. A mirrored digit is none, and a mirrored chest shows a
heart on the right, an eye the other eye: which axes a task is indifferent to is knowledge about the task, not a strength.

Positions are in pixels where they come in and go out: (row, column) or (slice, row, column), the centre of the first pixel
is 0. Inside they are in halves of the longest side from the centre, so that a rotation does not shear.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from auditor.values.errors import ConfigError

WAVES = 3
SMALLEST_JACOBIAN = 0.05
"""A map is kept when no pixel shrinks to less than this share of its area."""


@dataclass(frozen=True, kw_only=True)
class Strength:
    """Largest deviations; each is drawn evenly between none and it, to both sides.

    Args:
        rotation: degrees, about every axis of a volume.
        scale: of the logarithm of the magnification.
        shift: share of each side.
        elastic: longest displacement, share of the shortest side.
        gamma: of the logarithm of the exponent.
        noise: standard deviation, in units of white.
    """

    rotation: float
    scale: float
    shift: float
    elastic: float
    gamma: float
    noise: float


STRENGTHS: Mapping[str, Strength | None] = {
    "off": None,
    "standard": Strength(rotation=10, scale=0.1, shift=0.05, elastic=0.03, gamma=0.2, noise=0.02),
    "strong": Strength(rotation=20, scale=0.2, shift=0.1, elastic=0.08, gamma=0.5, noise=0.05),
}


def augment(
    images: Tensor,
    targets: Any,
    strength: str,
    generator: torch.Generator,
    *,
    flips: Sequence[int] = (),
    move: Callable[[Any, Warp], Any] | None = None,
) -> tuple[Tensor, Any]:
    """Every picture deformed and toned in its own way.

    Args:
        images: float (b, C, *shape), 0–1, two or three axes.
        targets: class indices (b, *shape), any integer type, or None; or what `move` takes.
        strength: a key of `STRENGTHS`.
        generator: of everything that is drawn; best on the device of the images.
        flips: axes (0 = the first of `shape`) along which half of the pictures are mirrored.
        move: the targets after a map (`LearningTask.moved`); None moves them as masks.

    Returns:
        Pictures and targets in the shape and type they had.
    """
    chosen = STRENGTHS[strength]
    if chosen is None:
        return images, targets
    warp = draw_warp(len(images), tuple(images.shape[2:]), chosen, generator, device=images.device, flips=flips)
    moved = warp.images(images.float())
    toned = tone(moved, chosen, generator).to(images.dtype)
    if move is not None:
        return toned, move(targets, warp)
    return toned, None if targets is None else warp.masks(targets)


def tone(images: Tensor, strength: Strength, generator: torch.Generator) -> Tensor:
    """Gamma and noise, one draw per picture; 0–1 again."""
    ones = (1,) * (images.ndim - 1)
    exponent = torch.exp(spread(len(images), strength.gamma, generator, images.device)).view(-1, *ones)
    sigma = strength.noise * torch.rand(len(images), generator=generator, device=generator.device).to(images.device)
    noise = torch.randn(images.shape, generator=generator, device=generator.device).to(images.device)
    # a power of exactly 0 has no gradient and stays 0
    return (images.clamp(0, 1).pow(exponent) + sigma.view(-1, *ones) * noise).clamp(0, 1)


def spread(count: int, most: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """`count` numbers, evenly between −most and most."""
    return (2 * torch.rand(count, generator=generator, device=generator.device).to(device) - 1) * most


@dataclass(frozen=True, kw_only=True, eq=False)
class Warp:
    """One map per picture of a batch; b pictures of d axes.

    Args:
        shape: of a picture.
        matrix, shift: the affine part, (b, d, d) and (b, d).
        waves: coefficients of u, (b, d, 2·WAVES + 1, ...), one axis of waves per axis of the picture.
    """

    shape: tuple[int, ...]
    matrix: Tensor
    shift: Tensor
    waves: Tensor

    def images(self, images: Tensor) -> Tensor:
        """Pictures (b, C, *shape) through the map, linear between pixels, mirrored beyond the edge."""
        return functional.grid_sample(images, self.grid(), mode="bilinear", padding_mode="reflection", align_corners=False)

    def masks(self, masks: Tensor) -> Tensor:
        """Class indices (b, *shape) through the map, nearest neighbour."""
        moved = functional.grid_sample(
            masks[:, None].float(), self.grid(), mode="nearest", padding_mode="reflection", align_corners=False
        )
        return moved[:, 0].to(masks.dtype)

    def grid(self) -> Tensor:
        """Where each output pixel is taken from, as `grid_sample` wants it: (b, *shape, d), last axis first, −1 to 1."""
        axes = axes_of(self.shape, self.matrix.device)
        y = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
        u = field(self.waves, [basis(axis, extent) for axis, extent in zip(axes, extents(self.shape), strict=True)])
        x = torch.einsum("bij,b...j->b...i", self.matrix, y + u.movedim(1, -1))
        x = x + self.shift.view(len(x), *(1,) * len(self.shape), -1)
        return (x / x.new_tensor(extents(self.shape))).flip(-1)

    def jacobian(self) -> Tensor:
        """Determinant of the map at every pixel, (b, *shape); of one sign where it does not fold."""
        return determinant(self.matrix).view(-1, *(1,) * len(self.shape)) * determinant(self.slope())

    def slope(self) -> Tensor:
        """I + ∂u/∂y at every pixel, (b, *shape, d, d)."""
        axes = axes_of(self.shape, self.matrix.device)
        plain = [basis(axis, extent) for axis, extent in zip(axes, extents(self.shape), strict=True)]
        steep = [basis(axis, extent, slope=True) for axis, extent in zip(axes, extents(self.shape), strict=True)]
        columns = [field(self.waves, [steep[i] if i == j else plain[i] for i in range(len(axes))]) for j in range(len(axes))]
        gradient = torch.stack(columns, dim=-1).movedim(1, -2)
        whole: Tensor = gradient + torch.eye(len(axes), device=gradient.device)
        return whole

    def points(self, points: Tensor) -> Tensor:
        """Where points (b, n, d) of the pictures lie in the deformed ones, in pixels; NaN stays NaN, and outside is outside.

        The map says where an output pixel comes from; here it is solved for the output by Newton's method.
        """
        half = points.new_tensor([side / max(self.shape) for side in self.shape])
        sides = points.new_tensor(self.shape)
        x = ((2 * points + 1) / sides - 1) * half
        goal = torch.einsum("bij,bnj->bni", torch.linalg.inv(self.matrix), x - self.shift[:, None])
        y = goal.clone()
        for _ in range(12):
            miss = y + self._u_at(y, None) - goal
            slope = torch.stack([self._u_at(y, j) for j in range(len(self.shape))], dim=-1)
            slope = slope + torch.eye(len(self.shape), device=y.device)
            # bounded steps: Newton leaps where the map is almost flat
            y = y - torch.linalg.solve(slope, miss[..., None])[..., 0].clamp(-0.25, 0.25)
        return ((y / half + 1) * sides - 1) / 2

    def boxes(self, boxes: Tensor) -> Tensor:
        """Boxes (b, n, 2·d): lowest corner, highest corner → the upright boxes around their deformed outlines."""
        d = len(self.shape)
        low, high = boxes[..., :d], boxes[..., d:]
        share = torch.cartesian_prod(*[torch.linspace(0, 1, 5, device=boxes.device)] * d)
        outline = low[:, :, None] + share * (high - low)[:, :, None]
        moved = self.points(outline.flatten(1, 2)).view(outline.shape)
        return torch.cat([moved.amin(2), moved.amax(2)], dim=-1)

    def _u_at(self, y: Tensor, by: int | None) -> Tensor:
        """u, or its derivative by one axis, at positions (b, n, d); same shape."""
        letters = "ijk"[: len(self.shape)]
        bases = [basis(y[..., i], extent, slope=i == by) for i, extent in enumerate(extents(self.shape))]
        return torch.einsum(f"bc{letters},{','.join(f'bn{i}' for i in letters)}->bnc", self.waves, *bases)


def draw_warp(
    count: int,
    shape: tuple[int, ...],
    strength: Strength,
    generator: torch.Generator,
    *,
    device: torch.device,
    flips: Sequence[int] = (),
) -> Warp:
    """Maps for `count` pictures; a picture whose elastic part would fold has none."""
    d = len(shape)
    half = torch.tensor(extents(shape), device=device)
    matrix = torch.eye(d, device=device).expand(count, d, d)
    for one, other in [(0, 1)] if d == 2 else [(1, 2), (0, 2), (0, 1)]:
        matrix = matrix @ turn(spread(count, math.radians(strength.rotation), generator, device), one, other, d)
    matrix = matrix * torch.exp(spread(count, strength.scale, generator, device)).view(-1, 1, 1)
    for axis in flips:
        sign = torch.ones(count, d, device=device)
        sign[:, axis] = torch.where(torch.rand(count, generator=generator, device=generator.device).to(device) < 0.5, -1.0, 1.0)
        matrix = matrix * sign[:, None]
    shift = torch.stack([spread(count, 2 * strength.shift * float(side), generator, device) for side in half], dim=1)
    size = (count, d, *(2 * WAVES + 1,) * d)
    waves = torch.randn(size, generator=generator, device=generator.device).to(device) * amplitudes(d, device)
    share = torch.rand(count, generator=generator, device=generator.device).to(device)
    u = field(waves, [basis(axis, extent) for axis, extent in zip(axes_of(shape, device), extents(shape), strict=True)])
    longest = torch.linalg.vector_norm(u, dim=1).flatten(1).amax(1).clamp(min=1e-6)
    wanted = 2 * strength.elastic * min(extents(shape)) * share
    waves = waves * (wanted / longest).view(-1, *(1,) * (d + 1))
    warp = Warp(shape=shape, matrix=matrix, shift=shift, waves=waves)
    kept = determinant(warp.slope()).flatten(1).amin(1) > SMALLEST_JACOBIAN
    return Warp(shape=shape, matrix=matrix, shift=shift, waves=waves * kept.view(-1, *(1,) * (d + 1)))


def determinant(m: Tensor) -> Tensor:
    """Of (..., d, d), d = 2 or 3, written out: torch's own is made for large matrices and ten times slower here."""
    if m.shape[-1] == 2:
        return m[..., 0, 0] * m[..., 1, 1] - m[..., 0, 1] * m[..., 1, 0]
    whole: Tensor = torch.linalg.cross(m[..., 0], m[..., 1]).mul(m[..., 2]).sum(-1)
    return whole


def turn(angles: Tensor, one: int, other: int, d: int) -> Tensor:
    """Rotations in the plane of two axes, (b, d, d)."""
    matrix = torch.eye(d, device=angles.device).repeat(len(angles), 1, 1)
    matrix[:, one, one] = matrix[:, other, other] = torch.cos(angles)
    matrix[:, one, other], matrix[:, other, one] = -torch.sin(angles), torch.sin(angles)
    return matrix


def extents(shape: tuple[int, ...]) -> list[float]:
    """Half of each side, in halves of the longest."""
    return [side / max(shape) for side in shape]


def axes_of(shape: tuple[int, ...], device: torch.device) -> list[Tensor]:
    """Centres of the pixels along each axis, in halves of the longest side."""
    return [((2 * torch.arange(side, device=device) + 1) / side - 1) * side / max(shape) for side in shape]


def basis(positions: Tensor, extent: float, *, slope: bool = False) -> Tensor:
    """1, cos, sin, cos 2, sin 2, … of the position, whose period is the whole side; last axis 2·WAVES + 1. Or the derivatives.

    Products of these along the axes, with normal coefficients, are plane waves of random phase; so a field of them costs two
    small matrix products instead of one cosine per wave and pixel.
    """
    k = torch.arange(1, WAVES + 1, device=positions.device) * (math.pi / extent)
    angle = positions[..., None] * k
    if slope:
        pair, first = torch.stack([-torch.sin(angle) * k, torch.cos(angle) * k], -1), torch.zeros_like(positions)
    else:
        pair, first = torch.stack([torch.cos(angle), torch.sin(angle)], -1), torch.ones_like(positions)
    return torch.cat([first[..., None], pair.flatten(-2)], dim=-1)


def amplitudes(d: int, device: torch.device) -> Tensor:
    """1/|k|² per product of waves, 0 for the constant and beyond |k| = WAVES; shape (2·WAVES + 1,) · d."""
    k = torch.tensor([0, *(i for wave in range(1, WAVES + 1) for i in (wave, wave))], dtype=torch.float32, device=device)
    square = sum((grid**2 for grid in torch.meshgrid(*[k] * d, indexing="ij")), torch.zeros((), device=device))
    inside = (square > 0) & (square <= WAVES**2)
    return torch.where(inside, 1 / square.clamp(min=1), 0.0)


def field(waves: Tensor, bases: Sequence[Tensor]) -> Tensor:
    """Coefficients (b, d, waves, ...) and one basis (side, waves) per axis → values (b, d, *shape)."""
    ins, outs = "ijk"[: len(bases)], "xyz"[: len(bases)]
    terms = ",".join(f"{o}{i}" for i, o in zip(ins, outs, strict=True))
    return torch.einsum(f"bc{ins},{terms}->bc{outs}", waves, *bases)


def mixed(images: Tensor, targets: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Each picture blended with another of its batch, and so its targets (Zhang 2018)."""
    if not isinstance(targets, Tensor) or not targets.is_floating_point():
        raise ConfigError("recipe: mixup blends labels; masks cannot be blended, set it to 0")
    other = torch.randperm(len(images), generator=generator, device=images.device)
    return share * images + (1 - share) * images[other], share * targets + (1 - share) * targets[other]
