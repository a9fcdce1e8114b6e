"""Finer maps than were acquired: estimates, each with the residual that says how they agree with the acquired map.

`super_resolve` runs one of `METHODS` on a `LowResolution` and gives a `SuperResolvedMap`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import MappingProxyType

from ..errors import InputError
from ..progress import Progress, silent
from .baselines import gaussian_matched, interpolated
from .forward import PointSpread, usual_point_spread
from .guided import GuidedSettings, guided, unguided
from .pyramid.presets import FAST, PAPER
from .resolver import LowResolution, SuperResolvedMap, SuperResolver

__all__ = [
    "super_resolve",
    "method_of",
    "METHODS",
    "DEFAULT_METHOD",
    "Method",
    "LowResolution",
    "SuperResolvedMap",
    "SuperResolver",
    "PointSpread",
    "usual_point_spread",
    "GuidedSettings",
]


@dataclass(frozen=True)
class Method:
    """A way to super-resolve.

    Args:
        name: as given to ``--method``.
        summary: one line for people, with the source.
        run: the method.
        needs_t1: whether it cannot do without one.
        seconds: it usually takes to bring 64 x 64 x 24 voxels to 1 mm on two CPU cores
            (Testing/Benchmarks/superresolution_time.md); None where that was never measured.
        learns: whether it trains a network on the scan, and takes a `device` to do so.
    """

    name: str
    summary: str
    run: SuperResolver
    seconds: float | None
    needs_t1: bool = False
    learns: bool = False


def _learned(name: str, summary: str, place: str, seconds: float | None, **options: object) -> Method:
    """A method that trains on the scan; `place` (``module:function``) is loaded when it runs, because torch is slow."""

    def run(scan: LowResolution, *, device: str = "cpu", progress: Progress = silent) -> SuperResolvedMap:
        module, function = place.split(":")
        return getattr(import_module(module, __name__), function)(scan, device=device, progress=progress, **options)

    return Method(name, summary, run, seconds, needs_t1=True, learns=True)


_ALL = (
    Method("nearest", "Nearest neighbour: the acquired voxels as they are.", partial(interpolated, how="nearest"), 5.0),
    Method("linear", "Trilinear interpolation.", partial(interpolated, how="linear"), 5.0),
    Method("spline", "Cubic B-spline interpolation (Unser 1999).", partial(interpolated, how="bspline"), 5.0),
    Method(
        "gaussian", "Gaussian as wide as the noise asks for (Stein 1981), then cubic spline.", gaussian_matched, 5.0
    ),
    Method("smooth", "Smooth fields through the acquisition model, without the T1.", unguided, 5.0),
    Method(
        "guided",
        "Fields of CBF by T1 brightness through the acquisition model; no T1 where the map contradicts it.",
        guided,
        100.0,
        needs_t1=True,
    ),
    _learned(
        "network",
        "A small network of the map and the T1, trained through the acquisition model on this scan alone.",
        ".scan_network.method:scan_network",
        700.0,
    ),
    _learned(
        "pyramid-fast",
        "The multi-scale GAN with fewer scales and steps, for minutes on a CPU.",
        ".pyramid.method:pyramid_gan",
        850.0,
        settings=FAST,
    ),
    _learned(
        "pyramid-paper",
        "The multi-scale GAN as published: 2000 epochs a scale, for a GPU.",
        ".pyramid.method:pyramid_gan",
        None,
        settings=PAPER,
    ),
)
METHODS: Mapping[str, Method] = MappingProxyType({m.name: m for m in _ALL})
DEFAULT_METHOD = "guided"


def method_of(name: str, *, with_t1: bool) -> Method:
    """The method of a name.

    Raises:
        InputError: there is none, or it needs a T1 and there is none.
    """
    if name not in METHODS:
        raise InputError(f"There is no super-resolution method '{name}'; choose one of {', '.join(METHODS)}.")
    if METHODS[name].needs_t1 and not with_t1:
        raise InputError(f"The method '{name}' needs a T1 image; give one, or choose 'smooth' or 'spline'.")
    return METHODS[name]


def super_resolve(
    scan: LowResolution, *, method: str = DEFAULT_METHOD, device: str = "cpu", progress: Progress = silent
) -> SuperResolvedMap:
    """One low-resolution map on a finer grid.

    Args:
        scan: the map and what is known of it.
        method: a key of `METHODS`.
        device: where methods that learn run; the others use the CPU.
        progress: told at every step; raise in it to cancel.

    Raises:
        InputError: there is no method of that name, or it needs a T1 and there is none.
    """
    chosen = method_of(method, with_t1=scan.t1 is not None)
    where = {"device": device} if chosen.learns else {}
    return chosen.run(scan, progress=progress, **where)
