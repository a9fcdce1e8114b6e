"""A finished run brought to MNI space: its maps on the template's grid, and the readouts that are defined there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..findings import FindingKind
from ..given import fitted
from ..measuring.masks import FEWEST_VOXELS, grey_matter, white_matter
from ..preparing.template_space import TemplateSpace, to_template
from ..progress import Progress, silent
from ..remedies import Advice, GiveImage
from ..result import Readout, Result
from ..result.maps import MNI, Role, keys_of
from ..series import Origin, Parameter, Tissue, Volume

_ROLES = (Role.RAW, Role.PREPARED, Role.PROCESSED, Role.ARRIVAL)
_SLICE = 50  # of the 91 of 2 mm, z = 28 mm
_DOUBTFUL = FindingKind(
    "mni-doubtful",
    "The way to MNI space is in doubt",
    "the T1 did not reach the template",
    Advice("look at the maps in MNI space before comparing heads"),
)


@fitted
def in_template_space(result: Result, *, space: TemplateSpace | None = None, progress: Progress = silent) -> Result:
    """The run with its maps of perfusion (and arrival time) on the 2 mm grid of ICBM 2009a as well.

    They are named ``space-MNI152NLin2009aSym_...``.
    The T1 is aligned by affine and SyN (`preparing.template_space`), and every map is interpolated once. SNR and GM/WM
    contrast of slice 50 (z = 28 mm), as learning-from-noise gives them, join the readouts.

    Args:
        result: a run with a T1.
        space: how this T1 lies in MNI space, where another run has found it already; None finds it.
        progress: told where the search is.

    Raises:
        InputError: the run had no T1.
    """
    if result.t1 is None or result.t1_tissue is None:
        raise InputError("MNI space needs a T1 to find the way there", [GiveImage("t1")])
    space = space or to_template(result.t1, result.t1_tissue, progress)
    there = result.t1_tissue
    tissue = Tissue(
        *(space.onto_template(each) for each in (there.gm, there.wm)),
        None,
        space.onto_template(there.brain, interpolation="nearest"),
        source=there.source,
    )
    maps, readouts = dict(result.maps), dict(result.readouts)
    own = keys_of(*_ROLES, maps=result.maps)
    for key in (key for key in own if key in maps):
        moved = space.onto_template(maps[key], transform=result.t1_to_asl)
        maps[f"{MNI}_{key}"] = moved.with_array(moved.array, name=f"{maps[key].name} in MNI space")
        if key in readouts:
            readouts[key] = (*readouts[key], *slice_readouts(moved, tissue))
    overlap = Parameter("mni_gm_overlap", round(space.gm_overlap, 3), "", Origin.IMAGE, "of 0 to 1, after SyN")
    findings = result.findings
    if space.warning:
        findings = (*findings, _DOUBTFUL.finding(what=space.warning.rstrip(".")))
    # the others get the same rows, since what was not brought to MNI space has no slice 50
    for key in readouts.keys() - set(own):
        readouts[key] = (*readouts[key], *(replace(r, value=float("nan")) for r in slice_readouts(None, tissue)))
    return replace(result, maps=maps, readouts=readouts, findings=findings, parameters=(*result.parameters, overlap))


def slice_readouts(cbf: Volume | None, tissue: Tissue) -> tuple[Readout, Readout]:
    """SNR (mean GM / SD WM) and GM/WM contrast in slice 50 of a map in MNI space; NaN without one."""
    grey, white = (
        np.array([]) if cbf is None else _finite(cbf.array[_SLICE][mask[_SLICE]])
        for mask in (grey_matter(tissue), white_matter(tissue))
    )
    enough = min(grey.size, white.size) >= FEWEST_VOXELS
    snr = float(grey.mean() / white.std()) if enough and white.std() > 0 else float("nan")
    contrast = float(grey.mean() / white.mean()) if enough and white.mean() > 0 else float("nan")
    where = f"In slice {_SLICE} of MNI space at 2 mm (z = 28 mm), in this head's own tissue"
    return (
        Readout("snr_slice50", "SNR, MNI slice 50", snr, "", f"{where}: GM mean over WM SD; blurring raises it too."),
        Readout("gm_wm_contrast_slice50", "GM/WM contrast, MNI slice 50", contrast, "", f"{where}."),
    )


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)].astype(np.float64)
