"""Raw and processed compared over the T1: mixed, at the two sides of a line, or one after the other."""

from __future__ import annotations

import qt

from .parameters import CompareBy

FLICKER = 700  # ms that one map stays: slow enough to compare, and far from the three flashes a second that can harm


class Comparison:
    """What the slice views show of a run, when it is one map or a comparison of two."""

    def __init__(self):
        self._nodes = self._blend = None
        self._opacity, self._raw = 1.0, False
        self._timer = qt.QTimer()
        self._timer.setInterval(FLICKER)
        self._timer.connect("timeout()", self._flick)

    @property
    def flickering(self) -> bool:
        """Whether one map follows the other."""
        return self._timer.isActive()

    def show(self, nodes, key, how, fraction, opacity) -> None:
        """Show a map of the run, or compare raw and processed.

        Args:
            nodes: `ASLDenoiseLib.scene.choose.RunNodes`.
            key: of the map; of none, the two are compared.
            how: a `CompareBy`, or None.
            fraction: of the processed map, 0..1.
            opacity: over the T1, 0..1.
        """
        from ASLDenoiseLib.scene.blend import Blend, fade, show_blend
        from ASLDenoiseLib.scene.choose import show_map

        self._timer.stop()
        self._nodes, self._opacity = nodes, opacity
        blends = not key and how in (CompareBy.FADE, CompareBy.SWIPE) and 0 < fraction < 1
        if blends and (self._blend is None or self._blend.nodes.maps != nodes.maps):
            self._blend = Blend(nodes)
        if key or how is None:
            show_map(nodes, key, opacity=opacity)
        elif how is CompareBy.FLICKER:
            self._raw = False
            self._showNext()
            self._timer.start()
        elif blends and how is CompareBy.SWIPE:
            show_blend(nodes, self._blend.swipe(fraction), opacity=opacity)
        else:
            fade(nodes, fraction, opacity=opacity, blend=self._blend)
        self._removeUnseen()

    def stop(self) -> None:
        """Let the views stand still."""
        self._timer.stop()

    def end(self) -> None:
        """Forget the run; what was made for the comparison goes with its folder, or when another is shown."""
        self.stop()
        self._nodes = self._blend = None

    def _flick(self) -> None:
        """Show the other of the two; nothing where the scene or the user shows something else now."""
        from ASLDenoiseLib.scene.choose import two_of
        from ASLDenoiseLib.scene.display import shown_volumes
        from ASLDenoiseLib.scene.layouts import is_ours

        maps = two_of(self._nodes)
        scene = maps[0].GetScene()
        if scene is None or not set(maps) & set(shown_volumes(scene)):
            self.stop()
        elif not is_ours(scene):  # there, both are in sight already
            self._showNext()

    def _showNext(self) -> None:
        from ASLDenoiseLib.result.maps import raw_of
        from ASLDenoiseLib.scene.choose import processed_of, show_map

        key = raw_of(self._nodes.maps) if self._raw else processed_of(self._nodes)
        self._raw = not self._raw
        show_map(self._nodes, key, opacity=self._opacity)

    def _removeUnseen(self) -> None:
        """Remove blends of the run that no view shows any more."""
        from ASLDenoiseLib.scene.derived import remove_derived
        from ASLDenoiseLib.scene.display import DERIVED_ATTRIBUTE, shown_volumes
        from ASLDenoiseLib.scene.relative import RELATIVE

        scene = next(iter(self._nodes.maps.values())).GetScene()
        seen = (node.GetAttribute(DERIVED_ATTRIBUTE) for node in shown_volumes(scene))
        remove_derived(scene, self._nodes.folder, but=(RELATIVE, *filter(None, seen)))
