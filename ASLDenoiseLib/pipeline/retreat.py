"""When memory runs out: smaller portions, then the CPU; said in the progress, and as a finding of the result.

Portions and the CPU for a network's pass are `denoising.feeding.memory`'s work, which says in its log what it did. Here
that is heard, and where a whole run fails for want of the device's memory it is made again on the CPU.
"""

from __future__ import annotations

import functools
import gc
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ..memory import is_out_of_memory
from ..progress import Progress, silent
from ..series import Finding, Origin, Parameter, Severity

if TYPE_CHECKING:
    from ..result import Result

RETREATS = "ASLDenoiseLib.denoising.feeding.memory"  # the logger whose warnings are retreats


def retreating(way: Callable[..., Result]) -> Callable[..., Result]:
    """A way of `pipeline` that goes on when the memory of a graphics card runs out, and says so.

    A run that still fails for want of the device's memory is made again on the CPU, with what was asked otherwise.
    Every retreat is a line of progress at once, and a finding of the result. Wrapping twice does no harm.

    Raises:
        MemoryError: or what libraries raise in its place: the CPU's memory ran out, and there is nowhere to go.
    """

    if getattr(way, "retreats", False):
        return way

    @functools.wraps(way)
    def run(*arguments: object, device: str = "auto", progress: Progress = silent, **options: object) -> Result:
        listener = _Listener(progress)
        with _heard(listener):
            try:
                return told(way(*arguments, device=device, progress=listener.progress, **options), listener.retreats)
            except Exception as error:
                if not is_out_of_memory(error) or not _elsewhere(device):
                    raise
            # outside of `except`, so that nothing holds on to what the failed run had in memory
            _forget()
            listener.tell(f"the whole run again on the cpu, after the memory of '{device}' ran out")
            result = told(way(*arguments, device="cpu", progress=listener.progress, **options), listener.retreats)
            return _moved(result, asked=device)

    run.retreats = True
    return run


def told(result: Result, retreats: list[str]) -> Result:
    """The result with a finding of what was retreated to; as it is where nothing was."""
    if not retreats:
        return result
    finding = Finding(
        "out-of-memory",
        Severity.NOTE,
        "Memory ran out during the run, which went on in smaller portions or on the CPU",
        "; ".join(dict.fromkeys(retreats)),
        "The result is whole. To be faster, close other programs that use the graphics card, or choose the CPU.",
    )
    return replace(result, findings=(*result.findings, finding))


class _Listener(logging.Handler):
    """Hears the retreats of its own thread, and passes them on as progress at the fraction reached so far."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.WARNING)
        self.retreats: list[str] = []
        self._progress, self._fraction, self._thread = progress, 0.0, threading.get_ident()

    def progress(self, fraction: float, text: str) -> None:
        self._fraction = fraction
        self._progress(fraction, text)

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.tell(record.getMessage().removeprefix("Out of memory: going on with ").rstrip("."))

    def tell(self, retreat: str) -> None:
        self.retreats.append(retreat)
        self._progress(self._fraction, f"memory ran out, going on with {retreat}")


@contextmanager
def _heard(listener: _Listener) -> Iterator[None]:
    logger = logging.getLogger(RETREATS)
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)


def _elsewhere(device: str) -> bool:
    """Whether what ran out was the memory of another device than the CPU."""
    from ..devices import resolve_device

    return resolve_device(device) != "cpu"


def _forget() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _moved(result: Result, *, asked: str) -> Result:
    """The device as it came about, which nobody asked for."""

    def mended(parameter: Parameter) -> Parameter:
        if parameter.name != "device":
            return parameter
        return replace(parameter, origin=Origin.DEFAULT, note=f"the memory of '{asked}' ran out")

    return replace(result, parameters=tuple(mended(p) for p in result.parameters))
