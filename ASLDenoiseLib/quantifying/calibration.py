"""The M0 that calibrates a difference image, or the mean control in its place, corrected for relaxation and edge.

At the brain's edge and in signal voids the M0 falls to noise, and division by noise gives spikes of CBF. Other tools
erode the brain mask and extrapolate the M0 into what was eroded (edge correction of oxasl and oxford_asl, their
default) or smooth the M0 (ASLPrep, 5 mm FWHM). Both change every voxel they touch. `edge_corrected` takes the
extrapolated M0 as a floor alone: a voxel whose M0 agrees with its surroundings keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..remedies import GiveImage, SetField
from ..series import Acquisition, ASLSeries, M0Type, Origin, Parameter, Volume, VolumeType
from ..spatial.smoothing import blur
from .constants import t1_tissue
from .kinetics import m0_relaxation_factor

FULLY_RELAXED = 5.0  # s; above this repetition time M0 is taken as relaxed (ASLPrep)
NOISE_FRACTION = 0.1  # of the brain's median M0; what is below is noise and CBF is not measured there
FLOOR_FRACTION = 0.5  # of the M0 around a voxel; no tissue's M0 lies so far below its neighbours'
NUMBER_REMEDIES = (
    SetField("m0_repetition_time", text="give the time it was measured at"),
    SetField("m0_repetition_time", 10, "where it is fully relaxed, give a long one"),
)
FLOOR_FWHM = 10.0  # mm; wide enough to reach from the edge into the brain, narrow enough to follow the coils


@dataclass(frozen=True, eq=False)
class Calibration:
    """The M0 (K, J, I), scanner units, to divide by, the parameters of its corrections, and a warning or ''."""

    m0: Volume
    parameters: tuple[Parameter, ...]
    warning: str = ""


def calibrate(series: ASLSeries) -> Calibration:
    """The M0 image of a series, else its M0 estimate (one number), else the mean control, scaled and relaxed.

    An estimate counts as fully relaxed, unless the user says at what repetition time it was measured.

    Raises:
        InputError: there is no M0, and the mean control is missing or background-suppressed; or a sidecar states a
            repetition time beside an estimate.
    """
    acquisition = series.acquisition
    if series.m0 is not None:
        return _relaxed(series.m0, acquisition, acquisition.m0_repetition_time, "m0_repetition_time", warning="")
    if acquisition.m0_estimate is not None:
        return _of_number(series)
    if not controls_stand_in(series):
        controls = series.indices(VolumeType.CONTROL)
        why = "its controls are background-suppressed" if controls else "it has no control images"
        if controls and acquisition.background_suppression is None:
            why = "it is not stated whether its controls are background-suppressed"
        if controls and acquisition.look_locker:
            why = "controls of a Look-Locker readout are never relaxed"
        raise InputError(f"The series has no M0 and {why}", [GiveImage("m0", "give an M0 image or its value")])
    warning = "There is no M0: the mean control stands in for it, so CBF is approximate."
    field = "repetition_time" if acquisition.m0_repetition_time is None else "m0_repetition_time"
    mean = series.mean(VolumeType.CONTROL)
    return _relaxed(mean, acquisition, control_time(acquisition), field, warning=warning)


def control_time(acquisition: Acquisition) -> float | None:
    """The repetition time (s) of controls that stand in for the M0: stated for the M0, else the series' own."""
    if acquisition.m0_repetition_time is not None:
        return acquisition.m0_repetition_time
    return None if acquisition.repetition_time is None else float(np.median(acquisition.repetition_time))


def unclear_number(acquisition: Acquisition) -> str:
    """Why it is unclear whether an M0 that is one number is relaxed; empty where it is clear."""
    if acquisition.origins.get("m0_repetition_time", Origin.USER) is Origin.USER:
        return ""
    return f"a repetition time of {acquisition.m0_repetition_time:g} s is stated beside the M0 that is one number"


