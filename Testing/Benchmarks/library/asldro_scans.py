"""Scans of another simulator, ASLDRO (PyPI asldro, MIT), as a run prepares them, with their truth.

Its head is the ICBM 2009a average, sampled at points instead of averaged over voxels, its noise is white and complex,
its perfusion is a constant a tissue: nothing of it is from this project. The truth is the same scan without noise,
calibrated alike, so that its kinetics, which differ from the consensus formula, are no error of a denoiser.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.pipeline.denoising_steps import gather_guides
from ASLDenoiseLib.pipeline.request import Denoising, Head, Request
from ASLDenoiseLib.pipeline.run import prepared
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import Tissue, Volume

from .cases import Case
from .real_scans import case_of, eroded_in_plane

PAIRS = 10
_GREY, _WHITE, _CSF = 1, 2, 3  # numbers of its label image
DELAY, DURATION = 1.8, 1.8  # s


@dataclass(frozen=True)
class Scan:
    """How a scan is acquired: voxels (i, j, k), turns (degrees) and shifts (mm) of the head, M0 over the noise SD."""

    label: str
    matrix: tuple[int, int, int]
    turn: tuple[float, float, float]
    shift: tuple[float, float, float]
    snr: float


SCANS = (
    Scan("3.1x3.1x5.3 mm, M0 over noise 150", (64, 76, 36), (3.0, -2.0, 4.0), (2.0, 1.0, -3.0), 150.0),
    Scan("3.1x3.6x4.7 mm, M0 over noise 300", (64, 64, 40), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 300.0),
    Scan("3.5x3.5x7 mm, M0 over noise 150", (56, 66, 27), (-4.0, 2.0, -3.0), (1.0, -4.0, 2.0), 150.0),
)


def require_asldro() -> None:
    """End the process, saying what to install, where the simulator is not there."""
    if importlib.util.find_spec("asldro") is None:
        raise SystemExit("asldro is missing: pip install --no-deps asldro, and pip install jsonschema")


def asldro_case(scan: Scan, *, seed: int) -> Case:
    """One scan as a run prepares it; `truth` is of the scan without noise. Tissue is the simulator's own, pure voxels.

    White matter is a voxel away from any other tissue in plane, since labels tell no fractions.
    """
    with tempfile.TemporaryDirectory() as folder:
        noisy, clean = (Path(folder) / name for name in ("noisy", "clean"))
        simulate(scan, noisy, pairs=PAIRS, snr=scan.snr, seed=seed)
        simulate(scan, clean, pairs=1, snr=0.0, seed=seed)
        t1 = next((noisy / "anat").glob("*.nii.gz"))
        run = prepared(Request(noisy / "sub-1_asl.nii.gz", Head(t1), denoising=Denoising()))
        gather_guides(run, silent)
        still = mean_difference(difference_volumes(read_series(clean / "sub-1_asl.nii.gz")))
        labels = read_image(next((noisy / "ground_truth").glob("*seg_label.nii.gz")))
    case = case_of(run, scan.label)
    return replace(case, truth=case.cbf(still), tissue=labelled(labels, case.brain), known_tissue=run.tissue)


def labelled(labels: Volume, brain: Volume) -> Tissue:
    """The tissue of the simulator's labels: white matter is a voxel away from any other in plane."""
    grey, white, csf = (np.round(labels.array) == number for number in (_GREY, _WHITE, _CSF))
    maps = (labels.with_array(each.astype(np.float32)) for each in (grey, eroded_in_plane(white), csf))
    return Tissue(*maps, brain, "the simulator's labels")


def simulate(scan: Scan, folder: Path, *, pairs: int, snr: float, seed: int, delay: float = DELAY) -> None:
    """Have ASLDRO make a scan, a T1 and its truth in `folder`, with the sidecar and context that BIDS asks for."""
    from asldro.examples import run_full_pipeline

    count = 2 * pairs + 1
    still = {f"{kind}_{axis}": value for kind, values in (("rot", scan.turn), ("transl", scan.shift))
             for axis, value in zip("xyz", values, strict=True)}  # fmt: skip
    asl = {
        "asl_context": " ".join(["m0scan", *["control label"] * pairs]),
        "label_type": "pcasl",
        "label_duration": DURATION,
        "signal_time": delay + DURATION,
        "label_efficiency": 0.85,
        "desired_snr": snr,
        "random_seed": seed,
        "acq_matrix": list(scan.matrix),
        "echo_time": [0.01] * count,
        "repetition_time": [10.0, *[5.0] * (count - 1)],
        **{name: [value] * count for name, value in still.items()},
    }
    t1 = {"acq_contrast": "ir", "excitation_flip_angle": 12.0, "inversion_flip_angle": 180.0, "inversion_time": 0.9,
          "repetition_time": 2.3, "echo_time": 0.004, "desired_snr": 60.0, "random_seed": seed,
          "acq_matrix": [197, 233, 189], "output_image_type": "magnitude"}  # fmt: skip
    wanted = [("asl", asl), ("structural", t1), ("ground_truth", {"acq_matrix": list(scan.matrix), **still})]
    folder.mkdir()
    run_full_pipeline(
        {
            "global_configuration": {
                "ground_truth": "hrgt_icbm_2009a_nls_3t",
                "image_override": {},
                "parameter_override": {},
            },
            "image_series": [
                {"series_type": kind, "series_description": kind, "series_parameters": values}
                for kind, values in wanted
            ],
        },
        str(folder / "scan.zip"),
    )
    shutil.unpack_archive(folder / "scan.zip", folder)
    next((folder / "asl").glob("*_asl.nii.gz")).replace(folder / "sub-1_asl.nii.gz")
    (folder / "sub-1_aslcontext.tsv").write_text("volume_type\nm0scan\n" + "control\nlabel\n" * pairs)
    sidecar = {
        **{"ArterialSpinLabelingType": "PCASL", "LabelingEfficiency": 0.85, "MagneticFieldStrength": 3},
        **{"PostLabelingDelay": delay, "LabelingDuration": DURATION},
        **{"MRAcquisitionType": "3D", "BackgroundSuppression": False, "M0Type": "Included", "EchoTime": 0.01},
        **{"RepetitionTimePreparation": asl["repetition_time"], "TotalAcquiredPairs": pairs},
    }
    (folder / "sub-1_asl.json").write_text(json.dumps(sidecar))
