"""Normalisation of a T1 to MNI space by affine and SyN (Avants 2008), for CBF maps of several heads on one grid."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..progress import Progress, silent
from ..series import Geometry, Tissue, Volume
from ..spatial.masks import bounding_box
from ..spatial.resampling import average_onto, crop, resample_through, set_geometry, sitk_transform
from .brain_mask import correct_bias
from .mutual_information import brain_only
from .template import MNI_GRID, icbm_template
from .template_fit import fit_brain, with_dark_rim

if TYPE_CHECKING:
    import SimpleITK as sitk

_SYN_ITERATIONS = (40, 20, 10)  # at 8, 4 and 2 mm
_MARGIN = 4  # voxels around the template's brain; SyN moves nothing at its grid's edge
_LEAST_OVERLAP = 0.6  # of grey matter; heads that fit reach 0.7 and more


@dataclass(frozen=True, eq=False)
class TemplateSpace:
    """The alignment of one head to MNI space (ICBM 2009a symmetric, the 91x109x91 grid of 2 mm).

    Args:
        affine: 4x4, LPS mm, points of the T1 to points of the template, before the warp.
        to_head: (K, J, I, 3) LPS mm on the template's grid, displacements of its points to the T1 after `affine`.
        from_head: (K, J, I, 3), likewise, displacements of such places to the points of the template.
        gm_overlap: of the grey matter fractions with the template's, 2 sum(min) / sum(both), 0..1.
        warning: empty, or one sentence saying why to look at it before using it.
    """

    affine: np.ndarray
    to_head: np.ndarray
    from_head: np.ndarray
    gm_overlap: float
    warning: str = ""

    def onto_template(
        self, volume: Volume, *, transform: np.ndarray | None = None, interpolation: str = "linear"
    ) -> Volume:
        """An image of this head on the template's 2 mm grid, interpolated once; NaN where it was not measured.

        Args:
            volume: a CBF map, a tissue map, the T1; any grid and unit.
            transform: 4x4, LPS mm, points of the T1 to points of `volume` (`Result.t1_to_asl`); None for an image in
                the space of the T1.
            interpolation: as in `resampling.resample`, and its errors.
        """
        to_volume = np.eye(4) if transform is None else np.asarray(transform, float)
        path = _chain(_field(self.to_head), sitk_transform(to_volume @ np.linalg.inv(self.affine)))
        return resample_through(volume, MNI_GRID, path, interpolation=interpolation)

    def from_template(
        self, volume: Volume, onto: Geometry, *, transform: np.ndarray | None = None, interpolation: str = "nearest"
    ) -> Volume:
        """An image in MNI space, such as an atlas of regions, on a grid of this head; 0 beyond its field of view.

        Args:
            volume: in MNI space, any grid.
            onto: the grid, e.g. that of the series.
            transform: 4x4, LPS mm, points of the T1 to points of `onto`; None where `onto` is in the space of the T1.
            interpolation: as in `resampling.resample`, and its errors; nearest keeps labels whole.
        """
        to_t1 = np.eye(4) if transform is None else np.linalg.inv(np.asarray(transform, float))
        path = _chain(sitk_transform(self.affine @ to_t1), _field(self.from_head))
        return resample_through(volume, onto, path, interpolation=interpolation, outside=0.0)


def to_template(t1: Volume, tissue: Tissue, progress: Progress = silent) -> TemplateSpace:
    """Align a T1 with the ICBM 2009a template: affine by mutual information, then SyN by cross-correlation, at 2 mm.

    Args:
        t1: T1-weighted head, any grid.
        tissue: of that head, in its space (`tissue.tissue_from_t1`); its brain is all that is aligned.
        progress: called with (fraction done 0..1, what happens now).

    Raises:
        InputError: the T1 has no contrast, or the tissue holds no brain in it.
    """
    progress(0.0, "Aligning the T1 to the template")
    grid = tissue.brain.geometry
    finite = t1.with_array(np.where(np.isfinite(t1.array), np.clip(t1.array, 0, None), 0.0))
    head = correct_bias(average_onto(finite, grid, outside=0.0))
    inside = tissue.brain.array > 0.5
    if not (inside.any() and np.ptp(head.array[inside]) > 0):
        raise InputError("The tissue and the T1 do not lie in one place; give the tissue made from this T1.")
    fit = fit_brain(head, tissue.brain)
    progress(0.3, "Warping the T1 onto the template")
    bright = brain_only(head, with_dark_rim(head, tissue.brain))
    space = TemplateSpace(fit.matrix, *_syn(bright, fit.matrix), float("nan"))
    gm, template = np.nan_to_num(space.onto_template(tissue.gm).array), icbm_template().gm.array
    overlap = float(2 * np.minimum(gm, template).sum() / (gm.sum() + template.sum()))
    progress(1.0, "Aligned to the template")
    warning = f"Grey matter overlaps the template's by {overlap:.2f} only; check the alignment to MNI by eye."
    return replace(space, gm_overlap=overlap, warning=warning if overlap < _LEAST_OVERLAP else "")


def _syn(head: Volume, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Displacements (K, J, I, 3), template to affinely placed head and back, LPS mm on the template's grid."""
    import ants
    import SimpleITK as sitk

    # The template's brain alone: its box is two thirds of the grid, whose rest would cost a quarter of the time.
    box = bounding_box(icbm_template().brain.array > 0.5, (_MARGIN,) * 3)
    grid = crop(MNI_GRID, [s.start for s in box[::-1]], [s.stop - s.start for s in box[::-1]])
    template = Volume(icbm_template().t1.array[box], grid)
    # On the template's grid already, the head needs no file with the affine for ANTs.
    placed = average_onto(head, grid, transform=affine, outside=float(head.array.min()))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = ants.registration(
            fixed=_to_ants(template),
            moving=_to_ants(placed),
            type_of_transform="SyNOnly",
            initial_transform="Identity",
            syn_metric="CC",
            syn_sampling=2,
            reg_iterations=_SYN_ITERATIONS,
            outprefix=str(Path(folder) / "syn"),
        )
        paths = [str(p) for key in ("fwdtransforms", "invtransforms") for p in found[key]]
        warps = [sitk.ReadImage(p, sitk.sitkVectorFloat32) for p in paths if p.endswith("Warp.nii.gz")]
        return tuple(_in_box(box, sitk.GetArrayFromImage(warp)) for warp in warps)


def _in_box(box: tuple[slice, slice, slice], displacement: np.ndarray) -> np.ndarray:
    """Displacements (K, J, I, 3) of the whole grid: those of a box, and none beyond."""
    whole = np.zeros((*MNI_GRID.shape, 3), np.float32)
    whole[box] = displacement
    return whole


def _to_ants(volume: Volume):
    import ants

    g, array = volume.geometry, np.ascontiguousarray(volume.array.T)
    return ants.from_numpy(array, origin=g.origin, spacing=g.spacing, direction=np.reshape(g.direction, (3, 3)))


def _field(displacement: np.ndarray) -> sitk.DisplacementFieldTransform:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(displacement.astype(np.float64), isVector=True)
    set_geometry(image, MNI_GRID)
    return sitk.DisplacementFieldTransform(image)


def _chain(first: sitk.Transform, second: sitk.Transform) -> sitk.CompositeTransform:
    """The transform that applies `first`, then `second`."""
    import SimpleITK as sitk

    return sitk.CompositeTransform([second, first])
