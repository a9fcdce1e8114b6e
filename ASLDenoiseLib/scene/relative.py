"""Perfusion relative to a reference: each map over its own mean in the whole brain, grey matter or a region.

The maps in ml/100g/min stay as they are; relative ones are nodes of their own beside them (`derived`).
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..result import Result
from ..result.maps import kind_of
from .derived import FADE, SWIPE, derived_node, remove_derived
from .volumes import Code

if TYPE_CHECKING:
    import slicer

    from .choose import RunNodes

REFERENCES_ATTRIBUTE = "ASLDenoise.references"  # of a map's node; its value: means by the names of references, JSON
BRAIN = "whole brain"
_MEAN = "_mean"  # the end of the names of readouts that a reference can be
_WINDOW, _TICKS = (0.0, 2.0), 5
RELATIVE = "relative"  # the beginning of the name of such a derived map
RATIO = Code("{ratio}", "UCUM", "ratio to the mean of a reference")


def references_of(result: Result, key: str) -> dict[str, float]:
    """The means that a map can be divided by: of all its voxels that were measured, of GM, WM and each region.

    GM, WM and regions are those of the table of readouts, and their means the ones there. What is not above zero is
    left out: nothing can be relative to it.
    """
    array = result.maps[key].array
    measured = array[np.isfinite(array)]
    means = {BRAIN: float(measured.mean()) if measured.size else math.nan}
    for readout in result.readouts.get(key, ()):
        if readout.name.endswith(_MEAN) and readout.unit == result.unit:
            means[readout.label.removesuffix(" mean")] = readout.value
    return {name: float(f"{mean:.9g}") for name, mean in means.items() if mean > 0}


def references_in(nodes: RunNodes, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The references that every one of these maps has, as saved with them."""
    known = [_references(nodes.maps[key]) for key in keys]
    return tuple(name for name in known[0] if all(name in means for means in known)) if known else ()


def relative_nodes(nodes: RunNodes, reference: str) -> RunNodes:
    """The run with its perfusion maps relative to a reference; the others, and all without a reference, as they are.

    Raises:
        InputError: no map of the run knows that reference.
    """
    scene = next(iter(nodes.maps.values())).GetScene()
    remove_derived(scene, nodes.folder, but=(SWIPE, FADE, *([_named(reference)] if reference else [])))
    if not reference:
        return nodes
    made = {}
    for key, node in nodes.maps.items():
        mean = _references(node).get(reference)
        if kind_of(key, nodes.maps).below and mean is not None:
            made[key] = _relative(nodes, key, reference, mean)
    if not made:
        raise InputError(f"The run has no mean of '{reference}' above 0; choose another reference.")
    return replace(nodes, maps={**nodes.maps, **made})


def _relative(nodes: RunNodes, key: str, reference: str, mean: float) -> slicer.vtkMRMLScalarVolumeNode:
    import slicer

    node = nodes.maps[key]
    kind = kind_of(key, nodes.maps)
    unit = f"1 = mean of {reference}"
    title = f"Relative {kind.short[:1].lower()}{kind.short[1:]} ({reference})"
    look = {"window": _WINDOW, "ticks": _TICKS, "unit": unit, "quantity": "Relative"}
    array = np.array(slicer.util.arrayFromVolume(node), dtype=np.float32) / np.float32(mean)
    what = f"{_named(reference)}{key}"
    return derived_node(node, nodes.folder, what, array, title=title, kind=replace(kind, **look), unit=RATIO)


def _named(reference: str) -> str:
    """The beginning of the names of maps relative to a reference."""
    return f"{RELATIVE} {reference}: "


def _references(node: slicer.vtkMRMLScalarVolumeNode) -> dict[str, float]:
    text = node.GetAttribute(REFERENCES_ATTRIBUTE)
    return json.loads(text) if text else {}
