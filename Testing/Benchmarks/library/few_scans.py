"""Learning from few scans whose noise is what it is: DWAN towards other pairs, or towards the mean of all of them.

A scan is one simulated subject with 40 pairs, drawn once: no fresh noise is added in training, as none can be to a real
scan. Learning from noise sees the mean of ten pairs drawn at random and is led to the mean of ten others; the pseudo
gold standard leads the same input to the cleaned, smoothed mean of all 40. Scans are drawn on the CPU, so that they are
the same wherever a network learns.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from ASLDenoiseLib.denoising.families import find_family
from ASLDenoiseLib.denoising.families.mean import brain_scale, tensor_of
from ASLDenoiseLib.learning.anatomy_pack import load_anatomies
from ASLDenoiseLib.learning.losses import loss_of
from ASLDenoiseLib.learning.phantom import PhantomSettings
from ASLDenoiseLib.learning.simulate import ScanSettings, simulate_head
from ASLDenoiseLib.learning.tasks.augment import augmented
from ASLDenoiseLib.learning.training import averaging
from ASLDenoiseLib.measuring.masks import measured
from ASLDenoiseLib.preparing.outliers import OutlierContext, find_outliers
from ASLDenoiseLib.spatial.smoothing import gaussian

from .cases import SPACING, Case, phantom_case, with_lesions
from .scores import PAPERS_PSNR, PAPERS_SSIM, PSEUDO_GOLD, PSNR, SSIM, figures_of, pseudo_gold

TRAINING = tuple(f"brain-{n:02}" for n in range(1, 15))
WATCHED, TESTED = "brain-15", ("brain-16", "brain-17")
PAIRS, SEEN = 40, 10
SIZES = (3, 10, 30)
WATCHES, TESTS = 2, 6  # scans that stop the training, and that judge it
BATCH, RATE, WARM_UP, DECAY = 8, 1e-3, 50, 0.999  # of the recipes dwan-lfn and dwan-asldn
EVERY = 200  # steps between looks at the watched scans
NOISE, GOLD = "learning from noise", "pseudo gold standard"
WAYS = {f"{target}, {loss.upper()}": (target, loss) for loss in ("l1", "l2") for target in (NOISE, GOLD)}
_FIGURES = (PSNR, PAPERS_PSNR, "CCC", "SNR", "GM/WM", "GM bias (%)", "WM bias (%)", "lesions")
_SSIM_SD, _SSIM_TRUNCATE = 1.5, 5.25 / 1.5

Rows = list[dict[str, float]]


def draw_scan(heads: Path, names: Sequence[str], number: int, *, seed: int, size: int = 64) -> Case:
    """The `number`-th scan of a study: anatomies take turns, each time another warp, perfusion, lesions and noise.

    Args:
        heads: a folder of label maps or a pack of anatomies.
        names: of the anatomies.
        number: from 0.
        seed: of the study.
        size: voxels in plane, of 24 slices at 64.
    """
    [anatomy] = load_anatomies(heads, [names[number % len(names)]])
    own = 1000 * seed + number
    rng = np.random.default_rng(own)
    scan = ScanSettings(
        pairs=PAIRS,
        gm_snr=float(np.exp(rng.uniform(np.log(0.7), np.log(1.5)))),
        correlation=rng.uniform(0.45, 0.65),
        correlation_z=rng.uniform(0.0, 0.5),
        physiological=0.003,
        memory=0.5,
        common=0.3,
        pulsation=rng.uniform(0.0, 0.02),
        spikes=0.01,
        unevenness=rng.uniform(0.0, 1.5),
    )
    spacing = tuple(s * 64 / size for s in SPACING)
    phantom = PhantomSettings(size=(size, size, round(24 * size / 64)))
    head = simulate_head(anatomy, phantom=phantom, spacing=spacing, scan=scan, seed=own, t1_spacing=6.0)
    return phantom_case(head, f"{anatomy.name}, {number}", see=SEEN)


def cleaned_mean(case: Case) -> np.ndarray:
    """The pseudo gold standard (K, J, I), scanner units: AOC over all pairs, then a 3 mm Gaussian."""
    context = OutlierContext(case.every_pair, case.quantification.factor, case.brain, case.tissue)
    mean = find_outliers("aoc", context).mean
    return np.nan_to_num(gaussian(mean, PSEUDO_GOLD, mask=case.brain).array)


@dataclass(frozen=True, eq=False)
class Teaching:
    """Scans to learn from, on a device.

    Args:
        pairs: (V, N, K, J, I) float16, each over the mean of its scan in the brain.
        means: (V, N) mean of each pair in the brain.
        gold: (V, K, J, I) float16, the pseudo gold standard in the same unit.
        brain: (V, K, J, I) float16, 0/1.
    """

    pairs: torch.Tensor
    means: torch.Tensor
    gold: torch.Tensor
    brain: torch.Tensor

    @cached_property
    def slices(self) -> torch.Tensor:
        """(S, 2) volume and slice of every slice with brain."""
        return (self.brain.float().mean(dim=(2, 3)) > 0.04).nonzero()

    @classmethod
    def of(cls, case: Case) -> Teaching:
        """Of one scan."""
        array, brain = np.nan_to_num(case.every_pair.array), case.brain.array > 0
        unit = brain_scale(array.mean(axis=0), case.brain)
        means = torch.from_numpy(array[:, brain].mean(axis=1) / unit).float()
        halves = (torch.from_numpy(a).half()[None] for a in (array / unit, cleaned_mean(case) / unit, brain))
        pairs, gold, inside = halves
        return cls(pairs, means[None], gold, inside)

    @classmethod
    def read(cls, paths: Sequence[Path], device: str) -> Teaching:
        """Of several scans of one grid, from files of `save`."""
        parts = [torch.load(path, map_location=device, weights_only=True) for path in paths]
        return cls(**{f.name: torch.cat([part[f.name] for part in parts]) for f in fields(cls)})

    def save(self, path: Path) -> Path:
        """Write them, whole or not at all; returns the path."""
        part = path.with_suffix(".part")
        torch.save({f.name: getattr(self, f.name) for f in fields(self)}, part)
        return part.replace(path)


def draw_teaching(heads: Path, names: Sequence[str], number: int, path: Path, *, seed: int, size: int = 64) -> Path:
    """The file of a scan to learn from (`draw_scan`), drawn unless it is there."""
    torch.set_num_threads(1)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    return Teaching.of(draw_scan(heads, names, number, seed=seed, size=size)).save(path)


def draw_batch(scans: Teaching, target: str, on: torch.Generator, off: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Input, target and brain, (B, 1, J, I) each: slices of random groups of ten pairs, over the brain mean of those.

    Args:
        scans: to draw from.
        target: `NOISE` or `GOLD`; both draw the same inputs from the same generators.
        on, off: generators on the device of the scans and on the CPU.
    """
    device, count = scans.pairs.device, scans.pairs.shape[1]
    at = torch.randint(len(scans.slices), (BATCH,), generator=on, device=device)
    volume, slice_ = scans.slices[at].T
    order = torch.rand((BATCH, count), generator=on, device=device).argsort(dim=1)
    share = 1.0 / SEEN
    seen = torch.zeros((BATCH, count), device=device).scatter_(1, order[:, :SEEN], share)
    level = (seen * scans.means[volume]).sum(1)[:, None, None]
    pairs = scans.pairs[volume, :, slice_].float()
    given = torch.einsum("bn,bnji->bji", seen, pairs)
    if target == NOISE:
        other = torch.zeros((BATCH, count), device=device).scatter_(1, order[:, SEEN : 2 * SEEN], share)
        wanted = torch.einsum("bn,bnji->bji", other, pairs)
    else:
        wanted = scans.gold[volume, slice_].float()
    images = torch.stack([given / level, wanted / level, scans.brain[volume, slice_].float()], dim=1)
    moved = augmented(images[:, :, None], "flips", off)[:, :, 0]
    return moved[:, :1], moved[:, 1:2], moved[:, 2:]


