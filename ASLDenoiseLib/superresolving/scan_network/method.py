"""Super-resolution by a small network trained through the acquisition model on the one scan (unsupervised).

The network turns the map without anatomy (`Problem.free_fields`) and the T1's features into a fine map x; it is trained
through D H x on the acquired voxels for as long as that helps it to predict voxels it was not shown, in its input
neither, and no longer: an untrained network prefers smooth answers (Ulyanov 2018), and stopping early keeps the noise
out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from ...errors import InputError
from ...networks.scan_network import ScanNetwork
from ...progress import Progress, silent, span
from ...series import Origin, Parameter, Volume
from ..consistency import consistent
from ..contrast_features import contrast_features
from ..problem import Problem, problem_of
from ..resolver import LowResolution, SuperResolvedMap, onto_target, with_residual
from ..smooth_fields import total

_CHECK = 10  # iterations between checks on withheld voxels


@dataclass(frozen=True)
class ScanNetworkSettings:
    """How long and on what the network is trained.

    Args:
        iterations: at most.
        patch: edge in acquired voxels of the cube that a step sees.
        rate: of Adam, falling to a tenth along a cosine.
        channels: of the network's two levels.
        withheld: share of the acquired voxels that training does not see.
        patience: checks without gain on them, after which training ends.
        seed: of weights, patches and what is withheld.
    """

    iterations: int = 400
    patch: int = 16
    rate: float = 3e-3
    channels: tuple[int, int] = (16, 32)
    withheld: float = 0.1
    patience: int = 8
    seed: int = 0


def scan_network(
    scan: LowResolution,
    *,
    settings: ScanNetworkSettings | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> SuperResolvedMap:
    """Train on `scan` and bring it to the target grid, in agreement with the acquired map.

    Raises:
        InputError: there is no T1.
    """
    s = settings or ScanNetworkSettings()
    if scan.t1 is None:
        raise InputError("The scan network needs a T1 image; give one, or choose another method.")
    progress(0.0, "describing the T1")
    problem = problem_of(scan)
    fine = problem.model.fine
    features = contrast_features(
        scan.even, fine, problem.low.with_array(problem.measured), transform=scan.t1_to_asl,
        progress=span(progress, 0.0, 0.1),
    )  # fmt: skip
    shown = np.random.default_rng(s.seed).random(problem.measured.shape) >= s.withheld
    inputs = _Inputs.of(problem, _without_anatomy(problem, shown), features, device)
    network, ended = _trained(inputs, shown, s, span(progress, 0.1, 0.9))
    whole = inputs.like(_without_anatomy(problem, np.ones_like(shown)) / problem.level)
    with torch.no_grad():
        estimate = network(whole, inputs.features)[0, 0].cpu().numpy() * problem.level
    volume = Volume(np.where(problem.model.measured, estimate, np.nan), fine, scan.low.unit)
    agreed = consistent(volume, problem.low, problem.sd, problem.model, progress=span(progress, 0.9, 0.98))
    used = (
        Parameter("iterations", ended, "", Origin.IMAGE, "ended by voxels that were withheld"),
        Parameter("seed", s.seed, "", Origin.DEFAULT),
    )
    result = with_residual(scan, onto_target(scan, agreed.array, fine), used=used)
    progress(1.0, "super-resolved")
    return result


def _without_anatomy(problem: Problem, shown: np.ndarray) -> np.ndarray:
    """The map (fine grid) that smooth fields make of the voxels shown (K, J, I)."""
    free = problem.free_fields()
    return total(free.fine, problem.fit(free, np.where(shown, problem.precision, 0).astype(np.float32)))


@dataclass(frozen=True, eq=False)
class _Inputs:
    """Tensors: base and features on the fine grid, the map, its precision (0 withheld or unknown) and the matrices.

    `parts` are the fine voxels of an acquired one along (k, j, i).
    """

    base: torch.Tensor
    features: torch.Tensor
    values: torch.Tensor
    precision: torch.Tensor
    matrices: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    parts: tuple[int, int, int]

    @classmethod
    def of(cls, problem: Problem, base: np.ndarray, features: np.ndarray, device: str) -> _Inputs:
        level, axes = problem.level, problem.model.axes
        parts = tuple(f // a for f, a in zip(problem.model.fine.shape, problem.low.array.shape, strict=True))
        tensor = [torch.as_tensor(np.ascontiguousarray(a), dtype=torch.float32, device=device) for a in (
            base[None, None] / level, features[None], problem.values / level, problem.precision * level**2
        )]  # fmt: skip
        matrices = tuple(torch.as_tensor(m, device=device) for m in (axes.k, axes.j, axes.i))
        return cls(*tensor, matrices, parts)

    def like(self, base: np.ndarray) -> torch.Tensor:
        """Another base (K, J, I) as a tensor like this one's."""
        return torch.as_tensor(base[None, None], dtype=torch.float32, device=self.base.device)

    def averaged(self, fine: torch.Tensor, acquired: tuple[slice, ...]) -> torch.Tensor:
        """D H of a patch (1, 1, k, j, i) that covers the acquired voxels of three slices."""
        k, j, i = (m[s, s.start * p : s.stop * p] for m, s, p in zip(self.matrices, acquired, self.parts, strict=True))
        return torch.einsum("ak,kbc->abc", k, torch.matmul(torch.matmul(j, fine[0, 0]), i.T))

    def fine_of(self, acquired: tuple[slice, ...]) -> tuple[slice, ...]:
        return tuple(slice(s.start * p, s.stop * p) for s, p in zip(acquired, self.parts, strict=True))


