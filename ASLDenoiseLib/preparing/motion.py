"""Rigid head motion of an ASL series: estimated without taking the labelling for motion, corrected by one resampling.

Control and label differ a little in intensity, and registering both to one image turns that into a movement that
alternates with the labelling: the zig-zag (Wang Z 2012, Magn Reson Imaging 30:1409). So every volume is registered to
the median of its own kind. Only the two medians are registered to each other, and what then still alternates in the
parameters is, as Wang has it, no motion and is removed: the median difference of a volume from its two neighbours of
the other kind. Wang fits the label regressor by least squares; for a still head that is the same, but neither drift nor
jumps enter the difference to the neighbours. A restless head alternates by chance, too: the less certain the
alternation is, beside the 0.05 mm that labelling adds to a registration, the less of it is removed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from ..errors import InputError
from ..findings import Finding, FindingKind, note_kind
from ..progress import Progress, silent, span
from ..remedies import Advice
from ..series import ASLSeries, Volume, VolumeType
from ..spatial.agreement import shared_information
from ..spatial.resampling import resample
from ..spatial.rigid import matrix_from, mean_distance, parameters_of
from ..spatial.threads import in_threads
from .brain_mask import brain_mask
from .realignment import FINE, ComparedRegion, Model, align_contrast, align_kind

STILL = 0.1  # mm; a head that never moves this far from its middle pose is left as it was acquired
_KINDS = (VolumeType.CONTROL, VolumeType.LABEL)
_FEWEST_SLICES = 4  # of a cubic spline, and of knowing how a head moves across slices
_FEWEST_NEIGHBOURS = 3
_LABELLING = 0.05  # mm and degrees, about what labelling puts between registered medians of control and label
_M0_STILL = 0.5  # mm; two contrasts are not aligned more exactly than this
_M0_FAR = 20.0  # mm; nobody moves so far between M0 and series and is still in the coil: the search failed
_LARGE = 1.0  # mm between successive volumes that deserves a warning

_KEPT_STILL = note_kind(
    "motion-still",
    f"The head kept still: it never moved {STILL:g} mm, on average over the brain",
    "at most {most:.2f} mm from its median pose",
    Advice("nothing was resampled"),
)
_MOVED_FAR = FindingKind(
    "motion-large",
    f"The head moved by more than {_LARGE:g} mm between successive volumes, {{count}} times",
    "up to {most:.1f} mm on average over the brain",
    Advice("resampling does not undo what motion did during a readout; clean outliers, and look at the raw map"),
)
_DOUBTFUL = FindingKind(
    "motion-doubtful",
    "The motion is in doubt",
    "registration alone could not tell",
    Advice("look at the motion table and at the overlay"),
)
_UNKNOWN = note_kind(
    "motion-unknown",
    "Motion cannot be found in differences or in very few slices",
    "no correction was made",
    Advice("give the control and label volumes where the scanner can export them"),
)


@dataclass(frozen=True, eq=False)
class Motion:
    """The head's pose in every volume, relative to the reference, its median pose.

    Volumes that are neither control nor label have NaN throughout.

    Args:
        matrices: (T, 4, 4), LPS mm: a point of volume t to the same anatomy in the reference.
        centre: LPS mm, the centre of the brain.
        points: (n, 3) LPS mm, places all over the brain that displacements are averaged over.
        pairs: (N, 2) positions of each pair's control and label in the series.
        m0: (4, 4) as `matrices`, of the M0; None without one that shows anything.
        alternation: (6,) mm and degrees, label minus control: the zig-zag that was removed; NaN where too few volumes
            alternate to see one.
        corrupted: bool (T, K), slices that were not compared because they differ too much from the median.
        warning: empty, or a sentence saying what could not be done.
    """

    matrices: np.ndarray
    centre: np.ndarray
    points: np.ndarray
    pairs: np.ndarray
    m0: np.ndarray | None
    alternation: np.ndarray
    corrupted: np.ndarray
    warning: str = ""

    @property
    def parameters(self) -> np.ndarray:
        """The head's pose (T, 6): shift of the brain's centre, mm along LPS x, y, z, then rotation vector, degrees.

        This is how the head lies in the volume, the inverse of `matrices`: +x is a head that moved to its own left.
        """
        return np.stack([parameters_of(np.linalg.inv(m), self.centre) for m in self.matrices])

    @property
    def displacement(self) -> np.ndarray:
        """Mean displacement over the brain from the reference (T,), mm."""
        return np.array([mean_distance(m, np.eye(4), self.points) for m in self.matrices])

    @property
    def framewise(self) -> np.ndarray:
        """Framewise displacement (T,), mm: mean over the brain from the control or label before; NaN for the first.

        The sum of six parameters with rotations on a 50 mm sphere (Power 2012) is about twice as large.
        """
        distances = np.full(len(self.matrices), np.nan)
        known = np.flatnonzero(np.isfinite(self.matrices).all(axis=(1, 2)))
        for before, now in pairwise(known):
            distances[now] = mean_distance(self.matrices[now], self.matrices[before], self.points)
        return distances

    @property
    def pair_motion(self) -> np.ndarray:
        """Mean displacement over the brain (N,), mm, between the control and the label of each pair."""
        return np.array([mean_distance(self.matrices[c], self.matrices[label], self.points) for c, label in self.pairs])

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """A table: (T,) values, mm and degrees, under the names of BIDS derivatives; a pair's motion at both."""
        of_pair = np.full(len(self.matrices), np.nan)
        for member in (0, 1):
            of_pair[self.pairs[:, member]] = self.pair_motion
        names = [f"{what}_{axis}" for what in ("trans", "rot") for axis in "xyz"]
        return {
            **dict(zip(names, self.parameters.T, strict=True)),
            "framewise_displacement": self.framewise,
            "displacement": self.displacement,
            "pair_motion": of_pair,
        }

    @property
    def still(self) -> bool:
        """Whether the head stayed within 0.1 mm of its median pose, so that there is nothing to correct."""
        return bool(np.nanmax(self.displacement) < STILL)

    @property
    def m0_moved(self) -> float:
        """Mean displacement (mm) over the brain of the M0 from the reference; 0 without one."""
        return 0.0 if self.m0 is None else mean_distance(self.m0, np.eye(4), self.points)


