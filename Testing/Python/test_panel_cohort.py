"""The Cohort section of the panel: the table of a study's scans, and any of them brought up by a double click."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from cohort_builders import failed, record, study_of

from ASLDenoiseLib.group.record import Status, write_record

OPENED = "sub-02_ses-1"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A scene as the shell writes it."""
    from scene_builders import made_result

    from ASLDenoiseLib.scene.attachments import scene_attachments

    path = tmp_path_factory.mktemp("bundle") / "scene.mrb"
    writers, trouble = scene_attachments(made_result())
    assert not trouble
    writers["scene.mrb"](path)
    return path


@pytest.fixture
def out(bundle, tmp_path):
    """A cohort that still runs: twelve scans have ended, one of them failed; one has its scene and report."""
    study_of(tmp_path, people=6)
    write_record(tmp_path, failed("sub-06_ses-2"))
    with_scene(tmp_path, OPENED, bundle.read_bytes())
    return tmp_path


def with_scene(out, name, content):
    folder = out / record(name).folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_scene.mrb").write_bytes(content)
    (folder / f"{name}_report.html").write_text("a report")
    return folder


@pytest.fixture
def shown(out, panel):
    """The panel with the section open on the cohort."""
    panel.ui.cohortCollapsibleButton.collapsed = False
    choose_folder(panel, out)
    return panel


def choose_folder(panel, folder):
    from slicer_harness.panel import process_events

    panel.ui.cohortFolderEdit.currentPath = str(folder)
    assert process_events(lambda: "Reading" not in panel.ui.cohortLabel.text)


def settle():
    from slicer_harness.panel import process_events

    for _ in range(8):
        process_events()


def names(panel):
    table = panel.ui.cohortTable
    return [table.item(row, 0).text().replace("\u200b", "").replace("\u00a0", " ") for row in range(table.rowCount)]


def select(panel, name):
    row = next(row for row, text in enumerate(names(panel)) if text.endswith(name))
    panel.ui.cohortTable.setCurrentCell(row, 0)
    settle()
    return row


def open_by_double_click(panel, name):
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest
    from slicer_harness.proxy import cpp_of

    table = cpp_of(panel.ui.cohortTable)
    table.scrollToItem(table.item(select(panel, name), 0))
    place = table.visualItemRect(table.item(table.currentRow(), 0)).center() + QPoint(0, 0)
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    settle()


def shown_dialogs():
    from slicer_harness import dialogs

    return [dialog for dialog in dialogs.shown if dialog.kind != "QMenu"]


def add_volume(name="Mine"):
    import numpy as np
    import slicer

    node = slicer.util.addVolumeFromArray(np.zeros((3, 4, 5), np.float32), name=name)
    settle()
    return node


def test_the_scans_stand_there_with_raw_above_processed_and_what_to_look_at_first_in_front(shown, out):
    first = names(shown)
    assert first[0] == "\u26a0 sub-06_ses-2" and first[1] == "\u26a0 sub-03_ses-2" and first[2] == "sub-01_ses-1"
    assert len(first) == 12
    table, scan = shown.ui.cohortTable, record("sub-02_ses-1")
    row = select(shown, "sub-02_ses-1")
    assert table.item(row, 2).text().count("\n") == 1 and table.item(row, 1).text().split("\n")[0][:1] in "3456789"
    assert "GM mean: raw " in table.item(row, 1).toolTip() and "ml/100g/min" in table.item(row, 1).toolTip()
    assert (table.item(row, 4).text(), table.item(row, 5).text(), table.item(row, 6).text()) == ("02", "1", "done")
    assert scan.status is Status.DONE
    said = shown.ui.cohortLabel.text
    assert "12 scans, 1 failed, 1 unlike the others;" in said and "GM is its mean in ml/100g/min" in said
    assert "group level is not made yet" in said


