"""The one way through, written once: panel, console and shell all call these functions.

read -> inspect -> prepare -> denoise -> quantify -> measure. This module joins the stages and holds no arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..denoising.catalogue import DEFAULT_MODEL, ModelCard, find_model
from ..denoising.domain import domain_findings
from ..denoising.guides import GuideMaps, find_guides, with_contrast
from ..denoising.recovery import Recovery, recover, recovery_finding
from ..devices import resolve_device
from ..measuring.baselines import noise_matched_gaussian
from ..measuring.masks import FEWEST_VOXELS, white_matter
from ..measuring.readouts import measure
from ..preparing.averaging import mean_difference
from ..preparing.choices import Preparation
from ..preparing.registration import register_rigid
from ..preparing.tissue import tissue_from_t1, tissue_on
from ..preparing.tissue_guess import guess_tissue
from ..preparing.warnings import estimate_finding, tissue_finding
from ..progress import Progress, silent, span
from ..result import Readout, Result
from ..result.maps import (
    DENOISED,
    DENOISED_DIFFERENCE,
    MEAN_ERROR,
    PREPARED,
    RAW,
    RAW_DIFFERENCE,
    RECOVERED,
    RESIDUAL,
    SMOOTHED,
    SUPERRESOLVED,
    UNCERTAINTY,
    Role,
    keys_of,
)
from ..series import CBF_UNIT, ASLSeries, Geometry, Origin, Parameter, Tissue, Volume, VolumeType
from ..spatial.regions import regions_on
from ..spatial.smoothing import gaussian
from ..superresolving import DEFAULT_METHOD as SUPERRESOLUTION
from ..superresolving import LowResolution, PointSpread, method_of, super_resolve, usual_point_spread
from ..superresolving.targets import target_grid, tissue_on_target
from .preparation import Anatomy, Head, Prepared, prepare
from .retreat import retreating

if TYPE_CHECKING:
    from ..denoising.inference import DenoisingResult


_DEFAULT = Preparation()
_NOISE_FWHM = 15.0  # mm
_OF_THE_CARD = ("parameters", "data_source", "intended_use", "licence")
_FEWEST_TO_PART = 8  # pairs


@retreating
def denoise(
    series: ASLSeries,
    *,
    t1: Volume | None = None,
    tissue: Tissue | None = None,
    t1_to_asl: np.ndarray | None = None,
    t1_start: np.ndarray | None = None,
    preparation: Preparation = _DEFAULT,
    model: str = DEFAULT_MODEL,
    device: str = "auto",
    group: int | None = None,
    interleaved: bool = False,
    recovery: bool = True,
    regions: Mapping[str, Volume] | None = None,
    progress: Progress = silent,
) -> Result:
    """Denoise a series and quantify it, raw and noise-matched Gaussian beside it.

    Args:
        series: what was read.
        t1: a T1-weighted image of the same head, for tissue and overlay; None guesses tissue from the M0.
        tissue: known tissue on the grid of the series, instead of one made from `t1` or the M0.
        t1_to_asl: 4x4, LPS mm, takes points of the T1 to the series; used as it is, and judged. None finds it.
        t1_start: 4x4 likewise, rigid, from which alone the search for it starts.
        preparation: which pairs, and what is done to them: motion, nuisances, outliers, smoothing.
        model: a name of the catalogue (`denoising.catalogue.list_models`).
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        group: pairs averaged before the network; None all chosen ones (see `denoising.inference.denoise_pairs`).
        interleaved: how groups are taken.
        recovery: put back what the residual shows the network to have taken from tissue (`denoising.recovery`); models
            that take guides themselves have no need of it and none is done.
        regions: ROI masks (0/1) on the grid of the series, by name.
        progress: told where the run is.

    Returns:
        A `Result` whose maps are raw mean, prepared mean (where preparation changed it), denoised, noise-matched
        Gaussian, raw minus denoised, what recovery put back, the SD of the denoised map's error (models that know it),
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
    card = find_model(model)
    head = Head(t1, tissue, t1_to_asl, t1_start)
    asked = Origin.DEFAULT if device == "auto" else Origin.USER
    chosen = _Network(card, resolve_device(device), asked, group, interleaved, recovery)
    run, anatomy = prepare(series, preparation, head, span(progress, 0.0, 0.7))
    made = _denoised(run, anatomy, head, chosen, span(progress, 0.7, 0.95))
    progress(0.95, "measuring")
    result = _finish(run, t1, anatomy, regions or {}, _maps(run, made, anatomy.tissue), _described(card))
    progress(1.0, "done")
    return result


