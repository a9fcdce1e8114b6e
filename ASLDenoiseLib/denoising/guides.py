"""What may guide a denoiser besides the perfusion itself: maps that tell tissues apart, and the M0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..preparing.contrast import contrast_classes
from ..preparing.t1_contrast import T1_RANKS
from ..series import Tissue, Volume


@dataclass(frozen=True, eq=False)
class GuideMaps:
    """What tells tissues apart: maps, darkest on a T1 first, with where they come from, and an M0 that shows tissue."""

    maps: tuple[Volume, ...] = ()
    source: str = ""
    m0: Volume | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The guides there are, maps first."""
        return (*([self.source] if self.maps else []), *(["M0"] if self.m0 is not None else []))


def find_guides(
    brain: Volume,
    *,
    even_t1: Volume | None,
    t1_to_asl: np.ndarray,
    given: Tissue | None,
    m0: Volume | None,
    ranks: tuple[int, int, int] = T1_RANKS,
) -> GuideMaps:
    """The T1's own contrast classes, else the tissue that was given, else no maps; and the M0 where it has contrast.

    Args:
        brain: 0/1, on the grid of the series, as the maps will be.
        even_t1: without its bias field (`preparing.brain_mask.correct_bias`), on its own grid.
        t1_to_asl: 4x4, LPS mm, from points of the T1 to points of the series.
        given: tissue on the grid of the series that was not made from the T1 or the M0.
        m0: on the grid of the series.
        ranks: of CSF, grey and white matter by brightness in the T1, darkest 0 (`t1_contrast.Levels.ranks`): networks
            take the maps in the order of a T1.
    """
    m0 = with_contrast(m0, brain)
    if even_t1 is not None:
        classes = contrast_classes(even_t1, brain, transform=t1_to_asl)
        return GuideMaps(tuple(classes[rank] for rank in ranks), "T1", m0)
    if given is None or given.gm is None or given.wm is None:
        return GuideMaps(m0=m0)
    rest = np.clip(1 - given.gm.array - given.wm.array, 0, 1)
    return GuideMaps((given.csf or given.gm.with_array(rest, name="CSF"), given.gm, given.wm), "tissue maps", m0)


def with_contrast(m0: Volume | None, brain: Volume) -> Volume | None:
    """The M0, unless it is one value throughout the brain, as an estimate is: that tells no tissues apart."""
    if m0 is None:
        return None
    inside = m0.array[(brain.array > 0) & np.isfinite(m0.array)]
    return m0 if inside.size and inside.max() > inside.min() else None
