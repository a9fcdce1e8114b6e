"""From differences to CBF: model, constants, M0; and arrival times."""

from __future__ import annotations

from collections.abc import Iterator

from ...series import Labeling, M0Type
from .. import maps
from .statement import Facts, Statement, number


def quantification_said(facts: Facts) -> Iterator[Statement]:
    """How CBF was computed, with every constant; or that it was not."""
    result = facts.result
    if result.series.holds_cbf:
        return
    if result.relative:
        yield Statement(
            "Without an M0 the differences were not calibrated: perfusion is relative, in scanner units, and not CBF."
        )
        yield from _fit(facts)
        return
    if result.delays is not None:
        yield from _fit(facts)
    elif "t1_blood" in facts:
        form = "PASL" if result.series.acquisition.labeling is Labeling.PASL else "(p)CASL"
        yield Statement(
            f"CBF, in ml/100g/min, was computed with the single-compartment model of the consensus paper for {form} "
            "[@alsop2015;@buxton1998]."
        )
    yield from _constants(facts)
    yield from _m0(facts)
    if result.delays is None and result.series.acquisition.slice_timing is not None and "t1_blood" in facts:
        yield Statement("The delay of each slice was counted to the time of its own readout.")


def _constants(facts: Facts) -> Iterator[Statement]:
    named = (
        ("t1_blood", "T1 of blood", " s"),
        ("labeling_efficiency", "labelling efficiency", ""),
        ("partition_coefficient", "blood-brain partition coefficient", " ml/g"),
        ("t1_tissue", "T1 of tissue", " s"),
    )
    told = [
        f"{what} {number(facts.value(name))}{unit}{facts.assumed(name)}" for name, what, unit in named if name in facts
    ]
    if told:
        yield Statement(f"Constants: {'; '.join(told)}.")


def _m0(facts: Facts) -> Iterator[Statement]:
    series, told = facts.result.series, facts.parameters.get("m0")
    if told is None:
        return
    if isinstance(told.value, (int, float)):
        yield Statement(f"M0 was one number for all voxels, {number(told.value)}.")
    elif series.m0 is not None:
        how = {M0Type.INCLUDED: " acquired within the series", M0Type.SEPARATE: " acquired separately"}
        yield Statement(f"M0 was an image{how.get(series.acquisition.m0_type, '')}.")
    else:
        yield Statement("In place of an M0 image the mean control image was used.")
    if "m0-aligned" in facts.codes:
        yield Statement("The M0 was aligned to the series by a rigid registration.")
    factor = facts.value("m0_relaxation_factor", 1.0)
    if factor != 1.0:
        yield Statement(f"The M0 was multiplied by {number(factor)} for incomplete relaxation.")
    if facts.value("m0_scale") is not None:
        yield Statement(f"The M0 was multiplied by its stated scale of {number(facts.value('m0_scale'))}.")
    if facts.value("m0_raised_voxels"):
        yield Statement("Where M0 fell below half of its surroundings, it was raised to that.")
    if facts.value("m0_noise_voxels"):
        yield Statement("Where M0 was below a tenth of the brain's median, CBF was not measured.")


def _fit(facts: Facts) -> Iterator[Statement]:
    result = facts.result
    if result.delays is None:
        return
    what = "CBF (ml/100g/min)" if not result.relative else "Perfusion"
    blood = any(maps.named(key, result.maps) in result.maps for key in (maps.PREPARED_ABV, maps.DENOISED_ABV))
    more = ", arterial transit time (s) and arterial blood volume" if blood else " and arterial transit time (s)"
    decay = "the T1 of blood throughout"
    if facts.value("kinetics") == "general":
        decay = "the T1 of tissue once it had arrived"
    yield Statement(
        f"{what}{more} were fitted to the mean differences of all delays with the general kinetic model, in which "
        f"label decayed with {decay} [@buxton1998]."
    )
    if result.relative and "t1_blood" in facts:
        yield Statement(f"T1 of blood: {number(facts.value('t1_blood'))} s{facts.assumed('t1_blood')}.")


def arrival_said(facts: Facts) -> Iterator[Statement]:
    """Whether arrival times of another scan corrected the CBF."""
    if maps.named(maps.UNCORRECTED, facts.result.maps) in facts.result.maps:
        yield Statement("CBF was corrected for arterial transit times that another scan of the head had measured.")
