"""How long a run takes, roughly, and how that is said."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .request import Request
from .step import Step, Workload
from .steps import steps_of


def usual_seconds(request: Request, work: Workload) -> float | None:
    """What the steps of a request usually take together; None where one of them was never measured."""
    return seconds_of(steps_of(request), work)


def seconds_of(steps: Iterable[Step], work: Workload) -> float | None:
    """What steps usually take together; None where one of them was never measured."""
    each = [step.seconds(work) for step in steps]
    return None if None in each else sum(each)


def said_before(seconds: float | None, *, device: str = "cpu") -> str:
    """One rough line for before a run.

    >>> said_before(55.0)
    "Roughly a minute on this computer's CPU."
    """
    where = "this computer's CPU" if device == "cpu" else "this computer"
    if seconds is None:
        return f"How long this method takes on {where} was not measured: minutes at least."
    return f"Roughly {in_words(seconds)} on {where}."


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
