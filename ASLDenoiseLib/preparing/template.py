"""The ICBM 2009a template of nilearn's wheel on the 2 mm grid of MNI space, and on the grid of a head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..series import Geometry, Volume
from ..spatial.resampling import resample

if TYPE_CHECKING:
    import nibabel

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
    images = {}
    for name in ("t1", "gm", "wm"):
        image = _image(name)
        array = np.asarray(image.dataobj, np.float32)
        array = (array / array.max())[::2, ::2, ::2]
        there = Geometry.from_affine_ras(image.affine @ np.diag([2, 2, 2, 1]), array.shape)
        images[name] = resample(Volume(array.T, there, name=name), MNI_GRID, outside=0.0)  # the same lattice, cropped
    return Template(brain=images["t1"].with_array(images["t1"].array > 0.2, name="brain"), **images)


def _image(name: str) -> nibabel.Nifti1Image:
    """At 1 mm, from the wheel's file: nilearn's own loaders bring in pandas and scikit-learn, which takes seconds."""
    import nibabel

    folder = distribution("nilearn").locate_file("nilearn/datasets/data")
    path = Path(folder, f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz")
    if path.is_file():
        return nibabel.load(path)
    from nilearn import datasets  # a release that keeps its files elsewhere

    loader = f"load_mni152_{name}_template".replace("_t1", "")
    return getattr(datasets, loader)(resolution=1)


def template_onto(geometry: Geometry, matrix: np.ndarray) -> Template:
    """The template on the grid of a head, with `matrix` (4x4, LPS mm) from head to template; 0 beyond its edges."""
    back, images = np.linalg.inv(matrix), vars(icbm_template())
    return Template(**{n: resample(v, geometry, transform=back, outside=0.0) for n, v in images.items()})
