"""What a fit of several delays is given, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DelayMeans:
    """The mean perfusion difference of every delay, as CBF by the formula of that delay alone.

    In this unit a curve is CBF times the share of the label that has arrived: 1 at each delay where all of it has.

    Args:
        images: (D, K, J, I), ml/100g/min, or scanner units where nothing calibrates them (`unit`).
        errors: (D, K, J, I), SDs of the noise of `images`, in their unit.
        delays: (D, K), s, post-labelling delay (PASL: inversion time) of every slice, slice timing included.
        durations: (D,), s, label duration (PASL: bolus duration).
        brain: bool (K, J, I), the voxels to fit.
        spacing: mm, along (k, j, i).
    """

    images: np.ndarray
    errors: np.ndarray
    delays: np.ndarray
    durations: np.ndarray
    brain: np.ndarray
    spacing: tuple[float, float, float]

    @property
    def times(self) -> tuple[np.ndarray, np.ndarray]:
        """Delays and durations, s, to be broadcast over the images."""
        return self.delays[:, :, None, None], np.asarray(self.durations, float)[:, None, None, None]


@dataclass(frozen=True, eq=False)
class FittedMaps:
    """CBF and arterial transit time of every voxel; float32 (K, J, I), NaN where nothing was fitted.

    Args:
        cbf: in the unit of what was fitted.
        att: s, from the labelling plane to the voxel.
        cbf_sd, att_sd: SDs of the errors of both.
        bounds: int8: -1 where `att` is at its lower bound, 1 at its upper, 0 within.
        gain: (D, K, J, I), by how much `cbf` moves with each delay's image: its first derivative, 0 where not fitted.
        abv, abv_sd: arterial blood volume, as a fraction of the voxel, and the SD of its error; None where the model
            has no macrovascular component.
    """

    cbf: np.ndarray
    att: np.ndarray
    cbf_sd: np.ndarray
    att_sd: np.ndarray
    bounds: np.ndarray
    gain: np.ndarray
    abv: np.ndarray | None = None
    abv_sd: np.ndarray | None = None
