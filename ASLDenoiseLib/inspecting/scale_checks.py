"""Checks of whether M0 and perfusion images are on one scale: by the CBF they would give, by M0 over control."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..findings import Finding, FindingKind, Severity
from ..preparing.delays import series_of_delay
from ..reading.vendor_scaling import GE_EXCITATIONS, GE_GAIN, VENDOR_FACTORS
from ..remedies import Advice, ApplyFix, SetField
from ..series import ASLSeries, Origin, VolumeType
from .delay_checks import fitted_delays, judged_delay
from .m0_checks import holds_ge_differences
from .value_checks import other_units

if TYPE_CHECKING:
    from .inspection import Inspection

_PLAUSIBLE_CBF = (8.0, 150.0)  # ml/100g/min, the median over a whole brain; healthy adults lie at 30-60
_PLAUSIBLE_RATIO = (0.3, 5.0)  # M0 over control without background suppression
_LEAST_RATIO = 0.8  # of one relaxed number; no control without suppression is brighter, but for noise and the coils
_TYPICAL_CBF = 40.0
_CAUSES = (
    *("pld-label-duration-doubtful", "unusual-value", "motion-suspected", "order-changes", "dummy-volumes"),
    *("order-mixed", "no-perfusion", "empty-volumes", "coarse-values", "not-differences", "m0-negative"),
)
# What turns a CBF map into ml/100g/min, and what its numbers are then.
_CBF_UNITS = {0.1: "ten times ml/100g/min", 100.0: "ml/g/min", 6000.0: "ml/g/s"}

_M0_SCALE = FindingKind(
    "m0-scale",
    "The M0 and the series are not on one scale",
    "the CBF would be implausible, or the M0 is far from the controls",
    Advice("check the scanner's scaling"),
    SetField("m0_scale", text="state the M0Scale that would fix it"),
    ApplyFix("m0-scale", "have it stated where one factor alone explains it"),
)
_GE = FindingKind(
    "ge-scaling",
    "GE scales difference images",
    "3D ASL products store them 32 times the number of excitations too large against M0{apart}",
    SetField("m0_scale", text="state that factor as M0Scale, or 1 if it has been divided out,"),
    ApplyFix("ge-nex-3", "state it by your number of excitations"),
    severities="note or warning",
    meaning="GE's 3D product stores differences 32 times the number of excitations too large.",
)
_PHILIPS = FindingKind(
    "philips-scaling",
    "The M0 was stored on another scale than the series",
    "by the slopes or the M0Scale in its metadata it is multiplied by {scale:.4g}",
    Advice("convert series and M0 from DICOM with the same tool and the same scaling"),
    SetField("m0_scale", 1, "if the slopes had been divided out before, state an M0Scale of 1"),
    severities="note or warning",
    meaning="Scale slopes of M0 and series differ (note: they were applied), or may have been lost.",
)
_IMPLAUSIBLE = FindingKind(
    "implausible-cbf",
    "The CBF would be implausible",
    "the median CBF in the brain would be {cbf:.3g} ml/100g/min, healthy adults have 30 to 60",
    Advice("check M0, delay, label duration and units before trusting any value"),
)
_UNIT = FindingKind(
    "cbf-unit",
    "The CBF map is not in ml/100g/min",
    "its median in the brain is {cbf:.3g}, as {unit} would be",
    ApplyFix("cbf-unit", "multiply it to ml/100g/min"),
)


@dataclass(frozen=True)
class SignalScale:
    """The two measures of scale: median CBF (ml/100g/min, its sign left out), and median M0 over control."""

    cbf: float | None
    ratio: float | None

    @property
    def implausible(self) -> bool:
        """Whether the CBF is known and no brain has it."""
        return self.cbf is not None and not _plausible(self.cbf)

    @property
    def mismatched(self) -> bool:
        """Whether M0 and control are known to differ by more than relaxation explains."""
        return self.ratio is not None and not _PLAUSIBLE_RATIO[0] <= self.ratio <= _PLAUSIBLE_RATIO[1]

    def __str__(self) -> str:
        cbf = [f"the median CBF in the brain would be {self.cbf:.3g} ml/100g/min"] if self.cbf is not None else []
        ratio = [f"the M0 is {self.ratio:.3g} times the control"] if self.ratio is not None else []
        return " and ".join(cbf + ratio)


def _plausible(median: float) -> bool:
    return _PLAUSIBLE_CBF[0] <= median <= _PLAUSIBLE_CBF[1]


def scale_of(inspection: Inspection) -> SignalScale:
    """The measures of a series; a sign that is wrong is another finding's, so CBF is taken without it."""
    cbf = _quick_cbf(inspection)
    return SignalScale(None if cbf is None else abs(cbf), _m0_over_control(inspection))


