"""Checks of every number of an acquisition against the table of ranges (`ranges`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from ..findings import Finding, FindingKind, unusable_kind
from ..quantifying.constants import t1_blood
from ..ranges import RANGES, OtherUnit, explaining_unit, unusual
from ..remedies import Advice, ApplyFix, SetField
from ..series import Acquisition

_FIELDS = {f.name: f.metadata for f in fields(Acquisition) if f.name in RANGES}
_NAMES = {"m0_repetition_time": "the repetition time of the M0 scan"}
# Relative; 1 / (0.52 Hct + 0.38) s at 3 T (Lu et al. 2004) is 1.56 to 1.87 s for haematocrits of 0.5 to 0.3
_OF_HAEMATOCRIT = 0.15

_MILLISECONDS = unusable_kind(
    "milliseconds",
    "{field} looks like milliseconds",
    "it is {stated:g} where seconds are meant",
    ApplyFix("milliseconds", "divide every such time by 1000"),
    meaning="A time that no sequence and no tissue has in seconds, and that is usual in milliseconds.",
)
_OTHER_UNIT = unusable_kind(
    "other-unit",
    "{field} looks like {unit}",
    "it is {stated:g} where {meant} is meant",
    ApplyFix("microseconds", "have it converted"),
    ApplyFix("gauss", "have it converted"),
    ApplyFix("millitesla", "have it converted"),
    ApplyFix("percent", "have it converted"),
    ApplyFix("per-100g", "have it converted"),
    meaning="A number that cannot be in its unit, and that is usual in another: gauss or millitesla for tesla, percent "
    "for a fraction, microseconds for seconds, ml/100g for ml/g.",
)
_UNUSUAL = FindingKind(
    "unusual-value",
    "{field} is {stated:g}{unit}, which is unusual",
    "{low:g} to {high:g}{unit} is usual",
    Advice("compare it with the scanner's protocol"),
    meaning="A number that is possible but seldom right, and that CBF depends on.",
)
_OTHER_FIELD = FindingKind(
    "t1-blood-doubtful",
    "The T1 of blood is doubtful at this field strength",
    "it is given as {stated:g} s, {usual:g} s is usual at {field:g} T",
    Advice("compare both with their sources"),
    SetField("t1_blood", text="correct what is wrong"),
    SetField("field_strength", text="correct what is wrong"),
)


def value_findings(acquisition: Acquisition) -> Iterator[Finding]:
    """Findings about units and ranges, in no order."""
    for name, unit in other_units(acquisition).items():
        yield _in_other_unit(name, getattr(acquisition, name), unit)
    for name in _FIELDS:
        stated = unusual(name, getattr(acquisition, name))
        if stated is not None:
            low, high = RANGES[name].usual
            said = {"field": name_of(name), "stated": stated, "unit": f" {_FIELDS[name]['unit']}".rstrip()}
            correct = SetField(name, text="correct it")
            yield _UNUSUAL.finding(*_UNUSUAL.remedies, correct, **said, low=low, high=high)
    if acquisition.t1_blood is not None and not {"t1_blood", "field_strength"} & set(other_units(acquisition)):
        yield from _blood_of_field(acquisition)


def other_units(acquisition: Acquisition) -> dict[str, OtherUnit]:
    """The fields whose values are in another unit than they should be, with that unit."""
    found = {name: explaining_unit(name, getattr(acquisition, name)) for name in _FIELDS}
    return {name: unit for name, unit in found.items() if unit is not None}


def name_of(field: str) -> str:
    """A field as the sidecar calls it."""
    return _NAMES.get(field, str(_FIELDS[field]["bids"]))


def fix_of(unit: OtherUnit) -> str:
    """The name of the fix that converts from a unit."""
    return "per-100g" if unit.name == "ml/100g" else unit.name


def _in_other_unit(name: str, values: float | tuple[float, ...], unit: OtherUnit) -> Finding:
    meant = _FIELDS[name]["unit"] or "a fraction"
    stated = float(np.max(values))
    right = stated / unit.factor
    value = None if isinstance(values, tuple) else right  # no option takes the largest for all of a list
    said = {"field": name_of(name)[:1].upper() + name_of(name)[1:], "stated": stated}
    if unit.name == "milliseconds":
        state = SetField(name, value, f"give it in seconds, {right:g},")
        return _MILLISECONDS.finding(state, *_MILLISECONDS.remedies, **said)
    state = SetField(name, value, f"give it as {right:g}{f' {meant}' if _FIELDS[name]['unit'] else ''}")
    return _OTHER_UNIT.finding(state, ApplyFix(fix_of(unit), "have it converted"), **said, unit=unit.name, meant=meant)


def _blood_of_field(acquisition: Acquisition) -> Iterator[Finding]:
    usual = t1_blood(acquisition.with_values(acquisition.origins["t1_blood"], t1_blood=None))
    field = acquisition.field_strength
    apart = abs(acquisition.t1_blood / float(usual.value) - 1)
    if field is not None and apart > _OF_HAEMATOCRIT and unusual("t1_blood", acquisition.t1_blood) is None:
        yield _OTHER_FIELD.finding(stated=acquisition.t1_blood, usual=float(usual.value), field=field)
