"""Nuisance regression: head motion, CSF and the global signal regressed out of controls and labels.

After Wang Z 2012, Magn Reson Imaging 30:1409: every voxel's time course is fitted by nuisance courses orthogonal to
the label regressor, and the fit is subtracted. Perfusion alternates with the labelling, and so in part do the signals
of the whole brain and of CSF; what is orthogonal to the labelling removes no perfusion. So the mean difference of a
series with as many controls as labels stays exactly the same; the spread of the pairs about it falls, and with it the
error of a few pairs, the standard error, and the number of outliers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..series import ASLSeries, Tissue, Volume, VolumeType
from .motion import Motion

CHOICES = ("motion", "csf", "global")
DEFAULT = ("motion",)
_CSF = 0.9  # of a voxel that counts as CSF: less holds blood that is labelled
_FEWEST_CSF = 10  # voxels
_KINDS = (VolumeType.CONTROL, VolumeType.LABEL)
_MOST_REMOVED = 0.25  # of the degrees of freedom within the kinds; beyond, noise is fitted rather than nuisance


@dataclass(frozen=True, eq=False)
class NuisanceRegression:
    """A series after nuisance regression.

    Args:
        series: controls and labels without what the courses explain; all else unchanged.
        courses: (T,) each, by name; empty where nothing was regressed.
        explained: fraction (0..1) of the variance within the kinds, pooled over the measured voxels, that was removed.
        chance: the fraction that as many random courses would remove, courses / (volumes - 2) (with D delays 2 D). Pure
            noise loses it too, so a standard error from the spread of the pairs is too small by sqrt(1 - chance).
        reason: empty, or a sentence that says why nothing was regressed.
    """

    series: ASLSeries
    courses: Mapping[str, np.ndarray]
    explained: float
    chance: float
    reason: str = ""


def nuisance_courses(
    series: ASLSeries,
    *choices: str,
    motion: Motion | None = None,
    tissue: Tissue | None = None,
    brain: Volume | None = None,
) -> dict[str, np.ndarray]:
    """The chosen nuisance courses (T,) of a series, by name.

    Args:
        series: controls and labels, corrected for motion.
        choices: of `CHOICES`: ``motion`` gives the six parameters, ``csf`` the mean of the voxels that are at least 0.9
            CSF, ``global`` the mean of the brain.
        motion: needed for ``motion``.
        tissue: with CSF, on the grid of the series; needed for ``csf``.
        brain: 0/1 on the grid of the series; needed for ``global``.

    Raises:
        InputError: an unknown choice, or what a choice needs is not there.
    """
    courses: dict[str, np.ndarray] = {}
    for choice in choices:
        if choice == "motion":
            courses |= _motion_courses(motion)
        elif choice == "csf":
            courses["csf"] = _mean_course(series, _csf(tissue))
        elif choice == "global":
            if brain is None:
                raise InputError("The global signal needs a brain mask; give one, or leave it out.")
            courses["global"] = _mean_course(series, brain.array > 0.5)
        else:
            raise InputError(f"There is no nuisance '{choice}'; choose of {', '.join(CHOICES)}.")
    return courses


def regress_nuisance(
    series: ASLSeries, courses: Mapping[str, np.ndarray], *, left_out: np.ndarray | None = None
) -> NuisanceRegression:
    """Subtract from controls and labels what nuisance courses explain beyond the labelling.

    Least squares in each voxel on the parts of the courses that are orthogonal to the mean and to the label regressor
    (+1 control, -1 label), at each delay of its own where there are several. Voxels with a NaN in any control or label
    stay as they are. Where the courses would take up more than a quarter of the degrees of freedom, noise would be
    fitted rather than nuisance: the series stays as it is, and the reason says so. Six motion parameters need 13 pairs.

    Args:
        series: with controls and labels.
        courses: (T,) each; finite at every control and label. Linearly dependent and constant ones do no harm.
        left_out: bool (T, K), corrupted slices of volumes, which are not fitted. As the mean of each kind stays the
            same, a spike that a course follows (the pose of a corrupted volume is itself an outlier) would be spread
            over the other volumes, where no outlier method finds it again. So look for outliers first.

    Raises:
        InputError: a course has another length than the series, or is not known at a control or label.
    """
    order = [t for t, kind in enumerate(series.context) if kind in _KINDS]
    if not courses or not all(series.indices(kind) for kind in _KINDS):
        return NuisanceRegression(series, {}, 0.0, 0.0, "There is nothing to regress out of controls and labels.")
    table = np.stack([_at(course, name, order, len(series.context)) for name, course in courses.items()], axis=1)
    kinds = {key: n for n, key in enumerate(dict.fromkeys(_kind_of(series, t) for t in order))}
    kind = np.array([kinds[_kind_of(series, t)] for t in order])
    rank = _rank(table, kind)
    chance = rank / max(1, len(order) - len(kinds))
    if chance > _MOST_REMOVED:
        reason = f"{len(order)} volumes are too few to regress {rank} nuisance courses out of them."
        return NuisanceRegression(series, {}, 0.0, 0.0, reason)
    kept = np.ones((len(order), series.geometry.size[2]), bool) if left_out is None else ~left_out[order]
    array, removed, total = series.array.copy(), 0.0, 0.0
    for k in range(series.geometry.size[2]):
        values = series.array[order, k].reshape(len(order), -1)
        measured = np.isfinite(values).all(axis=0)
        known = values[:, measured].astype(np.float64)
        fit = _explained(known, table, kind, kept[:, k])
        cleaned = values.copy()
        cleaned[:, measured] = known - fit
        array[order, k] = cleaned.reshape(len(order), *series.geometry.shape[1:])
        removed += float(np.sum(fit[kept[:, k]] ** 2))
        total += float(np.sum((known - _by_kind(known, kind, kept[:, k]))[kept[:, k]] ** 2))
    explained = removed / total if total > 0 else 0.0
    return NuisanceRegression(replace(series, array=array), dict(courses), explained, chance)


def _kind_of(series: ASLSeries, volume: int) -> tuple[object, ...]:
    """What volumes of one mean share: control or label, delay and label duration."""
    return (series.context[volume], *series.timing(volume))


def _explained(values: np.ndarray, table: np.ndarray, kind: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """What the courses (T, n) explain of values (T, V) beyond the mean of each kind (T,), fitted to volumes kept (T,).

    Zero where a kind has no volume left, or there are too few.
    """
    kinds = np.unique(kind)
    few = len(kinds) + table.shape[1] > kept.sum()
    if few or not all((kept & (kind == one)).any() for one in kinds):
        return np.zeros_like(values)
    rest = table - _by_kind(table, kind, kept)
    return rest @ np.linalg.lstsq(rest[kept], values[kept], rcond=1e-6)[0]


def _rank(table: np.ndarray, kind: np.ndarray) -> int:
    """The rank of courses (T, n) after the mean of each kind (T,) is subtracted."""
    rest = table - _by_kind(table, kind, np.ones(len(table), bool))
    size = np.linalg.norm(rest, axis=0)
    rest = rest[:, size > 1e-9 * np.maximum(np.linalg.norm(table, axis=0), 1e-30)]
    return int(np.linalg.matrix_rank(rest / np.linalg.norm(rest, axis=0), tol=1e-6)) if rest.size else 0


def _by_kind(values: np.ndarray, kind: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The fit of values (T, n) by the mean of each kind (T,) over the volumes kept (T,)."""
    fitted = np.empty_like(values, dtype=np.float64)
    for one in np.unique(kind):
        fitted[kind == one] = values[kept & (kind == one)].mean(axis=0)
    return fitted


