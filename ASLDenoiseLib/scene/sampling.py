"""Volumes sampled on another grid with numpy alone, for pictures that Slicer's own process makes while it is used."""

from __future__ import annotations

import numpy as np

from ..series import Geometry, Volume


def sampled(volume: Volume, onto: Geometry) -> np.ndarray:
    """`volume` by linear interpolation at the voxel centres of `onto`, (K, J, I); NaN outside its field of view."""
    to_index = np.linalg.inv(volume.geometry.affine_lps) @ onto.affine_lps
    ni, nj, nk = onto.size
    i, j = np.meshgrid(np.arange(ni), np.arange(nj))
    slices = [_slice(volume.array, to_index, i, j, k) for k in range(nk)]
    return np.stack(slices).astype(np.float32)


def with_spacing_of(geometry: Geometry, most: float) -> Geometry:
    """The grid over the same box with voxels of at most about `most` mm along every axis."""
    parts = np.maximum(1, np.round(np.array(geometry.spacing) / most)).astype(int)
    first = geometry.affine_lps @ np.append((1 / parts - 1) / 2, 1.0)
    spacing = np.array(geometry.spacing) / parts
    size = tuple(int(n) for n in np.multiply(geometry.size, parts))
    return Geometry(size, tuple(spacing.tolist()), tuple(first[:3].tolist()), geometry.direction)


def _slice(array: np.ndarray, to_index: np.ndarray, i: np.ndarray, j: np.ndarray, k: int) -> np.ndarray:
    """One slice (J, I): the eight neighbours of every place, weighed."""
    places = np.stack([i, j, np.full_like(i, k), np.ones_like(i)], axis=-1) @ to_index.T
    index = places[..., 2::-1]  # (k, j, i)
    limits = np.array(array.shape) - 1
    outside = ((index < -0.5) | (index > limits + 0.5)).any(axis=-1)
    index = np.clip(index, 0, limits)
    low = np.minimum(np.floor(index).astype(int), np.maximum(limits - 1, 0))
    share = index - low
    total = np.zeros(i.shape)
    for corner in range(8):
        step = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        weight = np.where(step, share, 1 - share).prod(axis=-1)
        at = np.minimum(low + step, limits)
        total += np.where(weight > 0, weight, 0) * array[at[..., 0], at[..., 1], at[..., 2]]
    return np.where(outside, np.nan, total)
