"""Tissue of a T1 by either segmenter, and the brain mask of an M0, against the truth; writes tissue.md.

Tissue is compared on the grid of the ASL scan, where it is used. Segmentation is judged by the true transform, and once
more by the one that registration finds, as a run has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch

from ASLDenoiseLib.learning.anatomy import GM_CLASSES, WM_CLASSES
from ASLDenoiseLib.learning.simulate import SimulatedHead
from ASLDenoiseLib.learning.smooth import centred_points
from ASLDenoiseLib.measuring.partial_volume import corrected_gm_cbf
from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.registration import register_rigid
from ASLDenoiseLib.preparing.segmenters import DEFAULT_SEGMENTER, SEGMENTERS
from ASLDenoiseLib.preparing.tissue import tissue_on
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.series import CBF_UNIT, Geometry, Tissue, Volume
from ASLDenoiseLib.spatial.resampling import average_onto, crop, with_spacing

from .library.cases import VOXELS, anatomy_path, draw_head
from .library.command import begin, options, say, timed
from .library.head_draws import anatomical_scanning
from .library.real_scans import t1_path
from .library.scores import soft_dice
from .library.tables import by, mean_row, table
from .library.whole_heads import Imaged, Part, WholeHead, imaged, read_head

# The last two are kept out of the network's training.
ANATOMIES = ("brain-06", "brain-13", "brain-16", "brain-17")
KEPT_OUT = ANATOMIES[-2:]
GM_CBF, WM_CBF = 60.0, 20.0
GRID = Geometry((64, 64, 30), (3.4, 3.4, 5.0), (-107.0, -99.0, -75.0))  # of an ASL scan
TRUE_LABELS = "true labels"
TISSUES = {"gm": (Part.GREY,), "wm": (Part.WHITE, Part.STEM)}


def hard_dice(one: np.ndarray, other: np.ndarray) -> float:
    """Dice of the voxels of which more than half is this tissue."""
    return soft_dice(one > 0.5, other > 0.5)


def pure_tissue_readouts(truth: Tissue, found: Tissue) -> dict[str, float]:
    """GM CBF read from a noise-free map of known tissue CBF, uncorrected and corrected with the tissue found."""
    flow = truth.gm.with_array(GM_CBF * truth.gm.array + WM_CBF * truth.wm.array, unit=CBF_UNIT)
    values = {each.name: each.value for each in corrected_gm_cbf(flow, found)}
    return {"GM CBF (60)": values["gm_mean_weighted"], "GM CBF corrected (60)": values["gm_mean_pvc"]}


def overlaps(name: str, truth: Volume, found: Volume) -> dict[str, float]:
    """Dice of fractions, and of the voxels that are mostly this tissue."""
    what = name.upper()
    return {what: soft_dice(truth.array, found.array), f"{what} > 0.5": hard_dice(truth.array, found.array)}


def figures_of_true_labels(head: SimulatedHead) -> dict[str, float]:
    """What telling every voxel of the T1 rightly, by the tissue at its centre, would come to."""
    grid, truth, move = head.t1.geometry, head.scan.tissue, head.t1_to_asl
    points = centred_points(grid.shape, grid.spacing[::-1]).flip(-1).numpy() @ move[:3, :3].T + move[:3, 3]
    classes = head.phantom.shape.classes(torch.from_numpy(points).float().flip(-1)).numpy()
    row = {}
    for name, kinds in (("gm", GM_CLASSES), ("wm", WM_CLASSES)):
        labelled = head.t1.with_array(np.isin(classes, kinds))
        onto = average_onto(labelled, truth.gm.geometry, transform=move, outside=0.0)
        row |= overlaps(name, getattr(truth, name), onto)
    return row


def figures(head: SimulatedHead, segmenter: str) -> dict[str, float]:
    """Everything of one head."""
    series, truth = head.scan.series, head.scan.tissue
    mask, masked = timed(brain_mask, series.m0)
    segmented, segmenting = timed(tissue_from_t1, head.t1, segmenter=segmenter)
    masks = {"fixed_mask": mask, "moving_mask": segmented.brain}
    aligned, aligning = timed(register_rigid, head.t1, series.m0, **masks)
    found = tissue_on(series.geometry, segmented, transform=head.t1_to_asl)
    in_a_run = tissue_on(series.geometry, segmented, transform=aligned.matrix)
    row = {}
    for name in ("gm", "wm"):
        one, third = (getattr(each, name) for each in (truth, in_a_run))
        row |= overlaps(name, one, getattr(found, name)) | {f"{name.upper()} run": soft_dice(one.array, third.array)}
    row |= {
        "T1 brain": hard_dice(truth.brain.array, found.brain.array),
        "M0 mask": hard_dice(truth.brain.array, mask.array),
    }
    row |= pure_tissue_readouts(truth, found)
    return row | {"mask s": masked, "segment s": segmenting, "align s": aligning}


def stripped(image: Imaged, head: WholeHead) -> Volume:
    """The image within the cranial cavity alone."""
    cavity = average_onto(head.cavity, image.image.geometry, transform=image.matrix, outside=0.0).array
    return image.image.with_array(np.where(cavity > 0.5, image.image.array, 0))


def cut(image: Imaged, _: WholeHead) -> Volume:
    """The middle 40 % of its slices."""
    grid = image.image.geometry
    columns, rows, slices = grid.size
    part = crop(grid, (0, 0, int(0.35 * slices)), (columns, rows, int(0.4 * slices)))
    return average_onto(image.image, part, outside=0.0)


def as_it_is(image: Imaged, _: WholeHead) -> Volume:
    """The image."""
    return image.image


IMAGES = (
    ("T1", "T1", as_it_is),
    ("T2", "T2", as_it_is),
    ("FLAIR", "FLAIR", as_it_is),
    ("proton density", "proton density", as_it_is),
    ("inverted T1", "inverted T1", as_it_is),
    ("T1, skull-stripped", "T1", stripped),
    ("T2, skull-stripped", "T2", stripped),
    ("T1, cut", "T1", cut),
)


def of_any_image(name: str, contrast: str, made: Callable, folder: Path, segmenters: Iterable[str]) -> dict[str, float]:
    """One whole head in one contrast, by each segmenter: overlap on the grid of a scan, and seconds."""
    head = read_head(anatomy_path(name, folder))
    image = imaged(head, anatomical_scanning(contrast, 1.5), seed=0)
    given = made(image, head)
    shown = average_onto(given.with_array(np.ones_like(given.array)), GRID, outside=0.0).array > 0.99
    parts, row = head.parts.array, {}
    for segmenter in segmenters:
        tissue, seconds = timed(tissue_from_t1, given, segmenter=segmenter)
        for key, kinds in TISSUES.items():
            whole = head.parts.with_array(np.isin(parts, kinds))
            truth = average_onto(whole, GRID, transform=image.matrix, outside=0.0).array
            found = average_onto(getattr(tissue, key), GRID, outside=0.0).array
            row[f"{key.upper()} {segmenter}"] = soft_dice(truth * shown, found * shown)
        row[f"{segmenter} s"] = seconds
    return row


def of_a_real_t1(path: Path) -> dict[str, dict[str, float]]:
    """Millilitres that either finds in a real T1, and how far they agree."""
    t1 = read_image(path)
    both, rows = {}, {}
    for segmenter in SEGMENTERS:
        both[segmenter], seconds = timed(tissue_from_t1, t1, segmenter=segmenter)
        tissue = both[segmenter]
        volume = tissue.gm.geometry.voxel_volume / 1000
        names = ("gm", "wm", "csf", "brain")
        rows[segmenter] = {f"{n} ml": float(getattr(tissue, n).array.sum() * volume) for n in names} | {"s": seconds}
    one, other = (tissue_on(with_spacing(t1.geometry, (3.0,) * 3), each) for each in both.values())
    agree = {name: soft_dice(getattr(one, name).array, getattr(other, name).array) for name in ("gm", "wm", "csf")}
    rows["Dice of the two"] = {f"{name} ml": value for name, value in agree.items()}
    return rows


def main() -> None:
    """Segment each head by each segmenter."""
    command = begin(__file__, options(__doc__, "anatomy", "data", "threads", quick="two heads"))
    folder, rows, contrasts = command.args.anatomy, {}, {}
    for n, name in enumerate(ANATOMIES[-2:] if command.quick else ANATOMIES):
        path, spacing, seed = anatomy_path(name, folder), VOXELS[n % len(VOXELS)], 40 + n
        head = draw_head(path, spacing=spacing, gm_snr=1.0, pairs=6, seed=seed, healthy=n % 2 == 0)
        for segmenter in SEGMENTERS:
            label = f"{name}, {by(spacing)}, {segmenter}"
            rows[label] = figures(head, segmenter)
            say(label, rows[label])
        rows[f"{name}, {by(spacing)}, {TRUE_LABELS}"] = figures_of_true_labels(head)
    for segmenter in (*SEGMENTERS, TRUE_LABELS):
        rows[f"mean, {segmenter}"] = mean_row(row for label, row in rows.items() if label.endswith(segmenter))
    for name in ANATOMIES[-1:] if command.quick else KEPT_OUT[::-1]:
        for label, contrast, made in IMAGES:
            segmenters = list(SEGMENTERS) if name == KEPT_OUT[-1] else [DEFAULT_SEGMENTER]
            contrasts[f"{name}, {label}"] = of_any_image(name, contrast, made, folder, segmenters)
            say(name, label, contrasts[f"{name}, {label}"])
    real = of_a_real_t1(t1_path(command.args.data))
    command.publish(
        "Tissue and brain mask",
        "The tissue network (the default) beside Atropos (`--segmenter atropos`). Simulated heads: 1.5 mm T1 with "
        "noise and bias, deformed from label maps of adults; the network learned from brain-01 to 14, and never saw "
        "brain-16 and 17. Scans of 64x64x24 voxels of the size given. All Dice are taken on the grid of the scan. `GM` "
        "and `WM`: overlap of fractions, 2 sum(min) / (sum + sum), by the true transform; `> 0.5`: of voxels more than "
        "half of it; `run`: fractions by the transform that registration found. `M0 mask`: `brain_mask`, no T1. "
        f"`GM CBF`: mean weighted by GM over a noise-free map in which grey matter has {GM_CBF:.0f} and white "
        f"{WM_CBF:.0f} {CBF_UNIT}, and the same corrected with the tissue found (linear regression, 5x5). "
        "`true labels`: every voxel of the T1 labelled with the tissue at its centre, which is what segmenting it "
        "without an error would come to: less than 1, as the cortex is thinner than the voxels of the T1, and as the "
        "scan's voxels are blurred by its point spread.",
        table(rows, first="head, voxel mm, segmenter"),
        "## Any contrast\n\n"
        "Whole heads, neck included, from label maps of anatomies that the network never saw, 1.5 mm, with bias and "
        "noise. Dice of fractions on a grid of 3.4x3.4x5 mm, within what was scanned; Atropos on one of the heads. "
        "Skull-stripped: the cranial cavity alone; cut: the middle 40 % of the slices. An inverted T1, whose air is "
        "bright, is handed to Atropos.",
        table(contrasts, first="head and image"),
        "## A real T1\n\n"
        "Healthy adult, Siemens Prisma 3 T, 1 mm, from the public repository neurolabusc/dcm_qa_asl (BSD-2-Clause). "
        "There is no truth; the brain is the cranial cavity for the network, and ends at its own edge for Atropos. "
        "Last row: Dice of the two on a grid of 3 mm.",
        table(real, first="segmenter"),
        "Looked at: the network calls thalamus and pallidum grey where Atropos calls them white, and takes no vertebra "
        "or muscle for brain, as Atropos does below the skull.",
    )


if __name__ == "__main__":
    main()
