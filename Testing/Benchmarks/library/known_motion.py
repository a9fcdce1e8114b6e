"""Scans of a head that keeps still, and the same with motion that is known, so that every motion has the same noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from ASLDenoiseLib.learning.phantom import Phantom
from ASLDenoiseLib.learning.scan_noise import Mover, spikes
from ASLDenoiseLib.learning.simulate import ScanSettings, SimulatedScan, make_protocol, simulate_scan
from ASLDenoiseLib.measuring.masks import grey_matter
from ASLDenoiseLib.preparing.motion import Motion
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.series import Acquisition, ASLSeries, Labeling, VolumeType
from ASLDenoiseLib.spatial.rigid import parameters_of

from .cases import SIZE

SCAN = ScanSettings(pairs=40, gm_snr=1.0, physiological=0.003, pulsation=0.015, memory=0.5, common=0.3, unevenness=0.6)
FLAT: Acquisition = make_protocol(Labeling.PCASL, readout="2D", slices=SIZE[2])
CORRUPTED_VOLUMES, CORRUPTED_SLICES = 0.1, 0.02
TO_DEGREES = np.array([1.0] * 3 + [180 / np.pi] * 3)


@dataclass(frozen=True, eq=False)
class Still:
    """A scan of a head at rest, and its noise-free control and difference (K, J, I)."""

    scan: SimulatedScan
    control: np.ndarray
    difference: np.ndarray
    seed: int

    @classmethod
    def of(cls, phantom: Phantom, settings: ScanSettings, *, seed: int) -> Still:
        """Scan a phantom."""
        quiet = replace(settings, pairs=1, gm_snr=1e6, physiological=0.0, pulsation=0.0)
        label, control = simulate_scan(phantom, quiet, seed=seed).series.array
        return cls(simulate_scan(phantom, settings, seed=seed), control, control - label, seed)

    @cached_property
    def _images(self) -> torch.Tensor:
        return torch.tensor(np.stack([self.control, self.difference]))

    @cached_property
    def _mover(self) -> Mover:
        return Mover(self._images, self.scan.series.geometry.spacing[::-1])

    def change(self, pose: np.ndarray, *, labelled: bool) -> np.ndarray:
        """What a pose (6,; mm, radians) changes in the noise-free control or label (K, J, I)."""
        if not pose.any():
            return np.zeros_like(self.control)
        static, perfused = (self._mover.at(torch.tensor(pose).float()) - self._images).numpy()
        return static - perfused if labelled else static


@dataclass(frozen=True, eq=False)
class Moved:
    """The same scan with motion: poses (T, 6; mm and radians along k, j, i) and slices (T, K) corrupted on purpose."""

    still: Still
    series: ASLSeries
    poses: np.ndarray
    corrupted: np.ndarray


def drift(volumes: int, size: float, rng: np.random.Generator) -> np.ndarray:
    """`size` mm and degrees from the first volume to the last, about the pose at rest."""
    ways = rng.normal(size=(2, 3))
    ways *= size / np.linalg.norm(ways, axis=1, keepdims=True)
    return np.linspace(-0.5, 0.5, volumes)[:, None] * np.concatenate([ways[0], np.deg2rad(ways[1])])


def jumps(volumes: int, rng: np.random.Generator) -> np.ndarray:
    """A tenth of the volumes 1 to 3 mm and as many degrees away, the others at rest."""
    poses = np.zeros((volumes, 6))
    for t in rng.choice(volumes, volumes // 10, replace=False):
        poses[t] = drift(2, 2 * rng.uniform(1, 3), rng)[1]
    return poses


def restless(volumes: int, rng: np.random.Generator) -> np.ndarray:
    """Every volume elsewhere: SD 0.3 mm and degrees along each axis, no memory."""
    return rng.normal(0, 0.3, (volumes, 6)) / TO_DEGREES


CONDITIONS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "still": lambda n, rng: np.zeros((n, 6)),
    "drift of 0.5": lambda n, rng: drift(n, 0.5, rng),
    "drift of 2": lambda n, rng: drift(n, 2.0, rng),
    "jumps of 1 to 3": jumps,
    "restless, 0.3": restless,
}


def move(still: Still, condition: str, *, corrupt: bool = True) -> Moved:
    """Add to a scan at rest what the motion of a condition changes, and corrupt slices where the head moves."""
    series, seed = still.scan.series, still.seed
    rng = np.random.default_rng([seed, 2])
    poses = CONDITIONS[condition](len(series.context), rng)
    array, corrupted = series.array.copy(), np.zeros(series.array.shape[:2], bool)
    for t in poses.any(axis=1).nonzero()[0]:
        array[t] += still.change(poses[t], labelled=series.context[t] is VolumeType.LABEL)
    if corrupt and poses.any():
        grey = grey_matter(still.scan.tissue)
        corrupted = _corrupt(array, difference_volumes(series).array[:, grey].std(), rng, seed)
    return Moved(still, replace(series, array=array), poses, corrupted)


def _corrupt(array: np.ndarray, noise: float, rng: np.random.Generator, seed: int) -> np.ndarray:
    """Stripes all through a tenth of the volumes, and 2 % of the other slices darker by 40 %; which, (T, K)."""
    corrupted, g = np.zeros(array.shape[:2], bool), torch.Generator().manual_seed(seed)
    for t in rng.choice(len(array), round(CORRUPTED_VOLUMES * len(array)), replace=False):
        array[t] += noise / np.sqrt(2) * spikes(array.shape[1:], 1.0, g).numpy()
        corrupted[t] = True
    single = ~corrupted & (rng.random(corrupted.shape) < CORRUPTED_SLICES)
    array[single] *= 0.6
    return corrupted | single


def matrix_of_pose(pose: np.ndarray) -> np.ndarray:
    """The 4x4 matrix, LPS mm, from the head at rest to the head in a pose, about the centre of an unrotated grid."""
    a, b, c = (float(v) for v in pose[3:])
    turn = torch.linalg.matrix_exp(torch.tensor([[0.0, -c, b], [c, 0.0, -a], [-b, a, 0.0]], dtype=torch.float64))
    matrix = np.eye(4)
    matrix[:3, :3] = turn.numpy()[::-1, ::-1]
    matrix[:3, 3] = pose[:3][::-1]
    return matrix


def parameter_errors(motion: Motion, poses: np.ndarray) -> tuple[float, float]:
    """RMS errors, mm and degrees, of the found parameters against the true ones, both from their median."""
    true = np.stack([parameters_of(matrix_of_pose(pose), motion.centre) for pose in poses])
    wrong = (motion.parameters - np.median(motion.parameters, axis=0)) - (true - np.median(true, axis=0))
    return float(np.sqrt(np.mean(wrong[:, :3] ** 2))), float(np.sqrt(np.mean(wrong[:, 3:] ** 2)))
