"""Statistics of a study against figures that were published, or worked out by hand."""

from __future__ import annotations

import math

import cohort_builders as study
import numpy as np
import pytest

from ASLDenoiseLib.group.columns import READOUTS
from ASLDenoiseLib.group.repeatability import (
    concordance,
    first_sessions,
    raw_and_processed,
    repeatability,
    repeats,
    session_and_session,
)
from ASLDenoiseLib.group.statistics import PairedTest, compare_readout, compare_readouts, dz_interval, paired_test
from ASLDenoiseLib.group.tables import scans_table
from ASLDenoiseLib.group.words import both_tests_text, concordance_text, p_text, repeatability_text

# Student (1908): hours of sleep that two drugs gave ten patients; R has it as `sleep`
SLEEP = (
    (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0),
    (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4),
)
# Shrout & Fleiss (1979), table 2: six targets, four judges
RATINGS = ((9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7))
GM = READOUTS[0]


def test_students_sleep_has_the_t_the_p_and_the_effect_that_were_published():
    """R: t = 4.0621, df = 9, p = 0.002833, interval 0.7001 to 2.4599; effectsize: d = 1.28 [0.41, 2.12]."""
    test = paired_test(*SLEEP)
    assert test.n == 10
    assert test.difference == pytest.approx(1.58)
    assert (test.t, test.t_p) == pytest.approx((4.0621, 0.002833), rel=1e-4)
    assert test.interval == pytest.approx((0.7001142, 2.4598858), rel=1e-6)
    assert test.dz == pytest.approx(1.2846, abs=1e-4)
    assert test.dz_interval == pytest.approx((0.4146, 2.1180), abs=1e-4)


def test_wilcoxon_of_sleep_leaves_out_the_zero_and_corrects_for_continuity():
    """R: V = 0 of nine differences that are not zero, p = 0.009091."""
    test = paired_test(*SLEEP)
    assert (test.w, test.rank_biserial) == (0, 1)
    assert test.w_p == pytest.approx(0.009091, abs=1e-6)


def test_wilcoxon_is_counted_out_where_no_two_differences_are_alike():
    """Six, one of them down by the least: 2 x 2 of 64 sign patterns are as far out, and ranks 20 to 1."""
    test = paired_test(np.zeros(6), [-1.0, 2, 3, 4, 5, 6])
    assert (test.w, test.w_p) == (1, pytest.approx(4 / 64))
    assert test.rank_biserial == pytest.approx((20 - 1) / 21)


@pytest.mark.parametrize(("dz", "n"), [(0.1, 3), (-2.0, 12), (6.0, 12), (0.2, 400)])
def test_the_interval_of_dz_has_the_observed_t_at_the_tails_of_both_its_ends(dz, n):
    """Checked by drawing: a noncentral t is (normal + parameter) over chi."""
    rng = np.random.default_rng(3)
    draws = rng.normal(size=400_000), np.sqrt(rng.chisquare(n - 1, 400_000) / (n - 1))
    low, high = dz_interval(dz, n)
    for end, share in ((low, 0.975), (high, 0.025)):
        below = np.mean((draws[0] + end * math.sqrt(n)) / draws[1] <= dz * math.sqrt(n))
        assert below == pytest.approx(share, abs=2e-3)


def test_differences_that_are_all_the_same_leave_nothing_to_test():
    test = paired_test([1.0, 2, 3, 4], [2.0, 3, 4, 5])
    assert (test.n, test.difference) == (4, 1.0)
    assert math.isnan(test.t) and math.isnan(test.w) and math.isnan(test.dz)
    assert both_tests_text(test) == "n = 4: all differences are +1.00, which leaves nothing to test"


def test_too_few_participants_are_not_tested():
    assert both_tests_text(paired_test([1.0, 2], [2.0, 4])) == "n = 2: too few participants to test"
    assert paired_test([], []) == PairedTest(0)


def test_what_was_not_measured_in_either_map_is_left_out():
    nan = float("nan")
    first, second = (list(values) for values in SLEEP)
    assert paired_test([*first, nan, 3.0], [*second, 4.0, nan]) == paired_test(*SLEEP)


def test_sessions_of_a_participant_count_once_with_their_mean():
    """Ten people of three sessions each, the same but for what averages out, give ten people's test."""
    records = []
    for person, values in enumerate(zip(*SLEEP, strict=True)):
        for session, off in enumerate((-1.0, 0.0, 1.0), start=1):
            of = dict(zip(("raw_gm_mean", "processed_gm_mean"), (value + off for value in values), strict=True))
            records.append(study.record(f"sub-{person:02d}_ses-{session}", values=of))
    found = compare_readout(scans_table(records), GM)
    assert (found.scans, found.test.n, found.participants[:2]) == (30, 10, ("00", "01"))
    assert (found.test.t, found.test.dz) == pytest.approx((4.0621, 1.2846), rel=1e-4)


def test_readouts_that_only_the_raw_map_has_are_not_compared():
    names = [found.readout.name for found in compare_readouts(scans_table(study.study_of()))]
    assert "snr" in names and "tsnr" not in names and "gm_att" not in names