def test_a_failed_scan_says_its_sentence_as_tool_tip_and_below_the_table(shown):
    row = select(shown, "sub-06_ses-2")
    sentence = "The M0 image of sub-12 is empty; give another."
    assert sentence in shown.ui.cohortTable.item(row, 0).toolTip() and sentence in shown.ui.cohortScanLabel.text
    assert shown.ui.cohortTable.item(row, 1).text() == "failed"
    assert not shown.ui.openScanButton.enabled and "its run failed" in shown.ui.openScanButton.toolTip


def test_why_to_look_at_a_scan_is_said_below_the_table_and_all_of_it_as_tool_tip(shown):
    select(shown, "sub-03_ses-2")
    said = shown.ui.cohortScanLabel.text
    assert "Place 1 of those to look at" in said and "Motion, farthest 9.5" in said and "more." in said
    table = shown.ui.cohortTable
    tip = table.item(table.currentRow(), 0).toolTip()
    assert all(reason[1:] in tip.replace("<br>", "") for reason in shown.widget.cohort.chosen.reasons)


def test_a_double_click_brings_up_the_scan_with_its_results_and_keeps_the_folder(shown, out):
    import slicer

    open_by_double_click(shown, OPENED)
    assert shown_dialogs() == [], "an empty scene is closed without a question"
    assert shown.widget.results.nodes is not None and "sub-77" in shown.ui.resultsLabel.text
    assert shown.ui.readoutsTable.rowCount > 0
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert shown.widget._parameterNode.cohortFolder == str(out) == shown.ui.cohortFolderEdit.currentPath
    assert len(names(shown)) == 12 and shown.widget.cohort.chosen.name == OPENED
    assert OPENED in shown.ui.statusLabel.text


def test_return_opens_the_chosen_scan(shown):
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from slicer_harness.proxy import cpp_of

    select(shown, OPENED)
    QTest.keyClick(cpp_of(shown.ui.cohortTable), Qt.Key.Key_Return)
    settle()
    assert shown.widget.results.nodes is not None


def test_the_next_scan_is_opened_without_a_question_where_the_last_was_only_looked_at(shown, out, bundle):
    import slicer

    with_scene(out, "sub-04_ses-1", bundle.read_bytes())
    open_by_double_click(shown, OPENED)
    shown.ui.opacitySlider.value = 0.3
    shown.ui.sideBySideButton.click()
    shown.ui.fadeSlider.value = 0.5
    (browser,) = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    browser.SetSelectedItemNumber(2)
    shown.widget.results.views.showPlot("agreement")
    settle()
    before = slicer.mrmlScene.GetNodeByID(next(iter(shown.widget.results.nodes.maps.values())).GetID())
    open_by_double_click(shown, "sub-04_ses-1")
    assert shown_dialogs() == [] and before.GetScene() is None
    assert shown.widget.results.nodes is not None


def test_a_scene_with_unsaved_changes_stays_where_the_user_says_so(shown):
    from slicer_harness import dialogs

    mine = add_volume()
    for answer in ("Cancel", None):  # None: the dialog is closed
        if answer:
            import qt

            dialogs.answers(getattr(qt.QMessageBox, answer))
        open_by_double_click(shown, OPENED)
        assert mine.GetScene() is not None and shown.widget.results.nodes is None
    asked = shown_dialogs()
    assert len(asked) == 2
    assert OPENED in asked[0].text and "not saved" in asked[0].text and "- Mine" in asked[0].details


def test_unsaved_changes_are_thrown_away_or_saved_as_the_user_says(shown):
    import qt
    from slicer_harness import dialogs

    mine = add_volume()
    dialogs.answers(qt.QMessageBox.Save, qt.QMessageBox.Cancel)  # wants to save, and does not
    open_by_double_click(shown, OPENED)
    assert mine.GetScene() is not None
    dialogs.answers(qt.QMessageBox.Discard)
    open_by_double_click(shown, OPENED)
    assert mine.GetScene() is None and shown.widget.results.nodes is not None


