"""How many pairs are enough: the errors of denoised and plain means by their number of pairs, and what they say."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .adaptation import SHARED


@dataclass(frozen=True)
class MapError:
    """The error of maps of so many pairs, squared, in the square of the unit of perfusion.

    Args:
        pairs: in each map.
        draws: how many maps of other pairs each it is the mean of.
        square: mean squared error over the brain, the noise of what it was measured against taken off; negative where
            that noise hides it.
        low, high: ends of the 95 % interval of `square`.
    """

    pairs: int
    draws: int
    square: float
    low: float
    high: float

    @property
    def rmse(self) -> float:
        """The root of the mean squared error; NaN where it is below what can be measured."""
        return math.sqrt(self.square) if self.square > 0 else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `rmse`: from 0 where that cannot be told from none; NaN where all of it is below."""
        return math.sqrt(max(self.low, 0.0)), math.sqrt(self.high) if self.high > 0 else math.nan


@dataclass(frozen=True)
class PairsNeeded:
    """How far denoised and plain means of some of a scan's pairs are from what its other pairs show.

    Args:
        total: pairs that the run averages.
        unit: of perfusion: ml/100g/min, or that of the scanner.
        variance: of the plain mean of all, by the spread of the pairs, times `total`: that of one pair where all weigh
            the same. Mean over the brain, in the square of `unit`.
        denoised: of the denoised map, by rising number of pairs.
        plain: likewise of the plain mean.
        needed: the fewest pairs whose denoised map has the error of the plain mean of all; the fewest that were tried
            where these will do, infinite where half of the pairs will not.
        low, high: the ends of its 95 % interval, likewise.
        adapted: the network was adapted to the whole scan.
    """

    total: int
    unit: str
    variance: float
    denoised: tuple[MapError, ...]
    plain: tuple[MapError, ...]
    needed: float
    low: float
    high: float
    adapted: bool = False

    def plain_rmse(self, pairs: float) -> float:
        """The error that the spread of the pairs gives the plain mean of so many of them, in `unit`."""
        return math.sqrt(self.variance / pairs)

    @property
    def headline(self) -> str:
        """The answer in a line, its 95 % interval in brackets."""
        fewest, most = self.denoised[0].pairs, self.denoised[-1].pairs
        if self.needed > most:
            return f"Denoised, {most} of {self.total} pairs do not give what all {self.total} give as a plain mean"
        low, middle, high = (_count(n, fewest, most) for n in (self.low, self.needed, self.high))
        interval = f" (up to {high})" if low == middle else f" ({low} to {high})"
        interval = "" if low == high else interval
        return f"Denoised, {middle}{interval} of {self.total} pairs give what all {self.total} give as a plain mean"

    @property
    def sentence(self) -> str:
        """The answer with the error that it is about."""
        error = f"an error of {self.plain_rmse(self.total):.3g} {self.unit} (RMSE in the brain)"
        shared = f" {SHARED}" if self.adapted else ""
        if self.needed > self.denoised[-1].pairs:
            return f"{self.headline}: {error}. Whether more would cannot be told from this scan.{shared}"
        told = " In brackets the 95 % interval." if "(" in self.headline else ""
        return f"{self.headline}: {error}.{told}{shared}"


def _count(pairs: float, fewest: int, most: int) -> str:
    """Whole pairs; what lies beyond those that were tried is not guessed."""
    if pairs > most:
        return f"more than {most}"
    return f"{fewest} or fewer" if pairs <= fewest else f"{math.ceil(pairs)}"
