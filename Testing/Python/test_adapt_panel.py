"""The section 'Adapt to my scanner': scans and a name in, a model of the user's own or the figures of a refusal out."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from panel_builders import FakeDriver
from site_builders import own_model

from ASLDenoiseLib.adapting.adaptation import Adaptation, Tuned
from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL
from ASLDenoiseLib.sites.adapt import SiteAdaptation
from ASLDenoiseLib.verdict import Figure, Verdict

CONTEXT = "volume_type\n" + "m0scan\n" + "control\nlabel\n" * 12


@pytest.fixture(autouse=True)
def models(own_folder):
    """A folder for models of the user's own."""
    return own_folder


@pytest.fixture
def study(tmp_path):
    """Four people's series, three with a T1: names and sidecars, and no image that could be read."""
    for subject in ("sub-01", "sub-02", "sub-03", "sub-04"):
        scan(tmp_path, subject, t1=subject != "sub-04")
    return tmp_path


def scan(folder, subject, *, t1=True, context=CONTEXT, **sidecar):
    perf, anat = folder / subject / "perf", folder / subject / "anat"
    perf.mkdir(parents=True)
    (perf / f"{subject}_asl.nii.gz").write_bytes(b"no image")
    (perf / f"{subject}_asl.json").write_text(json.dumps({"PostLabelingDelay": 1.8, **sidecar}))
    if context:
        (perf / f"{subject}_aslcontext.tsv").write_text(context)
    if t1:
        anat.mkdir()
        (anat / f"{subject}_T1w.nii.gz").write_bytes(b"no image")
    return perf / f"{subject}_asl.nii.gz"


def request(folder, name, **plain):
    path = folder / f"{name}_request.json"
    path.write_text(json.dumps({"format": "ASLDenoise request 1", **plain}))
    return path


@pytest.fixture
def shown(panel):
    """The panel with the section open; what would be run is kept, and nothing is."""
    section = panel.widget.adapt
    section._driver, section._task = FakeDriver(), lambda *what: SimpleNamespace(what=what)
    panel.ui.adaptCollapsibleButton.collapsed = False
    return panel


@pytest.fixture
def ready(shown, study):
    """Four scans and a name."""
    shown.widget.adapt.add([study])
    shown.ui.adaptNameLineEdit.text = "mysite"
    return shown


@pytest.fixture(autouse=True)
def packages(monkeypatch, panel):
    """All packages are there."""
    from ASLDenoisePanel import adapt

    monkeypatch.setattr(adapt, "ensurePackages", lambda: None)
    monkeypatch.setattr(adapt, "ensureTorch", lambda: None)


def settle():
    from slicer_harness.panel import process_events

    for _ in range(8):
        process_events()


def figure(name="held_out", *, met=True, **told):
    told = {"before": 0.0, "after": 0.8, "error": 0.1, "unit": "dB", **told}
    return Figure(name, f"What {name} gains", asked="more than its error", met=met, **told)


def adapted(*figures, way="gains", folder=None, warnings=()):
    adaptation = Adaptation(Tuned({}, way, 240, 312.0, 380), Verdict(figures))
    return SiteAdaptation("mysite", DEFAULT_MODEL, adaptation, folder, (), warnings, 400.0)


def rows(table):
    return [
        [table.item(row, column).text().replace("\u200b", "") for column in range(table.columnCount)]
        for row in range(table.rowCount)
    ]


def scans_of(panel):
    return [row[0] for row in rows(panel.ui.adaptTable)]


def refused(panel):
    """Why Adapt is off, in words; they stand below the scans and in its tool tip."""
    reason = panel.ui.adaptReasonLabel.text
    assert panel.ui.adaptButton.enabled == (not reason)
    assert reason == "" or reason.split(":")[0] in panel.ui.adaptButton.toolTip
    return reason


def test_the_scans_of_a_folder_are_listed_with_pairs_and_t1_without_an_image_being_read(shown, study):
    from slicer_harness import dialogs

    dialogs.paths.append(str(study))
    shown.widget.adapt.actions["folder"].trigger()
    assert rows(shown.ui.adaptTable) == [
        ["sub-01", "12", "yes", ""],
        ["sub-02", "12", "yes", ""],
        ["sub-03", "12", "yes", ""],
        ["sub-04", "12", "none", ""],
    ]
    assert "4 scans" in shown.ui.adaptScansLabel.text and "sub-04, teaches nothing" in shown.ui.adaptScansLabel.text
    assert len(shown.widget._parameterNode.adaptScans) == 4


