"""The table of the maps a run can make: their names and display in files, report, readouts, scene and panel.

A new map is an entry here and the step that makes it; nothing else names it. A run whose series has no M0 makes the
same maps of the perfusion difference instead of CBF: `RELATIVE` has a counterpart of every map of CBF.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum

from ..series import CBF_UNIT, SCANNER_UNIT


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
    HALF = "half"
    ARRIVAL = "arrival"
    ARRIVAL_UNCERTAINTY = "arrival uncertainty"
    BLOOD_VOLUME = "blood volume"
    MASK = "mask"


BELOW_ZERO = "#1E64D8"  # the colour of what is measured below a window that begins at zero: no end of any scale here
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
        short: its name where there is little room, over a view or in a corner of it; empty: as `label`.
        note: what the report says of such a map under the readouts, after its name; empty for nothing.
        unit: of its numbers.
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
    short: str = ""
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

    @property
    def below(self) -> str:
        """The colour of values below the window, of perfusion maps; empty where they take the end of the scale."""
        perfusion = self.colours == MapKind.colours and self.window is not None and self.window[0] == 0
        return BELOW_ZERO if perfusion else ""

    def scaled(self, top: float) -> MapKind:
        """The kind with its window for maps of CBF scaled to maps whose bright voxels have the value `top`."""
        high = _round_up(top * self.window[1] / _CBF_TOP)
        return replace(self, window=(-high if self.window[0] < 0 else 0.0, high))


MAPS: dict[str, MapKind] = {}  # by key, in the order of work: a later map of `_PRODUCTS` is the further one


def _map(key: str, role: Role, label: str, description: str, *of_superresolved: str, **more: object) -> str:
    """The key of a new entry; no other module of the product spells it out."""
    MAPS[key] = MapKind(key, role, label, description, of_superresolved, **more)
    return key


_DIFFERENCE = {"quantity": "Difference", "window": (-30.0, 30.0), "ticks": 13}
_DIFFERENCE |= {"colours": "RdBu_r", "scene_colours": "DivergingBlueRed"}
_DEVIATION = {"quantity": "SD of error", "window": (0.0, 30.0), "ticks": 11, "colours": "viridis"}
_WEIGHTED = {"unit": SCANNER_UNIT, "window": None}
_CBF_TOP = MapKind.window[1]
_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)

RAW = _map(
    "desc-mean_cbf",
    Role.RAW,
    "Raw mean",
    "Cerebral blood flow from the plain mean of the differences as acquired, not denoised.",
    short="Raw CBF",
)
PREPARED = _map(
    "desc-cleaned_cbf",
    Role.PREPARED,
    "Prepared mean",
    "Cerebral blood flow from the mean of the prepared control-label differences: motion corrected, outliers left "
    "out; not denoised.",
    short="Prepared CBF",
)
DENOISED = _map(
    "desc-denoised_cbf",
    Role.PROCESSED,
    "Denoised",
    "Cerebral blood flow from the denoised mean control-label difference; an estimate.",
    short="Denoised CBF",
)
SUPERRESOLVED = _map(
    "desc-superres_cbf",
    Role.SUPERRESOLVED,
    "Super-resolved (an estimate)",
    "Cerebral blood flow on a finer grid than was acquired; detail beyond the acquired grid is an estimate, not a "
    "measurement.",
    short="Super-resolved CBF",
)
SMOOTHED = _map(
    "desc-smoothed_cbf",
    Role.COMPARISON,
    "Gaussian, noise-matched",
    "Raw cerebral blood flow after the Gaussian smoothing that reaches the white-matter noise of the denoised map; the "
    "baseline a denoiser has to beat.",
    short="Gaussian CBF",
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
RESTORED = _map(
    "desc-restored_cbf",
    Role.DIFFERENCE,
    "Put back by the residual audit",
    "What the residual audit put back into the denoised map: what the network had taken away that is more than noise.",
    short="Put back by the audit",
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
    short="Uncertainty of {processed} CBF",
    **_DEVIATION,
)
MEAN_ERROR = _map(
    "desc-meanerror_cbf",
    Role.UNCERTAINTY,
    "Standard error of the prepared mean",
    "Standard error of the prepared mean cerebral blood flow, from the spread of the pairs.",
    short="Standard error of CBF",
    **{**_DEVIATION, "quantity": "Standard error"},
)
RAW_ODD = _map(
    "desc-meanodd_cbf",
    Role.HALF,
    "Raw mean, odd pairs",
    "Cerebral blood flow from the plain mean of every second pair, beginning with the first; to be held against the "
    "other half.",
    short="Raw odd pairs, CBF",
)
RAW_EVEN = _map(
    "desc-meaneven_cbf",
    Role.HALF,
    "Raw mean, even pairs",
    "Cerebral blood flow from the plain mean of every second pair, beginning with the second; to be held against the "
    "other half.",
    short="Raw even pairs, CBF",
)
DENOISED_ODD = _map(
    "desc-denoisedodd_cbf",
    Role.HALF,
    "Denoised, odd pairs",
    "Denoised cerebral blood flow of every second pair, beginning with the first; an estimate, to be held against the "
    "other half.",
    short="Denoised odd pairs, CBF",
)
DENOISED_EVEN = _map(
    "desc-denoisedeven_cbf",
    Role.HALF,
    "Denoised, even pairs",
    "Denoised cerebral blood flow of every second pair, beginning with the second; an estimate, to be held against "
    "the other half.",
    short="Denoised even pairs, CBF",
)
RAW_DIFFERENCE = _map(
    "desc-mean_pwi",
    Role.PERFUSION_WEIGHTED,
    "Raw mean difference",
    "Mean control-label difference, not denoised.",
    short="Raw difference image",
    **_WEIGHTED,
)
DENOISED_DIFFERENCE = _map(
    "desc-denoised_pwi",
    Role.PERFUSION_WEIGHTED,
    "Denoised difference",
    "Denoised mean control-label difference; an estimate.",
    short="Denoised difference image",
    **_WEIGHTED,
)

# Of a series of several delays, beside its CBF; a run without an M0 has the same.
_ARRIVAL = {"unit": "s", "quantity": "Arrival time", "window": (0.0, 3.0), "ticks": 7}
_ARRIVAL |= {"colours": "viridis", "scene_colours": "Viridis"}
_ARRIVAL_SD = {"unit": "s", "quantity": "SD of arrival time", "window": (0.0, 1.0), "ticks": 6, "colours": "viridis"}
_ARRIVAL_SD["scene_colours"] = "Viridis"
_VOLUME = {"unit": "", "quantity": "Arterial blood volume", "window": (0.0, 0.05), "ticks": 6}
_VOLUME |= {"colours": "magma", "scene_colours": "Magma"}
_MASK = {"unit": "", "quantity": "Mask", "window": (0.0, 1.0), "ticks": 2, "colours": "gray", "scene_colours": "Grey"}
RAW_ATT = _map(
    "desc-mean_att",
    Role.ARRIVAL,
    "Arrival time, raw mean",
    "Arterial transit time from the plain fit of the mean differences of all delays as acquired, not denoised.",
    short="Raw ATT",
    **_ARRIVAL,
)
PREPARED_ATT = _map(
    "desc-cleaned_att",
    Role.ARRIVAL,
    "Arrival time, prepared mean",
    "Arterial transit time from the plain fit of the prepared mean differences of all delays, not denoised.",
    short="Prepared ATT",
    **_ARRIVAL,
)
DENOISED_ATT = _map(
    "desc-denoised_att",
    Role.ARRIVAL,
    "Arrival time, denoised",
    "Arterial transit time from the denoised differences of all delays; an estimate.",
    short="Denoised ATT",
    **_ARRIVAL,
)
ATT_UNCERTAINTY = _map(
    "desc-uncertainty_att",
    Role.ARRIVAL_UNCERTAINTY,
    "Uncertainty of the denoised arrival time (SD)",
    "Standard deviation of the error of the denoised arterial transit time.",
    short="Uncertainty of denoised ATT",
    **_ARRIVAL_SD,
)
ATT_MEAN_ERROR = _map(
    "desc-meanerror_att",
    Role.ARRIVAL_UNCERTAINTY,
    "Standard error of the prepared arrival time",
    "Standard error of the arterial transit time of the plain fit of the prepared mean differences.",
    short="Standard error of ATT",
    **_ARRIVAL_SD,
)
PREPARED_ABV = _map(
    "desc-cleaned_abv",
    Role.BLOOD_VOLUME,
    "Arterial blood volume, prepared mean",
    "Arterial blood volume, as a fraction of the voxel, from the fit of the prepared mean differences of all delays.",
    short="Prepared aBV",
    **_VOLUME,
)
DENOISED_ABV = _map(
    "desc-denoised_abv",
    Role.BLOOD_VOLUME,
    "Arterial blood volume, denoised",
    "Arterial blood volume, as a fraction of the voxel, from the denoised differences of all delays; an estimate.",
    short="Denoised aBV",
    **_VOLUME,
)
BOUNDS = _map(
    "desc-bounds_mask",
    Role.MASK,
    "Arrival time at the end of its range",
    "1 where the plain fit of the prepared mean differences, or the fit of the denoised ones, found no arrival time "
    "within the range that the delays can tell, so that CBF and arrival time are not to be trusted there.",
    short="ATT at its bounds",
    **_MASK,
)
VESSELS = _map(
    "desc-vessels_mask",
    Role.MASK,
    "Vessels",
    "1 where label is still in arteries: outliers of signal and of its SD that hang together.",
    short="Vessels",
    **_MASK,
)
_OF_DELAYS = (RAW_ATT, PREPARED_ATT, DENOISED_ATT, ATT_UNCERTAINTY, ATT_MEAN_ERROR, PREPARED_ABV, DENOISED_ABV)
_OF_DELAYS += (BOUNDS, VESSELS)

# As above, of a run without an M0: nothing is in ml/100g/min, and no map is called CBF.
RELATIVE: dict[str, MapKind] = {}
_COUNTERPARTS: dict[str, str] = {}  # by the key of the map of CBF
_UNCALIBRATED = "relative perfusion in scanner units, not CBF, since no M0 calibrates it"


def _relative(key: str, label: str, description: str, *of_superresolved: str) -> None:
    """Add the counterpart of a map of CBF in a run without an M0."""
    kind = MAPS[key]
    ticks = 5 if kind.window[0] < 0 else 6
    quantity = "Perfusion" if kind.quantity == "CBF" else kind.quantity
    own = f"{key.removesuffix('cbf')}pwi"
    named = {"label": label, "description": description, "of_superresolved": of_superresolved, "quantity": quantity}
    named["short"] = kind.short.replace("CBF", "perfusion")
    _COUNTERPARTS[key] = own
    RELATIVE[own] = replace(kind, key=own, unit=SCANNER_UNIT, ticks=ticks, **named)


_relative(
    RAW, "Raw mean difference", f"Plain mean of the perfusion differences as acquired, not denoised: {_UNCALIBRATED}."
)
_relative(
    PREPARED,
    "Prepared mean difference",
    f"Mean of the prepared perfusion differences, motion corrected, outliers left out, not denoised: {_UNCALIBRATED}.",
)
_relative(DENOISED, "Denoised difference", f"Denoised mean perfusion difference, an estimate: {_UNCALIBRATED}.")
_relative(
    SUPERRESOLVED,
    "Super-resolved difference (an estimate)",
    "Mean perfusion difference on a finer grid than was acquired; detail beyond the acquired grid is an estimate, not "
    f"a measurement: {_UNCALIBRATED}.",
)
_relative(
    SMOOTHED,
    "Gaussian, noise-matched",
    "Raw mean difference after the Gaussian smoothing that reaches the white-matter noise of the denoised one; the "
    "baseline a denoiser has to beat.",
)
_relative(
    RESIDUAL,
    "Raw minus {processed}",
    "Raw minus denoised mean difference, in scanner units: what the denoiser took away.",
    "{acquired} minus super-resolved, averaged back",
    "Acquired mean difference minus the super-resolved one, averaged back to the acquired voxels, in scanner units.",
)
_relative(
    RESTORED,
    "Put back by the residual audit",
    "What the residual audit put back into the denoised difference, in scanner units: what the network had taken away "
    "that is more than noise.",
)
_relative(
    UNCERTAINTY,
    "Uncertainty of the denoised difference (SD)",
    "Standard deviation of the error of the denoised mean difference in scanner units, as the model estimates it; "
    "calibrated on phantoms.",
    "Uncertainty of the super-resolved difference (SD)",
    "Standard deviation of the error of the super-resolved difference in scanner units: what noise leaves undecided "
    "and a share of what the T1 adds; calibrated on phantoms.",
)
_relative(
    MEAN_ERROR,
    "Standard error of the prepared mean difference",
    "Standard error of the prepared mean difference in scanner units, from the spread of the pairs.",
)

for _key in (RAW_ODD, RAW_EVEN, DENOISED_ODD, DENOISED_EVEN):
    _relative(
        _key,
        MAPS[_key].label.replace("mean", "mean difference"),
        MAPS[_key]
        .description.replace("Cerebral blood flow from the plain mean", "Plain mean of the differences")
        .replace("Denoised cerebral blood flow", "Denoised mean difference")
        .removesuffix(".")
        + f": {_UNCALIBRATED}.",
    )

RELATIVE |= {_key: MAPS[_key] for _key in _OF_DELAYS}

MNI = "space-MNI152NLin2009aSym"  # BIDS' name of the template that nilearn ships; before the key of a map on its grid


def kind_of(key: str, maps: Collection[str] = ()) -> MapKind:
    """The kind of a map, named as in the run that made `maps`; a map on the template's grid looks like its original.

    A key that the table lacks, of a scene or folder made elsewhere, is a CBF map named by its key.
    """
    if key.startswith("space-MNI"):
        kind = kind_of(key.partition("_")[2], maps)
        named_so = {"label": f"{kind.label}, MNI space", "short": f"MNI space, {kind.short}"}
        return replace(kind, key=key, description=f"{kind.label}, MNI space.", **named_so)
    table = _table_of(maps)
    table = table if key in table else {**RELATIVE, **MAPS}
    if key not in table:
        label = key.removeprefix("desc-").replace("_", " ")
        return MapKind(key, Role.COMPARISON, label, f"{label}.", short=label)
    kind = table[key]
    finer = kind.of_superresolved if _has_superresolved(maps) else ()
    label, description = finer or (kind.label, kind.description)
    own = _table_of(maps)
    processed = own[furthest(maps) or named(DENOISED, maps)]
    acquired = own[furthest(maps, on_series=True) or raw_of(maps)]
    label = label.format(processed=processed.label.lower(), acquired=acquired.label)
    short = kind.short.format(processed="super-resolved" if finer else "denoised")
    return replace(kind, label=label, description=description, short=short or label)


def furthest(maps: Collection[str], *, on_series: bool = False) -> str | None:
    """The key of the map worked on most, of all or of those on the grid of the series; None where all is raw."""
    roles = _PRODUCTS[:-1] if on_series else _PRODUCTS
    table = _table_of(maps)
    return next((key for key, kind in reversed(table.items()) if kind.role in roles and key in maps), None)


def keys_of(*roles: Role, maps: Collection[str] = ()) -> tuple[str, ...]:
    """The keys of the maps with these roles in the run that made `maps`, in the order of the table."""
    return tuple(key for key, kind in _table_of(maps).items() if kind.role in roles)


def is_relative(maps: Collection[str]) -> bool:
    """Whether the run that made `maps` had no M0, and gives perfusion differences in scanner units instead of CBF."""
    return RAW not in maps and RAW_DIFFERENCE in maps


def named(key: str, maps: Collection[str]) -> str:
    """The key that a map of CBF has in the run that made `maps`: its own, or that of its counterpart."""
    return in_unit(key, SCANNER_UNIT if is_relative(maps) else CBF_UNIT)


def in_unit(key: str, unit: str) -> str:
    """The key of a map of CBF, or of its counterpart where the run's unit is that of the scanner.

    >>> in_unit(RAW, CBF_UNIT) == RAW, in_unit(RAW, SCANNER_UNIT) == RAW_DIFFERENCE
    (True, True)
    """
    return _COUNTERPARTS.get(key, key) if unit == SCANNER_UNIT else key


def of_several_delays(maps: Collection[str]) -> bool:
    """Whether the run that made `maps` fitted CBF and arrival time to several delays."""
    return RAW_ATT in maps


def raw_of(maps: Collection[str]) -> str:
    """The key of the raw map of the run that made `maps`."""
    return named(RAW, maps)


def _table_of(maps: Collection[str]) -> dict[str, MapKind]:
    return RELATIVE if is_relative(maps) else MAPS


def _has_superresolved(maps: Collection[str]) -> bool:
    return named(SUPERRESOLVED, maps) in maps


def _round_up(value: float) -> float:
    """The next value that a scale can end with: 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(f"{next(r for r in _ROUND if r * power >= value * (1 - 1e-9)) * power:.3g}")
