"""Rigid registration of two images of one head, with SimpleITK: a T1 (moving) to an M0 or mean control (fixed)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..series import Volume
from ..spatial.resampling import matrix_of
from ..spatial.threads import in_threads
from .mutual_information import ImagePair, brain_only, displaced, working_copy

if TYPE_CHECKING:
    import SimpleITK as sitk

_DISPLACEMENTS = ((0.0, 0.0), (5.0, 0.06), (-5.0, -0.06))  # mm up and rad of pitch from which the interior is searched
_AGREEMENT = 1.5  # mm
_NEAR = 12.0  # mm; further from the first result the interior is not believed
_SPREAD_LIMIT = 3.0  # mm, about one ASL voxel
_COVERAGE_LIMIT = 0.7
_INFORMATION_LIMIT = 0.1  # nats; right alignments of T1 to ASL reach 0.28-0.5, noise 0.05


@dataclass(frozen=True, eq=False)
class RigidRegistration:
    """A rigid alignment, with measures of its reliability.

    Args:
        matrix: 4x4, LPS mm, takes a point of the moving image to the same anatomy in the fixed one.
        mutual_information: Mattes (nats) in the compared region; comparable between alignments of the same two images.
        spread: mm, mean over the compared region, from the best result to the farthest one of another start whose
            mutual information is within 5 % of it; 0 where there is none. Of a given transform: how far from it a
            search that starts there ends.
        coverage: fraction (0..1) of the compared region that lies in the moving image's field of view.
        warning: empty, or one sentence saying why to look at the alignment before using it.
        settled: 4x4, the best rigid alignment at `matrix`: that itself, or where a search from a given one ends.
        mirror: 4x4, LPS mm, takes a point of the moving image to where its mirror image fits the fixed one best; None
            where not sought: without `moving_mask`.
    """

    matrix: np.ndarray
    mutual_information: float
    spread: float
    coverage: float
    warning: str = ""
    settled: np.ndarray | None = None
    mirror: np.ndarray | None = None


def register_rigid(
    moving: Volume,
    fixed: Volume,
    *,
    moving_mask: Volume | None = None,
    fixed_mask: Volume | None = None,
    start: np.ndarray | None = None,
    seed: int = 0,
    moving_even: bool = False,
) -> RigidRegistration:
    """Align `moving` to `fixed` by rotation and translation.

    Mattes mutual information (Mattes 2003) is maximised from several starts (header, centres of geometry and of mass,
    each at three pitches) on smoothed images; the best three are refined and must agree. The same input and seed give
    the same matrix to a thousandth of a millimetre.

    With `fixed_mask`, the alignment is then refined on the interior of the brain alone, by ventricles and sulci: a mask
    with some neck in it pulls the outline by millimetres. That result is taken only if searches from different sides
    end in one place near the first; on a flat image they do not, and the first stays.

    Args:
        moving, fixed: 3D images of the same head, any contrast; NaN counts as zero. Headers are only a first guess.
        fixed_mask: the fixed image's brain (above 0.5), on any grid; widened by 8 mm it is the region compared. Give it
            wherever the scan shows neck or eyes.
        moving_mask: the moving image's brain, on any grid; all else in it counts as air, so that scalp and eyes, which
            differ between contrasts, do not pull (they cost 2-3 degrees of pitch on a 3D GRASE M0).
        start: 4x4, LPS mm, moving to fixed points, such as a transform set by hand: the only start, at three pitches.
        seed: of the random choice of compared voxels.
        moving_even: the moving image's bias is taken away already (`brain_mask.correct_bias`).

    Raises:
        InputError: an image is constant, a mask is empty, the images do not overlap, or the start is not rigid.
    """
    pair, moving, fixed = _pair(moving, fixed, moving_mask, fixed_mask, seed, moving_even=moving_even)
    starts = pair.starts() if start is None else pair.pitches(pair.rigid_of(_checked(start, rigid=True)))
    first, spread = pair.best_of(starts)
    cost, best = pair.optimise(first, "fine")
    inner = None if fixed_mask is None else pair.within(fixed_mask, moving, fixed)
    best, mirror = _refined_and_mirror(pair, inner, best, mirrored=moving_mask is not None)
    coverage = pair.coverage(best)
    matrix, warning = np.linalg.inv(matrix_of(best)), _warning(spread, coverage, -cost)
    return RigidRegistration(matrix, -cost, spread, coverage, warning, matrix, mirror)


def judge_alignment(
    moving: Volume,
    fixed: Volume,
    matrix: np.ndarray,
    *,
    moving_mask: Volume | None = None,
    fixed_mask: Volume | None = None,
    seed: int = 0,
    moving_even: bool = False,
) -> RigidRegistration:
    """Measure the reliability of a given transform, which comes back unchanged.

    Args:
        matrix: 4x4, LPS mm, moving to fixed points; rigid or affine.
        moving, fixed, moving_mask, fixed_mask, seed, moving_even: as in `register_rigid`.

    Raises:
        InputError: an image is constant, a mask is empty, or the matrix cannot be inverted.
    """
    matrix = _checked(matrix)
    pair, moving, fixed = _pair(moving, fixed, moving_mask, fixed_mask, seed, moving_even=moving_even)
    given = pair.rigid_of(matrix)
    cost, coverage = pair.cost(matrix), pair.coverage(given)
    reached, end = pair.optimise(given, "middle")
    spread = pair.distance(given, end) if np.isfinite(reached) else 0.0
    information = -cost if np.isfinite(cost) else 0.0
    warning = _warning(spread, coverage, information)
    if spread > _SPREAD_LIMIT and information >= _INFORMATION_LIMIT:
        warning = f"The images agree better {spread:.0f} mm from the given transform; check the alignment by eye."
    inner = None if fixed_mask is None else pair.within(fixed_mask, moving, fixed)
    end = end if np.isfinite(reached) else given
    end, mirror = _refined_and_mirror(pair, inner, end, mirrored=moving_mask is not None)
    settled = np.linalg.inv(matrix_of(end))
    return RigidRegistration(matrix, information, spread, coverage, warning, settled, mirror)


def _pair(
    moving: Volume,
    fixed: Volume,
    moving_mask: Volume | None,
    fixed_mask: Volume | None,
    seed: int,
    *,
    moving_even: bool = False,
) -> tuple[ImagePair, Volume, Volume]:
    """The pair to align, and the two working copies without any mask."""
    for each, which in ((moving, "moving"), (fixed, "fixed")):
        if not np.nanmax(each.array, initial=-np.inf) > np.nanmin(each.array, initial=np.inf):
            raise InputError(f"The {which} image has no contrast to align by; give an anatomical image or an M0.")
    images = (moving, moving_even), (fixed, False)
    moving, fixed = in_threads(lambda image: working_copy(image[0], even=image[1]), images)
    return ImagePair.of(brain_only(moving, moving_mask), fixed, fixed_mask, seed), moving, fixed


def _checked(matrix: np.ndarray, *, rigid: bool = False) -> np.ndarray:
    matrix = np.asarray(matrix, float)
    whole = matrix.shape == (4, 4) and np.all(np.isfinite(matrix)) and np.allclose(matrix[3], (0, 0, 0, 1))
    if not whole or abs(np.linalg.det(matrix[:3, :3])) < 1e-6:
        raise InputError("The transform is not an invertible 4x4 matrix of finite numbers; give one in LPS mm.")
    rotation = matrix[:3, :3]
    if rigid and not (np.allclose(rotation @ rotation.T, np.eye(3), atol=0.02) and np.linalg.det(rotation) > 0):
        raise InputError("The start is not a rotation and a shift; give a rigid 4x4 matrix in LPS mm.")
    return matrix


def _refined_and_mirror(
    pair: ImagePair, inner: ImagePair | None, first: sitk.Euler3DTransform, *, mirrored: bool
) -> tuple[sitk.Euler3DTransform, np.ndarray | None]:
    """`_refined` and, where `mirrored`, `_mirror`: both begin at `first`, so that they go on at once."""
    searches = [lambda: _refined(inner, first)]
    if mirrored:
        searches.append(lambda: _mirror(pair, inner, first))
    found = in_threads(lambda search: search(), searches)
    return found[0], found[1] if mirrored else None


def _refined(inner: ImagePair | None, first: sitk.Euler3DTransform) -> sitk.Euler3DTransform:
    """`_refined_inside`, else what it began with."""
    return first if inner is None else _refined_inside(inner, first) or first


def _mirror(pair: ImagePair, inner: ImagePair | None, best: sitk.Euler3DTransform) -> np.ndarray | None:
    """4x4, points of the moving image to where its mirror image fits best, sought as the image itself was; None where
    the search strays out of the image."""
    plane = float(matrix_of(best)[0] @ [*pair.centre, 1.0])  # of the moving image, through what is compared
    turned = pair.mirrored(plane)
    try:
        first, _ = turned.best_of([best])
    except InputError:
        return None
    first = turned.optimise(first, "fine")[1]
    found = _refined(None if inner is None else inner.mirrored(plane), first)
    reflection = np.diag([-1.0, 1.0, 1.0, 1.0])
    reflection[0, 3] = 2 * plane
    return np.linalg.inv(matrix_of(found)) @ reflection


def _refined_inside(inner: ImagePair, first: sitk.Euler3DTransform) -> sitk.Euler3DTransform | None:
    """Where searches from around `first` end when the interior alone is compared; None where they disagree."""
    ends = inner.ends((displaced(first, up=up, pitch=pitch) for up, pitch in _DISPLACEMENTS), "middle")
    spread = max(inner.distance(ends[0][1], other) for _, other in ends[1:])
    cost, best = min(ends, key=lambda end: end[0])
    if spread > _AGREEMENT or inner.distance(best, first) > _NEAR or not np.isfinite(cost):
        return None
    return inner.optimise(best, "fine")[1]


def _warning(spread: float, coverage: float, information: float) -> str:
    if information < _INFORMATION_LIMIT:
        return (
            f"The two images share little information ({information:.2f} nats); check that both are of the same head."
        )
    if spread > _SPREAD_LIMIT:
        return f"Two starts of the registration ended {spread:.0f} mm apart; check the alignment by eye."
    if coverage < _COVERAGE_LIMIT:
        return f"Only {coverage:.0%} of the ASL brain lies in the anatomical image; check the alignment by eye."
    return ""
