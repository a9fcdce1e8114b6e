"""Rigid registration of the volumes of one kind (all controls, or all labels) to their median.

Volumes of one kind are fitted by least squares (`spatial.rigid_fit`). Another contrast, the M0, needs mutual
information, which SimpleITK has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import InputError
from ..series import Volume
from ..spatial.pose_fit import PoseFit, thinned, thinned_grid
from ..spatial.resampling import matrix_of, resample, to_sitk
from ..spatial.rigid import apply_affine, parameters_of
from ..spatial.rigid_fit import COARSE, FINE, ROUGH, ComparedRegion, Model, chosen_voxels, index_in
from ..spatial.threads import in_threads
from .mutual_information import mattes_registration

_COARSE_SPACING = 7.0  # mm
# Smoothing (mm) of the two searches, and how many voxels of their regions are compared at the least: on the grid, every
# second one. Voxels drawn at random, which ITK moves off the grid, cost twice the accuracy (0.12 mm instead of 0.05).
_CONTRAST_STAGES = ((2.0, 3_500), (1.0, 9_000))
_FEWEST_TO_JUDGE = 3  # volumes of a kind, for one to be an outlier among them
_CORRUPTED = 4.0  # times as far from the model as a slice usually is: it says nothing of the pose
_MOST_CORRUPTED = 0.5  # of a volume's slices; beyond, it is the volume that has moved or changed, not its slices
_SMALLEST_SLICE = 30  # voxels
_FEWEST_INTERIOR = 500  # voxels


def align_kind(
    volumes: np.ndarray, compared: ComparedRegion, progress: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Align the volumes (T, K, J, I) of one kind to their median, twice.

    The first median is blurred by the motion itself, the second is of aligned volumes. Slices that differ from it four
    times as much as they usually do are left out, as one slice of another brightness moves the result by tenths of a
    millimetre. The first time a few thousand voxels do, first of a coarse grid; the second time all do.

    Returns:
        The median (K, J, I) of the aligned volumes; (T, 4, 4) matrices from volumes to it, LPS mm; bool (T, K), the
        slices left out.
    """
    count, sigma = len(volumes), FINE[0]
    blurred = _median(volumes)
    rough = PoseFit.of(Model.of(blurred, compared, ROUGH))
    few, fewer = thinned(compared, _COARSE_SPACING)
    further = float(np.sqrt(COARSE[0] ** 2 - sigma**2))  # of what is smoothed already
    coarse = PoseFit.of(Model.of(compared.smoothed(blurred, sigma)[fewer], few, (further, COARSE[1])))
    every = chosen_voxels(compared.inside, FINE[1])

    def align(t: int) -> tuple[np.ndarray, np.ndarray]:
        smooth = compared.smoothed(volumes[t], sigma)
        start = coarse.register(coarse.values(few.smoothed(smooth[fewer], further)))
        found = rough.register(rough.values(smooth), start=start)
        if found is None:
            start = Model.of(blurred, compared, COARSE).register(volumes[t])
            found = Model.of(blurred, compared, FINE).register(volumes[t], start=start)
        progress((t + 1) / count / 2)
        return found, smooth[tuple(every.T)]

    first, values = zip(*in_threads(align, range(count)), strict=True)
    median = _median(in_threads(lambda t: _sampled(volumes[t], compared, first[t]), range(count)))
    corrupted = _corrupted_slices(volumes, median, compared, first)
    model = Model.of(median, compared, FINE)
    final = PoseFit.of(model)

    def align_again(t: int) -> np.ndarray:
        left_out = corrupted[t]
        filled, shown = volumes[t], values[t] / model.scale
        if left_out.any():  # what is left out must not leak into its neighbours either, when the volume is smoothed
            expected = _sampled(median, compared, np.linalg.inv(first[t]))
            filled = np.where(left_out[:, None, None], expected, filled)
            shown = final.values(compared.smoothed(filled, sigma))
        found = final.register(shown, start=first[t], without=left_out)
        if found is None:
            found = model.register(filled, start=first[t], inside=compared.inside & ~left_out[:, None, None])
        progress((1 + (t + 1) / count) / 2)
        return found

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
    for (sigma, fewest), region in zip(_CONTRAST_STAGES, (compared.inside, compared.interior), strict=True):
        if region.sum() >= _FEWEST_INTERIOR:
            found = most_information(image, model, compared, sigma, region, found, fewest=fewest)
    return found


