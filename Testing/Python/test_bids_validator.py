"""What we write, and the sample that comes along, pass the BIDS validator."""

from __future__ import annotations

import shutil

import pytest
from bids_validator import NO_VALIDATOR, VALIDATOR, errors
from course_builders import with_course
from delay_results import result_of_delays, with_pairs
from scene_builders import made_result

import ASLDenoiseLib as ad
from ASLDenoiseLib.series import Labeling

pytestmark = pytest.mark.skipif(VALIDATOR is None, reason=NO_VALIDATOR)


def test_the_sample_is_a_valid_data_set(repo_root, tmp_path):
    folder = shutil.copytree(repo_root / "Resources" / "SampleData", tmp_path / "sample")
    assert not errors(folder)


def test_results_are_a_valid_derivative_and_only_by_what_they_say_of_themselves(tmp_path):
    result = with_course(made_result())
    assert result.motion is not None and result.outliers is not None
    out = tmp_path / "results"
    ad.write(result, out, attachments={"overlay.png": lambda path: path.write_bytes(b"")})
    assert not errors(out)
    (out / "someone_elses_file.nii.gz").write_bytes(b"")
    assert any("someone_elses_file" in error for error in errors(out))


def test_results_of_several_delays_are_a_valid_derivative(tmp_path):
    ad.write(with_pairs(result_of_delays(regions=("thalamus",))), tmp_path / "results")
    assert len(list((tmp_path / "results").glob("*_att.nii.gz"))) == 3
    assert not errors(tmp_path / "results")


@pytest.mark.parametrize("labeling", list(Labeling))
@pytest.mark.parametrize("readout", ["2D", "3D"])
def test_a_simulated_scan_is_a_valid_data_set(tmp_path, labeling, readout):
    pytest.importorskip("torch")
    from phantom_builders import ball_head

    from ASLDenoiseLib.learning.phantom import PhantomSettings
    from ASLDenoiseLib.learning.simulate import ScanSettings, make_protocol, simulate_head
    from ASLDenoiseLib.learning.simulated_dataset import write_simulated

    head = simulate_head(
        ball_head(),
        phantom=PhantomSettings(size=(20, 20, 12), warp=1.0),
        spacing=(9.0, 9.0, 12.0),
        scan=ScanSettings(pairs=2, acquisition=make_protocol(labeling, readout=readout, slices=12)),
        seed=3,
        t1_spacing=9.0,
    )
    write_simulated(head, tmp_path)
    assert not errors(tmp_path)


def test_a_simulated_study_of_both_scanners_is_a_valid_data_set(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from study_builders import small_design

    from Testing.Benchmarks.library import simulated_study

    monkeypatch.setattr(simulated_study, "PEOPLE", 2)  # one a scanner
    simulated_study.write_study(tmp_path, small_design(monkeypatch, people=2))
    assert {path.name for path in tmp_path.glob("acq-*")} == {"acq-grase_asl.json", "acq-epi_asl.json"}
    assert not errors(tmp_path)
    series = ad.read(next(tmp_path.rglob("sub-02_ses-1_acq-epi_asl.nii.gz")))
    assert series.acquisition.slice_timing == tuple(0.05 * n for n in range(12))
    assert series.m0 is not None
    assert [kind.value for kind in series.context] == ["m0scan", *["label", "control"] * 2]
