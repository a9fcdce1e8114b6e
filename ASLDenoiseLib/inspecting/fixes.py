"""The fixes that findings propose and that leave nothing to choose, each by the name that ``--fix`` takes.

A fix is named as its finding; where that leaves a choice, the name makes it: ``pld-1.8`` keeps the volumes of one
delay, ``ge-nex-3`` states three excitations. Nothing is fixed unless it is asked for by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..errors import InputError
from ..given import fitted
from ..reading.bids import reduce_arrays
from ..reading.read import swapped
from ..reading.vendor_scaling import GE_GAIN, GE_M0_SATURATION
from ..series import ASLSeries, Origin, Parameter, VolumeType
from .acquisition_checks import left_over
from .delay_checks import perfusion_delays, usable_delays, usable_durations
from .image_checks import dummy_volumes, looks_swapped
from .inspection import Inspection, inspection_of
from .m0_checks import ge_saturation_unstated, m0_time
from .order_checks import is_unordered, proposed_orders
from .scale_checks import cbf_factor, ge_excitations, m0_factor
from .value_checks import fix_of, other_units
from .volume_checks import without_empty


@dataclass(frozen=True, eq=False)
class Fix:
    """One fix of one series.

    Args:
        name: what ``--fix`` takes.
        finding: the code of the finding it answers.
        action: what was done, for people, after the names of the fields it was done to: ``M0 divided by 10``.
        series: the fixed series; values that changed count as the user's.
        fields: the fields of the acquisition that it was done to, where `action` names none.
    """

    name: str
    finding: str
    action: str
    series: ASLSeries
    fields: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What was done, with the fields by name: ``post_labeling_delay divided by 1000``."""
        return f"{', '.join(self.fields)} {self.action}".lstrip()

    @property
    def record(self) -> Parameter:
        """What provenance says of it: ``fix m0-scale = M0 divided by 10 (user)``."""
        return Parameter(f"fix {self.name}", self.what, "", Origin.USER, f"answers the finding {self.finding}")

    @property
    def fixed(self) -> ASLSeries:
        """The fixed series, which records the fix among its `fixes`."""
        return replace(self.series, fixes=(*self.series.fixes, self.record))


@fitted
def fixes_of(series: ASLSeries | Inspection) -> tuple[Fix, ...]:
    """Every fix that the findings of a series propose and that leaves nothing to choose.

    A fix may bring another to light: CBF cannot be judged before times are in seconds.
    """
    return inspection_of(series).fixes


def find_fix(series: ASLSeries | Inspection, name: str) -> Fix:
    """The fix of that name, with its record and the fixed series; voxels are looked at only where metadata have none.

    Raises:
        InputError: the series has no such fix.
    """
    offered = []
    for fix in series.fixes if isinstance(series, Inspection) else proposed_fixes(Inspection(series)):
        if fix.name == name:
            return fix
        offered.append(fix.name)
    remedy = f"use one of {', '.join(offered)}" if offered else "nothing in it can be fixed without a choice"
    raise InputError(f"There is no fix '{name}' for {inspection_of(series).series.name}; {remedy}.")


@fitted
def apply_fix(series: ASLSeries | Inspection, name: str) -> ASLSeries:
    """The series fixed by the fix of that name, which its `fixes` record; the given one is left as it is.

    Raises:
        InputError: the series has no such fix.

    >>> from ASLDenoiseLib.reading.read import read_series
    >>> from ASLDenoiseLib.resources import sample_data
    >>> wrong = read_series(sample_data().asl, values={"post_labeling_delay": 1800.0})
    >>> apply_fix(wrong, "milliseconds").acquisition.post_labeling_delay, wrong.acquisition.post_labeling_delay
    (1.8, 1800.0)
    """
    return find_fix(series, name).fixed


def proposed_fixes(inspection: Inspection) -> Iterator[Fix]:
    """The fixes of a series one after another, those that need no voxel first."""
    series = inspection.series
    if is_unordered(series):
        yield from _converted(series)
        for n, (pattern, context) in enumerate(proposed_orders(inspection).items(), 1):
            fixed = replace(series, context=context)
            yield Fix(f"order-{n}", "order-unknown", f"set to {pattern}", fixed, ("context",))
        return
    if not series.holds_cbf:
        yield from _converted(series)
        yield from _one_delay(series)
        yield from _one_duration(series)
        yield from _relaxed(series)
        yield from _saturated(series)
    for name, index in zip(("drop-first", "drop-last"), left_over(series) or (), strict=False):
        yield Fix(name, "count-mismatch", f"volume {index + 1} left out", _without(series, [index]))
    if inspection.preview is not None:
        yield from _from_voxels(inspection)


def _converted(series: ASLSeries) -> Iterator[Fix]:
    wrong = other_units(series.acquisition)
    for fix in ("milliseconds", "microseconds", "gauss", "millitesla", "percent", "per-100g"):
        fields = tuple(name for name, unit in wrong.items() if fix_of(unit) == fix)
        if not fields:
            continue
        unit = wrong[fields[0]]
        stated = {name: getattr(series.acquisition, name) for name in fields}
        values = {name: _divided(value, unit.factor) for name, value in stated.items()}
        fixed = replace(series, acquisition=series.acquisition.with_values(Origin.USER, **values))
        code = "milliseconds" if fix == "milliseconds" else "other-unit"
        yield Fix(fix, code, f"divided by {unit.factor:g}", fixed, fields)


