import warnings
from dataclasses import replace

import numpy as np
import pytest
from outlier_builders import GRID, SHAPE, changed, context_of, head, spiked, stripes

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.averaging import mean_difference, standard_error
from ASLDenoiseLib.preparing.outliers import (
    DEFAULT_METHOD,
    METHODS,
    AdaptiveSettings,
    HuberSettings,
    OutlierContext,
    PairMotion,
    PriorGuidedSettings,
    Rejection,
    fewest_kept,
    find_outliers,
    report_rejections,
)
from ASLDenoiseLib.preparing.outliers.prior_guided import consistent
from ASLDenoiseLib.preparing.outliers.score import pooled_variance
from ASLDenoiseLib.preparing.warnings import outlier_findings
from ASLDenoiseLib.series import Geometry, Volume

REJECTING = [name for name in METHODS if name not in ("none", "huber")]


def rejected(report, reason: str = "") -> list[tuple[int, int | None]]:
    return sorted((r.pair, r.slice) for r in report.rejections if reason in r.reason)


def error(context: OutlierContext, report, slices=slice(None)) -> float:
    """RMSE (ml/100g/min) of the mean in the brain."""
    apart = 0.1 * report.mean.array - head()[1]
    return float(np.sqrt(np.mean(apart[slices][context.solid[slices]] ** 2)))


def test_no_method_is_the_plain_mean_and_its_standard_error():
    context = context_of()
    report = find_outliers("none", context)
    np.testing.assert_array_equal(report.mean.array, mean_difference(context.pairs).array)
    np.testing.assert_allclose(report.standard_error.array, standard_error(context.pairs).array, rtol=1e-5)
    assert report.weights.shape == (20, 8, 1, 1) and report.weights.min() == 1
    assert report.rejections == () and (report.kept == 20).all()


@pytest.mark.parametrize("name", REJECTING)
def test_weights_kept_pairs_and_the_mean_agree_with_the_rejections(name):
    context = spiked(spiked(context_of(noise=60.0), 3), 7)
    report = find_outliers(name, context)
    np.testing.assert_array_equal(report.weights[..., 0, 0] == 0, report.flags)
    np.testing.assert_array_equal(report.kept, 20 - report.flags.sum(axis=0))
    mean = (report.weights * context.pairs.array).sum(axis=0) / report.weights.sum(axis=0)
    np.testing.assert_allclose(report.mean.array, mean, rtol=1e-4, atol=1e-2)


# the default


def test_zscores_reject_the_spiked_pair_and_the_spiked_slice_and_nothing_else():
    context = spiked(spiked(context_of(), 3), 11, 5)
    report = find_outliers("zscore", context)
    assert rejected(report) == [*((3, k) for k in range(8)), (11, 5)]
    known = report_rejections("", context, [Rejection(3, None, "", 0, 0), Rejection(11, 5, "", 0, 0)])
    np.testing.assert_array_equal(report.mean.array, known.mean.array)
    assert error(context, report) < 0.8 * error(context, find_outliers("none", context))


@pytest.mark.parametrize("count", [5, 8, 30])
def test_zscores_keep_every_pair_of_a_clean_series(count):
    assert find_outliers("zscore", context_of(count)).rejections == ()


def test_a_slice_is_rejected_from_about_twice_the_usual_noise_variance_on():
    def louder(array, factor):
        array[4, 2] = array.mean(axis=0)[2] + np.sqrt(factor) * (array[4, 2] - array.mean(axis=0)[2])

    quiet, loud = (changed(context_of(40), lambda a, f=f: louder(a, f)) for f in (1.7, 3.0))
    assert find_outliers("zscore", quiet).rejections == ()
    (only,) = find_outliers("zscore", loud).rejections
    assert (only.pair, only.slice) == (4, 2)
    assert only.threshold == pytest.approx(2 + 1 / 39) and 2.4 < only.value < 3.6


