"""Of several delays: CBF and arrival time, fitted to what was acquired, prepared and denoised.

Afterwards the run is like one of CBF maps: its raw, prepared and denoised images are those of the fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..auditing.curves import keep_means, off_the_curve, verdict_of_curves
from ..denoising.catalogue import DEFAULT_MODEL
from ..denoising.inference import DenoisingResult
from ..findings import FindingKind, note_kind
from ..fitting.curves import curves_of
from ..fitting.maps import DelayMeans, FittedMaps
from ..fitting.noise import errors_of_means, scale_of_residual, weighted_alike
from ..fitting.regions import fit_region
from ..fitting.spatial import fit_with_prior
from ..fitting.vessels import vessels_of
from ..fitting.voxelwise import fit_voxels
from ..measuring.arrival import arrival_readouts
from ..measuring.delay_curves import CurveImages, region_curves
from ..measuring.masks import FEWEST_VOXELS, grey_matter, tissue_masks
from ..progress import Progress
from ..quantifying.cbf import as_it_is
from ..quantifying.kinetic_model import KineticModel, kinetic_model
from ..quantifying.kinetics import delay_of_slices
from ..quantifying.look_locker import with_excitations
from ..remedies import Advice, Choose
from ..result import Readout, maps
from ..result.delay_curves import DelayCurves
from ..series import CBF_UNIT, Origin, Parameter, Volume
from .state import Fits, RunState

_MANY = 20.0  # % of grey matter whose arrival time is not known
PRIOR = {
    "name": "spatial prior",
    "summary": "CBF and arrival time of all delays that are most probable, by the tissue of a voxel and what lies "
    "around it; how much each varies, and how large the noise is, are learned from the series itself. No network.",
}
_NOT_ASKED = note_kind(
    "model-not-asked",
    "The model {model} was not asked",
    "several delays are denoised by the prior of their fit, which measured better",
    Choose("no-spatial-prior", text="have the model denoise each delay, and every voxel fitted alone,"),
)
_BOUNDS = FindingKind(
    "arrival-at-bounds",
    "The arrival time of {share:.0f} % of grey matter is not known",
    "in {early:.0f} % label is there before the first delay can tell, which leaves CBF known; in {late:.0f} % it seems "
    "to arrive after the last, and CBF is not known either",
    Advice("leave out what desc-bounds marks, or acquire longer delays, or shorter ones"),
    severities="warning or note",
)
_OFF_CURVE = FindingKind(
    "off-the-curve",
    "The fitted curve of {tissue} is off what was measured at {delays} s",
    "by {most:.2g} {unit}, of which noise explains {error:.2g}; label in arteries, a wrong label duration or a wrong "
    "T1 of blood are the usual reasons",
    Advice("look at the curves in the report, and check delays and label durations against the protocol"),
)


def fit_delays(run: RunState, progress: Progress) -> None:
    """Fit what was acquired, what was prepared, and what was denoised.

    Raises:
        InputError: the delays do not tell what is to be fitted.
    """
    asked, acquisition = run.request.fit, run.delays[0].aligned.acquisition
    model, parameters = kinetic_model(acquisition, kinetics=asked.kinetics, macrovascular=asked.macrovascular)
    times = [one.delay.delay for one in run.delays], [one.delay.duration for one in run.delays]
    model, excited = with_excitations(model, acquisition, *times)
    parameters += excited
    run.tell(parameters)
    acquired = _means(run, lambda one: one.raw, _noise(run, [one.acquired.array for one in run.delays], None))
    raw, acquired = _fitted(acquired, model)
    progress(0.3, "fitted what was acquired")
    prepared, clean = raw, acquired
    if any(one.cleaned is not one.raw for one in run.delays):
        noise = _noise(run, [one.pairs.array for one in run.delays], [one.weights for one in run.delays])
        prepared, clean = _fitted(_means(run, lambda one: one.cleaned, noise), model)
    progress(0.6, "fitted what was prepared")
    denoised, smooth = None, clean
    # guessed tissue, too: without any, the prior draws grey matter towards white
    together = fit_with_prior(clean, model, tissue=(run.tissue.gm.array, run.tissue.wm.array))
    if run.by_prior and run.request.denoising is not None:
        denoised = _told(run, together, clean, model)
    elif run.request.denoising is not None:
        denoised, smooth = _fit_denoised(run, clean, model)
    tissues = tuple(_of_tissues(run, means, model) for means in (acquired, clean, smooth))
    run.fits = Fits(raw, prepared, denoised, vessels_of(clean, together, model), tissues)
    run.curves = _curves(run, clean, model)
    _hand_on(run)
    _tell(run)


def _noise(
    run: RunState, differences: Sequence[np.ndarray], weights: Sequence[np.ndarray | None] | None
) -> np.ndarray | None:
    """SDs of the mean differences in scanner units; None where no delay has two pairs."""
    weights = weights or [None] * len(differences)
    inside = run.brain.array > 0
    return errors_of_means(differences, weights, brain=inside, spacing=run.brain.geometry.spacing)


def _means(run: RunState, image: Callable[[RunState], Volume], noise: np.ndarray | None) -> DelayMeans:
    """What a fit is given, of one image a delay; noise that is not known is taken as alike in all of them."""
    slices = run.brain.geometry.size[2]
    factors = np.stack([one.quantification.factor.array for one in run.delays])
    images = np.stack([image(one).array for one in run.delays]) * factors
    noise = np.ones_like(images) if noise is None else noise
    delays = [delay_of_slices(one.aligned.acquisition, one.delay.delay, slices) for one in run.delays]
    durations = np.array([one.delay.duration for one in run.delays], float)
    inside = (run.brain.array > 0) & np.isfinite(factors).all(axis=0)
    spacing = run.brain.geometry.spacing[::-1]
    return DelayMeans(images, noise * np.abs(factors), np.stack(delays), durations, inside, spacing)


def _fitted(means: DelayMeans, model: KineticModel) -> tuple[FittedMaps, DelayMeans]:
    """The plain fit of every voxel, with errors as large as what it leaves says; and the means with those errors."""
    fitted = fit_voxels(means, model)
    count = 3 if model.macrovascular else 2
    scale = scale_of_residual(means.images, curves_of(fitted, means, model), means.errors, parameters=count)
    means = replace(means, errors=means.errors * np.float32(scale))
    sds = {"cbf_sd": fitted.cbf_sd * scale, "att_sd": fitted.att_sd * scale}
    if fitted.abv_sd is not None:
        sds["abv_sd"] = fitted.abv_sd * scale
    return replace(fitted, **sds), means


def _told(run: RunState, fitted: FittedMaps, clean: DelayMeans, model: KineticModel) -> FittedMaps:
    """What a prior fitted, audited where that is asked, and told as what denoised."""
    asked = run.request.denoising
    note = f"tissue: {run.tissue.source}"
    run.parameters.append(Parameter("denoised_by", PRIOR["name"], "", Origin.DEFAULT, note))
    if asked.model != DEFAULT_MODEL:
        run.findings.append(_NOT_ASKED.finding(model=asked.model))
    return keep_means(fitted, clean, model, run.tissue) if asked.audit else fitted


def _fit_denoised(run: RunState, clean: DelayMeans, model: KineticModel) -> tuple[FittedMaps, DelayMeans]:
    """The fit of the denoised means; a denoiser that does not know its error is taken to leave what it was given."""

    def error(one: RunState) -> Volume | None:
        return one.denoised.uncertainty if one.audit is None else one.audit.uncertainty

    means = replace(_means(run, lambda one: one.difference, None), errors=clean.errors)
    if all(error(one) is not None for one in run.delays):
        known = np.stack([one.quantification.cbf(error(one)).array for one in run.delays])
        means = replace(means, errors=weighted_alike(clean.errors, known))
    return fit_voxels(means, model), means


def _of_tissues(run: RunState, means: DelayMeans, model: KineticModel) -> dict[str, float]:
    """The CBF that fits the mean curve of grey and of white matter."""
    masks = {name.lower(): mask for name, (mask, _) in tissue_masks(run.tissue).items()}
    return {name: fit_region(means, mask, model)[0] for name, mask in masks.items() if mask.sum() >= FEWEST_VOXELS}


def _hand_on(run: RunState) -> None:
    """From here on the run's images are CBF, in the unit of the run."""
    unit, fits = run.quantification.unit, run.fits

    def volume(array: np.ndarray) -> Volume:
        return run.brain.with_array(array, unit=unit, name="cbf")

    run.quantification = replace(as_it_is(run.brain, unit), parameters=run.quantification.parameters)
    run.raw = volume(fits.raw.cbf)
    run.cleaned = run.raw if fits.prepared is fits.raw else volume(fits.prepared.cbf)
    run.error = volume(fits.prepared.cbf_sd)
    if fits.denoised is not None:
        by_network = [one.denoised for one in run.delays if one.denoised is not None]
        device = by_network[0].device if by_network else "cpu"
        scales = tuple(scale for each in by_network for scale in each.scales)
        difference, error = volume(fits.denoised.cbf), volume(fits.denoised.cbf_sd)
        run.denoised = DenoisingResult(difference, device, scales, error)