def test_a_closed_section_looks_at_nothing_and_an_open_one_at_what_the_scene_holds(panel, study):
    panel.widget._parameterNode.adaptScans = [str(study / "sub-01" / "perf" / "sub-01_asl.nii.gz")]
    assert panel.ui.adaptTable.rowCount == 0 and panel.ui.adaptFromComboBox.count == 0
    panel.ui.toAdaptButton.click()
    assert not panel.ui.adaptCollapsibleButton.collapsed
    assert scans_of(panel) == ["sub-01"] and panel.ui.adaptFromComboBox.itemData(0) == DEFAULT_MODEL


def test_files_that_are_dropped_on_the_section_are_added_and_not_loaded(shown, study):
    from slicer_harness.panel import drop

    files = sorted(study.rglob("*_asl.nii.gz"))[:2]
    assert drop(shown.ui.adaptCollapsibleButton, *files)
    assert not drop(shown.widget.uiWidget, *files), "of which one series is loaded at a time"
    assert not shown.ui.adaptNameLineEdit.acceptDrops, "which would take the path for the name"
    settle()
    assert scans_of(shown) == ["sub-01", "sub-02"] and not shown.widget.transfer.busy


def test_what_is_on_the_list_stands_there_once_and_a_folder_of_nothing_says_so(ready, study, tmp_path_factory):
    ready.widget.adapt.add([study / "sub-01"])
    assert scans_of(ready) == ["sub-01", "sub-02", "sub-03", "sub-04"]
    assert "on the list already" in ready.ui.adaptStatusLabel.text
    ready.widget.adapt.add([tmp_path_factory.mktemp("empty")])
    assert "holds no ASL series" in ready.ui.adaptStatusLabel.text and len(scans_of(ready)) == 4


def test_scans_of_one_file_name_are_told_apart_as_in_the_command(shown, study, tmp_path_factory):
    shown.widget.adapt.add([study / "sub-01", scan(tmp_path_factory.mktemp("other"), "sub-01")])
    assert scans_of(shown) == ["sub-01", "sub-01 (2)"]


def test_selected_scans_are_taken_off_the_list(ready):
    ready.ui.adaptTable.selectRow(1)
    assert ready.ui.removeScansButton.enabled
    ready.ui.removeScansButton.click()
    assert scans_of(ready) == ["sub-01", "sub-03", "sub-04"] and not ready.ui.removeScansButton.enabled


@pytest.mark.parametrize(
    ("made", "against"),
    [
        ({"context": "volume_type\n" + "control\nlabel\n" * 7}, "It has 7 pairs, and 8 are needed"),
        ({"context": "volume_type\ncbf\n"}, "It is a CBF map, not pairs"),
        ({"PostLabelingDelay": [0, *[1.0, 1.0, 1.8, 1.8] * 6]}, "It has several delays"),
        ({"context": "volume_type\n" + "deltam\n" * 9}, ""),
        ({"PostLabelingDelay": [0, *[1.8] * 24]}, ""),
    ],
    ids=["few", "map", "delays", "differences", "one delay"],
)
def test_what_stands_against_a_scan_is_said_in_its_row_and_below_the_table(ready, study, made, against):
    ready.widget.adapt.add([scan(study, "sub-05", **made)])
    row = rows(ready.ui.adaptTable)[-1]
    assert row[0] == "sub-05" and row[3].startswith(against) and bool(row[3]) == bool(against)
    if against:
        assert "<b>sub-05</b>: <span" in ready.ui.adaptScansLabel.text and against in ready.ui.adaptScansLabel.text
        assert "Remove what cannot be learned from (sub-05)" in refused(ready)
    else:
        assert refused(ready) == ""


def test_a_file_that_is_gone_or_is_no_scan_is_said_to_be(ready, study):
    (study / "notes.txt").write_text("none")
    ready.widget.adapt.add([study / "gone_asl.nii.gz", study / "notes.txt"])
    said = ready.ui.adaptStatusLabel.text
    assert "There is no file" in said and "notes.txt is no scan" in said and len(scans_of(ready)) == 4
    gone = next(study.rglob("sub-02_asl.nii.gz"))
    gone.unlink()
    ready.ui.adaptCollapsibleButton.collapsed = True
    ready.ui.adaptCollapsibleButton.collapsed = False
    assert f"There is no file {gone}" in rows(ready.ui.adaptTable)[1][3]


