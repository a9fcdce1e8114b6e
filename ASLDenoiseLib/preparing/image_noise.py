"""The noise of a single perfusion image, and how far it is correlated between neighbours, read off the image itself.

The difference of neighbours along all three axes at once, ``(1 - Si)(1 - Sj)(1 - Sk)`` with S the shift by a voxel,
takes away what anatomy changes along one axis or two, and leaves noise: the finest diagonal band of Donoho and
Johnstone (1994). Its median magnitude is hardly moved by the edges that remain. Neighbours whose noise is correlated
lose part of it; the same with a shift of two voxels along one axis tells how much. For noise as a Gaussian filter
leaves it, whose correlation falls from r at one voxel to r^4 at two, the variances have the ratio 1 + r + r^2 + r^3:
the first-difference estimate of smoothness (Forman 1995), made robust to anatomy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_MAD = 1.4826  # times the median magnitude is the SD of Gaussian noise
_FEWEST = 200  # differences, for their median to mean anything
_MOST_CORRELATED = 0.95  # of next neighbours: a Gaussian of 5 voxels


@dataclass(frozen=True)
class ImageNoise:
    """The noise of an image, in its unit.

    Args:
        sigma: its SD.
        correlation: of next neighbours along (i, j, k), 0..1.
        fwhm: mm along (i, j, k) of the Gaussian that would leave that correlation; 0 for none.
    """

    sigma: float
    correlation: tuple[float, float, float]
    fwhm: tuple[float, float, float]


def image_noise(image: np.ndarray, inside: np.ndarray, spacing: Sequence[float]) -> ImageNoise | None:
    """The noise of an image (K, J, I) within `inside` (bool), its voxels `spacing` mm apart along (i, j, k).

    Anatomy of the size of a voxel counts as noise, so that of a quiet image too much is found: on phantoms with 12
    ml/100g/min and more it is right to 10 % (to 25 % with voxels of 2 mm), and with less it never falls below 4 to 10.

    Returns:
        None where too few neighbours were measured, or where they do not differ at all.
    """
    inside = inside & np.isfinite(image)
    found = _correlations(image, inside, (0, 1, 2)) or _correlations(image, inside, (1, 2))  # of a few thick slices
    if found is None:
        return None
    finest, along_kji = found
    used = 3 if along_kji[0] is not None else 2
    i, j, k = (r or 0.0 for r in along_kji[::-1])
    kept = float(np.prod([1 - r for r in (i, j, k)]))
    return ImageNoise(finest / np.sqrt(2**used * kept), (i, j, k), tuple(map(_fwhm, (i, j, k), spacing)))


def _correlations(
    image: np.ndarray, inside: np.ndarray, axes: Sequence[int]
) -> tuple[float, list[float | None]] | None:
    """The spread of the finest differences along `axes`, and of all axes the correlation of next neighbours or None.

    None where too few voxels are measured for it, or none differs.
    """
    finest = _spread(image, inside, [int(axis in axes) for axis in range(3)])
    if not finest:
        return None
    correlations: list[float | None] = [None] * 3
    for n in axes:
        wider = _spread(image, inside, [(2 if axis == n else 1) * (axis in axes) for axis in range(3)])
        if wider is None:
            return None
        correlations[n] = _correlation((wider / finest) ** 2)
    return finest, correlations


def _spread(image: np.ndarray, inside: np.ndarray, shifts: Sequence[int]) -> float | None:
    """The robust SD of the difference along all axes whose shift is not 0, where all is inside; None of too few."""
    difference, known = np.where(inside, image, 0.0).astype(np.float64), inside
    for axis, shift in enumerate(shifts):
        if not shift:
            continue
        here, there = (_cut(difference, axis, s) for s in (slice(shift, None), slice(None, -shift)))
        known = _cut(known, axis, slice(shift, None)) & _cut(known, axis, slice(None, -shift))
        difference = here - there
    values = difference[known]
    return _MAD * float(np.median(np.abs(values))) if values.size >= _FEWEST else None


def _cut(array: np.ndarray, axis: int, part: slice) -> np.ndarray:
    return array[(slice(None),) * axis + (part,)]


def _correlation(ratio: float) -> float:
    """r of 1 + r + r^2 + r^3 = ratio, from 0 to the most that can be told."""
    (root,) = (r.real for r in np.roots([1, 1, 1, 1 - max(ratio, 1.0)]) if abs(r.imag) < 1e-9)
    return float(np.clip(root, 0.0, _MOST_CORRELATED))


def _fwhm(correlation: float, spacing: float) -> float:
    """mm of the Gaussian filter that leaves white noise with this correlation of next neighbours."""
    if correlation <= 0:
        return 0.0
    return float(spacing * np.sqrt(8 * np.log(2)) / (2 * np.sqrt(-np.log(correlation))))
