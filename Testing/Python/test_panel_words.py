"""What the panel says and understands, without a window: rows, sentences, names."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from dataclasses import replace

import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.series import Acquisition, Labeling, M0Type, Origin, VolumeType


@pytest.fixture
def panel(desktop, repo_root, monkeypatch):
    """The parts of the panel can be imported."""
    monkeypatch.syspath_prepend(str(repo_root / "ASLDenoise"))
    forget_panel()
    yield desktop
    forget_panel()


def forget_panel():
    """They bind the stand-ins of one desktop."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "ASLDenoisePanel"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("words", "short"),
    [
        (["control", "label"] * 6, "control, label"),
        (["m0scan", *["label", "control"] * 4], "m0scan, label, control"),
        (["m0scan", "n/a", *["label", "control"] * 8], "m0scan, n/a, label, control"),
        (["deltam"] * 3, "deltam"),
        (["control", "label", "label"], "control, label, label"),
    ],
)
def test_the_order_of_volumes_is_the_shortest_pattern_and_reads_back(panel, words, short):
    from ASLDenoisePanel.acquisition_rows import contextFrom, shortContext

    assert shortContext(words) == short
    assert [kind.value for kind in contextFrom(short, len(words))] == words


def test_rows_name_value_unit_and_where_it_came_from(panel):
    from ASLDenoisePanel.acquisition_rows import acquisitionRows

    acquisition = Acquisition(
        labeling=Labeling.PCASL,
        post_labeling_delay=(0.0, 1.8, 1.8),
        background_suppression=True,
        origins={
            "labeling": Origin.SIDECAR,
            "post_labeling_delay": Origin.DICOM,
            "background_suppression": Origin.USER,
        },
    )
    rows = {
        row.field: row
        for row in acquisitionRows(acquisition, [VolumeType.M0SCAN, VolumeType.CONTROL, VolumeType.LABEL])
    }
    assert (rows["labeling"].text, rows["labeling"].origin) == ("PCASL", "file")
    assert (rows["post_labeling_delay"].text, rows["post_labeling_delay"].unit) == ("1.8", "s")  # an M0 has no delay
    assert rows["post_labeling_delay"].tip == "PostLabelingDelay = 1.8 (2 volumes)"
    assert (rows["background_suppression"].text, rows["background_suppression"].origin) == ("yes", "you")
    assert (rows["label_duration"].text, rows["label_duration"].origin) == ("", "")
    assert rows["context"].text == "m0scan, control, label"


def test_what_is_typed_becomes_the_users_value_and_emptied_is_no_longer_stated(panel):
    from ASLDenoisePanel.acquisition_rows import withEdit

    acquisition = Acquisition(label_duration=1.4, origins={"label_duration": Origin.SIDECAR})
    edited = withEdit(acquisition, "label_duration", " 1.8 ")
    assert (edited.label_duration, edited.origins["label_duration"]) == (1.8, Origin.USER)
    assert withEdit(edited, "label_duration", "").label_duration is None
    assert withEdit(acquisition, "post_labeling_delay", "0.7, 1.2").post_labeling_delay == (0.7, 1.2)
    assert withEdit(acquisition, "background_suppression", "No").background_suppression is False
    assert withEdit(acquisition, "suppression_pulses", "2").suppression_pulses == 2
    assert withEdit(acquisition, "suppression_pulses", "0").background_suppression is False
    assert withEdit(acquisition, "labeling", "PASL").labeling is Labeling.PASL
    assert withEdit(acquisition, "m0_estimate", "1000").m0_type is M0Type.ESTIMATE


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("label_duration", "long", "not a number"),
        ("label_duration", "-1", "lies between"),
        ("t1_blood", "0", "lies between"),
        ("background_suppression", "maybe", "yes or no"),
        ("labeling", "VSASL", "ArterialSpinLabelingType"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_words(panel, field, text, said):
    from ASLDenoisePanel.acquisition_rows import withEdit

    with pytest.raises(InputError, match=said):
        withEdit(Acquisition(), field, text)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({}, "Select an ASL series"),
        ({"series": True}, "holds no images"),
        ({"series": True, "volumes": 8, "ordered": False}, "which volumes are control"),
        ({"series": True, "volumes": 8, "unusable": "No delay. Give it."}, "No delay. Give it."),
        ({"series": True, "volumes": 8, "needsT1": True}, "Select a T1"),
        ({"series": True, "volumes": 8, "tissue": True}, "Select the segmentation"),
        ({"series": True, "volumes": 8, "pairs": "2-1"}, "pairs are not understood"),
        ({"series": True, "volumes": 8, "pairs": "0"}, "pairs are not understood"),
        ({"series": True, "volumes": 8, "busy": "Loading x..."}, "Loading x..."),
    ],
)
def test_what_stands_in_the_way_is_said_in_one_sentence(panel, choices, said):
    from ASLDenoisePanel.states import Choices, obstacle

    assert said in obstacle(Choices(**choices))


