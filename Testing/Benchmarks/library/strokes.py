"""Real stroke shapes in simulated scans: perfusion alone, structure alone, or both changed in a held-out mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.learning.anatomy import TissueClass
from ASLDenoiseLib.learning.lesions import Lesion, SignalChange, cell_regions
from ASLDenoiseLib.learning.phantom import Phantom
from ASLDenoiseLib.learning.smooth import centred_points
from ASLDenoiseLib.learning.stroke_masks import Stroke, StrokeMask, place_stroke, read_held_out_masks
from ASLDenoiseLib.series import Volume

from .cases import Case, SimulatedHead, guides_in_place

LARGE, SMALL = 5.0, 1.0  # ml: what must be kept, and what is looked at
FEWEST = 10  # voxels that tell
_FINE = 4  # places looked up along each edge of a voxel
_PURE = 0.7  # a voxel is of the tissue that fills more of it than this


@dataclass(frozen=True)
class Structure:
    """What a stroke does to the T1 and the M0: all its tissue takes the T1 of another, the M0 is multiplied."""

    name: str
    t1: TissueClass
    m0: float


# Oedema darkens white matter on a T1 until it is as grey matter, and brightens a proton density by some 10 %; what is
# left of a stroke after months is fluid.
ACUTE = Structure("as grey matter", TissueClass.CORTEX, 1.1)
OLD = Structure("as CSF", TissueClass.CSF, 1.25)


@dataclass(frozen=True, eq=False)
class Struck:
    """A healthy scan with the place of a stroke in it; nothing is changed yet.

    Args:
        mask: the stroke in MNI space.
        head: what was scanned.
        case: the scan.
        place: of the mask in the head.
        share: (K, J, I) how much of each voxel lies in it.
        drawn: guides of the T1s that were drawn already, by structure: those of scans of the same head are the same.
    """

    mask: StrokeMask
    head: SimulatedHead
    case: Case
    place: Stroke
    share: np.ndarray
    drawn: dict[Structure, tuple[Volume, ...]] = field(default_factory=dict)

    @property
    def inside(self) -> np.ndarray:
        """Bool (K, J, I): voxels of tissue that are mostly in it."""
        tissue = self.case.tissue.gm.array + self.case.tissue.wm.array > 0.5
        return (self.share >= 0.5) & tissue & self.case.inside

    def parts(self) -> dict[str, np.ndarray]:
        """The stroke, and its grey and white matter where there is enough of them."""
        fractions = {"GM": self.case.tissue.gm.array, "WM": self.case.tissue.wm.array}
        parts = {"all": self.inside} | {name: self.inside & (f > _PURE) for name, f in fractions.items()}
        return {name: mask for name, mask in parts.items() if mask.sum() >= FEWEST}

    def structural(self, structure: Structure) -> Case:
        """The scan with T1 and M0 changed in the stroke and perfusion as it was; CBF keeps its own M0."""
        if structure not in self.drawn:
            ill = self.head.t1_with(Lesion(self.place, t1w=SignalChange(int(structure.t1), 1.0)))
            self.drawn[structure] = guides_in_place(replace(self.head, t1=ill))
        m0 = self.case.m0.with_array(self.case.m0.array * (1 + (structure.m0 - 1) * self.share))
        return replace(self.case, m0=m0, guides=self.drawn[structure])


def voxel_shares(place: Stroke, phantom: Phantom) -> np.ndarray:
    """How much of each voxel (K, J, I) of a phantom lies in a place."""
    geometry = phantom.geometry
    spacing = geometry.spacing[::-1]
    centres = centred_points(geometry.shape, spacing).reshape(-1, 3)
    offsets = centred_points((_FINE,) * 3, tuple(s / _FINE for s in spacing)).reshape(-1, 3)
    return cell_regions((Lesion(place),), centres, offsets).float().mean(1).reshape(geometry.shape).numpy()


def strike(masks: Sequence[StrokeMask], heads: Sequence[Sequence[tuple[SimulatedHead, Case]]]) -> Iterator[Struck]:
    """Each mask in one of the heads, which take turns, at each noise level.

    Args:
        masks: in MNI space.
        heads: of each head its scans, one a noise level.
    """
    for n, mask in enumerate(masks):
        scans = heads[n % len(heads)]
        phantom = scans[0][0].phantom
        tissue = centred_points(phantom.geometry.shape, phantom.geometry.spacing[::-1])[phantom.gm + phantom.wm > 0.5]
        place = place_stroke(mask, phantom.shape, tissue)
        if place is None:  # beyond the slices of this head
            continue
        share, drawn = voxel_shares(place, phantom), {}
        struck = [Struck(mask, head, case, place, share, drawn) for head, case in scans]
        if struck[0].inside.sum() >= FEWEST:
            yield from struck


def held_out_masks(folder: Path) -> tuple[list[StrokeMask], list[StrokeMask]]:
    """Those over 5 ml, and those of 1 to 5 ml."""
    masks = read_held_out_masks(folder)
    large = [m for m in masks if m.millilitres > LARGE]
    return large, [m for m in masks if SMALL <= m.millilitres <= LARGE]