@dataclass(frozen=True)
class _Network:
    """Which model denoises, where, and how pairs are grouped before it."""

    card: ModelCard
    device: str
    device_origin: Origin
    group: int | None = None
    interleaved: bool = False
    recovery: bool = True


@dataclass(frozen=True, eq=False)
class _Made:
    """What denoising gave, and what was put back after it."""

    denoised: DenoisingResult
    recovered: Recovery | None

    @property
    def difference(self) -> Volume:
        """The difference image in the end."""
        return self.denoised.difference if self.recovered is None else self.recovered.difference


def _denoised(run: Prepared, anatomy: Anatomy, head: Head, chosen: _Network, progress: Progress) -> _Made:
    """Denoise the pairs of a run; what was used is told among its parameters and findings."""
    from ..denoising.inference import denoise_pairs

    card = chosen.card
    run.findings += domain_findings(card, run.pairs, run.brain)
    guides = GuideMaps(m0=with_contrast(run.m0, run.brain))
    if card.guided or chosen.recovery:
        with run.stage("guides"):
            guides = find_guides(run.brain, t1=head.t1, t1_to_asl=anatomy.t1_to_asl, given=head.tissue, m0=run.m0)
        names = guides.names if card.guided else guides.names[:1]  # recovery goes by the best one alone
        run.parameters.append(Parameter("guides", "+".join(names) or "none", "", Origin.DEFAULT))
    with run.stage("denoise"):
        denoised = denoise_pairs(
            run.pairs,
            run.brain,
            card,
            device=chosen.device,
            group=chosen.group,
            interleaved=chosen.interleaved,
            weights=run.weights,
            m0=guides.m0,
            guides=guides.maps,
            progress=span(progress, 0.0, 0.8),
        )
    count, grouped = len(run.pairs.context), chosen.group is not None
    run.parameters += [
        Parameter("model", card.name, "", Origin.DEFAULT if card.name == DEFAULT_MODEL else Origin.USER),
        Parameter("pre_average", chosen.group or count, "pairs", Origin.USER if grouped else Origin.DEFAULT),
        Parameter("device", denoised.device, "", chosen.device_origin),
        Parameter("input_scale", [round(s, 6) for s in denoised.scales], "scanner units", Origin.IMAGE),
    ]
    recovered = None
    if chosen.recovery and not card.guided:
        with run.stage("recover"):
            progress(0.8, "putting back what tissue lost")
            recovered = _recover(run, denoised.difference, guides)
    return _Made(denoised, recovered)


def quantify(
    series: ASLSeries,
    *,
    t1: Volume | None = None,
    tissue: Tissue | None = None,
    t1_to_asl: np.ndarray | None = None,
    t1_start: np.ndarray | None = None,
    preparation: Preparation = _DEFAULT,
    regions: Mapping[str, Volume] | None = None,
    progress: Progress = silent,
) -> Result:
    """CBF of the mean, plain and prepared, with readouts; no denoising. Arguments as `denoise`."""
    head = Head(t1, tissue, t1_to_asl, t1_start)
    run, anatomy = prepare(series, preparation, head, span(progress, 0.0, 0.9))
    progress(0.9, "measuring")
    result = _finish(run, t1, anatomy, regions or {}, _maps(run, None, anatomy.tissue), {})
    progress(1.0, "done")
    return result


