"""Conditional diffusion: samples around what the default model says, to compare with; it sees what that one sees."""

from __future__ import annotations

from typing import ClassVar

from . import register
from .guided import GuidedFamily


@register
class DiffusionFamily(GuidedFamily):
    """Volumes as the default model's; the network holds that model, frozen, and samples what it is wrong by."""

    networks: ClassVar = {"diffusion": "ASLDenoiseLib.networks.diffusion:DiffusionDenoiser"}
    task = ".diffusion:DiffusionTask"
    adapts = False
