"""A scan that a network is adapted to: what a run gives its denoiser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..denoising.guides import GuideMaps
from ..quantifying.cbf import Quantification
from ..series import ASLSeries, Tissue, Volume


@dataclass(frozen=True, eq=False)
class AdaptationScan:
    """One scan, prepared as a run prepares it.

    Args:
        name: of the series, for people.
        pairs: clean perfusion differences (N, K, J, I), scanner units.
        brain: 0/1, on their grid.
        weights: how much of each difference counts, (N, K, 1, 1) or (N, K, J, I); None all of all.
        guides: of the T1 and the M0.
        tissue: on their grid, for the means of grey and white matter.
        quantification: makes CBF, ml/100g/min, of a difference.
    """

    name: str
    pairs: ASLSeries
    brain: Volume
    weights: np.ndarray | None
    guides: GuideMaps
    tissue: Tissue
    quantification: Quantification