def _of_number(series: ASLSeries) -> Calibration:
    """One number for the whole image."""
    acquisition = series.acquisition
    if unclear_number(acquisition):
        raise InputError(f"It is unclear whether M0 is relaxed: {unclear_number(acquisition)}", NUMBER_REMEDIES)
    m0 = Volume(np.full(series.geometry.shape, acquisition.m0_estimate), series.geometry, name="m0")
    made = _relaxed(m0, acquisition, acquisition.m0_repetition_time, "m0_repetition_time", warning="")
    number = Parameter("m0", acquisition.m0_estimate, "", acquisition.origins["m0_estimate"], "one number for all")
    return replace(made, parameters=(*(p for p in made.parameters if p.name != "m0"), number))


def nothing_calibrates(series: ASLSeries) -> bool:
    """Whether the differences of a series cannot become CBF: no M0, and no control image that may stand in for it.

    Of such a series relative perfusion is all there is. CBF volumes need no M0.
    """
    missing = series.m0 is None and not series.acquisition.m0_estimate
    return missing and not series.holds_cbf and not controls_stand_in(series)


def controls_stand_in(series: ASLSeries) -> bool:
    """Whether the mean control calibrates for want of an M0; none of a Look-Locker readout is relaxed."""
    missing = series.m0 is None and not series.acquisition.m0_estimate
    unsuppressed = series.acquisition.background_suppression is False and not series.acquisition.look_locker
    return missing and unsuppressed and bool(series.indices(VolumeType.CONTROL))


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


def edge_corrected(calibration: Calibration, brain: Volume) -> Calibration:
    """The calibration with an M0 to divide by, and the numbers of voxels left out and raised among its parameters.

    An M0 outside the brain, or below a tenth of the brain's median (noise), becomes NaN. Elsewhere it is raised, where
    it is below, to half of the Gaussian mean (10 mm FWHM) of the M0 in the eroded brain around it, so that the noise of
    CBF is at most doubled. Voxels above that floor stay exactly as they are.

    Args:
        calibration: of `calibrate`, M0 (K, J, I) in scanner units; NaN is not measured and stays so.
        brain: 0/1 mask on the same grid.

    Raises:
        InputError: the M0 is nowhere positive in the brain, or the mask is on another grid.
    """
    if not brain.geometry.matches(calibration.m0.geometry):
        raise InputError("The brain mask is not on the grid of the M0; resample it to the M0 first.")
    m0 = calibration.m0.array.astype(np.float64)
    inside = (brain.array > 0) & np.isfinite(m0)
    level = float(np.median(m0[inside])) if inside.any() else 0.0
    if not level > 0:
        raise InputError("The M0 is not positive in the brain", [GiveImage("m0", "give an M0 image of this scan")])
    usable = inside & (m0 > NOISE_FRACTION * level)
    floor = FLOOR_FRACTION * _surroundings(m0, usable, calibration.m0.geometry.spacing)
    raised = usable & (m0 < floor)
    notes = {
        "m0_noise_voxels": f"M0 below {NOISE_FRACTION:g} of the brain's median: CBF not measured",
        "m0_raised_voxels": f"M0 raised to {FLOOR_FRACTION:g} of the mean around ({FLOOR_FWHM:g} mm FWHM)",
    }
    counts = (int(np.count_nonzero(voxels)) for voxels in (inside & ~usable, raised))
    numbers = [
        Parameter(name, count, "voxels", Origin.IMAGE, note)
        for (name, note), count in zip(notes.items(), counts, strict=True)
    ]
    m0 = calibration.m0.with_array(np.where(usable, np.where(raised, floor, m0), np.nan))
    return replace(calibration, m0=m0, parameters=(*calibration.parameters, *numbers))


def _surroundings(m0: np.ndarray, usable: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Gaussian mean of the M0 in the eroded brain, extrapolated to all of `usable`; zero where nothing is near."""
    from scipy.ndimage import binary_erosion

    # As in oxasl: 3 x 3 x 3, and the edge of the grid does not erode. A brain too thin to erode is taken whole.
    core = binary_erosion(usable, np.ones((3, 3, 3)), border_value=1)
    core = core if core.any() else usable
    weight = blur(core.astype(np.float64), spacing, FLOOR_FWHM)
    total = blur(np.where(core, m0, 0.0), spacing, FLOOR_FWHM)
    return np.divide(total, weight, out=np.zeros(m0.shape), where=weight > 1e-6)
