"""Model-based super-resolution with the T1 as guide: y = D H x + n, and x is what anatomy shares out.

Within some centimetres CBF is taken to be a function of T1 brightness: x = sum_c f_c b_c, f_c the share of a fine voxel
at brightness level c, b_c smooth fields of CBF that the map itself must supply (Asllani et al. 2008 fit tissue CBF the
same way to correct partial volume), plus a smooth remainder that knows no anatomy. The fields' weights have normal
priors and the data their noise, so how smooth the answer is follows from the noise of the input.

The T1 thus says where CBF may change, never how much there is. Where the acquired map contradicts what anatomy
predicts (`conflict`), the tissue model is left out altogether and the map is rebuilt from smooth fields alone: so a
lesion missing from the T1 is kept, and one that the T1 alone has does not appear, as far as either stands out of the
noise. At last the result is made to agree with the acquired map within its noise (`consistency`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..progress import Progress, silent, span
from ..series import Origin, Parameter, Volume
from ..spatial.resampling import resample
from ..spatial.smoothing import blur
from .conflict import ConflictSettings, conflict
from .consistency import ROUNDS, WITHIN, consistent
from .contrast_features import contrast_features
from .fine_alignment import rigid_step
from .forward import is_aligned
from .problem import FREE_AMPLITUDES, Fields, Problem, problem_of
from .resolver import LowResolution, SuperResolvedMap, onto_target, target_model, with_residual
from .smooth_fields import Weights, posterior_draw, total

_ROUNDS = 2  # of fitting anatomy and looking where it is contradicted
_OBLIQUE_ROUNDS = 8  # each interpolates a whole head
_WITHHELD = 0.2  # of the voxels, to see which model predicts them
_BLOCK = 3  # voxels
_BETTER = 0.75  # of the squared error without the T1, noise taken off: its own head has 0 to 0.6, another's 0.85 to 1
_POOL = 1.5  # acquired voxels FWHM over which variance is pooled


@dataclass(frozen=True)
class GuidedSettings:
    """Knots in mm, amplitudes (prior SD of a weight) in units of the mean magnitude of the map.

    Args:
        broad, broad_amplitude: fields of CBF by T1 brightness over regions.
        local, local_amplitude: their local variation.
        remainder_amplitude: what anatomy does not explain, knots an acquired voxel apart.
        free_amplitudes: the map without anatomy, knots three acquired voxels and one apart.
        alignment_steps: most Gauss-Newton steps of the T1's alignment; 0 takes the transform as it is.
        conflict: when the map is in conflict with anatomy.
        within: SDs of the noise within which the result averages back to the input.
        draws: of the posterior, for the uncertainty; 0 leaves it out.
        t1_error: SD of the error of what the T1 adds, over its size; chosen on phantoms, where nineteen errors of
            twenty are then within 1.96 SDs.
        seed: of the draws.
    """

    broad: float = 40.0
    broad_amplitude: float = 2.0
    local: float = 12.0
    local_amplitude: float = 0.4
    remainder_amplitude: float = 0.3
    free_amplitudes: tuple[float, float] = FREE_AMPLITUDES
    alignment_steps: int = 2
    conflict: ConflictSettings = field(default_factory=ConflictSettings)
    within: float = WITHIN
    draws: int = 6
    t1_error: float = 0.45
    seed: int = 0


def guided(
    scan: LowResolution, *, progress: Progress = silent, settings: GuidedSettings | None = None
) -> SuperResolvedMap:
    """Super-resolve one map along its T1; without a T1, from smooth fields alone.

    Args:
        scan: the map, its noise, its T1 and the grid wanted.
        progress: told at every step; raise in it to cancel.
        settings: None is the defaults, which were chosen on phantoms of an anatomy the benchmark does not use.

    Returns:
        The map, its residual, and (with `draws`) the SD of its error: what noise leaves undecided, and a share of what
        the T1 adds for anatomy that is not quite perfusion.
    """
    s = settings or GuidedSettings()
    progress(0.0, "preparing the acquisition model")
    problem = problem_of(scan)
    free = problem.free_fields(s.free_amplitudes)
    weights = problem.fit(free, problem.precision, span(progress, 0.02, 0.1), "fitting without the T1")
    array = total(free.fine, weights)
    conflicting = np.ones(problem.low.array.shape, np.float32)
    tissue, moved, from_t1 = None, np.eye(4), np.zeros_like(array)
    if scan.t1 is not None:
        tissue, moved = _tissue_in_place(problem, scan, s, span(progress, 0.1, 0.45))
        along, conflicting = _fit_along(problem, tissue, s, span(progress, 0.45, 0.6))
        if not _predicts_better(problem, tissue, conflicting, s, span(progress, 0.6, 0.65)):
            conflicting = problem.measured.astype(np.float32)
        from_t1 = (1 - _on_fine(problem, conflicting)) * (along - array)
        array = array + from_t1
    known = np.where(problem.model.measured, array, np.nan)
    volume = Volume(known, problem.model.fine, scan.low.unit)
    agreed = consistent(
        volume, problem.low, problem.sd, problem.model, within=s.within, progress=span(progress, 0.65, 0.75)
    )
    spread = None
    if s.draws:
        noise = _variance(problem, free, tissue, conflicting, s, span(progress, 0.75, 0.95))
        spread = _pooled(problem, noise + (s.t1_error * from_t1) ** 2)
    progress(0.95, "bringing the map onto the target grid")
    fine = _agreed_on_target(scan, onto_target(scan, agreed.array, problem.model.fine), s, span(progress, 0.95, 0.99))
    left_out, noise_from = float(conflicting[problem.measured].mean()), Origin.IMAGE if scan.sd is None else Origin.USER
    used = (
        Parameter("noise_sd", float(np.median(problem.sd)), scan.low.unit, noise_from),
        Parameter("without_anatomy", round(100 * left_out, 2), "% of the map", Origin.IMAGE),
        Parameter("alignment_refined", _largest_shift(moved, problem), "mm", Origin.IMAGE),
        Parameter("consistency", s.within, "SD", Origin.DEFAULT),
    )
    uncertainty = None if spread is None else onto_target(scan, spread, problem.model.fine)
    result = with_residual(scan, fine, uncertainty=uncertainty, used=used)
    progress(1.0, "super-resolved")
    return result


def unguided(
    scan: LowResolution, *, progress: Progress = silent, settings: GuidedSettings | None = None
) -> SuperResolvedMap:
    """The same without looking at the T1: deblurred and denoised smooth fields, made consistent."""
    return guided(replace(scan, t1=None), progress=progress, settings=settings)


def _agreed_on_target(scan: LowResolution, array: np.ndarray, s: GuidedSettings, progress: Progress) -> np.ndarray:
    """The map made to agree once more where interpolation onto an oblique target has blurred it."""
    aligned = is_aligned(scan.target, scan.low.geometry) and np.allclose(scan.target_to_asl, np.eye(4))
    rounds, model = ROUNDS if aligned else _OBLIQUE_ROUNDS, target_model(scan, array)
    fine = Volume(array, scan.target, scan.low.unit)
    return consistent(fine, scan.low, scan.noise(), model, within=s.within, rounds=rounds, progress=progress).array


def _tissue_fields(problem: Problem, features: np.ndarray, s: GuidedSettings) -> Fields:
    """Broad and local fields along `features` (C, K, J, I), and last the remainder that knows no anatomy."""
    return problem.fields(
        (features, (s.broad,) * 3, s.broad_amplitude),
        (features, (s.local,) * 3, s.local_amplitude),
        (np.ones((1, *problem.model.fine.shape), np.float32), problem.low.geometry.spacing, s.remainder_amplitude),
    )


def _tissue_in_place(
    problem: Problem, scan: LowResolution, s: GuidedSettings, progress: Progress
) -> tuple[Fields, np.ndarray]:
    """The tissue fields of the T1 aligned with the map, and the motion (4x4) that aligned it.

    A step is kept where it lowers the misfit.
    """
    brain = problem.low.with_array(problem.measured)
    best, tissue, moved, tried = np.inf, None, np.eye(4), np.eye(4)
    for n in range(s.alignment_steps + 1):
        stage = span(progress, n / (s.alignment_steps + 1), (n + 1) / (s.alignment_steps + 1))
        features = contrast_features(
            scan.even, problem.model.fine, brain, transform=tried @ scan.t1_to_asl, progress=span(stage, 0, 0.7)
        )
        fields = _tissue_fields(problem, features, s)
        weights = problem.fit(fields, problem.precision, span(stage, 0.7, 0.9), "aligning the T1 with the map")
        misfit, conflicting = _misfit(problem, fields, weights, s)
        precision = (problem.precision * (1 - conflicting)).astype(np.float32)
        size = float((precision * misfit**2).sum() / max(float(precision.sum()), 1e-12))
        if size >= best:
            break
        best, tissue, moved = size, fields, tried
        if n < s.alignment_steps:
            modelled = Volume(total(fields.fine[:-1], weights[:-1]), problem.model.fine)
            tried = rigid_step(modelled, misfit, precision, problem.model) @ moved
    return tissue, moved


def _predicts_better(
    problem: Problem, tissue: Fields, conflicting: np.ndarray, s: GuidedSettings, progress: Progress
) -> bool:
    """Whether anatomy predicts withheld voxels better than the same fields blind to it.

    A fifth of the voxels is withheld from both fits, in blocks: neighbours share noise, and would predict one
    another's without knowing anything of perfusion. The T1 of another head fails this.
    """
    judged = (problem.precision > 0) & (conflicting < 0.5)
    withheld = judged & _blocks(judged.shape, s.seed)
    precision = np.where(withheld, 0, problem.precision * (conflicting < 0.5)).astype(np.float32)
    blind = _tissue_fields(problem, np.ones((1, *problem.model.fine.shape), np.float32), s)
    errors = []
    for n, fields in enumerate((tissue, blind)):
        stage = span(progress, n / 2, (n + 1) / 2)
        weights = problem.fit(fields, precision, stage, "testing whether the T1 predicts the map")
        apart = (problem.values - total(fields.coarse, weights))[withheld]
        errors.append(float(np.mean(apart**2)) if apart.size else 0.0)
    known, blindly = (e - float(np.mean(np.square(problem.sd[withheld]))) for e in errors) if withheld.any() else (0, 0)
    return known < _BETTER * blindly if blindly > 0 else known < blindly


def _blocks(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Bool (K, J, I): random blocks, together about `_WITHHELD` of all voxels."""
    chosen = np.random.default_rng(seed).random([-(-n // _BLOCK) for n in shape]) < _WITHHELD
    return np.kron(chosen, np.ones((_BLOCK,) * 3, bool))[tuple(slice(n) for n in shape)]


def _largest_shift(moved: np.ndarray, problem: Problem) -> float:
    """How far (mm) a motion takes any corner of the grid."""
    fine = problem.model.fine
    corners = np.array([[i, j, k, 1] for i in (0, fine.size[0]) for j in (0, fine.size[1]) for k in (0, fine.size[2])])
    places = fine.affine_lps @ corners.T
    return round(float(np.linalg.norm(((moved - np.eye(4)) @ places)[:3], axis=0).max()), 3)


def _fit_along(
    problem: Problem, tissue: Fields, s: GuidedSettings, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """The map (fine grid) along anatomy, and the share of it in conflict with anatomy (0..1, acquired grid).

    Voxels in conflict are left out of the fit: a lesion must not change what its surroundings are taken to be.
    """
    conflicting = np.zeros(problem.low.array.shape, np.float32)
    for n in range(_ROUNDS + 1):
        stage = span(progress, n / (_ROUNDS + 1), (n + 1) / (_ROUNDS + 1))
        weights = problem.fit(tissue, problem.precision * (conflicting < 0.5), stage, "fitting along the T1")
        if n < _ROUNDS:
            _, conflicting = _misfit(problem, tissue, weights, s)
    return total(tissue.fine, weights), conflicting


def _misfit(problem: Problem, tissue: Fields, weights: Weights, s: GuidedSettings) -> tuple[np.ndarray, np.ndarray]:
    """What anatomy leaves unexplained without the remainder, and the share in conflict with it; both (K, J, I)."""
    misfit = problem.values - total(tissue.coarse[:-1], weights[:-1])
    return misfit, conflict(misfit, problem.measured, problem.low.geometry, s.conflict)


def _on_fine(problem: Problem, array: np.ndarray) -> np.ndarray:
    return np.clip(resample(problem.low.with_array(array), problem.model.fine, outside=0.0).array, 0, 1)


def _variance(
    problem: Problem, free: Fields, tissue: Fields | None, share: np.ndarray, s: GuidedSettings, progress: Progress
) -> np.ndarray:
    """The variance (fine grid) of draws from what noise leaves undecided, before the last step.

    `share` (acquired grid) is in conflict with anatomy and therefore drawn from the free fields.
    """
    rng = np.random.default_rng(s.seed)
    variance = np.zeros(problem.model.fine.shape, np.float32)
    weight = _on_fine(problem, share)
    terms = [(free, weight, 1.0), *([] if tissue is None else [(tissue, 1 - weight, share < 0.5)])]
    for n in range(s.draws):
        stage = span(progress, n / s.draws, (n + 1) / s.draws)
        apart = np.zeros_like(variance)
        for fields, weight, trust in terms:
            precision = (problem.precision * trust).astype(np.float32)
            draw = posterior_draw(fields.coarse, precision, rng, progress=stage, text="drawing the uncertainty")
            apart += weight * total(fields.fine, draw)
        variance += apart**2 / s.draws
    return variance


def _pooled(problem: Problem, variance: np.ndarray) -> np.ndarray:
    """The SD of a variance (fine grid), each pooled with its neighbours': few draws know it badly."""
    width = _POOL * float(np.mean(problem.low.geometry.spacing))
    inside, spacing = problem.model.measured.astype(np.float32), problem.model.fine.spacing
    pooled = blur(variance * inside, spacing, width) / np.maximum(blur(inside, spacing, width), 1e-6)
    return np.where(problem.model.measured, np.sqrt(np.maximum(pooled, 0)), np.nan)
