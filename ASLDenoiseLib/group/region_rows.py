"""What one finished run puts into the table of regions of its cohort: a row a region."""

from __future__ import annotations

from collections.abc import Mapping

from ..measuring.readouts import region_key
from ..measuring.region_coverage import LEAST_COVERAGE
from ..result import Result
from .region_asymmetry import Asymmetries

_NAN = float("nan")
DRAWN = "drawn"  # what stands for the atlas of a region that was drawn by itself
FIGURES = {"mean": "mean", "median": "median", "sd": "sd", "snr": "snr", "error": "mean_error"}  # ours, the readouts'


def region_rows(result: Result) -> tuple[dict[str, object], ...]:
    """The rows of the table of regions (`group.region_columns`) of one run: numbers, words, NaN.

    Figures are the readouts of the raw map and of the one the run was for. Labels of an atlas that the scan does not
    reach are rows too, without figures, so that every scan has the same ones.
    """
    names = [*result.regions, *sorted(result.atlas.keys() - result.regions.keys())]
    if not names:
        return ()
    raw, processed = result.values(result.raw), result.values(result.processed or result.raw)
    rows = {name: _row(name, result.atlas.get(name, DRAWN), raw, processed) for name in names}
    known = {name for name, row in rows.items() if not row["low_coverage"]}
    sides = Asymmetries(result, known)
    return tuple(row | sides.of(name) for name, row in rows.items())


def _row(name: str, atlas: str, raw: Mapping[str, float], processed: Mapping[str, float]) -> dict[str, object]:
    key = region_key(name)
    row: dict[str, object] = {"atlas": atlas, "region": name}
    for prefix, values in (("raw", raw), ("processed", processed)):
        row |= {f"{prefix}_{ours}": values.get(f"{key}_{theirs}", _NAN) for ours, theirs in FIGURES.items()}
    coverage = min(values.get(f"{key}_coverage", 0.0) for values in (raw, processed))
    row |= {"volume_ml": raw.get(f"{key}_volume", _NAN), "voxels": raw.get(f"{key}_voxels", 0.0)}
    return row | {"coverage_percent": coverage, "low_coverage": not coverage >= LEAST_COVERAGE}
