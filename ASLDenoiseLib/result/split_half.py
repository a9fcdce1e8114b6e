"""How odd and even pairs agree: two maps of one scan that share no pair, raw and denoised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from .adaptation import SHARED

CAVEAT = (
    "Halves share no noise, and noise is all that their agreement tells of: blur, bias and anatomy that a guide "
    "brought, which both share, raise r and CCC and do not show, so that smoothing alone is rewarded (see the "
    "Gaussian); for the same reason 2r/(1+r), by which Spearman and Brown step r up to two whole scans, is too high of "
    "a smoothed or denoised map."
)


@dataclass(frozen=True)
class HalfAgreement:
    """How one kind of map of the odd pairs agrees with that of the even ones, over the brain.

    Args:
        name: ``raw``, ``prepared``, ``gaussian`` or ``denoised``.
        label: for people.
        r: Pearson's correlation.
        ccc: Lin's concordance.
        rmse: root mean squared difference, in the unit of the maps.
    """

    name: str
    label: str
    r: float
    ccc: float
    rmse: float

    @property
    def stepped_up(self) -> float:
        """2r/(1+r), the r of two whole scans by Spearman and Brown (see `CAVEAT`); NaN for r of -1."""
        return 2 * self.r / (1 + self.r) if self.r > -1 else math.nan


@dataclass(frozen=True)
class SplitHalf:
    """Odd against even pairs.

    Args:
        odd, even: pairs in each half.
        voxels: of the brain, that every map measures in both.
        unit: of the maps.
        agreements: raw first, denoised last.
        adapted: the network of both halves was adapted to the whole scan.
    """

    odd: int
    even: int
    voxels: int
    unit: str
    agreements: tuple[HalfAgreement, ...]
    adapted: bool = False

    @property
    def of_name(self) -> dict[str, HalfAgreement]:
        """The agreements by their names."""
        return {each.name: each for each in self.agreements}

    @property
    def headline(self) -> str:
        """Raw and denoised in a line."""
        raw, denoised = self.of_name["raw"], self.of_name["denoised"]
        figures = f"r {raw.r:.2f} raw, {denoised.r:.2f} denoised; CCC {raw.ccc:.2f} raw, {denoised.ccc:.2f} denoised"
        return f"Odd against even pairs: {figures}"

    @property
    def sentence(self) -> str:
        """Every figure, and what they do not show."""
        figures = "; ".join(
            f"{each.label} r {each.r:.3f}, CCC {each.ccc:.3f}, RMSE {each.rmse:.3g} {self.unit}"
            for each in self.agreements
        )
        where = f"{self.odd} and {self.even} pairs, {self.voxels} voxels of the brain"
        return f"Odd against even pairs ({where}): {figures}. {self.caveat}"

    @property
    def caveat(self) -> str:
        """What the figures do not show."""
        return f"{CAVEAT} {SHARED}" if self.adapted else CAVEAT

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> SplitHalf:
        """What `to_plain` gave."""
        agreements = tuple(
            HalfAgreement(**{f.name: math.nan if each[f.name] is None else each[f.name] for f in fields(HalfAgreement)})
            for each in plain["agreements"]
        )
        return cls(plain["odd"], plain["even"], plain["voxels"], plain["unit"], agreements, bool(plain.get("adapted")))

    def to_plain(self) -> dict[str, object]:
        """As JSON holds it."""
        agreements = [
            {name: _finite(value) for name, value in {**asdict(each), "spearman_brown": each.stepped_up}.items()}
            for each in self.agreements
        ]
        return {**asdict(self), "agreements": agreements, "caveat": self.caveat}


def _finite(value: object) -> object:
    """JSON has no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
