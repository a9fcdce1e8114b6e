"""Tissue of a T1 and the brain mask of an M0 against the truth of simulated heads; writes tissue.md.

    python Testing/Benchmarks/tissue.py [--anatomy DIR] [--threads N] [--quick]

Tissue is compared on the grid of the ASL scan, where it is used. Segmentation is judged by the true transform, and once
more by the one that registration finds, as a run has it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from cases import VOXELS, anatomy_path, draw_head
from command import Command, begin, is_missing, options
from tables import mean_row, table

from ASLDenoiseLib.learning.simulate import SimulatedHead
from ASLDenoiseLib.measuring.partial_volume import corrected_gm_cbf
from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.registration import register_rigid
from ASLDenoiseLib.preparing.tissue import tissue_from_t1, tissue_on
from ASLDenoiseLib.series import CBF_UNIT, Tissue, VolumeType

# The last two are kept out of training; segmentation was tuned on none, so any may be here.
ANATOMIES = ("brain-06", "brain-13", "brain-16", "brain-17")
GM_CBF, WM_CBF = 60.0, 20.0


def soft_dice(one: np.ndarray, other: np.ndarray) -> float:
    """2 sum(min) / (sum + sum) of fractions 0..1: each voxel counts by how much of it both call this tissue."""
    return float(2 * np.minimum(one, other).sum() / (one.sum() + other.sum()))


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
    started = time.perf_counter()
    mask = brain_mask(series.m0)
    masked = time.perf_counter()
    of_control = brain_mask(series.mean(VolumeType.CONTROL))
    begun = time.perf_counter()
    segmented = tissue_from_t1(head.t1)
    done = time.perf_counter()
    matrix = register_rigid(head.t1, series.m0, fixed_mask=mask, moving_mask=segmented.brain).matrix
    found = tissue_on(series.geometry, segmented, transform=head.t1_to_asl)
    in_a_run = tissue_on(series.geometry, segmented, transform=matrix)
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
    return row | {"mask s": masked - started, "segment s": done - begun, "align s": time.perf_counter() - done}


def report(rows: dict[str, dict[str, float]], made_by: str) -> list[str]:
    """The page."""
    return [
        "# Tissue and brain mask on simulated heads",
        "",
        f"Made by {made_by}.",
        "",
        "Heads of 1.5 mm T1 with noise and bias, deformed from label maps of adults; scans of 64x64x24 voxels of the "
        "size given. All Dice are taken on the grid of the scan. `GM` and `WM`: overlap of fractions, 2 sum(min) / "
        "(sum + sum), by the true transform; `> 0.5`: of voxels more than half of it; `run`: fractions by the "
        "transform that registration found. `M0 mask`, `control mask`: `brain_mask` of either image, no T1. "
        f"`GM CBF`: mean weighted by GM over a noise-free map in which grey matter has {GM_CBF:.0f} and white "
        f"{WM_CBF:.0f} {CBF_UNIT}, and the same corrected with the tissue found (linear regression, 5x5).",
        "",
        *table({**rows, "mean": mean_row(rows.values())}, first="head, voxel mm"),
        "",
        "Phantoms have one intensity a tissue; on real T1s thalamus and pallidum, bright as white matter, are partly "
        "called so.",
    ]


def _length(command: Command) -> str:
    threads, minutes = command.args.threads, (time.perf_counter() - command.started) / 60
    return f"{threads} CPU thread{'s' if threads != 1 else ''} in {minutes:.0f} minutes"


def main() -> int:
    """Segment each head once."""
    command = begin(__file__, options(__doc__, "anatomy", "threads", quick="two heads"))
    folder: Path = command.args.anatomy
    if is_missing(folder, "--anatomy"):
        return 0
    rows = {}
    for n, name in enumerate(ANATOMIES[-2:] if command.args.quick else ANATOMIES):
        spacing = VOXELS[n % len(VOXELS)]
        head = draw_head(
            anatomy_path(name, folder), spacing=spacing, gm_snr=1.0, pairs=6, seed=40 + n, healthy=n % 2 == 0
        )
        rows[f"{name}, {'x'.join(f'{s:g}' for s in spacing)}"] = figures(head)
        print(*table(dict([list(rows.items())[-1]]))[2:], file=sys.stderr, flush=True)
    return command.publish(report(rows, f"{command.made_by} on {_length(command)}"), kept=not command.args.quick)


if __name__ == "__main__":
    sys.exit(main())
