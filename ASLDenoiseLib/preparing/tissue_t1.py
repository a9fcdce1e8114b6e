"""Tissue of a T1, or of another anatomical image: by the tissue network, or by Atropos."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..progress import Progress, silent
from ..series import Volume
from .brain_shape import fit_brain_shape
from .segmenters import DEFAULT_SEGMENTER
from .t1_contrast import Levels
from .tissue import SegmentedTissue, brain_grid, segmented_tissue
from .tissue_atropos import atropos_tissue

if TYPE_CHECKING:
    from .tissue_network import TissueProbabilities

# mm between the outline of the cavity and the template's brain fitted to it: heads have 2.0 to 2.7, stripped ones as
# well, strongly deformed ones up to 3.3; heads that lie on their side or are tilted by 30 degrees, and T1 maps, 4.6 and
# more.
_MOST_MISFIT = 4.0
# Where the scan cuts the brain, whose outline then tells little: 0.65 to 0.75 in any contrast, 0.55 in noise.
_LEAST_CERTAINTY = 0.64
_CUT_ML = (300.0, 1700.0)  # of the part that was scanned


def tissue_from_t1(t1: Volume, *, segmenter: str = DEFAULT_SEGMENTER, progress: Progress = silent) -> SegmentedTissue:
    """Segment a T1-weighted head on its own grid, no finer than 1.2 mm, cropped to the brain.

    The network tells tissue at 2 mm (`tissue_network`), and the brightness of every voxel refines it
    (`tissue_refinement`). The brain stem is white matter, as Atropos has it; the brain is the cranial cavity. Where
    what the network finds is no upright head, Atropos segments (`tissue_atropos`), and the source says so.

    Args:
        t1: T1-weighted head that passed `t1_image.require_image`, any resolution and unit; NaN and what is negative
            counts as air. Other contrasts are
            segmented as well; `t1_contrast.contrast_findings` of the `levels` warns of whatever is not T1-weighted.
        segmenter: of `segmenters.SEGMENTERS`.
        progress: called with (fraction done 0..1, what happens now).

    Raises:
        InputError: the weights are not installed; or Atropos was needed, and the image does not overlap the template.
    """
    progress(0.0, "Preparing the T1")
    finite = t1.with_array(np.where(np.isfinite(t1.array), np.clip(t1.array, 0, None), 0.0))
    if segmenter == "atropos":
        return atropos_tissue(finite, progress=progress)
    return _network_tissue(finite, progress)


def _network_tissue(t1: Volume, progress: Progress) -> SegmentedTissue:
    from .tissue_network import tissue_probabilities
    from .tissue_refinement import refined

    found = tissue_probabilities(t1)
    progress(0.5, "Segmenting grey and white matter")
    if not _is_head(found):
        tissue = atropos_tissue(t1, progress=progress)
        return replace(tissue, source=f"{tissue.source}, as the tissue network found no upright head")
    grid = brain_grid(t1.geometry, found.head.with_array(found.brain))
    (csf, gm, wm, stem), cavity, levels = refined(t1, found, grid)
    progress(1.0, "Segmented")
    return segmented_tissue(
        grid,
        (csf, gm, wm + stem),
        cavity > 0.5,
        source="tissue network (any contrast, 2 mm), refined by brightness",
        levels=Levels(*(float(level) for level in levels.middle[:3])),
    )


def _is_head(found: TissueProbabilities) -> bool:
    """Whether what the network took for a brain has the shape of one, as far as the scan shows it."""
    brain = found.brain
    if not brain.any():
        return False
    ends = (brain[0], brain[-1], brain[:, 0], brain[:, -1], brain[:, :, 0], brain[:, :, -1])
    millilitres = brain.sum() * found.head.geometry.voxel_volume / 1000
    if any(end.any() for end in ends) and _CUT_ML[0] <= millilitres <= _CUT_ML[1]:
        return found.certainty >= _LEAST_CERTAINTY
    return fit_brain_shape(found.head.with_array(brain)).misfit <= _MOST_MISFIT
