"""What the benchmarks run on: simulated scans with their truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.learning.anatomy import read_anatomy
from ASLDenoiseLib.learning.phantom import Phantom, PhantomSettings, draw_phantom
from ASLDenoiseLib.learning.simulate import ScanSettings, SimulatedHead, simulate_head
from ASLDenoiseLib.measuring.masks import grey_matter, white_matter
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.brain_mask import brain_mask, correct_bias
from ASLDenoiseLib.preparing.contrast import contrast_classes
from ASLDenoiseLib.preparing.pairs import difference_volumes, some_pairs
from ASLDenoiseLib.preparing.registration import register_rigid
from ASLDenoiseLib.preparing.tissue_guess import guess_tissue
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.cbf import Quantification, quantification
from ASLDenoiseLib.quantifying.kinetics import cbf_scale
from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Tissue, Volume, VolumeType
from ASLDenoiseLib.spatial.smoothing import gaussian

TUNING, HELD_OUT = "brain-15", ("brain-16", "brain-17")
VOXELS = ((3.4, 3.4, 5.0), (3.0, 3.0, 3.5), (2.5, 2.5, 3.0), (3.0, 3.0, 8.0))
LESION = 15.0  # mm
SIZE, SPACING = (64, 64, 24), (3.4, 3.4, 5.0)  # voxels, mm


@dataclass(frozen=True, eq=False)
class Case:
    """One scan, ready to denoise.

    Args:
        label: for people.
        pairs: what a method may see (N, K, J, I).
        brain: 0/1.
        m0, guides: calibration image and the T1's contrast classes on the same grid (`guides` empty without a T1).
        tissue: GM and WM the figures are taken in.
        quantification: makes CBF of a difference.
        truth: noise-free CBF, None for a real scan.
        every_pair: all pairs of the scan, of which `pairs` are some; no method but the upper peer sees them.
        lesions: how much of each voxel an implanted lesion fills, one map a lesion.
        weights: how much of each of `pairs` counts, as of `preparing.averaging`; None all of all.
        every_weight: the same of `every_pair`.
        known_tissue: what the run that prepared the scan knows of it, where there was one.

    Raises:
        InputError: there are not as many weights as pairs.
    """

    label: str
    pairs: ASLSeries
    brain: Volume
    m0: Volume
    guides: tuple[Volume, ...]
    tissue: Tissue
    quantification: Quantification
    truth: Volume | None
    every_pair: ASLSeries
    lesions: tuple[Volume, ...] = ()
    weights: np.ndarray | None = None
    every_weight: np.ndarray | None = None
    known_tissue: Tissue | None = None

    def __post_init__(self) -> None:
        for pairs, weights in ((self.pairs, self.weights), (self.every_pair, self.every_weight)):
            if weights is not None and len(weights) != len(pairs.context):
                raise InputError(f"There are {len(weights)} weights of {len(pairs.context)} pairs; give one a pair.")

    @cached_property
    def raw(self) -> Volume:
        """The mean difference of the pairs a method sees."""
        return mean_difference(self.pairs, self.weights)

    @cached_property
    def kept(self) -> np.ndarray:
        """The pairs a method sees (N, K, J, I), the mean in place of what is left out of it."""
        array = self.pairs.array
        return array if self.weights is None else np.where(self.weights > 0, array, self.raw.array)

    @cached_property
    def inside(self) -> np.ndarray:
        """Bool (K, J, I): the brain, where CBF can be measured."""
        return (self.brain.array > 0) & np.isfinite(self.quantification.factor.array)

    @cached_property
    def gm(self) -> np.ndarray:
        """Bool (K, J, I): grey matter that is measured."""
        return grey_matter(self.tissue) & self.inside

    @cached_property
    def wm(self) -> np.ndarray:
        """Bool (K, J, I): white matter that is measured."""
        return white_matter(self.tissue) & self.inside

    @cached_property
    def found_tissue(self) -> Tissue | None:
        """What a run knows of tissue with a T1: its own where there is one, else the T1's contrast classes, if any."""
        if self.known_tissue is not None or not self.guides:
            return self.known_tissue
        csf, gm, wm = self.guides
        return Tissue(gm, wm, csf, self.brain, "the T1's contrast classes")

    @cached_property
    def guessed_tissue(self) -> Tissue:
        """What a run knows of tissue without a T1."""
        return guess_tissue(self.cbf(self.raw), self.brain)

    @cached_property
    def full(self) -> Volume:
        """The mean difference of every pair."""
        return mean_difference(self.every_pair, self.every_weight)

    @cached_property
    def sigma(self) -> float:
        """Noise SD of `raw` in the brain, from how the pairs differ; two are enough."""
        n = len(self.pairs.context)
        spread = np.abs(self.pairs.array - self.raw.array)
        spread = spread if self.weights is None else np.where(self.weights > 0, spread, np.nan)
        return float(1.4826 * np.nanmedian(spread[:, self.inside]) / np.sqrt(n - 1))

    def cbf(self, difference: Volume) -> Volume:
        """CBF (ml/100g/min) of a difference image; NaN outside the brain."""
        return self.quantification.cbf(difference)


