"""The real series as a run prepares them, whole or split into pairs that a method sees and pairs that judge it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ASLDenoiseLib.preparing.averaging import mean_difference, standard_error
from ASLDenoiseLib.preparing.brain_mask import brain_mask, correct_bias
from ASLDenoiseLib.preparing.contrast import contrast_classes
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.preparing.registration import register_rigid
from ASLDenoiseLib.preparing.tissue import tissue_from_t1, tissue_on
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.cbf import quantification
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import ASLSeries, Tissue, Volume, VolumeType

from .cases import Case, chosen, seen
from .disjoint import noise_corrected_mse

NAMES = ("acq-grase", "acq-epi", "acq-picore")
ORIGIN = "from the public repository neurolabusc/dcm_qa_asl (BSD-2-Clause)"


def series_path(data: Path, name: str) -> Path:
    return data / "real" / "sub-01" / "perf" / f"sub-01_{name}_asl.nii.gz"


def t1_path(data: Path) -> Path:
    return data / "real" / "sub-01" / "anat" / "sub-01_T1w.nii.gz"


def real_series(data: Path, name: str) -> ASLSeries:
    return read_series(series_path(data, name))


def real_t1(data: Path) -> Volume:
    return read_image(t1_path(data))


def real_case(name: str, data: Path, segmented: Tissue, t1: Volume) -> Case:
    """A real series as a run prepares it: masked by its M0, the T1 (with its segmentation) registered to it."""
    series = real_series(data, name)
    calibration = calibrate(series)
    brain = brain_mask(calibration.m0)
    suppressed = series.acquisition.background_suppression
    target = series.mean(VolumeType.CONTROL) if suppressed else series.m0
    matrix = register_rigid(t1, target, fixed_mask=brain, moving_mask=segmented.brain).matrix
    tissue = tissue_on(series.geometry, segmented, transform=matrix)
    pairs = difference_volumes(series)
    guides = contrast_classes(correct_bias(t1), brain, transform=matrix)
    factor = quantification(series.acquisition, calibration, brain)
    return Case(name, pairs, brain, series.m0, guides, tissue, factor, None, pairs)


def real_cases(data: Path, names: tuple[str, ...] = NAMES) -> list[Case]:
    """The real series, each with all its pairs; the T1 is segmented once."""
    t1 = real_t1(data)
    segmented = tissue_from_t1(t1)
    return [real_case(name, data, segmented, t1) for name in names]


@dataclass(frozen=True, eq=False)
class Split:
    """A scan of which some pairs are seen and the mean of all others, with its standard error, is the reference."""

    case: Case
    reference: np.ndarray
    error: np.ndarray

    def error_of(self, difference: Volume) -> float:
        """Noise-corrected mean squared error in the brain, (ml/100g/min)^2."""
        array, inside = self.case.cbf(difference).array, self.case.inside
        return noise_corrected_mse(array, self.reference, self.error, inside)


def split(whole: Case, count: int, draw: int) -> Split:
    """`count` pairs drawn at random (fixed by `draw`) against the rest."""
    n = len(whole.every_pair.context)
    order = np.random.default_rng(100 + draw).permutation(n)
    shown, rest = np.sort(order[:count]), np.sort(order[count:])
    others = chosen(whole.every_pair, rest)
    case = seen(whole, chosen(whole.every_pair, shown))
    return Split(case, case.cbf(mean_difference(others)).array, case.cbf(standard_error(others)).array)
