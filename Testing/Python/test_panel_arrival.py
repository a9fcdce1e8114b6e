"""The panel's choice of arrival times: where they lie, what is found beside them, and what the request has of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from arrival_builders import UNMOVED, late_scan
from delay_results import result_of_delays

from ASLDenoiseLib.pipeline.console import quantify
from ASLDenoiseLib.reporting.derivatives import save_volume
from ASLDenoiseLib.result.maps import ATT_UNCERTAINTY, DENOISED, DENOISED_ATT, RAW, UNCORRECTED, USED_ATT
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.series import series_to_nodes
from ASLDenoiseLib.scene.volumes import volume_to_node
from ASLDenoiseLib.series import Geometry


@pytest.fixture(scope="module")
def late():
    return late_scan()


@pytest.fixture
def sequence(panel, late):
    return series_to_nodes(late.scan.series).sequence


def asked(sequence, t1=None, **selected):
    """What the panel asks for with these volumes selected."""
    from ASLDenoisePanel.logic import ASLDenoiseLogic

    logic = ASLDenoiseLogic()
    parameters = logic.getParameterNode()
    parameters.asl, parameters.t1 = sequence, t1
    for name, node in selected.items():
        setattr(parameters, name, node)
    return logic.requestOf(parameters).arrival


def elsewhere(volume):
    grid = volume.geometry
    return replace(volume, geometry=Geometry(grid.size, grid.spacing, (5.0, -3.0, 9.0), grid.direction))


def test_without_a_volume_nothing_is_corrected(sequence):
    assert asked(sequence) is None


def test_the_arrival_times_of_a_run_bring_its_cbf_map_and_their_sd(sequence):
    nodes = present(result_of_delays())
    arrival = asked(sequence, arrival=nodes.maps[DENOISED_ATT])
    assert arrival.space == "scan"
    np.testing.assert_array_equal(arrival.error.array, nodes.result.maps[ATT_UNCERTAINTY].array)
    np.testing.assert_array_equal(arrival.reference.array, nodes.result.maps[DENOISED].array)


def test_an_image_that_the_user_selects_is_what_they_are_registered_by(sequence):
    nodes = present(result_of_delays())
    arrival = asked(sequence, arrival=nodes.maps[DENOISED_ATT], arrivalReference=nodes.maps[RAW])
    np.testing.assert_array_equal(arrival.reference.array, nodes.result.maps[RAW].array)


def test_a_map_on_the_grid_of_the_series_or_the_t1_lies_there(sequence, late):
    t1 = volume_to_node(elsewhere(late.scan.cbf), name="T1")
    on_series, on_t1 = volume_to_node(late.att), volume_to_node(elsewhere(late.att))
    assert asked(sequence, t1, arrival=on_series).space == "asl"
    assert asked(sequence, t1, arrival=on_t1).space == "t1"
    assert asked(sequence, arrival=on_t1).space == "scan"


def test_a_map_that_was_loaded_brings_what_lies_beside_its_file(sequence, late, tmp_path):
    import slicer

    for key in ("desc-denoised_att", "desc-uncertainty_att", "desc-denoised_cbf"):
        save_volume(elsewhere(late.att), tmp_path / f"sub-02_{key}.nii.gz")
    node = volume_to_node(elsewhere(late.att))
    stored = slicer.vtkMRMLVolumeArchetypeStorageNode()
    stored.SetFileName(str(tmp_path / "sub-02_desc-denoised_att.nii.gz"))
    slicer.mrmlScene.AddNode(stored)
    node.SetAndObserveStorageNodeID(stored.GetID())
    arrival = asked(sequence, arrival=node)
    assert arrival.error == tmp_path / "sub-02_desc-uncertainty_att.nii.gz"
    assert arrival.reference == tmp_path / "sub-02_desc-denoised_cbf.nii.gz"


def test_the_scene_has_the_uncorrected_mean_and_the_arrival_times_used(panel, late):
    told = quantify(late.scan.series, tissue=late.scan.tissue, preparation=UNMOVED, att=late.asked(error=0.1))
    nodes = present(told)
    assert nodes.maps[UNCORRECTED].GetVoxelValueUnits().GetCodeValue() == "ml/[100]g/min"
    assert nodes.maps[USED_ATT].GetDescription() == told.kind(USED_ATT).label


def test_the_selector_offers_arrival_times_of_runs_and_no_other_map_of_theirs(panel):
    nodes = present(result_of_delays())
    panel.widget.inputs.leaveOut()
    hidden = panel.ui.arrivalSelector.sortFilterProxyModel().property("hiddenNodeIDs")
    assert nodes.maps[DENOISED_ATT].GetID() not in hidden
    assert {nodes.maps[DENOISED].GetID(), nodes.maps[RAW].GetID()} <= set(hidden)


def test_the_image_of_their_scan_is_asked_for_only_where_arrival_times_are_selected(panel, sequence, late):
    parameters = panel.widget.logic.getParameterNode()
    assert not panel.ui.arrivalReferenceSelector.enabled
    parameters.arrival = volume_to_node(late.att)
    assert panel.ui.arrivalReferenceSelector.enabled