def seen(case: Case, pairs: ASLSeries, label: str = "", *, weights: np.ndarray | None = None) -> Case:
    """The same scan with other pairs, and their weights, for a method to see."""
    return replace(case, pairs=pairs, weights=weights, label=label or case.label)


def chosen_weights(weights: np.ndarray | None, indices: np.ndarray) -> np.ndarray | None:
    """The weights of some of the pairs, where there are any."""
    return None if weights is None else weights[indices]


def showing(case: Case, indices: np.ndarray, label: str = "") -> Case:
    """The same scan of which a method sees these of every pair, by position."""
    return seen(case, some_pairs(case.every_pair, indices), label, weights=chosen_weights(case.every_weight, indices))


def halves(case: Case) -> tuple[Case, Case]:
    """The scan with its first, third, ... and with its second, fourth, ... seen pair: slow drifts touch both alike.

    Raises:
        InputError: a method sees fewer than two.
    """
    every = np.arange(len(case.pairs.context))
    if len(every) < 2:
        raise InputError("One pair cannot be split in halves; give a series with at least two.")
    parts = (every[start::2] for start in (0, 1))
    odd, even = (seen(case, some_pairs(case.pairs, n), weights=chosen_weights(case.weights, n)) for n in parts)
    return odd, even


# Simulated scans


def anatomy_path(name: str, folder: Path) -> Path:
    return folder / f"{name}_labels.nii.gz"


@dataclass(frozen=True)
class Scenario:
    """How a scan is made, and how many of its pairs a method sees; `gm_snr` is of one pair."""

    label: str
    pairs: int
    see: int
    gm_snr: float


SCENARIOS = (
    Scenario("10 of 40 pairs, single-pair GM SNR 0.6", 40, 10, 0.6),
    Scenario("10 of 40 pairs, single-pair GM SNR 1", 40, 10, 1.0),
    Scenario("10 of 40 pairs, single-pair GM SNR 2", 40, 10, 2.0),
    Scenario("4 of 12 pairs, single-pair GM SNR 0.75", 12, 4, 0.75),
)


def draw_still(
    anatomy: Path,
    *,
    seed: int,
    size: tuple[int, int, int] = SIZE,
    spacing: tuple[float, float, float] = SPACING,
    acquisition: Acquisition | None = None,
    lesions: int = 0,
) -> Phantom:
    """A phantom of label maps at rest, not yet scanned."""
    settings = PhantomSettings(size=size, lesions=lesions)
    further = {} if acquisition is None else {"acquisition": acquisition}
    return draw_phantom(read_anatomy(anatomy), settings, seed=seed, spacing=spacing, **further)


