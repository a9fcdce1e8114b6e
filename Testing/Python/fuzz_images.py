"""Bends of the series' voxels and of its grid."""

from __future__ import annotations

import numpy as np

from Testing.Benchmarks.library.field_phantom import MadeScan
from Testing.Python.fuzz_bends import MAGNITUDE, SCALE, Bend, Random, each, need, perfusion_volumes, pick

_GAPS = ("nan-voxels",)
_ODD_HEAD = ("brain-mask-doubtful", "brain-not-found")
_ORDER = ("order-changes", "control-label-swapped", "order-mixed")


def _cast(dtype: object, named: tuple[str, ...] = (), *, harmless: bool = False) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        scan.dtype = dtype
        if np.dtype(dtype).kind in "iu":
            scan.volumes = np.clip(np.round(scan.volumes), np.iinfo(dtype).min, np.iinfo(dtype).max)
        return f"stored as {np.dtype(dtype).name}"

    return Bend(f"stored as {np.dtype(dtype).name}", "image", apply, named, harmless)


def _eight_bits(scan: MadeScan, random: Random) -> str:
    """Scaled to 0..255, as picture tools do."""
    need(scan.words[-1] != "cbf")
    top = max(scan.volumes.max(), 0.0 if scan.m0 is None else scan.m0.max())
    scan.volumes = np.round(scan.volumes / top * 255).clip(0, 255)
    if scan.m0 is not None:
        scan.m0 = np.round(scan.m0 / top * 255).clip(0, 255)
    return "series and M0 scaled to 0..255"


def _times(factor: float) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        scan.volumes[..., perfusion_volumes(scan)] *= factor
        return f"series times {factor:g}"

    named = (*SCALE, "cbf-unit", *(("control-label-swapped",) if factor < 0 else ()))
    return Bend(f"series times {factor:g}", "image", apply, named)


def _everything_times(scan: MadeScan, random: Random) -> str:
    need(scan.words[-1] != "cbf" and scan.protocol.m0 != "number")
    factor = float(pick(random, (1e-6, 0.01, 10.0, 1e5)))
    scan.volumes *= factor
    if scan.m0 is not None:
        scan.m0 *= factor
    return f"series and M0 times {factor:g}"


def _holes(value: float) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        where = tuple(int(random.integers(4, n - 6)) for n in scan.volumes.shape[:3])
        box = tuple(slice(start, start + 3) for start in where)
        volume = int(pick(random, perfusion_volumes(scan)))
        scan.volumes[(*box, volume)] = value
        return f"27 voxels of volume {volume + 1} {value:g}"

    return Bend(f"voxels {value:g}", "image", apply, _GAPS)


def _bad_volume(value: float) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        volumes = perfusion_volumes(scan)
        need(len(volumes) > 3)
        volume = int(pick(random, volumes))
        scan.volumes[..., volume] = value
        return f"volume {volume + 1} all {value:g}"

    named = (*_GAPS, "outliers", "dummy-volumes", "empty-volumes", *MAGNITUDE)
    return Bend(f"a volume all {value:g}", "image", apply, named)


def _zero_slices(scan: MadeScan, random: Random) -> str:
    """Slices that are zero in every volume, as a cropped reconstruction leaves them."""
    first, count = int(random.integers(5, 10)), int(random.integers(2, 5))
    scan.volumes[:, :, first : first + count] = 0
    return f"{count} slices zero in every volume"


def _zero_slices_of_one(scan: MadeScan, random: Random) -> str:
    volume = int(pick(random, perfusion_volumes(scan)))
    need(len(perfusion_volumes(scan)) > 3)
    first = int(random.integers(5, 9))
    scan.volumes[:, :, first : first + 3, volume] = 0
    while "--outliers" in scan.run_options:  # what is asked for is that this slice be left out
        at = scan.run_options.index("--outliers")
        del scan.run_options[at : at + 2]
    return f"3 slices of volume {volume + 1} zero"


def _noise_only(scan: MadeScan, random: Random) -> str:
    used = perfusion_volumes(scan)
    level = float(np.abs(scan.volumes[..., used]).mean()) or 1.0
    scan.volumes[..., used] = level * random.standard_normal((*scan.volumes.shape[:3], len(used)))
    return "the series holds noise alone"


def _all_zero(scan: MadeScan, random: Random) -> str:
    scan.volumes[:] = 0
    return "the series is zero"


