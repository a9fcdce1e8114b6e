"""What is found of a T1 before a run: whether it belongs to the series, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..findings import Finding
from ..preparing.series_fit import SeriesFit
from ..series import Volume


@dataclass(frozen=True, eq=False)
class FoundHead:
    """A T1 registered to a series, and whether it belongs to it.

    Args:
        fit: whether the T1 belongs to the series.
        findings: what was noticed about the T1 and its alignment.
        t1_to_asl: 4x4, LPS mm: takes a point of the T1 to the same anatomy in the series.
        target: the image of the series that the T1 was registered to.
        brain: 0/1, the brain of the series as it was found in its own images.
    """

    fit: SeriesFit
    findings: tuple[Finding, ...]
    t1_to_asl: np.ndarray
    target: Volume = field(repr=False)
    brain: Volume = field(repr=False)