def test_what_was_drawn_in_a_scan_that_was_opened_is_asked_about(shown, out, bundle):
    """A scan that was opened and looked at closes unasked; one that holds the user's work does not."""
    import slicer

    with_scene(out, "sub-04_ses-1", bundle.read_bytes())
    open_by_double_click(shown, OPENED)
    segmentation = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")[0]
    segmentation.GetSegmentation().AddEmptySegment("mine", "mine")
    settle()
    open_by_double_click(shown, "sub-04_ses-1")
    assert [dialog.details for dialog in shown_dialogs()] == [f"Changed:\n- {segmentation.GetName()}"]
    assert segmentation.GetScene() is not None


def test_what_was_drawn_and_saved_is_not_asked_about(shown, out, bundle, tmp_path):
    import slicer
    from slicer_harness.panel import save_scene

    with_scene(out, "sub-04_ses-1", bundle.read_bytes())
    open_by_double_click(shown, OPENED)
    segmentation = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")[0]
    segmentation.GetSegmentation().AddEmptySegment("mine", "mine")
    save_scene(tmp_path / "mine.mrb")
    open_by_double_click(shown, "sub-04_ses-1")
    assert shown_dialogs() == [] and segmentation.GetScene() is None


def test_a_scan_without_a_scene_says_what_to_do(shown):
    select(shown, "sub-01_ses-1")
    assert not shown.ui.openScanButton.enabled
    for said in (shown.ui.openScanButton.toolTip, shown.ui.cohortScanLabel.text):
        assert "sub-01_ses-1_scene.mrb is not there" in said and "run it again with a scene" in said
    open_by_double_click(shown, "sub-01_ses-1")
    assert shown.widget.results.nodes is None and shown_dialogs() == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", "empty"])
def test_a_scene_that_is_cut_off_is_refused_before_the_open_one_is_closed(shown, out, content, tmp_path):
    import io
    import zipfile

    if content == "empty":
        with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
            archive.writestr("readme.txt", "no scene")
        content = buffer.getvalue()
    with_scene(out, OPENED, content)
    mine = add_volume()
    open_by_double_click(shown, OPENED)
    (said,) = shown_dialogs()
    assert "is no scene, or only a part of one" in said.text and mine.GetScene() is not None


def test_no_scan_is_opened_while_a_run_is_under_way_but_the_table_can_be_read(shown, out, monkeypatch):
    from ASLDenoisePanel.states import State

    select(shown, OPENED)
    assert shown.ui.openScanButton.enabled
    monkeypatch.setattr(shown.widget.run, "state", State.RUNNING)
    shown.widget._onState()
    assert not shown.ui.openScanButton.enabled and "would end it" in shown.ui.cohortScanLabel.text
    open_by_double_click(shown, OPENED)
    assert shown.widget.results.nodes is None
    write_record(out, record("sub-07_ses-1"))
    shown.ui.refreshCohortButton.click()
    assert len(names(shown)) == 13 and shown.widget.cohort.chosen.name == OPENED
    monkeypatch.setattr(shown.widget.run, "state", State.READY)
    shown.widget._onState()
    assert shown.ui.openScanButton.enabled and "would end it" not in shown.ui.cohortScanLabel.text


def test_pages_open_in_the_browser_where_they_are(shown, out):
    from slicer_harness import dialogs

    select(shown, "sub-01_ses-1")
    assert not shown.ui.scanReportButton.enabled and not shown.ui.groupPageButton.enabled
    (out / "group").mkdir()
    (out / "group" / "report.html").write_text("the study")
    select(shown, OPENED)
    shown.ui.scanReportButton.click()
    shown.ui.groupPageButton.click()
    assert [url.rsplit("/", 1)[1] for url in dialogs.opened_urls] == [f"{OPENED}_report.html", "report.html"]


