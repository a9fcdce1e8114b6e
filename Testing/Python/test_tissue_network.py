"""Tissue by the network: whatever the contrast, on any grid, and handed to Atropos where there is no upright head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing import tissue_network, tissue_t1
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.preparing.t1_contrast import contrast_findings
from ASLDenoiseLib.preparing.template import MNI_GRID, icbm_template, template_onto
from ASLDenoiseLib.preparing.tissue import SegmentedTissue
from ASLDenoiseLib.preparing.tissue_network import CLASSES, TissueProbabilities, axial_grid, tissue_probabilities
from ASLDenoiseLib.preparing.tissue_refinement import bias_field, refined, tissue_levels
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.masks import depth
from ASLDenoiseLib.spatial.resampling import resample

T1, T2, FLAIR = (0.2, 0.6, 0.95), (1.0, 0.55, 0.4), (0.1, 0.8, 0.62)  # of CSF, grey and white matter


def head_of(signals: tuple[float, float, float], *, bias: float = 0.2) -> Volume:
    """The template's brain with CSF, skull and scalp, in a contrast, with noise and a bias along y."""
    template = icbm_template()
    gm, wm, brain = template.gm.array, template.wm.array, template.brain.array > 0.5
    around = depth(~brain, MNI_GRID)
    image = signals[0] * np.clip(brain - gm - wm, 0, 1) + signals[1] * gm + signals[2] * wm
    image[~brain & (around < 3)] = signals[0]
    image[(around > 7) & (around < 13)] = 0.8
    image *= np.exp(bias * np.linspace(-1, 1, image.shape[1]))[None, :, None]
    image += np.random.default_rng(0).normal(0, 0.015, image.shape)
    return template.gm.with_array(np.clip(1000 * image, 0, None).astype(np.float32))


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * np.minimum(one, other).sum() / (one.sum() + other.sum()))


@pytest.mark.segments
@pytest.mark.parametrize("signals", [T1, T2, FLAIR], ids=["T1", "T2", "FLAIR"])
def test_tissue_of_any_contrast_lies_where_it_is(signals):
    tissue = tissue_from_t1(head_of(signals))
    there = template_onto(tissue.gm.geometry, np.eye(4))
    assert "tissue network" in tissue.source and tissue.warning == ""
    assert overlap(tissue.gm.array, there.gm.array) > 0.75
    assert overlap(tissue.wm.array, there.wm.array) > 0.75
    assert overlap(tissue.brain.array > 0.5, there.brain.array > 0.5) > 0.93
    assert bool(contrast_findings(tissue.levels)) is (signals is not T1)


@pytest.mark.segments
def test_the_grid_of_the_image_decides_nothing_but_where_tissue_is_given():
    head = head_of(T1)
    turn = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], float)  # sagittal slices
    low, high = (MNI_GRID.affine_lps @ [*edge, 1.0] for edge in ((0, 0, 0), np.array(MNI_GRID.size) - 1))
    size = tuple(int(n) for n in np.array(MNI_GRID.size) @ turn)
    spacing = tuple(np.array(MNI_GRID.spacing) @ turn)
    axes = np.reshape(MNI_GRID.direction, (3, 3)) @ turn
    sagittal = Geometry(size, spacing, tuple(low[:3]), tuple(axes.ravel()))
    assert np.allclose((sagittal.affine_lps @ [*(np.array(size) - 1), 1.0])[:3], high[:3])
    one, other = tissue_from_t1(head), tissue_from_t1(resample(head, sagittal, outside=0.0))
    back = resample(other.gm, one.gm.geometry, outside=0.0).array
    assert np.allclose(other.gm.geometry.direction, sagittal.direction) and overlap(one.gm.array, back) > 0.95


def test_a_head_that_lies_on_its_side_is_handed_to_atropos(monkeypatch):
    head = head_of(T1)
    on_its_side = Volume(head.array, replace(head.geometry, direction=(0, 1, 0, -1, 0, 0, 0, 0, 1)))
    by_atropos = SegmentedTissue(head, head, head, head, source="Atropos, here")
    monkeypatch.setattr(tissue_t1, "atropos_tissue", lambda *_, **__: by_atropos)
    tissue = tissue_from_t1(on_its_side)
    assert tissue.source == "Atropos, here, as the tissue network found no upright head" and tissue.gm is head


def test_atropos_segments_when_it_is_asked_for(monkeypatch):
    head = head_of(T1)
    by_atropos = SegmentedTissue(head, head, head, head, source="Atropos, here")
    monkeypatch.setattr(tissue_t1, "atropos_tissue", lambda *_, **__: by_atropos)
    assert tissue_from_t1(head, segmenter="atropos") is by_atropos
    assert Preparation().segmenter == "network"
    with pytest.raises(InputError, match="no segmenter 'fast'; choose one of network, atropos"):
        Preparation(segmenter="fast")


def test_unmeasured_voxels_count_as_air():
    head = head_of(T1)
    holes = head.array.copy()
    holes[:, :4] = np.nan
    tissue = tissue_from_t1(head.with_array(holes))
    assert all(np.isfinite(each.array).all() for each in (tissue.gm, tissue.wm, tissue.csf))