def _trained(inputs: _Inputs, shown: np.ndarray, s: ScanNetworkSettings, progress: Progress) -> tuple[ScanNetwork, int]:
    """The network as it predicted the withheld voxels best, and after how many iterations that was."""
    torch.manual_seed(s.seed)
    rng = np.random.default_rng(s.seed)
    network = ScanNetwork(inputs.features.shape[1], s.channels).to(inputs.base.device)
    trained = torch.as_tensor(shown, device=inputs.precision.device)
    precision, withheld = inputs.precision * trained, inputs.precision * ~trained
    optimiser = torch.optim.Adam(network.parameters(), s.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, s.iterations, eta_min=s.rate / 10)
    places = torch.nonzero(precision > 0).cpu().numpy()
    best, kept, at, waited = np.inf, {k: v.clone() for k, v in network.state_dict().items()}, 0, 0
    started = time.monotonic()
    for n in range(s.iterations):
        if n % _CHECK == 0:
            error = _misfit(network, inputs, withheld)
            waited = 0 if error < best else waited + 1
            if error < best:
                best, at, kept = error, n, {k: v.clone() for k, v in network.state_dict().items()}
            if waited >= s.patience:
                break
        patch = _patch(places[rng.integers(len(places))], inputs.values.shape, s.patch)
        part = inputs.fine_of(patch)
        estimate = network(inputs.base[(..., *part)], inputs.features[(..., *part)])
        apart = inputs.averaged(estimate, patch) - inputs.values[patch]
        inner = _inner(precision[patch], patch, inputs.values.shape)
        loss = (inner * apart**2).sum() / (inner > 0).sum().clamp(min=1)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        left = (time.monotonic() - started) / (n + 1) * (s.iterations - n - 1)
        progress((n + 1) / s.iterations, f"training on this scan: at most {left:.0f} s left")
    network.load_state_dict(kept)
    return network, at


def _misfit(network: ScanNetwork, inputs: _Inputs, precision: torch.Tensor) -> float:
    """Mean squared misfit, in SDs of the noise, of acquired voxels by their precision."""
    with torch.no_grad():
        whole = tuple(slice(0, n) for n in inputs.values.shape)
        apart = inputs.averaged(network(inputs.base, inputs.features), whole) - inputs.values
        return float((precision * apart**2).sum() / (precision > 0).sum().clamp(min=1))


def _patch(centre: np.ndarray, shape: torch.Size, edge: int) -> tuple[slice, ...]:
    firsts = [int(min(max(0, c - edge // 2), max(0, n - edge))) for c, n in zip(centre, shape, strict=True)]
    return tuple(slice(f, min(f + edge, n)) for f, n in zip(firsts, shape, strict=True))


def _inner(precision: torch.Tensor, patch: tuple[slice, ...], shape: torch.Size) -> torch.Tensor:
    """The precision without the patch's outermost voxels, whose point spread and network reach beyond it."""
    inner = precision.clone()
    for axis, (s, n) in enumerate(zip(patch, shape, strict=True)):
        if s.start > 0:
            inner.select(axis, 0).zero_()
        if s.stop < n:
            inner.select(axis, s.stop - s.start - 1).zero_()
    return inner
