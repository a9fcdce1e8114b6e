"""Runs that correct one delay by the arrival times of another scan: every map of them, their files, and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from arrival_builders import CBF, UNMOVED, late_scan
from delay_builders import scan_of_delays
from request_builders import same

from ASLDenoiseLib.__main__ import make_parser
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.again import can_begin_again, digest_of
from ASLDenoiseLib.pipeline.arrival_files import read_arrival, with_siblings
from ASLDenoiseLib.pipeline.console import quantify
from ASLDenoiseLib.pipeline.request import ArrivalMap, DelayFit, Denoising, Head, Outputs, Request
from ASLDenoiseLib.pipeline.request_json import read_request
from ASLDenoiseLib.pipeline.run import completed, completed_again, run
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.reporting.derivatives import save_volume
from ASLDenoiseLib.reporting.html import report_html
from ASLDenoiseLib.resources import sample_data
from ASLDenoiseLib.result import maps
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.shell.options import request_of
from ASLDenoiseLib.spatial.resampling import resample


@pytest.fixture(scope="module")
def late():
    return late_scan()


@pytest.fixture(scope="module")
def result(late):
    return quantify(late.scan.series, tissue=late.scan.tissue, preparation=UNMOVED, att=late.asked(error=0.1))


def request(late, **parts) -> Request:
    return Request(late.scan.series, Head(tissue=late.scan.tissue), UNMOVED, **parts)


def mean(volume: Volume, where: np.ndarray) -> float:
    return float(np.mean(volume.array[where]))


def codes(result) -> set[str]:
    return {finding.code for finding in result.findings}


def test_cbf_in_late_tissue_is_half_too_low_before_and_right_after(late, result):
    before, after = (result.maps[key] for key in (maps.UNCORRECTED, maps.RAW))
    assert 0.3 < 1 - mean(before, late.late) / CBF < 0.6
    assert abs(mean(after, late.late) / CBF - 1) < 0.02
    assert abs(mean(after, late.early) / CBF - 1) < 0.02


def test_where_all_label_had_arrived_a_run_gives_what_it_gives_without_the_map(late, result):
    plain = quantify(late.scan.series, tissue=late.scan.tissue, preparation=UNMOVED)
    for key in (maps.RAW, maps.MEAN_ERROR):
        with_map, without = result.maps[key].array[late.early], plain.maps[key].array[late.early]
        np.testing.assert_array_equal(with_map, without) if key == maps.RAW else np.testing.assert_allclose(
            with_map, without, rtol=1e-6
        )
    np.testing.assert_array_equal(result.maps[maps.UNCORRECTED].array, plain.maps[maps.RAW].array)


def test_the_uncorrected_mean_has_readouts_beside_the_corrected_one(result):
    uncorrected, corrected = (result.values(key)["gm_mean"] for key in (maps.UNCORRECTED, maps.RAW))
    assert uncorrected < 0.85 * corrected
    assert result.kind(maps.UNCORRECTED).label != result.kind(maps.RAW).label


def test_the_arrival_times_used_are_among_the_maps_with_their_sd(late, result):
    used, error = result.maps[maps.USED_ATT], result.maps[maps.USED_ATT_ERROR]
    assert used.unit == error.unit == "s"
    np.testing.assert_allclose(used.array[late.late], 2.5, atol=1e-3)
    np.testing.assert_allclose(error.array[late.early], 0.1, atol=1e-6)


def test_the_report_shows_the_uncorrected_mean_and_the_arrival_times_used(result):
    page = report_html(result)
    assert "Raw mean, not corrected for arrival times" in page and "Arrival time: 0 to 3 s." in page
    assert "Corrected for the arrival times" in result.kind(maps.RAW).description


def test_a_finding_says_how_far_the_grey_matter_mean_moved_and_that_the_sd_is_carried(result):
    (told,) = [f for f in result.findings if f.code == "arrival-corrected"]
    assert "+3" in told.what and "50 % of the brain" in told.why and "carried along" in told.why
    assert not codes(result) & {"arrival-too-late", "arrival-not-reached", "arrival-registration-doubtful"}


def test_without_an_sd_the_finding_says_that_the_errors_leave_it_out(late):
    told = quantify(late.scan.series, tissue=late.scan.tissue, preparation=UNMOVED, att=late.asked())
    (why,) = [f.why for f in told.findings if f.code == "arrival-corrected"]
    assert "leave its error out" in why


def test_the_standard_error_grows_by_the_error_of_the_arrival_time(late, result):
    alone = quantify(late.scan.series, tissue=late.scan.tissue, preparation=UNMOVED, att=late.asked())
    ours, bare = (each.maps[maps.MEAN_ERROR] for each in (result, alone))
    carried = np.sqrt(mean(ours, late.late) ** 2 - mean(bare, late.late) ** 2)
    assert 0.05 < carried / CBF < 0.15  # 0.1 s of a curve that falls by its own height in one


def test_what_label_had_hardly_reached_is_not_measured_and_counted():
    very_late = late_scan(late=3.3)
    told = quantify(very_late.scan.series, tissue=very_late.scan.tissue, preparation=UNMOVED, att=very_late.asked())
    assert np.isnan(told.maps[maps.RAW].array[very_late.late]).all()
    assert np.isfinite(told.maps[maps.UNCORRECTED].array[very_late.late]).all()
    (finding,) = [f for f in told.findings if f.code == "arrival-too-late"]
    assert finding.severity.value == "warning" and "50.0 %" in finding.what
    assert "in 50.0 % less than 20%" in finding.why and "in 0.0 % the SD" in finding.why


def test_what_the_map_does_not_reach_is_not_measured_and_counted(late):
    asked = late.asked()
    array = asked.att.array.copy()
    array[:3] = np.nan
    part = replace(asked, att=asked.att.with_array(array))
    told = quantify(late.scan.series, tissue=late.scan.tissue, preparation=UNMOVED, att=part)
    assert np.isnan(told.maps[maps.RAW].array[:2][late.scan.brain[:2]]).all()
    assert "arrival-not-reached" in codes(told)


def test_a_run_without_an_m0_is_corrected_likewise():
    late = late_scan(with_m0=False, kind="deltam")
    told = quantify(late.scan.series, tissue=late.scan.tissue, preparation=UNMOVED, att=late.asked())
    uncorrected = maps.named(maps.UNCORRECTED, told.maps)
    assert maps.is_relative(told.maps) and uncorrected != maps.UNCORRECTED
    before, after = (told.maps[key] for key in (uncorrected, told.raw))
    assert abs(mean(after, late.late) / mean(after, late.early) - 1) < 0.02
    assert mean(before, late.late) / mean(before, late.early) < 0.7
    assert told.maps[uncorrected].unit == told.unit


@pytest.mark.runs
def test_denoised_maps_and_their_uncertainty_are_corrected_too(late):
    asked = request(late, denoising=Denoising("dwan-lfn"), arrival=late.asked(error=0.1), device="cpu")
    told = run(asked)
    assert abs(mean(told.maps[maps.DENOISED], late.late) / mean(told.maps[maps.DENOISED], late.early) - 1) < 0.1
    deviation = told.maps.get(maps.UNCERTAINTY) or told.maps[maps.MEAN_ERROR]
    assert mean(deviation, late.late) > 2 * mean(deviation, late.early)


def test_a_run_again_keeps_the_correction_and_another_map_does_not_begin_again(late, tmp_path):
    asked = request(late, arrival=late.asked(error=0.1))
    completed(asked, keep_in=tmp_path)
    other = replace(asked, preparation=replace(UNMOVED, smoothing=6.0))
    assert can_begin_again(other, tmp_path)
    same(completed_again(other, tmp_path).result, run(other))
    assert not can_begin_again(replace(asked, arrival=late.asked(error=0.2)), tmp_path)
    assert digest_of(asked) != digest_of(replace(asked, fit=DelayFit("general")))


def test_a_request_written_as_json_gives_the_same_result(late, tmp_path):
    head = Head(tissue=replace(late.scan.tissue, csf=None))  # there is none in the ball
    outputs = Outputs(folder=tmp_path, name="sub-01")
    told = run(replace(request(late, arrival=late.asked(error=0.1), outputs=outputs), head=head))
    (written,) = tmp_path.rglob("*_request.json")
    read = read_request(written)
    assert read.arrival.space == "asl" and read.arrival.error is not None
    again = run(replace(read, outputs=Outputs(name="sub-01")))
    assert again.maps.keys() == told.maps.keys() and again.findings == told.findings
    for key in (maps.RAW, maps.UNCORRECTED, maps.MEAN_ERROR):
        volume = told.maps[key]
        np.testing.assert_allclose(again.maps[key].array, volume.array, rtol=1e-4, atol=1e-4, err_msg=key)


def test_the_shell_names_map_sd_reference_and_space(tmp_path):
    def asked(*options):
        line = ["quantify", "asl.nii.gz", "--out", str(tmp_path), *options]
        return request_of(set_command(make_parser().parse_args(line))).arrival

    assert asked() is None
    assert asked("--att", "att.nii.gz") == ArrivalMapLike("att.nii.gz", None, None, "scan")
    assert asked("--att", "att.nii.gz@t1", "--t1", "t1.nii.gz").space == "t1"
    full = asked("--att", "a@asl", "--att-sd", "sd.nii", "--att-reference", "m0.nii")
    assert full == ArrivalMapLike("a", "sd.nii", "m0.nii", "asl")
    with pytest.raises(InputError, match="--att"):
        asked("--att-sd", "sd.nii")


def set_command(args):
    args.command_line = ""
    return args


class ArrivalMapLike:
    def __init__(self, *parts):
        self.parts = parts

    def __eq__(self, other):
        given = (other.att, other.error, other.reference)
        return (*(None if each is None else str(each) for each in given), other.space) == self.parts


def test_a_map_of_ours_finds_its_cbf_map_and_its_sd_beside_it(late, tmp_path):
    for key in ("desc-denoised_att", "desc-mean_att", "desc-denoised_cbf", "desc-mean_cbf", "desc-uncertainty_att"):
        save_volume(late.att, tmp_path / f"sub-01_{key}.nii.gz")
    denoised = with_siblings(ArrivalMap(tmp_path / "sub-01_desc-denoised_att.nii.gz"))
    assert denoised.error.name == "sub-01_desc-uncertainty_att.nii.gz"
    assert denoised.reference.name == "sub-01_desc-denoised_cbf.nii.gz"
    plain = with_siblings(ArrivalMap(tmp_path / "sub-01_desc-mean_att.nii.gz"))
    assert plain.error is None and plain.reference.name == "sub-01_desc-mean_cbf.nii.gz"


def test_what_cannot_be_corrected_is_refused_before_any_long_work(late, tmp_path):
    att, series = late.asked(), late.scan.series
    several = scan_of_delays(repeats=1, size=(8, 8, 4)).series
    with pytest.raises(InputError, match="several delays"):
        read_arrival(att, several)
    cbf = replace(series, array=series.array[:1], context=("cbf",), m0=None)
    with pytest.raises(InputError, match="CBF map has no delay"):
        read_arrival(att, cbf)
    with pytest.raises(InputError, match="--att-reference"):
        read_arrival(ArrivalMap(att.att), series)
    untimed = replace(series, acquisition=series.acquisition.with_values("user", post_labeling_delay=None))
    with pytest.raises(InputError, match="PostLabelingDelay"):
        read_arrival(att, untimed)
    with pytest.raises(InputError, match="MNI space"):
        read_arrival(ArrivalMap(tmp_path / "sub-01_space-MNI152NLin2009aSym_desc-mean_att.nii.gz"), series)
    with pytest.raises(InputError, match="without the T1"):
        request(late, arrival=replace(att, space="t1"))
    with pytest.raises(InputError, match="no space of a run"):
        replace(att, space="mni")


@pytest.mark.registers
def test_another_scan_of_the_head_that_lies_elsewhere_is_registered_by_its_reference():
    sample = sample_data()
    series, truth = read_series(sample.asl), read_image(sample.truth)
    grid = series.geometry
    att = np.where(np.indices(grid.shape)[2] >= grid.size[0] / 2, 2.5, 1.2).astype(np.float32)
    turned, shift = np.eye(4), np.array([6.0, -5.0, 4.0])
    angle = np.deg2rad(5.0)
    turned[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turned[:3, 3] = shift
    other = Geometry((56, 56, 18), (4.0, 4.0, 7.0), grid.origin, grid.direction)
    there = {
        name: resample(truth.with_array(v), other, transform=turned)
        for name, v in (("att", att), ("reference", truth.array))
    }
    asked = ArrivalMap(there["att"], reference=there["reference"])
    told = run(Request(series, preparation=UNMOVED, arrival=asked))
    brain = told.brain.array > 0
    wrong = np.abs(told.maps[maps.USED_ATT].array - att) > 0.3
    assert wrong[brain].mean() < 0.03  # voxels beside the step
    assert "arrival-registration-doubtful" not in codes(told)
    moved = {p.name: p.value for p in told.parameters}["arrival_moved"]
    assert 6.0 < moved < 14.0
    unregistered = run(Request(series, preparation=UNMOVED, arrival=ArrivalMap(there["att"], space="asl")))
    left = np.abs(unregistered.maps[maps.USED_ATT].array - att) > 0.3
    assert left[brain].mean() > 2 * wrong[brain].mean()