def _curves(run: RunState, clean: DelayMeans, model: KineticModel) -> DelayCurves:
    """Of grey and white matter and regions, measured and fitted."""
    fits = run.fits
    factors = [one.quantification.factor.array for one in run.delays]
    images = CurveImages(
        clean.images,
        [one.kept_pairs * factor for one, factor in zip(run.delays, factors, strict=True)],
        curves_of(fits.furthest, clean, model),
        curves_of(fits.prepared, clean, model),
        fits.furthest.cbf,
        fits.furthest.att,
    )
    return DelayCurves(
        tuple(one.delay.delay for one in run.delays),
        tuple(float(one.delay.duration) for one in run.delays),
        tuple(len(one.pairs.context) for one in run.delays),
        run.quantification.unit,
        region_curves(images, run.tissue, run.regions),
        model.kinetics,
    )


def _tell(run: RunState) -> None:
    """Where arrival times are not known, where a tissue is off its curve, and whether its mean was kept."""
    curves, fits = run.curves, run.fits
    grey = grey_matter(run.tissue) & np.isfinite(fits.prepared.cbf)
    early, late = (100 * float((fits.prepared.bounds[grey] == end).mean()) if grey.any() else 0.0 for end in (-1, 1))
    if early + late > _MANY:
        severity = "warning" if late > _MANY else "note"
        run.findings.append(_BOUNDS.finding(severity=severity, share=early + late, early=early, late=late))
    for off in off_the_curve(curves):
        delays = ", ".join(f"{delay:g}" for delay in off.delays)
        told = {"tissue": off.tissue, "delays": delays, "most": off.residual, "error": off.error, "unit": curves.unit}
        run.findings.append(_OFF_CURVE.finding(**told))
    asked = run.request.denoising
    if asked is not None and asked.audit:
        run.verdict = verdict_of_curves(curves, [one.verdict for one in run.delays if one.verdict is not None])


