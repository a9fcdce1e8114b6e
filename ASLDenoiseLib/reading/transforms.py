"""Linear transforms from files, as ANTs, SimpleITK and Slicer save them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import require_file


def read_transform(path: str | Path) -> np.ndarray:
    """Read a linear ITK transform file (.tfm, .txt, .mat, .h5) as a 4x4 matrix, LPS mm, from moving to fixed points.

    Such files map points of the fixed image to the moving one, as resampling needs; the matrix is the inverse
    (`Result.t1_to_asl`).

    Raises:
        InputError: the file is not there, is no transform, or is a warp.
    """
    import SimpleITK as sitk

    from ..spatial.resampling import matrix_of

    path = Path(path)
    require_file(path, what="transform")
    try:
        transform = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        raise InputError(f"{path} is no ITK transform; save a linear one as .tfm or .h5.") from error
    if not transform.IsLinear():
        raise InputError(f"{path} is a warp; give the linear transform from the T1 to the series.")
    matrix = matrix_of(transform)
    if not np.all(np.isfinite(matrix)) or abs(np.linalg.det(matrix[:3, :3])) < 1e-6:
        raise InputError(f"{path} cannot be inverted; give a rigid or affine transform from the T1 to the series.")
    return np.linalg.inv(matrix)
