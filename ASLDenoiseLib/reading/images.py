"""NIfTI and MGZ files to arrays: read whole, in ITK's geometry, or refused in one sentence."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import is_litter, require_file
from ..given import fitted
from ..series import Geometry, Volume, measured

CBF_SUFFIX = "_cbf"  # of the stem of a CBF map, as ASL pipelines name it
_SMALLEST_VOXEL, _LARGEST_VOXEL = 0.05, 50.0  # mm, of images of a head
_MOST_PACKED = 1100  # times: deflate reaches 1032 at the most
_ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh", ".hdr", ".img")


def is_image_name(path: Path) -> bool:
    """Whether the file name ends as an image this package reads, and is none that macOS put beside one."""
    return path.name.lower().endswith(_ENDINGS) and not is_litter(path)


def image_stem(path: Path) -> str:
    """The file name without its image ending: ``sub-01_asl`` of ``sub-01_asl.nii.gz``."""
    return next((path.name[: -len(end)] for end in _ENDINGS if path.name.lower().endswith(end)), path.stem)


def entity(path: Path, name: str) -> str:
    """The value of an entity of a BIDS name, ``01`` of ``sub`` in ``sub-01_asl.nii.gz``; empty where it has none."""
    parts = (part.partition("-") for part in image_stem(path).split("_"))
    return next((value for key, _, value in parts if key == name), "")


def is_single_volume(path: Path) -> bool:
    """Whether a file's header states one volume; False for a file that is no image."""
    try:
        shape = _opened(path, str(path)).shape
    except InputError:
        return False
    return len(shape) == 3 or (len(shape) == 4 and shape[3] == 1)


def read_array4d(path: Path, *, called: str = "") -> tuple[np.ndarray, Geometry]:
    """Read all of an image file, scaled by its slope and intercept.

    Args:
        path: NIfTI (``.nii``, ``.nii.gz``) or MGZ, three- or four-dimensional.
        called: what errors call it; the path when empty.

    Returns:
        A float32 array (T, K, J, I), T = 1 for a 3D file, NaN where a voxel is infinite, and the grid its volumes share
        (LPS, mm).

    Raises:
        InputError: the file is missing, empty, truncated, no image, not real-valued, all NaN or all zero, or its header
            does not say where its voxels lie.
    """
    path = Path(path)
    called = called or str(path)
    image = _opened(path, called)
    kind, shape = image.get_data_dtype(), image.shape
    if kind.kind not in "iuf":
        raise InputError(f"The image {called} does not hold real numbers ({_described(kind)}); export its magnitude.")
    while len(shape) > 4 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) not in (3, 4):
        raise InputError(f"The image {called} has {len(shape)} dimensions; give a 3D volume or a 4D series.")
    if 0 in shape:
        raise InputError(f"The image {called} has no voxels; export it again.")
    geometry = _geometry(image, shape[:3], called)
    values = measured(_values(image, path, called).reshape(shape, order="F"))
    finite = np.isfinite(values)
    if not finite.any():
        raise InputError(f"The image {called} holds no number, every voxel is NaN or infinite; export it again.")
    if not values[finite].any():
        raise InputError(f"The image {called} is zero in every voxel; export it again or give the right file.")
    return np.ascontiguousarray(values.reshape(*shape[:3], -1).T), geometry


def _opened(path: Path, called: str) -> Any:
    """The image with its header read and no voxel; nibabel's complaints about a header stay off standard error."""
    import nibabel

    require_file(path, called)
    try:
        with _quiet("nibabel.global"):
            image = nibabel.load(path)
            _check_header(image, called)
            return image
    except (MemoryError, InputError):
        raise
    except Exception as error:  # a damaged header takes nibabel anywhere
        what = f"The file {called} is not a readable NIfTI or MGZ image"
        beside = path.with_suffix(".img" if path.suffix.lower() == ".hdr" else ".hdr")
        if path.suffix.lower() in (".hdr", ".img") and not beside.exists():
            raise InputError(f"{what}: {beside.name} is not beside it; give both.") from error
        raise InputError(f"{what}; export it again as NIfTI.") from error


def _check_header(image: Any, called: str) -> None:
    """Refuse what nibabel replaces in silence: a slope that is infinite, and voxels without a size."""
    if "pixdim" not in image.header:
        return  # MGZ
    stored = image.file_map["header" if "header" in image.file_map else "image"]
    with stored.get_prepare_fileobj("rb") as file:
        header = type(image.header).from_fileobj(file, check=False)
    if np.isinf(header["scl_slope"]) or np.isinf(header["scl_inter"]):
        raise InputError(f"The slope or intercept of the image {called} is infinite; export it again.")
    sizes = np.abs(header["pixdim"][1:4])
    if header["sform_code"] == 0 and not np.all((sizes > 0) & np.isfinite(sizes)):
        stated = " x ".join(f"{size:g}" for size in sizes)
        raise InputError(f"The voxels of the image {called} are {stated} mm; correct the voxel size in its header.")


def _values(image: Any, path: Path, called: str) -> np.ndarray:
    """The voxels, float32; a file too small for what its header states is refused before memory is asked for."""
    damaged = f"The file {called} is truncated or damaged; copy or export it again."
    data = image.file_map["image"].filename if "image" in image.file_map else path
    require_file(Path(data), called if Path(data) == path else "")
    packed = str(data).lower().endswith((".gz", ".mgz", ".bz2", ".zst"))
    stated = math.prod(image.shape) * image.get_data_dtype().itemsize
    if stated > Path(data).stat().st_size * (_MOST_PACKED if packed else 1):
        raise InputError(damaged)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(image.dataobj, dtype=np.float32)
    except MemoryError:
        raise
    except Exception as error:  # whatever the unpackers raise
        raise InputError(damaged) from error


def _geometry(image: Any, size: Sequence[int], called: str) -> Geometry:
    """The grid of an image; a header that gives voxels no size, or no place, is refused."""
    try:
        if not np.all(np.isfinite(image.affine)):
            raise InputError("Its affine holds numbers that are not finite; correct the orientation in its header.")
        return Geometry.from_affine_ras(np.diag([*[_millimetres(image)] * 3, 1.0]) @ image.affine, size)
    except InputError as error:
        why = str(error)
        raise InputError(f"The image {called} cannot be placed: {why[:1].lower()}{why[1:]}") from error


def _millimetres(image: Any) -> float:
    """The unit of length that a NIfTI header states, in mm; nibabel does not convert it.

    Programs write millimetres and leave another unit in the header: it counts where the voxels' size bears it out.
    """
    units = image.header.get_xyzt_units() if hasattr(image.header, "get_xyzt_units") else ("mm",)
    sizes = np.linalg.norm(image.affine[:3, :3], axis=0)
    if units[0] == "meter" and sizes.max() < _SMALLEST_VOXEL:
        return 1000.0
    return 0.001 if units[0] == "micron" and sizes.min() > _LARGEST_VOXEL else 1.0


def _described(kind: np.dtype) -> str:
    return "colours" if kind.fields else str(kind)


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def require_contrast(array: np.ndarray, called: str) -> None:
    """Refuse an image (any shape) of a head that has one value in every voxel.

    Raises:
        InputError: it has; `called` is what the sentence calls it.
    """
    low, high = np.nanmin(array, initial=np.inf), np.nanmax(array, initial=-np.inf)
    if not low < high:
        raise InputError(
            f"{called} has the same value in every voxel ({low:g}); export it again or give the right one."
        )


@fitted
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


def image_of(given: Path | str | Volume | None) -> Volume | None:
    """An image, read where it is a path."""
    return read_image(given) if isinstance(given, (str, Path)) else given
