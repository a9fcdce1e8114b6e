"""What one face can ask of a run, all can: every field of a Request has its place in shell, console and panel."""

from __future__ import annotations

import argparse
import inspect
import typing
from dataclasses import fields, is_dataclass

import pytest

from ASLDenoiseLib import pipeline
from ASLDenoiseLib.__main__ import make_parser
from ASLDenoiseLib.pipeline import request as nouns
from ASLDenoiseLib.pipeline.request import Request

# field -> option of the shell, argument of the console's calls, parameter of the panel; a reason in (parentheses) where
# a face says it otherwise
PLACES = {
    "series.path": ("series", "series", "asl"),
    "series.m0": ("m0", "(ad.read takes it)", "m0"),
    "series.context": ("context", "(ad.read takes it)", "(the table of the acquisition)"),
    "series.values": ("post_labeling_delay", "(ad.read takes it)", "(the table of the acquisition)"),
    "series.swap": ("swap", "(ad.fix does it)", "(the table of the acquisition, or its Fix button)"),
    "series.fixes": ("fix", "(ad.fix does it)", "(Fix buttons)"),
    "series.series": ("number", "(ad.read takes it)", "(the list 'Series found')"),
    "head.t1": ("t1", "t1", "t1"),
    "head.gm": ("gm", "tissue", "tissueFromSegmentation"),
    "head.wm": ("wm", "tissue", "tissueFromSegmentation"),
    "head.labels": ("labels", "tissue", "tissueFromSegmentation"),
    "head.tissue": ("(--gm, --wm or --labels)", "tissue", "tissueFromSegmentation"),
    "head.tissue_space": ("tissue_space", "tissue_space", "(the image that the segmentation follows)"),
    "head.t1_to_asl": ("t1_to_asl", "t1_to_asl", "alignment"),
    "head.t1_start": ("t1_start", "t1_start", "alignment"),
    "preparation.pairs": ("pairs", "preparation", "pairs"),
    "preparation.motion": ("no_motion", "preparation", "motion"),
    "preparation.nuisance": ("nuisance", "preparation", "regressMotion"),
    "preparation.outliers": ("outliers", "preparation", "outliers"),
    "preparation.smoothing": ("smooth", "preparation", "smoothing"),
    "preparation.m0_smoothing": ("smooth_m0", "preparation", "m0Smoothing"),
    "preparation.taken_out": ("take_out", "preparation", "takenOut"),
    "preparation.put_back": ("put_back", "preparation", "putBack"),
    "preparation.segmenter": ("segmenter", "preparation", "atropos"),
    "denoising.model": ("model", "model", "model"),
    "denoising.group": ("pre_average", "group", "group"),
    "denoising.interleaved": ("interleaved", "interleaved", "interleaved"),
    "denoising.audit": ("no_audit", "audit", "audit"),
    "denoising.pairs_needed": ("pairs_needed", "pairs_needed", "pairsNeeded"),
    "denoising.split_half": ("split_half", "split_half", "splitHalf"),
    "denoising.adapt": ("adapt", "adapt", "adapt"),
    "superresolution.method": ("method", "method", "method"),
    "superresolution.spacing": ("spacing", "spacing", "spacingX"),
    "superresolution.like": ("like", "like", "like"),
    "superresolution.point_spread": ("point_spread", "point_spread", "pointSpreadX"),
    "outputs.regions": ("roi", "regions", "segmentation"),
    "outputs.atlases": ("atlas", "atlas", "atlas"),
    "outputs.mni": ("mni", "mni", "mni"),
    "outputs.folder": ("out", "(ad.write takes it)", "outputFolder"),
    "outputs.name": ("name", "(the name of the series)", "outputName"),
    "outputs.scene": ("no_scene", "(there is no scene to make)", "(the scene is there)"),
    "outputs.dataset": ("(a cohort's scans: its OUT)", "(ad.cohort's out)", "(a cohort is run by a shell or a script)"),
    "outputs.command": ("(what was typed)", "(ad.write takes it)", "(nothing was typed)"),
    "device": ("device", "device", "device"),
    "fit.kinetics": ("kinetics", "fit", "kinetics"),
    "fit.macrovascular": ("abv", "fit", "macrovascular"),
    "fit.spatial": ("no_spatial_prior", "fit", "spatialPrior"),
    "arrival.att": ("att", "att", "arrival"),
    "arrival.error": ("att_sd", "att", "(the SD map beside it, in the scene or on disk)"),
    "arrival.reference": ("att_reference", "att", "arrivalReference"),
    "arrival.space": ("(--att MAP@t1)", "att", "(the image whose grid it has)"),
}


def leaves(kind: type, prefix: str = "") -> list[str]:
    """The fields of a request, those of its parts by their names after a dot."""
    found, hints = [], typing.get_type_hints(kind, vars(nouns))
    for field in fields(kind):
        parts = [k for k in typing.get_args(hints[field.name]) or (hints[field.name],) if is_dataclass(k)]
        own = [k for k in parts if k.__module__ == nouns.__name__ or k.__name__ == "Preparation"]
        if own and not prefix:
            found += leaves(own[0], f"{field.name}.")
        else:
            found.append(prefix + field.name)
    return found


def test_every_field_of_a_request_has_a_place_in_every_face():
    assert sorted(PLACES) == sorted(leaves(Request))


def options_of(*commands: str) -> set[str]:
    parser = make_parser()
    (subparsers,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return set.intersection(*({a.dest for a in subparsers.choices[name]._actions} for name in commands))


@pytest.mark.parametrize("command", ["denoise", "superres", "quantify"])
def test_the_shell_s_options_are_those_of_the_request(command):
    parts = {"denoise": {"superresolution"}, "quantify": {"superresolution", "denoising", "device"}}.get(command, set())
    asked = {shell for name, (shell, _, _) in PLACES.items() if name.partition(".")[0] not in parts}
    missing = {name for name in asked if not name.startswith("(")} - options_of(command)
    assert missing == set()


@pytest.mark.parametrize("call", ["denoise", "superresolve", "quantify"])
def test_the_console_s_arguments_are_those_of_the_request(call):
    parts = {"denoise": {"superresolution"}, "quantify": {"superresolution", "denoising", "device"}}.get(call, set())
    asked = {console for name, (_, console, _) in PLACES.items() if name.partition(".")[0] not in parts}
    there = inspect.signature(getattr(pipeline, call)).parameters.keys()
    assert {name for name in asked if not name.startswith("(")} - there == set()
    assert there - asked == {"progress"}


def test_the_panel_s_choices_are_those_of_the_request(desktop, repo_root, monkeypatch):
    monkeypatch.syspath_prepend(str(repo_root / "ASLDenoise"))
    from ASLDenoisePanel.parameters import ASLDenoiseParameterNode

    there = set(typing.get_type_hints(ASLDenoiseParameterNode))
    asked = {panel for _, _, panel in PLACES.values() if not panel.startswith("(")}
    assert asked - there == set()
    form = (repo_root / "Resources" / "UI" / "ASLDenoise.ui").read_text("utf-8")
    code = "".join(path.read_text("utf-8") for path in (repo_root / "ASLDenoise" / "ASLDenoisePanel").glob("*.py"))
    for name in asked - {"model", "method", "device", "outputFolder"}:  # these four are filled in by the panel's code
        assert f'<string notr="true">{name}</string>' in form or f'"{name}": "{name}Selector"' in code, name
