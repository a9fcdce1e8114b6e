"""Grey-matter CBF without what white matter and CSF of the voxel take from it: linear regression (Asllani 2008)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..result import Readout
from ..series import SCANNER_UNIT, Tissue, Volume
from .masks import FEWEST_VOXELS

DEFAULT_KERNEL = 5  # voxels; Asllani 2008 took 5x5x1 and found little difference between 3 and 15
LEAST_GM = 0.1  # of a voxel: with less grey matter in it, its CBF of grey matter is the neighbours' alone
_CONDITION = 1e-3  # smallest over largest eigenvalue of the tissue fractions in the kernel


@dataclass(frozen=True, eq=False)
class PartialVolumeCorrection:
    """CBF of pure grey and of pure white matter, (K, J, I), in the unit of the map that was corrected.

    NaN where a voxel holds less than 10 % of the tissue, and where the fractions in its kernel are too much alike to
    tell the tissues apart.
    """

    gm: Volume
    wm: Volume


def correct_partial_volume(
    cbf: Volume, tissue: Tissue, *, m0: Volume | None = None, kernel: int = DEFAULT_KERNEL
) -> PartialVolumeCorrection:
    """The CBF of each tissue in every voxel, taken as constant over an in-plane kernel (Asllani et al. 2008).

    In the kernel around a voxel, CBF = P_GM CBF_GM + P_WM CBF_WM is solved by least squares; CSF has no perfusion. The
    kernel blurs: the result is a mean over some `kernel` voxels, not a sharper map.

    With `m0` the difference and the M0 are regressed each, as in the paper (equations 4 to 6): CBF times M0 on GM and
    WM, M0 on GM, WM and CSF; CBF_GM is the ratio of the two coefficients of grey matter. That matters where CBF was
    calibrated by the M0 of the voxel, since bright CSF then lowers it twice over. The M0 is regressed over a kernel of
    twice the width.

    Args:
        cbf: ml/100g/min (or another unit, kept); NaN is left out.
        tissue: fractions on the grid of `cbf`; without a CSF map, what is neither GM nor WM counts as CSF.
        m0: the image that calibrated `cbf`, scanner units, on the same grid; None regresses CBF itself.
        kernel: edge of the square in voxels of a slice, odd.

    Raises:
        InputError: the grids differ, or the kernel is even or below 3.
    """
    if kernel < 3 or kernel % 2 == 0:
        raise InputError(f"The partial volume kernel is {kernel} voxels; give an odd number of at least 3.")
    for other, what in ((tissue.gm, "tissue"), (m0, "M0")):
        if other is not None and not other.geometry.matches(cbf.geometry):
            raise InputError(f"The {what} is not on the grid of the CBF map; resample it to the map first.")
    gm, wm = (np.nan_to_num(each.array.astype(np.float64)) for each in (tissue.gm, tissue.wm))
    inside = np.isfinite(cbf.array) & (tissue.brain.array > 0.5)
    flow = cbf.array.astype(np.float64)
    if m0 is None:
        of_gm, of_wm = _regressed(flow, (gm, wm), inside, kernel)
    else:
        csf = np.clip(1 - gm - wm, 0, 1) if tissue.csf is None else np.nan_to_num(tissue.csf.array.astype(np.float64))
        reference = m0.array.astype(np.float64)
        inside = inside & np.isfinite(reference)
        weighted = _regressed(flow * reference, (gm, wm), inside, kernel)
        # The M0 of a tissue changes as slowly as the coils' sensitivity; a ratio to it needs more voxels to be steady.
        # Where a kernel holds no CSF, its column is empty; the smallest solution leaves the other two as they are.
        relaxed = _regressed(reference, (gm, wm, csf), inside, 2 * kernel + 1, needed=2)[:2]
        of_gm, of_wm = (
            np.where(m > 0, f / np.where(m > 0, m, 1.0), np.nan) for f, m in zip(weighted, relaxed, strict=True)
        )
    maps = (
        cbf.with_array(np.where(inside & (share >= LEAST_GM), value, np.nan), name=f"{cbf.name} {name}".strip())
        for value, share, name in ((of_gm, gm, "GM"), (of_wm, wm, "WM"))
    )
    return PartialVolumeCorrection(*maps)


def _regressed(
    values: np.ndarray, fractions: tuple[np.ndarray, ...], inside: np.ndarray, kernel: int, *, needed: int | None = None
) -> tuple[np.ndarray, ...]:
    """Least-squares coefficient (K, J, I) of each fraction in the kernel around every voxel.

    NaN outside and where the first `needed` (None: all) fractions are too much alike in the kernel.
    """
    from scipy.ndimage import uniform_filter

    def summed(array: np.ndarray) -> np.ndarray:
        return uniform_filter(np.where(inside, array, 0.0), (1, kernel, kernel), mode="constant")[inside]

    needed = needed or len(fractions)
    normal = np.stack([np.stack([summed(p * q) for q in fractions], -1) for p in fractions], -2)
    right = np.stack([summed(p * np.where(inside, values, 0.0)) for p in fractions], -1)
    eigenvalues = np.linalg.eigvalsh(normal[:, :needed, :needed])
    told_apart = eigenvalues[:, 0] > _CONDITION * eigenvalues[:, -1]
    solved = np.einsum("npq,nq->np", np.linalg.pinv(normal, rcond=_CONDITION / 10, hermitian=True), right)
    images = np.full((len(fractions), *values.shape), np.nan)
    images[:, inside] = np.where(told_apart, solved.T, np.nan)
    return tuple(images)


def corrected_gm_cbf(
    cbf: Volume, tissue: Tissue, *, m0: Volume | None = None, kernel: int = DEFAULT_KERNEL
) -> tuple[Readout, ...]:
    """Mean CBF of grey matter with and without partial volume correction, over the same voxels.

    Both are means weighted by the grey matter fraction, over the voxels of at least 10 % grey matter whose corrected
    value could be found; the corrected one is thus the perfusion of all grey matter over its volume.

    Args and errors as in `correct_partial_volume`.

    Returns:
        ``gm_mean_weighted`` (uncorrected), ``gm_mean_pvc`` and ``wm_mean_pvc``; NaN with fewer than 10 voxels.
    """
    corrected = correct_partial_volume(cbf, tissue, m0=m0, kernel=kernel)
    how = f"linear regression (Asllani 2008), {kernel}x{kernel} voxels in plane"
    what = "difference" if cbf.unit == SCANNER_UNIT else "CBF map"
    how += ", of the difference and the M0" if m0 is not None else f", of the {what}"
    where = f"Voxels of at least {LEAST_GM:.0%} of the tissue, weighted by its fraction"
    few = f"Fewer than {FEWEST_VOXELS} voxels give no value."

    def readout(name: str, label: str, values: Volume, pure: Volume, fraction: Volume, meaning: str) -> Readout:
        inside, weights = np.isfinite(pure.array), np.nan_to_num(fraction.array)
        enough = inside.sum() >= FEWEST_VOXELS
        mean = np.average(values.array[inside].astype(np.float64), weights=weights[inside]) if enough else np.nan
        return Readout(name, label, float(mean), cbf.unit, f"{where}{meaning} {few}")

    (gm, wm), label = (corrected.gm, corrected.wm), "mean, partial volume corrected"
    lowered = ", not corrected: white matter and CSF in them lower it."
    limits = f"; {how}. It is as good as the tissue maps and their alignment."
    return (
        readout("gm_mean_weighted", "GM mean, weighted", cbf, gm, tissue.gm, lowered),
        readout("gm_mean_pvc", f"GM {label}", gm, gm, tissue.gm, limits),
        readout("wm_mean_pvc", f"WM {label}", wm, wm, tissue.wm, f"; {how}."),
    )
