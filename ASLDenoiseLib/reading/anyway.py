"""Reading what there is of a series whose files say too little, or contradict themselves.

`read.read_series` refuses such a series in one sentence, as suits a shell. Where the user can still put it right, in
the panel's table, the images are worth having first: what could not be used is left out, and said as a finding each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from ..errors import InputError
from ..findings import Finding, FindingKind
from ..given import fitted
from ..remedies import Advice
from ..series import Acquisition, ASLSeries, VolumeType
from .bids import acquisition_from, expanded_context, reduce_arrays, with_user_values
from .delay_lists import spread_where_clear, without_words
from .read import calibration_of, context_of, read_series, require_flow, require_perfusion
from .scan import Scan
from .study import read_study
from .volume_order import OrderNotStated

_Value = TypeVar("_Value")
_FIELDS = tuple(f.name for f in fields(Acquisition) if f.name != "origins")
_LISTS = ("slice_timing", "post_labeling_delay", "label_duration", "repetition_time")  # may hold several numbers
_NOT_USED = FindingKind(
    "file-not-used",
    "Something in the files of the series cannot be used, and was left out",
    "{why}",
    Advice("state it here, or correct the file and load it again"),
    meaning="A sidecar, a context or an M0 that is stated but missing, broken or of another size: the panel loads the "
    "images without it; the shell refuses the series with the same sentence.",
)


@fitted
def read_anyway(
    path: Path | str,
    *,
    series: int | None = None,
    context: str | Sequence[str] | None = None,
    values: Mapping[str, object] | None = None,
) -> ASLSeries:
    """Read a series as `read.read_series` does, or else what can be read of it.

    Args:
        path, series: as `read.read_series` takes them.
        context: the order of the volumes, taken where the files state none.
        values: `Acquisition` fields, in seconds and tesla, taken where the files state none.

    Returns:
        The series. Where the files do not tell what its volumes are, all are ``n/a``; whatever of the files was left
        out is among its findings.

    Raises:
        InputError: the image itself cannot be read, or several series are meant.
    """
    path = Path(path)
    try:
        found = read_series(path, series=series)
    except OrderNotStated:
        found = _pieces(path, series)
    except InputError as error:
        try:
            found = _pieces(path, series)
        except InputError:
            raise error from None
    attempts = _Attempts()
    for given in ({"context": context}, {"values": values}):
        found = attempts.attempt(partial(with_lacking, found, **given), found)
    return replace(found, findings=(*found.findings, *attempts.found))


def with_lacking(
    series: ASLSeries, *, context: str | Sequence[str] | None = None, values: Mapping[str, object] | None = None
) -> ASLSeries:
    """The series with order and values where it states none; what it states stays.

    Raises:
        InputError: the order does not fill the series evenly, or a value has a wrong type or is impossible.
    """
    lacking = {name: value for name, value in (values or {}).items() if getattr(series.acquisition, name, None) is None}
    changes: dict[str, object] = {}
    if lacking:
        changes["acquisition"] = with_user_values(series.acquisition, lacking)
    if context and set(series.context) == {VolumeType.NOT_AVAILABLE}:
        words = context.split(",") if isinstance(context, str) else context
        changes["context"] = expanded_context([word for word in words if word.strip()], len(series.context))
    changed = replace(series, **changes) if changes else series
    return replace(changed, acquisition=spread_where_clear(changed.acquisition, changed.context))


class _Attempts:
    """Does one thing after another, and keeps what could not be done."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def attempt(self, action: Callable[[], _Value], otherwise: _Value) -> _Value:
        try:
            return action()
        except OrderNotStated:  # inspection says it, with the order that the images show
            return otherwise
        except InputError as error:
            why = error.what if error.remedies else str(error).rstrip(".")
            finding = _NOT_USED.finding(*error.remedies, why=why)
            if finding not in self.found:
                self.found.append(finding)
            return otherwise


def _pieces(path: Path, number: int | None) -> ASLSeries:
    """The images, and of their metadata what can be used."""
    attempts = _Attempts()
    scan = attempts.attempt(partial(read_study, path, series=number), None)
    if scan is None:  # its sidecar cannot be read, or the image cannot
        scan = read_study(path, series=number, sidecar=False)
    types = attempts.attempt(partial(_judged, scan), (VolumeType.NOT_AVAILABLE,) * len(scan.array))
    scan = replace(scan, sidecar=without_words(scan.sidecar, types))
    acquisition = _acquisition(scan, attempts)
    calibrate = partial(calibration_of, scan, types, acquisition, None)
    acquisition, m0, made = attempts.attempt(calibrate, (acquisition, None, None))
    acquisition = _fitting(scan, types, acquisition, attempts)
    source = str(path if scan.path is None else scan.path)
    found = (*scan.findings, *attempts.found)
    more = {"m0_source": made, "findings": found}
    return ASLSeries(scan.array, scan.geometry, types, acquisition, m0, scan.name, source, **more)


def _judged(scan: Scan) -> tuple[VolumeType, ...]:
    types = context_of(scan, None)
    require_perfusion(scan, types)
    require_flow(scan, types)
    return types


def _acquisition(scan: Scan, attempts: _Attempts) -> Acquisition:
    """The values of the sidecar that can be used, each on its own."""
    values = {}
    for name in _FIELDS:
        how = {"origin": scan.origin, "where": scan.where, "given": set(_FIELDS) - {name}}
        stated = attempts.attempt(partial(acquisition_from, scan.sidecar, **how), Acquisition())
        values[name] = getattr(stated, name)
    stated = {name: value for name, value in values.items() if value is not None}
    return Acquisition().with_values(scan.origin, **stated)


def _fitting(scan: Scan, types: tuple[VolumeType, ...], acquisition: Acquisition, attempts: _Attempts) -> Acquisition:
    """Lists of a value a volume or a slice reduced as `bids.reduce_arrays` does, and left out where they do not fit."""
    for name in _LISTS:
        if isinstance(getattr(acquisition, name), tuple):
            alone = replace(acquisition, **dict.fromkeys(set(_LISTS) - {name}))
            fit = attempts.attempt(partial(reduce_arrays, alone, types, scan.geometry), None)
            value = None if fit is None else getattr(fit, name)
            acquisition = acquisition.with_values(acquisition.origins[name], **{name: value})
    return acquisition
