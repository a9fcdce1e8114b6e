"""Adapting as a task for a child process (`running.task.Task`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..progress import Progress, silent
from .adapt import AdaptRequest, SiteAdaptation, run_adaptation


@dataclass(frozen=True, eq=False)
class AdaptTask:
    """A model to be adapted; what comes back holds no weights, which are in its bundle.

    Args:
        request: to what.
    """

    request: AdaptRequest

    @property
    def inputs(self) -> Mapping[str, object]:
        """Nothing is sent back that was sent."""
        return {}

    @property
    def device(self) -> str:
        """Where networks are to run."""
        return self.request.device

    @property
    def seconds(self) -> float:
        """What it usually takes at the most."""
        return self.request.seconds

    def run(self, progress: Progress = silent) -> SiteAdaptation:
        """Adapt, judge, and keep what earned its place."""
        return run_adaptation(self.request, progress)
