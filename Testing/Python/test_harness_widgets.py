"""CTK's and Slicer's own widgets, as far as the harness stands in for them, on the real scene."""

from __future__ import annotations

import pytest


@pytest.fixture
def ctk(desktop):
    return desktop.ctk


def test_a_group_box_folds(desktop, ctk):
    box, label = ctk.ctkCollapsibleGroupBox(), desktop.qt.QLabel("x")
    box.title = "Advanced"
    desktop.qt.QVBoxLayout(box).addWidget(label)
    box.show()
    box.collapsed = True
    assert (box.checked, label.visible) == (False, False)
    box.collapsed = False
    assert label.visible and label.enabled


def test_a_path_edit_browses(ctk):
    from slicer_harness import dialogs

    edit = ctk.ctkPathLineEdit()
    dialogs.paths.append("/data/x.nii")
    edit.browse()
    assert edit.currentPath == "/data/x.nii"


def test_a_menu_opens_at_the_entry_that_the_test_names(desktop):
    from slicer_harness import dialogs

    button, menu, heard = desktop.qt.QPushButton(), desktop.qt.QMenu(), []
    menu.addAction("one").connect("triggered()", lambda: heard.append("one"))
    menu.addAction("two").connect("triggered()", lambda: heard.append("two"))
    button.setMenu(menu)
    dialogs.actions("two")
    menu.exec_(desktop.qt.QCursor.pos())
    assert heard == ["two"]


def test_a_class_that_the_harness_does_not_stand_in_for_is_absent_and_says_how_to_add_it(desktop, ctk):
    for module, name in ((ctk, "ctkMenuComboBox"), (desktop.qt, "QTreeWidget")):
        assert not hasattr(module, name)
        with pytest.raises(AttributeError, match=rf"{name}.*README"):
            getattr(module, name)


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


def test_a_layout_with_a_chart_makes_its_plot_view_node(desktop):
    import slicer

    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView)
    assert manager.plotViewCount == 1
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "chart")
    (view,) = slicer.util.getNodesByClass("vtkMRMLPlotViewNode")
    view.SetPlotChartNodeID(chart.GetID())
    assert view.GetPlotChartNode() is chart
