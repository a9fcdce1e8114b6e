"""Inspection: each fault of the field is found, with a remedy; sound series are left in peace."""

from __future__ import annotations

import re
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from reading_builders import PAIRS, SIZE, head, refusal, save, series_array, write_series

from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.inspecting.inspection import inspect, require_quantifiable
from ASLDenoiseLib.reading.read import read_series, swapped

pytestmark = pytest.mark.usefixtures("worked_out")


def found(folder, **how) -> dict:
    """Findings by code of a series written with `how`; user values under `values`."""
    values = how.pop("values", None)
    return {f.code: f for f in inspect(read_series(write_series(folder, **how), values=values))}


def test_a_sound_series_has_no_findings(tmp_path):
    assert found(tmp_path) == {}


def test_findings_come_worst_first_and_each_has_a_remedy(tmp_path):
    path = write_series(tmp_path, words=PAIRS[:4], sidecar={"PostLabelingDelay": None, "BackgroundSuppression": None})
    findings = inspect(read_series(path))
    ranks = [("unusable", "warning", "note").index(f.severity.value) for f in findings]
    assert ranks == sorted(ranks)
    assert {f.severity for f in findings} == set(Severity)
    for f in findings:
        assert f.remedies and f.remedy.endswith(".") and f.mend == f.remedy
        assert not f.what.endswith(".")
        assert not f.why.endswith(".")
        assert f.why


def test_swapped_control_and_label_are_found(tmp_path):
    series = read_series(write_series(tmp_path))
    findings = {f.code: f for f in inspect(swapped(series))}
    assert "--swap" in findings["control-label-swapped"].remedy
    assert "m0-scale" not in findings, "the sign alone is wrong"


def test_one_swapped_pair_or_negative_difference_is_found_too(tmp_path):
    words = ("control", "label")
    wrong = series_array(("label", "control"), noise=1)
    assert "control-label-swapped" in found(tmp_path / "a", words=words, array=wrong)
    negative = found(tmp_path / "b", words=("deltam",) * 6, fraction=-0.005)
    assert "--swap" in negative["control-label-swapped"].remedy


def test_noise_without_perfusion_is_not_called_swapped(tmp_path):
    for seed in range(5):
        assert "control-label-swapped" not in found(tmp_path / str(seed), fraction=0.0, seed=seed)


@pytest.mark.parametrize(
    ("sidecar", "remedy"),
    [
        ({"PostLabelingDelay": 1800}, "--pld 1.8"),
        ({"LabelingDuration": 1500}, "--label-duration 1.5"),
        ({"RepetitionTimePreparation": 4000}, "--tr 4"),
        (
            {"MRAcquisitionType": "2D", "SliceTiming": list(range(0, 640, 40))},
            "0.6, with --slice-timing or in the sidecar",
        ),
    ],
)
def test_milliseconds_are_found_and_refused(tmp_path, sidecar, remedy):
    path = write_series(tmp_path, sidecar=sidecar)
    finding = next(f for f in inspect(read_series(path)) if f.code == "milliseconds")
    assert finding.severity is Severity.UNUSABLE
    assert remedy in finding.remedy
    refusal(require_quantifiable, read_series(path), mentions=("milliseconds", remedy))


@pytest.mark.parametrize(
    ("m0", "factor"), [(10_000, "0.1"), (100, "10"), (1000 / 32, "32"), (1000 / 96, "96"), (32_000, "0.03125")]
)
def test_an_m0_of_another_scale_is_found_with_the_factor_that_fixes_it(tmp_path, m0, factor):
    findings = found(tmp_path / "a", m0=m0)
    assert f"M0Scale of {factor} " in findings["m0-scale"].remedy, "M0 against control tells it"
    assert "m0-scale" not in found(tmp_path / "b", m0=m0, values={"m0_scale": float(factor)})
    suppressed = {"BackgroundSuppression": True, "BackgroundSuppressionNumberPulses": 2}
    remedy = found(tmp_path / "c", m0=m0, sidecar=suppressed)["m0-scale"].remedy
    assert factor in re.findall(r"[\d.]*\d", remedy), "CBF alone cannot tell 96 from 64 or 128 and names them all"


def test_an_implausible_cbf_that_no_scale_explains_is_said(tmp_path):
    findings = found(tmp_path, fraction=0.05)  # 430 ml/100g/min, while M0 and control agree
    assert "implausible-cbf" in findings
    assert "m0-scale" not in findings


