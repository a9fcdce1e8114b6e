"""A scan of several delays by another simulator, ASLDRO: a scan a delay, joined, as a run prepares them.

ASLDRO's kinetics are Buxton's with the T1 of tissue, its arrival times constants of grey and of white matter. The truth
is its own map of perfusion and of arrival time.
"""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.pipeline.denoising_steps import gather_guides
from ASLDenoiseLib.pipeline.request import Denoising, Head, Request
from ASLDenoiseLib.pipeline.run import prepared
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.quantifying.kinetic_model import GENERAL, kinetic_model
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import Origin, Volume

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
        folders = [place / f"s0_{n}" for n in range(len(DELAYS))]
        for n, (each, delay) in enumerate(zip(folders, DELAYS, strict=True)):
            if not (each / "sub-1_asl.json").exists():
                simulate(SCANS[0], each, pairs=PAIRS, snr=SCANS[0].snr, seed=300 + n, delay=delay)
        return _as_prepared(folders)


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
    truth = {name: _truth(folders[0], name) for name in ("seg_label", "perfusion_rate", "transit_time")}
    tissue = labelled(truth["seg_label"], run.brain)
    cases = tuple(replace(case, tissue=tissue) for case in scan.cases)
    model, _ = kinetic_model(acquisition, kinetics=GENERAL)
    return replace(scan, cases=cases, model=model, cbf=truth["perfusion_rate"].array, att=truth["transit_time"].array)


def _truth(folder: Path, name: str) -> Volume:
    return read_image(next((folder / "ground_truth").glob(f"*{name}.nii.gz")))
