"""Where networks run, and where a run goes on when that device runs out of memory, or will not do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


def _to_nobody(text: str) -> None:
    """Tell nobody; by its name, so that what holds it pickles."""


@dataclass
class Compute:
    """Where networks run; what that device has no memory for, or refuses, moves them on, which `tell` is told.

    Args:
        device: ``cpu``, ``cuda`` or ``mps``; where the run is now.
        tell: told each fallback at once, in words for the progress.
        fallbacks: what the run fell back to for want of memory, in order.
        moved_from: the device that was left for good; empty where none was.
        refusals: what devices would not do, and why, in order.
    """

    device: str
    tell: Callable[[str], None] = _to_nobody
    fallbacks: list[str] = field(default_factory=list)
    moved_from: str = ""
    refusals: list[str] = field(default_factory=list)

    def fall_back(self, to: str, *, device: str | None = None, refused: str = "") -> None:
        """Go on with `to` ("8 slices at once on cuda"), on another `device` where one is named.

        Args:
            to: what the run goes on with.
            device: where.
            refused: why the device that is left would not do it, where that was not for want of memory.
        """
        left = self.device
        if device is not None and device != self.device:
            self.moved_from, self.device = self.device, device
        if refused:
            self.refusals.append(f"{left} refused ({refused}), going on with {to}")
            self.tell(self.refusals[-1])
            return
        self.fallbacks.append(to)
        self.tell(f"memory ran out, going on with {to}")
