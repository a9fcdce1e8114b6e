"""The states of the panel, and why Apply cannot run. Plain Python: no Qt, no scene."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from slicer.i18n import tr as _


class State(Enum):
    """The state of the panel: EMPTY has no usable input, READY waits for Apply."""

    EMPTY = "empty"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"


@dataclass(frozen=True)
class Choices:
    """The choices that decide whether Apply can run.

    Args:
        series, t1, segmentation: one is selected.
        volumes: how many the series has.
        ordered: it is stated which volumes are control, label, M0 or differences.
        unusable: what the first finding that forbids a run says, with its remedies; empty where there is none.
        needsT1: the method cannot do without a T1, or the grid is the T1's.
        tissue: tissue is to come from the segmentation.
        pairs: the text of the choice of pairs.
        takenOut, putBack: the texts of what is taken out or put back by hand.
        busy: what else is under way (loading, say), in words; empty where nothing is.
    """

    series: bool = False
    volumes: int = 0
    ordered: bool = True
    unusable: str = ""
    needsT1: bool = False
    t1: bool = False
    tissue: bool = False
    segmentation: bool = False
    pairs: str = ""
    takenOut: str = ""
    putBack: str = ""
    busy: str = ""


def obstacle(choices: Choices) -> str:
    """Why Apply cannot run, in one sentence that says what to do; empty where it can."""
    if choices.busy:
        return choices.busy
    if not choices.series:
        return _("Select an ASL series, or load one from disk.")
    if choices.volumes < 1:
        return _("The selected series holds no images; load it again or select another.")
    if not choices.ordered and choices.volumes == 1:
        return _("Say what the image is, under Acquisition: cbf for a CBF map in ml/100g/min, deltam for a difference.")
    if not choices.ordered:
        return _("It is not known which volumes are control and which are label: give their order under Acquisition.")
    if choices.unusable:
        return choices.unusable
    if choices.tissue and not choices.segmentation:
        return _("Select the segmentation whose segments GM and WM are the tissue, or untick that choice.")
    if choices.needsT1 and not choices.t1:
        return _(
            "Select a T1: this method needs one. 'Deblurred, without the T1' does without, at a size of your choice."
        )
    if not _understood(choices.pairs):
        return _(
            "The pairs are not understood: write 10 for the first ten, 1-10 or 1,4,7-9 for a choice, nothing for all."
        )
    for text, name in ((choices.takenOut, _("Taken out")), (choices.putBack, _("Put back"))):
        if not _places(text):
            said = _(
                "'{name}' under Time line is not understood: write 3 or 7-9 for pairs, 12/5 for a slice of a pair."
            )
            return said.format(name=name)
    return ""


def _places(text: str) -> bool:
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.preparing.places import places_of

    try:
        places_of(text, setting="take-out")
    except InputError:
        return False
    return True


def _understood(pairs: str) -> bool:
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.preparing.pairs import pair_numbers

    try:
        pair_numbers(pairs.strip() or None)
    except InputError:
        return False
    return True
