"""What networks see that predict CBF from BOLD: one moment of a run, its change against the run, or anatomy alone.

They are no denoisers: they see no perfusion at all, and are in no catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..denoising.families import NetworkFamily
from ..errors import InputError

if TYPE_CHECKING:
    import torch

UNIT = 50.0  # ml/100g/min: what networks give is CBF over this, the same for every subject
CHANGE = 50.0  # what a relative change is multiplied by: 2 % of the signal are 1
_MOST = 4.0  # of a change that is seen, so multiplied: beyond 8 % it is no BOLD
_FAINT = 0.2  # of the brain's mean: a voxel darker than this has its change over this instead


@dataclass(frozen=True, eq=False)
class BoldCourse:
    """BOLD images of a batch of runs, in any unit.

    Args:
        images: (B, T, K, J, I), one a control/label pair.
        brain: (B, K, J, I), 0/1.
        level: (B,) the mean over brain and run.
    """

    images: torch.Tensor
    brain: torch.Tensor
    level: torch.Tensor


class BoldFamily(NetworkFamily):
    """Networks of slices (N, C, J, I) of a run, each over the run's mean in the brain; zero outside the brain.

    Attributes:
        moves: what it sees differs from moment to moment.
    """

    task = ".bold:BoldTask"
    purpose = "EXPERIMENTAL: prediction of CBF from BOLD; not measured"
    data = "BOLD"
    dimensions = 2
    moves: ClassVar[bool] = True

    @property
    def outputs(self) -> tuple[str, ...]:
        return (f"CBF of the moment over {UNIT:g} ml/100g/min",)

    def channels(self, course: BoldCourse, moments: torch.Tensor) -> torch.Tensor:
        """What a network sees (B, M, K, C, J, I) at `moments` (M,)."""
        raise NotImplementedError


class VolumeFamily(BoldFamily):
    """One BOLD volume, as in the thesis."""

    networks: ClassVar = {"bold-volume": "ASLDenoiseLib.networks.dwan:DWAN"}

    def inputs(self, smoothing_mm: float = 0.0) -> tuple[str, ...]:
        return ("BOLD volume divided by the mean of its run in the brain",)

    def channels(self, course: BoldCourse, moments: torch.Tensor) -> torch.Tensor:
        seen = course.images[:, moments] / course.level[:, None, None, None, None]
        return (seen * course.brain[:, None])[:, :, :, None]


class AnatomyFamily(BoldFamily):
    """The mean of the run alone: all that can be said without looking at any moment."""

    networks: ClassVar = {"bold-anatomy": "ASLDenoiseLib.networks.dwan:DWAN"}
    moves = False

    def inputs(self, smoothing_mm: float = 0.0) -> tuple[str, ...]:
        return ("mean BOLD of the run divided by its mean in the brain",)

    def channels(self, course: BoldCourse, moments: torch.Tensor) -> torch.Tensor:
        mean = course.images.mean(1) / course.level[:, None, None, None] * course.brain
        return mean[:, None, :, None].expand(-1, len(moments), -1, -1, -1, -1)


class ChangeFamily(VolumeFamily):
    """One BOLD volume, and beside it how much it differs from the run's mean, drift taken out."""

    networks: ClassVar = {"bold-change": "ASLDenoiseLib.networks.dwan:DWANOfTwo"}

    def inputs(self, smoothing_mm: float = 0.0) -> tuple[str, ...]:
        change = f"its relative change against the mean of the run, without linear drift, times {CHANGE:g}"
        return (*super().inputs(), f"{change}, within {_MOST:g}")

    def channels(self, course: BoldCourse, moments: torch.Tensor) -> torch.Tensor:
        import torch

        change = relative_change(course)[:, moments]
        change = (CHANGE * change).clamp(-_MOST, _MOST) * course.brain[:, None]
        return torch.cat([super().channels(course, moments), change[:, :, :, None]], dim=3)


def relative_change(course: BoldCourse) -> torch.Tensor:
    """How each image differs from its run's mean, (B, T, K, J, I), relative to that mean; linear drift taken out."""
    import torch

    mean = course.images.mean(1, keepdim=True)
    apart = course.images - mean
    time = torch.linspace(-1, 1, apart.shape[1], device=apart.device)[None, :, None, None, None]
    slope = (apart * time).mean(1, keepdim=True) / time.square().mean().clamp_min(1e-9)
    least = _FAINT * course.level[:, None, None, None, None]
    return (apart - slope * time) / mean.maximum(least)


BOLD_NETWORKS: dict[str, BoldFamily] = {
    name: family() for family in (VolumeFamily, AnatomyFamily, ChangeFamily) for name in family.networks
}


def find_bold_family(network: str) -> BoldFamily:
    """The family of a network that predicts CBF from BOLD.

    Raises:
        InputError: there is no such network.
    """
    if network not in BOLD_NETWORKS:
        raise InputError(f"There is no BOLD network '{network}'; choose one of: {', '.join(BOLD_NETWORKS)}.")
    return BOLD_NETWORKS[network]
