"""A simulated study small enough for tests: the head of balls, a few large voxels, two pairs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from phantom_builders import ball_head

from Testing.Benchmarks.library import simulated_study
from Testing.Benchmarks.library.simulated_study import EPI, GRASE, Design

SMALL = {"size": (18, 18, 12), "spacing": (9.0, 9.0, 11.0), "t1_spacing": 9.0}
FLAT = {"slice_timing": tuple(0.05 * n for n in range(12))}


def small_design(patch: pytest.MonkeyPatch, people: int = 1) -> Design:
    """A study whose people all have the head of balls."""
    patch.setattr(simulated_study, "_anatomy", lambda person, design: ball_head())
    flat = replace(EPI.scan, acquisition=replace(EPI.scan.acquisition, **FLAT))
    return Design(people, (replace(GRASE, **SMALL), replace(EPI, **SMALL, scan=flat)), pairs=2)