@retreating
def superresolve(
    series: ASLSeries,
    *,
    t1: Volume | None = None,
    tissue: Tissue | None = None,
    t1_to_asl: np.ndarray | None = None,
    t1_start: np.ndarray | None = None,
    preparation: Preparation = _DEFAULT,
    method: str = SUPERRESOLUTION,
    spacing: tuple[float, float, float] | None = None,
    like: Geometry | None = None,
    point_spread: PointSpread | None = None,
    model: str | None = None,
    device: str = "auto",
    regions: Mapping[str, Volume] | None = None,
    progress: Progress = silent,
) -> Result:
    """A finer CBF map of a series, or of one CBF map, than was acquired: an estimate, guided by the T1.

    Args:
        series: what was read; one CBF map is a series of one ``cbf`` volume.
        t1, tissue, t1_to_asl, t1_start, preparation, regions, progress: as `denoise`.
        method: of `superresolving.METHODS`.
        spacing, like: the grid wanted (`superresolving.targets.target_grid`); None is the T1's.
        point_spread: of the acquisition beyond its voxels; None what the readout usually has.
        model: denoise with this model first; None super-resolves the prepared mean.
        device: where networks run.

    Returns:
        A `Result` with the acquired map, what was made of it, ``desc-superres_cbf``, its uncertainty where the method
        knows it, and ``desc-residual_cbf``: acquired minus super-resolved, averaged back to the acquired voxels.

    Raises:
        InputError: the series, the head's images, the grid asked for, the method, model or device cannot be used.
    """
    method_of(method, with_t1=t1 is not None)
    card, head = None if model is None else find_model(model), Head(t1, tissue, t1_to_asl, t1_start)
    asked = Origin.DEFAULT if device == "auto" else Origin.USER
    device = resolve_device(device)
    run, anatomy = prepare(series, preparation, head, span(progress, 0.0, 0.4))
    made = None
    if card is not None:
        made = _denoised(run, anatomy, head, _Network(card, device, asked), span(progress, 0.4, 0.5))
    low = run.quantification.cbf(run.cleaned if made is None else made.difference)
    target = target_grid(low, anatomy.t1_to_asl, t1=t1, spacing=spacing, like=like)
    spread = point_spread or usual_point_spread(series.acquisition.readout, low.geometry.spacing)
    noise = _noise_of(run, made)
    parts = _in_two(run) if made is None else None  # a denoised map has seen every pair
    scan = LowResolution(low, target.geometry, t1, anatomy.t1_to_asl, target.to_asl, noise, spread, parts)
    with run.stage("super-resolve"):
        resolved = super_resolve(scan, method=method, device=device, progress=span(progress, 0.5, 0.95))
    origin = Origin.DEFAULT if method == SUPERRESOLUTION else Origin.USER
    run.parameters += [Parameter("superresolution", method, "", origin), *resolved.parameters]
    run.findings.append(estimate_finding(low.geometry, target.geometry))
    maps = _maps(run, made, anatomy.tissue)
    maps |= {SUPERRESOLVED: resolved.fine, RESIDUAL: resolved.residual}
    if resolved.uncertainty is not None:
        maps[UNCERTAINTY] = resolved.uncertainty
    else:
        maps.pop(UNCERTAINTY, None)  # the denoised map's is not the super-resolved one's
    result = _finish(run, t1, anatomy, regions or {}, maps, {} if card is None else _described(card))
    with run.stage("measure"):
        fine = tissue_on_target(target, anatomy.tissue, segmented=None if tissue else anatomy.segmented)
        masks = regions_on(target.geometry, regions or {}, transform=np.linalg.inv(target.to_asl))
        readouts = {**result.readouts, SUPERRESOLVED: measure(resolved.fine, fine, regions=masks)}
    progress(1.0, "done")
    in_t1_space = {SUPERRESOLVED, UNCERTAINTY} & maps.keys() if target.in_t1_space else ()
    return replace(result, readouts=readouts, in_t1_space=frozenset(in_t1_space))


def _finish(
    run: Prepared,
    t1: Volume | None,
    anatomy: Anatomy,
    regions: Mapping[str, Volume],
    maps: dict[str, Volume],
    model: Mapping[str, object],
) -> Result:
    """Readouts of the maps on the grid of the series, and what the doctor says of them."""
    if anatomy.tissue.warning:
        run.findings.append(tissue_finding(anatomy.tissue))
    with run.stage("measure"):
        readouts = _readouts(run, maps, anatomy.tissue, regions)
    return Result(
        run.series,
        maps,
        readouts,
        anatomy.tissue,
        tuple(dict.fromkeys(run.findings)),
        tuple(run.parameters),
        dict(regions),
        t1,
        anatomy.t1_to_asl,
        model,
        run.timings,
        run.motion,
        run.outliers,
        anatomy.segmented,
    )


def _in_two(run: Prepared) -> tuple[Volume, Volume] | None:
    """The CBF of three quarters of the pairs, and of every fourth; None of fewer than eight pairs."""
    count = len(run.pairs.context)
    if count < _FEWEST_TO_PART:
        return None
    fourth = np.arange(count) % 4 == 3
    maps = []
    for chosen in (~fourth, fourth):
        context = tuple(c for c, is_in in zip(run.pairs.context, chosen, strict=True) if is_in)
        pairs = replace(run.pairs, array=run.pairs.array[chosen], context=context)
        weights = None if run.weights is None else run.weights[chosen]
        maps.append(run.quantification.cbf(mean_difference(pairs, weights)))
    return maps[0], maps[1]


def _noise_of(run: Prepared, made: _Made | None) -> Volume | None:
    """The noise SD of the map to super-resolve, smoothed as variance, since few pairs know it badly; None: unknown."""
    sd = run.error if made is None else made.denoised.uncertainty
    if sd is None:
        return None
    cbf = run.quantification.cbf(sd)
    variance = gaussian(cbf.with_array(cbf.array**2), _NOISE_FWHM, mask=run.brain)
    return cbf.with_array(np.sqrt(variance.array), name="noise")


