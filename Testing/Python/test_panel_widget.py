"""The panel opened, filled and clicked, on stand-ins for Qt and the real scene; runs are in test_panel_run.py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from panel_builders import write_bids

from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.series import Labeling, Origin, VolumeType

HEAVY = ("torch", "monai", "ants", "matplotlib", "scipy", "skimage", "SimpleITK", "nibabel", "nilearn")


def until(condition, seconds=20.0):
    from slicer_harness.panel import process_events

    assert process_events(condition, timeout=seconds), f"waited {seconds} s in vain"


def put(series):
    """A series in the scene, and the panel's answer to it."""
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.scene.series import series_to_nodes

    nodes = series_to_nodes(series)
    process_events()
    process_events()
    return nodes


def volume(name, shape=(20, 24, 22), spacing=(1.0, 1.0, 1.0)):
    import slicer

    node = slicer.util.addVolumeFromArray(np.ones(shape, np.float32), name=name)
    node.SetSpacing(*spacing)
    return node


def inspected(panel):
    until(lambda: not panel.widget.preview.running, 60)


def rows(panel):
    table = panel.ui.acquisitionTable
    return {
        table.item(row, 0).text().partition(" (")[0]: tuple(table.item(row, column).text() for column in (1, 2))
        for row in range(table.rowCount)
    }


def edit(panel, label, text):
    table = panel.ui.acquisitionTable
    row = next(row for row in range(table.rowCount) if table.item(row, 0).text().partition(" (")[0] == label)
    table.item(row, 1).setText(text)


def contents():
    import slicer

    return [slicer.mrmlScene.GetNthNode(i).GetID() for i in range(slicer.mrmlScene.GetNumberOfNodes())]


# --- opening --------------------------------------------------------------------------------------------------------


@pytest.mark.child
def test_opening_takes_half_a_second_of_work_at_most_and_loads_nothing_heavy(repo_root, tmp_path, desktop):
    """Half a second on two quiet cores, where the pace is a fiftieth; Testing/Benchmarks measures it in seconds."""
    code = f"""
import sys, time
sys.path[:0] = [{str(repo_root)!r}, *({str(repo_root / "Testing")!r} + end for end in ("/Harness", "/Python"))]
from pace import pace
from slicer_harness import installed
with installed():
    from slicer_harness.panel import open_panel
    before, began = set(sys.modules), time.process_time()
    panel = open_panel({str(repo_root / "ASLDenoise" / "ASLDenoise.py")!r})
    taken = time.process_time() - began
    loaded = [name for name in {HEAVY!r} if name in set(sys.modules) - before]
    panel.close()
print(taken / pace(time.process_time), *loaded)
"""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # Slicer keeps compiled files, as nearly everyone does
    for _ in range(2):  # the first time compiles them
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    paces, *loaded = done.stdout.splitlines()[-1].split()
    assert loaded == []
    assert float(paces) < 25


def test_an_empty_panel_says_what_to_do_and_offers_no_apply(panel):
    ui = panel.ui
    assert panel.widget.state.value == "empty"
    assert not ui.applyButton.enabled
    assert ui.reasonLabel.text == "Select an ASL series, or load one from disk."
    assert "Select an ASL series" in ui.applyButton.toolTip
    assert not ui.readoutsTable.isVisibleTo(panel.frame)
    assert "research use only" in ui.researchLabel.text


def test_everything_that_can_be_clicked_or_typed_into_has_a_tool_tip(panel, repo_root):
    import xml.etree.ElementTree as ElementTree

    tree = ElementTree.parse(repo_root / "Resources" / "UI" / "ASLDenoise.ui")
    own = [w.get("name") for w in tree.iter("widget") if w.get("class") not in ("qMRMLWidget", "QWidget")]
    assert len(own) > 60
    assert [name for name in own if not getattr(panel.ui, name).toolTip] == []


# --- inputs fill themselves -----------------------------------------------------------------------------------------


def test_what_is_loaded_fills_the_inputs_and_apply_is_ready(panel, made):
    t1 = volume("sub-01_T1w")
    volume("something else")
    nodes = put(made)
    ui = panel.ui
    assert ui.aslSelector.currentNode() is nodes.sequence
    assert ui.t1Selector.currentNode() is t1
    assert ui.m0Selector.currentNode() is nodes.m0
    assert ui.segmentationSelector.currentNode() is None
    assert ui.seriesLabel.text == "36 × 40 × 16 voxels of 4 × 4 × 6 mm; 6 control, 6 label"
    assert ui.applyButton.enabled and panel.widget.state.value == "ready"
    assert "Roughly" in ui.reasonLabel.text and "CPU" in ui.reasonLabel.text


