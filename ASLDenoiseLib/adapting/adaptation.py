"""What adapting leaves: the weights that were learned, and the verdict on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..verdict import Verdict


@dataclass(frozen=True, eq=False)
class Attempt:
    """One way of learning at its best on the watched pairs, whether it was kept or not.

    Args:
        way: ``gains`` or ``all weights``.
        steps: of this way, to its best.
        gain: dB by which its error lies below that of what was kept before; NaN where that cannot be told.
        error: the standard error of `gain`.
        kept: whether the error fell by more than its standard error.
        weights: state dict, as of `Tuned`.
    """

    way: str
    steps: int
    gain: float
    error: float
    kept: bool
    weights: Mapping[str, object]


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
        tried: each way of learning, in order; the last one that was kept is `way`, as far as lesions then allowed.
    """

    weights: Mapping[str, object]
    way: str
    steps: int
    seconds: float
    gains: int
    uncertainty_factor: float | None = None
    curve: tuple[tuple[int, float], ...] = ()
    tried: tuple[Attempt, ...] = ()

    def without_weights(self) -> Tuned:
        """What there is to tell of it: nothing that needs torch."""
        return replace(self, weights={}, tried=tuple(replace(each, weights={}) for each in self.tried))


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
