"""What the doctor sees in the voxels: sign, scale, dummies, gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..series import ASLSeries, Finding, Severity, Volume, VolumeType
from .acquisition_checks import LONGEST_TIME

_NOTE, _WARNING = Severity.NOTE, Severity.WARNING
_PERFUSION = (VolumeType.CONTROL, VolumeType.LABEL, VolumeType.DELTAM, VolumeType.CBF)
PLAUSIBLE_CBF = (8.0, 150.0)  # ml/100g/min, the median over a whole brain; healthy adults lie at 30-60
_TYPICAL_CBF = 40.0
_SCALES = tuple(s for f in (10.0, 32.0, 64.0, 96.0, 128.0) for s in (f, 1 / f))  # Siemens' 10, GE's 32 * NEX


@dataclass(frozen=True, eq=False)
class _Look:
    """The numbers the checks share: a brain mask, the mean of each volume in it, and the mean difference image."""

    brain: np.ndarray
    levels: np.ndarray
    differences: np.ndarray


def image_findings(series: ASLSeries) -> Iterator[Finding]:
    """Findings from voxel values, in no order."""
    yield from _gaps(series)
    look = _look(series)
    if look is None:
        return
    yield from _dummies(series, look)
    yield from _sign(series, look)
    yield from _scale(series, look)


def _look(series: ASLSeries) -> _Look | None:
    """None where no brain can be told from air."""
    reference = _reference(series)
    brain = _head(reference)
    brain &= np.isfinite(series.array[series.indices(*_PERFUSION)]).all(axis=0)
    if np.count_nonzero(brain) < 8:
        return None
    from ..preparing.pairs import difference_volumes

    pairs = difference_volumes(series)
    return _Look(brain, series.array[:, brain].mean(axis=1), pairs.array[:, brain])


def _reference(series: ASLSeries) -> Volume:
    if series.m0 is not None:
        return series.m0
    kinds = (VolumeType.CONTROL,) if series.indices(VolumeType.CONTROL) else _PERFUSION
    return series.mean(*kinds)


def _head(reference: Volume) -> np.ndarray:
    """The brain; where its shape cannot be found (a phantom, a small cut-out) everything above Otsu's threshold."""
    from ..preparing.brain_mask import brain_mask

    values = reference.array
    finite = values[np.isfinite(values)]
    if not finite.size or not np.ptp(finite) > 0:
        return np.isfinite(values)
    try:
        return brain_mask(reference).array > 0
    except InputError:
        from skimage.filters import threshold_otsu

        return np.nan_to_num(values) > threshold_otsu(finite)


def _gaps(series: ASLSeries) -> Iterator[Finding]:
    used = series.array[series.indices(*_PERFUSION)]
    missing = ~np.isfinite(used).all(axis=0)
    if missing.any():
        share = 100 * missing.mean()
        yield Finding(
            "nan-voxels",
            _WARNING if share > 1 else _NOTE,
            "Voxels are not measured in every volume",
            f"{np.count_nonzero(missing)} voxels ({share:.2g} %) are NaN or infinite in at least one volume",
            "Nothing need be done: they stay NaN in the results.",
        )


def _dummies(series: ASLSeries, look: _Look) -> Iterator[Finding]:
    """Leading volumes whose level is far from that of the other volumes of their kind, before a steady state."""
    odd = []
    for index in [i for i, kind in enumerate(series.context) if kind in _PERFUSION][:4]:
        others = [i for i in series.indices(series.context[index]) if i != index]
        if len(others) < 2:
            break
        centre = np.median(look.levels[others])
        spread = 1.4826 * np.median(np.abs(look.levels[others] - centre))
        # Controls alone: a difference volume's level is small and noisy, so a share of it means nothing.
        floor = 0.05 * abs(centre) if series.context[index] in (VolumeType.CONTROL, VolumeType.LABEL) else np.inf
        if abs(look.levels[index] - centre) <= max(10 * spread, floor):
            break
        odd.append((index, look.levels[index] / centre))
    if odd:
        words = ", ".join("n/a" for _ in odd)
        m0 = ", or as m0scan if they were acquired without background suppression" if odd[0][1] > 1.3 else ""
        kinds = " and ".join(f"volume {index + 1}: {ratio:.2f} times" for index, ratio in odd)
        yield Finding(
            "dummy-volumes",
            _WARNING,
            "The first volumes do not look like the rest",
            f"mean in the brain against the others of their kind: {kinds}",
            f"Mark them as n/a{m0}, e.g. with --context {words.replace(' ', '')},{_cycle(series)}.",
        )


def _cycle(series: ASLSeries) -> str:
    kinds = [kind.value for kind in series.context if kind in (VolumeType.CONTROL, VolumeType.LABEL)]
    return ",".join(kinds[-2:])


def _sign(series: ASLSeries, look: _Look) -> Iterator[Finding]:
    """Control minus label must be positive in a brain. The median over pairs outvotes dummies and motion."""
    levels = np.median(look.differences, axis=1)
    centre = float(np.median(levels))
    if len(levels) >= 4:
        # Standard error of a median under normal noise, from the median absolute deviation.
        error = 1.2533 * 1.4826 * float(np.median(np.abs(levels - centre))) / np.sqrt(len(levels))
        clear = centre < -3 * error
        why = f"the median difference in the brain is {centre:.3g}, over {len(levels)} pairs"
    else:
        share = float((look.differences.mean(axis=0) < 0).mean())
        clear = centre < 0 and share > 0.65
        why = f"control minus label is negative in {100 * share:.0f} % of the brain"
    if not clear:
        return
    ready = bool(series.indices(VolumeType.CBF)) or bool(series.indices(VolumeType.DELTAM))
    yield Finding(
        "control-label-swapped",
        _WARNING,
        "The perfusion signal is negative" if ready else "Control and label look swapped",
        why,
        "Turn the sign with --swap." if ready else "Swap them with --swap, or correct the aslcontext.",
    )


