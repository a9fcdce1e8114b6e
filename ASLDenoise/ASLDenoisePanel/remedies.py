"""Errors and remedies in the words of the panel: its rows, selectors, choices and buttons."""

from __future__ import annotations

from dataclasses import fields

from slicer.i18n import tr as _


def panelRemedy(remedies) -> str:
    """Remedies as a phrase of the panel, without capital and full stop.

    >>> panelRemedy([GiveImage("m0", "give an M0 image")])
    "give an M0 image with 'M0'"
    """
    from ASLDenoiseLib.remedies import sentence_of

    return sentence_of(remedies, _place)


def panelError(error) -> str:
    """An error as the panel says it: an `InputError` by its remedies, any other as it is."""
    remedies = getattr(error, "remedies", ())
    return f"{error.what}; {panelRemedy(remedies)}." if remedies else str(error)


def panelFailure(failed) -> str:
    """Why there is no result (`ASLDenoiseLib.running.events.Failed`)."""
    return failed.sentence if failed.error is None else panelError(failed.error)


def panelFix(fix) -> str:
    """The effect of a fix, with the fields as the rows call them."""
    return f"{', '.join(map(_label, fix.fields))} {fix.action}".strip()


def _place(remedies) -> str:
    return _("with {places}").format(places=_(" or ").join(dict.fromkeys(map(_word, remedies))))


def _word(remedy) -> str:
    from ASLDenoiseLib.remedies import ApplyFix, GiveImage, SetField

    if isinstance(remedy, SetField):
        return f"'{_label(remedy.field)}'"
    if isinstance(remedy, ApplyFix):
        return _("its Fix button")
    name = remedy.image if isinstance(remedy, GiveImage) else f"{remedy.setting} {remedy.value}".strip()
    places = {
        "m0": _("'M0'"),
        "t1": _("'T1'"),
        "masks": _("segments GM and WM"),
        "att": _("'Arrival times'"),
        "att-reference": _("'Their scan'"),
        "pairs": _("'Pairs'"),
        "take-out": _("'Taken out' under Time line"),
        "put-back": _("'Put back' under Time line"),
        "swap": _("its Fix button"),
        "no-spatial-prior": _("'Fit with a prior of space and tissue' unticked"),
        "outliers": _("'Outliers'"),
        "outliers none": _("'Outliers' set to leave everything in"),
        "nuisance none": _("the choices 'Take out...' unticked"),
        "no-audit": _("'Put back what is not noise' unticked"),
        "device auto": _("'Computes on' set to the fastest"),
        "device cpu": _("'Computes on' set to the processor"),
        "series": _("'Series found'"),
        "t1-start": _("'Place by hand'"),
        "t1-to-asl": _("a transform over it"),
    }
    return places.get(name) or places.get(name.split(" ")[0], name)


def _label(name) -> str:
    from ASLDenoiseLib.series import Acquisition

    labels = {field.name: field.metadata["label"] for field in fields(Acquisition) if field.metadata}
    return labels.get(name, _("Order of volumes"))
