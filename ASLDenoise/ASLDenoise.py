"""The Slicer face of ASLDenoise: what the module is, its parameters, its logic and its self test.

Everything that computes is in ASLDenoiseLib; this file only joins it to Slicer. Annotations here are evaluated
(`parameterNodeWrapper` reads them), so this file does not postpone them.
"""

# ruff: noqa: PT009, PT027  (the self test is Slicer's, on unittest; there is no pytest inside Slicer)

import importlib.util
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
)

_HERE = Path(__file__).resolve().parent
if importlib.util.find_spec("ASLDenoiseLib") is None:  # a checkout's ASLDenoise folder given to Slicer as it is
    sys.path.insert(0, str(_HERE.parent))


class ASLDenoise(ScriptedLoadableModule):
    """What Slicer shows about the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("ASL Denoise")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Neuroimaging")]
        self.parent.dependencies = ["Volumes", "Sequences", "Segmentations", "SubjectHierarchy", "Colors"]
        self.parent.contributors = ["The ASLDenoise contributors"]
        self.parent.helpText = _(
            "Denoises arterial spin labelling (ASL) MRI and quantifies cerebral blood flow (CBF, ml/100g/min). The raw "
            "map always stands beside the denoised one, at the same window and in the same table. "
            "For research use only; not for diagnosis."
        )
        self.parent.acknowledgementText = _(
            "Quantification follows the ISMRM perfusion study group's consensus (Alsop 2015). Each model names its "
            "paper and training data in its card."
        )
        icon = _resource("Icons/ASLDenoise.png")
        if icon is not None:
            import qt

            self.parent.icon = qt.QIcon(str(icon))

    def resourcePath(self, filename):
        """A file of Resources, beside this file or at the root of a checkout."""
        return str(_resource(filename) or ScriptedLoadableModule.resourcePath(self, filename))


def _resource(name: str) -> Path | None:
    return next((p for p in (_HERE / "Resources" / name, _HERE.parent / "Resources" / name) if p.is_file()), None)


class Device(Enum):
    """Where the network runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


@parameterNodeWrapper
class ASLDenoiseParameterNode:
    """What the user chose; saved with the scene. Empty text stands for the default."""

    asl: slicer.vtkMRMLSequenceNode
    t1: slicer.vtkMRMLScalarVolumeNode
    m0: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    model: str = ""
    pairs: str = ""
    device: Device = Device.AUTO


class ASLDenoiseLogic(ScriptedLoadableModuleLogic):
    """Runs the library on nodes, synchronously: for the Python console, scripts and tests."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleLogic.__init__(self, parent)

    def getParameterNode(self):
        """The module's parameter node, wrapped."""
        return ASLDenoiseParameterNode(super().getParameterNode())

    def process(
        self,
        asl,
        t1=None,
        *,
        m0=None,
        segmentation=None,
        tissue=None,
        model: str | None = None,
        preparation: Any = None,
        device: str = "auto",
        recovery: bool = True,
        progress: Callable[[float, str], None] | None = None,
    ):
        """Denoise, quantify, measure and show.

        Args:
            asl: sequence, sequence browser, browsed volume or multi-volume node of the series.
            t1: scalar volume node of the same head, or None.
            m0: scalar volume node on the grid of the series; None takes the one that came with the series.
            segmentation: segmentation node with ROIs, or None.
            tissue: segmentation node with segments GM and WM (and CSF), in place of tissue from the T1, or None.
            model: name in the catalogue; None the default.
            preparation: an ASLDenoiseLib.Preparation: pairs, motion, nuisances, outliers, smoothing; None the defaults.
            device: auto, cpu, cuda or mps.
            recovery: put back what the residual shows the network to have taken from tissue.
            progress: called with a fraction 0..1 and a line of text.

        Returns:
            ASLDenoiseLib.scene.present.PresentedNodes: the nodes, and the run itself as `.result`.

        Raises:
            ASLDenoiseLib.errors.InputError: the input cannot be used, and why; the scene is as it was.
        """
        from ASLDenoiseLib import pipeline
        from ASLDenoiseLib.scene.present import present

        series, inputs = self.inputs(asl, t1, m0=m0, segmentation=segmentation, tissue=tissue)
        chosen = {"model": model, "preparation": preparation, "progress": progress}
        chosen = {name: value for name, value in chosen.items() if value}
        result = pipeline.denoise(series, device=device, recovery=recovery, **inputs, **chosen)
        return present(result, scene=asl.GetScene(), source=asl)

    def inputs(self, asl, t1=None, *, m0=None, segmentation=None, tissue=None) -> "tuple[Any, dict[str, Any]]":
        """The nodes as the library wants them: the series, and keyword arguments `t1`, `regions` and `tissue`."""
        from ASLDenoiseLib.scene.segments import regions_from_segmentation, tissue_from_segmentation
        from ASLDenoiseLib.scene.series import series_from_sequence
        from ASLDenoiseLib.scene.volumes import volume_from_node

        series = series_from_sequence(asl, m0=m0)
        regions = {} if segmentation is None else regions_from_segmentation(segmentation, series.geometry)
        known = None if tissue is None else tissue_from_segmentation(tissue, series.geometry)
        return series, {"t1": None if t1 is None else volume_from_node(t1), "regions": regions, "tissue": known}


