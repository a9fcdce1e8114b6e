"""What every training task offers, and a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from ...denoising.families import NetworkFamily
from ..families import find_network_family
from ..recipe import Recipe
from ..targets import find_target
from ..volumes import Volumes


@dataclass(frozen=True, eq=False)
class Batch:
    """What a step of training works on.

    Args:
        inputs: for ``network(*inputs)``.
        target, truth, noisy: of the shape of the network's output; `noisy` is the mean as it was measured, before any
            smoothing, and what a gain is measured against.
        weight: of the loss, by voxel.
        brain: 0/1.
        m0: mean 1 in the brain, for losses that know it.
        regions: fractions, for losses that count local averages.
    """

    inputs: tuple[torch.Tensor, ...]
    target: torch.Tensor
    truth: torch.Tensor
    noisy: torch.Tensor
    weight: torch.Tensor
    brain: torch.Tensor
    m0: torch.Tensor | None = None
    regions: tuple[torch.Tensor, ...] = ()


@dataclass(frozen=True, eq=False)
class TrainingTask(ABC):
    """How batches for a recipe's network are drawn and its estimate judged; `generator` is on the CPU on any device.

    `pool_on_device`: the volumes that batches are drawn from lie on the device, not on the CPU.
    `data_source`: what of the training data a card says besides the phantoms.
    """

    recipe: Recipe
    pool_on_device: ClassVar[bool] = False
    data_source: ClassVar[str] = ""

    @property
    def family(self) -> NetworkFamily:
        """Of the recipe's network: what makes channels of a sample."""
        return find_network_family(self.recipe.network)

    def prepared(self, network: torch.nn.Module) -> torch.nn.Module:
        """The network as training begins, with what the task needs in it and does not teach."""
        return network

    @property
    def target_description(self) -> str:
        """What is learned towards, for a card."""
        return find_target(self.recipe.target).description

    @abstractmethod
    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` samples, on `device`."""

    @abstractmethod
    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The loss of the network on a batch."""

    @abstractmethod
    def fixed_batches(self, volumes: Volumes, device: str) -> Iterator[Batch]:
        """Batches that are the same at every call, for the gain."""

    def gain(self, network: torch.nn.Module, volumes: Volumes, device: str) -> float:
        """PSNR gain over the input (dB) in the brain, the mean over `fixed_batches`."""
        training, gains = network.training, []
        network.eval()
        for batch in self.fixed_batches(volumes, device):
            with torch.no_grad(), torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
                output = network(*batch.inputs)
            estimate = output if isinstance(output, torch.Tensor) else output[0]
            axes = tuple(range(1, estimate.ndim))
            before = ((batch.noisy - batch.truth).square() * batch.brain).sum(dim=axes)
            after = ((estimate.float() - batch.truth).square() * batch.brain).sum(dim=axes)
            has_brain = batch.brain.sum(dim=axes) > 0
            gains.append(float(10 * (before / after.clamp_min(1e-9))[has_brain].log10().mean()))
        network.train(training)
        return sum(gains) / len(gains)

    def facts(self, network: torch.nn.Module, volumes: Volumes, device: str) -> dict[str, object]:
        """Further metadata of the trained model, measured on the validation pool."""
        return {}
