"""The stand-ins behave as PythonQt and Slicer 5.12.3 were seen to: each expectation was read in a running desktop."""

from __future__ import annotations

import pytest


@pytest.fixture
def qt(desktop):
    return desktop.qt


@pytest.fixture
def ctk(desktop):
    return desktop.ctk


# --- properties are attributes --------------------------------------------------------------------------------------


def test_a_property_is_read_and_set_as_an_attribute(qt):
    label = qt.QLabel("a")
    assert label.text == "a"
    label.text = "b"
    assert label.text == "b"
    label.setText("c")
    assert label.text == "c"


def test_calling_a_property_is_an_error(qt):
    with pytest.raises(TypeError, match="'str' object is not callable"):
        qt.QLabel("a").text()


def test_enabled_and_visible_have_getters_that_are_called(qt):
    label = qt.QLabel()
    label.setEnabled(False)
    assert (label.enabled, label.isEnabled(), label.visible, label.isVisible()) == (False, False, False, False)


def test_an_attribute_that_slicer_does_not_list_cannot_be_set(qt):
    with pytest.raises(AttributeError, match="'nosuch' does not exist on QLabel and creating new attributes on C"):
        qt.QLabel().nosuch = 1


def test_an_attribute_that_pyside_has_and_slicer_does_not_list_is_absent(qt):
    assert not hasattr(qt.QLabel(), "isEnabledChanged")
    assert not hasattr(qt.QComboBox(), "currentIndexChangedd")
    assert not hasattr(qt, "QGraphicsView") and not hasattr(qt, "QThread")
    with pytest.raises(AttributeError, match="does not exist on QLabel"):
        qt.QLabel().setVisibleToParent  # noqa: B018


def test_no_class_offers_a_name_that_slicer_does_not_list(desktop):
    import slicer
    from slicer_harness import surface

    places = {"qt": desktop.qt, "ctk": desktop.ctk, "slicer": slicer}
    for name in surface.classes():
        module, short = name.split(".")
        offered = {n for n in dir(getattr(places[module], short)) if not n.startswith("_")}
        assert offered == surface.all_names(name), name


def test_no_module_offers_a_class_that_slicer_does_not_list(desktop):
    import slicer
    from slicer_harness import surface

    listed = {name.split(".")[1] for name in surface.classes()}
    recorded = {"Qt", "Signal", "QAbstractItemView", "QByteArray"}
    of_slicer_util = {"QDateTime", "QFile", "QLocale", "QUiLoader"}
    for module in (desktop.qt, desktop.ctk):
        offered = {name for name in vars(module) if not name.startswith("_")}
        assert offered <= listed | recorded | of_slicer_util
    assert {name for name in vars(slicer) if name.startswith(("qMRML", "qSlicer"))} <= listed


def test_the_application_and_the_functions_offer_no_other_names(desktop):
    import slicer
    from slicer_harness import surface

    offered = {name for name in dir(slicer.app) if not name.startswith("_")}
    assert offered <= surface.application_names()
    for module in ("packaging", "i18n", "parameterNodeWrapper", "ScriptedLoadableModule"):
        listed = {key.split(".")[2] for key in surface.functions() if key.startswith(f"slicer.{module}.")}
        public = getattr(slicer, module).__all__
        assert set(public) <= listed | {"Label"}, module


@pytest.mark.parametrize("module", ["packaging", "i18n", "ScriptedLoadableModule", "parameterNodeWrapper", "util"])
def test_functions_take_the_arguments_that_slicers_take(desktop, module):
    import inspect

    import slicer
    from slicer_harness import surface

    checked, differ = 0, []
    for key, text in surface.functions().items():
        _, place, *path = key.split(".")
        target = getattr(slicer, module)
        for name in path if place == module and "Serializer" not in key else ("no such name",):
            target = None if target is None else _offered(target, name)
        if target is None:
            continue
        ours = [name for name in inspect.signature(target).parameters if name != "self"]
        theirs = [name for name in _arguments(text) if name != "self"]
        differ += [f"{key}: {ours}, in Slicer {theirs}"] if ours != theirs else []
        checked += 1
    assert not differ, "\n".join(differ)
    assert checked >= {"i18n": 3, "packaging": 4, "parameterNodeWrapper": 2}.get(module, 8)