@dataclass(frozen=True, eq=False)
class Taught:
    """What a training left: the weights that the watched scans chose, those of its end, and how it came about."""

    best: torch.nn.Module
    last: torch.nn.Module
    step: int
    seconds: float
    watched: tuple[float, ...]


def teach(scans: Teaching, watched: Teaching, way: str, *, steps: int, seed: int, device: str) -> Taught:
    """Train a DWAN on `scans`; averaged weights with the least unseen error on `watched` are the best.

    That error is of means of ten pairs against the mean of the 30 others: its noise is the same for all, and it needs
    no truth and favours neither target.
    """
    target, loss_name = WAYS[way]
    torch.manual_seed(seed)
    network = find_family("dwan").build("dwan").to(device, memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=averaging(DECAY))
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, fused=device == "cuda")
    on, off = torch.Generator(device).manual_seed(seed), torch.Generator().manual_seed(seed)
    best, least, step_of_best, seen, started = None, math.inf, 0, [], time.monotonic()
    for step in range(1, steps + 1):
        rate = RATE * min(1.0, step / WARM_UP) * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        given, wanted, brain = draw_batch(scans, target, on, off)
        with _half(device):
            estimate = network(given.contiguous(memory_format=torch.channels_last))
        loss = loss_of(loss_name, estimate.float(), wanted, brain + 0.1 * (1 - brain))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update_parameters(network)
        if step % EVERY == 0 or step == steps:
            seen.append(unseen_error(average.module, watched))
            if seen[-1] < least:
                best, least, step_of_best = copy.deepcopy(average.module), seen[-1], step
    if best is None:
        raise RuntimeError(f"{way} diverged")
    return Taught(best.eval(), average.module.eval(), step_of_best, time.monotonic() - started, tuple(seen))


