"""How many pairs are enough, as a table and what its columns are."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..result import Result
from ..result.pairs_needed import MapError
from ..result.table import tsv_text

_COLUMNS = {
    "map": "denoised: the denoised map of so many pairs; plain: their mean",
    "pairs": "Pairs in each map",
    "draws": "Maps, each of other pairs, that the figures are the mean of",
    "squared_error": (
        "Mean squared error in the brain against the pairs that were not drawn, their own noise taken off; negative "
        "where that noise hides it"
    ),
    "squared_error_low": "Lower end of the 95 % interval of squared_error",
    "squared_error_high": "Upper end of it",
    "rmse": "Root of squared_error; n/a where it is below what can be measured",
    "rmse_by_spread": "Of plain: the error that the spread of the pairs gives such a mean",
}


def pairs_tsv(result: Result) -> str:
    """A row for each kind of map and number of pairs as BIDS tabular text; empty where a run did not measure it."""
    needed = result.pairs_needed
    if needed is None:
        return ""
    rows = [_row("denoised", error, math.nan) for error in needed.denoised]
    rows += [_row("plain", error, needed.plain_rmse(error.pairs)) for error in needed.plain]
    rows.append(("plain", str(needed.total), *["n/a"] * 5, _cell(needed.plain_rmse(needed.total))))
    return tsv_text([tuple(_COLUMNS), *rows])


def pairs_json(result: Result) -> dict[str, object]:
    """The columns of `pairs_tsv` with their units, and the answer; null where the pairs that were tried do not tell."""
    needed = result.pairs_needed
    squared = {name: f"({needed.unit})^2" for name in _COLUMNS if name.startswith("squared")}
    units: Mapping[str, str] = {**squared, "rmse": needed.unit, "rmse_by_spread": needed.unit}
    columns = {
        name: {"Description": text, **({"Units": units[name]} if name in units else {})}
        for name, text in _COLUMNS.items()
    }
    answers = {"PairsNeeded": needed.needed, "PairsNeededLow": needed.low, "PairsNeededHigh": needed.high}
    return {
        **columns,
        "Summary": needed.sentence,
        "PairsAveraged": needed.total,
        **{name: value if math.isfinite(value) else None for name, value in answers.items()},
    }


def _row(kind: str, error: MapError, by_spread: float) -> tuple[str, ...]:
    figures = (error.square, error.low, error.high, error.rmse, by_spread)
    return (kind, str(error.pairs), str(error.draws), *map(_cell, figures))


def _cell(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else "n/a"