def test_a_broken_table_is_told_beside_the_scans_of_the_records(shown, out):
    (out / "group").mkdir()
    (out / "group" / "scans.tsv").write_text("not\ta table\n")
    shown.ui.refreshCohortButton.click()
    assert "group/scans.tsv cannot be read" in shown.ui.cohortLabel.text and len(names(shown)) == 12


def test_an_empty_folder_and_none_are_said_and_nothing_is_offered(shown, tmp_path_factory):
    for folder, said in (
        (tmp_path_factory.mktemp("empty"), "No scan is in"),
        ("/no/such/folder", "There is no folder"),
        ("", "Choose the folder"),
    ):
        choose_folder(shown, folder)
        assert said in shown.ui.cohortLabel.text
        for name in ("cohortTable", "openScanButton", "scanReportButton", "cohortFindLineEdit", "cohortScanLabel"):
            assert not getattr(shown.ui, name).isVisibleTo(shown.frame), name


def test_a_folder_is_read_when_the_section_is_opened_and_not_before(panel, out):
    from slicer_harness.panel import process_events

    panel.widget._parameterNode.cohortFolder = str(out)
    process_events(lambda: False, timeout=0.6)
    assert panel.ui.cohortTable.rowCount == 0
    panel.ui.cohortCollapsibleButton.collapsed = False
    assert len(names(panel)) == 12


def test_the_folder_is_kept_with_the_scene(shown, out, tmp_path):
    from slicer_harness.panel import reopen_scene, save_scene

    add_volume()
    reopen_scene(save_scene(tmp_path / "a.mrb"))
    assert shown.widget._parameterNode.cohortFolder == str(out) == shown.ui.cohortFolderEdit.currentPath


def test_a_part_of_the_name_finds_a_scan_among_many(shown):
    shown.ui.cohortFindLineEdit.text = "06_SES"
    assert [name[-12:] for name in names(shown)] == ["sub-06_ses-2", "sub-06_ses-1"]
    assert "2 of them are shown" in shown.ui.cohortLabel.text
    shown.ui.cohortFindLineEdit.text = "nobody"
    assert names(shown) == [] and not shown.ui.openScanButton.enabled and shown.ui.cohortScanLabel.text == ""
    shown.ui.cohortFindLineEdit.text = ""
    assert len(names(shown)) == 12


def test_a_unit_of_its_own_stands_with_the_number(shown, out):
    values = {"unit": "scanner units", "raw_gm_mean": 12.0, "processed_gm_mean": math.nan}
    write_record(out, record("sub-07_ses-1", values=values))
    shown.ui.refreshCohortButton.click()
    row = select(shown, "sub-07_ses-1")
    assert shown.ui.cohortTable.item(row, 1).text() == "12.0\nn/a\nscanner units"


@pytest.mark.parametrize("width", [317, 400, 600])
def test_names_and_numbers_can_be_read_at_every_width(shown, width):
    from slicer_harness.proxy import cpp_of

    frame = cpp_of(shown.frame)
    frame.layout().setContentsMargins(0, 0, 0, 0)
    frame.resize(width, 900)
    frame.show()
    settle()
    table = cpp_of(shown.ui.cohortTable)
    try:
        assert frame.width() == width
        assert table.horizontalScrollBar().maximum() == 0, "nothing is pushed out of sight"
        assert table.columnWidth(0) >= 80
        assert table.isColumnHidden(7) == (width < 500) and table.isColumnHidden(4)
    finally:
        frame.hide()


def test_the_tab_key_goes_from_the_folder_through_the_table_to_the_buttons(shown):
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication
    from slicer_harness.proxy import cpp_of

    frame = cpp_of(shown.frame)
    frame.show()
    frame.activateWindow()
    select(shown, OPENED)
    cpp_of(shown.ui.cohortFindLineEdit).setFocus()
    found = []
    for _ in range(4):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        found.append(QApplication.focusWidget().objectName())
    frame.hide()
    assert found == ["cohortTable", "openScanButton", "scanReportButton", "refreshCohortButton"]