def _at(course: np.ndarray, name: str, order: list[int], length: int) -> np.ndarray:
    course = np.asarray(course, np.float64)
    if course.shape != (length,):
        raise InputError(f"The nuisance course '{name}' has shape {course.shape}; the series has {length} volumes.")
    if not np.isfinite(course[order]).all():
        raise InputError(f"The nuisance course '{name}' is not known at every control and label; leave it out.")
    return course[order]


def _motion_courses(motion: Motion | None) -> dict[str, np.ndarray]:
    if motion is None:
        raise InputError("Residual motion cannot be regressed out without motion parameters; leave 'motion' out.")
    return {name: course for name, course in motion.columns.items() if name.startswith(("trans_", "rot_"))}


def _csf(tissue: Tissue | None) -> np.ndarray:
    if tissue is None or tissue.csf is None:
        raise InputError("The mean of CSF needs a CSF map; give a T1, or leave 'csf' out.")
    inside = tissue.csf.array >= _CSF
    if inside.sum() < _FEWEST_CSF:
        raise InputError(f"Only {int(inside.sum())} voxels are CSF, too few for its mean; leave 'csf' out.")
    return inside


def _mean_course(series: ASLSeries, inside: np.ndarray) -> np.ndarray:
    """The mean course (T,) over the voxels of a mask that are measured in every volume."""
    values = series.array[:, inside]
    return values[:, np.isfinite(values).all(axis=0)].astype(np.float64).mean(axis=1)
