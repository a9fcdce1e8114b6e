"""How fast this machine is just now: what limits of time in tests are multiples of."""

from __future__ import annotations

import time
from collections.abc import Callable


def pace(clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds for a fixed piece of Python work, the slowest of five times; about 20 ms on two quiet cores."""
    taken = []
    for _ in range(5):
        began = clock()
        sum(range(1_000_000))
        taken.append(clock() - began)
    return max(taken)