def kept_out_head(folder: Path, n: int, scenario: Scenario, **further: float) -> SimulatedHead:
    """The n-th head of the benchmarks as a scenario scans it: voxel sizes and anatomies kept out take turns."""
    path = anatomy_path(HELD_OUT[(n + n // len(VOXELS)) % len(HELD_OUT)], folder)
    values = {"gm_snr": scenario.gm_snr, "pairs": scenario.pairs, **further}
    return draw_head(path, spacing=VOXELS[n % len(VOXELS)], seed=11 + n, healthy=False, **values)


def draw_head(
    anatomy: Path,
    *,
    spacing: tuple[float, float, float],
    gm_snr: float,
    pairs: int,
    seed: int,
    healthy: bool = True,
    size: tuple[int, int, int] = SIZE,
    **further: float,
) -> SimulatedHead:
    """A scan of `size` voxels (i, j, k) with its T1; `gm_snr` is of one pair. Healthy heads have no own lesions.

    `further` are more of the `ScanSettings`.
    """
    settings = PhantomSettings(size=size, **({"lesions": 0} if healthy else {}))
    scan = ScanSettings(pairs=pairs, gm_snr=gm_snr, **further)
    return simulate_head(read_anatomy(anatomy), phantom=settings, spacing=spacing, scan=scan, seed=seed)


def guides_as_a_run_finds_them(head: SimulatedHead) -> tuple[Volume, ...]:
    """The T1's contrast classes: the T1 segmented, registered to the mean control and averaged, as the pipeline does.

    They lie in the phantom's own brain, as every method's mask does.
    """
    series = head.scan.series
    brain = tissue_from_t1(head.t1).brain
    control = series.mean(VolumeType.CONTROL)
    matrix = register_rigid(head.t1, control, fixed_mask=brain_mask(series.m0), moving_mask=brain).matrix
    return contrast_classes(correct_bias(head.t1), head.scan.tissue.brain, transform=matrix)


def guides_in_place(head: SimulatedHead) -> tuple[Volume, ...]:
    """The same by the true transform: no registration error, and a second instead of half a minute."""
    return contrast_classes(correct_bias(head.t1), head.scan.tissue.brain, transform=head.t1_to_asl)


def phantom_case(head: SimulatedHead, label: str, *, see: int | None = None, guides: tuple[Volume, ...] = ()) -> Case:
    """A simulated scan of which the first `see` pairs (None: all) are shown."""
    series, tissue = head.scan.series, head.scan.tissue
    every = difference_volumes(series)
    pairs = some_pairs(every, np.arange(see)) if see else every
    factor = quantification(series.acquisition, calibrate(series), tissue.brain)
    return Case(label, pairs, tissue.brain, series.m0, guides, tissue, factor, head.scan.cbf, every)


def true_difference(case: Case) -> np.ndarray:
    """The difference image (scanner units, K, J, I) of the true CBF, by the M0 and the series' own constants."""
    scale, _ = cbf_scale(case.pairs.acquisition, slices=case.brain.geometry.size[2])
    return case.truth.array * calibrate(replace(case.pairs, m0=case.m0)).m0.array / scale


# Lesions


def ball(geometry: Geometry, centre: np.ndarray, diameter: float) -> np.ndarray:
    """How much of each voxel (K, J, I) lies within `diameter` / 2 mm of a point (LPS mm): partial volume at the rim."""
    covered = np.zeros(geometry.shape)
    middle = (np.linalg.inv(geometry.affine_lps) @ [*centre, 1])[:3]
    reach = diameter / 2 / np.array(geometry.spacing) + 1
    low = np.maximum(np.floor(middle - reach), 0).astype(int)
    high = np.minimum(np.ceil(middle + reach) + 1, geometry.size).astype(int)
    if np.any(high <= low):
        return covered
    steps = (np.arange(4) - 1.5) / 4
    axes = [(np.arange(a, b)[:, None] + steps).ravel() for a, b in zip(low, high, strict=True)]
    k, j, i = np.meshgrid(*axes[::-1], indexing="ij")
    offsets = np.stack([i - middle[0], j - middle[1], k - middle[2]], axis=-1) @ geometry.affine_lps[:3, :3].T
    within = np.linalg.norm(offsets, axis=-1) < diameter / 2
    size = (high - low)[::-1]
    shares = within.reshape(size[0], 4, size[1], 4, size[2], 4).mean(axis=(1, 3, 5))
    covered[tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))] = shares
    return covered


def spread_places(mask: np.ndarray, geometry: Geometry, count: int, *, apart: float) -> list[np.ndarray]:
    """Up to `count` voxel centres (LPS mm) spread over a mask, at least `apart` mm from each other; always the same."""
    where = np.argwhere(mask)
    order = np.random.default_rng(0).permutation(len(where))
    places: list[np.ndarray] = []
    for k, j, i in where[order]:
        centre = (geometry.affine_lps @ [i, j, k, 1])[:3]
        if all(np.linalg.norm(centre - other) >= apart for other in places):
            places.append(centre)
        if len(places) == count:
            break
    return places


def voxel_size(geometry: Geometry) -> float:
    """The edge (mm) of a cube of a voxel's volume: what 'a voxel' of lesion diameter means."""
    return float(geometry.voxel_volume ** (1 / 3))


def implanted(case: Case, change: np.ndarray) -> Case:
    """The case with perfusion multiplied by 1 + `change` (K, J, I) in every pair and in the truth, where it has one.

    The T1 and the M0 stay as they were: nothing but perfusion tells of the lesion.
    """
    base = implant_base(case)
    added = (change * base).astype(np.float32)
    every = replace(case.every_pair, array=case.every_pair.array + added)
    pairs = replace(case.pairs, array=case.pairs.array + added)
    truth = None if case.truth is None else case.truth.with_array(case.truth.array * (1 + change))
    return replace(case, pairs=pairs, every_pair=every, truth=truth)


def with_lesions(case: Case) -> Case:
    """Three hypoperfused (x 0.3) and three hyperperfused (x 2) balls in the grey matter, in perfusion alone."""
    centres = spread_places(case.tissue.gm.array > 0.8, case.brain.geometry, 6, apart=2.5 * LESION)
    masks = [ball(case.brain.geometry, centre, LESION) for centre in centres]
    changes = (-0.7, 1.0)
    changed = implanted(case, sum(changes[n % 2] * mask for n, mask in enumerate(masks)))
    return replace(changed, lesions=tuple(case.brain.with_array(mask) for mask in masks))


def implant_base(case: Case) -> np.ndarray:
    """The perfusion a lesion is a change of: the true one, or for a real scan the smoothed mean of all its pairs."""
    if case.truth is not None:
        return np.nan_to_num(true_difference(case))
    mean = gaussian(case.full, 8.0, mask=case.brain)
    return np.clip(np.nan_to_num(mean.array), 0, None)
