"""What becomes of noise that holds no perfusion: how much is left, and whether it looks like a brain or a lesion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ASLDenoiseLib.measuring.image_quality import pearson
from ASLDenoiseLib.preparing.averaging import variance_of_mean
from ASLDenoiseLib.series import Volume

from .cases import Case
from .lesions import false_lesions

LEVEL = 0.05  # of voxels beyond their 95 % interval
Z = 1.96
APART, RAW_APART = "GM - WM (% of SD in)", "the same of the raw mean"
LESIONS, BEYOND = "lesions", "beyond 1.96 (%)"
SIGNIFICANT, RESTORED = "called more than noise (%)", "SD restored / in"


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method makes of a case, in its units (K, J, I).

    Args:
        difference: the map.
        sd: the SD it gives its error; None where it gives none.
        restored: what an audit of the residual put back; None without one.
        significant: share of the brain (0 to 1) that such an audit called more than noise.
    """

    difference: np.ndarray
    sd: np.ndarray | None = None
    restored: np.ndarray | None = None
    significant: float | None = None


@dataclass(frozen=True)
class NullWay:
    """A named way to an answer."""

    name: str
    run: Callable[[Case], Answer]


def raw_answer(case: Case) -> Answer:
    """The plain mean, and its standard error widened as Student's t has it for so few pairs."""
    from scipy.stats import t

    n = len(case.pairs.context)
    widened = t.ppf(1 - LEVEL / 2, n - 1) / Z
    return Answer(case.raw.array, widened * np.sqrt(variance_of_mean(case.pairs.array)))


def pair_sd(case: Case) -> float:
    """Root mean square SD of the difference of one pair in the brain, from every pair."""
    return float(np.sqrt(np.mean(case.every_pair.array.var(axis=0, ddof=1)[case.inside])))


def beyond(values: np.ndarray, sd: np.ndarray | None, inside: np.ndarray) -> float:
    """Share (0 to 1) of voxels whose value lies beyond 1.96 SD; NaN without an SD."""
    if sd is None:
        return float("nan")
    known = inside & np.isfinite(values) & np.isfinite(sd)
    return float(np.mean(np.abs(values[known]) > Z * sd[known])) if known.any() else float("nan")


def figures(case: Case, answer: Answer, *, level: float) -> dict[str, float]:
    """The figures of one answer; `level` is the SD of one pair, and of a grey matter whose SNR in one pair is 1."""
    inside, truth = case.inside, case.raw.with_array(np.zeros(case.raw.array.shape))
    shown, raw = np.where(inside, answer.difference, np.nan), case.raw.array
    noise = float(np.std(raw[inside]))
    lesions = false_lesions(case.raw.with_array(shown), truth, case.brain, level)
    return {
        "SD out / in": float(np.nanstd(shown[inside])) / noise,
        APART: 100 * _apart(case, shown) / noise,
        RAW_APART: 100 * _apart(case, raw) / noise,
        "r with guides": strongest(shown, guides_of(case), inside),
        LESIONS: float(lesions.count),
        BEYOND: 100 * beyond(shown, answer.sd, inside),
        SIGNIFICANT: float("nan") if answer.significant is None else 100 * answer.significant,
        RESTORED: float("nan") if answer.restored is None else float(np.nanstd(answer.restored[inside])) / noise,
    }


def _apart(case: Case, array: np.ndarray) -> float:
    """Mean of the laid-over grey matter less that of the white matter; NaN without a head."""
    if not (case.gm.any() and case.wm.any()):
        return float("nan")
    return float(np.nanmean(array[case.gm]) - np.nanmean(array[case.wm]))


def guides_of(case: Case) -> list[Volume]:
    """All that a head laid over the gel may draw into the map: tissue, the T1's classes, its M0. None without one.

    The gel's own mean control is none: its noise is in the differences, too.
    """
    return [case.tissue.gm, case.tissue.wm, *case.guides, case.m0] if case.guides else []


def strongest(array: np.ndarray, guides: Sequence[Volume], inside: np.ndarray) -> float:
    """Pearson's correlation with the guide it is strongest with, signed; NaN where none varies."""
    found = [r for g in guides if np.isfinite(r := pearson(array, g.array, inside))]
    return max(found, key=abs) if found else float("nan")


def independent_voxels(case: Case) -> float:
    """To how many independent voxels those of the brain amount, for the share beyond a limit.

    Whether a voxel lies beyond a limit on either side correlates between neighbours by at most the square of the
    noise's own correlation, which is taken to fall off as a Gaussian's: r, r^4, r^9, ... along each axis.
    """
    apart = np.where(case.inside, case.every_pair.array - case.every_pair.array.mean(axis=0), 0.0)
    steps, factor = np.arange(1, 31), 1.0
    for axis in (1, 2, 3):
        n = apart.shape[axis]
        one, other = np.take(apart, range(n - 1), axis), np.take(apart, range(1, n), axis)
        both = np.take(case.inside, range(n - 1), axis - 1) & np.take(case.inside, range(1, n), axis - 1)
        scale = np.sqrt((one[:, both] ** 2).sum() * (other[:, both] ** 2).sum())
        r = max(float((one[:, both] * other[:, both]).sum() / scale), 0.0) if scale > 0 else 0.0
        factor *= 1 + 2 * float(np.sum(r ** (2.0 * steps**2)))
    return float(case.inside.sum()) / factor


def band(count: float, *, level: float = LEVEL) -> tuple[float, float]:
    """The 95 % range (0 to 1) of the share of `count` independent voxels beyond a limit that `level` of them pass."""
    from scipy.stats import binom

    n = max(round(count), 1)
    return tuple(float(v) / n for v in binom.ppf((0.025, 0.975), n, level))
