"""A head of known perfusion as the files of a scan: GM 60, WM 20 ml/100g/min, the consensus formula inverted.

For the field cases and the fuzz campaign: small enough that a run takes a second. Arrays here are (I, J, K[, T]), as
NIfTI stores them. A `MadeScan` may be changed in any way before it is written.
"""

from __future__ import annotations

import gzip
import json
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

SIZE, SPACING = (22, 26, 18), (8.0, 8.0, 8.0)
GM_CBF, WM_CBF = 60.0, 20.0
BLOOD_T1 = {1.5: 1.35, 3.0: 1.65, 7.0: 2.087}  # s at T, as ASLPrep has them
TISSUE_T1 = {1.5: 1.197, 3.0: 1.607, 7.0: 1.939}
EFFICIENCY = {"PCASL": 0.85, "CASL": 0.68, "PASL": 0.98}
_PULSE = 0.95  # of the label is left after each suppression pulse
_SLICE_TIME = 0.045  # s between slices of a 2D readout


@dataclass(frozen=True)
class Protocol:
    """How the head was scanned; times in s, field in T.

    Args:
        duration: of the label; of PASL, of the bolus.
        content: the words of one repetition: ``control,label``, ``label,control``, ``deltam`` or ``cbf``.
        m0: ``separate``, ``included``, ``number`` (M0Estimate) or ``control`` (none; unsuppressed controls stand in).
        m0_time: the repetition time of the M0, which is saturated accordingly.
    """

    labeling: str = "PCASL"
    delay: float = 1.8
    duration: float = 1.8
    field: float = 3.0
    readout: str = "3D"
    pulses: int = 2
    vendor: str = "Siemens"
    content: str = "control,label"
    m0: str = "separate"
    m0_time: float = 6.0
    pairs: int = 6

    @property
    def suppressed(self) -> bool:
        return self.pulses > 0

    @property
    def slice_times(self) -> np.ndarray:
        """Of every slice after the delay, s."""
        return np.arange(SIZE[2]) * (_SLICE_TIME if self.readout == "2D" else 0.0)

    @property
    def cbf_per_fraction(self) -> np.ndarray:
        """CBF (ml/100g/min) of a difference that equals M0, by slice (Alsop 2015)."""
        blood, alpha = BLOOD_T1[self.field], EFFICIENCY[self.labeling] * _PULSE**self.pulses
        decayed = np.exp((self.delay + self.slice_times) / blood)
        if self.labeling == "PASL":
            return 6000 * 0.9 * decayed / (2 * alpha * self.duration)
        return 6000 * 0.9 * decayed / (2 * alpha * blood * (1 - np.exp(-self.duration / blood)))


@dataclass(eq=False)
class MadeScan:
    """The files of one scan before they are written.

    Args:
        options: of every command; ``{folder}`` stands for where the scan is written.
        run_options: of a run alone.
        files: by the ending of its name, a file's bytes in place of what would be written; None removes it.
    """

    protocol: Protocol
    volumes: np.ndarray
    words: list[str]
    keys: dict[str, object]
    m0: np.ndarray | None
    m0_keys: dict[str, object]
    affine: np.ndarray
    m0_affine: np.ndarray
    gm: np.ndarray
    wm: np.ndarray
    dtype: object = np.float32
    options: list[str] = field(default_factory=list)
    run_options: list[str] = field(default_factory=list)
    files: dict[str, bytes | None] = field(default_factory=dict)
    name: str = "sub-01"

    def write(self, folder: Path) -> Path:
        """Write everything; returns the path of the series."""
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / self.name
        series = save(Path(f"{stem}_asl.nii.gz"), self.volumes, self.affine, self.dtype)
        Path(f"{stem}_asl.json").write_text(json.dumps(self.keys, indent=1))
        Path(f"{stem}_aslcontext.tsv").write_text("\n".join(["volume_type", *self.words]) + "\n")
        if self.m0 is not None:
            save(Path(f"{stem}_m0scan.nii.gz"), self.m0, self.m0_affine)
            Path(f"{stem}_m0scan.json").write_text(json.dumps(self.m0_keys))
        save(folder / "gm.nii.gz", self.gm, self.affine, np.uint8)
        save(folder / "wm.nii.gz", self.wm, self.affine, np.uint8)
        for ending, content in self.files.items():
            path = Path(f"{stem}{ending}")
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
        return series


def save(path: Path, array: np.ndarray, affine: np.ndarray, dtype: object = np.float32) -> Path:
    """Write an array (I, J, K[, T]) as compressed NIfTI (see `nifti`)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(nifti(array, affine, dtype), compresslevel=1, mtime=0))
    return path


def nifti(array: np.ndarray, affine: np.ndarray, dtype: object = np.float32) -> bytes:
    """An array as NIfTI in mm, with whatever affine as its sform and no qform."""
    import nibabel as nib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is not a number has no place among integers
        image = nib.Nifti1Image(np.asarray(array).astype(dtype), None)
        header = image.header
        header.set_xyzt_units("mm", "sec")
        header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
        header["sform_code"], header["qform_code"] = 1, 0
        for name, row in zip(("srow_x", "srow_y", "srow_z"), affine, strict=False):
            header[name] = row
        return image.to_bytes()


def centred(size=SIZE, spacing=SPACING) -> np.ndarray:
    """The affine (RAS, mm) of a grid about the origin."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * mm for n, mm in zip(size, spacing, strict=True)]
    return affine