def _recover(run: Prepared, denoised: Volume, guides: GuideMaps) -> Recovery | None:
    """Recovery by the guide maps, else by the M0, else none; the finding says which."""
    if not guides.names:
        return None
    run.findings.append(recovery_finding(guides.names[0]))
    return recover(denoised, run.cleaned, run.brain, guides=guides.maps, m0=guides.m0)


def _maps(run: Prepared, made: _Made | None, tissue: Tissue) -> dict[str, Volume]:
    """Every map of the run, raw first; `result.maps.MAPS` says what each is."""
    raw, cleaned, to_cbf = run.raw, run.cleaned, run.quantification.cbf
    maps = {RAW: to_cbf(raw)}
    if cleaned is not raw:
        maps[PREPARED] = to_cbf(cleaned)
    if made is not None:
        maps[DENOISED] = to_cbf(made.difference)
        smoothed, fwhm = _noise_matched(to_cbf(cleaned), maps[DENOISED], tissue)
        if smoothed is not None:
            maps[SMOOTHED] = smoothed
            note = "Gaussian with the white-matter SD of the denoised map"
            run.parameters.append(Parameter("noise_matched_fwhm", round(fwhm, 2), "mm", Origin.IMAGE, note))
        residual = maps[RAW].array - maps[DENOISED].array
        maps[RESIDUAL] = maps[RAW].with_array(residual)
        if made.recovered is not None:
            maps[RECOVERED] = to_cbf(made.recovered.put_back)
        if made.denoised.uncertainty is not None:
            maps[UNCERTAINTY] = to_cbf(made.denoised.uncertainty)
    if run.error is not None:
        maps[MEAN_ERROR] = to_cbf(run.error)
    if run.pairs.context[0] is not VolumeType.CBF:
        maps[RAW_DIFFERENCE] = raw
        if made is not None:
            maps[DENOISED_DIFFERENCE] = made.difference
    return maps


def _noise_matched(raw: Volume, denoised: Volume, tissue: Tissue) -> tuple[Volume | None, float]:
    """The Gaussian baseline, or None where white matter is too small to match noise in."""
    white = white_matter(tissue) & np.isfinite(denoised.array)
    if white.sum() < FEWEST_VOXELS:
        return None, float("nan")
    return noise_matched_gaussian(raw, float(np.std(denoised.array[white])), tissue)


def _readouts(
    run: Prepared, maps: Mapping[str, Volume], tissue: Tissue, regions: Mapping[str, Volume]
) -> dict[str, tuple[Readout, ...]]:
    """Readouts of the raw, prepared, denoised and noise-matched maps; tSNR of the first two, which have pairs."""
    judged = keys_of(Role.RAW, Role.PREPARED, Role.PROCESSED, Role.COMPARISON)
    pairs = {RAW: run.acquired.array, PREPARED: run.kept_pairs}
    factor = run.quantification.factor.array
    return {
        key: measure(maps[key], tissue, regions=regions, pairs=pairs[key] * factor if key in pairs else None, m0=run.m0)
        for key in judged
        if key in maps
    }


def _described(card: ModelCard) -> dict[str, object]:
    return {
        "name": card.name,
        "sha256": card.sha256,
        "summary": card.summary,
        "domain": {name: list(limits) for name, limits in card.domain.items()},
        **{name: card.metadata[name] for name in _OF_THE_CARD if name in card.metadata},
    }


def measure_map(cbf: Volume, tissue: Tissue, *, regions: Mapping[str, Volume] | None = None) -> tuple[Readout, ...]:
    """Readouts of a CBF map that exists already (any source); see `measuring.readouts.measure`."""
    return measure(cbf if cbf.unit else cbf.with_array(cbf.array, unit=CBF_UNIT), tissue, regions=regions or {})


def tissue_of_map(cbf: Volume, *, t1: Volume | None = None, tissue: Tissue | None = None) -> Tissue:
    """Tissue on the grid of a CBF map that stands alone: given, from a T1 of the head, or guessed with a warning."""
    if tissue is not None:
        return tissue
    if t1 is not None:
        segmented = tissue_from_t1(t1)
        registration = register_rigid(t1, cbf, moving_mask=segmented.brain)
        return tissue_on(cbf.geometry, segmented, transform=registration.matrix)
    measured = cbf.with_array(np.isfinite(cbf.array) & (cbf.array != 0))
    return guess_tissue(cbf, measured)
