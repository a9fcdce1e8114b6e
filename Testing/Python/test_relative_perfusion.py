"""Series without an M0: relative perfusion in scanner units, never called CBF."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from request_builders import UNMOVED, made_series, region

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.inspecting.inspection import inspect, require_quantifiable
from ASLDenoiseLib.pipeline.console import denoise, quantify
from ASLDenoiseLib.pipeline.request import Outputs, Request
from ASLDenoiseLib.pipeline.run import completed
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.result.maps import MAPS, RELATIVE, in_unit, is_relative, kind_of, raw_of
from ASLDenoiseLib.series import (
    CBF_UNIT,
    SCANNER_UNIT,
    Acquisition,
    ASLSeries,
    Geometry,
    M0Type,
    Tissue,
    Volume,
    VolumeType,
)

TRUE_RATIO = 3.0  # of the made series: 60 over 20 ml/100g/min
SIGNAL = 1000.0 * 0.01 / 86.3 * 60  # of its grey matter, scanner units


def uncalibrated(**stated: object) -> ASLSeries:
    """The made series without its M0 and with suppressed controls; nothing else is stated unless it is given."""
    return replace(made_series(), m0=None, acquisition=Acquisition(background_suppression=True, **stated))


def radius_of(geometry: Geometry) -> np.ndarray:
    k, j, i = np.indices(geometry.shape)
    return np.sqrt(((i - 14.5) / 12) ** 2 + ((j - 15.5) / 13) ** 2 + ((k - 5.5) / 5) ** 2)


def tissue() -> Tissue:
    geometry = made_series().geometry
    radius = radius_of(geometry)
    gm, wm, brain = ((radius > 0.65) & (radius < 1), radius < 0.65, radius < 1)
    return Tissue(*(Volume(each, geometry) for each in (gm, wm)), None, Volume(brain, geometry), source="made")


@pytest.fixture(scope="module")
def denoised() -> Result:
    return denoise(
        uncalibrated(), tissue=tissue(), preparation=UNMOVED, device="cpu", regions={"Middle": region()}, audit=False
    )


def test_every_map_is_a_difference_in_scanner_units_raw_beside_denoised(denoised):
    assert denoised.relative and denoised.unit == SCANNER_UNIT
    assert (denoised.raw, denoised.processed) == ("desc-mean_pwi", "desc-denoised_pwi")
    assert not [key for key in denoised.maps if key.endswith("_cbf")]
    assert {volume.unit for volume in denoised.maps.values()} == {SCANNER_UNIT}
    wanted = {"desc-smoothed_pwi", "desc-residual_pwi", "desc-uncertainty_pwi", "desc-meanerror_pwi"}
    assert wanted <= denoised.maps.keys()
    series, raw = uncalibrated(), denoised.maps[denoised.raw].array
    plain = (series.array[::2] - series.array[1::2]).mean(axis=0)
    inside = np.isfinite(raw)
    np.testing.assert_allclose(raw[inside], plain[inside], rtol=1e-5, atol=1e-4)


def test_ratios_are_those_of_the_truth_and_means_those_of_the_signal(denoised):
    cbf = quantify(made_series(), tissue=tissue(), preparation=UNMOVED)
    assert denoised.values(denoised.raw)["gm_wm_contrast"] == pytest.approx(cbf.values()["gm_wm_contrast"], rel=1e-3)
    for key in (denoised.raw, denoised.processed):
        values = denoised.values(key)
        assert values["gm_wm_contrast"] == pytest.approx(TRUE_RATIO, rel=0.1)
        assert values["gm_mean"] == pytest.approx(SIGNAL, rel=0.03)
        assert np.isfinite([values["snr"], values["spatial_cov"], values["roi_middle_over_gm"]]).all()
        assert values["roi_middle_over_gm"] == pytest.approx(values["roi_middle_mean"] / values["gm_mean"])
    readouts = {r.name: r for r in denoised.readouts[denoised.raw]}
    assert readouts["gm_mean"].unit == SCANNER_UNIT and readouts["gm_wm_contrast"].unit == ""


def test_the_quality_index_which_is_not_free_of_scale_is_left_out(denoised):
    qei = next(r for r in denoised.readouts[denoised.processed] if r.name == "qei")
    assert np.isnan(qei.value) and "relative map has none" in qei.meaning
    assert np.isfinite(denoise(made_series(), tissue=tissue(), preparation=UNMOVED, device="cpu").values()["qei"])


def test_scanner_units_scale_every_mean_and_no_ratio():
    small = replace(uncalibrated(), array=uncalibrated().array / 1e4)
    one, other = (quantify(series, tissue=tissue(), preparation=UNMOVED) for series in (uncalibrated(), small))
    for name in ("gm_wm_contrast", "snr", "spatial_cov", "tsnr"):
        assert other.values()[name] == pytest.approx(one.values()[name], rel=1e-3)
    assert other.values()["gm_mean"] == pytest.approx(one.values()["gm_mean"] / 1e4, rel=1e-3)
    low, high = other.kind(other.raw).window
    assert low == 0 and 1.0 <= high / (one.kind(one.raw).window[1] / 1e4) <= 1.0001


def test_no_file_of_the_run_speaks_of_cbf_but_to_say_that_it_is_none(tmp_path):
    request = Request(
        uncalibrated(m0_type=M0Type.ABSENT), preparation=UNMOVED, outputs=Outputs(folder=tmp_path / "out")
    )
    written = completed(request).written
    assert {path.name for path in written.maps.values()} >= {"asl_desc-mean_pwi.nii.gz"}
    for path in written.files:
        text = path.read_text("utf-8", errors="replace") if path.suffix in (".json", ".tsv", ".md", ".html") else ""
        assert text.count("ml/100g/min") == text.count("not in ml/100g/min"), path.name
        assert "erebral blood flow" not in text, path.name
    beside = json.loads((tmp_path / "out" / "asl_desc-mean_pwi.json").read_text("utf-8"))
    assert beside["Units"] == "arbitrary" and "not CBF" in beside["Description"]
    assert "m0-absent" in {finding["code"] for finding in beside["Findings"]}
    assert "**Relative perfusion, not CBF: asl.**" in (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "Relative perfusion, not CBF." in written.report.read_text("utf-8")


def test_the_sidecar_of_a_difference_behind_cbf_is_in_arbitrary_units_too():
    from ASLDenoiseLib.reporting.provenance import sidecar

    result = quantify(made_series(), tissue=tissue(), preparation=UNMOVED)
    assert sidecar(result, "desc-mean_pwi")["Units"] == "arbitrary"
    assert sidecar(result, "desc-mean_cbf")["Units"] == CBF_UNIT


@pytest.mark.parametrize("suppressed", [True, None])
def test_what_only_quantification_needs_is_not_asked_for(suppressed):
    series = replace(uncalibrated(), acquisition=Acquisition(background_suppression=suppressed))
    require_quantifiable(series)
    findings = {finding.code: finding for finding in inspect(series)}
    assert findings["m0-absent"].severity.value == "warning"
    assert "scanner units" in findings["m0-absent"].what and "--m0" in findings["m0-absent"].remedy
    assert ("--suppression-pulses 0" in findings["m0-absent"].remedy) == (suppressed is None)
    assert {findings[code].severity.value for code in ("missing-pld", "missing-labeling")} == {"note"}


def test_a_series_with_an_m0_still_needs_its_delay():
    series = replace(made_series(), acquisition=replace(made_series().acquisition, post_labeling_delay=None))
    with pytest.raises(InputError, match=r"delay is not stated.*--pld"):
        quantify(series, tissue=tissue(), preparation=UNMOVED)


def test_differences_alone_find_their_brain_and_say_how():
    series = uncalibrated()
    ready = replace(
        series,
        array=series.array[::2] - series.array[1::2],
        context=(VolumeType.DELTAM,) * 6,
        acquisition=Acquisition(),
    )
    result = quantify(ready, preparation=UNMOVED)
    found, truth = np.isfinite(result.maps[result.raw].array), radius_of(series.geometry) < 1
    dice = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    assert dice > 0.9
    assert "brain-from-perfusion" in {finding.code for finding in result.findings}


def test_slices_read_one_after_another_are_said_to_differ():
    timing = tuple(0.05 * k for k in range(12))
    findings = {f.code: f for f in inspect(uncalibrated(readout="2D", slice_timing=timing))}
    lower = 100 * (1 - np.exp(-0.55 / 1.65))
    assert f"{lower:.0f} % lower" in findings["slice-delays-uncorrected"].why
    calibrated = replace(made_series().acquisition, readout="2D", slice_timing=timing)
    codes = [finding.code for finding in inspect(replace(made_series(), acquisition=calibrated))]
    assert "slice-delays-uncorrected" not in codes


@pytest.mark.parametrize("method", ["aoc", "paocsl"])
def test_outlier_methods_that_judge_by_cbf_are_refused_with_others_named(method):
    with pytest.raises(InputError, match=r"judges by CBF.*--m0.*zscore.*--outliers"):
        quantify(uncalibrated(), tissue=tissue(), preparation=Preparation(motion=False, nuisance=(), outliers=method))


def test_score_tells_its_reasons_in_scanner_units():
    series = uncalibrated()
    array = series.array.copy()
    array[4] += 400 * tissue().gm.array  # the third control
    choices = Preparation(motion=False, nuisance=(), outliers="score")
    result = quantify(replace(series, array=array), tissue=tissue(), preparation=choices)
    assert any(SCANNER_UNIT in rejection.reason for rejection in result.outliers.rejections)
    assert not any(CBF_UNIT in rejection.reason for rejection in result.outliers.rejections)


@pytest.mark.model("unet3d-m0")
def test_a_model_that_needs_the_m0_is_refused():
    with pytest.raises(InputError, match="needs the M0"):
        denoise(uncalibrated(), tissue=tissue(), preparation=UNMOVED, device="cpu", model="unet3d-m0")


def test_a_relative_map_can_be_super_resolved_in_scanner_units():
    from ASLDenoiseLib.pipeline.console import superresolve

    result = superresolve(
        uncalibrated(), tissue=tissue(), preparation=UNMOVED, method="spline", spacing=(2.25, 2.25, 3.5)
    )
    assert result.processed == "desc-superres_pwi" and result.maps[result.processed].unit == SCANNER_UNIT
    assert result.values()["gm_mean"] == pytest.approx(result.values(result.raw)["gm_mean"], rel=0.1)


def test_every_map_of_cbf_has_a_counterpart_that_is_not_called_cbf():
    relative = [in_unit(key, SCANNER_UNIT) for key, kind in MAPS.items() if kind.unit == CBF_UNIT]
    of_cbf = {key: kind for key, kind in RELATIVE.items() if key not in MAPS or kind.unit == SCANNER_UNIT}
    assert relative == list(of_cbf)
    for key, kind in of_cbf.items():
        assert kind.key == key and kind.unit == SCANNER_UNIT and "erebral blood flow" not in kind.description
        assert "CBF" not in f"{kind.label} {kind.quantity}" and kind.title.endswith("(scanner units)")
    assert is_relative(relative) and raw_of(relative) == relative[0]
    assert kind_of(relative[0], relative).label == "Raw mean difference"


def test_the_scene_shows_both_maps_at_one_window_with_their_unit(denoised, tmp_path):
    pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")
    from ASLDenoiseLib.scene.choose import choices, nodes_of, processed_of, runs_in
    from ASLDenoiseLib.scene.display import legends_of
    from ASLDenoiseLib.scene.headless import headless_scene
    from ASLDenoiseLib.scene.present import present
    from ASLDenoiseLib.scene.readouts import readout_rows, readouts_text
    from ASLDenoiseLib.scene.render import render_overlay

    with headless_scene() as scene:
        shown = present(denoised, scene=scene)
        nodes = nodes_of(scene, runs_in(scene)[0])
        raw, processed = nodes.maps[denoised.raw], nodes.maps[processed_of(nodes)]
        assert raw.GetDisplayNode().GetWindowLevelMax() == processed.GetDisplayNode().GetWindowLevelMax()
        assert legends_of(processed)[0].GetTitleText().startswith("Perfusion (scanner units")
        assert not raw.GetVoxelValueUnits() or not raw.GetVoxelValueUnits().GetCodeValue()
        assert [choice.label for choice in choices(nodes)][:2] == ["Raw mean difference", "Denoised difference"]
        row = next(row for row in readout_rows(shown.readouts) if row.name == "gm_mean")
        assert row.unit == SCANNER_UNIT and np.isfinite(row.change)
        assert CBF_UNIT not in readouts_text(shown.readouts)
        assert render_overlay(shown, tmp_path / "overlay.png").stat().st_size > 10_000


def test_charts_are_in_scanner_units(denoised):
    from ASLDenoiseLib.reporting.charts import charts_of

    charts = charts_of(denoised)
    said = " ".join(f"{c.name} {c.caption} {c.x_title} {c.y_title} {c.x_unit} {c.y_unit}" for c in charts)
    assert {c.key for c in charts} >= {"boxes", "scatter", "agreement"}
    assert SCANNER_UNIT in said and "CBF" not in said and CBF_UNIT not in said
