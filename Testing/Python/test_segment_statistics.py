"""Slicer's Segment Statistics gives the figures of the Regions section: thin regions, regions of the T1, raw's error.

`Logic` and `PluginBase` are what a plugin meets in Slicer's module (Modules/Scripted/SegmentStatistics), which has no
wheel: parameters of a node under the plugin's class name, and a hardened copy of a segmentation under a transform.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from region_builders import add_drawn, box, directly, rigid
from region_results import DENOISED, RAW, a_result, on_series

from ASLDenoiseLib.scene.following import set_reference
from ASLDenoiseLib.scene.laid_regions import lay_on_run
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.volumes import volume_to_node

OURS = "ASLDenoiseSegmentStatisticsPlugin"


class PluginBase:
    """As `SegmentStatisticsPluginBase`, without its widgets."""

    def __init__(self):
        self.name, self.title, self.keys, self.defaultKeys, self.parameterNode = "", "", [], [], None

    def toLongKey(self, key):
        return f"{self.__class__.__name__}.{key}"

    def getParameterNode(self):
        return self.parameterNode

    def setParameterNode(self, node):
        self.parameterNode = node
        for key in self.keys:
            node.SetParameter(self.toLongKey(key) + ".enabled", str(key in self.defaultKeys))


class Logic:
    """As `SegmentStatisticsLogic`: registered classes, and `computeStatistics` of one segment."""

    registeredPlugins: ClassVar[list] = []

    @staticmethod
    def registerPlugin(plugin):
        assert isinstance(plugin, PluginBase) and not any("." in key for key in plugin.keys)
        Logic.registeredPlugins.append(plugin.__class__)

    def __init__(self):
        import slicer

        self.parameters = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
        self.plugins = [each() for each in Logic.registeredPlugins]
        for plugin in self.plugins:
            plugin.setParameterNode(self.parameters)

    def compute(self, segmentation, volume, segment):
        """The figures of a segment by their short keys, and the units."""
        import slicer

        node = segmentation
        if segmentation.GetParentTransformNode() is not None:
            name = f"_tmp_{segmentation.GetName()}_transformedForSegmentStatistics"
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
            node.CopyContent(segmentation)
            node.SetAndObserveTransformNodeID(segmentation.GetParentTransformNode().GetID())
            node.HardenTransform()
        self.parameters.SetParameter("Segmentation", node.GetID())
        self.parameters.SetParameter("ScalarVolume", volume.GetID())
        (plugin,) = self.plugins
        found = plugin.computeStatistics(segment)
        if node is not segmentation:
            slicer.mrmlScene.RemoveNode(node)
        return found, {key: plugin.getMeasurementInfo(key)["units"] for key in found}


@pytest.fixture
def statistics(desktop, repo_root, monkeypatch):
    """A Segment Statistics in which the module has registered itself at startup."""
    from slicer_harness.panel import open_panel

    Logic.registeredPlugins = []
    for name, members in (
        ("SegmentStatistics", {"SegmentStatisticsLogic": Logic}),
        ("SegmentStatisticsPlugins", {"SegmentStatisticsPluginBase": PluginBase}),
    ):
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    panel = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
    yield Logic()
    panel.close()


def on_t1(result, *, name="mine"):
    """A segmentation of a box one voxel thick on the user's own T1; it, its segment's ID, and the box."""
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    set_reference(node, volume_to_node(result.t1, name="T1w"))
    thin = box(result.t1.geometry, (12, 18, 17), (17, 23, 18))
    return node, add_drawn(node, thin, "thin"), thin


def test_the_module_registers_one_plugin_also_when_it_is_reloaded(statistics):
    from ASLDenoisePanel.segment_statistics import registerStatistics

    registerStatistics()
    assert [each.__name__ for each in Logic.registeredPlugins] == [OURS]
    assert issubclass(Logic.registeredPlugins[0], PluginBase)


def test_nothing_is_registered_where_slicer_has_no_segment_statistics(desktop, monkeypatch, repo_root):
    from slicer_harness.panel import open_panel

    for name in ("SegmentStatistics", "SegmentStatisticsPlugins"):
        monkeypatch.setitem(sys.modules, name, None)
    open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py").close()


@pytest.mark.parametrize("laid", [False, True], ids=["where it was drawn", "laid on the run's T1"])
@pytest.mark.parametrize("key", [RAW, DENOISED])
def test_a_thin_region_of_the_t1_has_the_mean_of_where_the_run_has_laid_that_t1(statistics, key, laid):
    result = a_result(t1_to_asl=rigid(degrees=6.0, shift=(25.0, -8.0, 4.0)))
    node, segment, thin = on_t1(result)
    nodes = present(result)
    if laid:
        lay_on_run(node, nodes.t1)
    found, units = statistics.compute(node, nodes.maps[key], segment)
    assert found["mean"] == pytest.approx(directly(thin, result.maps[key], transform=result.t1_to_asl), rel=0.01)
    assert found["volume_cm3"] == pytest.approx(thin.millilitres) and found["coverage_percent"] == pytest.approx(100)
    assert (units["mean"], units["volume_cm3"], units["coverage_percent"]) == ("ml/100g/min", "cm3", "%")
    assert ("mean_error" in found) == (key == RAW)


def test_a_region_that_was_not_measured_at_all_has_no_mean_and_says_so(statistics):
    made = a_result()
    array = np.array(made.maps[RAW].array)
    array[3:5, 4:8, 3:7] = np.nan
    nodes = present(replace(made, maps={**made.maps, RAW: made.maps[RAW].with_array(array)}))
    segment = add_drawn(nodes.regions, on_series(), "lesion")
    found, _ = statistics.compute(nodes.regions, nodes.maps[RAW], segment)
    assert "mean" not in found and found["coverage_percent"] == 0 and found["voxels"] == pytest.approx(32)


def test_what_is_no_map_of_a_run_and_what_cannot_be_told_apart_get_no_figure(statistics):
    result = a_result()
    node, segment, _thin = on_t1(result)
    nodes = present(result)
    assert statistics.compute(node, nodes.t1, segment) == ({}, {})
    lay_on_run(node, nodes.t1)
    assert statistics.compute(node, nodes.maps[RAW], segment)[0]["mean"] > 0
    twin, _segment, _thin = on_t1(result)
    twin.CopyContent(node)
    lay_on_run(twin, nodes.t1)
    assert twin.GetSegmentation().GetNthSegmentID(0) == segment
    assert statistics.compute(node, nodes.maps[RAW], segment) == ({}, {})
