"""The layers of the slice views, put aside while something else is looked at, and put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .display import lay_over

if TYPE_CHECKING:
    import slicer


@dataclass(frozen=True)
class Layers:
    """The layers of every slice view of a scene, by the ID of its composite node: background, foreground, opacity."""

    of: dict[str, tuple[str | None, str | None, float]]


def layers_of(scene: slicer.vtkMRMLScene) -> Layers:
    """The layers as they are."""
    return Layers(
        {
            each.GetID(): (each.GetBackgroundVolumeID(), each.GetForegroundVolumeID(), each.GetForegroundOpacity())
            for each in _composites(scene)
        }
    )


def put_back(scene: slicer.vtkMRMLScene, layers: Layers) -> None:
    """Show the layers again, without the volumes that are no longer there."""
    for composite in _composites(scene):
        if composite.GetID() in layers.of:
            background, foreground, opacity = layers.of[composite.GetID()]
            composite.SetBackgroundVolumeID(background if background and scene.GetNodeByID(background) else None)
            composite.SetForegroundVolumeID(foreground if foreground and scene.GetNodeByID(foreground) else None)
            composite.SetForegroundOpacity(opacity)


def show_alone(volume: slicer.vtkMRMLVolumeNode) -> None:
    """Show one volume in every slice view, nothing over it."""
    for composite in _composites(volume.GetScene()):
        lay_over(composite, background=volume, foreground=None, opacity=0.0)


def show_half(below: slicer.vtkMRMLVolumeNode, above: slicer.vtkMRMLVolumeNode) -> None:
    """Show one volume half through another in every slice view."""
    for composite in _composites(above.GetScene()):
        lay_over(composite, background=below, foreground=above, opacity=0.5)


def _composites(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSliceCompositeNode]:
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