@pytest.mark.parametrize("factor", [0.0, -1.0], ids=["not labelled", "swapped"])
def test_zscores_reject_a_pair_without_its_perfusion(factor):
    truth = 10 * head()[1]

    def change(array):
        array[6] += (factor - 1) * truth

    assert (6, None) in rejected(find_outliers("zscore", changed(context_of(), change)), "perfusion pattern")


def test_zscores_keep_a_pair_whose_level_is_shifted_as_motion_shifts_it():
    def change(array):
        array[6] += 200.0  # of a mean of about 350

    assert rejected(find_outliers("zscore", changed(context_of(), change))) == []


# AOC


def test_aoc_drops_pairs_that_moved_more_than_the_mean_and_an_sd():
    relative = np.full(20, 0.2)
    relative[4], relative[9] = 2.0, 0.4
    position = np.zeros(20)
    position[12] = 3.0
    report = find_outliers("aoc", context_of(motion=PairMotion(relative, position)))
    assert rejected(report) == [(4, None), (12, None)]
    moved, apart = report.rejections
    assert moved.value == 2.0 and moved.threshold == pytest.approx(relative.mean() + relative.std(ddof=1))
    assert apart.value == 3.0 and apart.threshold == pytest.approx(position.mean() + 2 * position.std(ddof=1))


def test_a_head_that_lies_still_loses_no_pair_to_aoc_but_does_by_the_published_rule():
    relative = np.random.default_rng(1).uniform(0.0, 0.1, 20)
    context = context_of(motion=PairMotion(relative, np.zeros(20)))
    assert find_outliers("aoc", context).rejections == ()
    published = find_outliers("aoc", context, settings=AdaptiveSettings(least_motion=0.0))
    assert len(published.rejections) == (relative > relative.mean() + relative.std(ddof=1)).sum() > 0


def test_aoc_drops_pairs_of_impossible_global_cbf():
    def change(array):
        array[2] -= 400.0
        array[5] += 1500.0

    report = find_outliers("aoc", changed(context_of(), change))
    assert rejected(report, "low") == [(2, None)] and rejected(report, "high") == [(5, None)]
    assert "motion" in report.notes[0].lower()


def test_aoc_drops_a_pair_that_is_unlike_the_mean():
    rng = np.random.default_rng(2)

    def change(array):
        array[8] = 400.0 + 300.0 * rng.standard_normal(SHAPE)

    (only,) = find_outliers("aoc", changed(context_of(), change)).rejections
    assert only.pair == 8 and only.value < only.threshold == pytest.approx(0.16)


# SCORE


def test_the_pooled_variance_weighs_tissues_by_their_size():
    mean = np.array([1.0, 2.0, 3.0, 10.0, 14.0])
    masks = [np.array([1, 1, 1, 0, 0], bool), np.array([0, 0, 0, 1, 1], bool)]
    assert pooled_variance(mean, masks) == pytest.approx((2 * 1.0 + 1 * 8.0) / 3)


def test_score_drops_pairs_of_extreme_grey_matter():
    gm = head()[0].gm.array > 0.5

    def change(array):
        array[7, gm] += 300.0

    context = changed(context_of(), change)
    level = np.array([cbf[gm].mean() for cbf in context.cbf])
    apart = np.abs(level - np.median(level))
    expected = np.flatnonzero(apart > 2.5 * np.median(apart) / 0.675)
    assert 7 in expected and len(expected) < 10
    assert rejected(find_outliers("score", context), "median") == [(n, None) for n in expected]


def test_score_removes_the_artefact_that_rules_the_mean_and_undoes_the_removal_too_many():
    def change(array):
        array[[3, 9]] += 4 * stripes()

    context = changed(context_of(noise=15.0), change)
    report = find_outliers("score", context)
    assert {3, 9} <= {r.pair for r in report.rejections}
    kept = [n for n in range(20) if n not in {r.pair for r in report.rejections}]
    tissue = head()[0]
    masks = [v.array > 0.7 for v in (tissue.gm, tissue.wm, tissue.csf)]
    inside = np.any(masks, axis=0)
    values, parts = context.cbf[:, inside], [m[inside] for m in masks]
    mean = values[kept].mean(axis=0)
    most = max(kept, key=lambda n: np.corrcoef(values[n], mean)[0, 1])
    without = values[[n for n in kept if n != most]].mean(axis=0)
    assert pooled_variance(without, parts) >= pooled_variance(mean, parts)


