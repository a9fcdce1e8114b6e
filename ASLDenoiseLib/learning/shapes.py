"""What tissue lies at a place: an individual brain, deformed and aged, or an abstract arrangement of tissues."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from .anatomy import Anatomy, TissueClass, class_table, near_brain
from .deformation import Deformation, draw_rotation
from .mni import FROM_RELATIVE, mni_affine
from .smooth import Waves, draw_waves, uniform

_packed: weakref.WeakKeyDictionary[Anatomy, dict[str, torch.Tensor]] = weakref.WeakKeyDictionary()


class Shape(Protocol):
    """Tissue at any place of a phantom; points are mm from the centre of the acquired grid, ordered (k, j, i)."""

    def classes(self, points: torch.Tensor) -> torch.Tensor:
        """`TissueClass` (uint8, ...) at points (..., 3)."""

    def near(self, points: torch.Tensor) -> torch.Tensor:
        """Whether points (..., 3) lie in the brain or within about a voxel of it (bool)."""

    def cells(self, centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """`TissueClass` (uint8, N, S) at `offsets` (S, 3) around each of `centres` (N, 3)."""

    def relative(self, points: torch.Tensor) -> torch.Tensor:
        """Points (..., 3) in units of the brain's half extents: superior, posterior and left are positive."""

    def mni(self, points: torch.Tensor) -> torch.Tensor:
        """Where points (..., 3) lie in MNI space, mm, ordered (right, anterior, superior)."""

    def mni_cells(self, centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """The same (N, S, 3) at `offsets` (S, 3) around each of `centres` (N, 3)."""


@dataclass(frozen=True, eq=False)
class Brain:
    """A deformed anatomy whose ventricles and cortex have changed."""

    packed: torch.Tensor  # int16 (K + 2, J + 2, I + 2)
    table: torch.Tensor  # uint8 class of each packed value
    half: torch.Tensor  # half extents of the brain, mm
    deformation: Deformation
    anatomy: Anatomy

    def classes(self, points: torch.Tensor) -> torch.Tensor:
        return self.table[self._packed_at(self.deformation(points).movedim(-1, 0)).int()]

    def near(self, points: torch.Tensor) -> torch.Tensor:
        return near_brain(self._packed_at(self.deformation(points).movedim(-1, 0)))

    def cells(self, centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        return self.table[self._packed_at(self.deformation.cells(centres, offsets).movedim(1, 0)).int()]

    def relative(self, points: torch.Tensor) -> torch.Tensor:
        return self.deformation.affine(points) / self.half

    def mni(self, points: torch.Tensor) -> torch.Tensor:
        return _affine(mni_affine(self.anatomy), self.deformation(points))

    def mni_cells(self, centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        return _affine(mni_affine(self.anatomy), self.deformation.cells(centres, offsets).mT)

    def _packed_at(self, places: torch.Tensor) -> torch.Tensor:
        """Packed values (...) at places (3, ...), mm from the centre of the anatomy; background beyond it."""
        index: torch.Tensor | int = 0
        for place, n in zip(places, self.packed.shape, strict=True):
            voxel = (place + ((n - 1) / 2 + 0.5)).clamp_(0, n - 1).int()
            index = index * n + voxel
        return self.packed.flatten()[index]


def draw_brain(
    anatomy: Anatomy, deformation: Deformation, generator: torch.Generator, *, ventricles: tuple, atrophy: tuple
) -> Brain:
    """A brain with ventricles widened (mm, negative narrows) and cortex thinned (mm) by draws from two ranges."""
    widened, thinned = uniform(generator, *ventricles), uniform(generator, *atrophy)
    device = deformation.matrix.device
    stored = _packed.setdefault(anatomy, {})
    if str(device) not in stored:
        stored[str(device)] = torch.from_numpy(anatomy.packed).to(device)
    table = torch.from_numpy(class_table(widened=widened, thinned=thinned)).to(device)
    half = torch.tensor(half_extent(anatomy)).to(deformation.matrix)
    return Brain(stored[str(device)], table, half, deformation, anatomy)


def _affine(matrix: np.ndarray, places: torch.Tensor) -> torch.Tensor:
    """Places (..., 3) through a matrix (3, 4)."""
    turned = torch.from_numpy(matrix).to(places)
    return places @ turned[:, :3].T + turned[:, 3]


def half_extent(anatomy: Anatomy) -> np.ndarray:
    """Half extents (k, j, i) of the brain in mm, from a crop that leaves 20 mm around it."""
    return np.maximum(np.array(anatomy.classes.shape) / 2 - 20.0, 10.0)


@dataclass(frozen=True, eq=False)
class Abstract:
    """No brain at all: curved sheets and ellipsoids of the tissues of a brain within a lumpy envelope.

    Args:
        turn: (3, 3) rows of the axes of the envelope.
        half: its half extents, mm.
        offset: what its centre is shifted by, mm.
        lumps: relative unevenness of the envelope (1 field).
        bands: the two fields whose levels are sheets and islands.
        sheet, island, pool: levels of the fields where grey matter, deep grey matter and CSF lie.
        rim: share of the radius that is CSF.
        balls: (B, 3) centres, (B, 3) radii and (B,) classes of ellipsoids painted over.
    """

    turn: torch.Tensor
    half: torch.Tensor
    offset: torch.Tensor
    lumps: Waves
    bands: Waves
    sheet: float
    island: float
    pool: float
    rim: float
    balls: tuple[torch.Tensor, torch.Tensor, tuple[int, ...]]

    def classes(self, points: torch.Tensor) -> torch.Tensor:
        moved = points + self.offset
        radius = self._radius(points)
        first, second = self.bands(moved).unbind(-1)
        tissue = torch.full(radius.shape, int(TissueClass.WM), dtype=torch.uint8, device=points.device)
        tissue[first.abs() < self.sheet] = int(TissueClass.CORTEX)
        tissue[second < -self.island] = int(TissueClass.DEEP_GM)
        tissue[second > self.pool] = int(TissueClass.CSF)
        for centre, radii, kind in zip(*self.balls, strict=True):
            tissue[(((moved - centre) / radii) ** 2).sum(-1) < 1] = kind
        tissue[radius > 1 - self.rim] = int(TissueClass.CSF)
        tissue[radius > 1] = int(TissueClass.BACKGROUND)
        return tissue

    def near(self, points: torch.Tensor) -> torch.Tensor:
        return self._radius(points) < 1.15

    def cells(self, centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        return self.classes(centres[:, None] + offsets)

    def relative(self, points: torch.Tensor) -> torch.Tensor:
        return (points + self.offset) @ self.turn.T / self.half

    def mni(self, points: torch.Tensor) -> torch.Tensor:
        return _affine(FROM_RELATIVE, self.relative(points))

    def mni_cells(self, centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        return self.mni(centres[:, None] + offsets)

    def _radius(self, points: torch.Tensor) -> torch.Tensor:
        return self.relative(points).norm(dim=-1) * (1 + self.lumps(points)[..., 0])


def draw_abstract(box_half: np.ndarray, generator: torch.Generator, *, device: str = "cpu") -> Abstract:
    """Draw one that fills a good part of a box of half extents (k, j, i) mm."""
    tensor = {"dtype": torch.float32, "device": device}
    half = np.array([uniform(generator, 45, 75), uniform(generator, 50, 95), uniform(generator, 50, 80)])
    slack = np.maximum(0.8 * half - box_half, 4.0)
    offset = [uniform(generator, -s, s) for s in slack]
    lumps = draw_waves(1, (60.0, 150.0), generator, device=device, count=8)
    amount = uniform(generator, 0.02, 0.12)
    finest = uniform(generator, 22.0, 40.0)
    bands = draw_waves(2, (finest, 3 * finest), generator, device=device, count=10)
    kinds = (TissueClass.CORTEX, TissueClass.DEEP_GM, TissueClass.WM, TissueClass.CSF)
    count = int(uniform(generator, 0, 9))
    centres = torch.tensor([[uniform(generator, -0.8, 0.8) * h for h in half] for _ in range(count)], **tensor)
    radii = torch.tensor([[uniform(generator, 4, 30) for _ in range(3)] for _ in range(count)], **tensor)
    picked = tuple(int(kinds[int(uniform(generator, 0, 3.999))]) for _ in range(count))
    return Abstract(
        torch.tensor(draw_rotation(40.0, generator), **tensor),
        torch.tensor(half, **tensor),
        torch.tensor(offset, **tensor),
        Waves(lumps.vectors, amount * lumps.cosine, amount * lumps.sine),
        bands,
        uniform(generator, 0.2, 0.7),
        uniform(generator, 0.8, 2.5),
        uniform(generator, 0.9, 2.5),
        uniform(generator, 0.0, 0.12),
        (centres, radii, picked),
    )
