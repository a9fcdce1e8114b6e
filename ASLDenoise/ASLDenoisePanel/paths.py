"""The module's resources: beside ASLDenoise.py where Slicer installed it, at the root in a checkout."""

from __future__ import annotations

from pathlib import Path

_MODULE_FOLDER = Path(__file__).resolve().parents[1]


def resource(name: str) -> Path | None:
    """A file of Resources; None where it is not there."""
    folders = (_MODULE_FOLDER, _MODULE_FOLDER.parent)
    return next((path for path in (folder / "Resources" / name for folder in folders) if path.is_file()), None)
