"""Conditional diffusion: samples of what the default model's estimate is wrong by, drawn anew from noise; a comparison.

What is diffused is the residual (truth - y) / s of the default denoiser's estimate y, s the SD that it gives its error:
of about unit variance whatever the scan (Whang et al. 2022 diffuse the residual of a regression likewise). Sampling
begins late (Meng et al. 2022, SDEdit): at y with a little noise on it, not at noise alone, and goes down to none in a
few deterministic steps (DDIM, Song et al. 2021).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from .guided_unet import GuidedUNet
from .layers import crop_like, pad_to_multiple

TIMES = 1000  # of the schedule
_CONDITIONS = 4  # images of each slice beside the residual itself
_NEAR = 3  # slices: below, itself, above
_EARLY = 0.008  # of the cosine schedule: its first steps are not too small
_MOST = 8.0  # SDs: a residual beyond it, of a vessel or an edge that moved, teaches as one of so many


@dataclass(frozen=True)
class Sampling:
    """How samples are drawn.

    Args:
        steps: evaluations of the network a sample.
        stride: of the schedule's 1000 times that a step goes down; it divides 1000.
        samples: whose mean is the estimate.
    """

    steps: int = 5
    stride: int = 100
    samples: int = 8

    def __post_init__(self) -> None:
        if TIMES % self.stride or not 1 <= self.steps * self.stride <= TIMES or self.samples < 2:
            raise ValueError(f"no such sampling: {self}")

    @property
    def start(self) -> float:
        """Where sampling begins, as a share of the schedule: 0 no noise, 1 noise alone."""
        return self.steps * self.stride / TIMES

    @property
    def times(self) -> tuple[int, ...]:
        """The schedule's times of the steps, the noisiest first; time t holds the noise of (t + 1) / 1000."""
        return tuple(n * self.stride - 1 for n in range(self.steps, 0, -1))


