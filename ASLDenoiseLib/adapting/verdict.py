"""Whether an adapted network earns its place: what was measured before and after, and what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One figure of a network before and after it was adapted.

    Args:
        name: one word or two with underscores, for tables.
        label: for people, with what it was measured on.
        unit: ``dB``, ``%``...; empty for a ratio.
        before, after: of the network as it was, and as adapted; NaN where it cannot be measured.
        error: standard error of the difference of the two, in the same unit; NaN where it is not known.
        asked: in words, what `after` must be.
        met: whether it is.
    """

    name: str
    label: str
    unit: str
    before: float
    after: float
    error: float
    asked: str
    met: bool


@dataclass(frozen=True)
class Verdict:
    """All that an adaptation was judged by; it is refused unless every figure is met."""

    figures: tuple[Figure, ...]

    @property
    def earned(self) -> bool:
        """Whether the adapted network takes the place of the one it came from."""
        return bool(self.figures) and all(figure.met for figure in self.figures)

    @property
    def unmet(self) -> tuple[Figure, ...]:
        """What it fell short in."""
        return tuple(figure for figure in self.figures if not figure.met)


@dataclass(frozen=True, eq=False)
class Tuned:
    """Weights that learning from noise left, and how they came about.

    Args:
        weights: state dict of the network (gains multiplied in), on the CPU.
        way: ``gains``, ``all weights``, or ``nothing`` where neither gained.
        steps, seconds: of learning.
        gains: how many gains there are.
        uncertainty_factor: what the network's SD is multiplied by, found on pairs apart; None where it gives none.
        curve: what was watched: step to unbiased squared error over that of the network as it was.
    """

    weights: Mapping[str, object]
    way: str
    steps: int
    seconds: float
    gains: int
    uncertainty_factor: float | None = None
    curve: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Adaptation:
    """An adapted network with the verdict on it.

    Args:
        tuned: the weights.
        verdict: on pairs and scans that neither taught nor stopped the learning.
        saw: for the card: scans, their pairs, which was held out, in words or numbers.
    """

    tuned: Tuned
    verdict: Verdict
    saw: Mapping[str, object] = field(default_factory=dict)
