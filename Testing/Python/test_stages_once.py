"""What a run works out once, or over the brain alone, is what it was when it was worked out anew or everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_builders import GRID, brain, quantifiable, scan

from ASLDenoiseLib.pipeline import preparation_steps
from ASLDenoiseLib.pipeline.request import Request
from ASLDenoiseLib.pipeline.run import prepared
from ASLDenoiseLib.series import Volume
from ASLDenoiseLib.spatial import smoothing
from ASLDenoiseLib.spatial.resampling import resample
from ASLDenoiseLib.spatial.rigid import matrix_from


def test_smoothing_in_the_brains_box_is_smoothing_of_the_whole_grid(monkeypatch):
    array, inside = np.random.default_rng(0).normal(size=GRID.shape), brain().array > 0
    inside[:, :, 30:] = False
    in_box = smoothing.smooth_within(array, inside, GRID.spacing, 8.0)
    monkeypatch.setattr(smoothing, "bounding_box", lambda _: (slice(None),) * 3)
    np.testing.assert_allclose(in_box, smoothing.smooth_within(array, inside, GRID.spacing, 8.0), atol=1e-12)
    assert not smoothing.smooth_within(array, np.zeros_like(inside), GRID.spacing, 8.0).any()


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