def most_information(
    image: np.ndarray,
    model: np.ndarray,
    compared: ComparedRegion,
    sigma: float,
    region: np.ndarray,
    start: np.ndarray,
    *,
    fewest: int | None = None,
) -> np.ndarray:
    """One search of `align_contrast`: images smoothed by `sigma` mm, compared in `region` (K, J, I), from `start`.

    With `fewest`, every second voxel along as many axes as leave so many of the region; None compares every one.
    """
    import SimpleITK as sitk

    grid, taken = thinned_grid(compared.geometry, _steps_that_leave(region, fewest))
    fixed, moving = (compared.smoothed(each, sigma) for each in (image, model))
    fixed, moving = to_sitk(Volume(fixed[taken], grid)), to_sitk(Volume(moving, compared.geometry))
    method = mattes_registration(sitk.Cast(to_sitk(Volume(region[taken], grid)), sitk.sitkUInt8))
    # Gradient descent on mutual information stalls short of the best place; Powell's line searches do not.
    method.SetOptimizerAsPowell(20, 30, 1.0, 0.02, 1e-5 if fewest is None else 1e-4)
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


def _steps_that_leave(region: np.ndarray, fewest: int | None) -> tuple[int, int, int]:
    """Steps (i, j, k) of 1 or 2 that leave at least `fewest` voxels of a region (K, J, I); 1 throughout for None."""
    steps = (1, 1, 1)
    for more in ((2, 1, 1), (2, 2, 1), (2, 2, 2)):
        i, j, k = more
        if fewest is None or region[::k, ::j, ::i].sum() < fewest:
            break
        steps = more
    return steps


def _sampled(array: np.ndarray, compared: ComparedRegion, matrix: np.ndarray) -> np.ndarray:
    return resample(Volume(array, compared.geometry), compared.geometry, transform=matrix).array


def _median(volumes: Sequence[np.ndarray]) -> np.ndarray:
    """The median over volumes, (T, ...), NaN ignored; NaN where no volume has a value."""
    stack = np.array(volumes, np.float32)
    stack.sort(axis=0)  # NaN comes last
    known = len(stack) - np.isnan(stack).sum(axis=0)
    lower, upper = np.maximum(known - 1, 0) // 2, known // 2
    upper = np.minimum(upper, len(stack) - 1)
    middle = [np.take_along_axis(stack, each[None], axis=0)[0] for each in (lower, upper)]
    return (middle[0] + middle[1]) / 2


def _corrupted_slices(
    volumes: np.ndarray, median: np.ndarray, compared: ComparedRegion, matrices: Sequence[np.ndarray]
) -> np.ndarray:
    """Bool (T, K): slices that differ from the median far more than the same slice does in most volumes.

    Args:
        volumes: (T, K, J, I).
        median: (K, J, I), of the aligned volumes.
        compared: where they are compared.
        matrices: T of 4x4, LPS mm, from volumes to the median.
    """
    from scipy.ndimage import map_coordinates

    where = np.argwhere(compared.inside)
    geometry, slices = compared.geometry, len(median)
    places, last = apply_affine(geometry.affine_lps, where[:, ::-1]), np.array(median.shape)[:, None] - 1

    def sizes(t: int) -> np.ndarray:
        index = index_in(geometry, matrices[t], places)
        # as far as `resample` sees: half a voxel beyond the outermost centres
        seen = ((index >= -0.5) & (index <= last + 0.5)).all(axis=0)
        square = (volumes[t][tuple(where.T)] - map_coordinates(median, index, order=1, mode="nearest")) ** 2
        known = np.isfinite(square) & seen
        total, count = (np.bincount(where[known, 0], each, slices) for each in (square[known], known[known]))
        return np.sqrt(total / np.where(count > 0, count, np.nan))

    size = np.stack(in_threads(sizes, range(len(volumes))))
    size[:, compared.inside.sum(axis=(1, 2)) < _SMALLEST_SLICE] = np.nan
    with np.errstate(invalid="ignore"):
        corrupted = size > _CORRUPTED * _median(size)
    if len(volumes) < _FEWEST_TO_JUDGE:
        return np.zeros_like(corrupted)
    return corrupted & (corrupted.mean(axis=1) <= _MOST_CORRUPTED)[:, None]
