"""The table of the maps a run can make: their names and display in files, report, readouts, scene and panel.

A new map is an entry here and the step that makes it; nothing else names it. A run whose series has no M0 makes the
same maps of the perfusion difference instead of CBF: `RELATIVE` has a counterpart of every map of CBF. A run of a
series of several delays fits them: `_of_fit` says what its maps are then. `result.maps` finds maps and names in it.
"""

from __future__ import annotations

from dataclasses import replace

from ..series import SCANNER_UNIT
from .map_kind import MapKind, Role

MNI = "space-MNI152NLin2009aSym"  # BIDS' name of the template that nilearn ships; before the key of a map on its grid

MAPS: dict[str, MapKind] = {}  # by key, in the order of work: a later map of `_PRODUCTS` is the further one


def _map(key: str, role: Role, label: str, description: str, *of_superresolved: str, **more: object) -> str:
    """The key of a new entry; no other module of the product spells it out."""
    MAPS[key] = MapKind(key, role, label, description, of_superresolved, **more)
    return key


_DIFFERENCE = {"quantity": "Difference", "window": (-30.0, 30.0), "ticks": 13}
_DIFFERENCE |= {"colours": "RdBu_r", "scene_colours": "DivergingBlueRed"}
_DEVIATION = {"quantity": "SD of error", "window": (0.0, 30.0), "ticks": 11, "colours": "viridis"}
_WEIGHTED = {"unit": SCANNER_UNIT, "window": None}

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
UNCORRECTED = _map(
    "desc-uncorrected_cbf",
    Role.UNCORRECTED,
    "Raw mean, not corrected for arrival times",
    "Cerebral blood flow from the plain mean of the differences as acquired, as if all label had arrived everywhere.",
    short="Uncorrected CBF",
    note="is the raw mean as if all label had arrived everywhere; the raw mean beside it is corrected for the arrival "
    "times of another scan.",
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
_VIRIDIS = {"colours": "viridis", "scene_colours": "Viridis"}
_ARRIVAL = {"unit": "s", "quantity": "Arrival time", "window": (0.0, 3.0), "ticks": 7, **_VIRIDIS}
_ARRIVAL_SD = {"unit": "s", "quantity": "SD of arrival time", "window": (0.0, 1.0), "ticks": 6}
_ARRIVAL_SD |= {"colours": "cividis", "scene_colours": "Cividis"}
_VOLUME = {"unit": "", "quantity": "Arterial blood volume, fraction of the voxel", "window": (0.0, 0.05), "ticks": 6}
_VOLUME |= {"colours": "magma", "scene_colours": "Magma"}
_MASK = {"unit": "", "quantity": "1 is inside", "window": (0.0, 1.0), "ticks": 2, "colours": "gray"}
_MASK["scene_colours"] = "Magma"
RAW_ATT = _map(
    "desc-mean_att",
    Role.ARRIVAL,
    "Arrival time, raw fit",
    "Arterial transit time from the plain fit of the mean differences of all delays as acquired, not denoised.",
    short="Raw ATT",
    **_ARRIVAL,
)
PREPARED_ATT = _map(
    "desc-cleaned_att",
    Role.ARRIVAL,
    "Arrival time, prepared fit",
    "Arterial transit time from the plain fit of the prepared mean differences of all delays, motion corrected, "
    "outliers left out; not denoised.",
    short="Prepared ATT",
    **_ARRIVAL,
)
DENOISED_ATT = _map(
    "desc-denoised_att",
    Role.ARRIVAL,
    "Arrival time, denoised fit",
    "Arterial transit time, fitted with the denoised cerebral blood flow to the differences of all delays; an "
    "estimate.",
    short="Denoised ATT",
    **_ARRIVAL,
)
ATT_UNCERTAINTY = _map(
    "desc-uncertainty_att",
    Role.ARRIVAL_UNCERTAINTY,
    "Uncertainty of the denoised arrival time (SD)",
    "Standard deviation of the error of the denoised arterial transit time, as the fit estimates it.",
    short="SD of denoised ATT",
    **_ARRIVAL_SD,
)
ATT_MEAN_ERROR = _map(
    "desc-meanerror_att",
    Role.ARRIVAL_UNCERTAINTY,
    "Standard error of the prepared arrival time",
    "Standard error of the arterial transit time of the plain fit of the prepared mean differences, from the spread "
    "of the pairs.",
    short="SE of ATT",
    **{**_ARRIVAL_SD, "quantity": "Standard error of arrival time"},
)
USED_ATT = _map(
    "desc-used_att",
    Role.ARRIVAL,
    "Arrival time of another scan",
    "Arterial transit time that another scan measured, as it lies on the series: by it CBF was corrected.",
    short="Arrival time used",
    **_ARRIVAL,
)
USED_ATT_ERROR = _map(
    "desc-usederror_att",
    Role.ARRIVAL_UNCERTAINTY,
    "Uncertainty of the arrival time of another scan (SD)",
    "Standard deviation of the error of the arterial transit time by which CBF was corrected, as that scan tells it.",
    short="SD of arrival time used",
    **_ARRIVAL_SD,
)
PREPARED_ABV = _map(
    "desc-cleaned_abv",
    Role.BLOOD_VOLUME,
    "Arterial blood volume, prepared fit",
    "Arterial blood volume, as a fraction of the voxel, from the fit of the prepared mean differences of all delays.",
    short="Prepared aBV",
    **_VOLUME,
)
DENOISED_ABV = _map(
    "desc-denoised_abv",
    Role.BLOOD_VOLUME,
    "Arterial blood volume, denoised fit",
    "Arterial blood volume, as a fraction of the voxel, from the fit of the denoised maps to all delays; an estimate.",
    short="Denoised aBV",
    **_VOLUME,
)
BOUNDS = _map(
    "desc-bounds_mask",
    Role.MASK,
    "Arrival time at the end of its range",
    "1 where the plain fit of the prepared mean differences, or the fit of the denoised ones, found no arrival time "
    "within the range that the delays can tell: label is there before the first can tell, which leaves perfusion "
    "known, or it seems to arrive after the last, and neither is known.",
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
_OF_DELAYS += (BOUNDS, VESSELS, USED_ATT, USED_ATT_ERROR)

# As above, of a run without an M0: nothing is in ml/100g/min, and no map is called CBF.
RELATIVE: dict[str, MapKind] = {}
COUNTERPARTS: dict[str, str] = {}  # by the key of the map of CBF
_UNCALIBRATED = "relative perfusion in scanner units, not CBF, since no M0 calibrates it"


def _relative(key: str, label: str, description: str, *of_superresolved: str) -> None:
    """Add the counterpart of a map of CBF in a run without an M0."""
    kind = MAPS[key]
    ticks = 5 if kind.window[0] < 0 else 6
    quantity = "Perfusion" if kind.quantity == "CBF" else kind.quantity
    own = f"{key.removesuffix('cbf')}pwi"
    named = {"label": label, "description": description, "of_superresolved": of_superresolved, "quantity": quantity}
    named["short"] = kind.short.replace("CBF", "perfusion")
    COUNTERPARTS[key] = own
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
    UNCORRECTED,
    "Raw mean difference, not corrected for arrival times",
    f"Plain mean of the perfusion differences as acquired, as if all label had arrived everywhere: {_UNCALIBRATED}.",
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

# What maps of a run are that fitted several delays: what the table says of one delay's mean is not true of them.
_FITTED = "fitted together with the arrival time to the {means} of the differences of all delays{how}"
_RAW_FIT = _FITTED.format(means="plain means", how=" as acquired, not denoised")
_PREPARED_FIT = _FITTED.format(means="prepared means", how=", motion corrected, outliers left out; not denoised")
_DENOISED_FIT = "fitted together with the arrival time to the differences of all delays and denoised; an estimate"
_RELATIVE_FIT = "Relative perfusion in scanner units, not CBF, since no M0 calibrates it"


def _of_fit(key: str, label: str, description: str, relative: str = "") -> None:
    """Say what a map of CBF, and its counterpart without an M0, are in a run that fitted several delays."""
    other = COUNTERPARTS[key]
    MAPS[key] = replace(MAPS[key], of_fit=(label, f"{description}."))
    RELATIVE[other] = replace(RELATIVE[other], of_fit=(label, f"{relative}."))


for _key, _label, _what in (
    (RAW, "Raw fit", _RAW_FIT),
    (PREPARED, "Prepared fit", _PREPARED_FIT),
    (DENOISED, "Denoised fit", _DENOISED_FIT),
):
    _of_fit(_key, _label, f"Cerebral blood flow, {_what}", f"{_RELATIVE_FIT}, {_what}")
_of_fit(
    UNCERTAINTY,
    "Uncertainty of the denoised fit (SD)",
    "Standard deviation of the error of the denoised cerebral blood flow of all delays, as the fit estimates it",
    "Standard deviation of the error of the denoised relative perfusion of all delays in scanner units, as the fit "
    "estimates it",
)
_of_fit(
    MEAN_ERROR,
    "Standard error of the prepared fit",
    "Standard error of the cerebral blood flow of the plain fit of the prepared means of all delays, from the spread "
    "of the pairs",
    "Standard error, in scanner units, of the relative perfusion of the plain fit of the prepared means of all delays, "
    "from the spread of the pairs",
)
