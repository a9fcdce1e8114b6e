"""Partial volume correction by linear regression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.measuring.partial_volume import correct_partial_volume, corrected_gm_cbf
from ASLDenoiseLib.series import CBF_UNIT, Geometry, Tissue, Volume

GRID = Geometry((40, 44, 10), (3.4, 3.4, 5.0))
GM_CBF, WM_CBF = 60.0, 20.0
GM_M0, WM_M0, CSF_M0 = 0.8, 0.7, 1.0


def folded_tissue() -> Tissue:
    """Fractions of grey and white matter and CSF that sum to 1 in a cylinder, thin as cortex is at ASL voxels."""
    rng = np.random.default_rng(5)
    height = gaussian_filter(rng.normal(size=GRID.shape), (0.6, 1.4, 1.4))
    height /= height.std()
    _, j, i = np.indices(GRID.shape)
    brain = np.hypot(i - 19.5, j - 21.5) < 18
    wm = 1 / (1 + np.exp(-3 * (height - 0.4)))
    csf = 1 / (1 + np.exp(3 * (height + 0.9)))
    maps = {"GM": 1 - wm - csf, "WM": wm, "CSF": csf, "brain": np.ones(GRID.shape)}
    return Tissue(*(Volume(array * brain, GRID, name=name) for name, array in maps.items()), source="made up")


def flow_of(tissue: Tissue) -> Volume:
    return Volume(GM_CBF * tissue.gm.array + WM_CBF * tissue.wm.array, GRID, CBF_UNIT)


def values(*args, **options) -> dict[str, float]:
    return {each.name: each.value for each in corrected_gm_cbf(*args, **options)}


def test_known_tissues_get_their_cbf_back_where_the_plain_mean_is_too_low():
    tissue = folded_tissue()
    found = values(flow_of(tissue), tissue)
    assert found["gm_mean_weighted"] < 0.85 * GM_CBF
    assert found["gm_mean_pvc"] == pytest.approx(GM_CBF, rel=0.02)
    assert found["wm_mean_pvc"] == pytest.approx(WM_CBF, rel=0.02)


def test_with_noise_the_mean_stays_right():
    tissue = folded_tissue()
    flow = flow_of(tissue)
    noisy = flow.with_array(flow.array + np.random.default_rng(1).normal(0, 15, GRID.shape))
    assert values(noisy, tissue)["gm_mean_pvc"] == pytest.approx(GM_CBF, rel=0.02)


def test_bright_csf_in_the_m0_of_a_voxel_is_corrected_only_when_the_m0_is_given():
    tissue = folded_tissue()
    signal = GM_M0 * GM_CBF * tissue.gm.array + WM_M0 * WM_CBF * tissue.wm.array
    m0 = GM_M0 * tissue.gm.array + WM_M0 * tissue.wm.array + CSF_M0 * tissue.csf.array
    cbf = Volume(signal / np.maximum(m0, 0.1), GRID, CBF_UNIT)
    with_m0 = values(cbf, tissue, m0=Volume(m0, GRID))
    assert with_m0["gm_mean_pvc"] == pytest.approx(GM_CBF, rel=0.02)
    assert values(cbf, tissue)["gm_mean_pvc"] < 0.98 * GM_CBF
    without_map = values(cbf, replace(tissue, csf=None), m0=Volume(m0, GRID))
    assert without_map["gm_mean_pvc"] == pytest.approx(with_m0["gm_mean_pvc"], rel=1e-3)


def test_what_was_not_measured_is_left_out_and_stays_so():
    tissue, flow = folded_tissue(), flow_of(folded_tissue())
    holes = flow.array.copy()
    holes[4, 18:22, 18:22] = np.nan
    found = correct_partial_volume(flow.with_array(holes), tissue)
    assert np.isnan(found.gm.array[4, 18:22, 18:22]).all()
    beside = found.gm.array[4, 17, 15:25]
    np.testing.assert_allclose(beside[np.isfinite(beside)], GM_CBF, rtol=1e-3)
    assert np.isnan(found.gm.array[tissue.gm.array < 0.1]).all() and found.gm.unit == CBF_UNIT


def test_tissues_that_cannot_be_told_apart_give_no_value():
    alike = Volume(np.full(GRID.shape, 0.5), GRID)
    tissue = Tissue(alike, alike, None, Volume(np.ones(GRID.shape), GRID), source="alike")
    found = values(Volume(np.full(GRID.shape, 40.0), GRID), tissue)
    assert np.isnan(found["gm_mean_pvc"]) and np.isnan(found["gm_mean_weighted"])


def test_bad_kernels_and_other_grids_are_refused_in_a_sentence():
    tissue, flow = folded_tissue(), flow_of(folded_tissue())
    with pytest.raises(InputError, match="odd number"):
        correct_partial_volume(flow, tissue, kernel=4)
    other = Geometry(GRID.size, (3.0, 3.0, 5.0))
    with pytest.raises(InputError, match="tissue is not on the grid"):
        correct_partial_volume(Volume(flow.array, other), tissue)
    with pytest.raises(InputError, match="M0 is not on the grid"):
        correct_partial_volume(flow, tissue, m0=Volume(flow.array, other))