def test_probabilities_sum_to_one_and_the_weights_are_missing_in_one_sentence(monkeypatch, tmp_path):
    head = head_of(T1)
    found = tissue_probabilities(head)
    assert found.maps.shape[0] == len(CLASSES) and np.allclose(found.maps.sum(axis=0), 1, atol=1e-4)
    monkeypatch.setattr(tissue_network, "weights_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"not installed .*; install ASLDenoise again"):
        tissue_probabilities(head)


def test_an_oblique_grid_is_held_whole_by_one_along_the_axes():
    turned = Geometry((10, 12, 8), (1.0, 1.5, 2.0), (3.0, -4.0, 5.0), (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    grid = axial_grid(turned, 2.0)
    assert grid.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1) and grid.spacing == (2.0, 2.0, 2.0)
    corners = np.array([[i, j, k, 1] for i in (-0.5, 9.5) for j in (-0.5, 11.5) for k in (-0.5, 7.5)])
    inside = (corners @ turned.affine_lps.T) @ np.linalg.inv(grid.affine_lps).T
    assert np.all(inside[:, :3] > -0.51) and np.all(inside[:, :3] < np.array(grid.size) - 0.49)


def two_tissues(noise: float = 0.0) -> tuple[TissueProbabilities, np.ndarray]:
    """Slabs of grey (60) and white matter (100) at 2 mm under a bias of 30 %, of which the network is fairly sure."""
    shape, grid = (40, 40, 40), Geometry((40, 40, 40), (2.0, 2.0, 2.0))
    white = np.indices(shape)[2] // 4 % 2 == 1
    bias = 0.3 * np.linspace(-1, 1, 40)[:, None, None] * np.ones(shape)
    image = np.where(white, 100.0, 60.0) * np.exp(bias)
    image += np.random.default_rng(1).normal(0, noise, shape)
    maps = np.stack([np.zeros(shape), np.full(shape, 0.01), *(np.where(w, 0.95, 0.03) for w in (~white, white))])
    maps = np.concatenate([maps, np.full((1, *shape), 0.01)]).astype(np.float32)
    return TissueProbabilities(Volume(image.astype(np.float32), grid), maps), bias


def test_the_bias_of_the_coils_is_found_where_tissue_is_known():
    found, bias = two_tissues(noise=1.0)
    left = (bias_field(found) - bias)[4:-4, 4:-4, 4:-4]
    assert left.std() < 0.1 * bias.std()


def test_brightness_decides_where_the_network_mistook_a_voxel():
    found, _ = two_tissues()
    maps = found.maps.copy()
    maps[2, 20, 20, 16:20], maps[3, 20, 20, 16:20] = 0.6, 0.38  # grey it said, of slab 4, which is grey ...
    maps[2, 20, 20, 12:16], maps[3, 20, 20, 12:16] = 0.6, 0.38  # ... and of slab 3, which is white
    (_, gm, wm, _), cavity, levels = refined(found.head, replace(found, maps=maps), found.head.geometry)
    assert levels.middle[1] == pytest.approx(60, rel=0.03) and levels.middle[2] == pytest.approx(100, rel=0.03)
    assert (gm[20, 20, 17:19] > 0.9).all() and (wm[20, 20, 13:15] > 0.9).all() and cavity[20, 20, 20] > 0.95


def test_a_tissue_of_which_no_voxel_is_sure_has_the_level_of_its_surest():
    found, _ = two_tissues()
    doubtful = 0.5 * found.maps[1:5]
    levels = tissue_levels(found.head.array, doubtful)
    assert np.isfinite(levels.middle).all() and levels.middle[2] > levels.middle[1]


FLAIR_SLABS, T1_SLABS = (10.0, 80.0, 60.0), (10.0, 45.0, 60.0)  # CSF, grey and white matter


@pytest.mark.parametrize(("signals", "grey"), [(FLAIR_SLABS, 0.5), (T1_SLABS, 1.0)], ids=["FLAIR", "T1"])
def test_where_white_matter_lies_between_in_brightness_cortex_half_full_of_csf_is_half_of_each(signals, grey):
    shape, grid = (24, 24, 48), Geometry((48, 24, 24), (2.0, 2.0, 2.0))
    tissue = np.indices(shape)[2] // 16
    image = np.array(signals)[tissue] + np.random.default_rng(2).normal(0, 1.0, shape)
    maps = [np.full(shape, 0.01), *(np.where(tissue == n, 0.96, 0.01) for n in range(3)), np.full(shape, 0.01)]
    maps, border = np.stack(maps), (slice(8, 16), slice(8, 16), 15)
    image[border] = 45.0  # half of CSF and grey matter of the FLAIR, grey matter of the T1
    maps[(slice(None), *border)] = np.array([0.01, 0.45, 0.45, 0.08, 0.01])[:, None, None]
    found = TissueProbabilities(Volume(image.astype(np.float32), grid), maps.astype(np.float32))
    (csf, gm, wm, _), *_ = refined(found.head, found, grid)
    assert gm[border] == pytest.approx(grey, abs=0.05) and (csf + gm)[border].min() > 0.9 and wm[border].max() < 0.05
    assert wm[8:16, 8:16, 40].mean() > 0.95 and gm[8:16, 8:16, 24].mean() > 0.95
