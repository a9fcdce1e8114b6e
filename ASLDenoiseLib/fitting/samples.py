"""The voxels of a fit in a row: what was measured at each delay, and how far each is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..preparing.delays import FEWEST_DELAYS
from ..quantifying.kinetic_model import KineticModel
from ..series import Labeling
from .maps import DelayMeans

FEWEST_WITH_ARTERIES = 4
# Of the bolus, what must have arrived in some image at the latest arrival time. BASIL takes 0.2 s, where CBF is one
# image times fifteen: at an SNR of 1 its RMSE is three times what it is with a half.
LEAST_OF_BOLUS = 0.5


@dataclass(frozen=True, eq=False)
class Samples:
    """N voxels that can be fitted, of a grid (K, J, I).

    Args:
        images: (D, N), 0 where not measured.
        weights: (D, N), one over the variance of the noise; 0 where not measured.
        delays: (D, N), s.
        durations: (D, 1), s.
        voxels: bool (K, J, I), which they are.
        lowest, highest: (N,), s, between which arrival times can be told.
    """

    images: np.ndarray
    weights: np.ndarray
    delays: np.ndarray
    durations: np.ndarray
    voxels: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray

    @property
    def slices(self) -> np.ndarray:
        """The slice (N,) of each voxel."""
        return np.nonzero(self.voxels)[0]

    def on_grid(self, values: np.ndarray, *, empty: float = np.nan, dtype: type = np.float32) -> np.ndarray:
        """Values (..., N) on the grid (..., K, J, I), `empty` elsewhere."""
        grid = np.full((*values.shape[:-1], *self.voxels.shape), empty, dtype)
        grid[..., self.voxels] = values
        return grid


def samples_of(means: DelayMeans, model: KineticModel) -> Samples:
    """The voxels of the brain that were measured at enough delays.

    A delay counts in a voxel where its image and its error are finite. An error of 0 counts as a thousandth of the
    median one.

    Raises:
        InputError: there are too few delays, or shapes disagree.
    """
    count = len(means.images)
    fewest = FEWEST_WITH_ARTERIES if model.macrovascular else FEWEST_DELAYS
    if count < fewest:
        what = "CBF, arrival time and arterial blood volume" if model.macrovascular else "CBF and arrival time"
        one = "" if count == 1 else "s"
        raise InputError(f"{what} need {fewest} delays and the series has {count} delay{one}; give one with more.")
    if means.errors.shape != means.images.shape or means.delays.shape != means.images.shape[:2]:
        raise InputError("The errors and delays do not match the images of the delays; give one a delay and slice.")
    there = np.isfinite(means.images) & np.isfinite(means.errors) & (means.brain > 0)
    voxels = there.sum(0) >= fewest
    there = there[:, voxels]
    errors = np.where(there, means.errors[:, voxels], 1.0).astype(float)
    usual = np.median(errors[there]) if there.any() else 1.0
    errors = np.maximum(errors, 1e-3 * usual) if usual > 0 else np.ones(errors.shape)
    durations = np.asarray(means.durations, float)[:, None]
    delays = np.asarray(means.delays, float)[:, np.nonzero(voxels)[0]]
    ended = delays - durations if model.labeling is Labeling.PASL else delays  # before these all label has arrived
    first = np.where(there, ended, np.inf).min(0, initial=np.inf)
    lowest = np.maximum(first, 0.0) if model.plateau else np.zeros(len(first))
    highest = np.where(there, ended + (1 - LEAST_OF_BOLUS) * durations, -np.inf).max(0, initial=-np.inf)
    return Samples(
        np.where(there, means.images[:, voxels], 0.0).astype(float),
        np.where(there, errors**-2.0, 0.0),
        delays,
        durations,
        voxels,
        lowest,
        np.maximum(highest, lowest),
    )
