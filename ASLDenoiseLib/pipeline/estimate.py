"""How long a run takes, roughly: before it, from what was measured, and during it, from how that compares.

Stages differ far more in time than in their share of the progress bar, so the time left is not read off the fraction
alone: a `Plan` says what each stretch of the bar usually takes, and the run so far says how much faster or slower this
computer and this scan are. Where a stage's time was never measured nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..denoising.catalogue import ModelCard

# Seconds on two CPU cores (Testing/Benchmarks/main_job.md), and of super-resolving 64 x 64 x 24 voxels to 1 mm
# (superresolution_time.md)
_START = 8.0  # reading, looking and finding the brain
_MOTION, _MOTION_A_VOLUME = 10.0, 0.16
_SEGMENTATION, _ALIGNMENT = 25.0, 9.0
_GUIDES = 2.0
_MEASURE = 1.0
_INTERPOLATION = 5.0
_RESOLVE = dict.fromkeys(("nearest", "linear", "spline", "gaussian", "smooth"), _INTERPOLATION) | {
    "guided": 100.0,
    "network": 700.0,
    "pyramid-fast": 850.0,
}
_CARD_VOXELS = 64 * 64 * 24  # what a model card's seconds are of

_ENOUGH_SECONDS, _ENOUGH_SHARE = 5.0, 0.1  # of a run, before anything is said of its end


@dataclass(frozen=True)
class Stage:
    """A stretch of the progress bar: where it ends (0 to 1), and the seconds it usually takes."""

    until: float
    seconds: float


@dataclass(frozen=True)
class Plan:
    """The stages of a run in order. `complete` is False where one of them was never measured."""

    stages: tuple[Stage, ...]
    complete: bool = True

    @property
    def seconds(self) -> float:
        """Of the whole run as measured."""
        return sum(stage.seconds for stage in self.stages)

    def usual(self, fraction: float) -> float:
        """Seconds that a run usually takes up to `fraction`."""
        done, start = 0.0, 0.0
        for stage in self.stages:
            share = (min(fraction, stage.until) - start) / (stage.until - start)
            if share <= 0:
                break
            done, start = done + share * stage.seconds, stage.until
        return done


def denoise_plan(
    card: ModelCard,
    *,
    size: Sequence[int],
    volumes: int,
    with_t1: bool,
    motion: bool = True,
    groups: int = 1,
    device: str = "cpu",
) -> Plan:
    """Of `pipeline.denoise`.

    Args:
        card: the model.
        size: voxels of the series along (i, j, k).
        volumes: in the series.
        with_t1: whether there is a T1 to segment and to align.
        motion: whether head motion is corrected.
        groups: groups of pairs that are denoised one by one.
        device: where the network runs; its time on the CPU stands in where it was not measured there.
    """
    network = _network(card, size, groups, device)
    finish = (Stage(0.95, network + _GUIDES), Stage(1.0, _MEASURE))
    return Plan((*_preparation(0.7, volumes, with_t1, motion), *finish))


def superresolve_plan(
    method: str,
    *,
    size: Sequence[int],
    volumes: int,
    with_t1: bool,
    motion: bool = True,
    card: ModelCard | None = None,
    device: str = "cpu",
) -> Plan:
    """Of `pipeline.superresolve`; `card` where a model denoises first. The published GAN was not measured."""
    network = 0.0 if card is None else _network(card, size, 1, device) + _GUIDES
    resolve = Stage(0.95, _RESOLVE.get(method, 0.0))
    stages = (*_preparation(0.4, volumes, with_t1, motion), Stage(0.5, network), resolve, Stage(1.0, _MEASURE))
    return Plan(stages, complete=method in _RESOLVE)


def seconds_left(plan: Plan, fraction: float, elapsed: float) -> float | None:
    """Seconds left of a run that is at `fraction` after `elapsed` s; None while nothing honest can be said.

    >>> plan = Plan((Stage(0.5, 10.0), Stage(1.0, 30.0)))
    >>> seconds_left(plan, 0.5, 20.0)  # twice as slow as usual so far
    60.0
    """
    usual = plan.usual(fraction)
    if not plan.complete or elapsed < _ENOUGH_SECONDS or usual < _ENOUGH_SHARE * plan.seconds:
        return None
    return (plan.seconds - usual) * elapsed / usual


def said_before(plan: Plan, *, device: str = "cpu") -> str:
    """One rough line for before a run.

    >>> said_before(Plan((Stage(1.0, 55.0),)))
    "Roughly a minute on this computer's CPU."
    """
    where = "this computer's CPU" if device == "cpu" else "this computer"
    if not plan.complete:
        return f"How long this method takes on {where} was not measured: minutes at least."
    return f"Roughly {in_words(plan.seconds)} on {where}."


def said_during(left: float | None) -> str:
    """The time left as a few words, empty where it is not known.

    >>> said_during(42.0)
    'about 40 seconds left'
    """
    return "" if left is None else f"about {in_words(left)} left"


def in_words(seconds: float) -> str:
    """A duration as roughly as an estimate deserves.

    >>> [in_words(s) for s in (3, 24, 70, 200, 5000)]
    ['a few seconds', '20 seconds', 'a minute', '3 minutes', 'an hour']
    """
    if seconds < 10:
        return "a few seconds"
    if seconds < 45:
        return f"{10 * math.floor(seconds / 10 + 0.5)} seconds"
    minutes = math.floor(seconds / 60 + 0.5)
    if minutes < 45:
        return "a minute" if minutes <= 1 else f"{minutes} minutes"
    hours = math.floor(seconds / 3600 + 0.5)
    return "an hour" if hours <= 1 else f"{hours} hours"


def _preparation(until: float, volumes: int, with_t1: bool, motion: bool) -> tuple[Stage, ...]:
    """What `preparation.prepare` does, as it divides its own progress, in the first part of the bar."""
    moved = _MOTION + _MOTION_A_VOLUME * volumes if motion else 0.0
    stages = (
        Stage(0.04, _START),
        Stage(0.36, moved),
        Stage(0.4, 0.5),
        Stage(0.785, _SEGMENTATION if with_t1 else 0.2),
        Stage(0.95, _ALIGNMENT if with_t1 else 0.1),
        Stage(1.0, 0.3),
    )
    return tuple(Stage(until * stage.until, stage.seconds) for stage in stages)


def _network(card: ModelCard, size: Sequence[int], groups: int, device: str) -> float:
    measured = dict(card.metadata.get("seconds_64x64x24", {}))
    seconds = measured.get(device, measured.get("cpu", 1.0))
    return groups * seconds * math.prod(size) / _CARD_VOXELS
