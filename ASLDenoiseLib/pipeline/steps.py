"""Which steps a request asks for, in order, each with what it usually costs.

Costs are seconds on two CPU cores, from Testing/Benchmarks/main_job.md; a network's are on its card, a method's of
super-resolution beside it.
"""

from __future__ import annotations

from dataclasses import replace

from ..denoising.catalogue import find_model
from ..superresolving import METHODS
from .adapt_step import adapt_network, adaptation_cost
from .again import FIRST
from .arrival_step import correct_for_arrival
from .audit_step import audit_denoised
from .cleaning_steps import clean_pairs
from .denoising_steps import denoise_pairs, gather_guides, wants_guides
from .fit_step import fit_delays
from .pairs_needed_step import measure_pairs_needed, pairs_needed_cost
from .preparation_steps import (
    align_t1,
    align_volumes,
    find_tissue,
    inspect_series,
    quantify_pairs,
    segment_t1,
)
from .reading_steps import read
from .region_steps import find_midline, find_template_space
from .request import Denoising, Request
from .result_steps import bring_to_template, measure_maps, write_files
from .split_half_step import measure_split_half, split_half_cost
from .step import Cost, Step
from .superresolution_step import super_resolve_map

_PREPARATION = (
    Step("read", "reading the series", read, Cost(0.5, a_volume=0.01)),
    Step("inspect", "inspecting the series", inspect_series, Cost(3.0, a_grid=0.8)),
    Step("motion", "correcting head motion", align_volumes, Cost(2.6, a_volume=0.025)),
    Step("calibrate", "calibrating", quantify_pairs, Cost(0.3)),
    Step("segment", "finding grey and white matter in the T1", segment_t1, Cost(1.0)),
    Step("align", "aligning the T1 with the series", align_t1, Cost(7.0)),
    Step("tissue", "finding grey and white matter", find_tissue, Cost(0.5)),
    Step("arrival", "laying the arrival times on the series", correct_for_arrival, Cost(7.0)),
    Step("clean", "cleaning the pairs", clean_pairs, Cost(0.1, a_volume=0.005)),
)
_ATROPOS = Cost(31.0)  # of segmenting a T1 by it
GUIDES = Step("guides", "gathering guides", gather_guides, Cost(1.3))
AUDIT = Step("audit", "putting back what is not noise", audit_denoised, Cost(a_grid=0.3), each_delay=True)
FIT = Step("fit", "fitting CBF and arrival time", fit_delays, Cost(a_grid=5.0), several=True)
TEMPLATE_SPACE = Step("template-space", "finding the way to MNI space", find_template_space, Cost(44.0))
MIDLINE = Step("midline", "finding the midline of the brain", find_midline, Cost(1.0))
MEASURE = Step("measure", "measuring", measure_maps, Cost(0.4, a_grid=0.3))
TEMPLATE = Step("template", "bringing the maps to MNI space", bring_to_template, Cost(1.0))
WRITE = Step("write", "writing maps, readouts and report", write_files, Cost(3.5))


def preparation_steps(request: Request) -> tuple[Step, ...]:
    """From files to clean differences."""
    with_t1, motion = request.head.t1 is not None, request.preparation.motion
    wanted = {"motion": motion, "segment": with_t1, "align": with_t1, "tissue": not with_t1}
    wanted["arrival"] = request.arrival is not None
    steps = (step for step in _PREPARATION if wanted.get(step.name, True))
    slow = request.preparation.segmenter == "atropos"
    return tuple(replace(step, cost=_ATROPOS) if slow and step.name == "segment" else step for step in steps)


def steps_of(request: Request) -> tuple[Step, ...]:
    """Every step of a run, in order."""
    steps, asked, finer = [*preparation_steps(request)], request.denoising, request.superresolution
    if asked is not None:
        network = Step("denoise", "denoising", denoise_pairs, _network_cost(asked), computes=True, each_delay=True)
        steps += [replace(GUIDES, one=request.fit.spatial)] * wants_guides(asked)
        if asked.adapt:
            told = "adapt", "adapting the network to this scan", adapt_network
            steps.append(Step(*told, adaptation_cost(asked), computes=True, one=True))
            steps.append(Step(*told, Cost(0.1), several=True))  # says that it is not tried
        steps += [replace(step, one=request.fit.spatial) for step in [network] + [AUDIT] * asked.audit]
        if asked.pairs_needed:
            cost = pairs_needed_cost(asked)
            steps.append(Step("pairs", "denoising some of the pairs", measure_pairs_needed, cost, computes=True))
        if asked.split_half:
            cost = split_half_cost(asked)
            steps.append(Step("halves", "comparing odd with even pairs", measure_split_half, cost, computes=True))
    steps.append(FIT)
    if finer is not None:
        seconds = METHODS[finer.method].seconds
        cost = None if seconds is None else Cost(a_grid=seconds)
        steps.append(Step("super-resolve", "super-resolving", super_resolve_map, cost, computes=True))
    outputs = request.outputs
    to_template = outputs.mni or any(atlas.space == "mni" for atlas in outputs.atlases)
    steps += [TEMPLATE_SPACE] * to_template + [MIDLINE, MEASURE]
    return (*steps, *[TEMPLATE] * outputs.mni, *[WRITE] * (outputs.folder is not None))


def steps_again(request: Request) -> tuple[Step, ...]:
    """The steps from where the pairs are cleaned: what another choice of pairs, model or outputs does anew."""
    steps = steps_of(request)
    return steps[next(n for n, step in enumerate(steps) if step.name == FIRST) :]


def _network_cost(asked: Denoising) -> Cost:
    """Of all pairs at once, or of each group of them."""
    measured = find_model(asked.model).seconds.get("cpu", 1.0)
    if asked.group is None:
        return Cost(0.5, a_grid=measured)
    return Cost(0.5, a_grid_and_volume=measured / (2 * asked.group))