def test_the_icc_of_shrout_and_fleiss_is_theirs():
    """ICC(1,1) = .17 of mean squares 11.24 and 6.26; interval -0.133 to 0.723 (psych::ICC)."""
    whose = [n for n, row in enumerate(RATINGS) for _ in row]
    found = repeatability(whose, [float(v) for row in RATINGS for v in row])
    assert (found.participants, found.scans) == (6, 24)
    assert found.icc == pytest.approx(0.1657, abs=1e-4)
    assert found.icc_interval == pytest.approx((-0.1329, 0.7226), abs=1e-4)
    assert found.within == pytest.approx(math.sqrt(6.2639), abs=1e-4)
    assert found.between == pytest.approx(math.sqrt((11.2417 - 6.2639) / 4), abs=1e-4)
    assert found.coefficient == pytest.approx(2.7719 * found.within, rel=1e-4)


def test_spread_within_and_between_of_two_sessions_by_hand():
    """Differences 2, 4, 2: within SD is sqrt(sum d^2 / 2n) = 2; means 11, 22, 31."""
    found = repeatability(["a", "a", "b", "b", "c", "c"], [10.0, 12, 20, 24, 30, 32])
    assert found.within == pytest.approx(2.0)
    mean = (11 + 22 + 31) / 3
    ms_between = 2 * sum((m - mean) ** 2 for m in (11, 22, 31)) / 2
    assert found.mean == pytest.approx(mean)
    assert found.between == pytest.approx(math.sqrt((ms_between - 4) / 2))
    assert found.within_cv == pytest.approx(200 / mean)
    assert found.icc == pytest.approx((ms_between - 4) / (ms_between + 4))


def test_participants_of_one_session_are_left_out_and_too_few_tell_nothing():
    whose, values = ["a", "a", "b", "b", "c", "d"], [1.0, 2, 3, 4, 9, math.nan]
    assert repeatability(whose, values) == repeatability(whose[:4], values[:4])
    alone = repeatability(["a", "a", "b"], [1.0, 2, 3])
    assert alone.participants == 1 and math.isnan(alone.icc)
    assert repeatability_text(alone) == "n = 1: too few participants with two sessions"


def test_participants_of_unequal_numbers_of_sessions_have_an_icc_without_an_interval():
    found = repeatability(["a", "a", "a", "b", "b", "c", "c"], [1.0, 2, 1, 5, 6, 9, 8])
    assert 0 < found.icc < 1 and math.isnan(found.icc_interval[0])


def test_sessions_that_differ_more_than_people_have_a_negative_icc_and_no_spread_between():
    found = repeatability(["a", "a", "b", "b"], [1.0, 9, 2, 8])
    assert found.icc < 0 and found.between == 0


def test_a_made_study_gives_back_the_spreads_that_it_was_made_with():
    """Grey matter of 7 ml/100g/min between people and 3 within (`cohort_builders`)."""
    found = repeats(scans_table(study.study_of(people=400, spoilt={})), "raw_gm_mean")
    assert found.within == pytest.approx(3.0, rel=0.08)
    assert found.between == pytest.approx(7.0, rel=0.08)
    assert found.icc == pytest.approx(49 / 58, abs=0.04)


def test_agreement_over_scans_is_bland_and_altmans_with_lins_concordance():
    """Second minus first; CCC = 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2), with n."""
    found = concordance(["a", "b", "c", "d"], [50.0, 60, 70, math.nan], [52.0, 60, 74, 80])
    assert found.labels == ("a", "b", "c")
    assert (found.agreement.bias, found.agreement.count) == (2.0, 3)
    x, y = np.array([50.0, 60, 70]), np.array([52.0, 60, 74])
    covariance = np.mean((x - x.mean()) * (y - y.mean()))
    assert found.ccc == pytest.approx(2 * covariance / (x.var() + y.var() + 4))
    assert "CCC 0.9" in concordance_text(found)


def test_raw_and_processed_agree_scan_by_scan_and_sessions_participant_by_participant():
    table = scans_table(study.study_of(spoilt={}))
    assert raw_and_processed(table, "gm_mean").agreement.count == 24
    sessions = session_and_session(table, "raw_gm_mean")
    assert sessions.labels == tuple(sorted(set(table["participant"])))
    one, two = (table[table["session"] == s].set_index("participant")["raw_gm_mean"] for s in ("1", "2"))
    assert sessions.agreement.bias == pytest.approx((two - one).mean())


def test_a_study_of_one_session_has_no_sessions_to_compare():
    table = scans_table(study.study_of(sessions=1))
    assert first_sessions(table["session"]) is None and session_and_session(table, "raw_gm_mean") is None


@pytest.mark.parametrize(("p", "text"), [(1e-9, "p < 0.001"), (0.04, "p = 0.040"), (math.nan, "p n/a")])
def test_a_p_is_given_as_papers_do(p, text):
    assert p_text(p) == text
