"""The one way through, written once: panel, console and shell all call these functions.

read -> inspect -> prepare -> denoise -> quantify -> measure. This module joins the stages and holds no arithmetic.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .denoising.catalogue import DEFAULT_MODEL, ModelCard, find_model
from .denoising.domain import domain_findings
from .denoising.guides import GuideMaps, find_guides, with_contrast
from .denoising.recovery import Recovered, recover, recovery_finding
from .measuring.baselines import noise_matched_gaussian
from .measuring.masks import FEWEST_VOXELS, white_matter
from .measuring.readouts import measure
from .preparing.averaging import mean_difference, standard_error
from .preparing.brain_mask import brain_mask, mask_of_cbf
from .preparing.doubts import outlier_finding, registration_finding, tissue_finding
from .preparing.outliers import DEFAULT_METHOD as OUTLIERS
from .preparing.outliers import OutlierContext, OutlierReport, find_outliers
from .preparing.pairs import difference_volumes, select_pairs
from .preparing.registration import register_rigid
from .preparing.tissue import tissue_from_m0, tissue_from_t1, tissue_on
from .quantifying.calibration import calibrate
from .quantifying.cbf import Quantification, quantification
from .reading.inspecting import inspect, require_quantifiable
from .result import Readout, Result
from .running.device import resolve_device
from .running.progress import Progress, silent, span
from .series import (
    CBF_UNIT,
    ASLSeries,
    Finding,
    Origin,
    Parameter,
    Tissue,
    Volume,
    VolumeType,
)

if TYPE_CHECKING:
    from .denoising.inference import Denoised


@dataclass(eq=False)
class _Run:
    """What the stages of one run have in common while it runs."""

    series: ASLSeries
    pairs: ASLSeries
    raw: Volume  # the plain mean of the pairs
    cleaned: Volume  # the mean without outliers; the raw one where there are none
    error: Volume | None  # standard error of the cleaned mean
    brain: Volume
    m0: Volume | None  # the image that calibrates the pairs
    quantification: Quantification
    findings: list[Finding]
    parameters: list[Parameter]
    timings: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        started = time.perf_counter()
        yield
        self.timings[name] = round(self.timings.get(name, 0.0) + time.perf_counter() - started, 3)


def denoise(
    series: ASLSeries,
    *,
    t1: Volume | None = None,
    model: str = DEFAULT_MODEL,
    pairs: str | None = None,
    device: str = "auto",
    group: int | None = None,
    interleaved: bool = False,
    recovery: bool = True,
    outliers: str = OUTLIERS,
    tissue: Tissue | None = None,
    regions: Mapping[str, Volume] | None = None,
    progress: Progress = silent,
) -> Result:
    """Denoise a series and quantify it, raw and noise-matched Gaussian beside it.

    Args:
        series: what was read.
        t1: a T1-weighted image of the same head, for tissue and overlay; None guesses tissue from the M0.
        model: a name of the catalogue (`denoising.catalogue.list_models`).
        pairs: ``"10"`` the first ten pairs, ``"1-10"`` a range, None all.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        group: pairs averaged before the network; None all chosen ones (see `denoising.inference.denoise_pairs`).
        interleaved: how groups are taken.
        recovery: put back what the residual shows the network to have taken from tissue (`denoising.recovery`); models
            that take guides themselves have no need of it and none is done.
        outliers: how pairs and slices that would spoil the mean are found (`preparing.outliers.METHODS`).
        tissue: known tissue on the grid of the series, instead of one made from `t1` or the M0.
        regions: ROI masks (0/1) on the grid of the series, by name.
        progress: told where the run is.

    Returns:
        A `Result` whose maps are raw mean, the mean without outliers (where there are any), denoised, noise-matched
        Gaussian, raw minus denoised, what recovery put back, the SD of the denoised map's error (models that know it),
        the mean's standard error (three pairs or more), and the difference images behind them.

    Raises:
        InputError: the series, the choice of pairs, the model or the device cannot be used.
    """
    from .denoising.inference import denoise_pairs

    card = find_model(model)
    device_origin = Origin.DEFAULT if device == "auto" else Origin.USER
    device = resolve_device(device)
    run = _begin(series, pairs, span(progress, 0.0, 0.1))
    run.findings += domain_findings(card, run.pairs, run.brain)
    with run.stage("tissue"):
        anatomy = _find_tissue(run, t1, tissue, span(progress, 0.1, 0.7))
        report = _clean(run, outliers, anatomy.tissue)
        used = card.guided or recovery
        guides = (
            find_guides(run.brain, t1=t1, t1_to_asl=anatomy.t1_to_asl, given=tissue, m0=run.m0)
            if used
            else GuideMaps(m0=with_contrast(run.m0, run.brain))
        )
    if used:
        names = guides.names if card.guided else guides.names[:1]  # recovery goes by the best one alone
        run.parameters.append(Parameter("guides", "+".join(names) or "none", "", Origin.DEFAULT))
    with run.stage("denoise"):
        denoised = denoise_pairs(
            run.pairs,
            run.brain,
            card,
            device=device,
            group=group,
            interleaved=interleaved,
            weights=report.weights if report.rejections else None,
            m0=guides.m0,
            guides=guides.maps,
            progress=span(progress, 0.7, 0.85),
        )
    run.parameters += [
        Parameter("model", card.name, "", Origin.DEFAULT if model == DEFAULT_MODEL else Origin.USER),
        Parameter("pre_average", group or len(run.pairs.context), "pairs", Origin.USER if group else Origin.DEFAULT),
        Parameter("device", denoised.device, "", device_origin),
        Parameter("input_scale", [round(s, 6) for s in denoised.scales], "scanner units", Origin.IMAGE),
    ]
    recovered = None
    if recovery and not card.guided:
        with run.stage("recover"):
            progress(0.85, "putting back what tissue lost")
            recovered = _recover(run, denoised.difference, guides)
    return _finish(
        run,
        t1,
        anatomy,
        regions or {},
        span(progress, 0.85, 1.0),
        denoised=denoised,
        recovered=recovered,
        model=_described(card),
    )


def quantify(
    series: ASLSeries,
    *,
    t1: Volume | None = None,
    pairs: str | None = None,
    outliers: str = OUTLIERS,
    tissue: Tissue | None = None,
    regions: Mapping[str, Volume] | None = None,
    progress: Progress = silent,
) -> Result:
    """CBF of the mean, plain and without outliers, with readouts; no denoising. Arguments as `denoise`."""
    run = _begin(series, pairs, span(progress, 0.0, 0.2))
    with run.stage("tissue"):
        anatomy = _find_tissue(run, t1, tissue, span(progress, 0.2, 0.85))
        _clean(run, outliers, anatomy.tissue)
    return _finish(run, t1, anatomy, regions or {}, span(progress, 0.85, 1.0))


def _begin(series: ASLSeries, choice: str | None, progress: Progress) -> _Run:
    """Inspect, subtract, mask and calibrate."""
    progress(0.0, "inspecting the series")
    started = time.perf_counter()
    require_quantifiable(series)
    findings = list(inspect(series))
    every = difference_volumes(series)
    pairs = select_pairs(every, choice)
    parameters = [*series.acquisition.parameters(), *series.mends]
    origin = Origin.DEFAULT if choice is None else Origin.USER
    parameters.append(Parameter("pairs", choice or f"1-{len(every.context)}", "", origin))
    raw = mean_difference(pairs)
    progress(0.5, "finding the brain")
    if pairs.context[0] is VolumeType.CBF:
        brain = mask_of_cbf(raw) if series.m0 is None else brain_mask(series.m0)
        factor = brain.with_array(np.where(brain.array > 0, 1.0, np.nan))
        quantified, m0 = Quantification(factor, ()), series.m0
    else:
        calibration = calibrate(series)
        m0 = calibration.m0
        brain = brain_mask(calibration.m0 if series.m0 is not None else _reference(series, raw))
        quantified = quantification(series.acquisition, calibration, brain)
    known = {p.name for p in parameters}
    parameters += [p for p in quantified.parameters if p.name not in known]
    run = _Run(series, pairs, raw, raw, standard_error(pairs), brain, m0, quantified, findings, parameters)
    run.timings["prepare"] = round(time.perf_counter() - started, 3)
    progress(1.0, "prepared")
    return run


def _clean(run: _Run, method: str, tissue: Tissue) -> OutlierReport:
    """Find outliers and leave them out of the mean; say which."""
    report = find_outliers(method, OutlierContext(run.pairs, run.quantification.factor, run.brain, tissue))
    origin = Origin.DEFAULT if method == OUTLIERS else Origin.USER
    run.parameters.append(Parameter("outliers", method, "", origin, "; ".join(report.notes)))
    if report.rejections:
        run.cleaned, run.error = report.mean, report.standard_error
        run.parameters.append(Parameter("outliers_left_out", [str(r) for r in report.rejections], "", Origin.IMAGE))
        run.findings.append(outlier_finding(report))
    return report


def _reference(series: ASLSeries, raw: Volume) -> Volume:
    """The image anatomy is best seen in: M0, else the mean control, else the mean difference."""
    if series.m0 is not None:
        return series.m0
    if series.indices(VolumeType.CONTROL):
        return series.mean(VolumeType.CONTROL)
    return raw


def _alignment_target(series: ASLSeries, raw: Volume) -> Volume:
    """What the T1 is aligned with: a background-suppressed control, whose CSF stands out, else the usual reference."""
    if series.acquisition.background_suppression and series.indices(VolumeType.CONTROL):
        return series.mean(VolumeType.CONTROL)
    return _reference(series, raw)


@dataclass(frozen=True, eq=False)
class _Anatomy:
    """Tissue on the grid of the series, and the T1's transform to it (identity without a T1)."""

    tissue: Tissue
    t1_to_asl: np.ndarray


