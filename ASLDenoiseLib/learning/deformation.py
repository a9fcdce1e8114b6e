"""How the space of a phantom maps into the space of an anatomy: rotation, scaling, mirror, smooth warp, and crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .smooth import Waves, draw_waves, uniform


@dataclass(frozen=True, eq=False)
class Deformation:
    """Takes points (mm from the centre of the acquired grid, ordered k, j, i) to mm from the centre of the anatomy.

    Args:
        matrix: (3, 3) rotation, scaling and mirror.
        offset: (3,) mm in the phantom's space: which part of the brain the acquired box covers.
        warp: smooth displacement, mm, three fields.
    """

    matrix: torch.Tensor
    offset: torch.Tensor
    warp: Waves

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Places in the anatomy (..., 3) of points (..., 3)."""
        return self.affine(points) + self.warp(points)

    def affine(self, points: torch.Tensor) -> torch.Tensor:
        """The same without the warp."""
        return (points + self.offset) @ self.matrix.T

    def cells(self, centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Places (N, 3, S) of `offsets` (S, 3) around each of `centres` (N, 3).

        To first order in the size of a voxel: the warp is its value and slope at the centre.
        """
        return self(centres)[:, :, None] + self.jacobian(centres) @ offsets.T

    def jacobian(self, points: torch.Tensor) -> torch.Tensor:
        """d place / d point (..., 3, 3)."""
        return self.matrix + self.warp.gradient(points)


def draw_rotation(degrees: float, generator: torch.Generator) -> np.ndarray:
    """A rotation (3, 3) by up to +- `degrees` about each axis."""
    rotation = np.eye(3)
    for axis in range(3):
        angle = np.deg2rad(uniform(generator, -degrees, degrees))
        c, s, turn = np.cos(angle), np.sin(angle), np.eye(3)
        b, d = [x for x in range(3) if x != axis]
        turn[[b, b, d, d], [b, d, b, d]] = c, -s, s, c
        rotation = rotation @ turn
    return rotation


def draw_deformation(
    brain_half: np.ndarray,
    box_half: np.ndarray,
    generator: torch.Generator,
    *,
    affine: float,
    rotation: float,
    warp: float,
    device: str = "cpu",
) -> Deformation:
    """Draw one.

    Args:
        brain_half, box_half: half extents (k, j, i) in mm of the brain and of the acquired box; a box that is smaller
            than the brain sees a different part of it each time.
        generator: where the draws come from (CPU).
        affine: relative scaling along each axis is drawn from 1 +- this.
        rotation: degrees about each axis, +- this.
        warp: SD of each component of the displacement, mm; its peak is some four times that.
    """
    scale = np.array([1 + uniform(generator, -affine, affine) for _ in range(3)])
    scale[2] *= -1.0 if uniform(generator, 0, 1) < 0.5 else 1.0
    matrix = draw_rotation(rotation, generator) @ np.diag(scale)
    slack = np.maximum(0.9 * brain_half - box_half, 3.0)
    offset = [uniform(generator, -s, s) for s in slack]
    waves = draw_waves(3, (80.0, 220.0), generator, device=device, sd=warp)
    return Deformation(*(torch.tensor(x, dtype=torch.float32, device=device) for x in (matrix, offset)), waves)
