"""One number for the M0, its scale and its repetition time: combined or refused, never passed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from m0_builders import codes, grey_matter, m0_of, save, tissues, write
from reading_builders import refusal

from ASLDenoiseLib.inspecting.fixes import apply_fix
from ASLDenoiseLib.inspecting.inspection import inspect, require_quantifiable
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.reading.read import read_series

M0 = m0_of(tissues())
SATURATED = 1 - np.exp(-2 / 1.607)  # at a repetition time of 2 s


def number_of(series) -> float:
    values = calibrate(series).m0.array
    assert np.ptp(values) == 0
    return float(values.flat[0])


def bent(folder: Path, **keys) -> Path:
    return write(folder, sidecar={"M0Type": "Estimate", **keys})


@pytest.mark.parametrize(
    ("given", "values", "counts"),
    [
        (1000.0, {}, 1000.0),
        (100.0, {"m0_scale": 10.0}, 1000.0),
        (1000 * SATURATED, {"m0_repetition_time": 2.0}, 1000.0),
        (100 * SATURATED, {"m0_repetition_time": 2.0, "m0_scale": 10.0}, 1000.0),
        (1000.0, {"m0_repetition_time": 8.0}, 1000.0),
    ],
)
def test_a_number_is_scaled_and_relaxed_as_the_user_says(tmp_path, given, values, counts):
    series = read_series(write(tmp_path), m0=given, values={**values, "t1_tissue": 1.607})
    assert number_of(series) == pytest.approx(counts, rel=1e-4)
    assert grey_matter(series)[0] == pytest.approx(60, rel=0.02), "the M0 of grey matter is 1000"
    stated = {p.name: p.value for p in calibrate(series).parameters}
    assert stated["m0"] == given and stated.get("m0_scale", 1.0) == values.get("m0_scale", 1.0)


def test_an_estimate_of_the_sidecar_takes_the_scale_stated_beside_it(tmp_path):
    assert number_of(read_series(bent(tmp_path, M0Estimate=250.0, M0Scale=4.0))) == 1000


def test_a_repetition_time_in_a_file_beside_a_number_is_refused_until_the_user_says_what_is_meant(tmp_path):
    path = bent(tmp_path, M0Estimate=1000.0, M0RepetitionTime=2.0)
    series = read_series(path)
    assert "m0-number-unclear" in codes(inspect(series))
    refusal(require_quantifiable, series, mentions=("2 s", "--m0-tr"))
    refusal(calibrate, series, mentions=("2 s", "--m0-tr"))
    assert number_of(read_series(path, values={"m0_repetition_time": 10.0})) == 1000


def test_a_repetition_time_of_zero_beside_a_number_is_refused_and_has_a_fix(tmp_path):
    series = read_series(write(tmp_path), m0=1000.0, values={"m0_repetition_time": 0.0})
    refusal(require_quantifiable, series, mentions=("zero", "--m0-tr", "--fix m0-tr-zero"))
    assert number_of(apply_fix(series, "m0-tr-zero")) == 1000


@pytest.mark.parametrize("value", [0, -3.0])
def test_an_estimate_that_is_no_m0_is_refused_in_one_sentence(tmp_path, value):
    refusal(read_series, bent(tmp_path, M0Estimate=value), mentions=("M0Estimate",))


@pytest.mark.parametrize("wrong", [100.0, 500.0, 8000.0])
def test_a_number_that_does_not_fit_the_controls_is_found(tmp_path, wrong):
    path = write(tmp_path, suppressed=False)
    assert "implausible-cbf" not in codes(inspect(read_series(path, m0=1000.0)))
    assert "implausible-cbf" in codes(inspect(read_series(path, m0=wrong)))
    scaled = read_series(path, m0=wrong, values={"m0_scale": 1000 / wrong})
    assert "implausible-cbf" not in codes(inspect(scaled))


def test_the_repetition_time_given_for_the_m0_counts_for_controls_that_stand_in(tmp_path):
    path = write(tmp_path, suppressed=False, sidecar={"BackgroundSuppressionNumberPulses": 2})
    plain, given = (read_series(path, values=v) for v in ({}, {"m0_repetition_time": 2.0, "t1_tissue": 1.607}))
    ratio = calibrate(given).m0.array / calibrate(plain).m0.array
    np.testing.assert_allclose(ratio[np.isfinite(ratio)], 1 / SATURATED, rtol=1e-5)


def test_what_is_used_of_several_sources_is_said(tmp_path):
    def said(path: Path, **given) -> str:
        return codes(inspect(read_series(path, **given)))["m0-sources"].why

    both = write(tmp_path / "a", separate=M0, sidecar={"M0Estimate": 900.0})
    assert said(both) == "the M0 image sub-01 is used; the M0Estimate of 900 is not"
    estimate = write(tmp_path / "b", separate=M0, sidecar={"M0Estimate": 900.0, "M0Type": "Estimate"})
    assert said(estimate) == "the number 900 is used; sub-01_m0scan.nii.gz is not"
    included = write(tmp_path / "c", included=[M0], separate=M0)
    assert said(included) == "the M0 image sub-01 is used; sub-01_m0scan.nii.gz is not"
    absent = write(tmp_path / "d", separate=M0, suppressed=False, sidecar={"M0Type": "Absent"})
    assert said(absent) == "none is used; sub-01_m0scan.nii.gz is not"
    other = save(tmp_path / "e" / "other.nii.gz", M0)
    path = write(tmp_path / "e", included=[M0])
    assert said(path, m0=other) == "the M0 image other is used; the m0scan volumes of the series is not"
    assert "m0-sources" not in codes(inspect(read_series(write(tmp_path / "f", separate=M0))))


def test_a_number_is_said_to_be_taken_as_that_of_tissue_and_how_one_of_blood_is_given(tmp_path):
    finding = codes(inspect(read_series(write(tmp_path), m0=1000.0)))["m0-number"]
    assert "--m0-scale 0.9" in finding.remedy
