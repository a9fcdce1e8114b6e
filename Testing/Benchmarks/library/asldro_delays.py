"""A scan of several delays by another simulator, ASLDRO: a scan a delay, joined, as a run prepares them.

ASLDRO's kinetics are Buxton's with the T1 of each tissue, its arrival times constants of grey and of white matter. The
truth is the fit of the same scan without noise, so that a T1 that differs from what is fitted is no error of a method.
"""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.fitting.voxelwise import fit_voxels
from ASLDenoiseLib.pipeline.denoising_steps import gather_guides
from ASLDenoiseLib.pipeline.request import Denoising, Head, Request
from ASLDenoiseLib.pipeline.run import prepared
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.quantifying.kinetic_model import GENERAL, kinetic_model
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import Origin

from .asldro_scans import DURATION, SCANS, labelled, simulate
from .delay_cases import DELAYS, PAIRS, DelayScan, scan_of_run


def has_asldro() -> bool:
    """Whether the simulator is installed."""
    return importlib.util.find_spec("asldro") is not None


def asldro_scan(folder: Path | None = None) -> DelayScan:
    """The first of `asldro_scans.SCANS` at `delay_cases.DELAYS`.

    Args:
        folder: where the scans of the single delays are, or will be kept; None throws them away.
    """
    with tempfile.TemporaryDirectory() as passing:
        place = folder or Path(passing)
        place.mkdir(exist_ok=True)
        noisy, clean = ([place / f"{name}_{n}" for n in range(len(DELAYS))] for name in ("s0", "clean"))
        for n, delay in enumerate(DELAYS):
            for each, pairs, snr in ((noisy[n], PAIRS, SCANS[0].snr), (clean[n], 1, 0.0)):
                if not (each / "sub-1_asl.json").exists():
                    simulate(SCANS[0], each, pairs=pairs, snr=snr, seed=300 + n, delay=delay)
        return _with_truth(_as_prepared(noisy), clean)


def _as_prepared(folders: list[Path]) -> DelayScan:
    """The scans of single delays as one series, prepared by a run, with the simulator's truth."""
    parts = [read_series(folder / "sub-1_asl.nii.gz") for folder in folders]
    perfusion = [part.indices(*part.perfusion) for part in parts]
    delays = tuple(d for d, part in zip(DELAYS, perfusion, strict=True) for _ in part)
    acquisition = parts[0].acquisition.with_values(Origin.USER, post_labeling_delay=delays, repetition_time=5.5)
    series = replace(
        parts[0],
        array=np.concatenate([part.array[where] for part, where in zip(parts, perfusion, strict=True)]),
        context=tuple(part.context[t] for part, where in zip(parts, perfusion, strict=True) for t in where),
        acquisition=acquisition,
    )
    t1 = next((folders[0] / "anat").glob("*.nii.gz"))
    run = prepared(Request(series, Head(t1), denoising=Denoising()))
    gather_guides(run, silent)
    scan = scan_of_run(run, f"ASLDRO, {SCANS[0].label}, {DURATION:g} s of label")
    labels = read_image(next((folders[0] / "ground_truth").glob("*seg_label.nii.gz")))
    tissue = labelled(labels, run.brain)
    model, _ = kinetic_model(acquisition, kinetics=GENERAL)
    return replace(scan, cases=tuple(replace(case, tissue=tissue) for case in scan.cases), model=model)


def _with_truth(scan: DelayScan, clean: list[Path]) -> DelayScan:
    """The scan with the fit of its means without noise."""
    differences = [mean_difference(difference_volumes(read_series(each / "sub-1_asl.nii.gz"))) for each in clean]
    images = np.stack([case.cbf(each).array for case, each in zip(scan.cases, differences, strict=True)])
    fit = fit_voxels(scan.means(images), scan.model)
    return replace(scan, cbf=fit.cbf, att=fit.att)
