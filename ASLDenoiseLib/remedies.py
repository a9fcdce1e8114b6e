"""Remedies as data: the shell says them by its options, the panel by its rows and buttons.

A remedy has `text`, what to do in plain words that name neither option nor button, and what it is done to; where that
is done each face says in its own words. Those of the shell are here, so that an error can be printed anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

# Field of `series.Acquisition` -> the option of the shell that states it; the others are stated in the sidecar alone.
OPTIONS = {
    "context": "--context",
    "labeling": "--labeling",
    "post_labeling_delay": "--pld",
    "label_duration": "--label-duration",
    "delay_order": "--pld-order",
    "bolus_duration": "--bolus-duration",
    "field_strength": "--field-strength",
    "repetition_time": "--tr",
    "flip_angle": "--flip-angle",
    "suppression_pulses": "--suppression-pulses",
    "labeling_efficiency": "--efficiency",
    "t1_blood": "--t1-blood",
    "t1_tissue": "--t1-tissue",
    "partition_coefficient": "--partition-coefficient",
    "readout": "--readout",
    "slice_timing": "--slice-timing",
    "m0_type": "--m0-type",
    "m0_repetition_time": "--m0-tr",
    "m0_scale": "--m0-scale",
}


class Remedy:
    """One way to put it right; of several, any one will do. `text` is read on to the place: ``give one with --m0``."""

    text: str


@dataclass(frozen=True)
class Advice(Remedy):
    """What to do, or to know, where no setting helps."""

    text: str


@dataclass(frozen=True)
class SetField(Remedy):
    """State a field of `Acquisition`, or the ``context`` by a pattern: this value, or one like it."""

    field: str
    value: float | str | None = None
    text: str = "give it"


@dataclass(frozen=True)
class GiveImage(Remedy):
    """Give an image: ``m0``, ``t1``, or ``masks`` of grey and white matter."""

    image: str
    text: str = "give one"


@dataclass(frozen=True)
class ApplyFix(Remedy):
    """Apply a fix of `inspecting.fixes`, by name."""

    name: str
    text: str = "have it done"


@dataclass(frozen=True)
class Choose(Remedy):
    """Choose otherwise for a run: a setting as the shell's option is called, and its value where it takes one."""

    setting: str
    value: str = ""
    text: str = "choose otherwise"


def shell_option(remedy: Remedy) -> str:
    """The option of the shell that does what a remedy asks for; empty where there is none.

    >>> shell_option(SetField("post_labeling_delay", 1.8))
    '--pld 1.8'
    """
    match remedy:
        case SetField(field, value) if field in OPTIONS:
            number = f"{value:.4g}" if isinstance(value, float) else value
            return OPTIONS[field] if value is None else f"{OPTIONS[field]} {number}"
        case GiveImage("masks"):
            return "--gm and --wm"
        case GiveImage(name) | Choose(name, ""):
            return f"--{name}"
        case Choose(name, value):
            return f"--{name} {value}"
        case ApplyFix(name):
            return f"--fix {name}"
    return ""


def shell_place(remedies: Sequence[Remedy]) -> str:
    """Where the shell does what remedies of one text ask for: ``with --pld 1.8 or in the sidecar``."""
    options = " or ".join(filter(None, map(shell_option, remedies)))
    beside = any(isinstance(remedy, SetField) and remedy.field != "context" for remedy in remedies)
    return " or ".join([f"with {options}"] * bool(options) + ["in the sidecar"] * beside)


def sentence_of(remedies: Iterable[Remedy], place: Callable[[Sequence[Remedy]], str] = shell_place) -> str:
    """What would put it right, without capital and full stop; `place` says where, as a face calls it.

    >>> sentence_of([Advice("look at the M0"), GiveImage("m0", "give one of this scan"), ApplyFix("m0-scale")])
    'look at the M0; give one of this scan with --m0, or have it done with --fix m0-scale'
    """
    sentence, separator = "", ""
    for (plain, text), alike in groupby(remedies, key=lambda remedy: (isinstance(remedy, Advice), remedy.text)):
        clause = text if plain else f"{text} {place(tuple(alike))}"
        sentence, separator = sentence + separator + clause, "; " if plain else ", or "
    return sentence


def remedies_to_json(remedies: Iterable[Remedy]) -> list[dict[str, object]]:
    """Remedies as plain JSON."""
    return [{"kind": type(remedy).__name__, **asdict(remedy)} for remedy in remedies]


def remedies_from_json(items: Iterable[dict[str, object]]) -> tuple[Remedy, ...]:
    """The remedies that `remedies_to_json` gave."""
    kinds = {kind.__name__: kind for kind in Remedy.__subclasses__()}
    return tuple(kinds[item["kind"]](**{k: v for k, v in item.items() if k != "kind"}) for item in items)
