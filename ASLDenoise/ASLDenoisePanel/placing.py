"""A T1 laid on a series by hand: a linear transform over it, with handles in the views."""

from __future__ import annotations

from slicer.i18n import tr as _


def placedUnder(t1):
    """The linear transform node that the T1 is under; a new one, that does nothing yet, where it is under none.

    Raises:
        ASLDenoiseLib.errors.InputError: it is under a warp, whose handles would not do.
    """
    from ASLDenoiseLib.errors import InputError

    transform = t1.GetParentTransformNode()
    if transform is not None:
        if not transform.IsA("vtkMRMLLinearTransformNode"):
            name = t1.GetName()
            raise InputError(_("The T1 '{name}' is under a warp; harden the transform on it first.").format(name=name))
        return transform
    scene = t1.GetScene()
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", _("T1 placed by hand"))
    bounds = [0.0] * 6
    t1.GetRASBounds(bounds)
    transform.SetCenterOfTransformation(*((bounds[n] + bounds[n + 1]) / 2 for n in (0, 2, 4)))
    t1.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def handlesOn(transform, shown) -> None:
    """Show or hide the handles of a transform, in the slice views and in 3D."""
    if transform.GetDisplayNode() is None:
        if not shown:
            return
        transform.CreateDefaultDisplayNodes()
    display = transform.GetDisplayNode()
    display.SetEditorVisibility(shown)
    display.SetEditorVisibility3D(shown)
    display.SetEditorSliceIntersectionVisibility(shown)
