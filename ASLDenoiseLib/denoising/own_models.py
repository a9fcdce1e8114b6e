"""Removing a model of the user's own from this computer."""

from __future__ import annotations

import shutil

from ..errors import InputError
from ..moving import patiently
from .catalogue import ModelCard, user_models_folder


def remove_model(card: ModelCard) -> None:
    """Delete the folder of a model of the user's own; of a link to a folder, the link alone.

    Raises:
        InputError: it came with ASLDenoise, is gone already, or cannot be deleted.
    """
    folder = card.folder
    if not card.own or folder.parent != user_models_folder():
        raise InputError(f"The model {card.name} came with ASLDenoise and stays; only models of your own are removed.")
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            patiently(lambda: shutil.rmtree(folder))
    except FileNotFoundError as error:
        raise InputError(f"The model {card.name} is there no more; choose another.") from error
    except OSError as error:
        told = f"The model {card.name} could not be removed ({error.strerror or error})"
        raise InputError(f"{told}; close what has its files open, or delete {folder} yourself.") from error