def test_the_newest_series_is_taken_until_the_user_chooses(panel, made):
    first = put(made)
    second = put(replace(made, name="second"))
    ui = panel.ui
    assert ui.aslSelector.currentNode() is second.sequence
    ui.aslSelector.setCurrentNode(first.sequence)
    ui.aslSelector.nodeActivated(first.sequence)
    put(replace(made, name="third"))
    assert ui.aslSelector.currentNode() is first.sequence


def listed(selector):
    return [selector.nodeFromIndex(place).GetName() for place in range(selector.nodeCount())]


def test_the_selectors_offer_no_map_of_the_module_itself_and_nothing_twice(panel, made):
    """Among thirty maps of three runs the T1 was hard to find, and a map could be taken for one."""
    from scene_builders import made_result

    from ASLDenoiseLib.scene.present import present

    head, nodes = volume("head_T1w"), put(made)
    panel.widget.results.present(present(made_result(), source=nodes.sequence))
    until(lambda: "sub-77_desc-mean_cbf" not in listed(panel.ui.t1Selector))
    assert listed(panel.ui.t1Selector) == ["head_T1w", nodes.m0.GetName()]
    assert listed(panel.ui.m0Selector) == ["head_T1w", nodes.m0.GetName()]
    assert listed(panel.ui.aslSelector) == [nodes.sequence.GetName()], "neither what it shows, its M0 nor the T1"
    assert panel.ui.t1Selector.currentNode() is head


def test_a_cbf_map_that_is_in_the_scene_already_can_be_chosen(panel, made):
    """It had to be saved to a file and loaded again."""
    from ASLDenoiseLib.scene.series import series_from_sequence

    cbf = volume("perfusion", made.m0.array.shape, (4.0, 4.0, 6.0))
    until(lambda: "perfusion" in listed(panel.ui.aslSelector))
    panel.widget.inputs.select(asl=cbf)
    assert "cbf for a CBF map in ml/100g/min" in panel.ui.reasonLabel.text and not panel.ui.applyButton.enabled
    inspected(panel)
    fix = next(b for b in panel.widget.findings.buttons.values() if b.text == "Fix: Order of volumes set to cbf")
    fix.click()
    assert rows(panel)["Order of volumes"][0] == "cbf"
    assert series_from_sequence(cbf).holds_cbf


def test_a_volume_that_states_the_unit_of_cbf_needs_no_word(panel, made):
    from ASLDenoiseLib.scene.volumes import volume_to_node

    cbf = volume_to_node(made.m0.with_array(made.m0.array, unit="ml/100g/min"), name="other_tool")
    panel.widget.inputs.select(asl=cbf)
    assert rows(panel)["Order of volumes"][0] == "cbf"


def test_a_run_from_the_console_shows_its_result_as_one_that_was_started_here(panel, made, monkeypatch):
    """The panel stood there as if nothing had run, and Apply would have run it again."""
    from scene_builders import made_result

    from ASLDenoiseLib.pipeline import run

    nodes = put(made)
    inspected(panel)
    monkeypatch.setattr(run, "run", lambda request, **_: made_result())
    assert panel.widget.state.value == "ready"
    import ASLDenoise

    shown = ASLDenoise.ASLDenoiseLogic().process(nodes.proxy)
    assert panel.widget.state.value == "done"
    assert "console" in panel.ui.statusLabel.text
    assert panel.widget.results.nodes.folder == shown.folder
    assert panel.ui.readoutsTable.isVisibleTo(panel.frame)


def test_a_run_of_another_series_from_the_console_leaves_the_panel_where_it_is(panel, made, monkeypatch):
    from scene_builders import made_result

    from ASLDenoiseLib.pipeline import run

    other = put(replace(made, name="other"))
    mine = put(made)
    panel.widget.inputs.select(asl=mine.sequence)
    inspected(panel)
    monkeypatch.setattr(run, "run", lambda request, **_: made_result())
    import ASLDenoise

    ASLDenoise.ASLDenoiseLogic().process(other.sequence)
    assert panel.widget.state.value == "ready"


