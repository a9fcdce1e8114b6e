"""What the perfusion of a head is made of, and what of it an image at one delay or another shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..quantifying.constants import t1_blood
from ..quantifying.kinetics import delay_of_slices, single_delay
from ..series import Acquisition, Labeling
from .arrival import arrival_factor
from .smooth import gaussian_blur

_ON_ITS_WAY = 0.5  # s before label is in tissue, it is in arteries that lie in the same voxel
_UPSTREAM = 0.3  # s from the large arteries to the tissue that is served first (BASIL's start for them)
_DISPERSION = 0.15  # s, SD of the times at which the front of the label passes one place of an artery


@dataclass(frozen=True, eq=False)
class Flow:
    """The flow in each voxel that holds part of a head, N of them; ml/100g/min times relative M0.

    Args:
        grid: (K, J, I), the acquired one.
        index: (N,) flat index of each voxel.
        grey, white: (N,) of each tissue, by its share of the voxel.
        variation: (N,) a factor on both.
        times: arterial transit times (N,), s, of grey and of white matter.
        arteries: (N,) label that fills large arteries.
        waiting: share of the label on its way to the tissue that shows; 0 without vessels.
        spots: (N,) where it does, of mean about 1.
        blur: SDs of the point spread along (k, j, i), voxels.
    """

    grid: tuple[int, int, int]
    index: torch.Tensor
    grey: torch.Tensor
    white: torch.Tensor
    variation: torch.Tensor
    times: tuple[torch.Tensor, torch.Tensor]
    arteries: torch.Tensor
    waiting: float
    spots: torch.Tensor
    blur: tuple[float, float, float]

    @property
    def arrived(self) -> torch.Tensor:
        """What tissue gets (N,), once all label is there; no artery."""
        return self.variation * (self.grey + self.white)

    def seen(self, acquisition: Acquisition, *, late: bool = True) -> torch.Tensor:
        """What an image at the acquisition's one delay shows (N,), as the consensus formula has it.

        Arteries are as bright at every delay: whichever phase of them an image shows, a denoiser must know it.

        Args:
            acquisition: labelling and timing.
            late: whether late label is missed; False: all of it has arrived.
        """
        delay = self._delays(acquisition)
        ones = torch.ones_like(self.grey)
        grey, white = (arrival_factor(t, acquisition, delay=delay) if late else ones for t in self.times)
        perfusion = self.variation * (grey * self.grey + white * self.white)
        if self.waiting:
            perfusion = perfusion + self.waiting * self.variation * (1 - grey) * self.grey * self.spots
        return perfusion + self.arteries

    def seen_among(self, acquisition: Acquisition) -> torch.Tensor:
        """The same (N,) at one delay of several, over which label passes through the arteries before it is in tissue.

        In an artery it is there from when it comes until all of it has passed, and has decayed as blood does: what
        the formula of that delay makes of it grows with the delay until it is gone.
        """
        delay = self._delays(acquisition)
        grey, white = (arrival_factor(t, acquisition, delay=delay) for t in self.times)
        near = arrival_factor((self.times[0] - _ON_ITS_WAY).clamp_min(0.0), acquisition, delay=delay)
        perfusion = self.variation * (grey * self.grey + white * self.white)
        perfusion = perfusion + self.waiting * self.variation * (near - grey) * self.grey * self.spots
        return perfusion + self.arteries * self._passing(acquisition, delay)

    def image(self, *values: torch.Tensor) -> torch.Tensor:
        """Values (N,) as blurred images (P, K, J, I), zero elsewhere."""
        images = torch.zeros((len(values), int(np.prod(self.grid))), device=self.grey.device)
        images[:, self.index] = torch.stack(values)
        return gaussian_blur(images.reshape(-1, *self.grid), self.blur)

    def transit(self) -> torch.Tensor:
        """The transit time (K, J, I), s: the mean over what flows through a voxel; 0 where nothing does."""
        carried = self.variation * (self.grey * self.times[0] + self.white * self.times[1])
        carried, flow = self.image(carried, self.arrived)
        return torch.where(flow > 1e-3, carried / flow.clamp_min(1e-3), torch.zeros_like(flow))

    def _delays(self, acquisition: Acquisition) -> torch.Tensor:
        """The delay (N,) of each voxel's slice, s."""
        delays = delay_of_slices(acquisition, single_delay(acquisition), self.grid[0])
        return torch.from_numpy(delays).to(self.grey)[self.index // (self.grid[1] * self.grid[2])]

    def _passing(self, acquisition: Acquisition, delay: torch.Tensor) -> torch.Tensor:
        """How much of what fills an artery (N,) the formula of a delay sees: 1 when the end of the label is there."""
        pasl = acquisition.labeling is Labeling.PASL
        duration = acquisition.bolus_duration if pasl else acquisition.label_duration
        first = (float(self.times[0][self.grey > 0].min()) - _UPSTREAM) if bool((self.grey > 0).any()) else 0.0
        since = (delay if pasl else delay + duration) - first
        there = torch.special.ndtr(since / _DISPERSION) - torch.special.ndtr((since - duration) / _DISPERSION)
        return there * torch.exp((since - duration) / float(t1_blood(acquisition).value))
