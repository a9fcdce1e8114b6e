"""What a run is asked to do: one of the pipeline's ways with its nouns and choices, fit to be sent to a child."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..denoising.catalogue import find_model
from ..errors import InputError
from ..preparing.pairs import pair_members
from ..progress import Progress, silent
from ..series import ASLSeries, Tissue, Volume
from .estimate import Plan, denoise_plan, superresolve_plan


class Way(str, Enum):
    """The ways through `pipeline` that a job can take."""

    DENOISE = "denoise"
    SUPERRESOLVE = "superresolve"


@dataclass(frozen=True, eq=False)
class Job:
    """A call of `pipeline.denoise` or `pipeline.superresolve` that has not happened yet.

    >>> job = Job.denoise(series, t1=t1, device="cpu")       # doctest: +SKIP
    >>> result = job.run()                                   # doctest: +SKIP

    Args:
        way: which of them.
        series: what was read.
        options: its other arguments by name, without `progress`.

    Raises:
        TypeError: the pipeline knows no option of such a name; raised at once, not in the child.
    """

    way: Way
    series: ASLSeries
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "way", Way(self.way))
        object.__setattr__(self, "options", dict(self.options))
        known = inspect.signature(self._function()).parameters.keys() - {"series", "progress"}
        unknown = sorted(self.options.keys() - known)
        if unknown:
            raise TypeError(f"{self.way.value} has no option {', '.join(unknown)}; it has {', '.join(sorted(known))}")

    @classmethod
    def denoise(cls, series: ASLSeries, **options: Any) -> Job:
        """`pipeline.denoise(series, **options)`."""
        return cls(Way.DENOISE, series, options)

    @classmethod
    def superresolve(cls, series: ASLSeries, **options: Any) -> Job:
        """`pipeline.superresolve(series, **options)`."""
        return cls(Way.SUPERRESOLVE, series, options)

    @property
    def nouns(self) -> dict[str, object]:
        """The series and the images among the options."""
        found: dict[str, object] = {"series": self.series}
        found |= {name: value for name, value in self.options.items() if isinstance(value, (Volume, Tissue))}
        regions = self.options.get("regions") or {}
        return found | {f"regions/{name}": mask for name, mask in regions.items()}

    @property
    def plan(self) -> Plan | None:
        """How long it usually takes, by what the options say; None where a model or method does not exist."""
        chosen, series = self._chosen(), self.series
        about = {
            "size": series.geometry.size,
            "volumes": len(series.context),
            "with_t1": chosen["t1"] is not None,
            "motion": chosen["preparation"].motion,
            "device": chosen["device"],
        }
        try:
            card = None if chosen["model"] is None else find_model(chosen["model"])
        except InputError:
            return None  # the run itself says what is wrong
        if self.way is Way.SUPERRESOLVE:
            return superresolve_plan(chosen["method"], card=card, **about)
        pairs = len(pair_members(series))
        return denoise_plan(card, groups=-(-pairs // (chosen["group"] or pairs or 1)), **about)

    def run(self, progress: Progress = silent) -> Any:
        """Make the call here and now, with a retreat from memory that runs out.

        Returns:
            An `ASLDenoiseLib.result.Result`.

        Raises:
            InputError: as the pipeline does.
        """
        return self._function()(self.series, progress=progress, **self.options)

    def _chosen(self) -> dict[str, Any]:
        """The options, with the pipeline's defaults where nothing was chosen."""
        parameters = inspect.signature(self._function()).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty} | dict(self.options)

    def _function(self) -> Callable[..., Any]:
        from .. import pipeline

        return getattr(pipeline, self.way.value)