def m0_factors(inspection: Inspection) -> tuple[float, ...]:
    """The vendor factors the M0 image could have to be multiplied by, likeliest first; empty where none explains it.

    CBF goes with 1 / M0. A factor counts when it brings CBF to a plausible value and, where controls are not
    suppressed, the M0 to 0.3-5 times the control: when all known measures agree. The ratio ranks them where there is
    one, since it varies less than CBF does. Neither is sharp enough to tell 64 from 96, so every factor that comes
    within a factor of two of the expected value is named beside the first. CBF has no say where another finding
    explains it as well (`_other_causes`).
    """
    series, scale = inspection.series, inspection.scale
    if series.m0 is None or series.holds_cbf or not (scale.implausible or scale.mismatched):
        return ()
    low, high = _PLAUSIBLE_RATIO
    ratio, cbf = scale.ratio, None if _other_causes(inspection) else scale.cbf
    if ratio is None and cbf is None:
        return ()

    def distance(f: float) -> float:
        return abs(float(np.log(cbf / f / _TYPICAL_CBF if ratio is None else ratio * f)))

    def explains(f: float) -> bool:
        return (cbf is None or _plausible(cbf / f)) and (ratio is None or low <= ratio * f <= high)

    fitting = sorted(filter(explains, VENDOR_FACTORS), key=distance)
    return tuple(f for i, f in enumerate(fitting) if i == 0 or distance(f) < np.log(2))


def m0_factor(inspection: Inspection) -> float | None:
    """The factor of the M0 that leaves nothing to choose: one vendor's alone, told by the M0 against the control.

    CBF alone leaves a choice: healthy heads differ so much that any factor over an order of magnitude explains it.
    """
    factors = m0_factors(inspection)
    known = inspection.scale.mismatched and not ge_excitations(inspection.series, inspection.scale)
    return factors[0] if known and len(factors) == 1 else None


def ge_excitations(series: ASLSeries, scale: SignalScale) -> tuple[int, ...]:
    """The numbers of excitations with which GE's scaling of difference images would explain an implausible CBF."""
    if series.m0 is None or not _is_ge_difference(series) or not scale.implausible:
        return ()
    return tuple(n for n in GE_EXCITATIONS if _plausible(scale.cbf / (GE_GAIN * n)))


def cbf_factor(series: ASLSeries, scale: SignalScale) -> float | None:
    """What brings the values of an implausible CBF map to ml/100g/min, where one known unit does; else None."""
    if not series.holds_cbf or not scale.implausible:
        return None
    fitting = [factor for factor in _CBF_UNITS if _plausible(scale.cbf * factor)]
    return fitting[0] if len(fitting) == 1 else None


def scale_findings(inspection: Inspection) -> Iterator[Finding]:
    """Findings about scale, in no order."""
    series, scale = inspection.series, inspection.scale
    factors, unit = m0_factors(inspection), cbf_factor(series, scale)
    if factors and not ge_excitations(series, scale):
        yield _m0_scale(inspection, factors)
    elif unit is not None:
        yield _UNIT.finding(ApplyFix("cbf-unit", f"multiply it by {unit:g}"), cbf=scale.cbf, unit=_CBF_UNITS[unit])
    elif scale.implausible and not ge_excitations(series, scale):
        yield _implausible(inspection)
    elif series.m0 is None and scale.ratio is not None and not _LEAST_RATIO <= scale.ratio <= _PLAUSIBLE_RATIO[1]:
        yield _IMPLAUSIBLE.finding(what="The M0 does not fit the controls", why=f"relaxed, {scale}")
    if _is_ge_difference(series):
        yield _ge_scaling(series, scale)
    yield from _philips_scaling(series, scale)


def _m0_scale(inspection: Inspection, factors: tuple[float, ...]) -> Finding:
    scale, before = inspection.scale, inspection.series.acquisition.m0_scale or 1.0
    first, *others = (f"{before * f:.4g}" for f in factors)
    could = f", as could {' or '.join(others)}" if others else ""
    if not scale.mismatched:
        most, least = (float(f"{before * scale.cbf / cbf:.2g}") for cbf in _PLAUSIBLE_CBF)
        known = f"the M0Scale of {first} of a known vendor would make CBF plausible{could}"
        state = SetField("m0_scale", text=f"{known}, and so would any from {least:g} to {most:g}: state your scanner's")
        what = "The M0 and the series may not be on one scale"
        return _M0_SCALE.finding(_M0_SCALE.remedies[0], state, what=what, why=str(scale))
    state = SetField("m0_scale", float(first), f"an M0Scale of {first} would fix it{could}: state it")
    fix = [] if m0_factor(inspection) is None else [ApplyFix("m0-scale")]
    return _M0_SCALE.finding(_M0_SCALE.remedies[0], state, *fix, why=str(scale))


