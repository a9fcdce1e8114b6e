"""A saved scene opened by a Slicer that has no module of ours: layout, maps, legends and slice are what they were."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from drawn_views import Painter, drawn, slice_views
from scene_builders import made_result

from ASLDenoiseLib.scene.attachments import scene_attachments
from ASLDenoiseLib.scene.choose import compare, plot, show_map
from ASLDenoiseLib.scene.headless import headless_scene
from ASLDenoiseLib.scene.layouts import SIDE_BY_SIDE, WITH_PLOT, layout_node
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.store import save_mrb

FOUR_UP, SLICE = 3, 5.0
RAW, DENOISED, RESIDUAL = "desc-mean_cbf", "desc-denoised_cbf", "desc-residual_cbf"
ACTS = {
    FOUR_UP: lambda nodes: show_map(nodes, DENOISED),
    SIDE_BY_SIDE: compare,
    WITH_PLOT: lambda nodes: plot(nodes, "agreement"),
}
SHOWN = {
    FOUR_UP: {"Red": DENOISED, "Green": DENOISED, "Yellow": DENOISED},
    SIDE_BY_SIDE: {"Red": RAW, "Yellow": DENOISED},
    WITH_PLOT: {"Red": RAW, "Green": DENOISED, "Yellow": RESIDUAL},
}


def opened(path, folder, scene) -> None:
    """Open a bundle in a scene, with nothing but what Slicer has itself."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    scene.SetURL(str(next(iter(sorted(folder.rglob("*.mrml"))))))
    assert scene.Import()


def composite(scene, tag):
    import slicer

    nodes = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    return next(node for node in nodes if node.GetLayoutName() == tag)


def coloured(pixels: np.ndarray) -> float:
    """The share of pixels that are not grey."""
    return float((np.ptp(pixels.astype(int), axis=2) > 20).mean())


def legend_of(logic) -> np.ndarray:
    """Where a legend is drawn in a view, by the difference to the view without (rows, columns)."""
    return np.any(drawn(logic) != drawn(logic, legends=False), axis=2)


@pytest.mark.parametrize("number", list(ACTS))
def test_each_layout_is_known_and_filled_where_nobody_knows_the_module(number, tmp_path):
    with headless_scene() as scene, slice_views(scene, (500, 700)):
        layout_node(scene).SetViewArrangement(FOUR_UP)
        nodes = present(made_result())
        scene.GetNodeByID("vtkMRMLSliceNodeRed").SetSliceOffset(SLICE)
        ACTS[number](nodes)
        path = save_mrb(scene, tmp_path / "run.mrb")
    with headless_scene() as scene, slice_views(scene, (400, 520)) as logics:
        windows = {tag: Painter(logics[tag]) for tag in SHOWN[number]}
        assert all(coloured(window.image()) == 0 for window in windows.values())
        opened(path, tmp_path / "opened", scene)
        layout = layout_node(scene)
        assert layout.GetViewArrangement() == number
        assert layout.GetCurrentLayoutDescription()  # empty where a number is not known, and the window is blank
        for tag, key in SHOWN[number].items():
            assert f'singletontag="{tag}"' in layout.GetCurrentLayoutDescription()
            volume = scene.GetNodeByID(composite(scene, tag).GetForegroundVolumeID())
            assert volume.GetAttribute("ASLDenoise.map") == key
            image = windows[tag].image()
            assert coloured(image) > 0.1
            assert np.any(image != drawn(logics[tag], legends=False), axis=2).sum() > 300  # a legend
            windows[tag].close()
        red = scene.GetNodeByID("vtkMRMLSliceNodeRed")
        assert red.GetSliceOffset() == pytest.approx(SLICE)
        if number != FOUR_UP:
            assert [composite(scene, tag).GetLinkedControl() for tag in SHOWN[number]] == [1] * len(SHOWN[number])
            yellow = scene.GetNodeByID("vtkMRMLSliceNodeYellow")
            assert (yellow.GetOrientation(), yellow.GetSliceOffset()) == ("Axial", pytest.approx(SLICE))
        if number == WITH_PLOT:
            chart = scene.GetFirstNodeByClass("vtkMRMLPlotViewNode").GetPlotChartNodeID()
            assert scene.GetNodeByID(chart).GetAttribute("ASLDenoise.chart") == "agreement"


def test_the_scene_that_the_shell_writes_opens_side_by_side_at_the_basal_ganglia(tmp_path):
    writers, trouble = scene_attachments(made_result())
    assert not trouble
    writers["scene.mrb"](tmp_path / "scene.mrb")
    with headless_scene() as scene, slice_views(scene, (500, 700)) as logics:
        opened(tmp_path / "scene.mrb", tmp_path / "opened", scene)
        assert layout_node(scene).GetViewArrangement() == SIDE_BY_SIDE
        labels = [logics[tag].GetSliceNode().GetLayoutLabel() for tag in ("Red", "Yellow")]
        assert labels == ["Raw CBF", "Denoised CBF"]
        for tag, key in SHOWN[SIDE_BY_SIDE].items():
            volume = scene.GetNodeByID(composite(scene, tag).GetForegroundVolumeID())
            assert volume.GetAttribute("ASLDenoise.map") == key
            assert coloured(drawn(logics[tag])) > 0.1
            legend, brain = legend_of(logics[tag]), _brain(logics[tag])
            assert legend.sum() > 300 and not (legend & brain).any()


def _brain(logic) -> np.ndarray:
    """Where the map is drawn in a view (rows, columns)."""
    node = logic.GetSliceCompositeNode()
    background = node.GetBackgroundVolumeID()
    node.SetBackgroundVolumeID(None)
    pixels = drawn(logic, legends=False)
    node.SetBackgroundVolumeID(background)
    return np.ptp(pixels.astype(int), axis=2) > 20