def why_no_motion(series: ASLSeries) -> str:
    """Return why the motion of a series cannot be estimated, one sentence; empty where it can."""
    if any(not series.indices(kind) for kind in _KINDS):
        return "The series holds differences, not control and label volumes, so head motion cannot be estimated."
    if series.geometry.size[2] < _FEWEST_SLICES:
        return f"The series has fewer than {_FEWEST_SLICES} slices, too few to estimate head motion across them."
    return ""


def estimate_motion(
    series: ASLSeries,
    *,
    brain: Volume | None = None,
    m0_start: np.ndarray | None = None,
    progress: Progress = silent,
) -> Motion | None:
    """Estimate the rigid motion of every control and label and of the M0; None where `why_no_motion` says why not.

    Each volume is registered to the median of its kind within the brain (`realignment.align_kind`), the M0 to the
    control median by mutual information. Where control and label alternate too seldom for a zig-zag to be seen, a
    warning says so. `brain` is 0/1 on the grid of the series; None finds it in the M0, else in the mean control.
    `m0_start` is a 4x4 matrix, LPS mm, from the M0 to about its place in the series; None starts where it lies.

    Raises:
        InputError: a control or label volume is empty or constant, or no brain is found.
    """
    if why_no_motion(series):
        return None
    _require_contrast(series)
    if brain is None:
        brain = brain_mask(series.mean(VolumeType.CONTROL) if series.m0 is None else series.m0)
    compared = ComparedRegion.of(brain)
    own, models = np.full((len(series.context), 4, 4), np.nan), {}
    corrupted = np.zeros(series.array.shape[:2], bool)

    def align_kind_of(n: int, kind: VolumeType) -> None:
        where, part = series.indices(kind), span(progress, 0.45 * n, 0.45 * (n + 1))
        say = partial(part, text=f"finding the motion of {kind.value} volumes")
        models[kind], own[where], corrupted[where] = align_kind(series.array[where], compared, say)

    shows = series.m0 is not None and bool(np.ptp(np.nan_to_num(series.m0.array)) > 0)
    align_kind_of(0, VolumeType.CONTROL)
    with ThreadPoolExecutor(1) as beside:  # the M0's search takes one thread, and the controls alone
        m0_found = (
            beside.submit(_align_m0, series.m0, models[VolumeType.CONTROL], compared, m0_start) if shows else None
        )
        align_kind_of(1, VolumeType.LABEL)
        progress(0.9, "joining control and label, aligning the M0")
        to_joint, alternation, warning = _joint(series, own, models, compared)
    matrices = own.copy()
    for kind in _KINDS:
        matrices[series.indices(kind)] = to_joint[kind] @ own[series.indices(kind)]
    to_middle = _middle_pose(matrices, compared.centre)
    matrices, m0 = to_middle @ matrices, None
    if m0_found is not None:
        found = m0_found.result()
        m0 = np.eye(4) if found is None else to_middle @ to_joint[VolumeType.CONTROL] @ found
        if found is None:
            warning = warning or "The M0 could not be aligned with the series and is used as it is."
    progress(1.0, "motion found")
    pairs = np.array(list(zip(*(series.indices(kind) for kind in _KINDS), strict=False)))
    return Motion(matrices, compared.centre, compared.points, pairs, m0, alternation, corrupted, warning)


