"""Series of one delay whose blood arrives late on one side, and the arrival times as another scan has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from delay_builders import ScanOfDelays, scan_of_delays

from ASLDenoiseLib.pipeline.request import ArrivalMap
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.series import Volume

UNMOVED = Preparation(motion=False, nuisance=())
DELAY, LATE, EARLY = 1.8, 2.5, 1.2  # s
CBF = 60.0  # ml/100g/min, of grey matter


@dataclass(frozen=True, eq=False)
class LateScan:
    """A series of one delay, and where its blood arrives late and early in grey matter, bool (K, J, I)."""

    scan: ScanOfDelays
    late: np.ndarray
    early: np.ndarray

    @property
    def att(self) -> Volume:
        """s; NaN outside the head."""
        return self.scan.att.with_array(np.where(self.scan.brain, self.scan.att.array, np.nan))

    def asked(self, *, error: float | None = None, noise: np.ndarray | float = 0.0) -> ArrivalMap:
        """The true times with noise, that lie with the series, and the SD of their error, s."""
        att = self.att.with_array(np.clip(self.att.array + noise, 0.01, None))
        sd = None if error is None else att.with_array(np.where(self.scan.brain, error, np.nan))
        return ArrivalMap(att, sd, space="asl")


def late_scan(*, late: float = LATE, size: tuple[int, int, int] = (24, 24, 10), **choices: object) -> LateScan:
    """A ball of a head, one half of which gets its blood `late` (s); the choices are those of `scan_of_delays`."""
    right = np.indices(size[::-1])[2] >= size[0] / 2
    att = np.where(right, late, EARLY)
    given = {"delays": (DELAY,), "noise": 0.5, "repeats": 6, **choices}
    scan = scan_of_delays(att=att, size=size, **given)
    grey = scan.brain & (scan.tissue.gm.array > 0.5)
    return LateScan(scan, grey & right, grey & ~right)
