"""The numbers a perfusion map is judged by, the same for raw, denoised and baseline."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from ..errors import InputError
from ..result import Readout
from ..result.pair_errors import PairErrors
from ..series import SCANNER_UNIT, Geometry, Tissue, Volume
from ..spatial.regions import PlacedRegion
from .masks import FEWEST_VOXELS, GM_THRESHOLD, WM_THRESHOLD, grey_matter, white_matter
from .partial_volume import corrected_gm_cbf
from .quality_index import quality_evaluation_index
from .regions import region_figures

_NAN = float("nan")
_RULES = f"NaN voxels are left out; fewer than {FEWEST_VOXELS} voxels give no value."
_GM = f"voxels of more than {GM_THRESHOLD:.0%} grey matter"
_WM = f"voxels of more than {WM_THRESHOLD:.0%} white matter"
_CONTRAST = "GM mean over WM mean; 2 to 4 is usual; no value when WM is not positive."
_COV = "GM SD over GM mean; high values speak of late arrival or noise."
_TSNR = (
    "Mean over GM of each voxel's mean over SD across the pairs, of the raw map as acquired, of the prepared mean as "
    "prepared; a denoised map has no pairs. Needs at least two."
)
_NEGATIVE = f"Share of {_GM} below zero, where perfusion cannot be."
_QEI = "Quality evaluation index (Dolui 2024), 0 to 1, higher is better; there is no agreed cut-off."
_REGION = "each voxel counts by the fraction of it that the region fills; NaN voxels are left out."
_ERROR = (
    "SD of the region's mean, from how much the pairs that were averaged differ in it: one SD, without bias. Needs "
    "three pairs; n/a of a denoised map, whose error the pairs do not tell."
)
_NO_QEI = "Quality evaluation index (Dolui 2024): its dispersion is in the unit of CBF, so a relative map has none."


def measure(
    cbf: Volume,
    tissue: Tissue,
    *,
    regions: Mapping[str, PlacedRegion | Volume] | None = None,
    pairs: np.ndarray | None = None,
    m0: Volume | None = None,
    errors: PairErrors | None = None,
) -> tuple[Readout, ...]:
    """All readouts of one map, always the same names in the same order.

    SNR is the mean of grey matter over the SD of white matter, GM/WM contrast the ratio of the means (LFN's convention,
    over the volume); both reward blurring, so read them beside the blur-matched baseline. SDs are of the population.

    Args:
        cbf: ml/100g/min (or another unit, which the readouts then carry; one in scanner units has no QEI).
        tissue: on the grid of `cbf`.
        regions: name to region or fractions (0..1) on the grid of `cbf`; each adds mean, median, the mean's error,
            SD, SNR, its mean over that of grey matter, volume, voxels and coverage (`measuring.regions`).
        pairs: (N, K, J, I), one map a control/label pair, in the unit of `cbf`, for temporal SNR; NaN where a pair was
            left out.
        errors: what the pairs move the mean by, in the unit of `cbf`, for the error of a region's mean.
        m0: what calibrated `cbf`, on its grid, for the correction of partial volumes; None corrects the map alone.

    Raises:
        InputError: tissue, a region or the pairs are not on the grid of the map.
    """
    regions = {n: PlacedRegion.of(r) if isinstance(r, Volume) else r for n, r in (regions or {}).items()}
    _check_grid(cbf.geometry, tissue, regions, pairs)
    array = cbf.array.astype(np.float64)
    gm, wm = _values(array, grey_matter(tissue)), _values(array, white_matter(tissue))
    unit = cbf.unit
    noise = _sd(wm)
    lead = (
        Readout("gm_mean", "GM mean", _mean(gm), unit, f"Mean over {_GM}. {_RULES}"),
        Readout("gm_sd", "GM SD", _sd(gm), unit, f"SD over {_GM}: noise and true differences together. {_RULES}"),
        Readout("gm_median", "GM median", _median(gm), unit, f"Median over {_GM}; outliers do not move it. {_RULES}"),
        Readout("wm_mean", "WM mean", _mean(wm), unit, f"Mean over {_WM}. {_RULES}"),
        Readout("wm_sd", "WM SD", noise, unit, f"SD over {_WM}, mostly noise. {_RULES}"),
        Readout("snr", "SNR", _ratio(_mean(gm), noise), "", f"GM mean over WM SD; blurring raises it too. {_RULES}"),
        Readout("gm_wm_contrast", "GM/WM contrast", _ratio(_mean(gm), _mean(wm)), "", f"{_CONTRAST} {_RULES}"),
        Readout("spatial_cov", "Spatial CoV", 100 * _ratio(_sd(gm), _mean(gm)), "%", f"{_COV} {_RULES}"),
        Readout("tsnr", "tSNR", _temporal_snr(pairs, grey_matter(tissue)), "", f"{_TSNR} {_RULES}"),
        Readout("negative_gm_fraction", "Negative GM", 100 * _mean(gm < 0), "%", f"{_NEGATIVE} {_RULES}"),
        _qei(cbf, tissue),
    )
    references = (_mean(gm), noise)
    rest = (r for name, region in regions.items() for r in _region(name, region, cbf, references, errors))
    return (*lead, *corrected_gm_cbf(cbf, tissue, m0=m0), *rest)


def region_key(name: str) -> str:
    """What the names of a region's readouts begin with.

    >>> region_key("Left Thalamus")
    'roi_left_thalamus'
    """
    return "roi_" + (re.sub(r"\W+", "_", name.strip().lower()).strip("_") or "region")


def _qei(cbf: Volume, tissue: Tissue) -> Readout:
    if cbf.unit == SCANNER_UNIT:
        return Readout("qei", "QEI", _NAN, "", _NO_QEI)
    return Readout("qei", "QEI", quality_evaluation_index(cbf, tissue), "", f"{_QEI} {_RULES}")


def _region(
    name: str, region: PlacedRegion, cbf: Volume, references: tuple[float, float], errors: PairErrors | None
) -> tuple[Readout, ...]:
    """A region's figures; `references` are the mean of grey matter and the SD of white matter."""
    gm, noise = references
    found, unit, key = region_figures(region, cbf.array, errors), cbf.unit, region_key(name)
    measured = f"{found.coverage:.0%} of it is measured"
    return (
        Readout(f"{key}_mean", f"{name} mean", found.mean, unit, f"Mean over the region, {measured}; {_REGION}"),
        Readout(
            f"{key}_median", f"{name} median", found.median, unit, f"Median over the region, {measured}; {_REGION}"
        ),
        Readout(f"{key}_mean_error", f"{name} mean, error", found.error, unit, _ERROR),
        Readout(f"{key}_sd", f"{name} SD", found.sd, unit, f"SD over the region, {measured}; {_REGION}"),
        Readout(f"{key}_snr", f"{name} SNR", _ratio(found.mean, noise), "", "Region's mean over the WM SD."),
        Readout(f"{key}_over_gm", f"{name} over GM", _ratio(found.mean, gm), "", "Region's mean over the GM mean."),
        Readout(f"{key}_volume", f"{name} volume", found.millilitres, "ml", "Volume of the region as it was drawn."),
        Readout(f"{key}_voxels", f"{name} voxels", found.voxels, "", "Sum of the fractions of voxels that it fills."),
        Readout(
            f"{key}_coverage",
            f"{name} coverage",
            100 * found.coverage,
            "%",
            "Share of the region that lies in voxels which the map has measured.",
        ),
    )


