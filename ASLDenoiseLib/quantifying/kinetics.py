"""The single-delay kinetic models of the ASL consensus paper."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..remedies import SetField
from ..series import Acquisition, Labeling, Parameter
from .constants import labeling_efficiency, partition_coefficient, t1_blood

_IN_SECONDS = "give it in seconds"


def pcasl_scale(
    *,
    post_labeling_delay: float | np.ndarray,
    label_duration: float,
    t1_blood: float,
    efficiency: float,
    partition_coefficient: float = 0.9,
) -> float | np.ndarray:
    """CBF (ml/100g/min) per unit of dM/M0, for pCASL and CASL; times in s.

    6000 lambda exp(PLD/T1b) / (2 alpha T1b (1 - exp(-tau/T1b))): Alsop et al. 2015, equation 1.

    >>> round(float(0.01 * pcasl_scale(post_labeling_delay=1.8, label_duration=1.8, t1_blood=1.65, efficiency=0.85)), 4)
    86.2999
    """
    decay = np.exp(np.asarray(post_labeling_delay, float) / t1_blood)
    filling = 1 - np.exp(-label_duration / t1_blood)
    return 6000 * partition_coefficient * decay / (2 * efficiency * t1_blood * filling)


def pasl_scale(
    *,
    inversion_time: float | np.ndarray,
    bolus_duration: float,
    t1_blood: float,
    efficiency: float,
    partition_coefficient: float = 0.9,
) -> float | np.ndarray:
    """CBF (ml/100g/min) per unit of dM/M0, for PASL with QUIPSS II or Q2TIPS; times in s.

    6000 lambda exp(TI/T1b) / (2 alpha TI1): Alsop et al. 2015, equation 2.

    >>> round(float(0.01 * pasl_scale(inversion_time=1.8, bolus_duration=0.8, t1_blood=1.65, efficiency=0.98)), 4)
    102.5235
    """
    decay = np.exp(np.asarray(inversion_time, float) / t1_blood)
    return 6000 * partition_coefficient * decay / (2 * efficiency * bolus_duration)


def m0_relaxation_factor(*, repetition_time: float, t1_tissue: float) -> float:
    """The factor that corrects an M0 image of a short repetition time (s) for relaxation: 1 / (1 - exp(-TR/T1)).

    >>> round(m0_relaxation_factor(repetition_time=2.0, t1_tissue=1.607), 4)
    1.4046
    """
    if not repetition_time > 0:
        what = "The repetition time of the M0 is 0 s, which would make every CBF 0"
        raise InputError(what, [SetField("m0_repetition_time")])
    return 1 / (1 - float(np.exp(-repetition_time / t1_tissue)))


def delay_of_slices(acquisition: Acquisition, delay: float, slices: int) -> np.ndarray:
    """The delay (s) of each slice (K,): PLD + SliceTiming for a 2D readout, else the same for all.

    BIDS orders SliceTiming along the slice axis, reversed when SliceEncodingDirection is ``k-``; `InputError` where it
    has not one entry a slice.
    """
    timing = acquisition.slice_timing
    if timing is None or acquisition.readout == "3D":
        return np.full(slices, delay)
    if len(timing) != slices:
        raise InputError(
            f"SliceTiming has {len(timing)} entries but the series has {slices} slices; correct it in the sidecar."
        )
    offsets = np.asarray(timing, float)
    return delay + (offsets[::-1] if acquisition.slice_encoding_direction == "k-" else offsets)


def single_delay(acquisition: Acquisition) -> float:
    """The one post-labelling delay, s; `InputError` where none is stated, or several."""
    delays = acquisition.delays
    if not delays:
        raise InputError("PostLabelingDelay is not stated", [SetField("post_labeling_delay", text=_IN_SECONDS)])
    if len(delays) > 1:
        listed = ", ".join(f"{d:g}" for d in delays)
        raise InputError(f"The series has several post-labelling delays ({listed} s); give a series with one delay.")
    return delays[0]


def single_label_duration(acquisition: Acquisition) -> float:
    """The one label duration, s; `InputError` where none is stated, or several."""
    durations = acquisition.label_durations
    if not any(durations):
        raise InputError("LabelingDuration is not stated", [SetField("label_duration", text=_IN_SECONDS)])
    if len(durations) > 1:
        listed = ", ".join(f"{d:g}" for d in durations)
        raise InputError(f"The series has several label durations ({listed} s); give a series with one.")
    return durations[0]


def label_length(acquisition: Acquisition) -> float:
    """The one label duration, of PASL the bolus duration, s; `InputError` where none is stated, or several."""
    if acquisition.labeling is not Labeling.PASL:
        return single_label_duration(acquisition)
    if not acquisition.bolus_duration:
        what = "PASL needs the bolus duration (BolusCutOffDelayTime, TI1)"
        raise InputError(what, [SetField("bolus_duration", text=_IN_SECONDS)])
    return acquisition.bolus_duration


def cbf_scale(acquisition: Acquisition, *, slices: int | None = None) -> tuple[np.ndarray, tuple[Parameter, ...]]:
    """CBF (ml/100g/min) per unit of dM/M0, and its parameters; those not stated are resolved by `constants`.

    Args:
        slices: K; gives an array (K, 1, 1) that follows the slice timing. None ignores slice timing (shape ()).

    Raises:
        InputError: a required value is missing.
    """
    blood, efficiency = t1_blood(acquisition), labeling_efficiency(acquisition)
    partition = partition_coefficient(acquisition)
    delay = single_delay(acquisition)
    delays = np.asarray(delay) if slices is None else delay_of_slices(acquisition, delay, slices)[:, None, None]
    constants = {"t1_blood": blood, "efficiency": efficiency, "partition_coefficient": partition}
    common = {name: float(parameter.value) for name, parameter in constants.items()}
    if acquisition.labeling is None:
        raise InputError("ArterialSpinLabelingType is not stated", [SetField("labeling", "PCASL, CASL or PASL")])
    if acquisition.labeling is Labeling.PASL:
        scale = pasl_scale(inversion_time=delays, bolus_duration=label_length(acquisition), **common)
    else:
        scale = pcasl_scale(post_labeling_delay=delays, label_duration=label_length(acquisition), **common)
    return np.asarray(scale), (blood, efficiency, partition)