def _finish(
    run: _Run,
    t1: Volume | None,
    anatomy: _Anatomy,
    regions: Mapping[str, Volume],
    progress: Progress,
    *,
    denoised: Denoised | None = None,
    recovered: Recovered | None = None,
    model: Mapping[str, object] | None = None,
) -> Result:
    """CBF maps, readouts and what the doctor says of them."""
    if anatomy.tissue.warning:
        run.findings.append(tissue_finding(anatomy.tissue))
    with run.stage("quantify"):
        maps = _maps(run, denoised, recovered, anatomy.tissue)
    with run.stage("measure"):
        progress(0.3, "measuring")
        readouts = _readouts(run, maps, anatomy.tissue, regions)
    progress(1.0, "done")
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
        model or {},
        run.timings,
    )


def _find_tissue(run: _Run, t1: Volume | None, tissue: Tissue | None, progress: Progress) -> _Anatomy:
    """Tissue, and where the T1 lies.

    The T1 is segmented first: its brain then guides the registration, where skull and neck would mislead it.
    """
    if t1 is None:
        if tissue is None:
            tissue = tissue_from_m0(_reference(run.series, run.raw), run.raw, run.brain)
        return _Anatomy(tissue, np.eye(4))
    progress(0.0, "finding grey and white matter in the T1")
    segmented = tissue_from_t1(t1, progress=span(progress, 0.0, 0.7))
    progress(0.7, "aligning the T1 with the series")
    target = _alignment_target(run.series, run.raw)
    registration = register_rigid(t1, target, fixed_mask=run.brain, moving_mask=segmented.brain)
    if registration.warning:
        run.findings.append(registration_finding(registration.warning))
    if tissue is None:
        tissue = tissue_on(run.series.geometry, segmented, transform=registration.matrix)
    return _Anatomy(tissue, registration.matrix)