def delay_maps(run: RunState) -> dict[str, Volume]:
    """Arrival times, their SDs, arterial blood volumes and masks, by the keys of `result.maps`."""
    if run.fits is None:
        return {}
    fits, found = run.fits, {}

    def add(key: str, array: np.ndarray | None, unit: str) -> None:
        if array is not None:
            found[key] = run.brain.with_array(array, unit=unit, name=maps.MAPS[key].short)

    add(maps.RAW_ATT, fits.raw.att, "s")
    if fits.prepared is not fits.raw:
        add(maps.PREPARED_ATT, fits.prepared.att, "s")
    add(maps.ATT_MEAN_ERROR, fits.prepared.att_sd, "s")
    fraction = "" if run.quantification.unit == CBF_UNIT else run.quantification.unit  # without an M0 it is none
    add(maps.PREPARED_ABV, fits.prepared.abv, fraction)
    if fits.denoised is not None:
        add(maps.DENOISED_ATT, fits.denoised.att, "s")
        add(maps.ATT_UNCERTAINTY, fits.denoised.att_sd, "s")
        add(maps.DENOISED_ABV, fits.denoised.abv, fraction)
    bounds = (fits.prepared.bounds != 0) | (fits.furthest.bounds != 0)
    add(maps.BOUNDS, bounds.astype(np.float32), "")
    add(maps.VESSELS, fits.vessels.astype(np.float32), "")
    return found


def arrival_of_maps(run: RunState) -> dict[str, tuple[Readout, ...]]:
    """Readouts of the arrival time behind each map of CBF, by the key of the latter."""
    if run.fits is None:
        return {}
    fits, unit = run.fits, run.quantification.unit
    acquired, prepared, denoised = fits.tissues
    each = {maps.RAW: (fits.raw, run.raw, acquired), maps.PREPARED: (fits.prepared, run.cleaned, prepared)}
    if fits.prepared is fits.raw:
        del each[maps.PREPARED]
    if fits.denoised is not None:
        each[maps.DENOISED] = (fits.denoised, run.denoised.difference, denoised)
    found = {}
    for key, (fitted, cbf, curves) in each.items():
        att = run.brain.with_array(fitted.att, unit="s")
        given = {"regions": run.regions, "cbf": cbf, "vessels": fits.vessels, "curves": curves}
        found[maps.in_unit(key, unit)] = arrival_readouts(att, fitted.bounds, run.tissue, **given)
    return found
