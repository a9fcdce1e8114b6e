"""The task that a runner sends to a child process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..progress import Progress


class Task(Protocol):
    """Anything that pickles and can be run in a child, where its class must be importable: not one of `__main__`.

    One with a `device` of ``cpu`` has the graphics cards hidden from its process (`devices.settle_process`).
    """

    @property
    def inputs(self) -> Mapping[str, object]:
        """Large inputs that the result may hold again, by any name: they are not sent back, they are kept."""

    @property
    def seconds(self) -> float | None:
        """What it usually takes, if its progress goes by that; None where that is not known."""

    def run(self, progress: Progress) -> Any:
        """Do it and return the result, which must pickle."""
