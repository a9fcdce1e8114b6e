"""What another head's T1 does to scans that an adaptation never saw, before and after it, and whether a run notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ASLDenoiseLib.adapting.handed_on import Denoiser
from ASLDenoiseLib.learning.simulate import SimulatedHead
from ASLDenoiseLib.measuring.image_quality import decibels
from ASLDenoiseLib.pipeline.preparation_steps import alignment_target
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.preparing.registration import register_rigid
from ASLDenoiseLib.preparing.series_fit import SeriesFit, series_fit
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.series import Volume

from .adapting_figures import BeforeAfter, Row, true_error
from .adapting_sites import with_exchanged_t1s
from .cases import Case
from .methods import ALL, M0, denoise_with

OWN, NO_T1, OTHER = "own T1", "no T1", "another head's T1"


def head_rows(cases: Sequence[Case], both: BeforeAfter) -> dict[str, Row]:
    """By `before` and `after`: gains over the raw mean (dB) by what guides, and how far another's T1 moves CBF."""
    bare = [replace(case, guides=()) for case in cases]
    given = {OWN: cases, NO_T1: bare, OTHER: with_exchanged_t1s(cases)}
    return {name: _row(given, denoiser) for name, denoiser in (("before", both.before), ("after", both.after))}


def _row(given: dict[str, Sequence[Case]], denoiser: Denoiser) -> Row:
    gains, maps = {}, {}
    for what, cases in given.items():
        answers = [_denoised(denoiser, case, M0 if what == NO_T1 else ALL) for case in cases]
        pairs = list(zip(cases, answers, strict=True))
        shares = [true_error(case, answer.array) / true_error(case, case.raw.array) for case, answer in pairs]
        gains[f"{what} (dB)"] = decibels(1.0, float(np.mean(shares)))
        maps[what] = [case.cbf(answer).array for case, answer in pairs]
    moved = zip(given[OWN], maps[OWN], maps[OTHER], strict=True)
    apart = [(_rms((other - own)[case.inside]), _change(other[case.gm], own[case.gm])) for case, own, other in moved]
    whole, grey = np.mean(apart, axis=0)
    return gains | {"moved (ml/100g/min)": float(whole), "GM mean (%)": float(grey)}


def _denoised(denoiser: Denoiser, case: Case, guide: str) -> Volume:
    how = {"audit": True, "network": denoiser.network, "device": denoiser.compute.device}
    return denoise_with(denoiser.card, case, guide, **how).difference


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(np.square(values))))


def _change(values: np.ndarray, before: np.ndarray) -> float:
    return abs(100 * (float(np.nanmean(values)) / float(np.nanmean(before)) - 1))


def fit_rows(heads: Sequence[SimulatedHead], names: Sequence[str]) -> dict[str, dict[str, dict[str, object]]]:
    """What a run says of each scan's own T1 and of the next head's, by name, as plain JSON."""
    others = [*heads[1:], heads[0]]
    return {
        name: {OWN: fit_of(head.t1, head).to_plain(), OTHER: fit_of(other.t1, head).to_plain()}
        for name, head, other in zip(names, heads, others, strict=True)
    }


def fit_of(t1: Volume, head: SimulatedHead) -> SeriesFit:
    """Whether a T1 belongs to a scan, as a run asks it: segmented, registered, and held against its mirror image."""
    series, brain = head.scan.series, head.scan.tissue.brain
    raw = mean_difference(difference_volumes(series))
    target, tissue = alignment_target(series, raw), tissue_from_t1(t1)
    found = register_rigid(t1, target, fixed_mask=brain_mask(series.m0), moving_mask=tissue.brain)
    return series_fit(tissue, found, (target, raw), brain)
