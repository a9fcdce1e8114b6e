"""Simulated dual-echo runs: one head, two echoes that share motion and physiology, thermal noise apart.

Controls and labels take turns, each at a moment of its own. BOLD is the mean of a pair's second echoes, in which the
alternation of the label cancels (half of the difference stays in it, as in real runs); CBF is the difference of the
pair's first echoes, extremely noisy. Everything is drawn on the device of the head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch

from ..denoising.gaussian_windows import gaussian_window
from ..quantifying.kinetics import cbf_scale
from .dual_echo import (
    DualEchoSettings,
    air_places,
    bold_change,
    changed_rate,
    echo_signal,
    resting_rate,
)
from .noise import smooth_fields
from .simulate import PROTOCOL
from .volumes import Volumes

SCALE = float(cbf_scale(PROTOCOL)[0])  # ml/100g/min per unit of difference over M0
_FLOOR = 0.1  # of M0: below it CBF is noise over noise
_USUAL = 60.0  # ml/100g/min, of grey matter
_MEMORY = 0.97  # correlation of the flow of successive volumes
_WHITE_SHARE = 0.4  # of M, in white matter over grey matter
_BLOCK = (8, 24)  # volumes of one period
_Uniform = Callable[[float, float], torch.Tensor]


@dataclass(frozen=True, eq=False)
class RestingHead:
    """A batch of heads at rest, (B, K, J, I) each.

    Args:
        magnetisation: M0 as the coil sees it.
        rate: R2*, 1/s.
        cbf: ml/100g/min.
        gm, wm, csf, veins: fractions.
        brain, lesion: 0/1; a lesion changes CBF, and nothing that BOLD shows unless M0 does.
        suppression: (B, 1, 1, 1) static signal that is left.
        level: (B,) mean of the second echo in the brain.
    """

    magnetisation: torch.Tensor
    rate: torch.Tensor
    cbf: torch.Tensor
    gm: torch.Tensor
    wm: torch.Tensor
    csf: torch.Tensor
    veins: torch.Tensor
    brain: torch.Tensor
    lesion: torch.Tensor
    suppression: torch.Tensor
    level: torch.Tensor

    def images(self, change: Callable[[torch.Tensor], torch.Tensor]) -> RestingHead:
        """The same with every image changed alike: `change` takes and gives (B, C, K, J, I)."""
        names = [f.name for f in fields(self) if getattr(self, f.name).shape == self.brain.shape]
        changed = change(torch.stack([getattr(self, name) for name in names], dim=1)).unbind(1)
        head = replace(self, **dict(zip(names, changed, strict=True)))
        return replace(head, brain=(head.brain > 0.5).float(), lesion=(head.lesion > 0.5).float())


@dataclass(frozen=True, eq=False)
class DualEchoRun:
    """What a run of T pairs gives and what lies behind it, (B, T, K, J, I) each.

    Args:
        bold: mean of the pair's second echoes.
        single: CBF of the pair's first echoes, ml/100g/min.
        truth: the CBF behind it.
    """

    bold: torch.Tensor
    single: torch.Tensor
    truth: torch.Tensor


def draw_head(volumes: Volumes, settings: DualEchoSettings, generator: torch.Generator) -> RestingHead:
    """Heads at rest of some phantoms (as float32), on their device; the resting CBF of GM is drawn anew."""
    brain, shape = volumes.brain.float(), tuple(volumes.brain.shape[1:])
    b, device = len(brain), brain.device
    uniform = _uniform_of(b, generator, dims=4)
    cbf = volumes.perfusion / volumes.m0.clamp_min(_FLOOR) * brain
    grey = volumes.gm * brain
    mean = (cbf * grey).sum((1, 2, 3)) / grey.sum((1, 2, 3)).clamp_min(1.0)
    cbf = cbf / mean.clamp_min(0.1)[:, None, None, None] * uniform(*settings.gm_cbf)
    csf = (brain - volumes.gm - volumes.wm).clamp(0, 1)
    spots = torch.randn((b, 1, *shape), generator=generator, device=device)
    spots = gaussian_window(shape, torch.tensor([[0.6, 0.8, 0.8]], device=device), unit="noise")(spots)[:, 0]
    veins = (spots - 1.0).clamp(0, 2) / 2 * uniform(*settings.veins) * brain
    rate = resting_rate(volumes.gm, volumes.wm, csf, veins) * uniform(0.95, 1.05)
    rate = rate + uniform(*settings.susceptibility) * air_places(brain)
    field = torch.exp(0.2 * smooth_fields(b, shape, 3, generator)[:, 0])
    magnetisation, suppression = volumes.m0 * field, uniform(*settings.suppression)
    second = echo_signal(suppression * magnetisation, rate, settings.echo_times[1]) * brain
    level = second.sum((1, 2, 3)) / brain.sum((1, 2, 3)).clamp_min(1.0)
    tissue = (volumes.gm, volumes.wm, csf, veins)
    return RestingHead(magnetisation, rate, cbf, *tissue, brain, volumes.lesion.float(), suppression, level)


def draw_run(head: RestingHead, settings: DualEchoSettings, generator: torch.Generator) -> DualEchoRun:
    """One run of each head of a batch."""
    uniform = _uniform_of(len(head.brain), generator, dims=5)
    flow = draw_flow(head.brain, settings, generator)
    first, second = _echoes(head, flow, settings, uniform, generator)
    calibration = echo_signal(head.magnetisation, head.rate, settings.echo_times[0])
    calibration = calibration.maximum(_FLOOR * calibration.mean())[:, None]
    single = (first[:, 0::2] - first[:, 1::2]) * SCALE / calibration
    truth = head.cbf[:, None] * (flow[:, 0::2] + flow[:, 1::2]) / 2
    return DualEchoRun((second[:, 0::2] + second[:, 1::2]) / 2, single, truth)


def draw_flow(brain: torch.Tensor, settings: DualEchoSettings, generator: torch.Generator) -> torch.Tensor:
    """Flow relative to rest (B, 2 T, K, J, I), of each volume: slow in regions and everywhere, blocks in two."""
    b, *shape = brain.shape
    count, uniform = 2 * settings.pairs, _uniform_of(b, generator, dims=5)
    change = uniform(*settings.common) * _slow(b, count, generator)
    share = uniform(*settings.regional) / 3**0.5
    for _ in range(3):
        change = change + share * _slow(b, count, generator) * 1.6 * smooth_fields(b, shape, 6, generator)
    time = torch.arange(count, device=brain.device).view(1, -1, 1, 1, 1)
    for _ in range(2):
        region = torch.sigmoid(5 * (1.6 * smooth_fields(b, shape, 7, generator) - 0.7))
        period, start = uniform(*_BLOCK), uniform(0, 1)
        on = ((time / period + start) % 1 < 0.5).float() - 0.5
        sign = (uniform(0, 1) < 0.5).float() * 2 - 1
        change = change + 2 * sign * uniform(*settings.blocks) * on * region
    return 1 + change.clamp(-settings.flow_change, settings.flow_change)


def _echoes(
    head: RestingHead, flow: torch.Tensor, s: DualEchoSettings, uniform: _Uniform, generator: torch.Generator
) -> list[torch.Tensor]:
    """Both echoes of every volume (B, 2 T, K, J, I), controls first."""
    grey, white, csf, veins = (x[:, None] for x in (head.gm, head.wm, head.csf, head.veins))
    label = (torch.arange(flow.shape[1], device=flow.device) % 2).view(1, -1, 1, 1, 1)
    perfusion = label * flow * head.cbf[:, None] / SCALE
    static = head.suppression[:, None] * _fluctuation(csf + 3 * veins, flow, s, uniform, generator)
    magnetisation = head.magnetisation[:, None] * (static - perfusion)
    ceiling = uniform(*s.ceiling) * (grey + _WHITE_SHARE * white) * (1 + 2 * veins)
    draws = {name: uniform(*getattr(s, name)) for name in ("alpha", "beta", "coupling")}
    change = bold_change(flow, ceiling=ceiling, **draws)
    rate = changed_rate(head.rate[:, None], change, s.echo_times[1])
    shift = uniform(*s.motion) * torch.randn((2, *flow.shape[:2], 1, 1, 1), generator=generator, device=flow.device)
    noise, texture = _thermal(head, s, uniform), _texture(flow, uniform, s)
    echoes = []
    for time in s.echo_times:
        rest = echo_signal(head.suppression * head.magnetisation, head.rate, time)[:, None]
        moved = sum(shift[n] * _slope(rest, axis) for n, axis in enumerate((-1, -2)))
        own = texture(torch.randn(flow.shape, generator=generator, device=flow.device))
        echoes.append(echo_signal(magnetisation, rate, time) + moved + noise * own)
    return echoes


def _fluctuation(
    pulsing: torch.Tensor, flow: torch.Tensor, s: DualEchoSettings, uniform: _Uniform, generator: torch.Generator
) -> torch.Tensor:
    """What multiplies the static signal: drift, respiration, and the pulse where CSF and veins are."""
    b, count, *shape = flow.shape
    time = torch.linspace(-1, 1, count, device=flow.device).view(1, -1, 1, 1, 1)
    drift = uniform(*s.drift) * time * (1 + smooth_fields(b, shape, 3, generator))

    def each() -> torch.Tensor:
        return torch.randn((b, count, 1, 1, 1), generator=generator, device=flow.device)

    breath = uniform(*s.respiration) * (0.7 * each() + each() * smooth_fields(b, shape, 4, generator))
    return 1 + drift + breath + uniform(*s.cardiac) * each() * pulsing


def _thermal(head: RestingHead, s: DualEchoSettings, uniform: _Uniform) -> torch.Tensor:
    """The SD (B, 1, 1, 1, 1) of the thermal noise of one image, the same in both echoes.

    It goes with the signal and not with the subject's CBF, which the noise of BOLD would tell otherwise.
    """
    grey = head.gm * head.brain
    first = echo_signal(head.magnetisation * _USUAL / SCALE, head.rate, s.echo_times[0])
    level = (first * grey).sum((1, 2, 3)) / grey.sum((1, 2, 3)).clamp_min(1e-3)
    # a slice without grey matter is as noisy as the others, not silent
    level = torch.where(grey.sum((1, 2, 3)) > 1, level, level.mean())
    return level[:, None, None, None, None] / (2**0.5 * uniform(*s.pair_snr))


def _texture(flow: torch.Tensor, uniform: _Uniform, s: DualEchoSettings) -> Callable:
    sd = uniform(*s.texture).view(-1, 1)
    return gaussian_window(flow.shape[2:], torch.cat([0 * sd, sd, sd], dim=1), unit="noise")


def _slow(batch: int, count: int, generator: torch.Generator) -> torch.Tensor:
    """Courses (B, N, 1, 1, 1) of unit SD whose successive values are alike."""
    steps = torch.randn((batch, count), generator=generator, device=generator.device)
    apart = torch.arange(count)  # where the decomposition is at hand on any machine
    cholesky = torch.linalg.cholesky(_MEMORY ** (apart[:, None] - apart).abs().float()).to(steps)
    return (steps @ cholesky.T)[:, :, None, None, None]


def _slope(image: torch.Tensor, axis: int) -> torch.Tensor:
    """Central difference along an axis, zero at both ends."""
    slope = torch.zeros_like(image)
    slope.narrow(axis, 1, image.shape[axis] - 2).copy_(
        0.5 * (image.narrow(axis, 2, image.shape[axis] - 2) - image.narrow(axis, 0, image.shape[axis] - 2))
    )
    return slope


def _uniform_of(batch: int, generator: torch.Generator, *, dims: int) -> _Uniform:
    """One value a head, ready to broadcast over `dims` axes."""

    def uniform(low: float, high: float) -> torch.Tensor:
        share = torch.rand((batch, *[1] * (dims - 1)), generator=generator, device=generator.device)
        return low + (high - low) * share

    return uniform
