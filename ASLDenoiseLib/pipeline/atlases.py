"""What somebody means by an atlas: an image, a file with its space, or a name of those that nilearn fetches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..findings import Finding, note_kind
from ..reading.fetched_atlases import NAMED_ATLASES, fetch_atlas, names_of_atlases
from ..reading.images import image_stem
from ..remedies import Advice
from ..result.maps import MNI
from ..series import Volume
from .request import ATLAS_SPACES, Atlas

_OURS = MNI.removeprefix("space-")
_TEMPLATE = note_kind(
    "atlas-template",
    "The atlas {title} was drawn on the template {theirs}, and is read as if it were on {ours}",
    "both are called MNI space, but the template brains differ in shape, most for AAL's single brain; how far that "
    "moves borders of regions was not measured here",
    Advice(f"read small and thin regions with care, or give labels that were drawn on {_OURS}"),
    meaning="An atlas that was fetched by name is in another version of MNI space than ours (ICBM 2009a, symmetric).",
)
NamesOf = Path | Mapping[str, str] | None


def atlas_asked(
    given: Atlas | Volume | Path | str, *, names: NamesOf = None, usual: str = "asl", datasets: Any = None
) -> Atlas:
    """The atlas that is meant; one that has to be fetched is, now.

    Args:
        given: an `Atlas`; a label image; ``FILE`` or ``FILE@SPACE``; or a name of `reading.fetched_atlases`, with or
            without ``@mni``. A file of that name goes before.
        names: label to name, or the table that has them; None: the atlas' own.
        usual: the space of a file or image where nothing says it.
        datasets: as of `fetch_atlas`.

    Raises:
        InputError: it cannot be fetched, is asked for in a space where it does not lie, or is no file and no name.
    """
    if isinstance(given, Atlas):
        return given
    if isinstance(given, Volume):
        return Atlas(given, names, usual)
    path, space = placed(str(given), usual="")
    name = str(path).lower()
    if os.path.exists(path) or name not in NAMED_ATLASES:
        if not os.path.exists(path) and not path.suffix and len(path.parts) == 1:
            raise InputError(f"There is no file {path} and no atlas of that name; names are {names_of_atlases()}.")
        return Atlas(path, names, space or usual)
    if space not in ("", "mni"):
        raise InputError(f"The atlas '{name}' lies in MNI space; write {name} or {name}@mni.")
    found = fetch_atlas(name, datasets=datasets)
    return Atlas(found.labels, found.names if names is None else names, "mni", found.template)


def placed(text: str, spaces: Mapping[str, str] = ATLAS_SPACES, usual: str = "asl") -> tuple[Path, str]:
    """A file and its space, from ``FILE`` or ``FILE@SPACE``; an @ within the name of a file is its own."""
    path, separator, space = text.rpartition("@")
    if separator and space in spaces and not os.path.isfile(text):
        return Path(path), space
    return Path(text), usual


def atlas_title(atlas: Atlas) -> str:
    """What an atlas is called: its file without the ending, or its image's name."""
    return (image_stem(atlas.labels) if isinstance(atlas.labels, Path) else atlas.labels.name) or "atlas"


def template_finding(atlas: Atlas, title: str) -> Finding | None:
    """That an atlas was drawn on another template than ours; None where it was not, or nothing says so."""
    if atlas.space != "mni" or atlas.template in ("", _OURS):
        return None
    return _TEMPLATE.finding(title=title, theirs=atlas.template, ours=_OURS)