@lru_cache
def head(size=SIZE, spacing=SPACING) -> dict[str, np.ndarray]:
    """Boolean tissues (I, J, K): an ellipsoid of WM with ventricles in a shell of GM, and a skull."""
    axes = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(size, spacing, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    radius = np.sqrt((x / 66) ** 2 + (y / 82) ** 2 + (z / 57) ** 2)
    inner = radius < 0.76
    csf = inner & ((np.abs(x) - 11) ** 2 / 81 + y**2 / 700 + z**2 / 150 < 1)
    return {"gm": (radius < 1) & ~inner, "wm": inner & ~csf, "csf": csf, "skull": (radius > 1.12) & (radius < 1.22)}


def relaxed(size=SIZE, spacing=SPACING, level: float = 1000.0) -> np.ndarray:
    """The fully relaxed M0 image of the head, (I, J, K)."""
    tissues = head(size, spacing)
    weights = {"gm": 1.0, "wm": 0.8, "csf": 1.2, "skull": 0.15}
    return level * sum(weight * tissues[name] for name, weight in weights.items())


def perfusion() -> np.ndarray:
    """The true CBF (I, J, K), ml/100g/min."""
    return GM_CBF * head()["gm"] + WM_CBF * head()["wm"]


def difference(protocol: Protocol) -> np.ndarray:
    """What control minus label is without noise, (I, J, K), scanner units."""
    return perfusion() * relaxed() / protocol.cbf_per_fraction


def made(protocol: Protocol = Protocol(), *, seed: int = 1, noise: float = 0.5) -> MadeScan:
    """A sound scan: images, context and sidecars agree, and the consensus formula gives the head's CBF."""
    random, tissues, m0 = np.random.default_rng(seed), head(), relaxed()

    def noisy(image: np.ndarray) -> np.ndarray:
        return image + noise * random.standard_normal(image.shape)

    at_rest = (0.35 if protocol.suppressed else 1.0) * m0
    kinds = {
        "control": at_rest,
        "label": at_rest - difference(protocol),
        "deltam": difference(protocol),
        "cbf": perfusion(),
    }
    repetition = protocol.content.split(",")
    words = repetition * (protocol.pairs if len(repetition) > 1 else max(1, protocol.pairs // 2))
    saturated = m0 * _saturation(protocol)
    volumes = [noisy(kinds[word]) for word in words]
    if protocol.m0 == "included":
        words, volumes = ["m0scan", *words], [noisy(saturated), *volumes]
    separate = noisy(saturated) if protocol.m0 == "separate" else None
    affine = centred()
    return MadeScan(
        protocol,
        np.stack(volumes, axis=-1),
        words,
        sidecar(protocol),
        separate,
        {"RepetitionTimePreparation": protocol.m0_time, "Manufacturer": protocol.vendor},
        affine,
        affine.copy(),
        tissues["gm"],
        tissues["wm"],
    )


def _saturation(protocol: Protocol) -> float:
    """The share of M0 that is there after its repetition time; from 5 s on it counts as relaxed."""
    return 1.0 if protocol.m0_time >= 5 else float(1 - np.exp(-protocol.m0_time / TISSUE_T1[protocol.field]))


def sidecar(protocol: Protocol) -> dict[str, object]:
    """What BIDS asks for."""
    time = protocol.m0_time if protocol.m0 == "included" else 6.0
    keys: dict[str, object] = {
        "Manufacturer": protocol.vendor,
        "MagneticFieldStrength": protocol.field,
        "ArterialSpinLabelingType": protocol.labeling,
        "MRAcquisitionType": protocol.readout,
        "PostLabelingDelay": protocol.delay,
        "BackgroundSuppression": protocol.suppressed,
        "RepetitionTimePreparation": time,
        "M0Type": {"separate": "Separate", "included": "Included", "number": "Estimate", "control": "Absent"}[
            protocol.m0
        ],
    }
    if protocol.suppressed:
        keys["BackgroundSuppressionNumberPulses"] = protocol.pulses
    if protocol.m0 == "number":
        keys["M0Estimate"] = 1000.0
    if protocol.readout == "2D":
        keys["SliceTiming"] = [round(float(time), 4) for time in protocol.slice_times]
    if protocol.labeling == "PASL":
        keys |= {"BolusCutOffFlag": True, "BolusCutOffTechnique": "QUIPSSII", "BolusCutOffDelayTime": protocol.duration}
    else:
        keys["LabelingDuration"] = protocol.duration
    return keys