def test_score_removes_nothing_where_a_removal_would_only_add_noise():
    assert rejected(find_outliers("score", context_of(noise=60.0, seed=4)), "more even") == []


# PAOCSL


def test_paocsl_rejects_a_spiked_slice_alone_and_the_published_rule_takes_it_back():
    context = spiked(context_of(), 11, 4)
    ours = find_outliers("paocsl", context)
    published = find_outliers("paocsl", context, settings=PriorGuidedSettings(release=True))
    assert (11, 4) in rejected(ours) and (11, 5) not in rejected(ours)
    assert (11, 4) not in rejected(published)
    assert error(context, ours) < error(context, published)


def test_paocsl_rejects_a_spiked_pair_in_the_slices_it_judges():
    report = find_outliers("paocsl", spiked(context_of(), 3))
    assert report.flags[3].all() or report.flags[3, 2:6].all()
    assert (report.flags.sum() - report.flags[3].sum()) / 152 < 0.08


def test_paocsl_is_at_least_as_good_as_aoc_and_score_on_spoilt_slices():
    context = context_of(noise=40.0)
    for pair, k in ((2, 3), (5, 4), (9, 2), (14, 5), (17, 3)):
        context = spiked(context, pair, k)
    errors = {name: error(context, find_outliers(name, context)) for name in ("none", "aoc", "score", "paocsl")}
    assert errors["paocsl"] < min(errors[n] for n in ("none", "aoc", "score"))


def test_flags_are_made_consistent_over_slices():
    judged = np.ones(20, bool)
    flags = np.zeros((5, 20), bool)
    flags[0, :19] = True  # more than 90 %
    flags[1, 4] = True  # alone
    flags[2, [3, 9, 15]] = True  # fewer than a fifth, none next to another
    flags[3, [3, 4, 15]] = True  # two next to each other
    flags[4, [1, 5, 9, 13]] = True  # a fifth
    everywhere, stand = consistent(flags, judged, PriorGuidedSettings(release=True))
    assert everywhere.tolist() == [True, False, False, False, False]
    assert stand.sum(axis=1).tolist() == [19, 0, 0, 3, 4]
    assert consistent(flags, judged, PriorGuidedSettings())[1].sum(axis=1).tolist() == [19, 1, 3, 3, 4]


# Huber


def test_hubers_estimate_minimises_hubers_loss():
    from scipy.optimize import minimize_scalar
    from scipy.special import huber

    context = spiked(context_of(12), 3)
    report = find_outliers("huber", context, settings=HuberSettings(floor=0.0, iterations=200))
    values = context.pairs.array.astype(float)
    for k, j, i in ((0, 12, 12), (3, 5, 9), (7, 15, 4)):
        x = values[:, k, j, i]
        scale = 1.4826 * np.median(np.abs(x - np.median(x)))
        best = minimize_scalar(lambda m: huber(1.345 * scale, x - m).sum(), bounds=(x.min(), x.max()), method="bounded")  # noqa: B023
        assert report.mean.array[k, j, i] == pytest.approx(best.x, abs=0.01 * scale)


def test_huber_has_95_percent_of_the_efficiency_of_the_mean_and_knows_its_error():
    context = context_of(40, seed=7)
    report = find_outliers("huber", context)
    truth = 10 * head()[1]
    apart = (report.mean.array - truth)[context.solid]
    plain = (mean_difference(context.pairs).array - truth)[context.solid]
    assert plain.var() / apart.var() == pytest.approx(0.95, abs=0.03)
    claimed = np.sqrt(np.mean(report.standard_error.array[context.solid] ** 2))
    assert claimed == pytest.approx(apart.std(), rel=0.05)


