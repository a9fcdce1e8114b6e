"""The Slicer module file on the real scene, with stand-ins for the Python layer that slicer-core lacks."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from scene_builders import contents, made_result

from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.scene.headless import headless_scene
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.segments import oriented_image
from ASLDenoiseLib.scene.series import series_to_nodes
from ASLDenoiseLib.scene.volumes import volume_to_node
from ASLDenoiseLib.spatial.regions import Drawing

pytestmark = pytest.mark.usefixtures("worked_out")


@pytest.fixture
def module(desktop, repo_root, monkeypatch):
    """The module's file, run as Slicer's module factory does."""
    monkeypatch.syspath_prepend(str(repo_root / "ASLDenoise"))
    spec = importlib.util.spec_from_file_location("ASLDenoise", repo_root / "ASLDenoise" / "ASLDenoise.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "ASLDenoise", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def scene(desktop):
    """The desktop's own."""
    import slicer

    return slicer.mrmlScene


@pytest.fixture
def made(module):
    from ASLDenoisePanel.selftest_series import selfTestSeries

    return selfTestSeries()


def test_the_module_says_what_it_is_and_that_it_is_for_research(repo_root, desktop):
    from slicer_harness.modules import load_scripted_module

    parent = load_scripted_module(repo_root / "ASLDenoise" / "ASLDenoise.py")
    assert parent.title == "ASL Denoise"
    assert list(parent.categories) == ["Neuroimaging"]
    assert not parent.icon.isNull()
    assert "research use only" in parent.helpText and "tutorial.md" in parent.helpText
    assert "Nothing is sent anywhere" in parent.helpText
    for word in ("Apache-2.0", "LICENSE.txt", "#how-to-cite", "Alsop"):
        assert word in parent.acknowledgementText
    assert "Sequences" in parent.dependencies


def test_choices_live_in_the_scene(module, scene):
    nodes = series_to_nodes(made_result().series)
    parameters = module.ASLDenoiseLogic().getParameterNode()
    assert (parameters.asl, parameters.pairs, parameters.device) == (None, "", module.Device.AUTO)
    parameters.asl, parameters.pairs, parameters.device = nodes.sequence, "1-10", module.Device.CPU
    again = module.ASLDenoiseLogic().getParameterNode()
    assert again.asl is nodes.sequence
    assert (again.pairs, again.device) == ("1-10", module.Device.CPU)


def test_nodes_reach_the_library_as_its_nouns(module, scene):
    result = made_result()
    sequence = series_to_nodes(result.series).sequence
    t1 = volume_to_node(result.t1)
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "rois")
    for name, image in {"GM": result.tissue.gm, "WM": result.tissue.wm, "thalamus": None}.items():
        drawing = result.drawings[name] if image is None else Drawing.of(image)
        segmentation.AddSegmentFromBinaryLabelmapRepresentation(oriented_image(drawing), name, [1.0, 0.0, 0.0])
    series, head, regions = module.ASLDenoiseLogic().inputs(sequence, t1, segmentation=segmentation)
    np.testing.assert_array_equal(series.array, result.series.array)
    np.testing.assert_array_equal(head.t1.array, result.t1.array)
    assert {region.name for region in regions} == {"GM", "WM", "thalamus"} and head.tissue is None
    _, head, _ = module.ASLDenoiseLogic().inputs(sequence, tissue=segmentation)
    assert head.tissue.source == "segmentation 'rois'"


@pytest.mark.runs
def test_process_presents_what_the_pipeline_returns(module, made, scene, monkeypatch):
    sequence = series_to_nodes(made).sequence
    nodes = module.ASLDenoiseLogic().process(sequence, preparation=Preparation(pairs="1-4"), model="unet2d-lfn")
    cbf = nodes.result.maps["desc-mean_cbf"].array
    assert np.nanmedian(cbf[8][np.isfinite(cbf[8])]) == pytest.approx(60, abs=20)
    assert nodes.maps["desc-mean_cbf"].GetScene() is scene
    assert nodes.readouts.GetNumberOfRows() > 0
    assert any(p.name == "pairs" and p.value == "1-4" for p in nodes.result.parameters)


def test_process_leaves_the_scene_as_it_was_when_the_pipeline_refuses(module, made, scene):
    from ASLDenoiseLib.errors import InputError

    sequence = series_to_nodes(made).sequence
    before = contents(scene)
    with pytest.raises(InputError):
        module.ASLDenoiseLogic().process(sequence, model="no-such-model")
    assert contents(scene) == before


RUNS = (
    "test_aPairTakenOutIsGoneFromTheMapsOfTheNextRun",
    "test_processShowsRawBesideDenoised",
    "test_applyRunsInAChildAndShowsTheResult",
    "test_cancelLeavesTheSceneAsItWas",
)
SELF_TESTS = (
    "test_seriesSurvivesTheScene",
    "test_segmentsOfOneLayerAreEachTheirOwn",
    "test_wrongInputLeavesTheSceneAsItWas",
    "test_panelFillsItselfAndSaysWhatIsMissing",
    "test_addDataReadsTheSampleAsASeries",
    *RUNS,
)


@pytest.mark.child
@pytest.mark.parametrize("name", SELF_TESTS)
def test_the_self_test_passes(repo_root, desktop, name):
    """As in a Slicer that has loaded the module."""
    if name in RUNS:
        from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, models_folder

        if not (models_folder() / DEFAULT_MODEL / "models" / "model.pt").is_file():
            pytest.skip(f"the weights of {DEFAULT_MODEL} are not in this checkout")
    from slicer_harness.panel import open_panel

    panel = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
    test = sys.modules["ASLDenoise"].ASLDenoiseTest()
    test.messageDelay = 0
    test.setUp()
    getattr(test, name)()
    panel.close()


def test_every_self_test_is_run(module):
    assert sorted(n for n in dir(module.ASLDenoiseTest) if n.startswith("test_")) == sorted(SELF_TESTS)


def test_reading_the_module_again_reads_its_parts_again(module, repo_root):
    """Slicer's Reload runs this one file; what is edited in the panel must not wait for a restart."""
    before = sys.modules["ASLDenoisePanel.states"]
    spec = importlib.util.spec_from_file_location("ASLDenoise", repo_root / "ASLDenoise" / "ASLDenoise.py")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert sys.modules["ASLDenoisePanel.states"] is not before


def test_the_modules_files_open_without_heavy_imports(repo_root, module):
    import ast

    folder, names = repo_root / "ASLDenoise", set()
    for path in (folder / "ASLDenoise.py", *(folder / "ASLDenoisePanel").glob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.split(".")[0])
    allowed = {"slicer", "vtk", "qt", "ctk", "ASLDenoisePanel", "ASLDenoiseLib"}
    assert names - set(sys.stdlib_module_names) <= allowed


def test_slicer_finds_its_classes_by_name_in_the_modules_file(module):
    for part in ("", "Widget", "Logic", "Test", "FileReader", "FileDialog"):
        assert isinstance(getattr(module, f"ASLDenoise{part}"), type)


def test_presented_nodes_carry_the_result():
    result = made_result()
    with headless_scene() as scene:
        assert present(result, scene=scene).result is result
