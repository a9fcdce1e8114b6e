"""The slice views while T1 and series are compared: outline, flicker, checkerboard; and all as it was afterwards."""

from __future__ import annotations

import qt
import slicer

from .comparison import FLICKER


class FitViews:
    """One of the three at a time.

    Args:
        buttons: checkable, by ``outline``, ``flicker`` and ``checkerboard``.
        maps: called once the views are as they were, to show the maps of a run again.
    """

    def __init__(self, buttons, maps):
        self._buttons, self._maps = buttons, maps
        self._nodes, self._kept, self._board, self._turn = None, None, None, False
        self._timer = qt.QTimer()
        self._timer.setInterval(FLICKER)
        self._timer.connect("timeout()", self._onTurn)
        for name, button in buttons.items():
            button.connect("toggled(bool)", lambda on, name=name: self._onToggled(name, on))

    @property
    def nodes(self):
        """What is compared (`ASLDenoiseLib.scene.fit_nodes.FitNodes`), or None."""
        return self._nodes

    @nodes.setter
    def nodes(self, nodes) -> None:
        if nodes != self._nodes:
            self.leave()
            self._nodes = nodes

    @property
    def shown(self) -> str:
        """The name of what is shown; empty for none."""
        return next((name for name, button in self._buttons.items() if button.checked), "")

    def enable(self) -> None:
        """Enable the buttons for which there is something to show."""
        there = self._nodes is not None and self._nodes.there
        for name, button in self._buttons.items():
            button.setEnabled(there and (name != "outline" or self._nodes.outline is not None))

    def leave(self) -> None:
        """Show again what was shown before."""
        for button in self._buttons.values():
            button.setChecked(False)
        self._putBack()

    def layOver(self, below, above) -> None:
        """Show one volume half through another, until `leave`."""
        from ASLDenoiseLib.scene.layers import layers_of, show_half

        if self._kept is None:
            self._kept = layers_of(slicer.mrmlScene)
        show_half(below, above)

    def _onToggled(self, name, on) -> None:
        if on:
            for other, button in self._buttons.items():
                if other != name:
                    button.setChecked(False)
            self._begin(name)
        elif not self.shown:
            self._putBack()

    def _begin(self, name) -> None:
        from ASLDenoiseLib.scene.fit_nodes import add_checkerboard
        from ASLDenoiseLib.scene.layers import layers_of, show_alone

        nodes = self._nodes
        if nodes is None or not nodes.there:
            return
        self._stop()
        if self._kept is None:
            self._kept = layers_of(slicer.mrmlScene)
        if name == "checkerboard":
            self._board = add_checkerboard(nodes)
            show_alone(self._board)
            return
        show_alone(nodes.t1)
        if nodes.outline is not None:
            nodes.outline.GetDisplayNode().SetVisibility(name == "outline")
        if name == "flicker":
            self._turn = False
            self._timer.start()

    def _stop(self) -> None:
        """Take away what was shown, and leave the layers."""
        self._timer.stop()
        outline = None if self._nodes is None else self._nodes.outline
        if outline is not None and outline.GetScene() is not None:
            outline.GetDisplayNode().SetVisibility(False)
        if self._board is not None and self._board.GetScene() is not None:
            self._board.GetScene().RemoveNode(self._board)
        self._board = None

    def _putBack(self) -> None:
        from ASLDenoiseLib.scene.layers import put_back

        kept, self._kept = self._kept, None
        self._stop()
        if kept is not None and slicer.mrmlScene is not None:
            put_back(slicer.mrmlScene, kept)
            self._maps()

    def _onTurn(self) -> None:
        from ASLDenoiseLib.scene.layers import show_alone

        if self._nodes is None or not self._nodes.there:
            self.leave()
            return
        self._turn = not self._turn
        show_alone(self._nodes.reference if self._turn else self._nodes.t1)
