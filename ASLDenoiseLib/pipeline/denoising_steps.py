"""From clean differences to a denoised one: guides, the network, and what tissue lost to it put back."""

from __future__ import annotations

from ..denoising.catalogue import DEFAULT_MODEL, find_model
from ..denoising.domain import domain_findings
from ..denoising.guides import GuideMaps, find_guides, with_contrast
from ..denoising.recovery import recover, recovery_finding
from ..preparing.t1_contrast import ranks_of
from ..progress import Progress
from ..series import Origin, Parameter
from .request import Denoising
from .state import RunState


def wants_guides(asked: Denoising) -> bool:
    """Whether anatomy has a say: in the network, or in what is put back after it."""
    return asked.recovery or find_model(asked.model).guided


def wants_recovery(asked: Denoising) -> bool:
    """Whether what tissue lost is put back after the network."""
    return asked.recovery and not find_model(asked.model).guided


def gather_guides(run: RunState, progress: Progress) -> None:
    """What tells tissues apart: the T1's contrast classes, else given tissue; and the M0 where it has contrast."""
    asked = run.request.denoising
    given = run.tissue if run.request.head.tissue_given else None
    ranks = ranks_of(None if run.t1_tissue is None else run.t1_tissue.levels)
    images = {"even_t1": run.even_t1, "t1_to_asl": run.t1_to_asl, "m0": run.m0}
    run.guides = find_guides(run.brain, given=given, ranks=ranks, **images)
    # recovery goes by the best one alone
    names = run.guides.names[:1] if wants_recovery(asked) else run.guides.names
    run.parameters.append(Parameter("guides", "+".join(names) or "none", "", Origin.DEFAULT))


def denoise_pairs(run: RunState, progress: Progress) -> None:
    """Denoise the mean of the pairs; what was used is told among parameters and findings."""
    from ..denoising import inference

    asked = run.request.denoising
    card = find_model(asked.model)
    guides = run.guides or GuideMaps(m0=with_contrast(run.m0, run.brain))
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
        progress=progress,
    )
    run.findings += domain_findings(card, run.pairs, run.brain)
    count = len(run.pairs.context)
    if count == 1 and asked.recovery and card.guided:
        _keep_tissue_means(run)
    run.parameters += [
        Parameter("model", card.name, "", Origin.DEFAULT if card.name == DEFAULT_MODEL else Origin.USER),
        Parameter("pre_average", asked.group or count, "pairs", Origin.USER if asked.group else Origin.DEFAULT),
        device_parameter(run),
        Parameter("input_scale", [round(s, 6) for s in run.denoised.scales], "scanner units", Origin.IMAGE),
    ]


def _keep_tissue_means(run: RunState) -> None:
    """Put back what tissue lost where there is one image: its noise is only estimated, so the network may blur more."""
    guides, name = run.guides.maps, run.guides.source
    if not guides:
        tissue = run.tissue
        guides = tuple(each for each in (tissue.csf, tissue.gm, tissue.wm) if each is not None)
        name = "guessed tissue"  # given tissue is a guide
    run.findings.append(recovery_finding(name))
    run.recovery = recover(run.denoised.difference, run.cleaned, run.brain, guides=guides)


def device_parameter(run: RunState) -> Parameter:
    """Where networks ran in the end, and whether somebody asked for it."""
    asked, ran = run.request.device, run.compute.device
    if run.compute.moved_from:
        return Parameter("device", ran, "", Origin.DEFAULT, f"the memory of '{run.compute.moved_from}' ran out")
    return Parameter("device", ran, "", Origin.DEFAULT if asked == "auto" else Origin.USER)


def recover_tissue(run: RunState, progress: Progress) -> None:
    """Put back what tissue lost, by the guide maps, else by the M0, else nothing; the finding says which."""
    if not run.guides.names:
        return
    run.findings.append(recovery_finding(run.guides.names[0]))
    guides = run.guides
    run.recovery = recover(run.denoised.difference, run.cleaned, run.brain, guides=guides.maps, m0=guides.m0)
