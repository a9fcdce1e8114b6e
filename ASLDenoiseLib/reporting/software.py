"""The software that made a result."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata

NAME = "ASLDenoise"
_LIBRARIES = (
    *("numpy", "scipy", "torch", "monai", "SimpleITK", "antspyx", "nibabel", "nilearn", "scikit-image", "dcm2niix"),
)


def own_version() -> str:
    """The version of ASLDenoise: what the package states, else what was installed, else 'unknown'."""
    import ASLDenoiseLib

    return getattr(ASLDenoiseLib, "__version__", None) or _installed("asldenoise") or "unknown"


def software_versions() -> Mapping[str, str]:
    """ASLDenoise, Python and every installed library that can touch a number, read without importing any."""
    found = {name: _installed(name) for name in _LIBRARIES}
    return {
        NAME: own_version(),
        "Python": platform.python_version(),
        **{name: version for name, version in found.items() if version},
    }


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