@pytest.mark.parametrize("pairs", ["", "10", "1-10", " 3 - 4 "])
def test_nothing_stands_in_the_way_of_a_series_with_usable_choices(panel, pairs):
    from ASLDenoisePanel.states import Choices, obstacle

    assert obstacle(Choices(series=True, volumes=8, needsT1=True, t1=True, pairs=pairs)) == ""


def test_the_outlier_methods_to_choose_from_are_the_librarys(panel):
    from ASLDenoisePanel.parameters import Outliers

    from ASLDenoiseLib.preparing.outliers import DEFAULT_METHOD, METHODS

    assert {choice.value for choice in Outliers} == set(METHODS)
    assert next(iter(Outliers)).value == DEFAULT_METHOD
    assert all(choice.label() for choice in Outliers)
    assert Outliers.ZSCORE.label() == "Remove noisy slices (recommended)" and "z-score" in Outliers.ZSCORE.tip()


def test_models_and_methods_have_plain_names_and_each_its_own(panel):
    """'guided-unet', 'pyramid-paper' and 'Weigh down (Huber)' said nothing to who was to choose."""
    from ASLDenoisePanel.parameters import Outliers
    from ASLDenoisePanel.plain_names import methodName, modelName

    from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, list_models
    from ASLDenoiseLib.superresolving import METHODS

    models = {card.name: modelName(card) for card in list_models()}
    methods = {name: methodName(name) for name in METHODS}
    assert len(set(models.values())) == len(models) and len(set(methods.values())) == len(methods)
    assert models[DEFAULT_MODEL] == "Remove noise"
    assert all(name != plain for name, plain in {**models, **methods}.items())
    assert [name for name in models if "to compare with" not in models[name]] == [DEFAULT_MODEL]
    mine = replace(list_models()[0], name="unet3d-of-mine", own=True)
    assert modelName(mine) == "unet3d-of-mine (your own)" and modelName(replace(mine, name="x", own=False)) == "x"
    for choice in Outliers:
        assert not {"score", "aoc", "paocsl", "huber"} & set(choice.label().lower().replace("(", "").split())
        assert choice.tip()


def test_a_bids_folder_gives_its_series_and_the_t1_beside(panel, tmp_path):
    from ASLDenoiseLib.reading.bids_study import series_files, t1_of

    for subject in ("sub-02", "sub-01"):
        for name in (f"perf/{subject}_asl.nii.gz", f"perf/{subject}_m0scan.nii.gz", f"anat/{subject}_T1w.nii.gz"):
            path = tmp_path / subject / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (tmp_path / "derivatives" / "perf").mkdir(parents=True)
    (tmp_path / "derivatives" / "perf" / "sub-01_asl.nii.gz").touch()
    (tmp_path / "sub-01" / "anat" / "sub-01_acq-lowres_T1w.nii.gz").touch()
    found = series_files(tmp_path)
    assert [path.name for path in found] == ["sub-01_asl.nii.gz", "sub-02_asl.nii.gz"]
    assert t1_of(found[0]) == (tmp_path / "sub-01" / "anat" / "sub-01_T1w.nii.gz", False)


def remedies_in(source):
    """The remedies that a source names in full: kind, what it is done to, and a value that is written out."""
    import ast

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("GiveImage", "Choose", "SetField"):
            told = [getattr(argument, "value", None) for argument in node.args]
            if told and isinstance(told[0], str):
                yield node.func.id, told[0], told[1] if node.func.id == "Choose" and len(told) > 1 else None


