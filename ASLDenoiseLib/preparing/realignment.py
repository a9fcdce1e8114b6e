"""Rigid registration of the volumes of one kind (all controls, or all labels) to their median.

Volumes of one kind are fitted by least squares (`spatial.rigid_fit`). Another contrast, the M0, needs mutual
information, which SimpleITK has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from ..errors import InputError
from ..series import Volume
from ..spatial.resampling import matrix_of, resample, to_sitk
from ..spatial.rigid import parameters_of
from ..spatial.rigid_fit import COARSE, FINE, ComparedRegion, Model
from .mutual_information import mattes_registration

_CONTRAST_SIGMAS = (2.0, 1.0)  # mm
_FEWEST_TO_JUDGE = 3  # volumes of a kind, for one to be an outlier among them
_CORRUPTED = 4.0  # times as far from the model as a slice usually is: it says nothing of the pose
_MOST_CORRUPTED = 0.5  # of a volume's slices; beyond, it is the volume that has moved or changed, not its slices
_SMALLEST_SLICE = 30  # voxels
_FEWEST_INTERIOR = 500  # voxels

_Item, _Output = TypeVar("_Item"), TypeVar("_Output")


def align_kind(
    volumes: np.ndarray, compared: ComparedRegion, progress: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Align the volumes (T, K, J, I) of one kind to their median, twice.

    The first median is blurred by the motion itself, the second is of aligned volumes. Slices that differ from it four
    times as much as they usually do are left out, as one slice of another brightness moves the result by tenths of a
    millimetre.

    Returns:
        The median (K, J, I) of the aligned volumes; (T, 4, 4) matrices from volumes to it, LPS mm; bool (T, K), the
        slices left out.
    """
    count = len(volumes)
    blurred = _median(volumes)
    coarse, rough = (Model.of(blurred, compared, stage) for stage in (COARSE, FINE))

    def align(t: int) -> np.ndarray:
        progress((t + 1) / count / 2)
        return rough.register(volumes[t], start=coarse.register(volumes[t]))

    first = in_threads(align, range(count))
    median = _median(in_threads(lambda t: _sampled(volumes[t], compared, first[t]), range(count)))
    expected = in_threads(lambda t: _sampled(median, compared, np.linalg.inv(first[t])), range(count))
    corrupted = _corrupted_slices(volumes - np.stack(expected), compared.inside)
    # What is left out must not leak into its neighbours either, when the volume is smoothed.
    filled = np.where(corrupted[:, :, None, None], expected, volumes)
    model = Model.of(median, compared, FINE)

    def align_again(t: int) -> np.ndarray:
        progress((1 + (t + 1) / count) / 2)
        return model.register(filled[t], start=first[t], inside=compared.inside & ~corrupted[t, :, None, None])

    return median, np.stack(in_threads(align_again, range(count))), corrupted


def align_contrast(
    image: np.ndarray, model: np.ndarray, compared: ComparedRegion, *, start: np.ndarray | None = None
) -> np.ndarray:
    """The 4x4 matrix (LPS mm) from an image of another contrast (K, J, I), the M0, to a model of the controls.

    Mattes mutual information (Mattes 2003) over the whole brain, then on its interior alone and less smoothed: the
    outline of a background-suppressed control is not that of an M0, and on a real 3D GRASE series whose ventricles and
    sulci had not moved it shifted the result by 0.3 to 1.8 mm along z, the more the images were smoothed.
    `start` is a matrix near the result, where the images do not lie near it already.

    Raises:
        InputError: nothing of the two overlaps.
    """
    found = np.eye(4) if start is None else start
    for sigma, region in zip(_CONTRAST_SIGMAS, (compared.inside, compared.interior), strict=True):
        if region.sum() >= _FEWEST_INTERIOR:
            found = most_information(image, model, compared, sigma, region, found)
    return found


def most_information(
    image: np.ndarray, model: np.ndarray, compared: ComparedRegion, sigma: float, region: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """One search of `align_contrast`: images smoothed by `sigma` mm, compared in `region` (K, J, I), from `start`."""
    import SimpleITK as sitk

    fixed, moving = (to_sitk(Volume(compared.smoothed(each, sigma), compared.geometry)) for each in (image, model))
    method = mattes_registration(sitk.Cast(to_sitk(Volume(region, compared.geometry)), sitk.sitkUInt8))
    # Gradient descent on mutual information stalls short of the best place; Powell's line searches do not.
    method.SetOptimizerAsPowell(20, 30, 1.0, 0.02, 1e-5)
    transform = sitk.Euler3DTransform(compared.centre.tolist())
    transform.SetMatrix(start[:3, :3].ravel().tolist(), 1e-6)
    transform.SetTranslation(parameters_of(start, compared.centre)[:3].tolist())
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError as failure:
        raise InputError("The M0 and the series do not overlap; give an M0 of the same session.") from failure
    return matrix_of(transform)


def in_threads(function: Callable[[_Item], _Output], items: Iterable[_Item]) -> list[_Output]:
    """`function` of every item, in order, on as many threads as ITK uses; ITK and scipy release Python's lock."""
    from concurrent.futures import ThreadPoolExecutor

    import SimpleITK as sitk

    with ThreadPoolExecutor(sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()) as threads:
        return list(threads.map(function, items))


def _sampled(array: np.ndarray, compared: ComparedRegion, matrix: np.ndarray) -> np.ndarray:
    return resample(Volume(array, compared.geometry), compared.geometry, transform=matrix).array


def _median(volumes: Sequence[np.ndarray]) -> np.ndarray:
    """The median (K, J, I) over volumes, NaN ignored; NaN where no volume has a value."""
    from warnings import catch_warnings, simplefilter

    with catch_warnings():
        simplefilter("ignore", RuntimeWarning)  # of voxels without a value
        return np.nanmedian(np.stack(volumes), axis=0)


def _corrupted_slices(residual: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Bool (T, K): slices whose residual (T, K, J, I) is far above what the same slice has in most volumes."""
    with np.errstate(invalid="ignore", divide="ignore"):
        counted = inside & np.isfinite(residual)
        size = np.sqrt(np.sum(np.where(counted, residual, 0.0) ** 2, axis=(2, 3)) / counted.sum(axis=(2, 3)))
        size[:, inside.sum(axis=(1, 2)) < _SMALLEST_SLICE] = np.nan
        corrupted = size > _CORRUPTED * np.median(size, axis=0)
    if len(residual) < _FEWEST_TO_JUDGE:
        return np.zeros_like(corrupted)
    return corrupted & (corrupted.mean(axis=1) <= _MOST_CORRUPTED)[:, None]
