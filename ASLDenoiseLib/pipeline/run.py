"""The one way through: `run` walks the steps of a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..compute import Compute, or_on_the_cpu
from ..devices import resolve_device, usable_cores
from ..errors import InputError
from ..given import fitted
from ..progress import Progress, remembering, silent, span
from ..remedies import GiveImage
from ..series import ASLSeries
from .again import FIRST, can_begin_again, keep, keep_template, taken_up
from .estimate import seconds_of
from .found_head import FoundHead
from .preparation_steps import alignment_target
from .request import Request
from .segmenting import Segmenting
from .state import RunState
from .step import Step, Workload
from .steps import preparation_steps, steps_again, steps_of

if TYPE_CHECKING:
    from ..result import Result
    from .head_store import HeadStore
    from .scene_beside import SceneBeside

_OF_THE_T1 = ("t1-other-head", "t1-fit-doubtful", "registration-doubtful", "t1-contrast")
# What every run with a network loads, in an order in which the first are needed first; a child loads it as it waits
LOADED = (
    *("numpy", "ASLDenoiseLib.pipeline.run", "ASLDenoiseLib.inspecting.inspection", "scipy.optimize", "SimpleITK"),
    *("torch", "skimage.filters"),
)
_READY = 1  # the number of the last step, inspecting, that may begin before it is known where networks run
_AHEAD = ("torch", "matplotlib.figure", "matplotlib.backends.backend_agg")  # none is part of what another loads
_UNMEASURED = 600.0  # s, the share of the bar of a step that was never measured


@fitted
def run(request: Request, progress: Progress = silent) -> Result:
    """Do what a request asks for.

    Raises:
        InputError: an input or a choice cannot be used; nothing has been written.
        MemoryError: or what libraries raise in its place: the CPU's memory ran out, and there is nowhere to go.
    """
    return completed(request, progress).result


def completed(
    request: Request,
    progress: Progress = silent,
    *,
    keep_in: Path | None = None,
    heads: HeadStore | None = None,
    beside: bool = False,
) -> RunState:
    """The whole state of a run at its end: the result, the files that were written, and all between.

    `keep_in` is a folder where what was prepared is kept, for `completed_again`, and `heads` one where what was found
    of the T1 is taken from, or kept, for other scans of it; a disk without room for either costs the run nothing.
    `beside` lets the run use another core for what is not computing: torch is loaded as the series is read and
    inspected, and scene and picture are written by a process of their own.
    """
    _check_folder(request)
    state = RunState(request, Compute("cpu"), heads)
    if beside and len(usable_cores()) > 1:
        state.beside = _scene_beside(request)
        state.loading = _torch_ahead(request)
    if state.loading is None:
        state.compute = _compute(request)
    try:
        _walk(state, steps_of(request), progress, keep_in)
    finally:
        if state.beside is not None:
            state.beside.end()
    if keep_in is not None:
        with suppress(OSError):
            keep_template(state, keep_in)
    return state


def completed_again(request: Request, folder: Path, progress: Progress = silent) -> RunState:
    """As `completed`, from the step that cleans the pairs on, with what an earlier run kept in a folder.

    Raises:
        InputError: as `run`; or nothing is kept there, or it is of a request that was prepared otherwise.
    """
    _check_folder(request)
    state = taken_up(request, folder)
    state.compute = _compute(request)
    _walk(state, steps_again(request), progress)
    with suppress(OSError):
        keep_template(state, folder)
    return state


def prepared(request: Request, progress: Progress = silent, *, heads: HeadStore | None = None) -> RunState:
    """The state of a run once its pairs are clean: what denoisers are given; `heads` is as of `completed`."""
    return _walk(RunState(request, Compute("cpu"), heads), preparation_steps(request), progress)


def found_head(request: Request, progress: Progress = silent, *, keep_in: Path | None = None) -> FoundHead:
    """Whether the T1 of a request belongs to its series, by the steps that a run takes to align it.

    `keep_in` is as of `completed`: the run that follows need not take them again.

    Raises:
        InputError: the series or the T1 cannot be used, or there is no T1.
    """
    if request.head.t1 is None:
        raise InputError("There is no T1 to check", [GiveImage("t1", "give one")])
    steps = [step for step in preparation_steps(request) if step.name != FIRST]
    state = _walk(RunState(request, Compute("cpu")), steps, progress)
    if keep_in is not None:
        with suppress(OSError):
            keep(state, keep_in)
    target = alignment_target(state.aligned, state.raw)
    findings = [f for f in state.findings if f.code in _OF_THE_T1]
    return FoundHead(state.fit, tuple(findings), state.t1_to_asl, target, state.brain)


@dataclass(frozen=True, eq=False)
class RequestTask:
    """A request as a task for a child process (`running.task.Task`).

    Args:
        request: what to do.
        folder: where what is prepared is kept, in a folder that only this user can write to; None: nowhere.
        again: take up what is kept there, as far as it is of this request, instead of beginning from the start.
    """

    request: Request
    folder: Path | None = None
    again: bool = False

    @property
    def inputs(self) -> dict[str, object]:
        """The series and the images of the request, which the result may hold again."""
        return self.request.inputs

    @property
    def device(self) -> str:
        """Where networks are to run."""
        return self.request.device

    @property
    def seconds(self) -> float | None:
        """What it usually takes; None where that was never measured, or the series is not read yet."""
        series = self.request.series
        if not isinstance(series, ASLSeries):
            return None
        steps = steps_again(self.request) if self.begins_again else steps_of(self.request)
        return seconds_of(steps, Workload.of(series))

    @property
    def begins_again(self) -> bool:
        """Whether it takes up what is kept."""
        return self.again and self.folder is not None and can_begin_again(self.request, self.folder)

    def run(self, progress: Progress = silent) -> Result:
        """The result, here and now."""
        if self.begins_again:
            return completed_again(self.request, self.folder, progress).result
        return completed(self.request, progress, keep_in=self.folder).result


def _check_folder(request: Request) -> None:
    if request.outputs.folder is not None:
        from ..reporting.derivatives import check_destination

        check_destination(request.outputs.folder, dataset_root=request.outputs.dataset)


def _scene_beside(request: Request) -> SceneBeside | None:
    from .scene_beside import SceneBeside

    wanted = request.outputs.folder is not None and request.outputs.scene
    return SceneBeside() if wanted and SceneBeside.possible() else None


def _torch_ahead(request: Request) -> threading.Thread | None:
    """A thread that loads torch, where the request needs it, and what draws the report.

    What is wrong with one is told when it is asked for.
    """
    if not _computes(request) or find_spec("torch") is None:
        return None

    def load() -> None:
        for name in _AHEAD:
            with suppress(Exception):
                import_module(name)

    thread = threading.Thread(target=load, name="ASLDenoise torch", daemon=True)
    thread.start()
    return thread


def _segmenting(state: RunState) -> Segmenting | None:
    """The T1's segmentation, begun on another core; not where scans share heads and cores, as in a cohort."""
    if state.t1 is None or state.heads is not None or len(usable_cores()) < 2:
        return None
    return Segmenting(state.t1, state.request.preparation.segmenter)


