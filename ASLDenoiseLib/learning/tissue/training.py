"""The tissue network's training: heads drawn on the device, an averaged network, resumable at any checkpoint."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
import torch.nn.functional as F

from ...errors import InputError
from ...moving import replace_file
from ...networks.tissue_unet import TissueUNet
from ...preparing.tissue_network import CLASSES
from ..smooth import stream
from ..training import averaging
from .drawing import EASY, MODES, DeviceHead, Drawing, draw_head
from .heads import PackedHead

TRAINING = tuple(f"brain-{n:02d}" for n in range(1, 15))
WATCHED = ("brain-15", "brain-16", "brain-17")  # never learned from; they choose nothing, but are looked at
_WARM_UP = 100  # steps
_REST = 0.02  # of the rate, at the end
_PARTS = ("network", "average", "optimizer")  # of a checkpoint


@dataclass(frozen=True)
class TissueTraining:
    """How the network is trained.

    Args:
        minutes: of training in all, over all sessions; the rate comes down with them.
        steps: stop (resumable) after so many steps in all; None: no limit.
        batch: heads a step.
        rate: AdamW's, before half a cosine to 2 % of it.
        weight_decay, average_decay, clip: of the weights, of their average, and the largest norm of a gradient.
        seed: of the first weights, and of every head with its step.
        every: seconds between checkpoints, each with a look at heads that are kept out.
        drawing: how heads are drawn.
    """

    minutes: float = 9.0
    steps: int | None = None
    batch: int = 4
    rate: float = 2e-3
    weight_decay: float = 1e-4
    average_decay: float = 0.998
    clip: float = 3.0
    seed: int = 7
    every: float = 100.0
    drawing: Drawing = field(default_factory=Drawing)


@dataclass(frozen=True, eq=False)
class TrainedTissue:
    """What a training left: averaged weights on the CPU, steps, seconds, the last loss, Dice of the heads kept out.

    `overlap`: for each contrast, of each tissue, in the order of `CLASSES` after the rest.
    """

    weights: dict[str, torch.Tensor]
    steps: int
    seconds: float
    loss: float
    overlap: dict[str, dict[str, float]]
    anatomies: tuple[str, ...]
    device: str


def tissue_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross-entropy and soft Dice (Milletari et al. 2016) of fractions.

    Args:
        logits: (B, 5, K, J, I), of `CLASSES`.
        target: (B, 4, K, J, I), of all but the rest, which is what they leave.
    """
    whole = torch.cat([(1 - target.sum(dim=1, keepdim=True)).clamp(0, 1), target], dim=1)
    logs = F.log_softmax(logits.float(), dim=1)
    found, axes = logs.exp(), (0, 2, 3, 4)
    overlap = (2 * (found * whole).sum(axes) + 1) / (found.square().sum(axes) + whole.square().sum(axes) + 1)
    return (1 - overlap).mean() - (whole * logs).sum(dim=1).mean()


def overlap_of(found: torch.Tensor, truth: torch.Tensor) -> float:
    """The Dice of fractions: 2 sum(min) / (sum + sum)."""
    return float(2 * torch.minimum(found, truth).sum() / (found.sum() + truth.sum()).clamp_min(1e-6))


def train_tissue(
    heads: Sequence[PackedHead],
    settings: TissueTraining,
    checkpoint: Path,
    *,
    device: str = "cpu",
    start: Path | None = None,
    session: float = math.inf,
    told: Callable[[str], None] = print,
) -> TrainedTissue:
    """Train the network, resuming from `checkpoint` where it is there.

    Args:
        heads: those named in `WATCHED` are looked at and not learned from, where others are there.
        settings: how.
        checkpoint: file that is written every so often and at the end.
        device: ``cpu``, ``cuda`` or ``mps``.
        start: a checkpoint to go on from where `checkpoint` is not there, as on a fresh machine.
        session: stop (resumable) after so many minutes of this session.
        told: given a line at every checkpoint.

    Raises:
        InputError: there is no head to learn from, the checkpoint cannot be read, or the loss is not finite.
    """
    learned = [head for head in heads if head.name not in WATCHED]
    if not learned:
        raise InputError("There is no head to learn from; give label maps besides brain-15, brain-16 and brain-17.")
    run = _Run(settings, device, checkpoint)
    run.resume(checkpoint if checkpoint.exists() or start is None else start)
    kept = [DeviceHead.of(head, device) for head in heads if head.name in WATCHED]
    run.go([DeviceHead.of(head, device) for head in learned], kept, session, told)
    weights = {name: value.detach().cpu().contiguous() for name, value in run.average.module.state_dict().items()}
    names = tuple(head.name for head in learned)
    return TrainedTissue(weights, run.step, run.spent, run.loss, run.overlap, names, device)


def learning_rate(settings: TissueTraining, step: int, spent: float) -> float:
    """The rate at a step after `spent` seconds: 100 steps of warm-up, and half a cosine to 2 %."""
    done = min(1.0, max(spent / max(1e-9, 60 * settings.minutes), step / settings.steps if settings.steps else 0.0))
    shape = _REST + (1 - _REST) * 0.5 * (1 + math.cos(math.pi * done))
    return settings.rate * min(1.0, (step + 1) / _WARM_UP) * shape