def _scale(series: ASLSeries, look: _Look) -> Iterator[Finding]:
    cbf = _quick_cbf(series, look)
    ratio = _m0_over_control(series, look)
    maker = (series.acquisition.manufacturer or "").lower()
    if cbf is not None and cbf < 0:  # a sign, not a scale, is wrong; judge the scale as it will be after the swap
        cbf = -cbf
    implausible = cbf is not None and not PLAUSIBLE_CBF[0] <= cbf <= PLAUSIBLE_CBF[1]
    doubtful = ratio is not None and not 0.3 <= ratio <= 5
    factors = _mending_factors(cbf, ratio, implausible=implausible, doubtful=doubtful)
    seen = ([f"the median CBF in the brain would be {cbf:.3g} ml/100g/min"] if cbf is not None else []) + (
        [f"the M0 is {ratio:.3g} times the control"] if ratio is not None else []
    )
    if factors:
        others = " or ".join(f"{f:.4g}" for f in factors[1:])
        yield Finding(
            "m0-scale",
            _WARNING,
            "The M0 and the series are not on one scale",
            " and ".join(seen),
            f"Check the scanner's scaling; an M0Scale of {factors[0]:.4g} in the sidecar would mend it"
            + (f", as could {others}." if others else "."),
        )
    elif implausible:
        yield Finding(
            "implausible-cbf",
            _WARNING,
            "The CBF would be implausible",
            f"{seen[0]}, healthy adults have 30 to 60",
            "Check M0, delay, label duration and units before trusting any value.",
        )
    if maker.startswith("ge") and series.indices(VolumeType.DELTAM) and series.acquisition.m0_scale is None:
        yield Finding(
            "ge-scaling",
            _WARNING if implausible else _NOTE,
            "GE scales difference images",
            "3D ASL products store them 32 times the number of excitations too large against M0",
            "State that factor as M0Scale in the sidecar, or 1 if it has been divided out.",
        )
    if maker.startswith("philips") and (doubtful or implausible):
        yield Finding(
            "philips-scaling",
            _WARNING,
            "Philips scale slopes may not have been applied alike",
            " and ".join(seen),
            "Convert series and M0 from DICOM with the same tool and the same scaling.",
        )


def _mending_factors(cbf: float | None, ratio: float | None, *, implausible: bool, doubtful: bool) -> tuple[float, ...]:
    """The vendor factors M0 could have to be multiplied by, the likeliest first; empty where none explains it.

    CBF goes with 1 / M0. A factor counts when it brings CBF to a plausible value and, where controls are not
    suppressed, the M0 to 0.3-5 times the control: when both witnesses that can speak agree. The ratio ranks them where
    there is one, since it varies less than CBF does. Neither is sharp enough to tell 64 from 96, so every factor that
    comes within a factor of two of the expected value is named beside the first.
    """
    if not (implausible or doubtful):
        return ()
    low, high = PLAUSIBLE_CBF

    def distance(f: float) -> float:
        return abs(float(np.log(cbf / f / _TYPICAL_CBF if ratio is None else ratio * f)))

    fitting = sorted(
        (f for f in _SCALES if (cbf is None or low <= cbf / f <= high) and (ratio is None or 0.3 <= ratio * f <= 5)),
        key=distance,
    )
    return tuple(f for i, f in enumerate(fitting) if i == 0 or distance(f) < np.log(2))


def _quick_cbf(series: ASLSeries, look: _Look) -> float | None:
    """Median over the brain, ml/100g/min, of the mean difference with the single-delay model; None if it cannot be had.

    The mean over pairs first, so that the noise of single voxels does not decide; the median over voxels then.
    """
    mean = look.differences.mean(axis=0)
    if series.indices(VolumeType.CBF):
        return float(np.median(mean))
    if any(np.max(t) > LONGEST_TIME for t in (series.acquisition.delays, series.acquisition.label_duration) if t):
        return None
    from ..quantifying.calibration import calibrate
    from ..quantifying.kinetics import cbf_scale

    try:
        m0 = calibrate(series).m0.array
        scale = cbf_scale(series.acquisition, slices=series.geometry.size[2])[0]
    except InputError:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (np.broadcast_to(scale, m0.shape) / m0)[look.brain] * mean
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else None


def _m0_over_control(series: ASLSeries, look: _Look) -> float | None:
    """Median of M0 over mean control in the brain; None unless the controls are known not to be suppressed."""
    controls = series.indices(VolumeType.CONTROL)
    if not controls or series.m0 is None or series.acquisition.background_suppression is not False:
        return None
    m0 = series.m0.array[look.brain] * (series.acquisition.m0_scale or 1.0)
    control = series.array[controls].mean(axis=0)[look.brain]
    use = np.isfinite(m0) & (control > 0)
    return float(np.median(m0[use] / control[use])) if use.any() else None
