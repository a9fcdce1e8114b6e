"""Scans that are corrupted on purpose, so that it is known which pairs and which slices of them are outliers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ASLDenoiseLib.learning.phantom import Phantom
from ASLDenoiseLib.learning.scan_noise import spikes
from ASLDenoiseLib.learning.simulate import ScanSettings, SimulatedScan
from ASLDenoiseLib.preparing.outliers import OutlierContext, PairMotion
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.cbf import quantification

from .known_motion import Still


@dataclass(frozen=True)
class Corruption:
    """What is done to a scan.

    Args:
        drift: mm and degrees by which the head drifts from the first volume to the last, in a drawn direction.
        volumes: share of controls and labels whose every slice carries a stripe, one bad point of k-space each.
        slices: share of the slices of the other pairs that are corrupted alone: half by a stripe, half because the head
            lay elsewhere while that slice of the label was read.
        jerks: share of the pairs in which the head lies elsewhere for the whole of the label.
        elsewhere: mm, from and to.
        unlabelled: share of the pairs in which labelling fails, so that they hold noise alone.
    """

    drift: float = 0.0
    volumes: float = 0.0
    slices: float = 0.0
    jerks: float = 0.0
    elsewhere: tuple[float, float] = (1.5, 4.0)
    unlabelled: float = 0.0


CONDITIONS = {
    "clean": Corruption(),
    "spiked": Corruption(drift=0.5, volumes=0.1, slices=0.02),
    "moved": Corruption(jerks=0.1),
    "unlabelled": Corruption(unlabelled=0.1),
}


@dataclass(frozen=True, eq=False)
class Corrupted:
    """A scan with known outliers: what methods see, which (N, K) slices of pairs are corrupted, and the true CBF."""

    context: OutlierContext
    corrupted: np.ndarray
    truth: np.ndarray


def corrupt(phantom: Phantom, settings: ScanSettings, corruption: Corruption, *, seed: int) -> Corrupted:
    """Scan a phantom and corrupt the scan; the noise of a seed is the same whatever the corruption.

    What the head's motion changes is taken from noise-free images and added, so that the noise keeps its texture.
    """
    still = Still.of(phantom, settings, seed=seed)
    scan, difference = still.scan, still.difference
    array, rng, g = scan.series.array.copy(), np.random.default_rng([seed, 1]), torch.Generator().manual_seed(seed)
    count, shape = len(array), array.shape[1:]
    corrupted = np.zeros((count // 2, shape[0]), bool)
    poses = np.linspace(0, 1, count)[:, None] * np.concatenate(
        [corruption.drift * _direction(rng), np.deg2rad(corruption.drift) * _direction(rng)]
    )
    for n in rng.choice(count // 2, round(corruption.jerks * (count // 2)), replace=False):
        poses[2 * n, :3] += rng.uniform(*corruption.elsewhere) * _direction(rng)
        corrupted[n] = True
    array += np.stack([still.change(pose, labelled=t % 2 == 0) for t, pose in enumerate(poses)])

    noise = (difference_volumes(scan.series).array - difference)[:, phantom.gm.numpy() > 0.7]
    sigma = float(noise.std() / np.sqrt(2))
    for t in rng.choice(count, round(corruption.volumes * count), replace=False):
        array[t] += sigma * spikes(shape, 1.0, g).numpy()
        corrupted[t // 2] = True
    for n, k in np.argwhere(~corrupted & (rng.random(corrupted.shape) < corruption.slices)):
        if rng.random() < 0.5:
            array[2 * n, k] += sigma * spikes((1, *shape[1:]), 1.0, g).numpy()[0]
        else:
            pose = np.append(rng.uniform(*corruption.elsewhere) * _direction(rng), np.zeros(3))
            array[2 * n, k] += still.change(pose, labelled=True)[k]
        corrupted[n, k] = True
    for n in rng.choice(count // 2, round(corruption.unlabelled * (count // 2)), replace=False):
        array[2 * n] += difference
        corrupted[n] = True
    context = _context(replace(scan, series=replace(scan.series, array=array)), poses)
    return Corrupted(context, corrupted & context.judged, scan.cbf.array)


def _direction(rng: np.random.Generator) -> np.ndarray:
    way = rng.normal(size=3)
    return way / np.linalg.norm(way)


def _context(scan: SimulatedScan, poses: np.ndarray) -> OutlierContext:
    """What the methods see of a scan whose head poses (T, 6; mm, radians) are known."""
    series, tissue = scan.series, scan.tissue
    factor = quantification(series.acquisition, calibrate(series), tissue.brain).factor
    millimetres = poses * np.array([1.0] * 3 + [50.0] * 3)  # turns on a sphere of 50 mm (Power 2012)
    first, second = millimetres[::2], millimetres[1::2]
    motion = PairMotion(np.linalg.norm(second - first, axis=1), np.linalg.norm((first + second) / 2, axis=1))
    return OutlierContext(difference_volumes(series), factor, tissue.brain, tissue, motion)
