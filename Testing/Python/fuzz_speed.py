"""What makes two thousand cases affordable, and changes no number: brains found once, few pictures drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from Testing.Python.worked_out import put_everywhere

_FOUND_ONCE = "ASLDenoiseLib.preparing.brain_mask:brain_mask"  # half of an inspection
_DRAWN = {  # nine tenths of a run
    "ASLDenoiseLib.reporting.fragments": ("montage_png",),
    "ASLDenoiseLib.reporting.html": ("agreement_png", "timeline_png"),
}
_PIXEL = b"\x89PNG\r\n\x1a\n"


def find_brains_once(folder: Path, put: Callable[[object, str, object], None] = setattr) -> None:
    """Keep the brain of an image in a folder for the next case with the same image."""
    import ASLDenoiseLib.inspecting.inspection
    import ASLDenoiseLib.pipeline.run  # noqa: F401  (whoever binds the function must have done so)

    folder.mkdir(parents=True, exist_ok=True)
    put_everywhere(_FOUND_ONCE, folder, put)


@contextmanager
def pictures(*, drawn: bool) -> Iterator[None]:
    """Reports with their pictures, or with a stand-in for each."""
    with ExitStack() as patches:
        for module, names in () if drawn else _DRAWN.items():
            for name in names:
                patches.enter_context(patch(f"{module}.{name}", lambda *given, **options: _PIXEL))
        yield
