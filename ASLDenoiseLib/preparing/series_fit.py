"""Does a T1 belong to a series? Whether it explains the series better than its own mirror image does, place by place.

A mirrored brain is a brain of the same size, of the same contrast and much the same shape, with other sulci: an
impostor that every T1 brings along. The series of the same head is explained better by the T1 than by its mirror
image nearly everywhere; of another's head both explain about half of it better, whatever scanner, contrast, coverage
and noise, but for what asymmetry people have in common. Figures: Testing/Benchmarks/other_head.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum

import numpy as np

from ..findings import Finding, FindingKind
from ..remedies import Advice, Choose, GiveImage
from ..series import Origin, Parameter, Tissue, Volume
from ..spatial.local_fit import cubes, unexplained
from .registration import RigidRegistration
from .tissue import tissue_on

_EDGE = 20.0  # mm of a cube; gyri are half as wide
_FEWEST = 30  # voxels of a cube
_FEWEST_CUBES = 12
_ALIKE = 0.03  # of grey matter's variance left by the mirror image's: less, and a T1 is its own mirror image
# Standard errors from which on it is green, and below which it is red. One's own T1 has 8.7 and more on real series,
# others' 1 in the mean and 4.9 at the most: people have some asymmetry in common.
SURE, DOUBTFUL = 6.0, 4.0

_REMEDIES = (
    Advice("look at the outline of the series over the T1"),
    GiveImage("t1", "give the T1 of this person"),
    Choose("t1-start", text="where it lies wrong, lay it on the series by hand"),
    GiveImage("masks", "give tissue masks"),
)
_OTHER_HEAD = FindingKind(
    "t1-other-head",
    "The T1 does not fit the series: it is of another head, or lies wrong",
    "{figure}; figures by the grey and white matter of another person are wrong",
    *_REMEDIES,
)
_DOUBT = FindingKind(
    "t1-fit-doubtful",
    "It is in doubt whether the T1 belongs to the series",
    "{figure}",
    *_REMEDIES,
)


class Light(str, Enum):
    """What a check says at a glance."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"


_SAID = {
    Light.GREEN: "The T1 belongs to the series",
    Light.AMBER: _DOUBT.what,
    Light.RED: _OTHER_HEAD.what,
    Light.UNKNOWN: "It cannot be told whether the T1 belongs to the series",
}


@dataclass(frozen=True)
class SeriesFit:
    """How well a T1 belongs to a series.

    Args:
        share: of the compared brain (0..1) that the T1 explains better than its mirror image does; NaN where it cannot
            be told.
        certainty: by how many standard errors over the places it does; 1 on average of another's head, 5 at the most.
        places: cubes of 20 mm that were compared.
    """

    share: float = math.nan
    certainty: float = math.nan
    places: int = 0

    @property
    def light(self) -> Light:
        """Green: the T1 is of this head. Red: it is not, or lies wrong. Unknown: it cannot be told."""
        if not math.isfinite(self.certainty):
            return Light.UNKNOWN
        if self.certainty < DOUBTFUL:
            return Light.RED
        return Light.AMBER if self.certainty < SURE else Light.GREEN

    @property
    def figure(self) -> str:
        """The figure in words, and what it is of another person's T1."""
        if self.light is Light.UNKNOWN:
            return "the T1 is too symmetric, or too little of the brain was measured"
        return (
            f"it explains {self.share:.0%} of the brain in the series better than its own mirror image does, by "
            f"{self.certainty:.1f} standard errors; another person's T1 explains about half of it, by 5 at the most"
        )

    @property
    def sentence(self) -> str:
        """The verdict with its figure."""
        return f"{_SAID[self.light]}. {self.figure[:1].upper()}{self.figure[1:]}."

    def parameters(self) -> tuple[Parameter, ...]:
        """The figures as values of a result; none where there are none."""
        if self.light is Light.UNKNOWN:
            return ()
        note = "of the brain that the T1 explains better than its mirror image does; about 50 of another's T1"
        certain = f"by which it does, over {self.places} places; another's T1 reached 5 at the most, {SURE:g} are sure"
        return (
            Parameter("t1_fit_share", round(100 * self.share, 1), "%", Origin.IMAGE, note),
            Parameter("t1_fit", round(self.certainty, 2), "standard errors", Origin.IMAGE, certain),
        )

    def to_plain(self) -> dict[str, object]:
        """As plain JSON, with what it says; None in place of NaN."""
        numbers = {name: None if value != value else value for name, value in asdict(self).items()}
        return {**numbers, "light": self.light.value, "said": self.sentence}

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> SeriesFit:
        """The one that `to_plain` gave."""
        share, certainty = (math.nan if plain[name] is None else plain[name] for name in ("share", "certainty"))
        return cls(share, certainty, plain["places"])