def test_the_panel_and_the_shell_have_a_place_for_every_remedy_of_the_library(panel, repo_root):
    from ASLDenoisePanel.remedies import panelRemedy

    from ASLDenoiseLib import remedies
    from ASLDenoiseLib.__main__ import make_parser

    commands = next(action for action in make_parser()._actions if isinstance(action.choices, dict)).choices.values()
    options = {option for command in commands for action in command._actions for option in action.option_strings}
    made = {r for path in (repo_root / "ASLDenoiseLib").rglob("*.py") for r in remedies_in(path.read_text("utf-8"))}
    assert len(made) > 20
    for kind, target, value in made | {("Choose", "t1-start", None), ("Choose", "device", "cpu")}:
        value = value or ("auto" if target == "device" else None)
        remedy = getattr(remedies, kind)(target, *([value] if value else []))
        said = panelRemedy([remedy])
        assert "--" not in said and f"with {target}" not in said
        named = {word for word in remedies.shell_option(remedy).split() if word.startswith("--")}
        assert named <= options and (named or kind == "SetField"), remedy


def test_the_panel_says_an_error_and_a_fix_by_its_own_rows_selectors_and_buttons(panel):
    from ASLDenoisePanel.remedies import panelError, panelFix, panelRemedy

    from ASLDenoiseLib.inspecting.fixes import Fix
    from ASLDenoiseLib.remedies import Advice, ApplyFix, Choose, GiveImage, SetField

    error = InputError("There is no M0", [Advice("look for one"), GiveImage("m0"), GiveImage("masks", "give masks")])
    assert str(error) == "There is no M0; look for one; give one with --m0, or give masks with --gm and --wm."
    assert (
        panelError(error) == "There is no M0; look for one; give one with 'M0', or give masks with segments GM and WM."
    )
    assert panelError(InputError("The file is empty; give another.")) == "The file is empty; give another."
    assert panelError(ValueError("odd")) == "odd"
    swap = [Choose("swap", text="swap them"), ApplyFix("control-label-swapped", "swap them")]
    assert panelRemedy(swap) == "swap them with its Fix button"
    assert panelRemedy([SetField("context", "control,label")]) == "give it with 'Order of volumes'"
    fix = Fix("x", "x", "divided by 1000", None, ("post_labeling_delay", "label_duration"))
    assert panelFix(fix) == "Post-labelling delay, Label duration divided by 1000"


@pytest.mark.parametrize(
    ("version", "enough"), [("2.4.0", True), ("2.13.0+cpu", True), ("2.3.1", False), ("1.9", False)]
)
def test_a_torch_too_old_counts_as_missing(panel, monkeypatch, version, enough):
    from ASLDenoisePanel import packages

    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    assert packages.torchThere() is enough


def test_sidecars_beside_the_file_that_slicer_loaded_are_taken_over_with_their_origin(panel, tmp_path):
    import slicer
    from ASLDenoisePanel.selftest_series import selfTestSeries

    from ASLDenoiseLib.scene.series import PREFIX, adopt_sidecar, read_acquisition, read_context, series_to_nodes

    node = series_to_nodes(selfTestSeries()).sequence
    for name in list(node.GetAttributeNames()):
        if name.startswith(PREFIX):
            node.RemoveAttribute(name)
    (tmp_path / "sub-01_asl.nii.gz").touch()
    (tmp_path / "sub-01_asl.json").write_text(json.dumps({"PostLabelingDelay": 1.5, "LabelingDuration": 1.6}))
    (tmp_path / "sub-01_aslcontext.tsv").write_text("volume_type\n" + "label\ncontrol\n" * 6)
    storage = slicer.vtkMRMLVolumeSequenceStorageNode()
    storage.SetFileName(str(tmp_path / "sub-01_asl.nii.gz"))
    slicer.mrmlScene.AddNode(storage)
    node.SetAndObserveStorageNodeID(storage.GetID())
    assert adopt_sidecar(node)
    acquisition = read_acquisition(node)
    assert (acquisition.post_labeling_delay, acquisition.origins["post_labeling_delay"]) == (1.5, Origin.SIDECAR)
    assert [kind.value for kind in read_context(node)] == ["label", "control"] * 6
    assert not adopt_sidecar(node)  # what the node states now is not overwritten
