"""What the tests of outliers share: the pairs of a small head, and pairs that are spoilt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ASLDenoiseLib.preparing.outliers import OutlierContext, PairMotion
from ASLDenoiseLib.series import ASLSeries, Geometry, Tissue, Volume

SHAPE = (8, 24, 24)
GRID = Geometry(SHAPE[::-1], (3.5, 3.5, 5.0))


def head() -> tuple[Tissue, np.ndarray]:
    """A cylinder of WM in a ring of GM in a rim of CSF, and its CBF: 20, 60 and 0 ml/100g/min."""
    j, i = np.mgrid[:24, :24] - 11.5
    radius = np.broadcast_to(np.hypot(j, i), SHAPE)
    wm, gm, csf = radius < 6, (radius >= 6) & (radius < 10), (radius >= 10) & (radius < 11)
    maps = [Volume(m.astype(np.float32), GRID) for m in (gm, wm, csf, radius < 11)]
    return Tissue(*maps, "made"), 60.0 * gm + 20.0 * wm


def context_of(
    count: int = 20, *, noise: float = 30.0, seed: int = 0, motion: PairMotion | None = None
) -> OutlierContext:
    """Pairs in units of 0.1 ml/100g/min, with white noise."""
    tissue, cbf = head()
    rng = np.random.default_rng(seed)
    array = 10 * (cbf + noise * rng.standard_normal((count, *SHAPE)))
    pairs = ASLSeries(array, GRID, ("deltam",) * count)
    return OutlierContext(pairs, Volume(np.full(SHAPE, 0.1), GRID), tissue.brain, tissue, motion)


def changed(context: OutlierContext, change) -> OutlierContext:
    """The context with `change` done to a copy of its pairs' array."""
    array = context.pairs.array.copy()
    change(array)
    return replace(context, pairs=replace(context.pairs, array=array))


def stripes(amplitude: float = 1500.0) -> np.ndarray:
    """A spike of k-space, in the unit of the pairs."""
    return (amplitude * np.cos(0.9 * np.arange(24)))[:, None] * np.ones(24)


def spiked(context: OutlierContext, pair: int, slices=slice(None)) -> OutlierContext:
    def change(array):
        array[pair, slices] += stripes()

    return changed(context, change)