def _offered(target, name):
    """A member, or None where there is none or the harness does not stand in for it."""
    try:
        return getattr(target, name, None)
    except NotImplementedError:
        return None


def _arguments(signature):
    """Names in a signature's text."""
    from slicer_harness import surface

    arguments = surface.arguments_of(signature)
    names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
    names += [arguments.vararg.arg] if arguments.vararg else []
    names += [a.arg for a in arguments.kwonlyargs]
    return names + ([arguments.kwarg.arg] if arguments.kwarg else [])


def test_alignment_is_an_integer(qt):
    label = qt.QLabel()
    label.alignment = 132
    assert label.alignment == 132
    label.alignment = qt.Qt.AlignRight | qt.Qt.AlignVCenter
    assert label.alignment == 130


def test_a_plain_tool_tip_reads_back_as_a_paragraph(qt):
    label = qt.QLabel()
    label.toolTip = "x"
    assert label.toolTip == "<p>x</p>"
    label.setToolTip("y")
    assert label.toolTip == "<p>y</p>"
    label.toolTip = "<b>rich</b>"
    assert label.toolTip == "<b>rich</b>"


def test_the_object_name_has_a_short_name(qt):
    label = qt.QLabel()
    label.objectName = "q"
    assert (label.objectName, label.name) == ("q", "q")
    label.name = "r"
    assert label.objectName == "r"


def test_a_widget_knows_its_size_by_attributes_and_its_layout_by_a_call(qt):
    widget = qt.QWidget()
    widget.resize(8, 17)
    assert (widget.width, widget.height) == (8, 17)
    assert (widget.size.width(), widget.size.height()) == (8, 17)
    assert str(widget.size).startswith("QSize (8, 17,")
    assert widget.layout() is None


def test_dynamic_properties_are_kept(qt):
    widget = qt.QWidget()
    assert widget.setProperty("mine", "abc") is False
    assert widget.property("mine") == "abc"


def test_a_property_refuses_what_it_cannot_hold(qt):
    with pytest.raises(ValueError, match="Property 'text' of type 'QString' does not accept"):
        qt.QLabel().text = None


def test_a_wrong_argument_is_a_value_error(qt):
    with pytest.raises(ValueError, match="wrong arguments"):
        qt.QLabel().setText(object())


def test_methods_of_items_and_sizes_stay_calls(qt):
    item = qt.QTableWidgetItem("v")
    assert (item.text(), int(item.flags())) == ("v", 63)
    assert str(item.text) == "<qt slot text of QTableWidgetItem instance>"
    assert qt.QSize(3, 4).width() == 3


def test_a_style_sheet_is_both_set_and_read(qt):
    label = qt.QLabel()
    label.setStyleSheet("color:red")
    assert label.styleSheet == "color:red"


# --- signals --------------------------------------------------------------------------------------------------------


def test_signals_connect_by_signature_and_by_attribute(qt):
    button, heard = qt.QPushButton(), []
    assert button.connect("clicked(bool)", lambda checked: heard.append(("bool", checked)))
    assert button.connect("clicked()", lambda: heard.append("none"))
    button.clicked.connect(lambda *given: heard.append(("attr", given)))
    button.click()
    assert heard == [("bool", False), "none", ("attr", (False,))]


def test_a_method_without_arguments_is_called_without(qt):
    class Heard:
        count = 0

        def up(self):
            self.count += 1

    heard, button = Heard(), qt.QPushButton()
    button.connect("clicked(bool)", heard.up)
    button.clicked.connect(heard.up)
    button.click()
    assert heard.count == 2


def test_defaults_count_as_arguments(qt):
    button, heard = qt.QPushButton(), []
    button.connect("clicked(bool)", lambda name="mine": heard.append(name))
    button.click()
    assert heard == [False]  # the trap: the signal's argument takes the default's place


