"""Odd against even pairs: the run's own denoising and audit of each half of its clean pairs, and how they agree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..denoising.catalogue import find_model
from ..findings import note_kind
from ..measuring.baselines import matched_in_noise
from ..measuring.image_quality import ccc, pearson, rmse
from ..measuring.masks import FEWEST_VOXELS
from ..preparing.averaging import counted_pairs, mean_difference
from ..preparing.pairs import some_pairs
from ..progress import Progress
from ..remedies import Advice
from ..result import maps
from ..result.split_half import HalfAgreement, SplitHalf
from ..series import Volume
from .adapt_step import is_adapted
from .pairs_needed_step import denoised_of
from .request import Denoising
from .state import RunState
from .step import Cost

FEWEST_PAIRS = 4  # two in each half: one tells the audit no standard error
_UNTOLD = note_kind(
    "split-half-untold",
    "Odd and even pairs cannot be compared: {count} pairs are averaged",
    f"each half takes two pairs or more, so that it takes {FEWEST_PAIRS}, and voxels that both halves measure",
    Advice("ask it of a scan with more pairs"),
)
_LABELS = {"raw": "raw", "prepared": "prepared", "gaussian": "Gaussian, noise-matched", "denoised": "denoised"}
_KEPT = {"raw": (maps.RAW_ODD, maps.RAW_EVEN), "denoised": (maps.DENOISED_ODD, maps.DENOISED_EVEN)}


def measure_split_half(run: RunState, progress: Progress) -> None:
    """Compare the map of every second pair with that of the others; a finding where it cannot be told.

    Motion, outliers and nuisances are the run's, found in all pairs. Pairs that are left out whole are in neither half.
    """
    used = counted_pairs(len(run.pairs.context), run.weights)
    if len(used) >= FEWEST_PAIRS:
        halves = []
        for n, chosen in enumerate((used[::2], used[1::2])):
            halves.append(_half(run, chosen))
            progress((n + 1) / 2, f"denoised the {('odd', 'even')[n]} pairs")
        inside = (run.brain.array > 0) & _known(halves)
        if inside.sum() >= FEWEST_VOXELS:
            run.split_half = _judged(run, halves, inside, (len(used[::2]), len(used[1::2])))
            run.halves = _maps(run, halves)
            return
    run.findings.append(_UNTOLD.finding(count=len(used)))


def _half(run: RunState, chosen: np.ndarray) -> dict[str, Volume]:
    """The maps of some pairs, by `_LABELS`, in the unit of the run."""
    to_cbf, weights = run.quantification.cbf, None if run.weights is None else run.weights[chosen]
    found = {"raw": to_cbf(mean_difference(some_pairs(run.acquired, chosen)))}
    prepared = to_cbf(mean_difference(some_pairs(run.pairs, chosen), weights))
    if run.cleaned is not run.raw:
        found["prepared"] = prepared
    denoised = to_cbf(denoised_of(run, chosen))
    smoothed, _ = matched_in_noise(prepared, denoised, run.tissue)
    return {**found, **({} if smoothed is None else {"gaussian": smoothed}), "denoised": denoised}


def _known(halves: list[dict[str, Volume]]) -> np.ndarray:
    """Bool (K, J, I): voxels that every map of both halves measures."""
    return np.all([np.isfinite(volume.array) for half in halves for volume in half.values()], axis=0)


def _judged(run: RunState, halves: list[dict[str, Volume]], inside: np.ndarray, pairs: tuple[int, int]) -> SplitHalf:
    odd, even = halves
    agreements = tuple(
        HalfAgreement(
            name,
            _LABELS[name],
            *(figure(odd[name].array, even[name].array, inside) for figure in (pearson, ccc, rmse)),
        )
        for name in odd
        if name in even
    )
    return SplitHalf(*pairs, int(inside.sum()), run.quantification.unit, agreements, is_adapted(run))


def _maps(run: RunState, halves: list[Mapping[str, Volume]]) -> dict[str, Volume]:
    """The maps of both halves that are handed on."""
    unit = run.quantification.unit
    both = {key: half[name] for name, keys in _KEPT.items() for key, half in zip(keys, halves, strict=True)}
    return {maps.in_unit(key, unit): volume for key, volume in both.items()}


def split_half_cost(asked: Denoising) -> Cost:
    """Of two runs of the network, of audits, and of the Gaussians they are held against."""
    measured = find_model(asked.model).seconds.get("cpu", 1.0)
    if asked.group is None:
        return Cost(0.5, a_grid=2 * measured + 2.5)
    return Cost(0.5, a_grid=2.5, a_grid_and_volume=measured / (2 * asked.group))
