"""The M0 that calibrates a difference image: relaxed, rescaled, or stood in for by the mean control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..series import Acquisition, ASLSeries, M0Type, Origin, Parameter, Volume, VolumeType
from .constants import t1_tissue
from .kinetics import m0_relaxation_factor

FULLY_RELAXED = 5.0  # s; above this repetition time M0 is taken as relaxed (ASLPrep)


@dataclass(frozen=True, eq=False)
class Calibration:
    """M0 as it enters the division (scanner units, K, J, I), what was done to it, and a warning or ''."""

    m0: Volume
    parameters: tuple[Parameter, ...]
    warning: str = ""


def calibrate(series: ASLSeries) -> Calibration:
    """The M0 of a series.

    Order: the M0 image, else the M0 estimate (one number), else the mean control of a series without background
    suppression, corrected for its repetition time.

    Raises:
        InputError: there is no M0 and background suppression rules the mean control out.
    """
    acquisition = series.acquisition
    if series.m0 is not None:
        return _relaxed(series.m0, acquisition, acquisition.m0_repetition_time, "m0_repetition_time", warning="")
    if acquisition.m0_estimate is not None:
        m0 = Volume(np.full(series.geometry.shape, acquisition.m0_estimate), series.geometry, name="m0")
        given = Parameter("m0", acquisition.m0_estimate, "", acquisition.origins["m0_estimate"], "one number for all")
        return Calibration(m0, (given,))
    controls = series.indices(VolumeType.CONTROL)
    if not controls or acquisition.background_suppression is not False:
        why = "its controls are background-suppressed" if controls else "it has no control images"
        if controls and acquisition.background_suppression is None:
            why = "it is not stated whether its controls are background-suppressed"
        raise InputError(f"The series has no M0 and {why}; give an M0 image or its value with --m0.")
    warning = "There is no M0: the mean control stands in for it, so CBF is approximate."
    repetition = acquisition.repetition_time
    time = float(np.median(np.atleast_1d(repetition))) if repetition is not None else None
    return _relaxed(series.mean(VolumeType.CONTROL), acquisition, time, "repetition_time", warning=warning)


def _relaxed(
    m0: Volume, acquisition: Acquisition, repetition_time: float | None, field: str, *, warning: str
) -> Calibration:
    """Multiply by the stated M0 scale and, for a repetition time below 5 s, by the relaxation factor."""
    factor, parameters = 1.0, []
    if acquisition.m0_scale is not None:
        factor *= acquisition.m0_scale
        parameters.append(Parameter("m0_scale", acquisition.m0_scale, "", acquisition.origins["m0_scale"]))
    if repetition_time is None:
        note = "M0 repetition time not stated: taken as fully relaxed"
        parameters.append(Parameter("m0_relaxation_factor", 1.0, "", Origin.DEFAULT, note))
    elif repetition_time < FULLY_RELAXED:
        tissue = t1_tissue(acquisition)
        relaxation = m0_relaxation_factor(repetition_time=repetition_time, t1_tissue=float(tissue.value))
        factor *= relaxation
        origin = acquisition.origins.get(field, Origin.DEFAULT)
        parameters += [tissue, Parameter("m0_relaxation_factor", round(relaxation, 6), "", origin)]
    kind = acquisition.m0_type.value if acquisition.m0_type and not warning else M0Type.ABSENT.value
    parameters.append(Parameter("m0", kind, "", acquisition.origins.get("m0_type", Origin.IMAGE)))
    return Calibration(m0.with_array(m0.array * np.float32(factor), name="m0"), tuple(parameters), warning)
