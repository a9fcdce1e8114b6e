"""Bends of the M0."""

from __future__ import annotations

import numpy as np

from Testing.Benchmarks.library.field_phantom import MadeScan
from Testing.Python.fuzz_bends import SCALE, Bend, Random, need, pick

_PLACE = ("m0-volumes-moved", "m0-displaced", "m0-aligned")
_VALUES = ("m0-coverage", "nan-voxels")
_NEGATIVE = "m0-negative"


def _separate(scan: MadeScan) -> np.ndarray:
    need(scan.m0 is not None)
    return scan.m0


def _gone(scan: MadeScan, random: Random) -> str:
    _separate(scan)
    scan.m0 = None
    if random.random() < 0.5:
        scan.keys["M0Type"] = str(pick(random, ("Absent", "Included", "Estimate")))
    return f"no M0 image, M0Type {scan.keys.get('M0Type')}"


def _times(factor: float) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        if scan.m0 is not None:
            scan.m0 = scan.m0 * factor
        else:
            need("m0scan" in scan.words)
            scan.volumes[..., scan.words.index("m0scan")] *= factor
        return f"M0 times {factor:g}"

    return Bend(f"M0 times {factor:g}", "m0", apply, (*SCALE, *((_NEGATIVE,) if factor < 0 else ())))


def _displaced(scan: MadeScan, random: Random) -> str:
    """The head lies elsewhere in the M0, as between two scans; a run is asked to look for motion."""
    m0 = _separate(scan)
    axis, by = int(random.integers(2)), int(pick(random, (-2, -1, 1, 2)))
    scan.m0 = np.roll(m0, by, axis)
    if "--no-motion" in scan.run_options:
        scan.run_options.remove("--no-motion")
    return f"M0 displaced by {by} voxels along {'ij'[axis]}"


def _displaced_by_header(scan: MadeScan, random: Random) -> str:
    _separate(scan)
    scan.m0_affine = scan.m0_affine.copy()
    scan.m0_affine[:3, 3] += [float(pick(random, (-16, 16))), float(pick(random, (-8, 0, 8))), 0.0]
    if "--no-motion" in scan.run_options:
        scan.run_options.remove("--no-motion")
    return "the M0's header lies elsewhere"


def _far_away(scan: MadeScan, random: Random) -> str:
    _separate(scan)
    scan.m0_affine = scan.m0_affine.copy()
    scan.m0_affine[:3, 3] += 1000.0
    return "M0 a metre away"


def _other_grid(scan: MadeScan, random: Random) -> str:
    """Twice as fine: no information lost."""
    scan.m0 = _separate(scan).repeat(2, 0).repeat(2, 1)
    fine = np.diag([0.5, 0.5, 1.0, 1.0])
    fine[:2, 3] = -0.25
    scan.m0_affine = scan.m0_affine @ fine
    return "M0 on a grid twice as fine in plane"


def _fewer_slices(scan: MadeScan, random: Random) -> str:
    """An M0 that covers a part alone."""
    scan.m0 = _separate(scan)[:, :, 5:]
    shift = np.eye(4)
    shift[2, 3] = 5
    scan.m0_affine = scan.m0_affine @ shift
    return "the M0 lacks five slices"


def _value(value: float) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        scan.m0 = np.full_like(_separate(scan), value)
        return f"M0 {value:g} everywhere"

    named = () if not value > 0 else ("brain-not-found", *SCALE)
    return Bend(f"M0 {value:g} everywhere", "m0", apply, named)


def _holes(value: float) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        m0 = _separate(scan).copy()
        m0[6:10, 8:12, 6:10] = value
        scan.m0 = m0
        return f"64 voxels of the M0 {value:g}"

    return Bend(f"M0 with voxels {value:g}", "m0", apply, _VALUES)


def _noise(scan: MadeScan, random: Random) -> str:
    m0 = _separate(scan)
    scan.m0 = np.abs(m0).mean() * random.standard_normal(m0.shape)
    return "M0 of noise alone"


def _several(scan: MadeScan, random: Random) -> str:
    """A 4D M0 of three volumes: still right."""
    m0 = _separate(scan)
    scan.m0 = np.stack([m0, m0, m0], axis=-1)
    return "M0 of three volumes"


def _several_moved(scan: MadeScan, random: Random) -> str:
    m0 = _separate(scan)
    scan.m0 = np.stack([m0, np.roll(m0, 2, 1)], axis=-1)
    if "--no-motion" in scan.run_options:
        scan.run_options.remove("--no-motion")
    return "M0 of two volumes, the second displaced"


def _is_a_mask(scan: MadeScan, random: Random) -> str:
    scan.m0 = (_separate(scan) > 300).astype(float)
    return "the M0 is a mask"


BENDS = (
    Bend("M0 gone", "m0", _gone, ("m0-absent",)),
    *map(_times, (10.0, 0.1, 32.0, 96.0, 0.001, -1.0)),
    Bend("M0 displaced", "m0", _displaced, _PLACE),
    Bend("M0 displaced by its header", "m0", _displaced_by_header, _PLACE),
    Bend("M0 far away", "m0", _far_away),
    Bend("M0 on a finer grid", "m0", _other_grid, harmless=True),
    Bend("M0 with fewer slices", "m0", _fewer_slices, _VALUES),
    *map(_value, (0.0, np.nan, np.inf, -1.0, 1.0)),
    *map(_holes, (0.0, np.nan, np.inf, -5.0)),
    Bend("M0 of noise", "m0", _noise, ("brain-not-found", _NEGATIVE)),
    Bend("M0 of three volumes", "m0", _several, harmless=True),
    Bend("M0 of two volumes, one moved", "m0", _several_moved, _PLACE),
    Bend("M0 is a mask", "m0", _is_a_mask, SCALE),
)
