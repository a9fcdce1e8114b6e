"""Lesions of three kinds, as objects that can be asked for at any place: perfusion alone, structure alone, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .places import Place
from .shapes import Shape
from .smooth import Waves, draw_waves, uniform
from .stroke_masks import StrokeMask, draw_stroke

# Middles of the arterial territories in units of the brain's half extents (superior, posterior, left): anterior, middle
# and posterior cerebral arteries and the cerebellum, each side.
TERRITORIES = tuple((k, j, side * i) for side in (-1, 1) for k, j, i in
                    ((0.45, -0.55, 0.15), (0.05, -0.1, 0.75), (0.05, 0.75, 0.3), (-0.75, 0.6, 0.35)))  # fmt: skip
LEFT_CAROTID = (4, 5)  # whose of them are the left carotid's: anterior and middle


@dataclass(frozen=True, eq=False)
class Blob(Place):
    """An ellipsoid with an uneven border: centre (3,) and radii (3,) in mm."""

    centre: torch.Tensor
    radii: torch.Tensor
    unevenness: Waves

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        away = points - self.centre
        return (away / self.radii).norm(dim=-1) * (1 + self.unevenness(away)[..., 0]).clamp_min(0.7) < 1

    @property
    def reach(self) -> float:
        return float(self.radii.max()) / 0.7


@dataclass(frozen=True, eq=False)
class Territory(Place):
    """Everything nearest to one of the `seeds` (T, 3), in the brain's relative coordinates."""

    shape: Shape
    seeds: torch.Tensor
    number: int

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        # Nearest in |x - s|^2 is largest in x.s - |s|^2 / 2: one product instead of all the distances.
        closeness = self.shape.relative(points) @ self.seeds.T - self.seeds.square().sum(-1) / 2
        return closeness.argmax(-1) == self.number

    @property
    def centre(self) -> torch.Tensor:
        return torch.zeros(3, device=self.seeds.device)

    @property
    def reach(self) -> float:
        return float("inf")


@dataclass(frozen=True, eq=False)
class Lesion:
    """One lesion. A value that is None leaves what it concerns alone.

    Args:
        place: where.
        perfusion: factor on the perfusion.
        t1w, m0: signal that tissue takes: a `SignalChange`.
    """

    place: Place
    perfusion: float | None = None
    t1w: SignalChange | None = None
    m0: SignalChange | None = None


@dataclass(frozen=True)
class SignalChange:
    """What becomes of a tissue's signal: a share `mix` of it is replaced by that of `towards` (a `TissueClass`)."""

    towards: int
    mix: float


@dataclass(frozen=True)
class LesionSettings:
    """What lesions are drawn from.

    Args:
        chance: that a phantom has any.
        most: how many at most, one at least.
        diameter: mm, drawn log-uniformly.
        hypo, hyper: factors on perfusion; each is as likely.
        kinds: relative frequency of perfusion alone, perfusion and structure, structure alone.
        territory: chance that a lesion is an arterial territory.
        strokes: chance that it is shaped as a real stroke, where masks are given.
    """

    chance: float = 0.5
    most: int = 4
    diameter: tuple[float, float] = (4.0, 40.0)
    hypo: tuple[float, float] = (0.0, 0.7)
    hyper: tuple[float, float] = (1.3, 4.0)
    kinds: tuple[float, float, float] = (1.0, 1.0, 1.0)
    territory: float = 0.06
    strokes: float = 0.35


def draw_lesions(
    settings: LesionSettings,
    candidates: torch.Tensor,
    shape: Shape,
    seeds: torch.Tensor,
    classes: tuple[int, ...],
    generator: torch.Generator,
    *,
    masks: Sequence[StrokeMask] = (),
) -> tuple[Lesion, ...]:
    """The lesions of one phantom.

    Args:
        settings: what to draw from.
        candidates: (N, 3) mm, places in tissue where a lesion may be centred.
        shape: what the phantom is made of.
        seeds: (T, 3) of the arterial territories.
        classes: tissue classes whose signal a structural change may take.
        generator: where the draws come from (CPU).
        masks: real strokes; without any there are none in the phantom, and the other lesions are drawn as ever.
    """
    if not len(candidates) or settings.most < 1 or uniform(generator, 0, 1) >= settings.chance:
        return ()
    shares = np.cumsum(settings.kinds) / np.sum(settings.kinds)
    lesions = []
    for _ in range(int(uniform(generator, 1, settings.most + 0.999))):
        kind = int(np.searchsorted(shares, uniform(generator, 0, 0.999999), side="right"))
        place = None
        if masks and uniform(generator, 0, 1) < settings.strokes:
            place = draw_stroke(masks, shape, candidates, generator)
        place = place or _draw_place(settings, candidates, shape, seeds, generator)
        lesions.append(_draw_changes(settings, kind, place, classes, generator))
    return tuple(lesions)


def _draw_place(settings, candidates, shape, seeds, generator) -> Place:
    if uniform(generator, 0, 1) < settings.territory:
        return Territory(shape, seeds, int(uniform(generator, 0, len(seeds) - 0.001)))
    centre = candidates[int(uniform(generator, 0, len(candidates) - 0.001))]
    low, high = np.log(settings.diameter[0]), np.log(settings.diameter[1])
    radius = 0.5 * float(np.exp(uniform(generator, low, high)))
    stretch = np.array([uniform(generator, 0.75, 1.3) for _ in range(3)])
    radii = torch.tensor(radius * stretch / np.cbrt(stretch.prod())).to(candidates)
    waves = draw_waves(1, (radius, 4 * radius), generator, device=str(candidates.device), count=6, sd=0.15)
    return Blob(centre, radii, waves)


def _draw_changes(settings, kind: int, place, classes, generator) -> Lesion:
    """What a lesion does; `kind` as in `LesionSettings.kinds`."""
    change = settings.hypo if uniform(generator, 0, 1) < 0.5 else settings.hyper
    factor = uniform(generator, *change)
    shown = int(uniform(generator, 0, 2.999))  # on the T1, on the M0, on both
    changes = [
        SignalChange(classes[int(uniform(generator, 0, len(classes) - 0.001))], uniform(generator, 0.3, 1.0))
        for _ in range(2)
    ]
    t1w, m0 = (changes[n] if kind > 0 and shown in (n, 2) else None for n in range(2))
    return Lesion(place, factor if kind < 2 else None, t1w, m0)


def regions(lesions: tuple[Lesion, ...], points: torch.Tensor) -> torch.Tensor:
    """The lesion (uint8, 1 up, 0 none) at each of points (..., 3); where two overlap, the later."""
    number = torch.zeros(points.shape[:-1], dtype=torch.uint8, device=points.device)
    for n, lesion in enumerate(lesions, start=1):
        near = (points - lesion.place.centre).norm(dim=-1) < lesion.place.reach
        if bool(near.any()):
            number[near] = torch.where(lesion.place(points[near]), torch.full_like(number[near], n), number[near])
    return number


def cell_regions(lesions: tuple[Lesion, ...], centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """The same (uint8, N, S) at `offsets` (S, 3) around each of `centres` (N, 3)."""
    number = torch.zeros((len(centres), len(offsets)), dtype=torch.uint8, device=centres.device)
    widest = float(offsets.norm(dim=-1).max())
    for n, lesion in enumerate(lesions, start=1):
        near = ((centres - lesion.place.centre).norm(dim=-1) < lesion.place.reach + widest).nonzero()[:, 0]
        if len(near):
            inside = lesion.place.cells(centres[near], offsets)
            number[near] = torch.where(inside, torch.full_like(number[near], n), number[near])
    return number