def fit_findings(fit: SeriesFit) -> list[Finding]:
    """A warning where a T1 does not fit or is in doubt."""
    kind = {Light.RED: _OTHER_HEAD, Light.AMBER: _DOUBT}.get(fit.light)
    return [] if kind is None else [kind.finding(figure=fit.figure)]


def series_fit(
    tissue: Tissue,
    found: RigidRegistration,
    images: Iterable[Volume],
    brain: Volume,
    *,
    on_series: Tissue | None = None,
) -> SeriesFit:
    """Whether a T1 belongs to a series.

    In cubes of 20 mm each image is regressed on the T1's grey matter, white matter and CSF, and on the same of its
    mirror image, which was registered as the T1 was. The logarithm of the ratio of what both leave unexplained, over
    its SD, is averaged over images and cubes; its standard error is that over the cubes.

    Args:
        tissue: of the T1, in its space.
        found: the registration of the T1 to the series, with `settled` and `mirror`.
        images: of the series, on one grid, any unit: what the T1 was aligned with, and the mean difference.
        brain: 0/1, on that grid.
        on_series: `tissue` on that grid as `settled` lays it, where that was worked out already.
    """
    within = brain.array > 0.5
    usable = [each.array for each in images if _varies(each.array, within)]
    if found.mirror is None or not usable:
        return SeriesFit()
    inside = within & np.logical_and.reduce([np.isfinite(array) for array in usable])
    cube = cubes(inside, brain.geometry, _EDGE)
    voxels = np.bincount(cube)
    enough = voxels >= _FEWEST
    own = _features(on_series or tissue_on(brain.geometry, tissue, transform=found.settled), inside)
    mirrored = _features(tissue_on(brain.geometry, tissue, transform=found.mirror), inside)
    if enough.sum() < _FEWEST_CUBES or _symmetric(own, mirrored, cube, enough):
        return SeriesFit()
    gains = np.stack([_gain(array[inside], own, mirrored, cube)[enough] for array in usable])
    share = np.average(gains > 0, axis=1, weights=voxels[enough]).mean()
    scores = (gains / np.maximum(gains.std(axis=1, keepdims=True), 1e-12)).mean(axis=0)
    error = float(scores.std(ddof=1)) / math.sqrt(scores.size)
    return SeriesFit(float(share), float(scores.mean()) / max(error, 1e-12), int(scores.size))


def _gain(
    values: np.ndarray, own: Sequence[np.ndarray], mirrored: Sequence[np.ndarray], cube: np.ndarray
) -> np.ndarray:
    """By cube, the logarithm of what the mirror image leaves unexplained over what the T1 leaves."""
    left, left_mirrored = (unexplained(values.astype(np.float64), each, cube) for each in (own, mirrored))
    tiny = 1e-9 * max(float(left.max(initial=0.0)), 1e-12)
    return np.log(np.maximum(left_mirrored, tiny) / np.maximum(left, tiny))


def _features(moved: Tissue, inside: np.ndarray) -> list[np.ndarray]:
    """Fractions of the T1's tissues on the grid of the series, (n,) each, where it is `inside`."""
    return [np.nan_to_num(each.array[inside]) for each in (moved.gm, moved.wm, moved.csf) if each is not None]


def _varies(array: np.ndarray, inside: np.ndarray) -> bool:
    values = array[inside & np.isfinite(array)]
    return bool(values.size) and float(np.ptp(values)) > 0


def _symmetric(own: Sequence[np.ndarray], mirrored: Sequence[np.ndarray], cube: np.ndarray, enough: np.ndarray) -> bool:
    """Whether the T1 is its own mirror image, as a symmetric template or phantom is."""
    grey = own[0].astype(np.float64)
    left, whole = (float(unexplained(grey, each, cube)[enough].sum()) for each in (mirrored, ()))
    return left <= _ALIKE * whole