def _recover(run: _Run, denoised: Volume, guides: GuideMaps) -> Recovered | None:
    """Recovery by the guide maps, else by the M0, else none; the finding says which."""
    if not guides.names:
        return None
    run.findings.append(recovery_finding(guides.names[0]))
    return recover(denoised, run.cleaned, run.brain, guides=guides.maps, m0=guides.m0)


def _maps(run: _Run, denoised: Denoised | None, recovered: Recovered | None, tissue: Tissue) -> dict[str, Volume]:
    """Every map of the run, raw first; `result.MAP_LABELS` says what each is."""
    raw, cleaned, to_cbf = run.raw, run.cleaned, run.quantification.cbf
    final = recovered.difference if recovered is not None else denoised.difference if denoised is not None else None
    maps = {"desc-mean_cbf": to_cbf(raw)}
    if cleaned is not raw:
        maps["desc-cleaned_cbf"] = to_cbf(cleaned)
    if final is not None:
        maps["desc-denoised_cbf"] = to_cbf(final)
        smoothed, fwhm = _noise_matched(to_cbf(cleaned), maps["desc-denoised_cbf"], tissue)
        if smoothed is not None:
            maps["desc-smoothed_cbf"] = smoothed
            note = "Gaussian with the white-matter SD of the denoised map"
            run.parameters.append(Parameter("noise_matched_fwhm", round(fwhm, 2), "mm", Origin.IMAGE, note))
        residual = maps["desc-mean_cbf"].array - maps["desc-denoised_cbf"].array
        maps["desc-residual_cbf"] = maps["desc-mean_cbf"].with_array(residual)
    if recovered is not None:
        maps["desc-recovered_cbf"] = to_cbf(recovered.put_back)
    if denoised is not None and denoised.uncertainty is not None:
        maps["desc-uncertainty_cbf"] = to_cbf(denoised.uncertainty)
    if run.error is not None:
        maps["desc-meanerror_cbf"] = to_cbf(run.error)
    if run.pairs.context[0] is not VolumeType.CBF:
        maps["desc-mean_pwi"] = raw
        if final is not None:
            maps["desc-denoised_pwi"] = final
    return maps


def _noise_matched(raw: Volume, denoised: Volume, tissue: Tissue) -> tuple[Volume | None, float]:
    """The Gaussian baseline, or None where white matter is too small to match noise in."""
    white = white_matter(tissue) & np.isfinite(denoised.array)
    if white.sum() < FEWEST_VOXELS:
        return None, float("nan")
    return noise_matched_gaussian(raw, float(np.std(denoised.array[white])), tissue)


def _readouts(
    run: _Run, maps: Mapping[str, Volume], tissue: Tissue, regions: Mapping[str, Volume]
) -> dict[str, tuple[Readout, ...]]:
    """Readouts of the raw, denoised and noise-matched maps; tSNR, a property of the pairs, for the raw one alone."""
    judged = [
        key for key in ("desc-mean_cbf", "desc-cleaned_cbf", "desc-denoised_cbf", "desc-smoothed_cbf") if key in maps
    ]
    pairs = run.pairs.array * run.quantification.factor.array
    return {
        key: measure(maps[key], tissue, regions=regions, pairs=pairs if key == "desc-mean_cbf" else None)
        for key in judged
    }


def _described(card: ModelCard) -> dict[str, object]:
    return {
        "name": card.name,
        "sha256": card.sha256,
        "summary": card.summary,
        "domain": {name: list(limits) for name, limits in card.domain.items()},
        "licence": card.metadata.get("licence", ""),
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
    return tissue_from_m0(cbf, cbf, measured)