def test_disconnecting_says_whether_there_was_a_connection(qt):
    button, heard = qt.QPushButton(), []
    button.connect("clicked()", heard.clear)
    assert button.disconnect("clicked()", heard.clear) is True
    assert button.disconnect("clicked()", heard.clear) is False


def test_a_signal_that_the_class_does_not_list_cannot_be_connected(qt):
    with pytest.raises(ValueError, match="does not exist on QPushButton"):
        qt.QPushButton().connect("valueChanged(int)", print)
    with pytest.raises(ValueError, match="does not exist"):
        qt.QComboBox().connect("currentIndexChanged(double)", print)


def test_blocked_signals_are_not_heard(qt):
    box, heard = qt.QCheckBox(), []
    box.toggled.connect(heard.append)
    assert box.blockSignals(True) is False
    box.checked = True
    assert box.blockSignals(False) is True
    assert heard == []


def test_what_a_slot_raises_is_kept_and_does_not_reach_the_sender(qt):
    from slicer_harness.panel import slot_errors

    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    with slot_errors() as errors:
        button.click()
        assert isinstance(errors[0].error, ZeroDivisionError)


def test_what_an_observer_raises_is_kept_too(desktop):
    import slicer
    from slicer_harness.panel import slot_errors

    with slot_errors() as errors:
        tag = slicer.mrmlScene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, lambda *_: 1 / 0)
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
        slicer.mrmlScene.RemoveObserver(tag)
    assert isinstance(errors[0].error, ZeroDivisionError)


def test_a_slot_can_be_another_objects_method(qt):
    button, label = qt.QPushButton(), qt.QLabel("x")
    button.connect("clicked()", label.clear)
    button.click()
    assert label.text == ""


def test_combo_boxes_send_numbers_by_attribute_and_text_by_signature(qt):
    box, heard = qt.QComboBox(), []
    box.addItems(["a", "b"])
    box.currentIndexChanged.connect(heard.append)
    box.connect("currentIndexChanged(QString)", heard.append)
    box.currentIndex = 1
    assert heard == [1, "b"]


# --- single widgets -------------------------------------------------------------------------------------------------


def test_a_combo_box_keeps_data_of_any_kind(qt):
    box = qt.QComboBox()
    box.addItem("A", "ida")
    box.addItem("B", 5)
    marker = object()
    box.addItem("C", marker)
    assert (box.count, box.currentText, box.currentIndex, box.currentData) == (3, "A", 0, "ida")
    assert (box.itemData(1), box.itemData(2), box.itemText(0)) == (5, marker, "A")
    assert (box.findData("ida"), box.findData("none")) == (0, -1)
    box.setCurrentText("B")
    assert box.currentData == 5
    box.clear()
    assert box.count == 0


def test_a_table_counts_by_attributes(qt):
    table = qt.QTableWidget(2, 3)
    assert (table.rowCount, table.columnCount) == (2, 3)
    table.setRowCount(4)
    assert table.rowCount == 4
    table.setItem(0, 0, qt.QTableWidgetItem("v"))
    item = table.item(0, 0)
    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    item.setForeground(qt.QBrush(qt.QColor("red")))
    assert item.text() == "v"
    table.setHorizontalHeaderLabels(["a", "b", "c"])
    table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
    table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
    assert table.editTriggers == 0


def test_the_same_object_is_the_same_proxy(qt):
    table = qt.QTableWidget(1, 1)
    item = qt.QTableWidgetItem("v")
    table.setItem(0, 0, item)
    assert table.item(0, 0) is item
    parent = qt.QWidget()
    child = qt.QLabel(parent)
    assert child.parent() is parent and parent.children() == (child,)


