"""What the user does to the slice views by Slicer's own means: another layout, another image in a view."""

from __future__ import annotations

import slicer
import vtk
from slicer.util import VTKObservationMixin


class ViewObserver(VTKObservationMixin):
    """Tells the section of views.

    Args:
        views: the `ViewsSection`.
    """

    def __init__(self, views):
        VTKObservationMixin.__init__(self)
        self._views = views
        self.observe()

    def observe(self) -> None:
        """Observe the views of the scene that are not observed yet."""
        modified = vtk.vtkCommand.ModifiedEvent
        kinds = {"vtkMRMLLayoutNode": self._onLayout, "vtkMRMLSliceCompositeNode": self._onLayers}
        for kind, follow in kinds.items():
            for node in slicer.util.getNodesByClass(kind):
                if not self.hasObserver(node, modified, follow):
                    self.addObserver(node, modified, follow)

    def _onLayout(self, caller, event) -> None:
        if _settled(caller):
            self._views.onLayout()

    def _onLayers(self, caller, event) -> None:
        if _settled(caller):
            self._views.onLayers()


def _settled(node) -> bool:
    """Whether a node is in a scene that is not being opened or closed."""
    return node.GetScene() is not None and not node.GetScene().IsBatchProcessing()
