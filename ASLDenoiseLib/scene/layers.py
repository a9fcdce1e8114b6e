"""The layers of the slice views and their legends, put aside while something else is looked at, and put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .display import is_map, lay_over, legends_of
from .legends import arrange_legends, only_legends_of

if TYPE_CHECKING:
    import slicer


@dataclass(frozen=True)
class Layers:
    """What the slice views of a scene show.

    Args:
        of: by the ID of a view's composite node: background, foreground, opacity.
        legends: the IDs of the legends that were switched on.
    """

    of: dict[str, tuple[str | None, str | None, float]]
    legends: frozenset[str] = frozenset()


def layers_of(scene: slicer.vtkMRMLScene) -> Layers:
    """The layers as they are."""
    return Layers(
        {
            each.GetID(): (each.GetBackgroundVolumeID(), each.GetForegroundVolumeID(), each.GetForegroundOpacity())
            for each in _composites(scene)
        },
        frozenset(legend.GetID() for legend in _legends(scene) if legend.GetVisibility()),
    )


def put_back(scene: slicer.vtkMRMLScene, layers: Layers) -> None:
    """Show the layers again, without the volumes that are no longer there."""
    for composite in _composites(scene):
        if composite.GetID() in layers.of:
            background, foreground, opacity = layers.of[composite.GetID()]
            composite.SetBackgroundVolumeID(background if background and scene.GetNodeByID(background) else None)
            composite.SetForegroundVolumeID(foreground if foreground and scene.GetNodeByID(foreground) else None)
            composite.SetForegroundOpacity(opacity)
    for legend in _legends(scene):
        legend.SetVisibility(legend.GetID() in layers.legends)
    arrange_legends(scene)


def show_alone(volume: slicer.vtkMRMLVolumeNode) -> None:
    """Show one volume in every slice view, nothing over it and no legend but its own."""
    for composite in _composites(volume.GetScene()):
        lay_over(composite, background=volume, foreground=None, opacity=0.0)
    only_legends_of(volume.GetScene(), (volume,))


def show_half(below: slicer.vtkMRMLVolumeNode, above: slicer.vtkMRMLVolumeNode) -> None:
    """Show one volume half through another in every slice view."""
    for composite in _composites(above.GetScene()):
        lay_over(composite, background=below, foreground=above, opacity=0.5)
    only_legends_of(above.GetScene(), (below, above))


def _composites(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSliceCompositeNode]:
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)


def _legends(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLColorLegendDisplayNode]:
    """Those of maps; what others draw is theirs."""
    import slicer

    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene)
    return [legend for volume in volumes if is_map(volume) for legend in legends_of(volume)]
