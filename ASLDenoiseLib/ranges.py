"""The one table of what each number of an acquisition may be: possible, usual, and in which other units it is met.

Readers, options, panel and findings all go by it. A number outside the possible range is refused, unless another unit
explains it: that is a finding with a fix (`inspecting.value_checks`). One outside the usual range is a finding alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np


@dataclass(frozen=True)
class OtherUnit:
    """A unit that numbers come in by mistake.

    Args:
        name: for people, and of the fix: ``milliseconds``.
        factor: of it in the field's unit: 1000.
    """

    name: str
    factor: float


@dataclass(frozen=True)
class Range:
    """What the values of one field may be, in its unit.

    Args:
        possible: lowest and highest that can be; both included.
        usual: lowest and highest without a finding; None: all that is possible.
        zero: zero is let through: it stands for 'none', or for 'not stated', which a finding says.
        others: the units that a number outside the possible range may be in, the commonest first.
        typical: the values that are met most; where two units explain a number, the one that comes closer.
    """

    possible: tuple[float, float]
    usual: tuple[float, float] | None = None
    zero: bool = False
    others: tuple[OtherUnit, ...] = ()
    typical: tuple[float, ...] = ()

    def holds(self, value: float) -> bool:
        """Whether a value is possible."""
        return (self.zero and value == 0) or self.possible[0] <= value <= self.possible[1]

    def is_usual(self, value: float) -> bool:
        """Whether a possible value needs no word."""
        low, high = self.usual or self.possible
        return (self.zero and value == 0) or low <= value <= high


_SHORT = (OtherUnit("milliseconds", 1e3), OtherUnit("microseconds", 1e6))
_OF_FIELDS = (OtherUnit("gauss", 1e4), OtherUnit("millitesla", 1e3))
_PERCENT = (OtherUnit("percent", 1e2),)
_ANY_SCALE = (1e-9, 1e12)

RANGES: Mapping[str, Range] = MappingProxyType(
    {
        # Findings of their own know more closely what is usual of delay and durations (`delay_checks`)
        "post_labeling_delay": Range((0.01, 10.0), (0.1, 6.0), zero=True, others=_SHORT),
        "label_duration": Range((0.01, 10.0), (0.1, 6.0), zero=True, others=_SHORT),
        "bolus_duration": Range((0.01, 5.0), (0.3, 2.0), zero=True, others=_SHORT),
        "slice_timing": Range((0.0, 20.0), others=_SHORT),
        "flip_angle": Range((0.1, 180.0)),  # degrees
        "repetition_time": Range((0.1, 60.0), (0.5, 25.0), zero=True, others=_SHORT),
        "m0_repetition_time": Range((0.1, 60.0), (0.5, 30.0), zero=True, others=_SHORT),
        # 0.05 T: the weakest whole-body scanners; 10.5 and 11.7 T: the strongest
        "field_strength": Range((0.05, 15.0), (0.2, 11.8), others=_OF_FIELDS, typical=(1.5, 3.0, 7.0)),
        # Blood: 0.9 s at 0.2 T, 2.6 s at 11.7 T (0.110 B0 + 1.316); haematocrit moves it by a fifth
        "t1_blood": Range((0.5, 4.0), (0.9, 3.0), others=_SHORT),
        "t1_tissue": Range((0.3, 5.0), (0.6, 3.0), others=_SHORT),
        "labeling_efficiency": Range((0.01, 1.0), (0.4, 1.0), others=_PERCENT),
        # ml/g; 0.82 in white matter, 0.98 in grey (Herscovitch and Raichle 1985)
        "partition_coefficient": Range((0.3, 1.5), (0.7, 1.1), others=(OtherUnit("ml/100g", 1e2),)),
        "suppression_pulses": Range((0, 30), (0, 10)),
        "total_pairs": Range((1, 100_000)),
        "m0_estimate": Range(_ANY_SCALE),
        "m0_scale": Range(_ANY_SCALE),
    }
)


def explaining_unit(field: str, values: object) -> OtherUnit | None:
    """The other unit that puts impossible values of a field into its usual range; None where none does.

    >>> explaining_unit("t1_blood", 1650.0).name, explaining_unit("field_strength", 30000).name
    ('milliseconds', 'gauss')
    """
    limits = RANGES[field]
    numbers = _numbers(values)
    if not len(numbers) or all(map(limits.holds, numbers)):
        return None
    fitting = [unit for unit in limits.others if all(limits.is_usual(n / unit.factor) for n in numbers)]

    def apart(unit: OtherUnit) -> float:
        return min((abs(np.log(numbers.max() / unit.factor / value)) for value in limits.typical), default=0.0)

    return min(fitting, key=apart, default=None)


def impossible(field: str, values: object) -> float | None:
    """The first of the values of a field that cannot be, whatever its unit; None where all can."""
    if field not in RANGES or explaining_unit(field, values) is not None:
        return None
    return next((float(n) for n in _numbers(values) if not RANGES[field].holds(n)), None)


def unusual(field: str, values: object) -> float | None:
    """The first of the possible values of a field that is seldom met; None where all are usual."""
    if field not in RANGES:
        return None
    limits = RANGES[field]
    return next((float(n) for n in _numbers(values) if limits.holds(n) and not limits.is_usual(n)), None)


def _numbers(values: object) -> np.ndarray:
    return np.empty(0) if values is None else np.atleast_1d(np.asarray(values, float)).ravel()
