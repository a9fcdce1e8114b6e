"""How fast the panel opens and how long it ever holds the window up, in the harness; writes panel.md.

Opening is measured in processes of their own; the job is the sample series with its T1, run by clicks as a user would.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

from .library.command import ROOT, begin, options, say
from .library.tables import table

HEAVY = ("torch", "monai", "ants", "SimpleITK", "matplotlib", "nilearn", "scipy", "skimage", "nibabel")
MODULE = ROOT / "ASLDenoise" / "ASLDenoise.py"
_LONGEST = 900.0  # s that a job may take


def opened() -> dict[str, object]:
    """Open the panel here: seconds by the clock and of the CPU, and what heavy was imported; or why it cannot be."""
    from slicer_harness import installed, why_absent

    if why_absent():
        return {"absent": why_absent()}
    from slicer_harness.panel import open_panel

    with installed():
        import slicer  # noqa: F401  (the harness itself is up before the clock starts)

        before = time.process_time()
        panel = open_panel(MODULE)
        taken = time.process_time() - before
        heavy = [name for name in HEAVY if name in sys.modules]
        panel.close()
    return {"s": panel.opened_in, "CPU s": taken, "heavy": heavy}


def driven() -> dict[str, dict[str, float]]:
    """Load the sample and run it, by clicks; the longest time the event loop did not come round in each phase."""
    from slicer_harness import installed
    from slicer_harness.panel import Heartbeat, open_panel, process_events

    phases: dict[str, dict[str, float]] = {}
    with installed():
        panel = open_panel(MODULE)
        ui, widget = panel.ui, panel.widget

        def phase(name: str, act, ended) -> None:
            started = time.perf_counter()
            with Heartbeat() as beat:
                act()
                if not process_events(ended, timeout=_LONGEST):
                    raise SystemExit(f"waited {_LONGEST:g} s in vain for the end of: {name}")
            phases[name] = {"s": time.perf_counter() - started, "longest block (s)": beat.longest}

        def loaded() -> bool:
            return ui.applyButton.enabled and not widget.preview.running

        phase("load the sample, look at it", widget.inputs.actions["sample"].trigger, loaded)
        # The last look at what the child said comes before the results are shown: two phases, one run.
        ui.applyButton.click()
        phase("the run, to 95 %", lambda: None, lambda: ui.progressBar.value >= 950 or not widget.run.running)
        phase("its end, results shown", lambda: None, lambda: not widget.run.running)
        if widget.state.value != "done":
            raise SystemExit(ui.statusLabel.text)
        phase("side by side", ui.sideBySideButton.click, lambda: True)
        panel.close()
    return phases


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--times", type=int, default=7, help="how often the panel is opened")
    parser.add_argument("--alone", choices=("opened", "driven"), help="one of the two here; for this command itself")
    command = begin(__file__, parser)
    if command.args.alone:
        print(json.dumps({"opened": opened, "driven": driven}[command.args.alone]()))
        return

    def alone(what: str) -> dict:
        return command.alone("--alone", what, PYTHONPATH=str(ROOT / "Testing" / "Harness"))

    each = [alone("opened") for _ in range(command.args.times)]
    if "absent" in each[0]:
        say(f"skipped: {each[0]['absent']}")
        return
    phases = alone("driven")
    heavy = sorted({name for row in each for name in row["heavy"]})
    spent = {name: [row[name] for row in each] for name in ("s", "CPU s")}
    command.publish(
        "The panel: opening, and holding the window up",
        "Two CPU cores, off screen in the harness (Testing/Harness) on the real MRML scene.",
        f"Opened {len(each)} times, each in a new process (import, set-up and enter; asked: under 0.5 s). Heavy "
        f"packages imported by it: {', '.join(heavy) or 'none'}.",
        table({name: {"median": statistics.median(s), "slowest": max(s)} for name, s in spent.items()}, first=""),
        "The sample series with its T1, by clicks. 'Longest block' is the longest time that the event loop did not "
        "come round (asked: under 0.1 s while a job runs).",
        table(phases, first="phase"),
    )


if __name__ == "__main__":
    main()
