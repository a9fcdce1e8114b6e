"""From clean differences to a denoised one: guides and the network."""

from __future__ import annotations

from ..compute import Compute
from ..denoising.catalogue import DEFAULT_MODEL, find_model
from ..denoising.domain import domain_findings
from ..denoising.guides import find_guides
from ..preparing.t1_contrast import ranks_of
from ..progress import Progress, span
from ..series import Origin, Parameter
from .adapt_step import adapted_network
from .delays import gather
from .guides import guides_of
from .request import Denoising
from .state import RunState


def wants_guides(asked: Denoising) -> bool:
    """Whether T1 and M0 guide the network."""
    return find_model(asked.model).guided


def gather_guides(run: RunState, progress: Progress) -> None:
    """What tells tissues apart: the T1's contrast classes, else given tissue; and the M0 where it has contrast."""
    given = run.tissue if run.request.head.tissue_given else None
    ranks = ranks_of(None if run.t1_tissue is None else run.t1_tissue.levels)
    images = {"even_t1": run.even_t1, "t1_to_asl": run.t1_to_asl, "m0": run.m0}
    run.guides = find_guides(run.brain, given=given, ranks=ranks, **images)
    run.parameters.append(Parameter("guides", "+".join(run.guides.names) or "none", "", Origin.DEFAULT))


def denoise_pairs(run: RunState, progress: Progress) -> None:
    """Denoise the mean of the pairs, of each delay; what was used is told among parameters and findings."""
    for n, one in enumerate(run.each):
        one.guides, one.compute = run.guides, run.compute
        denoise_mean(one, span(progress, n / len(run.each), (n + 1) / len(run.each)))
    gather(run)


def denoise_mean(run: RunState, progress: Progress) -> None:
    """Denoise the mean of the pairs of a run, or of one of its delays."""
    from ..denoising import inference

    asked = run.request.denoising
    card, network = adapted_network(find_model(asked.model), run.adaptation)
    guides = guides_of(run)
    run.denoised = inference.denoise_pairs(
        run.pairs,
        run.brain,
        card,
        compute=run.compute,
        group=asked.group,
        interleaved=asked.interleaved,
        weights=run.weights,
        m0=guides.m0,
        guides=guides.maps,
        network=network,
        progress=progress,
    )
    run.findings += domain_findings(card, run.pairs, run.brain)
    count = len(run.pairs.context)
    run.parameters += [
        Parameter("model", card.name, "", Origin.DEFAULT if card.name == DEFAULT_MODEL else Origin.USER),
        Parameter("pre_average", asked.group or count, "pairs", Origin.USER if asked.group else Origin.DEFAULT),
        device_parameter(run),
        Parameter("input_scale", [round(s, 6) for s in run.denoised.scales], "scanner units", Origin.IMAGE),
    ]


def _moved(compute: Compute) -> str:
    """Why the run left the device that it began on."""
    if any(refusal.startswith(f"{compute.moved_from} refused") for refusal in compute.refusals):
        return f"'{compute.moved_from}' would not do it"
    return f"the memory of '{compute.moved_from}' ran out"


def device_parameter(run: RunState) -> Parameter:
    """Where networks ran in the end, and whether somebody asked for it."""
    asked, ran = run.request.device, run.compute.device
    if run.compute.moved_from:
        return Parameter("device", ran, "", Origin.DEFAULT, _moved(run.compute))
    return Parameter("device", ran, "", Origin.DEFAULT if asked == "auto" else Origin.USER)
