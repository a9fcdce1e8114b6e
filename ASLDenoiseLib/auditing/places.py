"""Single places where a denoiser is wrong beyond noise (vessels, the rim): put back only where pairs left out agree.

Where a residual's energy, over a few millimetres or in one voxel, exceeds its noise, a Wiener share of it goes back.
How much must exceed, and over what neighbourhood, differs from scan to scan; so the scan chooses, by leaving each group
of pairs out in turn: what the others would put back must bring the map nearer to the one left out, by more than the
standard error of that gain. Otherwise nothing is put back. (The denoised map has seen the group that is left out, which
makes putting back look a little worse than it is: the error is on the cautious side.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..preparing.averaging import shrunk
from .levels import wiener_weight
from .noise import Noise
from .residual import Groups, Residual

FEWEST_GROUPS = 4  # below it leaving one out tells too little
_PRIOR = 4.0  # degrees of freedom that the neighbours' variance counts for in a single voxel
_NEIGHBOURS = 6.0  # mm FWHM


@dataclass(frozen=True)
class Choice:
    """How places are judged: over `fwhm` mm (0: one voxel), energy beyond `caution` times the noise goes back."""

    fwhm: float
    caution: float


CHOICES = (
    *(Choice(8.0, caution) for caution in (1.0, 1.5)),
    *(Choice(5.0, caution) for caution in (1.0, 1.5, 2.5)),
    *(Choice(0.0, caution) for caution in (3.0, 6.0)),
)


@dataclass(frozen=True)
class Gain:
    """By how much a choice brings the map nearer to pairs left out: mean squared error, perfusion units squared."""

    choice: Choice
    gain: float
    error: float  # its standard error over the groups


def choose(residual: Residual, groups: Groups) -> Gain | None:
    """The choice that gains most on groups left out, if it gains more than its standard error; None: leave it."""
    count = len(groups.means)
    if count < FEWEST_GROUPS:
        return None
    signal, inside = residual.noise.signal, residual.noise.inside
    scale = np.divide(1.0, signal**2, out=np.zeros_like(signal), where=inside)
    scale = np.nan_to_num(scale, posinf=0.0) / inside.sum()
    gained = np.array([_gained(residual, groups, g, scale) for g in range(count)])
    errors = gained.std(axis=0, ddof=1) / count**0.5
    sure = [
        Gain(choice, float(mean), float(error))
        for choice, mean, error in zip(CHOICES, gained.mean(axis=0), errors, strict=True)
        if mean > error
    ]
    return max(sure, key=lambda each: each.gain, default=None)


def place_weight(residual: Residual, choice: Choice) -> np.ndarray:
    """The share (K, J, I), 0 to 1, of the residual that goes back."""
    (weight,) = _weights(residual.values, residual.noise, [choice])
    return weight


def _gained(residual: Residual, groups: Groups, left_out: int, scale: np.ndarray) -> list[float]:
    """What each choice, made without one group, gains on that group."""
    others, inside = groups.without(left_out), residual.noise.inside
    values = (others.mean - residual.denoised) * inside
    unseen = (groups.means[left_out] - residual.denoised) * inside
    gains = []
    for weight in _weights(values, replace(residual.noise, deviations=others.deviations), CHOICES):
        back = weight * values
        gains.append(float((scale * back * (2 * unseen - back)).sum()))
    return gains


def _weights(values: np.ndarray, noise: Noise, choices: Sequence[Choice]) -> list[np.ndarray]:
    variance, energy, inside = noise.variance, values**2, noise.inside
    levels: dict[float, tuple[np.ndarray, np.ndarray]] = {}
    for fwhm in {choice.fwhm for choice in choices}:
        if fwhm > 0:
            levels[fwhm] = tuple(noise.windows(fwhm).means(np.stack([energy, variance]), inside.astype(np.float32)))
        else:
            near = noise.windows(_NEIGHBOURS).means(variance[None], inside.astype(np.float32))[0]
            levels[fwhm] = energy, shrunk(variance, noise.freedom, near, _PRIOR)
    return [wiener_weight(levels[c.fwhm][0], c.caution * levels[c.fwhm][1]) * inside for c in choices]
