"""The figure of a super-resolved map beside the acquired one."""

from __future__ import annotations

import numpy as np

from ..result import Result
from ..result.maps import RAW, RESIDUAL, SUPERRESOLVED, UNCERTAINTY, kind_of
from ..series import CBF_UNIT, Volume
from ..spatial.resampling import resample
from .plots import map_panels, panel


def superres_png(result: Result) -> bytes | None:
    """The acquired map voxel by voxel on the fine grid, the super-resolved one, and its uncertainty where it is known.

    Axial slices, one window for both maps. PNG; None where nothing was super-resolved.
    """
    fine = result.maps.get(SUPERRESOLVED)
    if fine is None:
        return None
    acquired = result.maps[result.on_series]
    to_fine = np.linalg.inv(result.t1_to_asl) if SUPERRESOLVED in result.in_t1_space else None
    coarse = resample(acquired, fine.geometry, transform=to_fine, interpolation="nearest")
    rows = [panel(kind_of(RAW), coarse.array, "Acquired"), panel(kind_of(SUPERRESOLVED), fine.array, "Super-resolved")]
    spread = result.maps.get(UNCERTAINTY)
    if spread is not None and spread.geometry.matches(fine.geometry):
        rows.append(panel(kind_of(UNCERTAINTY), spread.array, "Uncertainty (SD)"))
    brain = Volume(np.isfinite(fine.array), fine.geometry)
    return map_panels(rows, brain, slices=5, size=1.9)


def residual_sentence(result: Result) -> str:
    """The agreement of the super-resolved map with the acquired one, in a sentence."""
    residual = result.maps[RESIDUAL].array
    size = float(np.sqrt(np.nanmean(residual.astype(np.float64) ** 2)))
    return f"Averaged back to the acquired voxels it differs from the acquired map by {size:.2g} {CBF_UNIT} (RMS)."
