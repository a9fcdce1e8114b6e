"""Left against right of the regions of one run: against the region of the same name, else against the mirror image."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ..measuring.region_coverage import LEAST_COVERAGE
from ..measuring.regions import Asymmetry, RegionFigures, asymmetry, region_figures
from ..measuring.sides import counterparts, side_of
from ..result import Result, errors_of
from ..spatial.regions import PlacedRegion, place

_NAN = float("nan")
_MOST_OVERLAP = 0.1  # of a region with its mirror image; one beyond lies across the midline and has no other side
BY_NAME, BY_MIRROR = "name", "mirror"


class Asymmetries:
    """The asymmetry indices, 100 (L - R) / ((L + R) / 2), of the regions of a run.

    Args:
        result: the run.
        known: names of the regions that are covered well enough to be compared.
    """

    def __init__(self, result: Result, known: Collection[str]) -> None:
        self._result, self._known = result, known
        self._keys = {"raw": result.raw, "processed": result.processed or result.raw}
        self._figures: dict[tuple[str, str], RegionFigures] = {}
        self._partners: dict[str, str] = {}
        of_atlas: dict[str, list[str]] = {}
        for name in {**result.regions, **result.atlas}:
            of_atlas.setdefault(result.atlas.get(name, ""), []).append(name)
        for names in of_atlas.values():
            self._partners |= counterparts(names)

    def of(self, name: str) -> dict[str, object]:
        """The columns of a region; without a number where it has no other side, or too little of either is covered."""
        found = dict.fromkeys(("raw_percent", "raw_error_percent", "processed_percent"), _NAN)
        by = ""
        if name in self._partners:
            by = BY_NAME
            found |= self._by_name(name, self._partners[name])
        elif self._result.mirror is not None and name in self._known and name in self._result.drawings:
            mirrored = self._by_mirror(name)
            by = BY_MIRROR if mirrored else ""
            found |= mirrored
        return {**{f"asymmetry_{what}": value for what, value in found.items()}, "asymmetry_by": by}

    def _by_name(self, one: str, other: str) -> dict[str, float]:
        if not {one, other} <= set(self._known):
            return {}
        left, right = sorted((one, other), key=lambda name: side_of(name)[0])
        regions = self._result.regions
        found = {"raw": self._index("raw", left, right, regions[left], regions[right])}
        if self._on_series("processed"):
            found["processed"] = self._index("processed", left, right, regions[left], regions[right])
        return _columns(found)

    def _by_mirror(self, name: str) -> dict[str, float]:
        region, matrix = self._result.regions[name], self._result.mirror
        there = place(self._result.drawings[name].moved(matrix), region.geometry)
        mirrored = f"{name} mirrored"
        found = {
            which: self._index(which, name, mirrored, region, there)
            for which in self._keys
            if there.voxels > 0 and self._on_series(which)
        }
        if not found or found["raw"].overlap > _MOST_OVERLAP:
            return {}
        if not 100 * self._figures["raw", mirrored].coverage >= LEAST_COVERAGE:
            return {}
        return _columns(found, sign=1.0 if _left_of(region) > _left_of(there) else -1.0)

    def _index(self, which: str, one: str, other: str, here: PlacedRegion, there: PlacedRegion) -> Asymmetry:
        return asymmetry(here, there, self._measured(which, one, here), self._measured(which, other, there))

    def _measured(self, which: str, name: str, region: PlacedRegion) -> RegionFigures:
        if (which, name) not in self._figures:
            result, key = self._result, self._keys[which]
            errors = errors_of(result.pair_errors, key, result.maps)
            self._figures[which, name] = region_figures(region, result.maps[key].array, errors)
        return self._figures[which, name]

    def _on_series(self, which: str) -> bool:
        """Whether a map is on the grid that the regions lie on."""
        return self._result.maps[self._keys[which]].geometry.matches(self._result.series.geometry)


def _columns(found: dict[str, Asymmetry], sign: float = 1.0) -> dict[str, float]:
    told = {f"{which}_percent": sign * each.index for which, each in found.items()}
    return told | {"raw_error_percent": found["raw"].error}


def _left_of(region: PlacedRegion) -> float:
    """How far to the left of the patient the middle of a region lies, mm."""
    k, j, i = np.unravel_index(region.index, region.geometry.shape)
    weight = region.fraction / region.fraction.sum()
    middle = [weight @ axis for axis in (i, j, k)]
    return float((region.geometry.affine_lps @ [*middle, 1.0])[0])