def test_an_m0_repetition_time_of_zero_is_unusable(tmp_path):
    path = write_series(tmp_path, m0_sidecar={"RepetitionTimePreparation": 0})
    assert any(f.code == "m0-tr-zero" and f.severity is Severity.UNUSABLE for f in inspect(read_series(path)))
    refusal(require_quantifiable, read_series(path), mentions=("repetition time of the M0 is zero",))


def test_an_unrelaxed_m0_and_an_unstated_repetition_time_are_noted(tmp_path):
    note = found(tmp_path / "a", m0_sidecar={"RepetitionTimePreparation": 2.0})["m0-not-relaxed"]
    assert note.severity is Severity.NOTE
    assert "1.405" in note.remedy
    assert "m0-tr-missing" in found(tmp_path / "b", m0_sidecar={"EchoTime": 0.01})


@pytest.mark.parametrize(
    ("sidecar", "code", "option"),
    [
        ({"PostLabelingDelay": None}, "missing-pld", "--pld"),
        ({"PostLabelingDelay": 0}, "missing-pld", "--pld"),
        ({"LabelingDuration": None}, "missing-label-duration", "--label-duration"),
        ({"ArterialSpinLabelingType": None}, "missing-labeling", "--labeling"),
        ({"ArterialSpinLabelingType": "PASL"}, "missing-bolus-duration", "--bolus-duration"),
        ({"PostLabelingDelay": [1.8] * 8 + [2.2] * 8}, "multi-pld", "one delay"),
    ],
)
def test_what_quantification_needs_is_found_missing_and_refused(tmp_path, sidecar, code, option):
    path = write_series(tmp_path, sidecar=sidecar)
    finding = next(f for f in inspect(read_series(path)) if f.code == code)
    assert finding.severity is Severity.UNUSABLE
    refusal(require_quantifiable, read_series(path), mentions=(option,))


def test_doubtful_delays_are_warned_of(tmp_path):
    short = found(tmp_path / "a", sidecar={"PostLabelingDelay": 0.8})["pld-label-duration-doubtful"]
    assert short.severity is Severity.WARNING
    equal = {"LabelingDuration": 1.6, "PostLabelingDelay": 1.6}
    assert found(tmp_path / "b", sidecar=equal)["pld-label-duration-doubtful"].severity is Severity.NOTE
    consensus = {"LabelingDuration": 1.8, "PostLabelingDelay": 1.8}
    assert "pld-label-duration-doubtful" not in found(tmp_path / "d", sidecar=consensus)
    pasl = {"ArterialSpinLabelingType": "PASL", "PostLabelingDelay": 1.8, "BolusCutOffDelayTime": 1.9}
    assert "inversion time" in found(tmp_path / "c", sidecar=pasl)["pld-label-duration-doubtful"].why


def test_counts_that_disagree_are_found(tmp_path):
    assert "9 controls and 8 labels" in found(tmp_path / "a", words=(*PAIRS, "control"))["count-mismatch"].why
    assert "is 12" in found(tmp_path / "b", sidecar={"TotalAcquiredPairs": 12})["count-mismatch"].why


def test_dummy_volumes_are_found_and_those_left_out_are_noted(tmp_path):
    array = series_array(PAIRS)
    array[..., :2] *= 1.6
    dummies = found(tmp_path / "a", array=array)["dummy-volumes"]
    assert "volume 1: 1.60 times and volume 2: 1.60 times" in dummies.why
    assert "--context n/a,n/a,label,control" in dummies.remedy
    assert "m0scan" in dummies.remedy
    findings = found(tmp_path / "b", words=("n/a", "noRF", *PAIRS))
    assert "volume 1, 2" in findings["volumes-left-out"].why
    assert "dummy-volumes" not in findings


def test_an_absent_m0_is_warned_of_with_what_is_given_by_background_suppression(tmp_path):
    absent = {"M0Type": "Absent"}
    plain = found(tmp_path / "a", sidecar=absent)["m0-absent"]
    assert plain.severity is Severity.WARNING
    assert "mean control" in plain.why
    for folder, suppressed in (("b", True), ("c", None)):
        path = write_series(tmp_path / folder, sidecar={**absent, "BackgroundSuppression": suppressed})
        finding = next(f for f in inspect(read_series(path)) if f.code == "m0-absent")
        assert finding.severity is Severity.WARNING
        assert "relative perfusion in scanner units" in finding.what and "--m0" in finding.remedy
        assert ("--suppression-pulses 0" in finding.remedy) == (suppressed is None)
        require_quantifiable(read_series(path))


