"""The arrival-time map of another scan: what lies beside its file, read, or refused where it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from ..preparing.arrival_map import require_arrival_times
from ..preparing.delays import delays_of
from ..quantifying.kinetic_model import kinetic_model
from ..quantifying.kinetics import label_length, single_delay
from ..reading.images import image_of, image_stem
from ..remedies import GiveImage
from ..result.arrival_keys import arrival_key, beside_arrival
from ..series import ASLSeries, Volume
from .request import ArrivalMap

_SUFFIX = "_att"
_MNI = "space-MNI"


@dataclass(frozen=True, eq=False)
class ArrivalImages:
    """What was given, in memory.

    Args:
        att: s, NaN where it holds no arrival time.
        error: the SD of its error, s; None where that is not known.
        reference: what it is registered by; None where it lies with the series or the T1.
    """

    att: Volume
    error: Volume | None
    reference: Volume | None


def read_arrival(given: ArrivalMap, series: ASLSeries) -> ArrivalImages:
    """The images of an arrival-time map, for a series that they can correct.

    Raises:
        InputError: the series has several delays, none, or holds CBF; a file cannot be read; the map cannot be one of
            arrival times; or it is of another scan and nothing tells where that lies.
    """
    _require_one_delay(series)
    given = with_siblings(given)
    if _MNI in given.att.name:
        raise InputError("The arrival time map lies in MNI space; give the one on the grid of its own scan.")
    if given.space == "scan" and given.reference is None:
        what = "An arrival time map of another scan is registered by an image of that scan, and there is none"
        raise InputError(what, [GiveImage("att-reference", "give its CBF map, M0 or mean control")])
    att = require_arrival_times(image_of(given.att))
    error = image_of(given.error)
    reference = image_of(given.reference) if given.space == "scan" else None
    return ArrivalImages(att, error, reference)


def with_siblings(given: ArrivalMap) -> ArrivalMap:
    """The map with what lies beside its file under the names of a result: the SD of its error, and its CBF map."""
    if not isinstance(given.att, Path):
        return given
    stem, ending = image_stem(given.att), given.att.name[len(image_stem(given.att)) :]
    if not stem.endswith(_SUFFIX):
        return given
    error, reference = given.error, given.reference
    known = beside_arrival(stem)
    if known is not None:
        prefix = stem.removesuffix(arrival_key(stem))
        names = (known[0], *known[1])
        sd, *images = (_there(given.att.with_name(f"{prefix}{name}{ending}")) for name in names)
        error, reference = error or sd, reference or next(filter(None, images), None)
    for suffix in ("_cbf", "_pwi"):
        reference = reference or _there(given.att.with_name(f"{stem.removesuffix(_SUFFIX)}{suffix}{ending}"))
    return replace(given, error=error, reference=reference)


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _require_one_delay(series: ASLSeries) -> None:
    leave_out = "leave the arrival time map out"
    if series.holds_cbf:
        raise InputError(
            f"A CBF map has no delay at which it could be corrected; give the series it was made from, or {leave_out}."
        )
    delays = delays_of(series)
    if len(delays) > 1:
        listed = ", ".join(f"{d.delay:g}" for d in delays)
        raise InputError(
            f"The series has several delays ({listed} s), which tell arrival times themselves; {leave_out}."
        )
    for required in (kinetic_model, single_delay, label_length):
        required(series.acquisition)
