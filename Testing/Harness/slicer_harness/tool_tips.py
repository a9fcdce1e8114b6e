"""Tool tips as Slicer shows them."""

from __future__ import annotations

from PySide6.QtGui import Qt


def rich_tool_tip(text: str) -> str:
    """Slicer wraps plain tool tips in a paragraph, so that they break into lines."""
    return f"<p>{text}</p>" if text and not Qt.mightBeRichText(text) else text