def test_unstated_suppression_and_slice_timing_are_found(tmp_path):
    sidecar = {"BackgroundSuppression": None, "MRAcquisitionType": "2D"}
    findings = found(tmp_path / "a", sidecar=sidecar)
    assert findings["background-suppression-unknown"].severity is Severity.WARNING
    assert "too low" in findings["slice-timing-missing"].why
    pulses = found(tmp_path / "b", sidecar={"BackgroundSuppression": True})["background-suppression-unknown"]
    assert pulses.severity is Severity.NOTE
    assert "readout-unknown" in found(tmp_path / "c", sidecar={"MRAcquisitionType": None})


def test_slice_timing_that_is_not_used_or_outlasts_the_repetition_is_warned_of(tmp_path):
    timing = {"SliceTiming": [0.5 * k for k in range(16)]}
    findings = found(tmp_path / "a", sidecar=timing)
    assert "3D" in findings["slice-timing-ignored"].why
    assert "7.5 s, after the repetition time of 6 s" in findings["slice-timing-doubtful"].why
    short = {"SliceTiming": [0.04 * k for k in range(16)], "MRAcquisitionType": "2D"}
    assert found(tmp_path / "b", sidecar=short) == {}


def test_an_order_that_changes_within_the_series_is_found_and_where(tmp_path):
    actual = PAIRS * 2
    lost = tuple(word for i, word in enumerate(actual) if i != 16)
    words = actual[:-1]
    finding = found(tmp_path / "a", words=words, array=series_array(lost))["order-changes"]
    assert "at about pair 9 of 15" in finding.why
    assert "order-changes" not in found(tmp_path / "b", words=words, array=series_array(words))
    for seed in range(5):
        assert "order-changes" not in found(tmp_path / f"c{seed}", words=words, fraction=0.0, seed=seed)


def test_a_head_that_moved_is_suspected_and_noise_is_not(tmp_path):
    array = series_array(PAIRS)
    assert "motion-suspected" not in found(tmp_path / "a", array=array)
    array[..., 10:12] = np.roll(array[..., 10:12], 1, axis=1)
    moved = found(tmp_path / "b", array=array)["motion-suspected"]
    assert "in 2 of 16 volumes" in moved.why
    assert "8.0 mm" in moved.why


def test_an_m0_without_a_brain_or_with_too_much_of_one_is_warned_of(tmp_path):
    path = write_series(tmp_path / "a")
    save(tmp_path / "a" / "sub-01_m0scan.nii.gz", np.random.default_rng(0).gamma(2, 100, SIZE))
    codes = {f.code for f in inspect(read_series(path))}
    assert codes & {"brain-not-found", "brain-mask-doubtful"}
    path = write_series(tmp_path / "b")
    for name in ("sub-01_asl.nii.gz", "sub-01_m0scan.nii.gz"):
        image = nibabel.load(tmp_path / "b" / name)
        nibabel.save(nibabel.Nifti1Image(image.get_fdata(), np.diag([12.0, 12.0, 12.0, 1.0])), tmp_path / "b" / name)
    large = next(f for f in inspect(read_series(path)) if f.code == "brain-mask-doubtful")
    assert "adult brains have some 1200 to 1700" in large.why


def test_nan_voxels_are_counted(tmp_path):
    array = series_array(PAIRS)
    array[0, 0, :3, 5] = np.nan
    assert "3 voxels" in found(tmp_path, array=array)["nan-voxels"].why


def test_difference_only_and_few_pairs_are_noted(tmp_path):
    findings = found(tmp_path, words=("deltam",))
    assert "difference-only" in findings
    assert findings["noise-from-image"].severity is Severity.NOTE and "few-pairs" not in findings


def test_ge_and_philips_scaling_are_explained(tmp_path):
    ge = found(tmp_path / "a", words=("deltam",) * 2, fraction=0.16, sidecar={"Manufacturer": "GE MEDICAL SYSTEMS"})
    assert "32" in ge["ge-scaling"].why
    assert "--fix ge-nex-1" in ge["ge-scaling"].remedy
    assert not {"m0-scale", "implausible-cbf"} & set(ge), "one explanation is enough"
    philips = found(tmp_path / "b", m0=90_000.0, sidecar={"Manufacturer": "Philips"})
    assert "same scaling" in philips["philips-scaling"].remedy


