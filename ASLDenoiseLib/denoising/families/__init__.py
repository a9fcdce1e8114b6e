"""Families of denoising networks: how each sees a mean difference, in training and in use, as one object.

To add a family, write its file here: `register` puts it into `NETWORKS`, and nothing else names it. The files load
neither torch nor a network until a family is used.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ...errors import InputError

if TYPE_CHECKING:
    import torch

    from ...compute import Compute
    from .mean import Mean, Prediction

_APART = 1e6  # mm between slices that are not to mix


@dataclass(frozen=True, eq=False)
class Sample:
    """Mean differences and what is known beside them, for a network to see; tensors (B, *, K, J, I) on one device.

    Args:
        difference: (B, 1, K, J, I) in the unit of the family; zero where nothing was measured.
        brain: (B, 1, K, J, I), 0/1.
        spacing: (B, 3) mm along (k, j, i).
        m0: (B, 1, K, J, I); in units of its mean in the brain for families that need it.
        t1: (B, C, K, J, I) fractions of the T1's intensity classes, darkest first. An M0 of one value, and classes of
            nothing, guide as little as None does.
        noise: (B, N, K, J, I) maps of the noise, for families that see them.
        smoothing_mm: FWHM of the Gaussian that the model's inputs have.
        ends: (B, 2) first and last slice of the scan, where the sample holds slices beyond them; None: it holds none.
    """

    difference: torch.Tensor
    brain: torch.Tensor
    spacing: torch.Tensor
    m0: torch.Tensor | None = None
    t1: torch.Tensor | None = None
    noise: torch.Tensor | None = None
    smoothing_mm: float = 0.0
    ends: torch.Tensor | None = None


class NetworkFamily(ABC):
    """Networks that see what they are given in the same way, whatever it is that they estimate.

    Attributes:
        networks: the name of each in recipes and cards, to ``module:class``; built without arguments.
        task: ``module:class`` of what draws its samples and judges it in training, which looks it up.
        purpose: what they are for, in a bundle's words.
        data: what they see and give, likewise.
        dimensions: of what a network sees: 2 for slices, 3 for volumes.
    """

    networks: ClassVar[Mapping[str, str]]
    task: ClassVar[str]
    purpose: ClassVar[str]
    data: ClassVar[str]
    dimensions: ClassVar[int]

    def build(self, network: str) -> torch.nn.Module:
        """A network of the family with fresh weights."""
        module, name = self.networks[network].split(":")
        return getattr(importlib.import_module(module), name)()

    @abstractmethod
    def inputs(self, smoothing_mm: float = 0.0) -> tuple[str, ...]:
        """What each channel that a network sees is."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """What each channel that a network gives is."""


class DenoiserFamily(NetworkFamily):
    """Networks that see a mean difference in the same way. A subclass is registered, and is one object for all of them.

    Attributes:
        needs: images without which nothing can be denoised: ``m0``.
        uses_guides: T1 and M0 guide it where there are any.
        gives_uncertainty: it estimates the SD of its error.
        adapts: its networks can be adapted to scans by learning from their noise.
    """

    purpose = "Denoising of mean ASL perfusion differences"
    data = "perfusion difference"
    needs: ClassVar[tuple[str, ...]] = ()
    uses_guides: ClassVar[bool] = False
    gives_uncertainty: ClassVar[bool] = False
    adapts: ClassVar[bool] = True

    @abstractmethod
    def channels(self, sample: Sample) -> torch.Tensor:
        """What a network sees of a sample, (N, C, J, I) slices or (B, C, K, J, I) volumes; in training and in use."""

    def smoothed(self, volumes: torch.Tensor, sample: Sample) -> torch.Tensor:
        """Volumes (B, 1, K, J, I) after the Gaussian of the sample, which is in plane for networks of slices."""
        from ..gaussian_windows import window_of_mm

        if sample.smoothing_mm <= 0:
            return volumes
        apart = sample.spacing.new_tensor([_APART if self.dimensions == 2 else 0.0, 0.0, 0.0])
        return window_of_mm(volumes.shape[-3:], sample.spacing + apart, sample.smoothing_mm)(volumes)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What each channel that a network gives is."""
        sd = ("SD of its error, same scale, before `uncertainty_factor`",) if self.gives_uncertainty else ()
        return ("denoised difference, same scale", *sd)

    @abstractmethod
    def sample_of(self, mean: Mean) -> tuple[Sample, float]:
        """A mean as networks see it, on the CPU, and the family's unit in scanner units: zero where there is none.

        Raises:
            InputError: the mask is empty, or there is nothing in it.
        """

    @abstractmethod
    def predict(self, mean: Mean, network: torch.nn.Module, compute: Compute) -> Prediction:
        """The mean after a network that is in evaluation mode on the device of `compute`.

        Raises:
            InputError: the mask is empty, or there is nothing in it.
        """


NETWORKS: dict[str, DenoiserFamily] = {}  # the family of each network, by its name in recipes and cards


def register(family: type[DenoiserFamily]) -> type[DenoiserFamily]:
    """Make a family known by the names of its networks; a decorator."""
    NETWORKS.update(dict.fromkeys(family.networks, family()))
    return family


def find_family(network: str) -> DenoiserFamily:
    """The family of a network.

    Raises:
        InputError: there is no such network.
    """
    if network not in NETWORKS:
        raise InputError(f"There is no network '{network}'; choose one of: {', '.join(sorted(NETWORKS))}.")
    return NETWORKS[network]


for _file in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_file.name}")
