"""Which scans to look at first: those that are spoilt, for reasons in words, and no sound one for being farthest."""

from __future__ import annotations

import math

import cohort_builders as study
import numpy as np
import pytest

from ASLDenoiseLib.group.ranking import JUDGED, Judged, centre_and_spread, cut_off, rank_scans, scanner_of
from ASLDenoiseLib.group.tables import scans_table
from ASLDenoiseLib.series import SCANNER_UNIT


def ranked(*records):
    return rank_scans(scans_table(records))


def one_of(found, name):
    return next(each for each in found if each.scan == name)


def words(each) -> str:
    return "\n".join(reason.words for reason in each.reasons)


@pytest.fixture(scope="module")
def found():
    return ranked(*study.study_of())


def test_the_spoilt_scans_come_first_and_only_they_are_set_apart(found):
    assert {each.scan for each in found[:3]} == set(study.SPOILT)
    assert {each.scan for each in found if each.set_apart} == set(study.SPOILT)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_what_is_wrong_by_itself_comes_before_what_is_only_unlike_the_others():
    odd = {"raw_qei": 0.1, "raw_tsnr": 0.1, "raw_negative_gm_fraction": 20.0, "brain_coverage_percent": 60.0}
    first, second, *_ = ranked(*study.study_of(spoilt={"sub-01_ses-1": odd, "sub-05_ses-2": {"fit_light": "red"}}))
    assert (first.scan, second.scan) == ("sub-05_ses-2", "sub-01_ses-1")
    assert second.score > first.score and second.set_apart and not second.grave


def test_heavy_motion_is_told_in_mm_against_the_scans_of_the_same_scanner(found):
    each = one_of(found, "sub-03_ses-2")
    assert "Motion, mean FD 1.9 against a median of 0.1" in words(each) and "mm" in words(each)
    assert "Left out 24 against a median of" in words(each)
    assert each.peers == "12 scans of GE PCASL 3D 3 T"
    assert each.reasons[0].grave and "the head moved by 1.9 mm between successive volumes" in each.reasons[0].words


def test_a_scan_without_label_is_told_by_what_its_run_said_and_by_its_figures(found):
    each = one_of(found, "sub-07_ses-1")
    assert "no perfusion can be told from noise (no-perfusion)" in words(each)
    assert "GM mean, raw 0.4 against a median of" in words(each)
    assert "47 % of grey matter is below zero" in words(each)


def test_the_t1_of_another_head_is_grave_by_itself(found):
    each = one_of(found, "sub-10_ses-2")
    assert each.reasons[0].grave and "the T1 is of another head, or lies wrong" in each.reasons[0].words
    (alone,) = ranked(study.record("sub-01", values={"fit_light": "red", "fit_score": 2.0}))
    assert alone.set_apart


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"findings_unusable": 1.0}, "1 finding says that it cannot be used"),
        ({"findings": "implausible-readout", "findings_warning": 1.0}, "not what any brain has"),
        ({"motion_mean_fd_mm": 1.2}, "the head moved by 1.2 mm between successive volumes, in the mean of the series"),
        ({"audit": "not kept"}, "the residual audit could not keep a tissue mean"),
        ({"raw_gm_mean": -3.0}, "the raw mean of grey matter is -3 ml/100g/min"),
        ({"raw_negative_gm_fraction": 44.0}, "44 % of grey matter is below zero in the raw map"),
    ],
)
def test_what_a_run_said_that_is_grave_sets_a_scan_apart(values, said):
    first, *others = ranked(*study.study_of(spoilt={"sub-05_ses-2": values}))
    assert (first.scan, first.set_apart) == ("sub-05_ses-2", True)
    assert said in words(first) and not any(other.set_apart for other in others)


def test_a_sound_study_accuses_nobody():
    assert [each.scan for each in ranked(*study.study_of(spoilt={})) if each.reasons] == []


def test_the_farthest_of_24_normal_values_is_seldom_beyond_the_cut_off():
    """By 3.5 robust SDs one in ten sound studies would be accused for each figure, and there are some twenty."""
    rng = np.random.default_rng(7)
    for count in (6, 12, 24, 100):
        values = rng.normal(size=(4000, count))
        away = [np.abs(row - middle).max() / spread for row in values for middle, spread in [centre_and_spread(row)]]
        assert np.mean(np.array(away) > cut_off(count)) < 0.012
        assert np.mean(np.array(away) > 3.5) > 0.06


def test_a_trifle_does_not_count_however_even_the_others_are():
    """Coverage 96.9 of 97.00 to 97.02 %: many robust SDs, and nothing to look at."""
    records = [study.record(f"sub-{n:02d}", values={"brain_coverage_percent": 97.0 + 0.001 * n}) for n in range(1, 20)]
    odd = study.record("sub-20", values={"brain_coverage_percent": 96.9})
    assert not one_of(ranked(*records, odd), "sub-20").reasons
    cut = study.record("sub-20", values={"brain_coverage_percent": 80.0})
    assert "Brain measured 80 against a median of 97 %" in words(one_of(ranked(*records, cut), "sub-20"))


