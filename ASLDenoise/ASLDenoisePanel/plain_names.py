"""Methods and models in plain words; their technical names are in the tool tips, in Docs and in every result."""

from __future__ import annotations

from slicer.i18n import tr as _


def modelName(card) -> str:
    """A model for people: what it does where it is the module's own, else whose it is."""
    name = card.name
    if card.own:
        return _("{model} (your own)").format(model=name)
    own = {"guided-unet": _("Remove noise")}
    families = {
        "deepasl": "DeepASL",
        "diffusion": _("Diffusion"),
        "dilated": "DilatedNet",
        "dwan": "DWAN",
        "slab-transformer": _("slab transformer"),
        "unet2d": _("2D U-Net"),
        "unet3d": _("3D U-Net"),
    }
    if name in own:
        return own[name]
    family = next((begin for begin in families if name.startswith(begin)), None)
    if family is None:
        return name
    variant = name.removeprefix(family).strip("-")
    title = f"{families[family]} ({variant})" if variant else families[family]
    return _("{model}, to compare with").format(model=title)


def modelText(card) -> str:
    """What a model does, in a sentence for people; its summary where it is there for comparison."""
    if card.name == "guided-unet":
        return _("Guided by T1 and M0 where they are given: keeps the edges they show, and maps how sure it is.")
    return f"{card.summary}."


def methodName(name) -> str:
    """A method of super-resolution for people."""
    return {
        "guided": _("Detail from the T1"),
        "smooth": _("Deblurred, without the T1"),
        "network": _("A small network trained on this scan"),
        "spline": _("Smooth interpolation"),
        "linear": _("Straight interpolation"),
        "nearest": _("The acquired voxels as they are"),
        "gaussian": _("Blurred to the noise, then interpolated"),
        "pyramid-fast": _("Multi-scale network, in minutes"),
        "pyramid-paper": _("Multi-scale network as published"),
    }.get(name, name)


def recommended(text, isDefault) -> str:
    """The text, marked where it is the default."""
    return _("{name} (recommended)").format(name=text) if isDefault else text
