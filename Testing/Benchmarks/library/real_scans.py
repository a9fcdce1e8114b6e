"""The real series as a run prepares them, whole or split into pairs that a method sees and pairs that judge it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.pipeline.denoising_steps import gather_guides
from ASLDenoiseLib.pipeline.request import Denoising, Head, Request
from ASLDenoiseLib.pipeline.run import prepared
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.averaging import mean_difference, standard_error
from ASLDenoiseLib.preparing.pairs import some_pairs
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import ASLSeries, Volume

from .cases import Case, chosen_weights, showing
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


def real_run(data: Path, name: str) -> RunState:
    """A run of the series with its T1, up to what a denoiser is given: clean pairs, and guides."""
    run = prepared(Request(real_series(data, name), Head(real_t1(data)), denoising=Denoising()))
    gather_guides(run, silent)
    return run


def case_of(run: RunState, label: str) -> Case:
    """What a run gives its denoiser: motion-corrected, cleaned pairs with their weights, its brain and its guides."""
    guides, pairs, weights = run.guides, run.pairs, run.weights
    m0 = guides.m0 or run.m0
    known = {"weights": weights, "every_weight": weights, "known_tissue": run.tissue}
    return Case(label, pairs, run.brain, m0, guides.maps, run.tissue, run.quantification, None, pairs, **known)


def as_acquired(run: RunState, label: str) -> Case:
    """The same of the pairs before anything was done to them: no motion corrected, nothing cleaned or left out."""
    pairs = run.acquired
    return replace(case_of(run, label), pairs=pairs, every_pair=pairs, weights=None, every_weight=None)


def real_cases(data: Path, names: tuple[str, ...] = NAMES) -> list[Case]:
    """The real series, each with all its clean pairs."""
    return [case_of(real_run(data, name), name) for name in names]


def acquired_cases(data: Path, names: tuple[str, ...] = NAMES) -> list[Case]:
    """The real series, each with all its pairs as acquired."""
    return [as_acquired(real_run(data, name), name) for name in names]


def without_rim(case: Case) -> np.ndarray:
    """Bool (K, J, I): the measured brain without the voxels that share a face in plane with what is not brain."""
    return eroded_in_plane(case.brain.array > 0) & case.inside


def eroded_in_plane(mask: np.ndarray) -> np.ndarray:
    """A mask (K, J, I) without the voxels that share a face in plane with what is outside; it goes on beyond the grid,
    as the head does where a scan ends."""
    from scipy.ndimage import binary_erosion

    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)[None]
    return binary_erosion(mask, cross, border_value=1)


@dataclass(frozen=True, eq=False)
class Split:
    """A scan of which some pairs are seen and the mean of all others, with its standard error, is the reference.

    `reference` and `error` are CBF (K, J, I), NaN where nothing was measured, of the seen pairs or of the others.
    """

    case: Case
    reference: np.ndarray
    error: np.ndarray

    def error_of(self, difference: Volume, where: np.ndarray | None = None) -> float:
        """Noise-corrected mean squared error, (ml/100g/min)^2, in the brain or in some of it (bool, K, J, I)."""
        array, inside = self.case.cbf(difference).array, self.case.inside if where is None else where
        return noise_corrected_mse(array, self.reference, self.error, inside)


def split(whole: Case, count: int, draw: int) -> Split:
    """`count` pairs drawn at random (fixed by `draw`) against the rest."""
    n = len(whole.every_pair.context)
    order = np.random.default_rng(100 + draw).permutation(n)
    shown, rest = np.sort(order[:count]), np.sort(order[count:])
    others, weights = some_pairs(whole.every_pair, rest), chosen_weights(whole.every_weight, rest)
    case = showing(whole, shown)
    reference = case.cbf(mean_difference(others, weights)).array
    # where all that a method saw was left out as outlying, there is nothing to judge
    reference = np.where(np.isfinite(case.raw.array), reference, np.nan)
    return Split(case, reference, case.cbf(standard_error(others, weights)).array)
