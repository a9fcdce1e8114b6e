"""Safety on the user's own held-out scan, before and after adapting: no worse, by what was known beforehand.

The tolerances are for the draw: which pairs and which places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..measuring.image_quality import decibels, pearson
from ..measuring.masks import grey_matter, white_matter
from ..series import Geometry
from ..verdict import Figure
from .figures import NAN, Judged
from .groups import raw_mean
from .handed_on import Answer, Denoiser
from .implants import (
    guides_with_lesions,
    lesions,
    m0_with_lesions,
    noise_alone,
    sphere,
    spread_places,
    with_added,
    with_another_heads,
    without_guides,
)
from .scan import AdaptationScan
from .unbiased_error import error_map
from .uncertainty import noise_of_mean

DIAMETERS = (3, 4, 6)  # voxels
CHANGES = {"hypo": -0.7, "hyper": 1.0}  # of the perfusion
PLACES = 6
RECOVERY_TOLERANCE = 0.05
NOISE_TOLERANCE = 2.0  # per cent of the scan's own contrast
GUIDES_WITHIN, GUIDES_TOLERANCE = 2.0, 0.05  # per cent of the ball's mean, and as a share of what it was
REMOVED_WITHIN, REMOVED_TOLERANCE = 0.05, 0.01  # of a correlation
COVERED, COVERAGE_TOLERANCE = (90.0, 98.0), 1.0  # per cent
HEAD_TOLERANCE = 0.2  # dB
_FREE = 25.0  # mm between lesions, at least


def lesion_figures(scan: AdaptationScan, before: Denoiser, after: Denoiser, plain: Sequence[Answer]) -> list[Figure]:
    """How much of lesions implanted in every pair comes through, f(x + l) - f(x) over l; `plain` are the answers to x.

    Three sizes; darker and brighter ones take turns in the grey matter. The scan's noise is in both terms and cancels.
    """
    geometry, figures = scan.pairs.geometry, []
    grey = _grey(scan)
    for voxels in DIAMETERS:
        balls = _balls(grey, geometry, voxels)
        kinds = [tuple(CHANGES)[n % len(CHANGES)] for n in range(len(balls))]
        added = lesions(scan, balls, [CHANGES[kind] for kind in kinds])
        ill = with_added(scan, added)
        changed = [
            denoise(ill).difference - was.difference for denoise, was in zip((before, after), plain, strict=True)
        ]
        for kind in CHANGES:
            where = np.any([b for b, k in zip(balls, kinds, strict=True) if k == kind] or [np.zeros_like(grey)], axis=0)
            kept = [_recovered(each, added, where & grey) for each in changed]
            asked = f"no further from 1 than before, to {RECOVERY_TOLERANCE:g}"
            label = f"{kind}perfused lesions of {voxels} voxels in {scan.name}: share that comes through"
            met = bool(abs(kept[1] - 1) <= abs(kept[0] - 1) + RECOVERY_TOLERANCE)
            figures.append(Figure(f"lesion_{kind}_{voxels}", label, "", *kept, NAN, asked, met))
    return figures


def noise_figure(scan: AdaptationScan, before: Denoiser, after: Denoiser, rng: np.random.Generator) -> Figure:
    """Noise alone in: how much of the scan's own contrast of grey and white matter comes out."""
    grey, white = _grey(scan), _white(scan)
    empty = noise_alone(scan, rng)
    own = abs(_contrast(raw_mean(scan).array, grey, white))
    shares = [100 * _contrast(denoise(empty).difference, grey, white) / own for denoise in (before, after)]
    asked = f"no further from 0 than before, to {NOISE_TOLERANCE:g} %"
    met = bool(abs(shares[1]) <= abs(shares[0]) + NOISE_TOLERANCE)
    label = f"noise of {scan.name} alone: contrast of GM and WM that comes out, of the scan's own"
    return Figure("noise_alone", label, "%", *shares, NAN, asked, met)


def guide_lesion_figures(
    scan: AdaptationScan, before: Denoiser, after: Denoiser, plain: Sequence[Answer]
) -> list[Figure]:
    """How far a lesion in a guide alone moves the CBF of its place: of the T1's classes, and of the M0."""
    white = _white(scan)
    balls = _balls(white, scan.pairs.geometry, 4)
    figures = []
    for name, guide, there, change in (
        ("t1_lesion", "T1", len(scan.guides.maps) == 3, guides_with_lesions),
        ("m0_lesion", "M0", scan.guides.m0 is not None, m0_with_lesions),
    ):
        label = f"a lesion on the {guide} alone of {scan.name}: change of CBF in its place"
        if not there:
            figures.append(not_asked(name, label, "%", f"the scan has no {guide}"))
            continue
        misled = replace(scan, guides=change(scan.guides, balls))
        moved = [
            float(np.mean([_change(denoise(misled).difference, was.difference, ball & white) for ball in balls]))
            for denoise, was in zip((before, after), plain, strict=True)
        ]
        asked = f"below {GUIDES_WITHIN:g} %, or no more than before, to {100 * GUIDES_TOLERANCE:g} % of it"
        met = bool(moved[1] <= max(GUIDES_WITHIN, moved[0] * (1 + GUIDES_TOLERANCE)))
        figures.append(Figure(name, label, "%", *moved, NAN, asked, met))
    return figures


