"""The figure of a super-resolved map beside the acquired one."""

from __future__ import annotations

import numpy as np

from ..result import Result
from ..result.maps import RESIDUAL, SUPERRESOLVED, UNCERTAINTY, named
from ..series import Volume
from ..spatial.resampling import resample
from .plots import map_panels, panel


def superres_png(result: Result) -> bytes | None:
    """The acquired map voxel by voxel on the fine grid, the super-resolved one, and its uncertainty where it is known.

    Axial slices, one window for both maps. PNG; None where nothing was super-resolved.
    """
    superresolved, uncertainty = (named(key, result.maps) for key in (SUPERRESOLVED, UNCERTAINTY))
    fine = result.maps.get(superresolved)
    if fine is None:
        return None
    acquired = result.maps[result.on_series]
    to_fine = np.linalg.inv(result.t1_to_asl) if superresolved in result.in_t1_space else None
    coarse = resample(acquired, fine.geometry, transform=to_fine, interpolation="nearest")
    kind = result.kind(result.raw)
    rows = [panel(kind, coarse.array, "Acquired"), panel(kind, fine.array, "Super-resolved")]
    spread = result.maps.get(uncertainty)
    if spread is not None and spread.geometry.matches(fine.geometry):
        rows.append(panel(result.kind(uncertainty), spread.array, "Uncertainty (SD)"))
    brain = Volume(np.isfinite(fine.array), fine.geometry)
    return map_panels(rows, brain, slices=5, size=1.9)


def residual_sentence(result: Result) -> str:
    """The agreement of the super-resolved map with the acquired one, in a sentence."""
    residual = result.maps[named(RESIDUAL, result.maps)].array
    size = float(np.sqrt(np.nanmean(residual.astype(np.float64) ** 2)))
    return f"Averaged back to the acquired voxels it differs from the acquired map by {size:.2g} {result.unit} (RMS)."
