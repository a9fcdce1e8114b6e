"""Training the pyramid of generators on one map, from the coarsest scale to the finest (sections 2.1 and 2.3).

The loss is WGAN-GP + l1 MSE + l2 MSE of low-passed images (equations 3 to 5). The paper leaves open what the squared
errors compare; as in SinGAN it is the image made from one fixed noise at the coarsest scale and none at the others,
while the adversarial loss sees fresh noise.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from monai.networks.layers import GaussianFilter

from ...networks.pyramid_gan import PatchCritic, PyramidGenerator
from ...progress import Progress, silent
from .presets import PyramidSettings
from .scales import Scale

_LATE = 0.8  # of the epochs, from which on the rate is a tenth
_CHECKS = 10  # a scale, of what is held out
_BETAS = (0.5, 0.999)


def train_pyramid(
    scales: Sequence[Scale],
    settings: PyramidSettings,
    *,
    held_out: np.ndarray | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> PyramidGenerator:
    """The generator of the finest scale.

    Args:
        scales: from the coarsest to the finest.
        settings: see `PyramidSettings`.
        held_out: the finest map again from pairs that are not trained on (K, J, I), scaled alike; the finest scale then
            stops early and keeps the weights that were nearest to it.
        device: where it runs.
        progress: told the fraction done and the time that is left, estimated from the epochs so far; whatever it raises
            ends the training.
    """
    torch.manual_seed(settings.seed)
    generator = PyramidGenerator(settings.channels, norm=settings.norm).to(device)
    critic = PatchCritic(settings.critic).to(device)
    time_left = _TimeLeft([scale.map.size for scale in scales], settings, progress)
    coarser = None
    for n, scale in enumerate(scales):
        level = _Level(scale, coarser, settings, settings.factor ** (len(scales) - 1 - n), device)
        if n:  # each starts as its coarser neighbour ended
            generator, critic = copy.deepcopy(generator), copy.deepcopy(critic)
        last = held_out if n == len(scales) - 1 else None
        _train_scale(generator, critic, level, settings, lambda epoch, n=n: time_left(n, epoch), last)
        with torch.no_grad():
            coarser = generator(level.start, level.t1)
    return generator


class _Level:
    """The tensors of one scale: what the generator starts from, the T1, the real map, the mask, and the noise's SD."""

    def __init__(
        self, scale: Scale, coarser: torch.Tensor | None, settings: PyramidSettings, share: float, device: str
    ) -> None:
        self.real, self.t1, self.mask = (
            torch.as_tensor(np.ascontiguousarray(a, np.float32), device=device)[None, None]
            for a in (scale.map, scale.t1, scale.measured)
        )
        if coarser is None:
            self.start, self.noise = torch.randn_like(self.real) * self.mask, 1.0
        else:
            self.start = F.interpolate(coarser, size=self.real.shape[-3:], mode="trilinear", align_corners=False)
            self.noise = settings.noise * float(self.error(self.start).sqrt())
        self.first = coarser is None
        self.low_pass = GaussianFilter(3, max(settings.low_pass_sigma * share, 0.5)).to(device)

    def error(self, image: torch.Tensor) -> torch.Tensor:
        """Mean squared error where the map is measured."""
        return ((image - self.real) ** 2 * self.mask).sum() / self.mask.sum()

    def input(self) -> torch.Tensor:
        """The start with fresh noise; at the coarsest scale noise alone."""
        fresh = torch.randn_like(self.real) * self.mask
        return fresh if self.first else self.start + self.noise * fresh

    def cut(self, edge: int | None) -> tuple[slice, ...]:
        """A random cube of that edge about a measured voxel, or all."""
        if edge is None:
            return (...,)
        shape = self.real.shape[-3:]
        inside = torch.nonzero(self.mask[0, 0])
        centre = inside[int(torch.randint(len(inside), (1,)))]
        firsts = [int(min(max(0, c - edge // 2), max(0, n - edge))) for c, n in zip(centre, shape, strict=True)]
        return (..., *(slice(f, f + edge) for f in firsts))


def _train_scale(generator, critic, level: _Level, settings: PyramidSettings, report, held_out) -> None:
    """Train both networks of one scale in place."""
    optimisers = [torch.optim.Adam(each.parameters(), settings.rate, betas=_BETAS) for each in (generator, critic)]
    of_generator, of_critic = optimisers
    late = [int(_LATE * settings.epochs)]
    schedules = [torch.optim.lr_scheduler.MultiStepLR(each, late, gamma=0.1) for each in optimisers]
    early = held_out is not None and settings.patience > 0
    stopping = _EarlyStopping(generator, level, held_out, settings) if early else None
    for epoch in range(settings.epochs):
        for _ in range(settings.steps):
            part = level.cut(settings.patch)
            of_critic.zero_grad(set_to_none=True)
            with _precision(level.real, settings):
                with torch.no_grad():
                    fake = (generator(level.input()[part], level.t1[part]) * level.mask[part]).float()
                loss = critic(fake).mean() - critic(level.real[part]).mean()
            penalty = _gradient_penalty(critic, level.real[part], fake)  # a gradient of a gradient: in full precision
            (loss.float() + settings.penalty * penalty).backward()
            of_critic.step()
        for _ in range(settings.steps):
            part = level.cut(settings.patch)
            of_generator.zero_grad(set_to_none=True)
            with _precision(level.real, settings):
                fake = generator(level.input()[part], level.t1[part]) * level.mask[part]
                loss = -critic(fake).mean() + _squared(generator, level, part, settings)
            loss.float().backward()
            of_generator.step()
        for schedule in schedules:
            schedule.step()
        report(epoch + 1)
        if stopping is not None and stopping.ends(epoch):
            break
    if stopping is not None:
        stopping.restore()


def _precision(image: torch.Tensor, settings: PyramidSettings) -> torch.autocast:
    return torch.autocast(image.device.type, torch.bfloat16, enabled=settings.mixed and image.device.type == "cuda")


def _squared(generator, level: _Level, part: tuple, settings: PyramidSettings) -> torch.Tensor:
    """Equations 4 and 5 for the image without fresh noise."""
    mask = level.mask[part]
    apart = (generator(level.start[part], level.t1[part]).float() - level.real[part]) * mask
    smooth = level.low_pass(apart)
    count = mask.sum().clamp(min=1)
    return (settings.mse * (apart**2).sum() + settings.low_pass * (smooth**2 * mask).sum()) / count


def _gradient_penalty(critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Equation 3 of Gulrajani 2017, on a point between the two images."""
    share = torch.rand((), device=real.device)
    between = (share * real + (1 - share) * fake).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


class _EarlyStopping:
    """Ends a scale when the image comes no nearer to held-out pairs, and keeps the weights that came nearest."""

    def __init__(self, generator, level: _Level, held_out: np.ndarray, settings: PyramidSettings) -> None:
        self.generator, self.level, self.patience = generator, level, settings.patience
        self.other = torch.as_tensor(np.nan_to_num(held_out), dtype=torch.float32, device=level.real.device)[None, None]
        self.every = max(1, settings.epochs // _CHECKS)
        self.best, self.kept, self.waited = self._error(), copy.deepcopy(generator.state_dict()), 0

    def _error(self) -> float:
        with torch.no_grad():
            estimate = self.generator(self.level.start, self.level.t1)
        return float(((estimate - self.other) ** 2 * self.level.mask).sum())

    def ends(self, epoch: int) -> bool:
        """Whether to stop after this epoch."""
        if (epoch + 1) % self.every:
            return False
        error = self._error()
        self.waited = 0 if error < self.best else self.waited + 1
        if error < self.best:
            self.best, self.kept = error, copy.deepcopy(self.generator.state_dict())
        return self.waited >= self.patience

    def restore(self) -> None:
        """Take the weights that came nearest."""
        self.generator.load_state_dict(self.kept)


class _TimeLeft:
    """Tells how far training is, and how long it will last: work is voxels times epochs, patches no larger than set."""

    def __init__(self, sizes: Sequence[int], settings: PyramidSettings, progress: Progress) -> None:
        most = float("inf") if settings.patch is None else settings.patch**3
        self.work = [min(size, most) for size in sizes]
        self.epochs, self.progress, self.started = settings.epochs, progress, time.monotonic()

    def __call__(self, scale: int, epoch: int) -> None:
        done = sum(self.work[:scale]) + self.work[scale] * epoch / self.epochs
        share = done / sum(self.work)
        left = (time.monotonic() - self.started) * (1 - share) / share
        words = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
        self.progress(share, f"scale {scale + 1} of {len(self.work)}, epoch {epoch}: about {words} left")
