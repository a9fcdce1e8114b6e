"""A made result to which something happened over its course: pairs moved, were left out, judged others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ASLDenoiseLib.preparing.motion import Motion
from ASLDenoiseLib.preparing.outliers import OutlierReport, Rejection
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.result.pairs_needed import MapError, PairsNeeded
from ASLDenoiseLib.spatial.rigid import matrix_from

SHIFT = np.array([0.3, -0.2, 1.5, 0.4, 0.0, -1.0])  # mm and degrees
# of 40 pairs with a variance of 1000, so that the plain mean's errors are 22.4, 14.1, 7.07 and 5
ANSWER = PairsNeeded(
    40,
    "ml/100g/min",
    1000.0,
    denoised=(MapError(2, 4, 64.0, 49.0, 81.0), MapError(5, 4, 36.0, 25.0, 49.0), MapError(20, 4, -1.0, -4.0, 9.0)),
    plain=(MapError(2, 4, 484.0, 441.0, 529.0), MapError(5, 4, 196.0, 169.0, 225.0), MapError(20, 4, 49.0, 36.0, 64.0)),
    needed=8.6,
    low=6.2,
    high=13.0,
)


def with_course(made: Result) -> Result:
    """The made result with one moved volume, the first pair and a slice of the second left out, and `ANSWER`."""
    matrices = np.stack([np.full((4, 4), np.nan), *[np.eye(4)] * 4])
    matrices[3] = np.linalg.inv(matrix_from(SHIFT, np.zeros(3)))
    points = np.random.default_rng(0).normal(0, 40, (50, 3))
    motion = Motion(
        matrices, np.zeros(3), points, np.array([[1, 2], [3, 4]]), None, np.zeros(6), np.zeros((5, 8), bool)
    )
    weights = np.ones((2, made.series.geometry.size[2], 1, 1), np.float32)
    weights[1, 3], weights[0] = 0, 0
    rejections = (Rejection(0, None, "motion", 2.5, 1.0), Rejection(1, 3, "noise", 9.0, 3.0))
    mean = made.maps["desc-mean_cbf"]
    report = OutlierReport("zscore", weights, rejections, (), mean, mean, weights.sum(axis=(0, 2, 3)))
    return replace(made, motion=motion, outliers=report, pairs_needed=ANSWER)
