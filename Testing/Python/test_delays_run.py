"""A series of several delays is fitted as a whole by the same run as one of a single delay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from delay_builders import ScanOfDelays, scan_of_delays

import ASLDenoiseLib as ad
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.findings import FindingKind
from ASLDenoiseLib.pipeline.delays import gather
from ASLDenoiseLib.pipeline.request import Denoising, Head, Request
from ASLDenoiseLib.pipeline.run import completed, completed_again, prepared
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.result.maps import (
    ATT_MEAN_ERROR,
    ATT_UNCERTAINTY,
    BOUNDS,
    DENOISED,
    DENOISED_ABV,
    DENOISED_ATT,
    MEAN_ERROR,
    PREPARED_ABV,
    RAW,
    RAW_ATT,
    UNCERTAINTY,
)
from ASLDenoiseLib.series import ASLSeries

STILL = Preparation(motion=False)


def quantified(scan: ScanOfDelays, **more) -> ad.Result:
    return ad.quantify(scan.series, tissue=scan.tissue, preparation=more.pop("preparation", STILL), **more)


def furthest_off(result: ad.Result, scan: ScanOfDelays) -> tuple[float, float]:
    """The largest error of the plain fit in the brain: of CBF relative to the truth, of arrival time in s."""
    inside = scan.brain & np.isfinite(result.maps[RAW].array)
    assert inside.sum() > 0.9 * scan.brain.sum()
    cbf, att = (result.maps[key].array[inside] for key in (RAW, RAW_ATT))
    return float(np.abs(cbf / scan.cbf.array[inside] - 1).max()), float(np.abs(att - scan.att.array[inside]).max())


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"kind": "deltam", "order": "repeat by repeat"},
        {"order": "shuffled", "slice_time": 0.045},
        {"labeling": "PASL", "delays": (0.6, 1.0, 1.4, 1.8, 2.2, 2.6)},
        {"delays": (0.0, 0.6, 1.2, 1.8, 2.4), "durations": (0.6, 1.0, 1.4, 1.8, 1.8), "repeats": 1},
    ],
    ids=["pcasl", "differences", "2d in any order", "pasl", "durations that grow from a delay of 0"],
)
def test_cbf_and_arrival_time_are_those_that_the_series_was_made_from(given):
    scan = scan_of_delays(**given)
    cbf, att = furthest_off(quantified(scan), scan)
    assert cbf < 0.005 and att < 0.005


def test_the_order_of_the_pairs_changes_nothing():
    scan = scan_of_delays(noise=2.0, repeats=2)
    order = np.random.default_rng(3).permutation(len(scan.series.context))
    acquisition = scan.series.acquisition
    delays = tuple(acquisition.post_labeling_delay[t] for t in order)
    mixed = ASLSeries(
        scan.series.array[order],
        scan.series.geometry,
        tuple(scan.series.context[t] for t in order),
        replace(acquisition, post_labeling_delay=delays),
        scan.series.m0,
    )
    one, other = (quantified(replace(scan, series=series)) for series in (scan.series, mixed))
    for key in (RAW, RAW_ATT):
        np.testing.assert_allclose(one.maps[key].array, other.maps[key].array, rtol=1e-4, atol=1e-4)


def test_every_map_comes_with_its_unit_and_its_sd():
    scan = scan_of_delays(noise=2.0)
    result = ad.denoise(scan.series, tissue=scan.tissue, preparation=STILL, device="cpu")
    units = {key: result.maps[key].unit for key in result.maps}
    assert {units[key] for key in (RAW, DENOISED, MEAN_ERROR, UNCERTAINTY)} == {"ml/100g/min"}
    assert {units[key] for key in (RAW_ATT, DENOISED_ATT, ATT_MEAN_ERROR, ATT_UNCERTAINTY)} == {"s"}
    assert set(np.unique(result.maps[BOUNDS].array)) <= {0.0, 1.0}
    assert np.isnan(result.maps[RAW_ATT].array[~scan.brain]).all()
    by_name = result.values(DENOISED)
    assert by_name["gm_att"] == pytest.approx(float(scan.att.array[scan.tissue.gm.array > 0].mean()), abs=0.05)
    assert by_name["gm_mean"] == pytest.approx(60, rel=0.03) and by_name["wm_mean"] == pytest.approx(20, rel=0.06)
    assert [(r.label, r.unit) for r in result.readouts[DENOISED] if r.name == "wm_att"] == [("WM arrival time", "s")]


def test_the_mean_curve_keeps_the_mean_that_noise_of_voxels_lifts():
    scan = scan_of_delays(noise=6.0, repeats=1, size=(32, 32, 12))
    values = quantified(scan).values(RAW)
    assert values["wm_mean"] > 1.2 * 20  # least squares of single voxels
    assert values["wm_curve_cbf"] == pytest.approx(20, rel=0.06)
    assert values["gm_curve_cbf"] == pytest.approx(60, rel=0.04)


def test_curves_of_tissues_are_measured_beside_fitted_with_their_errors():
    scan = scan_of_delays(noise=2.0)
    curves = ad.denoise(scan.series, tissue=scan.tissue, preparation=STILL, device="cpu").delays
    assert curves.delays == (0.5, 1.0, 1.5, 2.0, 2.5, 3.0) and curves.pairs == (4,) * 6
    grey, white = curves.regions
    assert (grey.name, white.name) == ("GM", "WM") and grey.cbf > 50 > white.cbf
    assert np.abs(grey.residual).max() < 0.06 * 60 and np.all(np.array(grey.errors) > 0)
    assert grey.measured[0] < 0.9 * grey.measured[-1]  # not all label has arrived at the first delay


def test_without_an_m0_arrival_times_are_the_same_and_cbf_is_relative():
    scan = scan_of_delays(kind="deltam", slice_time=0.045)
    relative = scan_of_delays(kind="deltam", slice_time=0.045, with_m0=False)
    absolute, scaled = (quantified(each) for each in (scan, relative))
    np.testing.assert_allclose(absolute.maps[RAW_ATT].array, scaled.maps[RAW_ATT].array, atol=2e-3)
    ratio = scaled.maps[scaled.raw].array / absolute.maps[RAW].array
    inside = scan.brain & (scan.cbf.array > 0)
    assert scaled.unit == "scanner units" and np.ptp(ratio[inside]) < 2e-3 * np.median(ratio[inside])


def test_one_delay_of_the_series_is_still_there():
    scan = scan_of_delays(noise=1.0)
    result = quantified(replace(scan, series=ad.fix(scan.series, "pld-2")))
    assert RAW_ATT not in result.maps and result.delays is None
    assert result.values()["gm_mean"] == pytest.approx(60, rel=0.03)


def test_a_pair_that_is_taken_out_leaves_the_mean_of_its_delay_alone():
    scan = scan_of_delays(repeats=3)
    array = np.array(scan.series.array)
    array[0] += 40.0  # the control of the first pair
    spoilt = replace(scan, series=replace(scan.series, array=array))
    cbf, _ = furthest_off(quantified(spoilt, preparation=replace(STILL, outliers="none")), scan)
    mended = quantified(spoilt, preparation=replace(STILL, outliers="none", taken_out="1"))
    inside = scan.brain & np.isfinite(mended.maps["desc-cleaned_cbf"].array)
    off = mended.maps["desc-cleaned_cbf"].array[inside] / scan.cbf.array[inside] - 1
    assert cbf > 0.05 and np.abs(off).max() < 0.005
    assert [r.called for r in mended.outliers.rejections] == [1] and len(mended.outliers.weights) == 18


def test_the_error_of_a_region_is_the_spread_of_its_mean_over_scans():
    means, told = [], []
    for seed in range(24):
        scan = scan_of_delays(noise=2.0, seed=seed)
        region = scan.tissue.gm.with_array(scan.tissue.gm.array * (np.indices(scan.brain.shape)[2] < 8))
        values = quantified(scan, regions={"left": region}).values(RAW)
        means.append(values["roi_left_mean"])
        told.append(values["roi_left_mean_error"])
        assert np.isfinite(values["roi_left_att"])
    assert np.mean(told) == pytest.approx(np.std(means, ddof=1), rel=0.4)


def test_blood_volume_is_fitted_where_it_is_asked_for():
    scan = scan_of_delays(noise=1.0)
    asked = ad.DelayFit(macrovascular=True)
    result = ad.denoise(scan.series, tissue=scan.tissue, preparation=STILL, device="cpu", fit=asked)
    assert {PREPARED_ABV, DENOISED_ABV} <= set(result.maps)
    for key in (PREPARED_ABV, DENOISED_ABV):
        volume = result.maps[key].array[scan.brain]
        assert np.nanmedian(volume) < 0.004  # none was drawn


def test_the_prior_denoises_several_delays_unless_the_network_is_asked_for():
    scan = scan_of_delays(noise=4.0)
    given = {"tissue": scan.tissue, "preparation": STILL, "device": "cpu"}
    by_prior = ad.denoise(scan.series, model="dwan-lfn", **given)
    by_network = ad.denoise(scan.series, fit=ad.DelayFit(spatial=False), **given)
    assert by_prior.model["name"] == "spatial prior" and by_network.model["name"] == "guided-unet"
    assert {"denoise", "audit"}.isdisjoint(by_prior.timings) and {"denoise", "audit"} <= set(by_network.timings)
    assert [f.what for f in by_prior.findings if f.code == "model-not-asked"] == ["The model dwan-lfn was not asked"]
    assert "the network alone" in by_network.audit.sentence and "the network alone" not in by_prior.audit.sentence
    for result in (by_prior, by_network):
        off = (result.maps[DENOISED].array - scan.cbf.array)[scan.brain]
        raw = (result.maps[RAW].array - scan.cbf.array)[scan.brain]
        assert np.sqrt(np.nanmean(off**2)) < 0.4 * np.sqrt(np.nanmean(raw**2))


def test_the_general_model_is_fitted_where_it_is_asked_for_and_said():
    scan = scan_of_delays(t1_tissue=1.3)
    series = replace(scan.series, acquisition=replace(scan.series.acquisition, t1_tissue=1.3))
    result = quantified(replace(scan, series=series), fit=ad.DelayFit("general"))
    inside = scan.brain & np.isfinite(result.maps[RAW].array)
    off = result.maps[RAW].array[inside] / scan.cbf.array[inside] - 1
    assert np.abs(off).max() < 0.02  # T1' has one CBF for all voxels
    assert ("kinetics", "general") in {(p.name, p.value) for p in result.parameters if p.name == "kinetics"}


def test_two_delays_are_refused_in_one_sentence():
    scan = scan_of_delays(delays=(1.0, 2.0))
    with pytest.raises(InputError, match=r"\(1, 2 s; .* three or more"):
        quantified(scan)


@pytest.mark.parametrize("asked", [{"pairs_needed": True}, {"split_half": True}])
def test_what_is_told_of_one_delay_is_refused_of_several(asked):
    scan = scan_of_delays(size=(8, 8, 4))
    with pytest.raises(InputError, match="is of one delay, and the series has 6"):
        completed(Request(scan.series, Head(tissue=scan.tissue), STILL, Denoising(**asked)))


def test_a_run_again_gives_the_whole_run_s_result(tmp_path):
    scan = scan_of_delays(noise=2.0)
    request = Request(scan.series, Head(tissue=scan.tissue), STILL, Denoising(), device="cpu")
    whole = completed(request, keep_in=tmp_path / "kept").result
    without = replace(request, preparation=replace(STILL, taken_out="2"))
    again = completed_again(without, tmp_path / "kept").result
    other = completed(without).result
    for key, volume in other.maps.items():
        np.testing.assert_array_equal(volume.array, again.maps[key].array)
    assert not np.array_equal(whole.maps[DENOISED].array, other.maps[DENOISED].array)
    perfusion = np.load(tmp_path / "kept" / "pairs.npy")
    inside = (scan.tissue.gm.array > 0) & np.isfinite(perfusion).all(axis=0)
    assert perfusion[-4:, inside].mean() == pytest.approx(60, rel=0.03)  # of its own delay's formula


def test_a_finer_map_is_made_of_the_fitted_cbf():
    scan = scan_of_delays(noise=1.0)
    result = ad.superresolve(
        scan.series,
        tissue=scan.tissue,
        preparation=STILL,
        method="linear",
        spacing=(4.5, 4.5, 7.0),
        model="guided-unet",
    )
    assert result.values()["gm_mean"] == pytest.approx(60, rel=0.1) and RAW_ATT in result.maps


def test_what_delays_tell_alike_is_told_once_and_the_rest_with_its_delays():
    scan = scan_of_delays(size=(8, 8, 4))
    run = prepared(Request(scan.series, Head(tissue=scan.tissue), STILL))
    kind = FindingKind("doubt", "Doubtful by {much}", "it is", severities="note or warning")
    before = len(run.findings)
    for one in run.delays:
        one.findings.append(FindingKind("alike", "Alike", "all are").finding())
    run.delays[1].findings.append(kind.finding(much=1))
    run.delays[4].findings.append(kind.finding(much=2, severity="warning"))
    gather(run)
    alike, doubt = run.findings[before:]
    assert (alike.what, alike.why) == ("Alike", "all are")
    assert doubt.what == "Doubtful by 2" and doubt.why == "it is; at delays of 1, 2.5 s; these words are of 2.5 s"
