"""Tissue of a T1 and the brain mask of an M0 against the truth of simulated heads; writes tissue.md.

Tissue is compared on the grid of the ASL scan, where it is used. Segmentation is judged by the true transform, and once
more by the one that registration finds, as a run has it.
"""

from __future__ import annotations

import numpy as np

from ASLDenoiseLib.learning.simulate import SimulatedHead
from ASLDenoiseLib.measuring.partial_volume import corrected_gm_cbf
from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.registration import register_rigid
from ASLDenoiseLib.preparing.tissue import tissue_on
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.series import CBF_UNIT, Tissue, VolumeType

from .library.cases import VOXELS, anatomy_path, draw_head
from .library.command import begin, options, say, timed
from .library.scores import soft_dice
from .library.tables import by, mean_row, table

# The last two are kept out of training; segmentation was tuned on none, so any may be here.
ANATOMIES = ("brain-06", "brain-13", "brain-16", "brain-17")
GM_CBF, WM_CBF = 60.0, 20.0


def hard_dice(one: np.ndarray, other: np.ndarray) -> float:
    """Dice of the voxels of which more than half is this tissue."""
    return soft_dice(one > 0.5, other > 0.5)


def pure_tissue_readouts(truth: Tissue, found: Tissue) -> dict[str, float]:
    """GM CBF read from a noise-free map of known tissue CBF, uncorrected and corrected with the tissue found."""
    flow = truth.gm.with_array(GM_CBF * truth.gm.array + WM_CBF * truth.wm.array, unit=CBF_UNIT)
    values = {each.name: each.value for each in corrected_gm_cbf(flow, found)}
    return {"GM CBF (60)": values["gm_mean_weighted"], "GM CBF corrected (60)": values["gm_mean_pvc"]}


def figures(head: SimulatedHead) -> dict[str, float]:
    """Everything of one head."""
    series, truth = head.scan.series, head.scan.tissue
    mask, masked = timed(brain_mask, series.m0)
    of_control = brain_mask(series.mean(VolumeType.CONTROL))
    segmented, segmenting = timed(tissue_from_t1, head.t1)
    masks = {"fixed_mask": mask, "moving_mask": segmented.brain}
    aligned, aligning = timed(register_rigid, head.t1, series.m0, **masks)
    found = tissue_on(series.geometry, segmented, transform=head.t1_to_asl)
    in_a_run = tissue_on(series.geometry, segmented, transform=aligned.matrix)
    row = {}
    for name in ("gm", "wm"):
        one, other, third = (getattr(each, name).array for each in (truth, found, in_a_run))
        what = name.upper()
        row |= {
            what: soft_dice(one, other),
            f"{what} > 0.5": hard_dice(one, other),
            f"{what} run": soft_dice(one, third),
        }
    row |= {
        "T1 brain": hard_dice(truth.brain.array, found.brain.array),
        "M0 mask": hard_dice(truth.brain.array, mask.array),
        "control mask": hard_dice(truth.brain.array, of_control.array),
    }
    row |= pure_tissue_readouts(truth, found)
    return row | {"mask s": masked, "segment s": segmenting, "align s": aligning}


def main() -> None:
    """Segment each head once."""
    command = begin(__file__, options(__doc__, "anatomy", "threads", quick="two heads"))
    rows = {}
    for n, name in enumerate(ANATOMIES[-2:] if command.quick else ANATOMIES):
        path, spacing, seed = anatomy_path(name, command.args.anatomy), VOXELS[n % len(VOXELS)], 40 + n
        label = f"{name}, {by(spacing)}"
        rows[label] = figures(draw_head(path, spacing=spacing, gm_snr=1.0, pairs=6, seed=seed, healthy=n % 2 == 0))
        say(label, rows[label])
    command.publish(
        "Tissue and brain mask on simulated heads",
        "Heads of 1.5 mm T1 with noise and bias, deformed from label maps of adults; scans of 64x64x24 voxels of the "
        "size given. All Dice are taken on the grid of the scan. `GM` and `WM`: overlap of fractions, 2 sum(min) / "
        "(sum + sum), by the true transform; `> 0.5`: of voxels more than half of it; `run`: fractions by the "
        "transform that registration found. `M0 mask`, `control mask`: `brain_mask` of either image, no T1. "
        f"`GM CBF`: mean weighted by GM over a noise-free map in which grey matter has {GM_CBF:.0f} and white "
        f"{WM_CBF:.0f} {CBF_UNIT}, and the same corrected with the tissue found (linear regression, 5x5).",
        table({**rows, "mean": mean_row(rows.values())}, first="head, voxel mm"),
        "Phantoms have one intensity a tissue; on real T1s thalamus and pallidum, bright as white matter, are partly "
        "called so.",
    )


if __name__ == "__main__":
    main()
