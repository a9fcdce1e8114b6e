"""What a model of the user's own may be called."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..denoising.catalogue import list_models, models_not_installed, user_models_folder
from ..errors import InputError
from ..windows_paths import fault_of, may_write_in

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def check_name(name: str) -> Path:
    """The folder for a model of that name.

    Raises:
        InputError: it is no plain name, or that of a model or folder that is there: nothing is overwritten.
    """
    if not _PLAIN.fullmatch(name) or fault_of(name):
        rule = "use up to 63 letters without accents, digits, dots, - and _, beginning with a letter or digit"
        raise InputError(f"The name '{name}' is no plain name of a file; {rule}.")
    cards = {card.name.lower(): card for card in (*list_models(), *models_not_installed())}
    taken = cards.get(name.lower())
    if taken is not None and not taken.own:
        raise InputError(f"The name '{name}' is that of a model that comes with ASLDenoise; give another.")
    folder = user_models_folder() / (name if taken is None else taken.name)
    if taken is not None or os.path.lexists(folder):
        raise InputError(f"There is something called '{name}' already; give another name, or delete {folder}.")
    return folder


def check_place(folder: Path) -> None:
    """Refuse a folder for models that cannot be written to, before the work is done and not after.

    Raises:
        InputError: it, or the one it is to be made in, does not let this user write.
    """
    home = next((place for place in (folder, *folder.parents) if os.path.lexists(place)), folder)
    if not home.is_dir() or not may_write_in(home):
        raise InputError(
            f"The folder for your models, {folder}, cannot be written to; have access allowed, or say another by "
            "ASLDENOISE_MODELS in the environment."
        )
