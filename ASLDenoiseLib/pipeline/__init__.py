"""The one way through: a request, the steps it asks for, and the run that walks them.

read -> inspect -> motion -> calibrate -> segment -> align -> clean -> denoise -> fit -> super-resolve -> measure ->
write. A face (shell, console, panel) makes a `request.Request`; `run.run` does it. The steps join the rooms below and
hold no arithmetic. The console's calls are here by name.
"""

from __future__ import annotations

import importlib

_CONSOLE = ("denoise", "quantify", "superresolve", "measure_map", "tissue_of_map")


def __getattr__(name: str) -> object:
    if name not in _CONSOLE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".console", __name__), name)
