"""The acquisition of a series as rows to read and edit. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from slicer.i18n import tr as _

ORDER = "context"  # the row that says which volume is what
_ALWAYS = (
    "labeling",
    "post_labeling_delay",
    "label_duration",
    "field_strength",
    "readout",
    "background_suppression",
    "suppression_pulses",
    "labeling_efficiency",
    "m0_type",
    "m0_estimate",
    "m0_repetition_time",
    "m0_scale",
    "t1_blood",
    "t1_tissue",
    "partition_coefficient",
)
_BEFORE = (*_ALWAYS[:7], "m0_repetition_time")  # what may be typed for a series that is still to be loaded
_WORDS = (
    "labeling",
    "m0_type",
    "readout",
    "manufacturer",
    "bolus_technique",
    "slice_encoding_direction",
    "time_encoding",
    "delay_order",
)
_FLAGS = ("background_suppression", "bolus_cut_off", "look_locker")
_REPEATING = ("control", "label", "deltam", "cbf")  # what a pattern repeats; other kinds stand before it
_MOST_SHOWN = 4  # numbers of a list
_A_VOLUME = ("post_labeling_delay", "label_duration")  # may be stated volume by volume, an M0's with them
_MOST_OF_VOLUMES = 8  # numbers of such a list, each of them once


@dataclass(frozen=True)
class AcquisitionRow:
    """One value.

    Args:
        field: of `Acquisition`, or `ORDER`.
        label: for people.
        text: the value as it is shown and edited; empty where it is not stated.
        unit: empty where it has none.
        origin: where it came from, for people; empty where it is not stated.
        tip: the value in full.
    """

    field: str
    label: str
    text: str
    unit: str
    origin: str
    tip: str


def originWords(origin) -> str:
    """The origin of a value, for people."""
    return {
        "sidecar": _("file"),
        "DICOM": _("DICOM"),
        "image": _("image"),
        "default": _("assumed"),
        "user": _("you"),
    }[origin.value]


def acquisitionRows(acquisition, context: Sequence) -> tuple[AcquisitionRow, ...]:
    """The order of the volumes, what matters most whether stated or not, then whatever else is stated."""
    from ASLDenoiseLib.series import Labeling

    wanted = [*_ALWAYS]
    if acquisition.labeling is Labeling.PASL:
        wanted[2:3] = ["bolus_cut_off", "bolus_duration", "bolus_technique"]
    if isinstance(acquisition.post_labeling_delay, tuple):
        wanted.insert(wanted.index("post_labeling_delay") + 1, "delay_order")
    if acquisition.look_locker:
        wanted.insert(wanted.index("readout") + 1, "flip_angle")
    if acquisition.readout != "3D":
        wanted.insert(wanted.index("readout") + 1, "slice_timing")
    known = {f.name: f for f in fields(acquisition) if f.name != "origins"}
    stated = [name for name in known if name in acquisition.origins]
    names = dict.fromkeys([*wanted, *stated])
    return (_orderRow(context), *(_row(known[name], acquisition, context) for name in names))


def rowsBefore(typed) -> tuple[AcquisitionRow, ...]:
    """The rows of a series that is still to be loaded: what was typed for it (texts by field), and nothing else."""
    from dataclasses import replace

    from ASLDenoiseLib.series import Acquisition

    acquisition = Acquisition()
    for field, text in typed.items():
        acquisition = acquisition if field == ORDER else withEdit(acquisition, field, text)
    known = {f.name: f for f in fields(acquisition)}
    order = replace(_orderRow(()), text=typed.get(ORDER, ""), origin=_("you") if typed.get(ORDER) else "")
    return (order, *(_row(known[name], acquisition) for name in _BEFORE))


def typedOrder(text: str) -> str:
    """The typed order of a series that is still to be loaded, in BIDS' words.

    Raises:
        ASLDenoiseLib.errors.InputError: a word is no kind of volume.
    """
    from ASLDenoiseLib.reading.bids import as_context

    return ", ".join(kind.value for kind in as_context(word for word in text.split(",") if word.strip()))


def shortContext(context: Sequence) -> str:
    """The order of the volumes, as the shortest pattern that repeats: ``m0scan, control, label``.

    >>> shortContext(["m0scan", "label", "control", "label", "control"])
    'm0scan, label, control'
    """
    words = [getattr(word, "value", word) for word in context]
    start = next((i for i, word in enumerate(words) if word in _REPEATING), len(words))
    head, rest = words[:start], words[start:]
    for length in range(1, len(rest) // 2 + 1):
        if len(rest) % length == 0 and rest == rest[:length] * (len(rest) // length):
            return ", ".join([*head, *rest[:length]])
    return ", ".join(words)


def countWords(context: Sequence) -> str:
    """The number of volumes of each kind: ``1 m0scan, 6 control, 6 label``."""
    words = [getattr(word, "value", word) for word in context]
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))


def parsed(field: str, text: str) -> object | None:
    """The typed text as the value of a field; None where it is empty.

    Raises:
        ASLDenoiseLib.errors.InputError: it is not understood.
    """
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.reading.bids import parse_value

    text = text.strip()
    if not text:
        return None
    if field in _WORDS:
        return parse_value(field, text, where=_("the table"))
    if field in _FLAGS:
        if text.lower() not in ("yes", "no", "true", "false"):
            raise InputError(_("'{text}' is not understood; write yes or no.").format(text=text))
        return text.lower() in ("yes", "true")
    try:
        numbers = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise InputError(_("'{text}' is not a number; write one such as 1.8.").format(text=text)) from None
    if field in ("suppression_pulses", "total_pairs") and all(number.is_integer() for number in numbers):
        numbers = [int(number) for number in numbers]
    return parse_value(field, numbers[0] if len(numbers) == 1 else numbers, where=_("the table"))


def withEdit(acquisition, field: str, text: str):
    """The acquisition with one value as the user typed it; emptied, it is no longer stated.

    Raises:
        ASLDenoiseLib.errors.InputError: it is not understood, or impossible.
    """
    from dataclasses import replace

    from ASLDenoiseLib.reading.bids import with_user_values
    from ASLDenoiseLib.series import M0Type

    value = parsed(field, text)
    if value is None:
        return replace(acquisition, **{field: None})
    # one number for the whole image is what the M0's type then says
    more = {"m0_type": M0Type.ESTIMATE} if field == "m0_estimate" else {}
    return with_user_values(acquisition, {field: value, **more})


def contextFrom(text: str, volumes: int) -> tuple:
    """The typed order, repeated over the series.

    Raises:
        ASLDenoiseLib.errors.InputError: it is not understood, or does not fill the series evenly.
    """
    from ASLDenoiseLib.reading.bids import expanded_context

    return expanded_context([word.strip() for word in text.split(",") if word.strip()], volumes)


def _orderRow(context: Sequence) -> AcquisitionRow:
    from ASLDenoiseLib.series import VolumeType

    known = any(kind is not VolumeType.NOT_AVAILABLE for kind in context)
    tip = _("What each volume is, in order. The control/label part of a pattern repeats: m0scan, control, label.")
    return AcquisitionRow(ORDER, _("Order of volumes"), shortContext(context) if known else "", "", "", tip)


def _row(f, acquisition, context: Sequence = ()) -> AcquisitionRow:
    value, origin = getattr(acquisition, f.name), acquisition.origins.get(f.name)
    by_volume = f.name in _A_VOLUME and isinstance(value, tuple) and len(value) == len(context)
    value = _ofDifferences(value, context) if by_volume else value
    text = _text(value, _MOST_OF_VOLUMES if by_volume else _MOST_SHOWN)
    tip = (
        f"{f.metadata['bids']} = {_counted(value) if by_volume else _full(value)}"
        if origin is not None
        else _("{name}: not stated").format(name=f.metadata["bids"])
    )
    label = f.metadata["label"]
    if origin is not None and origin.value == "sidecar":
        tip = f"{tip}, {_('from the file beside the image')}"
    return AcquisitionRow(
        f.name, label, text, f.metadata["unit"], originWords(origin) if origin is not None else "", tip
    )


def _ofDifferences(value: tuple, context: Sequence) -> tuple:
    """What is stated of the volumes that perfusion is taken from; an M0 has no delay, and BIDS writes 0 for it."""
    from ASLDenoiseLib.series import PERFUSION

    return tuple(number for number, kind in zip(value, context, strict=True) if kind in PERFUSION) or value


def _counted(value: tuple) -> str:
    """Each number once, ascending, with how many volumes have it."""
    texts = [f"{number:g}" for number in sorted(value)]
    said = _("{number} ({count} volumes)")
    return ", ".join(said.format(number=text, count=texts.count(text)) for text in dict.fromkeys(texts))


def _text(value: object, most: int = _MOST_SHOWN) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, tuple):
        numbers = list(dict.fromkeys(f"{number:g}" for number in value))
        if len(numbers) > most:
            return f"{numbers[0]}, {numbers[1]} ... {numbers[-1]}"
        return ", ".join(numbers)
    return f"{value:g}" if isinstance(value, float) else str(getattr(value, "value", value))


def _full(value: object) -> str:
    return ", ".join(f"{number:g}" for number in value) if isinstance(value, tuple) else _text(value)