def correct_motion(series: ASLSeries, motion: Motion) -> ASLSeries:
    """Resample every control, label and the M0 once, by a cubic B-spline, to the reference; NaN outside the old field.

    All volumes or none: interpolation smooths a little, and a smoothed control less a label that is not would leave
    edges in the difference. So the series of a head that kept still (`Motion.still`) stays as it is, and its M0 too
    unless that lies 0.5 mm away.
    """
    m0 = series.m0
    if m0 is not None and motion.m0 is not None and motion.m0_moved > _M0_STILL:
        m0 = resample(m0, series.geometry, transform=motion.m0, interpolation="bspline")
    if motion.still:
        return series if m0 is series.m0 else replace(series, m0=m0)

    def corrected(t: int) -> np.ndarray:
        if not np.isfinite(motion.matrices[t]).all():
            return series.array[t]
        moved = resample(series.volume(t), series.geometry, transform=motion.matrices[t], interpolation="bspline")
        return moved.array

    return replace(series, array=np.stack(in_threads(corrected, range(len(series.context)))), m0=m0)


def motion_findings(series: ASLSeries, motion: Motion | None) -> tuple[Finding, ...]:
    """The findings about motion: that it is unknown, that nothing was resampled, that it was large."""
    if motion is None:
        return (_UNKNOWN.finding(what=why_no_motion(series)),)
    found = []
    if motion.still:
        found.append(_KEPT_STILL.finding(most=np.nanmax(motion.displacement)))
    most = np.nanmax(motion.framewise, initial=0.0)
    if most > _LARGE:
        found.append(_MOVED_FAR.finding(most=most, count=int(np.nansum(motion.framewise > _LARGE))))
    if motion.warning:
        found.append(_DOUBTFUL.finding(what=motion.warning.rstrip(".")))
    return tuple(found)


def _require_contrast(series: ASLSeries) -> None:
    for kind in _KINDS:
        for t in series.indices(kind):
            if not np.ptp(np.nan_to_num(series.array[t])) > 0:
                raise InputError(f"Volume {t + 1} ({kind.value}) is empty; call it n/a in the aslcontext.")


def _align_m0(m0: Volume, control: np.ndarray, compared: ComparedRegion, start: np.ndarray | None) -> np.ndarray | None:
    """The matrix from the M0 to the control median; None where none is found, or one farther than anybody moves.

    The identity where the M0 agrees no better with the controls there than where it lies.
    """
    try:
        found = align_contrast(m0.array, control, compared, start=start)
    except InputError:
        return None
    if mean_distance(found, np.eye(4), compared.points) > _M0_FAR:
        return None
    smooth = Volume(compared.smoothed(m0.array, FINE[0]), compared.geometry)
    there, model = resample(smooth, compared.geometry, transform=found), compared.smoothed(control, FINE[0])
    before, after = (shared_information(each.array, model, compared.inside) for each in (smooth, there))
    return found if after > before else np.eye(4)


def _joint(
    series: ASLSeries, own: np.ndarray, models: dict, compared: ComparedRegion
) -> tuple[dict[VolumeType, np.ndarray], np.ndarray, str]:
    """Matrices that align the medians of control and label, the alternation, and a warning.

    The alternation is the median over volumes of label minus the mean of the controls before and after it (or the mean
    of two labels minus the control between them), each parameter by itself, weighted by how certain it is.
    """
    to_control = Model.of(models[VolumeType.CONTROL], compared, FINE).register(models[VolumeType.LABEL])
    joint = {VolumeType.CONTROL: np.eye(4), VolumeType.LABEL: to_control}
    order = [t for t, kind in enumerate(series.context) if kind in _KINDS]
    pose = np.stack([parameters_of(np.linalg.inv(joint[series.context[t]] @ own[t]), compared.centre) for t in order])
    sign = np.array([1.0 if series.context[t] is VolumeType.LABEL else -1.0 for t in order])
    between = np.flatnonzero((sign[1:-1] != sign[:-2]) & (sign[1:-1] != sign[2:])) + 1
    if len(between) < _FEWEST_NEIGHBOURS:
        warning = (
            "Control and label alternate too seldom to tell the labelling from motion; "
            "motion between the two kinds may be a few tenths of a millimetre off."
        )
        return joint, np.full(6, np.nan), warning
    differences = sign[between, None] * (pose[between] - (pose[between - 1] + pose[between + 1]) / 2)
    alternation = np.median(differences, axis=0)
    spread = 1.4826 * np.median(np.abs(differences - alternation), axis=0)
    error = 2 * spread / np.sqrt(len(between))  # each volume enters three differences, which doubles the usual error
    alternation *= _LABELLING**2 / (_LABELLING**2 + error**2)
    half = matrix_from(alternation / 2, compared.centre)
    return {VolumeType.CONTROL: np.linalg.inv(half), VolumeType.LABEL: half @ to_control}, alternation, ""


def _middle_pose(matrices: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The matrix from the reference of `matrices` to their median pose."""
    poses = np.stack([parameters_of(np.linalg.inv(m), centre) for m in matrices if np.isfinite(m).all()])
    return matrix_from(np.median(poses, axis=0), centre)