def test_a_series_without_a_context_is_taken_and_its_images_tell(ready, study):
    ready.widget.adapt.add([scan(study, "sub-05", context="")])
    ready.ui.adaptTable.selectRow(4)
    assert rows(ready.ui.adaptTable)[-1] == ["sub-05", "?", "yes", ""]
    assert "Its images tell how many pairs" in ready.ui.adaptScansLabel.text and refused(ready) == ""


def test_the_request_of_a_result_brings_its_t1_its_choice_of_pairs_and_its_delay_along(shown, study, tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    series = scan(study, "sub-05", t1=False, PostLabelingDelay=[0, *[1.0, 1.8] * 12])
    t1 = study / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    given = {"path": {"file": str(series)}, "values": {"post_labeling_delay": 1.8}}
    request(results, "sub-05", series=given, head={"t1": {"file": str(t1)}}, preparation={"pairs": "1-9"})
    shown.widget.adapt.add([results])
    assert rows(shown.ui.adaptTable) == [["sub-05", "9", "yes", ""]]


@pytest.mark.parametrize(
    ("plain", "against"),
    [
        ({"preparation": {"pairs": "4"}}, "It has 4 pairs"),
        ({"head": {"t1": {"file": "gone.nii.gz"}}}, "There is no file"),
        ({"series": {"path": {"file": "gone_asl.nii.gz"}}}, "There is no file"),
        ({"series": {}}, "It names no series"),
        ({"format": "other"}, "is not a request of this version"),
    ],
    ids=["pairs", "t1", "series", "none", "format"],
)
def test_what_is_wrong_with_a_request_stands_against_it(shown, study, plain, against):
    series = {"path": {"file": str(study / "sub-01" / "perf" / "sub-01_asl.nii.gz")}}
    shown.widget.adapt.add([request(study, "odd", **{"series": series, **plain})])
    assert against in rows(shown.ui.adaptTable)[0][3]


def test_a_series_and_a_request_of_it_are_one_scan(ready, study):
    series = {"path": {"file": str(study / "sub-01" / "perf" / "sub-01_asl.nii.gz")}}
    ready.widget.adapt.add([request(study, "again", series=series)])
    assert "the series of sub-01 once more" in rows(ready.ui.adaptTable)[-1][3]
    ready.ui.adaptTable.selectRow(0)
    ready.ui.removeScansButton.click()
    assert rows(ready.ui.adaptTable)[-1] == ["again", "12", "none", ""] and refused(ready) == ""


def test_a_request_of_a_series_in_memory_tells_its_pairs_by_its_own_context(shown, study):
    (study / "voxels.nii.gz").write_bytes(b"no image")
    series = {"voxels": {"file": "voxels.nii.gz"}, "context": ["control", "label"] * 10}
    series["acquisition"] = {"post_labeling_delay": {"value": 1.8, "origin": "user"}}
    shown.widget.adapt.add([request(study, "mine", series=series)])
    assert rows(shown.ui.adaptTable) == [["mine", "10", "none", ""]]


def test_the_scan_that_is_selected_above_is_added_as_its_request_where_that_is_in_a_file(shown, study):
    import slicer
    from ASLDenoisePanel.selftest_series import selfTestSeries

    from ASLDenoiseLib.scene.series import PREFIX, series_to_nodes

    nodes = series_to_nodes(selfTestSeries(), scene=slicer.mrmlScene)
    settle()
    assert not shown.ui.addShownButton.enabled and "no file behind it" in shown.ui.addShownButton.toolTip
    series = study / "sub-02" / "perf" / "sub-02_asl.nii.gz"
    nodes.sequence.SetAttribute(f"{PREFIX}source", str(series))
    shown.widget.adapt.refresh()
    shown.ui.addShownButton.click()
    assert scans_of(shown) == ["sub-02"]
    request(study, "sub-03", series={"path": {"file": str(study / "sub-03" / "perf" / "sub-03_asl.nii.gz")}})
    (study / "sub-03_report.html").write_text("a report")
    shown.widget._parameterNode.report = str(study / "sub-03_report.html")
    shown.ui.addShownButton.click()
    assert list(shown.widget._parameterNode.adaptScans) == [str(series), str(study / "sub-03_request.json")]


def test_adapt_says_what_is_missing_until_nothing_is(shown, study, models):
    files = sorted(study.rglob("*_asl.nii.gz"))
    assert "Add scans: 0 of at least 3" in refused(shown)
    shown.widget.adapt.add(files[:2])
    assert "Add scans: 2 of at least 3" in refused(shown)
    shown.widget.adapt.add(files[2:])
    assert refused(shown) == "Give the model a name."
    own_model(models, "Taken")
    (models / "folder").mkdir()
    for name, said in (
        ("a/b", "letters without accents"),
        (".hidden", "letters without accents"),
        (DEFAULT_MODEL.upper(), "that of a model that comes with"),
        ("taken", "something called 'taken' already"),
        ("folder", "delete"),
        ("mysite", ""),
    ):
        shown.ui.adaptNameLineEdit.text = name
        assert said in refused(shown) and bool(refused(shown)) == bool(said), name


def test_only_models_that_can_be_adapted_are_offered_to_begin_with(shown):
    from ASLDenoiseLib.denoising.catalogue import list_models

    combo = shown.ui.adaptFromComboBox
    offered = [combo.itemData(i) for i in range(combo.count)]
    assert offered == [card.name for card in list_models() if card.family.adapts]
    combo.setCurrentIndex(1)
    assert shown.widget._parameterNode.adaptFrom == offered[1]
    combo.setCurrentIndex(0)
    assert shown.widget._parameterNode.adaptFrom == ""


def test_adapt_hands_on_what_was_chosen_and_shows_how_far_it_is(ready, study):
    from ASLDenoiseLib.running.events import ProgressEvent

    ready.ui.adaptMinutesSpinBox.value = 7
    ready.ui.adaptButton.click()
    driver = ready.widget.adapt._driver
    paths, name, begin, minutes, device = driver.task.what
    assert [path.rsplit("/", 1)[1][:6] for path in paths] == ["sub-01", "sub-02", "sub-03", "sub-04"]
    assert (name, begin, minutes, device) == ("mysite", DEFAULT_MODEL, 7.0, "auto")
    driver.progress(ProgressEvent(0.25, "preparing sub-02", 600.0))
    driver.log("a line")
    assert ready.ui.adaptProgressBar.value == 250
    assert ready.ui.adaptStatusLabel.text.startswith("Preparing sub-02, ") and "min" in ready.ui.adaptStatusLabel.text
    assert "a line" in ready.ui.adaptLogTextEdit.toPlainText()
    assert ready.ui.adaptButton.text == "Cancel" and ready.ui.adaptButton.enabled
    for inputs in ("addScansButton", "removeScansButton", "adaptNameLineEdit", "adaptFromComboBox"):
        assert not getattr(ready.ui, inputs).enabled


def test_the_task_is_the_one_of_the_command_with_the_choices_of_the_panel(study):
    from ASLDenoisePanel.adapt import adaptTask

    files = sorted(map(str, study.rglob("*_asl.nii.gz")))
    asked = adaptTask(files, "mysite", "dwan-lfn", 7.0, "cpu").request
    assert list(map(str, asked.scans)) == files
    assert (asked.name, asked.start, asked.max_minutes, asked.device) == ("mysite", "dwan-lfn", 7.0, "cpu")


@pytest.mark.child
def test_a_child_does_the_work_and_what_is_wrong_with_an_image_is_said_here(panel, study):
    from slicer_harness.panel import process_events

    panel.widget.adapt.add([study])
    panel.ui.adaptNameLineEdit.text = "mysite"
    panel.ui.adaptButton.click()
    assert panel.ui.adaptButton.text == "Cancel"
    assert process_events(lambda: not panel.widget.adapt.running, timeout=120)
    said = panel.ui.adaptStatusLabel.text
    assert "sub-01" in said and said.endswith(".") and panel.ui.adaptButton.enabled


def test_nothing_else_is_run_while_a_model_is_adapted_and_nothing_adapted_while_a_run_is_under_way(ready, monkeypatch):
    from ASLDenoisePanel.states import State

    ready.ui.adaptButton.click()
    assert not ready.ui.applyButton.enabled and "A model is being adapted" in ready.ui.reasonLabel.text
    ready.widget.adapt._driver.cancel()
    assert "A model is being adapted" not in ready.ui.reasonLabel.text
    monkeypatch.setattr(ready.widget.run, "state", State.RUNNING)
    ready.widget._onState()
    assert "A run is under way" in refused(ready)
    monkeypatch.setattr(ready.widget.run, "state", State.READY)
    ready.widget._onState()
    assert refused(ready) == ""


def test_a_second_click_cancels_and_no_model_is_there(ready):
    ready.ui.adaptButton.click()
    ready.ui.adaptButton.click()
    assert ready.ui.adaptStatusLabel.text == "Cancelled; no model was made."
    assert ready.ui.adaptButton.text == "Adapt" and ready.ui.adaptButton.enabled
    assert not ready.ui.verdictLabel.isVisibleTo(ready.frame)


def test_a_model_that_earned_its_place_is_listed_at_once_and_used_when_the_user_says_so(ready, models):
    import qt
    from ASLDenoisePanel.parameters import Way

    ready.ui.adaptButton.click()
    made = own_model(models, "mysite", start="dwan-lfn")
    figures = figure(), figure("means", unit="%", before=math.nan, after=0.4, error=math.nan)
    ready.widget.adapt._driver.finish(adapted(*figures, folder=made))
    said = ready.ui.verdictLabel.text
    assert "mysite earned its place (2 figures of 2) and is among the models now" in said and "5.2 min" in said
    assert rows(ready.ui.verdictTable) == [
        ["What held_out gains", "0 dB", "0.800 dB", "0.100 dB", "more than its error", "yes"],
        ["What means gains", "n/a", "0.400 %", "", "more than its error", "yes"],
    ]
    combo, p = ready.ui.modelComboBox, ready.widget._parameterNode
    place = combo.findData("mysite")
    assert "Adapted from dwan-lfn." in combo.itemData(place, qt.Qt.ToolTipRole)
    assert p.model == "" and combo.itemData(combo.currentIndex) == DEFAULT_MODEL, "it is not chosen silently"
    p.way = Way.QUANTIFY
    ready.ui.useModelButton.click()
    assert (p.model, p.way) == ("mysite", Way.DENOISE) and combo.itemData(combo.currentIndex) == "mysite"
    assert "called 'mysite' already" in refused(ready)


def test_a_refusal_names_the_figures_that_were_not_met_and_leaves_no_model(ready):
    ready.ui.adaptButton.click()
    short = figure("bias", met=False, after=3.1, unit="%", error=math.nan)
    done = adapted(figure(), short, way="all weights", warnings=("All scans are of one person.",))
    ready.widget.adapt._driver.finish(done)
    said = ready.ui.verdictLabel.text
    assert "All scans are of one person." in ready.ui.verdictWarningsLabel.text
    assert "mysite was refused and is not kept. It fell short in: What bias gains." in said and "all weights" in said
    assert [row[5] for row in rows(ready.ui.verdictTable)] == ["yes", "no"]
    assert ready.ui.modelComboBox.findData("mysite") < 0
    assert not ready.ui.useModelButton.isVisibleTo(ready.frame)


def test_the_verdict_is_copied_with_all_its_numbers_and_stays_until_the_next(ready):
    import slicer
    from slicer_harness.panel import close_scene

    ready.ui.adaptButton.click()
    many = tuple(f"Warning {number}." for number in range(9))
    ready.widget.adapt._driver.finish(adapted(figure(met=False), warnings=many))
    shown = ready.ui.verdictWarningsLabel.text
    assert "Warning 4." in shown and "Warning 5." not in shown and "And 4 more" in shown
    ready.ui.copyVerdictButton.click()
    lines = slicer.app.clipboard().text().splitlines()
    assert lines[0].startswith("mysite was refused") and "<" not in lines[0]
    assert lines[-9:] == list(many)
    assert lines[-10].split("\t") == [
        "held_out",
        "What held_out gains",
        "0",
        "0.8",
        "0.1",
        "dB",
        "more than its error",
        "no",
    ]
    close_scene()
    ready.ui.adaptCollapsibleButton.collapsed = True
    ready.ui.adaptCollapsibleButton.collapsed = False
    assert ready.ui.verdictTable.rowCount == 1 and ready.ui.verdictTable.isVisibleTo(ready.frame)


def test_a_failure_says_its_sentence_and_keeps_the_scans(ready):
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.running.events import Failed, Kind

    ready.ui.adaptButton.click()
    error = InputError("The scans sub-01 and sub-02 are one; leave one of them out.")
    ready.widget.adapt._driver.fail(Failed(str(error), "", Kind.INPUT, error))
    assert ready.ui.adaptStatusLabel.text == str(error) and len(scans_of(ready)) == 4
    assert ready.ui.adaptButton.enabled


def test_a_scene_that_closes_does_not_end_it_and_its_model_is_listed(ready, models):
    from slicer_harness.panel import close_scene

    ready.ui.adaptButton.click()
    close_scene()
    assert ready.widget.adapt.running
    made = own_model(models, "mysite")
    ready.widget.adapt._driver.finish(adapted(figure(), folder=made))
    assert "mysite earned its place" in ready.ui.verdictLabel.text
    assert ready.ui.modelComboBox.findData("mysite") >= 0


def test_scans_name_and_choices_are_kept_with_the_scene(ready, tmp_path):
    from slicer_harness.panel import close_scene, reopen_scene, save_scene

    ready.ui.adaptFromComboBox.setCurrentIndex(2)
    ready.ui.adaptMinutesSpinBox.value = 33
    begin = ready.ui.adaptFromComboBox.currentText
    path = save_scene(tmp_path / "a.mrb")
    close_scene()
    assert scans_of(ready) == [] and ready.ui.adaptNameLineEdit.text == ""
    reopen_scene(path)
    settle()
    assert scans_of(ready) == ["sub-01", "sub-02", "sub-03", "sub-04"]
    assert ready.ui.adaptNameLineEdit.text == "mysite" and ready.ui.adaptMinutesSpinBox.value == 33
    assert ready.ui.adaptFromComboBox.currentText == begin


def test_the_card_of_an_own_model_opens_in_the_browser(shown, models):
    from slicer_harness import dialogs

    folder = own_model(models, "mysite")
    (folder / "docs" / "README.md").write_text("# My site\n\nIt saw four scans.\n")
    shown.widget.adapt.own.refresh()
    shown.ui.modelCardButton.click()
    (url,) = dialogs.opened_urls
    page = Path(url.removeprefix("file://")).read_text("utf-8")
    assert "It saw four scans." in page and "<h1" in page
    (folder / "docs" / "README.md").unlink()
    shown.ui.modelCardButton.click()
    assert "cannot be read" in dialogs.shown[-1].text


def test_an_own_model_is_removed_when_the_user_agrees_and_is_chosen_no_more(shown, models):
    import qt
    from slicer_harness import dialogs

    folder = own_model(models, "mysite")
    shown.widget.adapt._relist()
    shown.ui.useModelButton.click()
    p = shown.widget._parameterNode
    assert p.model == "mysite"
    dialogs.answers(qt.QMessageBox.No)
    shown.ui.removeModelButton.click()
    assert folder.is_dir() and p.model == "mysite" and str(folder) in dialogs.shown[-1].text
    dialogs.answers(qt.QMessageBox.Yes)
    shown.ui.removeModelButton.click()
    assert not folder.exists() and p.model == "" and shown.ui.modelComboBox.findData("mysite") < 0
    assert not shown.ui.removeModelButton.isVisibleTo(shown.frame)


def test_a_model_that_came_along_is_never_removed():
    from ASLDenoiseLib.denoising.catalogue import find_model
    from ASLDenoiseLib.denoising.own_models import remove_model
    from ASLDenoiseLib.errors import InputError

    card = find_model("dwan-lfn")
    with pytest.raises(InputError, match="only models of your own"):
        remove_model(card)
    assert card.folder.is_dir()


@pytest.mark.parametrize("width", [317, 400, 600])
def test_the_tables_can_be_read_at_every_width(ready, width):
    from slicer_harness.proxy import cpp_of

    ready.ui.adaptButton.click()
    ready.widget.adapt._driver.finish(adapted(figure(), figure("bias", met=False)))
    frame = cpp_of(ready.frame)
    frame.layout().setContentsMargins(0, 0, 0, 0)
    frame.resize(width, 900)
    frame.show()
    settle()
    try:
        assert frame.width() == width
        for name, last in (("adaptTable", 3), ("verdictTable", 4)):
            table = cpp_of(getattr(ready.ui, name))
            assert table.horizontalScrollBar().maximum() == 0, "nothing is pushed out of sight"
            assert table.columnWidth(0) >= 80 and table.isColumnHidden(last) == (width < 500)
    finally:
        frame.hide()
