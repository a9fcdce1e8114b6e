"""The physics of a simulated dual-echo run: how much signal each echo has, and how flow changes it.

S(TE, t) = M0 BS (label term) exp(-TE R2*(t)): the control/label difference of the first echo is perfusion, the second
echo is BOLD. Flow f (relative to rest) changes R2* by the Davis model, dS/S = M (1 - f^(alpha - beta) m^beta), m the
oxygen metabolism, which follows flow by the coupling n: f - 1 = n (m - 1).

Source: Davis et al., PNAS 1998; Hoge et al., MRM 1999 (n about 2); usual values at 3 T.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

GM_RATE, WM_RATE = 20.0, 22.0  # R2*, 1/s, at 3 T
CSF_RATE, OTHER_RATE = 2.0, 25.0
_VEIN_RATE = 60.0  # 1/s more where there is nothing but venous blood


@dataclass(frozen=True)
class DualEchoSettings:
    """What a dual-echo run is drawn from; pairs are (lowest, highest) of a uniform draw.

    Args:
        echo_times: s, of perfusion and of BOLD.
        pairs: control/label pairs a run.
        gm_cbf: ml/100g/min at rest; nothing in BOLD tells it.
        pair_snr: the difference of GM of 60 ml/100g/min over the thermal noise SD of one pair's, first echo.
        suppression: static signal that is left.
        alpha, beta: exponents of volume and of oxygenation in the Davis model.
        ceiling: M, the largest relative BOLD change of grey matter at the second echo; white matter has less.
        coupling: n, relative change of flow over that of metabolism.
        flow_change: most that flow departs from rest.
        regional, common: SD of slow changes of flow, of regions and of the whole brain.
        blocks: amplitude of the two regions whose flow goes up or down in blocks.
        drift: relative change of the signal over the run, SD.
        respiration: SD of the smooth fluctuation of the signal, relative.
        cardiac: SD of the fluctuation of CSF and veins, relative.
        motion: SD of what motion correction leaves, voxels in plane.
        susceptibility: R2*, 1/s, more above nose and ears.
        veins: most of a voxel that is venous blood.
        texture: Gaussian SD, voxels, that correlates neighbouring noise.
    """

    echo_times: tuple[float, float] = (0.010, 0.028)
    pairs: int = 20
    gm_cbf: tuple[float, float] = (35.0, 85.0)
    pair_snr: tuple[float, float] = (0.4, 1.2)
    suppression: tuple[float, float] = (0.5, 1.0)
    alpha: tuple[float, float] = (0.2, 0.38)
    beta: tuple[float, float] = (1.3, 1.5)
    ceiling: tuple[float, float] = (0.05, 0.10)
    coupling: tuple[float, float] = (2.0, 3.0)
    flow_change: float = 0.4
    regional: tuple[float, float] = (0.03, 0.12)
    common: tuple[float, float] = (0.0, 0.08)
    blocks: tuple[float, float] = (0.1, 0.4)
    drift: tuple[float, float] = (0.0, 0.01)
    respiration: tuple[float, float] = (0.001, 0.004)
    cardiac: tuple[float, float] = (0.0, 0.02)
    motion: tuple[float, float] = (0.0, 0.03)
    susceptibility: tuple[float, float] = (10.0, 50.0)
    veins: tuple[float, float] = (0.0, 0.1)
    texture: tuple[float, float] = (0.0, 0.6)


def metabolism_of(flow: torch.Tensor, coupling: torch.Tensor | float) -> torch.Tensor:
    """Oxygen metabolism relative to rest at a relative flow: m = 1 + (f - 1) / n."""
    return 1 + (flow - 1) / coupling


def bold_change(
    flow: torch.Tensor,
    *,
    ceiling: torch.Tensor | float,
    alpha: torch.Tensor | float,
    beta: torch.Tensor | float,
    coupling: torch.Tensor | float,
) -> torch.Tensor:
    """Relative change of the BOLD signal at a relative flow (Davis): M (1 - f^(alpha - beta) m^beta)."""
    return ceiling * (1 - flow ** (alpha - beta) * metabolism_of(flow, coupling) ** beta)


def changed_rate(rate: torch.Tensor, change: torch.Tensor, echo_time: float) -> torch.Tensor:
    """R2* (1/s) once the signal at an echo time (s) has changed by a relative `change`."""
    return rate - torch.log1p(change) / echo_time


def echo_signal(magnetisation: torch.Tensor, rate: torch.Tensor, echo_time: float) -> torch.Tensor:
    """The signal at an echo time (s): magnetisation exp(-TE R2*)."""
    return magnetisation * torch.exp(-echo_time * rate)


def resting_rate(gm: torch.Tensor, wm: torch.Tensor, csf: torch.Tensor, veins: torch.Tensor | float) -> torch.Tensor:
    """R2* (1/s) of fractions of tissue and of venous blood; what is none of the three is muscle and skin."""
    other = (1 - gm - wm - csf).clamp(0, 1)
    return GM_RATE * gm + WM_RATE * wm + CSF_RATE * csf + OTHER_RATE * other + _VEIN_RATE * veins


def air_places(brain: torch.Tensor) -> torch.Tensor:
    """How near (0..1, of the shape of `brain`) the air of the nose and of the ears is: above the orbits, temporal.

    Args:
        brain: (B, K, J, I) 0/1, axes towards superior, posterior, left; empty ones have none.
    """
    at = [_across(brain, axis) for axis in (1, 2, 3)]
    nose = _bump(at, (0.25, 0.15, 0.5), (0.12, 0.12, 0.18))
    ears = sum(_bump(at, (0.15, 0.5, side), (0.12, 0.12, 0.1)) for side in (0.12, 0.88))
    return (nose + 0.6 * ears).clamp(0, 1)


def _across(brain: torch.Tensor, axis: int) -> torch.Tensor:
    """Where along an axis each voxel lies, 0 at the first and 1 at the last of the brain's, ready to broadcast."""
    there = (brain > 0.5).any(dim=tuple(a for a in (1, 2, 3) if a != axis))
    count = there.shape[1]
    places = torch.arange(count, device=brain.device, dtype=torch.float32)
    first = torch.where(there, places, float(count)).amin(1)
    last = torch.where(there, places, -1.0).amax(1)
    across = (places - first[:, None]) / (last - first).clamp_min(1.0)[:, None]
    return across.reshape(len(brain), *(count if a == axis else 1 for a in (1, 2, 3)))


def _bump(at: list[torch.Tensor], middle: tuple[float, ...], sd: tuple[float, ...]) -> torch.Tensor:
    far = sum(((x - m) / s).square() for x, m, s in zip(at, middle, sd, strict=True))
    return torch.exp(-0.5 * far)