class ASLDenoiseTest(ScriptedLoadableModuleTest):
    """The self test, on a small made series; run by Slicer's Reload and Test, by ctest and by pytest."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        for name in sorted(name for name in dir(self) if name.startswith("test_")):
            self.setUp()
            getattr(self, name)()

    def test_seriesSurvivesTheScene(self):
        """A series put into the scene and read back is the same series."""
        import numpy as np

        from ASLDenoiseLib.scene.series import series_from_sequence, series_to_nodes

        series = _madeSeries()
        back = series_from_sequence(series_to_nodes(series).sequence)
        np.testing.assert_array_equal(back.array, series.array)
        self.assertEqual(back.context, series.context)
        self.assertEqual(back.acquisition, series.acquisition)

    def test_processShowsRawBesideDenoised(self):
        """`process` adds raw and denoised CBF in the same units at the same window, and a readouts table."""
        if importlib.util.find_spec("torch") is None:
            self.delayDisplay("Left out: PyTorch is not installed.")
            return
        from ASLDenoiseLib.scene.series import series_to_nodes

        nodes = ASLDenoiseLogic().process(series_to_nodes(_madeSeries()).sequence)
        raw, denoised = nodes.maps["desc-mean_cbf"], nodes.maps["desc-denoised_cbf"]
        for node in (raw, denoised):
            self.assertEqual(node.GetVoxelValueUnits().GetCodeValue(), "ml/[100]g/min")
            self.assertEqual(node.GetDisplayNode().GetWindowLevelMin(), 0.0)
            self.assertEqual(node.GetDisplayNode().GetWindowLevelMax(), 90.0)
        self.assertGreater(nodes.readouts.GetNumberOfRows(), 0)

    def test_wrongInputLeavesTheSceneAsItWas(self):
        """A plain volume is refused with a sentence that says what to select, and nothing is added."""
        from ASLDenoiseLib.errors import InputError

        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1")
        before = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaisesRegex(InputError, "not an ASL series"):
            ASLDenoiseLogic().process(volume)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)


def _madeSeries():
    """A ball of grey matter round one of white, six noisy pCASL pairs of 4 mm voxels, M0 1000; GM 60, WM 20."""
    import numpy as np

    from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Labeling, M0Type, Origin, Volume

    geometry = Geometry((36, 40, 16), (4.0, 4.0, 6.0), (-70.0, -78.0, -45.0))
    k, j, i = np.indices(geometry.shape)
    radius = np.sqrt(((i - 17.5) / 15) ** 2 + ((j - 19.5) / 17) ** 2 + ((k - 7.5) / 7) ** 2)
    head, white = radius < 1.0, radius < 0.65
    acquisition = Acquisition(
        labeling=Labeling.PCASL,
        post_labeling_delay=1.8,
        label_duration=1.8,
        field_strength=3.0,
        background_suppression=False,
        readout="3D",
        m0_type=M0Type.SEPARATE,
        m0_repetition_time=6.0,
        origins=dict.fromkeys(("labeling", "post_labeling_delay", "label_duration", "field_strength"), Origin.SIDECAR),
    )
    # 86.3 ml/100g/min make a difference of 1 % of M0 with these times (Alsop 2015, equation 1, 3 T)
    difference = 1000.0 * 0.01 / 86.3 * np.where(white, 20.0, 60.0) * head
    noise = np.random.default_rng(7).normal(0.0, 3.0, (12, *geometry.shape))
    images = 1000.0 * head + noise
    images[1::2] -= difference
    m0 = Volume(1000.0 * head + noise[0], geometry, name="m0")
    return ASLSeries(images, geometry, ("control", "label") * 6, acquisition, m0=m0, name="made")
