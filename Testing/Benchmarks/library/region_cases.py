"""Regions to measure in, counted voxel by voxel, and heads made symmetrical, whose midline is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.regions import Drawing
from ASLDenoiseLib.spatial.resampling import average_onto

T1_GRID = Geometry((160, 190, 160), (1.0, 1.0, 1.0), (-80.0, -95.0, -80.0))
ASL_GRID = Geometry((52, 60, 24), (3.4, 3.4, 6.0), (-87.0, -100.0, -70.0))
_GM, _WM = (3, 42, 8, 47, *range(10, 14), *range(49, 53), 17, 18, 53, 54), (2, 41, 7, 46)
_T1 = {"GM": 75.0, "WM": 110.0, "CSF": 25.0}
_CBF = {"GM": 60.0, "WM": 25.0, "CSF": 0.0}


def turned(grid: Geometry, degrees: tuple[float, float, float]) -> Geometry:
    """A grid turned about its middle, about x, y and z in turn."""
    turn = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(degrees)):
        one, other = [n for n in range(3) if n != axis]
        step = np.eye(3)
        step[one, one] = step[other, other] = np.cos(angle)
        step[one, other], step[other, one] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    axes = turn @ np.reshape(grid.direction, (3, 3))
    half = np.array(grid.spacing) * (np.array(grid.size) - 1) / 2
    middle = np.array(grid.origin) + np.reshape(grid.direction, (3, 3)) @ half
    return Geometry(grid.size, grid.spacing, tuple(middle - axes @ half), tuple(axes.ravel()))


def directly(drawing: Drawing, values: Volume, transform: np.ndarray, cuts: int) -> float:
    """The mean of an image over a drawing, of the voxel that each of many points close together lies in."""
    k, j, i = np.nonzero(drawing.inside)
    steps = (np.arange(cuts) + 0.5) / cuts - 0.5
    to_grid = np.linalg.inv(values.geometry.affine_lps) @ transform @ drawing.affine
    total, count = 0.0, 0
    for offset in np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3):
        at = np.floor((np.column_stack([i, j, k]) + offset) @ to_grid[:3, :3].T + to_grid[:3, 3] + 0.5).astype(int)
        at = at[np.all((at >= 0) & (at < values.geometry.size), axis=1)]
        found = values.array[at[:, 2], at[:, 1], at[:, 0]].astype(float)
        total, count = total + found.sum(), count + found.size
    return total / max(count, 1)


@dataclass(frozen=True, eq=False)
class Head:
    """T1, CBF and brain of a head, on one grid of 1 mm."""

    t1: Volume
    cbf: Volume
    brain: Volume


def read_head(path: Path, *, symmetrical: bool) -> tuple[Head, np.ndarray]:
    """A head of a label map; and the true reflection (4x4, LPS mm) of one made symmetrical: its half of low i, twice.

    The reflection of a head as it is, is that of its mid-plane voxels' left and right, as near as the label map's axes.
    """
    labels = read_image(path)
    values = labels.array.astype(int)
    left, right = (np.argwhere(np.isin(values, of))[:, 2].mean() for of in ((2, 3), (41, 42)))
    middle = round(float(left + right) / 2)
    if symmetrical:
        values = values.copy()
        width = min(middle, values.shape[2] - middle - 1)
        values[:, :, middle + 1 : middle + 1 + width] = values[:, :, middle - width : middle][:, :, ::-1]
        values[:, :, middle + 1 + width :] = 0
        values[:, :, : middle - width] = 0
    kinds = {"GM": np.isin(values, _GM), "WM": np.isin(values, _WM)}
    brain = (values > 0) & (values < 500)
    kinds["CSF"] = brain & ~kinds["GM"] & ~kinds["WM"]
    t1, cbf = (sum(levels[name] * kinds[name] for name in kinds) for levels in (_T1, _CBF))
    head = Head(*(labels.with_array(array) for array in (t1, cbf, brain)))
    affine = labels.geometry.affine_lps
    normal = affine[:3, 0] / np.linalg.norm(affine[:3, 0])
    through = (affine @ [middle, 0, 0, 1.0])[:3]
    mirror = np.eye(4)
    mirror[:3, :3] -= 2 * np.outer(normal, normal)
    mirror[:3, 3] = 2 * (normal @ through) * normal
    return head, mirror


def scanned(head: Head, degrees: tuple[float, float, float], noise: float, seed: int) -> tuple[Volume, Volume, Volume]:
    """An M0-like image with noise (SD), the CBF and the brain on an ASL grid that is turned over the head."""
    places = np.argwhere(head.brain.array > 0.5)[:, ::-1].mean(axis=0)
    middle = (head.brain.geometry.affine_lps @ [*places, 1.0])[:3]
    half = np.array(ASL_GRID.spacing) * (np.array(ASL_GRID.size) - 1) / 2
    grid = turned(Geometry(ASL_GRID.size, ASL_GRID.spacing, tuple(middle - half)), degrees)
    image, cbf, brain = (average_onto(each, grid, outside=0.0) for each in (head.t1, head.cbf, head.brain))
    noisy = image.array + np.random.default_rng(seed).normal(0, noise, grid.shape)
    return image.with_array(noisy), cbf, brain


def ball(grid: Geometry, middle: np.ndarray, radius: float) -> Drawing:
    """A ball of `radius` mm about a point (LPS mm), of voxels as of a grid, which it may leave."""
    index = np.rint(np.linalg.inv(grid.affine_lps) @ [*middle, 1.0])[:3]
    reach = np.ceil(radius / np.array(grid.spacing)) + 1
    i, j, k = (np.arange(c - r, c + r + 1) for c, r in zip(index, reach, strict=True))
    k, j, i = np.meshgrid(k, j, i, indexing="ij")
    points = np.stack([i, j, k], axis=-1) @ grid.affine_lps[:3, :3].T + grid.affine_lps[:3, 3]
    affine = grid.affine_lps
    affine[:3, 3] = (grid.affine_lps @ [*(index - reach), 1.0])[:3]
    return Drawing.cropped(np.square(points - middle).sum(axis=-1) < radius**2, affine)
