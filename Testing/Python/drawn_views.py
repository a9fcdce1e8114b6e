"""Slice views drawn as a desktop draws them: Slicer's slice logic under its own displayable manager of legends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ASLDenoiseLib.scene.headless import application_logic

_LEGENDS = "vtkMRMLColorLegendDisplayableManager"


@contextmanager
def slice_views(scene, size: tuple[int, int], tags=("Red", "Green", "Yellow")) -> Iterator[dict]:
    """Slice logics by the tags of their views, `size` pixels wide and high, known to the scene's application logic."""
    import slicer
    import vtk

    application, logics, found = application_logic(scene), {}, vtk.vtkCollection()
    application.SetSliceLogics(found)
    layouts = slicer.vtkMRMLLayoutLogic()
    layouts.SetMRMLScene(scene)  # makes the views and the layout node
    nodes = {node.GetLayoutName(): node for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", scene)}
    for tag in tags:
        logic = logics[tag] = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        logic.SetSliceNode(nodes[tag])
        resized(logic, *size)
        found.AddItem(logic)
    try:
        yield logics
    finally:
        layouts.SetMRMLScene(None)
        application.SetSliceLogics(vtk.vtkCollection())
        for logic in logics.values():
            logic.SetMRMLScene(None)


def resized(logic, width: int, height: int) -> None:
    """Give a view its size, as the desktop does when a layout is laid out."""
    logic.ResizeSliceNode(width, height)
    node = logic.GetSliceNode()
    node.SetDimensions(width, height, 1)
    node.UpdateMatrices()


class Painter:
    """A view's window, as a desktop has it from its start: scenes come and go in it."""

    def __init__(self, logic, *, legends: bool = True) -> None:
        import slicer
        import vtk

        self._logic, self._group = logic, None
        self._window, renderer = vtk.vtkRenderWindow(), vtk.vtkRenderer()
        self._window.SetOffScreenRendering(1)
        self._window.AddRenderer(renderer)
        interactor = vtk.vtkGenericRenderWindowInteractor()
        interactor.SetRenderWindow(self._window)
        mapper, actor = vtk.vtkImageMapper(), vtk.vtkActor2D()
        mapper.SetInputConnection(logic.GetImageDataConnection())
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        actor.SetMapper(mapper)
        renderer.AddViewProp(actor)
        self._mapper = mapper
        if legends:
            factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
            factory.SetMRMLApplicationLogic(logic.GetMRMLApplicationLogic())
            if not factory.IsDisplayableManagerRegistered(_LEGENDS):
                factory.RegisterDisplayableManager(_LEGENDS)
            self._group = slicer.vtkMRMLDisplayableManagerGroup()
            self._group.Initialize(factory, renderer)
            self._group.SetMRMLDisplayableNode(logic.GetSliceNode())

    def image(self) -> np.ndarray:
        """What is in sight, RGB uint8 (rows, columns, 3), row 0 at the top."""
        import vtk
        from vtk.util.numpy_support import vtk_to_numpy

        width, height = self._logic.GetSliceNode().GetDimensions()[:2]
        self._mapper.SetInputConnection(self._logic.GetImageDataConnection())
        self._window.SetSize(width, height)
        self._window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.Update()
        scalars = grab.GetOutput().GetPointData().GetScalars()
        return vtk_to_numpy(scalars).reshape(height, width, -1)[::-1, :, :3].copy()

    def close(self) -> None:
        """Let go of the scene."""
        if self._group is not None:
            self._group.SetMRMLDisplayableNode(None)


def drawn(logic, *, legends: bool = True) -> np.ndarray:
    """A view with its legends, RGB uint8 (rows, columns, 3), row 0 at the top."""
    painter = Painter(logic, legends=legends)
    if legends:
        _look_for_legends(logic.GetSliceCompositeNode())
    pixels = painter.image()
    painter.close()
    return pixels


def _look_for_legends(composite) -> None:
    """What makes the manager, which here is newer than the layers, look at them; a desktop's is older."""
    before = composite.GetInteractionFlags()
    composite.SetInteractionFlags(composite.ForegroundVolumeFlag)
    composite.Modified()
    composite.SetInteractionFlags(before)


def save_png(pixels: np.ndarray, path) -> None:
    """Write a drawn view, to be looked at."""
    from ASLDenoiseLib.scene.canvas import Canvas

    Canvas(np.ascontiguousarray(pixels)).save(path)