def _computes(request: Request) -> bool:
    return any(step.computes for step in steps_of(request))


def _compute(request: Request) -> Compute:
    return Compute(resolve_device(request.device) if _computes(request) else "cpu")


def _walk(state: RunState, steps: Sequence[Step], progress: Progress, keep_in: Path | None = None) -> RunState:
    """Every step in turn; each gets the share of the progress bar that it usually costs."""
    costs = _shares(steps, _workload(state))
    progress, tell = remembering(progress)
    state.compute.tell = tell
    done = 0.0
    for number, step in enumerate(steps):
        total = done + sum(costs[number:])
        if not step.is_of(len(state.acquired_delays)):
            continue
        if state.loading is not None and (number > _READY or not state.loading.is_alive()):
            state.compute, state.loading = _compute(state.request), None
            state.compute.tell = tell
        part = span(progress, done / total, (done + costs[number]) / total)
        part(0.0, step.text)
        if keep_in is not None and step.name == FIRST:
            with suppress(OSError):
                keep(state, keep_in)
        if step.name == FIRST and state.beside is not None:  # the largest memory is needed before
            state.beside.warm()
        started = time.perf_counter()
        _attempt(step, state, part)
        state.timings[step.name] = round(time.perf_counter() - started, 3)
        done += costs[number]
        if number == 0 and step.name == "read":  # the series is read, and what is still to come can be told better
            state.segmenting = _segmenting(state)
            costs[1:] = _shares(steps[1:], _workload(state))
    progress(1.0, "done")
    return state


def _workload(state: RunState) -> Workload:
    """Of the series, once it is read."""
    return Workload() if state.series is None else Workload.of(state.series)


def _shares(steps: Sequence[Step], work: Workload) -> list[float]:
    each = (step.seconds(work) for step in steps)
    return [_UNMEASURED if seconds is None else max(seconds, 0.01) for seconds in each]


def _attempt(step: Step, state: RunState, progress: Progress) -> None:
    """Do a step; where another device's memory runs out in it, or it will not do it, do it again on the CPU."""
    if step.computes:
        or_on_the_cpu(lambda: step.run(state, progress), state.compute, f"the step '{step.name}'")
    else:
        step.run(state, progress)
