"""Where networks run, and where a run goes on when that device runs out of memory, or will not do it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from .device_errors import is_device_refusal
from .devices import first_line
from .memory import is_out_of_memory

_Done = TypeVar("_Done")


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

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it fell back to, and what was refused, a sentence each; none where all was done as chosen."""
        fallbacks = (f"Memory ran out, and it went on with {to}." for to in self.fallbacks)
        refusals = (f"The graphics processor would not do it: {each}." for each in self.refusals)
        return tuple(dict.fromkeys((*fallbacks, *refusals)))

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


def or_on_the_cpu(do: Callable[[], _Done], compute: Compute, what: str) -> _Done:
    """What `do` gives; where another device's memory runs out in it, or it will not do it, what it gives on the CPU.

    Args:
        do: has networks run on `compute.device`; called again from the start where that failed.
        compute: where, and from a failure on the CPU.
        what: is done, in words for the progress: "the step 'denoise'".
    """
    try:
        return do()
    except Exception as error:
        full = is_out_of_memory(error)
        if compute.device == "cpu" or not (full or is_device_refusal(error)):
            raise
        refused = "" if full else first_line(error)
    # outside of `except`, so that nothing holds on to what the failed attempt had in memory
    _free_memory()
    compute.fall_back(f"{what} again on the cpu", device="cpu", refused=refused)
    return do()


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    with suppress(RuntimeError):  # a card that has failed does not even empty its cache
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()