def _half(device: str) -> torch.autocast:
    """bfloat16 on a GPU alone: many CPUs are slower with it."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda")


@torch.no_grad()
def unseen_error(network: torch.nn.Module, scans: Teaching) -> float:
    """Mean squared error of the network's maps of ten pairs against the mean of the 30 others, in the brain."""
    total, device = 0.0, scans.pairs.device.type
    for pairs, means, brain in zip(scans.pairs, scans.means, scans.brain, strict=True):
        for first in range(0, len(pairs), SEEN):
            group = torch.zeros(len(pairs), dtype=torch.bool, device=pairs.device)
            group[first : first + SEEN] = True
            given, level = pairs[group].float().mean(0), means[group].mean()
            with _half(device):
                shown = network((given / level)[:, None])[:, 0].float() * level
            error = (shown - pairs[~group].float().mean(0)).square()
            total += float((error * brain).sum() / brain.sum())
    return total / (len(scans.pairs) * (len(scans.pairs[0]) // SEEN))


@torch.no_grad()
def shown_by(network: torch.nn.Module, case: Case, device: str) -> np.ndarray:
    """CBF (K, J, I) that a network of slices makes of the pairs a method sees, in float32."""
    unit = brain_scale(case.raw.array, case.brain)
    seen = tensor_of(case.raw.array)[0, 0, :, None].to(device) / unit
    array = network(seen)[:, 0].float().cpu().numpy() * unit
    return case.cbf(case.raw.with_array(array)).array


def draw_tests(heads: Path, *, count: int = TESTS, size: int = 64) -> list[Case]:
    """The scans that judge, with implanted lesions."""
    return [with_lesions(draw_scan(heads, TESTED, n, seed=900, size=size)) for n in range(count)]


def judged(cases: Sequence[Case], shown: Callable[[Case], np.ndarray]) -> Rows:
    """The figures of a way on every scan."""
    rows = []
    for case in cases:
        array = shown(case)
        row = figures_of(case, array, _FIGURES)
        row[SSIM] = similarity(array, case.truth.array, case.inside)
        row[PAPERS_SSIM] = similarity(array, pseudo_gold(case), case.inside)
        rows.append(row)
    return rows


def similarity(estimate: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """`measuring.image_quality.ssim` with scipy alone, for machines that have no scikit-image."""
    from scipy.ndimage import gaussian_filter

    _, inside = measured(mask, estimate, truth)
    span = float(inside.max())
    known = np.isfinite(estimate) & np.isfinite(truth)
    e, t = (np.where(known, np.asarray(a, np.float64), 0.0) for a in (estimate, truth))

    def local(array: np.ndarray) -> np.ndarray:
        return gaussian_filter(array, _SSIM_SD, mode="reflect", truncate=_SSIM_TRUNCATE)

    me, mt = local(e), local(t)
    ve, vt, both = local(e * e) - me**2, local(t * t) - mt**2, local(e * t) - me * mt
    one, two = (0.01 * span) ** 2, (0.03 * span) ** 2
    each = (2 * me * mt + one) * (2 * both + two) / ((me**2 + mt**2 + one) * (ve + vt + two))
    return float(each[known & (np.asarray(mask) > 0.5)].mean())