def overlap_by_contrast(network: torch.nn.Module, heads: Sequence[DeviceHead], size: tuple[int, int, int]) -> dict:
    """Mean Dice of each tissue for each contrast, of good scans of heads, the same ones at every call."""
    found: dict[str, dict[str, float]] = {}
    easy = replace(EASY, size=size)
    for mode in MODES[:-1] if heads else ():
        rows = []
        for number, head in enumerate(heads):
            image, target = draw_head(head, 1000 + number, mode=mode, drawing=easy)
            with torch.inference_mode(), _halved(image.device):
                logits = network(image[None, None])
            maps = logits.float().softmax(dim=1)[0, 1:]
            rows.append([overlap_of(a, b) for a, b in zip(maps, target, strict=True)])
        means = torch.tensor(rows).mean(dim=0).tolist()
        found[mode] = {name: round(value, 3) for name, value in zip(CLASSES[1:], means, strict=True)}
    return found


def _halved(device: torch.device) -> torch.autocast:
    """bfloat16 on a GPU alone: of tiny volumes oneDNN's gradients in it are not always finite on a CPU."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")


class _Run:
    """The state of one training."""

    def __init__(self, settings: TissueTraining, device: str, checkpoint: Path) -> None:
        self.settings, self.device, self.checkpoint = settings, device, checkpoint
        self.step, self.spent, self.loss = 0, 0.0, math.nan
        self.overlap: dict[str, dict[str, float]] = {}
        torch.manual_seed(settings.seed)
        layout = torch.channels_last_3d if device.startswith("cuda") else torch.contiguous_format
        self.network = TissueUNet().to(device, memory_format=layout)
        average = averaging(settings.average_decay)
        self.average = torch.optim.swa_utils.AveragedModel(self.network, multi_avg_fn=average)
        parameters = self.network.parameters()
        self.optimizer = torch.optim.AdamW(parameters, lr=settings.rate, weight_decay=settings.weight_decay)

    def resume(self, path: Path) -> None:
        """Take up a checkpoint, if it is there."""
        if not path.exists():
            return
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            for name in _PARTS:
                getattr(self, name).load_state_dict(state[name])
            self.step, self.spent, self.loss = state["step"], state["spent"], state["loss"]
        except (OSError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
            raise InputError(f"{path} is no checkpoint of this training ({error}); name another folder.") from error

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        part = self.checkpoint.with_suffix(".part")
        state = {name: getattr(self, name).state_dict() for name in _PARTS}
        torch.save({**state, "step": self.step, "spent": self.spent, "loss": self.loss}, part)
        replace_file(part, self.checkpoint)

    def over(self) -> bool:
        """Whether all steps are done, or the time is up."""
        steps = self.settings.steps
        return self.spent >= 60 * self.settings.minutes or (steps is not None and self.step >= steps)

    def go(
        self, heads: Sequence[DeviceHead], kept: Sequence[DeviceHead], session: float, told: Callable[[str], None]
    ) -> None:
        """Steps until all are done, or time or session is up."""
        began, before = time.monotonic(), self.spent
        saved = began
        while not self.over() and time.monotonic() - began < 60 * session:
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(self.settings, self.step, self.spent)
            loss = self._stepped(*self._batch(heads))
            self.step, self.spent = self.step + 1, before + time.monotonic() - began
            if time.monotonic() - saved > self.settings.every:
                self._look(loss, kept, told)
                saved = time.monotonic()
        if self.spent > before:
            self._look(loss, kept, told)

    def _batch(self, heads: Sequence[DeviceHead]) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (B, 1, K, J, I) and targets (B, 4, K, J, I) of this step, whenever it is taken."""
        settings = self.settings
        seeds = [settings.seed * 1_000_003 + self.step * settings.batch + n for n in range(settings.batch)]
        which = [int(torch.randint(len(heads), (), generator=stream(seed, 2))) for seed in seeds]
        drawn = [draw_head(heads[n], seed, drawing=settings.drawing) for n, seed in zip(which, seeds, strict=True)]
        images, targets = (torch.stack(each) for each in zip(*drawn, strict=True))
        return images[:, None], targets

    def _stepped(self, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Take a step; its loss."""
        with _halved(images.device):
            logits = self.network(images)
        loss = tissue_loss(logits, targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        return loss.detach()

    def _look(self, loss: torch.Tensor, kept: Sequence[DeviceHead], told: Callable[[str], None]) -> None:
        """Write the checkpoint, and tell how far the average is on heads that are kept out."""
        self.loss = float(loss)
        if not math.isfinite(self.loss):
            raise InputError(f"The loss is not finite at step {self.step}; begin anew with a lower rate.")
        self.save()
        self.overlap = overlap_by_contrast(self.average.module, kept, self.settings.drawing.size)
        told(f"step {self.step}, {self.spent:.0f} s, loss {self.loss:.4f}, Dice {self.overlap}")
