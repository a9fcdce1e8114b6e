"""The table of the maps a run can make: their names and display in files, report, readouts, scene and panel.

A new map is an entry here and the step that makes it; nothing else names it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum

from ..series import CBF_UNIT


class Role(Enum):
    """The role of a map in its run."""

    RAW = "raw"
    PREPARED = "prepared"
    PROCESSED = "processed"
    SUPERRESOLVED = "super-resolved"
    COMPARISON = "comparison"
    DIFFERENCE = "difference"
    UNCERTAINTY = "uncertainty"
    PERFUSION_WEIGHTED = "perfusion-weighted"


_PRODUCTS = (Role.PREPARED, Role.PROCESSED, Role.SUPERRESOLVED)  # what a run can be for, the furthest last


@dataclass(frozen=True)
class MapKind:
    """One kind of map, by default a map of CBF.

    Args:
        key: BIDS ending without extension.
        role: in its run.
        label: its name for people; may hold ``{processed}`` and ``{acquired}``, the names of the run's furthest map of
            all, and of the furthest on the grid of the series.
        description: one sentence, for sidecars and the folder's README.
        of_superresolved: label and description where the run has a super-resolved map; empty: the same.
        note: what the report says of such a map under the readouts, after its name; empty for nothing.
        unit: empty for scanner units.
        quantity: what its numbers are, for the legend's title.
        window: lowest and highest value shown, in `unit`; None for each map's own, in grey.
        colours, scene_colours: the scale over the window, by its name in matplotlib and in Slicer.
        ticks: how many numbers stand beside the legend.
    """

    key: str
    role: Role
    label: str
    description: str
    of_superresolved: tuple[str, str] | tuple[()] = ()
    note: str = ""
    unit: str = CBF_UNIT
    quantity: str = "CBF"
    window: tuple[float, float] | None = (0.0, 90.0)
    # Not PET-Heat: it is yellow from 33 ml/100g/min of this window on, so most of grey matter would have one colour.
    colours: str = "inferno"
    scene_colours: str = "Inferno"
    ticks: int = 10

    @property
    def title(self) -> str:
        """Of the legend: quantity and unit."""
        return f"{self.quantity} ({self.unit})"


MAPS: dict[str, MapKind] = {}  # by key, in the order of work: a later map of `_PRODUCTS` is the further one


def _map(key: str, role: Role, label: str, description: str, *of_superresolved: str, **more: object) -> str:
    """The key of a new entry; no other module of the product spells it out."""
    MAPS[key] = MapKind(key, role, label, description, of_superresolved, **more)
    return key


_DIFFERENCE = {"quantity": "Difference", "window": (-30.0, 30.0), "ticks": 13}
_DIFFERENCE |= {"colours": "RdBu_r", "scene_colours": "DivergingBlueRed"}
_DEVIATION = {"quantity": "SD of error", "window": (0.0, 30.0), "ticks": 11, "colours": "viridis"}
_WEIGHTED = {"unit": "", "window": None}

RAW = _map(
    "desc-mean_cbf",
    Role.RAW,
    "Raw mean",
    "Cerebral blood flow from the plain mean of the differences as acquired, not denoised.",
)
PREPARED = _map(
    "desc-cleaned_cbf",
    Role.PREPARED,
    "Prepared mean",
    "Cerebral blood flow from the mean of the prepared control-label differences: motion corrected, outliers left "
    "out; not denoised.",
)
DENOISED = _map(
    "desc-denoised_cbf",
    Role.PROCESSED,
    "Denoised",
    "Cerebral blood flow from the denoised mean control-label difference; an estimate.",
)
SUPERRESOLVED = _map(
    "desc-superres_cbf",
    Role.SUPERRESOLVED,
    "Super-resolved (an estimate)",
    "Cerebral blood flow on a finer grid than was acquired; detail beyond the acquired grid is an estimate, not a "
    "measurement.",
)
SMOOTHED = _map(
    "desc-smoothed_cbf",
    Role.COMPARISON,
    "Gaussian, noise-matched",
    "Raw cerebral blood flow after the Gaussian smoothing that reaches the white-matter noise of the denoised map; the "
    "baseline a denoiser has to beat.",
    note="is the raw map blurred until its white-matter noise equals the processed map's. SNR and contrast reward "
    "blurring alone: a denoiser is worth its name only where it does better than this column.",
)
RESIDUAL = _map(
    "desc-residual_cbf",
    Role.DIFFERENCE,
    "Raw minus {processed}",
    "Raw minus denoised cerebral blood flow: what the denoiser took away.",
    "{acquired} minus super-resolved, averaged back",
    "Acquired cerebral blood flow minus the super-resolved one, averaged back to the acquired voxels.",
    **_DIFFERENCE,
)
RECOVERED = _map(
    "desc-recovered_cbf",
    Role.DIFFERENCE,
    "Put back from the residual",
    "What recovery put back into the denoised map, by the tissue contrast of its guide.",
    **_DIFFERENCE,
)
UNCERTAINTY = _map(
    "desc-uncertainty_cbf",
    Role.UNCERTAINTY,
    "Uncertainty of the denoised map (SD)",
    "Standard deviation of the error of the denoised cerebral blood flow, as the model estimates it; calibrated on "
    "phantoms.",
    "Uncertainty of the super-resolved map (SD)",
    "Standard deviation of the error of the super-resolved cerebral blood flow: what noise leaves undecided and a "
    "share of what the T1 adds; calibrated on phantoms.",
    **_DEVIATION,
)
MEAN_ERROR = _map(
    "desc-meanerror_cbf",
    Role.UNCERTAINTY,
    "Standard error of the prepared mean",
    "Standard error of the prepared mean cerebral blood flow, from the spread of the pairs.",
    **{**_DEVIATION, "quantity": "Standard error"},
)
RAW_DIFFERENCE = _map(
    "desc-mean_pwi",
    Role.PERFUSION_WEIGHTED,
    "Raw mean difference",
    "Mean control-label difference, not denoised.",
    **_WEIGHTED,
)
DENOISED_DIFFERENCE = _map(
    "desc-denoised_pwi",
    Role.PERFUSION_WEIGHTED,
    "Denoised difference",
    "Denoised mean control-label difference; an estimate.",
    **_WEIGHTED,
)
MNI = "space-MNI152NLin2009aSym"  # BIDS' name of the template that nilearn ships; before the key of a map on its grid


def kind_of(key: str, maps: Collection[str] = ()) -> MapKind:
    """The kind of a map, named as in the run that made `maps`; a map on the template's grid looks like its original.

    A key that the table lacks, of a scene or folder made elsewhere, is a CBF map named by its key.
    """
    if key.startswith("space-MNI"):
        kind = kind_of(key.partition("_")[2])
        return replace(kind, key=key, label=f"{kind.label}, MNI space", description=f"{kind.label}, MNI space.")
    if key not in MAPS:
        label = key.removeprefix("desc-").replace("_", " ")
        return MapKind(key, Role.COMPARISON, label, f"{label}.")
    kind = MAPS[key]
    finer = kind.of_superresolved if SUPERRESOLVED in maps else ()
    label, description = finer or (kind.label, kind.description)
    processed, acquired = MAPS[furthest(maps) or DENOISED], MAPS[furthest(maps, on_series=True) or RAW]
    label = label.format(processed=processed.label.lower(), acquired=acquired.label)
    return replace(kind, label=label, description=description)


def furthest(maps: Collection[str], *, on_series: bool = False) -> str | None:
    """The key of the map worked on most, of all or of those on the grid of the series; None where all is raw."""
    roles = _PRODUCTS[:-1] if on_series else _PRODUCTS
    return next((key for key, kind in reversed(MAPS.items()) if kind.role in roles and key in maps), None)


def keys_of(*roles: Role) -> tuple[str, ...]:
    """The keys of the maps with these roles, in the order of the table."""
    return tuple(key for key, kind in MAPS.items() if kind.role in roles)
