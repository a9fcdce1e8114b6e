"""Stand-ins for Slicer's Qt layer on PySide6 and the real MRML scene, so that a module's panel runs and is clicked.

    with installed():
        panel = open_panel("ASLDenoise/ASLDenoise.py")
        panel.ui.applyButton.click()
        process_events(until=lambda: panel.ui.applyButton.enabled)
        photograph(panel.frame, "panel.png", width=400)

The stand-ins offer the names that a running Slicer 5.12.3 was seen to offer (surface.json) and no other.
"""

from .installation import Desktop, installed, why_absent

__all__ = ["Desktop", "installed", "why_absent"]
