"""The curves that maps of CBF and arrival time stand for."""

from __future__ import annotations

import numpy as np

from ..quantifying.kinetic_model import KineticModel
from .maps import DelayMeans, FittedMaps


def curves_of(fitted: FittedMaps, means: DelayMeans, model: KineticModel) -> np.ndarray:
    """What fitted maps would have measured at every delay, (D, K, J, I), as `means.images`; NaN where not fitted."""
    att = np.where(np.isfinite(fitted.att), fitted.att, 0.0)[None]
    curves = fitted.cbf * model.arrived(att, *means.times)
    if fitted.abv is not None:
        curves = curves + np.nan_to_num(fitted.abv) * model.arterial(att, *means.times)
    return curves.astype(np.float32)
