"""Where slice views look at first, and that legends lie beside the brain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from drawn_views import drawn, slice_views
from scene_builders import made_result

from ASLDenoiseLib.result.maps import MAPS, RELATIVE, SUPERRESOLVED, kind_of
from ASLDenoiseLib.scene.choose import compare, place_of, show_map
from ASLDenoiseLib.scene.display import TICKS_ATTRIBUTE, legends_of
from ASLDenoiseLib.scene.headless import headless_scene
from ASLDenoiseLib.scene.legends import _AT_RIGHT, _fewer
from ASLDenoiseLib.scene.place import Place, forget_look, place_of_brain
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.series import Geometry, Volume

RAW, DENOISED, RESIDUAL = "desc-mean_cbf", "desc-denoised_cbf", "desc-residual_cbf"


def masked(result):
    """The result with what lies outside the brain not measured, as a run gives it."""
    outside = result.tissue.brain.array <= 0.5
    maps = {key: volume.with_array(np.where(outside, np.nan, volume.array)) for key, volume in result.maps.items()}
    return replace(result, maps=maps)


@pytest.fixture(scope="module")
def template():
    pytest.importorskip("nilearn")
    from ASLDenoiseLib.preparing.template import icbm_template

    return icbm_template().brain


@pytest.mark.parametrize(("first", "last"), [(0, 91), (11, 91), (21, 91), (0, 77), (21, 77)])
def test_the_first_axial_slice_is_that_of_the_basal_ganglia_also_where_slices_are_missing(template, first, last):
    """Caudate, putamen and thalamus are in one slice from z = 0 to 12 mm."""
    affine = template.geometry.affine_ras.copy()
    affine[2, 3] += 2 * first
    part = template.array[first:last]
    x, y, z = place_of_brain(Volume(part, Geometry.from_affine_ras(affine, part.shape[::-1]))).point
    assert 0 <= z <= 8
    assert -26 <= x <= -14 and -6 <= y <= 8


@pytest.mark.parametrize("degrees", [-15, -8, 8, 15])
def test_a_tilted_head_is_looked_at_within_a_centimetre_of_them(template, degrees):
    a = np.deg2rad(degrees)
    turn = np.array([[1, 0, 0, 0], [0, np.cos(a), -np.sin(a), 0], [0, np.sin(a), np.cos(a), 0], [0, 0, 0, 1]])
    geometry = Geometry.from_affine_ras(turn @ template.geometry.affine_ras, template.geometry.size)
    wanted = (turn @ np.array([0.0, 2.0, 4.0, 1.0]))[2]
    assert place_of_brain(Volume(template.array, geometry)).point[2] == pytest.approx(wanted, abs=10)


def test_an_empty_mask_has_a_place_all_the_same():
    geometry = Geometry((8, 8, 4), (4.0, 4.0, 5.0), (0.0, 0.0, 0.0))
    place = place_of_brain(Volume(np.zeros(geometry.shape, np.float32), geometry))
    assert np.isfinite(place.point).all() and Place.of_text(place.text()) == place


def test_the_first_run_shows_the_brain_whole_through_that_point_in_every_view():
    with headless_scene() as scene, slice_views(scene, (500, 420)) as logics:
        place = place_of(present(masked(made_result())))
        for axis, tag in ((2, "Red"), (1, "Green"), (0, "Yellow")):
            node = logics[tag].GetSliceNode()
            assert node.GetSliceToRAS().GetElement(axis, 3) == pytest.approx(place.point[axis])
            in_plane = [n for n in range(3) if n != axis]
            spans = np.ptp(np.array(place.box), axis=1)[in_plane]
            assert np.all(np.array(node.GetFieldOfView()[:2]) >= spans)


def test_a_series_that_was_loaded_since_gets_a_first_look_of_its_own():
    with headless_scene() as scene, slice_views(scene, (500, 420)) as logics:
        red = logics["Red"].GetSliceNode()
        place = place_of(present(masked(made_result())))
        red.SetSliceOffset(place.point[2] + 8)
        present(masked(made_result(model="another")))
        assert red.GetSliceOffset() == pytest.approx(place.point[2] + 8)
        forget_look(scene)
        present(masked(made_result(model="a third")))
        assert red.GetSliceOffset() == pytest.approx(place.point[2])


@pytest.mark.parametrize("size", [(500, 700), (700, 450), (350, 420), (420, 420), (900, 380)])
def test_no_pixel_of_a_legend_lies_over_the_brain(size):
    with headless_scene() as scene, slice_views(scene, size) as logics:
        nodes = present(masked(made_result()))
        for act, tags in ((lambda: show_map(nodes, RESIDUAL), ("Red",)), (lambda: compare(nodes), ("Red", "Yellow"))):
            act()
            for tag in tags:
                with_legend = drawn(logics[tag])
                legend = np.any(with_legend != drawn(logics[tag], legends=False), axis=2)
                view = logics[tag].GetSliceCompositeNode()
                background = view.GetBackgroundVolumeID()
                view.SetBackgroundVolumeID(None)
                brain = np.ptp(drawn(logics[tag], legends=False).astype(int), axis=2) > 20
                view.SetBackgroundVolumeID(background)
                assert brain.mean() > 0.1 and legend.sum() > 300
                assert not (legend & brain).any()
                assert legend.mean() < 0.08  # small


def test_a_legend_is_laid_out_for_the_views_that_the_layout_shows_not_for_a_hidden_one_of_another_shape():
    with headless_scene() as scene, slice_views(scene, (350, 500)) as logics:
        nodes = present(masked(made_result()))
        logics["Green"].GetSliceNode().SetDimensions(900, 300, 1)  # as an earlier layout left it
        for tag in ("Red", "Yellow"):
            logics[tag].GetSliceNode().SetMappedInLayout(1)
        compare(nodes)
        assert logics["Green"].GetSliceCompositeNode().GetForegroundVolumeID() == nodes.shown.GetID()
        (legend,) = legends_of(nodes.shown)
        assert legend.GetOrientation() == legend.Horizontal


def test_negative_cbf_is_blue_in_a_view_and_what_was_not_measured_shows_the_t1():
    result = masked(made_result())
    raw = result.maps[RAW]
    array = np.where(np.isnan(raw.array), np.nan, np.float32(-5.0))
    array[:, :8] = np.where(np.isnan(array[:, :8]), np.nan, 60.0)
    with headless_scene() as scene, slice_views(scene, (300, 300)) as logics:
        nodes = present(replace(result, maps={**result.maps, RAW: raw.with_array(array)}))
        show_map(nodes, RAW, opacity=1.0)
        pixels = drawn(logics["Red"], legends=False).astype(int)
    blue = np.all(np.abs(pixels - np.array([0x1E, 0x64, 0xD8])) < 12, axis=2)
    grey = np.ptp(pixels, axis=2) < 4
    assert blue.mean() > 0.1 and grey[:20].mean() > 0.9


def test_an_upright_legend_of_few_numbers_is_not_set_in_larger_letters_than_one_of_many():
    wide = {}
    with headless_scene() as scene, slice_views(scene, (450, 310)) as logics:
        nodes = present(masked(made_result()))
        (legend,) = legends_of(nodes.shown)
        for ticks in (10, 5):
            legend.SetAttribute(TICKS_ATTRIBUTE, str(ticks))
            show_map(nodes, RAW)
            show_map(nodes, DENOISED)
            changed = np.any(drawn(logics["Red"]) != drawn(logics["Red"], legends=False), axis=2)
            wide[ticks] = np.ptp(np.flatnonzero(changed.any(axis=0)))
    assert wide[10] <= wide[5] <= _AT_RIGHT


@pytest.mark.parametrize("ticks", [5, 6, 7, 10, 11, 13])
def test_a_legend_that_lies_keeps_numbers_that_it_had(ticks):
    fewer = _fewer(ticks)
    assert 2 <= fewer <= 6 and (ticks - 1) % (fewer - 1) == 0


def corner_text(name: str, width: int) -> str:
    """A volume's name as Slicer's slice annotations cut it (DataProbeLib.SliceViewAnnotations.fitText, 14 points)."""
    letters = int((width - 40) / 14)
    half = int(letters / 2)
    return name if len(name) <= letters else f"{name[:half]}...{name[-(half - 3) :]}"


@pytest.mark.parametrize("maps", [tuple(MAPS), tuple(key for key in MAPS if key != SUPERRESOLVED), tuple(RELATIVE)])
def test_the_names_of_maps_stay_apart_where_the_corner_of_a_view_cuts_them(maps):
    names = [f"{kind_of(key, maps).short} sub-01_ses-02_run-01_asl" for key in maps]
    assert len({corner_text(name, 400) for name in names}) == len(names)


def test_a_maps_node_has_that_name():
    with headless_scene():
        nodes = present(made_result())
        assert [nodes.maps[key].GetName() for key in (RAW, DENOISED)] == ["Raw CBF sub-77", "Denoised CBF sub-77"]