def test_huber_weighs_a_spike_down_reports_the_slice_and_comes_closer_to_the_truth():
    context = spiked(context_of(), 3, 2)
    report = find_outliers("huber", context)
    assert rejected(report) == [(3, 2)]
    assert report.weights.shape == (20, *SHAPE) and report.weights[3, 2].mean() < 0.85 < report.weights[4, 2].mean()
    assert error(context, report, 2) < 0.9 * error(context, find_outliers("none", context), 2)


# What every method does with what it cannot judge


@pytest.mark.parametrize("name", METHODS)
def test_few_pairs_are_all_kept_and_a_note_says_so(name):
    context = spiked(context_of(4), 1)
    report = find_outliers(name, context)
    assert report.rejections == () and (report.kept == 4).all()
    np.testing.assert_array_equal(report.mean.array, mean_difference(context.pairs).array)
    assert bool(report.notes) == (name != "none")


def test_one_pair_has_a_mean_and_no_standard_error():
    report = find_outliers("zscore", context_of(1))
    assert np.isfinite(report.mean.array).all() and np.isnan(report.standard_error.array).all()
    assert report.notes == ("1 pair is too few to tell outliers by: nothing was rejected.",)


@pytest.mark.parametrize(("count", "least"), [(1, 1), (2, 2), (3, 3), (5, 3), (7, 4), (40, 20)])
def test_half_of_the_pairs_are_kept_and_three_where_there_are_three(count, least):
    assert fewest_kept(count) == least


def test_a_method_that_would_drop_most_pairs_drops_none_and_says_so():
    rng = np.random.default_rng(5)

    def change(array):
        array[:12] = 400.0 + 300.0 * rng.standard_normal((12, *SHAPE))

    report = find_outliers("aoc", changed(context_of(20, noise=10.0), change))
    assert report.rejections == () and (report.kept == 20).all()
    assert "Every slice would have kept fewer than half" in report.notes[-1]


def test_zscores_keep_the_least_noisy_half_where_most_pairs_are_spoilt():
    def change(array):
        array[:12] += 400.0 * np.arange(1, 13)[:, None, None, None] * np.sin(np.arange(24))

    report = find_outliers("zscore", changed(context_of(20, noise=10.0), change))
    assert report.weights[12:].all() and (report.kept >= 10).all()


@pytest.mark.filterwarnings("error")
def test_zscores_judge_the_other_slices_where_one_is_blank_in_every_pair():
    def change(cbf):
        cbf[:, 2] = 0.0
        return cbf

    whole, blank = (find_outliers("zscore", spiked(changed(context_of(), c), 4, 3)) for c in (lambda cbf: cbf, change))
    assert rejected(blank) == rejected(whole) == [(4, 3)]


def test_a_slice_that_would_lose_most_pairs_takes_the_least_suspicious_back_where_figures_are_ranked():
    context = context_of(6)
    some = [Rejection(n, 2, "bad", value, 0.5) for n, value in ((1, 4.0), (2, 1.0), (3, 0.1))]
    report = report_rejections("x", context, [Rejection(0, None, "bad", 3.0, 0.5), *some], ranked=True)
    assert report.kept.tolist() == [5, 5, 3, 5, 5, 5, 5, 5]
    assert rejected(report) == [(0, None), (1, 2), (3, 2)]
    assert report.notes[0].startswith("Slice 3 would")


def test_a_whole_pair_that_one_slice_needs_is_rejected_in_the_others():
    most = [Rejection(n, 2, "bad", 4.0, 0.5) for n in (1, 2, 3)]
    report = report_rejections("x", context_of(6), [Rejection(0, None, "bad", 1.0, 0.5), *most])
    assert [r for r in rejected(report) if r[0] == 0] == [(0, k) for k in range(8) if k != 2]


