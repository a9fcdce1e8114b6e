"""Volumes and series to MRML nodes and back, and the scene they live in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from scene_builders import made_result, made_series

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.scene.headless import current_scene, headless_scene, module_logic
from ASLDenoiseLib.scene.series import (
    read_acquisition,
    read_context,
    read_fixes,
    series_from_sequence,
    series_to_nodes,
    write_attributes,
    write_fix,
)
from ASLDenoiseLib.scene.volumes import matrix_node, volume_from_node, volume_to_node
from ASLDenoiseLib.series import CBF_UNIT, Acquisition, Geometry, Origin, Parameter, Volume, VolumeType


@pytest.fixture
def scene():
    with headless_scene() as scene:
        yield scene


def assert_same_grid(one: Geometry, other: Geometry) -> None:
    assert one.size == other.size
    np.testing.assert_allclose(one.affine_lps, other.affine_lps, atol=1e-9)


def test_the_scene_made_here_is_the_current_one_and_has_its_logics(scene):
    import slicer

    assert current_scene() is scene is slicer.mrmlScene
    for name in ("Colors", "Volumes", "Segmentations", "SubjectHierarchy", "Sequences"):
        assert module_logic(scene, name) is not None


def test_a_process_that_used_scenes_ends_without_a_word_or_a_crash(repo_root):
    code = (
        "from ASLDenoiseLib.scene.headless import make_scene, headless_scene\n"
        "import slicer\n"
        "left_open = make_scene()\n"
        "left_open.AddNewNodeByClass('vtkMRMLSegmentationNode').CreateDefaultDisplayNodes()\n"
        "with headless_scene() as scene:\n"
        "    scene.AddNewNodeByClass('vtkMRMLSegmentationNode').CreateDefaultDisplayNodes()\n"
        "assert slicer.mrmlScene is left_open\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_volume_keeps_voxels_nan_oblique_place_and_unit(scene):
    volume = made_result().maps["desc-mean_cbf"]
    back = volume_from_node(volume_to_node(volume))
    np.testing.assert_array_equal(back.array, volume.array)
    assert np.isnan(back.array).any()
    assert_same_grid(back.geometry, volume.geometry)
    assert back.unit == CBF_UNIT


def test_a_left_handed_grid_keeps_its_place(scene):
    geometry = Geometry((3, 4, 5), (2.0, 3.0, 4.0), (1.0, 2.0, 3.0), (-1.0, 0, 0, 0, 1, 0, 0, 0, 1))
    volume = Volume(np.arange(60.0).reshape(5, 4, 3), geometry)
    assert_same_grid(volume_from_node(volume_to_node(volume)).geometry, geometry)


def test_a_voxel_lies_where_slicer_says_in_ras(scene):
    import vtk

    geometry = Geometry((3, 4, 5), (2.0, 3.0, 4.0), (10.0, 20.0, 30.0))
    node = volume_to_node(Volume(np.zeros(geometry.shape), geometry))
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    assert matrix.MultiplyPoint((1, 2, 3, 1))[:3] == (-12.0, -26.0, 42.0)


def test_cbf_carries_the_ucum_unit_and_the_dicom_quantity(scene):
    node = volume_to_node(made_result().maps["desc-mean_cbf"])
    unit, quantity = node.GetVoxelValueUnits(), node.GetVoxelValueQuantity()
    assert (unit.GetCodeValue(), unit.GetCodingSchemeDesignator()) == ("ml/[100]g/min", "UCUM")
    assert (quantity.GetCodeValue(), quantity.GetCodeMeaning()) == ("113055", "Regional Cerebral Blood Flow")


def test_a_volume_under_a_rigid_transform_is_read_where_it_is_shown(scene):
    volume = Volume(np.zeros((5, 4, 3)), Geometry((3, 4, 5), (1, 1, 1), (10.0, 20.0, 30.0)))
    shift = np.eye(4)
    shift[:3, 3] = (1.0, 2.0, 3.0)
    node = volume_to_node(volume)
    node.SetAndObserveTransformNodeID(matrix_node(shift, scene=scene, name="shift").GetID())
    np.testing.assert_allclose(volume_from_node(node).geometry.origin, (11.0, 22.0, 33.0))


def test_a_sheared_volume_is_refused(scene):
    shear = np.eye(4)
    shear[0, 1] = 0.3
    node = volume_to_node(Volume(np.zeros((5, 4, 3)), Geometry((3, 4, 5), (1, 1, 1))))
    node.SetAndObserveTransformNodeID(matrix_node(shear, scene=scene, name="shear").GetID())
    with pytest.raises(InputError, match="shears"):
        volume_from_node(node)


def test_an_empty_volume_node_is_refused(scene):
    with pytest.raises(InputError, match="holds no image"):
        volume_from_node(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_a_series_comes_back_from_its_sequence_browser_and_proxy(scene):
    series = made_series()
    nodes = series_to_nodes(series)
    for node in (nodes.sequence, nodes.browser, nodes.proxy):
        back = series_from_sequence(node)
        np.testing.assert_array_equal(back.array, series.array)
        assert_same_grid(back.geometry, series.geometry)
        assert (back.context, back.name, back.source) == (series.context, "sub-77", "made here")
        assert back.acquisition == series.acquisition
        assert back.acquisition.origins["post_labeling_delay"] is Origin.DICOM
        np.testing.assert_array_equal(back.m0.array, series.m0.array)


FIX = Parameter("fix m0-scale", "M0 divided by 10", "", Origin.USER, "answers the finding m0-scale")


def test_what_was_fixed_goes_with_the_series(scene):
    nodes = series_to_nodes(replace(made_series(), fixes=(FIX,)))
    assert series_from_sequence(nodes.proxy).fixes == (FIX,)
    assert series_from_sequence(series_to_nodes(made_series()).sequence).fixes == ()


def test_what_an_earlier_version_fixed_is_still_read_and_kept_beside_a_new_fix(scene):
    node = series_to_nodes(made_series()).sequence
    node.RemoveAttribute("ASLDenoise.fixes")
    node.SetAttribute("ASLDenoise.mends", json.dumps([[FIX.name, FIX.value, FIX.note]]))
    series = series_from_sequence(node)
    assert series.fixes == (FIX,)
    other = replace(FIX, name="fix milliseconds")
    write_fix(node, replace(series, fixes=(*series.fixes, other)), voxels=False)
    assert read_fixes(node) == (FIX, other) and node.GetAttribute("ASLDenoise.mends") is None


def test_a_scene_of_an_earlier_version_opens_as_it_was(scene):
    node = series_to_nodes(made_series()).sequence
    for name in list(node.GetAttributeNames()):
        node.RemoveAttribute(name)
    texts = {"context": '["label", "control"]', "labeling": '"PASL"', "post_labeling_delay": "[0.0, 1.8]"}
    texts |= {"labeling.origin": "sidecar", "field_strength": "3", "name": "sub-01", "source": "there"}
    for name, text in texts.items():
        node.SetAttribute(f"ASLDenoise.{name}", text)
    expected = Acquisition(
        labeling="PASL", post_labeling_delay=(0.0, 1.8), field_strength=3, origins={"labeling": Origin.SIDECAR}
    )
    assert read_acquisition(node) == expected
    assert read_context(node) == (VolumeType.LABEL, VolumeType.CONTROL)


def test_a_fix_of_the_metadata_stays_in_the_node_and_one_of_the_voxels_makes_a_new_series(scene):
    series = made_series()
    node = series_to_nodes(series).sequence
    delay = series.acquisition.with_values(Origin.USER, post_labeling_delay=1.5)
    fixed = replace(series, acquisition=delay, fixes=(FIX,))
    assert write_fix(node, fixed, voxels=False) is node
    back = series_from_sequence(node)
    assert (back.acquisition, back.fixes, back.name) == (delay, (FIX,), series.name)
    new = write_fix(node, replace(fixed, array=series.array * 2), voxels=True)
    assert new is not node
    np.testing.assert_array_equal(series_from_sequence(node).array, series.array)
    doubled = series_from_sequence(new)
    np.testing.assert_array_equal(doubled.array, series.array * 2)
    assert (doubled.acquisition, doubled.fixes, doubled.name) == (delay, (FIX,), f"{series.name}_fixed")


def test_a_value_that_is_no_longer_stated_leaves_the_node_and_the_rest_stays(scene):
    node = series_to_nodes(replace(made_series(), fixes=(FIX,))).sequence
    write_attributes(node, acquisition=Acquisition(label_duration=1.8))
    assert read_acquisition(node) == Acquisition(label_duration=1.8)
    assert "ASLDenoise.post_labeling_delay.origin" not in node.GetAttributeNames()
    back = series_from_sequence(node)
    assert (back.fixes, back.context, back.name) == ((FIX,), made_series().context, made_series().name)


def test_attributes_of_a_series_are_named_in_its_codec_alone(repo_root):
    names = "|".join(("context", "fixes", "mends", "name", "source", *(f.name for f in fields(Acquisition))))
    pattern = re.compile(rf"""["']ASLDenoise\.(?:({names})\b|["'{{])|\bPREFIX\b""")
    sources = [path for folder in ("ASLDenoiseLib", "ASLDenoise") for path in (repo_root / folder).rglob("*.py")]
    assert {path.name for path in sources if pattern.search(path.read_text("utf-8"))} == {"series.py"}


def test_the_browser_shows_which_volume_is_which(scene):
    sequence = series_to_nodes(made_series()).sequence
    assert sequence.GetIndexName() == "volume"
    assert [sequence.GetNthIndexValue(i) for i in range(3)] == ["0 m0scan", "1 control", "2 label"]


def test_the_proxy_follows_the_browser(scene):
    import slicer

    series = made_series()
    nodes = series_to_nodes(series)
    nodes.browser.SetSelectedItemNumber(3)
    module_logic(scene, "Sequences").UpdateProxyNodesFromSequences(nodes.browser)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(nodes.proxy), series.array[3])


