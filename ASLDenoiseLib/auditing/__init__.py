"""The residual audit: what a denoiser took away must be noise; what is more than noise goes back.

Raw minus denoised is looked at in averages, where noise fades and what was lost shows: tissue by tissue over the whole
brain, then in windows of 60 and 30 mm (a local regression on tissue fractions, as Asllani et al. 2008 apply to the map
itself), then at the size of lesions, then, from four pairs on, at single places. The pairs' own spread tells how
uncertain each average is. So the audit holds for any denoiser, and tells where it cannot be made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..measuring.masks import FEWEST_VOXELS, tissue_masks
from ..preparing.averaging import mean_difference
from ..result.audit import TissueMean
from ..series import ASLSeries, Tissue, Volume
from ..spatial.masks import bounding_box
from .levels import Restored, restore_level
from .means import TissueMask, judge_means, restore_means, tissue_mask
from .noise import Noise
from .places import Gain, choose, place_weight
from .residual import Residual, find_residual, group_pairs

TISSUE_WINDOWS = (60.0, 30.0)  # mm FWHM
LESION_WINDOWS = (20.0, 12.0)
_WHOLE_CAUTION = 1.0
_TISSUE_CAUTION = 2.0
_LESION_CAUTION = 6.0  # some two and a half standard errors: one or two in a hundred places of pure noise


@dataclass(frozen=True, eq=False)
class ResidualAudit:
    """A denoised mean difference with what was put back into it, all (K, J, I) in the input's unit.

    Args:
        difference: denoised, with `restored` in it.
        restored: what was put back; NaN outside the brain.
        uncertainty: SD of the error of `difference`, where the denoiser gives one.
        means: of grey and of white matter, where there is enough of them.
        places: how single places were judged; None: they were left alone.
        significant: share of the brain where a window of a lesion's size put something back.
    """

    difference: Volume
    restored: Volume
    uncertainty: Volume | None
    means: tuple[TissueMean, ...]
    places: Gain | None
    significant: float


def audit_residual(
    denoised: Volume,
    pairs: ASLSeries,
    brain: Volume,
    *,
    tissue: Tissue | None = None,
    factor: Volume | None = None,
    weights: np.ndarray | None = None,
    uncertainty: Volume | None = None,
) -> ResidualAudit:
    """Put back what the residual of a denoised mean difference holds beyond noise.

    Args:
        denoised: the denoised mean of `pairs`.
        pairs: differences (N, K, J, I).
        brain: 0/1; nothing changes outside.
        tissue: on the same grid; None looks at the brain as one.
        factor: perfusion units a unit of the difference (`quantifying.cbf.Quantification.factor`); None: one
            everywhere.
        weights: of the pairs, as in `preparing.averaging`.
        uncertainty: SD of the error of `denoised`.

    One pair tells no standard error: then what tissue lost goes back whole, and nothing smaller is looked at.

    Raises:
        InputError: nothing is measured in the brain.
    """
    raw = mean_difference(pairs, weights)
    inside = (brain.array > 0) & np.isfinite(raw.array) & np.isfinite(denoised.array)
    scale = np.ones(inside.shape, np.float32) if factor is None else factor.array
    inside &= np.isfinite(scale) & (scale != 0)
    if not inside.any():
        raise InputError("Nothing is measured in the brain mask; check the series and its mask.")
    box = bounding_box(inside)
    signal = np.divide(1.0, scale, out=np.zeros(inside.shape, np.float32), where=inside)
    groups = group_pairs(pairs, box, inside[box], weights)
    before = find_residual(denoised, raw, groups, box, inside, signal)
    restoration, noise = _Restoration(before), before.noise
    fractions, masks = _fractions(tissue, noise, box), _masks(tissue, noise, box)
    pure = [noise.signal * (mask.weight > 0) for mask in masks]
    restoration.put_back(np.stack([*fractions, *pure]).astype(np.float32), None, caution=_WHOLE_CAUTION)
    for fwhm in TISSUE_WINDOWS:
        restoration.put_back(fractions, fwhm, caution=_TISSUE_CAUTION)
    significant = np.zeros(noise.inside.shape, bool)
    for fwhm in LESION_WINDOWS if noise.freedom else ():
        level = restoration.put_back(noise.signal[None], fwhm, caution=_LESION_CAUTION)
        significant |= level.weight > 0
    places = choose(restoration.residual, groups)
    if places is not None:
        restoration.put_back_places(place_weight(restoration.residual, places.choice))
    restoration.add(restore_means(restoration.residual, masks))  # voxels weighed by their noise keep other means
    return ResidualAudit(
        denoised.with_array(_placed(denoised.array, box, noise.inside, restoration.residual.denoised)),
        denoised.with_array(
            _placed(np.full(inside.shape, np.nan, np.float32), box, noise.inside, restoration.restored),
            name="restored",
        ),
        None if uncertainty is None else _uncertainty(uncertainty, box, restoration),
        judge_means(before, restoration.residual, masks),
        places,
        float(significant[noise.inside].mean()),
    )


class _Restoration:
    """The residual from level to level, with what went back, and the variance that came back with it."""

    def __init__(self, residual: Residual) -> None:
        self.residual = residual
        self.restored = np.zeros_like(residual.values)
        self.variance = np.zeros_like(residual.values)
        self.kept = np.ones_like(residual.values)  # share of the denoiser's own error that is left

    def put_back(self, features: np.ndarray, fwhm: float | None, *, caution: float) -> Restored:
        level = restore_level(self.residual, features, fwhm, caution=caution)
        self.add(level.values)
        self.variance += level.weight**2 * level.variance
        return level

    def put_back_places(self, weight: np.ndarray) -> None:
        self.variance = (1 - weight) ** 2 * self.variance + weight**2 * self.residual.noise.variance
        self.kept = self.kept * (1 - weight)
        self.add(weight * self.residual.values)

    def add(self, values: np.ndarray) -> None:
        self.restored += values
        self.residual = self.residual.without(values)


def _fractions(tissue: Tissue | None, noise: Noise, box: tuple[slice, ...]) -> np.ndarray:
    """What one unit of perfusion of grey matter, white matter and the rest is in the difference (F, K, J, I)."""
    if tissue is None:
        return noise.signal[None]
    grey, white = (np.nan_to_num(each.array[box]) for each in (tissue.gm, tissue.wm))
    return np.stack([grey, white, np.clip(1 - grey - white, 0, 1)]).astype(np.float32) * noise.signal


def _masks(tissue: Tissue | None, noise: Noise, box: tuple[slice, ...]) -> list[TissueMask]:
    """The tissues whose means people publish, where there is enough of them."""
    if tissue is None:
        return []
    return [
        tissue_mask(noise, name, mask[box], np.nan_to_num(fraction.array[box]) * noise.signal)
        for name, (mask, fraction) in tissue_masks(tissue).items()
        if (mask[box] & noise.inside).sum() >= FEWEST_VOXELS
    ]


def _placed(image: np.ndarray, box: tuple[slice, ...], inside: np.ndarray, values: np.ndarray) -> np.ndarray:
    placed = np.array(image, np.float32)
    placed[box] = np.where(inside, values, placed[box])
    return placed


def _uncertainty(uncertainty: Volume, box: tuple[slice, ...], restoration: _Restoration) -> Volume:
    """What is left of the denoiser's own, and what came back with what was put back."""
    own = uncertainty.array[box]
    total = np.sqrt(np.square(restoration.kept * own) + restoration.variance)
    return uncertainty.with_array(_placed(uncertainty.array, box, restoration.residual.noise.inside, total))
