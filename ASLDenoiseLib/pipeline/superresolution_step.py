"""From a map as acquired, or denoised, to a finer one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..preparing.averaging import mean_difference
from ..preparing.warnings import estimate_finding
from ..progress import Progress
from ..series import Origin, Parameter, Volume
from ..spatial.smoothing import gaussian
from ..superresolving import (
    DEFAULT_METHOD,
    LowResolution,
    PointSpread,
    super_resolve,
    usual_point_spread,
)
from ..superresolving.targets import target_grid
from .state import RunState

_NOISE_FWHM = 15.0  # mm
_FEWEST_TO_PART = 8  # pairs


def super_resolve_map(run: RunState, progress: Progress) -> None:
    """Estimate the map on the grid asked for.

    Raises:
        InputError: the grid cannot be used.
    """
    asked = run.request.superresolution
    low = run.quantification.cbf(run.difference)
    run.target = target_grid(low, run.t1_to_asl, t1=run.t1, spacing=asked.spacing, like=run.like)
    given = asked.point_spread
    spread = PointSpread(given) if given else usual_point_spread(run.series.acquisition.readout, low.geometry.spacing)
    parts = _in_two(run) if run.denoised is None else None  # a denoised map has seen every pair
    scan = LowResolution(
        low, run.target.geometry, run.t1, run.t1_to_asl, run.target.to_asl, _noise_of(run), spread, parts, run.even_t1
    )
    run.fine = super_resolve(scan, method=asked.method, device=run.compute.device, progress=progress)
    origin = Origin.DEFAULT if asked.method == DEFAULT_METHOD else Origin.USER
    run.parameters += [Parameter("superresolution", asked.method, "", origin), *run.fine.parameters]
    run.findings.append(estimate_finding(low.geometry, run.target.geometry))


def _in_two(run: RunState) -> tuple[Volume, Volume] | None:
    """The CBF of three quarters of the pairs, and of every fourth; None of fewer than eight pairs, or of
    several delays."""
    if run.fits is not None or len(run.pairs.context) < _FEWEST_TO_PART:
        return None
    fourth = np.arange(len(run.pairs.context)) % 4 == 3
    maps = []
    for chosen in (~fourth, fourth):
        context = tuple(c for c, is_in in zip(run.pairs.context, chosen, strict=True) if is_in)
        pairs = replace(run.pairs, array=run.pairs.array[chosen], context=context)
        weights = None if run.weights is None else run.weights[chosen]
        maps.append(run.quantification.cbf(mean_difference(pairs, weights)))
    return maps[0], maps[1]


def _noise_of(run: RunState) -> Volume | None:
    """The noise SD of the map to super-resolve, smoothed as variance, since few pairs know it badly; None: unknown."""
    sd = run.error if run.denoised is None else run.denoised.uncertainty
    if sd is None:
        return None
    cbf = run.quantification.deviation(sd, run.difference)
    variance = gaussian(cbf.with_array(cbf.array**2), _NOISE_FWHM, mask=run.brain)
    return cbf.with_array(np.sqrt(variance.array), name="noise")
