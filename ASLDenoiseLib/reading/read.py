"""Reading an `ASLSeries`: a NIfTI with BIDS sidecars, or a folder of DICOM."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import composed
from ..findings import Finding, FindingKind
from ..given import fitted
from ..m0_source import M0Source
from ..remedies import Advice, GiveImage, SetField
from ..series import CBF_UNIT, Acquisition, ASLSeries, M0Type, Origin, Volume, VolumeType
from .bids import (
    acquisition_from,
    applicable_files,
    expanded_context,
    parse_value,
    preparation_time,
    read_context,
    reduce_arrays,
    with_user_values,
)
from .delay_lists import without_words
from .images import CBF_SUFFIX, image_stem, read_image, require_contrast
from .m0 import combine_m0, mean_of_series
from .m0_files import choose_m0, directions
from .scan import Scan, read_scan
from .study import read_m0, read_study
from .time_encoding import decoded
from .vendor_scaling import philips_m0_factor
from .volume_order import OrderNotStated, UnknownOrder

_ONE_FOR_ALL = FindingKind(
    "one-for-all",
    "{key} is {one:g} s for all volumes",
    "{where} states {several} s for them, volume by volume",
    Advice("leave the value out, and keep the volumes of one delay by the fix that is then named"),
    Advice("or mark all other volumes as n/a in the context"),
)
_NONE = SetField("m0_type", M0Type.ABSENT.value, "for relative perfusion without CBF, state that there is none")
# Findings of the DICOM that are answered by a field that the user gives
_OF_DELAYS = ("ge-several-differences", "siemens-several-delays", "philips-phases")
_ANSWERED = dict.fromkeys(_OF_DELAYS, "post_labeling_delay")
_SAME_SCALE = 1e-3  # relative; sidecars round their slopes to six digits
_SWAP = {VolumeType.CONTROL: VolumeType.LABEL, VolumeType.LABEL: VolumeType.CONTROL}


@fitted
def read_series(
    path: Path | str,
    *,
    m0: Path | str | float | None = None,
    context: Path | str | Sequence[str] | None = None,
    values: Mapping[str, object] | None = None,
    series: int | None = None,
) -> ASLSeries:
    """Read an ASL series.

    Args:
        path: a NIfTI (one named ``*_cbf`` holds CBF maps), a BIDS folder (the data set, a subject, a session), or a
            folder of DICOM, of a whole examination.
        m0: an M0 image or folder of DICOM, or one number for the whole image (scanner units); overrides the sidecar.
        context: an ``_aslcontext.tsv``, or words (``"control,label"`` or a list) whose control/label part is repeated.
        values: `Acquisition` fields given by the user, in seconds and tesla; they override the sidecar. Of several
            delays and label durations one a volume, one a pair, or with a ``delay_order`` one a delay.
        series: the number of one where the folder holds several (`study.series_in`).

    Returns:
        The series, float32 (T, K, J, I) in scanner units, with its M0 averaged and on its grid. An M0 that is one
        number is ``acquisition.m0_estimate``, with ``m0`` None. Where the Philips slopes in the sidecars put a separate
        M0 on another scale, ``acquisition.m0_scale`` is the factor.

    Raises:
        InputError: it cannot be read as an ASL series; one sentence with the remedy.

    >>> from ASLDenoiseLib.resources import sample_data
    >>> series = read_series(sample_data().asl, values={"labeling_efficiency": 0.8})
    >>> print(series)
    sub-phantom: 64 x 64 x 22 voxels of 3.4 x 3.4 x 6 mm, 10 label, 10 control
    >>> for parameter in series.acquisition.parameters()[1:3]:
    ...     print(parameter)
    post_labeling_delay = 1.8 s (sidecar)
    label_duration = 1.8 s (sidecar)
    >>> series.acquisition.origins["labeling_efficiency"].value
    'user'
    """
    path = Path(path)
    scan = read_study(path, series=series)
    types = context_of(scan, context)
    scan = replace(scan, sidecar=without_words(scan.sidecar, types))
    scan, types, values = decoded(scan, types, values)
    require_perfusion(scan, types)
    require_flow(scan, types)
    return _series(path, scan, types, m0=m0, values=values)


def _series(
    path: Path,
    scan: Scan,
    types: tuple[VolumeType, ...],
    *,
    m0: Path | str | float | None = None,
    values: Mapping[str, object] | None = None,
) -> ASLSeries:
    given = _answered(values or {}, m0)
    acquisition = acquisition_from(scan.sidecar, origin=scan.origin, where=scan.where, given=given)
    acquisition = with_user_values(acquisition, values)
    acquisition, calibration, made = calibration_of(scan, types, acquisition, m0)
    acquisition = reduce_arrays(acquisition, types, scan.geometry)
    source = str(path if scan.path is None else scan.path)
    told = (finding for finding in scan.findings if _ANSWERED.get(finding.code) not in given)
    found = (*told, *_overridden(scan, types, acquisition, given))
    more = {"m0_source": made, "findings": found}
    return ASLSeries(scan.array, scan.geometry, types, acquisition, calibration, scan.name, source, **more)


def read_cbf_map(path: Path | str) -> ASLSeries:
    """One CBF map (3D, ml/100g/min) as a series of one ``cbf`` volume; `InputError` where it is no 3D image."""
    path = Path(path)
    cbf = read_image(path, unit=CBF_UNIT)
    require_contrast(cbf.array, f"The map {path}")
    name = composed(image_stem(path).removesuffix(CBF_SUFFIX))
    return ASLSeries(cbf.array[None], cbf.geometry, (VolumeType.CBF,), name=name, source=str(path))


def swapped(series: ASLSeries) -> ASLSeries:
    """The series with control and label exchanged, and ``deltam`` and ``cbf`` volumes negated."""
    array = series.array
    differences = series.indices(VolumeType.DELTAM, VolumeType.CBF)
    if differences:
        array = array.copy()
        array[differences] *= -1
    return replace(series, array=array, context=tuple(_SWAP.get(kind, kind) for kind in series.context))


def context_of(scan: Scan, given: Path | str | Sequence[str] | None) -> tuple[VolumeType, ...]:
    """What the volumes of a scan are: as given, else as the files beside it state; `InputError` where nothing does."""
    volumes = len(scan.array)
    if isinstance(given, str) and not (given.lower().endswith(".tsv") or os.path.isfile(given)):
        given = [word for word in given.split(",") if word.strip()]
    if given is not None and not isinstance(given, (str, Path)):
        return expanded_context(given, volumes)
    if given is None and scan.context is not None:
        return scan.context
    if given is None and scan.path is not None and image_stem(scan.path).endswith(CBF_SUFFIX):
        return (VolumeType.CBF,) * volumes  # a context beside it is that of the series it was made from
    tables = [] if scan.path is None else applicable_files(scan.path, "aslcontext", ".tsv")
    table = Path(given) if given is not None else tables[-1] if tables else None
    if table is None and volumes == 1:
        raise OrderNotStated(
            f"{scan.name} is a single 3D volume, and nothing says whether it is a CBF map or a perfusion difference",
            [SetField("context", kind, "give the 4D series, or say what the volume is") for kind in ("cbf", "deltam")],
        )
    if table is None:
        what = "no _aslcontext.tsv beside it" if scan.path else "nothing in the DICOM says which volume is a control"
        raise UnknownOrder(f"What the {volumes} volumes of {scan.name} are is not known ({what})", scan.array)
    types = read_context(table)
    if len(types) != volumes:
        raise InputError(
            f"The context {table.name} names {len(types)} volumes but the series has {volumes}; "
            "correct it so that there is one line a volume."
        )
    return types


def require_perfusion(scan: Scan, types: Sequence[VolumeType]) -> None:
    """Refuse a context without perfusion, and perfusion volumes without a value."""
    wanted = (VolumeType.DELTAM, VolumeType.CBF)
    if not any(kind in types for kind in wanted):
        wanted = (VolumeType.CONTROL, VolumeType.LABEL)
        if len(types) == 1:
            raise InputError(
                f"{scan.name} is a single 3D volume, not a series of control and label volumes; give the 4D series."
            )
        for kind in wanted:
            if kind not in types:
                raise InputError(
                    f"The context of {scan.name} names no {kind.value} volume",
                    [SetField("context", "control,label", "correct its aslcontext, or give the order")],
                )
    values = scan.array[[i for i, kind in enumerate(types) if kind in wanted]]
    if not np.isfinite(values).any() or not np.nan_to_num(values, posinf=0, neginf=0).any():
        raise InputError(f"The perfusion volumes of {scan.name} are NaN or zero everywhere; export the series again.")


def _answered(values: Mapping[str, object], m0: object) -> set[str]:
    """The fields of which the sidecar has no say, since the user states them, or what makes them idle."""
    given = {name for name, value in values.items() if value is not None}
    if "suppression_pulses" in given:
        given.add("background_suppression")
    return given if m0 is None else {*given, "m0_type", "m0_estimate"}


def require_flow(scan: Scan, types: Sequence[VolumeType]) -> None:
    """Refuse CBF volumes whose sidecar states no unit of flow; `inspecting.scale_checks` judges units that are."""
    unit = scan.sidecar.get("Units")
    if VolumeType.CBF not in types or not isinstance(unit, str) or not unit.strip():
        return
    plain = unit.lower().replace(" ", "")
    if not (plain.startswith("ml") and ("min" in plain or "s" in plain)):
        raise InputError(
            f"The Units of {scan.name} are '{unit}', so it is no map of CBF in ml/100g/min",
            [SetField("context", "deltam", "take it for a perfusion difference")],
        )


def _overridden(
    scan: Scan, types: Sequence[VolumeType], acquisition: Acquisition, given: Collection[str]
) -> Iterator[Finding]:
    """Values that the sidecar states volume by volume, and the user once for volumes in which they differ."""
    used = [i for i, kind in enumerate(types) if kind in (VolumeType.CONTROL, VolumeType.LABEL, VolumeType.DELTAM)]
    for name, key in (("post_labeling_delay", "PostLabelingDelay"), ("label_duration", "LabelingDuration")):
        stated, one = scan.sidecar.get(key), getattr(acquisition, name)
        if name not in given or isinstance(one, tuple) or not isinstance(stated, list) or len(stated) != len(types):
            continue
        several = list(dict.fromkeys(str(stated[i]) for i in used))
        if len(several) > 1:
            yield _ONE_FOR_ALL.finding(key=key, one=one, several=", ".join(several), where=scan.where)


def calibration_of(
    scan: Scan, types: Sequence[VolumeType], acquisition: Acquisition, given: Path | str | float | None
) -> tuple[Acquisition, Volume | None, M0Source | None]:
    """The acquisition with M0 type and repetition time, the M0 image on the series' grid, or None, and its making."""
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        if not (math.isfinite(given) and given > 0):
            raise InputError(f"The M0 value {given} is not a positive number; give it in the units of the series.")
        return acquisition.with_values(Origin.USER, m0_type=M0Type.ESTIMATE, m0_estimate=float(given)), None, None
    if given is not None:
        acquisition = acquisition.with_values(Origin.USER, m0_type=M0Type.SEPARATE)
        return _from_separate(read_m0(Path(given)), scan, types, acquisition)
    kind, separate = acquisition.m0_type, None
    if acquisition.m0_estimate == 0 and kind in (None, M0Type.ESTIMATE):
        what = f"M0Estimate in {scan.where} is 0, which is no M0"
        raise InputError(what, [GiveImage("m0", "give an M0 image, or the number")])
    if kind in (None, M0Type.SEPARATE):
        beside, others = choose_m0(scan.path) if scan.path else (None, ())
        separate = read_scan(beside, suffix="m0scan") if beside else scan.m0
    if kind is None:
        kind = _inferred(types, separate is not None, acquisition)
        acquisition = acquisition if kind is None else acquisition.with_values(Origin.IMAGE, m0_type=kind)
    if VolumeType.CBF in types and kind is not None and not _there(kind, types, separate, acquisition):
        return acquisition, None, None  # CBF is calibrated already
    if kind is M0Type.SEPARATE:
        if separate is None:
            what = f"M0Type of {scan.name} is Separate but no _m0scan image is beside it"
            raise InputError(what, [GiveImage("m0", "give it"), _NONE])
        acquisition, mean, made = _from_separate(separate, scan, types, acquisition)
        return acquisition, mean, replace(made, unused=others)
    passed_over = _passed_over(scan)
    if kind is M0Type.INCLUDED:
        acquisition, mean, made = _from_included(scan, types, acquisition)
        return acquisition, mean, replace(made, unused=(*passed_over, *made.unused))
    if kind is M0Type.ESTIMATE and not acquisition.m0_estimate:
        what = f"M0Type of {scan.name} is Estimate but M0Estimate is not stated"
        raise InputError(what, [GiveImage("m0", "give the number"), _NONE])
    return acquisition, None, M0Source(unused=passed_over) if passed_over else None


