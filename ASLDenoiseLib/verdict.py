"""Whether an adapted network earns its place: what was measured before and after, and what was asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


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

    @property
    def plus_minus(self) -> str:
        """The standard error as it stands behind a number; empty where it is not known."""
        return f" ± {self.error:.2g}" if math.isfinite(self.error) else ""


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

    @classmethod
    def from_plain(cls, plain: Sequence[Mapping[str, Any]]) -> Verdict:
        """What `to_plain` gave."""
        return cls(tuple(Figure(**{n: math.nan if v is None else v for n, v in each.items()}) for each in plain))

    def to_plain(self) -> list[dict[str, object]]:
        """As JSON holds it, which has no NaN."""
        return [{name: _finite(value) for name, value in asdict(figure).items()} for figure in self.figures]


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
