"""Training a conditional diffusion: what the default model, frozen, is wrong by on the scans that it is trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from ...denoising.catalogue import DEFAULT_MODEL, find_model, load_model
from ..volumes import Volumes
from .guided import GUIDE_SETS, GuidedTask, GuidedTaskSettings
from .task import Batch


@dataclass(frozen=True)
class DiffusionTaskSettings(GuidedTaskSettings):
    """How a diffusion is trained: on samples of the default model's task.

    Args:
        base: the model of the catalogue whose estimate samples begin at.
        watched: samples of the batches that the gain and the facts are taken of; each is denoised in full.
    """

    base: str = DEFAULT_MODEL
    watched: int = 8


class DiffusionTask(GuidedTask):
    """Batches of the default model's task; the loss is the mean squared error of the velocity, in the brain.

    Options are `DiffusionTaskSettings`.
    """

    @cached_property
    def settings(self) -> DiffusionTaskSettings:
        return DiffusionTaskSettings(**self.recipe.options)

    def prepared(self, network: torch.nn.Module) -> torch.nn.Module:
        """With the base's weights in it."""
        network.base.load_state_dict(load_model(find_model(self.settings.base)).state_dict())
        return network

    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """At a time of the schedule that is drawn for each sample."""
        truth = batch.truth
        time = torch.rand((len(truth), 1, 1, 1, 1), device=truth.device)
        found, wanted = network(*batch.inputs, truth, torch.randn_like(truth), time)
        weight = batch.weight.expand_as(found)
        return ((found - wanted).square() * weight).sum() / weight.sum().clamp_min(1)

    def fixed_batches(self, volumes: Volumes, device: str) -> Iterator[Batch]:
        """One draw of few samples with T1 and M0, M0 alone, and neither: every sample of them is drawn many times."""
        few = self._few
        for guides in GUIDE_SETS:
            yield few.batch(volumes, torch.Generator().manual_seed(self.recipe.seed + 1), device, guides=guides)

    @torch.no_grad()
    def facts(self, network: torch.nn.Module, volumes: Volumes, device: str, *, draws: int = 3) -> dict[str, object]:
        """Beside the ``uncertainty_factor``: the ``base``, and the ``sampling`` it was found with."""
        s = network.sampling
        told = {"samples": s.samples, "steps": s.steps, "start": s.start}
        found = GuidedTask.facts(self._few, network, volumes, device, draws=draws)
        base = {"name": self.settings.base, "sha256": find_model(self.settings.base).sha256}
        return {**found, "base": base, "sampling": told}

    @cached_property
    def _few(self) -> GuidedTask:
        return DiffusionTask(replace(self.recipe, batch=min(self.recipe.batch, self.settings.watched)))
