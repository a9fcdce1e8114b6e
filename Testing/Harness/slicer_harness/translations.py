"""Stand-in for `slicer.i18n`: English stays English."""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "getContext",
    "tr",
    "translate",
]


def translate(context: str, text: str) -> str:
    return text


def tr(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"tr() takes a text, not {type(text).__name__}")
    return text


def getContext(sourceFile: str) -> str:
    """The file's name; with its package where it is in one."""
    path = Path(sourceFile)
    package = path.parent.name if (path.parent / "__init__.py").is_file() else ""
    return f"{package}.{path.stem}" if package else path.stem
