"""Photographs the panel off screen: without a folder, the pictures that the pages show, into Docs/panel.

    python Testing/Harness/screenshots.py [FOLDER] [--widths 317 400 600] [--dark] [--window 317x700]

A real run on the sample series and its T1; a minute or two. In a folder, every state is pictured, to be looked at.
Pictures are as high as the panel's contents; `--window` takes one more of each state as a module panel of that size
shows it, and `--dark` each picture in a dark palette, too. 317 pixels are what Slicer gives a module at first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "Harness")]
PAGES = ROOT / "Docs" / "panel"
SHOWN = ("ready", "settings", "done", "sections")  # by the pages
WIDTHS = (600,)
_LONGEST = 600.0  # s


def main(folder: Path, *, widths: tuple[int, ...] = WIDTHS, dark: bool = False, window: str = "") -> None:
    """Every state in turn."""
    from slicer_harness import installed, why_absent

    absent = why_absent()
    if absent:
        raise SystemExit(absent)
    from few_colours import in_few_colours
    from slicer_harness.panel import open_panel, process_events
    from slicer_harness.photograph import photograph, wear

    sizes = [(width, None) for width in widths]
    sizes += [tuple(map(int, window.split("x")))] if window else []

    with installed():
        panel = open_panel(ROOT / "ASLDenoise" / "ASLDenoise.py")
        ui, widget = panel.ui, panel.widget
        panel.frame.layout().setContentsMargins(0, 0, 0, 0)  # as Slicer's module panel sets them

        def picture(state: str) -> None:
            if folder == PAGES and state not in SHOWN:
                return
            for theme in ("", "-dark") if dark else ("",):
                wear(dark=bool(theme))
                for width, height in sizes:
                    name = f"{state}-{width}{f'x{height}' if height else ''}{theme}.png"
                    in_few_colours(photograph(panel.frame, folder / name, width=width, height=height))
                    print(folder / name)

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
        until(lambda: widget.computing.listed, "the devices are listed")
        picture("settings")
        ui.advancedCollapsibleButton.collapsed = True
        ui.wayComboBox.setCurrentIndex(0)
        ui.applyButton.click()
        until(lambda: ui.progressBar.value > 250 or not widget.run.running, "the run is under way")
        picture("running")
        until(lambda: not widget.run.running, "the run has ended")
        print(ui.statusLabel.text)
        ui.methodsButton.click()  # whose word stands where the seconds of this machine stood
        until(lambda: "clipboard" in ui.statusLabel.text, "the methods paragraph is copied")
        picture("done")
        ui.resultsCollapsibleButton.collapsed = True
        for section in ("regions", "timeline", "agreement"):
            getattr(ui, f"{section}CollapsibleButton").collapsed = False
        picture("sections")
        ui.pairsLineEdit.text = "90-99"
        ui.applyButton.click()
        until(lambda: not widget.run.running, "the run that cannot work was refused")
        picture("error")
        panel.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=PAGES, help="where pictures go")
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS, help="of the pictures, pixels")
    parser.add_argument("--dark", action="store_true", help="each in a dark palette, too")
    parser.add_argument("--window", default="", metavar="WIDTHxHEIGHT", help="and as a module panel of that size")
    given = parser.parse_args()
    main(given.folder, widths=tuple(given.widths), dark=given.dark, window=given.window)
