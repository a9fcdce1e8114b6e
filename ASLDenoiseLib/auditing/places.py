"""Single places where a denoiser is wrong beyond noise (vessels, the rim): put back only where pairs left out agree.

Where a residual's energy, over a few millimetres or in one voxel, exceeds its noise, a Wiener share of it goes back.
How much must exceed, and over what neighbourhood, differs from scan to scan; so the scan chooses, by leaving each group
of pairs out in turn: what the others would put back must bring the map nearer to the one left out, by more than the
standard error of that gain. Otherwise nothing is put back. (The denoised map has seen the group that is left out, which
makes putting back look a little worse than it is: the error is on the cautious side.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .levels import wiener_weight
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
    scale = np.divide(1.0, residual.signal**2, out=np.zeros_like(residual.signal), where=residual.inside)
    scale = np.nan_to_num(scale, posinf=0.0) / residual.inside.sum()
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
    (weight,) = _weights(residual.values, residual.deviations, residual, [choice])
    return weight


def _gained(residual: Residual, groups: Groups, left_out: int, scale: np.ndarray) -> list[float]:
    """What each choice, made without one group, gains on that group."""
    others = groups.without(left_out)
    values = (others.mean - residual.denoised) * residual.inside
    unseen = (groups.means[left_out] - residual.denoised) * residual.inside
    gains = []
    for weight in _weights(values, others.deviations, residual, CHOICES):
        back = weight * values
        gains.append(float((scale * back * (2 * unseen - back)).sum()))
    return gains


def _weights(
    values: np.ndarray, deviations: np.ndarray, residual: Residual, choices: Sequence[Choice]
) -> list[np.ndarray]:
    variance, energy, inside = np.square(deviations).sum(axis=0), values**2, residual.inside
    freedom = len(deviations) - 1
    levels: dict[float, tuple[np.ndarray, np.ndarray]] = {}
    for fwhm in {choice.fwhm for choice in choices}:
        if fwhm > 0:
            levels[fwhm] = tuple(residual.windows(fwhm).means(np.stack([energy, variance]), inside.astype(np.float32)))
        else:
            near = residual.windows(_NEIGHBOURS).means(variance[None], inside.astype(np.float32))[0]
            levels[fwhm] = energy, (freedom * variance + _PRIOR * near) / (freedom + _PRIOR)
    return [wiener_weight(levels[c.fwhm][0], c.caution * levels[c.fwhm][1]) * inside for c in choices]
