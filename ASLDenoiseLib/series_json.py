"""A series without its voxels as plain JSON and back: acquisition, context, fixes, making of the M0, findings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, fields
from enum import Enum

import numpy as np

from .errors import InputError
from .findings import finding_from_plain, finding_to_plain
from .m0_source import M0Source
from .series import (
    Acquisition,
    ASLSeries,
    DelayOrder,
    Geometry,
    Labeling,
    M0Type,
    Origin,
    Parameter,
    Volume,
    VolumeType,
)

_ENUMS = {"Labeling": Labeling, "M0Type": M0Type, "DelayOrder": DelayOrder}


def plain(value: object) -> object:
    """Anything a parameter or model card holds, as JSON can carry it: NaN as null, infinity in words."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)


def acquisition_to_plain(acquisition: Acquisition) -> dict[str, dict[str, object]]:
    """Every stated value by its field: ``{"label_duration": {"value": 1.8, "origin": "sidecar"}}``; times in s."""
    return {p.name: {"value": plain(p.value), "origin": p.origin.value} for p in acquisition.parameters()}


def acquisition_from_plain(mapping: Mapping[str, Mapping[str, object]], *, where: str = "the series") -> Acquisition:
    """The acquisition that `acquisition_to_plain` wrote; a value without an origin is the user's.

    Raises:
        InputError: there is no such field, a value has the wrong type or is impossible; the sentence names `where`.
    """
    known = {f.name: f for f in fields(Acquisition) if f.name != "origins"}
    values, origins = {}, {}
    for name, entry in mapping.items():
        try:
            values[name] = _typed(known[name], entry["value"])
            origins[name] = Origin(entry.get("origin") or Origin.USER)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            text = f"The value '{name}' of {where} cannot be understood ({entry!r}); correct or remove it."
            raise InputError(text) from error
    return Acquisition(**values, origins=origins)


def context_from_plain(words: Iterable[str], *, where: str = "the series") -> tuple[VolumeType, ...]:
    """The volume types of a series by BIDS' words.

    Raises:
        InputError: one is not such a word.
    """
    try:
        return tuple(VolumeType(word) for word in words)
    except (ValueError, TypeError) as error:
        text = f"The volume types of {where} cannot be understood ({words!r})"
        raise InputError(f"{text}; give a list of control, label, m0scan, deltam, cbf.") from error


def parameter_to_plain(parameter: Parameter) -> dict[str, object]:
    """Name, value, unit, origin and note of a parameter; a tuple becomes a list."""
    return plain(vars(parameter))


def parameter_from_plain(mapping: Mapping[str, object]) -> Parameter:
    """The parameter that `parameter_to_plain` wrote.

    Raises:
        InputError: an entry is missing or is not one of a parameter's.
    """
    try:
        return Parameter(**{**mapping, "origin": Origin(mapping["origin"])})
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f"The parameter {mapping!r} cannot be understood; give name, value, unit, origin.") from error


def series_to_plain(series: ASLSeries) -> dict[str, object]:
    """Name, source, context, acquisition, fixes, M0 source and findings; neither voxels nor geometry nor M0."""
    return {
        "name": series.name,
        "source": series.source,
        "context": [kind.value for kind in series.context],
        "acquisition": acquisition_to_plain(series.acquisition),
        "fixes": [parameter_to_plain(fix) for fix in series.fixes],
        "m0_source": None if series.m0_source is None else series.m0_source.to_plain(),
        "findings": [finding_to_plain(finding) for finding in series.findings],
    }


def series_from_plain(
    mapping: Mapping[str, object], *, array: np.ndarray, geometry: Geometry, m0: Volume | None = None
) -> ASLSeries:
    """The series that `series_to_plain` described, of voxels (T, K, J, I) on `geometry`.

    Raises:
        InputError: something in it cannot be understood, or does not fit the voxels.
    """
    name = str(mapping.get("name") or "asl")
    return ASLSeries(
        array,
        geometry,
        context_from_plain(mapping.get("context") or (VolumeType.NOT_AVAILABLE,) * len(array), where=f"'{name}'"),
        acquisition_from_plain(mapping.get("acquisition") or {}, where=f"'{name}'"),
        m0=m0,
        name=name,
        source=str(mapping.get("source") or ""),
        fixes=tuple(map(parameter_from_plain, mapping.get("fixes") or ())),
        m0_source=M0Source.from_plain(mapping.get("m0_source")),
        findings=tuple(map(finding_from_plain, mapping.get("findings") or ())),
    )


def _typed(field: Field, value: object) -> object:
    """A JSON value as its field of `Acquisition` holds it; ValueError or TypeError where it is of another type."""
    kinds = str(field.type).split(" | ")
    if kinds[0] in _ENUMS:
        return _ENUMS[kinds[0]](value)
    if isinstance(value, list) and "tuple[float, ...]" in kinds and {type(v) for v in value} <= {int, float}:
        return tuple(value)
    if type(value).__name__ in kinds or (type(value) in (int, float) and {"int", "float"} & set(kinds)):
        return value
    raise TypeError(field.type)