def test_no_t1_by_the_users_choice_stays_no_t1(panel, made):
    put(made)
    ui = panel.ui
    ui.t1Selector.nodeActivated(None)
    volume("T1 MPRAGE")
    put(replace(made, name="second"))
    assert ui.t1Selector.currentNode() is None


@pytest.mark.parametrize("name", ["T1 map", "sub-01_asl T1", "brain", "T1"])
def test_what_is_no_t1_by_name_or_voxels_is_not_taken_for_one(panel, made, name):
    volume(name, spacing=(4.0, 4.0, 4.0) if name == "T1" else (1.0, 1.0, 1.0))
    put(made)
    assert panel.ui.t1Selector.currentNode() is None


# --- acquisition ----------------------------------------------------------------------------------------------------


def test_the_acquisition_shows_values_units_and_origins_and_a_correction_counts_as_the_users(panel, made):
    from ASLDenoiseLib.scene.series import read_acquisition

    nodes = put(made)
    assert rows(panel)["Label duration"] == ("1.8", "file")
    edit(panel, "Label duration", "1.4")
    assert rows(panel)["Label duration"] == ("1.4", "you")
    table = panel.ui.acquisitionTable
    assert "Label duration (s)" in [table.item(row, 0).text() for row in range(table.rowCount)]
    acquisition = read_acquisition(nodes.sequence)
    assert (acquisition.label_duration, acquisition.origins["label_duration"]) == (1.4, Origin.USER)


def test_a_value_that_makes_no_sense_is_refused_in_words_and_nothing_changes(panel, made):
    from slicer_harness import dialogs

    from ASLDenoiseLib.scene.series import read_acquisition

    nodes = put(made)
    edit(panel, "Label duration", "long")
    assert "'long' is not a number" in dialogs.shown[-1].text
    assert rows(panel)["Label duration"] == ("1.8", "file")
    assert read_acquisition(nodes.sequence).label_duration == 1.8


def test_a_series_of_unknown_order_cannot_run_until_the_order_is_given(panel, made):
    nodes = put(replace(made, context=(VolumeType.NOT_AVAILABLE,) * 12))
    assert "which volumes are control" in panel.ui.reasonLabel.text
    edit(panel, "Order of volumes", "control, label")
    assert panel.ui.applyButton.enabled
    from ASLDenoiseLib.scene.series import series_from_sequence

    assert series_from_sequence(nodes.sequence).context == made.context


def test_a_series_that_no_cbf_can_come_from_is_refused_with_its_fix(panel, made):
    put(replace(made, acquisition=replace(made.acquisition, post_labeling_delay=None)))
    until(lambda: not panel.ui.applyButton.enabled)
    assert "post-labelling delay" in panel.ui.reasonLabel.text.lower()


# --- findings and fixes ---------------------------------------------------------------------------------------------


@pytest.mark.child
def test_a_finding_has_a_button_that_fixes_it_and_the_fix_goes_with_the_series(panel, made):
    acquisition = made.acquisition.with_values(Origin.SIDECAR, post_labeling_delay=1800.0, label_duration=1800.0)
    nodes = put(replace(made, acquisition=acquisition))
    inspected(panel)
    button = panel.widget.findings.buttons["milliseconds"]
    assert button.text == "Fix: Post-labelling delay, Label duration divided by 1000"
    button.click()
    assert rows(panel)["Label duration"] == ("1.8", "you")
    inspected(panel)
    assert "milliseconds" not in panel.widget.findings.buttons
    series, *_ = panel.widget.logic.inputs(nodes.sequence)
    assert [fix.name for fix in series.fixes] == ["fix milliseconds"]


def test_a_fix_of_voxels_makes_a_new_series_and_leaves_the_old_one(panel, made):
    import slicer

    from ASLDenoiseLib.scene.series import series_from_sequence

    images = made.array.copy()
    differences = images[1::2] - images[0::2]  # label minus control: the sign is wrong
    nodes = put(replace(made, array=differences, context=(VolumeType.DELTAM,) * 6))
    inspected(panel)
    panel.widget.findings.buttons["control-label-swapped"].click()
    fixed = panel.ui.aslSelector.currentNode()
    assert fixed is not nodes.sequence
    np.testing.assert_array_equal(series_from_sequence(fixed).array, -differences.astype(np.float32))
    np.testing.assert_array_equal(series_from_sequence(nodes.sequence).array, differences.astype(np.float32))
    assert slicer.mrmlScene.IsNodePresent(nodes.sequence)


