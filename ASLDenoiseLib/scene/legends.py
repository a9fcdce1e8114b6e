"""Legends beside the brain: small, at the top of views that are higher than wide, else at their right."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from .display import TICKS_ATTRIBUTE, TITLE_ATTRIBUTE, is_map, legends_of

if TYPE_CHECKING:
    import slicer

# Pixels that a legend needs: its scale, numbers and title. Slicer gives it a share of the view, and enlarges the
# numbers until they fill it.
_ACROSS_TOP, _AT_RIGHT = 84, 128
_LETTERS = 16  # pixels, how high they are to be
_LINE, _TITLE_LINES = 13, 4  # pixels a line of an upright legend, and the lines that its title takes
_MOST = 0.25  # of the view's width or height
_LONG_TOP, _LONG_RIGHT = 0.62, 0.5  # of the view's other side


_UNDRAWN = (256, 256)  # pixels, which the node of a view begins with
_FALLBACK_SIZE = (500, 700)  # of a view that was never drawn; tall, so that no window cuts the sides off


def size_of(view: slicer.vtkMRMLSliceNode) -> tuple[int, int]:
    """Width and height of a view, pixels; of a usual one where no desktop has drawn it yet."""
    size = tuple(view.GetDimensions()[:2])
    return _FALLBACK_SIZE if size == _UNDRAWN or min(size) < 10 else size


def free_of_legend(width: int, height: int) -> tuple[float, float, float, float]:
    """What a legend leaves of a view of that many pixels: left, bottom, right, top, as shares from the lower left."""
    if _lies(width, height):
        return 0.0, 0.0, 1.0, 1.0 - min(_MOST, _ACROSS_TOP / height)
    return 0.0, 0.0, 1.0 - min(_MOST, _AT_RIGHT / width), 1.0


def only_legends_of(scene: slicer.vtkMRMLScene, shown: Collection[slicer.vtkMRMLScalarVolumeNode]) -> None:
    """Show the legends of the `shown` maps and hide all others: Slicer would draw them over one another.

    Call it when the layers are set: Slicer checks only then whether a legend's map is in a view.
    """
    import slicer

    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene):
        if is_map(node):
            for legend in legends_of(node):
                legend.SetVisibility(node in shown)
    arrange_legends(scene)


def arrange_legends(scene: slicer.vtkMRMLScene) -> None:
    """Put the legend of every map that is in a view beside the brain, as the shape of the first such view asks.

    Views that the layout shows come first: one that it leaves out keeps its map and the size it once had.
    """
    import slicer

    views = {view.GetLayoutName(): view for view in slicer.util.getNodesByClass("vtkMRMLSliceNode", scene)}
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    shown = [c for c in composites if c.GetLayoutName() in views]
    arranged = set()
    for composite in sorted(shown, key=lambda c: not views[c.GetLayoutName()].IsMappedInLayout()):
        view, volume = views[composite.GetLayoutName()], scene.GetNodeByID(composite.GetForegroundVolumeID() or "")
        if volume is None or volume.GetID() in arranged or not is_map(volume):
            continue
        arranged.add(volume.GetID())
        for legend in legends_of(volume):
            _arrange(legend, *size_of(view))
    _draw_legends(scene)


def _draw_legends(scene: slicer.vtkMRMLScene) -> None:
    """Have every slice view check again which legends it draws, also those that are older than the view.

    vtkMRMLColorLegendDisplayableManager checks when a composite node says that a layer was changed by interaction,
    not when the layer is changed by a program.
    """
    import slicer

    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        before = composite.GetInteractionFlags()
        composite.SetInteractionFlags(composite.ForegroundVolumeFlag)
        composite.Modified()
        composite.SetInteractionFlags(before)


def _arrange(legend: slicer.vtkMRMLColorLegendDisplayNode, width: int, height: int) -> None:
    _, _, right, top = free_of_legend(width, height)
    title = legend.GetAttribute(TITLE_ATTRIBUTE) or legend.GetTitleText()
    ticks = int(legend.GetAttribute(TICKS_ATTRIBUTE) or legend.GetNumberOfLabels())
    number = legend.GetLabelFormat().strip()
    was_modifying = legend.StartModify()
    if _lies(width, height):
        count = _fewer(ticks)
        # Spaces round a number hold it to the size of the letters that are wanted.
        letters = width * _LONG_TOP / count / (0.5 * _LETTERS)
        pad = " " * max(0, round((letters - 2) / 2))
        legend.SetTitleText(title)
        legend.SetNumberOfLabels(count)
        legend.SetLabelFormat(f"{pad}{number}{pad}")
        legend.SetOrientation(legend.Horizontal)
        legend.SetPosition(0.5, 0.995)
        legend.SetSize(0.95 * (1.0 - top), _LONG_TOP)
    else:
        legend.SetTitleText(title.replace(" (", "\n(", 1).replace("; ", ")\n(", 1))
        legend.SetNumberOfLabels(ticks)
        legend.SetLabelFormat(number)
        legend.SetOrientation(legend.Vertical)
        legend.SetPosition(0.99, 0.5)
        legend.SetSize(0.95 * (1.0 - right), min(_LONG_RIGHT, _LINE * (ticks + _TITLE_LINES) / height))
    legend.EndModify(was_modifying)


def _lies(width: int, height: int) -> bool:
    """Whether a legend lies across the top of such a view: a brain from above is a fifth longer than wide."""
    return width < 1.1 * height


def _fewer(ticks: int) -> int:
    """How many of a legend's numbers stay when it lies: every second, third ..., at the same values, at most six.

    >>> [_fewer(ticks) for ticks in (10, 13, 11, 6, 5)]
    [4, 5, 6, 6, 5]
    """
    return 1 + next(count for count in (5, 4, 3, 2, 1) if (ticks - 1) % count == 0)
