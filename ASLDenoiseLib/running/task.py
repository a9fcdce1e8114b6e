"""What a runner sends to a child process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..progress import Progress


class Task(Protocol):
    """What the runner sends to a child: anything that pickles and can be run there.

    Its class must be importable in the child: not defined in `__main__` or in a function.
    """

    @property
    def nouns(self) -> Mapping[str, object]:
        """Large objects that the result may hold again, by any name: they are not sent back, they are kept."""

    @property
    def seconds(self) -> float | None:
        """What it usually takes, if its progress goes by that; None where nobody knows."""

    def run(self, progress: Progress) -> Any:
        """Do it and return the result, which must pickle."""
