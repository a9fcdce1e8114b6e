"""What the tissue network makes of a head: a probability of each tissue at 2 mm, whatever the contrast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..resources import resources_folder
from ..series import Geometry, Volume
from ..spatial.masks import largest_piece
from ..spatial.resampling import average_onto

if TYPE_CHECKING:
    from ..networks.tissue_unet import TissueUNet

SPACING = 2.0  # mm, of what it learned from
CLASSES = ("rest", "CSF", "GM", "WM", "stem")
_AIR = 0.02  # of the brightest voxel: below is air, which does not count in the scale
_TOP = 0.99  # quantile of what is not air that becomes 1
_BRIGHTEST = 2.0  # brighter is a vessel or a spike
_SAMPLE = 37  # every such voxel tells the scale well enough


@dataclass(frozen=True, eq=False)
class TissueProbabilities:
    """Probabilities of tissue in a head.

    Args:
        head: the image at 2 mm, on axes of LPS, as the network saw it before scaling; the image's unit.
        maps: (5, K, J, I), 0..1, of `CLASSES`, on the grid of `head`; they sum to 1.
    """

    head: Volume
    maps: np.ndarray

    @cached_property
    def brain(self) -> np.ndarray:
        """(K, J, I), bool: the cranial cavity, brain and the CSF around it, in one piece."""
        return largest_piece(self.maps[0] < 0.5)

    @property
    def certainty(self) -> float:
        """How sure the network is of its tissues: the mean over the brain of the highest probability among them."""
        brain = self.brain
        return float(self.maps[1:].max(axis=0)[brain].mean()) if brain.any() else 0.0


def tissue_probabilities(image: Volume) -> TissueProbabilities:
    """Probabilities of CSF, grey matter, white matter and brain stem in a head, a second or two on one core.

    The network (`networks.tissue_unet`) was taught the way of SynthSeg (Billot et al., Med Image Anal 2023;86:102789):
    on label maps alone, painted in random contrasts, so that T1, T2, FLAIR and proton density, whole, stripped and
    cropped heads are alike to it (`learning.tissue`).

    Args:
        image: anatomical, finite, not negative, any grid, contrast and unit.

    Raises:
        InputError: the weights are not installed.
    """
    import torch

    head = average_onto(image, axial_grid(image.geometry, SPACING), outside=0.0)
    with torch.inference_mode():
        scaled = standard(torch.from_numpy(np.array(head.array, np.float32)))
        maps = _network(weights_folder())(scaled[None, None]).softmax(dim=1)[0]
    return TissueProbabilities(head, maps.numpy())


def standard(image):
    """A head (K, J, I, tensor) in units of the 99th percentile of what is not air, no brighter than 2."""
    sample = image.reshape(-1)[::_SAMPLE]
    top = sample[sample > _AIR * sample.max()].quantile(_TOP) if sample.max() > 0 else sample.new_tensor(1.0)
    return (image / top.clamp_min(1e-6)).clamp(max=_BRIGHTEST)


def axial_grid(geometry: Geometry, spacing: float) -> Geometry:
    """Cubes of `spacing` mm along the axes of LPS that hold the whole of a grid."""
    low, high = (np.array(edge, float) - 0.5 for edge in ((0, 0, 0), geometry.size))
    corners = np.array(
        [[x, y, z, 1.0] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    points = (corners @ geometry.affine_lps.T)[:, :3]
    first, last = points.min(axis=0), points.max(axis=0)
    size = np.maximum(1, np.ceil((last - first) / spacing - 1e-6).astype(int))
    return Geometry(tuple(map(int, size)), (spacing,) * 3, tuple(map(float, first + spacing / 2)))


def weights_folder() -> Path:
    """The bundle of the tissue network."""
    return resources_folder() / "Tissue" / "tissue-unet"


@lru_cache(maxsize=1)
def _network(folder: Path) -> TissueUNet:
    import torch

    from ..networks.tissue_unet import TissueUNet

    path = folder / "models" / "model.pt"
    if not path.is_file():
        raise InputError(f"The tissue network is not installed ({path.name} is missing); install ASLDenoise again.")
    network = TissueUNet()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))  # stored in half precision
    return network.eval()
