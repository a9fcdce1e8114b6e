"""Runs as one call each, for consoles and scripts: every argument is a field of the `Request` that the call makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..denoising.catalogue import DEFAULT_MODEL
from ..given import fitted
from ..measuring.readouts import measure
from ..preparing.choices import Preparation
from ..preparing.registration import register_rigid
from ..preparing.series_fit import fit_findings, series_fit
from ..preparing.t1_contrast import contrast_findings
from ..preparing.t1_image import require_image
from ..preparing.tissue import tissue_on
from ..preparing.tissue_guess import guess_tissue
from ..preparing.tissue_t1 import tissue_from_t1
from ..progress import Progress, silent
from ..result import Readout, Result
from ..series import CBF_UNIT, ASLSeries, Geometry, Tissue, Volume
from ..superresolving import DEFAULT_METHOD as SUPERRESOLUTION
from .atlases import atlas_asked
from .region_steps import regions_of_map
from .request import ArrivalMap, Atlas, DelayFit, Denoising, Head, Outputs, Region, Request, SeriesFile, SuperResolution
from .run import run

_DEFAULT = Preparation()
_FIT = DelayFit()


@fitted
def denoise(
    series: ASLSeries | SeriesFile | Path,
    *,
    t1: Volume | Path | None = None,
    tissue: Tissue | None = None,
    tissue_space: str = "asl",
    t1_to_asl: np.ndarray | Path | None = None,
    t1_start: np.ndarray | Path | None = None,
    preparation: Preparation = _DEFAULT,
    model: str = DEFAULT_MODEL,
    device: str = "auto",
    group: int | None = None,
    interleaved: bool = False,
    audit: bool = True,
    pairs_needed: bool = False,
    split_half: bool = False,
    adapt: bool = False,
    regions: Mapping[str, Volume | Region] | None = None,
    atlas: Atlas | Volume | Path | None = None,
    mni: bool = False,
    fit: DelayFit = _FIT,
    att: ArrivalMap | Volume | Path | None = None,
    progress: Progress = silent,
) -> Result:
    """Denoise a series and quantify it, raw and noise-matched Gaussian beside it.

    Args:
        series: what was read, or what `read` would be given; images and transforms may be paths likewise.
        t1, tissue, t1_to_asl, t1_start: of the same head (`request.Head`); tissue on the grid of the series, or with
            `tissue_space` ``t1`` on any grid in the space of the T1.
        preparation: which pairs, and what is done to them: motion, nuisances, outliers, smoothing.
        model, group, interleaved, audit: of the network (`request.Denoising`).
        pairs_needed: measure how many pairs are enough as well (`Result.pairs_needed`): some twenty times the network.
        split_half: compare odd with even pairs as well (`Result.split_half`): twice the network.
        adapt: let the network learn from the noise of this scan first, and use what it learned if it earns its place
            (`Result.adaptation`); takes 12 pairs.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        regions: ROI masks (above 0 inside), by name; a `request.Region` says that it was drawn on the T1.
        atlas: a label image, each label a region (`request.Atlas`); or the name of one that nilearn fetches
            (`reading.fetched_atlases`), ``schaefer-100`` say, in MNI space.
        mni: CBF in MNI space as well.
        fit: how a series of several delays is fitted (`request.DelayFit`).
        att: arrival times (s) of another scan of the head, which correct the CBF of a series of one delay; a
            `request.ArrivalMap` says where the map lies, and its error.
        progress: told where the run is.

    Returns:
        A `Result` whose maps are raw mean, prepared mean (where preparation changed it), denoised, noise-matched
        Gaussian, raw minus denoised, what the audit put back, the SD of the denoised map's error (models that know it),
        the mean's standard error (three pairs or more), and the difference images behind them.

    Raises:
        InputError: the series, the choice of pairs, the head's images, the model or the device cannot be used.

    >>> import ASLDenoiseLib as ad
    >>> series = ad.read(ad.sample_data().asl)
    >>> result = denoise(series, preparation=Preparation(pairs="1-4", motion=False), device="cpu")
    >>> result.maps["desc-denoised_cbf"]
    <Volume cbf, 64 x 64 x 22 voxels of 3.4 x 3.4 x 6 mm, ml/100g/min>
    >>> result.values("desc-denoised_cbf")["wm_sd"] < result.values("desc-mean_cbf")["wm_sd"]
    True
    """
    head = Head(t1, tissue=tissue, t1_to_asl=t1_to_asl, t1_start=t1_start, tissue_space=tissue_space)
    denoising = Denoising(model, group, interleaved, audit, pairs_needed, split_half, adapt)
    outputs = _outputs(regions, atlas, mni)
    asked = Request(series, head, preparation, denoising, outputs=outputs, device=device, fit=fit, arrival=att)
    return run(asked, progress)


@fitted
def quantify(
    series: ASLSeries | SeriesFile | Path,
    *,
    t1: Volume | Path | None = None,
    tissue: Tissue | None = None,
    tissue_space: str = "asl",
    t1_to_asl: np.ndarray | Path | None = None,
    t1_start: np.ndarray | Path | None = None,
    preparation: Preparation = _DEFAULT,
    regions: Mapping[str, Volume | Region] | None = None,
    atlas: Atlas | Volume | Path | None = None,
    mni: bool = False,
    fit: DelayFit = _FIT,
    att: ArrivalMap | Volume | Path | None = None,
    progress: Progress = silent,
) -> Result:
    """CBF of the mean, plain and prepared, with readouts; no denoising. Arguments as `denoise`."""
    head = Head(t1, tissue=tissue, t1_to_asl=t1_to_asl, t1_start=t1_start, tissue_space=tissue_space)
    outputs = _outputs(regions, atlas, mni)
    return run(Request(series, head, preparation, outputs=outputs, fit=fit, arrival=att), progress)


@fitted
def superresolve(
    series: ASLSeries | SeriesFile | Path,
    *,
    t1: Volume | Path | None = None,
    tissue: Tissue | None = None,
    tissue_space: str = "asl",
    t1_to_asl: np.ndarray | Path | None = None,
    t1_start: np.ndarray | Path | None = None,
    preparation: Preparation = _DEFAULT,
    method: str = SUPERRESOLUTION,
    spacing: tuple[float, float, float] | None = None,
    like: Geometry | Path | None = None,
    point_spread: tuple[float, float, float] | None = None,
    model: str | None = None,
    device: str = "auto",
    group: int | None = None,
    interleaved: bool = False,
    audit: bool = True,
    pairs_needed: bool = False,
    split_half: bool = False,
    adapt: bool = False,
    regions: Mapping[str, Volume | Region] | None = None,
    atlas: Atlas | Volume | Path | None = None,
    mni: bool = False,
    fit: DelayFit = _FIT,
    att: ArrivalMap | Volume | Path | None = None,
    progress: Progress = silent,
) -> Result:
    """A finer CBF map of a series, or of one CBF map, than was acquired: an estimate, guided by the T1.

    Args:
        series: what was read; one CBF map is a series of one ``cbf`` volume.
        t1, tissue, tissue_space, t1_to_asl, t1_start, preparation, device, regions, atlas, mni, fit, att, progress: as
            `denoise`.
        method, spacing, like, point_spread: `request.SuperResolution`.
        model: denoise with this model first, `group`, `interleaved`, `audit`, `pairs_needed`, `split_half` and `adapt`
            as `denoise`; None super-resolves the prepared mean.

    Returns:
        A `Result` with the acquired map, what was made of it, ``desc-superres_cbf``, its uncertainty where the method
        knows it, and ``desc-residual_cbf``: acquired minus super-resolved, averaged back to the acquired voxels.

    Raises:
        InputError: the series, the head's images, the grid asked for, the method, model or device cannot be used.
    """
    head = Head(t1, tissue=tissue, t1_to_asl=t1_to_asl, t1_start=t1_start, tissue_space=tissue_space)
    denoising = None if model is None else Denoising(model, group, interleaved, audit, pairs_needed, split_half, adapt)
    finer = SuperResolution(method, spacing, like, point_spread)
    outputs = _outputs(regions, atlas, mni)
    return run(Request(series, head, preparation, denoising, finer, outputs, device, fit, att), progress)


def _outputs(regions: Mapping[str, Volume | Region] | None, atlas: Atlas | Volume | Path | None, mni: bool) -> Outputs:
    given = ((name, each) for name, each in (regions or {}).items())
    placed = tuple(replace(each, name=name) if isinstance(each, Region) else Region(name, each) for name, each in given)
    return Outputs(placed, mni, atlases=() if atlas is None else (atlas_asked(atlas),))


@fitted
def measure_map(
    cbf: Volume,
    tissue: Tissue,
    *,
    regions: Mapping[str, Volume | Region] | None = None,
    atlas: Atlas | Volume | Path | None = None,
    t1_to_map: np.ndarray | None = None,
) -> tuple[Readout, ...]:
    """Readouts of a CBF map that exists already (any source); see `measuring.readouts.measure`.

    Args:
        cbf: the map, in ml/100g/min where it does not say.
        tissue: on its grid.
        regions, atlas: as `denoise`, on any grid.
        t1_to_map: 4x4, LPS mm, from points of the T1 to points of the map, for regions that were drawn on the T1.

    Raises:
        InputError: tissue or a region does not go with the map.
    """
    asked = _outputs(regions, atlas, False)
    placed = regions_of_map(asked.regions, asked.atlases, cbf.geometry, t1_to_map=t1_to_map)
    return measure(cbf if cbf.unit else cbf.with_array(cbf.array, unit=CBF_UNIT), tissue, regions=placed)


def tissue_of_map(cbf: Volume, *, t1: Volume | None = None, tissue: Tissue | None = None) -> Tissue:
    """Tissue on the grid of a CBF map that stands alone: given, from a T1 of the head, or guessed with a warning."""
    return head_of_map(cbf, t1=t1, tissue=tissue)[0]


def head_of_map(
    cbf: Volume, *, t1: Volume | None = None, tissue: Tissue | None = None
) -> tuple[Tissue, np.ndarray | None]:
    """`tissue_of_map`, and 4x4, LPS mm, from points of the T1 to points of the map; None where no T1 was aligned."""
    if tissue is not None:
        return tissue, None
    if t1 is not None:
        segmented = tissue_from_t1(require_image(t1))
        registration = register_rigid(t1, cbf, moving_mask=segmented.brain)
        tissue = tissue_on(cbf.geometry, segmented, transform=registration.matrix)
        fit = series_fit(segmented, registration, [cbf], tissue.brain)
        found = [*contrast_findings(segmented.levels), *fit_findings(fit)]
        told = [f"{each.what} ({each.why}). {each.remedy}" for each in found]
        warning = " ".join(filter(None, (*told, registration.warning, tissue.warning)))
        return replace(tissue, warning=warning), registration.matrix
    measured = cbf.with_array(np.isfinite(cbf.array) & (cbf.array != 0))
    return guess_tissue(cbf, measured), None
