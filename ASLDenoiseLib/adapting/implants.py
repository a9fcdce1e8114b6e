"""Changes whose effect is known: lesions in every pair or in the guides alone, noise alone, another head's guides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..denoising.guides import GuideMaps
from ..series import Geometry, Volume
from ..spatial.smoothing import gaussian
from .groups import raw_mean
from .scan import AdaptationScan

BASE_FWHM = 8.0  # mm, over which the perfusion is averaged that a lesion is a share of
BRIGHTER = 1.2  # times: an M0 lesion
MIRRORED_BY = 12.0  # mm, along i and j, of guides that are another head's


def sphere(geometry: Geometry, centre: tuple[int, int, int], voxels: float) -> np.ndarray:
    """Bool (K, J, I): a ball round a voxel (k, j, i); its diameter is `voxels` edges of a cube of a voxel's volume."""
    edge = geometry.voxel_volume ** (1 / 3)
    axes = ((np.arange(n) - c) * s for n, c, s in zip(geometry.shape, centre, geometry.spacing[::-1], strict=True))
    k, j, i = np.meshgrid(*axes, indexing="ij")
    return k**2 + j**2 + i**2 <= (voxels * edge / 2) ** 2


def spread_places(
    mask: np.ndarray, geometry: Geometry, count: int, *, apart: float, seed: int = 0
) -> list[tuple[int, int, int]]:
    """Up to `count` voxels (k, j, i) drawn from a mask (bool), at least `apart` mm from each other."""
    where = np.argwhere(mask)
    spacing = np.array(geometry.spacing[::-1])
    places: list[np.ndarray] = []
    for place in where[np.random.default_rng(seed).permutation(len(where))]:
        if all(np.linalg.norm((place - other) * spacing) >= apart for other in places):
            places.append(place)
            if len(places) == count:
                break
    return [tuple(int(n) for n in place) for place in places]


def lesions(scan: AdaptationScan, balls: Sequence[np.ndarray], changes: Sequence[float]) -> np.ndarray:
    """The difference (K, J, I) that lesions add to every pair: `changes` times the smoothed perfusion in each ball."""
    mean = raw_mean(scan)
    base = np.clip(np.nan_to_num(gaussian(mean, BASE_FWHM, mask=scan.brain).array), 0, None)
    added = sum(change * ball * base for change, ball in zip(changes, balls, strict=True))
    return np.asarray(added, np.float32)


def with_added(scan: AdaptationScan, added: np.ndarray) -> AdaptationScan:
    """The scan with the same change of every pair; its guides do not know."""
    return replace(scan, pairs=replace(scan.pairs, array=scan.pairs.array + added))


def noise_alone(scan: AdaptationScan, rng: np.random.Generator) -> AdaptationScan:
    """The pairs less their mean, half of them with the other sign, at random: noise as it was, and no perfusion."""
    signs = np.ones(len(scan.pairs.array))
    signs[rng.permutation(len(signs))[: len(signs) // 2]] = -1
    apart = scan.pairs.array - raw_mean(scan).array
    return replace(scan, pairs=replace(scan.pairs, array=(signs[:, None, None, None] * apart).astype(np.float32)))


def guides_with_lesions(guides: GuideMaps, balls: Sequence[np.ndarray]) -> GuideMaps:
    """The guides with white matter that looks grey on the T1 within the balls, and grey matter white."""
    inside = np.any(balls, axis=0)
    if len(guides.maps) != 3:
        return guides
    csf, grey, white = guides.maps
    swapped = [grey.with_array(np.where(inside, b.array, a.array)) for a, b in ((grey, white), (white, grey))]
    return replace(guides, maps=(csf, *swapped))


def m0_with_lesions(guides: GuideMaps, balls: Sequence[np.ndarray]) -> GuideMaps:
    """The guides with an M0 that is brighter within the balls; what calibrates stays as it was."""
    if guides.m0 is None:
        return guides
    inside = np.any(balls, axis=0)
    return replace(guides, m0=guides.m0.with_array(np.where(inside, BRIGHTER, 1.0) * guides.m0.array))


def without_guides(scan: AdaptationScan) -> AdaptationScan:
    """The scan with neither T1 nor M0 to guide."""
    return replace(scan, guides=GuideMaps())


def with_another_heads(scan: AdaptationScan, others: Sequence[AdaptationScan]) -> tuple[AdaptationScan, str]:
    """The scan guided by the T1 of another head, and whose it is in words.

    That of the first other scan on an equal grid, laid on the brain's middle by whole voxels; without one the scan's
    own, mirrored along i and shifted by 12 mm along i and j.
    """
    like = [o for o in others if len(o.guides.maps) == 3 and _alike(o.pairs.geometry, scan.pairs.geometry)]
    if like:
        moved = laid_on(scan.brain, like[0].brain, like[0].guides.maps)
        whose = f"that of {like[0].name}"
    else:
        steps = [0, *(round(MIRRORED_BY / s) for s in scan.pairs.geometry.spacing[1::-1])]
        moved = [np.roll(volume.array[:, :, ::-1], steps, axis=(0, 1, 2)) for volume in scan.guides.maps]
        whose = "its own, mirrored and shifted by 12 mm"
    maps = tuple(own.with_array(array) for own, array in zip(scan.guides.maps, moved, strict=True))
    return replace(scan, guides=replace(scan.guides, maps=maps)), whose


def laid_on(brain: Volume, other: Volume, maps: Sequence[Volume]) -> list[np.ndarray]:
    """Maps of another head (K, J, I), by whole voxels, so that the middle of its brain lies on that of `brain`."""
    steps = np.round(_middle(brain) - _middle(other)).astype(int)
    return [np.roll(volume.array, steps, axis=(0, 1, 2)) for volume in maps]


def _alike(one: Geometry, other: Geometry) -> bool:
    return one.size == other.size and np.allclose(one.spacing, other.spacing, rtol=0.01)


def _middle(brain: Volume) -> np.ndarray:
    return np.argwhere(brain.array > 0).mean(axis=0)