@pytest.mark.parametrize("typed", [False, True], ids=["as loaded", "as typed"])
def test_exchanged_control_and_label_are_named_of_a_scanner_that_nothing_names(panel, made, typed):
    exchanged = ("label", "control") * 6
    series = replace(made, context=made.context if typed else exchanged)
    assert series.acquisition.manufacturer is None
    nodes = put(series)
    inspected(panel)
    if typed:
        assert "control-label-swapped" not in panel.widget.findings.buttons
        edit(panel, "Order of volumes", "label, control")
        inspected(panel)
    panel.widget.findings.buttons["control-label-swapped"].click()
    inspected(panel)
    assert "control-label-swapped" not in panel.widget.findings.buttons
    series, *_ = panel.widget.logic.inputs(nodes.sequence)
    assert [kind.value for kind in series.context] == ["control", "label"] * 6


def test_without_the_packages_the_metadata_are_judged_all_the_same(panel, made, monkeypatch):
    from ASLDenoisePanel import preview

    monkeypatch.setattr(preview, "canInspect", lambda: False)
    put(replace(made, acquisition=replace(made.acquisition, labeling=None)))
    until(lambda: panel.widget.preview.unusable)
    assert "labelling" in panel.ui.reasonLabel.text.lower()


def test_findings_are_told_apart_by_how_much_they_matter(panel):
    from ASLDenoiseLib.findings import Finding
    from ASLDenoiseLib.remedies import Advice

    severities = (Severity.UNUSABLE, Severity.WARNING, Severity.WARNING, Severity.NOTE)
    panel.widget.findings.show([Finding("x", s, f"what {s.value}", "why <5", (Advice("fix it"),)) for s in severities])
    assert panel.ui.findingsLabel.text == "1 in the way of a run, 2 to look at, 1 worth knowing"
    cards = [label.text for label in panel.ui.findingsList.findChildren("QLabel")]
    assert len(cards) == 4 and "What unusable." in cards[0] and "Why &lt;5." in cards[0] and "Fix it." in cards[0]


def test_the_titles_of_findings_can_be_read_in_a_light_and_in_a_dark_style(panel):
    """The grey of notes had 3.3 to 1 on dark: they have the text's own colour, warnings what bold letters need."""
    from ASLDenoiseLib.findings import Finding

    panel.widget.findings.show([Finding("x", s, "what", "why", ()) for s in Severity])
    cards = [label.text for label in panel.ui.findingsList.findChildren("QLabel")]
    colours = [found.group(1) if (found := re.search(r"color:(#\w{6})", card)) else None for card in cards]
    assert len(colours) == 3 and colours[2] is None and None not in colours[:2]
    assert min(contrast(colour, ground) for colour in colours[:2] for ground in ("#323232", "#efefef")) >= 3


def contrast(*colours):
    """The ratio of WCAG 2 of two colours: 3 for large or bold text, 4.5 for other."""
    parts = [[int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)] for colour in colours]
    linear = [[c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in part] for part in parts]
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (light + 0.05) / (dark + 0.05)


# --- method and advanced --------------------------------------------------------------------------------------------


def seconds_of_default() -> float:
    from ASLDenoiseLib.denoising.catalogue import list_models

    return list_models()[0].metadata["seconds_64x64x24"]["cpu"]


