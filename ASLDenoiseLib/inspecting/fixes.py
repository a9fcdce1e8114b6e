"""The mends that findings propose and that leave nothing to choose, each by the name that ``--fix`` takes.

A fix is named as the finding it answers; where the finding leaves a choice, the name makes it: ``pld-1.8`` keeps the
volumes of one delay, ``ge-nex-3`` states three excitations, ``drop-last`` takes the last volume for the odd one.
Nothing is mended unless it is asked for by name, and a fix is offered only for a series that has the finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..errors import InputError
from ..reading.read import swapped
from ..reading.vendor_scaling import GE_GAIN
from ..series import ASLSeries, Origin, Parameter, VolumeType
from .acquisition_checks import in_milliseconds, left_over, usable_delays
from .image_checks import dummy_volumes, looks_swapped
from .m0_checks import m0_time
from .preview import Preview, preview_of
from .scale_checks import cbf_factor, ge_excitations, m0_factors, scale_of


@dataclass(frozen=True, eq=False)
class Fix:
    """One mend.

    Args:
        name: what ``--fix`` takes.
        finding: the code of the finding it answers.
        what: what was done, for people: ``M0 divided by 10``.
        series: the mended series; values that changed count as the user's.
    """

    name: str
    finding: str
    what: str
    series: ASLSeries

    @property
    def record(self) -> Parameter:
        """What provenance says of it: ``fix m0-scale = M0 divided by 10 (user)``."""
        return Parameter(f"fix {self.name}", self.what, "", Origin.USER, f"answers the finding {self.finding}")


def fixes_of(series: ASLSeries) -> tuple[Fix, ...]:
    """Every mend that the findings of a series propose and that leaves nothing to choose.

    A mend may bring another to light: CBF cannot be judged before times are in seconds.
    """
    return tuple(_fixes(series))


def find_fix(series: ASLSeries, name: str) -> Fix:
    """The fix of that name, with its record and the mended series.

    Raises:
        InputError: the series has no such fix.
    """
    fixes = fixes_of(series)
    for fix in fixes:
        if fix.name == name:
            return fix
    offered = ", ".join(fix.name for fix in fixes)
    mend = f"use one of {offered}" if offered else "nothing in it can be mended without a choice"
    raise InputError(f"There is no fix '{name}' for {series.name}; {mend}.")


def apply_fix(series: ASLSeries, name: str) -> ASLSeries:
    """The series mended by the fix of that name, which its `mends` record; the given one is left as it is.

    Raises:
        InputError: the series has no such fix.

    >>> from ASLDenoiseLib.reading.read import read_series
    >>> from ASLDenoiseLib.resources import sample_data
    >>> wrong = read_series(sample_data().asl, values={"post_labeling_delay": 1800.0})
    >>> apply_fix(wrong, "milliseconds").acquisition.post_labeling_delay, wrong.acquisition.post_labeling_delay
    (1.8, 1800.0)
    """
    fix = find_fix(series, name)
    return replace(fix.series, fixes=(*series.fixes, fix.record))


def _fixes(series: ASLSeries) -> Iterator[Fix]:
    if not series.indices(VolumeType.CBF):
        yield from _seconds(series)
        yield from _one_delay(series)
        yield from _relaxed(series)
    for name, index in zip(("drop-first", "drop-last"), left_over(series) or (), strict=False):
        yield Fix(name, "count-mismatch", f"volume {index + 1} left out", _without(series, [index]))
    look = preview_of(series)
    if look is not None:
        yield from _from_voxels(series, look)


def _seconds(series: ASLSeries) -> Iterator[Fix]:
    wrong = in_milliseconds(series)
    if wrong:
        values = {name: _divided(value) for name, value in wrong.items()}
        acquisition = series.acquisition.with_values(Origin.USER, **values)
        what = f"{', '.join(wrong)} divided by 1000"
        yield Fix("milliseconds", "milliseconds", what, replace(series, acquisition=acquisition))


def _divided(value: float | tuple[float, ...]) -> float | tuple[float, ...]:
    return tuple(v / 1000 for v in value) if isinstance(value, tuple) else value / 1000


def _one_delay(series: ASLSeries) -> Iterator[Fix]:
    delays = usable_delays(series)
    if len(series.acquisition.delays) < 2:
        return
    for delay in delays:
        stated = series.acquisition.post_labeling_delay
        others = [
            i
            for i, (kind, d) in enumerate(zip(series.context, stated, strict=True))
            if abs(d - delay) > 1e-6 and kind is not VolumeType.M0SCAN
        ]
        acquisition = series.acquisition.with_values(Origin.USER, post_labeling_delay=delay)
        mended = replace(_without(series, others), acquisition=acquisition)
        yield Fix(f"pld-{delay:g}", "multi-pld", f"volumes of other delays than {delay:g} s left out", mended)


def _relaxed(series: ASLSeries) -> Iterator[Fix]:
    if m0_time(series) != 0:
        return
    field = "m0_repetition_time" if series.m0 is not None else "repetition_time"
    acquisition = replace(series.acquisition, **{field: None})
    what = f"{field} of 0 s taken as not stated, so the M0 as fully relaxed"
    yield Fix("m0-tr-zero", "m0-tr-zero", what, replace(series, acquisition=acquisition))


def _from_voxels(series: ASLSeries, look: Preview) -> Iterator[Fix]:
    dummies = [index for index, _ in dummy_volumes(series, look)]
    if dummies:
        listed = ", ".join(str(index + 1) for index in dummies)
        yield Fix("dummy-volumes", "dummy-volumes", f"volume {listed} left out", _without(series, dummies))
    if looks_swapped(series, look):
        yield _swap(series)
    scale = scale_of(series, look)
    excitations = ge_excitations(series, scale)
    for n in excitations:
        factor = GE_GAIN * n
        yield Fix(f"ge-nex-{n}", "ge-scaling", f"M0 multiplied by {factor:g}, 32 x {n}", _m0_times(series, factor))
    factors = m0_factors(series, scale)
    if len(factors) == 1 and not excitations:
        yield Fix("m0-scale", "m0-scale", f"M0 {_times(factors[0])}", _m0_times(series, factors[0]))
    unit = cbf_factor(series, scale)
    if unit is not None:
        array = series.array.copy()
        array[series.indices(VolumeType.CBF)] *= unit
        yield Fix("cbf-unit", "cbf-unit", f"CBF {_times(unit)}", replace(series, array=array))


def _swap(series: ASLSeries) -> Fix:
    ready = series.indices(VolumeType.DELTAM, VolumeType.CBF)
    what = "sign of the differences turned" if ready else "control and label exchanged"
    return Fix("control-label-swapped", "control-label-swapped", what, swapped(series))


def _m0_times(series: ASLSeries, factor: float) -> ASLSeries:
    """The factor is stated, not multiplied in: calibration applies it and the M0 stays as it was read."""
    scale = (series.acquisition.m0_scale or 1.0) * factor
    return replace(series, acquisition=series.acquisition.with_values(Origin.USER, m0_scale=scale))


def _times(factor: float) -> str:
    return f"multiplied by {factor:g}" if factor >= 1 else f"divided by {1 / factor:g}"


def _without(series: ASLSeries, indices: Iterable[int]) -> ASLSeries:
    """Those volumes marked as n/a; they stay in the array."""
    left = set(indices)
    context = (VolumeType.NOT_AVAILABLE if i in left else kind for i, kind in enumerate(series.context))
    return replace(series, context=tuple(context))
