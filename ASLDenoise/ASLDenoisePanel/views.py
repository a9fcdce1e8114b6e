"""What the slice views show of a run: the choice of map, fade and opacity, the layouts, the plots."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from ASLDenoiseLib.result.maps import is_relative, raw_of
from ASLDenoiseLib.series import CBF_UNIT

from .combo_boxes import chosen, fill, select
from .comparison import Comparison
from .parameters import CompareBy

_WIDGETS = (
    *("mapLabel", "mapComboBox", "scaleLabel", "scaleComboBox", "opacityLabel", "opacitySlider"),
    *("compareLabel", "compareComboBox", "fadeLabel", "fadeSlider"),
    *("overlayButton", "sideBySideButton", "plotLabel", "plotComboBox", "plotButton"),
)


class ViewsSection:
    """Shows a run in the slice views as the parameter node says.

    Args:
        ui: the widgets of the panel by name.
    """

    def __init__(self, ui):
        self._ui = ui
        self._parameters, self._nodes, self._shown = None, None, None
        self._compared = Comparison()
        ui.scaleComboBox.connect("activated(int)", self._onScale)
        ui.mapComboBox.connect("activated(int)", self._onMap)
        ui.overlayButton.connect("clicked()", self.showOverlay)
        ui.sideBySideButton.connect("clicked()", self.showSideBySide)
        ui.arrivalButton.connect("clicked()", self.showArrival)
        ui.plotButton.connect("clicked()", self.showPlot)
        ui.resultsCollapsibleButton.connect("contentsCollapsed(bool)", self._offerArrival)

    def setParameters(self, parameters) -> None:
        """Keep choices in this parameter node from now on; None for none."""
        self._parameters = parameters

    def setVisible(self, visible) -> None:
        """Show or hide the section's widgets."""
        for name in _WIDGETS:
            getattr(self._ui, name).setVisible(visible)
        self._ui.plotCaptionLabel.setVisible(False)  # until a plot is shown
        if not visible:
            self._ui.arrivalButton.setVisible(False)

    def clear(self) -> None:
        """Show nothing from now on; the views stay as they are."""
        self._compared.end()
        self._nodes = self._shown = None

    def rest(self) -> None:
        """Let the views stand still while the panel is not shown; `refresh` goes on."""
        self._compared.stop()
        self._shown = None

    def show(self, nodes) -> None:
        """Offer the maps and plots of this run (`ASLDenoiseLib.scene.choose.RunNodes`) from now on."""
        from ASLDenoiseLib.scene.choose import choices, processed_of

        self._compared.end()
        self._nodes, self._shown, ui = nodes, None, self._ui
        fill(ui.mapComboBox, [(c.label, c.key, c.label) for c in choices(nodes)], processed_of(nodes))
        charts = [(_chartName(node), key, _captionOf(node)) for key, node in nodes.charts.items()]
        fill(ui.plotComboBox, charts, None)
        ui.plotButton.enabled = bool(charts)
        self._offerArrival()
        ui.plotCaptionLabel.setVisible(False)
        self._fillScales()
        self._renewRetired()

    def _offerArrival(self, collapsed=False) -> None:
        """Offer arrival time beside CBF where the run has both; CTK shows the button as it opens the section."""
        from ASLDenoiseLib.scene.choose import arrival_beside

        there = self._nodes is not None and arrival_beside(self._nodes) is not None
        if not collapsed:
            self._ui.arrivalButton.setVisible(there)

    def _renewRetired(self) -> None:
        """Show in Slicer's own layouts what a scene of an earlier version shows in one that is no longer made."""
        from ASLDenoiseLib.scene.choose import compare
        from ASLDenoiseLib.scene.layouts import retired_layout

        if retired_layout(slicer.mrmlScene) is not None:
            compare(self._nodes)
            self._settleLater()

    def _fillScales(self) -> None:
        """The unit of the run's maps, and what each can be relative to."""
        from ASLDenoiseLib.scene.choose import processed_of
        from ASLDenoiseLib.scene.relative import references_in

        maps = self._nodes.maps
        keys = tuple(dict.fromkeys((raw_of(maps), processed_of(self._nodes))))
        unit = _("Scanner units") if is_relative(maps) else CBF_UNIT
        items = [(unit, "", unit)]
        for name in references_in(self._nodes, keys):
            text = _("Relative to {reference}").format(reference=name)
            items.append((text, name, text))
        fill(self._ui.scaleComboBox, items, self._parameters.scale)

    def refresh(self) -> None:
        """Set the slice views as the parameter node says."""
        p, nodes = self._parameters, self._nodes
        if p is None or nodes is None or any(node.GetScene() is None for node in nodes.maps.values()):
            return
        from ASLDenoiseLib.scene.choose import processed_of

        processed, raw = processed_of(nodes), raw_of(nodes.maps)
        key = p.shownMap if p.shownMap in nodes.maps else processed
        compares = key in (raw, processed) and processed != raw
        mixed = compares and p.compareBy is not CompareBy.FLICKER
        select(self._ui.mapComboBox, raw if mixed and p.fade == 0 else processed if compares else key)
        self._ui.compareComboBox.setEnabled(compares)
        self._ui.fadeSlider.setEnabled(mixed)
        wanted = ("", p.compareBy, p.fade) if compares else (key, None, 1.0)
        wanted = (*wanted, p.opacity, chosen(self._ui.scaleComboBox))
        if wanted != self._shown:
            self._shown = wanted
            self._compared.show(self._scaled(), *wanted[:4])

    def _scaled(self):
        """The run's nodes with its perfusion maps on the chosen scale."""
        from ASLDenoiseLib.scene.relative import relative_nodes

        return relative_nodes(self._nodes, chosen(self._ui.scaleComboBox) or "")

    def _onScale(self, index) -> None:
        self._parameters.scale = chosen(self._ui.scaleComboBox)
        self.renew()

    def renew(self) -> None:
        """Show the chosen map, whatever the views show now: a pair of the time line, say."""
        self._shown = None
        self.refresh()

    def showOverlay(self) -> None:
        """Show the chosen map over the T1 in every slice view, in the layout before one of ours, the brain whole."""
        from ASLDenoiseLib.scene.choose import place_of
        from ASLDenoiseLib.scene.layouts import is_ours, leave_layout
        from ASLDenoiseLib.scene.place import look_whole

        scene = slicer.mrmlScene
        ours = is_ours(scene)
        self._ui.plotCaptionLabel.setVisible(False)
        leave_layout(scene)
        self._shown = None
        self.refresh()
        if ours:
            self._settleLater()
        else:
            look_whole(scene, place_of(self._nodes))  # asked for again: the way back from a closer look

    def showSideBySide(self) -> None:
        """Show raw and the chosen map in linked views at the same window and slice."""
        from ASLDenoiseLib.scene.choose import compare

        compare(self._scaled(), self._mapBeside(), opacity=self._parameters.opacity)
        self._settleLater()

    def showArrival(self) -> None:
        """Show the furthest map of perfusion and the arrival time fitted with it in linked views."""
        from ASLDenoiseLib.scene.choose import arrival_beside, compare

        compare(self._scaled(), arrival_beside(self._nodes), opacity=self._parameters.opacity)
        self._settleLater()

    def showTwo(self, left, right) -> None:
        """Show two maps side by side, by their keys."""
        from ASLDenoiseLib.scene.choose import compare_two

        compare_two(self._scaled(), left, right, opacity=self._parameters.opacity)
        self._settleLater()

    def showPlot(self, chart="") -> None:
        """Show a plot by its key, or the chosen one, beside raw and processed."""
        from ASLDenoiseLib.scene.choose import plot

        chart = chart or chosen(self._ui.plotComboBox)
        if chart in self._nodes.charts:
            plot(self._scaled(), chart, self._mapBeside(), opacity=self._parameters.opacity)
            self._settleLater()
            self._ui.plotCaptionLabel.text = f"{_captionOf(self._nodes.charts[chart])}."
            self._ui.plotCaptionLabel.setVisible(True)

    def leaveLayout(self) -> None:
        """Restore the layout and views from before one of ours: the scene is about to close."""
        from ASLDenoiseLib.scene.layouts import leave_layout

        leave_layout(slicer.mrmlScene)

    def onLayers(self) -> None:
        """Title the views by what is in them: the user may have chosen another image in one of ours."""
        from ASLDenoiseLib.scene.layouts import retitle

        retitle(slicer.mrmlScene)

    def onLayout(self) -> None:
        """Show the chosen map in every view where the user has left one of our layouts through Slicer's own list."""
        from ASLDenoiseLib.scene.layouts import tidy_after_user

        if tidy_after_user(slicer.mrmlScene):
            self._shown = None
            self.refresh()

    def _mapBeside(self) -> str:
        from ASLDenoiseLib.scene.choose import processed_of

        key = self._parameters.shownMap
        maps = self._nodes.maps
        return key if key in maps and key != raw_of(maps) else processed_of(self._nodes)

    def _settleLater(self) -> None:
        """Have the brain whole once the event loop has given a new layout's views their size."""
        qt.QTimer.singleShot(100, self._settle)

    def _settle(self) -> None:
        from ASLDenoiseLib.scene.choose import place_of, raw_node
        from ASLDenoiseLib.scene.layouts import tags_shown
        from ASLDenoiseLib.scene.place import settle

        scene = slicer.mrmlScene
        if self._nodes is not None and raw_node(self._nodes).GetScene() is scene:
            settle(scene, place_of(self._nodes), tags_shown(scene))

    def _onMap(self, index) -> None:
        from ASLDenoiseLib.scene.choose import processed_of

        p, key = self._parameters, chosen(self._ui.mapComboBox)
        processed, raw = processed_of(self._nodes), raw_of(self._nodes.maps)
        if key in (raw, processed):
            p.fade = 0.0 if key == raw and processed != raw else 1.0
            key = ""
        p.shownMap = key
        self.renew()


def _captionOf(node) -> str:
    from ASLDenoiseLib.scene.plots import caption_of

    return caption_of(node)


def _chartName(node) -> str:
    from ASLDenoiseLib.scene.plots import CHART_ATTRIBUTE

    return node.GetDescription() or node.GetName() or node.GetAttribute(CHART_ATTRIBUTE)