def test_the_task_decides_what_is_asked(panel, made):
    put(made)
    ui, parameters = panel.ui, panel.widget._parameterNode
    assert ui.wayComboBox.currentText == "Denoise"
    assert ui.modelComboBox.isVisibleTo(panel.frame) and not ui.methodComboBox.isVisibleTo(panel.frame)
    assert "guided-unet: Bias-free 3D U-Net" in ui.modelComboBox.itemData(0, 3), "the technical name, as a tool tip"
    assert "z-score" in ui.outliersComboBox.itemData(0, 3)
    assert ui.modelComboBox.currentText == "Remove noise (recommended)"
    assert f"{seconds_of_default():.2g} s on two processor cores" in ui.modelTextLabel.text
    ui.wayComboBox.setCurrentText("Super-resolve")
    assert parameters.way.value == "superresolve"
    assert ui.methodComboBox.isVisibleTo(panel.frame) and not ui.modelComboBox.isVisibleTo(panel.frame)
    assert "Select a T1" in ui.reasonLabel.text and not ui.applyButton.enabled
    ui.methodComboBox.setCurrentIndex(ui.methodComboBox.findData("spline"))
    ui.gridComboBox.setCurrentText("Size of my choice")
    assert ui.spacingXSpinBox.isVisibleTo(panel.frame)
    assert parameters.method == "spline" and ui.applyButton.enabled
    assert not ui.pairsNeededCheckBox.isEnabled()  # nothing is denoised
    ui.denoiseFirstCheckBox.checked = True
    assert ui.modelComboBox.isVisibleTo(panel.frame) and ui.pairsNeededCheckBox.isEnabled()


def test_the_choices_reach_the_request(panel, made):
    put(made)
    p = panel.widget._parameterNode
    p.pairs, p.smoothing, p.regressCsf, p.group, p.outputName = "1-4", 3.0, True, 2, "renamed"
    assert not panel.widget.logic.requestOf(p).denoising.pairs_needed
    panel.ui.pairsNeededCheckBox.checked = True
    panel.ui.modelComboBox.setCurrentIndex(panel.ui.modelComboBox.findData("unet2d-lfn"))
    panel.ui.deviceComboBox.setCurrentIndex(panel.ui.deviceComboBox.findData("cpu"))
    request = panel.widget.logic.requestOf(p)
    preparation, denoising = request.preparation, request.denoising
    assert (preparation.pairs, preparation.smoothing, preparation.nuisance) == ("1-4", 3.0, ("motion", "csf"))
    assert (denoising.model, request.device, denoising.group) == ("unet2d-lfn", "cpu", 2)
    assert denoising.pairs_needed
    assert request.outputs.name == "renamed" and not request.outputs.mni and request.superresolution is None
    assert request.series.acquisition.labeling is Labeling.PCASL


def test_how_many_pairs_are_enough_is_said_under_the_readouts_of_the_run_that_asked(panel):
    from course_builders import ANSWER, with_course
    from scene_builders import made_result

    from ASLDenoiseLib.scene.present import present

    results, ui = panel.widget.results, panel.ui
    results.present(present(with_course(made_result())))
    assert ui.pairsNeededLabel.isVisibleTo(panel.frame)
    assert ui.pairsNeededLabel.text == f"{ANSWER.headline}."
    assert ui.plotComboBox.findData("pairs_needed") >= 0
    results.present(present(made_result(model="another")))
    assert not ui.pairsNeededLabel.isVisibleTo(panel.frame)
    results.clear()
    assert not ui.pairsNeededLabel.isVisibleTo(panel.frame)


def test_what_the_residual_audit_found_is_said_under_the_readouts(panel):
    from dataclasses import replace

    from scene_builders import made_result

    from ASLDenoiseLib.result.audit import AuditVerdict, TissueMean
    from ASLDenoiseLib.scene.present import present

    results, label = panel.widget.results, panel.ui.auditLabel
    verdict = AuditVerdict((TissueMean("GM", 50.0, 41.0, 49.6, 0.8),), "ml/100g/min", 10)
    results.present(present(replace(made_result(), audit=verdict)))
    assert label.isVisibleTo(panel.frame) and label.text == verdict.sentence
    results.present(present(made_result(model="another")))
    assert not label.isVisibleTo(panel.frame)


def test_every_choice_of_a_finer_map_reaches_the_request(panel, made):
    from ASLDenoisePanel.parameters import Alignment, Grid, Way

    from ASLDenoiseLib.scene.volumes import volume_to_node

    put(made)
    p, t1 = panel.widget._parameterNode, volume_to_node(made.m0, name="T1w")
    p.t1 = p.like = t1
    p.way, p.grid, p.denoiseFirst, p.mni, p.interleaved = Way.SUPERRESOLVE, Grid.LIKE, True, True, True
    p.ownPointSpread, p.pointSpreadX, p.pointSpreadZ, p.alignment = True, 1.5, 3.0, Alignment.KEEP
    request = panel.widget.logic.requestOf(p)
    assert request.superresolution.like.matches(made.m0.geometry) and request.superresolution.spacing is None
    assert request.superresolution.point_spread == (1.5, 0.0, 3.0)
    assert request.denoising.interleaved and request.outputs.mni
    np.testing.assert_array_equal(request.head.t1_to_asl, np.eye(4))
    p.alignment, p.way = Alignment.START, Way.QUANTIFY
    quantified = panel.widget.logic.requestOf(p)
    assert quantified.denoising is None and quantified.superresolution is None
    assert quantified.head.t1_to_asl is None and quantified.head.t1_start is not None
    ui = panel.ui
    assert not ui.likeSelector.isVisibleTo(panel.frame) and not ui.pointSpreadXSpinBox.isVisibleTo(panel.frame)