def removed_figure(scan: AdaptationScan, plain: Sequence[Answer]) -> Figure:
    """Whether what is removed looks like grey matter."""
    raw, inside = raw_mean(scan).array, scan.brain.array > 0
    grey = np.nan_to_num(scan.tissue.gm.array)
    found = [abs(pearson(raw - answer.difference, grey, inside & np.isfinite(raw))) for answer in plain]
    asked = f"below {REMOVED_WITHIN:g}, or no more than before, to {REMOVED_TOLERANCE:g}"
    met = bool(found[1] <= max(REMOVED_WITHIN, found[0] + REMOVED_TOLERANCE))
    label = f"what is removed from {scan.name}, correlated with the GM map"
    return Figure("removed_gm", label, "", *found, NAN, asked, met)


def coverage_figure(judged: Sequence[Judged]) -> Figure:
    """How many unseen pairs' means lie within the 95 % interval, their own noise counted."""
    scan = judged[0].given
    label = f"unseen pairs of {scan.name} within the 95 % interval"
    if judged[0].before.deviation is None:
        return not_asked("coverage", label, "%", "the network tells no SD")
    shares = [100 * float(np.mean(each)) for each in zip(*(_covered(j) for j in judged), strict=True)]
    low, high = COVERED
    asked = f"from {low:g} to {high:g} %, or no further from 95 % than before, to {COVERAGE_TOLERANCE:g} %"
    met = bool(low <= shares[1] <= high or abs(shares[1] - 95) <= abs(shares[0] - 95) + COVERAGE_TOLERANCE)
    return Figure("coverage", label, "%", *shares, NAN, asked, met)


def another_head_figure(judged: Judged, before: Denoiser, after: Denoiser, others: Sequence[AdaptationScan]) -> Figure:
    """What the T1 of another head costs against none: a network that trusts its guides blindly pays."""
    scan = judged.given
    label = f"the T1 of another head laid on {scan.name}: error against that without guides"
    if len(scan.guides.maps) != 3:
        return not_asked("another_head", label, "dB", "the scan has no T1")
    misled, whose = with_another_heads(scan, others)
    inside, costs = scan.brain.array > 0, []
    for denoise in (before, after):
        wrong, none = (
            float(np.nanmean(error_map(denoise(each).difference, judged.unseen)[inside]))
            for each in (misled, without_guides(scan))
        )
        costs.append(decibels(wrong, none))
    asked = f"no more than before, to {HEAD_TOLERANCE:g} dB"
    met = bool(costs[1] <= costs[0] + HEAD_TOLERANCE)
    return Figure("another_head", f"{label} ({whose})", "dB", *costs, NAN, asked, met)


def not_asked(name: str, label: str, unit: str, why: str) -> Figure:
    """A figure that nothing can be measured of: it is met, and says why."""
    return Figure(name, label, unit, NAN, NAN, NAN, f"not asked: {why}", True)


def _grey(scan: AdaptationScan) -> np.ndarray:
    return grey_matter(scan.tissue) & _known(scan)


def _white(scan: AdaptationScan) -> np.ndarray:
    return white_matter(scan.tissue) & _known(scan)


def _known(scan: AdaptationScan) -> np.ndarray:
    return (scan.brain.array > 0) & np.isfinite(raw_mean(scan).array)


def _balls(where: np.ndarray, geometry: Geometry, voxels: float) -> list[np.ndarray]:
    edge = voxels * geometry.voxel_volume ** (1 / 3)
    places = spread_places(where, geometry, PLACES, apart=max(2.5 * edge, _FREE))
    return [sphere(geometry, place, voxels) for place in places]


def _recovered(change: np.ndarray, added: np.ndarray, where: np.ndarray) -> float:
    known = where & np.isfinite(change)
    total = float(added[known].sum())
    return float(change[known].sum()) / total if total else NAN


def _contrast(array: np.ndarray, grey: np.ndarray, white: np.ndarray) -> float:
    levels = [float(np.nanmean(array[mask])) if mask.any() else NAN for mask in (grey, white)]
    return levels[0] - levels[1]


def _change(after: np.ndarray, before: np.ndarray, where: np.ndarray) -> float:
    level = float(np.nanmean(before[where]))
    return 100 * abs(float(np.nanmean(after[where])) / level - 1) if level else NAN


def _covered(judged: Judged) -> tuple[float, float]:
    unseen, noise = raw_mean(judged.unseen).array, noise_of_mean(judged.unseen)
    shares = []
    for answer in (judged.before, judged.after):
        known = (judged.given.brain.array > 0) & np.isfinite(unseen) & np.isfinite(answer.difference)
        apart = np.abs(unseen - answer.difference)
        shares.append(float(np.mean((apart <= 1.96 * np.hypot(answer.deviation, noise))[known])))
    return shares[0], shares[1]
