"""Training the default model: guided averages in units of noise, guides that may be missing, an error that counts bias.

Every step sees fresh noise. The loss is a sum of logarithms of error energies, so that every sample weighs alike
whatever its SNR, and lowering an error by a decibel is worth the same everywhere. Beside the voxels' squared error it
counts that of local averages within the brain, grey matter, white matter and lesions: what a denoiser that is best
voxel by voxel gives away. Each has a logarithm of its own, because a part of it is noise that nothing can lower.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F

from ...denoising.families import Sample
from ...denoising.gaussian_windows import gaussian_window
from ..noise import draw_noise, draw_noise_parameters, smooth_fields
from ..persistent import draw_persistent
from ..resampling import draw_resampling
from ..volumes import Volumes
from .crops import cut_at_random
from .ellipsoids import guide_lesions, perfusion_lesions
from .noise_estimate import noise_estimate
from .task import Batch, TrainingTask

_FLOOR = 1e-3  # of the voxels' energy, in noise variances: below it nothing is worth learning
_LOCAL_FLOOR = 5e-3  # of the local averages'
_LEAST_LEVEL = 0.5  # of GM over the brain mean; phantoms whose blood comes too late teach that noise is no perfusion
GUIDE_SETS = ("T1+M0", "M0", "none")  # that an input may have
_LOCAL_SD = 2.0  # voxels, in plane; half of it between slices


@dataclass(frozen=True)
class GuidedTaskSettings:
    """How the default model is trained.

    Args:
        crop: voxels (K, J, I) cut from each.
        t1, m0: chances that a guide is there.
        mismatched: chance that the T1 is of another brain.
        empty: chance that there is no perfusion at all.
        lesions: chance of each of three further lesions, of perfusion alone, besides those of the phantom.
        guide_lesions: chance of each of three lesions that the guides show and perfusion has not.
        persistent: chance of vessels, and of edges that every pair shows alike (`learning.persistent`).
        one_image: chance that there are no pairs to tell the noise's texture.
        local_weights: of the local averages within `Batch.regions`, against the voxels: brain, GM, WM, perfusion
            lesions and guide lesions.
    """

    crop: tuple[int, int, int] = (16, 40, 40)
    t1: float = 0.55
    m0: float = 0.65
    mismatched: float = 0.03
    empty: float = 0.02
    lesions: float = 0.4
    guide_lesions: float = 0.35
    persistent: float = 0.5
    one_image: float = 0.05
    local_weights: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 0.4)


class GuidedTask(TrainingTask):
    """Batches in units of the noise SD, all (B, 1, K, J, I) but the channels; options are `GuidedTaskSettings`.

    Everything is drawn on the device, where the volumes must lie.
    """

    pool_on_device = True

    @cached_property
    def settings(self) -> GuidedTaskSettings:
        """The recipe's options."""
        return GuidedTaskSettings(**self.recipe.options)

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str, *, guides: str | None = None) -> Batch:
        """A batch; `guides` fixes what is there (``T1+M0``, ``M0``, ``none``) instead of drawing it."""
        s, b = self.settings, self.recipe.batch
        index = torch.randint(len(volumes), (b,), generator=generator)
        rng = torch.Generator(device).manual_seed(int(torch.randint(2**31, (), generator=generator)))
        v = cut_at_random(volumes, index.to(device), s.crop, rng)
        parts = (v.perfusion, v.m0, v.gm, v.wm, v.brain, v.lesion)
        truth, m0, gm, wm, brain, lesion = (part.float()[:, None] for part in parts)
        t1, spacing, level = v.t1, v.spacing, v.gm_level.clamp_min(_LEAST_LEVEL)
        shape = tuple(truth.shape[-3:])

        def uniform() -> torch.Tensor:
            return torch.rand((b, 1, 1, 1, 1), generator=rng, device=device)

        change, added = perfusion_lesions(brain, spacing, rng, chance=s.lesions)
        truth, lesion = truth * change, torch.maximum(lesion, added)
        field = torch.exp(0.25 * smooth_fields(b, shape, 3, rng))  # the coil sees M0 and difference alike
        truth = truth * field * (uniform() > s.empty)
        mask = _varied_mask(brain, uniform())
        csf = (brain - gm - wm).clamp(0, 1)
        truth = truth + draw_persistent(level, m0, brain, rng, chance=s.persistent)
        moved = draw_resampling(shape, spacing, rng, chance=self.recipe.noise.resampled)
        truth = moved.image(truth)
        draw = draw_noise_parameters(level, shape, self.recipe.noise, rng, csf=csf, static=m0, resampling=moved)
        noisy = truth + draw_noise(draw, brain, rng)
        sigma, maps = noise_estimate(draw, brain, mask, spacing, rng, one_image=s.one_image)
        t1, m0, decoy = guide_lesions(t1, m0, brain, spacing, rng, chance=s.guide_lesions, white=wm)
        m0 = m0 * field * (1 + (0.01 + 0.04 * uniform()) * torch.randn(m0.shape, generator=rng, device=device))
        have_t1, have_m0 = uniform() < s.t1, uniform() < s.m0
        if guides is not None:
            have_t1, have_m0 = torch.full_like(have_t1, "T1" in guides), torch.full_like(have_m0, "M0" in guides)
        t1 = torch.where(uniform() < s.mismatched, t1.roll(1, 0), t1)
        grain = 0.08 * uniform() * torch.randn(t1.shape, generator=rng, device=device)  # a T1 is noisy too
        t1 = (t1 + grain * (t1 * (1 - t1) * 4).sqrt()).clamp(0, 1)
        noisy, truth = noisy / sigma * mask, truth / sigma
        t1, m0 = t1 * have_t1, torch.where(have_m0, m0, 1.0)  # a guide of one value is none
        sample = Sample(noisy, mask, spacing, m0, t1, maps)
        regions = (brain, gm * mask, wm * mask, lesion * mask, decoy * mask)
        return Batch((self.family.channels(sample),), truth, truth, noisy, mask, mask, regions=regions)

    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """Mean log energies of the error, plus the Gaussian negative log likelihood of the SD head."""
        estimate, spread = network(*batch.inputs)
        error = (estimate.float() - batch.truth) * batch.weight
        count = batch.weight.sum(dim=(1, 2, 3, 4)).clamp_min(1)
        energy = error.square().sum(dim=(1, 2, 3, 4)) / count
        loss = torch.log(energy + _FLOOR)
        window = gaussian_window(error.shape[-3:], error.new_tensor([[_LOCAL_SD / 2, _LOCAL_SD, _LOCAL_SD]]))
        for weight, region in zip(self.settings.local_weights, batch.regions, strict=True):
            loss = loss + weight * torch.log(_local_energy(error, region, window) + _LOCAL_FLOOR)
        likelihood = spread.log() + 0.5 * (error.detach() / spread).square()
        likelihood = (likelihood * batch.weight).sum() / batch.weight.sum().clamp_min(1)
        return 0.5 * loss.mean() + 0.2 * likelihood

    def fixed_batches(self, volumes: Volumes, device: str) -> Iterator[Batch]:
        """The same three draws with T1 and M0, M0 alone, and neither."""
        for guides in GUIDE_SETS:
            generator = torch.Generator().manual_seed(self.recipe.seed + 1)
            yield from (self.batch(volumes, generator, device, guides=guides) for _ in range(3))

    @torch.no_grad()
    def facts(self, network: torch.nn.Module, volumes: Volumes, device: str, *, draws: int = 20) -> dict[str, float]:
        """``uncertainty_factor``: what the head's SD is multiplied by so that 1.96 of it hold 95 % of the errors."""
        network.eval()
        generator = torch.Generator().manual_seed(self.recipe.seed + 2)
        ratios = []
        for guides in (each for each in GUIDE_SETS for _ in range(draws)):
            batch = self.batch(volumes, generator, device, guides=guides)
            estimate, spread = network(*batch.inputs)
            ratio = ((estimate - batch.truth).abs() / spread)[batch.weight > 0]
            ratios.append(ratio[:: max(1, len(ratio) // 2000)].cpu())
        return {"uncertainty_factor": round(float(torch.cat(ratios).quantile(0.95)) / 1.96, 4)}


def _local_energy(error: torch.Tensor, region: torch.Tensor, window) -> torch.Tensor:
    """Mean square (B,) of the error's local averages within a region of weights 0..1; zero where there is no region."""
    weight = window(region)
    mean = window(error * region) / (weight + 0.02)
    total = region.sum(dim=(1, 2, 3, 4))
    return (mean.square() * region).sum(dim=(1, 2, 3, 4)) / (total + 5)


def _varied_mask(brain: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
    """Masks as another method might have drawn them: now and then a voxel wider or narrower in plane.

    `chance` (B, 1, 1, 1, 1) is uniform; below .2 the mask is wider, below .35 narrower.
    """
    wider = F.max_pool3d(brain, (1, 3, 3), 1, (0, 1, 1))
    narrower = 1 - F.max_pool3d(1 - brain, (1, 3, 3), 1, (0, 1, 1))
    return torch.where(chance < 0.2, wider, torch.where(chance < 0.35, narrower, brain))
