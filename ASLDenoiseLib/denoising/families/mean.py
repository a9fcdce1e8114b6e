"""A mean difference as it comes, its scaling and cutting, and what networks share that see it over its brain's mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...series import ASLSeries, Volume
from ...spatial.masks import bounding_box
from . import DenoiserFamily, Sample

if TYPE_CHECKING:
    import torch

    from ...compute import Compute
    from ..catalogue import ModelCard

_MARGIN = 8  # voxels around the brain that a network still sees


@dataclass(frozen=True, eq=False)
class Mean:
    """One mean difference to be denoised.

    Args:
        array: (K, J, I), scanner units, NaN where not measured.
        count: pairs in it.
        pairs: all pairs of the series, for their spread.
        brain: 0/1 on the same grid.
        card: the model.
        m0, guides: further images on the same grid, where there are any.
        weights: of the pairs, as in `preparing.averaging`.
    """

    array: np.ndarray
    count: int
    pairs: ASLSeries
    brain: Volume
    card: ModelCard
    m0: Volume | None = None
    guides: tuple[Volume, ...] = ()
    weights: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """A denoised mean (K, J, I) in the units of the input, NaN where the input was.

    Args:
        array: the mean.
        scale: what the input was divided by.
        uncertainty: (K, J, I) SD of the error in the same units, from networks that estimate it.
    """

    array: np.ndarray
    scale: float
    uncertainty: np.ndarray | None = None


def brain_scale(array: np.ndarray, brain: Volume) -> float:
    """The mean of the brain; where it is not positive (swapped or no perfusion) the mean magnitude instead.

    Raises:
        InputError: the differences are all zero or not measured in the mask.
    """
    inside = array[brain.array > 0]
    inside = inside[np.isfinite(inside)]
    if not inside.size or not np.any(inside):
        raise InputError("The perfusion difference is empty in the brain mask; check the series and its M0.")
    mean, magnitude = float(inside.mean()), float(np.abs(inside).mean())
    return mean if mean > 0.05 * magnitude else magnitude


def over_brain_mean(image: torch.Tensor, brain: torch.Tensor) -> torch.Tensor:
    """An image (B, 1, K, J, I) in units of its mean in the brain (0/1); zero where there is no brain."""
    total, count = (image * brain).sum(dim=(2, 3, 4), keepdim=True), brain.sum(dim=(2, 3, 4), keepdim=True)
    return (image / total * count).nan_to_num(0.0, 0.0, 0.0)


def brain_box(brain: Volume) -> tuple[slice, slice, slice]:
    """The slices that hold brain, and the brain's box with a margin in plane.

    Raises:
        InputError: the mask is empty.
    """
    inside = brain.array > 0
    if not inside.any():
        raise InputError("The brain mask is empty; give an M0 or a mask that covers the brain.")
    return bounding_box(inside, (0, _MARGIN, _MARGIN))


def tensor_of(array: np.ndarray) -> torch.Tensor:
    """A batch of one image (1, 1, K, J, I) in float32, zero where nothing was measured."""
    import torch

    return torch.from_numpy(np.where(np.isfinite(array), array, 0).astype(np.float32))[None, None]


def placed(result: np.ndarray, box: tuple[slice, slice, slice], original: np.ndarray) -> np.ndarray:
    """The result in its box of the original; outside, nothing was denoised, and what was not measured stays NaN."""
    output = original.astype(np.float32)
    output[box] = result
    output[~np.isfinite(original)] = np.nan
    return output


class BrainMeanFamily(DenoiserFamily):
    """Networks that see a mean difference divided by its mean in the brain, and the M0 likewise where they need it."""

    def inputs(self, smoothing_mm: float = 0.0) -> tuple[str, ...]:
        after = f", after a {smoothing_mm:g} mm Gaussian" if smoothing_mm else ""
        m0 = ("M0 divided by its mean in the brain",) if "m0" in self.needs else ()
        return (f"mean difference divided by its mean in the brain{after}", *m0)

    def sample_of(self, mean: Mean) -> tuple[Sample, float]:
        """The whole grid; the unit is the mean of the brain."""
        scale = brain_scale(mean.array, mean.brain)
        return _sample(mean, scale, with_m0="m0" in self.needs), scale

    def predict(self, mean: Mean, network: torch.nn.Module, compute: Compute) -> Prediction:
        """The brain's box, slice by slice or in one piece."""
        from ..memory import run_network, run_on_volume

        sample, scale = self.sample_of(mean)
        k, j, i = box = brain_box(mean.brain)
        seen = self.channels(sample)
        if self.dimensions == 2:
            result = run_network(network, seen[k, :, j, i].contiguous(), compute)[:, 0]
        else:
            result = run_on_volume(network, seen[:, :, k, j, i].contiguous(), compute)[0, 0]
        return Prediction(placed(result.numpy() * scale, box, mean.array), scale)


def _sample(mean: Mean, scale: float, *, with_m0: bool) -> Sample:
    """The mean over `scale`, and the M0 over its own mean in the brain; an `InputError` where that M0 is empty."""
    import torch

    brain, m0 = tensor_of(mean.brain.array > 0), None
    if with_m0:
        m0 = tensor_of(mean.m0.array)
        if not (m0 * brain).sum() > 0:
            raise InputError("The M0 image is empty in the brain mask; check it, or choose a model that needs none.")
        m0 = over_brain_mean(m0, brain)
    smoothing = float(mean.card.metadata.get("input_smoothing_mm", 0.0) or 0.0)
    spacing = torch.tensor([mean.pairs.geometry.spacing[::-1]])
    return Sample(tensor_of(mean.array) / scale, brain, spacing, m0, smoothing_mm=smoothing)