def test_an_emptied_folder_is_no_folder_any_more(panel, made, tmp_path):
    put(made)
    panel.ui.outputFolderEdit.currentPath = str(tmp_path)
    assert panel.widget._parameterNode.outputFolder == str(tmp_path)
    panel.ui.outputFolderEdit.currentPath = ""
    assert panel.widget._parameterNode.outputFolder == ""


def test_a_number_out_of_range_is_refused_by_the_parameter_node(panel):
    with pytest.raises(ValueError, match="range"):
        panel.widget._parameterNode.opacity = 3.0


def test_devices_are_named_when_advanced_is_opened(panel):
    panel.ui.advancedCollapsibleButton.collapsed = False
    until(lambda: panel.widget.computing.listed, 60)
    texts = [panel.ui.deviceComboBox.itemText(i) for i in range(panel.ui.deviceComboBox.count)]
    assert texts[0].startswith("Fastest: ") and any("CPU" in text for text in texts[1:])


# --- loading --------------------------------------------------------------------------------------------------------


def test_a_file_is_loaded_with_its_sidecars_m0_and_t1(panel, made, tmp_path):
    from slicer_harness import dialogs

    path = write_bids(tmp_path, made)
    dialogs.paths.append(str(path))
    panel.widget.inputs.actions["file"].trigger()
    assert panel.ui.applyButton.enabled is False and "Loading sub-01_asl.nii.gz" in panel.ui.statusLabel.text
    until(lambda: not panel.widget.transfer.busy, 60)
    ui = panel.ui
    assert ui.statusLabel.text == "Loaded sub-01."
    assert ui.aslSelector.currentNode().GetName() == "sub-01_asl"
    assert ui.t1Selector.currentNode().GetName() == "sub-01_T1w"
    assert ui.m0Selector.currentNode().GetName() == "sub-01_m0scan"
    assert rows(panel)["M0 repetition time"] == ("6", "file")
    assert ui.applyButton.enabled


def test_a_cbf_map_is_loaded_as_a_series_of_one_volume_that_can_be_run(panel, made, tmp_path):
    import nibabel
    from slicer_harness import dialogs

    values = 45.0 * made.m0.array / made.m0.array.max()
    image = nibabel.Nifti1Image(values.T, made.geometry.affine_ras)
    nibabel.save(image, tmp_path / "perfusion.nii.gz")  # a name that says nothing
    dialogs.paths.append(str(tmp_path / "perfusion.nii.gz"))
    panel.widget.inputs.actions["map"].trigger()
    until(lambda: not panel.widget.transfer.busy and not panel.widget.preview.running, 60)
    assert panel.ui.statusLabel.text == "Loaded perfusion."
    assert "1 CBF" in panel.ui.seriesLabel.text or "1 cbf" in panel.ui.seriesLabel.text
    assert panel.ui.applyButton.enabled


def test_a_series_without_a_t1_does_not_take_over_that_of_the_series_before(panel, made, tmp_path):
    panel.widget.load(write_bids(tmp_path, made))
    until(lambda: not panel.widget.transfer.busy, 60)
    assert panel.ui.t1Selector.currentNode().GetName() == "sub-01_T1w"
    panel.widget.load(write_bids(tmp_path, made, "sub-02", t1=False))
    until(lambda: not panel.widget.transfer.busy, 60)
    assert panel.ui.aslSelector.currentNode().GetName() == "sub-02_asl"
    assert panel.ui.t1Selector.currentNode() is None
    assert "No T1 lies beside it" in panel.ui.statusLabel.text


