"""The Time line section: every pair of the shown run, looked at, taken out of the mean or put back by hand."""

from __future__ import annotations

import math

import qt
import slicer
from slicer.i18n import tr as _

from .combo_boxes import chosen, fill
from .timeline_rows import Decisions, sliceItems, statusOf, summaryOf

_ALL = ""
_WIDGETS = (
    *("timelineTable", "showPairCheckBox", "pairSliceLabel", "pairSliceComboBox", "takeOutButton", "putBackButton"),
    *("takenOutLabel", "takenOutLineEdit", "putBackLabel", "putBackLineEdit", "againButton", "againLabel"),
    "pairPlotButton",
)


class TimelineSection:
    """The pairs of the run that is shown.

    Args:
        ui: the widgets of the panel by name.
        kept: what the last run prepared (`kept.KeptPreparation`).
        again: called to make the maps again with the choice of pairs as it is.
        showPlot: called with the key of a chart to show.
        showMaps: called to show the run's maps in the place of a pair.
        busy: whether a run or something else is under way.
    """

    def __init__(self, ui, kept, again, showPlot, showMaps, busy):
        self._ui, self._kept, self._showPlot, self._showMaps, self._busy = ui, kept, showPlot, showMaps, busy
        self._parameters = self._nodes = self._course = self._keptFor = None
        self._window, self._differences, self._filling, self._plots = None, None, False, []
        table = ui.timelineTable
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header = table.horizontalHeader()
        for column in range(3):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(3, qt.QHeaderView.Stretch)
        table.connect("currentCellChanged(int,int,int,int)", self._onPair)
        table.connect("cellClicked(int,int)", self._onClick)
        ui.pairSliceComboBox.connect("activated(int)", self._onSlice)
        ui.showPairCheckBox.connect("toggled(bool)", self._onShow)
        ui.takeOutButton.connect("clicked()", self.takeOut)
        ui.putBackButton.connect("clicked()", self.putBack)
        ui.againButton.connect("clicked()", again)
        ui.pairPlotButton.connect("clicked()", self.showPlot)
        ui.plotButton.connect("clicked()", lambda: qt.QTimer.singleShot(0, self._connectPlots))  # once it is shown
        self.show(None)

    def setParameters(self, parameters) -> None:
        """Keep choices in this parameter node from now on; None for none."""
        self._parameters = parameters

    def keptFor(self, folder) -> None:
        """Take what is kept as that of the run in this folder, which has just finished."""
        self._keptFor = (folder, self._kept.digest)

    @property
    def _isKept(self) -> bool:
        """Whether what is kept is of the run that is shown: not of one that was begun since and cancelled, say."""
        digest = self._kept.digest
        return bool(digest) and self._keptFor == (self._nodes.folder, digest)

    def show(self, nodes) -> None:
        """Show the pairs of a run (`ASLDenoiseLib.scene.choose.RunNodes`); None for no run."""
        row = self._ui.timelineTable.currentRow() if self._course is not None else -1
        self._nodes, self._course, self._window = nodes, _courseOf(nodes), None
        self._differences = None
        for name in _WIDGETS:
            getattr(self._ui, name).setVisible(self._course is not None)
        self._fill(row)
        self.refresh()

    def refresh(self) -> None:
        """Show what the parameter node holds."""
        if self._course is None:
            none = self._nodes is None
            text = _("No result yet. The pairs of a run will stand here.") if none else _("This run has no time line.")
            self._ui.timelineLabel.text = text
            return
        decisions, course = self._decisions(), self._course
        self._ui.timelineLabel.text = summaryOf(course)
        self._filling = True
        for place in range(len(course.rows)):
            item = self._ui.timelineTable.item(place, 3)
            text = _("not understood") if decisions is None else statusOf(course, decisions, place)
            if item is not None and item.text() != text:
                item.setText(text)
                item.setToolTip(text)
        self._filling = False
        self._fillSlices()
        pending = decisions is None or decisions.differ(course)
        self._ui.againLabel.text = self._againText(decisions, pending)
        self._ui.againButton.enabled = decisions is not None and pending and not self._busy()

    def select(self, number) -> None:
        """Choose a pair by its number in the series, as a click on its row does."""
        if self._course is not None and number in self._course.numbers:
            place = self._course.numbers.index(number)
            self._ui.timelineTable.setCurrentCell(place, 0)
            self._showPair()

    def takeOut(self) -> None:
        """Take the chosen pair, or slice of it, out of the mean."""
        self._decide(lambda decisions, at: decisions.takeOut(at))

    def putBack(self) -> None:
        """Put the chosen pair, or slice of it, back into the mean."""
        self._decide(lambda decisions, at: decisions.putBack(at))

    def showPlot(self) -> None:
        """Show the perfusion of every pair as a plot, in which a click on a point chooses its pair."""
        from ASLDenoiseLib.reporting.pair_charts import COURSE

        self._showPlot(COURSE)
        self._connectPlots()

    # What the user does

    def _onPair(self, row, column, before, columnBefore) -> None:
        if not self._filling:
            self._fillSlices(whole=True)
            self._showPair()

    def _onClick(self, row, column) -> None:
        self._showPair()  # also of the row that was chosen already, after a map was looked at

    def _onSlice(self, index) -> None:
        if chosen(self._ui.pairSliceComboBox) != _ALL:
            self._goToSlice(int(chosen(self._ui.pairSliceComboBox)))
        self._showButtons(self._decisions())

    def _onShow(self, checked) -> None:
        if checked:
            self._showPair()
        elif self._alive():
            self._showMaps()

    def _onSelected(self, series, selection) -> None:
        """Points of a plot were selected: choose the first one's pair."""
        from ASLDenoiseLib.scene.pair_plot import pair_selected

        if self._alive():
            number = pair_selected(slicer.mrmlScene, series, selection, self._nodes.charts, self._pairsOfVolumes())
            if number is not None:
                self.select(number)

    def _pairsOfVolumes(self) -> dict:
        """The number of a pair by that of each of its volumes, both from 1."""
        rows = () if self._course is None else self._course.rows
        return {int(volume) + 1: row.number for row in rows for volume in row.volumes.split("-")}

    # What is shown

    def _fill(self, row) -> None:
        table, course = self._ui.timelineTable, self._course
        self._filling = True
        table.setRowCount(0 if course is None else len(course.rows))
        for place, each in enumerate(() if course is None else course.rows):
            motion, perfusion = _number(each.motion, "{:.2f} mm"), _number(each.perfusion, _digits(course.unit))
            tip = _("Pair {number}: volumes {volumes}, counted from 0").format(number=each.number, volumes=each.volumes)
            named = str(each.number)
            if math.isfinite(each.delay):
                named = _("{pair} ({delay:g} s)").format(pair=each.number, delay=each.delay)
                tip = _("{pair}, at a delay of {delay:g} s").format(pair=tip, delay=each.delay)
            for column, text in enumerate((named, motion, perfusion, "")):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(tip)
                if column in (1, 2):
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                table.setItem(place, column, item)
        if course is not None:
            heads = [_("Pair"), _("Motion"), _("CBF") if "ml" in course.unit else _("Signal"), _("In the mean")]
            table.setHorizontalHeaderLabels(heads)
            if 0 <= row < len(course.rows):
                table.setCurrentCell(row, 0)
        self._filling = False

    def _fillSlices(self, *, whole=False) -> None:
        place, decisions = self._place(), self._decisions()
        if self._course is None:
            return
        box = self._ui.pairSliceComboBox
        kept = chosen(box) if box.count and not whole else _ALL
        items = [(_("All slices"), _ALL, "")]
        if place is not None and decisions is not None:
            items += sliceItems(self._course, decisions, place)
        fill(self._ui.pairSliceComboBox, items, kept if kept in [value for _text, value, _tip in items] else _ALL)
        self._showButtons(decisions)

    def _showButtons(self, decisions) -> None:
        at = self._at()
        able = at is not None and decisions is not None
        self._ui.takeOutButton.enabled = able and not decisions.allOut(at)
        self._ui.putBackButton.enabled = able and decisions.anyOut(at)

    def _showPair(self) -> None:
        place = self._place()
        if place is None or not self._ui.showPairCheckBox.checked or not self._alive():
            return
        image, unit, acquired = self._image(place)
        if image is None:
            none = _("The images of its pairs are not at hand: select the series of this run under Inputs.")
            self._ui.timelineLabel.text = f"{summaryOf(self._course)} {none}"
            return
        from ASLDenoiseLib.scene.pair_view import show_pair

        if self._window is None or self._window[1] != unit:
            self._window = (self._usualWindow(), unit)
        number, opacity = self._course.rows[place].number, self._parameters.opacity
        how = {"window": self._window[0], "acquired": acquired, "opacity": opacity}
        show_pair(self._nodes, image, number=number, unit=unit, **how)

    def _usualWindow(self) -> float:
        """The window of all pairs: what is usual among a few, so that one that is spoilt does not set it."""
        from ASLDenoiseLib.scene.pair_view import window_of

        last = len(self._course.rows) - 1
        windows = sorted(window_of(self._image(place)[0]) for place in {round(last * n / 4) for n in range(5)})
        return windows[(len(windows) - 1) // 2]

    def _image(self, place):
        """The difference image of a pair, its unit, and whether it is as acquired: what was prepared is not kept."""
        kept = self._kept.pair(place) if self._isKept else None
        if kept is not None:
            return kept, self._course.unit, False
        series = self._parameters.asl
        key = None if series is None else (series.GetID(), series.GetMTime())
        if self._differences is None or self._differences[0] != key:
            self._differences = (key, *_acquired(series, self._course))
        _key, differences, unit = self._differences
        image = None if differences is None else differences[self._course.rows[place].number - 1]
        return image, unit, True

    def _goToSlice(self, number) -> None:
        from ASLDenoiseLib.scene.pair_view import go_to_slice

        if self._alive():
            go_to_slice(self._nodes, number - 1)

    def _againText(self, decisions, pending) -> str:
        if decisions is None:
            return _("What is written above is not understood: write 3 or 7-9 for pairs, 12/5 for a slice of one.")
        if not pending:
            return _("The maps are of this choice of pairs.")
        if self._isKept:
            return _("The maps are of another choice of pairs. An update takes seconds: nothing is registered again.")
        return _("The maps are of another choice of pairs. What was prepared was not kept: an update runs everything.")

    # What is chosen

    def _alive(self) -> bool:
        return self._nodes is not None and all(node.GetScene() is not None for node in self._nodes.maps.values())

    def _place(self):
        row = self._ui.timelineTable.currentRow()
        return row if self._course is not None and 0 <= row < len(self._course.rows) else None

    def _at(self):
        """The chosen place among pairs and slices, or None."""
        place = self._place()
        if place is None:
            return None
        number = chosen(self._ui.pairSliceComboBox) if self._ui.pairSliceComboBox.count else _ALL
        return place, slice(None) if number in (_ALL, None) else int(number) - 1

    def _decisions(self):
        """What is written in the parameter node, or None where it cannot be understood."""
        from ASLDenoiseLib.errors import InputError

        if self._course is None or self._parameters is None:
            return None
        try:
            return Decisions.read(self._course, self._parameters.takenOut, self._parameters.putBack)
        except InputError:
            return None

    def _decide(self, change) -> None:
        decisions, at = self._decisions(), self._at()
        if decisions is not None and at is not None:
            change(decisions, at)
            self._parameters.takenOut, self._parameters.putBack = decisions.words(self._course)
            self.refresh()

    def _connectPlots(self) -> None:
        """Listen to the plot views there are; each once."""
        layouts = slicer.app.layoutManager()
        for number in range(layouts.plotViewCount):
            view = layouts.plotWidget(number).plotView()
            if all(view is not known for known in self._plots):
                view.connect("dataSelected(vtkStringArray*,vtkCollection*)", self._onSelected)
                self._plots.append(view)


def _courseOf(nodes):
    """The time line of a run, or None."""
    from ASLDenoiseLib.errors import InputError

    if nodes is None:
        return None
    from ASLDenoiseLib.scene.course import course_node, read_course

    node = course_node(slicer.mrmlScene, nodes.folder)
    try:
        return None if node is None else read_course(node)
    except InputError:
        return None


def _acquired(series, course):
    """The differences (N, K, J, I) of a series' pairs as acquired, and their unit; None of another series."""
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.preparing.pairs import difference_volumes, pair_members
    from ASLDenoiseLib.scene.series import series_from_sequence
    from ASLDenoiseLib.series import CBF_UNIT, SCANNER_UNIT

    if series is None:
        return None, ""
    try:
        read = series_from_sequence(series)
        fits = len(pair_members(read)) == course.total and read.geometry.size[2] == course.slices
    except InputError:
        return None, ""
    unit = CBF_UNIT if read.holds_cbf else SCANNER_UNIT
    return (difference_volumes(read).array, unit) if fits else (None, "")


def _digits(unit) -> str:
    return "{:.1f}" if "ml" in unit else "{:.3g}"


def _number(value, form) -> str:
    return form.format(value) if math.isfinite(value) else _("n/a")
