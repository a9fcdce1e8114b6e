"""How far a cohort is: scans that are over, failed and running, and the time left by what the others took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..group.record import ScanRecord
from .pool import Outcome, PoolEvent, PoolState, TaskBegan, TaskEnded, TaskMoved

_ENOUGH = 0.1  # of a scan, before its own fraction tells what scans take


@dataclass
class RunningScan:
    """A scan that a worker is at: the part that is done (0 to 1), what is being done, and when it began."""

    began: float
    fraction: float = 0.0
    text: str = "starting"


@dataclass
class Tally:
    """Counts what a pool tells.

    Args:
        clock: seconds.
    """

    clock: Callable[[], float] = time.monotonic
    total: int = 0
    slots: int = 0
    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)  # why, by the scan's name
    running: dict[str, RunningScan] = field(default_factory=dict)
    _taken: list[float] = field(default_factory=list)  # s, of scans that are done

    @property
    def over(self) -> int:
        """Scans that are done or failed."""
        return self.done + len(self.failed)

    @property
    def waiting(self) -> int:
        """Scans that no worker has begun."""
        return max(0, self.total - self.over - len(self.running))

    def hear(self, event: PoolEvent) -> None:
        """Take in what a pool tells."""
        match event:
            case PoolState(total, slots):
                self.total, self.slots = total, slots
            case TaskBegan(key):
                self.running[key] = RunningScan(self.clock())
            case TaskMoved(key, fraction, text):
                scan = self.running.setdefault(key, RunningScan(self.clock()))
                scan.fraction, scan.text = fraction, text
            case TaskEnded(outcome):
                self._end(outcome)

    def _end(self, outcome: Outcome) -> None:
        scan, why = self.running.pop(outcome.key, None), reason_of(outcome)
        if why:
            self.failed[outcome.key] = why
            return
        self.done += 1
        if scan is not None:
            self._taken.append(self.clock() - scan.began)

    def seconds_left(self) -> float | None:
        """Seconds until all are over: by what scans took, side by side on the workers; None while that is unknown."""
        usual = self._usual()
        if usual is None or not self.slots:
            return None
        now = self.clock()
        left = [max(0.0, usual - (now - scan.began)) for scan in self.running.values()]
        return max([(sum(left) + self.waiting * usual) / self.slots, *left])

    def _usual(self) -> float | None:
        """Seconds that a scan takes, of those that are done; before that by how far the running ones are."""
        if self._taken:
            return sum(self._taken) / len(self._taken)
        now = self.clock()
        told = [(now - s.began) / s.fraction for s in self.running.values() if s.fraction >= _ENOUGH]
        return sum(told) / len(told) if told else None


def reason_of(outcome: Outcome) -> str:
    """Why a scan failed, in one sentence; empty where it did not."""
    return outcome.sentence or (outcome.result.sentence if isinstance(outcome.result, ScanRecord) else "")


def in_words(seconds: float) -> str:
    """A duration for people.

    >>> in_words(45), in_words(754), in_words(7300)
    ('45 s', '13 min', '2 h 2 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
