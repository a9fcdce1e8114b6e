"""A head of soft ellipsoids whose pose is known exactly, scanned: for tests of motion, preparation and whole runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Labeling, Tissue, Volume, VolumeType
from ASLDenoiseLib.spatial.rigid import matrix_from

GRID = Geometry((40, 40, 16), (4.5, 4.5, 6.0), (-87.75, -87.75, -45.0))
# centre (mm), radii (mm) and signal of what the head is made of; nothing is symmetric
PARTS = [
    ((0, 0, 0), (66, 78, 52), 200.0),
    ((3, -4, 2), (54, 66, 42), -60.0),
    ((-12, 10, 8), (10, 26, 14), 90.0),
    ((15, -30, -10), (14, 12, 16), 60.0),
    ((-25, -25, 15), (12, 16, 10), -50.0),
    ((22, 28, -18), (16, 10, 12), 70.0),
]
PERFUSED = (((3, -4, 2), (60, 72, 46), 4.0), ((-20, 20, 5), (14, 14, 14), 4.0))
NOISE = 1.5
ACQUISITION = Acquisition(labeling=Labeling.PCASL, post_labeling_delay=1.8, label_duration=1.8, m0_repetition_time=6.0)


def drawn(parts, pose: np.ndarray, *, folds: float = 0.0) -> np.ndarray:
    """Soft-edged ellipsoids (K, J, I) of a head in a pose (6,), computed where each voxel lies.

    `folds` is the height of waves some 55 mm long all through the first ellipsoid.
    """
    k, j, i = np.meshgrid(*(np.arange(n) for n in GRID.shape), indexing="ij")
    places = np.stack([i, j, k, np.ones_like(i)], -1) @ GRID.affine_lps.T
    at_rest = (places @ np.linalg.inv(matrix_from(pose, np.zeros(3))).T)[..., :3]
    shares = [1 / (1 + np.exp((np.linalg.norm((at_rest - c) / r, axis=-1) - 1) * min(r) / 4.5)) for c, r, _ in parts]
    x, y, z = np.moveaxis(at_rest, -1, 0)
    waves = np.sin(x / 9 + 1) * np.sin(y / 8) + np.sin(y / 10 + z / 9) * np.sin(z / 8 + 2)
    return sum(share * signal for share, (*_, signal) in zip(shares, parts, strict=True)) + folds * waves * shares[0]


def still_signal(pose: np.ndarray) -> np.ndarray:
    return drawn(PARTS, pose, folds=20.0)


def scan(poses: np.ndarray, *, noise: float = NOISE) -> ASLSeries:
    """Labels and controls by turns, one a pose (T, 6) in mm and degrees; always the same noise."""
    context = tuple(VolumeType.CONTROL if t % 2 else VolumeType.LABEL for t in range(len(poses)))
    volumes = [
        still_signal(pose) - (drawn(PERFUSED, pose) if kind is VolumeType.LABEL else 0)
        for pose, kind in zip(poses, context, strict=True)
    ]
    return ASLSeries(
        np.stack(volumes) + np.random.default_rng(0).normal(0, noise, (len(poses), *GRID.shape)), GRID, context
    )


def drift(volumes: int) -> np.ndarray:
    """0.5 mm and 0.5 degrees from the first volume to the last, oblique, about the pose at rest."""
    return np.linspace(-0.5, 0.5, volumes)[:, None] * 0.5 * np.array([[0.6, 0.64, 0.48, 0.48, 0.6, 0.64]])


def brain() -> Volume:
    return Volume(drawn([(*PARTS[0][:2], 1.0)], np.zeros(6)) > 0.5, GRID)


def quantifiable(series: ASLSeries) -> ASLSeries:
    m0 = Volume(600.0 * brain().array + 20.0, GRID)
    return replace(series, acquisition=replace(ACQUISITION, background_suppression=False), m0=m0)


def tissue() -> Tissue:
    inner = drawn([(PERFUSED[0][0], (40, 50, 30), 1.0)], np.zeros(6))
    csf = drawn([((0, 0, 0), (24, 24, 20), 1.0)], np.zeros(6))
    maps = (brain().array - inner, inner - csf, csf)
    return Tissue(*(Volume(np.clip(each, 0, 1), GRID) for each in maps), brain(), source="made here")
