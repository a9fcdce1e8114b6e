"""CBF of one delay corrected by arrival times that another scan measured: one compartment, its error carried along.

The formula of one delay assumes that all label has arrived. Where a share ``a`` of it had, a perfusion difference is
``a`` times what the formula expects, so that CBF = difference * factor / a(ATT) (`kinetic_model.KineticModel.arrived`).
An error of the arrival time is one of ``a``: sd^2 = (sd_difference factor / a)^2 + (CBF a'/a sd_att)^2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..series import Acquisition
from .cbf import Quantification
from .kinetic_model import KineticModel
from .kinetics import delay_of_slices, label_length, single_delay

LEAST_SHARE = 0.2  # of the label; with less the noise of CBF is more than five times what the formula makes it
MOST_ERROR = 0.5  # of CBF, by the SD of the arrival time; beyond, the mean of 1/a is a third and more above 1/a of it


@dataclass(frozen=True, eq=False)
class ArrivedLabel:
    """How much of its label each voxel had when it was read.

    Args:
        share: (K, J, I), of what the formula of one delay assumes; 1 where all had arrived, NaN where it is not known.
        error: (K, J, I), the SD of its error as a share of it, from the arrival time's; 0 where that counts as exact.
    """

    share: np.ndarray
    error: np.ndarray

    @property
    def enough(self) -> np.ndarray:
        """Bool (K, J, I): where CBF can be told, by `LEAST_SHARE` and `MOST_ERROR`."""
        return (np.nan_to_num(self.share) >= LEAST_SHARE) & ~(self.error > MOST_ERROR)


def arrived_label(
    acquisition: Acquisition, model: KineticModel, att: np.ndarray, att_error: np.ndarray | None = None
) -> ArrivedLabel:
    """How much label had arrived at the one delay of a series.

    Args:
        acquisition: its delay, label duration and slice timing.
        model: how label arrives and decays.
        att: (K, J, I), arterial transit time, s; NaN where it is not known.
        att_error: (K, J, I), the SD of its error, s; None where it is not known.

    Raises:
        InputError: the delay or the label duration is not stated, or there are several.
    """
    delay = delay_of_slices(acquisition, single_delay(acquisition), len(att))[:, None, None]
    duration = label_length(acquisition)
    att = att.astype(np.float64)
    share = np.asarray(model.arrived(att, delay, duration), np.float64)
    if att_error is None:
        return ArrivedLabel(share, np.zeros(share.shape))
    # over the SD to both sides: at a corner of the curve the derivative is that of one side alone
    spread = att_error.astype(np.float64)
    late, early = (np.asarray(model.arrived(att + side * spread, delay, duration)) for side in (1, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.abs(early - late) / 2 / share
    return ArrivedLabel(share, error)


def corrected(quantification: Quantification, arrived: ArrivedLabel) -> Quantification:
    """A quantification by the label that had arrived; NaN where that is not known, or too little to measure CBF by."""
    enough = arrived.enough
    factor = quantification.factor.array / np.where(enough, arrived.share, np.nan)
    volume = quantification.factor
    return replace(
        quantification,
        factor=volume.with_array(factor),
        relative_error=volume.with_array(np.where(enough, arrived.error, np.nan), unit="", name="relative-error"),
    )
