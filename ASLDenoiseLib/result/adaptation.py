"""Whether a run's network was adapted to its scan: what was learned, and the figures it was judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..verdict import Figure, Verdict

SHARED = (
    "The network was adapted to this scan beforehand, so that the pairs it was not given here have had a part in its "
    "gains, and the figures flatter it a little."
)


@dataclass(frozen=True)
class ScanAdaptation:
    """A network that learned from the noise of one scan's own pairs, and whether it is used.

    Args:
        model: that it started from, which is used as it is where the adapted one did not earn its place.
        pairs: of the scan that count.
        gains: how many numbers could learn.
        steps: of learning.
        seconds: that learning took.
        seed: of the pairs that were drawn.
        verdict: what it was judged by, on pairs that neither taught nor stopped it.
    """

    model: str
    pairs: int
    gains: int
    steps: int
    seconds: float
    seed: int
    verdict: Verdict

    @property
    def used(self) -> bool:
        """Whether the adapted network made the maps."""
        return self.verdict.earned

    @property
    def gain(self) -> Figure | None:
        """The figure of the error on pairs apart; None where it was not measured."""
        return next((figure for figure in self.verdict.figures if figure.name.endswith("gain")), None)

    @property
    def gained(self) -> float:
        """How much smaller the squared error on pairs apart got, in `gained_unit`; NaN where that is not known."""
        if self.gain is None:
            return math.nan
        change = self.gain.after - self.gain.before
        return change if self.gain.unit == "dB" else -change

    @property
    def gained_unit(self) -> str:
        """dB; of so few pairs that an error cannot be told from zero, per cent of the raw mean's."""
        return "dB" if self.gain is None or self.gain.unit == "dB" else "% of the raw mean's error"

    @property
    def gained_words(self) -> str:
        """The gain with its standard error; empty where it could not be measured."""
        if not math.isfinite(self.gained):
            return ""
        return f"{self.gained:+.2g}{self.gain.plus_minus} {self.gained_unit}"

    @property
    def sentence(self) -> str:
        """What became of it, in a sentence or two."""
        learned = f"{self.gains} gains of {self.model} learned from the noise of its {self.pairs} pairs"
        if self.used:
            told = f", and gained {self.gained_words} on pairs apart" if self.gained_words else ""
            return f"Adapted to this scan: {learned}{told}."
        told = f" ({self.gained_words} on pairs apart)" if self.gained_words else ""
        return f"Not adapted to this scan: {learned}, which did not earn their place{told}; it was used as it is."

    @property
    def shortfall(self) -> str:
        """What it fell short in, with its numbers."""
        return "; ".join(figure_words(figure) for figure in self.verdict.unmet) or "nothing was gained"

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ScanAdaptation:
        """What `to_plain` gave."""
        told = {name: plain[name] for name in ("model", "pairs", "gains", "steps", "seconds", "seed")}
        return cls(**told, verdict=Verdict.from_plain(plain["verdict"]))

    def to_plain(self) -> dict[str, object]:
        """As JSON holds it."""
        return {"used": self.used, "said": self.sentence, **asdict(self), "verdict": self.verdict.to_plain()}


def figure_words(figure: Figure) -> str:
    """A figure with its unit, and what was asked of it: ``GM mean against raw 1.2 -> 3.1 %, asked: within 2 %``."""
    values = " -> ".join(f"{value:.3g}" if math.isfinite(value) else "n/a" for value in (figure.before, figure.after))
    unit = f" {figure.unit}" if figure.unit else ""
    return f"{figure.label} {values}{figure.plus_minus}{unit}, asked: {figure.asked}"
