"""Whether M0 and perfusion images are on one scale, told by the CBF they would give and by M0 against control."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..reading.vendor_scaling import GE_EXCITATIONS, GE_GAIN, VENDOR_FACTORS
from ..series import ASLSeries, Finding, Origin, Severity, VolumeType
from .acquisition_checks import LONGEST_TIME
from .preview import Preview

_NOTE, _WARNING = Severity.NOTE, Severity.WARNING
PLAUSIBLE_CBF = (8.0, 150.0)  # ml/100g/min, the median over a whole brain; healthy adults lie at 30-60
_PLAUSIBLE_RATIO = (0.3, 5.0)  # M0 over control without background suppression
_TYPICAL_CBF = 40.0
# What turns a CBF map into ml/100g/min, and what its numbers are then.
_CBF_UNITS = {0.1: "ten times ml/100g/min", 100.0: "ml/g/min", 6000.0: "ml/g/s"}


@dataclass(frozen=True)
class SignalScale:
    """The two witnesses of scale: median CBF (ml/100g/min, its sign left out), and median M0 over control."""

    cbf: float | None
    ratio: float | None

    @property
    def implausible(self) -> bool:
        """Whether there is a CBF and no brain has it."""
        return self.cbf is not None and not plausible_cbf(self.cbf)

    @property
    def doubtful(self) -> bool:
        """Whether M0 and control are known to differ by more than relaxation explains."""
        return self.ratio is not None and not _PLAUSIBLE_RATIO[0] <= self.ratio <= _PLAUSIBLE_RATIO[1]

    def __str__(self) -> str:
        cbf = [f"the median CBF in the brain would be {self.cbf:.3g} ml/100g/min"] if self.cbf is not None else []
        ratio = [f"the M0 is {self.ratio:.3g} times the control"] if self.ratio is not None else []
        return " and ".join(cbf + ratio)


def plausible_cbf(median: float) -> bool:
    """Whether a median over the brain (ml/100g/min) is one that a living brain may have."""
    return PLAUSIBLE_CBF[0] <= median <= PLAUSIBLE_CBF[1]


def scale_of(series: ASLSeries, look: Preview) -> SignalScale:
    """What the witnesses say; a sign that is wrong is another finding's, so CBF is taken without it."""
    cbf = _quick_cbf(series, look)
    return SignalScale(None if cbf is None else abs(cbf), _m0_over_control(series, look))


def m0_factors(series: ASLSeries, scale: SignalScale) -> tuple[float, ...]:
    """The vendor factors the M0 image could have to be multiplied by, likeliest first; empty where none explains it.

    CBF goes with 1 / M0. A factor counts when it brings CBF to a plausible value and, where controls are not
    suppressed, the M0 to 0.3-5 times the control: when both witnesses that can speak agree. The ratio ranks them where
    there is one, since it varies less than CBF does. Neither is sharp enough to tell 64 from 96, so every factor that
    comes within a factor of two of the expected value is named beside the first.
    """
    if series.m0 is None or series.indices(VolumeType.CBF) or not (scale.implausible or scale.doubtful):
        return ()
    low, high = _PLAUSIBLE_RATIO
    cbf, ratio = scale.cbf, scale.ratio

    def distance(f: float) -> float:
        return abs(float(np.log(cbf / f / _TYPICAL_CBF if ratio is None else ratio * f)))

    fitting = sorted(
        (
            f
            for f in VENDOR_FACTORS
            if (cbf is None or plausible_cbf(cbf / f)) and (ratio is None or low <= ratio * f <= high)
        ),
        key=distance,
    )
    return tuple(f for i, f in enumerate(fitting) if i == 0 or distance(f) < np.log(2))


def ge_excitations(series: ASLSeries, scale: SignalScale) -> tuple[int, ...]:
    """The numbers of excitations with which GE's scaling of difference images would explain an implausible CBF."""
    if series.m0 is None or not _is_ge_difference(series) or not scale.implausible:
        return ()
    return tuple(n for n in GE_EXCITATIONS if plausible_cbf(scale.cbf / (GE_GAIN * n)))


def cbf_factor(series: ASLSeries, scale: SignalScale) -> float | None:
    """What brings the values of an implausible CBF map to ml/100g/min, where one known unit does; else None."""
    if not series.indices(VolumeType.CBF) or not scale.implausible:
        return None
    fitting = [factor for factor in _CBF_UNITS if plausible_cbf(scale.cbf * factor)]
    return fitting[0] if len(fitting) == 1 else None


