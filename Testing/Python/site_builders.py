"""What the tests of a user's own models share: one made from a model that came along."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ASLDenoiseLib.denoising.catalogue import find_model


def own_model(folder: Path, name: str = "mysite", *, start: str = "dwan-lfn", **told: object) -> Path:
    """A model of the user's own with the weights of one that came with ASLDenoise; `told` goes into its metadata."""
    card = find_model(start)
    shutil.copytree(card.folder, folder / name)
    path = folder / name / "configs" / "metadata.json"
    adapted = {"name": start, "sha256": card.sha256, "version": card.metadata["version"]}
    path.write_text(json.dumps({**card.metadata, "name": name, "adapted_from": adapted, **told}))
    return folder / name