def test_progress_bars_and_spin_boxes(qt):
    bar = qt.QProgressBar()
    bar.value = 30
    bar.format = "%p% left"
    assert (bar.value, bar.minimum, bar.maximum, bar.text) == (30, 0, 100, "30% left")
    bar.setRange(0, 0)
    assert bar.maximum == 0
    spin = qt.QDoubleSpinBox()
    spin.decimals, spin.value, spin.suffix = 3, 2.5, " s"
    assert (spin.value, spin.text, spin.cleanText) == (2.5, "2.500 s", "2.500")


def test_edits(qt):
    line = qt.QLineEdit()
    line.text, line.placeholderText = "x", "p"
    assert (line.text, line.placeholderText) == ("x", "p")
    plain = qt.QPlainTextEdit()
    plain.plainText = "hi"
    assert plain.plainText == plain.toPlainText() == "hi"


def test_layouts_count_by_calls(qt):
    form = qt.QFormLayout()
    form.addRow("name", qt.QLabel())
    assert form.rowCount() == 1
    box = qt.QVBoxLayout()
    box.addStretch(1)
    box.spacing = 3
    assert box.count() == 1


def test_enums_are_integers_on_the_class(qt):
    assert qt.QMessageBox.Yes == 16384
    assert qt.QMessageBox.Yes | qt.QMessageBox.No == 81920
    assert qt.QFrame().frameShape == qt.QFrame.NoFrame == 0


def test_the_static_single_shot_shadows_the_property(qt):
    from slicer_harness.panel import process_events

    timer, heard = qt.QTimer(), []
    with pytest.raises(AttributeError, match="Slot 'singleShot' can not be overwritten on QTimer object"):
        timer.singleShot = True
    timer.setSingleShot(True)
    timer.connect("timeout()", lambda: heard.append("timer"))
    timer.start(1)
    qt.QTimer.singleShot(0, lambda: heard.append("shot"))
    assert process_events(lambda: len(heard) == 2)


def test_an_object_that_nobody_keeps_is_gone(qt):
    from slicer_harness.panel import process_events

    heard = []

    def start_and_forget():
        timer = qt.QTimer()
        timer.connect("timeout()", lambda: heard.append("fired"))
        timer.start(1)

    start_and_forget()
    assert not process_events(lambda: heard, timeout=0.1)
    parent = qt.QWidget()
    qt.QLabel("kept", parent)
    assert parent.findChildren(qt.QLabel)[0].text == "kept"


def test_a_python_object_lives_as_long_as_its_parent(qt):
    class Watcher(qt.QObject):
        def __init__(self, parent):
            super().__init__(parent)
            self.seen = 0

        def eventFilter(self, watched, event):
            self.seen += 1
            return False

    widget = qt.QWidget()
    widget.installEventFilter(Watcher(widget))
    widget.show()
    assert widget.children()[0].seen > 0


def test_colours_urls_settings_and_the_clipboard(qt, desktop):
    assert qt.QColor(1, 2, 3).name() == "#010203"
    assert qt.QUrl.fromLocalFile("/tmp/x").toString() == "file:///tmp/x"
    settings = qt.QSettings()
    settings.setValue("harness/x", "y")
    assert (settings.value("harness/x"), settings.value("harness/none", "d"), settings.contains("harness/x")) == (
        "y",
        "d",
        True,
    )
    desktop.app.clipboard().setText("q")
    assert qt.QApplication.clipboard().text() == "q"


def test_message_boxes_and_environments(qt):
    box = qt.QMessageBox()
    box.text = "x"
    box.setStandardButtons(qt.QMessageBox.Ok | qt.QMessageBox.Cancel)
    assert (box.text, box.standardButtons) == ("x", 0x400 | 0x400000)
    environment = qt.QProcessEnvironment()
    environment.insert("KEY", "value")
    assert (environment.value("KEY"), environment.keys()) == ("value", ("KEY",))


def test_a_widget_is_shown_and_hidden(qt):
    label = qt.QLabel("x")
    label.show()
    assert label.visible is True
    label.hide()
    assert label.visible is False


def test_menus_make_actions_that_trigger(qt):
    menu, heard = qt.QMenu(), []
    action = menu.addAction("one")
    assert str(action).startswith("QAction (QAction")
    action.connect("triggered()", lambda: heard.append("one"))
    action.trigger()
    assert heard == ["one"]


