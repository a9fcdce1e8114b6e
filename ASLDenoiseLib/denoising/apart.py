"""Models to compare with whose weights are published apart: too large for the repository that Slicer's index clones.

Their cards stay in Resources/Models, with the SHA256 of the weights. The bundles are in one archive beside each
release (`python -m Testing.Packaging.publish` makes both) that is unpacked into the user's folder of models; the
catalogue finds the weights there, under the same name. The developers' repository has them in Resources/Models.
"""

from __future__ import annotations

from pathlib import Path

from ..software import HOME, NAME, own_version

# Those over 5 MiB, none of them the default. What was published once stays in that repository's history: a model that
# is to be left out is so before its first release.
APART = ("diffusion", "unet3d", "unet3d-gt25", "unet3d-gt50", "unet3d-m0")


def archive_name(version: str) -> str:
    """The file with the bundles of `APART` that a release has beside it."""
    return f"{NAME}-{version}-comparison-models.zip"


def how_to_get(folder: Path) -> str:
    """What to do to have the models of `APART`, where models of this computer's user lie in `folder`."""
    version = own_version()
    return f"unpack {archive_name(version)}, which is at {HOME}/releases/tag/v{version}, into {folder}"
