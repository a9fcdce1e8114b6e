"""Training what predicts CBF from BOLD: moments of simulated dual-echo runs towards the single CBF of that moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch

from ...bold.family import UNIT, BoldCourse, BoldFamily, find_bold_family
from ..dual_echo import DualEchoSettings
from ..dual_echo_run import DualEchoRun, RestingHead, draw_head, draw_run
from ..losses import loss_of
from ..volumes import Volumes
from .augment import augmented
from .task import Batch, TrainingTask

_SAMPLES = 128  # that a gain is measured on


@dataclass(frozen=True)
class BoldTaskSettings:
    """How it is trained.

    Args:
        moments: of each run that is drawn, a sample each.
        shuffled: targets are of another subject, at the slice of the same number: a control.
    """

    moments: int = 4
    shuffled: bool = False


class BoldTask(TrainingTask):
    """Slices (B, 1, J, I) of a run; options are `BoldTaskSettings`. Everything is drawn on the device."""

    pool_on_device = True
    data_source = "; dual-echo runs of them are simulated (Davis model), never real"

    @cached_property
    def settings(self) -> BoldTaskSettings:
        """The recipe's options."""
        return BoldTaskSettings(**self.recipe.options)

    @property
    def family(self) -> BoldFamily:
        return find_bold_family(self.recipe.network)

    @property
    def target_description(self) -> str:
        whose = "another subject: a control" if self.settings.shuffled else "the same moment"
        return f"the single, extremely noisy CBF of {whose}"

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch: `moments` of each of so many runs that they are `recipe.batch` samples."""
        runs = max(1, self.recipe.batch // self.settings.moments)
        pick = torch.randint(len(volumes.slices), (runs,), generator=generator)
        v, k = volumes.slices[pick.to(device)].T
        rng = torch.Generator(device).manual_seed(int(torch.randint(2**31, (), generator=generator)))
        echo = DualEchoSettings()
        head = self._slices(volumes, v, k, generator, rng)
        run = draw_run(head, echo, rng)
        moments = torch.randperm(echo.pairs, generator=generator)[: self.settings.moments].to(device)
        single = run.single
        if self.settings.shuffled:
            other = torch.randint(1, max(2, len(volumes)), (runs,), generator=generator).to(device)
            single = draw_run(self._slices(volumes, (v + other) % len(volumes), k, generator, rng), echo, rng).single
        return self._batch(head, run, single, moments)

    def _slices(self, volumes: Volumes, v: torch.Tensor, k: torch.Tensor, generator, rng) -> RestingHead:
        head = draw_head(volumes[v], DualEchoSettings(), rng)
        rows = torch.arange(len(v), device=v.device)

        def of_slice(images: torch.Tensor) -> torch.Tensor:
            return augmented(images[rows, :, k][:, :, None], self.recipe.augmentation, generator)

        return head.images(of_slice)

    def _batch(self, head: RestingHead, run: DualEchoRun, single: torch.Tensor, moments: torch.Tensor) -> Batch:
        seen = self.family.channels(BoldCourse(run.bold, head.brain, head.level), moments)
        samples = seen.flatten(0, 2)

        def chosen(images: torch.Tensor) -> torch.Tensor:
            return images[:, moments].flatten(0, 2)[:, None] / UNIT

        brain = head.brain[:, None].expand(-1, len(moments), -1, -1, -1).flatten(0, 2)[:, None]
        target, truth, noisy = chosen(single), chosen(run.truth), chosen(run.single)
        return Batch((samples.contiguous(),), target, truth, noisy, brain, brain)

    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The recipe's loss, in the brain."""
        return loss_of(self.recipe.loss, network(*batch.inputs).float(), batch.target, batch.weight)

    def fixed_batches(self, volumes: Volumes, device: str) -> Iterator[Batch]:
        """About `_SAMPLES` samples; the gain is over the single CBF."""
        generator = torch.Generator().manual_seed(self.recipe.seed + 1)
        for _ in range(max(1, _SAMPLES // self.recipe.batch)):
            yield self.batch(volumes, generator, device)