@pytest.mark.parametrize("name", METHODS)
def test_a_slice_that_no_pair_measured_stays_nan_and_harms_nothing(name):
    def change(array):
        array[:, 6] = np.nan

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = find_outliers(name, changed(spiked(context_of(), 3), change))
    assert np.isnan(report.mean.array[6]).all() and np.isfinite(report.mean.array[:6]).all()
    assert not [r for r in report.rejections if "measured" in r.reason]


@pytest.mark.parametrize("name", METHODS)
def test_a_pair_that_was_not_measured_in_a_slice_takes_no_part_in_it(name):
    def change(array):
        array[5, 0] = np.nan
        array[9] = np.nan

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = find_outliers(name, changed(context_of(), change))
    unmeasured = [(5, 0), *((9, k) for k in range(8))]
    assert rejected(report, "measured") == unmeasured
    assert np.isfinite(report.mean.array).all()
    assert all(report.weights[n, k].max() == 0 for n, k in unmeasured)


@pytest.mark.parametrize("name", METHODS)
def test_a_voxel_that_a_kept_pair_did_not_measure_is_nan(name):
    def change(array):
        array[5, 1, 12, 12] = np.nan

    report = find_outliers(name, changed(context_of(), change))
    if not report.flags[5, 1]:
        assert np.isnan(report.mean.array[1, 12, 12])
    assert np.isnan(report.mean.array).sum() <= 1


@pytest.mark.parametrize("name", METHODS)
def test_methods_that_need_tissue_say_so_where_there_is_none(name):
    context = replace(spiked(context_of(), 3), tissue=None)
    report = find_outliers(name, context)
    if name in ("score", "paocsl"):
        assert report.rejections == () and "grey matter" in report.notes[0]
    assert np.isfinite(report.mean.array).all()


@pytest.mark.parametrize("name", ["score", "paocsl"])
def test_without_white_matter_the_rest_is_judged_by_and_a_note_says_so(name):
    context = context_of(noise=15.0)
    tissue = replace(context.tissue, wm=context.tissue.wm.with_array(np.zeros(SHAPE)))

    def change(array):
        array[3] += 4 * stripes()

    report = find_outliers(name, changed(replace(context, tissue=tissue), change))
    assert any("white matter" in note for note in report.notes)
    assert 3 in {r.pair for r in report.rejections}


@pytest.mark.parametrize("name", METHODS)
def test_pairs_without_noise_are_all_kept(name):
    _, cbf = head()
    context = changed(context_of(8), lambda a: np.copyto(a, 10 * cbf))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = find_outliers(name, context)
    assert report.rejections == ()
    np.testing.assert_allclose(report.mean.array, 10 * cbf, rtol=1e-6)


def test_what_cannot_be_used_is_refused_in_words():
    context = context_of()
    other = Geometry(SHAPE[::-1], (3.0, 3.0, 5.0))
    with pytest.raises(InputError, match="choose one of none, aoc, score"):
        find_outliers("best", context)
    with pytest.raises(InputError, match="brain mask is not on the grid"):
        replace(context, brain=Volume(np.ones(SHAPE), other))
    with pytest.raises(InputError, match="20 pairs but motion of 3"):
        replace(context, motion=PairMotion(np.zeros(3), np.zeros(3)))
    with pytest.raises(InputError, match="one number a pair each"):
        PairMotion(np.zeros(3), np.zeros(4))
    with pytest.raises(InputError, match="not finite"):
        PairMotion(np.array([0.0, np.nan]), np.zeros(2))
    with pytest.raises(InputError, match="No voxel of the brain"):
        find_outliers("zscore", replace(context, brain=context.brain.with_array(np.zeros(SHAPE))))


def test_a_rejection_reads_as_a_sentence_that_counts_from_one():
    assert str(Rejection(0, None, "moved, mm", 2.0, 0.5)) == "pair 1: moved, mm (2 against 0.5)"
    assert str(Rejection(3, 7, "noise", 2.0, 0.5)).startswith("pair 4, slice 8: noise")