def _passed_over(scan: Scan) -> tuple[str, ...]:
    """The separate M0 beside a scan whose M0 comes from elsewhere, by name."""
    try:
        beside = choose_m0(scan.path)[0] if scan.path else None
    except InputError:  # several; none is used
        return ("the _m0scan images beside it",)
    return () if beside is None and scan.m0 is None else (beside.name if beside else scan.m0.name,)


def _there(kind: M0Type, types: Sequence[VolumeType], separate: Scan | None, acquisition: Acquisition) -> bool:
    """Whether the M0 that a sidecar speaks of was found."""
    found = {M0Type.SEPARATE: separate is not None, M0Type.INCLUDED: VolumeType.M0SCAN in types}
    return found.get(kind, bool(acquisition.m0_estimate))


def _inferred(types: Sequence[VolumeType], separate: bool, acquisition: Acquisition) -> M0Type | None:
    """The M0 type by what is there, when the sidecar does not state one."""
    if VolumeType.M0SCAN in types:
        return M0Type.INCLUDED
    if separate:
        return M0Type.SEPARATE
    return M0Type.ESTIMATE if acquisition.m0_estimate else None


def _from_separate(
    m0: Scan, scan: Scan, types: Sequence[VolumeType], acquisition: Acquisition
) -> tuple[Acquisition, Volume, M0Source]:
    from ..spatial.resampling import average_onto, resample

    acquisition, chosen, shorter = _by_time(acquisition, m0, preparation_time(m0.sidecar), range(len(m0.array)))
    like = mean_of_series(scan.array, types) if len(chosen) > 1 else None
    if like is not None and not m0.geometry.matches(scan.geometry):
        like = resample(Volume(like, scan.geometry), m0.geometry).array
    numbers = [n + 1 for n in chosen]
    mean, made = combine_m0(m0.array[chosen], m0.geometry, like, name=m0.name, numbers=numbers)
    if not mean.geometry.matches(scan.geometry):
        mean = average_onto(mean, scan.geometry)
        if not np.isfinite(mean.array).any():
            raise InputError(
                f"The M0 image {m0.name} does not overlap the series {scan.name}; give the M0 of this scan."
            )
    if acquisition.m0_scale is None:
        factor = philips_m0_factor(scan.sidecar, m0.sidecar)
        if factor is not None and abs(factor - 1) > _SAME_SCALE:
            acquisition = acquisition.with_values(m0.origin, m0_scale=factor)
    made = replace(made, left_out=(*shorter, *made.left_out), directions=directions(scan, m0))
    return acquisition, mean, made


