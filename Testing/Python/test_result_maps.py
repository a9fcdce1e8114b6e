"""The one table of maps: whatever shows a map, on paper, in files or in the scene, reads it from there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

import pytest
from scene_builders import made_result

from ASLDenoiseLib.reporting import dataset, plots, provenance
from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.reporting.fragments import readouts_html
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.result.maps import (
    DENOISED,
    MAPS,
    MNI,
    PREPARED,
    RAW,
    RESIDUAL,
    SMOOTHED,
    SUPERRESOLVED,
    UNCERTAINTY,
    MapKind,
    Role,
    furthest,
    keys_of,
    kind_of,
)
from ASLDenoiseLib.result.table import readouts_table

ARRIVAL = MapKind(
    "desc-arrival_map",
    Role.COMPARISON,
    "Arrival time",
    "When the labelled blood arrives.",
    note="is not a flow.",
    unit="s",
    quantity="Arrival",
    window=(-0.5, 2.5),
    colours="cividis",
    scene_colours="DivergingBlueRed",
    ticks=7,
)


@pytest.fixture
def arrival(monkeypatch) -> Result:
    """A run with a map of a kind that the product knows from the table alone."""
    monkeypatch.setitem(MAPS, ARRIVAL.key, ARRIVAL)
    result = made_result()
    array = result.maps[RAW].with_array(result.maps[RAW].array / 50.0, unit="s")
    readouts = {**result.readouts, ARRIVAL.key: result.readouts[RAW]}
    return replace(result, maps={**result.maps, ARRIVAL.key: array}, readouts=readouts)


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every string below `tree` but docstrings."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node


def test_keys_of_maps_stand_in_the_table_alone(repo_root):
    folders = (repo_root / "ASLDenoiseLib", repo_root / "ASLDenoise")
    spelt = {
        path.relative_to(repo_root).as_posix()
        for folder in folders
        for path in folder.rglob("*.py")
        for text in texts(ast.parse(path.read_text("utf-8")))
        if any(key in text.value for key in (*MAPS, MNI))
    }
    assert spelt == {"ASLDenoiseLib/result/map_table.py"}


def test_a_new_kind_is_named_in_readouts_and_report(arrival):
    assert "Arrival time" in readouts_table(arrival).splitlines()[0]
    page = readouts_html(arrival)
    assert ">Arrival time</th>" in page and "'Arrival time' is not a flow." in page


def test_a_new_kind_is_described_in_sidecar_and_folder(arrival, tmp_path):
    beside = provenance.sidecar(arrival, ARRIVAL.key)
    assert (beside["Description"], beside["Units"]) == (ARRIVAL.description, "s")
    assert "ComparedWith" not in beside and "ComparedWith" in provenance.sidecar(arrival, DENOISED)
    assert provenance.readouts_json(arrival)["maps"][ARRIVAL.key]["label"] == "Arrival time"
    assert dataset.contents(arrival)[f"*_{ARRIVAL.key}.nii.gz"] == f"Arrival time, s. {ARRIVAL.description}"
    assert write_result(arrival, tmp_path).maps[ARRIVAL.key].is_file()


def test_a_new_kind_is_drawn_in_its_window_and_colours(arrival, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "map_panels", lambda panels, *_, **__: drawn.extend(panels) or b"")
    plots.montage_png(arrival)
    shown = {label: (colours, window) for label, _, colours, window, _ in drawn}
    assert shown["Arrival time"] == ("cividis", (-0.5, 2.5))
    assert shown["Raw mean"] == ("inferno", (0.0, 90.0))
    assert shown["Raw minus denoised"] == ("RdBu_r", (-30.0, 30.0))


def test_a_new_kind_is_shown_in_the_scene_with_its_legend(arrival):
    pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")
    from ASLDenoiseLib.scene.choose import choices
    from ASLDenoiseLib.scene.display import legends_of
    from ASLDenoiseLib.scene.headless import headless_scene
    from ASLDenoiseLib.scene.present import present

    with headless_scene() as scene:
        nodes = present(arrival, scene=scene)
        node = nodes.maps[ARRIVAL.key]
        display, (legend,) = node.GetDisplayNode(), legends_of(node)
        assert node.GetDescription() == "Arrival time"
        assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (-0.5, 2.5)
        assert "DivergingBlueRed" in display.GetColorNode().GetName()
        assert (legend.GetTitleText(), legend.GetNumberOfLabels()) == ("Arrival (s)", 7)
        assert ("Arrival time", ARRIVAL.key) in [(choice.label, choice.key) for choice in choices(nodes)]


def test_a_map_of_another_unit_than_its_kinds_is_shown_in_grey():
    pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")
    from ASLDenoiseLib.scene.display import legends_of
    from ASLDenoiseLib.scene.headless import headless_scene
    from ASLDenoiseLib.scene.present import present

    result = made_result()
    maps = {**result.maps, RAW: result.maps[RAW].with_array(result.maps[RAW].array, unit="")}
    with headless_scene() as scene:
        nodes = present(replace(result, maps=maps), scene=scene)
        assert legends_of(nodes.maps[RAW]) == [] and len(legends_of(nodes.maps[DENOISED])) == 1


def test_a_new_processed_kind_is_what_its_run_is_for(monkeypatch):
    key = "desc-adapted_cbf"
    monkeypatch.setitem(MAPS, key, MapKind(key, Role.PROCESSED, "Adapted", "Adapted."))
    result = made_result()
    result = replace(result, maps={**result.maps, key: result.maps[DENOISED]})
    assert (result.processed, result.on_series) == (key, key)
    assert result.kind(RESIDUAL).label == "Raw minus adapted"
    assert key in keys_of(Role.PROCESSED)


def test_every_kind_is_one_sentence_and_can_be_drawn():
    from matplotlib import colormaps

    for key, kind in MAPS.items():
        assert kind.key == key and kind.description.endswith(".") and kind.label[0].isupper()
        assert kind.colours in colormaps and (kind.window is None) == (kind.role is Role.PERFUSION_WEIGHTED)
        assert kind.title == (f"{kind.quantity} ({kind.unit})" if kind.unit else kind.quantity)
    assert [kind.role for kind in MAPS.values()].count(Role.RAW) == 1


def test_the_furthest_map_is_super_resolved_denoised_or_prepared():
    made = (RAW, PREPARED, DENOISED, SMOOTHED, SUPERRESOLVED)
    assert (furthest(made), furthest(made, on_series=True)) == (SUPERRESOLVED, DENOISED)
    assert furthest((RAW, PREPARED, SMOOTHED)) == PREPARED
    assert furthest((RAW, SMOOTHED)) is None


def test_a_difference_and_an_uncertainty_are_named_after_the_maps_of_the_run():
    assert kind_of(RESIDUAL, (RAW, PREPARED)).label == "Raw minus prepared mean"
    fine = (RAW, PREPARED, SUPERRESOLVED)
    assert kind_of(RESIDUAL, fine).label == "Prepared mean minus super-resolved, averaged back"
    assert kind_of(RESIDUAL, (RAW, SUPERRESOLVED)).label == "Raw mean minus super-resolved, averaged back"
    assert "super-resolved" in kind_of(UNCERTAINTY, fine).description
    assert "denoised" in kind_of(UNCERTAINTY, (RAW, DENOISED)).description


def test_a_map_on_the_templates_grid_looks_like_its_original():
    there, here = kind_of(f"{MNI}_{DENOISED}"), kind_of(DENOISED)
    assert (there.label, there.description) == ("Denoised, MNI space", "Denoised, MNI space.")
    assert there.short == "MNI space, Denoised CBF"  # the first words tell maps apart, and the others are cut first
    named = {"key": here.key, "label": here.label, "short": here.short, "description": here.description}
    assert replace(there, **named) == here


def test_a_key_that_the_table_lacks_is_named_by_itself():
    kind = kind_of("desc-mine_cbf")
    assert (kind.label, kind.description, kind.title) == ("mine cbf", "mine cbf.", "CBF (ml/100g/min)")
