"""Figures of CBF predicted from BOLD: between voxels, against a single CBF, and within a subject over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ASLDenoiseLib.bold.figures import pearson

from .bold_runs import SimulatedRun
from .comparisons import half_interval

R_VOXELS, SNR = "r between voxels", "SNR of one moment in GM, dB"
R_TIME, SLOPE, EXPLAINED = "r over time", "slope of change", "change explained, %"


def figures(run: SimulatedRun, course: np.ndarray) -> dict[str, float]:
    """Of a course (M, K, J, I), at moments of equal distance that begin with the first, held against the truth."""
    truth, brain, grey = run.truth[:: len(run.truth) // len(course)], run.brain, run.grey
    error = np.nanmean((course - truth)[:, grey] ** 2)
    return {
        R_VOXELS: pearson(course.mean(0)[brain], truth.mean(0)[brain]),
        SNR: float(10 * np.log10(np.mean(truth[:, grey] ** 2) / error)),
        **within(regional(course, run.octants), regional(truth, run.octants)),
    }


def regional(course: np.ndarray, regions: Sequence[np.ndarray]) -> np.ndarray:
    """The change of each region's mean over the run (R, T), ml/100g/min."""
    means = np.array([np.nanmean(course[:, region], axis=1) for region in regions if region.any()])
    return means - means.mean(1, keepdims=True)


def within(found: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """How changes (R, T) follow the true ones; what does not change has no r, slope 0, and explains nothing."""
    moves = found.std() > 1e-4
    rs = [pearson(f, t) for f, t in zip(found, truth, strict=True)] if moves else [np.nan]
    return {
        R_TIME: float(np.mean(rs)),
        SLOPE: float((found * truth).sum() / (truth**2).sum()) if moves else 0.0,
        EXPLAINED: float(100 * (1 - ((found - truth) ** 2).sum() / (truth**2).sum())) if moves else 0.0,
    }


@dataclass(frozen=True)
class Interval:
    """A mean over runs with its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """Of values one a run; the interval of a single one is not known."""
        mean, half = float(np.mean(values)), half_interval(values)
        return cls(mean, mean - half, mean + half)

    def __str__(self) -> str:
        return f"{self.mean:.2f} ({self.low:.2f} to {self.high:.2f})"
