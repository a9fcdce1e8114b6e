"""CBF from a perfusion difference, its M0 and its acquisition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..series import CBF_UNIT, Acquisition, Parameter, Volume
from .calibration import Calibration
from .kinetics import cbf_scale

_EDGE = 0.1  # an M0 below this fraction of the brain's median is noise: dividing by it would make spikes


@dataclass(frozen=True, eq=False)
class Quantification:
    """What turns a difference image of one series into CBF: a factor a voxel, and the parameters behind it.

    Args:
        factor: (K, J, I) ml/100g/min per scanner unit of the difference; NaN where CBF cannot be measured.
        parameters: every value that entered, with its origin.
    """

    factor: Volume
    parameters: tuple[Parameter, ...]

    def cbf(self, difference: Volume, *, name: str = "cbf") -> Volume:
        """CBF (ml/100g/min) of a difference image on the same grid; NaN outside the brain or where M0 is noise."""
        return difference.with_array(difference.array * self.factor.array, unit=CBF_UNIT, name=name)


def quantification(acquisition: Acquisition, calibration: Calibration, brain: Volume) -> Quantification:
    """The quantification of one series (Alsop et al. 2015; see `kinetics`).

    Args:
        acquisition: labelling, times and constants.
        calibration: the M0.
        brain: 0/1 mask on the same grid; CBF is NaN outside.

    Raises:
        InputError: a required parameter is missing (see `kinetics.cbf_scale`).
    """
    scale, parameters = cbf_scale(acquisition, slices=brain.geometry.size[2])
    m0 = calibration.m0.array.astype(np.float64)
    inside = brain.array > 0
    usable = inside & (m0 > _EDGE * np.median(m0[inside]))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(usable, scale / m0, np.nan)
    return Quantification(brain.with_array(factor, unit="", name="cbf-factor"), (*parameters, *calibration.parameters))
