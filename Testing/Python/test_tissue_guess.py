"""Tissue without a T1: guessed from perfusion with a template, and said to be a guess."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("nilearn")

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.measuring.masks import grey_matter, white_matter
from ASLDenoiseLib.preparing.template import icbm_template
from ASLDenoiseLib.preparing.tissue_guess import guess_tissue
from ASLDenoiseLib.series import CBF_UNIT, Geometry, Volume
from ASLDenoiseLib.spatial.resampling import average_onto

GM, WM = 60.0, 25.0  # ml/100g/min


@pytest.fixture(scope="module")
def head():
    """The template's own tissue, turned and shrunk, on the grid of a scan: grey and white matter fractions, brain."""
    angle, template = np.deg2rad(8), icbm_template()
    matrix = np.eye(4)
    matrix[:3, :3] = 0.95 * np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    matrix[:3, 3] = (3.0, 10.0, -4.0)
    grid = Geometry((56, 62, 28), (3.4, 3.4, 5.0), (-95.0, -88.0, -70.0))
    images = (template.gm, template.wm, template.brain)
    return [average_onto(each, grid, transform=matrix, outside=0.0) for each in images]


def perfusion(head, noise: float) -> Volume:
    gm, wm, brain = head
    rng = np.random.default_rng(0)
    flow = GM * gm.array + WM * wm.array + rng.normal(0, noise, gm.array.shape)
    return gm.with_array(np.where(brain.array > 0.5, flow, np.nan), unit=CBF_UNIT)


@pytest.mark.parametrize("noise", [5.0, 20.0, 40.0])
def test_grey_and_white_matter_keep_their_perfusion_apart_in_noise(head, noise):
    flow, (gm, wm, brain) = perfusion(head, noise), head
    tissue = guess_tissue(flow, brain.with_array(brain.array > 0.5))
    # the noise-free map says what the masks hold; chosen by noise, grey matter would be perfused at random
    clean = perfusion(head, 0.0).array
    grey, white = (np.nanmean(clean[mask]) for mask in (grey_matter(tissue), white_matter(tissue)))
    true_grey, true_white = (np.nanmean(clean[(each.array > 0.7) & (brain.array > 0.5)]) for each in (gm, wm))
    assert grey == pytest.approx(true_grey, rel=0.15)
    assert white == pytest.approx(true_white, rel=0.2)
    seen = flow.array
    assert np.nanmean(seen[grey_matter(tissue)]) == pytest.approx(grey, abs=2.0 + 0.1 * noise)


def test_fractions_sum_to_one_in_the_brain_and_nothing_lies_outside(head):
    tissue = guess_tissue(perfusion(head, 20.0), head[2].with_array(head[2].array > 0.5))
    total = tissue.gm.array + tissue.wm.array + tissue.csf.array
    inside = tissue.brain.array > 0.5
    np.testing.assert_allclose(total[inside], 1, atol=1e-4)
    assert not total[~inside].any()


def test_it_says_that_it_is_a_guess_and_what_would_be_better(head):
    tissue = guess_tissue(perfusion(head, 20.0), head[2].with_array(head[2].array > 0.5))
    assert "give a T1" in tissue.warning and "guessed" in tissue.source


def test_noise_alone_leaves_tissue_where_it_usually_lies(head):
    brain = head[2].with_array(head[2].array > 0.5)
    noise = np.random.default_rng(1).normal(0, 30, brain.array.shape)
    tissue = guess_tissue(brain.with_array(noise), brain)
    inside = brain.array > 0.5
    assert np.corrcoef(tissue.gm.array[inside], head[0].array[inside])[0, 1] > 0.5


def test_an_empty_brain_or_another_grid_is_refused_in_words(head):
    flow, brain = perfusion(head, 20.0), head[2]
    with pytest.raises(InputError, match="give a brain mask or a T1"):
        guess_tissue(flow, brain.with_array(np.zeros(brain.array.shape)))
    other = Volume(np.ones((4, 4, 4)), Geometry((4, 4, 4), (3.0, 3.0, 3.0)))
    with pytest.raises(InputError, match="resample"):
        guess_tissue(flow, other)
