"""A finished run in the scene: what is added, how it looks, that it can be undone, saved and drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from scene_builders import contents, load_mrb, made_result

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.scene.choose import nodes_of, runs_in
from ASLDenoiseLib.scene.headless import close_scene, headless_scene
from ASLDenoiseLib.scene.hierarchy import all_items, hierarchy
from ASLDenoiseLib.scene.present import legends_of, present
from ASLDenoiseLib.scene.render import render_overlay
from ASLDenoiseLib.scene.series import series_from_sequence, series_to_nodes
from ASLDenoiseLib.scene.store import save_mrb
from ASLDenoiseLib.scene.volumes import volume_from_node
from ASLDenoiseLib.series import CBF_UNIT, Geometry, Volume


@pytest.fixture
def scene():
    with headless_scene() as scene:
        yield scene


def slice_view(scene):
    return scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")


def table_columns(node) -> dict[str, list]:
    table = node.GetTable()
    columns = (table.GetColumn(index) for index in range(table.GetNumberOfColumns()))
    return {c.GetName(): [c.GetValue(row) for row in range(c.GetNumberOfValues())] for c in columns}


def test_raw_and_denoised_are_shown_at_one_window(scene):
    maps = present(made_result()).maps
    shown = {key: maps[key].GetDisplayNode() for key in ("desc-mean_cbf", "desc-denoised_cbf")}
    assert {(d.GetWindowLevelMin(), d.GetWindowLevelMax(), d.GetColorNodeID()) for d in shown.values()} == {
        (0.0, 90.0, shown["desc-mean_cbf"].GetColorNodeID())
    }


def test_differences_have_a_scale_with_zero_in_its_middle(scene):
    display = present(made_result()).maps["desc-residual_cbf"].GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (-30.0, 30.0)
    colour = [0.0] * 4
    display.GetColorNode().GetColor(128, colour)
    assert min(colour[:3]) > 0.9


def test_negative_voxels_are_drawn_in_a_colour_of_their_own_and_kept(scene):
    result = made_result()
    node = present(result).maps["desc-mean_cbf"]
    display, colour = node.GetDisplayNode(), [0.0] * 4
    lowest = np.nanmin(result.maps["desc-mean_cbf"].array)
    assert display.GetApplyThreshold() and display.GetLowerThreshold() < lowest < 0  # so that NaN alone is transparent
    display.GetColorNode().GetColor(0, colour)
    assert colour[2] > 0.7 > 0.5 > colour[0]  # blue
    display.GetColorNode().GetColor(1, colour)
    assert max(colour[:3]) < 0.1  # the scale itself begins in black
    assert "blue: 0 or less" in legends_of(node)[0].GetTitleText()
    assert np.nanmin(volume_from_node(node).array) == lowest


def test_only_the_shown_map_has_its_legend_on(scene):
    nodes = present(made_result())
    on = [key for key, node in nodes.maps.items() if legends_of(node)[0].GetVisibility()]
    assert on == ["desc-denoised_cbf"]
    assert legends_of(nodes.shown)[0].GetTitleText().startswith("CBF (ml/100g/min")


def test_the_table_has_a_row_a_readout_and_the_change(scene):
    columns = table_columns(present(made_result()).readouts)
    assert list(columns) == ["Readout", "Unit", "Raw mean", "Denoised", "Change (%)"]
    assert columns["Readout"] == ["GM mean", "SNR", "tSNR"]
    assert columns["Unit"] == [CBF_UNIT, "", ""]
    np.testing.assert_allclose(columns["Change (%)"], [2.0, 150.0, np.nan])
    np.testing.assert_allclose(columns["Denoised"], [51.0, 5.0, np.nan])


def test_the_t1_is_moved_onto_the_series_by_a_transform_of_its_own(scene):
    import slicer

    result = made_result()
    nodes = present(result)
    matrix = slicer.util.arrayFromTransformMatrix(nodes.t1.GetParentTransformNode(), toWorld=True)
    lps_point = np.array([10.0, 20.0, 30.0, 1.0])
    flip = np.array([-1.0, -1.0, 1.0, 1.0])
    world = matrix @ (flip * lps_point)
    np.testing.assert_allclose(flip * world, result.t1_to_asl @ lps_point)


def test_the_map_lies_over_the_t1_in_every_slice_view(scene):
    views = [slice_view(scene), slice_view(scene)]
    nodes = present(made_result())
    for view in views:
        assert view.GetBackgroundVolumeID() == nodes.t1.GetID()
        assert view.GetForegroundVolumeID() == nodes.maps["desc-denoised_cbf"].GetID()
        assert view.GetForegroundOpacity() == pytest.approx(0.55)


def test_everything_lies_in_one_folder_under_the_study_of_the_input(scene):
    source = series_to_nodes(made_result().series).sequence
    tree = hierarchy(scene)
    patient = tree.CreateSubjectItem(tree.GetSceneItemID(), "P1")
    study = tree.CreateStudyItem(patient, "Day 1")
    tree.CreateItem(study, source)
    nodes = present(made_result(), source=source)
    assert tree.GetItemParent(nodes.folder) == study
    assert {tree.GetItemParent(tree.GetItemByDataNode(node)) for node in nodes.all_nodes} == {nodes.folder}
    assert nodes.series is None  # the series is not doubled


def test_presenting_again_replaces_the_earlier_run(scene):
    present(made_result())
    before, items = contents(scene), len(all_items(scene))
    present(made_result())
    assert contents(scene) == before
    assert len(all_items(scene)) == items


def test_another_model_gets_a_folder_beside_the_first(scene):
    first = present(made_result())
    second = present(made_result(model="other"))
    assert first.folder != second.folder
    assert hierarchy(scene).GetItemName(first.folder) == "sub-77 test-model ASL"


def test_a_failure_on_the_way_leaves_the_scene_as_it_was(scene):
    view = slice_view(scene)
    first = present(made_result())
    before, items, shown = contents(scene), len(all_items(scene)), view.GetForegroundVolumeID()
    result = made_result(model="other")
    broken = replace(result, regions={"roi": None})
    with pytest.raises(AttributeError):
        present(broken)
    assert contents(scene) == before
    assert len(all_items(scene)) == items
    assert view.GetForegroundVolumeID() == shown == first.shown.GetID()


def test_a_run_survives_saving_and_loading(scene, tmp_path):
    import slicer

    result = made_result()
    nodes = present(result)
    path = save_mrb(scene, tmp_path / "run.mrb")
    assert [p.name for p in tmp_path.iterdir()] == ["run.mrb"]
    loaded = load_mrb(path, tmp_path / "opened")
    try:
        assert contents(loaded) == contents(scene)
        cbf = loaded.GetFirstNodeByName(nodes.maps["desc-mean_cbf"].GetName())
        back = volume_from_node(cbf)
        np.testing.assert_array_equal(back.array, result.maps["desc-mean_cbf"].array)
        np.testing.assert_allclose(back.geometry.affine_lps, result.series.geometry.affine_lps, atol=1e-5)
        assert back.unit == CBF_UNIT
        assert cbf.GetVoxelValueQuantity().GetCodeMeaning() == "Regional Cerebral Blood Flow"
        display = cbf.GetDisplayNode()
        assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 90.0)
        own = nodes.maps["desc-mean_cbf"].GetDisplayNode()
        assert display.GetColorNode().GetName() == own.GetColorNode().GetName()
        assert display.GetLowerThreshold() == own.GetLowerThreshold()
        assert legends_of(cbf)[0].GetTitleText().startswith("CBF (ml/100g/min")
        browser = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode", loaded)[0]
        series = series_from_sequence(browser)
        np.testing.assert_array_equal(series.array, result.series.array)
        assert (series.context, series.acquisition) == (result.series.context, result.series.acquisition)
        assert browser.GetProxyNode(browser.GetMasterSequenceNode()) is not None
        t1 = loaded.GetFirstNodeByName(nodes.t1.GetName())
        assert t1.GetParentTransformNode().GetName() == nodes.t1_to_asl.GetName()
        segmentation = loaded.GetFirstNodeByName(nodes.segmentation.GetName()).GetSegmentation()
        segments = [segmentation.GetNthSegment(i) for i in range(segmentation.GetNumberOfSegments())]
        own_segments = nodes.segmentation.GetSegmentation()
        assert [s.GetName() for s in segments] == ["GM", "WM"]
        for index, segment in enumerate(segments):
            np.testing.assert_allclose(segment.GetColor(), own_segments.GetNthSegment(index).GetColor(), atol=1e-3)
        columns = table_columns(slicer.util.getNodesByClass("vtkMRMLTableNode", loaded)[0])
        np.testing.assert_allclose(columns["Change (%)"], [2.0, 150.0, np.nan])
        tree = hierarchy(loaded)
        folder = tree.GetItemParent(tree.GetItemByDataNode(cbf))
        assert tree.GetItemName(folder) == "sub-77 test-model ASL"
        assert tree.GetItemParent(tree.GetItemByDataNode(t1)) == folder
    finally:
        close_scene(loaded)


def test_a_scene_is_saved_by_a_relative_path_too(scene, tmp_path, monkeypatch):
    present(made_result())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    assert save_mrb(scene, "out/run.mrb").is_file()


def test_a_save_that_fails_keeps_the_earlier_file(scene, tmp_path):
    path = tmp_path / "run.mrb"
    path.write_text("earlier")
    with pytest.raises(InputError, match="does not exist"):
        save_mrb(scene, tmp_path / "nowhere" / "run.mrb")
    import slicer

    foreign = slicer.vtkMRMLScene()
    foreign.AddNewNodeByClass("vtkMRMLSegmentationNode")
    with pytest.raises(InputError, match="segmentations"):
        save_mrb(foreign, path)
    assert path.read_text("utf-8") == "earlier"


def picture(path) -> np.ndarray:
    """RGB rows from the top."""
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    reader = vtk.vtkPNGReader()
    reader.SetFileName(str(path))
    reader.Update()
    image = reader.GetOutput()
    width, height, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].astype(int)


def coloured(pixels: np.ndarray) -> np.ndarray:
    """Where the overlay is: pixels that are not grey."""
    return np.ptp(pixels, axis=2) > 20


def test_the_picture_is_in_radiological_convention_with_nan_transparent(scene, tmp_path):
    geometry = Geometry((40, 40, 20), (5.0, 5.0, 8.0), (-97.5, -97.5, -76.0))  # LPS: low i is the patient's right
    cbf = np.full(geometry.shape, np.nan)
    cbf[:, 4:36, 4:36] = -1.0
    cbf[:, 20:36, 20:36] = np.nan  # left, posterior: not measured
    cbf[:, 4:16, 4:16] = 60.0  # right, anterior
    result = made_result(geometry)
    map_ = Volume(cbf, geometry, CBF_UNIT)
    nodes = present(replace(result, maps={"desc-mean_cbf": map_}, t1=None))
    before = contents(scene)
    size = 200
    path = render_overlay(nodes, tmp_path / "a.png", views=("axial",), slices={"axial": [0.0]}, size=size)
    assert contents(scene) == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    tile = picture(path)[88 : 88 + size, 4 : 4 + size].astype(int)
    warm = coloured(tile) & (tile[..., 0] > tile[..., 2])
    rows, columns = np.nonzero(warm)
    assert columns.mean() < 0.45 * size and rows.mean() < 0.45 * size  # right on the left, anterior on top
    assert not warm[:, size // 2 + 20 :].any()
    blue = coloured(tile) & (tile[..., 2] > tile[..., 0] + 30)
    assert blue[: size // 2 - 20, size // 2 + 20 : -40].mean() > 0.6  # negative CBF is no hole
    assert not coloured(tile)[size // 2 + 20 :, size // 2 + 20 :].any()  # and what was not measured is one


def test_the_picture_has_a_row_a_map_at_the_same_slices(scene, tmp_path):
    nodes = present(made_result())
    one = picture(render_overlay(nodes, tmp_path / "1.png", maps=("desc-mean_cbf",), size=120))
    (run,) = runs_in(scene)
    two = picture(render_overlay(nodes_of(scene, run), tmp_path / "2.png", size=120))
    assert two.shape[1] == one.shape[1] and two.shape[0] > 1.6 * one.shape[0]
    assert coloured(two).sum() > coloured(one).sum() > 1000
    np.testing.assert_array_equal(one[60:200], two[60:200])  # the raw row is the same in both


@pytest.mark.parametrize(
    ("options", "message"),
    [({"views": ("oblique",)}, "no view"), ({"maps": ("desc-superres_cbf",)}, "none of the maps")],
)
def test_a_picture_of_what_is_not_there_is_refused(scene, tmp_path, options, message):
    nodes = present(made_result())
    with pytest.raises(InputError, match=message):
        render_overlay(nodes, tmp_path / "a.png", **options)
    assert not list(tmp_path.iterdir())