def test_a_sequence_without_attributes_states_nothing(scene):
    sequence = series_to_nodes(made_series()).sequence
    for name in sequence.GetAttributeNames():
        sequence.RemoveAttribute(name)
    back = series_from_sequence(sequence)
    assert set(back.context) == {VolumeType.NOT_AVAILABLE}
    assert back.acquisition == Acquisition()


def test_m0_volumes_become_the_m0_where_no_node_is_named(scene):
    series = made_series()
    sequence = series_to_nodes(series).sequence
    sequence.RemoveNodeReferenceIDs("ASLDenoise.M0")
    np.testing.assert_array_equal(series_from_sequence(sequence).m0.array, series.array[0])


def test_frames_of_a_vector_volume_are_read_as_volumes(scene):
    import slicer

    frames = np.random.default_rng(0).normal(size=(4, 6, 5, 3)).astype(np.float32)  # T, K, J, I
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "frames_asl")
    slicer.util.updateVolumeFromArray(node, np.moveaxis(frames, 0, -1))
    node.SetSpacing(2, 3, 4)
    node.SetAttribute("ASLDenoise.context", '["control", "label", "control", "label"]')
    series = series_from_sequence(node)
    np.testing.assert_array_equal(series.array, frames)
    assert series.geometry.spacing == (2, 3, 4)
    assert series.name == "frames"


@pytest.mark.parametrize(
    ("attribute", "text"),
    [("context", '["controll"]'), ("labeling", '"PPASL"'), ("m0_type", "Separate"), ("fixes", '[["M0"]]')],
)
def test_attributes_that_make_no_sense_are_refused_by_name(scene, attribute, text):
    sequence = series_to_nodes(made_series()).sequence
    sequence.SetAttribute(f"ASLDenoise.{attribute}", text)
    with pytest.raises(InputError, match="cannot be understood"):
        series_from_sequence(sequence)
