"""Names and beginnings of adapted models, as the catalogue knows them. Plain Python: no Qt, no scene."""

from __future__ import annotations

import re
from pathlib import Path

from slicer.i18n import tr as _

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def nameTrouble(name) -> str:
    """What is wrong with the name of a model that is to be, in a sentence; empty where nothing is."""
    from ASLDenoiseLib.denoising.catalogue import list_models, user_models_folder

    if not name:
        return ""
    if not _PLAIN.fullmatch(name) or name.endswith("."):
        return _("The name may hold letters without accents, digits, dots, - and _, and begins with a letter or digit.")
    cards = {card.name.lower(): card for card in list_models()}
    taken = cards.get(name.lower())
    if taken is not None and not taken.own:
        return _("{name} is a model of ASL Denoise itself: give another name.").format(name=taken.name)
    if taken is not None:
        return _("You have a model {name} already: give another name, or remove that one.").format(name=taken.name)
    folder = Path(user_models_folder()) / name
    if folder.exists():
        return _("There is a folder {folder} already: give another name, or delete it.").format(folder=folder)
    return ""


def beginnings() -> tuple:
    """The cards of the models that can be adapted."""
    from ASLDenoiseLib.denoising.catalogue import list_models

    return tuple(card for card in list_models() if card.family.adapts)


def ownModels() -> tuple:
    """The cards of the user's own models."""
    from ASLDenoiseLib.denoising.catalogue import list_models

    return tuple(card for card in list_models() if card.own)
