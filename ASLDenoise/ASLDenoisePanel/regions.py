"""The Regions section: what is drawn, or comes from an atlas, read out of the shown run at once, without another."""

from __future__ import annotations

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from .combo_boxes import chosen, fill
from .region_rows import cellsOf, headingOf, regionsTsv, sentenceOf, widestName
from .whole_table import showWhole

_DELAY = 150  # ms after the last change, so that a stroke is read once
_CHANGES = ("SegmentAdded", "SegmentRemoved", "SegmentModified", "SourceRepresentationModified")
_AUTOMATIC = ""
_PADDING = 12  # px, of a cell


class RegionsSection(VTKObservationMixin):
    """The regions of the selected segmentation and atlas.

    Args:
        ui: the widgets of the panel by name.
        report: called with a sentence on what was done.
        entered: whether the panel is in sight.
    """

    def __init__(self, ui, report, entered):
        VTKObservationMixin.__init__(self)
        self._ui, self._report, self._entered = ui, report, entered
        self._parameters = self._nodes = self._reader = None
        self._observed, self._rows, self._read = (None, None), (), None
        self._apart = False  # the outlines are not where they are measured
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY)
        self._timer.connect("timeout()", self.update)
        table = ui.regionsTable
        header = table.horizontalHeader()
        header.setSectionResizeMode(0, qt.QHeaderView.Fixed)
        header.resizeSection(0, qt.QFontMetrics(table.font).horizontalAdvance(widestName()) + _PADDING)
        for column in (1, 2):
            header.setSectionResizeMode(column, qt.QHeaderView.Stretch)
        self._fit = showWhole(table, headings=True)
        ui.drawRegionsButton.connect("clicked()", self.draw)
        ui.copyRegionsButton.connect("clicked()", self.copy)
        ui.followsComboBox.connect("activated(int)", self._onFollows)
        ui.atlasFollowsComboBox.connect("activated(int)", self._onAtlasFollows)
        ui.tissueOutlinesCheckBox.connect("toggled(bool)", self._onOutlines)
        self.show(None)

    @property
    def rows(self):
        """What the table shows, `ASLDenoiseLib.scene.live_regions.RegionRow` a row."""
        return self._rows

    def setParameters(self, parameters) -> None:
        """Keep choices in this parameter node from now on; None for none."""
        self._parameters = parameters
        self.refresh()

    def show(self, nodes) -> None:
        """Read regions out of this run (`ASLDenoiseLib.scene.choose.RunNodes`) from now on; None for no run."""
        self._nodes, self._reader, self._read = nodes, None, None
        if nodes is not None:
            from ASLDenoiseLib.scene.live_regions import RegionReader

            self._reader = RegionReader(nodes)
        tissue = None if nodes is None else nodes.segmentation
        self._ui.tissueOutlinesCheckBox.setVisible(tissue is not None)
        if tissue is not None:
            shown = tissue.GetDisplayNode() is not None and bool(tissue.GetDisplayNode().GetVisibility())
            blocked = self._ui.tissueOutlinesCheckBox.blockSignals(True)
            self._ui.tissueOutlinesCheckBox.setChecked(shown)
            self._ui.tissueOutlinesCheckBox.blockSignals(blocked)
        self.refresh()

    def adopt(self, nodes) -> None:
        """Select the segmentation that a run has laid out for regions, where the user has selected none."""
        p = self._parameters
        if p is not None and p.segmentation is None and nodes.regions is not None:
            p.segmentation = nodes.regions

    def refresh(self) -> None:
        """Follow what the parameter node holds, and read it soon if it has changed."""
        p = self._parameters
        segmentation, atlas = (None, None) if p is None else (p.segmentation, p.atlas)
        self._observe(segmentation, atlas)
        self._fillChoices(segmentation, atlas)
        wanted = (self._reader, segmentation, atlas, p is not None and p.mirrorRegions)
        if wanted != self._read:
            self._read = wanted
            self._timer.start()

    def update(self) -> None:
        """Read the regions and show their figures."""
        self._timer.stop()
        p, rows, problem = self._parameters, (), ""
        if p is not None and self._reader is not None and self._inScene():
            from ASLDenoiseLib.errors import InputError

            self._lay(p.segmentation)
            try:
                rows = self._reader.rows(p.segmentation, p.atlas, mirror=p.mirrorRegions)
            except InputError as error:
                problem = str(error)
        before, self._rows = self._rows, rows
        if rows and not before:  # later it is as the user leaves it
            self._ui.regionsCollapsibleButton.collapsed = False
        self._fillTable()
        self._ui.regionsLabel.text = problem or self._summary()
        if not self._entered() and rows:
            self._tell(before)

    def draw(self) -> None:
        """Open the Segment Editor on the selected segmentation, a new one where there is none."""
        p = self._parameters
        if p is None:
            return
        self._ui.regionsCollapsibleButton.collapsed = False
        if p.segmentation is None:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", _("Regions"))
            node.CreateDefaultDisplayNodes()
            on = p.t1 if self._nodes is None else self._nodes.t1 or self._raw()
            if on is not None:
                node.SetReferenceImageGeometryParameterFromVolumeNode(on)
            p.segmentation = node
        self._tellEditor(p.segmentation)
        slicer.util.selectModule("SegmentEditor")

    def _tellEditor(self, segmentation) -> None:
        """Let a Segment Editor that was open before go on with the segmentation and the image that are shown."""
        from ASLDenoiseLib.scene.following import reference_of

        editor = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
        on = reference_of(segmentation)
        if editor is not None:
            editor.SetAndObserveSegmentationNode(segmentation)
        if editor is not None and on is not None:
            editor.SetAndObserveSourceVolumeNode(on)

    def copy(self) -> None:
        """Copy the figures to the clipboard."""
        slicer.app.clipboard().setText(regionsTsv(self._rows))
        self._report(_("The figures of the regions are on the clipboard."))

    def cleanup(self) -> None:
        """End the observers."""
        self._timer.stop()
        self.removeObservers()

    def _lay(self, segmentation) -> None:
        """Show what follows the T1 on the T1 as the run shows it."""
        from ASLDenoiseLib.scene.laid_regions import lay_on_run

        self._apart = segmentation is not None and not lay_on_run(segmentation, self._nodes.t1)

    def _inScene(self) -> bool:
        return all(node.GetScene() is not None for node in self._nodes.maps.values())

    def _raw(self):
        from ASLDenoiseLib.result.maps import raw_of

        return self._nodes.maps[raw_of(self._nodes.maps)]

    def _observe(self, segmentation, atlas) -> None:
        if (segmentation, atlas) == self._observed:
            return
        self.removeObservers()
        self._observed = (segmentation, atlas)
        changed = self._onChanged
        if segmentation is not None:
            for name in _CHANGES:
                self.addObserver(segmentation, getattr(slicer.vtkSegmentation, name), changed)
            self.addObserver(segmentation, segmentation.ReferenceImageGeometryChangedEvent, changed)
        if atlas is not None:
            self.addObserver(atlas, atlas.ImageDataModifiedEvent, changed)
        for node in filter(None, (segmentation, atlas)):
            self.addObserver(node, node.TransformModifiedEvent, changed)
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, changed)

    def _onChanged(self, caller=None, event=None) -> None:
        self._timer.start()

    def _fillChoices(self, segmentation, atlas) -> None:
        """Which image each follows: as found, or as the user says."""
        ui = self._ui
        for node, label, combo, more in (
            (segmentation, ui.followsLabel, ui.followsComboBox, ()),
            (atlas, ui.atlasFollowsLabel, ui.atlasFollowsComboBox, (("mni", _("MNI space")),)),
        ):
            for widget in (label, combo):
                widget.setVisible(node is not None)
            if node is not None:
                self._fillFollowed(node, combo, more)

    def _fillFollowed(self, node, combo, more) -> None:
        from ASLDenoiseLib.scene.following import FOLLOWS_ATTRIBUTE, followed

        kept = node.GetAttribute(FOLLOWS_ATTRIBUTE)
        t1 = self._parameters.t1 if self._nodes is None or self._nodes.t1 is None else self._nodes.t1
        names = {"t1": _("The T1"), "asl": _("The ASL images"), **dict(more)}
        items = [(text, space, text) for space, text in names.items()]
        if not kept:
            text = _("As drawn: {image}").format(image=names[followed(node, t1)])
            items.insert(0, (text, _AUTOMATIC, text))
        else:
            items.insert(0, (_("As drawn"), _AUTOMATIC, _("As drawn")))
        fill(combo, items, kept or _AUTOMATIC)

    def _onFollows(self, index) -> None:
        self._follow(self._parameters.segmentation, self._ui.followsComboBox)

    def _onAtlasFollows(self, index) -> None:
        self._follow(self._parameters.atlas, self._ui.atlasFollowsComboBox)

    def _follow(self, node, combo) -> None:
        from ASLDenoiseLib.scene.following import choose_followed

        choose_followed(node, chosen(combo))
        self.refresh()
        self.update()

    def _onOutlines(self, shown) -> None:
        display = None if self._nodes is None else self._nodes.segmentation.GetDisplayNode()
        if display is not None:
            display.SetVisibility(shown)

    def _summary(self) -> str:
        """What the table is, or why it is empty."""
        from ASLDenoiseLib.scene.readouts import pairs_in

        if self._reader is None:
            return _("No result yet. Regions can be drawn before a run and after it: their figures will stand here.")
        if not self._rows:
            return _("Draw a region, or select a segmentation or an atlas: its figures appear here at once.")
        unit, mirror = self._rows[0].unit or _("no unit"), self._parameters.mirrorRegions
        text = _("{unit}; ± SD of the raw mean, by the pairs.")
        if mirror and self._reader.mirrors:
            text = _("{unit}; ± SD of the raw mean, by the pairs; asymmetry %.")
        parts = [text.format(unit=unit)]
        raw, processed = ("", "") if self._nodes.readouts is None else pairs_in(self._nodes.readouts)
        if raw:
            parts.append(_("Raw: {raw}; processed: {processed}.").format(raw=raw, processed=processed))
        if mirror and not self._reader.mirrors:
            parts.append(_("This run does not know the midline; run it again for the asymmetry."))
        if self._apart:
            parts.append(_("The outlines lie under a transform of yours, not where they are measured on the series."))
        return " ".join(parts)

    def _fillTable(self) -> None:
        table, ui = self._ui.regionsTable, self._ui
        mirror = self._parameters is not None and self._parameters.mirrorRegions
        table.clearSpans()
        table.setRowCount(sum(1 if row.problem else 2 for row in self._rows))
        place = 0
        for row in self._rows:
            self._put(place, 0, headingOf(row), row)
            table.setSpan(place, 0, 1, 3)
            place += 1
            if not row.problem:
                for column, text in enumerate(cellsOf(row, mirror)):
                    self._put(place, column, text, row)
                place += 1
        self._fit()
        table.setVisible(bool(self._rows))
        ui.copyRegionsButton.setVisible(bool(self._rows))

    def _put(self, place, column, text, row) -> None:
        item = qt.QTableWidgetItem(text)
        item.setToolTip(sentenceOf(row))
        item.setTextAlignment((qt.Qt.AlignRight if column else qt.Qt.AlignLeft) | qt.Qt.AlignTop)
        self._ui.regionsTable.setItem(place, column, item)

    def _tell(self, before) -> None:
        """Say in the status bar what has just been drawn in another module."""
        known = {row.name: sentenceOf(row) for row in before}
        fresh = [sentenceOf(row) for row in self._rows if known.get(row.name) != sentenceOf(row)]
        if fresh:
            slicer.util.showStatusMessage(fresh[0], 5000)
