"""The library's sentences, in the words of the panel: where they name an option of the shell, its place here."""

from __future__ import annotations

import re

from slicer.i18n import tr as _

_FIXES = re.compile(r"--fix [\w-]+(?:(?: or|,) --fix [\w-]+)*")
_FIELD = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")
_OPTION = re.compile(r"--[a-z0-9]+(?:-[a-z0-9]+)*")


def panelWords(sentence: str) -> str:
    """A sentence of the library as the panel says it.

    >>> panelWords("Give an M0 image with --m0.")
    "Give an M0 image with 'M0'."
    """
    for phrase, words in _phrases().items():
        sentence = sentence.replace(phrase, words)
    sentence = _FIXES.sub(_("its Mend button"), sentence)
    sentence = _FIELD.sub(lambda found: _labels().get(found.group(), found.group()), sentence)
    places = _places()
    return _OPTION.sub(lambda found: places.get(found.group(), found.group()), sentence)


def fieldLabel(field) -> str:
    """What the panel calls a field of `Acquisition`: its label without what it is called elsewhere."""
    return field.metadata["label"].partition(" (")[0]


def _labels() -> dict[str, str]:
    """The library's names of an acquisition's values, and what the panel calls them."""
    from dataclasses import fields

    from ASLDenoiseLib.series import Acquisition

    return {field.name: fieldLabel(field) for field in fields(Acquisition) if field.metadata}


def _phrases() -> dict[str, str]:
    return {
        "--t1-start, --t1-to-asl": _("a T1 under a transform that lays it on the series"),
        "--outliers none": _("'Outliers' set to leave everything in"),
        "--nuisance none": _("the choices 'Take out...' unticked"),
        "with --swap or --fix control-label-swapped": _("with its Mend button"),
        "--device auto or --device cpu": _("'Computes on' set to the fastest or to the processor"),
    }


def _places() -> dict[str, str]:
    return {
        "--m0": _("'M0'"),
        "--t1": _("'T1'"),
        "--gm": _("segments GM"),
        "--wm": _("WM"),
        "--pairs": _("'Pairs'"),
        "--context": _("'Order of volumes'"),
        "--swap": _("'Order of volumes'"),
        "--pld": _("'Post-labelling delay'"),
        "--label-duration": _("'Label duration'"),
        "--bolus-duration": _("'Bolus duration'"),
        "--labeling": _("'Labelling'"),
        "--m0-tr": _("'M0 repetition time'"),
        "--m0-scale": _("'M0 scale'"),
        "--device": _("'Computes on'"),
    }