class DiffusionDenoiser(nn.Module):
    """The default denoiser, frozen, and a 2.5D U-Net (`PlainDiffusionUNet`) that samples what it is wrong by.

    For each slice the U-Net sees itself, the one below and the one above of: the estimate's distance from the noisy
    mean in units of the local noise; the estimate (inverse hyperbolic sine); its SD (logarithm); the local noise; and
    the residual at its present noise. It gives the velocity (Salimans and Ho 2022) of the slice. Beyond the ends of a
    volume the last slice is repeated.

    The mean of the samples is the estimate. Their SD, widened for the mean of so few by sqrt(1 + 1/samples), is that
    of its error: 1/(samples + 1) of the variance is the sampling's own. The noise of the samples is drawn on the CPU
    from a seed made of the input: the same input gives the same samples, on the CPU to the last digit.

    Args:
        widths: channels of the U-Net's levels; each is half as fine in plane as the one before.
        sampling: how samples are drawn.
    """

    def __init__(self, *, widths: tuple[int, ...] = (24, 48, 96), sampling: Sampling = Sampling()) -> None:
        from monai.networks.schedulers import DDIMScheduler  # slow to load, and no other network needs it

        from .diffusion_unet import PlainDiffusionUNet

        super().__init__()
        self.base = GuidedUNet().requires_grad_(False)
        unet = PlainDiffusionUNet(_NEAR * (_CONDITIONS + 1), widths)
        self.unet = unet.to(memory_format=torch.channels_last)  # a third faster on CPUs
        self.sampling = sampling
        self._halvings = len(widths) - 1
        self._schedule = DDIMScheduler(TIMES, schedule="cosine", clip_sample=False, prediction_type="v_prediction")
        self._schedule.alphas_cumprod = signal_left()  # MONAI's own is a step further on in some releases

    def forward(
        self,
        seen: torch.Tensor,
        truth: torch.Tensor | None = None,
        noise: torch.Tensor | None = None,
        time: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and SD of samples, or, of a `truth`, what its velocity is taken for and what it is.

        Args:
            seen: (B, 11, K, J, I), as the default denoiser sees a scan; any size.
            truth, noise: (B, 1, K, J, I), the truth in the units of `seen`, and white noise.
            time: (B, 1, 1, 1, 1), where in the schedule: from 0, nearly no noise, to below 1, noise alone.

        Returns:
            Two of (B, 1, K, J, I).
        """
        estimate, spread, conditions, brain = self._first(seen)
        if truth is None:
            samples = self._samples(conditions, brain, seed_of(seen))
            sd = samples.std(dim=0) * (1 + 1 / len(samples)) ** 0.5
            return estimate + spread * samples.mean(dim=0), spread * sd
        residual = ((truth - estimate) / spread).clamp(-_MOST, _MOST) * brain
        noise, when = noise * brain, (TIMES * time.flatten()).long()
        noised = self._schedule.add_noise(residual, noise, when)
        return self._velocity(noised, conditions, when), self._schedule.get_velocity(residual, noise, when)

    def samples(self, seen: torch.Tensor, *, seed: int | None = None) -> torch.Tensor:
        """Single samples (samples, B, 1, K, J, I) in the units of `seen`; another `seed` gives others."""
        estimate, spread, conditions, brain = self._first(seen)
        return estimate + spread * self._samples(conditions, brain, seed_of(seen) if seed is None else seed)

    @torch.no_grad()
    def _first(self, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the default denoiser gives, what the U-Net is told (B, 4, K, J, I), and the brain (B, 1, K, J, I)."""
        with torch.autocast(seen.device.type, enabled=False):
            seen = seen.float()
            estimate, spread = self.base(seen)
        noisy, local, fine = seen[:, :1], seen[:, -4:-3], seen[:, -3:-2]
        brain = (local > 0).float()
        apart = (noisy - estimate) / fine.clamp_min(1e-3)
        conditions = torch.cat([apart.clamp(-_MOST, _MOST), estimate.asinh(), spread.log(), fine], dim=1)
        return estimate, spread, conditions * brain, brain

    def _samples(self, conditions: torch.Tensor, brain: torch.Tensor, seed: int) -> torch.Tensor:
        """Residuals (samples, B, 1, K, J, I), one after another; the schedule's late start is at the estimate."""
        generator, schedule, times = torch.Generator().manual_seed(seed), self._schedule, self.sampling.times
        schedule.num_inference_steps = TIMES // self.sampling.stride  # what a step goes down to is taken from it
        quiet = schedule.alphas_cumprod[times[0]]
        found = []
        for _ in range(self.sampling.samples):
            x = torch.randn(brain.shape, generator=generator).to(brain) * (1 - quiet).sqrt() * brain
            for time in times:
                when = torch.full((len(x),), time, device=x.device)
                x = schedule.step(self._velocity(x, conditions, when), time, x)[0] * brain
            found.append(x)
        return torch.stack(found)

    def _velocity(self, noised: torch.Tensor, conditions: torch.Tensor, when: torch.Tensor) -> torch.Tensor:
        """Of every slice, (B, 1, K, J, I)."""
        size = noised.shape
        slices = neighbours(torch.cat([noised, conditions], dim=1))
        slices = pad_to_multiple(slices, (2**self._halvings,) * 2)
        found = crop_like(self.unet(slices, when.repeat_interleave(size[2])).float(), size[-2:])
        return found.unflatten(0, (size[0], size[2])).movedim(1, 2)


def signal_left() -> torch.Tensor:
    """Share of the signal's energy left at each of the 1000 times: the cosine schedule (Nichol and Dhariwal 2021)."""
    angle = (torch.linspace(0, 1, TIMES + 1) + _EARLY) / (1 + _EARLY) * torch.pi / 2
    energy = angle.cos().square()
    return (energy[1:] / energy[0]).clamp_min(1e-9)


def neighbours(volumes: torch.Tensor) -> torch.Tensor:
    """Each slice of (B, C, K, J, I) with the one below and the one above, (B K, 3 C, J, I); the ends are repeated."""
    padded = F.pad(volumes, (0, 0, 0, 0, 1, 1), mode="replicate")
    count = volumes.shape[2]
    near = torch.cat([padded[:, :, n : n + count] for n in range(_NEAR)], dim=1)
    return near.movedim(2, 1).flatten(0, 1)


def seed_of(seen: torch.Tensor) -> int:
    """A seed made of the numbers of the first channel, the mean difference."""
    return zlib.crc32(seen[:, :1].detach().float().cpu().contiguous().numpy().tobytes())
