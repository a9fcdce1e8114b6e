"""What can be said of a prediction in numbers: grey and white matter, and how it goes with a measured series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..measuring import image_quality
from ..preparing.pairs import difference_volumes
from ..quantifying.calibration import calibrate
from ..quantifying.cbf import quantification
from ..series import CBF_UNIT, ASLSeries, Tissue
from .predict import BoldPrediction
from .run import BoldRun

_PURE = 0.7  # probability of a tissue


@dataclass(frozen=True)
class Figure:
    """A number with its unit and what it is; NaN is not measured."""

    name: str
    value: float
    unit: str
    meaning: str


def single_cbf(series: ASLSeries, run: BoldRun) -> np.ndarray:
    """The CBF of each pair of the first echo (T, K, J, I), ml/100g/min; extremely noisy.

    Raises:
        InputError: it is not on the grid of the run, has not a pair for each of its images, or cannot be quantified.
    """
    if not series.geometry.matches(run.geometry):
        raise InputError(f"The series {series.name} is not on the grid of {run.name}; give both echoes of one run.")
    pairs = difference_volumes(series)
    if len(pairs.array) != len(run.images):
        raise InputError(
            f"The series {series.name} has {len(pairs.array)} pairs and {run.name} {len(run.images)} images; give both "
            "echoes of one run."
        )
    return pairs.array * quantification(series.acquisition, calibrate(series), run.brain).factor.array


def figures_of(
    prediction: BoldPrediction, run: BoldRun, *, tissue: Tissue | None = None, single: np.ndarray | None = None
) -> tuple[Figure, ...]:
    """The figures of a prediction: of tissue where it is known, against single CBF (T, K, J, I) where there is any."""
    brain = run.brain.array > 0
    masks = {"brain": brain}
    if tissue is not None:
        masks |= {n: brain & (v.array > _PURE) for n, v in (("GM", tissue.gm), ("WM", tissue.wm))}
    found = []
    for name, mask in masks.items():
        found += [
            Figure(f"{name}, predicted", _mean(prediction.mean, mask), CBF_UNIT, "predicted from BOLD, not measured"),
            Figure(f"{name}, anatomy only", _mean(prediction.anatomy, mask), CBF_UNIT, "from the run's mean alone"),
            Figure(
                f"{name}, change over the run",
                float(np.std([_mean(image, mask) for image in prediction.course])),
                CBF_UNIT,
                "SD over time of the predicted mean; that of anatomy only is 0",
            ),
        ]
    if single is not None:
        found += _against(prediction, single, masks)
    return tuple(found)


def _against(prediction: BoldPrediction, single: np.ndarray, masks: dict[str, np.ndarray]) -> list[Figure]:
    brain, measured = masks["brain"], single.mean(0)
    found = [
        Figure(f"r between voxels, {name}", pearson(image[brain], measured[brain]), "", "with the measured mean")
        for name, image in (("predicted", prediction.mean), ("anatomy only", prediction.anatomy))
    ]
    for name, mask in masks.items():
        over_time = [[_mean(image, mask) for image in course] for course in (prediction.course, single)]
        found += [
            Figure(f"{name}, measured", _mean(measured, mask), CBF_UNIT, "mean of the single CBF of all pairs"),
            Figure(f"{name}, r over time", pearson(*over_time), "", "predicted with measured means, image by image"),
            Figure(f"{name}, SNR of a single CBF", temporal_snr(single, mask), "", "voxels' mean over SD over time"),
            Figure(f"{name}, SNR predicted", temporal_snr(prediction.course, mask), "", "likewise: smooth, not true"),
        ]
    return found


def pearson(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation where both are finite; NaN where one of them does not vary."""
    one, other = np.asarray(one, float), np.asarray(other, float)
    there = np.isfinite(one) & np.isfinite(other)
    return image_quality.pearson(one, other, there) if there.sum() >= 3 else float("nan")


def temporal_snr(course: np.ndarray, mask: np.ndarray) -> float:
    """The median over the voxels of a mask of mean over SD over time of (T, K, J, I)."""
    values = course[:, mask]
    with np.errstate(all="ignore"):
        ratio = values.mean(0) / values.std(0)
    ratio = ratio[np.isfinite(ratio)]
    return float(np.median(ratio)) if ratio.size else float("nan")


def _mean(image: np.ndarray, mask: np.ndarray) -> float:
    values = image[mask]
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")
