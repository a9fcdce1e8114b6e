"""Write a simulated scan as the BIDS data set a scanner would have given, with the truth beside it."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..reporting.dataset import BIDS_VERSION, BIDSIGNORE
from ..reporting.derivatives import save_volume
from ..series import Acquisition, Geometry

if TYPE_CHECKING:
    from .simulate import SimulatedHead

NO_DECAY = {"EchoTime": 0.01}  # BIDS asks for one; the signal is simulated without T2* decay, so that any would do
_RAW_SCALE = 4.0  # scanner units are stored as integers a quarter apart: well below the noise, half the size
_TEXT = {"encoding": "utf-8", "newline": "\n"}  # the same bytes on every system


def acquisition_sidecar(acquisition: Acquisition) -> dict[str, object]:
    """The BIDS sidecar that states an acquisition, but for the echo time, which none of ours does."""
    stated = {p.name: p.value for p in acquisition.parameters() if p.name not in ("m0_repetition_time", "m0_scale")}
    return {f.metadata["bids"]: stated[f.name] for f in fields(acquisition) if f.name in stated}


def write_simulated(head: SimulatedHead, out: Path) -> tuple[Path, ...]:
    """Write series, context, M0, T1 and truth below ``out/sub-<name>``; returns the images' paths.

    The truth of several delays has a map of arrival time, too.

    Raises:
        OSError: the folder cannot be written.
    """
    series, name = head.scan.series, head.scan.series.name
    perf, anat = out / name / "perf", out / name / "anat"
    perf.mkdir(parents=True, exist_ok=True)
    anat.mkdir(parents=True, exist_ok=True)
    asl, m0 = perf / f"{name}_asl.nii.gz", perf / f"{name}_m0scan.nii.gz"
    truth, t1 = perf / f"{name}_desc-truth_cbf.nii.gz", anat / f"{name}_T1w.nii.gz"
    save_integers(series.array, series.geometry, asl)
    save_integers(series.m0.array[None], series.geometry, m0)
    save_volume(head.scan.cbf, truth, description="noise-free CBF, ml/100g/min")
    save_integers(head.t1.array[None], head.t1.geometry, t1, scale=1.0)
    save_json(asl, acquisition_sidecar(series.acquisition) | NO_DECAY)
    repetition_time = series.acquisition.m0_repetition_time
    save_json(m0, {"RepetitionTimePreparation": repetition_time, "IntendedFor": f"perf/{asl.name}"} | NO_DECAY)
    save_json(truth, {"Units": "ml/100g/min", "Description": "Noise-free CBF of the phantom"})
    save_json(t1, {"MagneticFieldStrength": series.acquisition.field_strength, "Description": "Simulated"})
    context = "\n".join(["volume_type", *(kind.value for kind in series.context)])
    (perf / f"{name}_aslcontext.tsv").write_text(context + "\n", **_TEXT)
    description = {"Name": "Simulated ASL", "BIDSVersion": BIDS_VERSION, "DatasetType": "raw", "License": "CC0"}
    (out / "dataset_description.json").write_text(json.dumps(description, indent=2) + "\n", **_TEXT)
    (out / BIDSIGNORE).write_text("*_desc-truth_*\n", **_TEXT)  # a raw data set has no name for the truth
    return (asl, m0, truth, t1, *_write_arrival(head, perf))


def _write_arrival(head: SimulatedHead, perf: Path) -> tuple[Path, ...]:
    """The true arrival time of a scan of several delays."""
    if head.scan.att is None:
        return ()
    path = perf / f"{head.scan.series.name}_desc-truth_att.nii.gz"
    save_volume(head.scan.att, path, description="true arterial transit time, s")
    what = "Arterial transit time of the phantom, the mean over what flows through a voxel"
    save_json(path, {"Units": "s", "Description": what})
    return (path,)


def save_json(image: Path, content: dict[str, object]) -> None:
    """Write the sidecar of an image."""
    path = image.with_name(image.name.removesuffix(".nii.gz") + ".json")
    path.write_text(json.dumps(content, indent=2) + "\n", **_TEXT)


def save_integers(array: np.ndarray, geometry: Geometry, path: Path, *, scale: float = _RAW_SCALE) -> None:
    """A (T, K, J, I) array as int16 with a scale slope, as scanners store it; one volume becomes a 3D image."""
    import nibabel

    stored = np.round(array * scale).astype(np.int16).transpose(3, 2, 1, 0)
    affine = geometry.affine_ras
    image = nibabel.Nifti1Image(stored[..., 0] if len(array) == 1 else stored, affine)
    image.header.set_slope_inter(1 / scale, 0)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    nibabel.save(image, path)