def _divided(stated: float | tuple[float, ...], factor: float) -> float | tuple[float, ...]:
    return tuple(value / factor for value in stated) if isinstance(stated, tuple) else stated / factor


def _one_delay(series: ASLSeries) -> Iterator[Fix]:
    for delay in usable_delays(series) if len(perfusion_delays(series)) > 1 else ():
        fixed = _of_one(series, "post_labeling_delay", delay)
        yield Fix(f"pld-{delay:g}", "multi-pld", f"delays other than {delay:g} s left out", fixed)


def _one_duration(series: ASLSeries) -> Iterator[Fix]:
    a = series.acquisition
    for duration in usable_durations(series) if len(perfusion_delays(series)) <= 1 < len(a.label_durations) else ():
        fixed = _of_one(series, "label_duration", duration)
        action = f"volumes of other label durations than {duration:g} s left out"
        yield Fix(f"label-duration-{duration:g}", "multi-label-duration", action, fixed)


def _of_one(series: ASLSeries, field: str, value: float) -> ASLSeries:
    """The volumes of one delay or duration, and what else is stated volume by volume reduced to theirs."""
    stated = getattr(series.acquisition, field)
    others = [
        i for i, kind in enumerate(series.context) if kind is not VolumeType.M0SCAN and abs(stated[i] - value) > 1e-6
    ]
    fixed = _without(series, others)
    acquisition = reduce_arrays(series.acquisition, fixed.context, series.geometry)
    return replace(fixed, acquisition=acquisition.with_values(Origin.USER, **{field: value}))


def _relaxed(series: ASLSeries) -> Iterator[Fix]:
    if m0_time(series) != 0:
        return
    field = "repetition_time" if series.acquisition.m0_repetition_time is None else "m0_repetition_time"
    fixed = replace(series, acquisition=replace(series.acquisition, **{field: None}))
    action = "of 0 s taken as not stated, so the M0 as fully relaxed"
    yield Fix("m0-tr-zero", "m0-tr-zero", action, fixed, (field,))


def _saturated(series: ASLSeries) -> Iterator[Fix]:
    if ge_saturation_unstated(series):
        fixed = replace(
            series, acquisition=series.acquisition.with_values(Origin.USER, m0_repetition_time=GE_M0_SATURATION)
        )
        action = f"taken as the {GE_M0_SATURATION:g} s since its saturation"
        yield Fix("ge-m0-saturation", "ge-m0-saturation", action, fixed, ("m0_repetition_time",))


def _from_voxels(inspection: Inspection) -> Iterator[Fix]:
    series, preview, scale = inspection.series, inspection.preview, inspection.scale
    dummies = [index for index, _ in dummy_volumes(series, preview)]
    if dummies:
        listed = ", ".join(str(index + 1) for index in dummies)
        yield Fix("dummy-volumes", "dummy-volumes", f"volume {listed} left out", _without(series, dummies))
    empty = [index + 1 for index in without_empty(series)]
    if empty:
        action = f"volume {', '.join(map(str, empty))} left out"
        yield Fix("empty-volumes", "empty-volumes", action, _without(series, [index - 1 for index in empty]))
    if looks_swapped(series, preview):
        ready = len(series.perfusion) == 1
        action = "sign of the differences turned" if ready else "control and label exchanged"
        yield Fix("control-label-swapped", "control-label-swapped", action, swapped(series))
    excitations = ge_excitations(series, scale)
    for n in excitations:
        factor = GE_GAIN * n
        yield Fix(f"ge-nex-{n}", "ge-scaling", f"M0 multiplied by {factor:g}, 32 x {n}", _m0_times(series, factor))
    factor = m0_factor(inspection)
    if factor is not None:
        yield Fix("m0-scale", "m0-scale", f"M0 {_times(factor)}", _m0_times(series, factor))
    unit = cbf_factor(series, scale)
    if unit is not None:
        array = series.array.copy()
        array[series.indices(VolumeType.CBF)] *= unit
        yield Fix("cbf-unit", "cbf-unit", f"CBF {_times(unit)}", replace(series, array=array))


def _m0_times(series: ASLSeries, factor: float) -> ASLSeries:
    """The factor is stated, not multiplied in: calibration applies it and the M0 stays as it was read."""
    scale = (series.acquisition.m0_scale or 1.0) * factor
    return replace(series, acquisition=series.acquisition.with_values(Origin.USER, m0_scale=scale))


def _times(factor: float) -> str:
    return f"multiplied by {factor:g}" if factor >= 1 else f"divided by {1 / factor:g}"


def _without(series: ASLSeries, indices: Sequence[int]) -> ASLSeries:
    """Those volumes marked as n/a; they stay in the array."""
    context = (VolumeType.NOT_AVAILABLE if i in indices else kind for i, kind in enumerate(series.context))
    return replace(series, context=tuple(context))
