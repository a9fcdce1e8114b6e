"""MNI space: the fit of the template, and images brought there and back."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing import template_space
from ASLDenoiseLib.preparing.brain_shape import fit_brain_shape
from ASLDenoiseLib.preparing.template import MNI_GRID, icbm_template
from ASLDenoiseLib.preparing.template_space import TemplateSpace, to_template
from ASLDenoiseLib.series import Geometry, Tissue, Volume
from ASLDenoiseLib.spatial.resampling import average_onto, resample

HEAD_GRID = Geometry((80, 96, 80), (2.4, 2.4, 2.4), (-95.0, -110.0, -90.0))
TO_ASL = np.array([[1.0, 0, 0, 4.0], [0, 1.0, 0, -6.0], [0, 0, 1.0, 3.0], [0, 0, 0, 1.0]])


def head_to_template() -> np.ndarray:
    """A head 6 % smaller than the template, nodding by 9 degrees and off by a centimetre."""
    c, s = np.cos(0.15), np.sin(0.15)
    matrix = np.eye(4)
    matrix[:3, :3] = 1.06 * np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    matrix[:3, 3] = (3.0, 9.0, -5.0)
    return matrix


def on_head(volume: Volume) -> Volume:
    return average_onto(volume, HEAD_GRID, transform=np.linalg.inv(head_to_template()), outside=0.0)


@pytest.fixture(scope="module")
def head() -> tuple[Volume, Tissue]:
    """The template as the T1 of a head in another place, and its tissue."""
    template = icbm_template()
    gm, wm, brain = (on_head(each) for each in (template.gm, template.wm, template.brain))
    return on_head(template.t1), Tissue(gm, wm, None, brain.with_array(brain.array > 0.5), source="the template's")


def still(shape: tuple[int, int, int]) -> np.ndarray:
    return np.zeros((*shape, 3))


def affine_space() -> TemplateSpace:
    """A space without any warp."""
    return TemplateSpace(head_to_template(), still(MNI_GRID.shape), still(MNI_GRID.shape), 1.0)


def test_an_image_of_the_head_lands_on_its_place_in_the_template():
    k, j, i = np.indices(HEAD_GRID.shape)
    places = np.stack([i, j, k, np.ones_like(i)], -1) @ HEAD_GRID.affine_lps.T
    index = np.array([45, 60, 40])
    point = np.linalg.inv(head_to_template()) @ MNI_GRID.affine_lps @ [*index, 1]
    for axis in range(3):
        there = affine_space().onto_template(Volume(places[..., axis], HEAD_GRID))
        assert there.geometry.matches(MNI_GRID)
        assert there.array[tuple(index[::-1])] == pytest.approx(point[axis], abs=1e-3)


def test_an_image_of_the_scan_goes_through_the_t1(head):
    t1, _ = head
    scan = Volume(t1.array, Geometry(HEAD_GRID.size, HEAD_GRID.spacing, tuple(np.add(HEAD_GRID.origin, TO_ASL[:3, 3]))))
    one, other = affine_space().onto_template(t1), affine_space().onto_template(scan, transform=TO_ASL)
    np.testing.assert_allclose(one.array, other.array, atol=1e-3)


def test_the_warp_is_added_in_the_space_of_the_template(head):
    t1, _ = head
    shifted = still(MNI_GRID.shape)
    shifted[..., 2] = 2.0  # the point 2 mm above is looked up: the image comes down by a voxel
    space = TemplateSpace(head_to_template(), shifted, -shifted, 1.0)
    plain, moved = affine_space().onto_template(t1).array, space.onto_template(t1).array
    np.testing.assert_allclose(moved[20:70], plain[21:71], atol=1e-2 * np.nanmax(plain))


def test_labels_come_back_to_the_head_whole_and_nothing_beyond_the_template(head):
    labels = icbm_template().brain.with_array((icbm_template().gm.array > 0.5) * 7.0)
    back = affine_space().from_template(labels, HEAD_GRID)
    assert set(np.unique(back.array)) == {0.0, 7.0}
    again = affine_space().onto_template(back, interpolation="nearest").array
    one, other = again > 0, labels.array > 0
    assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.85
    far = Geometry((5, 5, 5), (2.0, 2.0, 2.0), (400.0, 0.0, 0.0))
    assert (affine_space().from_template(labels, far).array == 0).all()


def test_what_the_scan_did_not_cover_is_not_measured_in_the_template(head):
    t1, _ = head
    slab = resample(t1, Geometry((80, 96, 20), (2.4, 2.4, 2.4), (-95.0, -110.0, -20.0)))
    there = affine_space().onto_template(slab).array
    assert np.isnan(there[5]).all() and np.isfinite(there[40, 50, 45])


def test_the_shape_of_the_brain_is_found_under_a_turn_a_shift_and_another_size(head):
    _, tissue = head
    shape = fit_brain_shape(tissue.brain)
    inside = np.argwhere(tissue.brain.array > 0.5)[::200, ::-1]
    points = np.c_[inside, np.ones(len(inside))] @ HEAD_GRID.affine_lps.T
    assert np.linalg.norm(points @ (shape.matrix - head_to_template()).T, axis=1).mean() < 5.0
    assert shape.misfit < 2.0
    one, other = shape.depth(HEAD_GRID) > 0, tissue.brain.array > 0.5
    assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.95


def test_tissue_of_another_place_is_refused(head):
    t1, tissue = head
    with pytest.raises(InputError, match="do not lie in one place"):
        to_template(t1.with_array(np.zeros(t1.array.shape)), tissue)


@pytest.mark.registers
def test_a_head_is_aligned_and_goes_there_and_back(head, monkeypatch):
    # every level is walked, the finest, which takes minutes, by one step: this head differs by an affine alone
    monkeypatch.setattr(template_space, "_SYN_ITERATIONS", (20, 10, 1))
    t1, tissue = head
    steps: list[float] = []
    space = to_template(t1, tissue, progress=lambda fraction, text: steps.append(fraction))
    assert steps == sorted(steps) and steps[-1] == 1.0
    assert space.gm_overlap > 0.85 and space.warning == ""
    height = np.indices(HEAD_GRID.shape)[0] * 2.4 - 90.0
    there = space.onto_template(t1.with_array(height))
    back = space.from_template(there, HEAD_GRID, interpolation="linear").array
    inside = tissue.brain.array > 0.5
    assert np.mean(np.abs(back - height)[inside] < 1.0) > 0.98
