"""The software that made a result."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib import metadata

NAME = "ASLDenoise"
HOME = "https://github.com/ASLDenoise/SlicerASLDenoise"
HOST = "3D Slicer"
HOST_VERSION = "ASLDENOISE_SLICER"  # in the environment that a Slicer hands to its child processes: its version
_LIBRARIES = (
    *("numpy", "scipy", "torch", "monai", "SimpleITK", "antspyx", "nibabel", "nilearn", "scikit-image", "dcm2niix"),
)


def own_version() -> str:
    """The version of ASLDenoise: what the package states, else what was installed, else 'unknown'."""
    import ASLDenoiseLib

    return getattr(ASLDenoiseLib, "__version__", None) or _installed("asldenoise") or "unknown"


def software_versions() -> Mapping[str, str]:
    """ASLDenoise, its Slicer, Python and every installed library that can touch a number; none is imported."""
    found = {name: _installed(name) for name in _LIBRARIES}
    host = os.environ.get(HOST_VERSION, "").strip()
    return {
        NAME: own_version(),
        **({HOST: host} if host else {}),
        "Python": platform.python_version(),
        **{name: version for name, version in found.items() if version},
    }


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
