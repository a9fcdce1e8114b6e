"""CBF from a perfusion difference, its M0 and its acquisition; without an M0, the difference as it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..series import CBF_UNIT, SCANNER_UNIT, Acquisition, Parameter, Volume
from .calibration import Calibration, edge_corrected
from .kinetics import cbf_scale


@dataclass(frozen=True, eq=False)
class Quantification:
    """The factor (K, J, I) from a difference image to CBF, and its parameters.

    `factor` is in ml/100g/min per scanner unit of the difference; NaN where CBF cannot be measured. Where nothing
    calibrates the difference it is 1, and `unit` that of the scanner. `relative_error` (K, J, I) is the SD of its error
    as a share of it; None counts it as exact.
    """

    factor: Volume
    parameters: tuple[Parameter, ...]
    unit: str = CBF_UNIT
    relative_error: Volume | None = None

    def cbf(self, difference: Volume, *, name: str = "") -> Volume:
        """CBF of a difference image on the same grid, in `unit`; NaN outside the brain or where M0 is noise."""
        name = name or ("cbf" if self.unit == CBF_UNIT else "perfusion difference")
        return difference.with_array(difference.array * self.factor.array, unit=self.unit, name=name)

    def deviation(self, error: Volume, difference: Volume) -> Volume:
        """The SD of the error of `cbf` of a difference image whose own error has the SD `error`, in `unit`."""
        own = self.cbf(error)
        if self.relative_error is None:
            return own
        carried = self.cbf(difference).array * self.relative_error.array
        return own.with_array(np.hypot(own.array, carried))


def as_it_is(brain: Volume, unit: str) -> Quantification:
    """The quantification of what needs or has no calibration: 1 in the brain (0/1), NaN outside."""
    factor = np.where(brain.array > 0, 1.0, np.nan)
    return Quantification(brain.with_array(factor, unit="", name="factor"), (), unit)


def relative(brain: Volume) -> Quantification:
    """The quantification of differences that nothing calibrates: relative perfusion in scanner units."""
    return as_it_is(brain, SCANNER_UNIT)


def quantification(acquisition: Acquisition, calibration: Calibration, brain: Volume) -> Quantification:
    """The quantification of one series (Alsop et al. 2015; see `kinetics`).

    Args:
        acquisition: labelling, times and constants.
        calibration: the M0, not yet edge-corrected.
        brain: 0/1 mask on the same grid; CBF is NaN outside.

    Raises:
        InputError: a required parameter is missing (see `kinetics.cbf_scale`) or the M0 is not positive in the brain.
    """
    scale, parameters = cbf_scale(acquisition, slices=brain.geometry.size[2])
    calibration = edge_corrected(calibration, brain)
    factor = scale / calibration.m0.array.astype(np.float64)
    return Quantification(brain.with_array(factor, unit="", name="cbf-factor"), (*parameters, *calibration.parameters))
