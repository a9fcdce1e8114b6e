"""Stand-in for `slicer.parameterNodeWrapper`, for the kinds of values that a panel here keeps.

Numbers within a range, texts, yes or no, enums, nodes and lists: the same encoding, widgets and refusals as Slicer's.
"""

from typing import Any

from .. import surface
from ..special_members import NotStoodIn
from .validators import WithinRange
from .wrapper import parameterNodeWrapper

__all__ = ["WithinRange", "parameterNodeWrapper"]


def __getattr__(name: str) -> Any:
    if any(key.split(".")[2] == name for key in surface.functions() if key.startswith("slicer.parameterNodeWrapper.")):
        raise NotStoodIn(f"Slicer has parameterNodeWrapper.{name}, but the harness does not stand in for it yet.")
    raise AttributeError(f"slicer.parameterNodeWrapper has no {name}: a real Slicer does not list it")
