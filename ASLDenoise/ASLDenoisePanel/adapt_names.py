"""Names and beginnings of adapted models, as the catalogue knows them. Plain Python: no Qt, no scene."""

from __future__ import annotations


def nameTrouble(name) -> str:
    """What is wrong with the name of a model that is to be, in a sentence; empty where nothing is."""
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.sites.names import check_name

    try:
        if name:
            check_name(name)
    except InputError as error:
        return str(error)
    return ""


def beginnings() -> tuple:
    """The cards of the models that can be adapted."""
    from ASLDenoiseLib.denoising.catalogue import list_models

    return tuple(card for card in list_models() if card.family.adapts)


def ownModels() -> tuple:
    """The cards of the user's own models."""
    from ASLDenoiseLib.denoising.catalogue import list_models

    return tuple(card for card in list_models() if card.own)