def test_a_t1_that_was_there_first_is_taken_for_the_first_series(panel, made, tmp_path):
    t1 = volume("head_T1w")
    panel.widget.load(write_bids(tmp_path, made, t1=False))
    until(lambda: not panel.widget.transfer.busy, 60)
    assert panel.ui.t1Selector.currentNode() is t1 and panel.ui.statusLabel.text == "Loaded sub-01."


def test_decimals_can_be_typed(panel):
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from slicer_harness.quirks import cpp_of

    parameters = panel.widget._parameterNode
    for name, value in (("smoothing", 2.5), ("m0Smoothing", 3.5), ("spacingX", 1.5), ("spacingZ", 2.2)):
        box = getattr(panel.ui, f"{name}SpinBox")
        assert box.keyboardTracking is False  # or Slicer takes the first digit, and writes it back over the rest
        field = cpp_of(box)
        field.selectAll()
        QTest.keyClicks(field, f"{value:g}")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert box.value == pytest.approx(value) and getattr(parameters, name) == pytest.approx(value)


def test_a_dropped_folder_of_several_series_asks_which(panel, made, tmp_path):
    from slicer_harness.panel import drop

    for subject in ("sub-01", "sub-02"):
        write_bids(tmp_path, made, subject, t1=False)
    assert drop(panel.widget.uiWidget, tmp_path)
    until(lambda: panel.ui.foundComboBox.isVisibleTo(panel.frame), 60)
    combo = panel.ui.foundComboBox
    assert combo.itemText(0) == "Choose one of 2..."
    combo.setCurrentIndex(2)
    combo.activated(2)
    until(lambda: panel.ui.aslSelector.currentNode() is not None, 60)
    assert panel.ui.aslSelector.currentNode().GetName() == "sub-02_asl"
    assert not combo.isVisibleTo(panel.frame)


def test_a_folder_of_dicom_gives_the_choice_of_its_series_and_the_t1(panel, tmp_path):
    from dicom_builders import ASL, pairs, write_dicom, write_examination
    from slicer_harness.panel import drop

    folder = write_examination(tmp_path / "study")
    write_dicom(folder / "again", pairs(4), 9, "pcasl_again", *ASL)
    assert drop(panel.widget.uiWidget, folder)
    combo = panel.ui.foundComboBox
    until(lambda: combo.isVisibleTo(panel.frame), 60)
    assert [combo.itemText(i).split(",")[0] for i in range(combo.count)] == [
        "Choose one of 2...",
        "pcasl_3d",
        "pcasl_again",
    ]
    combo.setCurrentIndex(1)
    combo.activated(1)
    until(lambda: panel.ui.aslSelector.currentNode() is not None and not panel.widget.transfer.busy, 60)
    assert panel.ui.aslSelector.currentNode().GetName() == "pcasl-3d_asl"
    assert panel.ui.m0Selector.currentNode().GetName() == "pcasl-3d_m0scan"
    assert panel.ui.t1Selector.currentNode().GetName() == "t1-mprage-sag"
    inspected(panel)
    texts = [label.text for label in panel.ui.findingsList.findChildren("QLabel")]
    assert any("pcasl_3d_colour" in text for text in texts), "what reading the folder had to say"


def test_the_order_that_the_images_show_is_proposed_and_taken_by_a_click(panel, tmp_path):
    from dicom_builders import ASL, pairs, write_dicom

    write_dicom(tmp_path, pairs(), 5, "pcasl_3d", *ASL)
    panel.widget.load(tmp_path)
    until(lambda: panel.ui.aslSelector.currentNode() is not None and not panel.widget.transfer.busy, 60)
    inspected(panel)
    assert rows(panel)["Order of volumes"][0] == ""
    assert "give their order under Acquisition" in panel.ui.reasonLabel.text
    (button,) = (b for name, b in panel.widget.findings.buttons.items() if name.startswith("order-"))
    assert button.text == "Fix: Order of volumes set to control,label"
    button.click()
    assert rows(panel)["Order of volumes"][0] == "control, label"
    assert panel.ui.seriesLabel.text.endswith("6 control, 6 label")


