"""The archive beside a release: the bundles whose weights are not in the published repository."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

from ASLDenoiseLib.denoising.apart import APART, archive_name

from .git import git, lines

MODELS = "Resources/Models"
_TIME = (1980, 1, 1, 0, 0, 0)  # the archive's bytes follow from the bundles alone
_ABOUT = """{name}, a model to compare with, of ASLDenoise {version}. For research use only; licence: LICENSE.txt.

{archive} is unpacked into the folder for models, ~/.asldenoise/models or where the environment's
ASLDENOISE_MODELS says, so that this folder lies in it; then `--model {name}` and the panel have the model.
What it is and was trained on: docs/README.md. SHA256SUMS has the hash of every file; ASLDenoise holds the weights to
the hash of the card that came with it, and loads nothing from them but numbers (PyTorch's weights_only).
"""


class NoWeights(Exception):
    """The checkout lacks weights of a bundle, or holds others than its card says."""


def weights_of(name: str) -> str:
    """The file in the checkout that the published repository goes without."""
    return f"{MODELS}/{name}/models/model.pt"


def write_archive(source: Path, folder: Path, version: str) -> Path:
    """Write the bundles of the last commit of `source` as one zip into `folder`: each with licence, README and hashes.

    Raises:
        NoWeights: weights are missing there, or their SHA256 is not the card's.
    """
    path = folder / archive_name(version)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in APART:
            files = _bundle(source, name)
            told = _ABOUT.format(name=name, version=version, archive=path.name).encode()
            files |= {"LICENSE.txt": git(source, "show", "HEAD:LICENSE.txt"), "README.txt": told}
            sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {inner}\n" for inner, data in sorted(files.items()))
            for inner, data in sorted({**files, "SHA256SUMS": sums.encode()}.items()):
                entry = zipfile.ZipInfo(f"{name}/{inner}", _TIME)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return path


def _bundle(source: Path, name: str) -> dict[str, bytes]:
    """The files of a bundle, by their paths in it."""
    folder = f"{MODELS}/{name}/"
    paths = lines(source, "ls-tree", "-r", "--name-only", "HEAD", folder)
    if weights_of(name) not in paths:
        raise NoWeights(f"the last commit lacks {weights_of(name)}; publish from a clone that has every model")
    files = {path.removeprefix(folder): git(source, "show", f"HEAD:{path}") for path in paths}
    if hashlib.sha256(files["models/model.pt"]).hexdigest() != json.loads(files["configs/metadata.json"])["sha256"]:
        raise NoWeights(f"the SHA256 of {weights_of(name)} is not the one of its card; commit both together")
    return files