def test_python_classes_may_derive_from_qt_and_keep_their_own_attributes(qt):
    class Filter(qt.QObject):
        def __init__(self, parent):
            super().__init__(parent)
            self.seen = []

        def eventFilter(self, watched, event):
            self.seen.append((watched, event.type()))
            return False

    widget = qt.QWidget()
    filter_ = Filter(widget)
    widget.installEventFilter(filter_)
    widget.show()
    assert (widget, qt.QEvent.Show) in filter_.seen


def test_an_event_handler_can_call_the_base(qt):
    class Wide(qt.QWidget):
        resized = 0

        def resizeEvent(self, event):
            self.resized += 1
            super().resizeEvent(event)

    widget = Wide()
    widget.show()
    widget.resize(123, 45)
    assert widget.resized > 0 and widget.width == 123


def test_children_are_found_by_class_and_name(qt):
    parent = qt.QWidget()
    child = qt.QPushButton(parent)
    child.objectName = "go"
    assert parent.findChildren(qt.QPushButton) == [child]
    assert parent.findChild(qt.QPushButton, "go") is child
    assert parent.findChild(qt.QPushButton, "stop") is None
    assert (child.className(), child.inherits("QWidget")) == ("QPushButton", True)


def test_a_deleted_widget_says_so(qt):
    label = qt.QLabel()
    label.delete()
    with pytest.raises(ValueError, match="destroyed QLabel"):
        label.text  # noqa: B018


# --- ctk and MRML widgets -------------------------------------------------------------------------------------------


def test_a_collapsible_button_hides_what_is_in_it(desktop, qt, ctk):
    button, heard = ctk.ctkCollapsibleButton(), []
    button.text = "Section"
    label, extra = qt.QLabel("x"), qt.QLabel("y")
    layout = qt.QVBoxLayout(button)
    layout.addWidget(label)
    layout.addWidget(extra)
    extra.setVisible(False)
    button.show()
    button.connect("contentsCollapsed(bool)", heard.append)
    button.collapsed = True
    assert (button.collapsed, button.checked, label.visible, heard) == (True, False, False, [True])
    button.collapsed = False
    assert (label.visible, extra.visible) == (True, False)


def test_what_was_shown_in_a_closed_section_is_seen_when_it_opens(desktop, qt, ctk):
    button = ctk.ctkCollapsibleButton()
    label = qt.QLabel("x")
    qt.QVBoxLayout(button).addWidget(label)
    label.setVisible(False)
    button.show()
    button.collapsed = True
    label.setVisible(True)
    assert label.visible is False
    button.collapsed = False
    assert label.visible is True


def test_what_was_hidden_in_a_closed_section_stays_hidden_when_it_opens(desktop, qt, ctk):
    button = ctk.ctkCollapsibleButton()
    label = qt.QLabel("x")
    qt.QVBoxLayout(button).addWidget(label)
    button.show()
    button.collapsed = True
    label.setVisible(False)
    button.collapsed = False
    assert label.visible is False


def test_a_slider_widget_rounds_and_tells(ctk):
    slider, heard = ctk.ctkSliderWidget(), []
    slider.minimum, slider.maximum, slider.singleStep = 0, 1, 0.05
    slider.connect("valueChanged(double)", heard.append)
    slider.value = 0.4
    assert slider.value == pytest.approx(0.4) and heard == [pytest.approx(0.4)]


def test_a_path_edit_has_slicers_defaults(ctk):
    edit, heard = ctk.ctkPathLineEdit(), []
    assert (edit.currentPath, edit.filters) == ("", 24663)
    edit.connect("currentPathChanged(QString)", heard.append)
    edit.currentPath = "/tmp"
    edit.nameFilters = ["*.nii.gz"]
    assert (edit.currentPath, edit.nameFilters, heard) == ("/tmp", ("*.nii.gz",), ["/tmp"])


