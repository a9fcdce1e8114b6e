"""The panel in the hands of a user: readable at the width of a fresh profile, and usable without a mouse."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import pytest

from ASLDenoiseLib.inspecting.inspection import inspect
from ASLDenoiseLib.series import Origin

FRESH = 317  # px that a module has in a fresh profile of Slicer


@pytest.fixture
def shown(panel):
    """The panel on the screen, as wide as in a fresh profile, with a series."""
    from ASLDenoisePanel.selftest_series import selfTestSeries

    from ASLDenoiseLib.scene.series import series_to_nodes

    frame = show(panel, FRESH)
    series_to_nodes(selfTestSeries())
    settle()
    yield panel
    frame.hide()


def show(panel, width):
    from slicer_harness.proxy import cpp_of

    frame = cpp_of(panel.frame)
    frame.layout().setContentsMargins(0, 0, 0, 0)  # as qSlicerModulePanel::addModule does
    frame.resize(width, 700)
    frame.show()
    frame.activateWindow()
    settle()
    return frame


def settle():
    from slicer_harness.panel import process_events

    for _ in range(12):
        process_events()


def test_no_row_of_the_panel_needs_more_than_a_fresh_profile_gives(shown):
    """A check box does not wrap: one of 284 px held Slicer's whole module panel at 369."""
    from slicer_harness.proxy import cpp_of

    shown.ui.tissueCheckBox.setVisible(True)
    shown.ui.advancedCollapsibleButton.collapsed = False
    settle()
    margins = 34  # of sections, scroll bar and frame
    wide = {w.objectName: cpp_of(w).minimumSizeHint().width() for w in shown.widget.uiWidget.findChildren("QCheckBox")}
    wide["fitButtonsWidget"] = cpp_of(shown.ui.fitButtonsWidget).minimumSizeHint().width()
    assert max(wide.values()) <= FRESH - margins - 40, wide


@pytest.mark.parametrize("width", [FRESH, 600])
def test_every_row_of_the_acquisition_can_be_read(shown, width):
    """Its names had a third of the width, and two of three rows were below the edge of the table."""
    from slicer_harness.proxy import cpp_of

    show(shown, width)
    table = cpp_of(shown.ui.acquisitionTable)
    assert table.verticalScrollBar().maximum() == 0 and table.horizontalScrollBar().maximum() == 0
    assert table.columnWidth(0) > 0.3 * table.width()
    for row in range(table.rowCount()):
        for column in range(table.columnCount()):
            index = table.model().index(row, column)
            needed = table.sizeHintForRow(row)
            assert table.rowHeight(row) >= needed, index.data()


def test_a_table_is_as_high_as_its_rows_when_they_become_more_or_fewer(shown):
    from slicer_harness.proxy import cpp_of

    table = cpp_of(shown.ui.acquisitionTable)
    many = table.height()
    shown.widget.inputs.select(asl=None)
    settle()
    few = table.height()
    assert few < many
    assert few == table.horizontalHeader().height() + table.verticalHeader().length() + 2 * table.frameWidth()