def test_every_method_has_a_summary_and_the_default_is_one_of_them():
    assert DEFAULT_METHOD in METHODS and next(iter(METHODS)) == "none"
    assert all(m.name == key and m.summary.endswith(".") for key, m in METHODS.items())


# The benchmark's corrupted scans


@pytest.fixture(scope="module")
def corrupt():
    """Scans of the head above, corrupted; by name of the condition."""
    torch = pytest.importorskip("torch")
    from ASLDenoiseLib.learning.phantom import Phantom
    from ASLDenoiseLib.learning.simulate import PROTOCOL, ScanSettings
    from Testing.Benchmarks.library.corruption import CONDITIONS, corrupt

    tissue, cbf = head()
    gm, wm, csf, brain = (torch.tensor(v.array.copy()) for v in (tissue.gm, tissue.wm, tissue.csf, tissue.brain))
    nothing = torch.zeros(SHAPE)
    perfusion = torch.tensor(cbf).float()
    maps = (perfusion, brain, gm, wm, csf, brain, nothing, nothing, nothing, nothing)  # M0 is 1 in the brain
    phantom = Phantom(GRID, *maps, PROTOCOL, None, (), nothing)
    settings = ScanSettings(pairs=20, gm_snr=1.0)
    return lambda name, **changes: corrupt(phantom, settings, replace(CONDITIONS[name], **changes), seed=5)


@pytest.mark.parametrize("name", ["spiked", "moved", "unlabelled"])
def test_the_slices_said_to_be_spoilt_are_those_that_differ_from_the_clean_scan(corrupt, name):
    clean, corrupted = corrupt("clean"), corrupt(name, drift=0.0)
    context = clean.context
    differs = np.nanmax(np.abs(np.where(context.inside, corrupted.context.cbf - context.cbf, 0)), axis=(2, 3)) > 1.0
    np.testing.assert_array_equal(differs[:, context.judged], corrupted.corrupted[:, context.judged])
    assert not clean.corrupted.any() and 0.05 < corrupted.corrupted[:, context.judged].mean() < 0.4


def test_drift_ends_where_it_was_told_to(corrupt):
    motion = corrupt("spiked").context.motion
    assert motion.position[-1] == pytest.approx(np.hypot(0.5, np.deg2rad(0.5) * 50), rel=0.05)
    assert motion.relative.max() < 0.05


def test_on_a_spiked_phantom_zscores_find_nearly_all_and_paocsl_is_no_worse_than_aoc_and_score(corrupt):
    case = corrupt("spiked")

    def rmse(name):
        cbf = find_outliers(name, case.context).mean.array * case.context.factor.array
        return np.sqrt(np.mean((cbf - case.truth)[case.context.solid] ** 2))

    report = find_outliers("zscore", case.context)
    flags, corrupted = (a[:, case.context.judged] for a in (report.flags, case.corrupted))
    assert flags[corrupted].mean() > 0.85 and flags[~corrupted].mean() < 0.01
    errors = {name: rmse(name) for name in METHODS}
    assert errors["paocsl"] <= min(errors["aoc"], errors["score"])
    assert errors["zscore"] <= min(errors.values())


@pytest.mark.parametrize("name", ["none", DEFAULT_METHOD])
def test_what_was_not_measured_is_never_told_as_left_out_by_a_method(name):
    def moved_out(array):
        array[5, :3] = np.nan

    context = changed(context_of(), moved_out)
    report = find_outliers(name, context)
    rejected_ones, absent = report.kinds(context.measured)
    assert {(r.pair, r.slice) for r in absent} == {(5, 0), (5, 1), (5, 2)}
    found = {finding.code: finding for finding in outlier_findings(report, context.measured)}
    assert "3 slices in 1 of 20 pairs" in found["slices-unmeasured"].what
    assert ("outliers" in found) == bool(rejected_ones) and (name != "none" or not rejected_ones)
