"""What was acquired: only what files or the user stated."""

from __future__ import annotations

from collections.abc import Iterator

from ...preparing.pairs import pair_members
from ...series import Labeling, VolumeType
from .statement import Facts, Statement, count, listed, number, numbers

_LABELLING = {
    Labeling.PCASL: "pseudo-continuous labelling",
    Labeling.CASL: "continuous labelling",
    Labeling.PASL: "pulsed labelling",
}


def acquisition_said(facts: Facts) -> Iterator[Statement]:
    """How the series was acquired, and of what it consists."""
    series = facts.result.series
    if series.holds_cbf:
        yield Statement("A cerebral blood flow (CBF) map that the scanner had computed was processed.")
        return
    how = f" with {_LABELLING[series.acquisition.labeling]}" if series.acquisition.labeling else ""
    parts = [*_scanner(facts), *_timing(facts), *_suppression(facts), *_readout(facts)]
    told = f": {', '.join(parts)}" if parts else ""
    yield Statement(f"Arterial spin labelling (ASL) MRI was acquired{how}{told}.")
    members = pair_members(series)
    pairs = series.perfusion == (VolumeType.CONTROL, VolumeType.LABEL)
    of = "control-label pair" if pairs else "difference image"
    size, spacing = (" x ".join(map(number, each)) for each in (series.geometry.size, series.geometry.spacing))
    yield Statement(f"The series had {count(len(members), of)}{_each_delay(facts)}, {size} voxels of {spacing} mm.")
    if series.acquisition.time_encoding:
        yield Statement("The delays were time-encoded (Hadamard) and decoded before processing.")


def _each_delay(facts: Facts) -> str:
    """How the pairs are shared out, where each delay has as many, with a blank before it."""
    delays = facts.result.delays
    if delays is None or len(set(delays.pairs)) != 1:
        return ""
    return f" ({delays.pairs[0]} at each of {len(delays.pairs)} delays)"


def _scanner(facts: Facts) -> Iterator[str]:
    stated = facts.result.series.acquisition
    if stated.field_strength is not None:
        yield f"{number(stated.field_strength)} T"
    if stated.manufacturer:
        yield stated.manufacturer


def _timing(facts: Facts) -> Iterator[str]:
    stated = facts.result.series.acquisition
    pasl = stated.labeling is Labeling.PASL
    if stated.post_labeling_delay is not None:
        several = len(stated.delays) > 1
        one, many = ("inversion time", "inversion times") if pasl else ("post-labelling delay", "post-labelling delays")
        yield f"{many if several else one} {numbers(stated.post_labeling_delay)} s"
    if pasl and stated.bolus_duration is not None:
        technique = f" by {stated.bolus_technique}" if stated.bolus_technique else ""
        yield f"bolus duration {number(stated.bolus_duration)} s{technique}"
    elif not pasl and stated.label_duration is not None:
        yield f"label duration {numbers(stated.label_duration)} s"


def _suppression(facts: Facts) -> Iterator[str]:
    stated = facts.result.series.acquisition
    if stated.background_suppression is None:
        return
    pulses = stated.suppression_pulses
    more = f" with {count(pulses, 'pulse')}" if stated.background_suppression and pulses else ""
    yield ("background suppression" if stated.background_suppression else "no background suppression") + more


def _readout(facts: Facts) -> Iterator[str]:
    stated = facts.result.series.acquisition
    look = ["Look-Locker"] if stated.look_locker else []
    if stated.readout or look:
        yield f"{' '.join([*([stated.readout] if stated.readout else []), *look])} readout"
    if stated.repetition_time is not None:
        yield f"repetition time {numbers(stated.repetition_time)} s"


def pairs_said(facts: Facts) -> Iterator[Statement]:
    """Which pairs were chosen beforehand, and what was mended."""
    if facts.by_user("pairs"):
        yield Statement(f"Of these, numbers {facts.value('pairs')} were analysed, by choice.")
    mended = [str(p.value) for name, p in facts.parameters.items() if name.startswith("fix ")]
    if mended:
        yield Statement(f"What the files had wrong was corrected by choice: {listed(mended)}.")