def _values(array: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return array[mask & np.isfinite(array)]


def _figure(of: Callable[[np.ndarray], float], values: np.ndarray) -> float:
    return float(of(values)) if values.size >= FEWEST_VOXELS else _NAN


_mean, _median, _sd = (partial(_figure, of) for of in (np.mean, np.median, np.std))


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else _NAN


def _temporal_snr(pairs: np.ndarray | None, gm: np.ndarray) -> float:
    if pairs is None or len(pairs) < 2:
        return _NAN
    series = np.asarray(pairs)[:, gm].astype(np.float64)
    series = series[:, np.isfinite(series).sum(axis=0) >= 2]
    deviation = np.nanstd(series, axis=0, ddof=1)
    ratio = np.nanmean(series, axis=0)[deviation > 0] / deviation[deviation > 0]
    return _mean(ratio)


def _check_grid(
    geometry: Geometry, tissue: Tissue, regions: Mapping[str, PlacedRegion], pairs: np.ndarray | None
) -> None:
    if not tissue.gm.geometry.matches(geometry):
        raise InputError("The tissue is not on the grid of the CBF map; resample it to the map first.")
    for name, region in regions.items():
        if not region.geometry.matches(geometry):
            raise InputError(f"The region {name!r} is not on the grid of the CBF map; resample it to the map first.")
    if pairs is not None and np.shape(pairs)[1:] != geometry.shape:
        raise InputError(f"The pairs are {np.shape(pairs)}, not (N, {', '.join(map(str, geometry.shape))}).")
