"""What guides the network of a run, whether or not guides were gathered for it."""

from __future__ import annotations

from ..denoising.guides import GuideMaps, with_contrast
from .state import RunState


def guides_of(run: RunState) -> GuideMaps:
    """What was gathered, else the M0 alone where it has contrast."""
    return run.guides or GuideMaps(m0=with_contrast(run.m0, run.brain))
