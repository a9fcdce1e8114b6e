"""Phase encoding of M0 and series: the same direction is chosen, another one is named."""

from __future__ import annotations

import numpy as np
import pytest
from m0_builders import affine, codes, m0_of, tissues, write, write_m0
from reading_builders import refusal

from ASLDenoiseLib.inspecting.inspection import Inspection
from ASLDenoiseLib.inspecting.m0_checks import m0_findings
from ASLDenoiseLib.inspecting.m0_image_checks import m0_image_findings
from ASLDenoiseLib.reading.read import read_series

M0 = m0_of(tissues())
SERIES = {"M0Type": "Separate", "PhaseEncodingDirection": "j-"}


def said(series) -> dict:
    return codes([*m0_findings(series), *m0_image_findings(Inspection(series))])


@pytest.mark.parametrize("stem", ["sub-01", "sub-01_dir-AP"])
def test_of_two_directions_that_of_the_series_is_chosen_and_the_other_named(tmp_path, stem):
    path = write(tmp_path, sidecar=SERIES, stem=stem)
    write_m0(tmp_path, M0, sidecar={"PhaseEncodingDirection": "j-"}, stem="sub-01_dir-AP")
    write_m0(tmp_path, 2 * M0, sidecar={"PhaseEncodingDirection": "j"}, stem="sub-01_dir-PA")
    series = read_series(path)
    assert series.m0.array.max() == pytest.approx(M0.max(), rel=1e-6)
    found = said(series)
    assert "sub-01_dir-PA_m0scan.nii.gz, of phase encoding j and not j-" in found["m0-sources"].why
    assert "m0-phase-encoding" not in found


def test_one_of_the_same_direction_comes_before_one_of_the_same_name(tmp_path):
    path = write(tmp_path, separate=2 * M0, sidecar=SERIES, m0_sidecar={"PhaseEncodingDirection": "j"})
    write_m0(tmp_path, M0, sidecar={"PhaseEncodingDirection": "j-"}, stem="sub-01_dir-AP")
    assert read_series(path).m0.array.max() == pytest.approx(M0.max(), rel=1e-6)


@pytest.mark.parametrize("direction", ["j", "i"])
def test_another_direction_alone_is_used_and_warned_of(tmp_path, direction):
    path = write(tmp_path, separate=M0, sidecar=SERIES, m0_sidecar={"PhaseEncodingDirection": direction})
    finding = said(read_series(path))["m0-phase-encoding"]
    assert finding.severity.value == "warning" and f"{direction} and j-" in finding.why and "distort" in finding.why


def test_the_name_tells_the_direction_where_no_sidecar_does(tmp_path):
    path = write(tmp_path, sidecar={"M0Type": "Separate"}, stem="sub-01_dir-AP")
    write_m0(tmp_path, M0, stem="sub-01_dir-PA")
    assert "PA and AP" in said(read_series(path))["m0-phase-encoding"].why
    write_m0(tmp_path, 2 * M0, stem="sub-01_dir-AP")
    series = read_series(path)
    assert series.m0.array.max() == pytest.approx(2 * M0.max(), rel=1e-6)
    assert "m0-phase-encoding" not in said(series)


def test_a_direction_is_compared_in_the_patient_not_in_the_array(tmp_path):
    turned = affine() @ np.diag([1.0, -1.0, 1.0, 1.0])
    turned[1, 3] *= -1
    path = write(tmp_path, sidecar=SERIES)
    write_m0(tmp_path, M0[:, ::-1], m0_affine=turned, sidecar={"PhaseEncodingDirection": "j"})
    series = read_series(path)
    np.testing.assert_allclose(series.m0.array, M0.T, atol=0.1)
    assert "m0-phase-encoding" not in said(series)


def test_two_of_the_same_direction_are_never_chosen_between(tmp_path):
    path = write(tmp_path, sidecar=SERIES)
    for run in ("1", "2"):
        write_m0(tmp_path, M0, sidecar={"PhaseEncodingDirection": "j-"}, stem=f"sub-01_dir-{run}")
    refusal(read_series, path, mentions=("dir-1", "dir-2", "--m0"))
