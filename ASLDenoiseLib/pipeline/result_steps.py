"""The last steps: every map in its unit, what was measured in them, MNI space, and the files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..denoising.catalogue import ModelCard, find_model
from ..findings import note_kind
from ..measuring.baselines import matched_in_noise
from ..measuring.readouts import measure
from ..measuring.region_coverage import coverage_findings
from ..preparing import warnings
from ..progress import Progress
from ..remedies import Advice
from ..result import Readout, Result, errors_of, maps
from ..result.pair_errors import PairErrors
from ..result.plausible import implausible_findings
from ..series import SCANNER_UNIT, Origin, Parameter, Volume, VolumeType
from ..spatial.threads import in_threads
from ..superresolving.targets import tissue_on_target
from .adapt_step import adaptation_told, as_adapted
from .arrival_step import arrival_maps
from .fit_step import PRIOR, arrival_of_maps, delay_maps
from .region_steps import pair_errors, regions_on_grid
from .request_json import plain_request
from .state import RunState
from .template_space import in_template_space

_OUT_OF_MEMORY = note_kind(
    "out-of-memory",
    "Memory ran out during the run, which went on in smaller portions or on the CPU",
    "{fallbacks}",
    Advice("to be faster, close other programs that use the graphics card, or choose the CPU"),
)
_REFUSED = note_kind(
    "device-refused",
    "The graphics processor would not do it, and the run went on on the CPU",
    "{refusals}",
    Advice("the result is that of the CPU; to be faster, update the graphics driver, or install a newer PyTorch"),
)
_OF_THE_CARD = ("network", "version", "parameters", "data_source", "intended_use", "licence", "adapted_from")


def measure_maps(run: RunState, progress: Progress) -> None:
    """Make the `Result`: maps, readouts, and what there is to know of them."""
    if run.tissue.warning:
        run.findings.append(warnings.TISSUE.finding(what=run.tissue.warning, source=run.tissue.source))
    if run.compute.fallbacks:
        run.findings.append(_OUT_OF_MEMORY.finding(fallbacks="; ".join(dict.fromkeys(run.compute.fallbacks))))
    if run.compute.refusals:
        run.findings.append(_REFUSED.finding(refusals="; ".join(dict.fromkeys(run.compute.refusals))))
    volumes = _maps(run) | run.halves | delay_maps(run)
    errors = pair_errors(run)
    readouts = _readouts(run, volumes, errors)
    run.findings.extend(implausible_findings(readouts))
    run.findings.extend(coverage_findings(readouts, run.atlas_names.keys() - run.regions.keys()))
    asked = run.request.denoising
    run.result = Result(
        run.series,
        volumes,
        readouts,
        run.tissue,
        tuple(dict.fromkeys(run.findings)),
        tuple(run.parameters),
        dict(run.regions),
        run.t1,
        run.t1_to_asl,
        {} if asked is None else PRIOR if run.by_prior else _described(find_model(asked.model)) | as_adapted(run),
        run.timings,
        run.motion,
        run.outliers,
        run.t1_tissue,
        _in_t1_space(run, volumes),
        plain_request(run.request),
        run.pairs_needed,
        run.verdict,
        run.course,
        run.split_half,
        run.fit,
        run.brain,
        dict(run.drawings),
        dict(run.atlas_names),
        errors,
        run.mirror,
        run.curves,
        adaptation_told(run),
    )


def bring_to_template(run: RunState, progress: Progress) -> None:
    """The perfusion maps in MNI space as well."""
    run.result = in_template_space(run.result, space=run.template, progress=progress)


def write_files(run: RunState, progress: Progress) -> None:
    """Write the result's files; `state.RunState.written` says where they are.

    Raises:
        InputError: the folder cannot hold them; nothing has been written.
    """
    from ..reporting.derivatives import write_result

    outputs, told = run.request.outputs, {}
    if outputs.scene and run.beside is not None:
        told = {"attachments": run.beside.attachments(run.result), "beside": run.beside.writing}
    elif outputs.scene:
        from ..scene.attachments import scene_attachments

        told["attachments"], trouble = scene_attachments(run.result)
        run.notes += [trouble] if trouble else []
    progress(0.5, "writing files")
    told |= {"command": outputs.command, "dataset_root": outputs.dataset}
    run.written = write_result(run.result, outputs.folder, **told)


def _maps(run: RunState) -> dict[str, Volume]:
    """Every map of the run, raw first."""
    raw, cleaned, to_cbf, unit = run.raw, run.cleaned, run.quantification.cbf, run.quantification.unit
    volumes = {maps.RAW: to_cbf(raw)}
    if cleaned is not raw:
        volumes[maps.PREPARED] = to_cbf(cleaned)
    if run.denoised is not None:
        volumes[maps.DENOISED] = to_cbf(run.difference)
        smoothed, fwhm = matched_in_noise(to_cbf(cleaned), volumes[maps.DENOISED], run.tissue)
        if smoothed is not None:
            volumes[maps.SMOOTHED] = smoothed
            note = "Gaussian with the white-matter SD of the denoised map"
            run.parameters.append(Parameter("noise_matched_fwhm", round(fwhm, 2), "mm", Origin.IMAGE, note))
        residual = volumes[maps.RAW].array - volumes[maps.DENOISED].array
        volumes[maps.RESIDUAL] = volumes[maps.RAW].with_array(residual)
        if run.audit is not None:
            volumes[maps.RESTORED] = to_cbf(run.audit.restored)
        uncertainty = run.denoised.uncertainty if run.audit is None else run.audit.uncertainty
        if uncertainty is not None:
            volumes[maps.UNCERTAINTY] = run.quantification.deviation(uncertainty, run.difference)
    if run.error is not None:
        volumes[maps.MEAN_ERROR] = run.quantification.deviation(run.error, cleaned)
    if run.fine is not None:
        volumes |= {maps.SUPERRESOLVED: run.fine.fine, maps.RESIDUAL: run.fine.residual}
        volumes.pop(maps.UNCERTAINTY, None)  # the denoised map's is not the super-resolved one's
        if run.fine.uncertainty is not None:
            volumes[maps.UNCERTAINTY] = run.fine.uncertainty
    volumes |= arrival_maps(run)
    if unit == SCANNER_UNIT:
        return {maps.in_unit(key, unit): volume for key, volume in volumes.items()}
    return volumes | _differences(run)


def _differences(run: RunState) -> dict[str, Volume]:
    """The difference images behind maps of CBF; none of a series that is CBF already, or of fits of several."""
    if run.fits is not None or run.pairs.context[0] is VolumeType.CBF:
        return {}
    shown = {maps.RAW_DIFFERENCE: run.raw}
    if run.denoised is not None:
        shown[maps.DENOISED_DIFFERENCE] = run.difference
    return {key: volume.with_array(volume.array, unit=SCANNER_UNIT) for key, volume in shown.items()}


def _readouts(
    run: RunState, volumes: Mapping[str, Volume], errors: Mapping[str, PairErrors]
) -> dict[str, tuple[Readout, ...]]:
    """Readouts of every judged map; tSNR of raw and prepared, which have pairs."""
    unit, factor = run.quantification.unit, run.quantification.factor.array
    names = (maps.RAW, maps.PREPARED, maps.DENOISED, maps.SMOOTHED, maps.UNCORRECTED)
    raw, prepared, *others = (maps.in_unit(key, unit) for key in names)
    judged, given = (raw, prepared, *others), {"regions": run.regions, "m0": run.m0}
    pairs = {}
    if run.fits is None:
        pairs = {raw: run.acquired.array * factor, prepared: run.kept_pairs * factor}
    if run.uncorrected is not None:
        pairs[others[-1]] = run.acquired.array * run.uncorrected.factor.array

    def read_out(key: str) -> tuple[Readout, ...]:
        return measure(volumes[key], run.tissue, pairs=pairs.get(key), errors=errors_of(errors, key, volumes), **given)

    shown = [key for key in judged if key in volumes]
    readouts = dict(zip(shown, in_threads(read_out, shown), strict=True))
    for key, more in arrival_of_maps(run).items():
        readouts[key] += more
    if run.fine is not None:
        segmented = None if run.request.head.tissue_given else run.t1_tissue
        fine = tissue_on_target(run.target, run.tissue, segmented=segmented)
        regions = regions_on_grid(run, run.target.geometry, transform=np.linalg.inv(run.target.to_asl))
        readouts[maps.in_unit(maps.SUPERRESOLVED, unit)] = measure(run.fine.fine, fine, regions=regions)
    return readouts


def _in_t1_space(run: RunState, volumes: Mapping[str, Volume]) -> frozenset[str]:
    there = {maps.named(key, volumes) for key in (maps.SUPERRESOLVED, maps.UNCERTAINTY)} & volumes.keys()
    return frozenset(there if run.target is not None and run.target.in_t1_space else ())


def _described(card: ModelCard) -> dict[str, object]:
    return {
        "name": card.name,
        "sha256": card.sha256,
        "summary": card.summary,
        "domain": {name: list(limits) for name, limits in card.domain.items()},
        **{name: card.metadata[name] for name in _OF_THE_CARD if name in card.metadata},
    }
