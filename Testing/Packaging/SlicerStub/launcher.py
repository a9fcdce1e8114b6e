"""Starts the harness where a test would start Slicer: modules of some folders are loaded, then Python code runs.

The arguments are those that Slicer's build files give its launcher. The checkout is kept off the import path, so that
what runs is what was built or installed, whichever way ASLDenoise is installed in this Python.
"""

from __future__ import annotations

import argparse
import sys
import types
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HARNESS = ROOT / "Testing" / "Harness"


def main() -> None:
    """Load the modules, run the code; what it raises ends this with a status that is not 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--no-splash", "--testing", "--no-main-window", "--disable-cli-modules"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--additional-module-paths", nargs="+", type=Path, default=[])
    parser.add_argument("--python-code", default="")
    given = parser.parse_args()
    hide_checkout()
    sys.path.insert(0, str(HARNESS))
    from slicer_harness import installed
    from slicer_harness.modules import load_scripted_module

    with installed(testing=given.testing, main_window=not given.no_main_window):
        for path in sorted(path for folder in given.additional_module_paths for path in folder.glob("*.py")):
            load_scripted_module(path.resolve())
        offer_testing()
        exec(compile(given.python_code, "--python-code", "exec"), {"__name__": "__main__"})


def hide_checkout() -> None:
    """Take the checkout, and what an editable installation of it left, off the import path."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")]
    environment = Path(sys.prefix).resolve()  # may lie in the checkout, as .venv does
    places = [(entry, Path(entry or ".").resolve()) for entry in sys.path]
    sys.path[:] = [e for e, place in places if place.is_relative_to(environment) or not place.is_relative_to(ROOT)]


def offer_testing() -> None:
    """`slicer.testing`, which slicer-core lacks."""
    import slicer

    slicer.testing = sys.modules["slicer.testing"] = types.ModuleType("slicer.testing")
    slicer.testing.runUnitTest = run_unit_test


def run_unit_test(path: str | list[str], testname: str) -> None:
    """Run the tests of a module that is loaded already, or lies in one of the folders; raises where one fails."""
    sys.path += [path] if isinstance(path, str) else path
    suite = unittest.TestLoader().loadTestsFromName(testname)
    if not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful():
        raise AssertionError(f"{testname} failed")


if __name__ == "__main__":
    main()
