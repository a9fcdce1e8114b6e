"""Where a series lies in the scene: the transform that its node, or the volume that shows a sequence, is under."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..series import Geometry, Volume
from .volumes import to_world, volume_from_node

if TYPE_CHECKING:
    import slicer


def place_of(node: slicer.vtkMRMLNode) -> np.ndarray:
    """The 4x4 matrix, RAS, from the images of a series to where the scene shows them; the nodes stay as they are.

    A sequence cannot be under a transform; the volumes that browsers show of it can, and are what a user moves.

    Args:
        node: a sequence, multi-volume or vector volume.

    Raises:
        InputError: the transform is a warp or shears, or two browsers show the sequence at different places.
    """
    if not node.IsA("vtkMRMLSequenceNode"):
        return to_world(node)
    places = [to_world(proxy) for proxy in proxies_of(node) if proxy.GetParentTransformNode() is not None]
    if any(not np.allclose(place, places[0]) for place in places[1:]):
        raise InputError(
            f"Two volumes show '{node.GetName()}' under different transforms; take all but one out of its transform."
        )
    return places[0] if places else np.eye(4)


def m0_at(m0: slicer.vtkMRMLScalarVolumeNode, own: Geometry, place: np.ndarray) -> Volume:
    """The M0 where the scene shows it; one without a transform that shares the grid of the series goes with it.

    Args:
        m0: its node.
        own: the grid of the series before its transform, which `place` is.
    """
    volume = volume_from_node(m0)
    if m0.GetParentTransformNode() is not None or not volume.geometry.matches(own):
        return volume
    return replace(volume, geometry=moved(volume.geometry, place))


def moved(geometry: Geometry, place: np.ndarray) -> Geometry:
    """A grid moved by a 4x4 matrix, RAS."""
    if np.array_equal(place, np.eye(4)):
        return geometry
    return Geometry.from_affine_ras(place @ geometry.affine_ras, geometry.size)


def proxies_of(sequence: slicer.vtkMRMLSequenceNode) -> list[slicer.vtkMRMLVolumeNode]:
    """The volumes that the browsers of its scene show of a sequence."""
    import slicer

    scene = sequence.GetScene()
    browsers = [] if scene is None else slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode", scene)
    proxies = (browser.GetProxyNode(sequence) for browser in browsers)
    return [proxy for proxy in proxies if proxy is not None and proxy.IsA("vtkMRMLVolumeNode")]
