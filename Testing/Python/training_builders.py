"""What tests of training share: a recipe of four steps, a pool of volumes, and two heads on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ASLDenoiseLib.learning.phantom import PhantomSettings
from ASLDenoiseLib.learning.recipe import Recipe
from ASLDenoiseLib.learning.volumes import Volumes

TINY = Recipe(
    name="tiny",
    network="deepasl",
    summary="A model for tests",
    batch=2,
    steps=4,
    phantoms=2,
    validation_phantoms=1,
    validation=("head-b",),
    phantom=PhantomSettings(size=(16, 16, 6), spacing_xy=(9.0, 9.0), spacing_z=(20.0, 20.0), lesions=0),
)


def pool(n: int = 4, shape: tuple[int, int, int] = (6, 16, 16)) -> Volumes:
    g = torch.Generator().manual_seed(0)
    full = (n, *shape)
    half = torch.full(full, 127, dtype=torch.uint8)
    return Volumes(
        0.5 + torch.rand(full, generator=g),
        0.8 + 0.4 * torch.rand(full, generator=g),
        half,
        half,
        torch.ones(full, dtype=torch.bool),
        torch.zeros(full, dtype=torch.bool),
        half[:, None].expand(-1, 3, -1, -1, -1),
        torch.full((n,), 1.3),
        torch.tensor([[5.0, 3.4, 3.4]]).expand(n, 3),
    )


def write_heads(folder: Path) -> Path:
    """Label maps of two balls of WM in GM, head-a and head-b; returns the folder."""
    import nibabel

    z, y, x = np.mgrid[-60:61, -60:61, -60:61]
    radius = np.sqrt(x**2 + y**2 + z**2)
    labels = np.zeros(radius.shape, np.int16)
    labels[radius < 50] = 3
    labels[radius < 35] = 2
    for name in ("head-a", "head-b"):
        nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), folder / f"{name}_labels.nii.gz")
    return folder
