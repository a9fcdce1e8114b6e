"""NIfTI and MGZ files to arrays: read whole, in ITK's geometry, or refused in one sentence."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..series import Geometry, Volume

_ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh", ".hdr", ".img")


def is_image_name(path: Path) -> bool:
    """Whether the file name ends as an image this package reads."""
    return path.name.lower().endswith(_ENDINGS)


def image_stem(path: Path) -> str:
    """The file name without its image ending: ``sub-01_asl`` of ``sub-01_asl.nii.gz``."""
    return next((path.name[: -len(end)] for end in _ENDINGS if path.name.lower().endswith(end)), path.stem)


def is_single_volume(path: Path) -> bool:
    """Whether a file's header states one volume; False for a file that is no image."""
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    try:
        shape = nibabel.load(path).shape
    except (ImageFileError, OSError, EOFError, ValueError, zlib.error):
        return False
    return len(shape) == 3 or (len(shape) == 4 and shape[3] == 1)


def read_array4d(path: Path) -> tuple[np.ndarray, Geometry]:
    """Read all of an image file, scaled by its slope and intercept.

    Args:
        path: NIfTI (``.nii``, ``.nii.gz``) or MGZ, three- or four-dimensional.

    Returns:
        A float32 array (T, K, J, I), T = 1 for a 3D file, and the grid its volumes share (LPS, mm).

    Raises:
        InputError: the file is missing, empty, truncated, no image, not real-valued, all NaN or all zero.
    """
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}; check the path.")
    if path.stat().st_size == 0:
        raise InputError(f"The file {path} is empty; copy or export it again.")
    try:
        image = nibabel.load(path)
    except (ImageFileError, HeaderDataError, OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"The file {path} is not a readable NIfTI or MGZ image; export it again as NIfTI.") from error
    if image.get_data_dtype().kind not in "iuf":
        kind = image.get_data_dtype()
        raise InputError(f"The image {path} does not hold real numbers ({kind}); export its magnitude.")
    try:
        values = np.asarray(image.dataobj, dtype=np.float32)
    except (ImageFileError, OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"The file {path} is truncated or damaged; copy or export it again.") from error
    while values.ndim > 4 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim not in (3, 4):
        raise InputError(f"The image {path} has {values.ndim} dimensions; give a 3D volume or a 4D series.")
    if values.size == 0:
        raise InputError(f"The image {path} has no voxels; export it again.")
    finite = np.isfinite(values)
    if not finite.any():
        raise InputError(f"The image {path} holds no number, every voxel is NaN or infinite; export it again.")
    if not values[finite].any():
        raise InputError(f"The image {path} is zero in every voxel; export it again or give the right file.")
    geometry = Geometry.from_affine_ras(image.affine, values.shape[:3])
    return np.ascontiguousarray(values.reshape(*values.shape[:3], -1).T), geometry


def read_image(path: Path, *, unit: str = "", name: str = "") -> Volume:
    """Read a 3D image: float32 (K, J, I), LPS geometry.

    Args:
        path: NIfTI or MGZ; a 4D file of one volume is accepted.
        unit: what its numbers are in, e.g. ``ml/100g/min``.
        name: for people and output names; the file's stem when empty.

    Raises:
        InputError: as `read_array4d`, or the file holds several volumes.

    >>> from ASLDenoiseLib.resources import sample_data
    >>> t1 = read_image(sample_data().t1)
    >>> t1.array.shape == t1.geometry.shape, t1.geometry.spacing
    (True, (1.5, 1.5, 1.5))
    """
    path = Path(path)
    array, geometry = read_array4d(path)
    if len(array) != 1:
        raise InputError(f"The image {path} holds {len(array)} volumes where one is wanted; give a 3D image.")
    return Volume(array[0], geometry, unit=unit, name=name or image_stem(path))