def stops(panel, presses=200):
    """The widgets that the Tab key comes to, from the first selector on, by name; until it is there again."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication
    from slicer_harness.proxy import cpp_of

    frame, first = cpp_of(panel.frame), cpp_of(panel.ui.aslSelector)
    first.setFocus()
    found = []
    for _ in range(presses):
        focus = QApplication.focusWidget() or frame.focusWidget()
        named = focus
        while named is not None and not named.objectName():
            named = named.parentWidget()
        name = "" if named is None else named.objectName()
        if len(found) > 1 and name == found[0]:
            return found
        if not found or found[-1] != name:
            found.append(name)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    raise AssertionError(f"the Tab key never came round: {found[-5:]}")


def test_the_tab_key_goes_through_the_whole_panel_from_top_to_bottom(shown):
    """It stayed in a table for good, and came to Apply before the results above it."""
    from scene_builders import made_result
    from slicer_harness.proxy import cpp_of

    from ASLDenoiseLib.scene.present import present

    ui, contents = shown.ui, cpp_of(shown.widget.uiWidget)
    for section in ("advanced", "cohort", "adapt"):
        getattr(ui, f"{section}CollapsibleButton").collapsed = False
    shown.widget.results.present(present(made_result()))
    settle()
    found = stops(shown)
    assert {"cohortFolderEdit", "addScansButton", "adaptNameLineEdit", "adaptMinutesSpinBox"} <= set(found)
    assert {"acquisitionTable", "readoutsTable", "outputFolderEdit", "copyButton", "applyButton"} <= set(found)
    assert {"aslSelector", "t1Selector", "m0Selector", "segmentationSelector"} <= set(found)
    assert found[-2:] == ["applyButton", "inputsCollapsibleButton"], "and round again"
    places = {}
    for name in found[:-2]:
        widget = cpp_of(getattr(ui, name))
        places[name] = widget.mapTo(contents, widget.rect().topLeft())
    rows = [place.y() for place in places.values()]
    assert all(below >= above - 4 for above, below in pairwise(rows)), places


def test_the_tab_key_comes_to_a_fix_right_after_its_findings(shown):
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.inspecting.fixes import fixes_of
    from ASLDenoiseLib.scene.series import series_from_sequence

    assert process_events(lambda: not shown.widget.preview.running, timeout=60)
    series = series_from_sequence(shown.widget._parameterNode.asl)
    late = replace(series, acquisition=series.acquisition.with_values(Origin.USER, post_labeling_delay=1800.0))
    fixes = fixes_of(late)
    shown.widget.findings.show(inspect(late), fixes)
    settle()
    found = stops(shown)
    after = found[found.index("findingsCollapsibleButton") + 1 :]
    assert after[0] == "findingCard" and "methodCollapsibleButton" in after[1:3]


@pytest.mark.parametrize("width", [FRESH, 400, 600])
def test_nothing_lies_over_anything_else(shown, width):
    """The table of readouts covered the row below it where the panel was narrow."""
    from PySide6.QtWidgets import QWidget
    from scene_builders import made_result
    from slicer_harness.panel import process_events
    from slicer_harness.proxy import cpp_of

    from ASLDenoiseLib.scene.present import present

    shown.widget.results.present(present(made_result()))
    shown.ui.moreButton.checked = True
    show(shown, width)
    sections = [w for w in cpp_of(shown.widget.uiWidget).findChildren(QWidget) if "Collapsible" in w.objectName()]
    assert len(sections) > 6

    def overlaps():
        found = []
        for section in (each for each in sections if each.isVisible()):
            named = [w for w in section.findChildren(QWidget) if w.objectName() and w.isVisibleTo(section)]
            within = [w for w in named if w.parentWidget() is section]
            found += [w.objectName() for w in within if not section.rect().contains(w.geometry())]
            found += [
                (one.objectName(), other.objectName())
                for one, other in combinations(within, 2)
                if one.geometry().intersects(other.geometry())
            ]
        return found

    assert process_events(lambda: not overlaps(), timeout=2), overlaps()


def test_the_tab_key_leaves_every_table_and_arrows_go_from_cell_to_cell(panel):
    from PySide6.QtWidgets import QTableWidget
    from slicer_harness.proxy import cpp_of

    tables = cpp_of(panel.widget.uiWidget).findChildren(QTableWidget)
    assert len(tables) >= 3
    assert [table.objectName() for table in tables if table.tabKeyNavigation()] == []


def test_the_line_below_apply_says_what_must_not_be_missed_though_findings_are_scrolled_away(panel):
    """'Done in 464 s.' in green was all that was in sight of a run with another person's T1."""
    from ASLDenoisePanel.colours import AMBER, GREEN

    from ASLDenoiseLib.findings import Finding, Severity

    def finding(code, what, severity="warning"):
        return Finding(code, Severity(severity), what, "why")

    note, grey = finding("slow", "It is slow", "note"), finding("m0", "The M0 is doubtful")
    label, progress = panel.ui.statusLabel, panel.widget.progress
    progress.done("Done in 4 s.", [note])
    assert label.text == "Done in 4 s." and GREEN in label.styleSheet
    progress.done("Done in 4 s.", [note, grey, finding("snr", "SNR is low."), finding("t1-other-head", "Another T1")])
    assert label.text == "Done in 4 s. Look at this: Another T1; The M0 is doubtful (1 more under Findings)."
    assert AMBER in label.styleSheet
