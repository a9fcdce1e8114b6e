"""A made result to which something happened over its course: the head moved, pairs were left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ASLDenoiseLib.preparing.motion import Motion
from ASLDenoiseLib.preparing.outliers import OutlierReport, Rejection
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.spatial.rigid import matrix_from

SHIFT = np.array([0.3, -0.2, 1.5, 0.4, 0.0, -1.0])  # mm and degrees


def with_course(made: Result) -> Result:
    """The made result with one moved volume, the first pair and a slice of the second left out."""
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
    return replace(made, motion=motion, outliers=report)
