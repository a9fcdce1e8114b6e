"""Lists of delays and label durations that are shorter than the series, brought to one value a volume.

BIDS wants one a volume. Protocols, and dcm2niix of some Siemens sequences, state one a delay, and not how the delays
follow each other; what is not stated is not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import InputError
from ..remedies import Remedy, SetField
from ..series import Acquisition, DelayOrder, VolumeType

LISTS = {"post_labeling_delay": "PostLabelingDelay", "label_duration": "LabelingDuration"}
_KEYS = (*LISTS.values(), "RepetitionTimePreparation", "InitialPostLabelDelay", "FlipAngle")
_WHICH = (
    SetField("delay_order", DelayOrder.TURNS.value, "say which"),
    SetField("delay_order", DelayOrder.BLOCKS.value, "say which"),
)
_PERFUSION = (VolumeType.CONTROL, VolumeType.LABEL, VolumeType.DELTAM)


def spread(
    name: str, stated: Sequence[float], context: Sequence[VolumeType], order: DelayOrder | None
) -> tuple[float, ...]:
    """One value a volume of a list of one a volume, one a control, label or difference, one a pair, or one a delay.

    Controls count apart from labels, so that pairs may lie side by side or all controls before all labels. M0 and
    other volumes get 0. A list of one a delay that names each twice, for control and label, is read as once.

    Args:
        name: the field of `Acquisition`.
        stated: its values, s.
        context: what each volume is.
        order: how delays follow each other; needed where each is there several times.

    Raises:
        InputError: the list fits in no such way, or in two.

    >>> spread("label_duration", (1, 2), [VolumeType.DELTAM] * 4, DelayOrder.BLOCKS)
    (1, 1, 2, 2)
    """
    values = tuple(stated)
    if len(values) == len(context):
        return values
    places = [[t for t, each in enumerate(context) if each is kind] for kind in _PERFUSION if kind in context]
    pairs = len(places[0]) if places and len({len(each) for each in places}) == 1 else 0
    if len(places) == 2 and pairs and len(values) == 2 * pairs:
        used = sorted(t for each in places for t in each)
        return _laid(dict(zip(used, values, strict=True)), context)
    if len(places) == 2 and len(values) < pairs and not len(values) % 2 and values[::2] == values[1::2]:
        values = values[::2]
    if not pairs or len(places) > 2 or pairs % len(values):
        raise InputError(f"{_said(name, stated)} and the series has {_counted(context, pairs)}", [_remedy(name)])
    repeats = pairs // len(values)
    if repeats > 1 and order is None and len(set(values)) > 1:
        raise InputError(f"{_said(name, stated)} for {pairs} pairs, and {_two_ways(values)}", _WHICH)
    blocks = order is DelayOrder.BLOCKS
    at = [values[n // repeats if blocks else n % len(values)] for n in range(pairs)]
    return _laid({t: v for each in places for t, v in zip(each, at, strict=True)}, context)


def spread_where_clear(acquisition: Acquisition, context: Sequence[VolumeType]) -> Acquisition:
    """The acquisition with its lists brought to one a volume, but for those that fit in no way or in two."""
    for name in LISTS:
        stated = getattr(acquisition, name)
        if isinstance(stated, tuple):
            try:
                values = spread(name, stated, context, acquisition.delay_order)
            except InputError:
                continue
            if values != stated:
                acquisition = acquisition.with_values(acquisition.origins[name], **{name: values})
    return acquisition


def without_words(sidecar: Mapping[str, object], context: Sequence[VolumeType]) -> dict[str, object]:
    """The sidecar with 0 for the ``n/a`` of volumes that are neither control, label nor difference.

    BIDS wants 0 there; some write ``n/a`` or null. Those of perfusion volumes stay, and are refused.
    """
    changed = dict(sidecar)
    for key in _KEYS:
        stated = sidecar.get(key)
        if isinstance(stated, list) and len(stated) == len(context):
            pairs = zip(stated, context, strict=True)
            changed[key] = [0.0 if v in ("n/a", None) and kind not in _PERFUSION else v for v, kind in pairs]
    return changed


def _laid(values: Mapping[int, float], context: Sequence[VolumeType]) -> tuple[float, ...]:
    return tuple(values.get(t, 0.0) for t in range(len(context)))


def _remedy(name: str) -> Remedy:
    return SetField(name, text="give one number, one a delay or one a volume")


def _said(name: str, stated: Sequence[float]) -> str:
    return f"{LISTS[name]} holds {len(stated)} values"


def _counted(context: Sequence[VolumeType], pairs: int) -> str:
    beside = f" with {pairs} pairs or differences" if pairs else ""
    return f"{len(context)} volumes{beside}"


def _two_ways(values: Sequence[float]) -> str:
    one, two = (f"{v:g}" for v in values[:2])
    return f"they may take turns ({one}, {two}, ...) or come in blocks ({one}, {one}, ... {two}, {two}, ...)"