def test_an_image_without_contrast_does_not_stop_the_inspection(tmp_path):
    flat = np.tile(np.linspace(1, 1.01, 16), (*head().shape, 1))
    assert isinstance(found(tmp_path, array=flat, m0=None, sidecar={"M0Type": "Absent"}), dict)


def test_an_inspection_is_a_sequence_of_its_findings_and_prints_as_one(tmp_path):
    sound = inspect(read_series(write_series(tmp_path / "a")))
    assert sound == () and not sound and repr(sound) == "()"
    inspection = inspect(read_series(write_series(tmp_path / "b", sidecar={"PostLabelingDelay": 1800})))
    assert inspection == inspection.findings and list(inspection) == [*inspection.findings]
    assert (len(inspection), inspection[0].code) == (1, "milliseconds")
    assert repr(inspection) == repr(inspection.findings) and inspection != ()


def test_what_an_inspection_works_out_is_worked_out_once(tmp_path, monkeypatch):
    from ASLDenoiseLib.inspecting import inspection as module
    from ASLDenoiseLib.preparing import brain_mask, pairs
    from ASLDenoiseLib.quantifying import calibration

    counts: dict[str, int] = {}

    def counted(where, name):
        worked = getattr(where, name)

        def call(*arguments, **options):
            counts[name] = counts.get(name, 0) + 1
            return worked(*arguments, **options)

        monkeypatch.setattr(where, name, call)

    for where, name in (
        (brain_mask, "brain_mask"),
        (pairs, "difference_volumes"),
        (calibration, "calibrate"),
        (module, "acquisition_findings"),
        (module, "scale_of"),
    ):
        counted(where, name)
    series = read_series(write_series(tmp_path, m0=10_000))
    inspection = inspect(series)
    assert [fix.name for fix in inspection.fixes] == ["m0-scale"] and inspection.fixes is inspection.fixes
    assert inspection.reference is series.m0
    assert set(np.unique(inspection.brain.array)) == {0, 1} and inspection.brain.geometry.matches(series.geometry)
    np.testing.assert_array_equal(inspection.differences.array, pairs.difference_volumes(series).array)
    np.testing.assert_array_equal(inspection.calibration.m0.array, series.m0.array)
    require_quantifiable(inspection)
    assert counts.pop("difference_volumes") == 2  # once here
    assert set(counts.values()) == {1}, counts


def test_what_cannot_be_worked_out_is_none_and_an_unusable_series_is_refused_by_its_inspection(tmp_path):
    sidecar = {"M0Type": "Absent", "BackgroundSuppression": False, "LabelingDuration": None}
    flat = np.tile(np.linspace(1, 1.01, 16), (*head().shape, 1))
    inspection = inspect(read_series(write_series(tmp_path / "a", array=flat, m0=None, sidecar=sidecar)))
    assert inspection.brain is None
    suppressed = {**sidecar, "BackgroundSuppression": True}
    assert inspect(read_series(write_series(tmp_path / "b", m0=None, sidecar=suppressed))).calibration is None
    refusal(require_quantifiable, inspection, mentions=("label duration", "--label-duration"))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["grase", "epi", "picore"])
def test_real_series_are_not_called_swapped_and_their_swapped_copies_are(shared_data, name):
    perf = shared_data / "real" / "sub-01" / "perf"
    series = read_series(perf / f"sub-01_acq-{name}_asl.nii.gz")
    codes = [f.code for f in inspect(series)]
    assert not {"control-label-swapped", "m0-scale", "implausible-cbf", "dummy-volumes"} & set(codes)
    assert ("pld-label-duration-doubtful" in codes) == (name == "epi")
    require_quantifiable(series)
    assert "control-label-swapped" in [f.code for f in inspect(swapped(series))]


@pytest.mark.shared
def test_a_real_m0_scaled_by_ten_is_found(shared_data):
    path = shared_data / "real" / "sub-01" / "perf" / "sub-01_acq-grase_asl.nii.gz"
    series = read_series(path)
    scaled = replace(series, m0=series.m0.with_array(series.m0.array * 10))
    finding = next(f for f in inspect(scaled) if f.code == "m0-scale")
    assert "M0Scale of 0.1 " in finding.remedy
