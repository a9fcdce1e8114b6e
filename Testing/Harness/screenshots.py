"""Photographs the panel in each of its states, at two widths, into Docs/panel: all off screen.

    python Testing/Harness/screenshots.py [FOLDER]

A real run on the sample series and its T1; a minute or two.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "Harness")]
WIDTHS = (400, 600)
_LONGEST = 600.0  # s


def main(folder: Path) -> None:
    """Every state in turn."""
    from slicer_harness import installed, why_absent

    absent = why_absent()
    if absent:
        raise SystemExit(absent)
    from slicer_harness.panel import open_panel, process_events
    from slicer_harness.photograph import photograph

    with installed():
        panel = open_panel(ROOT / "ASLDenoise" / "ASLDenoise.py")
        ui, widget = panel.ui, panel.widget

        def picture(state: str) -> None:
            for width in WIDTHS:
                print(photograph(panel.frame, folder / f"{state}-{width}.png", width=width))

        def until(condition: Callable[[], bool], what: str) -> None:
            if not process_events(condition, timeout=_LONGEST):
                raise SystemExit(f"waited {_LONGEST:g} s in vain until {what}")

        picture("empty")
        widget.inputs.actions["sample"].trigger()
        until(lambda: ui.applyButton.enabled and not widget.preview.running, "the sample series is there")
        picture("ready")
        ui.wayComboBox.setCurrentIndex(1)
        ui.gridComboBox.setCurrentIndex(1)
        ui.advancedCollapsibleButton.collapsed = False
        until(lambda: widget.method.devicesListed, "the devices are listed")
        picture("settings")
        ui.advancedCollapsibleButton.collapsed = True
        ui.wayComboBox.setCurrentIndex(0)
        ui.applyButton.click()
        until(lambda: ui.progressBar.value > 250 or not widget.run.running, "the run is under way")
        picture("running")
        until(lambda: not widget.run.running, "the run has ended")
        picture("done")
        ui.pairsLineEdit.text = "90-99"
        ui.applyButton.click()
        until(lambda: not widget.run.running, "the run that cannot work was refused")
        picture("error")
        panel.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Docs" / "panel")
