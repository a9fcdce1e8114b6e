"""Maps of a run by their keys: what each is called and looks like there, and which is the raw or the furthest one.

The kinds of maps stand in `result.map_table`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..series import CBF_UNIT, SCANNER_UNIT
from .map_kind import BELOW_ZERO as BELOW_ZERO
from .map_kind import MapKind as MapKind
from .map_kind import Role as Role
from .map_table import ATT_MEAN_ERROR as ATT_MEAN_ERROR
from .map_table import ATT_UNCERTAINTY as ATT_UNCERTAINTY
from .map_table import BOUNDS as BOUNDS
from .map_table import COUNTERPARTS as COUNTERPARTS
from .map_table import DENOISED as DENOISED
from .map_table import DENOISED_ABV as DENOISED_ABV
from .map_table import DENOISED_ATT as DENOISED_ATT
from .map_table import DENOISED_DIFFERENCE as DENOISED_DIFFERENCE
from .map_table import DENOISED_EVEN as DENOISED_EVEN
from .map_table import DENOISED_ODD as DENOISED_ODD
from .map_table import MAPS as MAPS
from .map_table import MEAN_ERROR as MEAN_ERROR
from .map_table import MNI as MNI
from .map_table import PREPARED as PREPARED
from .map_table import PREPARED_ABV as PREPARED_ABV
from .map_table import PREPARED_ATT as PREPARED_ATT
from .map_table import RAW as RAW
from .map_table import RAW_ATT as RAW_ATT
from .map_table import RAW_DIFFERENCE as RAW_DIFFERENCE
from .map_table import RAW_EVEN as RAW_EVEN
from .map_table import RAW_ODD as RAW_ODD
from .map_table import RELATIVE as RELATIVE
from .map_table import RESIDUAL as RESIDUAL
from .map_table import RESTORED as RESTORED
from .map_table import SMOOTHED as SMOOTHED
from .map_table import SUPERRESOLVED as SUPERRESOLVED
from .map_table import UNCERTAINTY as UNCERTAINTY
from .map_table import UNCORRECTED as UNCORRECTED
from .map_table import USED_ATT as USED_ATT
from .map_table import USED_ATT_ERROR as USED_ATT_ERROR
from .map_table import VESSELS as VESSELS

# of a run that is corrected for arrival times
_CORRECTED = (Role.RAW, Role.PREPARED, Role.PROCESSED, Role.SUPERRESOLVED, Role.COMPARISON, Role.HALF)
_CORRECTED += (Role.DIFFERENCE, Role.UNCERTAINTY)
_PRODUCTS = (Role.PREPARED, Role.PROCESSED, Role.SUPERRESOLVED)  # what a run can be for, the furthest last


def kind_of(key: str, maps: Collection[str] = ()) -> MapKind:
    """The kind of a map, named as in the run that made `maps`; a map on the template's grid looks like its original.

    A key that the table lacks, of a scene or folder made elsewhere, is a CBF map named by its key.
    """
    if key.startswith("space-MNI"):
        kind = kind_of(key.partition("_")[2], maps)
        named_so = {"label": f"{kind.label}, MNI space", "short": f"MNI space, {kind.short}"}
        return replace(kind, key=key, description=f"{kind.label}, MNI space.", **named_so)
    table = _table_of(maps)
    table = table if key in table else {**RELATIVE, **MAPS}
    if key not in table:
        label = key.removeprefix("desc-").replace("_", " ")
        return MapKind(key, Role.COMPARISON, label, f"{label}.", short=label)
    kind = table[key]
    finer = kind.of_superresolved if _has_superresolved(maps) else ()
    label, description = finer or _own_words(kind, maps)
    if kind.role in _CORRECTED and is_corrected(maps):
        description += " Corrected for the arrival times of another scan."
    own = _table_of(maps)
    processed, _ = _own_words(own[furthest(maps) or named(DENOISED, maps)], maps)
    acquired, _ = _own_words(own[furthest(maps, on_series=True) or raw_of(maps)], maps)
    label = label.format(processed=processed.lower(), acquired=acquired)
    short = kind.short.format(processed="super-resolved" if finer else "denoised")
    return replace(kind, label=label, description=description, short=short or label)


def furthest(maps: Collection[str], *, on_series: bool = False) -> str | None:
    """The key of the map worked on most, of all or of those on the grid of the series; None where all is raw."""
    roles = _PRODUCTS[:-1] if on_series else _PRODUCTS
    table = _table_of(maps)
    return next((key for key, kind in reversed(table.items()) if kind.role in roles and key in maps), None)


def keys_of(*roles: Role, maps: Collection[str] = ()) -> tuple[str, ...]:
    """The keys of the maps with these roles in the run that made `maps`, in the order of the table."""
    return tuple(key for key, kind in _table_of(maps).items() if kind.role in roles)


def is_relative(maps: Collection[str]) -> bool:
    """Whether the run that made `maps` had no M0, and gives perfusion differences in scanner units instead of CBF."""
    return RAW not in maps and RAW_DIFFERENCE in maps


def named(key: str, maps: Collection[str]) -> str:
    """The key that a map of CBF has in the run that made `maps`: its own, or that of its counterpart."""
    return in_unit(key, SCANNER_UNIT if is_relative(maps) else CBF_UNIT)


def in_unit(key: str, unit: str) -> str:
    """The key of a map of CBF, or of its counterpart where the run's unit is that of the scanner.

    >>> in_unit(RAW, CBF_UNIT) == RAW, in_unit(RAW, SCANNER_UNIT) == RAW_DIFFERENCE
    (True, True)
    """
    return COUNTERPARTS.get(key, key) if unit == SCANNER_UNIT else key


def of_several_delays(maps: Collection[str]) -> bool:
    """Whether the run that made `maps` fitted CBF and arrival time to several delays."""
    return RAW_ATT in maps


def is_corrected(maps: Collection[str]) -> bool:
    """Whether the run that made `maps` corrected one delay by the arrival times of another scan."""
    return named(UNCORRECTED, maps) in maps


def arrival_of(key: str, maps: Collection[str]) -> str | None:
    """The key of the map of arrival time that was fitted with a map of perfusion; None where the run has none."""
    fitted = {
        named(cbf, maps): att for cbf, att in ((RAW, RAW_ATT), (PREPARED, PREPARED_ATT), (DENOISED, DENOISED_ATT))
    }
    beside = fitted.get(key)
    return beside if beside in maps else None


def raw_of(maps: Collection[str]) -> str:
    """The key of the raw map of the run that made `maps`."""
    return named(RAW, maps)


def _own_words(kind: MapKind, maps: Collection[str]) -> tuple[str, str]:
    """Label and description of a kind: of several delays those of a fit, where it has any."""
    return (kind.of_fit if of_several_delays(maps) else ()) or (kind.label, kind.description)


def _table_of(maps: Collection[str]) -> dict[str, MapKind]:
    return RELATIVE if is_relative(maps) else MAPS


def _has_superresolved(maps: Collection[str]) -> bool:
    return named(SUPERRESOLVED, maps) in maps
