"""Readouts of an arrival-time map: grey and white matter, and regions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..result import Readout
from ..series import CBF_UNIT, Tissue, Volume
from ..spatial.regions import PlacedRegion
from .masks import FEWEST_VOXELS, GM_THRESHOLD, WM_THRESHOLD, grey_matter, white_matter
from .readouts import region_key

_NAN = float("nan")
_WITHIN = "only voxels whose arrival time lies within the range that the delays can tell"
_AT_BOUNDS = "Share of them whose arrival time lies at an end of that range; at its upper end CBF is not known either."
_OF_CURVE = (
    "Fitted to the tissue's mean at every delay: noise of single voxels, which lifts the mean of their fits, is "
    "averaged out before; that arrival differs within the tissue is left out of account."
)
_NO_VESSELS = "Mean CBF as above, without the voxels that are marked as vessels."


def arrival_readouts(
    att: Volume,
    bounds: np.ndarray,
    tissue: Tissue,
    *,
    regions: Mapping[str, PlacedRegion],
    cbf: Volume | None = None,
    vessels: np.ndarray | None = None,
    curves: Mapping[str, float] | None = None,
) -> tuple[Readout, ...]:
    """Always the same names in the same order; NaN where there are too few voxels.

    Args:
        att: arterial transit time, s; NaN outside the brain.
        bounds: (K, J, I), other than 0 where `att` lies at an end of its range.
        tissue: on its grid.
        regions: by name, on its grid.
        cbf: of the same fit, and `vessels` bool (K, J, I), for means without vessels; None leaves those out.
        curves: ``gm`` and ``wm``, the CBF that fits the mean curve of the tissue, in the unit of `cbf`.
    """
    known = np.isfinite(att.array)
    within = known & (np.asarray(bounds) == 0)
    found = []
    for key, name, mask, above in (
        ("gm", "GM", grey_matter(tissue), GM_THRESHOLD),
        ("wm", "WM", white_matter(tissue), WM_THRESHOLD),
    ):
        of = f"voxels of more than {above:.0%} {'grey' if key == 'gm' else 'white'} matter"
        values, whole = att.array[mask & within], int((mask & known).sum())
        enough = len(values) >= FEWEST_VOXELS
        mean = float(values.mean(dtype=np.float64)) if enough else _NAN
        beyond = 100 * (1 - len(values) / whole) if whole >= FEWEST_VOXELS else _NAN
        found.append(Readout(f"{key}_att", f"{name} arrival time", mean, "s", f"Mean over {of}; {_WITHIN}."))
        found.append(Readout(f"{key}_att_bounds", f"{name} arrival time not known", beyond, "%", _AT_BOUNDS))
        if cbf is not None and vessels is not None:
            rest = cbf.array[mask & np.isfinite(cbf.array) & ~vessels]
            without = float(rest.mean(dtype=np.float64)) if len(rest) >= FEWEST_VOXELS else _NAN
            label = f"{name} mean without vessels"
            found.append(Readout(f"{key}_mean_without_vessels", label, without, cbf.unit, _NO_VESSELS))
        if cbf is not None and curves is not None:
            fitted = curves.get(key, _NAN)
            what = "CBF" if cbf.unit == CBF_UNIT else "perfusion"
            label = f"{name} {what} of the mean curve"
            found.append(Readout(f"{key}_curve_cbf", label, fitted, cbf.unit, _OF_CURVE))
    return (*found, *(_region(name, region, att, within) for name, region in regions.items()))


def _region(name: str, region: PlacedRegion, att: Volume, within: np.ndarray) -> Readout:
    there = within.ravel()[region.index]
    weight, values = region.fraction[there], att.array.ravel()[region.index[there]].astype(np.float64)
    mean = float(weight @ values / weight.sum()) if weight.sum() > 0 else _NAN
    share = f"{weight.sum() / max(region.voxels, 1e-12):.0%} of it is known"
    meaning = f"Mean over the region, {share}; {_WITHIN}; each voxel counts by the fraction that the region fills."
    return Readout(f"{region_key(name)}_att", f"{name} arrival time", mean, "s", meaning)
