"""Adapting a model to the scans of a site: prepared, learned from, judged, and kept only where it earned its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, Protocol

from ..adapting.adaptation import Adaptation
from ..adapting.scan import AdaptationScan
from ..compute import Compute, or_on_the_cpu
from ..denoising.adaptable import check_adaptable
from ..denoising.catalogue import DEFAULT_MODEL, ModelCard, find_model, user_models_folder
from ..devices import DEVICES, resolve_device
from ..errors import InputError
from ..given import settle
from ..pipeline.request import Request, SeriesFile
from ..progress import Progress, remembering, silent, span
from .bundle import write_site_bundle
from .differences import check_count, refuse_copies, refuse_labellings, warnings_of
from .look import Seen, look_at
from .names import check_name, check_place
from .prepare import SECONDS, prepare_scans
from .saw import SawScan
from .scans import SiteScan, find_site_scans
from .verdict_text import sentence_of, verdict_table

_LONGEST = 24 * 60.0  # minutes
_LOOKING = 1.5  # s a scan


@dataclass(frozen=True, eq=False)
class AdaptRequest:
    """What a model is to be adapted to, and what it is to be called.

    Args:
        scans: series, folders of them, or ``*_request.json`` of results; the last scan judges and teaches nothing.
        name: of the new model, in the user's folder of models.
        start: the model to start from (`denoising.catalogue`).
        max_minutes: of learning and judging at the most; preparing the scans comes on top.
        device: where networks run: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        seed: of what is drawn.

    Raises:
        InputError: the name is taken or no plain name, the model cannot be adapted, or a number is of no use.
    """

    scans: tuple[Path | SeriesFile | Request, ...]
    name: str
    start: str = DEFAULT_MODEL
    max_minutes: float = 20.0
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        settle(self)
        check_name(self.name)
        check_adaptable(find_model(self.start))
        if not 0 < self.max_minutes <= _LONGEST:
            raise InputError(f"{self.max_minutes:g} minutes of learning are out of range; give up to {_LONGEST:g}.")
        if self.device not in DEVICES:
            raise InputError(f"There is no device '{self.device}'; choose one of {', '.join(DEVICES)}.")
        if self.seed < 0:
            raise InputError(f"The seed {self.seed} is below zero; give 0 or more.")

    @property
    def seconds(self) -> float:
        """What it usually takes at the most."""
        return (SECONDS + _LOOKING) * len(self.scans) + 60 * self.max_minutes


@dataclass(frozen=True, eq=False)
class SiteAdaptation:
    """A model adapted to scans of a site, and what became of it.

    Args:
        name: of the model; `start` that of the one it came from.
        adaptation: the verdict and how it was learned, without the weights.
        card_folder: the bundle where it earned its place; None where it did not, and nothing was written.
        scans: what it saw.
        warnings: sentences on the scans, and on a device that would not do it.
        seconds: that all of it took.
    """

    name: str
    start: str
    adaptation: Adaptation
    card_folder: Path | None
    scans: tuple[SawScan, ...]
    warnings: tuple[str, ...]
    seconds: float

    @property
    def earned(self) -> bool:
        """Whether the model is among the user's now."""
        return self.card_folder is not None

    @property
    def sentence(self) -> str:
        """What became of it, in a sentence or two."""
        return sentence_of(self.name, self.start, self.adaptation, self.card_folder)

    def __str__(self) -> str:
        return f"{verdict_table(self.adaptation.verdict)}\n\n{self.sentence}"

    def _repr_html_(self) -> str:
        from ..reporting.adapted_html import figures_html

        return f"<p>{escape(self.sentence)}</p>{figures_html(self.adaptation.verdict.figures)}"

    def __repr__(self) -> str:
        became = "earned its place" if self.earned else "was refused"
        return f"<SiteAdaptation {self.name} of {self.start}, {len(self.scans)} scans: {became}>"


class Adapting(Protocol):
    """What learns and judges: `adapting.adapt.adapt_to_scans`."""

    def __call__(
        self,
        card: ModelCard,
        scans: Sequence[AdaptationScan],
        *,
        max_minutes: float,
        seed: int,
        compute: Compute,
        progress: Progress,
    ) -> Adaptation:
        """Adapt a model to scans."""


def run_adaptation(
    request: AdaptRequest,
    progress: Progress = silent,
    *,
    tell: Callable[[str], None] = lambda sentence: None,
    adapting: Adapting | None = None,
) -> SiteAdaptation:
    """Adapt a model, judge it, and write its bundle where it earned its place.

    Args:
        request: to what.
        progress: told how far it is.
        tell: told each warning as soon as it is known; where a graphics processor refuses, the CPU does it.
        adapting: learns and judges; None: `adapting.adapt.adapt_to_scans`.

    Raises:
        InputError: there are too few scans, or one cannot be used: nothing was written.
    """
    started = time.perf_counter()
    check_place(user_models_folder())
    card, scans = find_model(request.start), find_site_scans(request.scans)
    check_count(len(scans))
    progress, say = remembering(progress)
    compute = Compute(resolve_device(request.device), say)
    looking, preparing, learning = _parts(progress, len(scans), request.max_minutes)
    seen = _look(scans, looking)
    warnings = list(warnings_of(seen))
    _tell_all(warnings, tell)
    ready = prepare_scans(scans, card, preparing)
    doubts = [sentence for each in ready for sentence in each.warnings]
    _tell_all(doubts, tell)
    given = {"max_minutes": request.max_minutes, "seed": request.seed, "compute": compute, "progress": learning}
    adapt, learned_from = adapting or _adapting(), [each.scan for each in ready]
    adaptation = or_on_the_cpu(lambda: adapt(card, learned_from, **given), compute, "adapting")
    _tell_all(compute.sentences, tell)
    doubts += compute.sentences
    saw = tuple(SawScan.of(one, each) for one, each in zip(seen, ready, strict=True))
    folder = None
    if adaptation.verdict.earned:
        told = {"seed": request.seed, "device": compute.device, "warnings": (*warnings, *doubts)}
        folder = write_site_bundle(request.name, card, adaptation, saw, **told)
    progress(1.0, "done")
    kept = replace(adaptation, tuned=adaptation.tuned.without_weights())
    seconds = round(time.perf_counter() - started, 1)
    return SiteAdaptation(request.name, request.start, kept, folder, saw, (*warnings, *doubts), seconds)


def _adapting() -> Any:
    from ..adapting.adapt import adapt_to_scans

    return adapt_to_scans


def _look(scans: Sequence[SiteScan], progress: Progress) -> list[Seen]:
    seen = []
    for number, scan in enumerate(scans):
        progress(number / len(scans), f"{scan.name}: looking at it")
        seen.append(look_at(scan))
    refuse_copies(seen)
    refuse_labellings(seen)
    return seen


def _tell_all(sentences: Sequence[str], tell: Callable[[str], None]) -> None:
    for sentence in sentences:
        tell(sentence)


def _parts(progress: Progress, count: int, minutes: float) -> tuple[Progress, Progress, Progress]:
    """The progress of looking, preparing and learning, each with the share that it usually takes."""
    seconds = (_LOOKING * count, SECONDS * count, 60 * minutes)
    total = sum(seconds)
    ends = [sum(seconds[: n + 1]) / total for n in range(3)]
    return tuple(span(progress, start, end) for start, end in zip((0.0, *ends), ends, strict=False))