def _implausible(inspection: Inspection) -> Finding:
    why = _IMPLAUSIBLE.why.format(cbf=inspection.scale.cbf)
    causes = _other_causes(inspection)
    if not causes:
        return _IMPLAUSIBLE.finding(why=why)
    listed = " and ".join(f"'{cause}'" for cause in causes)
    return _IMPLAUSIBLE.finding(Advice(f"mend {listed} first, and look again"), why=f"{why}; {listed} may explain it")


def _other_causes(inspection: Inspection) -> tuple[str, ...]:
    """The codes of findings that explain an implausible CBF without the M0's scale."""
    found = (f.code for f in inspection.before_scale if f.code in _CAUSES and f.severity is not Severity.NOTE)
    return tuple(dict.fromkeys(found))


def _ge_scaling(series: ASLSeries, scale: SignalScale) -> Finding:
    apart = ", and the receiver gain may differ between two scans" if series.m0 is not None else ""
    state, fix = _GE.remedies
    fixes = (ApplyFix(f"ge-nex-{n}", fix.text) for n in ge_excitations(series, scale))
    return _GE.finding(state, *fixes, severity="warning" if scale.implausible else "note", apart=apart)


def _philips_scaling(series: ASLSeries, scale: SignalScale) -> Iterator[Finding]:
    a = series.acquisition
    if not (a.manufacturer or "").lower().startswith("philips"):
        return
    convert, divided = _PHILIPS.remedies
    if a.m0_scale is not None and a.origins["m0_scale"] in (Origin.SIDECAR, Origin.DICOM):
        yield _PHILIPS.finding(Advice("nothing need be done"), divided, scale=a.m0_scale)
    if series.m0 is not None and (scale.mismatched or scale.implausible):
        what = "Philips scale slopes may not have been applied alike"
        yield _PHILIPS.finding(convert, severity="warning", what=what, why=str(scale))


def _is_ge_difference(series: ASLSeries) -> bool:
    return series.acquisition.m0_scale is None and holds_ge_differences(series)


def _quick_cbf(inspection: Inspection) -> float | None:
    """Median over the brain, ml/100g/min, of the median difference by the single-delay model; None if it cannot be had.

    Over pairs first, so that the noise of single voxels does not decide; over voxels then. Of several delays by
    `judged_delay`.
    """
    series, preview = inspection.series, inspection.preview
    differences = preview.differences
    if fitted_delays(series):
        one = judged_delay(series)
        if one is None:
            return None
        series, differences = series_of_delay(series, one), differences[list(one.pairs)]
    # of three and more the median, which a volume that moved or was lost does not turn
    mean = (np.median if len(differences) > 2 else np.mean)(differences, axis=0)
    if series.holds_cbf:
        return float(np.median(mean))
    if other_units(series.acquisition) or inspection.calibration is None:
        return None
    from ..quantifying.kinetics import cbf_scale

    m0 = inspection.calibration.m0.array
    try:
        scale = cbf_scale(series.acquisition, slices=series.geometry.size[2])[0]
    except InputError:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (np.broadcast_to(scale, m0.shape) / m0)[preview.brain] * mean
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else None


def _m0_over_control(inspection: Inspection) -> float | None:
    """Median of M0 over mean control in the brain; None unless the controls are known not to be suppressed."""
    series, brain = inspection.series, inspection.preview.brain
    controls = series.indices(VolumeType.CONTROL)
    number = series.m0 is None and bool(series.acquisition.m0_estimate) and inspection.calibration is not None
    if not controls or series.acquisition.background_suppression is not False or (series.m0 is None and not number):
        return None
    if number:
        m0 = inspection.calibration.m0.array[brain]
    else:
        m0 = series.m0.array[brain] * (series.acquisition.m0_scale or 1.0)
    control = series.array[controls].mean(axis=0)[brain]
    use = np.isfinite(m0) & (control > 0)
    return float(np.median(m0[use] / control[use])) if use.any() else None
