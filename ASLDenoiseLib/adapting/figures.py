"""The figures that say what an adaptation gained, and that it moved no mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..measuring.masks import FEWEST_VOXELS, tissue_masks
from ..preparing.averaging import variance_of_mean
from ..verdict import Figure
from .groups import Groups, counted, draw_halves, part_of, raw_mean
from .handed_on import Answer, Denoiser
from .scan import AdaptationScan
from .unbiased_error import BlockSums, blocks_of, error_map

MEANS_WITHIN = 2.0  # per cent of the raw mean
NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Judged:
    """A scan denoised from some of its pairs by both networks, and the pairs that judge the answers.

    Args:
        given, unseen: the scan with the pairs of each kind.
        before, after: the answers to `given`.
    """

    given: AdaptationScan
    unseen: AdaptationScan
    before: Answer
    after: Answer

    @classmethod
    def of(
        cls, scan: AdaptationScan, given: np.ndarray, unseen: np.ndarray, before: Denoiser, after: Denoiser
    ) -> Judged:
        """Denoise the pairs at `given`, to be judged by those at `unseen`."""
        part = part_of(scan, given)
        return cls(part, part_of(scan, unseen), before(part), after(part))

    @property
    def errors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The unbiased squared error (K, J, I) of the raw mean and of both answers, over the raw mean's variance.

        Its variance is what its own pairs spread by; its unbiased error may be below zero where few pairs judge.
        """
        raw = raw_mean(self.given).array
        maps = [error_map(each, self.unseen) for each in (raw, self.before.difference, self.after.difference)]
        variance = variance_of_mean(self.given.pairs.array, self.given.weights)[self.given.brain.array > 0]
        scale = float(np.nanmean(variance)) if np.isfinite(variance).any() else 0.0
        return tuple(each / (scale or 1.0) for each in maps)


@dataclass(frozen=True, eq=False)
class Errors:
    """Sums of unbiased errors over blocks of the brain, in units of the raw mean's variance, and how many voxels."""

    raw_before: BlockSums
    raw_after: BlockSums
    before_after: BlockSums
    voxels: int

    @property
    def levels(self) -> tuple[float, float]:
        """The mean error of both networks."""
        both = self.before_after
        return float(both.before.sum()) / self.voxels, float(both.after.sum()) / self.voxels

    @property
    def fall_error(self) -> float:
        """The standard error of how much the mean error fell."""
        return self.before_after.apart_error / self.voxels


def errors_of(splits: Sequence[Sequence[Judged]]) -> Errors:
    """The errors over several scans, each judged by one or several splits of its pairs, which are averaged."""
    sums: list[list[BlockSums]] = [[], [], []]
    voxels = 0
    for of_one in splits:
        raw, before, after = (np.mean(maps, axis=0) for maps in zip(*(each.errors for each in of_one), strict=True))
        scan = of_one[0].given
        blocks = blocks_of(scan.brain.array > 0, scan.pairs.geometry.spacing[::-1])
        voxels += int(((blocks >= 0) & np.isfinite(before) & np.isfinite(after)).sum())
        for part, pair in zip(sums, ((raw, before), (raw, after), (before, after)), strict=True):
            part.append(BlockSums.of(*pair, blocks))
    return Errors(*(BlockSums.joined(part) for part in sums), max(voxels, 1))


def judged_by_groups(scan: AdaptationScan, groups: Groups, before: Denoiser, after: Denoiser) -> Judged:
    """A scan that taught: all but the judging pairs are denoised, which neither taught nor stopped."""
    given = np.sort(np.concatenate([groups.learn, groups.watch]))
    return Judged.of(scan, given, groups.judge, before, after)


def judged_by_halves(
    scan: AdaptationScan, before: Denoiser, after: Denoiser, rng: np.random.Generator, *, draws: int = 2
) -> list[Judged]:
    """A scan that did not teach: random halves of its pairs, each denoised and judged by the other."""
    judged = []
    for _ in range(draws):
        one, other = draw_halves(counted(scan), 0.5, rng)
        judged += [Judged.of(scan, *pair, before, after) for pair in ((one, other), (other, one))]
    return judged


def gain_figure(name: str, place: str, found: Errors, *, surely: float) -> Figure:
    """How much smaller the error got, which is asked to be above `surely` of its standard errors.

    In dB below the raw mean's error; where the pairs that judge are so few that an error cannot be told from zero, in
    per cent of the raw mean's variance.
    """
    by = {0: "", 1: " by more than its standard error"}.get(surely, f" by more than {surely:g} standard errors")
    both = found.before_after
    if np.isfinite([both.gain, found.raw_before.gain]).all():
        met = bool(both.gain > surely * both.gain_error) if surely else both.gain > 0
        label = f"{place}: error below that of the raw mean"
        levels = (found.raw_before.gain, found.raw_after.gain)
        return Figure(name, label, "dB", *levels, both.gain_error, f"more than before{by}", met)
    before, after = (100 * level for level in found.levels)
    error = 100 * found.fall_error
    met = bool(before - after > (surely * error if surely else 0.0))
    label = f"{place}: error, of the raw mean's variance"
    return Figure(name, label, "%", before, after, error, f"less than before{by}", met)


def mean_figures(scan: AdaptationScan, before: Answer, after: Answer) -> list[Figure]:
    """How far grey and white matter's mean CBF lie from the raw ones, of a whole scan."""
    cbf, raw = scan.quantification.factor.array, raw_mean(scan).array
    figures = []
    for name, (mask, _) in tissue_masks(scan.tissue).items():
        if mask.sum() < FEWEST_VOXELS:
            continue
        moved = [_moved(answer.difference * cbf, raw * cbf, mask) for answer in (before, after)]
        own = _own_error(scan, mask)
        met = bool(abs(moved[1]) <= max(MEANS_WITHIN, own))
        further = f" or its own standard error of {own:.1f} %" if own > MEANS_WITHIN else ""
        asked = f"within {MEANS_WITHIN:g} %{further} of the raw mean"
        label = f"{name} mean of {scan.name}, all pairs, against the raw mean"
        figures.append(Figure(f"{name.lower()}_mean", label, "%", *moved, NAN, asked, met))
    return figures


def _own_error(scan: AdaptationScan, mask: np.ndarray) -> float:
    """The standard error (%) of the raw mean of a tissue, from how its pairs' means differ."""
    cbf = scan.quantification.factor.array
    known = mask & np.isfinite(cbf) & np.isfinite(raw_mean(scan).array)
    used = counted(scan)
    if len(used) < 2 or not known.any():
        return 0.0
    means = np.array([np.nanmean((scan.pairs.array[n] * cbf)[known]) for n in used])
    level = abs(float(means.mean()))
    return 100 * float(means.std(ddof=1)) / len(used) ** 0.5 / level if level else 0.0


def _moved(denoised: np.ndarray, raw: np.ndarray, mask: np.ndarray) -> float:
    known = mask & np.isfinite(denoised) & np.isfinite(raw)
    level = float(raw[known].mean()) if known.any() else 0.0
    return 100 * (float(denoised[known].mean()) / level - 1) if level else NAN
