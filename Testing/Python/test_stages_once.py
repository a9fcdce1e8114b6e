"""What a run works out once, or over the brain alone, is what it was when it was worked out anew or everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_builders import GRID, brain, quantifiable, scan
from scipy.ndimage import distance_transform_edt

from ASLDenoiseLib.pipeline import preparation_steps
from ASLDenoiseLib.pipeline.request import Request
from ASLDenoiseLib.pipeline.run import prepared
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial import smoothing
from ASLDenoiseLib.spatial.masks import depth, widened
from ASLDenoiseLib.spatial.resampling import average_onto, resample
from ASLDenoiseLib.spatial.rigid import matrix_from


def test_smoothing_in_the_brains_box_is_smoothing_of_the_whole_grid(monkeypatch):
    array, inside = np.random.default_rng(0).normal(size=GRID.shape), brain().array > 0
    inside[:, :, 30:] = False
    in_box = smoothing.smooth_within(array, inside, GRID.spacing, 8.0)
    monkeypatch.setattr(smoothing, "bounding_box", lambda _: (slice(None),) * 3)
    np.testing.assert_allclose(in_box, smoothing.smooth_within(array, inside, GRID.spacing, 8.0), atol=1e-12)
    assert not smoothing.smooth_within(array, np.zeros_like(inside), GRID.spacing, 8.0).any()


@pytest.mark.parametrize("first", [0, 5], ids=["to the edge of the grid", "within it"])
def test_distances_in_the_box_of_a_mask_are_those_over_the_whole_grid(first):
    mask = brain().array > 0
    mask[:first], mask[:, :first] = False, False
    spacing = GRID.spacing[::-1]
    np.testing.assert_array_equal(depth(mask, GRID), distance_transform_edt(mask, sampling=spacing))
    for reach in (0.0, spacing[0], 7.5, 25.0):
        np.testing.assert_array_equal(
            widened(mask, GRID, reach), distance_transform_edt(~mask, sampling=spacing) <= reach
        )
    assert not widened(np.zeros_like(mask), GRID, 5.0).any() and not depth(np.zeros_like(mask), GRID).any()


def test_means_of_boxes_are_those_over_three_axes_at_once_and_leave_out_what_was_not_measured():
    fine, coarse = Geometry((12, 8, 6), (1.0, 1.0, 1.0)), Geometry((4, 4, 6), (3.0, 2.0, 1.0), (1.0, 0.5, 0.0))
    array = np.random.default_rng(0).normal(100.0, 20.0, fine.shape).astype(np.float32)
    array[0, :2, :3], array[1, 0, :2] = np.nan, np.nan  # a whole box, and a third of one
    boxes = array.reshape(6, 1, 4, 2, 4, 3).astype(np.float64)
    with pytest.warns(RuntimeWarning, match="empty"):
        expected = np.nanmean(boxes, axis=(1, 3, 5))
    np.testing.assert_allclose(average_onto(Volume(array, fine), coarse).array, expected, rtol=1e-6)


def test_the_brain_of_an_m0_goes_where_the_m0_goes_and_is_not_sought_again(monkeypatch):
    away = matrix_from(np.array([3.0, -4.0, 6.0, 0.0, 0.0, 3.0]), np.zeros(3))
    series = quantifiable(scan(np.zeros((8, 6))))
    control = np.median(series.array[1::2], axis=0)
    moved = resample(Volume(5 * control, GRID), GRID, transform=away, outside=0.0)
    monkeypatch.setattr(preparation_steps, "_brain", lambda *_: pytest.fail("the brain was sought again"))
    run = prepared(Request(replace(series, m0=moved)))
    assert run.aligned.m0 is not run.chosen.m0
    there, found = brain().array > 0.5, run.brain.array > 0.5
    assert 2 * (there & found).sum() / (there.sum() + found.sum()) > 0.9
