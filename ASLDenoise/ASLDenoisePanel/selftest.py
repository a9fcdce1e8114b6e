"""The self test, on a small simulated series; run by Slicer's Reload and Test, by ctest and by pytest."""

# ruff: noqa: PT009, PT027  (the self test is Slicer's, on unittest; there is no pytest inside Slicer)

from __future__ import annotations

import time

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest

from .logic import ASLDenoiseLogic
from .packages import canInspect, torchThere
from .selftest_series import selfTestSeries
from .states import State

_LONGEST = 240.0  # s, of a run on the simulated series with a cold start


class ASLDenoiseTest(ScriptedLoadableModuleTest):
    """Logic and panel, in whatever Slicer this is."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self, **kwargs):
        for name in sorted(name for name in dir(self) if name.startswith("test_")):
            self.setUp()
            self.delayDisplay(name.removeprefix("test_"))
            getattr(self, name)()
        self.delayDisplay("All tests passed.")

    def test_seriesSurvivesTheScene(self):
        """A series put into the scene and read back is the same series."""
        import numpy as np

        from ASLDenoiseLib.scene.series import series_from_sequence, series_to_nodes

        series = selfTestSeries()
        back = series_from_sequence(series_to_nodes(series).sequence)
        np.testing.assert_array_equal(back.array, series.array)
        self.assertEqual(back.context, series.context)
        self.assertEqual(back.acquisition, series.acquisition)

    def test_segmentsOfOneLayerAreEachTheirOwn(self):
        """Two segments that share a labelmap are as many voxels each as Slicer's own function counts."""
        import numpy as np

        from ASLDenoiseLib.scene.segments import drawings_of, segment_ids, segment_name

        labels = np.zeros((12, 20, 20), np.uint8)
        labels[2:5, 3:9, 3:9], labels[6:9, 3:9, 3:8] = 1, 2
        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
        slicer.util.updateVolumeFromArray(volume, labels)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "regions")
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(volume, node)
        self.assertEqual(node.GetSegmentation().GetNumberOfLayers(), 1)
        found, count = drawings_of(node), slicer.util.arrayFromSegmentBinaryLabelmap
        for segment, expected in zip(segment_ids(node), (108, 90), strict=True):
            self.assertEqual(int(found[segment_name(node, segment)].inside.sum()), expected)
            self.assertEqual(int(count(node, segment).sum()), expected)

    def test_processShowsRawBesideDenoised(self):
        """`process` adds raw and denoised CBF in the same units at the same window, and a readouts table."""
        if not torchThere():
            self.delayDisplay("Left out: PyTorch is not installed.")
            return
        self._assertShown(ASLDenoiseLogic().process(_sequence()).maps)

    def test_wrongInputLeavesTheSceneAsItWas(self):
        """A volume without an image is refused with a sentence that says what to do, and nothing is added."""
        from ASLDenoiseLib.errors import InputError

        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1")
        before = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaisesRegex(InputError, "holds no image"):
            ASLDenoiseLogic().process(volume)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)

    def test_panelFillsItselfAndSaysWhatIsMissing(self):
        """Without a series Apply is off and says why; a series that is loaded is taken, and Apply is on."""
        panel = _panel()
        self.assertIs(panel.state, State.EMPTY)
        self.assertFalse(panel.ui.applyButton.enabled)
        self.assertIn("Select an ASL series", panel.ui.reasonLabel.text)
        sequence = _sequence()
        self._until(lambda: panel.ui.applyButton.enabled, "Apply can run", 10)
        self.assertIs(panel.ui.aslSelector.currentNode(), sequence)
        self.assertIs(panel.state, State.READY)
        self.assertGreater(panel.ui.acquisitionTable.rowCount, 5)

    def test_addDataReadsTheSampleAsASeries(self):
        """Slicer's own way in knows the sample series by what lies beside it, and loads it with its T1."""
        from ASLDenoiseLib.errors import InputError
        from ASLDenoiseLib.resources import sample_data

        try:
            path = str(sample_data().asl)
        except InputError:
            path = ""
        if not (path and canInspect()):
            self.delayDisplay("Left out: the sample or the packages that read it are not there.")
            return
        self.assertEqual(slicer.app.coreIOManager().fileType(path), "ASLSeriesFile")
        sequence = slicer.util.loadNodeFromFile(path, "ASLSeriesFile", {})
        self.assertEqual(sequence.GetNumberOfDataNodes(), 20)
        names = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")]
        self.assertTrue(any("T1w" in name for name in names), names)

    def test_applyRunsInAChildAndShowsTheResult(self):
        """Apply becomes Cancel; in the end raw and denoised are in the scene, and the table holds their readouts."""
        if not (torchThere() and canInspect()):
            self.delayDisplay("Left out: the packages of a run are not installed.")
            return
        panel = self._readyPanel()
        panel.ui.applyButton.click()
        self.assertIs(panel.state, State.RUNNING)
        self.assertEqual(panel.ui.applyButton.text, "Cancel")
        self._until(lambda: panel.state is not State.RUNNING, "the run has ended", _LONGEST)
        self.assertIs(panel.state, State.DONE, panel.ui.statusLabel.text)
        self._assertShown(panel.results.nodes.maps)
        self.assertGreater(panel.ui.readoutsTable.rowCount, 5)
        self._assertComparesInLayoutsOfSlicer(panel)
        self._assertKeepsItsReport(panel)

    def test_aPairTakenOutIsGoneFromTheMapsOfTheNextRun(self):
        """A pair that is chosen is shown; taken out, the maps are made again from the pairs as they were prepared."""
        if not (torchThere() and canInspect()):
            self.delayDisplay("Left out: the packages of a run are not installed.")
            return
        panel = self._readyPanel()
        panel.ui.applyButton.click()
        self._until(lambda: panel.state is not State.RUNNING, "the run has ended", _LONGEST)
        self.assertEqual(panel.ui.timelineTable.rowCount, len(selfTestSeries().context) // 2)
        panel.timeline.select(2)
        view = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
        shown = slicer.mrmlScene.GetNodeByID(view.GetForegroundVolumeID())
        self.assertEqual(shown.GetAttribute("ASLDenoise.pair"), "2")
        panel.ui.takeOutButton.click()
        panel.ui.againButton.click()
        self._until(lambda: panel.state is not State.RUNNING, "the maps are made again", _LONGEST)
        self.assertIs(panel.state, State.DONE, panel.ui.statusLabel.text)
        self.assertIn("prepared", panel.ui.statusLabel.text)
        self.assertIn("Taken out by you: 2", panel.ui.timelineLabel.text)

    def test_cancelLeavesTheSceneAsItWas(self):
        """Cancel ends the run; nothing was added."""
        if not (torchThere() and canInspect()):
            self.delayDisplay("Left out: the packages of a run are not installed.")
            return
        panel = self._readyPanel()
        before = slicer.mrmlScene.GetNumberOfNodes()
        panel.ui.applyButton.click()
        self._until(lambda: panel.run.pid is not None, "the child works", 60)
        panel.ui.applyButton.click()
        self._until(lambda: panel.state is not State.RUNNING, "the run has ended", 30)
        self.assertIs(panel.state, State.READY)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)

    def _assertComparesInLayoutsOfSlicer(self, panel):
        """Side by side is a layout that every Slicer knows, at the slice that was shown; and the way back."""
        manager = slicer.app.layoutManager()
        before, red = manager.layout, manager.sliceWidget("Red").mrmlSliceNode()
        offset = red.GetSliceOffset()
        panel.ui.sideBySideButton.click()
        self.assertEqual(manager.layout, slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView)
        yellow = manager.sliceWidget("Yellow").mrmlSliceNode()
        self.assertEqual((red.GetLayoutLabel(), yellow.GetLayoutLabel()), ("Raw CBF", "Denoised CBF"))
        self.assertAlmostEqual(red.GetSliceOffset(), offset, 3)
        self.assertAlmostEqual(yellow.GetSliceOffset(), offset, 3)
        panel.ui.overlayButton.click()
        self.assertEqual(manager.layout, before)
        self.assertEqual(yellow.GetOrientation(), "Sagittal")

    def _assertKeepsItsReport(self, panel):
        """The report comes into the scene by itself."""
        from ASLDenoiseLib.scene.documents import report_in

        folder = panel.results.nodes.folder
        self._until(lambda: report_in(slicer.mrmlScene, folder), "the report is in the scene", 120)

    def _readyPanel(self):
        panel = _panel()
        _sequence()
        self._until(lambda: panel.ui.applyButton.enabled, "Apply can run", 10)
        return panel

    def _assertShown(self, maps):
        from ASLDenoiseLib.result.maps import DENOISED, RAW

        for key in (RAW, DENOISED):
            self.assertEqual(maps[key].GetVoxelValueUnits().GetCodeValue(), "ml/[100]g/min")
            self.assertEqual(maps[key].GetDisplayNode().GetWindowLevelMin(), 0.0)
            self.assertEqual(maps[key].GetDisplayNode().GetWindowLevelMax(), 90.0)

    def _until(self, happened, what, seconds):
        """Let the event loop go on until it has happened."""
        end = time.monotonic() + seconds
        while not happened():
            self.assertLess(time.monotonic(), end, f"waited {seconds} s in vain until {what}")
            slicer.app.processEvents()
            time.sleep(0.01)


def _sequence():
    from ASLDenoiseLib.scene.series import series_to_nodes

    return series_to_nodes(selfTestSeries()).sequence


def _panel():
    """The panel as Slicer has it."""
    slicer.util.selectModule("ASLDenoise")
    panel = slicer.util.getModuleWidget("ASLDenoise")
    panel.enter()
    return panel
