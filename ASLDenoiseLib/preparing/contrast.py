"""Fractions of the intensity classes of an anatomical image in each voxel of a series."""

from __future__ import annotations

import numpy as np

from ..series import Volume
from ..spatial.resampling import average_onto, resample
from ..spatial.threads import in_threads


def contrast_classes(even: Volume, brain: Volume, *, transform: np.ndarray, classes: int = 3) -> tuple[Volume, ...]:
    """The fractions of each voxel of a series that are dark, middling and bright in an anatomical image.

    The image is divided at Otsu's thresholds for several classes (Liao et al. 2001) within the brain, on its own fine
    grid, and each class is averaged over the voxels of the series. On a T1 the classes are CSF, GM and WM, without
    template or prior; dividing before averaging keeps a voxel that is half CSF and half white matter apart from one of
    grey matter, which has the same mean intensity.

    Args:
        even: anatomical image without its bias field (`brain_mask.correct_bias`), any grid.
        brain: 0/1 mask on the grid of the series; the classes come on this grid too.
        transform: 4x4, LPS mm, from points of the image to the series.
        classes: how many.

    Returns:
        One map of fractions (0..1) a class, darkest first; NaN beyond the image's field of view.
    """
    from skimage.filters import threshold_multiotsu

    back = np.linalg.inv(transform)
    inside = resample(brain, even.geometry, transform=back, interpolation="nearest", outside=0.0).array > 0.5
    values = even.array[inside]
    # Fat and vessels would each claim a class of their own.
    thresholds = threshold_multiotsu(np.clip(values, *np.percentile(values, (0.5, 99.5))), classes)
    number = np.digitize(even.array, thresholds)

    def fraction(c: int) -> Volume:
        of_class = even.with_array(number == c, unit="", name=f"class {c}")
        return average_onto(of_class, brain.geometry, transform=transform)

    return tuple(in_threads(fraction, range(classes)))
