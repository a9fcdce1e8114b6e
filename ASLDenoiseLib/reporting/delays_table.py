"""What regions measured at every delay and the curves that were fitted, as a table and what its columns are."""

from __future__ import annotations

from collections.abc import Mapping

from ..result import Result
from ..result.table import six_digits, tsv_text

_OF_DELAY = "as perfusion by the formula of that delay alone"
_COLUMNS = {
    "region": ("", "GM, WM or the name of a region"),
    "delay": ("s", "Post-labelling delay, of PASL inversion time; of the first slice"),
    "duration": ("s", "Label duration, of PASL bolus duration"),
    "pairs": ("", "Pairs of that delay"),
    "measured": ("{unit}", f"Mean over the region of the prepared mean difference, {_OF_DELAY}"),
    "error": ("{unit}", "Its standard error, from the spread of the pairs; n/a of fewer than three"),
    "fitted": ("{unit}", "Mean over the region of the curves of the run's furthest maps, fitted voxel by voxel"),
    "plain": ("{unit}", "The same of the plain fit of the prepared mean differences"),
    "residual": ("{unit}", "Measured minus fitted"),
    "cbf": ("{unit}", "Mean over the region of the furthest map of perfusion"),
    "att": ("s", "Mean over the region of the furthest map of arrival time"),
}


def curves_tsv(result: Result) -> str:
    """A row for each region and delay as BIDS tabular text; empty of a series of one delay."""
    found = result.delays
    if found is None:
        return ""
    lines = []
    for region in found.regions:
        of_delays = zip(found.delays, found.durations, found.pairs, strict=True)
        measured = zip(region.measured, region.errors, region.fitted, region.plain, region.residual, strict=True)
        for of_delay, values in zip(of_delays, measured, strict=True):
            lines.append((region.name, *map(six_digits, (*of_delay, *values, region.cbf, region.att))))
    return tsv_text([tuple(_COLUMNS), *lines])


def curves_json(result: Result) -> dict[str, Mapping[str, str]]:
    """The description and unit of each column of `curves_tsv`, for the JSON beside it."""
    unit = "" if result.delays is None else result.delays.unit
    return {
        name: {"Description": text, **({"Units": units.format(unit=unit)} if units else {})}
        for name, (units, text) in _COLUMNS.items()
    }
