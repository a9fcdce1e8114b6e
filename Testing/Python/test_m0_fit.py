"""Whether the M0 fits its series: a displaced one is found and laid on it, what it does not cover is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from m0_builders import SIZE, SPACING, affine, codes, grey_matter, grey_matter_of_run, m0_of, run_of, tissues, write

from ASLDenoiseLib.inspecting.inspection import Inspection
from ASLDenoiseLib.inspecting.m0_image_checks import m0_image_findings
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import ASLSeries

STILL = m0_of(tissues())
POSE = (1, 7, -4, 5, 0, 3)  # mm and degrees


def said(series: ASLSeries) -> dict:
    return codes(m0_image_findings(Inspection(series)))


@pytest.mark.parametrize("suppressed", [True, False])
def test_an_m0_that_lies_on_its_series_is_left_in_peace(tmp_path, suppressed):
    inspection = Inspection(read_series(write(tmp_path, separate=STILL, suppressed=suppressed)))
    assert not inspection.m0_position.displaced
    assert codes(m0_image_findings(inspection)) == {}


@pytest.mark.parametrize("how", [{"suppressed": True}, {"suppressed": False}, {"differences": True}])
def test_a_displaced_m0_is_found_with_its_distance(tmp_path, how):
    series = read_series(write(tmp_path, separate=m0_of(tissues(POSE)), **how))
    inspection = Inspection(series)
    assert inspection.m0_position.moved == pytest.approx(8.8, abs=1.5)
    finding = codes(m0_image_findings(inspection))["m0-displaced"]
    assert finding.severity.value == "warning"
    assert ("differences" if how.get("differences") else "controls") in finding.why


def test_an_m0_from_far_away_is_found_too(tmp_path):
    series = read_series(write(tmp_path, separate=m0_of(tissues((0, 0, 18, 0, 0, 0)))))
    assert Inspection(series).m0_position.moved == pytest.approx(18, abs=2)


def test_noisy_differences_of_an_m0_in_place_do_not_accuse_it(tmp_path):
    for noise in (5.0, 20.0):
        series = read_series(write(tmp_path / str(noise), separate=STILL, differences=True, noise=noise))
        assert "m0-displaced" not in said(series)


@pytest.mark.runs
def test_a_run_lays_a_displaced_m0_on_the_controls_and_says_so(tmp_path):
    path = write(tmp_path, separate=m0_of(tissues(POSE)))
    before = grey_matter(read_series(path))
    state = run_of(path)
    value, off = grey_matter_of_run(state)
    assert before[1] > 0.1, "a tenth of grey matter is more than 10 % off where nothing is done"
    assert value == pytest.approx(60, rel=0.02) and off < before[1] / 2
    found = codes(state.findings)
    assert "mm from it" in found["m0-aligned"].why
    assert not {"m0-displaced", "m0-coverage"} & found.keys()
    left = run_of(path, preparation=Preparation(motion=False, outliers="none"))
    assert "m0-displaced" in codes(left.findings) and "m0-aligned" not in codes(left.findings)


@pytest.mark.runs
def test_a_run_leaves_an_m0_in_place_exactly_as_it_is(tmp_path):
    state = run_of(write(tmp_path, separate=STILL))
    assert state.aligned.m0 is state.series.m0
    assert not {"m0-displaced", "m0-aligned", "m0-coverage"} & codes(state.findings).keys()


def cut(kind: str) -> np.ndarray:
    array = STILL.copy()
    array[:, :, 15:] = {"nan": np.nan, "zero": 0, "negative": -5}[kind]
    return array


@pytest.mark.parametrize("kind", ["nan", "zero", "negative"])
@pytest.mark.parametrize("differences", [False, True])
def test_the_share_of_the_brain_that_the_m0_does_not_cover_is_said_and_cbf_is_nan_there(tmp_path, kind, differences):
    series = read_series(write(tmp_path, separate=cut(kind), differences=differences))
    finding = said(series)["m0-coverage"]
    parts = tissues()
    brain = parts["gm"] + parts["wm"] + parts["csf"] > 0.5
    lost = 100 * brain[:, :, 15:].sum() / brain.sum()
    assert float(finding.why.split(" %")[0].split()[-1]) == pytest.approx(lost, abs=5)
    value, off = grey_matter(series)
    inside = parts["gm"] > 0.95
    assert value == pytest.approx(60, rel=0.02)
    assert off == pytest.approx(inside[:, :, 15:].sum() / inside.sum(), abs=0.02), "nothing but what is NaN is off"


def test_an_m0_of_fewer_slices_is_said_to_miss_the_others(tmp_path):
    series = read_series(write(tmp_path, separate=STILL[:, :, :15], m0_affine=affine()))
    assert "m0-coverage" in said(series)
    assert np.isnan(series.m0.array[15:]).all() and np.isfinite(series.m0.array[:15]).all()


def test_an_m0_without_air_or_scalp_covers_the_brain(tmp_path):
    parts = tissues()
    masked = STILL * (parts["gm"] + parts["wm"] + parts["csf"] > 0.5)
    assert said(read_series(write(tmp_path, separate=masked))) == {}


def test_a_finer_m0_is_averaged_over_the_voxels_of_the_series(tmp_path):
    size, spacing = tuple(3 * n for n in SIZE), tuple(s / 3 for s in SPACING)
    fine = m0_of(tissues(size=size, spacing=spacing))
    noisy = fine + np.random.default_rng(0).normal(0, 200, fine.shape)
    series = read_series(write(tmp_path, separate=noisy, m0_affine=affine(size, spacing)))
    means = fine.reshape(SIZE[0], 3, SIZE[1], 3, SIZE[2], 3).mean(axis=(1, 3, 5)).T
    noise = (series.m0.array - means)[tissues()["gm"].T > 0.95]
    assert noise.std() < 60, "27 fine voxels a coarse one, sampled at 3 x 3 x 3 points"
    assert abs(noise.mean()) < 2
    assert grey_matter(series)[0] == pytest.approx(60, rel=0.02)


def test_a_coarser_m0_is_interpolated(tmp_path: Path):
    size, spacing = (28, 34, 20), (6.8, 6.8, 7.2)
    coarse = m0_of(tissues(size=size, spacing=spacing))
    series = read_series(write(tmp_path, separate=coarse, m0_affine=affine(size, spacing)))
    assert grey_matter(series)[0] == pytest.approx(60, rel=0.02)
    assert "m0-displaced" not in said(series)