def scale_findings(series: ASLSeries, look: Preview) -> Iterator[Finding]:
    """Findings about scale, in no order."""
    scale = scale_of(series, look)
    factors, unit = m0_factors(series, scale), cbf_factor(series, scale)
    if factors:
        yield _m0_scale(series, scale, factors)
    elif unit is not None:
        yield Finding(
            "cbf-unit",
            _WARNING,
            "The CBF map is not in ml/100g/min",
            f"its median in the brain is {scale.cbf:.3g}, as {_CBF_UNITS[unit]} would be",
            f"Multiply it by {unit:g}, or let --fix cbf-unit do so.",
        )
    elif scale.implausible:
        yield Finding(
            "implausible-cbf",
            _WARNING,
            "The CBF would be implausible",
            f"the median CBF in the brain would be {scale.cbf:.3g} ml/100g/min, healthy adults have 30 to 60",
            "Check M0, delay, label duration and units before trusting any value.",
        )
    if _is_ge_difference(series):
        yield _ge_scaling(series, scale)
    yield from _philips_scaling(series, scale)


def _m0_scale(series: ASLSeries, scale: SignalScale, factors: tuple[float, ...]) -> Finding:
    stated = series.acquisition.m0_scale or 1.0
    first, *others = (f"{stated * f:.4g}" for f in factors)
    fix = " (--fix m0-scale)" if not others and not ge_excitations(series, scale) else ""
    return Finding(
        "m0-scale",
        _WARNING,
        "The M0 and the series are not on one scale",
        str(scale),
        f"Check the scanner's scaling; an M0Scale of {first} in the sidecar or with --m0-scale would mend it{fix}"
        + (f", as could {' or '.join(others)}." if others else "."),
    )


def _ge_scaling(series: ASLSeries, scale: SignalScale) -> Finding:
    fixes = " or ".join(f"--fix ge-nex-{n}" for n in ge_excitations(series, scale))
    apart = ", and the receiver gain may differ between two scans" if series.m0 is not None else ""
    return Finding(
        "ge-scaling",
        _WARNING if scale.implausible else _NOTE,
        "GE scales difference images",
        f"3D ASL products store them 32 times the number of excitations too large against M0{apart}",
        "State that factor as M0Scale in the sidecar or with --m0-scale, or 1 if it has been divided out"
        + (f"; by the number of excitations: {fixes}." if fixes else "."),
    )


def _philips_scaling(series: ASLSeries, scale: SignalScale) -> Iterator[Finding]:
    a = series.acquisition
    if not (a.manufacturer or "").lower().startswith("philips"):
        return
    if a.m0_scale is not None and a.origins["m0_scale"] in (Origin.SIDECAR, Origin.DICOM):
        yield Finding(
            "philips-scaling",
            _NOTE,
            "The M0 was stored on another scale than the series",
            f"by the slopes or the M0Scale in its metadata it is multiplied by {a.m0_scale:.4g}",
            "Nothing need be done; give --m0-scale 1 if the slopes had been divided out before.",
        )
    if scale.doubtful or scale.implausible:
        yield Finding(
            "philips-scaling",
            _WARNING,
            "Philips scale slopes may not have been applied alike",
            str(scale),
            "Convert series and M0 from DICOM with the same tool and the same scaling.",
        )


def _is_ge_difference(series: ASLSeries) -> bool:
    a = series.acquisition
    return (
        (a.manufacturer or "").lower().startswith("ge")
        and bool(series.indices(VolumeType.DELTAM))
        and a.m0_scale is None
    )


def _quick_cbf(series: ASLSeries, look: Preview) -> float | None:
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


def _m0_over_control(series: ASLSeries, look: Preview) -> float | None:
    """Median of M0 over mean control in the brain; None unless the controls are known not to be suppressed."""
    controls = series.indices(VolumeType.CONTROL)
    if not controls or series.m0 is None or series.acquisition.background_suppression is not False:
        return None
    m0 = series.m0.array[look.brain] * (series.acquisition.m0_scale or 1.0)
    control = series.array[controls].mean(axis=0)[look.brain]
    use = np.isfinite(m0) & (control > 0)
    return float(np.median(m0[use] / control[use])) if use.any() else None
