"""How fast the panel opens and how long it ever holds the window up, in the harness; writes panel.md.

    python Testing/Benchmarks/panel.py [--times N]

Opening is measured in processes of their own; the job is the sample series with its T1, run by clicks as a user would.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from command import ROOT, begin, options
from tables import table, text_table

HEAVY = ("torch", "monai", "ants", "SimpleITK", "matplotlib", "nilearn", "scipy", "skimage", "nibabel")
MODULE = ROOT / "ASLDenoise" / "ASLDenoise.py"
_LONGEST = 900.0  # s that a job may take


def opened() -> dict[str, object]:
    """Open the panel in this process: seconds by the clock and of the CPU, and what heavy was imported."""
    from slicer_harness import installed
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
            return ui.applyButton.enabled and not widget.looking.running

        present = widget.run._logic.present
        shown = []

        def present_timed(result, asl):
            started = time.perf_counter()
            nodes = present(result, asl)
            shown.append(time.perf_counter() - started)
            return nodes

        widget.run._logic.present = present_timed
        phase("load the sample, look at it", widget.inputs.actions["sample"].trigger, loaded)
        # The last look at what the child said comes before the results are shown: two phases, one run.
        ui.applyButton.click()
        phase("the run, to 95 %", lambda: None, lambda: ui.progressBar.value >= 950 or not widget.run.running)
        phase("its end, results shown", lambda: None, lambda: not widget.run.running)
        phases["its end, results shown"]["of it: nodes into the scene (s)"] = shown[0]
        if widget.state.value != "done":
            raise SystemExit(ui.statusLabel.text)
        phase("side by side", ui.sideBySideButton.click, lambda: True)
        panel.close()
    return phases


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--times", type=int, default=7, help="how often the panel is opened")
    parser.add_argument("--alone", action="store_true", help="open it once here; for this script itself")
    command = begin(__file__, parser)
    sys.path.insert(0, str(ROOT / "Testing" / "Harness"))
    from slicer_harness import why_absent

    if why_absent():
        print(f"skipped: {why_absent()}", file=sys.stderr)
        return 0
    if command.args.alone:
        print(json.dumps(opened()))
        return 0
    each = []
    for _ in range(command.args.times):
        told = subprocess.run([sys.executable, __file__, "--alone"], check=True, capture_output=True, text=True).stdout
        each.append(json.loads(told.splitlines()[-1]))
    phases = driven()
    heavy = sorted({name for row in each for name in row["heavy"]})
    lines = [
        "# The panel: opening, and holding the window up",
        "",
        f"Made by `python Testing/Benchmarks/panel.py` in {command.seconds / 60:.0f} minutes, two CPU cores, off "
        "screen in the harness (Testing/Harness) on the real MRML scene.",
        "",
        f"Opened {len(each)} times, each in a new process (import, set-up and enter; asked: under 0.5 s). Heavy "
        f"packages imported by it: {', '.join(heavy) or 'none'}.",
        "",
        *text_table(
            ["", "median", "slowest"],
            [
                [name, f"{statistics.median(r[name] for r in each):.2f}", f"{max(r[name] for r in each):.2f}"]
                for name in ("s", "CPU s")
            ],
        ),
        "",
        "The sample series with its T1, by clicks. 'Longest block' is the longest time that the event loop did not "
        "come round (asked: under 0.1 s while a job runs).",
        "",
        *table(phases, first="phase"),
    ]
    return command.publish(lines)


if __name__ == "__main__":
    sys.exit(main())
