"""The ICBM 2009a template of nilearn's wheel on the 2 mm grid of MNI space, and on the grid of a head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..series import Geometry, Volume
from ..spatial.resampling import resample

# 91x109x91 voxels of 2 mm, the grid in which published group maps and 'slice 50' (z = 28 mm) are given.
MNI_GRID = Geometry.from_affine_ras(
    np.array([[2.0, 0, 0, -90], [0, 2.0, 0, -126], [0, 0, 2.0, -72], [0, 0, 0, 1]]), (91, 109, 91)
)


@dataclass(frozen=True, eq=False)
class Template:
    """Brain-extracted T1, brain mask, and grey and white matter maps (0..1) on `MNI_GRID`."""

    t1: Volume
    brain: Volume
    gm: Volume
    wm: Volume


@lru_cache(maxsize=1)
def icbm_template() -> Template:
    """ICBM 2009a symmetric (Fonov 2011) as nilearn ships it, at 2 mm; no download."""
    from nilearn import datasets

    loaders = {
        "t1": datasets.load_mni152_template,
        "brain": datasets.load_mni152_brain_mask,
        "gm": datasets.load_mni152_gm_template,
        "wm": datasets.load_mni152_wm_template,
    }
    images = {}
    for name, load in loaders.items():
        image = load(resolution=2)
        array = np.asarray(image.get_fdata(), np.float32).transpose(2, 1, 0)
        volume = Volume(array, Geometry.from_affine_ras(image.affine, image.shape), name=name)
        images[name] = resample(volume, MNI_GRID, outside=0.0)  # the same lattice, cropped
    return Template(**images)


def template_onto(geometry: Geometry, matrix: np.ndarray) -> Template:
    """The template on the grid of a head that `matrix` takes to it; 0 outside its field of view."""
    template, back = icbm_template(), np.linalg.inv(matrix)
    images = (template.t1, template.brain, template.gm, template.wm)
    return Template(*(resample(each, geometry, transform=back, outside=0.0) for each in images))
