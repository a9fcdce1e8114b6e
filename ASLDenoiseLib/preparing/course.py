"""The course of a series pair by pair: the perfusion of the brain in each, and how the head moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .outliers import OutlierContext
from .outliers.context import row_means


@dataclass(frozen=True, eq=False)
class PairCourse:
    """A figure a pair, of the pairs that a run averages, before any was left out.

    Args:
        numbers: of the pairs in the series, from 1.
        members: positions in the series of each pair's control and label, or of its difference.
        perfusion: (N,) mean over the brain, of voxels measured in every pair that takes part in their slice; NaN where
            the pair measured none.
        unit: of `perfusion`.
        motion: (N,) mm, mean displacement over the brain between control and label; NaN where it is not known.
        position: (N,) mm, of the pair from the reference, the median pose; likewise.
    """

    numbers: tuple[int, ...]
    members: tuple[tuple[int, ...], ...]
    perfusion: np.ndarray
    unit: str
    motion: np.ndarray
    position: np.ndarray


def course_of(context: OutlierContext, numbers: Sequence[int], members: Sequence[tuple[int, ...]]) -> PairCourse:
    """The course of the pairs of a context, which have these numbers and members in their series."""
    unknown = np.full(context.count, np.nan)
    moved = context.motion
    return PairCourse(
        tuple(map(int, numbers)),
        tuple(tuple(map(int, each)) for each in members),
        row_means(context.cbf[:, context.solid]),
        context.unit,
        unknown if moved is None else moved.relative,
        unknown if moved is None else moved.position,
    )


def join_courses(courses: Sequence[PairCourse]) -> PairCourse:
    """The course of all pairs of several delays, by their numbers in the series."""
    order = np.argsort([number for course in courses for number in course.numbers])

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(course, name) for course in courses])[order]

    numbers = tuple(sorted(number for course in courses for number in course.numbers))
    members = [each for course in courses for each in course.members]
    figures = {name: joined(name) for name in ("perfusion", "motion", "position")}
    return PairCourse(numbers, tuple(members[n] for n in order), unit=courses[0].unit, **figures)
