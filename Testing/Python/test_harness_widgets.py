"""CTK's and Slicer's own widgets, as far as the harness stands in for them, on the real scene."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def ctk(desktop):
    return desktop.ctk


@pytest.fixture
def segmentation(desktop):
    """A segmentation node with the segments GM and WM."""
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "tissue")
    for name in ("GM", "WM"):
        node.GetSegmentation().AddEmptySegment(name, name)
    return node


def test_a_range_widget_keeps_its_order(ctk):
    widget, heard = ctk.ctkRangeWidget(), []
    widget.setRange(0, 100)
    widget.setValues(10, 20)
    widget.connect("valuesChanged(double,double)", lambda low, high: heard.append((low, high)))
    widget.minimumValue = 30
    assert (widget.minimumValue, widget.maximumValue) == (30, 30)
    assert heard[-1] == (30, 30)


def test_a_group_box_folds(desktop, ctk):
    box, label = ctk.ctkCollapsibleGroupBox(), desktop.qt.QLabel("x")
    box.title = "Advanced"
    desktop.qt.QVBoxLayout(box).addWidget(label)
    box.show()
    box.collapsed = True
    assert (box.checked, label.visible) == (False, False)
    box.collapsed = False
    assert label.visible and label.enabled


def test_a_directory_button_tells_its_folder(ctk):
    from slicer_harness import dialogs

    button, heard = ctk.ctkDirectoryButton(), []
    button.connect("directoryChanged(QString)", heard.append)
    button.directory = "/tmp"
    dialogs.paths.append("/data")
    button.browse()
    assert (button.directory, heard) == ("/data", ["/tmp", "/data"])


def test_a_path_edit_browses(ctk):
    from slicer_harness import dialogs

    edit = ctk.ctkPathLineEdit()
    dialogs.paths.append("/data/x.nii")
    edit.browse()
    assert edit.currentPath == "/data/x.nii"


def test_a_colour_button_has_a_colour(desktop, ctk):
    button, heard = ctk.ctkColorPickerButton(), []
    button.connect("colorChanged(QColor)", lambda colour: heard.append(colour.name()))
    button.color = desktop.qt.QColor("#ff0000")
    assert (button.color.name(), heard, button.text) == ("#ff0000", ["#ff0000"], "#ff0000")


def test_a_menu_button_opens_the_entry_that_the_test_names(desktop, ctk):
    from slicer_harness import dialogs

    button, menu, heard = ctk.ctkMenuButton(), desktop.qt.QMenu(), []
    menu.addAction("one").connect("triggered()", lambda: heard.append("one"))
    menu.addAction("two").connect("triggered()", lambda: heard.append("two"))
    button.setMenu(menu)
    dialogs.actions("two")
    menu.exec_(desktop.qt.QCursor.pos())
    assert heard == ["two"]


def test_a_fitted_browser_is_as_high_as_its_text(desktop, ctk):
    browser = ctk.ctkFittedTextBrowser()
    browser.resize(200, 20)
    browser.setHtml("one line")
    low = browser.sizeHint.height()
    browser.setHtml("<br>".join(["a line"] * 10))
    assert browser.sizeHint.height() > 4 * low


def test_a_combo_box_finds_its_data_as_text(ctk):
    box = ctk.ctkComboBox()
    box.addItem("One", "1")
    box.addItem("Two", "2")
    box.currentUserDataAsString = "2"
    assert (box.currentText, box.currentUserDataAsString) == ("Two", "2")


def test_coordinates_are_text(ctk):
    widget, heard = ctk.ctkCoordinatesWidget(), []
    widget.connect("coordinatesChanged(double,double,double,double)", lambda *numbers: heard.append(numbers))
    widget.coordinates = "1.5,1.5,3"
    assert (widget.coordinates, heard) == ("1.5,1.5,3", [(1.5, 1.5, 3.0, 0.0)])


def test_a_widget_without_a_stand_in_says_so_when_it_is_made(ctk):
    with pytest.raises(NotImplementedError, match="ctkMenuComboBox"):
        ctk.ctkMenuComboBox()


def test_a_constant_without_a_value_says_so(desktop):
    assert desktop.qt.QPrinter.A4 == 0
    with pytest.raises(NotImplementedError, match=r"QPrinter\.Tabloid"):
        desktop.qt.QPrinter.Tabloid  # noqa: B018


def test_a_page_is_printed_to_pdf(desktop, tmp_path):
    qt = desktop.qt
    printer, document = qt.QPrinter(qt.QPrinter.ScreenResolution), qt.QTextDocument()
    printer.setOutputFormat(qt.QPrinter.PdfFormat)
    printer.setPageSize(qt.QPrinter.A4)
    printer.setPageMargins(15.0, 15.0, 15.0, 15.0, qt.QPrinter.Millimeter)
    printer.setOutputFileName(str(tmp_path / "page.pdf"))
    document.setHtml("<h1>Report</h1>")
    document.print(printer)
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


# --- MRML -----------------------------------------------------------------------------------------------------------


def test_a_segment_selector_lists_the_segments(desktop, segmentation):
    import slicer

    selector, heard = slicer.qMRMLSegmentSelectorWidget(), []
    selector.setMRMLScene(slicer.mrmlScene)
    selector.connect("currentSegmentChanged(QString)", heard.append)
    selector.setCurrentNode(segmentation)
    assert (selector.currentNode(), selector.segmentIDs()) == (segmentation, ("GM", "WM"))
    selector.setCurrentSegmentID("WM")
    assert (selector.currentSegmentID(), heard[-1]) == ("WM", "WM")
    segmentation.GetSegmentation().AddEmptySegment("CSF", "CSF")
    assert selector.segmentIDs() == ("GM", "WM", "CSF")
    assert selector.currentSegmentID() == "WM"


def test_a_table_view_follows_its_table(desktop):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "readouts")
    slicer.util.updateTableFromArray(node, [np.array([1.0, 2.0])], ["CBF"])
    view = slicer.qMRMLTableView()
    view.setMRMLScene(slicer.mrmlScene)
    view.setMRMLTableNode(node)
    model = view.model()
    assert (model.rowCount(), model.columnCount()) == (2, 1)
    slicer.util.updateTableFromArray(node, [np.array([1.0, 2.0, 3.0])], ["CBF"])
    assert model.rowCount() == 3


def test_a_subject_hierarchy_selector_lists_nodes_of_its_types(desktop, segmentation):
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), segmentation)
    box = slicer.qMRMLSubjectHierarchyComboBox()
    box.nodeTypes = ["vtkMRMLSegmentationNode"]
    box.setMRMLScene(slicer.mrmlScene)
    box.setCurrentItem(item)
    assert (box.currentItem(), box.currentText) == (item, "tissue")


def test_a_checkable_node_selector_keeps_what_is_checked(desktop):
    import slicer

    box, heard = slicer.qMRMLCheckableNodeComboBox(), []
    box.nodeTypes = ["vtkMRMLTableNode"]
    box.setMRMLScene(slicer.mrmlScene)
    tables = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name) for name in "ab"]
    box.connect("checkedNodesChanged()", lambda: heard.append(1))
    box.setCheckState(tables[1], desktop.qt.Qt.Checked)
    assert (box.checkedNodes(), box.uncheckedNodes(), heard) == ((tables[1],), (tables[0],), [1])


def test_a_node_selector_creates_and_deletes_nodes(desktop):
    import slicer

    box, heard = slicer.qMRMLNodeComboBox(), []
    box.nodeTypes = ["vtkMRMLTableNode"]
    box.setMRMLScene(slicer.mrmlScene)
    box.connect("nodeAddedByUser(vtkMRMLNode*)", lambda node: heard.append(node.GetClassName()))
    node = box.addNode()
    assert box.currentNode() is node and heard == ["vtkMRMLTableNode"]
    node.SetName("renamed")
    assert box.nodeFromIndex(0).GetName() == "renamed"
    box.removeCurrentNode()
    assert box.nodeCount() == 0 and slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLTableNode") is None


def test_a_hidden_node_is_not_offered(desktop):
    import slicer

    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLTableNode"]
    box.setMRMLScene(slicer.mrmlScene)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "a")
    assert box.nodeCount() == 1
    node.HideFromEditorsOn()
    assert box.nodeCount() == 0
    box.showHidden = True
    assert box.nodeCount() == 1


def test_a_selector_that_was_told_its_node_before_its_scene_remembers(desktop):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "a")
    box = slicer.qMRMLNodeComboBox()
    box.noneEnabled = True
    box.nodeTypes = ["vtkMRMLTableNode"]
    box.setCurrentNodeID(node.GetID())
    box.setMRMLScene(slicer.mrmlScene)
    assert box.currentNode() is node


def test_a_selector_is_empty_after_the_scene_is_closed(desktop):
    import slicer
    from slicer_harness.panel import close_scene

    box = slicer.qMRMLNodeComboBox()
    box.noneEnabled = True
    box.nodeTypes = ["vtkMRMLTableNode"]
    box.setMRMLScene(slicer.mrmlScene)
    box.setCurrentNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "a"))
    close_scene()
    assert box.currentNode() is None and box.nodeCount() == 0


def test_a_chart_is_shown_in_the_plot_view_of_a_layout(desktop):
    import slicer

    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView)
    assert manager.plotViewCount == 1
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "chart")
    manager.plotWidget(0).mrmlPlotViewNode().SetPlotChartNodeID(chart.GetID())
    manager.plotWidget(0).plotView().fitToContent()
    assert manager.plotWidget(0).mrmlPlotViewNode().GetPlotChartNode() is chart
