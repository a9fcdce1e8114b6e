"""A run made by hand that has its pairs and a midline, and a region of whole voxels in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from region_builders import box
from scene_builders import made_result

from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.result.pair_errors import PairErrors

RAW, DENOISED = "desc-mean_cbf", "desc-denoised_cbf"
MIDLINE = np.diag([-1.0, 1.0, 1.0, 1.0])


def a_result(**changes):
    """Without regions; with its pairs, and with readouts as a run makes them."""
    made = made_result()
    grid = made.series.geometry
    pairs = made.maps[RAW].array + np.random.default_rng(5).normal(0, 12, (12, *grid.shape))
    errors = PairErrors.of(pairs - pairs.mean(axis=0), None, np.isfinite(pairs[0]))
    readouts = {key: measure(made.maps[key], made.tissue) for key in (RAW, DENOISED)}
    found = replace(made, regions={}, drawings={}, pair_errors={"raw": errors}, mirror=MIDLINE, readouts=readouts)
    return replace(found, **changes)


def on_series(low=(3, 4, 3), high=(7, 8, 5)):
    return box(made_result().series.geometry, low, high)
