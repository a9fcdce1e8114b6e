"""The Slicer module file on the real scene, with stand-ins for the Python layer that slicer-core lacks."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from scene_builders import contents, made_result

from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.scene.embedded import embedded_scene
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.segments import add_segmentation
from ASLDenoiseLib.scene.series import series_to_nodes
from ASLDenoiseLib.scene.volumes import volume_to_node


@pytest.fixture(scope="module")
def standins(repo_root):
    sys.path.insert(0, str(repo_root / "Testing" / "Harness"))
    try:
        import slicer_standins
    finally:
        sys.path.pop(0)
    with slicer_standins.installed():
        yield slicer_standins


@pytest.fixture(scope="module")
def module(standins, repo_root):
    spec = importlib.util.spec_from_file_location("ASLDenoise", repo_root / "ASLDenoise" / "ASLDenoise.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["ASLDenoise"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["ASLDenoise"]


@pytest.fixture
def scene():
    with embedded_scene() as scene:
        yield scene


def test_the_module_says_what_it_is_and_that_it_is_for_research(module, standins):
    parent = standins.Parent()
    module.ASLDenoise(parent)
    assert parent.title == "ASL Denoise"
    assert parent.categories == ["Neuroimaging"]
    assert "research use only" in parent.helpText
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
    segmentation = add_segmentation(result, scene=scene, name="rois", reference=t1)
    series, inputs = module.ASLDenoiseLogic().inputs(sequence, t1, segmentation=segmentation)
    np.testing.assert_array_equal(series.array, result.series.array)
    np.testing.assert_array_equal(inputs["t1"].array, result.t1.array)
    assert set(inputs["regions"]) == {"GM", "WM", "thalamus"} and inputs["tissue"] is None
    _, inputs = module.ASLDenoiseLogic().inputs(sequence, tissue=segmentation)
    assert inputs["tissue"].source == "segmentation 'rois'"


def test_process_presents_what_the_pipeline_returns(module, scene, monkeypatch):
    """With the pipeline's own quantify in place of denoise: no weights needed, everything else real."""
    from ASLDenoiseLib import pipeline

    monkeypatch.setattr(
        pipeline, "denoise", lambda series, *, device, recovery, **options: pipeline.quantify(series, **options)
    )
    sequence = series_to_nodes(module._madeSeries()).sequence
    nodes = module.ASLDenoiseLogic().process(sequence, preparation=Preparation(pairs="1-4"))
    cbf = nodes.result.maps["desc-mean_cbf"].array
    assert np.nanmedian(cbf[8][np.isfinite(cbf[8])]) == pytest.approx(60, abs=20)
    assert nodes.maps["desc-mean_cbf"].GetScene() is scene
    assert nodes.readouts.GetNumberOfRows() > 0
    assert any(p.name == "pairs" and p.value == "1-4" for p in nodes.result.parameters)


def test_process_leaves_the_scene_as_it_was_when_the_pipeline_refuses(module, scene):
    from ASLDenoiseLib.errors import InputError

    sequence = series_to_nodes(module._madeSeries()).sequence
    before = contents(scene)
    with pytest.raises(InputError):
        module.ASLDenoiseLogic().process(sequence, model="no-such-model")
    assert contents(scene) == before


SELF_TESTS = (
    "test_seriesSurvivesTheScene",
    "test_processShowsRawBesideDenoised",
    "test_wrongInputLeavesTheSceneAsItWas",
)


@pytest.mark.parametrize("name", SELF_TESTS)
def test_the_self_test_passes(module, scene, name):
    if name == "test_processShowsRawBesideDenoised":
        from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, models_folder

        if not (models_folder() / DEFAULT_MODEL / "models" / "model.pt").is_file():
            pytest.skip(f"the weights of {DEFAULT_MODEL} are not in this checkout")
    test = module.ASLDenoiseTest()
    test.setUp()
    getattr(test, name)()


def test_every_self_test_is_run(module):
    assert sorted(n for n in dir(module.ASLDenoiseTest) if n.startswith("test_")) == sorted(SELF_TESTS)


def test_the_module_file_opens_without_heavy_imports(repo_root, module):
    import ast

    tree = ast.parse((repo_root / "ASLDenoise" / "ASLDenoise.py").read_text("utf-8"))
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names - set(sys.stdlib_module_names) <= {"slicer", "vtk"}


def test_presented_nodes_carry_the_result(scene):
    result = made_result()
    assert present(result).result is result
