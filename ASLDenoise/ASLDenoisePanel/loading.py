"""A loaded series in the scene, and loading one at a stretch, as Slicer's own readers of files do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import slicer

from .running import Driver

_PAUSE = 0.02  # s between looks at the child


@dataclass(frozen=True)
class LoadedNodes:
    """The nodes of a loaded series; T1 and M0 are None where there is none."""

    sequence: Any
    proxy: Any
    t1: Any
    m0: Any

    @property
    def ids(self) -> list[str]:
        """Of every node that the user would name as loaded."""
        return [node.GetID() for node in (self.sequence, self.t1, self.m0) if node is not None]


def intoScene(loaded) -> LoadedNodes:
    """Put a loaded series (`tasks.LoadedSeries`) into the scene, and show it."""
    from ASLDenoiseLib.scene.display import show_grey
    from ASLDenoiseLib.scene.layouts import leave_layout
    from ASLDenoiseLib.scene.place import forget_look
    from ASLDenoiseLib.scene.series import series_to_nodes
    from ASLDenoiseLib.scene.volumes import volume_to_node

    nodes = series_to_nodes(loaded.series, scene=slicer.mrmlScene)
    t1 = None
    if loaded.t1 is not None:
        t1 = volume_to_node(loaded.t1, scene=slicer.mrmlScene)
        show_grey(t1)
    leave_layout(slicer.mrmlScene)  # whose views are titled by the maps in them
    slicer.util.setSliceViewerLayers(background=t1 or nodes.m0 or nodes.proxy, foreground=None, fit=True)
    forget_look(slicer.mrmlScene)
    return LoadedNodes(nodes.sequence, nodes.proxy, t1, nodes.m0)


def finished(task, driver=None):
    """Do a task in a child process and wait for it; Slicer goes on drawing meanwhile.

    Returns:
        The task's result, or the event that says why there is none (`ASLDenoiseLib.running.events.Failed`).
    """
    ended = []
    driver = Driver() if driver is None else driver
    driver.start(task, done=ended.append, failed=ended.append, cancelled=ended.append)
    while not ended:
        slicer.app.processEvents()  # the driver's timer is among them
        time.sleep(_PAUSE)
    return ended[0]