def _node_combo(slicer, **properties):
    combo = slicer.qMRMLNodeComboBox()
    combo.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    for name, value in properties.items():
        setattr(combo, name, value)
    combo.setMRMLScene(slicer.mrmlScene)
    return combo


def test_a_node_selector_offers_the_scenes_nodes(desktop):
    import slicer

    combo, heard = _node_combo(slicer, noneEnabled=True), []
    combo.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: heard.append(node and node.GetName()))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "vol")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "table")
    assert combo.currentNode() is None and combo.nodeCount() == 2  # a label map is a scalar volume, too
    combo.setCurrentNode(node)
    assert (combo.currentNode(), combo.currentNodeID) == (node, "vtkMRMLScalarVolumeNode1")
    combo.setCurrentNode(None)
    assert (combo.currentNode(), heard) == (None, ["vol", None])
    assert str(combo.currentNode) == "<qt slot currentNode of qMRMLNodeComboBox instance>"


def test_a_node_selector_without_none_takes_the_first_node_when_it_has_no_other_row(desktop):
    import slicer

    combo = _node_combo(slicer, noneEnabled=False, addEnabled=False, removeEnabled=False)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "vol")
    assert combo.currentNode() is node


def test_a_removed_node_leaves_the_selector(desktop):
    import slicer

    combo = _node_combo(slicer, noneEnabled=True)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "vol")
    combo.setCurrentNode(node)
    slicer.mrmlScene.RemoveNode(node)
    assert combo.currentNode() is None and combo.nodeCount() == 0


def test_a_node_selector_can_ask_for_an_attribute(desktop):
    import slicer

    combo = _node_combo(slicer, noneEnabled=True)
    combo.addAttribute("vtkMRMLScalarVolumeNode", "role", "cbf")
    plain = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "plain")
    assert combo.nodeCount() == 0
    plain.SetAttribute("role", "cbf")
    assert combo.nodeCount() == 1


def test_a_node_selector_without_a_scene_is_disabled(desktop):
    import slicer

    assert slicer.qMRMLNodeComboBox().enabled is False


# --- the application ------------------------------------------------------------------------------------------------


def test_the_application_has_three_slice_views_on_real_logics(desktop):
    import slicer

    manager = slicer.app.layoutManager()
    assert (manager.layout, manager.sliceViewNames()) == (0, ("Red", "Green", "Yellow"))
    assert manager.sliceWidget("Red").sliceLogic().GetClassName() == "vtkMRMLSliceLogic"
    assert (manager.threeDViewCount, manager.tableViewCount, manager.plotViewCount) == (1, 0, 0)
    assert manager.sliceWidget("Red").mrmlSliceCompositeNode().GetLinkedControl() == 0


def test_a_custom_layout_adds_its_view(desktop):
    import slicer

    layout = (
        '<layout type="horizontal"><item><view class="vtkMRMLSliceNode" singletontag="RedRaw">'
        '<property name="orientation" action="default">Axial</property></view></item>'
        '<item><view class="vtkMRMLSliceNode" singletontag="Red"></view></item></layout>'
    )
    manager = slicer.app.layoutManager()
    assert manager.layoutLogic().GetLayoutNode().AddLayoutDescription(799, layout)
    manager.setLayout(799)
    assert manager.sliceViewNames() == ("RedRaw", "Red", "Green", "Yellow")
    assert manager.sliceWidget("RedRaw").mrmlSliceNode().GetLayoutName() == "RedRaw"


def test_slice_layers_are_set_through_slicers_own_function(desktop):
    import numpy as np
    import slicer

    node = slicer.util.addVolumeFromArray(np.zeros((4, 5, 6), np.float32), name="t1")
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    composite = slicer.app.layoutManager().sliceWidget("Green").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == node.GetID()


