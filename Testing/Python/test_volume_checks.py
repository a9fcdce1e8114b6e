"""Whole volumes that hold nothing, a context in no order, no perfusion at all, and values in coarse steps."""

from __future__ import annotations

import numpy as np
import pytest
from reading_builders import PAIRS, SIZE, head, save, series_array, write_series

from ASLDenoiseLib.inspecting.fixes import apply_fix, fixes_of
from ASLDenoiseLib.inspecting.inspection import inspect
from ASLDenoiseLib.reading.read import read_series

pytestmark = pytest.mark.usefixtures("worked_out")


def told(folder, **how):
    """What inspection says, by code, of a made series."""
    return {finding.code: finding for finding in inspect(read_series(write_series(folder, **how)))}


def test_a_sound_series_has_none_of_these(tmp_path):
    assert not {"empty-volumes", "empty-slices", "order-mixed", "no-perfusion", "coarse-values"} & set(told(tmp_path))


def test_an_empty_volume_is_named_and_its_pair_left_out_on_request(tmp_path):
    array = series_array()
    array[..., 5] = 0
    series = read_series(write_series(tmp_path, array=array))
    finding = next(finding for finding in inspect(series) if finding.code == "empty-volumes")
    assert "volume 6," in finding.why
    assert "--fix empty-volumes" in finding.remedy
    kept = apply_fix(series, "empty-volumes")
    assert [i for i, kind in enumerate(kept.context) if kind.value == "n/a"] == [4, 5]
    assert kept.fixes[-1].value == "volume 5, 6 left out"
    assert "empty-volumes" not in [finding.code for finding in inspect(kept)]
    np.testing.assert_array_equal(kept.array, series.array)


def test_a_series_without_empty_volumes_is_offered_no_such_fix(tmp_path):
    assert "empty-volumes" not in [fix.name for fix in fixes_of(read_series(write_series(tmp_path)))]


def test_an_empty_difference_is_named(tmp_path):
    words = ("deltam",) * 4
    array = series_array(words)
    array[..., 2] = 0
    assert "volume 3," in told(tmp_path, words=words, array=array)["empty-volumes"].why


def test_slices_that_were_not_acquired_are_named_where_the_head_is(tmp_path):
    array = series_array()
    array[:, :, 6:8] = 0
    array[:, :, 0] = 0  # no head there
    finding = told(tmp_path, array=array)["empty-slices"]
    assert "slice 7, 8, where" in finding.why


@pytest.mark.parametrize("seed", range(5))
def test_volumes_in_no_order_are_named_with_their_number(seed, tmp_path):
    order = np.random.default_rng(seed).permutation(len(PAIRS))
    array = series_array()[..., order]
    odd = sum(PAIRS[i] != word for i, word in zip(order, PAIRS, strict=True))
    finding = told(tmp_path, array=array)["order-mixed"]
    assert f"{odd} of 16 are in the group of the others" in finding.why


def test_one_pair_the_wrong_way_round_is_named(tmp_path):
    order = [0, 1, 3, 2, *range(4, 16)]
    finding = told(tmp_path, array=series_array()[..., order])["order-mixed"]
    assert "2 of 16" in finding.why


def test_volumes_all_exchanged_are_another_finding(tmp_path):
    codes = told(tmp_path, array=series_array(PAIRS[::-1]))
    assert "control-label-swapped" in codes and "order-mixed" not in codes


def test_a_series_of_noise_holds_no_perfusion(tmp_path):
    noise = np.random.default_rng(1).normal(0, 50, (*SIZE, 16)) + 1000 * head()[..., None]
    finding = told(tmp_path, array=noise)["no-perfusion"]
    assert "by chance alone" in finding.why


def test_perfusion_well_below_the_noise_of_a_voxel_is_perfusion(tmp_path):
    assert "no-perfusion" not in told(tmp_path, noise=30.0, fraction=0.005)


def test_a_difference_of_noise_holds_no_perfusion(tmp_path):
    words = ("deltam",)
    noise = np.random.default_rng(1).normal(0, 5, (*SIZE, 1))
    assert "no-perfusion" in told(tmp_path, words=words, array=noise)


@pytest.mark.parametrize("m0", ["negative", "noise"])
def test_an_m0_that_is_negative_or_noise_is_named(m0, tmp_path):
    path = write_series(tmp_path)
    noise = np.random.default_rng(2).normal(0, 300 if m0 == "noise" else 1, SIZE)
    save(tmp_path / "sub-01_m0scan.nii.gz", noise - (m0 == "negative") * 1000 * head())
    found = {finding.code: finding for finding in inspect(read_series(path))}
    share = int(found["m0-negative"].why.split(" %")[0])
    assert share == 100 if m0 == "negative" else 40 < share < 60


def test_an_m0_with_noise_about_zero_in_air_is_not_negative(tmp_path):
    path = write_series(tmp_path)
    save(tmp_path / "sub-01_m0scan.nii.gz", 1000 * head() + np.random.default_rng(2).normal(0, 30, SIZE))
    assert "m0-negative" not in [finding.code for finding in inspect(read_series(path))]


def test_controls_and_labels_called_differences_are_named(tmp_path):
    finding = told(tmp_path, words=("deltam",) * 16, array=series_array(PAIRS))["not-differences"]
    assert "they vary by 0.4 % only" in finding.why and "--context control,label" in finding.remedy


def test_differences_with_noise_are_differences(tmp_path):
    assert "not-differences" not in told(tmp_path, words=("deltam",) * 8, noise=0.6)


def test_values_in_steps_as_large_as_the_perfusion_signal_are_named(tmp_path):
    steps = 4 * np.round(series_array(noise=0.5) / 4)
    finding = told(tmp_path, array=steps)["coarse-values"]
    assert "differ by 4 at the least" in finding.why and "signal is 4.0" in finding.why


def test_differences_that_are_zero_or_one_are_coarse(tmp_path):
    words = ("deltam",) * 3
    array = np.round(series_array(words, noise=0.2, fraction=0.0004).clip(0))  # 0.4 in the brain
    assert "differ by 1 at the least" in told(tmp_path, words=words, array=array)["coarse-values"].why


def test_steps_that_noise_smooths_are_no_matter(tmp_path):
    assert "coarse-values" not in told(tmp_path, array=4 * np.round(series_array(noise=6.0) / 4))