def test_a_figure_counts_on_its_bad_side_alone():
    values = {"raw_qei": 0.999, "raw_snr": 90.0, "motion_mean_fd_mm": 0.0, "outlier_percent": 0.0, "fit_score": 60.0}
    assert not one_of(ranked(*study.study_of(spoilt={"sub-04_ses-1": values})), "sub-04_ses-1").reasons


@pytest.mark.parametrize(
    ("gm", "said"),
    [
        (140.0, "GM mean, raw 140 against a median of"),
        (15.0, "the raw mean of grey matter is 15 ml/100g/min, where 40 to 100 is usual"),
        (135.0, "the raw mean of grey matter is 135 ml/100g/min, where 40 to 100 is usual"),
    ],
)
def test_perfusion_counts_on_both_sides(gm, said):
    first = ranked(*study.study_of(spoilt={"sub-04_ses-1": {"raw_gm_mean": gm}}))[0]
    assert first.scan == "sub-04_ses-1" and said in words(first) and not first.set_apart


def test_figures_of_one_kind_count_once():
    """QEI of raw and of processed say the same: neither do they add up, nor do they set a scan apart."""
    spoilt = {"sub-04_ses-1": {"raw_qei": 0.1, "processed_qei": 0.1}}
    first = ranked(*study.study_of(spoilt=spoilt))[0]
    assert len(first.reasons) == 2 and first.score <= 5 and not first.set_apart
    spoilt["sub-04_ses-1"]["outlier_percent"] = 30.0
    assert ranked(*study.study_of(spoilt=spoilt))[0].set_apart


def test_a_scanner_of_few_scans_is_held_against_the_whole_study():
    few = [study.record(f"sub-9{n}", values={"manufacturer": "Philips"}) for n in range(4)]
    found = ranked(*study.study_of(spoilt={}), *few)
    assert one_of(found, "sub-90").peers == "all 28 scans in ml/100g/min"
    fifth = study.record("sub-94", values={"manufacturer": "Philips"})
    assert one_of(ranked(*study.study_of(spoilt={}), *few, fifth), "sub-90").peers == "5 scans of Philips PCASL 3D 3 T"


def test_scans_of_another_unit_are_not_held_against_each_other():
    """Grey matter of 3 scanner units is no low perfusion beside 55 ml/100g/min."""
    relative = study.record("sub-90", values={"unit": SCANNER_UNIT, "raw_gm_mean": 3.0, "processed_gm_mean": 3.0})
    assert not one_of(ranked(*study.study_of(spoilt={}), relative), "sub-90").reasons


def test_a_warning_counts_where_few_have_it_and_not_where_the_protocol_has_it():
    everyone = {"findings": "slice-timing-missing", "findings_warning": 1.0}
    records = [study.record(f"sub-{n:02d}", values=everyone) for n in range(1, 12)]
    alone = study.record("sub-12", values={"findings": "slice-timing-missing; m0-tr-zero", "findings_warning": 2.0})
    found = ranked(*records, alone)
    assert [each.scan for each in found if each.reasons] == ["sub-12"]
    assert words(found[0]) == "warning 'm0-tr-zero', which 1 of 12 scans have" and not found[0].set_apart


def test_too_few_scans_are_judged_by_what_their_runs_said_alone():
    odd = study.record("sub-04", values={"motion_mean_fd_mm": 0.9, "raw_qei": 0.1})
    assert not any(each.reasons for each in ranked(*(study.record(f"sub-0{n}") for n in range(1, 4)), odd))


def test_what_was_not_measured_is_no_reason():
    nothing = dict.fromkeys((judged.name for judged in JUDGED), math.nan)
    assert not one_of(ranked(*study.study_of(spoilt={"sub-04_ses-1": nothing})), "sub-04_ses-1").reasons


def test_half_of_the_scans_alike_leave_a_spread_to_judge_by():
    """No slice was left out in most: the MAD is zero, and 30 % still stands out."""
    records = [study.record(f"sub-{n:02d}", values={"outlier_percent": 0.0 if n < 9 else 1.0}) for n in range(1, 12)]
    odd = study.record("sub-20", values={"outlier_percent": 60.0})
    assert one_of(ranked(*records, odd), "sub-20").reasons


def test_every_judged_column_is_one_of_the_table():
    from ASLDenoiseLib.group.columns import described

    assert [judged.name for judged in JUDGED if not described(judged.name)] == []
    assert {judged.bad for judged in JUDGED} <= {"low", "high", "both"}
    assert isinstance(JUDGED[0], Judged)


def test_a_scanner_is_named_by_what_is_known_of_it():
    assert scanner_of({"manufacturer": "GE", "labeling": "", "readout": "3D", "field_strength_t": math.nan}) == "GE 3D"
    assert scanner_of({}) == ""