def test_a_file_with_nothing_beside_it_is_loaded_and_its_table_can_be_filled(panel, made, tmp_path):
    """A 4D NIfTI without a context whose sidecar speaks of an M0 that is not there was refused, and nothing loaded."""
    path = write_bids(tmp_path, made, t1=False)
    (path.parent / "sub-01_aslcontext.tsv").unlink()
    (path.parent / "sub-01_m0scan.nii.gz").unlink()
    panel.widget.load(path)
    until(lambda: not panel.widget.transfer.busy, 60)
    assert panel.ui.aslSelector.currentNode().GetName() == "sub-01_asl", panel.ui.statusLabel.text
    inspected(panel)
    assert rows(panel)["Order of volumes"][0] == "" and not panel.ui.applyButton.enabled
    texts = [label.text for label in panel.ui.findingsList.findChildren("QLabel")]
    assert any("no _m0scan image is beside it" in text for text in texts)
    edit(panel, "Order of volumes", "control, label")
    inspected(panel)
    assert panel.ui.applyButton.enabled, panel.ui.reasonLabel.text


def test_what_a_file_lacks_can_be_typed_before_it_is_loaded(panel, made, tmp_path):
    path = write_bids(tmp_path, made, t1=False)
    (path.parent / "sub-01_aslcontext.tsv").unlink()
    assert "loaded next" in panel.ui.acquisitionHintLabel.text
    edit(panel, "Order of volumes", "control, label")
    edit(panel, "Background suppression pulses", "2")
    edit(panel, "Post-labelling delay", "2.5")  # which the file states
    assert rows(panel)["Order of volumes"] == ("control, label", "you")
    panel.widget.load(path)
    until(lambda: not panel.widget.transfer.busy, 60)
    assert panel.ui.seriesLabel.text.endswith("6 control, 6 label")
    assert rows(panel)["Background suppression pulses"] == ("2", "you")
    assert rows(panel)["Post-labelling delay"] == ("1.8", "file")
    assert "state Post-labelling delay otherwise" in panel.ui.statusLabel.text
    panel.widget.inputs.select(asl=None)
    assert rows(panel)["Order of volumes"] == ("", ""), "it was for that series alone"


def test_what_is_no_series_is_refused_in_words_and_the_scene_stays(panel, tmp_path):
    path = tmp_path / "notes.nii.gz"
    path.write_text("not an image")
    before = contents()
    panel.widget.load(path)
    until(lambda: not panel.widget.transfer.busy, 60)
    assert "notes.nii.gz" in panel.ui.statusLabel.text
    assert contents() == before and panel.widget.state.value == "empty"


def test_packages_that_are_missing_are_asked_for_when_a_file_is_loaded_not_before(panel, tmp_path):
    from slicer_harness.packaging import installer

    installer.missing, installer.answer, installer.asked = {"nibabel"}, False, []
    try:
        assert installer.asked == []
        panel.widget.load(tmp_path)
        assert [text for text in installer.asked[0] if text.startswith("nibabel")]
        assert "were not installed" in panel.ui.statusLabel.text
    finally:
        installer.missing, installer.answer = set(), True


# --- scenes and reloading -------------------------------------------------------------------------------------------


def test_a_closed_scene_leaves_an_empty_panel_that_works(panel, made):
    from slicer_harness.panel import close_scene

    put(made)
    close_scene()
    assert panel.widget.state.value == "empty"
    assert "loaded next" in panel.ui.acquisitionHintLabel.text
    assert {came for _, came in rows(panel).values()} == {"", "not stated"}
    nodes = put(made)
    assert panel.ui.aslSelector.currentNode() is nodes.sequence and panel.ui.applyButton.enabled


def test_leaving_and_entering_keeps_the_choices(panel, made):
    put(made)
    panel.ui.pairsLineEdit.text = "1-3"
    panel.frame.exit()
    panel.frame.enter()
    assert panel.ui.pairsLineEdit.text == "1-3"
    panel.ui.pairsLineEdit.text = "1-4"
    assert panel.widget._parameterNode.pairs == "1-4"


def test_a_reloaded_module_has_one_panel_that_works(panel, made):
    import slicer

    put(made)
    panel.ui.pairsLineEdit.text = "1-3"
    old = panel.widget
    slicer.util.reloadScriptedModule("ASLDenoise")
    assert panel.widget is not old
    assert panel.ui.pairsLineEdit.text == "1-3"
    put(replace(made, name="second"))
    assert panel.ui.aslSelector.currentNode().GetName() == "second_asl"
    assert old.ui.applyButton.text == "Apply"  # the old one hears of nothing any more, and is still whole
