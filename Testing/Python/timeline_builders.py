"""A made result with a time line: ten pairs, some of which the method or the user left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scene_builders import made_result

from ASLDenoiseLib.preparing.course import PairCourse
from ASLDenoiseLib.preparing.outliers import OutlierReport, Rejection
from ASLDenoiseLib.preparing.outliers.by_hand import TAKEN_OUT
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.result import maps as kinds
from ASLDenoiseLib.result.split_half import HalfAgreement, SplitHalf
from ASLDenoiseLib.series import CBF_UNIT, ASLSeries

PAIRS = 10
HALVES = SplitHalf(
    5,
    5,
    1234,
    CBF_UNIT,
    (HalfAgreement("raw", "raw", 0.42, 0.41, 25.0), HalfAgreement("denoised", "denoised", 0.93, 0.92, 6.5)),
)


def with_timeline(made: Result | None = None) -> Result:
    """Pair 2 and slice 4 of pair 5 left out by the method, pair 7 by the user, slice 3 of pair 5 put back."""
    made = made_result() if made is None else made
    grid, rng = made.series.geometry, np.random.default_rng(4)
    array = rng.normal(500, 5, (2 * PAIRS, *grid.shape)).astype(np.float32)
    acquisition = replace(made.series.acquisition, post_labeling_delay=1.8)
    series = ASLSeries(array, grid, ("control", "label") * PAIRS, acquisition, made.series.m0, "sub-77")
    slices = grid.size[2]
    weights = np.ones((PAIRS, slices, 1, 1), np.float32)
    weights[[1, 6]], weights[4, 3] = 0, 0
    nan = float("nan")
    rejections = (
        Rejection(1, None, "noise of the pair", 9.0, 3.0, 2),
        Rejection(4, 3, "noise of the slice", 4.0, 3.0, 5),
        Rejection(6, None, TAKEN_OUT, nan, nan, 7, True),
    )
    back = (Rejection(4, 2, "noise of the slice", 3.5, 3.0, 5),)
    found = np.zeros((PAIRS, slices), bool)
    found[1], found[4, 2:4] = True, True
    mean = made.maps["desc-mean_cbf"]
    report = OutlierReport("zscore", weights, rejections, (), mean, mean, weights.sum(axis=(0, 2, 3)), back, found)
    members = tuple((2 * n, 2 * n + 1) for n in range(PAIRS))
    motion = np.linspace(0.05, 0.5, PAIRS)
    perfusion = np.linspace(40, 58, PAIRS)
    course = PairCourse(tuple(range(1, PAIRS + 1)), members, perfusion, CBF_UNIT, motion, 2 * motion)
    return replace(made, series=series, outliers=report, course=course)


def with_halves(made: Result) -> Result:
    """The result with maps of odd and of even pairs and how they agree."""
    raw, denoised = made.maps["desc-mean_cbf"], made.maps["desc-denoised_cbf"]
    halves = {
        kinds.RAW_ODD: raw,
        kinds.RAW_EVEN: raw.with_array(raw.array + 3),
        kinds.DENOISED_ODD: denoised,
        kinds.DENOISED_EVEN: denoised.with_array(denoised.array + 1),
    }
    return replace(made, maps={**made.maps, **halves}, split_half=HALVES)
