"""Where networks run, and where a run goes on when the memory of that device runs out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


def _to_nobody(text: str) -> None:
    """Tell nobody; by its name, so that what holds it pickles."""


@dataclass
class Compute:
    """Where networks run; running out of that device's memory moves them on, which `tell` is told.

    Args:
        device: ``cpu``, ``cuda`` or ``mps``; where the run is now.
        tell: told each fallback at once, in words for the progress.
        fallbacks: what the run fell back to, in order.
        moved_from: the device whose memory ran out for good; empty where none did.
    """

    device: str
    tell: Callable[[str], None] = _to_nobody
    fallbacks: list[str] = field(default_factory=list)
    moved_from: str = ""

    def fall_back(self, to: str, *, device: str | None = None) -> None:
        """Go on with `to` ("8 slices at once on cuda"), on another `device` where one is named."""
        if device is not None and device != self.device:
            self.moved_from, self.device = self.device, device
        self.fallbacks.append(to)
        self.tell(f"memory ran out, going on with {to}")
