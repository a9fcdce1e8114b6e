"""A head of known CBF whose M0 can lie anywhere, cover anything and be written in any way, as BIDS files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np

from ASLDenoiseLib.pipeline.request import Head, Outputs, Request, SeriesFile
from ASLDenoiseLib.pipeline.run import completed
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.cbf import quantification
from ASLDenoiseLib.series import ASLSeries, Volume
from ASLDenoiseLib.spatial.rigid import matrix_from

SIZE, SPACING = (38, 46, 24), (5.0, 5.0, 6.0)  # (I, J, K), mm
GM, WM = 60.0, 20.0  # ml/100g/min
PAIRS = 8
SIDECAR = {
    "ArterialSpinLabelingType": "PCASL",
    "PostLabelingDelay": 1.8,
    "LabelingDuration": 1.8,
    "MRAcquisitionType": "3D",
    "MagneticFieldStrength": 3,
    "BackgroundSuppression": True,
    "BackgroundSuppressionNumberPulses": 2,
    "RepetitionTimePreparation": 6.0,
}
_T1_BLOOD = 1.65
# CBF for each unit of difference over M0
SCALE = 6000 * 0.9 * np.exp(1.8 / _T1_BLOOD) / (2 * 0.85 * 0.95**2 * _T1_BLOOD * (1 - np.exp(-1.8 / _T1_BLOOD)))
_SOFT = 4.0  # mm


def affine(size: Sequence[int] = SIZE, spacing: Sequence[float] = SPACING) -> np.ndarray:
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = [-(n - 1) / 2 * s for n, s in zip(size, spacing, strict=True)]
    return matrix


def tissues(
    pose: Sequence[float] = (0,) * 6, *, size: Sequence[int] = SIZE, spacing: Sequence[float] = SPACING
) -> dict[str, np.ndarray]:
    """Shares (I, J, K) of gm, wm, csf and scalp of a head in a pose (mm and degrees, RAS)."""
    index = np.stack([*np.indices(size), np.ones(size)], -1)
    places = index @ affine(size, spacing).T @ np.linalg.inv(matrix_from(np.array(pose, float), np.zeros(3))).T

    def inside(centre: Sequence[float], radii: Sequence[float]) -> np.ndarray:
        distance = np.linalg.norm((places[..., :3] - centre) / radii, axis=-1)
        return 1 / (1 + np.exp((distance - 1) * min(radii) / _SOFT * 2))

    brain, inner = inside((0, 0, 0), (64, 78, 54)), inside((2, -4, 3), (40, 52, 32))
    ventricles = np.maximum(inside((-9, 4, 6), (7, 24, 12)), inside((11, 0, 4), (7, 22, 12)))
    lobe = inside((-30, 32, -12), (16, 14, 12))  # white matter on one side alone, so that nothing is symmetric
    csf = ventricles * inner
    wm = np.maximum(inner, lobe) * brain - csf
    outer, scalp = inside((0, 0, 0), (72, 86, 62)), inside((0, 0, 0), (80, 94, 70))
    return {"gm": brain - wm - csf, "wm": wm, "csf": csf, "scalp": scalp - outer}


def m0_of(parts: dict[str, np.ndarray], *, level: float = 1000.0) -> np.ndarray:
    return level * (parts["gm"] + 0.8 * parts["wm"] + 1.2 * parts["csf"] + 0.2 * parts["scalp"])


def control_of(parts: dict[str, np.ndarray], *, suppressed: bool = True) -> np.ndarray:
    """Suppressed, tissues differ otherwise than in the M0."""
    if not suppressed:
        return m0_of(parts)
    return 260 * parts["gm"] + 130 * parts["wm"] + 90 * parts["csf"] + 60 * parts["scalp"]


def difference_of(parts: dict[str, np.ndarray]) -> np.ndarray:
    return (GM * parts["gm"] + WM * parts["wm"]) * m0_of(parts) / SCALE


def save(path: Path, array: np.ndarray, matrix: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    matrix = affine(array.shape[:3]) if matrix is None else matrix
    nibabel.save(nibabel.Nifti1Image(np.asarray(array, np.float32), matrix), path)
    return path


def write(
    folder: Path,
    *,
    included: Sequence[np.ndarray] = (),
    separate: np.ndarray | Sequence[np.ndarray] | None = None,
    m0_affine: np.ndarray | None = None,
    sidecar: dict | None = None,
    m0_sidecar: dict | None = None,
    differences: bool = False,
    suppressed: bool = True,
    noise: float = 0.2,
    stem: str = "sub-01",
    m0_stem: str = "",
) -> Path:
    """A series of 8 pairs (or differences) with `included` M0 volumes at its end, and a separate M0; its path."""
    parts, random = tissues(), np.random.default_rng(0)
    control, difference = control_of(parts, suppressed=suppressed), difference_of(parts)
    pair = [difference] if differences else [control, control - difference]
    volumes = [each + random.normal(0, noise, SIZE) for _ in range(PAIRS) for each in pair] + list(included)
    words = (["deltam"] if differences else ["control", "label"]) * PAIRS + ["m0scan"] * len(included)
    kind = "Included" if included else "Absent" if separate is None else "Separate"
    keys = {**SIDECAR, "M0Type": kind, "BackgroundSuppression": suppressed, **(sidecar or {})}
    path = save(folder / f"{stem}_asl.nii.gz", np.stack(volumes, -1))
    (folder / f"{stem}_asl.json").write_text(json.dumps({k: v for k, v in keys.items() if v is not None}))
    (folder / f"{stem}_aslcontext.tsv").write_text("\n".join(["volume_type", *words]) + "\n")
    if separate is not None:
        write_m0(folder, separate, m0_affine=m0_affine, sidecar=m0_sidecar, stem=m0_stem or stem)
    return path


def write_m0(
    folder: Path,
    image: np.ndarray | Sequence[np.ndarray],
    *,
    m0_affine: np.ndarray | None = None,
    sidecar: dict | None = None,
    stem: str = "sub-01",
) -> Path:
    """A separate M0, of several volumes where it is a list."""
    array = image if isinstance(image, np.ndarray) else np.stack(image, -1)
    path = save(folder / f"{stem}_m0scan.nii.gz", array, m0_affine)
    (folder / f"{stem}_m0scan.json").write_text(json.dumps({"RepetitionTimePreparation": 6.0, **(sidecar or {})}))
    return path


def grey_matter(series: ASLSeries) -> tuple[float, float]:
    """Mean CBF (ml/100g/min) of grey matter without any preparation, and how much of it is more than 10 % off, 0..1."""
    parts = tissues()
    brain = Volume((parts["gm"] + parts["wm"] + parts["csf"]).T > 0.5, series.geometry)
    factor = quantification(series.acquisition, calibrate(series), brain)
    return _judged(factor.cbf(mean_difference(difference_volumes(series))).array)


def run_of(path: Path, *, preparation: Preparation | None = None, **given) -> RunState:
    """A whole run without files, with the true tissue."""
    parts = tissues()
    masks = {name: save(path.parent / "truth" / f"{name}.nii.gz", parts[name] > 0.95) for name in ("gm", "wm")}
    choices = preparation or Preparation(outliers="none")
    return completed(Request(SeriesFile(path, **given), Head(**masks), choices, outputs=Outputs()))


def grey_matter_of_run(state: RunState) -> tuple[float, float]:
    """As `grey_matter`, of a run."""
    return _judged(state.quantification.cbf(state.cleaned).array)


def _judged(values: np.ndarray) -> tuple[float, float]:
    parts = tissues()
    truth = (GM * parts["gm"] + WM * parts["wm"]).T
    inside = parts["gm"].T > 0.95
    off = ~(np.abs(values[inside] / truth[inside] - 1) <= 0.1)
    return float(np.nanmean(values[inside]) / truth[inside].mean() * GM), float(off.mean())


def codes(findings) -> dict[str, object]:
    return {finding.code: finding for finding in findings}