def _constant(scan: MadeScan, random: Random) -> str:
    scan.volumes[:] = 100.0
    return "the series is 100 everywhere"


def _flipped(scan: MadeScan, random: Random) -> str:
    axis = int(random.integers(3))
    each(scan, lambda array: np.flip(array, axis))
    return f"all images flipped along {'ijk'[axis]}"


def _turned(scan: MadeScan, random: Random) -> str:
    """Axes in another order, with their affine."""
    order = [int(i) for i in pick(random, ((1, 0, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0)))]
    each(scan, lambda array: np.transpose(array, (*order, *range(3, array.ndim))))
    for name in ("affine", "m0_affine"):
        setattr(scan, name, getattr(scan, name)[:, [*order, 3]])
    return f"axes in the order {order}"


def _cropped(scan: MadeScan, random: Random) -> str:
    axis, cut = int(random.integers(3)), int(random.integers(1, 5))
    each(scan, lambda array: np.take(array, range(cut, array.shape[axis]), axis), m0=False)
    shift = np.eye(4)
    shift[axis, 3] = cut
    scan.affine = scan.affine @ shift
    return f"series cropped by {cut} along {'ijk'[axis]}"


def _few_slices(scan: MadeScan, random: Random) -> str:
    middle, count = scan.volumes.shape[2] // 2, int(random.integers(1, 4))
    each(scan, lambda array: array[:, :, middle : middle + count])
    for name in ("affine", "m0_affine"):
        shift = np.eye(4)
        shift[2, 3] = middle
        setattr(scan, name, getattr(scan, name) @ shift)
    if isinstance(scan.keys.get("SliceTiming"), list):
        scan.keys["SliceTiming"] = scan.keys["SliceTiming"][middle : middle + count]
    return f"{count} slices alone"


def _affine(name: str, change, *, harmless: bool = False) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        scan.affine, scan.m0_affine = change(scan.affine), change(scan.m0_affine)
        return name

    return Bend(name, "geometry", apply, _ODD_HEAD, harmless)


def _resized(factor: float):
    return lambda affine: affine @ np.diag([factor, factor, factor, 1.0])


def _sheared(affine: np.ndarray) -> np.ndarray:
    shear = np.eye(4)
    shear[0, 1] = 0.5
    return affine @ shear


def _far(affine: np.ndarray) -> np.ndarray:
    moved = affine.copy()
    moved[:3, 3] += (1e5, -2e5, 3e4)
    return moved


def _flat(affine: np.ndarray) -> np.ndarray:
    flat = affine.copy()
    flat[2, 2] = 0.0
    return flat


BENDS = (
    _cast(np.int16, ("coarse-values",)),
    _cast(np.float64, harmless=True),
    _cast(np.uint8, ("coarse-values", *SCALE)),
    Bend("scaled to 8 bits", "image", _eight_bits, ("coarse-values", "map-clipped", *MAGNITUDE)),
    *map(_times, (10.0, 32.0, 96.0, 0.1, 0.001, -1.0)),
    Bend("series and M0 times one factor", "image", _everything_times, harmless=True),
    *map(_holes, (np.nan, np.inf, -np.inf)),
    *map(_bad_volume, (np.nan, np.inf, 0.0)),
    Bend("slices zero in every volume", "image", _zero_slices, ("empty-slices", *_GAPS)),
    Bend("slices of one volume zero", "image", _zero_slices_of_one, ("outliers", "empty-slices")),
    Bend("noise alone", "image", _noise_only, ("brain-not-found", *_ORDER, *SCALE, "no-perfusion")),
    Bend("zero everywhere", "image", _all_zero),
    Bend(
        "one value everywhere", "image", _constant, ("brain-not-found", "no-perfusion", "one-value", *SCALE, "cbf-unit")
    ),
    Bend("flipped", "geometry", _flipped, harmless=True),
    Bend("axes in another order", "geometry", _turned),
    Bend("cropped", "geometry", _cropped, _ODD_HEAD),
    Bend("few slices", "geometry", _few_slices, _ODD_HEAD),
    _affine("voxels of 0.8 mm", _resized(0.1)),
    _affine("voxels of 80 mm", _resized(10.0)),
    _affine("affine of zeros", lambda affine: np.zeros((4, 4))),
    _affine("affine not a number", lambda affine: affine * np.nan),
    _affine("sheared", _sheared),
    _affine("far from the origin", _far, harmless=True),
    _affine("one axis without length", _flat),
)