def test_module_logics_are_slicers_own(desktop):
    import slicer

    assert slicer.modules.volumes.logic().GetClassName() == "vtkSlicerVolumesLogic"
    assert slicer.modules.sequences.logic().GetClassName() == "vtkSlicerSequencesLogic"
    assert slicer.app.applicationLogic().GetModuleLogic("Colors") is slicer.modules.colors.logic()
    with pytest.raises(AttributeError, match="no attribute 'nosuchmodule'"):
        slicer.modules.nosuchmodule  # noqa: B018


def test_the_application_refuses_names_that_slicer_does_not_list(desktop):
    import slicer

    assert slicer.app.testingEnabled() is False
    assert slicer.app.commandOptions().noMainWindow is False
    with pytest.raises(AttributeError, match="does not list"):
        slicer.app.noSuchThing()


def test_dialogs_are_answered_and_kept_not_shown(desktop, qt):
    import slicer
    from slicer_harness import dialogs

    slicer.util.errorDisplay("it broke", detailedText="why")
    assert (dialogs.shown[-1].text, dialogs.shown[-1].details) == ("it broke", "why")
    dialogs.answers(qt.QMessageBox.Yes, qt.QMessageBox.No)
    assert slicer.util.confirmYesNoDisplay("sure?") is True
    assert slicer.util.confirmYesNoDisplay("sure?") is False
    assert slicer.util.confirmOkCancelDisplay("unanswered") is False
    dialogs.paths.append("/data/asl.nii.gz")
    assert qt.QFileDialog.getOpenFileName(None, "Open", "") == "/data/asl.nii.gz"
    assert qt.QFileDialog.getExistingDirectory(None, "Open") == ""


def test_an_error_within_try_with_error_display_is_shown_and_raised(desktop):
    import slicer
    from slicer_harness import dialogs

    with pytest.raises(RuntimeError), slicer.util.tryWithErrorDisplay("Did not work.", waitCursor=True):
        raise RuntimeError("because")
    assert dialogs.shown[-1].text == "Did not work.\n\nbecause"
    assert desktop.qt.QApplication.overrideCursor() is None


def test_a_console_process_calls_back_on_the_main_thread(desktop):
    import sys
    import threading

    import slicer
    from slicer_harness.panel import process_events

    heard = []
    main = threading.main_thread()
    process = slicer.util.launchConsoleProcess(
        [sys.executable, "-c", "print('x')"],
        blocking=False,
        logCallback=lambda line: heard.append((threading.current_thread() is main, line)),
        completedCallback=lambda code: heard.append(("done", threading.current_thread() is main, code)),
    )
    assert type(process).__name__ == "Popen"
    assert process_events(lambda: len(heard) == 2, timeout=20)
    assert heard == [(True, "x"), ("done", True, 0)]


def test_packages_are_checked_for_real_and_installed_by_nobody(desktop, tmp_path):
    import slicer
    from slicer_harness.packaging import installer

    (tmp_path / "requirements.txt").write_text("numpy>=1.20  # arrays\n\n# a comment\nnosuchpackage>=1\n")
    requirements = slicer.packaging.load_requirements(tmp_path / "requirements.txt")
    assert [str(requirement) for requirement in requirements] == ["numpy>=1.20", "nosuchpackage>=1"]
    assert slicer.packaging.pip_check("numpy") is True
    installer.asked.clear()
    slicer.packaging.pip_ensure(requirements, requester="ASLDenoise")
    assert installer.asked == [["nosuchpackage>=1"]]
    installer.answer = False
    try:
        with pytest.raises(RuntimeError, match="declined"):
            slicer.packaging.pip_ensure("nosuchpackage")
    finally:
        installer.answer = True


def test_everything_is_put_back():
    """After the desktop is gone, so are `qt` and the application's half of `slicer`."""
    from slicer_harness import installed, why_absent

    if why_absent():
        pytest.skip(why_absent())
    import sys

    import slicer

    before = getattr(slicer, "mrmlScene", None)
    with installed():
        import qt  # noqa: F401

        assert slicer.app is not None
    assert "qt" not in sys.modules and not hasattr(slicer, "app") and not hasattr(slicer, "qMRMLWidget")
    assert getattr(slicer, "mrmlScene", None) is before