def _from_included(
    scan: Scan, types: Sequence[VolumeType], acquisition: Acquisition
) -> tuple[Acquisition, Volume, M0Source]:
    indices = [i for i, kind in enumerate(types) if kind is VolumeType.M0SCAN]
    if not indices:
        raise InputError(
            f"M0Type of {scan.name} is Included but its context names no m0scan volume",
            [GiveImage("m0", "correct the context, or give the M0"), _NONE],
        )
    origin = acquisition.origins.get("repetition_time", scan.origin)
    acquisition, chosen, shorter = _by_time(acquisition, scan, acquisition.repetition_time, indices, origin=origin)
    like, numbers = mean_of_series(scan.array, types), [n + 1 for n in chosen]
    mean, made = combine_m0(scan.array[chosen], scan.geometry, like, name=scan.name, numbers=numbers)
    return acquisition, mean, replace(made, left_out=(*shorter, *made.left_out))


def _by_time(
    acquisition: Acquisition, scan: Scan, raw: object, indices: Sequence[int], *, origin: Origin | None = None
) -> tuple[Acquisition, list[int], tuple[str, ...]]:
    """The acquisition with the repetition time (s) of the M0 volumes at `indices` of `scan`, unless it is stated.

    Of volumes with several times those of the longest are taken, which need the least correction; the others are
    named. Images of several times, each multiplied by its own relaxation factor, would agree only for one T1.
    """
    indices = list(indices)
    if acquisition.m0_repetition_time is not None or raw is None:
        return acquisition, indices, ()
    value = parse_value("repetition_time", raw, where=scan.where)
    chosen, shorter = indices, ()
    if isinstance(value, tuple):
        if len(value) != len(scan.array):
            raise InputError(
                f"RepetitionTimePreparation in {scan.where} holds {len(value)} values but the image has "
                f"{len(scan.array)} volumes; give one number or one a volume."
            )
        longest = max(value[i] for i in indices)
        chosen = [i for i in indices if value[i] == longest]
        shorter = tuple(
            f"volume {i + 1} has a repetition time of {value[i]:g} s, others one of {longest:g} s"
            for i in indices
            if i not in chosen
        )
        value = longest
    return acquisition.with_values(origin or scan.origin, m0_repetition_time=value), chosen, shorter
