"""The safety figures of a denoiser, each a function of what is run and what it runs on; the `safety` command tells."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ASLDenoiseLib.denoising.catalogue import ModelCard
from ASLDenoiseLib.denoising.inference import DenoisingResult
from ASLDenoiseLib.measuring.image_quality import pearson
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.smoothing import smooth_within

from .cases import (
    Case,
    SimulatedHead,
    ball,
    guides_in_place,
    halves,
    implant_base,
    implanted,
    seen,
    spread_places,
    voxel_size,
)
from .intervals import coverage
from .lesions import false_lesions, implant_recovery
from .methods import audit_of, denoise_with
from .scores import figures_of, lesion_contrasts, ratio_of_contrasts
from .strokes import Struck, Structure

DIAMETERS = (3, 4, 6)  # voxels
FACTORS = (0.3, 0.6, 1.5, 2.0)
PLACES = 6
BIASES = ("GM bias (%)", "WM bias (%)")
PAINTS = {"white as dark as grey": 0.6, "white as dark as CSF": 0.2}  # what the T1 of white matter is multiplied by


@dataclass(frozen=True, eq=False)
class Way:
    """A way to denoise a case, by name, with what it may know besides the pairs (``T1+M0``, ``M0`` or ``none``).

    What it answered is kept, so that another way that begins with this one need not run it again.
    """

    name: str
    guide: str
    run: Callable[[Case], DenoisingResult]
    _kept: dict[bytes, DenoisingResult] = field(default_factory=dict)

    def __call__(self, case: Case) -> DenoisingResult:
        key = _digest(case)
        if key not in self._kept:
            self._kept[key] = self.run(case)
        return self._kept[key]

    def map(self, case: Case) -> np.ndarray:
        """CBF of the answer, NaN outside the brain."""
        return case.cbf(self(case).difference).array


def network_way(card: ModelCard, guide: str, name: str, device: str = "cpu") -> Way:
    """A model as it answers by itself."""
    return Way(name, guide, lambda case: denoise_with(card, case, guide, device=device))


def audited_way(way: Way) -> Way:
    """Another way with its residual audited, as a run does."""

    def run(case: Case) -> DenoisingResult:
        found = way(case)
        audit = audit_of(case, found.difference, way.guide, uncertainty=found.uncertainty)
        return replace(found, difference=audit.difference, uncertainty=audit.uncertainty)

    return Way(f"{way.name}, audited", way.guide, run)


def _digest(case: Case) -> bytes:
    """Of all that a method sees."""
    digest = hashlib.blake2b(digest_size=16)
    weights = () if case.weights is None else (case.weights,)
    for array in (case.pairs.array, case.brain.array, case.m0.array, *(guide.array for guide in case.guides), *weights):
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


@dataclass(frozen=True)
class Kept:
    """How much of lesions came through.

    Args:
        each: f(x + l) - f(x) over l, of each scan.
        contrasts: to the ring, found and true, of each lesion.
    """

    each: tuple[float, ...]
    contrasts: tuple[tuple[float, float], ...]

    @property
    def passed_on(self) -> float:
        """The mean over scans."""
        return float(np.mean(self.each))

    @property
    def worst(self) -> float:
        """Of the scan that is furthest from 1."""
        return max(self.each, key=lambda kept: abs(kept - 1))

    @property
    def contrast(self) -> float:
        """Those found over the true ones."""
        return ratio_of_contrasts(self.contrasts)


def lesions_kept(way: Way, cases: Sequence[Case], diameter: float, factor: float) -> Kept:
    """Balls of `diameter` voxels, perfusion times `factor`, in the grey matter."""
    found = []
    for case in cases:
        geometry, millimetres = case.brain.geometry, diameter * voxel_size(case.brain.geometry)
        grey = (case.tissue.gm.array > 0.8) & case.inside
        centres = spread_places(grey, geometry, PLACES, apart=max(2.5 * millimetres, 25.0))
        balls = [ball(geometry, centre, millimetres) for centre in centres]
        found.append(_came_through(way, case, implanted(case, (factor - 1) * sum(balls)), balls, factor))
    return _together(found)


def strokes_kept(way: Way, strokes: Sequence[Struck], factor: float, structure: Structure | None = None) -> Kept:
    """Perfusion times `factor` in each stroke, with T1 and M0 as `structure` has them."""
    found = []
    for stroke in strokes:
        ill = implanted(stroke.case, (factor - 1) * stroke.share)
        if structure is not None:
            painted = stroke.structural(structure)
            ill = replace(ill, m0=painted.m0, guides=painted.guides)
        found.append(_came_through(way, stroke.case, ill, [stroke.share], factor))
    return _together(found)


def _came_through(way: Way, case: Case, ill: Case, shares: Sequence[np.ndarray], factor: float) -> Kept:
    """Of the lesions that `ill` has and `case` has not, each given by how much of a voxel it fills."""
    lesion = (factor - 1) * sum(shares) * implant_base(case)
    after, before = way(ill).difference.array, way(case).difference.array
    passed = implant_recovery(after, before, lesion, (sum(shares) >= 0.5) & case.inside)
    if ill.truth is None:
        return Kept((passed,), ())
    shown = ill.cbf(ill.raw.with_array(after)).array
    return Kept((passed,), tuple(lesion_contrasts(ill, case.brain.with_array(mask), shown) for mask in shares))


def _together(found: Sequence[Kept]) -> Kept:
    return Kept(sum((f.each for f in found), ()), sum((f.contrasts for f in found), ()))


def false_lesion_counts(way: Way | None, cases: Sequence[Case]) -> tuple[float, float]:
    """False lesions (number, ml) a healthy scan; without a way those of the raw mean."""
    counts = []
    for case in cases:
        shown = case.cbf(case.raw) if way is None else case.truth.with_array(way.map(case))
        level = float(case.truth.array[case.gm].mean())
        found = false_lesions(shown, case.truth, case.brain, level)
        counts.append((found.count, found.millilitres))
    return tuple(float(v) for v in np.mean(counts, axis=0))


def noise_alone(case: Case) -> Case:
    """The scan with its true perfusion taken out of every pair: nothing is left but noise."""
    empty = replace(case.pairs, array=case.pairs.array - implant_base(case).astype(np.float32))
    return seen(case, empty, weights=case.weights)


def from_noise(way: Way, case: Case) -> dict[str, float]:
    """What pure noise becomes: its GM minus WM as a share (%) of the true one, correlation with GM, SD out over in."""
    empty = noise_alone(case)
    shown, before = case.cbf(way(empty).difference).array, case.cbf(empty.raw).array
    true = case.truth.array[case.gm].mean() - case.truth.array[case.wm].mean()
    return {
        "share": float(100 * (np.nanmean(shown[case.gm]) - np.nanmean(shown[case.wm])) / true),
        "r": pearson(shown, case.tissue.gm.array, case.inside),
        "spread": float(np.nanstd(shown[case.inside]) / np.nanstd(before[case.inside])),
    }


def _white_balls(case: Case, voxels: float) -> list[np.ndarray]:
    geometry, millimetres = case.brain.geometry, voxels * voxel_size(case.brain.geometry)
    white = (case.tissue.wm.array > 0.95) & case.inside
    return [ball(geometry, c, millimetres) for c in spread_places(white, geometry, PLACES, apart=2.5 * millimetres)]


def painted_t1(head: SimulatedHead, case: Case, voxels: float, factor: float) -> tuple[Case, list[np.ndarray]]:
    """The case with balls of white matter darkened on its T1 alone, and where they are."""
    balls = _white_balls(case, voxels)
    geometry, diameter = case.brain.geometry, voxels * voxel_size(case.brain.geometry)
    t1 = np.array(head.t1.array)
    for each in balls:
        in_t1 = (np.linalg.inv(head.t1_to_asl) @ [*_centre(each, geometry), 1])[:3]
        filled = ball(head.t1.geometry, in_t1, diameter)
        t1 *= 1 + (factor - 1) * filled
    changed = replace(head, t1=head.t1.with_array(t1))
    return replace(case, guides=guides_in_place(changed)), balls


def painted_m0(case: Case, voxels: float, factor: float = 1.2) -> tuple[Case, list[np.ndarray]]:
    """The case with balls of white matter as bright as grey matter and more on its M0 alone; CBF keeps its own M0."""
    balls = _white_balls(case, voxels)
    m0 = case.m0.with_array(case.m0.array * (1 + (factor - 1) * sum(balls)))
    return replace(case, m0=m0), balls


def _centre(mask: np.ndarray, geometry: Geometry) -> np.ndarray:
    k, j, i = np.average(np.argwhere(mask > 0), axis=0, weights=mask[mask > 0])
    return (geometry.affine_lps @ [i, j, k, 1])[:3]


def moved_by(way: Way, case: Case, changed: Case, balls: Sequence[np.ndarray]) -> list[float]:
    """Change (%) of the mean in each ball when only the guides changed."""
    before, after = way(case).difference.array, way(changed).difference.array
    return [_moved(before, after, (mask >= 0.5) & case.inside) for mask in balls]


def moved_by_strokes(way: Way, strokes: Sequence[Struck], structure: Structure) -> dict[str, list[float]]:
    """The same in each stroke that T1 and M0 alone show, and in its grey and its white matter."""
    changes: dict[str, list[float]] = {}
    for stroke in strokes:
        before, after = (way(c).difference.array for c in (stroke.case, stroke.structural(structure)))
        for name, mask in stroke.parts().items():
            changes.setdefault(name, []).append(_moved(before, after, mask))
    return changes


def _moved(before: np.ndarray, after: np.ndarray, inside: np.ndarray) -> float:
    return float(100 * (after[inside].mean() / before[inside].mean() - 1))


def bias_of(way: Way, case: Case) -> dict[str, float]:
    """GM and WM bias (%), and the correlation of what was removed with the GM map."""
    shown = way.map(case)
    residual = pearson(case.cbf(case.raw).array - shown, case.tissue.gm.array, case.inside)
    return figures_of(case, shown, BIASES) | {"residual": residual}


def other_subject(case: Case, *, seed: int = 5) -> Case:
    """The same head with perfusion times a smooth random field (30 mm, SD 0.25 in the logarithm)."""
    white = np.random.default_rng(seed).standard_normal(case.brain.array.shape)
    field_ = smooth_within(white, np.ones(white.shape, bool), case.brain.geometry.spacing, 30.0)
    return implanted(case, np.exp(0.25 * field_ / field_[case.inside].std()) - 1)


def likeness(way: Callable[[Case], DenoisingResult] | None, case: Case) -> dict[str, float]:
    """Of what `way` makes of the halves; without one, of their raw means."""
    cases = [*halves(case), halves(other_subject(case))[1]]
    return _likeness(case, [case.cbf(each.raw if way is None else way(each).difference).array for each in cases])


def true_likeness(case: Case) -> dict[str, float]:
    """Of the truths themselves: what likeness there is to be found."""
    return _likeness(case, [case.truth.array, case.truth.array, other_subject(case).truth.array])


def _likeness(case: Case, maps: Sequence[np.ndarray]) -> dict[str, float]:
    """Correlation of disjoint halves: within one subject, and between two who share T1 and M0 but not perfusion.

    Of the maps, and of their pattern: what is left once GM and WM fractions are regressed out.
    """
    kinds = {"r": maps, "pattern": [_pattern(each, case) for each in maps]}
    pairs = [(kind, n, who) for kind in kinds for n, who in ((1, "within"), (2, "between"))]
    return {f"{kind} {who}": pearson(kinds[kind][0], kinds[kind][n], case.inside) for kind, n, who in pairs}


def _pattern(array: np.ndarray, case: Case) -> np.ndarray:
    inside = case.inside & np.isfinite(array)
    features = np.stack(
        [np.ones(inside.sum()), *(np.nan_to_num(t.array[inside]) for t in (case.tissue.gm, case.tissue.wm))], axis=1
    )
    left = np.full(array.shape, np.nan)
    left[inside] = array[inside] - features @ np.linalg.lstsq(features, array[inside], rcond=None)[0]
    return left


def covered(way: Way, case: Case) -> dict[str, float] | None:
    """Share of voxels whose truth lies in the 95 % interval, in brain, GM and WM; None without an uncertainty."""
    found = way(case)
    if found.uncertainty is None:
        return None
    sd = np.abs(case.cbf(found.uncertainty).array)
    masks = {"brain": case.inside, "GM": case.gm, "WM": case.wm}
    return {name: coverage(way.map(case), sd, case.truth.array, mask) for name, mask in masks.items()}


def covered_by_unseen(way: Way, case: Case, reference: Volume, error: Volume) -> float:
    """The same on a real scan against the mean of unseen pairs (CBF), whose own error widens the interval."""
    found = way(case)
    if found.uncertainty is None:
        return float("nan")
    sd = np.hypot(case.cbf(found.uncertainty).array, error.array)
    return coverage(case.cbf(found.difference).array, sd, reference.array, case.inside)
